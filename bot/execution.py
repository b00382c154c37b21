"""Approved intents to the broker: the last check and the write are one synchronous step; cancels; deadlines."""

from collections.abc import Awaitable, Iterable
from datetime import datetime, timedelta

from bot.domain.checks import require_positive
from bot.domain.decision import Approved
from bot.domain.errors import ConnectivityError
from bot.domain.events import CancelSent, OrderDoubted, OrderDropped, OrderSent
from bot.domain.locks import ACCOUNT_LOCK
from bot.domain.mode import TradingMode
from bot.domain.orders import Order, OrderIntent, Prepared, Sent, Unknown
from bot.domain.previews import MarginFigures
from bot.domain.snapshot import Standing
from bot.ports import Broker, Clock, Latch

Released = OrderSent | OrderDropped | OrderDoubted

DRY_RUN, KILLED, CLOSED = "dry run", "killed meanwhile", "transport closed"
WILL_BE_HEARD_OF = frozenset({DRY_RUN, KILLED, CLOSED})
"""Objections that the state does not know yet, or never will: planning again at once would run into them again."""


class Execution:
    """Sends what was approved, cancels what is ours; keeps no state of its own."""

    def __init__(
        self,
        *,
        broker: Broker,
        clock: Clock,
        latch: Latch,
        order_life_s: float,
        ack_timeout_s: float,
        dry_run: bool = False,
    ) -> None:
        """Take the ports and the two deadlines.

        Args:
            broker: The one order writer.
            clock: Time of decisions.
            latch: Kill flag and epoch; its lock is held from the last check to the end of the write.
            order_life_s: Seconds after which an unfilled order is cancelled and planned again.
            ack_timeout_s: Seconds without an answer after which a sent order counts as UNKNOWN.
            dry_run: Decide and record, but write nothing to the broker.
        """
        require_positive(order_life_s=order_life_s, ack_timeout_s=ack_timeout_s)
        self._broker = broker
        self._clock = clock
        self._latch = latch
        self._order_life = timedelta(seconds=order_life_s)
        self._ack_timeout = timedelta(seconds=ack_timeout_s)
        self.dry_run = dry_run

    def release(self, approved: Approved, standing: Standing) -> Released:
        """Send one approved order, or say why it was dropped; there is no await in here.

        A failing transport leaves doubt, not certainty: the order is UNKNOWN until the books have been compared.
        """
        now = self._clock.now()
        intent_id = approved.intent.intent_id
        with self._latch.lock:
            objection = self._objection(approved, standing, now)
            if objection:
                return OrderDropped(
                    at=now, intent_id=intent_id, why=objection, plan_again=objection not in WILL_BE_HEARD_OF
                )
            try:
                self._broker.submit(approved)
            except ConnectivityError as error:
                return OrderDoubted(at=now, order_ref=intent_id, code=0, text=str(error))
        return OrderSent(at=now, intent_id=intent_id)

    def preview(self, intent: OrderIntent, standing: Standing) -> Awaitable[MarginFigures] | None:
        """Write one what-if frame, or return None: nothing is asked in HALT, in a dry run and without a transport.

        The last look at the latch and the write are one step, as for an order: on the wire a what-if is an order frame
        with one flag.

        Raises:
            ConnectivityError: It has not left; awaited, see `Broker.preview`.

        Source: docs/risk-controls.md, C33.
        """
        with self._latch.lock:
            is_halted = TradingMode.HALT in (self._latch.mode, standing.mode)
            if is_halted or self.dry_run or not self._broker.is_open():
                return None
            return self._broker.preview(intent)

    def _objection(self, approved: Approved, standing: Standing, now: datetime) -> str:
        """What changed between the verdict and this moment; empty when nothing did."""
        if self.dry_run:
            return DRY_RUN
        if self._latch.epoch != approved.kill_epoch:
            return KILLED
        mandate = standing.mandate
        signed = mandate is not None and mandate.allows(approved.intent, epoch=self._latch.epoch, now=now)
        if self._latch.mode is TradingMode.HALT and not signed:
            return KILLED
        if standing.mode is TradingMode.HALT and not signed:
            return "mode HALT"
        if standing.reconciling:
            return "reconciling"
        if standing.book_version != approved.book_version:
            return f"book moved from {approved.book_version} to {standing.book_version}"
        if ACCOUNT_LOCK in standing.locks or any(leg.instrument.key in standing.locks for leg in approved.intent.legs):
            return "locked meanwhile"
        if now > approved.valid_until:
            return f"verdict expired at {approved.valid_until.isoformat()}"
        if not self._broker.is_open():
            return CLOSED
        return ""

    def cancel(self, order: Order) -> CancelSent | None:
        """Write one cancel frame; None when there is nothing to cancel or no transport to write to.

        An order that is only prepared has not left: its release is what a kill stops.
        """
        if self.dry_run or order.is_terminal or isinstance(order.state, Prepared) or not self._broker.is_open():
            return None
        try:
            self._broker.cancel(order)
        except ConnectivityError:
            return None  # the link's loss makes the order UNKNOWN, and reconciliation decides
        return CancelSent(at=self._clock.now(), intent_id=order.intent.intent_id)

    def cancel_everything(self) -> bool:
        """Write the frame that cancels everybody's orders; False when there is no transport to write to."""
        if self.dry_run or not self._broker.is_open():
            return False
        try:
            self._broker.cancel_everything()
        except ConnectivityError:
            return False
        return True

    def overdue(self, orders: Iterable[Order], now: datetime) -> tuple[Order, ...]:
        """Return the orders whose time is up and for which no cancel is under way.

        An order whose sending was never confirmed, after a crash or a broken transport, lives from its preparation.
        """
        return tuple(
            order
            for order in orders
            if not isinstance(order.state, Prepared)
            and now - (order.sent_at or order.prepared_at) >= self._order_life
            and (order.cancel_requested_at is None or now - order.cancel_requested_at >= self._order_life)
        )

    def unanswered(self, orders: Iterable[Order], now: datetime) -> tuple[Order, ...]:
        """Return the sent orders that the broker has not answered in time."""
        return tuple(
            order
            for order in orders
            if isinstance(order.state, Sent) and order.sent_at is not None and now - order.sent_at >= self._ack_timeout
        )

    @staticmethod
    def in_doubt(orders: Iterable[Order]) -> tuple[Order, ...]:
        """Return the orders that only a reconciliation can settle."""
        return tuple(order for order in orders if isinstance(order.state, Unknown))
