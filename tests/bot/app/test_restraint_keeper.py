"""What the bot asks of itself: when it is asked, who may lift it, and when it ends by itself."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from bot.app.restraint import RestraintKeeper
from bot.domain.command import AckStage, CommandName, Role
from bot.domain.events import AccountReported, SessionOpened, TimerElapsed
from bot.domain.mode import DemandSource, TradingMode
from bot.domain.orders import Order, Sent
from risk.limits import RiskLimits
from tests.bot.app.app_parts import Bot, played
from tests.bot.engine_parts import a_fill, call_order, filled
from tests.builders import CALENDAR, NOON, a_session, an_account

HALT, REDUCE_ONLY, NORMAL = TradingMode.HALT, TradingMode.REDUCE_ONLY, TradingMode.NORMAL
LOSSES, REPEATS = DemandSource.LOSSES, DemandSource.REPEATS
RESUME = CommandName.RESUME


def a_bot(*orders: Order) -> Bot:
    """A bot at peace with an account of 500,000 USD, its limits watched, its desk open."""
    bot = Bot(up=True)
    bot.rig.engine.take_limits(RiskLimits(max_repeats_per_day=2))
    RestraintKeeper(bot.shell, bot.desk.halt)
    bot.start(bot.desk.run()).with_order(*orders)
    bot.desk.open()
    return bot


def show(bot: Bot, usd: int | str, *, ready: bool = True) -> None:
    """The broker reports the account."""
    bot.pump(AccountReported(at=bot.clock.now(), values=an_account(usd, ready=ready)))


def open_session(bot: Bot) -> None:
    """The session of the present day opens, or the next one."""
    bot.pump(SessionOpened(at=bot.clock.now(), session=a_session(bot.clock.now().date()), baseline=()))


def lost(bot: Bot) -> bool:
    """The losses hold the bot back."""
    return bot.state.restraints.of(LOSSES) is not None


@pytest.mark.control("C31")
def test_a_loss_beyond_its_limit_is_told_once_and_holds_though_it_is_won_back() -> None:
    """10,000 of 500,000 USD may be lost; a cent more asks for REDUCE_ONLY, and the latch stays where it was."""

    async def story() -> None:
        bot = a_bot()
        show(bot, 490_000)
        assert (bot.state.mode, lost(bot)) == (NORMAL, False)
        for worth in ("489999.99", "480000", "499000"):
            show(bot, worth)
            await bot.pass_s(1)
        assert (bot.state.mode, bot.latch.mode) == (REDUCE_ONLY, NORMAL)
        (told,) = [row.payload for row in bot.journal.rows if row.kind == "limit_breached"]
        assert (told["source"], told["found"], told["limit"]) == (LOSSES, Decimal("10000.01"), 10_000)
        shown = bot.desk.state_facts()["restraints"]
        assert isinstance(shown, list)
        assert shown[0].startswith("losses: day_loss: 10000.01 USD lost from 500000 USD as the day began")
        await bot.end()

    played(story())


def test_an_account_that_is_not_ready_or_impossible_has_lost_nothing() -> None:
    """A broker that starts says 0 and means nothing by it."""

    async def story() -> None:
        bot = a_bot()
        show(bot, 1, ready=False)
        show(bot, 0)
        show(bot, -1)
        assert (bot.state.restraints.mode, lost(bot)) == (NORMAL, False)
        await bot.end()

    played(story())


def test_a_days_loss_ends_with_the_next_session_day_and_not_before() -> None:
    """A second opening of the same day ends nothing, and the next day begins where this one ended."""

    async def story() -> None:
        bot = a_bot()
        show(bot, 485_000)
        open_session(bot)
        assert lost(bot)
        await bot.pass_s(timedelta(days=1).total_seconds())
        show(bot, 485_000)
        assert lost(bot)  # midnight alone ends nothing
        open_session(bot)
        assert (lost(bot), bot.state.restraints.mode) == (False, NORMAL)
        await bot.end()

    played(story())


def test_a_drawdown_comes_back_every_day_until_a_person_has_looked() -> None:
    """60,000 USD below the highest: the next day asks again, a signed resume measures from what is left."""

    async def story() -> None:
        bot = a_bot()
        show(bot, 440_000)
        await bot.pass_s(timedelta(days=2).total_seconds())
        open_session(bot)
        assert lost(bot)
        await bot.pass_s(1)
        assert bot.journal.kinds().count("limit_breached") == 2
        bot.with_books_compared(440_000)
        bot.desk.receive(bot.command(RESUME, "c-2", roles=frozenset({Role.RESUME})))
        await bot.pass_s(1)
        assert bot.link.stages("c-2") == [AckStage.DONE]
        assert (bot.state.restraints.mode, lost(bot)) == (NORMAL, False)
        worth = bot.state.snapshot(bot.clock.now()).worth
        assert worth is not None
        assert (worth.now_usd, worth.day_usd, worth.week_usd, worth.peak_usd) == (440_000,) * 4
        assert bot.journal.kinds().count("restraints_lifted") == 1
        await bot.end()

    played(story())


def test_a_loss_is_not_resumed_without_a_signature_and_shows_its_challenge() -> None:
    """The challenge is published with the restraint though the latch is NORMAL; role kill alone resumes nothing."""

    async def story() -> None:
        bot = a_bot()
        show(bot, 480_000)
        assert bot.link.last("challenge")["epoch"] == 0
        bot.desk.receive(bot.command(RESUME, "c-2", roles=frozenset({Role.KILL})))
        await bot.pass_s(1)
        assert bot.link.stages("c-2") == [AckStage.REFUSED]
        assert lost(bot)
        await bot.end()

    played(story())


def _sent(ref: str, at: datetime = NOON) -> Order:
    return call_order(1, Sent(), ref, sent_at=at)


@pytest.mark.control("C12")
def test_a_repeated_pattern_halts_until_role_risk_resumes_and_counts_anew_after_it() -> None:
    """The second execution of two latches HALT; a resume without the role is refused, one with it counts anew."""

    async def story() -> None:
        bot = a_bot(*(_sent(ref) for ref in ("i-1", "i-2", "i-3")))
        bot.pump(filled(a_fill("e-1", "i-1")))
        assert bot.state.mode is NORMAL
        bot.pump(filled(a_fill("e-2", "i-2")))
        assert (bot.state.mode, bot.latch.mode, bot.latch.epoch) == (HALT, HALT, 1)
        assert bot.broker.cancelled == ["i-3"]
        bot.pump(filled(a_fill("e-3", "i-3")))
        bot.with_books_compared()
        bot.desk.receive(bot.command(RESUME, "c-2", roles=frozenset({Role.RESUME})))
        await bot.pass_s(1)
        assert [ack.code for ack in bot.link.acks if ack.command_id == "c-2"] == ["role_missing"]
        bot.desk.receive(bot.command(RESUME, "c-3", roles=frozenset({Role.RESUME, Role.RISK})))
        await bot.pass_s(1)
        assert (bot.state.mode, bot.state.restraints.of(REPEATS)) == (NORMAL, None)
        bot.pump(TimerElapsed(at=bot.clock.now()))
        assert bot.state.mode is NORMAL  # the three of before count no more
        await bot.end()

    played(story())


def test_a_resume_to_reduce_only_leaves_a_loss_where_it_is() -> None:
    """The halt of a repeated pattern ends, the loss of the day holds on."""

    async def story() -> None:
        bot = a_bot(_sent("i-1"), _sent("i-2"))
        show(bot, 480_000)
        bot.pump(filled(a_fill("e-1", "i-1")))
        bot.pump(filled(a_fill("e-2", "i-2")))
        bot.with_books_compared()
        await bot.pass_s(1)
        bot.desk.receive(bot.command(RESUME, "c-2", args={"mode": "REDUCE_ONLY"}))
        await bot.pass_s(1)
        assert bot.link.stages("c-2") == [AckStage.DONE]
        assert (bot.state.mode, lost(bot), bot.state.restraints.of(REPEATS)) == (REDUCE_ONLY, True, None)
        await bot.end()

    played(story())


def test_the_calendar_of_these_stories_has_its_sessions() -> None:
    """Noon is a Tuesday with a session, and so is the Thursday after it."""
    assert CALENDAR.session(NOON.date()) is not None
    assert CALENDAR.session(NOON.date() + timedelta(days=2)) is not None
