"""The exchange: takes orders, matches them against quotes, keeps the account; no clock, no I/O, no randomness.

How it works. `place` judges an order and matches it at once; `match` is called on every step and gives resting orders
another chance, oldest first. All methods return what happened as a tuple of events, in the order in which a broker
tells it: executions, the order's standing, commissions, positions, the account. What always holds: positions and cash
move by executions of single contracts only, the prices of a combo's legs add up to its net, and an order's filled
quantity never exceeds its size.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from bot.domain.instrument import Instrument, Side
from simulator.account import Account
from simulator.admission import DUPLICATE_ID, Rejection, refusal_of, refusal_of_change
from simulator.fees import FeeModel
from simulator.fills import FillModel, Match, Quotes, taking_side
from simulator.preview import preview_of
from simulator.venue import (
    AccountChanged,
    CancelRefused,
    Charged,
    Executed,
    OrderChanged,
    Phase,
    Preview,
    VenueEvent,
    VenueOrder,
    VenueStatus,
)

FIRST_PERM_ID: Final = 1_704_000_001
_UNKNOWN_ID: Final = 135
_NOT_CANCELLABLE: Final = 161

OrderKey = tuple[int, int]
"""Client id and order id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """What the exchange sees of the world at one moment: the time, the quotes and which contracts trade."""

    at: datetime
    quotes: Quotes
    phase_of: Callable[[Instrument], Phase]

    def is_open_for(self, order: VenueOrder) -> bool:
        """Return whether all contracts of an order trade in regular hours."""
        return all(self.phase_of(leg.instrument) is Phase.REGULAR for leg in order.legs)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Working:
    """An order that may still fill; ``paid`` is the sum of net price times units, ``leg_paid`` the same per leg."""

    order: VenueOrder
    perm_id: int
    filled: int
    paid: Decimal
    leg_paid: tuple[Decimal, ...]
    last: Decimal

    def standing(self, status: VenueStatus, reason: str = "", code: int = 0) -> OrderChanged:
        """Return the order's present standing."""
        return OrderChanged(
            order=self.order,
            perm_id=self.perm_id,
            status=status,
            filled=self.filled,
            average_price=self.paid / self.filled if self.filled else Decimal(0),
            last_price=self.last,
            reason=reason,
            code=code,
        )


class Exchange:
    """One account's orders at one venue."""

    def __init__(
        self,
        *,
        account: Account,
        fills: FillModel,
        fees: FeeModel,
        is_listed: Callable[[Instrument], bool],
        marks: Callable[[], Mapping[Instrument, Decimal]],
    ) -> None:
        """Open the exchange.

        Args:
            account: Cash and positions that executions move.
            fills: When and how much of an order trades.
            fees: What an execution costs.
            is_listed: Whether a contract may be ordered.
            marks: Present prices in points of everything held, for the account's values.
        """
        self.account = account
        self._fills = fills
        self._fees = fees
        self._is_listed = is_listed
        self._marks = marks
        self._working: dict[OrderKey, _Working] = {}
        self._done: dict[OrderKey, OrderChanged] = {}
        self._used_ids: dict[int, set[int]] = {}
        self._executions: list[tuple[Executed, Charged]] = []
        self._taken: dict[tuple[Instrument, Side], int] = {}
        self._perm_id = FIRST_PERM_ID
        self._trade_count = 0

    def __repr__(self) -> str:
        """How many orders work and are done, for failing tests."""
        return f"Exchange({len(self._working)} working, {len(self._done)} done today, {self.account!r})"

    def place(self, order: VenueOrder, venue: Venue) -> tuple[VenueEvent, ...]:
        """Take a new order, or change a working one of the same client and id; match it at once when open."""
        key = (order.client_id, order.order_id)
        if key in self._working:
            return self._change(key, order, venue)
        perm_id = self._perm_id
        self._perm_id += 1
        fresh = _Working(
            order=order,
            perm_id=perm_id,
            filled=0,
            paid=Decimal(0),
            leg_paid=(Decimal(0),) * len(order.legs),
            last=Decimal(0),
        )
        refusal = self._refusal(order, venue)
        self._used_ids.setdefault(order.client_id, set()).add(order.order_id)
        if refusal is not None:
            rejected = fresh.standing(VenueStatus.REJECTED, refusal.text, refusal.code)
            self._done.setdefault(key, rejected)
            return (rejected,)
        self._working[key] = fresh
        return (fresh.standing(VenueStatus.SUBMITTED), *self._try(key, venue))

    def preview(self, order: VenueOrder, venue: Venue, mark_of: Callable[[Instrument], Decimal]) -> Preview:
        """Return what an order would do to the account, or the account unchanged with the reason of its refusal."""
        before = self.account_state()
        refusal = self._refusal(order, venue)
        if refusal is not None:
            return Preview(
                before=before, after=before, commission_usd=Decimal(0), reason=refusal.text, code=refusal.code
            )
        return preview_of(
            order, account=self.account, before=before, fees=self._fees, quotes=venue.quotes, mark_of=mark_of
        )

    def cancel(self, client_id: int, order_id: int) -> tuple[VenueEvent, ...]:
        """Cancel a working order, or say why not: an id never seen (135) or an order that is done (161)."""
        working = self._working.pop((client_id, order_id), None)
        if working is not None:
            return (self._finish(working.standing(VenueStatus.CANCELLED)),)
        if order_id in self._used_ids.get(client_id, ()):
            code, text = _NOT_CANCELLABLE, f"Cancel attempted when order is not in a cancellable state, id {order_id}"
        else:
            code, text = _UNKNOWN_ID, f"Can't find order with id = {order_id}"
        return (CancelRefused(client_id=client_id, order_id=order_id, code=code, text=text),)

    def match(self, venue: Venue) -> tuple[VenueEvent, ...]:
        """Begin a new step: displayed sizes are whole again and resting orders are tried, oldest first."""
        self._taken.clear()
        events: list[VenueEvent] = []
        for key in tuple(self._working):
            events += self._try(key, venue)
        return tuple(events)

    def end_session(self, venue: Venue) -> tuple[VenueEvent, ...]:  # noqa: ARG002 - the seam's signature
        """Cancel what was good for the day only; called when a session has ended, contracts being closed by then."""
        ended = [key for key, working in self._working.items() if working.order.tif == "DAY"]
        return tuple(
            self._finish(self._working.pop(key).standing(VenueStatus.CANCELLED, "DAY order expired")) for key in ended
        )

    def settle(self, instrument: Instrument, value_points: Decimal, at: datetime) -> tuple[VenueEvent, ...]:  # noqa: ARG002 - the seam's signature
        """Settle a contract in cash: its orders end, its position is closed at a value and without a commission.

        Args:
            instrument: The contract that settles.
            value_points: What one unit of the multiplier is worth, in points: an option's pay-off, a future's final
                settlement price; zero or more.
            at: The moment, aware UTC.

        Returns:
            The cancelled orders; where a position was held, also that position, flat, and the account.
        """
        ended = [
            key for key, each in self._working.items() if instrument in {leg.instrument for leg in each.order.legs}
        ]
        events: list[VenueEvent] = [
            self._finish(self._working.pop(key).standing(VenueStatus.CANCELLED, "The contract has expired"))
            for key in ended
        ]
        held = self.account.quantity(instrument)
        if held:
            self.account.trade(instrument, -held, value_points, Decimal(0))
            events += [self.account.position(instrument), self.account_state()]
        return tuple(events)

    def begin_session(self, venue: Venue) -> None:  # noqa: ARG002 - the seam's signature
        """Forget yesterday's finished orders and executions, as the broker's own lists do."""
        self._done.clear()
        self._executions.clear()

    def next_order_id(self, client_id: int) -> int:
        """Return an id above every one this client used."""
        return max(self._used_ids.get(client_id, set()), default=0) + 1

    def open_orders(self) -> tuple[OrderChanged, ...]:
        """Return the working orders of all clients, oldest first."""
        return tuple(working.standing(VenueStatus.SUBMITTED) for working in self._working.values())

    def completed_orders(self) -> tuple[OrderChanged, ...]:
        """Return what was filled, cancelled or rejected in the present session, in that order of time."""
        return tuple(self._done.values())

    def executions(self) -> tuple[tuple[Executed, Charged], ...]:
        """Return the present session's executions, oldest first."""
        return tuple(self._executions)

    def account_state(self) -> AccountChanged:
        """Return the account at present marks."""
        return self.account.state(self._marks())

    def _refusal(self, order: VenueOrder, venue: Venue) -> Rejection | None:
        """Return why a new order is not taken."""
        if order.order_id in self._used_ids.get(order.client_id, ()):
            return Rejection(code=DUPLICATE_ID, text=f"Duplicate order id {order.order_id}")
        return refusal_of(order, account=self.account.name, is_listed=self._is_listed, is_open=venue.is_open_for(order))

    def _change(self, key: OrderKey, order: VenueOrder, venue: Venue) -> tuple[VenueEvent, ...]:
        """Change price or size of a working order; a refused change leaves it as it was."""
        working = self._working[key]
        refusal = refusal_of_change(working.order, order, filled=working.filled) or refusal_of(
            order, account=self.account.name, is_listed=self._is_listed, is_open=venue.is_open_for(order)
        )
        if refusal is not None:
            return (working.standing(VenueStatus.SUBMITTED, refusal.text, refusal.code),)
        changed = replace(working, order=order)
        if order.quantity == working.filled:
            del self._working[key]
            return (self._finish(changed.standing(VenueStatus.FILLED)),)
        self._working[key] = changed
        return (changed.standing(VenueStatus.SUBMITTED), *self._try(key, venue))

    def _try(self, key: OrderKey, venue: Venue) -> tuple[VenueEvent, ...]:
        """Trade what an order can trade now."""
        working = self._working.get(key)
        if working is None or not venue.is_open_for(working.order):
            return ()
        match = self._fills.match(working.order, working.order.quantity - working.filled, venue.quotes, self._taken)
        return () if match is None else self._fill(key, working, match, venue.at)

    def _fill(self, key: OrderKey, before: _Working, match: Match, at: datetime) -> tuple[VenueEvent, ...]:
        """Carry out one trade: executions, the order's standing, commissions, positions, the account."""
        after = _traded(before, match)
        self._working[key] = after
        self._trade_count += 1
        executed = _executions(after, match, at, self._trade_count)
        charged = [self._settle(execution) for execution in executed]
        self._executions += zip(executed, charged, strict=True)
        for leg in after.order.legs:
            taker = (leg.instrument, taking_side(after.order, leg))
            self._taken[taker] = self._taken.get(taker, 0) + match.units * leg.ratio
        status = VenueStatus.SUBMITTED
        if after.filled == after.order.quantity:
            status = VenueStatus.FILLED
            del self._working[key]
            self._done[key] = after.standing(status)
        moved = [self.account.position(leg.instrument) for leg in after.order.legs]
        return (*executed, after.standing(status), *charged, *moved, self.account_state())

    def _settle(self, execution: Executed) -> Charged:
        """Move the account by one execution; the net of a combo moves nothing and costs nothing."""
        if execution.instrument is None:
            return Charged(exec_id=execution.exec_id, commission_usd=Decimal(0), realized_usd=None)
        fee = self._fees.charge(execution.instrument, execution.quantity, execution.price, in_combo=execution.is_leg)
        change = execution.quantity * execution.side.sign
        realized = self.account.trade(execution.instrument, change, execution.price, fee)
        return Charged(exec_id=execution.exec_id, commission_usd=fee, realized_usd=realized)

    def _finish(self, ended: OrderChanged) -> OrderChanged:
        """Move an order to those that are done."""
        self._done[ended.order.client_id, ended.order.order_id] = ended
        return ended


def _traded(before: _Working, match: Match) -> _Working:
    """Return the order after a trade."""
    leg_paid = tuple(
        paid + price * match.units * leg.ratio
        for paid, price, leg in zip(before.leg_paid, match.prices, before.order.legs, strict=True)
    )
    return replace(
        before,
        filled=before.filled + match.units,
        paid=before.paid + match.net * match.units,
        leg_paid=leg_paid,
        last=match.net,
    )


def _executions(after: _Working, match: Match, at: datetime, number: int) -> tuple[Executed, ...]:
    """Return one execution for a single contract; for a combo its net first, then one per leg."""
    order = after.order
    rows: list[tuple[Instrument | None, Side, int, int, Decimal, Decimal]] = []
    if order.is_combo:
        rows.append((None, order.side, match.units, after.filled, match.net, after.paid))
    for leg, price, paid in zip(order.legs, match.prices, after.leg_paid, strict=True):
        side = taking_side(order, leg)
        rows.append((leg.instrument, side, match.units * leg.ratio, after.filled * leg.ratio, price, paid))
    return tuple(
        Executed(
            order=order,
            perm_id=after.perm_id,
            exec_id=f"{at:%Y%m%d}.{number:08x}.{part:02d}.01",
            instrument=instrument,
            is_leg=order.is_combo and instrument is not None,
            side=side,
            quantity=quantity,
            price=price,
            cumulative=cumulative,
            average_price=paid / cumulative,
            at=at,
        )
        for part, (instrument, side, quantity, cumulative, price, paid) in enumerate(rows, start=1)
    )
