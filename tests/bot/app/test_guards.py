"""What holds the bot back by itself, and the one rule by which it lets go: a good minute, then equal books."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.command import CommandName
from bot.domain.events import (
    AccountMismatched,
    AccountReported,
    DataFeedChanged,
    SessionOpened,
)
from bot.domain.instrument import RVX, SPX, VIX
from bot.domain.market import Tick
from bot.domain.mode import DemandSource, TradingMode
from bot.domain.orders import Working
from simulator.clock import VirtualClock
from tests.bot.app.app_parts import Bot, a_halted_bot, played
from tests.bot.engine_parts import call_order, held
from tests.builders import NOON, a_session, an_account, ns, vix_call

NORMAL, REDUCE_ONLY, HALT = TradingMode
OPEN_AT = a_session().opens_at
BASELINE = tuple((OPEN_AT.toordinal() - back, 23.5, 18.0) for back in range(120, 0, -1))


class SteppingClock(VirtualClock):
    """Virtual time beside a wall clock that somebody sets."""

    step_s = 0.0

    def stepped_s(self) -> float:
        """By how much it was set."""
        return self.step_s


@dataclass(frozen=True)
class Cause:
    """How one cause begins and ends."""

    source: DemandSource
    begins: Callable[[Bot], None]
    ends: Callable[[Bot], None]


def _line(*, up: bool) -> Callable[[Bot], None]:
    return lambda bot: bot.desk.channel_changed(up=up)


def _feed(*, usable: bool) -> Callable[[Bot], None]:
    return lambda bot: bot.pump(DataFeedChanged(at=bot.clock.now(), usable=usable, why="10197: competing session"))


def _account(*, ready: bool) -> Callable[[Bot], None]:
    return lambda bot: bot.pump(AccountReported(at=bot.clock.now(), values=an_account(ready=ready)))


def _wall_clock(step_s: float) -> Callable[[Bot], None]:
    return lambda bot: setattr(bot.clock, "step_s", step_s)


CAUSES = [
    Cause(DemandSource.COMMAND_LINK, _line(up=False), _line(up=True)),
    Cause(DemandSource.MARKET_DATA, _feed(usable=False), _feed(usable=True)),
    Cause(DemandSource.ACCOUNT_VALUES, _account(ready=False), _account(ready=True)),
    Cause(DemandSource.HOST_CLOCK, _wall_clock(-2.5), _wall_clock(0.0)),
]


async def guarded() -> Bot:
    """A bot at peace that compares its books when it is asked to."""
    bot = Bot(up=False, clock=SteppingClock)
    bot.start(bot.keeper.run(), bot.desk.run())
    await bot.pass_s(15)
    assert bot.state.mode is NORMAL
    return bot


async def passes(bot: Bot, seconds: float) -> TradingMode:
    """The mode after so long."""
    await bot.pass_s(seconds)
    return bot.state.mode


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.source.value)
def test_a_guard_lets_go_after_a_good_minute_and_a_comparison(cause: Cause) -> None:
    """It holds while its cause is there, for a minute after it, and until the books were found equal since."""

    async def story() -> None:
        bot = await guarded()
        cause.begins(bot)
        assert await passes(bot, 75) is REDUCE_ONLY
        assert bot.state.demand(cause.source) is REDUCE_ONLY
        asked = bot.broker.asked
        cause.ends(bot)
        assert (await passes(bot, 50), bot.broker.asked) == (REDUCE_ONLY, asked)
        assert (await passes(bot, 40), bot.broker.asked) == (NORMAL, asked + 1)
        await bot.end()

    played(story())


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.source.value)
def test_a_cause_that_comes_back_begins_the_minute_anew(cause: Cause) -> None:
    """Good for 40 s, bad for a moment, good again: the first 40 s count for nothing."""

    async def story() -> None:
        bot = await guarded()
        cause.begins(bot)
        await bot.pass_s(75)
        for change in (cause.ends, cause.begins):
            change(bot)
            await bot.pass_s(40)
        cause.ends(bot)
        assert await passes(bot, 55) is REDUCE_ONLY
        assert await passes(bot, 40) is NORMAL
        await bot.end()

    played(story())


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.source.value)
def test_a_difference_keeps_a_guard(cause: Cause) -> None:
    """However long its cause is away: books that differ prove nothing, and they are asked for again and again."""

    async def story() -> None:
        bot = await guarded()
        cause.begins(bot)
        await bot.pass_s(75)
        bot.broker.positions = (held(vix_call(25)),)
        cause.ends(bot)
        assert await passes(bot, 300) is REDUCE_ONLY
        bot.broker.positions = ()
        assert await passes(bot, 30) is NORMAL
        await bot.end()

    played(story())


def test_one_guard_that_lets_go_leaves_the_others() -> None:
    """Each holds a demand of its own, and the strictest counts."""

    async def story() -> None:
        bot = await guarded()
        for cause in CAUSES:
            cause.begins(bot)
        await bot.pass_s(75)
        for cause in CAUSES[:-1]:
            cause.ends(bot)
        await bot.pass_s(120)
        held_back = [cause.source for cause in CAUSES if bot.state.demand(cause.source) is not NORMAL]
        assert (held_back, bot.state.mode) == ([CAUSES[-1].source], REDUCE_ONLY)
        await bot.end()

    played(story())


def test_an_unusable_feed_cancels_what_adds_at_once() -> None:
    """What works and would not be let through now is cancelled in the step in which the mode falls."""

    async def story() -> None:
        bot = Bot().with_order(call_order(1, Working()))
        bot.broker.hold_order("i-1")
        _feed(usable=False)(bot)
        assert bot.broker.cancelled == ["i-1"]
        await bot.end()

    played(story())


def test_a_clock_that_drifts_has_not_stepped() -> None:
    """A second and a half between two looks, again and again, is a slow clock; more than two at once is a step."""

    async def story() -> None:
        bot = await guarded()
        clock = bot.clock
        assert isinstance(clock, SteppingClock)
        for _ in range(20):
            clock.step_s += 1.5
            assert await passes(bot, 10) is NORMAL
        clock.step_s += 2.1
        assert await passes(bot, 10) is REDUCE_ONLY
        (facts,) = bot.journal.of_kind("mode_demanded")
        assert facts["cause"] == "the wall clock stepped by +2.1 s"
        await bot.end()

    played(story())


def test_nothing_loosens_while_the_clock_has_stepped() -> None:
    """Age and expiry of a command cannot be judged: a code of its own; a kill is taken as ever."""

    async def story() -> None:
        bot = await a_halted_bot(clock=SteppingClock)
        setattr(bot.clock, "step_s", 5.0)  # noqa: B010 - the clock's type is that of all bots
        await bot.pass_s(10)
        bot.desk.receive(bot.command(CommandName.RESUME, "r-1"))
        await bot.pass_s(1)
        assert (bot.link.acks[-1].code, bot.latch.mode) == ("clock_stepped", HALT)
        bot.desk.receive(bot.command(CommandName.KILL, "k-1"))
        await bot.pass_s(1)
        assert bot.latch.epoch == 4
        await bot.end()

    played(story())


def _ticks(bot: Bot, **levels: float) -> None:
    for index, level in zip((SPX, VIX, RVX), levels.values(), strict=True):
        bot.pump(Tick(index.key, level, ns(bot.clock.now())))


async def _tick_for(bot: Bot, seconds: int, *, moving: Any = True) -> None:
    """Publish every five seconds; RVX stands still where it does not move."""
    for beat in range(seconds // 5):
        nudge = 0.01 * (beat % 2)
        _ticks(bot, spx=6000.0 + nudge, vix=16.0 + nudge, rvx=22.0 + (nudge if moving else 0.0))
        await bot.pass_s(5)


def test_an_input_that_stays_stale_holds_the_bot_back_and_a_gap_does_not() -> None:
    """RVX unmoved for five minutes and one more; fresh again it must stay so for a minute, and the books agree."""

    async def story() -> None:
        bot = Bot(up=False)
        bot.start(bot.keeper.run(), bot.desk.run())
        bot.pump(SessionOpened(at=bot.clock.now(), session=a_session(), baseline=BASELINE))
        await _tick_for(bot, 200)
        await bot.pass_s(55)  # the feed as a whole is silent for less than its patience and a minute
        await _tick_for(bot, 60)
        assert bot.state.mode is NORMAL
        await _tick_for(bot, 340, moving=False)
        assert bot.state.mode is NORMAL
        await _tick_for(bot, 40, moving=False)
        assert bot.state.demand(DemandSource.INPUTS) is REDUCE_ONLY
        await _tick_for(bot, 50)
        assert bot.state.mode is REDUCE_ONLY
        await _tick_for(bot, 40)
        assert bot.state.mode is NORMAL
        assert "RVX has not changed" in bot.journal.of_kind("mode_demanded")[0]["cause"]
        await bot.end()

    played(story(), start=OPEN_AT + timedelta(seconds=70))


@pytest.mark.control("C23")
def test_a_gateway_without_our_account_halts_and_cancels() -> None:
    """Somebody logged it in as another user: HALT is latched, own orders are cancelled, and a person is called."""

    async def story() -> None:
        bot = Bot().with_order(call_order(1, Working()))
        bot.broker.hold_order("i-1")
        bot.start()
        bot.pump(AccountMismatched(at=NOON, why="the gateway manages U999, expected account DU1"))
        assert (bot.latch.mode, bot.state.mode, bot.broker.cancelled) == (HALT, HALT, ["i-1"])
        await asyncio.sleep(1)
        assert "alert/account_mismatched" in {topic for topic, _ in bot.link.published}
        await bot.end()

    played(story())
