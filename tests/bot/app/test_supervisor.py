"""The supervisor: what ends a run, in which state, with which code, and what is left behind."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from bot.app.comparing import ComparisonKeeper
from bot.app.freezing import FreezeKeeper
from bot.app.greeks import GreeksKeeper
from bot.app.own_index import OwnIndexKeeper
from bot.app.parity import ParityKeeper
from bot.app.previews import PreviewKeeper
from bot.app.products import ProductKeeper
from bot.app.quiet import QuietKeeper
from bot.app.sampler import Measures, Sampler
from bot.app.sessions import Market, SessionKeeper
from bot.app.supervisor import DONE, ENDED_HALTED, INTERNAL_FAULT, Ending, Parts, Supervisor
from bot.app.terms import TermsKeeper
from bot.app.weeklies import WeeklyScout
from bot.app.wings import WingKeeper
from bot.domain.command import CommandName
from bot.domain.errors import JournalError
from bot.domain.events import OrderReported, TimerElapsed
from bot.domain.instrument import RVX, VIX
from bot.domain.mode import TradingMode
from bot.domain.orders import BrokerStatus, Order, Unknown
from bot.domain.ticks import TickTable
from bot.hedging.condor.settings import WingMode
from bot.hedging.parity.settings import ParitySettings
from bot.hedging.settings import HedgeSettings
from bot.signals.own.settings import OwnIndexSettings
from tests.bot.app.app_parts import Bot, played
from tests.bot.engine_parts import a_fill, call_order, filled, order_in, restored
from tests.builders import CALENDAR, FEES, NOON, WING_BOUNDS
from tests.fakes import FakeMarketData, a_row


class Supervised(Bot):
    """A whole bot under its supervisor; by default the broker confirms cancels at once."""

    def __init__(self, **options: Any) -> None:
        """Join the remaining parts."""
        super().__init__(up=False, **options)
        self.stop = asyncio.Event()
        self.data = FakeMarketData({RVX.key: (), VIX.key: ()})
        scout = WeeklyScout(shell=self.shell, data=self.data, settings=HedgeSettings())
        market = Market(data=self.data, choose=lambda *_: None, weeklies=scout)
        self.sessions = SessionKeeper(shell=self.shell, market=market, link=self.keeper, calendar=CALENDAR)
        measures = Measures(hedge=HedgeSettings(), fees=FEES, calendar=CALENDAR)
        parts = Parts(
            shell=self.shell,
            link=self.keeper,
            sessions=self.sessions,
            own_index=OwnIndexKeeper(
                shell=self.shell,
                data=self.data,
                link=self.keeper,
                calendar=CALENDAR,
                settings=OwnIndexSettings(),
            ),
            parity=ParityKeeper(shell=self.shell, data=self.data, link=self.keeper, settings=ParitySettings()),
            products=ProductKeeper(shell=self.shell, data=self.data, link=self.keeper),
            quiet=QuietKeeper(shell=self.shell, data=self.data, link=self.keeper),
            greeks=GreeksKeeper(shell=self.shell, data=self.data, link=self.keeper, hedge=HedgeSettings()),
            wings=WingKeeper(
                shell=self.shell,
                data=self.data,
                link=self.keeper,
                mode=WingMode.ADVISE,
                bounds=lambda: WING_BOUNDS,
                hedge=HedgeSettings(),
                fees=FEES,
            ),
            terms=TermsKeeper(shell=self.shell, data=self.data, link=self.keeper, calendar=CALENDAR, ticks=TickTable()),
            freeze=FreezeKeeper(shell=self.shell, link=self.keeper),
            previews=PreviewKeeper(shell=self.shell, link=self.keeper, guards=self.desk.guards),
            desk=self.desk,
            alerting=self.alerting,
            sampler=Sampler(self.shell, measures),
            comparing=ComparisonKeeper(self.shell, self.keeper),
            latch=self.latch,
            connection=self.broker,
        )
        self.supervisor = Supervisor(parts)
        self.broker.on_cancel = self.confirm

    def confirm(self, order: Order) -> None:
        """The broker reports the cancelled order a moment later."""
        ref = order.intent.intent_id
        self.broker.hold_order(ref, BrokerStatus.CANCELLED)
        report = OrderReported(at=self.clock.now(), report=a_row(ref, BrokerStatus.CANCELLED))
        asyncio.get_running_loop().call_later(0.05, self.pump, report)

    def run(self, *orders: Order) -> "asyncio.Task[Ending]":
        """Start with what a journal remembers; the orders are working at the broker."""
        for order in orders:
            self.broker.hold_order(order.intent.intent_id)
        return asyncio.ensure_future(self.supervisor.run(restored(*orders), self.stop))


IN_DOUBT = Unknown(why="found at start")


def test_an_orderly_stop_cancels_and_ends_with_nothing_left() -> None:
    """Own orders are cancelled and confirmed, the last row says so, the link is closed, nothing new is sent."""

    async def story() -> None:
        bot = Supervised()
        run = bot.run(call_order(1, IN_DOUBT))
        await bot.pass_s(5)
        bot.rig.planner.wants = 1  # once the cancel is confirmed, a plan would be due
        bot.stop.set()
        ending = await run
        assert (ending.exit_code, bot.broker.cancelled, bot.rig.sent()) == (DONE, ["i-1"], [])
        assert bot.journal.of_kind("bot_stopped")[0]["orders_left"] == []
        assert not bot.broker.up

    played(story())


def test_an_order_that_does_not_die_is_listed() -> None:
    """The stop waits eight seconds, not for ever, and names what is left."""

    async def story() -> None:
        bot = Supervised()
        bot.broker.on_cancel = lambda _order: None
        run = bot.run(call_order(1, IN_DOUBT))
        await bot.pass_s(5)
        began = bot.clock.now()
        bot.stop.set()
        ending = await run
        assert ending.exit_code == DONE
        assert bot.journal.of_kind("bot_stopped")[0]["orders_left"] == ["i-1"]
        assert (bot.clock.now() - began).total_seconds() <= 10

    played(story())


def test_a_stop_during_a_commit_never_sends_the_order() -> None:
    """The decision was on its way to the disk: the order is dropped, and the journal says so."""

    async def story() -> None:
        bot = Supervised()
        run = bot.run()
        await bot.pass_s(5)
        bot.rig.planner.wants = 1
        bot.journal.hold()
        bot.pump(TimerElapsed(at=bot.clock.now()))
        await bot.journal.waiting.wait()
        await bot.pass_s(0.5)
        bot.stop.set()
        await bot.pass_s(0.5)
        bot.journal.let_go()
        ending = await run
        assert (ending.exit_code, bot.rig.sent()) == (DONE, [])
        assert bot.journal.of_kind("bot_stopped")[0]["orders_left"] == []

    played(story())


def test_an_order_without_an_id_yet_is_cancelled_as_soon_as_it_has_one() -> None:
    """The stop comes between the frame and its acknowledgement."""

    async def story() -> None:
        bot = Supervised()
        run = bot.run()
        await bot.pass_s(5)
        bot.rig.planner.wants = 1
        bot.pump(TimerElapsed(at=bot.clock.now()))
        await bot.pass_s(0.5)
        (ref,) = bot.rig.sent()
        bot.stop.set()
        await bot.pass_s(0.5)
        bot.pump(OrderReported(at=bot.clock.now(), report=bot.broker.hold_order(ref)))
        await run
        assert bot.broker.cancelled == [ref]
        assert bot.journal.of_kind("bot_stopped")[0]["orders_left"] == []

    played(story())


def _overfill(bot: Supervised) -> None:
    bot.pump(filled(a_fill(quantity=2)))


def _deafen(bot: Supervised) -> None:
    def explode(_event: object) -> None:
        raise RuntimeError("a hearer fails")

    bot.pump.hear(TimerElapsed, explode)
    bot.pump(TimerElapsed(at=bot.clock.now()))


@pytest.mark.parametrize("break_it", [_overfill, _deafen])
def test_a_dying_task_halts_cancels_and_ends_with_five(break_it: Callable[[Supervised], None]) -> None:
    """Nothing is raised into whoever delivered the event; the latch holds, and confirmed cancels are not listed."""

    async def story() -> None:
        bot = Supervised()
        run = bot.run(call_order(1, IN_DOUBT))
        await bot.pass_s(5)
        break_it(bot)
        ending = await run
        assert ending.exit_code == INTERNAL_FAULT
        assert (bot.latch.on_disk, bot.broker.cancelled[0]) == (TradingMode.HALT, "i-1")
        assert bot.journal.of_kind("bot_stopped")[0]["orders_left"] == []

    played(story())


def test_a_failure_during_a_commit_stops_the_order_that_waits() -> None:
    """An event that cannot be applied while a decision is written: its order does not leave."""

    async def story() -> None:
        bot = Supervised()
        run = bot.run(call_order(1, IN_DOUBT))
        await bot.pass_s(5)
        bot.confirm(order_in(bot.state))
        await bot.pass_s(1)
        bot.rig.planner.wants = 1
        bot.journal.hold()
        bot.pump(TimerElapsed(at=bot.clock.now()))
        await bot.journal.waiting.wait()
        bot.pump(filled(a_fill(quantity=2)))
        bot.journal.let_go()
        ending = await run
        assert (ending.exit_code, bot.rig.sent()) == (INTERNAL_FAULT, [])

    played(story())


def test_a_task_that_ends_by_itself_is_a_fault() -> None:
    """No death of a task goes unnoticed, also a quiet one."""

    async def story() -> None:
        bot = Supervised()

        async def nothing() -> None:
            await bot.pass_s(3)

        bot.sessions.run = nothing  # type: ignore[method-assign]  # a task that forgets to go on
        ending = await bot.run()
        assert ending.exit_code == INTERNAL_FAULT
        assert "sessions" in ending.why

    played(story())


def test_a_failing_journal_halts_with_four() -> None:
    """No row, no trade: latched, cancelled, exit 4."""

    async def story() -> None:
        bot = Supervised()
        run = bot.run(call_order(1, IN_DOUBT))
        await bot.pass_s(5)
        bot.journal.failure = JournalError("disk full")
        bot.pump(TimerElapsed(at=bot.clock.now()))
        bot.shell.tell("anything_happened", {})
        ending = await run
        assert (ending.exit_code, bot.latch.on_disk, bot.broker.cancelled[0]) == (
            ENDED_HALTED,
            TradingMode.HALT,
            "i-1",
        )

    played(story())


def test_an_unwritable_latch_halts_with_four_and_the_last_row_is_written() -> None:
    """The kill's cancels have left, the run ends, and the journal still tells how."""

    async def story() -> None:
        bot = Supervised()
        run = bot.run(call_order(1, IN_DOUBT))
        await bot.pass_s(5)
        bot.latch.broken = True
        bot.desk.receive(bot.command(CommandName.KILL))
        ending = await run
        assert (ending.exit_code, bot.broker.cancelled[0]) == (ENDED_HALTED, "i-1")
        assert bot.journal.kinds()[-1] == "bot_stopped"

    played(story())


def test_a_bot_that_boots_halted_cancels_what_it_left_working() -> None:
    """As soon as the books are known; a stop while halted ends with four."""

    async def story() -> None:
        bot = Supervised()
        bot.latch.mode, bot.latch.epoch = TradingMode.HALT, 1
        run = bot.run(call_order(1, IN_DOUBT))
        await bot.pass_s(20)
        assert (bot.broker.cancelled, bot.state.live_orders()) == (["i-1"], ())
        bot.stop.set()
        assert (await run).exit_code == ENDED_HALTED

    played(story())


def test_doubts_are_tended_and_settled() -> None:
    """A sent order that nobody answers is doubted after ten seconds and settled by the books, without a second one."""

    async def story() -> None:
        bot = Supervised()
        run = bot.run()
        await bot.pass_s(30)
        bot.rig.planner.wants = 1
        bot.pump(TimerElapsed(at=bot.clock.now()))
        await bot.pass_s(5)
        bot.rig.planner.wants = 0
        await bot.pass_s(40)
        assert (len(bot.rig.sent()), bot.state.live_orders()) == (1, ())
        assert "order_doubted" in bot.journal.kinds()
        bot.stop.set()
        assert (await run).exit_code == DONE

    played(story(), start=NOON.replace(hour=20))
