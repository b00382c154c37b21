"""The own index keeper: reads a chain only while an index is missing, hands its level in, and says what it lacks."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from bot.app.own_index import OwnIndexKeeper
from bot.app.snapshots import BATCH
from bot.domain.errors import ConnectivityError
from bot.domain.events import SessionOpened
from bot.domain.instrument import RUT, RVX, SPX, VIX, Instrument, InstrumentKey
from bot.domain.market import Quote, Tick
from bot.signals.own.settings import OwnIndexSettings
from simulator.broker import InProcessMarketData
from tests.bot.app.app_parts import Bot, played
from tests.simulator.floors import CALENDAR, DAY, OPENS_AT, a_floor, first_session

BEGIN = OPENS_AT + timedelta(minutes=2)
EVERY_S = 15.0


class Counted:
    """Chains and snapshots of the simulated floor, with a count of what was asked."""

    def __init__(self, bot: Bot) -> None:
        """Open a floor that stands at the beginning of the story."""
        self.floor = a_floor().floor
        self.floor.advance(BEGIN)
        self._inner = InProcessMarketData(self.floor, lambda _event: None)
        self._bot = bot
        self.batches: list[int] = []
        self.chains: list[str] = []
        self.error: Exception | None = None

    async def option_chain(self, symbol: str, settlement_from: date, settlement_to: date) -> tuple[Instrument, ...]:
        """Answer from the floor, or raise what was scripted."""
        self.chains.append(symbol)
        if self.error is not None:
            raise self.error
        return await self._inner.option_chain(symbol, settlement_from, settlement_to)

    async def snapshot(self, instruments: Sequence[Instrument]) -> Mapping[InstrumentKey, Quote]:
        """Answer from the floor as it stands at the bot's time."""
        self.floor.advance(self._bot.clock.now())
        self.batches.append(len(instruments))
        return await self._inner.snapshot(instruments)


class Story:
    """A bot in an open session whose market publishes what the story says."""

    def __init__(self) -> None:
        """Compared and at peace; nothing has ticked."""
        self.bot = Bot()
        self.data: Any = Counted(self.bot)
        self.keeper = OwnIndexKeeper(
            shell=self.bot.shell,
            data=self.data,
            link=self.bot.keeper,
            calendar=CALENDAR,
            settings=OwnIndexSettings(),
        )
        self.bot.start(self.keeper.run())
        self.bot.keeper.ready.set()
        rows = [(day, 22.5, 17.0) for day in _days_before(DAY, 90)]
        self.bot.pump(SessionOpened(at=self.bot.clock.now(), session=first_session(), baseline=tuple(rows)))

    async def tick(self, minutes: float, *, without: Sequence[InstrumentKey] = ()) -> None:
        """Let the floor's indices tick for some minutes, but for those that are not published."""
        until = self.bot.clock.now() + timedelta(minutes=minutes)
        while (now := self.bot.clock.now()) < until:
            self.data.floor.advance(now)
            levels = self.data.floor.market.levels
            shown = {SPX.key: levels.spx, RUT.key: levels.rut, VIX.key: levels.vix, RVX.key: levels.rvx}
            for key, level in shown.items():
                if key not in without:
                    self.bot.pump(Tick(key, level + 0.01 * (now.second % 2), self.bot.clock.now_ns()))
            await self.bot.clock.sleep(EVERY_S)

    def rows(self, kind: str) -> list[Any]:
        """Facts of the journal's rows of a kind."""
        return [row.payload for row in self.bot.journal.rows if row.kind == kind]


def _days_before(day: date, count: int) -> list[int]:
    found: list[int] = []
    while len(found) < count:
        day = CALENDAR.previous_session(day).day
        found.append(day.toordinal())
    return found[::-1]


def told(story: Any) -> None:
    """Play a story from two minutes after the open."""

    async def all_of_it() -> None:
        scene = Story()
        await story(scene)
        await scene.bot.end()

    played(all_of_it(), start=BEGIN)


def test_a_missing_index_is_replaced_by_that_of_its_options() -> None:
    """RVX is not published: in a quarter of an hour the signal stands on our own, near the true one, and says so."""

    async def story(scene: Story) -> None:
        await scene.tick(18, without=(RVX.key,))
        rows = scene.rows("own_index_read")
        assert len(rows) >= 2
        assert abs(rows[-1]["level"] - scene.data.floor.market.levels.rvx) < 0.5
        assert "RVX of our own, from" in rows[-1]["words"]
        reading = scene.bot.state.snapshot(scene.bot.clock.now()).dispersion
        assert (reading.own, reading.why) == (("RVX",), "")
        assert scene.data.chains == ["RUT"]
        assert max(scene.data.batches) <= BATCH

    told(story)


def test_nothing_is_read_while_both_indices_are_published() -> None:
    """Market data lines are scarce: no chain, no snapshot."""

    async def story(scene: Story) -> None:
        await scene.tick(15)
        assert (scene.data.chains, scene.data.batches) == ([], [])

    told(story)


def test_a_chain_that_cannot_be_had_is_told_sparingly() -> None:
    """The broker does not answer: the reason is in the journal once, and the bot goes on."""

    async def story(scene: Story) -> None:
        scene.data.error = ConnectivityError("no answer to the chain of RUT")
        await scene.tick(18, without=(RVX.key,))
        [facts] = scene.rows("own_index_missing")
        assert facts == {"symbol": "RVX", "why": "no answer to the chain of RUT"}
        assert scene.rows("own_index_read") == []

    told(story)


def test_without_a_link_nothing_is_asked() -> None:
    """While the broker is away the keeper waits."""

    async def story(scene: Story) -> None:
        scene.bot.keeper.ready.clear()
        await scene.tick(12, without=(RVX.key,))
        assert scene.data.chains == []

    told(story)


def test_the_moment_is_the_floors() -> None:
    """The story's clock and the floor's agree, so that quotes are fresh."""

    async def story(scene: Story) -> None:
        await asyncio.sleep(0)
        assert isinstance(scene.bot.clock.now(), datetime)
        assert abs((scene.data.floor.now() - scene.bot.clock.now()).total_seconds()) < EVERY_S

    told(story)
