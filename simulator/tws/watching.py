"""The conversation about prices: streams, snapshots, daily bars."""

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from bot.domain.instrument import Instrument, Kind
from simulator.listing import ContractQuery
from simulator.tws.desk import Desk
from simulator.tws.framing import frame
from simulator.tws.line import Line
from simulator.tws.requests import (
    CancelHistoricalData,
    CancelMarketData,
    ReqHistoricalData,
    ReqMarketData,
    ReqMarketDataType,
)
from simulator.tws.ticks import Subscription
from simulator.venue import DailyBar, VenueQuote

_LIVE: Final = 1
_NEW_YORK: Final = ZoneInfo("US/Eastern")
_SESSIONS_IN: Final = {"D": 1.0, "W": 5.0, "M": 21.0, "Y": 252.0}
_MOST_BARS: Final = 5_000
_PRICES: Final = frozenset({"TRADES", "MIDPOINT", "BID", "ASK", "ADJUSTED_LAST"})
_DAILY: Final = frozenset({"1 day", "1 D", "1D"})


class QuoteDesk:
    """One client's streams."""

    def __init__(self, line: Line, desk: Desk) -> None:
        """Begin without streams."""
        self._line = line
        self._desk = desk
        self._streams: dict[int, tuple[Instrument, Subscription]] = {}
        self._by_key: dict[str, dict[int, Subscription]] = {}

    # Requests

    def data_type(self, _request: ReqMarketDataType) -> None:
        """Everything here is live; each request for data is told so."""

    def market_data(self, request: ReqMarketData) -> None:
        """Begin a stream, or answer a snapshot."""
        instrument = self._instrument(request.req_id, request.contract)
        if instrument is None:
            return
        if request.req_id in self._streams:
            self._line.error(request.req_id, 322, "Error processing request: duplicate ticker id")
            return
        floor = self._desk.floor
        subscription = Subscription(request.req_id, has_sides=instrument.kind is not Kind.INDEX)
        min_tick = self._desk.listing(instrument).min_tick
        head = frame(58, 1, request.req_id, _LIVE) + frame(81, request.req_id, min_tick, "", 3)
        if request.snapshot:
            self._line.send(head, subscription.frames(floor.quote(instrument)), frame(57, 1, request.req_id))
            return
        self._streams[request.req_id] = (instrument, subscription)
        self._by_key.setdefault(instrument.key, {})[request.req_id] = subscription
        self._line.send(head, subscription.frames(floor.watch(instrument)))

    def cancel_market_data(self, request: CancelMarketData) -> None:
        """End a stream; an unknown id is error 300."""
        found = self._streams.pop(request.req_id, None)
        if found is None:
            self._line.error(request.req_id, 300, f"Can't find EId with tickerId:{request.req_id}")
            return
        instrument, _ = found
        del self._by_key[instrument.key][request.req_id]
        self._desk.floor.unwatch(instrument)

    def bars(self, request: ReqHistoricalData) -> None:
        """Answer daily bars; error 162 where there are none, 321 for what this exchange does not keep."""
        instrument = self._instrument(request.req_id, request.contract)
        if instrument is None:
            return
        objection = _objection(request)
        end, count = _end_of(request.end, self._desk.floor.now()), _count_of(request.duration)
        if objection or end is None or count is None:
            text = objection or f"end {request.end!r} or duration {request.duration!r} is not understood"
            self._line.error(request.req_id, 321, f"Error validating request: {text}")
            return
        bars = self._desk.floor.daily_bars(instrument, end, count)
        if not bars:
            text = "Historical Market Data Service error message:HMDS query returned no data: "
            self._line.error(request.req_id, 162, f"{text}{request.contract.symbol}")
            return
        self._line.send(_bars_frame(request.req_id, bars, end))

    def cancel_bars(self, request: CancelHistoricalData) -> None:
        """Bars are answered at once: nothing is left to cancel."""
        self._line.error(request.req_id, 366, f"No historical data query found for ticker id:{request.req_id}")

    # What happens

    def quoted(self, quote: VenueQuote) -> None:
        """Tell what changed, one write for each stream of the contract."""
        for subscription in self._by_key.get(quote.instrument.key, {}).values():
            frames = subscription.frames(quote)
            if frames:
                self._line.send(frames)

    def streams(self) -> dict[int, Instrument]:
        """Return what is streamed, by request."""
        return {req_id: instrument for req_id, (instrument, _) in self._streams.items()}

    def end_all(self) -> None:
        """End all streams: the client is gone, or its data line is lost."""
        for instrument, _ in self._streams.values():
            self._desk.floor.unwatch(instrument)
        self._streams.clear()
        self._by_key.clear()

    def _instrument(self, req_id: int, query: ContractQuery) -> Instrument | None:
        """Return the one contract that a query names, or answer error 200 or 321."""
        if query.sec_type == "BAG":
            self._line.error(req_id, 321, "Error validating request: combos have no market data here")
            return None
        found = self._desk.floor.matching(query)
        if len(found) != 1:
            which = "No security definition has been found" if not found else "The contract description is ambiguous"
            self._line.error(req_id, 200, f"{which} for the request")
            return None
        return found[0].instrument


def _objection(request: ReqHistoricalData) -> str:
    if request.bar_size not in _DAILY:
        return f"bar size {request.bar_size!r} is not kept, expected '1 day'"
    if request.keep_up_to_date:
        return "bars that keep up to date are not served"
    if request.what_to_show not in _PRICES:
        return f"{request.what_to_show!r} is not kept, expected one of {', '.join(sorted(_PRICES))}"
    return ""


def _end_of(text: str, now: datetime) -> datetime | None:
    """Return the end of a request: now for empty, New York time unless it says UTC."""
    if not text:
        return now
    day, _, rest = text.replace("-", " ", 1).partition(" ")
    hour, _, zone = rest.strip().partition(" ")
    zone = "UTC" if "-" in text[:9] else zone
    try:
        moment = datetime.strptime(f"{day} {hour}", "%Y%m%d %H:%M:%S")  # noqa: DTZ007 - the zone is set on the next line
        return moment.replace(tzinfo=UTC if zone in {"UTC", "GMT"} else ZoneInfo(zone or "US/Eastern"))
    except (ValueError, KeyError, OSError):
        return None


def _count_of(duration: str) -> int | None:
    """Return how many sessions a duration spans, at least one; None when it is not understood."""
    number, _, unit = duration.strip().partition(" ")
    if not number.isdecimal() or len(number) > 6 or unit not in {*_SESSIONS_IN, "S"}:
        return None
    if unit == "S":
        return 1
    return max(1, min(_MOST_BARS, round(int(number) * _SESSIONS_IN[unit])))


def _bars_frame(req_id: int, bars: tuple[DailyBar, ...], end: datetime) -> bytes:
    """Return 17; an index has no volume, and its average is its close."""
    rows = [value for bar in bars for value in (bar.day, bar.open, bar.high, bar.low, bar.close, 0, bar.close, 0)]
    first = f"{bars[0].day} 00:00:00 US/Eastern"
    last = f"{end.astimezone(_NEW_YORK):%Y%m%d %H:%M:%S} US/Eastern"
    return frame(17, req_id, first, last, len(bars), *rows)
