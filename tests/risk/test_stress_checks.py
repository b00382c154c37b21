"""The two loss limits of the gate: edges, what is on its way, what a plan worsens, and what is unknown."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.decision import Checked, Refused, Rule
from bot.domain.instrument import Instrument, Right
from bot.domain.orders import Leg, OrderIntent, Purpose
from bot.domain.portfolio import Position
from bot.domain.snapshot import Snapshot
from risk.checks.price_collar import middle_points
from risk.checks.stress_loss import premium_usd
from risk.scene import CLOSES_ONLY
from tests.builders import a_future, an_account, an_intent, an_order, buys, sells
from tests.risk.scenes import (
    LIMITS,
    a_build,
    a_mini,
    an_unwind,
    calm_noon,
    checked_by,
    holding,
    rules_against,
    scene_of,
    scenery,
    verdict_on,
    with_book,
)

BOTH = [Rule.MEAN_REVERSION_LOSS, Rule.WORST_LOSS]
LIMIT_OF = {Rule.MEAN_REVERSION_LOSS: Decimal("0.02"), Rule.WORST_LOSS: Decimal("0.05")}
CENT = Decimal("0.01")


def _worth(net_liquidation: Decimal | str, snapshot: Snapshot | None = None) -> Snapshot:
    """The reference book in an account of another size."""
    return with_book(calm_noon() if snapshot is None else snapshot, account=an_account(str(net_liquidation)))


def _found(rule: Rule, intent: OrderIntent, snapshot: Snapshot | None = None) -> Decimal:
    found = checked_by(rule, intent, snapshot).found
    assert isinstance(found, Decimal)
    return found


def _wing_roll(quantity: int = 10) -> OrderIntent:
    """A condor's long put five points further out: gains delta, loses cover."""
    put = scenery().opening.condors[0].long_put
    out = next(
        one
        for one in scenery().universe.options("SPXW", put.settlement)  # type: ignore[arg-type]  # it settles
        if one.right is Right.PUT and one.strike == (put.strike or 0) - 5
    )
    return an_intent((sells(put), buys(out)), quantity=quantity, limit="-0.30", intent_id="w-1")


def _with_out_quoted(snapshot: Snapshot | None = None) -> Snapshot:
    """The reference moment with the wing further out quoted as well."""
    snapshot = calm_noon() if snapshot is None else snapshot
    out = _wing_roll().legs[1].instrument
    return replace(snapshot, quotes={**snapshot.quotes, out.key: scenery().quote(out)})


# edges ------------------------------------------------------------------------------------------------------------


@pytest.mark.control("C31")
@pytest.mark.parametrize(("rule", "frac"), LIMIT_OF.items())
@pytest.mark.control("C31")
def test_a_loss_of_exactly_the_limit_passes_and_a_cent_less_refuses(rule: Rule, frac: Decimal) -> None:
    """Net liquidation for which the loss is the limit itself passes; with a little less the order is too large."""
    loss = _found(rule, a_build(2))
    assert checked_by(rule, a_build(2), _worth(loss / frac)).passed
    refused = checked_by(rule, a_build(2), _worth((loss - CENT) / frac))
    assert (refused.passed, refused.headroom, refused.size_can_cure) == (False, -CENT, True)


def test_mean_reversion_is_what_the_sleeve_loses_with_the_order() -> None:
    """The loss is the base's 920 USD and some 45 for each spread, and the record names the scenario."""
    none, two = _found(Rule.MEAN_REVERSION_LOSS, a_build(1)), _found(Rule.MEAN_REVERSION_LOSS, a_build(2))
    assert float(two) == pytest.approx(1010, rel=0.15)
    assert float(two - none) == pytest.approx(45, rel=0.25)
    assert checked_by(Rule.MEAN_REVERSION_LOSS, a_build(2)).note == "mean reversion"


def test_the_worst_loss_names_its_scenario() -> None:
    """The reference condors lose most in a crash in which VIX falls; the overlay adds its own loss to it."""
    checked = checked_by(Rule.WORST_LOSS, a_build(2))
    assert checked.note == "crash, VIX down"
    assert float(_found(Rule.WORST_LOSS, a_build(2))) == pytest.approx(19_180, rel=0.05)


def test_the_overlay_is_clipped_to_the_largest_size_that_fits() -> None:
    """Five spreads where the sleeve may lose what two add: refused, and the gate offers the two."""
    limit = _found(Rule.MEAN_REVERSION_LOSS, a_build(2))
    limits = replace(LIMITS, max_mean_reversion_loss_frac=limit / 500_000)
    verdict = verdict_on(a_build(5), limits=limits)
    assert isinstance(verdict, Refused)
    assert rules_against(verdict) == {Rule.MEAN_REVERSION_LOSS}
    assert verdict.largest_quantity == 2


# what is on its way -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", BOTH)
def test_what_is_on_its_way_counts_as_filled(rule: Rule) -> None:
    """A working purchase loses as if it were held; an earlier order of the plan as well."""
    working = an_order(a_build(10, intent_id="w-1"))
    with_working = with_book(calm_noon(), orders={working.intent.intent_id: working})
    alone, beside = _found(rule, a_build(2)), _found(rule, a_build(2), with_working)
    earlier = checked_by(rule, a_build(2), earlier=(a_build(10, intent_id="e-1"),)).found
    assert alone < beside
    assert beside == earlier == _found(rule, a_build(12))


@pytest.mark.parametrize("rule", BOTH)
def test_a_sale_that_may_not_fill_makes_no_room(rule: Rule) -> None:
    """What is being sold still counts as held."""
    selling = an_order(an_unwind(2, intent_id="w-1"))
    snapshot = holding(2)
    with_sale = with_book(snapshot, orders={selling.intent.intent_id: selling})
    assert _found(rule, a_build(1), with_sale) == _found(rule, a_build(1), snapshot)


@pytest.mark.parametrize("rule", BOTH)
def test_the_rest_of_the_plan_counts(rule: Rule) -> None:
    """A first order that fits is refused where the order after it would break the limit."""
    snapshot = _worth(_found(rule, a_build(2)) / LIMIT_OF[rule])
    assert checked_by(rule, a_build(1), snapshot).passed
    rest = a_build(2, intent_id="i-2")
    checked = checked_by(rule, a_build(1), snapshot, later=(rest,))
    assert (checked.passed, checked.found) == (False, _found(rule, a_build(3)))


def test_what_the_rest_of_the_plan_gains_makes_no_room() -> None:
    """A sale that comes later may never fill: the sleeve's loss is that of the order alone."""
    later = (an_unwind(2, intent_id="i-2"),)
    alone = _found(Rule.MEAN_REVERSION_LOSS, a_build(1), holding(2))
    assert checked_by(Rule.MEAN_REVERSION_LOSS, a_build(1), holding(2), later=later).found == alone


def test_a_step_is_judged_by_itself_where_the_rest_takes_it_back() -> None:
    """A future bought and sold again in one plan worsens nothing at its end, and is refused for the step between."""
    mini = a_future("VXM")
    back = an_intent((sells(mini),), limit="-18.00", purpose=Purpose.OVERLAY_UNWIND, intent_id="i-2")
    alone = _found(Rule.WORST_LOSS, a_mini())
    assert alone > 0
    assert checked_by(Rule.WORST_LOSS, a_mini(), later=(back,)).found == alone


# what is worsened -------------------------------------------------------------------------------------------------


def _put_spread_back(quantity: int = 1) -> OrderIntent:
    """The put side of some condors bought back: helps in every fall, costs its premium in a rally."""
    condor = scenery().opening.condors[0]
    return an_intent((buys(condor.short_put), sells(condor.long_put)), quantity=quantity, limit="2.00", intent_id="b-1")


def test_a_scenario_that_is_breached_permits_what_does_not_worsen_it() -> None:
    """The crash takes 19,000 USD of 16,000 allowed: what helps there passes, what worsens it does not."""
    small = _with_out_quoted(_worth(320_000))
    passed, refused = (checked_by(Rule.WORST_LOSS, intent, small) for intent in (_put_spread_back(), _wing_roll()))
    assert (passed.passed, passed.note) == (True, "strong rally")
    assert (refused.passed, refused.note) == (False, "crash, VIX down")
    assert isinstance(passed.found, Decimal)
    assert isinstance(refused.found, Decimal)
    assert passed.found < Decimal(16_000) < Decimal(19_000) < refused.found


def test_a_premium_is_no_reason_to_go_without_protection() -> None:
    """In an account far too small for its condors the overlay passes: no scenario worsens by more than it costs."""
    for net_liquidation in (1_000, 100_000):
        assert checked_by(Rule.WORST_LOSS, a_build(2), _worth(net_liquidation)).passed
    later = checked_by(Rule.WORST_LOSS, a_build(1), _worth(100_000), later=(a_build(1, intent_id="i-2"),))
    assert later.passed


def test_a_premium_is_the_larger_of_limit_and_middle() -> None:
    """Of a purchase; what is sold, a future, and what nobody can price pay none that would permit a loss."""
    scene = scene_of(holding(2))
    middle = middle_points(a_build(), scene)
    assert isinstance(middle, Decimal)
    assert premium_usd(a_build(3, limit="0.05"), scene) == pytest.approx(float(middle) * 300)
    assert premium_usd(a_build(3, limit="5.00"), scene) == 1500.0
    assert [premium_usd(one, scene) for one in (an_unwind(2), a_mini())] == [0.0, 0.0]
    assert premium_usd(a_build(), scene_of(replace(calm_noon(), quotes={}))) == 0.0


def test_a_limit_below_the_middle_still_counts_the_middle() -> None:
    """An order that waits inside the market loses the middle in the grid, and may."""
    assert checked_by(Rule.WORST_LOSS, a_build(2, limit="0.05"), _worth(100_000)).passed


@pytest.mark.parametrize("legs", [(buys(a_future("VXM")),), _wing_roll().legs], ids=["future", "wing"])
def test_what_no_premium_bounds_is_refused_where_a_scenario_is_breached(legs: tuple[Leg, ...]) -> None:
    """A future and a wing moved out lose more than they cost: the same account refuses both."""
    intent = an_intent(legs, quantity=1, limit="18.95" if len(legs) == 1 else "-0.30")
    checked = checked_by(Rule.WORST_LOSS, intent, _with_out_quoted(_worth(100_000)))
    assert (checked.passed, checked.size_can_cure) == (False, True)
    assert checked.note == "crash, VIX down"


def test_a_premium_breaches_no_scenario_that_still_holds() -> None:
    """Where the limit is kept by less than a premium, the purchase that would break it is refused."""
    loss = _found(Rule.WORST_LOSS, a_build(1))
    edge = _worth((loss - CENT) / LIMIT_OF[Rule.WORST_LOSS])
    assert not checked_by(Rule.WORST_LOSS, a_build(1), edge).passed


def test_an_order_that_worsens_nothing_is_recorded_as_such() -> None:
    """An index put that has settled changes no scenario: the rule says so instead of showing a figure."""
    yesterday = calm_noon().now.date() - timedelta(days=1)
    done = replace(scenery().opening.condors[0].long_put, settlement=yesterday, last_trade=yesterday)
    checked = checked_by(Rule.WORST_LOSS, an_intent((buys(done),)), _worth(1_000))
    assert (checked.passed, checked.found, checked.note) == (
        True,
        Decimal(0),
        "the plan worsens no scenario by more than its premium allows",
    )


def test_an_order_outside_the_sleeve_passes_mean_reversion() -> None:
    """A wing roll adds nothing to what the sleeve loses, however small the account."""
    tiny = _with_out_quoted(_worth(1_000))
    checked = checked_by(Rule.MEAN_REVERSION_LOSS, _wing_roll(), tiny)
    assert (checked.passed, checked.note) == (True, "the order adds nothing to the loss")
    assert not checked_by(Rule.MEAN_REVERSION_LOSS, a_build(1), tiny).passed


def test_a_future_loses_more_than_a_spread() -> None:
    """One VX loses some 2,500 USD in mean reversion: a small account takes the spread and refuses the future."""
    future = an_intent((buys(a_future("VX")),), limit="18.95")
    snapshot = _worth(100_000)
    assert checked_by(Rule.MEAN_REVERSION_LOSS, a_build(1), snapshot).passed
    assert not checked_by(Rule.MEAN_REVERSION_LOSS, future, snapshot).passed


@pytest.mark.parametrize("rule", BOTH)
def test_closing_passes_whatever_is_lost(rule: Rule) -> None:
    """An order that only closes passes in an account of a thousand dollars, and without a single quote."""
    snapshot = _worth(1_000, holding(2))
    blind = replace(snapshot, quotes={}, levels={})
    for moment in (snapshot, blind):
        checked = checked_by(rule, an_unwind(2), moment)
        assert (checked.passed, checked.found) == (True, CLOSES_ONLY)
        assert not checked_by(rule, an_intent((buys(a_future("VXM")),), limit="18.95"), moment).passed


# what is unknown --------------------------------------------------------------------------------------------------


def _without(snapshot: Snapshot, *gone: Instrument) -> Snapshot:
    keys = {one.key for one in gone}
    return replace(snapshot, quotes={key: quote for key, quote in snapshot.quotes.items() if key not in keys})


@pytest.mark.parametrize("rule", BOTH)
def test_an_unknown_leg_anywhere_refuses(rule: Rule) -> None:
    """Held, on its way, in the order or in the rest of its plan: what has no quote has no loss, and nothing passes."""
    held = calm_noon().book.condors[0].long_call
    future = a_future("VXM")
    ask = an_intent((buys(future),), limit="18.95", intent_id="w-1")
    working = an_order(ask)
    blind = _without(calm_noon(), future)
    moments: list[Checked] = [
        checked_by(rule, a_build(1), _without(calm_noon(), held)),
        checked_by(rule, a_build(1), with_book(blind, orders={working.intent.intent_id: working})),
        checked_by(rule, ask, blind),
        checked_by(rule, a_build(1), blind, later=(ask,)),
    ]
    missing = [held, future, future, future]
    for checked, instrument in zip(moments, missing, strict=True):
        assert (checked.passed, checked.size_can_cure) == (False, False)
        assert checked.note == f"the loss under stress is unknown: {instrument.key}: no quote"


@pytest.mark.parametrize("rule", BOTH)
def test_without_account_values_there_is_no_limit(rule: Rule) -> None:
    """Net liquidation that was never reported refuses instead of counting as nothing or as much."""
    checked = checked_by(rule, a_build(1), with_book(calm_noon(), account=None))
    assert not checked.passed
    assert checked.note == "the loss under stress is unknown: net liquidation was not reported"


# properties -------------------------------------------------------------------------------------------------------


@given(quantity=st.integers(1, 60), net_liquidation=st.integers(1_000, 2_000_000), held=st.integers(-3, 3))
@settings(deadline=None, max_examples=60)
def test_what_passes_keeps_the_limit_and_a_smaller_order_passes_too(
    quantity: int, net_liquidation: int, held: int
) -> None:
    """Where a purchase passes, its loss is within the limit, and so does every smaller one."""
    mini = a_future("VXM")
    positions = dict(calm_noon().book.positions)
    if held:
        positions[mini.key] = Position(instrument=mini, quantity=held)
    snapshot = with_book(_worth(net_liquidation), positions=positions)
    for rule, frac in LIMIT_OF.items():
        checked = checked_by(rule, a_build(quantity), snapshot)
        if checked.passed:
            assert isinstance(checked.found, Decimal)
            assert checked.found <= frac * net_liquidation
        if checked.passed and checked.found:
            assert checked_by(rule, a_build(max(1, quantity // 2)), snapshot).passed
