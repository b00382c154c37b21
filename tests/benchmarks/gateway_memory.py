"""The memory of ``alvh gateway`` over a simulated week: one process that serves a client which streams and trades.

The gateway runs as its users run it, with nights and its whole universe; time is advanced over its control socket, a
minute at once. Every morning the client looks up chains and histories of everything, so that whatever the gateway keeps
for good is there after the first day; what it holds after the last day is measured against that.
"""

import asyncio
import contextlib
import re
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.ibkr.library import IB, Contract, Order
from bot.compose.controlling import END
from tests.benchmarks.measure import Figure

MINUTES = 24 * 60
TRADES_EVERY = 30  # minutes, in the first six hours of a day, which begins at ten
TRADING_MINUTES = 360
AIM_RATIO = 1.1  # caches of a bounded number fill for some days
TICKERS = 20
START_WITHIN_S = 60.0
KIB_PER_MIB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """How long the gateway runs: whole days of so many minutes, from Monday at ten on."""

    days: int = 5
    minutes: int = MINUTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Resident memory of the gateway's process after each day, MiB, with the orders that were filled in it."""

    after_days: tuple[float, ...]
    filled: int


def memory_figure(week: Week | None = None) -> Figure:
    """Measure the last day's memory against the first one's."""
    found = asyncio.run(gateway_memory(week or Week()))
    first, last = found.after_days[0], found.after_days[-1]
    return Figure(
        name=f"memory of alvh gateway after {len(found.after_days)} simulated days, a client with {TICKERS} tickers, "
        f"{found.filled} orders filled",
        measured=f"{last:.1f} MiB ({', '.join(f'{each:.1f}' for each in found.after_days)} day by day)",
        floor=f"{first:.1f} MiB, the same process after its first day",
        ratio=last / first,
        aim=f"<= {AIM_RATIO}",
    )


async def gateway_memory(week: Week) -> Memory:
    """Run a gateway through a week in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        control = Path(folder) / "control"
        async with _gateway(control, sessions=week.days + 1) as (process, port):
            client = _Client()
            await client.begin(port)
            after = []
            for _ in range(week.days):
                await client.look_everything_up()
                await _day(client, control, week.minutes)
                after.append(await _resident_mib(process.pid))
            client.end()
    return Memory(after_days=tuple(after), filled=client.filled)


async def _day(client: "_Client", control: Path, minutes: int) -> None:
    for minute in range(minutes):
        await _told(control, "advance 1m")
        if minute < TRADING_MINUTES and minute % TRADES_EVERY == 0:
            await client.trade()
        await client.catch_up()


class _Client:
    """A program on the gateway's wire: twenty tickers, and one VXM bought or sold in turn."""

    def __init__(self) -> None:
        self._ib = IB()
        self._ib.client.MaxRequests = 0
        self._future = Contract()
        self._ticker: Any = None
        self.filled = 0

    async def begin(self, port: int) -> None:
        """Connect and stream."""
        await self._ib.connectAsync("127.0.0.1", port, clientId=5)
        futures = await self._found(secType="FUT", symbol="VIX", exchange="CFE", tradingClass="VXM")
        self._future = futures[1]
        for contract in await self._watched():
            ticker = self._ib.reqMktData(contract)
            if contract is self._future:
                self._ticker = ticker

    async def _watched(self) -> list[Contract]:
        indices = [
            (await self._found(secType="IND", symbol=symbol, exchange=exchange))[0]
            for symbol, exchange in (("SPX", "CBOE"), ("VIX", "CBOE"), ("RVX", "CBOE"), ("RUT", "RUSSELL"))
        ]
        (spy,) = await self._found(secType="STK", symbol="SPY", exchange="SMART")
        expiry = (await self._chain(indices[1]))[1]
        options = await self._found(secType="OPT", symbol="VIX", exchange="SMART", lastTradeDateOrContractMonth=expiry)
        near = sorted(options, key=lambda each: abs(each.strike - 20.0))
        found = [*indices, spy, self._future]
        return [*found, *near[: TICKERS - len(found)]]

    async def _chain(self, index: Contract) -> list[str]:
        """Return the expiries of an index's own options."""
        chains = await self._ib.reqSecDefOptParamsAsync(index.symbol, "", index.secType, index.conId)
        return next(list(chain.expirations) for chain in chains if chain.tradingClass == index.symbol)

    async def _found(self, **terms: Any) -> list[Contract]:
        details = await self._ib.reqContractDetailsAsync(Contract(currency="USD", **terms))
        return [each.contract for each in details]

    async def look_everything_up(self) -> None:
        """Ask for every chain, every option of SPX, RUT and VIX, and histories of what is streamed."""
        for symbol, exchange in (("SPX", "CBOE"), ("RUT", "RUSSELL"), ("VIX", "CBOE")):
            (index,) = await self._found(secType="IND", symbol=symbol, exchange=exchange)
            for expiry in await self._chain(index):
                await self._found(secType="OPT", symbol=symbol, exchange="SMART", lastTradeDateOrContractMonth=expiry)
        for ticker in self._ib.tickers():
            what = "TRADES" if ticker.contract.secType == "IND" else "MIDPOINT"
            for reach, width in (("1 M", "1 day"), ("1 D", "5 mins")):
                await self._ib.reqHistoricalDataAsync(ticker.contract, "", reach, width, what, useRTH=True)

    async def trade(self) -> None:
        """Buy or sell one VXM at the other side's price."""
        side, price = ("SELL", self._ticker.bid) if self.filled % 2 else ("BUY", self._ticker.ask)
        if not price > 0:
            return
        trade = self._ib.placeOrder(
            self._future, Order(action=side, totalQuantity=1, orderType="LMT", lmtPrice=price, tif="DAY")
        )
        await self.catch_up()
        self.filled += trade.orderStatus.status == "Filled"

    async def catch_up(self) -> None:
        """Wait for an answer behind everything that was told before."""
        await self._ib.reqCurrentTimeAsync()

    def end(self) -> None:
        """Disconnect."""
        self._ib.disconnect()


@asynccontextmanager
async def _gateway(control: Path, *, sessions: int) -> AsyncIterator[tuple[Process, int]]:
    """Run ``alvh gateway`` in a process; yields it and its port."""
    options: Sequence[str] = ("--port", "0", "--control", str(control), "--sessions", str(sessions))
    command = (sys.executable, "-m", "bot", "gateway", *options)
    process = await asyncio.create_subprocess_exec(*command, stdout=DEVNULL, stderr=PIPE)
    if process.stderr is None:
        raise RuntimeError("the gateway's log is not connected")
    async with asyncio.timeout(START_WITHIN_S):
        line = (await process.stderr.readline()).decode()
    port = re.search(r":(\d+), account", line)
    if port is None:
        raise RuntimeError(f"the gateway did not start: {line}")
    reading = asyncio.ensure_future(process.stderr.read())
    try:
        yield process, int(port[1])
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await asyncio.gather(process.wait(), reading)


async def _told(control: Path, command: str) -> None:
    """Tell the gateway a command and wait until it has carried it out."""
    reader, writer = await asyncio.open_unix_connection(str(control))
    writer.write(f"{command}\n".encode())
    answer = await reader.readuntil(END)
    writer.close()
    if not answer.startswith(b"ok"):
        raise RuntimeError(f"{command}: {answer.decode()}")


async def _resident_mib(pid: int) -> float:
    process = await asyncio.create_subprocess_exec("ps", "-o", "rss=", "-p", str(pid), stdout=PIPE)
    out, _ = await process.communicate()
    return int(out) / KIB_PER_MIB
