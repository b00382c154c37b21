"""A leg that is missing: a person is called, then the contracts are locked, each once, and a signed unlock ends it."""

import pytest

from bot.domain.command import CommandName
from bot.domain.orders import Fill
from tests.bot.app.app_parts import Bot, played
from tests.bot.domain.test_imbalance import LONG, SHORT, a_combo, leg, whole
from tests.bot.engine_parts import filled


def executed(*parts: Fill) -> Bot:
    """A bot whose combo has filled so far, on a line that compares nothing by itself."""
    bot = Bot().with_order(a_combo())
    for part in parts:
        bot.pump(filled(part))
    return bot


@pytest.mark.control("C21")
def test_a_missing_leg_alerts_after_half_a_minute_and_locks_after_two() -> None:
    """Once each; the contracts of the whole order are locked, and stay so."""

    async def story() -> None:
        bot = executed(whole(2), leg("e-2", long=True, units=2)).start()
        bot.start(bot.desk.run())
        await bot.pass_s(25)
        assert bot.journal.of_kind("legs_imbalanced") == []
        await bot.pass_s(30)
        assert bot.journal.of_kind("legs_imbalanced") == [{"intent_id": "i-1", "missing": f"-2 {SHORT.key}"}]
        assert dict(bot.state.locks.words) == {}
        await bot.pass_s(90)
        assert set(bot.state.locks.words) == {LONG.key, SHORT.key}
        assert all(lock.latched for lock in bot.state.locks.held)
        await bot.pass_s(600)
        kinds = bot.journal.kinds()
        assert (kinds.count("legs_imbalanced"), kinds.count("lock_taken")) == (1, 2)
        await bot.end()

    played(story())


@pytest.mark.control("C21")
def test_a_leg_that_comes_late_locks_nothing() -> None:
    """The other leg is told a minute later: nothing is missing any more."""

    async def story() -> None:
        bot = executed(whole(2), leg("e-2", long=True, units=2)).start()
        bot.start(bot.desk.run())
        await bot.pass_s(60)
        bot.pump(filled(leg("e-3", long=False, units=2)))
        await bot.pass_s(300)
        assert dict(bot.state.locks.words) == {}
        assert bot.journal.kinds().count("legs_imbalanced") == 1
        await bot.end()

    played(story())


@pytest.mark.control("C21")
def test_what_a_person_unlocks_is_not_locked_again() -> None:
    """The leg is still missing when a signed unlock takes the lock of one contract away: it stays away."""

    async def story() -> None:
        bot = executed(whole(2), leg("e-2", long=True, units=2)).start()
        bot.desk.open()
        bot.start(bot.desk.run())
        await bot.pass_s(150)
        bot.with_books_compared()
        bot.desk.receive(bot.command(CommandName.UNLOCK, "u-1", args={"lock": LONG.key}))
        await bot.pass_s(600)
        assert set(bot.state.locks.words) == {SHORT.key}
        kinds = bot.journal.kinds()
        assert (kinds.count("lock_taken"), kinds.count("lock_lifted")) == (2, 1)
        await bot.end()

    played(story())
