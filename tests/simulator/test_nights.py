"""Nights: what trades between two sessions, at which prices, and what becomes of orders, days and bars there."""

import asyncio
from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from floors import (
    CALENDAR,
    CLOSES_AT,
    DAY,
    OPENS_AT,
    SPY,
    a_floor,
    a_floor_with_nights,
    a_future,
    an_order,
    at_night,
    in_new_york,
    listened,
    some_of_all,
)

from bot.domain.errors import InvalidValueError
from bot.domain.instrument import RUT, RVX, SPX, VIX, Instrument
from simulator.board import EXTENDED_SPREAD
from simulator.gateway import FloorTime, Gateway
from simulator.hours import phase_at
from simulator.opening import OpenedFloor, open_floor
from simulator.settings import SimulatorSettings
from simulator.venue import (
    BarRequest,
    Phase,
    PriceKind,
    Span,
    SpanUnit,
    StepPlayed,
    VenueQuote,
    VenueStatus,
)
from simulator.virtual_time import run_virtual
from simulator.world.market import WorldModel
from simulator.world.quotes import rule_of

NEXT = date(2026, 10, 20)
_HOURS_OF_A_NIGHT = (
    *(("18:30", DAY), ("23:00", DAY)),
    *(("03:14", NEXT), ("05:00", NEXT), ("09:24", NEXT), ("09:29", NEXT)),
)


# What trades


@pytest.mark.parametrize(
    ("day", "text", "trading"),
    [
        (DAY, "16:16", {"SPY", "EUR", "VX", "VIX call", "SPXW"}),
        (DAY, "17:05", {"SPY"}),
        (DAY, "18:00", {"SPY", "EUR", "VX"}),
        (DAY, "20:15", {"EUR", "VX", "VIX call", "SPXW"}),
        (NEXT, "04:00", {"SPY", "EUR", "VX", "VIX call", "SPXW"}),
        (NEXT, "09:25", {"SPY", "EUR", "VX"}),
        (NEXT, "09:30", {"SPY", "EUR", "VX", "VIX call", "SPXW", "RUTW"}),
    ],
)
def test_at_night_a_contract_has_sides_exactly_in_its_hours(day: date, text: str, trading: set[str]) -> None:
    """Shares before and after the market, futures nearly round the clock, SPX and VIX options in global hours."""
    opened = at_night(text, day=day)
    contracts = some_of_all(opened)

    open_now = {name for name, each in contracts.items() if opened.floor.phase(each) is not Phase.CLOSED}

    assert open_now == trading
    for name, each in contracts.items():
        assert (opened.floor.quote(each).ask is not None) == (name in trading)
        assert bool(opened.floor.depth(each, 3).asks) == (name in trading)


def test_without_nights_nothing_trades_between_two_sessions() -> None:
    """Nights are asked for: by default the next step after a close is the next open."""
    opened = a_floor(sessions=2)
    opened.floor.advance(CLOSES_AT)

    assert opened.floor.next_step_at() == opened.source.sessions[1].opens_at
    assert {opened.floor.phase(each) for each in some_of_all(opened).values()} == {Phase.CLOSED}


def test_a_session_is_the_same_with_and_without_nights() -> None:
    """Nights change nothing of the sessions between which they lie."""
    plain, nightly = a_floor(sessions=2, tick_s=60), a_floor_with_nights()
    moment = plain.source.sessions[1].opens_at + timedelta(hours=2)
    told = []
    for opened in (plain, nightly):
        opened.floor.advance(moment)
        told.append([opened.floor.quote(each) for each in (*some_of_all(opened).values(), SPX, VIX, RVX)])

    assert told[0] == told[1]


def test_spx_rut_and_rvx_stand_at_their_close_and_vix_is_published_from_a_quarter_past_three() -> None:
    """The levels behind the prices move on; VIX stands at its close until 03:15 and at its last level from 09:25 on."""
    opened = a_floor_with_nights()
    floor = opened.floor
    closes = opened.source.path(0).of(opened.source.path(0).steps - 1)
    shown: dict[str, list[float | None]] = {}
    for text, day in (
        ("18:30", DAY),
        ("23:00", DAY),
        ("03:14", NEXT),
        ("05:00", NEXT),
        ("09:24", NEXT),
        ("09:29", NEXT),
    ):
        floor.advance(in_new_york(day, text))
        for index in (SPX, RUT, RVX, VIX):
            shown.setdefault(index.symbol, []).append(floor.quote(index).last)

    assert set(shown["SPX"]) == {closes.spx}
    assert set(shown["RUT"]) == {closes.rut}
    assert set(shown["RVX"]) == {closes.rvx}
    assert shown["VIX"][:3] == [closes.vix] * 3
    assert closes.vix not in shown["VIX"][3:5]
    assert shown["VIX"][4] == shown["VIX"][5]
    assert floor.market.levels.spx != closes.spx


def test_a_night_leads_from_the_close_to_the_next_opening() -> None:
    """Its first levels lie near the close, its last near the opening, and no minute moves SPX by a percent."""
    opened = a_floor_with_nights()
    floor, path = opened.floor, opened.source.path(0)
    floor.advance(CLOSES_AT)
    levels = [path.of(path.steps - 1)]
    while (at := floor.next_step_at()) is not None and at <= opened.source.sessions[1].opens_at:
        floor.advance(at)
        levels.append(floor.market.levels)

    assert len(levels) > 1000
    for before, after in pairwise(levels):
        assert after.spx == pytest.approx(before.spx, rel=0.01)
        assert after.vix == pytest.approx(before.vix, abs=0.5)
    assert len({each.spx for each in levels}) > 800


@pytest.mark.parametrize("text", ["18:30", "20:30", "05:00"])
def test_quotes_at_night_are_wider_and_on_their_grid(text: str) -> None:
    """Outside regular hours half the spread is twice the rule's before both sides go to the tick grid."""
    opened = at_night(text, day=NEXT if text < "12" else DAY)
    for each in some_of_all(opened).values():
        quote = opened.floor.quote(each)
        if opened.floor.phase(each) is not Phase.EXTENDED or quote.bid is None or quote.ask is None:
            continue
        rule, mid = rule_of(each), float(quote.bid + quote.ask) / 2
        half = max(rule.least_half_spread, rule.half_spread_frac * mid) * EXTENDED_SPREAD
        tick = float(rule.tick_at(quote.ask))

        assert quote.bid < quote.ask
        assert quote.bid % rule.tick_at(quote.bid) == quote.ask % rule.tick_at(quote.ask) == 0
        assert 1.9 * half <= float(quote.ask - quote.bid) <= 2.1 * half + 2 * tick


def test_a_weekend_has_no_steps_and_its_evening_has() -> None:
    """From Friday 20:00, when the last share trades, to Sunday 17:15 nothing moves; futures come back at 18:00."""
    friday, sunday = date(2026, 10, 23), date(2026, 10, 25)
    opened = a_floor_with_nights(sessions=2, start=friday)
    opened.floor.advance(in_new_york(friday, "20:00"))

    assert opened.floor.next_step_at() == in_new_york(sunday, "17:15")
    opened.floor.advance(in_new_york(date(2026, 10, 24), "12:00"))
    assert {opened.floor.phase(each) for each in some_of_all(opened).values()} == {Phase.CLOSED}
    opened.floor.advance(in_new_york(sunday, "18:00"))
    assert opened.floor.phase(a_future(opened, "VX")) is Phase.EXTENDED


def test_a_holiday_is_closed_but_for_its_evening() -> None:
    """Thanksgiving: nothing from Wednesday 20:00 to Thursday 17:15; the half day after it ends at 13:15, 17:00."""
    wednesday, thursday, friday = (date(2026, 11, day) for day in (25, 26, 27))
    opened = a_floor_with_nights(sessions=3, start=wednesday)
    future = next(each for each in opened.universe.futures if each.trading_class == "VX")
    opened.floor.advance(in_new_york(wednesday, "20:00"))

    assert opened.floor.next_step_at() == in_new_york(thursday, "17:15")
    opened.floor.advance(in_new_york(friday, "13:14"))
    assert opened.floor.phase(future) is Phase.REGULAR
    opened.floor.advance(in_new_york(friday, "13:16"))
    assert (opened.floor.phase(future), opened.floor.phase(SPY)) == (Phase.CLOSED, Phase.EXTENDED)
    assert opened.floor.quote(SPY).bid is not None
    opened.floor.advance(in_new_york(friday, "17:00"))
    assert opened.floor.phase(SPY) is Phase.CLOSED


def test_after_the_last_session_everything_stays_closed() -> None:
    """The source is played out: there is no night into a session that does not come."""
    opened = a_floor_with_nights(sessions=1)
    opened.floor.advance(in_new_york(DAY, "18:30"))

    assert opened.floor.next_step_at() is None
    assert {opened.floor.phase(each) for each in some_of_all(opened).values()} == {Phase.CLOSED}
    opened.floor.place(an_order(SPY, limit="700.00", outside_rth=True))
    opened.floor.advance(in_new_york(NEXT, "18:30"))
    assert [each.status for each in opened.floor.open_orders()] == [VenueStatus.PRE_SUBMITTED]


def test_a_floor_with_nights_stands_at_the_close_before_its_first_session() -> None:
    """Its first night is played as well, so that a clock may begin in it."""
    opened = a_floor_with_nights(sessions=1)

    assert opened.floor.now() == in_new_york(date(2026, 10, 16), "16:15")
    opened.floor.advance(in_new_york(DAY, "05:00"))
    assert opened.floor.quote(SPY).bid is not None


@pytest.mark.parametrize("step_s", [0, -60, 7, 3600])
def test_a_step_that_misses_the_hours_is_refused(step_s: int) -> None:
    """Openings lie on five minutes: a night's step divides them."""
    with pytest.raises(InvalidValueError, match="night_step_s"):
        WorldModel(night_step_s=step_s)


@pytest.mark.parametrize("night_step_s", [20, 60, 300])
def test_a_night_ends_and_begins_by_the_hours_at_any_step(night_step_s: int) -> None:
    """Whatever the step, there is a step at each opening and each closing."""
    opened = a_floor_with_nights(night_step_s=night_step_s)
    heard = listened(opened)
    opened.floor.advance(opened.source.sessions[1].opens_at)
    steps = {each.at for each in heard.of(StepPlayed)}

    for day, text in ((DAY, "17:00"), (DAY, "18:00"), (DAY, "20:00"), (DAY, "20:15"), (NEXT, "03:15"), (NEXT, "09:25")):
        assert in_new_york(day, text) in steps


@pytest.mark.parametrize("pieces", [1, 13])
def test_a_night_is_the_same_however_it_is_cut(pieces: int) -> None:
    """One leap over two days or many small ones tell the same quotes in the same order."""
    whole, cut = a_floor_with_nights(), a_floor_with_nights()
    heard, pieced = listened(whole), listened(cut)
    for opened in (whole, cut):
        for each in (SPY, VIX, a_future(opened, "VX")):
            opened.floor.watch(each)
    start, end = CLOSES_AT, whole.source.sessions[1].opens_at

    whole.floor.advance(end)
    for piece in range(pieces + 1):
        cut.floor.advance(start + (end - start) * piece / pieces)

    assert pieced == heard
    assert len(heard.of(VenueQuote)) > 1_000


def test_who_watches_is_told_when_sides_go_and_come() -> None:
    """At 17:00 a future's sides are gone, at 18:00 they are back."""
    opened = at_night("16:30")
    future = a_future(opened, "VX")
    opened.floor.watch(future)
    heard = listened(opened)
    opened.floor.advance(in_new_york(DAY, "18:30"))
    told = {each.at: each.ask is not None for each in heard.of(VenueQuote)}

    assert told[in_new_york(DAY, "17:00")] is False
    assert told[in_new_york(DAY, "18:00")] is True
    assert not [at for at in told if in_new_york(DAY, "17:00") < at < in_new_york(DAY, "18:00")]


def test_a_watched_and_an_unwatched_contract_show_the_same_prints() -> None:
    """Last price, its size and the night's volume are worked out from the hours, whoever looked before."""
    watched, fresh = a_floor_with_nights(), a_floor_with_nights()
    watched.floor.watch(SPY)
    for opened in (watched, fresh):
        opened.floor.advance(in_new_york(NEXT, "06:30"))
    one, other = watched.floor.quote(SPY), fresh.floor.quote(SPY)

    assert (one.last, one.last_size) == (other.last, other.last_size)
    assert one.volume > 0


# Bars


def bars_of(opened: OpenedFloor, instrument: Instrument, end: datetime, *, regular_only: bool, hours: int = 24) -> list:
    """Return the bars of 30 minutes of some hours before an end."""
    width, reach = Span(count=1800, unit=SpanUnit.SECOND), Span(count=hours * 3600, unit=SpanUnit.SECOND)
    request = BarRequest(what=PriceKind.TRADES, width=width, reach=reach, end=end, regular_only=regular_only)
    return list(opened.floor.bars(instrument, request))


@pytest.mark.parametrize("name", ["SPY", "VX", "VIX call"])
def test_bars_of_all_hours_cover_the_night(name: str) -> None:
    """Each half hour in which the contract traded has one bar, in order; regular bars are the same with nights."""
    opened = at_night("11:00", day=NEXT)
    contract, now = some_of_all(opened)[name], opened.floor.now()

    whole = bars_of(opened, contract, now, regular_only=False)
    regular = bars_of(opened, contract, now, regular_only=True)

    begins = [bar.at for bar in whole]
    assert begins == sorted(set(begins))
    assert {bar.at for bar in regular} <= set(begins)
    assert len(whole) > len(regular) + 10
    for bar in whole:
        assert bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
        moments = (bar.at + timedelta(minutes=minute) for minute in range(30))
        assert any(phase_at(contract, moment, CALENDAR) is not Phase.CLOSED for moment in moments)
    assert all(bar.at <= now for bar in whole)


def test_an_index_has_no_bars_in_hours_in_which_it_is_not_published() -> None:
    """SPX has none between 16:00 and 09:30, VIX has those from 03:15 on."""
    opened = at_night("11:00", day=NEXT)
    now = opened.floor.now()

    spx = bars_of(opened, SPX, now, regular_only=False)
    vix = bars_of(opened, VIX, now, regular_only=False)

    assert spx == bars_of(opened, SPX, now, regular_only=True)
    assert in_new_york(NEXT, "03:00") in {bar.at for bar in vix}
    assert in_new_york(NEXT, "02:30") not in {bar.at for bar in vix}


@pytest.mark.parametrize("name", ["SPY", "VX", "VIX call", "EUR"])
def test_past_ticks_of_all_hours_cover_the_night_and_agree_with_its_bars(name: str) -> None:
    """Of the last five hours before 23:00 each tick lies in the hours, minutes of them are the bars."""
    opened = at_night("23:00")
    contract, now = some_of_all(opened)[name], opened.floor.now()
    start = now - timedelta(hours=5)

    forward = opened.floor.past_quotes(
        contract, PriceKind.MIDPOINT, start=start, end=None, count=1000, regular_only=False
    )
    backward = opened.floor.past_quotes(
        contract, PriceKind.MIDPOINT, start=None, end=now, count=len(forward), regular_only=False
    )
    width, reach = Span(count=60, unit=SpanUnit.SECOND), Span(count=5 * 3600, unit=SpanUnit.SECOND)
    request = BarRequest(what=PriceKind.MIDPOINT, width=width, reach=reach, end=now, regular_only=False)
    bars = {bar.at: bar.close for bar in opened.floor.bars(contract, request) if bar.at >= start}

    assert forward == backward
    assert len(forward) > 100
    assert all(phase_at(contract, tick.at, CALENDAR) is not Phase.CLOSED for tick in forward)
    assert {tick.at: tick.last for tick in forward} == bars


@pytest.mark.parametrize(
    ("day", "text"), [(DAY, "16:40"), (DAY, "18:20"), (DAY, "20:40"), (NEXT, "05:00"), (NEXT, "09:26")]
)
def test_the_last_past_tick_of_a_night_is_the_present_quote(day: date, text: str) -> None:
    """Whatever trades now has both its sides at the end of its past, as wide as they are on the board."""
    opened = at_night(text, day=day)
    for contract in some_of_all(opened).values():
        quote = opened.floor.quote(contract)
        [tick] = opened.floor.past_quotes(
            contract, PriceKind.BID_ASK, start=None, end=None, count=1, regular_only=False
        )
        if quote.ask is not None:
            assert (tick.bid, tick.ask) == (float(quote.bid or 0), float(quote.ask))


def test_bars_of_a_friday_evening_are_there_before_monday() -> None:
    """On Friday evening, and on Saturday, the bars of all hours end with the evening."""
    friday = date(2026, 10, 23)
    opened = a_floor_with_nights(sessions=2, start=friday)
    for text, day, begins in (("18:45", friday, "18:30"), ("12:00", date(2026, 10, 24), "19:30")):
        opened.floor.advance(in_new_york(day, text))
        last = bars_of(opened, SPY, opened.floor.now(), regular_only=False, hours=48)[-1]
        assert last.at == in_new_york(friday, begins)


def test_past_ticks_of_regular_hours_end_with_the_session() -> None:
    """At 23:00 the last tick within regular hours is that of the close."""
    opened = at_night("23:00")
    [tick] = opened.floor.past_quotes(
        some_of_all(opened)["VIX call"], PriceKind.MIDPOINT, start=None, end=None, count=1
    )

    assert tick.at == CLOSES_AT


def test_the_last_print_of_a_night_is_among_its_past_trades() -> None:
    """What the quote shows as last is what the tape tells."""
    opened = at_night("06:30", day=NEXT)
    quote = opened.floor.quote(SPY)
    trades = opened.floor.past_quotes(SPY, PriceKind.TRADES, start=None, end=None, count=1, regular_only=False)

    assert [(tick.last, tick.last_size) for tick in trades] == [(quote.last, quote.last_size)]


def test_who_watches_is_told_that_the_run_is_over() -> None:
    """At the last close the sides go: no step follows that would tell it."""
    opened = a_floor_with_nights(sessions=1)
    future = a_future(opened, "VX")
    opened.floor.watch(future)
    heard = listened(opened)
    opened.floor.advance(CLOSES_AT)

    told = [quote for quote in heard.of(VenueQuote) if quote.instrument == future][-1]
    assert (told.bid, told.ask) == (None, None)


# The gateway


def test_a_gateway_goes_through_a_night_and_a_jump_of_days() -> None:
    """Its clock runs from one session into the next, then leaps over the weekend; steps go on afterwards."""

    async def story() -> tuple[datetime, datetime, datetime | None]:
        loop = asyncio.get_running_loop()
        time = FloorTime(loop.time, OPENS_AT, 600.0)
        settings = SimulatorSettings(
            scenario="blowout", start=DAY, sessions=8, tick_s=60, model=WorldModel(night_step_s=60)
        )
        opened = open_floor(settings, CALENDAR, clock=time.now)
        gateway = Gateway(opened.floor, port=0, time=time)
        await gateway.start()
        await gateway.run(until=in_new_york(NEXT, "10:00"))
        morning = gateway.now()
        gateway.jump(6 * 86_400.0)
        after = gateway.now()
        await gateway.run(until=after + timedelta(minutes=10))
        await gateway.stop()
        return morning, after, opened.floor.next_step_at()

    morning, after, due = run_virtual(story(), start=OPENS_AT)

    assert morning == in_new_york(NEXT, "10:00")
    assert after == in_new_york(date(2026, 10, 26), "10:00")
    assert due is not None
    assert due > after
