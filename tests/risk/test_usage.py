"""The use of every limit at its edges: several cohorts and settlements, ties, and what nobody knows."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from bot.domain.condors import recognise_condors
from bot.domain.executed import pattern_of
from bot.domain.instrument import SPX, Instrument
from bot.domain.orders import OrderIntent
from bot.domain.portfolio import Cohort, Executed, Position
from bot.domain.schedule import NEW_YORK
from bot.domain.snapshot import Snapshot
from risk.headroom import rooms
from risk.room import Room
from tests.builders import (
    DECEMBER,
    NOVEMBER,
    TODAY,
    a_future,
    a_lot,
    an_account,
    an_intent,
    an_order,
    buys,
    sells,
    vix_call,
)
from tests.risk.scenes import LIMITS, LONG, a_build, a_mini, calm_noon, holding, scene_of, scenery, with_book
from tests.risk.wing_scenes import CONDOR, a_roll, leaning

WEEK = timedelta(days=7)
(COHORT,) = calm_noon().book.cohorts
LATER = replace(COHORT, settlement=COHORT.settlement + WEEK)
"""Condors that settle a week later, of which nothing is held."""


def rows_of(name: str, snapshot: Snapshot) -> list[Room]:
    """The rows of a limit."""
    return [one for one in rooms(scene_of(snapshot)) if one.name == name]


def row_of(name: str, snapshot: Snapshot) -> Room:
    """The only row of a limit."""
    (row,) = rows_of(name, snapshot)
    return row


def working(*orders: OrderIntent, snapshot: Snapshot | None = None) -> Snapshot:
    """A moment with orders working."""
    moment = calm_noon() if snapshot is None else snapshot
    return with_book(moment, orders={one.intent_id: an_order(one) for one in orders})


def holding_only(positions: Mapping[Instrument, int]) -> Snapshot:
    """A moment in which the account holds this and nothing else."""
    held = {one.key: Position(instrument=one, quantity=quantity) for one, quantity in positions.items()}
    return with_book(calm_noon(), positions=held, lots=())


def of_two_cohorts() -> Snapshot:
    """The leaning book with ten condors more, the same a week later."""
    moment = leaning()
    more = {}
    for leg, quantity in (
        (CONDOR.long_put, 10),
        (CONDOR.short_put, -10),
        (CONDOR.short_call, -10),
        (CONDOR.long_call, 10),
    ):
        one = replace(leg, settlement=LATER.settlement, last_trade=LATER.settlement)
        more[one.key] = Position(instrument=one, quantity=quantity)
    positions = {**moment.book.positions, **more}
    condors = recognise_condors(positions.values()).condors
    return with_book(moment, positions=positions, condors=condors, cohorts=(COHORT, LATER))


# what is not known ------------------------------------------------------------------------------------------------


def silent() -> Snapshot:
    """Nothing is quoted."""
    return replace(holding(2), quotes={})


def with_mini(snapshot: Snapshot) -> Snapshot:
    """A future of the overlay is held, and nobody quotes it."""
    mini = a_future("VXM")
    lot = a_lot((buys(mini),), cost="2", entry_price="18.50", expires_on=NOVEMBER)
    held = scenery().snapshot(book=scenery().book(lots=(lot,)))
    return replace(held, quotes=snapshot.quotes)


def without_spx() -> Snapshot:
    """No level of SPX."""
    return replace(calm_noon(), levels={key: level for key, level in calm_noon().levels.items() if key != SPX.key})


def of_cohort(**changes: Decimal) -> Snapshot:
    """Another entry or credit of the one cohort."""
    return with_book(calm_noon(), cohorts=(replace(COHORT, **changes),))


def without_account() -> Snapshot:
    """The broker has told nothing of the account."""
    return with_book(calm_noon(), account=None)


def naked() -> Snapshot:
    """A call sold short that nothing covers is on its way."""
    return working(replace(a_build(), legs=(a_build().legs[1],)))


UNKNOWN: list[tuple[str, Callable[[], Snapshot], str]] = [
    ("max_margin_frac", without_account, "the account's values are not known"),
    ("max_margin_frac", naked, "calls that the order does not cover have no worst loss"),
    ("max_gross_leverage", without_account, "the broker has not reported the gross position value"),
    ("max_gross_leverage", lambda: with_mini(silent()), "FUT:VXM:2026-11-18: no quote"),
    ("max_gross_leverage", lambda: replace(working(a_mini()), quotes={}), "FUT:VXM:2026-11-18: no quote"),
    ("max_mean_reversion_loss_frac", silent, "no quote"),
    ("max_mean_reversion_loss_frac", without_account, "the account's values are not known"),
    ("max_worst_loss_frac", silent, "no quote"),
    ("max_vega_frac", silent, "no quote"),
    ("max_vix_delta_frac", silent, "no quote"),
    ("max_vega_frac", without_account, "the account's values are not known"),
    ("max_day_loss_frac", lambda: replace(calm_noon(), worth=None), "what the account was worth before is not known"),
    ("max_week_loss_frac", lambda: replace(calm_noon(), worth=None), "what the account was worth before is not known"),
    ("max_drawdown_frac", lambda: replace(calm_noon(), worth=None), "what the account was worth before is not known"),
    ("max_day_slippage_frac", lambda: replace(calm_noon(), worth=None), "was worth before is not known"),
    ("neutrality_band_frac", silent, "no quote"),
    ("max_wing_rise_frac", lambda: of_cohort(put_wing_points=Decimal(0)), "opened is not known"),
    ("max_wing_rise_frac", lambda: of_cohort(call_wing_points=Decimal(0)), "opened is not known"),
    ("break_even_moves", without_spx, "no level"),
    ("break_even_moves", lambda: of_cohort(credit_usd=Decimal(10_000_000)), "no side can lose the credit"),
]
"""A limit, a moment in which its use is unknown, and why."""


@pytest.mark.control("C30")
@pytest.mark.parametrize(("name", "moment", "why"), UNKNOWN)
def test_a_limit_is_stated_alike_whether_its_use_is_known_or_not(
    name: str, moment: Callable[[], Snapshot], why: str
) -> None:
    """The limit in words, its unit, its rule and its cohort stay; the use is missing, and the row says why."""
    known, unknown = row_of(name, calm_noon()), row_of(name, moment())
    assert (known.unknown, unknown.use, unknown.headroom, unknown.is_near) == ("", None, None, False)
    assert why in unknown.unknown
    for told in ("stated", "unit", "rule", "control", "applies"):
        assert getattr(unknown, told) == getattr(known, told), told
    if known.scope.startswith("cohort"):
        assert unknown.scope == known.scope


def test_the_width_of_the_band_is_told_without_a_delta() -> None:
    """Nobody knows where the book stands; how far it may lean is known all the same."""
    assert row_of("neutrality_band_frac", silent()).limit == row_of("neutrality_band_frac", holding(2)).limit


# several cohorts --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["max_wing_rise_frac", "break_even_moves"])
@pytest.mark.parametrize("cohorts", [(LATER, COHORT), (COHORT, LATER)])
def test_a_cohort_of_which_nothing_is_known_hides_no_other(name: str, cohorts: tuple[Cohort, ...]) -> None:
    """Condors that nobody holds have a row that says so, the others theirs, whichever come first."""
    found = {one.scope: one for one in rows_of(name, with_book(calm_noon(), cohorts=cohorts))}
    assert set(found) == {f"cohort {one.name}" for one in cohorts}
    assert found[f"cohort {LATER.name}"].unknown
    assert found[f"cohort {COHORT.name}"].use is not None


@pytest.mark.parametrize("rich", [COHORT, LATER])
def test_a_cohort_that_cannot_lose_hides_no_other(rich: Cohort) -> None:
    """The credit of one is more than its condors can lose; how far the break-evens of the other are is told."""
    cohorts = [replace(one, credit_usd=Decimal(10_000_000)) if one is rich else one for one in (COHORT, LATER)]
    rows = rows_of("break_even_moves", with_book(of_two_cohorts(), cohorts=tuple(cohorts)))
    assert [one.scope for one in rows] == [f"cohort {one.name}" for one in (COHORT, LATER)]
    for row in rows:
        cannot_lose = row.scope == f"cohort {rich.name}"
        assert row.unknown == ("no side can lose the credit" if cannot_lose else "")


def test_a_roll_of_one_cohort_leaves_the_other_as_it_was() -> None:
    """Five wings of the first go out by five points and cost 30 cents each: nothing of it counts against the second."""
    before, roll = of_two_cohorts(), a_roll(5, limit="0.30")
    first, second = f"cohort {COHORT.name}", f"cohort {LATER.name}"
    for name, grown in (("max_wing_rise_frac", Decimal(5)), ("max_loss_rise_frac", None)):
        was, now = (
            {one.scope: one for one in rows_of(name, moment)} for moment in (before, working(roll, snapshot=before))
        )
        assert now[second] == was[second]
        assert now[first].use is not None
        assert now[first].use > 0
        assert grown in (None, now[first].use)


def test_a_roll_of_the_other_cohort_costs_the_first_nothing() -> None:
    """The roll is of the second: the loss of the first is that of its entry."""
    moved = replace(
        a_roll(5, limit="0.30"),
        legs=tuple(
            replace(leg, instrument=replace(leg.instrument, settlement=LATER.settlement, last_trade=LATER.settlement))
            for leg in a_roll().legs
        ),
    )
    found = {one.scope: one.use for one in rows_of("max_loss_rise_frac", working(moved, snapshot=of_two_cohorts()))}
    assert found[f"cohort {COHORT.name}"] == 0
    assert (found[f"cohort {LATER.name}"] or 0) > 0


def test_the_debit_of_a_roll_on_its_way_counts_as_loss() -> None:
    """Thirty cents paid for each of five wings, and the fees, are more to lose than five that bring something."""
    free, paid = (
        row_of("max_loss_rise_frac", working(a_roll(5, limit=limit), snapshot=leaning())) for limit in ("-0.35", "0.30")
    )
    assert free.use is not None
    assert paid.use is not None
    assert paid.use - free.use == 150


@pytest.mark.parametrize(("days_ago", "rows"), [(-1, 1), (0, 1), (1, 0)])
def test_a_cohort_has_rows_up_to_the_day_of_its_settlement(days_ago: int, rows: int) -> None:
    """On the day itself its wings are still there; a day later nothing of it is told."""
    settled = replace(COHORT, settlement=TODAY - timedelta(days=days_ago))
    for name in ("max_wing_rise_frac", "max_loss_rise_frac"):
        found = rows_of(name, with_book(calm_noon(), cohorts=(settled,)))
        assert len([one for one in found if one.scope == f"cohort {settled.name}"]) == rows


def test_the_wing_with_the_least_room_is_told() -> None:
    """The put wing is rolled out by five points of a wide entry, the call wing stands a little above its own."""
    entry = replace(COHORT, put_wing_points=Decimal(50), call_wing_points=Decimal(24))
    row = row_of("max_wing_rise_frac", working(a_roll(5), snapshot=with_book(leaning(), cohorts=(entry,))))
    assert (row.use, row.limit, row.note) == (1, Decimal("4.8"), "call wing, 25 points wide")


def test_a_break_even_is_told_to_the_fourth_digit_in_moves() -> None:
    """A configured distance is shown as it was written."""
    row = row_of("break_even_moves", calm_noon())
    assert row.use is not None
    assert row.use == row.use.quantize(Decimal("0.0001"))
    assert row.use != row.use.quantize(Decimal("0.001"))
    wider = [one for one in rooms(scene_of(limits=replace(LIMITS, break_even_moves=1.25))) if one.name == row.name]
    assert [(one.stated, one.limit) for one in wider] == [("1.25 expected moves away", Decimal("1.25"))]


# several patterns, settlements and sides --------------------------------------------------------------------------


def test_of_patterns_that_executed_equally_often_the_first_by_name_is_told() -> None:
    """So that the row does not change from one moment to the next; without any it is of no pattern."""
    for times in ({"b": 3, "a": 3, "c": 2}, {"a": 3, "c": 2, "b": 3}):
        row = row_of("max_repeats_per_day", with_book(calm_noon(), executed=Executed(times=times)))
        assert (row.scope, row.use, row.limit) == ("a", 3, 5)
    none = row_of("max_repeats_per_day", calm_noon())
    assert (none.scope, none.use) == ("", 0)
    order = a_build()
    assert row_of("max_repeats_per_day", working(order)).scope == pattern_of(order)


def test_the_fullest_settlement_is_told() -> None:
    """Held and ordered together: seven of November, and of December one with what is on its way."""
    held = holding_only({vix_call(20): 7, vix_call(20, DECEMBER): 1})
    for ordered, day, use in ((0, NOVEMBER, 7), (4, NOVEMBER, 7), (7, DECEMBER, 8)):
        orders = [an_intent((buys(vix_call(21, DECEMBER)),), quantity=ordered, limit="1.00")] if ordered else []
        row = row_of("max_options_per_settlement", working(*orders, snapshot=held))
        assert (row.scope, row.use, row.unit) == (str(day), use, "contracts")


def test_what_has_settled_is_of_no_settlement() -> None:
    """On the evening of the settlement the contracts are still in the book, and no more held."""
    settled = holding_only({vix_call(20): 7, a_future("VX"): 2})
    for name in ("max_options_per_settlement", "max_futures_per_settlement"):
        assert row_of(name, settled).scope == str(NOVEMBER)
        over = row_of(name, replace(settled, now=datetime(2026, 11, 18, 18, 0, tzinfo=NEW_YORK)))
        assert (over.scope, over.use) == ("", 0)


def test_contracts_outside_the_sleeve_are_of_no_settlement() -> None:
    """The legs of the condors have limits of their own."""
    condors = dict.fromkeys((CONDOR.long_put, CONDOR.long_call), 10)
    row = row_of("max_options_per_settlement", holding_only(condors))
    assert (row.scope, row.use) == ("", 0)


@pytest.mark.parametrize(("quantity", "side"), [(3, "long"), (-3, "short")])
@pytest.mark.parametrize("name", ["max_vega_frac", "max_vix_delta_frac"])
def test_a_sleeve_is_measured_on_the_side_on_which_it_stands(name: str, quantity: int, side: str) -> None:
    """Three calls, bought or sold: the same use, and the row says on which side."""
    row = row_of(name, holding_only({vix_call(LONG): quantity}))
    bought = row_of(name, holding_only({vix_call(LONG): 3}))
    assert (row.scope, row.use) == (side, bought.use)
    assert row.use is not None
    assert row.use > 0


def test_an_empty_sleeve_uses_nothing_on_the_long_side() -> None:
    """Neither side is larger: it is told as long, with a use of zero."""
    for name in ("max_vega_frac", "max_vix_delta_frac"):
        row = row_of(name, holding_only({}))
        assert (row.scope, row.use) == ("long", 0)


def test_sides_of_the_same_size_are_told_as_long() -> None:
    """A call that may be bought and one that may be sold, of which nothing is held."""
    call = vix_call(LONG)
    orders = (an_intent((buys(call),), intent_id="b"), an_intent((sells(call),), intent_id="s"))
    row = row_of("max_vega_frac", working(*orders, snapshot=holding_only({})))
    assert row.scope == "long"
    assert row.use is not None
    assert row.use > 0


def test_an_account_that_is_not_ready_bounds_nothing() -> None:
    """The broker says that its values are not ready: no limit follows from them, and the row says so."""
    row = row_of("max_vega_frac", with_book(calm_noon(), account=an_account(ready=False)))
    assert (row.limit, row.unknown) == (None, "the broker says that its account values are not ready")


def test_what_is_on_its_way_is_told_beside_what_was_paid() -> None:
    """Three units of a limit two points beyond their middle: 600 USD on their way, and 12.50 paid today."""
    order = replace(a_build(3, intent_id="w"), limit=Decimal(3), middle_points=Decimal(1))
    snapshot = with_book(working(order), executed=Executed(slippage_usd=Decimal("12.50")))
    row = row_of("max_day_slippage_frac", snapshot)
    assert (row.use, row.note) == (Decimal("612.50"), "12.50 USD paid today, 600 USD on their way")


def test_a_future_on_its_way_counts_in_its_settlement() -> None:
    """Two VXM are two tenths of a VX, held by nobody yet."""
    row = row_of("max_futures_per_settlement", working(a_mini(2)))
    assert (row.scope, row.use, row.unit) == (str(NOVEMBER), Decimal("0.2"), "VX contracts")
