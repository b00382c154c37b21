"""The parity keeper: every other hour the condors' expiries are looked at, and what is found is written down."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from bot.app.parity import ParityKeeper
from bot.app.snapshots import BATCH
from bot.domain.errors import ConnectivityError
from bot.domain.events import BooksReconciled, SessionOpened
from bot.domain.instrument import RUT, SPX, Instrument, InstrumentKey, Right
from bot.domain.market import Quote, Tick
from bot.domain.portfolio import Position
from bot.hedging.parity.settings import ParitySettings
from simulator.broker import InProcessMarketData
from tests.bot.app.app_parts import Bot, played
from tests.builders import an_account
from tests.simulator.floors import OPENS_AT, a_floor, first_session

BEGIN = OPENS_AT + timedelta(minutes=30)


class Floor:
    """Chains and snapshots of the simulated floor; a strike's put may be marked up."""

    def __init__(self, bot: Bot) -> None:
        """Open a floor with the default book."""
        self.opened = a_floor()
        self.opened.floor.advance(BEGIN)
        self._inner = InProcessMarketData(self.opened.floor, lambda _event: None)
        self._bot = bot
        self.gift = 0.0  # points that somebody pays too much for one put
        self.error: Exception | None = None
        self.batches: list[int] = []

    async def option_chain(self, symbol: str, settlement_from: date, settlement_to: date) -> tuple[Instrument, ...]:
        """Answer from the floor, or raise what was scripted."""
        if self.error is not None:
            raise self.error
        return await self._inner.option_chain(symbol, settlement_from, settlement_to)

    async def futures(self, symbol: str, settlement_from: date, settlement_to: date) -> tuple[Instrument, ...]:
        """Answer from the floor."""
        return await self._inner.futures(symbol, settlement_from, settlement_to)

    async def snapshot(self, instruments: Sequence[Instrument]) -> Mapping[InstrumentKey, Quote]:
        """Answer from the floor as it stands at the bot's time."""
        self.opened.floor.advance(self._bot.clock.now())
        self.batches.append(len(instruments))
        quotes = dict(await self._inner.snapshot(instruments))
        put = next((one for one in instruments if one.right is Right.PUT and one.key in quotes), None)
        if put is not None and self.gift:
            quote = quotes[put.key]
            quotes[put.key] = replace(quote, bid=(quote.bid or 0.0) + self.gift, ask=(quote.ask or 0.0) + self.gift)
        return quotes


class Scene:
    """A bot in an open session that holds the default condors."""

    def __init__(self) -> None:
        """Compared and at peace."""
        self.bot = Bot()
        self.data: Any = Floor(self.bot)
        keeper = ParityKeeper(shell=self.bot.shell, data=self.data, link=self.bot.keeper, settings=ParitySettings())
        self.bot.start(keeper.run())
        self.bot.keeper.ready.set()
        book = self.data.opened.book
        positions = tuple(Position(instrument=one, quantity=count) for one, count, _ in book.positions)
        now = self.bot.clock.now()
        self.bot.pump(BooksReconciled(at=now, positions=positions, account=an_account(), orders=()))
        self.bot.pump(SessionOpened(at=now, session=first_session(), baseline=()))
        level = self.data.opened.floor.market.levels.spx
        for _ in range(2):
            self.bot.pump(Tick(SPX.key, level, self.bot.clock.now_ns()))

    async def hours(self, count: float) -> None:
        """Let so many hours pass."""
        await self.bot.pass_s(3600.0 * count + 1.0)

    def rows(self, kind: str) -> list[Any]:
        """Facts of the rows of a kind."""
        return [row.payload for row in self.bot.journal.rows if row.kind == kind]


def told(story: Any) -> None:
    """Play a story from half an hour after the open."""

    async def all_of_it() -> None:
        scene = Scene()
        await story(scene)
        await scene.bot.end()

    played(all_of_it(), start=BEGIN)


def test_a_consistent_board_is_checked_and_nothing_is_found() -> None:
    """After two hours the condors' expiry has its bounds in the journal, read in batches, without a finding."""

    async def story(scene: Scene) -> None:
        await scene.hours(1.9)
        assert scene.rows("parity_checked") == []
        await scene.hours(0.2)
        checked = scene.rows("parity_checked")
        assert len(checked) == 1
        assert checked[0]["settlement"] == scene.data.opened.book.condors[0].settlement
        assert scene.rows("parity_found") == []
        assert max(scene.data.batches) <= BATCH

    told(story)


def test_small_caps_are_looked_at_as_well() -> None:
    """Where RUT has a level its options of the same expiry are judged beside those of SPX."""

    async def story(scene: Scene) -> None:
        level = scene.data.opened.floor.market.levels.rut
        for _ in range(2):
            scene.bot.pump(Tick(RUT.key, level, scene.bot.clock.now_ns()))
        await scene.hours(2)
        words = [facts["words"] for facts in scene.rows("parity_checked")]
        assert len(words) == 2
        assert words[0].startswith("SPXW")
        assert words[1].startswith("RUTW")
        assert scene.rows("parity_found") == []

    told(story)


def test_a_gift_is_found_and_told() -> None:
    """Somebody pays thirty points too much for a put: a box, with its edge in words."""

    async def story(scene: Scene) -> None:
        scene.data.gift = 30.0
        await scene.hours(2)
        findings = scene.rows("parity_found")
        assert findings
        assert "USD" in findings[0]["words"]

    told(story)


def test_a_chain_that_cannot_be_had_is_told_sparingly() -> None:
    """Five hours without an answer: the reason at most every quarter of an hour, and the bot goes on."""

    async def story(scene: Scene) -> None:
        scene.data.error = ConnectivityError("no answer")
        await scene.hours(5)
        assert {facts["why"] for facts in scene.rows("parity_missing")} == {"SPX: no answer"}
        assert scene.rows("parity_checked") == []

    told(story)


def test_nothing_is_asked_without_a_link() -> None:
    """While the broker is away the keeper waits."""

    async def story(scene: Scene) -> None:
        scene.bot.keeper.ready.clear()
        await scene.hours(3)
        assert scene.data.batches == []

    told(story)
