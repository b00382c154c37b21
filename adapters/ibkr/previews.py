"""What-if questions: what the broker says that an order would bind; nothing is placed.

How it works: on the wire the question is an order frame with one flag, under a number of its own that is never used
again; the answer is an open-order message with the same flag, which no order table sees. What always holds: a question
is written once and never again; figures that are unset, empty or not finite are no answer, and the last word on them is
the deadline.

Source: docs/ib/wire.md, section 5.5.
"""

import asyncio
import math
from collections import deque
from collections.abc import Awaitable
from decimal import Decimal, InvalidOperation
from typing import Final

from adapters.ibkr.errors import request_error
from adapters.ibkr.library import UNSET_DOUBLE, OrderState
from adapters.ibkr.orders import Orders
from bot.domain.errors import ConnectivityError, InvalidValueError
from bot.domain.orders import OrderIntent
from bot.domain.previews import MarginFigures

MOST_REMEMBERED: Final = 256
"""Numbers of questions; a late message about an older one is taken for one about an order that nobody knows."""


class Previews:
    """The questions under way, each by the number that it used up."""

    def __init__(self, *, orders: Orders, timeout_s: float) -> None:
        """Start with none; ``timeout_s`` is the deadline of each answer."""
        self._orders = orders
        self._timeout_s = timeout_s
        self._pending: dict[int, asyncio.Future[MarginFigures]] = {}
        self._used: deque[int] = deque(maxlen=MOST_REMEMBERED)

    def ask(self, intent: OrderIntent) -> Awaitable[MarginFigures]:
        """Write one question before returning; await what it returns.

        Raises:
            ConnectivityError: It was not written; awaited: no answer with figures in time.
            BrokerRejectedError: Awaited: the broker refuses.
            ProvenanceError: The library's frame is not that question; it was not written.
        """
        order_id = self._orders.ask(intent)
        self._used.append(order_id)
        answer: asyncio.Future[MarginFigures] = asyncio.get_running_loop().create_future()
        self._pending[order_id] = answer
        return self._answer(order_id, answer)

    def told(self, order_id: int, state: OrderState) -> None:
        """Take an answer; one without figures is none, because the figures may follow."""
        figures, answer = figures_of(state), self._pending.get(order_id)
        if figures is not None and answer is not None and not answer.done():
            answer.set_result(figures)

    def failed(self, order_id: int, code: int, text: str) -> bool:
        """End the question that an error names; False when it names none."""
        if order_id not in self._used:
            return False
        answer, error = self._pending.get(order_id), request_error("a what-if", code, text)
        if answer is not None and error is not None and not answer.done():
            answer.set_exception(error)
        return True

    def is_about_one(self, order_id: int) -> bool:
        """Return whether a number was used up by a question of ours: no order has it."""
        return order_id in self._used

    async def _answer(self, order_id: int, answer: asyncio.Future[MarginFigures]) -> MarginFigures:
        try:
            return await asyncio.wait_for(answer, self._timeout_s)
        except TimeoutError as error:
            raise ConnectivityError(f"a what-if: no figures within {self._timeout_s} s") from error
        finally:
            del self._pending[order_id]


def figures_of(state: OrderState) -> MarginFigures | None:
    """Return the figures of an answer, None where one of the margins is unset, empty, or no number at all.

    The libraries hand margins over as the broker's text and commissions as numbers.
    """
    initial, maintenance = _amount(state.initMarginChange), _amount(state.maintMarginChange)
    if initial is None or maintenance is None:
        return None
    in_usd = state.commissionCurrency in {"", "USD"}
    least, most = _amount(state.minCommission), _amount(state.maxCommission)
    flat = _amount(state.commission)
    try:
        return MarginFigures(
            initial_change_usd=initial,
            maintenance_change_usd=maintenance,
            least_commission_usd=(flat if least is None else least) if in_usd else None,
            most_commission_usd=(flat if most is None else most) if in_usd else None,
        )
    except InvalidValueError:
        return None


def _amount(told: object) -> Decimal | None:
    """Return an amount as told, None where it is unset or no finite number."""
    try:
        amount = Decimal(str(told).strip())
    except InvalidOperation:
        return None
    is_unset = not amount.is_finite() or math.isclose(abs(float(amount)), UNSET_DOUBLE)
    return None if is_unset else amount
