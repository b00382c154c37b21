"""How many orders: of one pattern, in a day, at a time (C16, C10)."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from bot.domain.decision import Checked, Rule
from bot.domain.orders import OrderIntent
from risk.scene import Scene


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Fails when an order in one of the same contracts is on its way: never twice, never both sides of one contract.

    Control: C16, C44.
    Standard: 15c3-5(c)(1); RTS 6 13.
    Unit: contracts with an order on its way.
    Limits: none.
    """

    rule: Rule = Rule.DUPLICATES

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Judge against everything that may still fill."""
        pending = scene.pending()
        if not pending:
            return NO_DUPLICATE
        keys = {leg.instrument.key for leg in intent.legs}
        shared = sorted({leg.instrument.key for one, _ in pending for leg in one.legs} & keys)
        if not shared:
            return NO_DUPLICATE
        return NO_DUPLICATE._replace(passed=False, found=", ".join(shared))


NO_DUPLICATE: Final = Checked.holds(rule=Rule.DUPLICATES, passed=True, found="none", limit="none on its way")


@dataclass(frozen=True, slots=True)
class DailyOrders:
    """Fails when the day's orders are used up; orders that only close have a reserve of their own on top.

    Control: C10.
    Standard: RTS 6 15(1)(d).
    Unit: orders a day.
    Limits: max_orders_per_day, closing_orders_reserve.
    """

    rule: Rule = Rule.DAILY_ORDERS

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Count this order as sent."""
        reserve = scene.limits.closing_orders_reserve if scene.closes_only(intent) else 0
        return scene.once(_daily, orders_today(scene) + 1, scene.limits.max_orders_per_day + reserve)


def _daily(sent: int, limit: int, scene: Scene) -> Checked:  # noqa: ARG001 - as every figure's work
    return Checked.at_most(rule=Rule.DAILY_ORDERS, found=Decimal(sent), limit=Decimal(limit))


@dataclass(frozen=True, slots=True)
class WorkingOrders:
    """Fails when too many orders would be on their way at once: all of them must be cancellable within a moment.

    Control: C10, C11.
    Standard: RTS 6 15(1)(d), 15(2).
    Unit: orders at work.
    Limits: max_working_orders.
    """

    rule: Rule = Rule.WORKING_ORDERS

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:  # noqa: ARG002 - every check has this signature
        """Count this order as working."""
        return scene.once(_working, orders_working(scene) + 1)


def _working(orders: int, scene: Scene) -> Checked:
    limit = Decimal(scene.limits.max_working_orders)
    return Checked.at_most(rule=Rule.WORKING_ORDERS, found=Decimal(orders), limit=limit)


def orders_today(scene: Scene) -> int:
    """Return how many orders of the New York day were sent, those approved earlier in the plan among them."""
    return scene.snapshot.book.orders_sent_today + len(scene.earlier)


def orders_working(scene: Scene) -> int:
    """Return how many orders are on their way."""
    return len(scene.pending())
