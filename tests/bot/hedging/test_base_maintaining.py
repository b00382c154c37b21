"""What the base layers need now: bought, replaced, sold, and everything that forbids it (M4)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.instrument import VIX, Right
from bot.domain.layer import BASE_LAYERS, Layer
from bot.domain.orders import Purpose
from bot.domain.plan import HedgePlan, PlanAction
from bot.domain.portfolio import Lot, Position
from bot.domain.proposal import Asked, Proposal, Proposals, ProposalState
from bot.domain.readings import Signal, SignalState
from bot.domain.snapshot import Snapshot
from bot.hedging.base.maintaining import ASKS, BUSY
from bot.hedging.base.settings import BaseSettings, MaintainBase
from bot.hedging.base.standing import LayerStanding, counted, standings_of
from bot.hedging.settings import HedgeSettings
from bot.valuation import Valuer
from tests.bot.hedging.base_books import (
    AUTO,
    DECEMBER,
    ROLL_DAY,
    STOP_DAY,
    base_lot,
    base_order,
    base_wishes,
    moment_of,
    on_day,
    with_lots,
)
from tests.bot.hedging.planned import CALM
from tests.builders import (
    CALENDAR,
    NOVEMBER,
    TODAY,
    Scenery,
    a_future,
    a_quote,
    a_signal,
    an_intent,
    an_option,
    an_order,
    buys,
    spread_legs,
    vix_call,
)

TEN = on_day()
LATE = on_day(ROLL_DAY)
LAST = on_day(STOP_DAY)
WIDE = a_signal()
INTERRUPTED = replace(a_signal(SignalState.UNDEFINED), episode_began_on=TODAY)
ROLLED = "the short layer is bought anew before it is rolled"
BUILT = "the short layer grows to its target"


def kept(*lots: Lot, scenery: Scenery = TEN, signal: Signal = CALM, **more: object) -> list[HedgePlan]:
    """The wishes for the short layer alone, of a book with these lots; further arguments go to the book."""
    return short_of(moment_of(scenery, with_lots(scenery, *lots, **more)), signal)  # type: ignore[arg-type]


def short_of(snapshot: Snapshot, signal: Signal = CALM, rules: HedgeSettings = AUTO) -> list[HedgePlan]:
    """The wishes for the short layer."""
    return [plan for plan in base_wishes(snapshot, signal, rules) if "the short layer" in plan.reason]


def orders_of(plans: list[HedgePlan]) -> list[tuple[Purpose, Layer, int]]:
    """Purpose, layer and calls of every order that is wanted."""
    return [(one.purpose, one.layer, one.quantity) for plan in plans for one in plan.intents]


# built ------------------------------------------------------------------------------------------------------------


def test_a_layer_that_is_missing_is_bought_at_its_delta() -> None:
    """Four calls of November, whose forward delta no other listed strike comes nearer to, as one order."""
    (plan,) = kept()
    assert (plan.action, plan.reason, plan.asks) == (PlanAction.MAINTAIN, BUILT, "")
    (intent,) = plan.intents
    assert (intent.purpose, intent.layer, intent.quantity) == (Purpose.BASE_BUILD, Layer.SHORT, 4)
    call = intent.legs[0].instrument
    assert (call.trading_class, call.right, call.settlement) == ("VIX", Right.CALL, NOVEMBER)
    valuer = Valuer(moment_of(TEN, with_lots(TEN)), AUTO.valuation)
    deltas = {
        one.legs[0].instrument.strike: getattr(valuer.value(one.legs[0].instrument), "named_delta", 9.0)
        for one in plan.candidates
    }
    assert abs(deltas[call.strike] - 0.5) == min(abs(delta - 0.5) for delta in deltas.values())


def test_the_candidates_are_on_record_with_their_fate() -> None:
    """The nearest first; what is too far in delta says so, and what is bought is the first that passed."""
    (plan,) = kept()
    passed = [one for one in plan.candidates if not one.rejected]
    assert passed[0].legs == plan.intents[0].legs
    assert {one.rejected for one in plan.candidates if one.rejected} >= {
        "its forward delta is too far from the layer's"
    }
    assert plan.notes[1].startswith(f"{passed[0].name}: forward delta 0.")


def test_a_build_costs_its_premium_and_fees() -> None:
    """What the cap counts is the limit and 1.30 USD a call; the exposure is what one call has now."""
    (plan,) = kept()
    (intent,) = plan.intents
    assert intent.worst_cost_usd == 4 * (
        intent.limit * 100 + plan.candidates[0].cost_usd - plan.candidates[0].limit * 100
    )
    assert intent.exposure_usd_per_point == pytest.approx(27.0, rel=0.15)


@pytest.mark.parametrize(("held", "missing"), [(0, 4), (1, 3), (3, 1), (4, 0), (9, 0)])
def test_only_what_is_missing_is_bought(held: int, missing: int) -> None:
    """Up to the target and never above it; what is held beyond it stays."""
    lots = [base_lot(held)] if held else []
    wanted = orders_of(kept(*lots))
    assert wanted == ([(Purpose.BASE_BUILD, Layer.SHORT, missing)] if missing else [])


def test_every_layer_has_its_turn() -> None:
    """A book without any base wishes for the three layers in their order, each as a plan of its own."""
    whole = moment_of(TEN, with_lots(TEN), listed=TEN.universe.vix_settlements)
    plans = base_wishes(whole)
    assert orders_of(plans) == [
        (Purpose.BASE_BUILD, Layer.SHORT, 4),
        (Purpose.BASE_BUILD, Layer.MEDIUM, 4),
        (Purpose.BASE_BUILD, Layer.LONG, 2),
    ]
    assert [plan.intents[0].legs[0].instrument.settlement for plan in plans] == [
        lot.expires_on for lot in TEN.base_lots()
    ]


def test_a_base_that_stands_wishes_for_nothing() -> None:
    """The reference book has its layers: no plan, no words."""
    assert base_wishes(TEN.snapshot()) == []


def test_a_purchase_is_asked_for_unless_configured_otherwise() -> None:
    """Propose asks a person for every purchase, auto for none, off wishes for nothing at all."""
    moment = moment_of(TEN, with_lots(TEN))
    asks = {}
    for maintain in MaintainBase:
        rules = HedgeSettings(base=BaseSettings(maintain_base=maintain))
        asks[maintain] = [plan.asks for plan in short_of(moment, rules=rules)]
    assert asks == {MaintainBase.OFF: [], MaintainBase.PROPOSE: [ASKS], MaintainBase.AUTO: [""]}
    assert HedgeSettings().base.maintain_base is MaintainBase.PROPOSE


def test_an_exposure_replaces_the_number_of_calls() -> None:
    """A short layer of 80 USD per point holds three calls of about 26 each."""
    layers = HedgeSettings().layers
    short = replace(layers[Layer.SHORT], exposure_usd_per_point=80.0)
    rules = replace(AUTO, layers={**layers, Layer.SHORT: short})
    assert orders_of(short_of(moment_of(TEN, with_lots(TEN)), rules=rules)) == [(Purpose.BASE_BUILD, Layer.SHORT, 3)]


def test_approved_contracts_come_before_the_nearest_delta() -> None:
    """What a person approved is bought if it still passes, and no more of it than was approved."""
    moment = moment_of(TEN, with_lots(TEN))
    (plan,) = short_of(moment)
    other = [one for one in plan.candidates if not one.rejected][1]
    asked = Asked(purpose="base_build", legs=((str(other.legs[0].instrument.key), 1),), quantity=3)
    proposal = Proposal(
        proposal_id=plan.decision_id,
        orders=(asked,),
        because="a test",
        made_at=moment.now - timedelta(minutes=5),
        expires_at=moment.now + timedelta(minutes=10),
        state=ProposalState.APPROVED,
    )
    (after,) = short_of(replace(moment, proposals=Proposals(last=(proposal,))))
    assert [(one.legs, one.quantity) for one in after.intents] == [(other.legs, 3)]


# rolled -----------------------------------------------------------------------------------------------------------


def test_a_due_layer_is_bought_anew_first() -> None:
    """Nothing is sold while nothing has replaced it."""
    plans = kept(base_lot(4), scenery=LATE)
    assert orders_of(plans) == [(Purpose.BASE_BUILD, Layer.SHORT, 4)]
    assert plans[0].reason == ROLLED
    assert plans[0].intents[0].legs[0].instrument.settlement == DECEMBER


@pytest.mark.parametrize(("fresh", "wanted"), [(3, [(Purpose.BASE_BUILD, 1)]), (4, [(Purpose.BASE_EXIT, 4)])])
def test_a_due_layer_is_sold_when_the_fresh_calls_cover_the_target(
    fresh: int, wanted: list[tuple[Purpose, int]]
) -> None:
    """With one call missing it is bought; with none missing the due ones go, without anybody's leave."""
    plans = kept(base_lot(4), base_lot(fresh, settlement=DECEMBER, lot_id="b-2", bought_on=ROLL_DAY), scenery=LATE)
    assert [(purpose, quantity) for purpose, _, quantity in orders_of(plans)] == wanted
    assert (plans[0].action is PlanAction.EXIT) == (fresh == 4)


def test_a_target_that_has_fallen_sells_nothing_that_is_not_due() -> None:
    """Nine calls beside ten condors stay; when they are due, what covers the target lets them go."""
    assert kept(base_lot(9)) == []
    small = on_day(ROLL_DAY, condors=1)
    assert orders_of(kept(base_lot(9), scenery=small)) == [(Purpose.BASE_EXIT, Layer.SHORT, 9)]


@pytest.mark.parametrize("signal", [WIDE, INTERRUPTED])
@pytest.mark.parametrize(
    ("due", "fresh", "replaced", "wanted"),
    [
        (0, 1, 0, []),
        (2, 0, 0, [(Purpose.BASE_BUILD, 2)]),
        (2, 3, 0, [(Purpose.BASE_BUILD, 2)]),
        (2, 0, 1, [(Purpose.BASE_BUILD, 1)]),
        (2, 1, 2, [(Purpose.BASE_EXIT, 2)]),
        (2, 0, 4, [(Purpose.BASE_EXIT, 2)]),
    ],
)
def test_an_episode_replaces_one_for_one(
    signal: Signal, due: int, fresh: int, replaced: int, wanted: list[tuple[Purpose, int]]
) -> None:
    """Due calls are bought anew in their number, whatever the target of four says, and then they go."""
    lots = [base_lot(due)] if due else []
    lots += [base_lot(fresh, settlement=DECEMBER, lot_id="b-2")] if fresh else []
    lots += [base_lot(replaced, settlement=DECEMBER, lot_id="b-3", bought_on=ROLL_DAY, strike=20)] if replaced else []
    plans = kept(*lots, scenery=LATE, signal=signal)
    assert [(purpose, quantity) for purpose, _, quantity in orders_of(plans)] == wanted


@given(
    due=st.integers(0, 6),
    fresh=st.integers(0, 6),
    replaced=st.integers(0, 6),
    working=st.integers(0, 6),
    target=st.integers(0, 8),
)
def test_nothing_is_ever_bought_twice(due: int, fresh: int, replaced: int, working: int, target: int) -> None:
    """What is held, on its way and bought now is never above the target, nor above the due calls in an episode."""
    lots = (base_lot(due),) if due else ()
    standing = LayerStanding(layer=Layer.SHORT, fresh=fresh + replaced, due=lots, replaced=replaced, working=working)
    calm, frozen = (standing.missing(target, frozen=each) for each in (False, True))
    assert calm == 0 or standing.fresh + working + calm == target
    assert frozen == 0 or replaced + working + frozen == due
    assert not (standing.is_covered(target, frozen=False) and calm)
    assert not (standing.is_covered(target, frozen=True) and frozen)


@pytest.mark.parametrize(("replaced", "units"), [(0, [4]), (1, [3, 1]), (4, [4]), (6, [6])])
def test_the_base_counts_a_roll_once(replaced: int, units: list[int]) -> None:
    """Of four due calls those count that nothing has replaced; what replaced them counts whole."""
    lots = [base_lot(4)]
    lots += [base_lot(replaced, settlement=DECEMBER, lot_id="b-2", bought_on=ROLL_DAY)] if replaced else []
    book = with_lots(LATE, *lots)
    standings = standings_of(book, ROLL_DAY, AUTO.temporal, CALENDAR)
    assert [count for _, count in counted(standings, book.lots, ROLL_DAY)] == units


# stopped ----------------------------------------------------------------------------------------------------------


def test_at_the_hard_stop_a_lot_goes_whatever_was_bought() -> None:
    """Nothing replaced it, and it is sold before anything is bought."""
    plans = kept(base_lot(4), scenery=LAST)
    assert orders_of(plans)[0] == (Purpose.BASE_EXIT, Layer.SHORT, 4)
    assert (plans[0].action, plans[0].reason) == (PlanAction.EXIT, "the short layer nears its last trading day")
    assert plans[0].intents[0].limit < 0


def test_the_stop_waits_for_no_other_order() -> None:
    """An order for another contract works: nothing is bought, and the stop goes on."""
    plans = kept(base_lot(4), scenery=LAST, orders=[base_order(4)])
    assert orders_of(plans) == [(Purpose.BASE_EXIT, Layer.SHORT, 4)]
    busy = kept(base_lot(4), scenery=LAST, orders=[base_order(4, purpose=Purpose.BASE_EXIT, settlement=NOVEMBER)])
    assert orders_of(busy) == []
    assert busy[0].reason.endswith("it stays for now: an order in the same contracts is still working")


def test_a_contract_that_cannot_be_sold_holds_up_no_other() -> None:
    """Nobody bids for the calls at 30: they stay with the reason, and those at 19 go."""
    plans = kept(base_lot(2, strike=30, lot_id="b-2"), base_lot(3), scenery=LAST)
    assert "it stays for now: OPT:VIX:2026-11-18:30:C: not two-sided" in plans[0].reason
    assert orders_of(plans)[0] == (Purpose.BASE_EXIT, Layer.SHORT, 3)


@pytest.mark.parametrize("signal", [CALM, WIDE, INTERRUPTED, a_signal(SignalState.UNDEFINED)])
@given(short=st.integers(0, 12), day=st.integers(0, 28), condors=st.sampled_from([1, 10, 40]))
@settings(max_examples=15, deadline=None)
def test_a_base_lot_is_sold_for_no_other_reason(signal: Signal, short: int, day: int, condors: int) -> None:
    """Whatever the signal, the day, the size of the book: what is neither due nor at its stop is never sold."""
    today = TODAY + timedelta(days=day)
    if CALENDAR.session(today) is None or not short:
        return
    scenery = on_day(today, condors)
    lots = base_lot(short), base_lot(3, Layer.LONG, DECEMBER, lot_id="b-2", bought_on=today)
    plans = kept(*lots, scenery=scenery, signal=signal)
    (standing, *_) = standings_of(with_lots(scenery, base_lot(short)), today, AUTO.temporal, CALENDAR)
    sold = [one for plan in plans for one in plan.intents if one.purpose.sells_hedge]
    assert not sold or standing.due
    assert all(one.quantity <= short for one in sold)


# what forbids it --------------------------------------------------------------------------------------------------


STRAY = an_option(6500, NOVEMBER, trading_class="SPXW", right=Right.PUT)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"session": None}, "no session is open"),
        ({"levels": {}}, f"{VIX.key}: no level"),
        ({"levels": {VIX.key: 40.5}}, "VIX stands above the ceiling: nothing is added"),
        ({"previous_closes": {}}, "the previous close of VIX is unknown"),
        ({"previous_closes": {VIX.key: 41.0}}, "VIX closed above the ceiling: nothing is added"),
        ({"offered": ()}, "no monthly settlement that fits is listed"),
        ({"universe": {}}, "the calls of its settlement are being looked up"),
        ({"quotes": {}}, "no call of its settlement passes"),
    ],
)
def test_what_forbids_a_purchase_is_said(changes: dict[str, object], why: str) -> None:
    """The layer holds with the reason, and waits for contracts where they are what is missing."""
    moment = replace(moment_of(TEN, with_lots(TEN)), **changes)  # type: ignore[arg-type]  # test shorthand
    (plan,) = short_of(moment)
    assert (plan.action, plan.intents, plan.reason) == (PlanAction.HOLD, (), f"{BUILT}, but not now: {why}")
    assert plan.notes[0].endswith("its target is 4, 4 to be bought")
    assert (plan.awaits == NOVEMBER) == ("settlement" in why and "monthly" not in why)


def test_spx_legs_that_fit_nowhere_lock_the_purchase() -> None:
    """Until they fit a condor nothing is bought."""
    book = with_lots(TEN)
    stray = replace(book, unmatched=(Position(instrument=STRAY, quantity=-1),))
    (plan,) = short_of(moment_of(TEN, stray))
    assert plan.reason.endswith("SPX option positions fit no condor: sizing is locked until they do")


def test_one_order_for_the_base_at_a_time() -> None:
    """While an order of another layer works, neither a purchase nor a roll goes out; the reason is on record."""
    other = base_order(1, Layer.LONG, strike=25)
    (plan,) = kept(orders=[other])
    assert plan.reason == f"{BUILT}, but not now: {BUSY}"
    covered = (base_lot(4), base_lot(4, settlement=DECEMBER, lot_id="b-2", bought_on=ROLL_DAY))
    (roll,) = kept(*covered, scenery=LATE, orders=[other])
    assert roll.reason.endswith(f"but it stays for now: {BUSY}")
    overlay = an_order(an_intent(spread_legs(24, 29, DECEMBER), intent_id="o"))
    assert orders_of(kept(*covered, scenery=LATE, orders=[overlay])) == [(Purpose.BASE_EXIT, Layer.SHORT, 4)]


@pytest.mark.parametrize("legs", [(buys(a_future("VXM")),), spread_legs(21, 26), (buys(vix_call(20), 2),)])
def test_a_layer_of_other_shapes_is_the_operators(legs: tuple[object, ...]) -> None:
    """Futures, spreads and odd ratios are no number of calls: nothing is bought on top, nor rolled."""
    lot = base_lot(1, legs=legs)  # type: ignore[arg-type]  # legs of a table
    (plan,) = kept(lot)
    assert plan.reason.endswith(
        "it holds futures or spreads, which no number of calls tells: it is the operator's to keep"
    )
    assert orders_of(kept(lot, base_lot(4, lot_id="b-2"), scenery=LATE)) == []
    small = on_day(ROLL_DAY, condors=1)  # whose target is none, so that the due calls would be covered
    assert orders_of(kept(lot, base_lot(4, lot_id="b-2"), scenery=small)) == []


def test_a_call_whose_other_side_is_held_is_not_bought() -> None:
    """The overlay is short the nearest strike: the next one is taken."""
    (plain,) = kept()
    nearest = plain.intents[0].legs[0].instrument
    book = with_lots(TEN)
    short = Position(instrument=nearest, quantity=-1)
    (plan,) = short_of(moment_of(TEN, replace(book, positions={**book.positions, nearest.key: short})))
    assert plan.candidates[0].rejected == "the account holds the other side of a leg"
    assert plan.intents[0].legs[0].instrument != nearest


def test_an_illiquid_call_is_not_bought() -> None:
    """The nearest is quoted too wide for M5: the next one is taken."""
    (plain,) = kept()
    nearest = plain.intents[0].legs[0].instrument
    moment = moment_of(TEN, with_lots(TEN))
    wide = a_quote(nearest, 1.0, 2.0)
    (plan,) = short_of(replace(moment, quotes={**moment.quotes, nearest.key: wide}))
    assert plan.intents[0].legs[0].instrument != nearest
    assert any(one.legs[0].instrument == nearest and "too wide" in one.rejected for one in plan.candidates)


def test_the_theta_budget_does_not_bind_the_base() -> None:
    """M7's limit is for new overlay: with a hundredth of it the base is built all the same."""
    tight = replace(AUTO, temporal=replace(AUTO.temporal, max_decay_frac=0.01))
    assert orders_of(short_of(moment_of(TEN, with_lots(TEN)), rules=tight)) == [(Purpose.BASE_BUILD, Layer.SHORT, 4)]


def test_a_plan_for_the_base_keeps_the_overlays_figures() -> None:
    """The record of a base plan still shows what the overlay's share and target are."""
    lots = [lot for lot in LATE.base_lots() if lot.layer is not Layer.SHORT]
    moment = moment_of(LATE, with_lots(LATE, *lots, base_lot(2)))
    (plan,) = short_of(moment, WIDE)
    assert plan.increment_frac > 0.0
    assert plan.target_usd_per_point == pytest.approx(plan.increment_frac * plan.base_usd_per_point)


def test_layers_that_are_not_configured_are_left_alone() -> None:
    """A configuration without a medium layer neither builds nor looks for one."""
    layers = {layer: one for layer, one in HedgeSettings().layers.items() if layer is not Layer.MEDIUM}
    plans = base_wishes(moment_of(TEN, with_lots(TEN)), settings=replace(AUTO, layers=layers))
    assert all("medium" not in plan.reason for plan in plans)
    assert len(plans) == len(BASE_LAYERS) - 1
