"""The greeks keeper: every other hour what is held is compared with the broker's model, and a gap is written down."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from bot.app.greeks import GreeksKeeper
from bot.domain.errors import ConnectivityError
from bot.domain.events import BooksReconciled, SessionOpened
from bot.domain.instrument import SPX, VIX, Instrument, InstrumentKey
from bot.domain.market import ModelGreeks, Tick
from bot.domain.portfolio import Position
from bot.hedging.settings import HedgeSettings
from simulator.broker import InProcessMarketData
from tests.bot.app.app_parts import Bot, played
from tests.builders import an_account
from tests.simulator.floors import OPENS_AT, a_floor, first_session

BEGIN = OPENS_AT + timedelta(minutes=30)


class Model:
    """The exchange's own model; its theta may be wrong by a factor."""

    def __init__(self, bot: Bot) -> None:
        """Open a floor with the default book."""
        self.opened = a_floor()
        self.opened.floor.advance(BEGIN)
        self.inner = InProcessMarketData(self.opened.floor, bot.pump)
        self._bot = bot
        self.factor = 1.0
        self.error: Exception | None = None
        self.asked = 0

    async def model_greeks(self, instruments: Sequence[Instrument]) -> Mapping[InstrumentKey, ModelGreeks]:
        """Answer from the floor as it stands at the bot's time."""
        self.asked += 1
        if self.error is not None:
            raise self.error
        self.opened.floor.advance(self._bot.clock.now())
        self.refresh()
        told = await self.inner.model_greeks(instruments)
        return {key: ModelGreeks(delta=one.delta, theta=self.factor * one.theta) for key, one in told.items()}

    def refresh(self) -> None:
        """Tell the bot the levels and the quotes of what it holds."""
        now_ns = self._bot.clock.now_ns()
        levels = self.opened.floor.market.levels
        for index, level in ((SPX, levels.spx), (VIX, levels.vix)) * 2:  # one tick alone is believed of nobody
            self._bot.pump(Tick(index.key, level, now_ns))
        self.inner.watch(tuple(one for one, _, _ in self.opened.book.positions))


def told(story: Any, *, session: bool = True) -> None:
    """Play a story with the default book from half an hour after the open."""

    async def all_of_it() -> None:
        bot = Bot()
        model = Model(bot)
        keeper = GreeksKeeper(shell=bot.shell, data=model, link=bot.keeper, hedge=HedgeSettings())  # type: ignore[arg-type]
        bot.start(keeper.run())
        bot.keeper.ready.set()
        positions = tuple(Position(instrument=one, quantity=count) for one, count, _ in model.opened.book.positions)
        now = bot.clock.now()
        bot.pump(BooksReconciled(at=now, positions=positions, account=an_account(), orders=()))
        if session:
            bot.pump(SessionOpened(at=now, session=first_session(), baseline=()))
        await story(bot, model)
        await bot.end()

    played(all_of_it(), start=BEGIN)


def rows(bot: Bot, kind: str) -> list[Any]:
    """Facts of the rows of a kind."""
    return [row.payload for row in bot.journal.rows if row.kind == kind]


def test_a_model_that_agrees_is_not_written_down() -> None:
    """Two looks in four hours and a half, and no row."""

    async def story(bot: Bot, model: Model) -> None:
        await bot.pass_s(4.5 * 3600)
        assert model.asked == 2
        assert rows(bot, "greeks_differ") == []

    told(story)


def test_a_theta_that_is_half_as_large_again_is_told() -> None:
    """One row names the options whose theta lies apart, and how many were compared."""

    async def story(bot: Bot, model: Model) -> None:
        model.factor = 1.5
        await bot.pass_s(2.5 * 3600)
        (facts,) = rows(bot, "greeks_differ")
        assert facts["compared"] > 4
        assert any(words.startswith("OPT:SPXW") and "theta a day" in words for words in facts["gaps"])

    told(story)


def test_what_cannot_be_asked_is_told_and_without_session_nothing_is() -> None:
    """A broken link is named; at night and without a link nobody is asked."""

    async def broken(bot: Bot, model: Model) -> None:
        model.error = ConnectivityError("gone")
        await bot.pass_s(2.5 * 3600)
        assert [facts["why"] for facts in rows(bot, "greeks_unknown")] == ["gone"]
        bot.keeper.ready.clear()
        await bot.pass_s(2.5 * 3600)
        assert model.asked == 1

    async def at_night(bot: Bot, model: Model) -> None:
        await bot.pass_s(2.5 * 3600)
        assert model.asked == 0

    told(broken)
    told(at_night, session=False)
