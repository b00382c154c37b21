"""The freeze keeper in virtual time: when nothing new leaves, and the comparison that it asks for."""

from collections.abc import Coroutine
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from bot.app.freezing import FreezeKeeper
from bot.app.settings import AppSettings
from bot.domain.errors import InvalidValueError
from bot.domain.events import LinkLost
from tests.bot.app.app_parts import Bot, played
from tests.bot.engine_parts import held
from tests.builders import NOON

SETTINGS = AppSettings(gateway_restart="12:20", gateway_restart_window_s=1800.0)
"""Frozen from 12:10 on; where the link never breaks, compared at 12:50."""


class Frozen:
    """A bot that is connected and compared at noon."""

    def __init__(self, settings: AppSettings = SETTINGS) -> None:
        """Join link keeper and freeze keeper."""
        self.bot = Bot(up=False)
        shell = replace(self.bot.shell, settings=settings)
        self.bot.start(self.bot.keeper.run(), FreezeKeeper(shell=shell, link=self.bot.keeper).run())

    async def at(self, minute: float) -> bool:
        """Let time pass until so many minutes after noon; return whether orders may leave."""
        await self.bot.pass_s((minute * 60) - (self.bot.clock.now() - NOON).total_seconds())
        return not self.bot.state.standing().reconciling

    def rows(self, kind: str) -> list[datetime]:
        """When something was written down."""
        return [row.at for row in self.bot.journal.rows if row.kind == kind]

    def break_link(self) -> None:
        """The gateway is gone; the keeper connects anew."""
        self.bot.broker.up = False
        self.bot.pump(LinkLost(at=self.bot.clock.now(), why="the gateway restarts"))


def told(story: Coroutine[Any, Any, None], start: datetime = NOON) -> None:
    """Play a story at noon."""
    played(story, start)


@pytest.mark.control("C24")
def test_a_link_that_never_breaks_is_compared_at_the_end_of_the_window() -> None:
    """From ten minutes before the restart to the end of the window nothing may leave, cancels aside."""

    async def story() -> None:
        frozen = Frozen()
        assert await frozen.at(9.9)
        assert not await frozen.at(10.1)
        assert not await frozen.at(49.9)
        assert await frozen.at(50.1)
        assert len(frozen.rows("submission_frozen")) == 1
        assert len(frozen.rows("books_reconciled")) == 2
        await frozen.bot.end()

    told(story())


@pytest.mark.control("C24")
def test_a_link_that_comes_back_ends_it_early() -> None:
    """A break before the restart ends nothing; the one of the restart does, with its comparison."""

    async def story() -> None:
        frozen = Frozen()
        await frozen.at(12)
        frozen.break_link()
        assert not await frozen.at(14)
        assert len(frozen.rows("books_reconciled")) == 2
        await frozen.at(21)
        frozen.break_link()
        assert await frozen.at(22)
        assert not frozen.bot.state.is_frozen
        await frozen.bot.end()

    told(story())


def test_a_comparison_with_a_difference_ends_nothing() -> None:
    """It is asked for again, once a minute, until the books agree."""

    async def story() -> None:
        frozen = Frozen()
        await frozen.at(49)
        truth, frozen.bot.broker.positions = frozen.bot.broker.positions, (held(quantity=3),)
        assert not await frozen.at(52.5)
        frozen.bot.broker.positions = truth
        assert await frozen.at(54)
        await frozen.bot.end()

    told(story())


@pytest.mark.parametrize(("minute", "free_at"), [(15, 50.1), (25, 25.5)])
def test_a_bot_that_starts_amid_a_freeze_begins_with_it(minute: int, free_at: float) -> None:
    """Started before the restart it waits for the window's end; after it, its own connect is the link's return."""

    async def story() -> None:
        frozen = Frozen()
        assert await frozen.at(free_at)
        (began,) = frozen.rows("submission_frozen")
        assert (began - NOON).total_seconds() == minute * 60
        if minute < 20:
            assert len(frozen.rows("books_reconciled")) == 2
        await frozen.bot.end()

    told(story(), NOON.replace(minute=minute))


def test_a_link_that_was_compared_before_the_freeze_is_known_is_compared_again() -> None:
    """Amid the window, connected since the restart: the freeze asks for the comparison that ends it."""

    async def story() -> None:
        bot = Bot(up=False)
        bot.start(bot.keeper.run())
        await bot.keeper.first_ready.wait()
        shell = replace(bot.shell, settings=SETTINGS)
        bot.start(FreezeKeeper(shell=shell, link=bot.keeper).run())
        await bot.pass_s(0.01)
        assert bot.state.is_frozen
        await bot.pass_s(5)
        assert not bot.state.is_frozen
        await bot.end()

    told(story(), NOON.replace(minute=25))


def test_without_a_stated_restart_nothing_is_frozen() -> None:
    """An empty hour: a day passes without a row."""

    async def story() -> None:
        frozen = Frozen(AppSettings(gateway_restart=""))
        assert await frozen.at(24 * 60)
        assert frozen.rows("submission_frozen") == []
        await frozen.bot.end()

    told(story())


@pytest.mark.parametrize("wrong", [{"gateway_restart": "25:00"}, {"gateway_restart_zone": "Mars"}])
def test_settings_name_an_hour_that_there_is(wrong: dict[str, str]) -> None:
    """No such hour, no such place."""
    with pytest.raises(InvalidValueError):
        AppSettings(**wrong)  # type: ignore[arg-type]  # test shorthand
