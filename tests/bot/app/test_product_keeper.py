"""The product keeper: it measures what is held once a session, says what it could not, and tries again (M4)."""

from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import pytest

from bot.app.products import ProductKeeper
from bot.domain.errors import ConnectivityError
from bot.domain.events import SessionClosed, SessionOpened
from bot.domain.instrument import SPX, VIX, VXX, Instrument, share
from bot.domain.products import ProductBeta, ProductReading, UnmeasuredProduct
from bot.ports import DailyClose
from tests.bot.app.app_parts import Bot, played
from tests.bot.engine_parts import a_fill, books_agree, filled, held
from tests.builders import CALENDAR, TODAY, a_session
from tests.fakes import FakeMarketData

DAYS = [each.day for each in CALENDAR.sessions(TODAY - timedelta(days=600), TODAY)][-301:]
"""The last of them is today, whose close is no close yet."""


def closes(first: float, *steps: float) -> tuple[DailyClose, ...]:
    """Closes that go through these factors in turn."""
    told, close = [], first
    for place, day in enumerate(DAYS):
        told.append(DailyClose(day=day, close=close))
        close *= steps[place % len(steps)]
    return tuple(told)


class Kept:
    """A bot with a product keeper and histories in which VXX gains 4 % whenever VIX gains a point."""

    def __init__(self, *buyable: Instrument) -> None:
        """Nothing is held, no session is open."""
        self.bot = Bot()
        up, back = 19.0 / 18.0, 18.0 / 19.0
        self.data = FakeMarketData(
            {
                VXX.key: closes(30.0, 1.04, 1 / 1.04),
                VIX.key: closes(18.0, up, back),
                SPX.key: closes(6800.0, 0.99, 1 / 0.99),
            }
        )
        keeper = ProductKeeper(
            shell=self.bot.shell,
            data=self.data,  # type: ignore[arg-type]  # a fake port
            link=self.bot.keeper,
            buyable=buyable,
        )
        self.bot.start(keeper.run())
        self.bot.keeper.ready.set()

    async def hold(self, *symbols: str) -> None:
        """Have the books show these shares."""
        positions = [held(share(symbol, "BATS"), 100) for symbol in symbols]
        self.bot.pump(books_agree(positions, at=self.bot.clock.now()))
        await self.bot.pass_s(1)

    async def open(self) -> None:
        """Open today's session."""
        self.bot.pump(SessionOpened(at=self.bot.clock.now(), session=a_session(), baseline=()))
        await self.bot.pass_s(1)

    def rows(self) -> list[Any]:
        """What was written down of measurements."""
        return [row.payload for row in self.bot.journal.rows if row.kind == "products_measured"]

    def reading(self, symbol: str = "VXX") -> ProductReading | None:
        """What everybody reads of a product."""
        return self.bot.state.snapshot(self.bot.clock.now()).products.get(symbol)


def told(story: Coroutine[Any, Any, None]) -> None:
    """Play a story at noon."""
    played(story)


def test_what_is_held_is_measured_when_the_session_opens() -> None:
    """Both slopes stand in the snapshot and in the journal, in words; today's unfinished close is not read."""

    async def story() -> None:
        kept = Kept()
        await kept.hold("VXX")
        assert kept.rows() == []
        await kept.open()
        reading = kept.reading()
        assert isinstance(reading, ProductBeta)
        assert reading.per_vix_point == pytest.approx(0.0392, abs=0.0005)
        assert (reading.per_spx_percent < 0, reading.moves) == (True, 252)
        [facts] = kept.rows()
        assert facts["words"] == [reading.words]
        await kept.bot.end()

    told(story())


def test_without_products_nothing_is_asked() -> None:
    """SPY is none of them: no history is read and nothing is written."""

    async def story() -> None:
        kept = Kept()
        kept.data.errors = [ConnectivityError("must not be asked")]
        await kept.hold("SPY")
        await kept.open()
        assert (kept.rows(), len(kept.data.errors)) == ([], 1)
        await kept.bot.end()

    told(story())


def test_what_may_be_bought_is_measured_though_none_is_held() -> None:
    """Once a session; while it is held as well it is still one product."""

    async def story() -> None:
        kept = Kept(VXX)
        await kept.open()
        assert isinstance(kept.reading(), ProductBeta)
        await kept.hold("VXX")
        assert [[one.symbol for one in facts["products"]] for facts in kept.rows()] == [["VXX"]]
        await kept.bot.end()

    told(story())


def test_a_product_that_appears_later_is_measured_then() -> None:
    """The books show it in mid-session; it is measured at once, and only once."""

    async def story() -> None:
        kept = Kept()
        await kept.open()
        await kept.hold("VXX")
        await kept.hold("VXX")
        kept.bot.pump(filled(a_fill()))
        await kept.bot.pass_s(1)
        assert len(kept.rows()) == 1
        await kept.bot.end()

    told(story())


def test_each_session_measures_anew() -> None:
    """What was measured yesterday is yesterday's."""

    async def story() -> None:
        kept = Kept()
        await kept.hold("VXX")
        await kept.open()
        kept.bot.pump(SessionClosed(at=kept.bot.clock.now(), session=a_session()))
        await kept.open()
        assert len(kept.rows()) == 2
        await kept.bot.end()

    told(story())


def test_a_history_that_cannot_be_had_is_told_and_asked_for_again() -> None:
    """A lost connection leaves VXX unknown; the next comparison of the books measures it. UVXY has no history."""

    async def story() -> None:
        kept = Kept()
        kept.data.errors = [ConnectivityError("no answer"), ConnectivityError("no answer")]
        await kept.open()
        await kept.hold("UVXY", "VXX")
        assert kept.reading() == UnmeasuredProduct(symbol="VXX", why="its closes could not be had: no answer")
        await kept.hold("UVXY", "VXX")
        assert isinstance(kept.reading(), ProductBeta)
        uvxy = kept.reading("UVXY")
        assert isinstance(uvxy, UnmeasuredProduct)
        assert "no history" in uvxy.why
        assert len(kept.rows()) == 2
        await kept.bot.end()

    told(story())
