"""Comparisons while nothing is wrong: when they come, what they stop, what they find, what they leave behind."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.app.comparing import ComparisonKeeper
from bot.domain.events import LinkLost, LinkRestored
from bot.domain.mode import TradingMode
from bot.domain.orders import Filled, Working
from tests.bot.app.app_parts import Bot, played
from tests.bot.engine_parts import CALL, a_fill, call_order, filled, held, order_in
from tests.builders import vix_call
from tests.fakes import a_row

HOUR = 3600.0


async def compared(bot: Bot) -> Bot:
    """Run everything that compares, past the first comparison."""
    bot.start(bot.keeper.run(), ComparisonKeeper(bot.shell, bot.keeper).run(), bot.desk.run())
    await bot.keeper.first_ready.wait()
    await bot.pass_s(1)
    return bot


def with_an_order(quantity: int = 1) -> Bot:
    """A bot whose order works at the broker."""
    bot = Bot(up=False).with_order(call_order(quantity, Working()))
    bot.broker.hold_order("i-1")
    return bot


def count(bot: Bot, kind: str) -> int:
    """Rows of a kind."""
    return bot.journal.kinds().count(kind)


@pytest.mark.control("C29")
def test_the_books_are_compared_every_five_minutes_without_a_flood_of_rows() -> None:
    """Four hours: 48 comparisons, five rows that they agreed, and the time of the last is known."""

    async def story() -> None:
        bot = await compared(Bot(up=False))
        asked = bot.broker.asked
        await bot.pass_s(4 * HOUR)
        assert 47 <= bot.broker.asked - asked <= 48
        assert (count(bot, "books_reconciled"), count(bot, "books_agreed")) == (1, 4)
        assert [facts["comparisons"] for facts in bot.journal.of_kind("books_agreed")][1:] == [12, 12, 12]
        situation = bot.desk._situation()
        assert situation.reconciled_at is not None
        assert bot.clock.now() - situation.reconciled_at < timedelta(seconds=302)
        await bot.end()

    played(story())


@pytest.mark.control("C29")
def test_nothing_stops_while_it_asks() -> None:
    """The state neither reconciles nor is unready while the question is under way, and an order may leave."""

    async def story() -> None:
        bot = await compared(Bot(up=False))
        seen: list[tuple[bool, bool]] = []
        bot.broker.during_books = [lambda: seen.append((bot.state.reconciling, bot.keeper.ready.is_set()))]
        await bot.pass_s(301)
        assert seen == [(False, True)]
        await bot.end()

    played(story())


@pytest.mark.control("C29")
def test_a_burst_of_fills_is_compared_once_after_a_quiet_moment() -> None:
    """Ten fills in nine seconds: one comparison, five seconds after the last; without fills none before its time."""

    async def story() -> None:
        bot = await compared(with_an_order(10))
        await bot.pass_s(30)
        asked = bot.broker.asked
        for number in range(10):
            fill = a_fill(f"e-{number}")
            bot.broker.fills.append(fill)
            bot.broker.positions = (held(quantity=number + 1),)
            bot.broker.tell(filled(fill))
            await bot.pass_s(1)
        await bot.pass_s(3)
        assert bot.broker.asked == asked
        await bot.pass_s(2)
        assert bot.broker.asked == asked + 1
        await bot.pass_s(60)
        assert (bot.broker.asked, count(bot, "lock_taken"), order_in(bot.state).state) == (asked + 1, 0, Filled())
        await bot.end()

    played(story())


@pytest.mark.control("C28")
def test_a_break_is_found_within_one_period_and_ends_with_two_agreements() -> None:
    """A position that nothing explains locks its contract; once it is gone, the lock goes by itself and soon."""

    async def story() -> None:
        bot = await compared(Bot(up=False))
        bot.broker.positions = (held(vix_call(25)),)
        await bot.pass_s(310)
        assert list(bot.state.standing().locks) == [vix_call(25).key]
        assert (bot.state.reconciling, bot.state.mode) == (False, TradingMode.NORMAL)
        bot.broker.positions = ()
        await bot.pass_s(35)
        assert bot.state.standing().locks
        await bot.pass_s(35)
        assert (dict(bot.state.standing().locks), count(bot, "lock_cleared")) == ({}, 1)
        await bot.end()

    played(story())


def test_a_difference_that_is_gone_at_a_second_look_locks_nothing() -> None:
    """Somebody's trade fell between two answers of the broker's: three seconds later both tell it."""

    async def story() -> None:
        bot = await compared(Bot(up=False))
        bot.broker.positions = (held(vix_call(25)),)
        bot.broker.during_books = [lambda: setattr(bot.broker, "positions", ())]
        await bot.pass_s(320)
        assert (count(bot, "lock_taken"), count(bot, "books_reconciled")) == (0, 1)
        await bot.end()

    played(story())


def _fills(bot: Bot) -> None:
    bot.broker.tell(filled(a_fill()))


def _loses(bot: Bot) -> None:
    bot.broker.tell(LinkLost(at=bot.clock.now(), why="1100"))
    bot.broker.tell(LinkRestored(at=bot.clock.now(), why="1102"))


@pytest.mark.parametrize("happens", [_fills, _loses])
def test_what_moves_while_it_asks_makes_no_false_difference(happens: Callable[[Bot], None]) -> None:
    """The answer is from before: it is thrown away and asked for again."""

    async def story() -> None:
        bot = await compared(with_an_order())

        def at_once() -> None:
            bot.broker.fills, bot.broker.positions = [a_fill()], (held(),)
            happens(bot)

        bot.broker.during_books = [at_once]
        await bot.pass_s(330)
        assert (dict(bot.state.standing().locks), bot.state.reconciling) == ({}, False)
        assert bot.state.snapshot(bot.clock.now()).book.quantity(CALL.key) == 1
        await bot.end()

    played(story())


@pytest.mark.control("C28")
def test_what_it_finds_is_booked_and_written() -> None:
    """A fill that the link had lost: a whole row, and the order is filled."""

    async def story() -> None:
        bot = await compared(with_an_order())
        bot.broker.rows.clear()
        bot.broker.fills, bot.broker.positions = [a_fill()], (held(),)
        before = count(bot, "books_reconciled")
        await bot.pass_s(310)
        assert (order_in(bot.state).state, count(bot, "books_reconciled")) == (Filled(), before + 1)
        await bot.end()

    played(story())


@pytest.mark.control("C28")
def test_a_lock_that_does_not_end_is_handed_to_a_person_once() -> None:
    """After 15 minutes it is escalated and latched: the books may agree then as often as they like."""

    async def story() -> None:
        bot = await compared(Bot(up=False))
        bot.broker.positions = (held(vix_call(25)),)
        await bot.pass_s(310 + 880)
        assert count(bot, "lock_escalated") == 0
        await bot.pass_s(40)
        (facts,) = bot.journal.of_kind("lock_escalated")
        assert facts["why"] == "books say 0, the broker says 1; not settled within 900 s"
        bot.broker.positions = ()
        await bot.pass_s(2 * HOUR)
        assert (list(bot.state.standing().locks), count(bot, "lock_escalated")) == ([vix_call(25).key], 1)
        assert "alert/lock_escalated" in {topic for topic, _ in bot.link.published}
        await bot.end()

    played(story())


def test_no_comparison_is_asked_for_while_the_link_is_down() -> None:
    """The return of the link brings one of its own."""

    async def story() -> None:
        bot = await compared(Bot(up=False))
        bot.broker.tell(LinkLost(at=bot.clock.now(), why="1100"))
        asked = bot.broker.asked
        await bot.pass_s(HOUR)
        assert bot.broker.asked == asked
        await bot.end()

    played(story())


@pytest.mark.control("C28")
def test_two_live_orders_are_told_once_and_cancelled_at_a_comparison() -> None:
    """Every later comparison still shows both; the row and the cancels are not repeated."""

    async def story() -> None:
        bot = await compared(with_an_order())
        bot.broker.rows["twin"] = replace(a_row("i-1", order_id=8), perm_id=9008)
        await bot.pass_s(HOUR)
        assert (count(bot, "twins_found"), bot.broker.cancelled) == (1, ["i-1", "i-1"])
        assert list(bot.state.standing().locks) == [CALL.key]
        await bot.end()

    played(story())
