"""Every limit with its use and its room: complete, in the checks' own figures, and unknown where nobody can know."""

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.decision import Approved, Checked, Rule
from bot.domain.errors import InvalidValueError
from bot.domain.executed import pattern_of
from bot.domain.instrument import SPX
from bot.domain.orders import OrderIntent
from bot.domain.portfolio import Executed
from bot.domain.schedule import NEW_YORK
from bot.domain.snapshot import Snapshot
from bot.valuation import Unvalued
from risk import headroom
from risk.checks.price_collar import middle_points
from risk.gate import CHECKS, Gate
from risk.headroom import TABLE, rooms
from risk.limits import RiskLimits
from risk.outstanding import exposures
from risk.room import Applies, Head, Room
from risk.scene import Scene
from risk.usage import percent
from tests.builders import FEES, a_future, a_lot, a_plan, an_account, an_order, buys
from tests.risk.scenes import (
    LIMITS,
    a_build,
    a_mini,
    calm_noon,
    checked_by,
    holding,
    scene_of,
    scenery,
    verdict_on,
    with_book,
)
from tests.risk.share_scenes import with_overlay
from tests.risk.wing_scenes import a_roll, leaning

COHORT = "cohort SPXW:2026-12-04"
USES: Mapping[Rule, str] = {
    Rule.DAY_SLIPPAGE: "max_day_slippage_frac",
    Rule.MEAN_REVERSION_LOSS: "max_mean_reversion_loss_frac",
    Rule.MARGIN_USE: "max_margin_frac",
    Rule.GROSS_LEVERAGE: "max_gross_leverage",
    Rule.CONTRACTS_PER_SETTLEMENT: "max_options_per_settlement",
    Rule.CONTRACTS_IN_ALL: "max_options",
    Rule.VEGA: "max_vega_frac",
    Rule.VIX_DELTA: "max_vix_delta_frac",
    Rule.DAY_LOSS: "max_day_loss_frac",
    Rule.WEEK_LOSS: "max_week_loss_frac",
    Rule.DRAWDOWN: "max_drawdown_frac",
    Rule.HEDGE_COST_CAP_COHORT: "max_hedge_cost_frac",
    Rule.REPEATS: "max_repeats_per_day",
    Rule.WORKING_ORDERS: "max_working_orders",
}
"""Rules that report the very quantity of a limit."""


def room_of(name: str, snapshot: Snapshot | None = None, *, limits: RiskLimits = LIMITS, scope: str = "") -> Room:
    """The row of a limit, the one of a scope where it has several."""
    found = [one for one in rooms(scene_of(snapshot, limits=limits)) if one.name == name]
    return next(one for one in found if scope in ("", one.scope))


def with_order(intent: OrderIntent, snapshot: Snapshot | None = None) -> Snapshot:
    """The same moment with the order working."""
    moment = calm_noon() if snapshot is None else snapshot
    return with_book(moment, orders={intent.intent_id: an_order(intent)})


def priced(intent: OrderIntent, snapshot: Snapshot) -> OrderIntent:
    """The order with the middle of its quotes, as the planner writes it down."""
    middle = middle_points(intent, scene_of(snapshot))
    return intent if isinstance(middle, Unvalued) else replace(intent, middle_points=middle)


def test_every_limit_has_a_row() -> None:
    """A new field of RiskLimits without one fails here, and so does a row of a limit that there is no more."""
    names = [name for name, *_ in TABLE]
    assert sorted(names) == sorted(field.name for field in fields(RiskLimits))
    assert {one.name for one in rooms(scene_of())} == set(names)


def test_rows_stand_in_the_order_of_the_gate() -> None:
    """Whoever reads a refusal and the status finds the same rule in the same place."""
    places = {check.rule: place for place, check in enumerate(CHECKS)}
    found = [places.get(rule, len(places)) if rule is not None else len(places) for _, rule, _, _ in TABLE]
    assert found == sorted(found)


@pytest.mark.control("C30")
@given(size=st.integers(1, 4), held=st.integers(0, 5))
def test_the_use_with_an_order_working_is_what_its_check_found(size: int, held: int) -> None:
    """Status and gate count alike: an order that works uses just what its check said that it would."""
    snapshot = holding(held) if held else calm_noon()
    order = priced(a_build(size), snapshot)
    for rule, name in USES.items():
        found = checked_by(rule, order, snapshot).found
        assert room_of(name, with_order(order, snapshot)).use == found, rule


@pytest.mark.control("C18")
def test_different_contracts_are_counted_as_their_check_counts_them() -> None:
    """An order that brings new contracts uses, once it works, just what its check found; again it brings none."""
    order = a_build(2)
    working = with_order(order)
    assert room_of("max_instruments", working).use == checked_by(Rule.INSTRUMENTS, order, calm_noon()).found
    assert room_of("max_instruments", with_order(order, working)).use == room_of("max_instruments", working).use


def test_the_book_and_the_band_are_counted_as_their_checks_do() -> None:
    """The book's cost to the cent, and of the delta the farthest that the order may take it, or leave it at."""
    order = a_build(3)
    book = checked_by(Rule.HEDGE_COST_CAP_BOOK, order)
    row = room_of("max_hedge_cost_frac", with_order(order), scope="book")
    assert (row.use, row.limit, row.headroom) == (book.found, book.limit, book.headroom)
    band = room_of("neutrality_band_frac", with_order(order))
    held = room_of("neutrality_band_frac")
    after = Decimal(str(abs(float(str(checked_by(Rule.NEUTRALITY, order).found)))))
    assert held.use is not None
    assert band.use == max(after, held.use)


@given(size=st.integers(1, 6), held=st.integers(0, 8))
def test_an_approved_order_leaves_every_limit_kept(size: int, held: int) -> None:
    """Where the gate lets an order through, no use reported with it working is above a limit that was kept before."""
    snapshot = holding(held) if held else calm_noon()
    order = priced(a_build(size), snapshot)
    if not isinstance(verdict_on(order, snapshot), Approved):
        return
    is_inside = checked_by(Rule.NEUTRALITY, order, snapshot).note == "inside"
    before = {(one.name, one.scope): one for one in rooms(scene_of(snapshot))}
    for row in rooms(scene_of(with_order(order, snapshot))):
        if row.rule is Rule.NEUTRALITY and not is_inside:
            continue  # let through by another of M10's rules, because it leads back or moves next to nothing
        was = before.get((row.name, row.scope))
        if row.headroom is not None and was is not None and was.headroom is not None and was.headroom >= 0:
            assert row.headroom >= 0, row


def test_without_an_account_nothing_that_follows_from_it_is_known() -> None:
    """The row says why, and shows no zero; the same for values that are not ready or impossible."""
    of_worth = ("max_mean_reversion_loss_frac", "max_worst_loss_frac", "max_vega_frac", "max_margin_frac")
    for account in (None, an_account(ready=False), an_account(0)):
        snapshot = with_book(calm_noon(), account=account)
        for name in of_worth:
            row = room_of(name, snapshot)
            assert (row.use, row.headroom, bool(row.unknown), row.is_near) == (None, None, True, False)
    assert room_of("accounts", with_book(calm_noon(), account=None)).note == "the account's values are not known"
    assert room_of("accounts", limits=RiskLimits()).note == "the account is not on the allowlist"
    assert room_of("accounts").note == "allowed"


def test_without_quotes_every_valued_use_is_unknown_and_says_why() -> None:
    """A book that nobody quotes has no delta, no vega and no loss under stress; it still has contracts and cost."""
    silent = replace(holding(2), quotes={})
    assert "overlay now unknown: " in room_of("neutrality_de_minimis_frac", silent).note
    for name in ("neutrality_band_frac", "max_vega_frac", "max_vix_delta_frac"):
        row = room_of(name, silent)
        assert row.use is None
        assert "quote" in row.unknown
    for name in ("max_mean_reversion_loss_frac", "max_worst_loss_frac"):
        assert "quote" in room_of(name, silent).unknown
    assert room_of("max_options", silent).use == room_of("max_options", holding(2)).use
    assert room_of("max_hedge_cost_frac", silent).use == room_of("max_hedge_cost_frac", holding(2)).use


def test_a_future_that_nobody_quotes_makes_cost_and_leverage_unknown() -> None:
    """Its reserve and its value are not known, and the rows name it."""
    mini = a_future("VXM")
    lots = (a_lot((buys(mini),), cost="2", entry_price="18.50", expires_on=mini.settlement or calm_noon().now.date()),)
    silent = replace(scenery().snapshot(book=scenery().book(lots=lots)), quotes={})
    assert mini.key in room_of("max_hedge_cost_frac", silent).unknown
    assert mini.key in room_of("max_gross_leverage", silent).unknown
    assert room_of("max_futures", silent).use == Decimal("0.1")
    assert room_of("max_futures_per_settlement", silent).scope == str(mini.settlement)


def test_an_order_that_nobody_quotes_makes_leverage_unknown() -> None:
    """What it would add is its ask."""
    silent = replace(with_order(a_mini()), quotes={})
    assert "VXM" in room_of("max_gross_leverage", silent).unknown


def test_margin_says_which_figure_is_missing_or_cannot_be_bounded() -> None:
    """The broker's word, or an order whose loss has no bound."""
    account = replace(an_account(), initial_margin_usd=None)
    assert "initial margin" in room_of("max_margin_frac", with_book(calm_noon(), account=account)).unknown
    naked = replace(a_build(), legs=(a_build().legs[1],))
    assert "no worst loss" in room_of("max_margin_frac", with_order(naked)).unknown


def test_without_a_measure_losses_and_slippage_are_unknown() -> None:
    """What the account was worth before is not known."""
    fresh = replace(calm_noon(), worth=None)
    for name in ("max_day_loss_frac", "max_week_loss_frac", "max_drawdown_frac", "max_day_slippage_frac"):
        assert "not known" in room_of(name, fresh).unknown


def test_a_reading_that_raises_is_unknown_and_hides_no_other_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail closed: the row says what was raised, and all others stand."""

    def broken(_head: Head, _scene: Scene) -> list[Room]:
        raise ZeroDivisionError("test")

    table = tuple(
        (name, rule, control, broken if name == "max_options" else read) for name, rule, control, read in TABLE
    )
    whole = len(rooms(scene_of()))
    monkeypatch.setattr(headroom, "TABLE", table)
    row = room_of("max_options")
    assert (row.unknown, row.stated, row.limit, row.use) == ("ZeroDivisionError: test", "2000", None, None)
    assert (row.unit, row.scope, row.rule, row.control) == ("", "", Rule.CONTRACTS_IN_ALL, "C31")
    assert len(rooms(scene_of())) == whole


def test_what_is_above_four_fifths_is_near() -> None:
    """Exactly 80 % is not; a limit that is passed is; of a least the other way round."""
    head = Head(name="n", rule=None, control="C1")

    def row(use: str, limit: str, *, is_least: bool = False) -> Room:
        return head.now(stated="s", unit="u", limit=Decimal(limit), use=Decimal(use), is_least=is_least)

    assert [row(use, "100").is_near for use in ("80", "80.01", "120", "-5")] == [False, True, True, False]
    assert [row(use, "1", is_least=True).is_near for use in ("2", "1.25", "1.2", "0.5")] == [False, False, True, True]
    assert (row("120", "100").headroom, row("0.5", "1", is_least=True).headroom) == (Decimal(-20), Decimal("-0.5"))


def test_a_row_cannot_be_half_known() -> None:
    """A use without a limit, a gap without a reason, or a use of a limit that has none is no row."""
    whole = {"name": "n", "rule": None, "control": "C1", "stated": "s"}
    both = "n: expected limit and use, or why they are unknown"
    for changes, said in (
        ({"applies": Applies.NOW, "use": Decimal(1)}, both),
        ({"applies": Applies.NOW, "use": Decimal(1), "limit": Decimal(1), "unknown": "why"}, both),
        ({"applies": Applies.PER_ORDER, "use": Decimal(1), "limit": Decimal(1)}, "n: a limit per order has no use"),
        ({"applies": Applies.PER_MOMENT, "unknown": "why"}, "n: a limit per moment has no use"),
        ({"applies": Applies.NOW, "use": Decimal("NaN"), "limit": Decimal(1)}, "use must be finite, was NaN"),
        ({"applies": Applies.NOW, "use": Decimal(1), "limit": Decimal("NaN")}, "limit must be finite, was NaN"),
        *(({"applies": Applies.PER_ORDER, name: ""}, f"{name} must not be empty") for name in ("name", "control")),
        ({"applies": Applies.PER_ORDER, "stated": ""}, "stated must not be empty"),
    ):
        with pytest.raises(InvalidValueError, match=f"^{said}$"):
            Room(**{**whole, **changes})  # type: ignore[arg-type]  # test shorthand


def test_what_runs_up_during_a_day_is_counted() -> None:
    """Orders sent, orders that only close on top of them, and the pattern that executed most often."""
    order = a_build()
    executed = Executed(times={pattern_of(order): 3, "another": 1}, slippage_usd=Decimal("12.50"))
    snapshot = with_book(with_order(order), executed=executed, orders_sent_today=7)
    assert room_of("max_orders_per_day", snapshot).use == 7
    assert (room_of("closing_orders_reserve", snapshot).limit, room_of("max_working_orders", snapshot).use) == (80, 1)
    repeated = room_of("max_repeats_per_day", snapshot)
    assert (repeated.scope, repeated.use, repeated.headroom) == (pattern_of(order), 4, 1)
    assert "12.50 USD paid today" in room_of("max_day_slippage_frac", snapshot).note


def test_the_cost_rows_tell_the_whole_figure_of_every_cohort_and_of_the_book() -> None:
    """C20: amortised and whole, to the cent."""
    told = room_of("amortise", holding(5))
    assert told.applies is Applies.PER_MOMENT
    assert told.note.count("2657.00 of 2660.00 USD") == 2
    assert (
        "whole figure 2657.00 USD, credit 6650.00 USD" in room_of("max_hedge_cost_frac", holding(5), scope=COHORT).note
    )


def test_a_roll_on_its_way_widens_the_wing_and_raises_the_loss() -> None:
    """Growth since entry, measured as the check of the roll measures it."""
    roll = a_roll(5, limit="0.35")
    working = with_order(roll, leaning())
    assert room_of("max_wing_rise_frac", leaning()).use == 0
    wing, loss = room_of("max_wing_rise_frac", working), room_of("max_loss_rise_frac", working)
    checked: Checked = checked_by(Rule.WING_LIMITS, roll, leaning())
    (cohort,) = leaning().book.cohorts
    assert (wing.use, wing.limit, wing.note) == (5, 5, "put wing, 30 points wide")
    assert loss.use == Decimal(str(checked.found)) - cohort.maximum_loss_usd
    assert loss.headroom == checked.headroom


def test_wings_of_unknown_width_are_unknown() -> None:
    """A cohort whose entry nobody knows; and one that has settled has no row."""
    (cohort,) = calm_noon().book.cohorts
    blind = with_book(calm_noon(), cohorts=(replace(cohort, put_wing_points=Decimal(0)),))
    assert room_of("max_wing_rise_frac", blind).unknown == "how wide the condors were opened is not known"
    none = with_book(calm_noon(), cohorts=(), condors=(), positions={})
    assert room_of("max_wing_rise_frac", none).note == "no condors are held"


def test_break_evens_are_told_in_expected_moves() -> None:
    """The nearest of each cohort; unknown where SPX, the credit or the move is."""
    row = room_of("break_even_moves")
    assert (row.is_least, row.unit, row.scope) == (True, "expected moves", COHORT)
    assert row.use is not None
    assert row.use > 1
    (cohort,) = calm_noon().book.cohorts
    poor = with_book(calm_noon(), cohorts=(replace(cohort, credit_usd=Decimal(0)),))
    assert "nothing is left to keep" in room_of("break_even_moves", poor).unknown
    rich = with_book(calm_noon(), cohorts=(replace(cohort, credit_usd=Decimal(10_000_000)),))
    assert room_of("break_even_moves", rich).unknown == "no side can lose the credit"
    levels = {key: level for key, level in calm_noon().levels.items() if key != SPX.key}
    assert "no level" in room_of("break_even_moves", replace(calm_noon(), levels=levels)).unknown


def test_moves_that_are_unknown_or_over_make_break_evens_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A move that nobody expects, and one of nothing, divide nothing."""
    monkeypatch.setattr("risk.checks.break_evens._move", lambda *_: Unvalued(reason="no VIX"))
    assert room_of("break_even_moves", replace(calm_noon())).unknown == "no VIX"


def test_on_the_day_of_settlement_no_move_is_expected() -> None:
    """After the settlement there is no time left, so that no break-even is told."""
    (condor,) = calm_noon().book.condors
    over = replace(
        calm_noon(), now=calm_noon().now.replace(month=condor.settlement.month, day=condor.settlement.day, hour=18)
    )
    assert room_of("break_even_moves", over).unknown == "no move is expected any more"


def test_moments_are_told_in_minutes_and_days() -> None:
    """How long orders may still leave, and when the next contract's last trade cuts them off."""
    noon = calm_noon()
    session = noon.session
    assert session is not None
    assert room_of("session_edge_minutes").note == "open for another 245 minutes"
    told = {
        "closed for another 7 minutes": replace(noon, now=session.opens_at + timedelta(minutes=3)),
        "over for this session": replace(noon, now=session.closes_at - timedelta(minutes=9)),
        "no session is open": replace(noon, session=None),
    }
    for words, snapshot in told.items():
        assert room_of("session_edge_minutes", snapshot).note == words
    assert room_of("last_trade_cutoff_minutes").note.endswith("in 28 days")
    near = replace(noon, now=noon.now + timedelta(days=28, hours=3))
    assert room_of("last_trade_cutoff_minutes", near).note.endswith("minutes")
    late = replace(noon, now=noon.now + timedelta(days=28, hours=5))
    assert room_of("last_trade_cutoff_minutes", late).note.endswith("past the cut-off")
    assert room_of("expiry_guard_sessions").note.endswith("bought before 2026-11-13 only")
    empty = with_book(noon, positions={})
    for name in ("last_trade_cutoff_minutes", "expiry_guard_sessions"):
        assert room_of(name, empty).note == "nothing of the sleeve is held"


def test_the_edges_of_the_session_are_told_as_orders_are_judged() -> None:
    """The first moment at which an order may leave is open, the first at which none may any more is over."""
    noon = calm_noon()
    session, edge = noon.session, timedelta(minutes=LIMITS.session_edge_minutes)
    assert session is not None
    first, last, instant = session.opens_at + edge, session.closes_at - edge, timedelta(microseconds=1)
    told = {
        first - instant: "closed for another 0 minutes",
        first: "open for another 385 minutes",
        last - instant: "open for another 0 minutes",
        last: "over for this session",
    }
    for moment, words in told.items():
        snapshot = replace(noon, now=moment)
        assert room_of("session_edge_minutes", snapshot).note == words
        judged = checked_by(Rule.SESSION_HOURS, a_build(), snapshot).note
        assert (judged in ("too soon after the open", "too near to the close")) is not words.startswith("open")


def test_the_minutes_up_to_the_last_trade_are_whole_ones() -> None:
    """A day is told as one, a minute less in minutes; at the cut-off itself, and from then on, it is past."""
    noon = calm_noon()
    cut_off = datetime(2026, 11, 17, 16, 15, tzinfo=NEW_YORK) - timedelta(minutes=LIMITS.last_trade_cutoff_minutes)
    told = {
        timedelta(days=1): "in 1 days",
        timedelta(days=1, minutes=-1): "in 1439 minutes",
        timedelta(minutes=1): "in 1 minutes",
        timedelta(0): "past the cut-off",
        timedelta(days=-1): "past the cut-off",
    }
    for left, words in told.items():
        row = room_of("last_trade_cutoff_minutes", replace(noon, now=cut_off - left))
        assert row.note == f"OPT:VIX:2026-11-18:19.5:C: {words}"


def test_limits_of_an_order_say_their_figure() -> None:
    """Nothing of them runs up: they are compared with each order alone."""
    told = {
        "collar_frac": "20 % from the middle of options",
        "max_order_value_usd": "50000 USD",
        "max_contracts_per_leg": "100 contracts of a leg",
        "verdict_lifetime_s": "a verdict 5 seconds old is judged anew",
        "permit_vxx_shares": "shares of VXX may not be bought",
        "require_preview": "the broker is not asked what an order binds",
        "preview_life_s": "a what-if 60 seconds old is asked anew",
        "straddle_reach_frac": "0.5 % of the forward",
    }
    for name, words in told.items():
        row = room_of(name)
        assert (row.stated, row.use, row.headroom, row.is_near) == (words, None, None, False)
    others: dict[str, tuple[object, str]] = {
        "permit_vxx_shares": (True, "shares of VXX may be bought"),
        "require_preview": (True, "the broker is asked what an order binds"),
        "permitted_classes": (frozenset(), "none"),
        "permitted_exchanges": (frozenset(), "none"),
        "max_order_value_usd": (Decimal("5E+4"), "50000 USD"),
    }
    for name, (value, words) in others.items():
        assert room_of(name, limits=replace(LIMITS, **{name: value})).stated == words  # type: ignore[arg-type]
    assert room_of("straddle_reach_frac").note == "34.0 index points now"
    assert "no level" in room_of("straddle_reach_frac", replace(calm_noon(), levels={})).note
    assert percent(0.005) == "0.5 %"


def test_a_sleeve_that_is_short_is_measured_on_its_short_side() -> None:
    """The larger of both sides binds, and the row says which."""
    short = with_order(replace(a_build(), legs=(a_build().legs[1],), quantity=400))
    assert room_of("max_vega_frac", short).scope == "short"


@pytest.mark.control("C30")
def test_the_gate_tells_the_rooms_of_its_own_limits() -> None:
    """The limits that refuse are the limits that are shown, and asking changes no verdict."""
    tight = replace(LIMITS, max_options=1)
    gate = Gate(tight, FEES)
    rows, found = gate.rooms(calm_noon())
    assert next(one for one in rows if one.name == "max_options").limit == 1
    assert found == exposures(scene_of())
    assert gate.review(a_plan(a_build()), calm_noon())[0] == verdict_on(a_build(), limits=tight)


def test_shares_have_no_last_trade_and_no_settlement() -> None:
    """Shares of VXX are of the sleeve, and neither cut off nor counted as contracts."""
    held = with_overlay(60)
    assert room_of("max_options_per_settlement", held).use == room_of("max_options_per_settlement").use
    assert room_of("last_trade_cutoff_minutes", held).note.endswith("in 28 days")
