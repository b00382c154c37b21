"""The conversation about the past: bars, bars that keep up to date, schedules, past ticks, the oldest bar.

No data is error 162, never an empty answer: a client that keeps its bars up to date drops every update of an empty
list. Source: docs/ib/wire.md, section 5.7.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from bot.domain.instrument import Kind
from simulator.tws.answers.history import (
    BarRow,
    HeadTimestamp,
    HistoricalBars,
    HistoricalBarUpdate,
    Schedule,
    ScheduleRow,
)
from simulator.tws.combos import combo_bars
from simulator.tws.desk import Desk
from simulator.tws.line import Line
from simulator.tws.moments import HOME_ZONE, epoch, moment_of, told, told_in_utc
from simulator.tws.past_ticks import past_ticks
from simulator.tws.requests.contract import contract_of
from simulator.tws.requests.history import (
    CancelHeadTimestamp,
    CancelHistoricalData,
    ReqHeadTimestamp,
    ReqHistoricalData,
    ReqHistoricalTicks,
)
from simulator.tws.resolved import NotPlaced, legs_of
from simulator.tws.spans import BAR_SIZES, KINDS, SCHEDULE, duration_of, is_intraday, is_too_long, length_s
from simulator.venue import Bar, BarRequest, PriceKind, Span, SpanUnit, StepPlayed, VenueLeg

NO_DATA: Final = 162
_NO_DATA_TEXT: Final = "Historical Market Data Service error message:HMDS query returned no data"
_MALFORMED: Final = 321
_SCHEDULE_SINCE: Final = 165
_MOST_SCHEDULE_DAYS: Final = 366
_MOST_TICKS: Final = 1_000
_TICK_KINDS: Final = {kind.value: kind for kind in (PriceKind.TRADES, PriceKind.BID_ASK, PriceKind.MIDPOINT)}
_SPARE_BARS: Final = 2


@dataclass(frozen=True, slots=True)
class _Updating:
    """Bars that keep up to date: what was asked, and the newest bar that was told."""

    legs: tuple[VenueLeg, ...]
    request: BarRequest
    in_epoch: bool
    newest: Bar


class HistoryDesk:
    """One client's questions about the past."""

    def __init__(self, line: Line, desk: Desk) -> None:
        """Begin without bars that keep up to date."""
        self._line = line
        self._desk = desk
        self._updating: dict[int, _Updating] = {}

    # Requests

    def bars(self, request: ReqHistoricalData) -> None:
        """Answer bars, or a schedule; 162 where there are none, 321 for what is not understood."""
        legs = self._legs(request)
        if legs is None:
            return
        if request.what == SCHEDULE:
            self._schedule(request, legs)
            return
        asked = self._asked(request)
        if isinstance(asked, str):
            self._line.error(request.req_id, _MALFORMED, f"Error validating request: {asked}")
            return
        bars = self._bars_of(legs, asked)
        if not bars:
            self._no_data(request.req_id)
            return
        self._line.tell(self._told_bars(request, legs, asked, bars))
        if request.keep_up_to_date:
            self._updating[request.req_id] = _Updating(legs, asked, request.format_date == 2, bars[-1])

    def cancel_bars(self, request: CancelHistoricalData) -> None:
        """End bars that keep up to date; others are answered at once, and nothing is left to cancel."""
        if self._updating.pop(request.req_id, None) is None:
            self._line.error(request.req_id, 366, f"No historical data query found for ticker id:{request.req_id}")

    def head_timestamp(self, request: ReqHeadTimestamp) -> None:
        """Tell when the oldest bar begins."""
        legs = self._legs(request)
        if legs is None:
            return
        kind = KINDS.get(request.what)
        if kind is None:
            self._line.error(request.req_id, _MALFORMED, f"Error validating request: {_unknown_kind(request.what)}")
            return
        first = self._desk.floor.first_bar_at(legs[0].instrument, kind)
        if first is None:
            self._no_data(request.req_id)
            return
        text = str(epoch(first)) if request.format_date == 2 else told_in_utc(first)
        self._line.tell(HeadTimestamp(req_id=request.req_id, at=text))

    def cancel_head_timestamp(self, _request: CancelHeadTimestamp) -> None:
        """The answer has been given."""

    def ticks(self, request: ReqHistoricalTicks) -> None:
        """Answer past ticks from a start on or up to an end, all in one message."""
        legs = self._legs(request)
        if legs is None:
            return
        kind = _TICK_KINDS.get(request.what)
        objection = _objection_to_ticks(request)
        if kind is None or objection or len(legs) > 1:
            text = objection or f"{request.what!r} of this contract is no kind of past tick"
            self._line.error(request.req_id, _MALFORMED, f"Error validating request: {text}")
            return
        found = self._desk.floor.past_quotes(
            legs[0].instrument,
            kind,
            start=moment_of(request.start) if request.start.strip() else None,
            end=moment_of(request.end) if request.end.strip() else None,
            count=min(_MOST_TICKS, request.count),
            regular_only=request.regular_hours,
        )
        self._line.tell(past_ticks(request.req_id, kind, found, ignore_size=request.ignore_size))

    # What happens

    def step_played(self, step: StepPlayed) -> None:
        """Tell the bars that moved or began in a step."""
        for req_id, updating in tuple(self._updating.items()):
            reach = Span(count=_SPARE_BARS * length_s(updating.request.width), unit=SpanUnit.SECOND)
            fresh = self._bars_of(updating.legs, replace(updating.request, end=step.at, reach=reach))
            for bar in fresh:
                if bar.at >= updating.newest.at and bar != self._updating[req_id].newest:
                    self._update(req_id, bar)

    def end_all(self) -> None:
        """End all bars that keep up to date."""
        self._updating.clear()

    # Parts

    def _legs(self, request: ReqHistoricalData | ReqHeadTimestamp | ReqHistoricalTicks) -> tuple[VenueLeg, ...] | None:
        """Return what a request is about, or answer why it is about nothing."""
        query = request.contract
        if isinstance(request, ReqHistoricalData):
            query = contract_of(query, request.legs)
        legs = legs_of(query.expired_too() if request.include_expired else query, self._desk.floor)
        if isinstance(legs, NotPlaced):
            self._line.error(request.req_id, legs.code, legs.text)
            return None
        return legs

    def _asked(self, request: ReqHistoricalData) -> BarRequest | str:
        """Return which bars are meant, or what is wrong with the question."""
        width, reach, kind = BAR_SIZES.get(request.bar_size), duration_of(request.duration), KINDS.get(request.what)
        end = moment_of(request.end) if request.end.strip() else self._desk.floor.now()
        if width is None:
            return f"bar size {request.bar_size!r} is not one of the broker's"
        if reach is None:
            return f"duration {request.duration!r} is not understood"
        if kind is None:
            return _unknown_kind(request.what)
        if end is None:
            return f"end {request.end!r} is not understood"
        if request.keep_up_to_date and request.end.strip():
            return "bars that keep up to date have no end"
        if is_too_long(reach, width):
            return f"{request.duration!r} of {request.bar_size!r} are too many bars"
        return BarRequest(
            what=kind,
            width=width,
            reach=reach,
            end=min(end, self._desk.floor.now()),
            regular_only=request.regular_hours,
        )

    def _bars_of(self, legs: Sequence[VenueLeg], asked: BarRequest) -> tuple[Bar, ...]:
        floor = self._desk.floor
        if len(legs) == 1:
            return floor.bars(legs[0].instrument, asked)
        return combo_bars(legs, [floor.bars(leg.instrument, asked) for leg in legs])

    def _told_bars(
        self, request: ReqHistoricalData, legs: Sequence[VenueLeg], asked: BarRequest, bars: Sequence[Bar]
    ) -> HistoricalBars:
        zone = self._zone(legs)
        rows = tuple(self._row(legs, asked, bar, in_epoch=request.format_date == 2) for bar in bars)
        first = f"{bars[0].day} 00:00:00 {zone}" if not is_intraday(asked.width) else told(bars[0].at, zone)
        return HistoricalBars(req_id=request.req_id, start=first, end=told(asked.end, zone), bars=rows)

    def _row(self, legs: Sequence[VenueLeg], asked: BarRequest, bar: Bar, *, in_epoch: bool) -> BarRow:
        """Return a bar as told; an index has no volume."""
        has_volume = legs[0].instrument.kind is not Kind.INDEX and asked.what in {
            PriceKind.TRADES,
            PriceKind.ADJUSTED_LAST,
        }
        return BarRow(
            at=self._date(legs, asked, bar, in_epoch=in_epoch),
            open=bar.open,
            high=bar.high,
            low=bar.low,
            close=bar.close,
            volume=bar.volume if has_volume else 0,
            average=bar.average or bar.close,
            count=bar.count if has_volume else 0,
        )

    def _date(self, legs: Sequence[VenueLeg], asked: BarRequest, bar: Bar, *, in_epoch: bool) -> str:
        """Return a day for daily and longer bars, else the moment in the contract's zone or in seconds."""
        if not is_intraday(asked.width):
            return bar.day
        return str(epoch(bar.at)) if in_epoch else told(bar.at, self._zone(legs))

    def _update(self, req_id: int, bar: Bar) -> None:
        updating = self._updating[req_id]
        self._updating[req_id] = replace(updating, newest=bar)
        row = self._row(updating.legs, updating.request, bar, in_epoch=updating.in_epoch)
        self._line.tell(
            HistoricalBarUpdate(
                req_id=req_id,
                count=row.count,
                at=row.at,
                open=row.open,
                close=row.close,
                high=row.high,
                low=row.low,
                average=row.average,
                volume=row.volume,
            )
        )

    def _schedule(self, request: ReqHistoricalData, legs: Sequence[VenueLeg]) -> None:
        """Answer the sessions up to the end, as many calendar days as the duration says."""
        end = moment_of(request.end) if request.end.strip() else self._desk.floor.now()
        reach = duration_of(request.duration)
        if self._line.version < _SCHEDULE_SINCE or end is None or reach is None or len(legs) > 1:
            text = f"a schedule until {request.end!r} for {request.duration!r} is not served"
            self._line.error(request.req_id, _MALFORMED, f"Error validating request: {text}")
            return
        zone = self._zone(legs)
        days = min(_MOST_SCHEDULE_DAYS, max(1, length_s(reach) // 86_400))
        first = (end - timedelta(days=days - 1)).astimezone(ZoneInfo(zone)).date()
        found = self._desk.floor.hours(legs[0].instrument, first, days, regular_only=request.regular_hours)
        if not found:
            self._no_data(request.req_id)
            return
        rows = tuple(
            ScheduleRow(start=_dashed(each.opens_at, zone), end=_dashed(each.closes_at, zone), day=each.day)
            for each in found
        )
        self._line.tell(
            Schedule(req_id=request.req_id, start=rows[0].start, end=rows[-1].end, zone=zone, sessions=rows)
        )

    def _zone(self, legs: Sequence[VenueLeg]) -> str:
        return self._desk.listing(legs[0].instrument).time_zone or HOME_ZONE

    def _no_data(self, req_id: int) -> None:
        self._line.error(req_id, NO_DATA, _NO_DATA_TEXT)


def _unknown_kind(what: str) -> str:
    return f"{what!r} is not one of {', '.join(sorted(KINDS))}"


def _dashed(moment: datetime, zone: str) -> str:
    """Return ``YYYYMMDD-HH:MM:SS`` in a zone's time."""
    return f"{moment.astimezone(ZoneInfo(zone)):%Y%m%d-%H:%M:%S}"


def _objection_to_ticks(request: ReqHistoricalTicks) -> str:
    start, end = request.start.strip(), request.end.strip()
    if bool(start) == bool(end):
        return "past ticks need a start or an end, and not both"
    if moment_of(start or end) is None:
        return f"{start or end!r} is no moment"
    if request.count < 1:
        return f"{request.count} ticks are none"
    return ""
