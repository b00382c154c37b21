"""The past: bars made of each other and of ticks, nothing beyond now, and the same answer each time."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby

import pytest
from floors import CALENDAR, DAY, SPY, a_call, a_floor, a_future, an_open_floor
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.instrument import RUT, RVX, SPX, VIX, Instrument
from simulator.opening import OpenedFloor
from simulator.venue import Bar, BarRequest, PastQuote, PriceKind, Span, SpanUnit

_OPENED = an_open_floor(minutes=200, sessions=2)
NOW = _OPENED.floor.now()
INSTRUMENTS = (SPX, RUT, VIX, RVX, SPY, a_call(_OPENED), a_future(_OPENED, "VX"))
TRADED = INSTRUMENTS[4:]


def bars(
    instrument: Instrument,
    width_s: int,
    *,
    what: PriceKind = PriceKind.TRADES,
    end: datetime = NOW,
    reach: Span | None = None,
    opened: OpenedFloor = _OPENED,
) -> tuple[Bar, ...]:
    """Return bars of a day unless another reach is stated."""
    width = Span(count=width_s, unit=SpanUnit.SECOND) if width_s else Span(count=1, unit=SpanUnit.DAY)
    reach = reach or Span(count=1, unit=SpanUnit.DAY)
    return opened.floor.bars(instrument, BarRequest(what=what, width=width, reach=reach, end=end))


def joined(fine: Sequence[Bar], width_s: int, begins: datetime) -> dict[datetime, tuple[float, float, float, float]]:
    """Return open, high, low and close of fine bars put together into wider ones."""
    width, found = timedelta(seconds=width_s), {}
    for number, same in groupby(fine, key=lambda bar: (bar.at - begins) // width):
        told = list(same)
        high, low = max(bar.high for bar in told), min(bar.low for bar in told)
        found[begins + number * width] = (told[0].open, high, low, told[-1].close)
    return found


def prices(bar: Bar) -> tuple[float, float, float, float]:
    """Return open, high, low and close."""
    return bar.open, bar.high, bar.low, bar.close


@pytest.mark.parametrize("index", [SPX, RUT, VIX, RVX], ids=lambda each: each.symbol)
@pytest.mark.parametrize("width_s", [300, 1800, 3600])
def test_minute_bars_of_an_index_make_its_wider_bars(index: Instrument, width_s: int) -> None:
    """Open, high, low and close of one-minute bars put together are those of five minutes, half an hour and an hour."""
    fine = bars(index, 60)
    made = joined(fine, width_s, fine[0].at)

    assert {bar.at: prices(bar) for bar in bars(index, width_s)} == made


@pytest.mark.parametrize("index", [SPX, RUT, VIX, RVX], ids=lambda each: each.symbol)
def test_the_bars_of_a_finished_session_make_its_daily_bar(index: Instrument) -> None:
    """Hourly bars of an index put together are its day; SPX and RUT stand still after 16:00."""
    opened = a_floor(sessions=2)
    opened.floor.advance(opened.source.sessions[0].closes_at)
    end = opened.floor.now()

    [day] = bars(index, 0, opened=opened, end=end)
    [made] = joined(bars(index, 3600, opened=opened, end=end), 86_400, opened.source.sessions[0].opens_at).values()

    assert prices(day) == made


@pytest.mark.parametrize("instrument", TRADED, ids=lambda each: each.key)
def test_wide_bars_of_a_contract_lie_within_their_minute_bars(instrument: Instrument) -> None:
    """Both begin with the same moment; a wide bar looks at six moments, so its range is no wider than the minutes'."""
    what = PriceKind.MIDPOINT
    fine = bars(instrument, 60, what=what)
    made = joined(fine, 1800, fine[0].at)
    for bar in bars(instrument, 1800, what=what):
        first, high, low, _ = made[bar.at]
        assert bar.open == first
        assert low <= bar.low <= bar.close <= bar.high <= high


@pytest.mark.parametrize("instrument", TRADED, ids=lambda each: each.key)
@pytest.mark.parametrize("what", [PriceKind.MIDPOINT, PriceKind.BID, PriceKind.ASK])
def test_past_ticks_make_the_bars(instrument: Instrument, what: PriceKind) -> None:
    """Half an hour of ticks, minute by minute, has the open, high, low and close of its one-minute bars."""
    start = NOW - timedelta(minutes=30)
    kind = PriceKind.MIDPOINT if what is PriceKind.MIDPOINT else PriceKind.BID_ASK
    ticks = _OPENED.floor.past_quotes(instrument, kind, start=start, end=NOW, count=1000)
    found = {}
    for minute, same in groupby(ticks, key=lambda tick: tick.at.replace(second=0)):
        told = [price_of(tick, what) for tick in same]
        found[minute] = (told[0], max(told), min(told), told[-1])

    window = Span(count=1800, unit=SpanUnit.SECOND)
    made = {bar.at: prices(bar) for bar in bars(instrument, 60, what=what, reach=window) if bar.at >= start}
    assert made == found
    assert len(made) == 31


def price_of(tick: PastQuote, what: PriceKind) -> float:
    """Return the price that a kind means."""
    told = {PriceKind.MIDPOINT: tick.last, PriceKind.BID: tick.bid, PriceKind.ASK: tick.ask}[what]
    return float(told or 0)


@pytest.mark.parametrize("instrument", INSTRUMENTS, ids=lambda each: each.key)
def test_the_last_bar_ends_with_the_present_price(instrument: Instrument) -> None:
    """The unfinished minute closes where the quote stands now."""
    what = PriceKind.TRADES if instrument.kind.value == "IND" else PriceKind.MIDPOINT
    quote = _OPENED.floor.quote(instrument)
    now = quote.last if quote.bid is None or quote.ask is None else float((quote.bid + quote.ask) / 2)

    assert bars(instrument, 60, what=what)[-1].close == now


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(INSTRUMENTS),
    st.sampled_from([15, 60, 300, 3600, 0]),
    st.integers(-90_000, 90_000),
    st.integers(1, 40_000),
)
def test_nothing_lies_beyond_now_or_beyond_what_was_asked(
    instrument: Instrument, width_s: int, ahead_s: int, reach_s: int
) -> None:
    """Whatever end is asked for, bars begin at or before it and before now, ascend, and hold their own prices."""
    end, reach = NOW + timedelta(seconds=ahead_s), Span(count=reach_s, unit=SpanUnit.SECOND)
    found = bars(instrument, width_s, end=end, reach=reach)

    assert all(bar.at <= min(end, NOW) for bar in found)
    assert [bar.at for bar in found] == sorted({bar.at for bar in found})
    assert all(bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in found)


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(INSTRUMENTS), st.integers(-20_000, 20_000), st.integers(1, 1200), st.booleans())
def test_ticks_are_those_that_were_asked_for(instrument: Instrument, shift_s: int, count: int, forward: bool) -> None:  # noqa: FBT001 - drawn
    """At most a thousand, ascending, never after now; from a start on, or up to an end."""
    edge = NOW + timedelta(seconds=shift_s)
    ends = {"start": edge, "end": None} if forward else {"start": None, "end": edge}
    what = PriceKind.TRADES if instrument.kind.value == "IND" else PriceKind.BID_ASK
    ticks = _OPENED.floor.past_quotes(instrument, what, count=count, **ends)

    assert len(ticks) <= min(count, 1000)
    assert [tick.at for tick in ticks] == sorted(tick.at for tick in ticks)
    assert all(tick.at <= NOW for tick in ticks)
    assert all(tick.at >= edge if forward else tick.at <= edge for tick in ticks)


@pytest.mark.parametrize("instrument", INSTRUMENTS, ids=lambda each: each.key)
def test_the_past_does_not_change_as_time_goes_on(instrument: Instrument) -> None:
    """Bars of an hour that is over are the same when asked for again later, and on another floor of the same seed."""
    end = DAY_OPENS + timedelta(hours=1)
    reach = Span(count=1800, unit=SpanUnit.SECOND)
    early, late = an_open_floor(minutes=60, sessions=2), an_open_floor(minutes=390, sessions=2)

    told = [bars(instrument, 60, end=end - timedelta(seconds=1), reach=reach, opened=each) for each in (early, late)]

    assert told[0] == told[1]
    assert len(told[0]) >= 30


@pytest.mark.parametrize("instrument", TRADED, ids=lambda each: each.key)
def test_the_volume_of_bars_is_that_of_the_quote(instrument: Instrument) -> None:
    """Bars of fifteen seconds from the open to now add up to the volume on the board, but for currencies."""
    total = sum(bar.volume for bar in bars(instrument, 15))

    assert total == _OPENED.floor.quote(instrument).volume


DAY_OPENS = next(CALENDAR.sessions(DAY, DAY)).opens_at
