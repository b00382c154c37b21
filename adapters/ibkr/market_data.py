"""Streams and snapshots: what is wanted becomes what is subscribed, one frame at a time within the message budget."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from adapters.ibkr.contract_book import ContractBook
from adapters.ibkr.contracts import traded
from adapters.ibkr.errors import CODES, DataMeaning, RequestMeaning, meaning_of
from adapters.ibkr.feed import DataFeed
from adapters.ibkr.pacing import FrameBudget
from adapters.ibkr.quotes import GENERIC_TICKS, Line
from adapters.ibkr.tap import TappedIB
from bot.domain.errors import BrokerRejectedError, ConnectivityError
from bot.domain.instrument import Instrument, InstrumentKey
from bot.domain.market import DataType, ModelGreeks, Quote
from bot.ports import Clock, Sink

_ABOUT_GENERIC: Final = "generic tick"
"""In the broker's words where it does not know what is asked for beside prices (321)."""

_log = logging.getLogger(__name__)


class Streams:
    """The lines that are open and those that are wanted."""

    def __init__(
        self,
        *,
        ib: TappedIB,
        budget: FrameBudget,
        contracts: ContractBook,
        feed: DataFeed,
        clock: Clock,
        sink: Sink,
        snapshot_timeout_s: float,
    ) -> None:
        """Start with nothing wanted and no line open."""
        self._ib = ib
        self._budget = budget
        self._contracts = contracts
        self._feed = feed
        self._clock = clock
        self._sink = sink
        self._snapshot_timeout_s = snapshot_timeout_s
        self._wanted: dict[InstrumentKey, Instrument] = {}
        self._given_up: set[InstrumentKey] = set()
        self._plain: set[InstrumentKey] = set()  # of which the broker tells prices alone
        self._lines: dict[int, Line] = {}
        self._streams: dict[InstrumentKey, int] = {}
        self._snapshots: dict[int, asyncio.Future[None]] = {}
        self._dirty: dict[int, Line] = {}
        self._pump: asyncio.Task[None] | None = None

    # what is wanted ------------------------------------------------------------------------------------------------

    def watch(self, instruments: Sequence[Instrument]) -> None:
        """Stream these and no others; subscriptions follow as the message budget allows."""
        self._wanted = {instrument.key: instrument for instrument in instruments}
        for key in self._given_up - self._wanted.keys():
            self._feed.line_closed(key)
        self._given_up.clear()
        self._start_pump()

    def link_up(self) -> None:
        """Open what is wanted on a fresh connection."""
        self._given_up.clear()
        self._start_pump()

    def resubscribe(self) -> None:
        """Open every wanted line again: the broker has forgotten them."""
        self._forget_streams()
        self._given_up.clear()
        self._start_pump()

    def link_lost(self) -> None:
        """Forget all lines; what is wanted stays wanted."""
        if self._pump is not None:
            self._pump.cancel()
        self._pump = None
        self._forget_streams()
        for ended in self._snapshots.values():
            if not ended.done():
                ended.set_exception(ConnectivityError("snapshot: the connection broke"))

    def _forget_streams(self) -> None:
        for req_id in self._streams.values():
            self._lines.pop(req_id, None)
        self._streams.clear()
        self._dirty.clear()

    def _start_pump(self) -> None:
        if self._ib.client.isReady() and (self._pump is None or self._pump.done()):
            self._pump = asyncio.get_running_loop().create_task(self._bring_in_line())

    async def _bring_in_line(self) -> None:
        """Close and open one line after the other until what is subscribed is what is wanted."""
        try:
            while True:
                surplus = next((key for key in self._streams if key not in self._wanted), None)
                missing = next((self._wanted[key] for key in self._wanted if self._is_missing(key)), None)
                if surplus is not None:
                    await self._close(surplus)
                elif missing is not None:
                    await self._open(missing)
                else:
                    return
        except ConnectivityError as error:
            _log.warning("subscriptions wait for the link: %s", error)

    def _is_missing(self, key: InstrumentKey) -> bool:
        return key not in self._streams and key not in self._given_up

    async def _close(self, key: InstrumentKey) -> None:
        await self._budget.room(self._clock.sleep)
        req_id = self._streams.pop(key, None)
        if req_id is None:
            return
        self._lines.pop(req_id, None)
        self._dirty.pop(req_id, None)
        self._feed.line_closed(key)
        self._write(lambda: self._ib.client.cancelMktData(req_id))

    async def _open(self, instrument: Instrument) -> None:
        try:
            contract = traded(await self._contracts.qualify(instrument))
        except BrokerRejectedError as error:
            _log.error("no data of %s: %s", instrument.key, error)
            self._given_up.add(instrument.key)
            self._feed.line_failed(instrument.key, str(error))
            return
        await self._budget.room(self._clock.sleep)
        if instrument.key not in self._wanted or instrument.key in self._streams:
            return  # the wish changed while we waited
        self._require_open()
        req_id = self._ib.client.getReqId()
        self._streams[instrument.key] = req_id
        self._lines[req_id] = Line(instrument)
        generic = "" if instrument.key in self._plain else GENERIC_TICKS.get(instrument.kind, "")
        self._write(lambda: self._ib.client.reqMktData(req_id, contract, generic, False, False, []))

    # snapshots -----------------------------------------------------------------------------------------------------

    async def snapshot(self, instruments: Sequence[Instrument]) -> Mapping[InstrumentKey, Quote]:
        """Return one quote each, where the broker has one in time.

        Raises:
            ConnectivityError: Not connected, or the connection broke.
        """
        lines = await self._shown(instruments)
        quotes = (line.changed_quote(self._clock.now_ns()) for line in lines)
        return {quote.key: quote for quote in quotes if quote is not None}

    async def model_greeks(self, instruments: Sequence[Instrument]) -> Mapping[InstrumentKey, ModelGreeks]:
        """Return what the broker's model says of each, where it said something in time.

        Raises:
            ConnectivityError: Not connected, or the connection broke.
        """
        lines = await self._shown(instruments)
        return {line.instrument.key: line.model for line in lines if line.model is not None}

    async def _shown(self, instruments: Sequence[Instrument]) -> list[Line]:
        """The lines of snapshots that ended, each as it stood then."""
        shown = await asyncio.gather(*(self._one_snapshot(instrument) for instrument in instruments))
        return [line for line in shown if line is not None]

    async def _one_snapshot(self, instrument: Instrument) -> Line | None:
        try:
            contract = traded(await self._contracts.qualify(instrument))
        except BrokerRejectedError as error:
            _log.warning("no snapshot of %s: %s", instrument.key, error)
            return None
        await self._budget.room(self._clock.sleep)
        self._require_open()
        req_id = self._ib.client.getReqId()
        line = self._lines[req_id] = Line(instrument)
        ended = self._snapshots[req_id] = asyncio.get_running_loop().create_future()
        try:
            self._write(lambda: self._ib.client.reqMktData(req_id, contract, "", True, False, []))
            await asyncio.wait_for(ended, self._snapshot_timeout_s)
        except (TimeoutError, BrokerRejectedError) as error:
            _log.warning("no snapshot of %s: %r", instrument.key, error)
            return None
        finally:
            self._lines.pop(req_id, None)
            self._snapshots.pop(req_id, None)
        return line

    def _require_open(self) -> None:
        if not self._ib.client.isReady():
            raise ConnectivityError("market data: not connected")

    @staticmethod
    def _write(write: Callable[[], object]) -> None:
        try:
            write()
        except ConnectionError as error:
            raise ConnectivityError("market data: not connected") from error

    # what arrives --------------------------------------------------------------------------------------------------

    def price_ticked(self, req_id: int, tick_type: int, price: float, size: float) -> None:
        """Take a price tick; an index level leaves at once."""
        line = self._lines.get(req_id)
        if line is None:
            return  # late, for a line that is closed
        tick = line.price(tick_type, price, size, self._clock.now_ns())
        self._watch_kind(req_id, line)
        if tick is not None and req_id not in self._snapshots:
            self._sink(tick)
            if tick.data_type is DataType.LIVE:
                self._feed.live_tick(tick.key)
        elif not line.is_index:
            self._dirty[req_id] = line

    def size_ticked(self, req_id: int, tick_type: int, size: float) -> None:
        """Take a size tick."""
        line = self._lines.get(req_id)
        if line is not None and not line.is_index:
            line.size(tick_type, size)
            self._dirty[req_id] = line

    def data_type_told(self, req_id: int, data_type: int) -> None:
        """Take the kind of data of a line."""
        line = self._lines.get(req_id)
        if line is not None:
            line.type_told(data_type)
            self._watch_kind(req_id, line)
            self._dirty[req_id] = line

    def _watch_kind(self, req_id: int, line: Line) -> None:
        """A stream that is not live makes the feed unusable; a question for a snapshot is no feed."""
        if line.data_type is not DataType.LIVE and req_id not in self._snapshots:
            self._feed.line_not_live(line.instrument.key, line.data_type.name.lower().replace("_", " "))

    def model_told(self, req_id: int, delta: float, theta: float) -> None:
        """Take the greeks of the broker's model."""
        line = self._lines.get(req_id)
        if line is not None:
            line.model_told(delta, theta)

    def snapshot_ended(self, req_id: int) -> None:
        """Take the end of a snapshot."""
        ended = self._snapshots.get(req_id)
        if ended is not None and not ended.done():
            ended.set_result(None)

    def processed(self) -> None:
        """Let the quotes leave that changed during one read of the socket."""
        if not self._dirty:
            return
        dirty, self._dirty = self._dirty, {}
        at_ns, now = self._clock.now_ns(), self._clock.now()
        for req_id, line in dirty.items():
            if req_id in self._snapshots or line.is_index:
                continue
            interest = line.news_of_interest(now)
            if interest is not None:
                self._sink(interest)  # first, so that it stands beside the quote with which it came
            quote = line.changed_quote(at_ns)
            if quote is not None:
                self._sink(quote)
                if quote.data_type is DataType.LIVE and quote.is_two_sided:
                    self._feed.live_tick(quote.key)

    def failed(self, req_id: int, code: int, text: str) -> bool:
        """Take an error or notice on a line; False when it names none."""
        line = self._lines.get(req_id)
        if line is None:
            return False
        meaning = meaning_of(code)
        words = f"{code}: {text}"
        if meaning.data is DataMeaning.NOT_ENTITLED and req_id not in self._snapshots:  # a question is no feed
            self._feed.line_failed(line.instrument.key, words)
        if meaning.request is RequestMeaning.NOTICE and code in CODES:
            return True
        self._end(req_id, line, words)
        return True

    def _end(self, req_id: int, line: Line, words: str) -> None:
        """Close a line that the broker refused; it is not asked for again until the next wish."""
        ended = self._snapshots.get(req_id)
        if ended is not None:
            if not ended.done():
                ended.set_exception(BrokerRejectedError(words))
            return
        if _ABOUT_GENERIC in words.lower() and line.instrument.key not in self._plain:
            self._without_generic(line.instrument, req_id, words)
            return
        _log.error("line of %s ended: %s", line.instrument.key, words)
        self._feed.line_failed(line.instrument.key, words)
        self._given_up.add(line.instrument.key)
        self._lines.pop(req_id, None)
        self._streams.pop(line.instrument.key, None)

    def _without_generic(self, instrument: Instrument, req_id: int, words: str) -> None:
        """Open a line anew for its prices alone: a contract without an open interest can still be sold."""
        _log.warning("line of %s without open interest: %s", instrument.key, words)
        self._plain.add(instrument.key)
        self._lines.pop(req_id, None)
        self._streams.pop(instrument.key, None)
        self._start_pump()
