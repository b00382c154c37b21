"""Who meets which fate: waiting troubles, the orders that have met theirs, and what is told of them.

An order may meet one fate of its own and several of its executions. What is told of it passes through all of them in
the order in which they were asked for; a delay adds up.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from bot.domain.instrument import Instrument
from simulator.ports import TradingFloor
from simulator.troubles import fates, fills, partials, withheld
from simulator.troubles.agenda import Agenda
from simulator.troubles.fate import Fate, OrderEvent, Surroundings, is_done
from simulator.troubles.kinds import Area, Trouble, trouble
from simulator.venue import (
    CancelRefused,
    Charged,
    Executed,
    OrderChanged,
    PositionChanged,
    VenueEvent,
    VenueOrder,
)

OrderKey = tuple[int, int]
"""Client id and order id."""
OWN_CLIENT: Final = -7
"""Under this client id stand the orders that a fate places on its own."""
FIRST_PERM_ID: Final = 1_900_000_000
ON_CHANGE: Final = "reject_change"

FATES: Final[Mapping[str, type[Fate]]] = {
    "reject": withheld.Rejected,
    "lose_answers": fates.Silent,
    "late_answers": fates.Late,
    "drop": withheld.Dropped,
    "reject_after_ack": withheld.RejectedAfterAck,
    "note": fates.Noted,
    "fill_after_202": fates.FilledAfterCancel,
    "fill_before_ack": fates.FilledBeforeAck,
    "fill_after_cancel": fates.FilledAfterCancel,
    ON_CHANGE: fates.ChangeRejected,
    "duplicate_id": withheld.DuplicateId,
    "capped": fates.Capped,
    "inactive": withheld.Inactive,
    "partial": partials.Partial,
    "one_leg": partials.OneLeg,
    "leg_imbalance": partials.LegImbalance,
    "no_perm_id": fates.WithoutPermId,
    "duplicate_fill": fills.DuplicateFills,
    "reorder_fills": fills.ReorderedFills,
    "correct_fill": fills.CorrectedFill,
    "five_segments": fills.FiveSegments,
    "bust": fills.Busted,
    "late_commission": fills.LateCommission,
    "unset_commission": fills.UnsetCommission,
}


@dataclass(slots=True)
class _Waiting:
    """A trouble that waits for orders, and for how many more."""

    trouble: Trouble
    left: int


class OrderTroubles:
    """The orders of a floor and what befalls them."""

    def __init__(self, floor: TradingFloor, agenda: Agenda, tell: Callable[[VenueEvent], None]) -> None:
        """Stand before a floor; ``tell`` reaches its listeners."""
        self._floor = floor
        self._agenda = agenda
        self._tell = tell
        self._waiting: list[_Waiting] = []
        self._fates: dict[OrderKey, list[Fate]] = {}
        self._own: dict[OrderKey, Fate] = {}
        self._charged_to: dict[str, OrderKey] = {}
        self._busted: list[Executed] = []
        self._perm_ids = FIRST_PERM_ID

    def __repr__(self) -> str:
        """What waits and who was met, for failing tests."""
        return f"OrderTroubles({[str(each.trouble) for each in self._waiting]}, orders {sorted(self._fates)})"

    @property
    def waiting(self) -> tuple[Trouble, ...]:
        """The troubles that wait for an order."""
        return tuple(each.trouble for each in self._waiting)

    def add(self, each: Trouble) -> None:
        """Let a trouble wait for the next orders that it concerns."""
        self._waiting.append(_Waiting(each, each.whole("count")))

    def forget_waiting(self) -> None:
        """No order meets anything any more; those that have met it go on."""
        self._waiting.clear()

    # What clients ask

    def place(self, order: VenueOrder) -> None:
        """Place or change an order as its fates have it."""
        key = (order.client_id, order.order_id)
        is_change = self._is_working(key)
        self._meet(order, is_change=is_change)
        for fate in self._fates.get(key, ()):
            if fate.change(order) if is_change else fate.place():
                return
        self._floor.place(order)

    def hold(self, order: VenueOrder) -> None:
        """Keep an order back from a halted exchange; `release_held` lets it go."""
        halted = withheld.Halted(trouble("inactive"), order, self._around())
        self._fates.setdefault((order.client_id, order.order_id), []).append(halted)
        halted.place()

    def release_held(self) -> None:
        """Let the orders go that were kept back."""
        for each in [fate for chain in self._fates.values() for fate in chain if isinstance(fate, withheld.Halted)]:
            each.release()

    def cancel(self, client_id: int, order_id: int) -> None:
        """Cancel an order as its fates have it."""
        if not any(fate.cancel() for fate in self._fates.get((client_id, order_id), ())):
            self._floor.cancel(client_id, order_id)

    def client_came_back(self, client_id: int) -> None:
        """A client has connected again."""
        for (owner, _), chain in self._fates.items():
            if owner == client_id:
                for fate in chain:
                    fate.reconnected()

    # What is told

    def heard(self, event: OrderChanged | Executed | Charged | CancelRefused) -> None:
        """Tell an event of the exchange as the order's fates have it."""
        if isinstance(event, CancelRefused):
            silent = (isinstance(fate, fates.Silent) for fate in self._fates.get((event.client_id, event.order_id), ()))
            if not any(silent):
                self._tell(event)
            return
        key = self._key_of(event)
        own = self._own.get(key)
        if own is not None:
            order = own.order
            for told, delay in own.heard_own(event):
                self._through(told, delay, self._fates[(order.client_id, order.order_id)], skip=own)
        else:
            self._through(event, 0.0, self._fates.get(key, []))

    def _through(self, event: OrderEvent, delay: float, chain: list[Fate], skip: Fate | None = None) -> None:
        """Tell an event after all fates in a chain had their say."""
        told = [(event, delay)]
        for fate in chain:
            if fate is not skip:
                told = [(out, before + after) for one, before in told for out, after in fate.heard(one)]
        for out, seconds in told:
            self._tell_later(out, seconds)

    def _tell_later(self, event: OrderEvent, seconds: float) -> None:
        if seconds > 0:
            self._agenda.after(seconds, lambda: self._tell(event))
        else:
            self._tell(event)

    # What is seen when asked for

    def open_orders(self) -> tuple[OrderChanged, ...]:
        """The orders that can still do something, as they are told."""
        return tuple(each for each in self._all_orders() if not is_done(each))

    def completed_orders(self) -> tuple[OrderChanged, ...]:
        """The orders that are done, as they are told."""
        return tuple(each for each in self._all_orders() if is_done(each))

    def executions(self) -> tuple[tuple[Executed, Charged], ...]:
        """Today's executions, as they are told."""
        if not self._fates:
            return self._floor.executions()
        shown = []
        for executed, charged in self._floor.executions():
            found = self._shown_execution(executed)
            if found is not None:
                shown.append((found, replace(charged, exec_id=found.exec_id)))
        return tuple(shown)

    def positions(self) -> tuple[PositionChanged, ...]:
        """The positions without what was withdrawn."""
        if not self._busted:
            return self._floor.positions()
        shown = [self._without_busted(each) for each in self._floor.positions()]
        held = {each.instrument for each in shown}
        for executed in self._busted:
            if executed.instrument is not None and executed.instrument not in held:
                held.add(executed.instrument)
                shown.append(self._without_busted(self._flat(executed, executed.instrument)))
        return tuple(each for each in shown if each.quantity)

    # Parts

    def _meet(self, order: VenueOrder, *, is_change: bool) -> None:
        """Let an order meet what waits for it: one fate of its own, and all that wait for executions."""
        key = (order.client_id, order.order_id)
        has_met = False
        for waiting in tuple(self._waiting):
            kind = waiting.trouble.kind
            if not waiting.trouble.concerns(order.client_id) or (kind.name == ON_CHANGE) is not is_change:
                continue
            if kind.area is Area.EXECUTION or not has_met:
                has_met = has_met or kind.area is Area.ORDER
                self._fates.setdefault(key, []).append(FATES[kind.name](waiting.trouble, order, self._around()))
                waiting.left -= 1
        self._waiting = [each for each in self._waiting if each.left]

    def _around(self) -> Surroundings:
        return Surroundings(
            floor=self._floor,
            agenda=self._agenda,
            tell=self._tell,
            adopt=self._adopt,
            next_perm_id=self._next_perm_id,
            refuse_cancel=self._refuse_cancel,
            take_back=self._take_back,
        )

    def _adopt(self, order: VenueOrder, fate: Fate) -> VenueOrder:
        """Return an order under a number of its own, of which the fate will hear."""
        number = self._floor.next_order_id(OWN_CLIENT)
        self._own[(OWN_CLIENT, number)] = fate
        return replace(order, client_id=OWN_CLIENT, order_id=number)

    def _next_perm_id(self) -> int:
        self._perm_ids += 1
        return self._perm_ids

    def _refuse_cancel(self, order: VenueOrder, code: int, text: str) -> None:
        self._tell(CancelRefused(client_id=order.client_id, order_id=order.order_id, code=code, text=text))

    def _take_back(self, executed: Executed) -> None:
        """Withdraw an execution: the position is told without it."""
        self._busted.append(executed)
        if executed.instrument is None:
            return
        held = [each for each in self._floor.positions() if each.instrument == executed.instrument]
        self._tell(self._without_busted(held[0] if held else self._flat(executed, executed.instrument)))

    def _flat(self, executed: Executed, instrument: Instrument) -> PositionChanged:
        return PositionChanged(
            account=self._floor.account, instrument=instrument, quantity=0, average_cost_usd=executed.price
        )

    def _without_busted(self, position: PositionChanged) -> PositionChanged:
        taken = sum(each.side.sign * each.quantity for each in self._busted if each.instrument == position.instrument)
        return replace(position, quantity=position.quantity - taken)

    def _key_of(self, event: OrderEvent) -> OrderKey:
        """Return whose event it is; a commission belongs to the order of its execution."""
        if isinstance(event, Charged):
            return self._charged_to.pop(event.exec_id, (OWN_CLIENT, 0))
        key = (event.order.client_id, event.order.order_id)
        if isinstance(event, Executed) and (key in self._fates or key in self._own):
            self._charged_to[event.exec_id] = key
        return key

    def _is_working(self, key: OrderKey) -> bool:
        return any((each.order.client_id, each.order.order_id) == key for each in self.open_orders())

    def _all_orders(self) -> Iterator[OrderChanged]:
        """Every order of the day as it is told, without those that a fate placed on its own."""
        for standing in (*self._floor.open_orders(), *self._floor.completed_orders()):
            key = (standing.order.client_id, standing.order.order_id)
            if key in self._own:
                continue
            for fate in self._fates.get(key, ()):
                standing = fate.shown(standing)  # noqa: PLW2901 - through all fates in turn
            yield standing
        for chain in self._fates.values():
            for fate in chain:
                made_up = fate.standing()
                if made_up is not None:
                    yield made_up

    def _shown_execution(self, executed: Executed) -> Executed | None:
        key = (executed.order.client_id, executed.order.order_id)
        own = self._own.get(key)
        if own is not None:
            key = (own.order.client_id, own.order.order_id)
        shown: Executed | None = executed
        for fate in self._fates.get(key, ()):
            shown = None if shown is None else fate.shown_execution(shown)
        return shown
