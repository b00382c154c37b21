"""Keeps the link to the broker: connects, reconnects, and reconciles before anything may be sent.

How it works: every connect and every "link restored" message is followed by a comparison of all books. While an order
is in doubt the comparison is repeated; once the settle time has passed, an order found nowhere is known never to have
arrived. A quiet comparison, made while nothing is wrong, stops nothing while it asks. A difference that it finds must
be there at a second look, because a trade of somebody else's may fall between two answers; where it finds nothing, it
leaves a row once an hour. What always holds: RECONCILING ends only with a complete comparison during which our own book
did not move.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from bot.app.shell import Shell
from bot.domain.errors import BrokerRejectedError, ClientIdInUseError, ConnectivityError
from bot.domain.events import BooksAgreed, LinkLost, LinkRestored
from bot.domain.orders import IntentId, Order
from bot.ports import Broker, BrokerBooks, Connection
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
        self._is_quiet = False  # what is due was asked for while nothing was wrong
        self._seen: Mapping[str, str] = {}  # the differences of a quiet look that wait to be seen again
        self._agreements = 0  # since the last row that told of them
        self._told_at: datetime | None = None
        self._twins: set[tuple[int, ...]] = set()  # told since the link came up
        self._up_since: datetime | None = None
        self._doubted_since: dict[IntentId, datetime] = {}
        self._escalated: set[IntentId] = set()
        self.ready = asyncio.Event()  # connected, and the books were compared since
        self.first_ready = asyncio.Event()
        shell.pump.hear(LinkLost, lambda _event: self._lost())
        shell.pump.hear(LinkRestored, lambda _event: self._restored())

    def request(self) -> None:
        """Ask for a comparison of the books without a loss of the link: an order is in doubt."""
        self._is_quiet = False
        self._due.set()

    def request_quietly(self) -> None:
        """Ask for a comparison although nothing is wrong; one that is due anyway is as good."""
        if not self._due.is_set():
            self._is_quiet = True
            self._due.set()

    async def run(self) -> None:
        """Connect, compare, wait for what breaks, for ever."""
        while True:
            if not self._broker.is_open():
                await self._connect()
            self._due.clear()
            await self._compare(quiet=self._is_quiet)
            if self._broker.is_open():
                await self._due.wait()
            else:
                await self._clock.sleep(self._settings.reconnect_first_s)  # a link that breaks at once is no hurry

    def _lost(self) -> None:
        self._up_since = None
        self._is_quiet = False
        self.ready.clear()
        if not self._broker.is_open():
            self._due.set()  # a dead socket is ours to mend; a broken line behind the gateway mends itself

    def _restored(self) -> None:
        self._up_since = self._clock.now()
        self._is_quiet = False
        self._twins.clear()
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

    async def _compare(self, *, quiet: bool) -> None:
        """Compare the books until no order is in doubt or the link breaks; a doubt that lasts is told once."""
        self._seen = {}
        while self._up_since is not None and self._broker.is_open():
            outcome = await self._look(quiet=quiet and self._is_quiet)
            if outcome is not None:
                self._watch_doubts(outcome.in_doubt)
            if outcome is not None and not outcome.in_doubt:
                self.ready.set()
                self.first_ready.set()
                return
            await self._clock.sleep(self._settings.look_again_s)

    async def _look(self, *, quiet: bool) -> Reconciliation | None:
        """Compare once; None when the answer must be asked for again.

        It was incomplete, it came too late, our own side moved meanwhile, or it differs for the first time quietly.

        The broker's answer is older than its arrival: an order that was sent, or heard of, since the question would
        be settled by books that do not know it yet.
        """
        asked, up_since = self._clock.now(), self._up_since
        found = await self._both_sides()
        if found is None or self._up_since != up_since or up_since is None:
            return None
        own, books = found
        now = self._clock.now()
        settled_before = asked - timedelta(seconds=self._settings.settle_s)
        outcome = reconcile(own, books, now=now, settled_before=settled_before if up_since <= settled_before else None)
        is_unconfirmed = quiet and outcome.differences != self._seen
        self._seen = outcome.differences
        if not outcome.in_doubt and is_unconfirmed:
            return None
        if not outcome.in_doubt:
            self._adopted = True
            if quiet and self._is_nothing_new(outcome, own):
                self._agree(books, asked, now)
            else:
                self._shell.pump(outcome.as_event(books, now))
        self._tell_twins(outcome, now)
        return outcome

    async def _both_sides(self) -> tuple[OwnBooks, BrokerBooks] | None:
        """Our books and the broker's; None when they are not of one moment."""
        state = self._shell.engine.state
        version, orders = state.book_version, state.live_orders()
        try:
            books = await self._broker.books()
        except (ConnectivityError, BrokerRejectedError) as error:
            self._shell.complain("books_incomplete", {"why": str(error)})
            return None
        if (state.book_version, state.live_orders()) != (version, orders):
            return None
        positions = state.snapshot(self._clock.now()).book.positions.values()
        own = OwnBooks(orders=orders, fills=state.fills(), positions=tuple(positions) if self._adopted else None)
        return own, books

    def _tell_twins(self, outcome: Reconciliation, now: datetime) -> None:
        for found in outcome.twins_found(now):
            if found.perm_ids not in self._twins:
                self._twins.add(found.perm_ids)
                self._shell.pump(found)

    def _is_nothing_new(self, outcome: Reconciliation, own: OwnBooks) -> bool:
        """The books agree in everything, and no lock waits for an agreement."""
        state = self._shell.engine.state
        return (
            not outcome.differences
            and not outcome.missed_fills
            and outcome.orders == own.orders
            and outcome.commissions.items() <= state.commissions().items()
            and not state.locks.passing
        )

    def _agree(self, books: BrokerBooks, asked: datetime, now: datetime) -> None:
        """The time of the agreement is news to those who wait for it; the journal hears of it now and then."""
        self._agreements += 1
        self._shell.pump(BooksAgreed(at=now, account=books.account))
        if self._told_at is None or asked - self._told_at >= timedelta(seconds=self._settings.agreement_told_s):
            self._shell.tell("books_agreed", {"comparisons": self._agreements})
            self._agreements, self._told_at = 0, asked

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
