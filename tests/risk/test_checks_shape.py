"""Shape, account, permission and hours: a table of edges for each rule."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest

from bot.domain.decision import Rule
from bot.domain.instrument import Right, index
from bot.domain.orders import Leg, OrderIntent, Purpose
from bot.domain.portfolio import Position
from bot.domain.schedule import NEW_YORK
from bot.domain.snapshot import Snapshot
from risk.checks.session_hours import guard_day, last_trade_at
from tests.builders import (
    DECEMBER,
    NOVEMBER,
    a_future,
    a_session,
    an_account,
    an_intent,
    an_option,
    an_order,
    buys,
    sells,
    spread_legs,
    vix_call,
)
from tests.risk.scenes import (
    LIMITS,
    SHORT,
    a_build,
    an_unwind,
    calm_noon,
    checked_by,
    holding,
    scene_of,
    scenery,
    with_book,
)
from tests.told import as_told

PUT = an_option(18, right=Right.PUT)


# well formed ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("legs", "fault"),
    [
        ((buys(vix_call(20)),), ""),
        ((buys(a_future("VX")),), ""),
        (spread_legs(20, 25), ""),
        ((buys(vix_call(20), 2),), "ratios other than one are not known"),
        ((sells(vix_call(20)),), "a single leg is a call, a future or shares, bought"),
        ((sells(a_future("VX")),), "a single leg is a call, a future or shares, bought"),
        ((buys(PUT),), "a single leg is a call, a future or shares, bought"),
        ((buys(index("VIX")),), "a single leg is a call, a future or shares, bought"),
        (spread_legs(25, 20), "a combo is a call spread whose long leg has the lower strike"),
        ((buys(vix_call(20)), buys(vix_call(25))), "a combo is a call spread whose long leg has the lower strike"),
        (
            (buys(vix_call(20)), sells(vix_call(25)), sells(vix_call(26))),
            "a combo is a call spread whose long leg has the lower strike",
        ),
        ((buys(PUT), sells(vix_call(25))), "a combo is a call spread whose long leg has the lower strike"),
        (
            (buys(vix_call(20)), sells(an_option(25, right=Right.PUT))),
            "a combo is a call spread whose long leg has the lower strike",
        ),
        (
            (buys(vix_call(20)), sells(vix_call(25, DECEMBER))),
            "a combo is a call spread whose long leg has the lower strike",
        ),
        (
            (buys(vix_call(20)), sells(vix_call(25, trading_class="VIXW"))),
            "a combo is a call spread whose long leg has the lower strike",
        ),
    ],
)
def test_only_known_shapes_are_bought(legs: tuple[Leg, ...], fault: str) -> None:
    """A purchase is one call, one future, or one debit call spread of one settlement and class."""
    checked = checked_by(Rule.WELL_FORMED, an_intent(legs))
    assert (checked.passed, checked.note) == (not fault, fault)


def test_a_purchase_pays() -> None:
    """A purchase with a limit of nothing or less is no purchase."""
    assert checked_by(Rule.WELL_FORMED, an_intent(limit=0)).note == "a purchase pays"


def _tampered(field: str, value: object) -> OrderIntent:
    intent = a_build()
    object.__setattr__(intent, field, value)
    return intent


@pytest.mark.parametrize(
    ("field", "value"),
    [("quantity", True), ("quantity", 1.0), ("quantity", 10**12), ("limit", Decimal("1e12"))],
)
def test_numbers_that_are_none_are_refused(field: str, value: object) -> None:
    """Quantities are whole numbers, and no number has more digits than an order can have."""
    is_whole = field != "quantity" or type(value) is int
    fault = "a number is not finite or absurdly large" if is_whole else "the quantity is no whole number"
    assert checked_by(Rule.WELL_FORMED, _tampered(field, value)).note == fault


def test_an_unwind_sells_what_the_overlay_holds_and_no_more() -> None:
    """Two units held: two may be sold, three may not."""
    snapshot = holding(2)
    assert checked_by(Rule.WELL_FORMED, an_unwind(2), snapshot).passed
    assert not checked_by(Rule.WELL_FORMED, an_unwind(3), snapshot).passed


def test_units_that_are_being_sold_cannot_be_sold_again() -> None:
    """One of two units on its way out leaves one to sell."""
    working = an_order(an_unwind(1, intent_id="w-1"))
    snapshot = with_book(holding(2), orders={working.intent.intent_id: working})
    assert checked_by(Rule.WELL_FORMED, an_unwind(1), snapshot).passed
    assert not checked_by(Rule.WELL_FORMED, an_unwind(2), snapshot).passed


def test_calls_of_the_base_sleeve_are_not_an_overlay() -> None:
    """The account holds the calls, but no overlay lot does: they are not sold."""
    base = scenery().opening.base[0].instrument
    intent = an_intent((sells(base),), limit="-1.60", purpose=Purpose.OVERLAY_UNWIND)
    assert not checked_by(Rule.WELL_FORMED, intent).passed


def test_an_unwind_passes_where_the_base_hides_a_leg() -> None:
    """The base is long what the overlay is short: the position is their sum, and the lots tell what may be sold."""
    snapshot = holding(2)
    short = vix_call(SHORT)
    positions = dict(snapshot.book.positions)
    positions[short.key] = Position(instrument=short, quantity=3)
    assert checked_by(Rule.WELL_FORMED, an_unwind(2), with_book(snapshot, positions=positions)).passed


def test_a_future_is_sold_only_where_the_account_holds_it() -> None:
    """A lot alone does not allow the sale of a future: without the position it would open a short one."""
    mini = a_future("VXM")
    lot = replace(holding(2).book.lots[-1], legs=(buys(mini),))
    intent = an_intent((sells(mini),), quantity=2, limit="-18.90", purpose=Purpose.OVERLAY_UNWIND)
    without = with_book(calm_noon(), lots=(lot,))
    held = with_book(without, positions={mini.key: Position(instrument=mini, quantity=2)})
    fewer = with_book(without, positions={mini.key: Position(instrument=mini, quantity=1)})
    for snapshot, passed in ((without, False), (fewer, False), (held, True)):
        assert checked_by(Rule.WELL_FORMED, intent, snapshot).passed is passed


@pytest.mark.parametrize(
    ("quantity", "limit", "fault"),
    [
        (2, "0.50", ""),
        (3, "0.50", "a sale is of what the lots of its layer hold, else it buys back what is held short"),
        (2, "0.00", "buying back pays"),
        (2, "-0.50", "buying back pays"),
    ],
)
def test_short_contracts_may_be_bought_back(quantity: int, limit: str, fault: str) -> None:
    """A single leg held short may be bought back, up to what is short, for a price."""
    intent = an_intent((buys(vix_call(SHORT)),), quantity=quantity, limit=limit, purpose=Purpose.OVERLAY_UNWIND)
    checked = checked_by(Rule.WELL_FORMED, intent, holding(2))
    assert (checked.passed, checked.note) == (not fault, fault)


def test_what_is_being_bought_back_is_not_bought_back_twice() -> None:
    """A buy-back on its way uses up the short contracts."""
    intent = an_intent((buys(vix_call(SHORT)),), quantity=2, limit="0.50", purpose=Purpose.OVERLAY_UNWIND)
    assert not checked_by(Rule.WELL_FORMED, intent, holding(2), earlier=(replace(intent, quantity=1),)).passed


# account --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({}, ""),
        ({"account": None}, "the account's values are not known"),
        ({"account": an_account(account="DU7")}, "the account is not on the allowlist"),
        ({"account": an_account(ready=False)}, "the broker says that its account values are not ready"),
        ({"account": an_account(0)}, "the net liquidation value is impossible"),
        ({"account": an_account("0.01")}, ""),
        ({"account": an_account(1)}, ""),
        ({"account": an_account("1000000000000")}, ""),
        ({"account": an_account("1000000000001")}, "the net liquidation value is impossible"),
        ({"account": replace(an_account(), cash_usd=Decimal(-1000000000001))}, "the cash is impossible"),
        ({"account": replace(an_account(), cash_usd=Decimal(-1000000000000))}, ""),
        ({"account": replace(an_account(), cash_usd=Decimal(1000000000000))}, ""),
        ({"account": replace(an_account(), cash_usd=Decimal(1000000000001))}, "the cash is impossible"),
        ({"account": replace(an_account(), cash_usd=Decimal(-5))}, ""),
    ],
)
def test_the_account_must_be_ours_and_possible(changes: dict[str, object], fault: str) -> None:
    """Name, readiness and values of the account, each with its own reason."""
    checked = checked_by(Rule.ACCOUNT, a_build(), with_book(calm_noon(), **changes))
    assert (checked.passed, checked.note) == (not fault, fault)


# permission -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("leg", "passed"),
    [
        (buys(vix_call(20)), True),
        (buys(vix_call(20, trading_class="VIXW")), True),
        (buys(a_future("VX")), True),
        (buys(a_future("VXM")), True),
        (buys(PUT), False),
        (buys(an_option(6800, trading_class="SPX")), False),
        (buys(an_option(6800, trading_class="SPXW")), False),
        (buys(index("VIX")), False),
        (buys(replace(vix_call(20), multiplier=1000)), False),
        (buys(replace(a_future("VX"), multiplier=100)), False),
        (buys(replace(vix_call(20), currency="EUR")), False),
        (buys(replace(vix_call(20), symbol="VXX")), False),
        (buys(replace(vix_call(20), trading_class="VX")), False),
        (buys(replace(a_future("VX"), trading_class="VIX")), False),
    ],
)
def test_only_permitted_instruments_pass(leg: Leg, passed: bool) -> None:  # noqa: FBT001 - a table
    """VIX calls and VIX futures of known class, currency and multiplier; all else is denied."""
    assert checked_by(Rule.PERMISSION, an_intent((leg,))).passed is passed


def test_everything_that_is_denied_is_named() -> None:
    """Each leg with its exchange, one after the other."""
    legs = tuple(replace(leg, instrument=replace(leg.instrument, exchange="ELSEWHERE")) for leg in spread_legs())
    found = checked_by(Rule.PERMISSION, an_intent(legs)).found
    assert found == ", ".join(f"{leg.instrument.key} on ELSEWHERE" for leg in legs)


def test_a_class_that_config_leaves_out_is_denied() -> None:
    """The allowlist can be made shorter."""
    limits = replace(LIMITS, permitted_classes=frozenset({"VX"}))
    checked = checked_by(Rule.PERMISSION, a_build(), limits=limits)
    assert (checked.passed, checked.limit) == (False, "VX on BATS, CBOE, CFE")


@pytest.mark.control("C18")
@pytest.mark.parametrize(
    ("leg", "permitted"),
    [(buys(vix_call(20)), {"CFE", "BATS"}), (buys(a_future("VX")), {"CBOE"}), (sells(a_future("VXM")), set())],
)
def test_an_exchange_that_config_leaves_out_is_denied(leg: Leg, permitted: set[str]) -> None:
    """Where the contract is listed counts: options at Cboe, futures at CFE; the default permits both."""
    intent = an_intent((leg,))
    checked = checked_by(Rule.PERMISSION, intent, limits=replace(LIMITS, permitted_exchanges=frozenset(permitted)))
    assert (checked.passed, checked.found) == (False, f"{leg.instrument.key} on {leg.instrument.exchange}")
    assert checked_by(Rule.PERMISSION, intent).passed
    moved = an_intent((replace(leg, instrument=replace(leg.instrument, exchange="XETRA")),))
    assert not checked_by(Rule.PERMISSION, moved).passed


# hours ----------------------------------------------------------------------------------------------------------


def _at(hour: int, minute: int, second: int = 0, day: int = 20) -> Snapshot:
    moment = datetime(2026, 10, day, hour, minute, second, tzinfo=NEW_YORK)
    session = a_session(moment.date())
    return replace(calm_noon(), now=moment, session=session if session.opens_at <= moment < session.closes_at else None)


@pytest.mark.parametrize(
    ("snapshot", "fault"),
    [
        (_at(9, 29), "no session is open"),
        (_at(9, 30), "too soon after the open"),
        (_at(9, 39, 59), "too soon after the open"),
        (_at(9, 40), ""),
        (_at(16, 4, 59), ""),
        (_at(16, 5), "too near to the close"),
        (_at(16, 15), "no session is open"),
    ],
)
@pytest.mark.control("C24")
def test_orders_leave_inside_the_session_only(snapshot: Snapshot, fault: str) -> None:
    """From ten minutes after the open to ten minutes before the close."""
    checked = checked_by(Rule.SESSION_HOURS, a_build(), snapshot)
    assert (checked.passed, checked.note) == (not fault, fault)


@pytest.mark.parametrize(
    ("day", "fault"),
    [
        (12, ""),
        (13, "too few sessions before the last trading day"),
        (17, "too few sessions before the last trading day"),
    ],
)
def test_nothing_is_bought_near_the_end_of_its_life(day: int, fault: str) -> None:
    """The last trading day of the November call is Tuesday the 17th: from Friday the 13th on nothing is bought."""
    moment = datetime(2026, 11, day, 12, 0, tzinfo=NEW_YORK)
    snapshot = as_told(replace(calm_noon(), now=moment, session=a_session(moment.date())))
    assert checked_by(Rule.SESSION_HOURS, a_build(), snapshot).note == fault


@pytest.mark.parametrize(
    ("hour", "minute", "fault"), [(15, 14, ""), (15, 15, "past the cut-off before the last trade")]
)
def test_closing_is_allowed_until_an_hour_before_the_last_trade(hour: int, minute: int, fault: str) -> None:
    """On the last trading day an unwind passes until 15:15, an hour before the options close."""
    moment = datetime(2026, 11, 17, hour, minute, tzinfo=NEW_YORK)
    snapshot = as_told(replace(holding(2), now=moment, session=a_session(moment.date())))
    assert checked_by(Rule.SESSION_HOURS, an_unwind(2), snapshot).note == fault


def test_the_own_calendar_alone_ends_what_the_broker_tells_no_hour_of() -> None:
    """Exactly an hour before the last trade is too late, a minute earlier is not."""
    for minute, fault in ((14, ""), (15, "past the cut-off before the last trade")):
        moment = datetime(2026, 11, 17, 15, minute, tzinfo=NEW_YORK)
        told = as_told(replace(holding(2), now=moment, session=a_session(moment.date())))
        silent = {key: replace(terms, last_trade_at=None) for key, terms in told.terms.items()}
        assert checked_by(Rule.SESSION_HOURS, an_unwind(2), replace(told, terms=silent)).note == fault


def test_a_future_is_past_its_cutoff_on_its_settlement_day() -> None:
    """An expiring future stops at nine: an hour earlier no session is open, and later it is over."""
    moment = datetime(2026, 11, 18, 12, 0, tzinfo=NEW_YORK)
    snapshot = replace(calm_noon(), now=moment, session=a_session(moment.date()))
    checked = checked_by(Rule.SESSION_HOURS, an_intent((buys(a_future("VX")),)), snapshot)
    assert checked.note == "past the cut-off before the last trade"


def test_a_contract_without_a_last_day_is_refused() -> None:
    """What never stops trading is no contract of ours."""
    assert (
        checked_by(Rule.SESSION_HOURS, an_intent((buys(index("VIX")),))).note == "a contract without a last trading day"
    )


def test_a_last_day_that_is_no_session_counts_from_the_session_before() -> None:
    """A last trading day on a holiday is measured by the close of the session before it."""
    holiday = datetime(2026, 11, 26).date()  # noqa: DTZ001 - Thanksgiving as a date
    call = replace(vix_call(20, NOVEMBER), settlement=holiday, last_trade=holiday)
    moment = datetime(2026, 11, 25, 15, 30, tzinfo=NEW_YORK)
    snapshot = replace(calm_noon(), now=moment, session=a_session(moment.date()))
    checked = checked_by(Rule.SESSION_HOURS, an_intent((buys(call),)), snapshot)
    assert checked.note == "past the cut-off before the last trade"


def test_each_contract_has_its_own_guard_and_its_own_end() -> None:
    """Two settlements in one moment: what was worked out for one is not taken for the other."""
    scene = scene_of()
    near, far = vix_call(20), vix_call(20, DECEMBER)
    assert near.last_trade is not None
    assert far.last_trade is not None
    assert guard_day(near.last_trade, scene) < guard_day(far.last_trade, scene)
    assert last_trade_at(near, near.last_trade, scene) < last_trade_at(far, far.last_trade, scene)
