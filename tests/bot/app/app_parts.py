"""The shell on virtual time around a rig of fakes."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from bot.app.alerting import Alerting
from bot.app.desk import Desk
from bot.app.flattening import Flattener
from bot.app.link import LinkKeeper
from bot.app.pump import Pump
from bot.app.settings import AppSettings
from bot.app.shell import Shell
from bot.app.statement import Identity
from bot.app.sweeping import Actions, Sweeper
from bot.domain.command import Channel, Command, CommandName, Proof, Role
from bot.domain.mode import TradingMode
from bot.domain.orders import Order
from bot.hedging.flatten.settings import FlattenSettings
from bot.hedging.settings import HedgeSettings
from bot.hedging.stewardship.steward import Steward
from risk.authority import AuthorityRules
from risk.scene import Check
from simulator.clock import VirtualClock
from simulator.virtual_time import RunLimits, VirtualLoop, run_virtual
from tests.bot.engine_parts import Rig, books_agree, restored
from tests.builders import FEES, NOON, an_account
from tests.fakes import FakeLink, FakeRng

T = TypeVar("T")
LIMITS = RunLimits(max_virtual_s=400_000, max_steps=2_000_000, max_steps_per_instant=20_000)


def played(story: Coroutine[Any, Any, T], start: datetime = NOON) -> T:
    """Run a story in virtual time; one that spins is given up."""
    return run_virtual(story, start=start, limits=LIMITS)


class Bot:
    """Engine, pump, link keeper and desk around fakes; tasks end with the story."""

    def __init__(
        self,
        *,
        adopted: bool = True,
        requires_link: bool = False,
        up: bool = True,
        steward: Steward | None = None,
        rules: AuthorityRules | None = None,
        checks: Sequence[Check] = (),
        clock: Callable[[VirtualLoop], VirtualClock] = VirtualClock,
    ) -> None:
        """Join the parts inside a virtual loop."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self.clock = clock(loop)
        self.rig = Rig(clock=self.clock, steward=steward, checks=checks)
        self.broker, self.latch, self.journal, self.state = (
            self.rig.broker,
            self.rig.latch,
            self.rig.journal,
            self.rig.state,
        )
        self.broker.up = up
        self.pump = Pump(self.rig.engine)
        self.broker.sink = self.pump
        self.shell = Shell(
            engine=self.rig.engine, pump=self.pump, clock=self.clock, rng=FakeRng(), settings=AppSettings()
        )
        self.keeper = LinkKeeper(
            shell=self.shell, connection=self.broker, broker=self.broker, adopted=adopted, connected=self._connected
        )
        self.link = FakeLink()
        self.flattener = Flattener(
            shell=self.shell,
            link=self.link,
            keeper=self.keeper,
            hedge=HedgeSettings(),
            settings=FlattenSettings(),
            fees=FEES,
        )
        self.sweeper = Sweeper(shell=self.shell, keeper=self.keeper, allowed=True)
        self.desk = Desk(
            shell=self.shell,
            latch=self.latch,
            link=self.link,
            keeper=self.keeper,
            actions=Actions(flattener=self.flattener, sweeper=self.sweeper),
            rules=rules or AuthorityRules(),
            identity=Identity(bot="b", profile="sim", version="1", config_hash="h", requires_link=requires_link),
        )
        self.alerting = Alerting(shell=self.shell, link=self.link)
        self.rig.announced.also_tell(self.desk.told)
        self.rig.announced.also_tell(self.alerting.told)
        self.tasks: list[asyncio.Task[None]] = []
        self.after_connect: list[Any] = []

    async def _connected(self) -> None:
        await self.clock.sleep(0.01)
        if self.after_connect:
            self.after_connect.pop(0)()

    def start(self, *jobs: Coroutine[Any, Any, None]) -> "Bot":
        """Run the pump and these."""
        first = () if self.tasks else (self.pump.run(),)
        for job in (*first, *jobs):
            self.tasks.append(asyncio.ensure_future(job))
        return self

    def with_order(self, *orders: Order) -> "Bot":
        """Have these orders, compared and at peace."""
        self.pump(restored())
        self.pump(books_agree(orders=orders, at=self.clock.now()))
        return self

    def with_books_compared(self, worth: int = 500_000) -> "Bot":
        """Compare the books once more, without a difference and without touching an order; the account shows this."""
        self.pump(books_agree(at=self.clock.now(), account=an_account(worth)))
        return self

    async def pass_s(self, seconds: float) -> None:
        """Let time pass."""
        await self.clock.sleep(seconds)

    async def end(self) -> None:
        """End the tasks; one that has failed meanwhile fails the test."""
        self.desk.close()
        for task in self.tasks:
            task.cancel()
        for ended in await asyncio.gather(*self.tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended

    # the operator

    def challenge(self) -> str:
        """What a loosening command must repeat."""
        return str(self.link.last("challenge")["challenge"])

    def command(self, name: CommandName, command_id: str = "c-1", **changes: Any) -> Command:
        """A signed command of an operator with every role."""
        now = self.clock.host_now()
        facts: dict[str, Any] = {
            "name": name,
            "command_id": command_id,
            "channel": Channel.IN_MEMORY,
            "proof": Proof.SIGNED,
            "received_at": now,
            "reason": "test",
            "key_id": "k",
            "roles": frozenset(Role),
            "seq_is_fresh": True,
            "issued_at": now,
            "expires_at": now + timedelta(seconds=30),
            "kill_epoch": self.latch.epoch,
        }
        if name.loosens and "challenge" not in changes:
            facts["challenge"] = self.challenge()
        return Command(**{**facts, **changes})


async def a_halted_bot(**options: Any) -> Bot:
    """A bot that stands latched in HALT at epoch 3, its desk open, its books compared a moment ago."""
    bot = Bot(up=False, **options)
    bot.latch.mode, bot.latch.epoch = TradingMode.HALT, 3
    bot.desk.open()
    bot.start(bot.keeper.run(), bot.desk.run())
    await bot.pass_s(1)
    return bot
