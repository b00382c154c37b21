"""The floor: steps, sessions, what is told and when; and the opening book."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from floors import (
    CALENDAR,
    CLOSES_AT,
    DAY,
    OPENS_AT,
    Heard,
    a_call,
    a_floor,
    a_future,
    an_open_floor,
    an_order,
    listened,
    some_of_all,
)

from bot.domain.condors import recognise_condors
from bot.domain.errors import InvalidValueError
from bot.domain.instrument import RVX, SPX, VIX, Instrument, Kind, Right
from bot.domain.portfolio import Position
from simulator.books import BookPlan
from simulator.floor import ACCOUNT_EVERY_S, BEFORE_OPEN, Floor
from simulator.opening import OpenedFloor, open_floor
from simulator.records import DailyRecord
from simulator.settings import SimulatorSettings
from simulator.venue import (
    AccountChanged,
    Bar,
    BarRequest,
    Executed,
    OrderChanged,
    PriceKind,
    Span,
    SpanUnit,
    Tif,
    VenueQuote,
    VenueStatus,
)
from simulator.world.levels import DailyLevel

FIFTEEN = timedelta(seconds=15)


def daily_bars(opened: OpenedFloor, instrument: Instrument, end: datetime, count: int) -> tuple[Bar, ...]:
    """Return the daily bars of an instrument."""
    day, reach = Span(count=1, unit=SpanUnit.DAY), Span(count=count, unit=SpanUnit.DAY)
    return opened.floor.bars(instrument, BarRequest(what=PriceKind.TRADES, width=day, reach=reach, end=end))


def test_a_floor_stands_before_its_first_open() -> None:
    """Half an hour early, closed, and the first step is the open."""
    floor = a_floor().floor

    assert (floor.now(), floor.is_open, floor.next_step_at()) == (OPENS_AT - BEFORE_OPEN, False, OPENS_AT)


def test_steps_are_played_up_to_and_with_the_moment() -> None:
    """Advancing to a step plays it; a moment between two steps plays the one before."""
    floor = a_floor().floor

    floor.advance(OPENS_AT)
    first = floor.market.levels
    floor.advance(OPENS_AT + timedelta(seconds=29))

    assert floor.next_step_at() == OPENS_AT + 2 * FIFTEEN
    assert floor.market.at == OPENS_AT + FIFTEEN
    assert floor.market.levels != first
    assert floor.now() == OPENS_AT + timedelta(seconds=29)


def test_going_back_changes_nothing() -> None:
    """Time on the floor only goes forward."""
    floor = an_open_floor().floor
    now, due = floor.now(), floor.next_step_at()

    floor.advance(OPENS_AT)

    assert (floor.now(), floor.next_step_at()) == (now, due)


@pytest.mark.parametrize("pieces", [1, 7, 405])
def test_a_session_is_the_same_however_it_is_cut(pieces: int) -> None:
    """One leap or many small ones tell the same quotes in the same order."""
    whole, cut = a_floor(), a_floor()
    heard, pieced = listened(whole), listened(cut)
    for opened in (whole, cut):
        for instrument in (VIX, a_call(opened)):
            opened.floor.watch(instrument)

    whole.floor.advance(CLOSES_AT)
    for piece in range(1, pieces + 1):
        cut.floor.advance(OPENS_AT + (CLOSES_AT - OPENS_AT) * piece / pieces)

    assert pieced == heard
    assert len(heard.of(VenueQuote)) > 500


@pytest.mark.parametrize("scenario", ["blowout", "halt"])
@pytest.mark.parametrize("most", [1, 3, 100])
def test_a_step_is_the_same_when_it_was_prepared(scenario: str, most: int) -> None:
    """Priced ahead wholly or in part, steps tell the same quotes, and the present ones stay what they are."""
    plain, prepared = a_floor(scenario=scenario), a_floor(scenario=scenario)
    heard, heard_prepared = listened(plain), listened(prepared)
    instruments = (VIX, *some_of_all(plain).values())
    unwatched = a_call(plain, 25)

    for step in range(4 * 60 * 6):
        for opened in (plain, prepared):
            opened.floor.advance(OPENS_AT + step * FIFTEEN)
            if step % 7 == 0:
                opened.floor.watch(instruments[step % len(instruments)])
        while prepared.floor.prepare(most) and step % 3:
            pass
        if step % 50 == 0:
            for instrument in (*instruments, unwatched):
                assert prepared.floor.quote(instrument) == plain.floor.quote(instrument)

    assert heard_prepared == heard
    assert len(heard.of(VenueQuote)) > 1000


def test_there_is_nothing_to_prepare_outside_a_session() -> None:
    """Before the open, and where nothing with two sides is watched, no time is spent."""
    opened = a_floor()
    opened.floor.watch(a_call(opened))
    before = opened.floor.prepare(1)
    opened.floor.advance(OPENS_AT)

    assert not before
    assert opened.floor.prepare(1)
    assert not opened.floor.prepare(1)


def test_only_watched_quotes_that_changed_are_told() -> None:
    """Nobody watches: nothing is told; a watched index is told once per new level."""
    opened = a_floor()
    heard = listened(opened)
    opened.floor.advance(OPENS_AT + timedelta(minutes=30))
    silent = heard.of(VenueQuote)

    opened.floor.watch(VIX)
    opened.floor.watch(VIX)
    opened.floor.unwatch(VIX)
    opened.floor.advance(OPENS_AT + timedelta(minutes=90))
    told = [quote.last for quote in heard.of(VenueQuote)]
    opened.floor.unwatch(VIX)
    opened.floor.advance(OPENS_AT + timedelta(minutes=120))

    assert silent == []
    assert all(one != other for one, other in pairwise(told))
    assert len(heard.of(VenueQuote)) == len(told) > 60


def test_the_quote_told_at_a_step_is_the_one_orders_meet() -> None:
    """A market order placed upon a quote trades at exactly that ask."""
    opened = a_floor()
    call = a_call(opened)
    fills: list[tuple[Decimal | None, Decimal]] = []

    def trade(event: object) -> None:
        if isinstance(event, VenueQuote) and len(fills) < 5:
            order = an_order(call, order_id=len(fills) + 1)
            fills.append((event.ask, Decimal(0)))
            opened.floor.place(order)
        elif isinstance(event, Executed):
            fills[-1] = (fills[-1][0], event.price)

    opened.floor.listen(trade)
    opened.floor.watch(call)
    opened.floor.advance(OPENS_AT + timedelta(hours=1))

    assert len(fills) == 5
    assert all(shown == paid for shown, paid in fills)


def test_the_account_is_told_every_three_minutes() -> None:
    """Without any trade the account's values come at the open and then at their interval."""
    opened = a_floor()
    heard = listened(opened)

    opened.floor.advance(OPENS_AT + timedelta(minutes=30))

    assert len(heard.of(AccountChanged)) == 30 * 60 // ACCOUNT_EVERY_S + 1


def test_a_listener_that_is_removed_hears_nothing() -> None:
    """Removing twice is allowed."""
    opened = an_open_floor()
    heard = Heard()
    remove = opened.floor.listen(heard.append)

    remove()
    remove()
    opened.floor.place(an_order(a_future(opened)))

    assert heard == []


def test_the_close_ends_the_day() -> None:
    """Day orders are cancelled, contracts lose their sides, and the day is a bar that night."""
    opened = an_open_floor(sessions=2)
    call = a_call(opened)
    heard = listened(opened, before=[an_order(call, limit="0.01")])

    opened.floor.advance(CLOSES_AT)

    assert [event.status for event in heard.of(OrderChanged)] == [VenueStatus.CANCELLED]
    assert not opened.floor.is_open
    assert (opened.floor.quote(call).bid, opened.floor.quote(call).ask) == (None, None)
    [bar] = daily_bars(opened, VIX, CLOSES_AT, 1)
    path = opened.source.path(0).levels["VIX"]
    assert (bar.day, bar.open, bar.high, bar.low, bar.close) == (
        "20261019", path[0], max(path), min(path), path[-1],
    )  # fmt: skip
    assert opened.floor.quote(VIX).close == path[-1]


def test_the_next_session_begins_with_empty_books() -> None:
    """Yesterday's executions and finished orders are gone, positions and GTC orders stay."""
    opened = an_open_floor(sessions=2)
    opened.floor.place(an_order(a_future(opened), order_id=1))
    opened.floor.place(an_order(a_future(opened), order_id=2, limit="1.00", tif=Tif.GTC))
    held = opened.floor.positions()

    opened.floor.advance(opened.source.sessions[1].opens_at)

    assert (opened.floor.executions(), opened.floor.completed_orders()) == ((), ())
    assert [each.order.order_id for each in opened.floor.open_orders()] == [2]
    assert opened.floor.positions() == held
    assert opened.floor.next_order_id(1) == 3


def test_a_floor_that_is_played_out_stands_still() -> None:
    """After the last close there is no step; time goes on and questions are answered."""
    opened = a_floor()

    opened.floor.advance(CLOSES_AT + timedelta(days=3))

    assert opened.floor.next_step_at() is None
    assert opened.floor.now() == CLOSES_AT + timedelta(days=3)
    assert opened.floor.account_state().net_liquidation_usd > 0


def test_an_outside_clock_gives_the_time_between_steps() -> None:
    """The later of the two clocks holds: the floor never falls behind its own steps."""
    moments = [OPENS_AT + timedelta(seconds=7)]
    floor = open_floor(
        SimulatorSettings(scenario="calm", start=DAY, sessions=1), CALENDAR, clock=lambda: moments[0]
    ).floor

    floor.advance(OPENS_AT)
    between = floor.now()
    floor.advance(OPENS_AT + timedelta(minutes=1))

    assert between == moments[0]
    assert floor.now() == OPENS_AT + timedelta(minutes=1)


def test_two_runs_of_one_seed_are_one_run() -> None:
    """Orders at the same moments have the same fills, ids included."""

    def run() -> Heard:
        opened = an_open_floor()
        heard = listened(opened)
        for order_id in range(1, 4):
            opened.floor.place(an_order(a_call(opened), quantity=300, order_id=order_id, limit="3.00"))
            opened.floor.advance(opened.floor.now() + timedelta(minutes=20))
        return heard

    assert run() == run()


def test_the_record_holds_finished_days_only() -> None:
    """A day counts once its session has closed."""
    record = DailyRecord(CALENDAR, {"VIX": (DailyLevel(day=date(2026, 10, 16), close=17.5),)})
    record.add("VIX", DailyLevel(day=DAY, close=18.0, open=17.0, high=19.0, low=16.5))

    before, after = (record.finished(at, 5) for at in (CLOSES_AT - FIFTEEN, CLOSES_AT))

    assert before == [date(2026, 10, 16)]
    assert after == [date(2026, 10, 16), DAY]
    assert record.finished(CLOSES_AT, 0) == []


def test_every_instrument_has_daily_bars() -> None:
    """A future's past is its model value on the past of the indices."""
    opened = an_open_floor()

    future, index = (daily_bars(opened, each, OPENS_AT, 5) for each in (a_future(opened), SPX))

    assert [bar.day for bar in future] == [bar.day for bar in index]
    assert len(index) == 5
    assert all(bar.low <= bar.close <= bar.high for bar in future)


# The opening book


def test_the_opening_book_is_worth_what_the_plan_says() -> None:
    """At the first moment net liquidation is the plan's, to the cent, whatever is held."""
    opened = a_floor()
    opened.floor.advance(OPENS_AT)

    assert opened.floor.account_state().net_liquidation_usd == pytest.approx(Decimal(2_000_000), abs=Decimal("0.01"))
    assert opened.book.cash_usd + sum(
        (quantity * price * key.multiplier for key, quantity, price in opened.book.positions), Decimal(0)
    ) == Decimal(2_000_000)


def test_the_book_holds_condors_that_are_recognised_and_their_credit() -> None:
    """Forty condors near 16 delta in one settlement, the credit positive and stated with its strikes."""
    opened = a_floor()
    held = tuple(Position(instrument=key, quantity=quantity) for key, quantity, _ in opened.book.positions)

    found = recognise_condors(held)

    assert found.condors == opened.book.condors
    [condor], [stated] = opened.book.condors, opened.book.credits
    assert (condor.count, condor.widest_wing_points) == (40, Decimal(25))
    assert stated.credit_usd == opened.book.condor_credit_usd > 0
    market = opened.floor.market
    assert abs(market.fair(condor.short_put).delta) == pytest.approx(0.16, abs=0.02)
    assert abs(market.fair(condor.short_call).delta) == pytest.approx(0.16, abs=0.02)


def test_the_base_has_three_layers_for_every_ten_condors() -> None:
    """Sixteen, sixteen and eight calls for forty condors, near the money of their forwards."""
    opened = a_floor()

    assert [(each.quantity, each.instrument.right) for each in opened.book.base] == [
        (16, Right.CALL), (16, Right.CALL), (8, Right.CALL),
    ]  # fmt: skip
    assert len({each.instrument.settlement for each in opened.book.base}) == 3
    assert all(each.instrument.kind is Kind.OPTION for each in opened.book.base)


def test_a_flat_book_is_cash() -> None:
    """No condors, no positions."""
    settings = SimulatorSettings(scenario="calm", start=DAY, sessions=1, book=BookPlan(condors=0))

    opened = open_floor(settings, CALENDAR)

    assert opened.floor.positions() == ()
    assert opened.floor.account_state().net_liquidation_usd == Decimal(2_000_000)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"short_delta": 0.5}, "between 0 and 0.5"),
        ({"condors": -1}, "condors"),
        ({"wing_points": 0}, "wing_points"),
        ({"vix_settlements": (date(2026, 11, 18),)}, "one for each of the 3 layers"),
    ],
)
def test_a_plan_that_no_book_has_is_refused(changes: dict[str, object], words: str) -> None:
    """The error names the setting."""
    with pytest.raises(InvalidValueError, match=words):
        BookPlan(**changes)


@pytest.mark.parametrize(
    "plan", [BookPlan(condor_settlement=date(2026, 12, 3)), BookPlan(vix_settlements=(date(2026, 12, 3),) * 3)]
)
def test_a_settlement_that_is_not_listed_is_refused(plan: BookPlan) -> None:
    """The error says what to state instead."""
    with pytest.raises(InvalidValueError, match="settle on 2026-12-03"):
        open_floor(SimulatorSettings(scenario="calm", start=DAY, sessions=1, book=plan), CALENDAR)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sessions": 0}, "sessions"),
        ({"tick_s": 0}, "tick_s"),
        ({"seed": -1}, "seed"),
        ({"account": ""}, "account"),
        ({"end": date(2020, 1, 1)}, "before it starts"),
    ],
)
def test_settings_that_make_no_run_are_refused(changes: dict[str, object], words: str) -> None:
    """Each names what is wrong."""
    with pytest.raises(InvalidValueError, match=words):
        SimulatorSettings(**changes)


def test_a_history_makes_a_floor() -> None:
    """Daily rows of the four indices are all that a run needs; RVX comes from its own row."""
    days = [each.day for each in CALENDAR.sessions(DAY - timedelta(days=200), DAY)]
    history = {
        symbol: tuple(DailyLevel(day=day, close=level) for day in days)
        for symbol, level in (("SPX", 6800.0), ("RUT", 2500.0), ("VIX", 18.0), ("RVX", 23.5))
    }

    opened = open_floor(SimulatorSettings(start=DAY, end=DAY), CALENDAR, history=history)
    opened.floor.advance(CLOSES_AT)

    assert isinstance(opened.floor, Floor)
    assert daily_bars(opened, RVX, CLOSES_AT, 1)[0].close == 23.5
