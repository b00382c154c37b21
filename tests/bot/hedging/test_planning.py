"""Plans over the simulated market: when to hold, what to add, how to return to base."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bot.domain.decision import Approved
from bot.domain.instrument import RVX, SPX, VIX, Kind, Right, Side
from bot.domain.orders import DecisionId, Purpose
from bot.domain.plan import PlanAction
from bot.domain.portfolio import Position
from bot.domain.proposal import Asked, Proposal, Proposals, ProposalState
from bot.domain.readings import Signal, SignalState
from bot.domain.releases import Confidence, Coverage, Release, ReleaseKind, ReleaseTable
from bot.domain.snapshot import Snapshot
from bot.hedging.construction import best_of
from bot.hedging.planning import Planner
from bot.hedging.settings import HedgeSettings, Prefer
from bot.pricing import black76_price, vix_beta
from bot.valuation import Unvalued, ValuationSettings, Valued, Valuer
from risk.gate import Gate
from risk.limits import RiskLimits
from tests.bot.hedging.planned import CALM, FORTY, TEN, an_overlay, planned
from tests.builders import (
    ACCOUNT,
    FEES,
    NOON,
    NOVEMBER,
    Scenery,
    a_future,
    a_quote,
    a_signal,
    an_account,
    an_intent,
    an_option,
    an_order,
    new_ids,
    spread_legs,
    vix_call,
)

# adding -----------------------------------------------------------------------------------------------------------


def test_a_blowout_grows_the_overlay_of_the_reference_book() -> None:
    """Ten condors at the threshold: base about 170, one or two five-wide spreads, about 80 USD each (M2)."""
    plan = planned(TEN.snapshot())
    assert plan.action is PlanAction.INCREASE
    assert plan.base_usd_per_point == pytest.approx(170, rel=0.15)
    assert plan.target_usd_per_point == pytest.approx(17, rel=0.15)
    (intent,) = plan.intents
    assert intent.quantity in (1, 2)
    assert [leg.side for leg in intent.legs] == [Side.BUY, Side.SELL]
    strikes = [leg.instrument.strike or Decimal(0) for leg in intent.legs]
    assert strikes[1] - strikes[0] == 5
    assert intent.purpose is Purpose.OVERLAY_BUILD
    assert intent.worst_cost_usd == intent.quantity * (intent.limit * 100 + Decimal("2.60"))


def test_the_candidate_table_is_sensible() -> None:
    """Every candidate shows its figures, and each that fell out its reason; the chosen one has the least cost."""
    plan = planned(FORTY.snapshot(), a_signal(peak_excess=0.5))
    passed = [candidate for candidate in plan.candidates if not candidate.rejected]
    spreads = [candidate for candidate in passed if len(candidate.legs) == 2]
    assert len(spreads) >= 3
    assert any(candidate.rejected == "wider than the configuration allows" for candidate in plan.candidates)
    assert any("VXM" in candidate.name for candidate in passed)
    vx = next(candidate for candidate in plan.candidates if candidate.name.startswith("FUT:VX:"))
    assert (vx.quantity, vx.rejected) == (0, "one contract is too large for the gap or the ceiling")
    for candidate in passed:
        reached = candidate.quantity * candidate.exposure_usd_per_point
        assert abs(reached - plan.target_usd_per_point) <= candidate.exposure_usd_per_point
        assert candidate.cost_usd > 0
        assert candidate.stress_payoff_usd > 0
    assert plan.intents[0].legs == min(spreads, key=lambda one: one.cost_per_payoff).legs
    five_wide = [one for one in spreads if one.name.endswith("21/26 call spread")]
    assert five_wide[0].exposure_usd_per_point == pytest.approx(13.0, rel=0.20)
    assert float(five_wide[0].cost_usd) == pytest.approx(85.0, rel=0.15)


def test_the_gate_approves_what_the_planner_wants() -> None:
    """Plan and gate see the same figures: the reference plan passes every rule in the account of the default book."""
    snapshot = FORTY.snapshot(book=FORTY.book(account=an_account(2_000_000)))
    plan = planned(snapshot, a_signal(peak_excess=0.75))
    (verdict,) = Gate(RiskLimits(accounts=frozenset({ACCOUNT})), FEES).review(plan, snapshot)
    assert isinstance(verdict, Approved)


@pytest.mark.parametrize(("excess", "share"), [(0.25, 0.10), (0.5, 0.15), (0.75, 0.20)])
def test_the_overlay_never_exceeds_a_fifth_of_the_base(excess: float, share: float) -> None:
    """What is bought comes within one contract of f times base and stays below 20 % of base."""
    plan = planned(FORTY.snapshot(), a_signal(peak_excess=excess))
    (intent,) = plan.intents
    bought = intent.quantity * intent.exposure_usd_per_point
    assert plan.increment_frac == pytest.approx(share)
    assert abs(bought - share * plan.base_usd_per_point) <= intent.exposure_usd_per_point
    assert bought <= 0.20 * plan.base_usd_per_point


def test_what_is_held_counts_towards_the_target() -> None:
    """With most of the target held, only the rest is bought; with all of it, nothing."""
    target = planned(FORTY.snapshot(), a_signal(peak_excess=0.5)).target_usd_per_point
    some = FORTY.snapshot(book=FORTY.book(lots=(an_overlay(6),)))
    plan = planned(some, a_signal(peak_excess=0.5))
    (intent,) = plan.intents
    assert intent.quantity * intent.exposure_usd_per_point == pytest.approx(target - 66.0, abs=6.0)
    full = FORTY.snapshot(book=FORTY.book(lots=(an_overlay(1, exposure=target - 1.0),)))
    held = planned(full, a_signal(peak_excess=0.5))
    assert (held.action, held.reason) == (
        PlanAction.HOLD,
        "the overlay stands at its target, within the no-trade band",
    )


def test_drift_of_what_is_held_forces_no_trade() -> None:
    """An overlay whose exposure has halved since it was bought still counts as it was bought."""
    lot = an_overlay(6, exposure=17.0)
    plan = planned(FORTY.snapshot(book=FORTY.book(lots=(lot,))), a_signal(peak_excess=0.5))
    assert plan.action is PlanAction.HOLD


def test_the_ceiling_looks_at_what_the_overlay_is_now() -> None:
    """An overlay that has grown to a fifth of the base leaves no room, although its nominal figure is small."""
    lot = an_overlay(13, exposure=2.0)
    plan = planned(FORTY.snapshot(book=FORTY.book(lots=(lot,))), a_signal(peak_excess=0.75))
    assert plan.action is PlanAction.HOLD
    assert plan.reason == "less than half a contract is missing"


def test_a_working_order_holds_the_next() -> None:
    """While an overlay order may still fill, nothing more is asked for."""
    order = an_order(an_intent(spread_legs(22, 27), intent_id="w"))
    plan = planned(TEN.snapshot(book=TEN.book(orders=(order,))))
    assert (plan.action, plan.reason) == (PlanAction.HOLD, "an order for the overlay is still working")


def test_a_small_book_is_told_so() -> None:
    """Where the target is less than half a contract of anything, the reason says: book too small."""
    small = Scenery(condors=2)
    plan = planned(small.snapshot(), settings=HedgeSettings(widths_points=(5.0,)))
    assert plan.reason == "book too small: the target is less than half a contract"
    assert plan.candidates


def _bare(snapshot: Snapshot, **changes: object) -> Snapshot:
    return replace(snapshot, book=replace(snapshot.book, **changes))  # type: ignore[arg-type]  # test shorthand


STRAY = Position(instrument=an_option(7000, NOVEMBER, trading_class="SPXW"), quantity=1)


@pytest.mark.parametrize(
    ("snapshot", "signal", "reason"),
    [
        (_bare(TEN.snapshot(), lots=()), a_signal(), "no base sleeve: nothing is done automatically"),
        (
            _bare(TEN.snapshot(), unmatched=(STRAY,)),
            a_signal(),
            "SPX option positions fit no condor: sizing is locked until they do",
        ),
        (
            replace(TEN.snapshot(), quotes={}),
            a_signal(),
            f"the sleeve cannot be valued: {TEN.opening.base[0].instrument.key}: no quote",
        ),
        (
            replace(TEN.snapshot(), levels={VIX.key: 40.01, SPX.key: 6800.0}),
            a_signal(),
            "VIX stands above the ceiling: nothing is added",
        ),
        (replace(TEN.snapshot(), levels={}), a_signal(), "IND:VIX: no level"),
        (replace(TEN.snapshot(), levels={VIX.key: -1.0}), a_signal(), "IND:VIX: impossible level"),
        (
            replace(TEN.snapshot(), previous_closes={VIX.key: 40.01, RVX.key: 50.0}),
            a_signal(),
            "VIX closed above the ceiling: nothing is added",
        ),
        (
            replace(TEN.snapshot(), previous_closes={VIX.key: float("nan")}),
            a_signal(),
            "VIX closed above the ceiling: nothing is added",
        ),
        (replace(TEN.snapshot(), previous_closes={}), a_signal(), "the previous close of VIX is unknown"),
        (TEN.snapshot(), a_signal(spread=-0.1), "the spread is negative or unknown: nothing is added"),
        (TEN.snapshot(), a_signal(spread=None), "the spread is negative or unknown: nothing is added"),
        (replace(TEN.snapshot(), offered=()), a_signal(), "no settlement within the allowed days is listed"),
        (
            replace(TEN.snapshot(), universe={}),
            a_signal(),
            "the contracts of the chosen settlement are being looked up",
        ),
        (TEN.snapshot(), a_signal(SignalState.UNDEFINED), "the signal is undefined: no increase, no unwind"),
        (TEN.snapshot(), CALM, "calm: the sleeve stands at its base"),
    ],
)
def test_nothing_is_added_and_the_reason_is_told(snapshot: Snapshot, signal: Signal, reason: str) -> None:
    """Each obstacle has its own words, and none of them holds a changing figure."""
    plan = planned(snapshot, signal)
    assert (plan.action, plan.reason, plan.intents) == (PlanAction.HOLD, reason, ())


def test_no_fitting_strike_is_told() -> None:
    """A settlement whose calls are all far from the wanted deltas offers nothing."""
    snapshot = TEN.snapshot()
    far = {one.key: one for one in snapshot.universe.values() if one.strike == 16}
    assert (
        planned(replace(snapshot, universe=far)).reason
        == "no contract of the settlement is listed with a fitting delta"
    )


def test_a_frozen_base_sets_the_target() -> None:
    """During an episode the target follows the frozen base, not what the calls have become."""
    book = TEN.book(frozen_base_usd_per_point=400.0)
    assert planned(TEN.snapshot(book=book)).target_usd_per_point == pytest.approx(40.0)


def test_the_reason_of_a_plan_does_not_change_with_its_figures() -> None:
    """Two plans at different prices have the same reason, so that the second is no news."""
    other = Scenery(condors=10, vix=18.3)
    assert planned(TEN.snapshot()).reason == planned(other.snapshot()).reason


# construction -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prefer", "kind"), [(Prefer.SPREADS, Kind.OPTION), (Prefer.FUTURES, Kind.FUTURE), (Prefer.BEST, Kind.FUTURE)]
)
def test_the_preferred_kind_is_taken_first(prefer: Prefer, kind: Kind) -> None:
    """Forty condors can take minis as well: the preference decides, and "best" takes the least cost per payoff."""
    plan = planned(FORTY.snapshot(), a_signal(peak_excess=0.5), HedgeSettings(prefer=prefer))
    assert plan.intents[0].legs[0].instrument.kind is kind


def test_a_preference_that_offers_nothing_gives_way() -> None:
    """Ten condors are too few for a mini: spreads are taken although futures are preferred."""
    plan = planned(TEN.snapshot(), settings=HedgeSettings(prefer=Prefer.FUTURES))
    assert plan.intents[0].legs[0].instrument.kind is Kind.OPTION


def test_wider_spreads_only_where_config_allows() -> None:
    """With ten points allowed, some ten-wide spread passes."""
    plan = planned(FORTY.snapshot(), settings=HedgeSettings(max_width_points=10.0))
    assert any(not one.rejected and one.name.endswith("21/31 call spread") for one in plan.candidates)


def _rejections(snapshot: Snapshot, settings: HedgeSettings | None = None) -> dict[str, str]:
    plan = planned(snapshot, a_signal(peak_excess=0.5), settings)
    return {candidate.name: candidate.rejected for candidate in plan.candidates}


NAME = "VIX 2026-11-18 21/26 call spread"


def _with_quotes(*quotes: tuple[float, float, float]) -> Snapshot:
    shown = {vix_call(strike).key: a_quote(vix_call(strike), bid, ask) for strike, bid, ask in quotes}
    return FORTY.snapshot(quotes=shown)


@pytest.mark.parametrize(
    ("snapshot", "reason"),
    [
        (_with_quotes((21, 1.13, 1.30), (26, 0.47, 0.55)), "too illiquid: the two sides stand too far apart"),
        (_with_quotes((26, 1.30, 1.32)), "costs nothing or hedges nothing: the quotes contradict each other"),
    ],
)
def test_a_bad_market_rejects_a_spread(snapshot: Snapshot, reason: str) -> None:
    """Wide or contradicting quotes reject the spread by name."""
    assert _rejections(snapshot)[NAME] == reason


def test_the_stress_payoff_is_an_immediate_revaluation() -> None:
    """VIX up by half at once, the forward by beta of that, volatility 15 % higher, no time gone by (M5)."""
    snapshot = FORTY.snapshot()
    valuer = Valuer(snapshot, ValuationSettings())
    gain = 0.0
    for leg in spread_legs(21, 26):
        now = valuer.value(leg.instrument)
        assert isinstance(now, Valued)
        then = black76_price(
            forward=now.forward + vix_beta(now.days) * 9.0,
            strike=float(leg.instrument.strike or 0),
            years=now.days / 365.0,
            vol=1.15 * now.vol,
            rate=0.04,
            right=Right.CALL,
        )
        gain += leg.signed_ratio * (then - now.price) * 100
    plan = planned(snapshot, a_signal(peak_excess=0.5))
    candidate = next(one for one in plan.candidates if one.name == NAME)
    assert candidate.stress_payoff_usd == pytest.approx(gain)
    mini = next(one for one in plan.candidates if "VXM" in one.name)
    assert mini.stress_payoff_usd == pytest.approx(100 * vix_beta(28.9375) * 9.0)


def test_an_unquoted_leg_rejects_a_spread() -> None:
    """A short leg that nobody quotes is named as the reason; so is a long one."""
    snapshot = FORTY.snapshot()
    quotes = {key: quote for key, quote in snapshot.quotes.items() if key not in (vix_call(26).key, vix_call(22).key)}
    rejections = _rejections(replace(snapshot, quotes=quotes))
    assert rejections[NAME] == f"{vix_call(26).key}: no quote"
    assert rejections[f"{vix_call(22).key} spreads"] == f"{vix_call(22).key}: no quote"


def test_a_future_without_a_quote_is_rejected_with_its_reason() -> None:
    """The mini falls out, and the forward comes from VX."""
    mini = a_future("VXM")
    snapshot = FORTY.snapshot()
    quotes = {key: quote for key, quote in snapshot.quotes.items() if key != mini.key}
    assert _rejections(replace(snapshot, quotes=quotes))[mini.key] == f"{mini.key}: no quote"


def test_a_price_beyond_the_collar_is_brought_back_to_its_edge() -> None:
    """With one tick allowed, the limit is the last one within a tick of the middle instead of what fills at once."""
    quotes = [FORTY.quote(leg.instrument) for leg in spread_legs(21, 26)]
    long, short = ((Decimal(repr(q.bid)) + Decimal(repr(q.ask))) / 2 for q in quotes)
    plan = planned(FORTY.snapshot(), a_signal(peak_excess=0.5), HedgeSettings(collar_frac=0.001, collar_ticks=1))
    candidate = next(one for one in plan.candidates if one.name == NAME)
    assert long - short < candidate.limit <= long - short + Decimal("0.01")


def test_a_contract_that_is_held_the_other_way_is_no_candidate() -> None:
    """An overlay short the 26 call does not buy it: that would close one hedge while opening another."""
    lot = an_overlay(2, legs=(16, 21))
    rejections = _rejections(FORTY.snapshot(book=FORTY.book(lots=(lot,))))
    assert rejections[NAME] == "the account holds the other side of a leg"


def test_what_a_person_approved_is_taken_before_what_is_cheapest() -> None:
    """The approved spread is bought, no more of it than was approved; after its time the cheapest is again."""
    snapshot = FORTY.snapshot()
    free = planned(snapshot, a_signal(peak_excess=0.5))
    other = next(one for one in free.candidates if not one.rejected and one.legs != free.intents[0].legs)
    asked_for = Asked(
        purpose="overlay_build",
        legs=tuple(sorted((str(leg.instrument.key), leg.signed_ratio) for leg in other.legs)),
        quantity=max(1, other.quantity - 1),
    )
    proposal = Proposal(
        proposal_id=DecisionId("p-1"),
        orders=(asked_for,),
        because="a test asks",
        made_at=NOON - timedelta(minutes=5),
        expires_at=NOON + timedelta(minutes=10),
        state=ProposalState.APPROVED,
    )
    approved = planned(replace(snapshot, proposals=Proposals(last=(proposal,))), a_signal(peak_excess=0.5)).intents[0]
    assert (approved.legs, approved.quantity) == (other.legs, asked_for.quantity)
    late = replace(snapshot, proposals=Proposals(last=(replace(proposal, expires_at=NOON),)))
    assert planned(late, a_signal(peak_excess=0.5)).intents[0].legs == free.intents[0].legs


def test_near_the_ceiling_as_many_are_bought_as_it_leaves_room_for() -> None:
    """Spreads have drifted up to most of the ceiling: what is missing is bought as far as there is room."""
    lot = an_overlay(9, exposure=2.0)
    snapshot = FORTY.snapshot(book=FORTY.book(lots=(lot,)))
    plan = planned(snapshot, a_signal(peak_excess=0.8))
    (intent,) = plan.intents
    held_now = 9 * intent_exposure(snapshot)
    added = intent.quantity * intent.exposure_usd_per_point
    assert added < plan.target_usd_per_point - plan.held_usd_per_point
    assert held_now + added <= 0.20 * plan.base_usd_per_point + 1e-9


def intent_exposure(snapshot: Snapshot) -> float:
    """What a unit of the overlay's own spread gains now per point of VIX, USD."""
    unit = Valuer(snapshot, ValuationSettings()).unit(spread_legs(21, 26))
    assert not isinstance(unit, Unvalued)
    return unit.exposure_usd_per_point


def test_nothing_is_chosen_from_nothing() -> None:
    """No candidates, no choice."""
    assert best_of((), Prefer.BEST) is None


@pytest.mark.parametrize(
    ("kind", "days", "kinds"),
    [
        (ReleaseKind.CPI, 6.9, {Kind.OPTION}),
        (ReleaseKind.PPI, 1.0, {Kind.OPTION}),
        (ReleaseKind.CPI, 7.1, {Kind.FUTURE}),
        (ReleaseKind.CPI, -0.1, {Kind.FUTURE}),
        (ReleaseKind.FOMC, 1.0, {Kind.FUTURE}),
    ],
)
def test_before_inflation_is_published_spreads_come_first(kind: ReleaseKind, days: float, kinds: set[Kind]) -> None:
    """With futures preferred, CPI or PPI within a week has spreads taken; past ones and FOMC change nothing."""
    at = NOON + timedelta(days=days)
    release = Release(kind=kind, at=at, source="a list", confidence=Confidence.COPIED)
    week = timedelta(days=7)
    coverage = Coverage(kind=kind, covered_from=NOON.date() - week, covered_to=NOON.date() + 2 * week)
    settings = HedgeSettings(prefer=Prefer.FUTURES)
    planner = Planner(settings, FEES, releases=ReleaseTable(releases=(release,), coverage=(coverage,)))
    plan = next(planner.plans(FORTY.snapshot(), a_signal(peak_excess=0.5), DecisionId("d-1"), new_ids().__next__))
    assert {leg.instrument.kind for intent in plan.intents for leg in intent.legs} == kinds
    assert plan.sizing is not None
    assert plan.sizing.prefer == ("spreads" if kinds == {Kind.OPTION} else "futures")
