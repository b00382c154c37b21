"""Measures how VXX, UVXY and SVXY answer VIX, once a session for those that are held or may be bought (M4, M5)."""

import asyncio
from collections.abc import Sequence
from datetime import date

from bot.app.link import LinkKeeper
from bot.app.shell import Shell
from bot.domain.errors import BrokerRejectedError, ConnectivityError
from bot.domain.events import BooksReconciled, FillReported, ProductsMeasured, SessionClosed, SessionOpened
from bot.domain.instrument import SPX, VIX, Instrument
from bot.domain.products import ProductReading, UnmeasuredProduct, is_volatility_product
from bot.hedging.sensitivities.products import measured_beta
from bot.hedging.sensitivities.settings import SensitivitySettings
from bot.ports import MarketData


class ProductKeeper:
    """One task; asks for nothing while none of them is held and none may be bought."""

    def __init__(self, *, shell: Shell, data: MarketData, link: LinkKeeper, buyable: Sequence[Instrument] = ()) -> None:
        """Take the parts and what may be bought; `run` does the work."""
        self._shell = shell
        self._data = data
        self._link = link
        self._buyable = {one.key: one for one in buyable}
        self._settings = SensitivitySettings()
        self._due = asyncio.Event()
        self._measured: frozenset[str] = frozenset()
        for kind in (SessionOpened, BooksReconciled, FillReported):
            shell.pump.hear(kind, lambda _event: self._due.set())
        shell.pump.hear(SessionClosed, lambda _event: self._forget())

    async def run(self) -> None:
        """Measure what is held or may be bought and has not been measured in this session, for ever."""
        while True:
            await self._due.wait()
            self._due.clear()
            await self._link.ready.wait()
            session, wanted = self._shell.engine.state.session, self._wanted()
            if session is not None and {one.symbol for one in wanted} - self._measured:
                await self._measure(wanted, session.day)

    def _forget(self) -> None:
        self._measured = frozenset()

    def _wanted(self) -> list[Instrument]:
        """The products in the account and those that may be bought, by symbol."""
        book = self._shell.engine.state.snapshot(self._shell.clock.now()).book
        held = {key: one.instrument for key, one in book.positions.items() if is_volatility_product(one.instrument)}
        return sorted({**self._buyable, **held}.values(), key=lambda one: one.symbol)

    async def _measure(self, wanted: list[Instrument], today: date) -> None:
        """Deliver what is known of every product wanted; what could not be had is told, and asked for again."""
        found = [await self._reading(product, today) for product in wanted]
        self._shell.pump(ProductsMeasured(at=self._shell.clock.now(), readings=tuple(found)))

    async def _reading(self, product: Instrument, today: date) -> ProductReading:
        try:
            own, vix, spx = [await self._closes(one, today) for one in (product, VIX, SPX)]
        except (ConnectivityError, BrokerRejectedError) as error:
            return UnmeasuredProduct(symbol=product.symbol, why=f"its closes could not be had: {error}")
        self._measured |= {product.symbol}
        return measured_beta(product.symbol, own, vix, spx, self._settings)

    async def _closes(self, instrument: Instrument, today: date) -> dict[date, float]:
        """The closes before today.

        Raises:
            ConnectivityError: No answer.
            BrokerRejectedError: There is no history.
        """
        told = await self._data.daily_closes(instrument, self._shell.settings.evidence_closes)
        return {one.day: one.close for one in told if one.day < today}
