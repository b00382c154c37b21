"""Keeps the link to the broker: connects, reconnects, and reconciles before anything may be sent.

How it works: every connect and every "link restored" message is followed by a comparison of all books. While an order
is in doubt the comparison is repeated; once the settle time has passed, an order found nowhere is known never to have
arrived. What always holds: RECONCILING ends only with a complete comparison during which our own book did not move.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from bot.app.shell import Shell
from bot.domain.errors import BrokerRejectedError, ClientIdInUseError, ConnectivityError
from bot.domain.events import LinkLost, LinkRestored
from bot.domain.orders import IntentId, Order
from bot.ports import Broker, Connection
from bot.reconcile import OwnBooks, Reconciliation, reconcile


class LinkKeeper:
    """One task that holds the link up and the books equal."""

    def __init__(
        self,
        *,
        shell: Shell,
        connection: Connection,
        broker: Broker,
        adopted: bool,
        connected: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Take the parts.

        Args:
            shell: Engine, pump, clock, chance and periods.
            connection: Connects and reports the link's loss and return at the pump.
            broker: Whose books are asked for.
            adopted: Positions were adopted before; False lets the first comparison adopt what is found.
            connected: Awaited after every successful connect, before the comparison.
        """
        self._shell = shell
        self._clock = shell.clock
        self._settings = shell.settings
        self._connection = connection
        self._broker = broker
        self._adopted = adopted
        self._connected = connected
        self._due = asyncio.Event()
        self._up_since: datetime | None = None
        self._doubted_since: dict[IntentId, datetime] = {}
        self._escalated: set[IntentId] = set()
        self.ready = asyncio.Event()  # connected, and the books were compared since
        self.first_ready = asyncio.Event()
        shell.pump.hear(LinkLost, lambda _event: self._lost())
        shell.pump.hear(LinkRestored, lambda _event: self._restored())

    def request(self) -> None:
        """Ask for a comparison of the books without a loss of the link: an order is in doubt."""
        self._due.set()

    async def run(self) -> None:
        """Connect, compare, wait for what breaks, for ever."""
        while True:
            if not self._broker.is_open():
                await self._connect()
            self._due.clear()
            await self._compare()
            if self._broker.is_open():
                await self._due.wait()
            else:
                await self._clock.sleep(self._settings.reconnect_first_s)  # a link that breaks at once is no hurry

    def _lost(self) -> None:
        self._up_since = None
        self.ready.clear()
        if not self._broker.is_open():
            self._due.set()  # a dead socket is ours to mend; a broken line behind the gateway mends itself

    def _restored(self) -> None:
        self._up_since = self._clock.now()
        self.ready.clear()
        self._due.set()

    async def _connect(self) -> None:
        """Try until the link stands: the same client id for ever, with growing pauses and jitter."""
        began, alerted, pause = self._clock.now(), False, self._settings.reconnect_first_s
        told: set[str] = set()
        while True:
            try:
                await self._connection.connect()
            except ClientIdInUseError as error:
                self._note("client_id_in_use", error, told)
            except ConnectivityError as error:
                self._note("connect_failed", error, told)
            else:
                await self._came_up()
                return
            if not alerted and self._clock.now() - began >= timedelta(seconds=self._settings.alert_after_s):
                alerted = True
                self._shell.tell("link_alerted", {"without_link_s": (self._clock.now() - began).total_seconds()})
            await self._clock.sleep(pause * (0.75 + 0.5 * self._shell.rng.uniform()))
            pause = min(2 * pause, self._settings.reconnect_most_s)

    async def _came_up(self) -> None:
        """Count the settle time from here; what is done after a connect may move the clock, or see the link break."""
        self._up_since = self._clock.now()
        if self._connected is not None:
            await self._connected()
            if self._up_since is not None:
                self._up_since = self._clock.now()

    def _note(self, kind: str, error: Exception, told: set[str]) -> None:
        """One clear line at once for each kind of failure; the alert tells when it lasts."""
        if kind not in told:
            told.add(kind)
            self._shell.tell(kind, {"why": str(error)})

    async def _compare(self) -> None:
        """Compare the books until no order is in doubt or the link breaks; a doubt that lasts is told once."""
        while self._up_since is not None and self._broker.is_open():
            outcome = await self._look()
            if outcome is not None:
                self._watch_doubts(outcome.in_doubt)
            if outcome is not None and not outcome.in_doubt:
                self.ready.set()
                self.first_ready.set()
                return
            await self._clock.sleep(self._settings.look_again_s)

    async def _look(self) -> Reconciliation | None:
        """Compare once; None when the answer was incomplete, came too late, or our own side moved meanwhile.

        The broker's answer is older than its arrival: an order that was sent, or heard of, since the question would
        be settled by books that do not know it yet.
        """
        state = self._shell.engine.state
        version, orders = state.book_version, state.live_orders()
        asked, up_since = self._clock.now(), self._up_since
        try:
            books = await self._broker.books()
        except (ConnectivityError, BrokerRejectedError) as error:
            self._shell.complain("books_incomplete", {"why": str(error)})
            return None
        if (state.book_version, state.live_orders()) != (version, orders):
            return None
        if self._up_since != up_since or up_since is None:
            return None
        now = self._clock.now()
        own = OwnBooks(
            orders=orders,
            fills=state.fills(),
            positions=tuple(state.snapshot(now).book.positions.values()) if self._adopted else None,
        )
        settled_before = asked - timedelta(seconds=self._settings.settle_s)
        outcome = reconcile(own, books, now=now, settled_before=settled_before if up_since <= settled_before else None)
        if not outcome.in_doubt:
            self._adopted = True
            self._shell.pump(outcome.as_event(books, now))
        return outcome

    def _watch_doubts(self, in_doubt: tuple[Order, ...]) -> None:
        """An order that no comparison settles is handed to a human once; it counts in every limit all the same."""
        now, patience = self._clock.now(), timedelta(seconds=self._settings.alert_after_s)
        known = self._doubted_since
        self._doubted_since = {order.intent.intent_id: known.get(order.intent.intent_id, now) for order in in_doubt}
        self._escalated &= self._doubted_since.keys()
        for order in in_doubt:
            intent_id = order.intent.intent_id
            lasted = now - self._doubted_since[intent_id]
            if lasted >= patience and intent_id not in self._escalated:
                self._escalated.add(intent_id)
                why = getattr(order.state, "why", "")
                facts = {"intent_id": intent_id, "why": why, "in_doubt_s": lasted.total_seconds()}
                self._shell.tell("order_escalated", facts)
