"""Whatever part of an approved plan fills: no prefix, with any subset of its orders filled, breaches a limit (I10)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.deltas import band_half_width_usd, book_delta, overlay_delta
from bot.domain.decision import Approved, Rule
from bot.domain.orders import Leg, OrderIntent, Purpose
from bot.domain.portfolio import Lot
from bot.domain.snapshot import Snapshot
from bot.domain.worth import Worth
from bot.valuation import Unvalued, ValuationSettings, Valuer
from risk.checks.hedge_cost import cost_report
from risk.checks.stress_loss import premium_usd
from risk.gate import Gate
from risk.reducing import is_fall_with_vix_up
from risk.stress import StressReport, StressSettings, book_stress
from tests.builders import (
    FEES,
    NOON,
    NOVEMBER,
    a_future,
    a_lot,
    a_plan,
    an_intent,
    buys,
    mirrored,
    spread_legs,
    vix_call,
)
from tests.risk.scenes import LIMITS, checked_by, scene_of, scenery

CENT = 0.011
HELD = 3
"""Units of the reference spread that the overlay holds."""
BOUGHT: tuple[tuple[Leg, ...], ...] = (
    spread_legs(20, 25),
    spread_legs(22, 27),
    spread_legs(23, 28),
    (buys(vix_call(24)),),
    (buys(a_future("VXM")),),
)
SOLD = mirrored(spread_legs(21, 26))
WORTH = Worth.begun(Decimal(500_000), NOON)
LOST = replace(WORTH, day_usd=Decimal(600_000), week_usd=Decimal(600_000), peak_usd=Decimal(600_000))
"""A sixth was lost today: only what closes or reduces passes."""

Fills = Sequence[tuple[OrderIntent, int]]


def priced(legs: tuple[Leg, ...], quantity: int, number: int) -> OrderIntent:
    """An order at the price at which it fills at once."""
    price = Decimal(0)
    for leg in legs:
        quote = scenery().quote(leg.instrument)
        side = quote.ask if leg.signed_ratio > 0 else quote.bid
        price += Decimal(repr(side)) * leg.signed_ratio
    purpose = Purpose.OVERLAY_UNWIND if legs == SOLD else Purpose.OVERLAY_BUILD
    return an_intent(legs, quantity=quantity, limit=str(price), purpose=purpose, intent_id=f"p-{number}")


@st.composite
def plans(draw: st.DrawFn) -> tuple[OrderIntent, ...]:
    """Up to four orders in contracts of their own, of any size that a leg may have."""
    chosen = draw(st.lists(st.sampled_from((*BOUGHT, SOLD)), min_size=1, max_size=4, unique_by=str))
    sizes = [draw(st.integers(1, HELD if legs == SOLD else 12)) for legs in chosen]
    return tuple(priced(legs, size, number) for number, (legs, size) in enumerate(zip(chosen, sizes, strict=True)))


def after(snapshot: Snapshot, fills: Fills) -> Snapshot:
    """The moment with these units filled at their limits, booked as the ledger books them."""
    held, lots = a_lot(spread_legs(21, 26), units=HELD, cost="240"), []
    for intent, units in fills:
        fee = FEES.of_intent(intent, units)
        paid = intent.limit * intent.multiplier * units
        if intent.purpose.sells_hedge:
            held = replace(held, units_open=held.units_open - units, recovered_usd=-paid - fee)
        elif units:
            lots.append(_bought(intent, units, fee if intent.is_future else paid + fee))
    book = scenery().book(lots=(held, *lots))
    return replace(snapshot, book=book)


def _bought(intent: OrderIntent, units: int, cost: Decimal) -> Lot:
    expires = intent.legs[0].instrument.settlement or NOVEMBER
    return a_lot(
        intent.legs,
        units=units,
        cost=str(cost),
        lot_id=intent.intent_id,
        expires_on=expires,
        entry_price=str(intent.limit),
    )


def subsets(approved: Sequence[OrderIntent]) -> Iterator[Fills]:
    """Every prefix with every subset of it filled whole, and each with the last filled in part."""
    for filled in product((0, 1), repeat=len(approved)):
        whole = [(intent, intent.quantity * is_in) for intent, is_in in zip(approved, filled, strict=True)]
        yield whole
        last = max((place for place, (_, units) in enumerate(whole) if units), default=None)
        if last is not None and whole[last][1] > 1:
            yield [*whole[:last], (whole[last][0], whole[last][1] // 2), *whole[last + 1 :]]


def stressed(snapshot: Snapshot) -> StressReport:
    """The book in every scenario."""
    report = book_stress(snapshot.book.positions, Valuer(snapshot, ValuationSettings()), StressSettings())
    assert isinstance(report, StressReport)
    return report


def deltas(snapshot: Snapshot) -> tuple[float, float]:
    """Of the book and of the overlay, USD per +1 % SPX."""
    valuer = Valuer(snapshot, ValuationSettings())
    whole, own = book_delta(snapshot.book.positions, valuer), overlay_delta(snapshot.book.lots, valuer)
    assert not isinstance(whole, Unvalued)
    assert not isinstance(own, Unvalued)
    return whole, own


def uncovered(snapshot: Snapshot) -> int:
    """Short VIX calls without a long one of their settlement at the same or a lower strike."""
    worst = 0
    calls = [one for one in snapshot.book.positions.values() if one.instrument.trading_class == "VIX"]
    for settlement in {one.instrument.settlement for one in calls}:
        cover = 0
        for one in sorted(calls, key=lambda held: held.instrument.strike or Decimal(0)):
            cover += one.quantity if one.instrument.settlement == settlement else 0
            worst = max(worst, -cover)
    return worst


def falls(report: StressReport) -> float:
    """The largest loss where SPX falls and VIX rises, USD."""
    return max(-one.book_usd for one in report.outcomes if is_fall_with_vix_up(one.scenario))


def require_within(before: Snapshot, then: Snapshot, fills: Fills) -> None:
    """Every limit holds that the gate approved the orders under."""
    assert not cost_report(scene_of(then)).is_breached
    assert uncovered(then) == 0
    half = band_half_width_usd(before.book.cohorts, LIMITS.neutrality_band_frac)
    was, (now, own) = deltas(before)[0], deltas(then)
    reach = max(abs(was), half * (1 + LIMITS.neutrality_step_frac)) + CENT
    assert abs(now) <= reach or abs(own) <= LIMITS.neutrality_de_minimis_frac * half + CENT
    held, found = stressed(before), stressed(then)
    bound = 500_000 * float(LIMITS.max_mean_reversion_loss_frac)
    assert -found.mean_reversion.sleeve_usd <= max(bound, -held.mean_reversion.sleeve_usd) + CENT
    paid = sum(premium_usd(replace(one, quantity=units), scene_of(before)) for one, units in fills if units)
    worst = 500_000 * float(LIMITS.max_worst_loss_frac)
    for once, later in zip(held.outcomes, found.outcomes, strict=True):
        assert -later.book_usd <= max(worst, -once.book_usd + paid) + CENT


def approved_of(snapshot: Snapshot, plan: Sequence[OrderIntent]) -> list[OrderIntent]:
    """What the gate lets through."""
    verdicts = Gate(LIMITS, FEES).review(a_plan(*plan), snapshot)
    return [verdict.intent for verdict in verdicts if isinstance(verdict, Approved)]


@settings(max_examples=40, deadline=None)
@given(plans())
def test_no_part_of_an_approved_plan_breaches_what_it_was_approved_under(plan: tuple[OrderIntent, ...]) -> None:
    """Cost cap, cover of short calls, band, mean reversion and worst loss hold after every subset of every prefix."""
    before = after(scenery().snapshot(worth=WORTH), ())
    approved = approved_of(before, plan)
    for fills in subsets(approved):
        require_within(before, after(before, fills), fills)


@settings(max_examples=25, deadline=None)
@given(plans())
def test_after_a_loss_no_part_of_an_approved_plan_adds_to_what_a_fall_takes(plan: tuple[OrderIntent, ...]) -> None:
    """Beyond a loss limit what was approved closes or reduces, whichever subset of it fills."""
    before = after(scenery().snapshot(worth=LOST), ())
    buying = [intent for intent in approved_of(before, plan) if not intent.purpose.sells_hedge]
    assert not any(intent.is_future for intent in buying)
    for fills in subsets(buying):
        assert falls(stressed(after(before, fills))) <= falls(stressed(before)) + CENT


def test_a_purchase_is_judged_with_another_filled_and_a_sale_that_waits_not() -> None:
    """M10: with a sale on its way the purchases alone take the delta farthest, and that is what is judged."""
    snapshot = after(scenery().snapshot(worth=WORTH), ())
    first, second, sale = priced(BOUGHT[0], 8, 1), priced(BOUGHT[1], 8, 2), priced(SOLD, HELD, 3)
    alone = checked_by(Rule.NEUTRALITY, second, snapshot, earlier=(first,))
    beside = checked_by(Rule.NEUTRALITY, second, snapshot, earlier=(first, sale))
    assert (beside.found, beside.passed) == (alone.found, alone.passed)


def test_the_plans_of_these_properties_are_neither_all_refused_nor_all_approved() -> None:
    """A few spreads pass and many minis do not, and of two purchases the second is refused for the first."""
    before = after(scenery().snapshot(worth=WORTH), ())
    some, others = priced(BOUGHT[0], 10, 1), priced(BOUGHT[1], 12, 2)
    assert approved_of(before, (some,)) == [some]
    assert approved_of(before, (others,)) == [others]
    assert len(approved_of(before, (some, others))) < 2
    assert approved_of(before, (priced(BOUGHT[4], 12, 3),)) == []
