"""The exchange: takes orders, matches them against quotes, keeps the account; no clock, no I/O, no randomness.

How it works. `place` judges an order and looks at it at once; `match` is called on every step and looks at every order,
oldest first. A look lets the order move on by itself (`simulator.orders.lifecycle`), ends it when its time is over,
lets it trade in an auction or against the quotes, and carries out what a trade does to others: children are set free,
groups cancelled or reduced. All methods return what happened as a tuple of events, in the order in which a broker
tells it: executions, the order's standing, commissions, positions, the account. What always holds: positions and cash
move by executions of single contracts and settlements only, the prices of a combo's legs add up to its net, and an
order's filled quantity never exceeds its size.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from bot.domain.instrument import Instrument, Side
from simulator.account import Account
from simulator.admission import DUPLICATE_ID, refusal_for_margin, refusal_of, refusal_of_change
from simulator.fees import Earlier, FeeModel
from simulator.fills import FillModel, Match
from simulator.orders import auctions, groups, times
from simulator.orders.caps import CAPPED
from simulator.orders.conditions import Facts
from simulator.orders.lifecycle import advanced, is_active, is_cancelled_by_conditions, is_held
from simulator.orders.lots import Lots
from simulator.orders.matching import limit_now, match_of, pending_of
from simulator.orders.rejection import MISSING_PARENT, ORDER_MESSAGE, Rejection
from simulator.orders.trades import traded
from simulator.orders.view import Venue, taking_side
from simulator.orders.working import OrderKey, Working
from simulator.preview import preview_of
from simulator.requirement import Requirement
from simulator.venue import (
    AccountChanged,
    CancelRefused,
    Charged,
    Executed,
    OrderChanged,
    Phase,
    Preview,
    Tif,
    VenueEvent,
    VenueOrder,
    VenueStatus,
)

FIRST_PERM_ID: Final = 1_704_000_001
_UNKNOWN_ID: Final = 135
_NOT_CANCELLABLE: Final = 161

Events = tuple[VenueEvent, ...]


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
        self._requirement = Requirement()
        self._venue: Venue | None = None
        self._working: dict[OrderKey, Working] = {}
        self._done: dict[OrderKey, OrderChanged] = {}
        self._used_ids: dict[int, set[int]] = {}
        self._spent_groups: set[str] = set()
        self._executions: list[tuple[Executed, Charged]] = []
        self._taken: dict[tuple[Instrument, Side], int] = {}
        self._perm_id = FIRST_PERM_ID
        self._trade_count = 0

    def __repr__(self) -> str:
        """How many orders work and are done, for failing tests."""
        return f"Exchange({len(self._working)} working, {len(self._done)} done today, {self.account!r})"

    # What clients ask for

    def place(self, order: VenueOrder, venue: Venue) -> Events:
        """Take a new order, or change a working one of the same client and id; match it at once when it can trade."""
        self._venue = venue
        key = (order.client_id, order.order_id)
        if key in self._working:
            return self._change(key, order, venue)
        fresh = Working(
            order=order,
            perm_id=self._perm_id,
            since=venue.at,
            lots=(Lots(),) * len(order.legs),
            is_untransmitted=not order.transmit,
            awaits_parent=(order.client_id, order.parent_id) in self._working and order.parent_id != 0,
        )
        self._perm_id += 1
        refusal = self._refusal(order, venue)
        self._used_ids.setdefault(order.client_id, set()).add(order.order_id)
        if refusal is not None:
            rejected = fresh.standing(VenueStatus.REJECTED, refusal.text, refusal.code)
            self._done.setdefault(key, rejected)
            return (rejected,)
        self._working[key] = fresh
        return (*self._look(key, venue, is_told=True), *self._transmit(order, venue))

    def preview(self, order: VenueOrder, venue: Venue, mark_of: Callable[[Instrument], Decimal]) -> Preview:
        """Return what an order would do to the account, or the account unchanged with the reason of its refusal."""
        self._venue = venue
        before = self.account_state()
        refusal = self._refusal(order, venue)
        if refusal is not None:
            return Preview(
                before=before, after=before, commission_usd=Decimal(0), reason=refusal.text, code=refusal.code
            )
        return preview_of(
            order, account=self.account, before=before, fees=self._fees, quotes=venue.quotes, mark_of=mark_of
        )

    def cancel(self, client_id: int, order_id: int) -> Events:
        """Cancel a working order, or say why not: an id never seen (135) or an order that is done (161)."""
        if (client_id, order_id) in self._working:
            return self._end((client_id, order_id))
        done = self._done.get((client_id, order_id))
        if order_id in self._used_ids.get(client_id, ()):
            state = "" if done is None else f", state: {done.status.value}"
            code, text = _NOT_CANCELLABLE, f"Order {order_id} is not in a state in which it can be cancelled{state}"
        else:
            code, text = _UNKNOWN_ID, f"Can't find order with id = {order_id}"
        return (CancelRefused(client_id=client_id, order_id=order_id, code=code, text=text),)

    # What time brings

    def match(self, venue: Venue) -> Events:
        """Begin a new step: displayed sizes are whole again and every order is looked at, oldest first."""
        self._venue = venue
        self._taken.clear()
        return _joined(self._look(key, venue) for key in tuple(self._working))

    def begin_session(self, venue: Venue) -> Events:
        """Forget yesterday's finished orders and executions, as the broker's own lists do; nothing is told."""
        self._venue = venue
        self._done.clear()
        self._executions.clear()
        self._spent_groups.clear()
        return ()

    def end_session(self, venue: Venue) -> Events:
        """End what was good for the day only; called when a session has ended, contracts being closed by then."""
        self._venue = venue
        events = _joined(self._look(key, venue) for key in tuple(self._working))
        over = [key for key, each in self._working.items() if times.is_over_with_the_day(each, venue)]
        return (*events, *_joined(self._end(key, times.SESSION_IS_OVER) for key in over))

    def settle(self, instrument: Instrument, value_points: Decimal, at: datetime) -> Events:  # noqa: ARG002 - the seam
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
            key for key, each in self._working.items() if any(leg.instrument == instrument for leg in each.order.legs)
        ]
        events = _joined(self._end(key, "The contract has expired") for key in ended)
        if not self.account.quantity(instrument):
            return events
        self.account.settle(instrument, value_points)
        return (*events, self.account.position(instrument), self.account_state())

    # Books

    def next_order_id(self, client_id: int) -> int:
        """Return an id above every one this client used."""
        return max(self._used_ids.get(client_id, set()), default=0) + 1

    def open_orders(self) -> tuple[OrderChanged, ...]:
        """Return the working orders of all clients, oldest first."""
        return tuple(working.standing() for working in self._working.values())

    def completed_orders(self) -> tuple[OrderChanged, ...]:
        """Return what was filled, cancelled or rejected in the present session, in that order of time."""
        return tuple(self._done.values())

    def executions(self) -> tuple[tuple[Executed, Charged], ...]:
        """Return the present session's executions, oldest first."""
        return tuple(self._executions)

    def account_state(self) -> AccountChanged:
        """Return the account at present marks."""
        marks = self._marks()
        return self.account.state(marks, self._requirement.of(self.account.holdings(), marks, self._venue))

    # Taking orders

    def _refusal(self, order: VenueOrder, venue: Venue) -> Rejection | None:
        """Return why a new order is not taken."""
        if order.order_id in self._used_ids.get(order.client_id, ()):
            return Rejection(code=DUPLICATE_ID, text=f"Duplicate order id {order.order_id}")
        return (
            refusal_of(order, account=self.account.name, is_listed=self._is_listed, venue=venue)
            or self._refusal_for_others(order)
            or self._refusal_for_margin(order, order.quantity, venue)
        )

    def _refusal_for_others(self, order: VenueOrder) -> Rejection | None:
        """Return why an order's parent or group does not take it."""
        parent = (order.client_id, order.parent_id)
        if order.parent_id and parent not in self._working:
            done = self._done.get(parent)
            if done is None or done.status is not VenueStatus.FILLED:
                return Rejection(code=MISSING_PARENT, text=f"Missing parent order {order.parent_id}")
        if order.oca_group in self._spent_groups:
            return Rejection(text=f"The OCA group {order.oca_group} has already traded")
        return None

    def _refusal_for_margin(self, order: VenueOrder, units: int, venue: Venue) -> Rejection | None:
        """Return why the account cannot carry an order; a child follows a position that is still to come."""
        if order.parent_id or units <= 0:
            return None
        before = self.account_state()
        after = preview_of(
            replace(order, quantity=units),
            account=self.account,
            before=before,
            fees=self._fees,
            quotes=venue.quotes,
            mark_of=lambda instrument: _mark(instrument, venue),
        ).after
        return refusal_for_margin(before, after)

    def _change(self, key: OrderKey, order: VenueOrder, venue: Venue) -> Events:
        """Change a working order; a refused change leaves it as it was."""
        working = self._working[key]
        refusal = (
            refusal_of_change(working.order, order, filled=working.filled)
            or refusal_of(order, account=self.account.name, is_listed=self._is_listed, venue=venue)
            or self._refusal_for_margin(order, order.quantity - working.filled, venue)
        )
        if refusal is not None:
            return (working.standing(None, refusal.text, refusal.code),)
        changed = _changed(working, order, venue.at)
        if order.quantity == working.filled:
            del self._working[key]
            return (self._finish(changed.standing(VenueStatus.FILLED)),)
        self._working[key] = changed
        return (*self._look(key, venue, is_told=True), *self._transmit(order, venue))

    def _transmit(self, order: VenueOrder, venue: Venue) -> Events:
        """Set the family of a transmitted order free, its parent first."""
        events: list[VenueEvent] = []
        for key in groups.released_by(self._working, order):
            if key in self._working:
                held = self._working[key]
                freed = replace(held.order, transmit=True)  # told so from now on
                self._working[key] = replace(held, order=freed, is_untransmitted=False, since=venue.at)
                events += self._look(key, venue, is_told=True)
        return tuple(events)

    # One look at one order

    def _look(self, key: OrderKey, venue: Venue, *, is_told: bool = False) -> Events:
        """Let an order move on: its standing, its auction, its end, its trade; ``is_told`` tells it unchanged too."""
        before = self._working.get(key)
        if before is None:
            return ()
        facts = Facts(venue=venue, cushion_frac=self._cushion_frac, executions=self._today)
        after = self._working[key] = advanced(before, facts)
        phase, is_free = venue.phase(after.order), not is_held(after, venue) and after.is_released
        told: Events = ()
        if is_told or not after.looks_like(before):
            told = (after.standing(warning=_warning(after, phase, is_free=is_free) if is_told else None),)
        if is_free and auctions.is_due(after, phase):
            return (*told, *self._auction(key, venue))
        over = times.why_over(after, venue)
        if over or is_cancelled_by_conditions(after, facts):
            return (*told, *self._end(key, over or "The order's conditions have come true"))
        if is_active(after, phase):
            told = (*told, *self._trade(key, venue))
        if is_free and after.order.tif in {Tif.IOC, Tif.FOK} and key in self._working:
            return (*told, *self._end(key, f"{after.order.tif.value} order could not be filled at once"))
        return told

    def _auction(self, key: OrderKey, venue: Venue) -> Events:
        """Trade an order at its auction's price; what its limit keeps out is cancelled."""
        match = auctions.auctioned(self._working[key])
        if match is None:
            return self._end(key, "The auction's price is worse than the order's limit")
        return self._fill(key, match, venue)

    def _trade(self, key: OrderKey, venue: Venue) -> Events:
        """Trade what an active order can trade now."""
        working = self._working[key]
        price = limit_now(working, venue)
        if price is None:
            return ()
        pending = pending_of(working, venue, price)
        queue = self._fills.queued(pending, venue.quotes)
        if queue is not working.queue:
            working = self._working[key] = replace(working, queue=queue)
            pending = replace(pending, queue=queue)
        match = match_of(working, pending, self._fills, venue.quotes, self._taken)
        return () if match is None else self._fill(key, match, venue)

    def _fill(self, key: OrderKey, match: Match, venue: Venue) -> Events:
        """Carry out one trade: executions, the order's standing, commissions, positions, the account, the others."""
        before = self._working[key]
        self._trade_count += 1
        trade = traded(before, match, venue.at, self._trade_count)
        after = self._working[key] = trade.after
        charged = [self._settle_execution(before, executed) for executed in trade.executed]
        self._executions += zip(trade.executed, charged, strict=True)
        self._take(after.order, match)
        standing = after.standing()
        if after.filled == after.order.quantity:
            standing = self._finish(after.standing(VenueStatus.FILLED))
            del self._working[key]
        moved = [self.account.position(each.instrument) for each in trade.executed if each.instrument is not None]
        told: Events = (*trade.executed, standing, *charged, *moved, self.account_state())
        return (*told, *self._follow(before, after, venue))

    def _take(self, order: VenueOrder, match: Match) -> None:
        """Keep what a trade took off the displayed sizes."""
        if match.is_taking:
            for leg, count in zip(order.legs, match.counts, strict=True):
                taker = (leg.instrument, taking_side(order, leg))
                self._taken[taker] = self._taken.get(taker, 0) + count

    def _settle_execution(self, before: Working, execution: Executed) -> Charged:
        """Move the account by one execution; the net of a combo moves nothing and costs nothing."""
        instrument = execution.instrument
        if instrument is None:
            return Charged(exec_id=execution.exec_id, commission_usd=Decimal(0), realized_usd=None)
        [lots] = [
            lots for leg, lots in zip(before.order.legs, before.lots, strict=True) if leg.instrument == instrument
        ]
        earlier = Earlier(quantity=lots.traded, value_usd=lots.paid * instrument.multiplier)
        fee = self._fees.charge(
            instrument, execution.quantity, execution.price, in_combo=execution.is_leg, earlier=earlier
        )
        change = execution.quantity * execution.side.sign
        realized = self.account.trade(instrument, change, execution.price, fee)
        return Charged(exec_id=execution.exec_id, commission_usd=fee, realized_usd=realized)

    # What one order does to others

    def _follow(self, before: Working, after: Working, venue: Venue) -> Events:
        """Cancel or reduce the others of a traded order's group; a filled parent sets its children free."""
        units = after.filled - before.filled
        group = groups.oca_of(after.order)
        events: list[VenueEvent] = []
        if units and group is not None:
            if not group.reduces:
                self._spent_groups.add(group.name)
            for other in groups.others_in_group(self._working, after.order):
                events += self._lose(other, group, before, units)
        if after.key not in self._working:
            for child in groups.children_of(self._working, after.key):
                self._working[child] = replace(self._working[child], awaits_parent=False, since=venue.at)
                events += self._look(child, venue)
        return tuple(events)

    def _lose(self, key: OrderKey, group: groups.Oca, traded_before: Working, units: int) -> Events:
        """Cancel a member of a group, or take the share off it that another member's trade filled."""
        other = self._working[key]
        quantity = other.filled
        if group.reduces:
            quantity = groups.reduced_quantity(other, open_before=traded_before.open_units, units=units)
        if quantity == other.filled:
            return self._end(key, "Another order of the OCA group has traded")
        reduced = self._working[key] = replace(other, order=replace(other.order, quantity=quantity))
        return (reduced.standing(),)

    def _end(self, key: OrderKey, reason: str = "") -> Events:
        """Cancel an order, and with it the children that still wait for it."""
        working = self._working.pop(key)
        told = self._finish(working.standing(VenueStatus.CANCELLED, reason))
        children = groups.children_of(self._working, key)
        return (told, *_joined(self._end(child, "The parent order has ended") for child in children))

    def _finish(self, ended: OrderChanged) -> OrderChanged:
        """Move an order to those that are done."""
        self._done[ended.order.client_id, ended.order.order_id] = ended
        return ended

    # What conditions look at

    def _cushion_frac(self) -> Decimal:
        """Return excess liquidity over net liquidation, 0 for an account worth nothing."""
        state = self.account_state()
        if state.net_liquidation_usd <= 0:
            return Decimal(0)
        return (state.net_liquidation_usd - state.maint_margin_usd) / state.net_liquidation_usd

    def _today(self) -> tuple[Executed, ...]:
        return tuple(executed for executed, _ in self._executions)


def _changed(working: Working, order: VenueOrder, at: datetime) -> Working:
    """Return a working order with new terms: it loses its cap and, unless only its size shrank, its place."""
    keeps_place = order.limit == working.order.limit and order.quantity <= working.order.quantity
    keeps_stop = (order.auxiliary, order.trail_stop) == (working.order.auxiliary, working.order.trail_stop)
    return replace(
        working,
        order=order,
        since=at,
        is_untransmitted=working.is_untransmitted and not order.transmit,
        cap=None,
        capped_at=None,
        queue=working.queue if keeps_place else None,
        stop=working.stop if keeps_stop else None,
    )


def _warning(working: Working, phase: Phase, *, is_free: bool) -> tuple[int, str] | None:
    """Return the notice beside an accepted order: held until the market opens (399), or held at a cap (2161)."""
    order = working.order
    if is_free and phase in {Phase.CLOSED, Phase.EXTENDED} and not times.may_trade(order, phase):
        until = "Warning: your order will not be placed at the exchange until its contract's next regular session"
        return ORDER_MESSAGE, f"Order Message: {order.side.value} {order.quantity} {_symbol(order)} {until}"
    if working.cap is not None:
        return CAPPED, f"To protect the order from a dear execution its price is capped at {working.cap}"
    return None


def _symbol(order: VenueOrder) -> str:
    return order.legs[0].instrument.symbol


def _mark(instrument: Instrument, venue: Venue) -> Decimal:
    """Return a contract's price in points: the middle, a single side, the model, the last price, the close, or 0."""
    quote = venue.quotes(instrument)
    if quote.bid is not None and quote.ask is not None:
        return (quote.bid + quote.ask) / 2
    known = (quote.bid, quote.ask, quote.model_price, quote.last, quote.close)
    return next((Decimal(str(price)) for price in known if price is not None), Decimal(0))


def _joined(parts: Iterable[Events]) -> Events:
    return tuple(event for part in parts for event in part)
