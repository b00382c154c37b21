"""Asks the broker what an order would bind, when that is all that the order waits for, and pumps the answer.

How it works: each decision hands out the first order that lacks nothing but the broker's what-if. It is asked about
once, the answer makes a plan due, and the wish that is planned anew finds it. What always holds: one question at a
time; after questions without an answer nothing that adds risk leaves until one is answered, so that it is asked on
while the bot is held back, about the order that was wanted last. A session's end ends its questions with it.

Source: docs/methodology.md, M11; docs/risk-controls.md, 2.4.
"""

import asyncio

from bot.app.guards import Guards
from bot.app.link import LinkKeeper
from bot.app.shell import Shell
from bot.domain.errors import BrokerRejectedError, ConnectivityError
from bot.domain.events import MarginPreviewed, SessionClosed
from bot.domain.mode import DemandSource
from bot.domain.orders import OrderIntent
from bot.domain.previews import MarginPreview, shape_of


class PreviewKeeper:
    """One task; asks for nothing while no order waits, no session is open or no link is up."""

    def __init__(self, *, shell: Shell, link: LinkKeeper, guards: Guards) -> None:
        """Listen to decisions; `run` does the work."""
        self._shell = shell
        self._clock = shell.clock
        self._link = link
        self._guards = guards
        self._wanted: OrderIntent | None = None
        self._failures = 0
        self._due = asyncio.Event()
        shell.pump.hear_work(self._after_decision)
        shell.pump.hear(SessionClosed, lambda _event: self._forget())

    async def run(self) -> None:
        """Ask whenever an order waits for it, for ever."""
        while True:
            await self._due.wait()
            self._due.clear()
            await self._link.ready.wait()
            intent = self._wanted
            if intent is None or self._shell.engine.state.session is None:
                continue
            if not await self._ask(intent):
                await self._clock.sleep(self._shell.settings.preview_again_s)
                self._due.set()

    def _after_decision(self) -> None:
        """What the last decision waits for; while nobody answers, what was wanted last is asked about again."""
        unasked = self._shell.engine.unasked
        if unasked is not None or not self._failures:
            self._wanted = unasked
        if unasked is not None:
            self._due.set()

    def _forget(self) -> None:
        """What was wanted is over, and the next session may find a broker that answers."""
        self._wanted, self._failures = None, 0
        self._guards.is_gone(DemandSource.MARGIN_PREVIEW)

    async def _ask(self, intent: OrderIntent) -> bool:
        """Ask once; False when there was no answer, and it must be tried again."""
        version = self._shell.engine.state.book_version
        try:
            asked = self._shell.engine.preview(intent)
            if asked is None:
                return False  # halted, dry or closed: nothing was asked, and nothing has failed
            figures = await asked
        except (ConnectivityError, BrokerRejectedError) as error:
            self._failed(intent, str(error))
            return False
        preview = MarginPreview(
            at=self._clock.now(),
            shape=shape_of(intent.legs),
            quantity=intent.quantity,
            book_version=version,
            figures=figures,
        )
        self._failures, self._wanted = 0, None
        self._shell.pump(MarginPreviewed(at=preview.at, preview=preview))
        self._guards.is_gone(DemandSource.MARGIN_PREVIEW)
        return True

    def _failed(self, intent: OrderIntent, why: str) -> None:
        """Tell it, and hold the bot back when it has happened too often in a row."""
        self._failures += 1
        order = ", ".join(f"{ratio:+d} {key}" for key, ratio in shape_of(intent.legs))
        self._shell.complain("preview_missing", {"order": order, "quantity": intent.quantity, "why": why})
        self._guards.is_back(DemandSource.MARGIN_PREVIEW)
        if self._failures >= self._shell.settings.preview_failures:
            self._guards.holds(DemandSource.MARGIN_PREVIEW, f"{self._failures} what-ifs without an answer: {why}")
