"""The troubled floor: a trading floor whose quotes and order events meet the troubles that were asked for.

It stands between the exchange and the doors. Without troubles it passes everything on. What it delays is told when the
floor's time comes; its owner calls `carry_out` by `next_at`, and every step of the floor does as well.
"""

from collections.abc import Callable
from dataclasses import replace

from bot.domain.errors import InvalidValueError
from bot.domain.instrument import Instrument, InstrumentKey
from simulator.listing import ContractQuery, Listing
from simulator.ports import Heard, Listener, TradingFloor
from simulator.troubles.agenda import Agenda
from simulator.troubles.fate import OrderEvent
from simulator.troubles.kinds import Area, Trouble
from simulator.troubles.orders import OrderTroubles
from simulator.troubles.passing import PassingFloor
from simulator.troubles.quotes import CON_ID_MASK, DataTroubles
from simulator.venue import (
    CancelRefused,
    Charged,
    Executed,
    OrderChanged,
    Phase,
    PositionChanged,
    StepPlayed,
    VenueOrder,
    VenueQuote,
)


class TroubledFloor(PassingFloor):
    """A `simulator.ports.TradingFloor` before another one."""

    def __init__(self, inner: TradingFloor) -> None:
        """Stand before a floor; nothing goes wrong yet."""
        super().__init__(inner)
        self.agenda = Agenda(inner.now)
        self._listeners: list[Listener] = []
        self._stop_hearing: Callable[[], None] | None = None
        self._orders = OrderTroubles(inner, self.agenda, self._tell)
        self._data = DataTroubles()
        self._watched: dict[InstrumentKey, tuple[Instrument, int]] = {}
        self._kept: list[OrderEvent | CancelRefused] | None = None  # while paused

    def __repr__(self) -> str:
        """What is wrong, for failing tests."""
        return f"TroubledFloor({self._orders!r}, {self._data!r}, {self.agenda!r})"

    # Troubles

    def inject(self, trouble: Trouble) -> None:
        """Let a trouble of orders, executions or data happen or wait.

        Raises:
            InvalidValueError: It is one of the link, which the server carries out.
        """
        if trouble.kind.area is Area.LINK:
            raise InvalidValueError(f"{trouble.kind.name} is a trouble of the link")
        if trouble.kind.name == "replay":
            self._replay(trouble)
        elif trouble.kind.area is Area.DATA:
            self.begin(trouble)
        else:
            self._orders.add(trouble)

    def begin(self, trouble: Trouble) -> None:
        """Let a trouble act on quotes from now on, for its seconds."""
        self._data.begin(trouble)
        for instrument, _ in tuple(self._watched.values()):
            if self._data.is_silent(instrument.symbol):
                self.quote(instrument)  # kept from now on
        self._show(trouble)
        seconds = float(dict(trouble.settings).get("seconds", 0.0))
        if seconds > 0:
            self.agenda.after(seconds, lambda: self.end(trouble))
        if trouble.kind.name == "outlier":  # the true quote follows, also where nothing moves
            self.agenda.after(1.0, lambda: self._show(trouble))

    def end(self, trouble: Trouble) -> None:
        """End a trouble of data; who watches is told how things stand."""
        if trouble not in self._data.active:
            return
        self._data.end(trouble)
        if trouble.kind.name == "halt":
            self._orders.release_held()
        self._show(trouble)

    def clear(self) -> None:
        """End all that lasts, and let nothing wait for an order; delayed events still come."""
        self._orders.forget_waiting()
        for trouble in self._data.active:
            self.end(trouble)

    def pause(self) -> None:
        """Keep back what happens to orders until `resume`."""
        self._kept = [] if self._kept is None else self._kept

    def resume(self) -> None:
        """Tell what was kept back, and go on."""
        kept, self._kept = self._kept, None
        for event in kept or ():
            self._orders.heard(event)

    @property
    def active(self) -> tuple[Trouble, ...]:
        """What lasts or waits."""
        return (*self._data.active, *self._orders.waiting)

    def carry_out(self) -> None:
        """Tell what is due now."""
        self.agenda.carry_out()

    def client_came_back(self, client_id: int) -> None:
        """A client has connected again: what was lost on its old connection is over."""
        self._orders.client_came_back(client_id)

    # Quotes and listings

    def watch(self, instrument: Instrument) -> VenueQuote:
        """As the port says, bent."""
        _, count = self._watched.get(instrument.key, (instrument, 0))
        self._watched[instrument.key] = (instrument, count + 1)
        return self._bent(self._inner.watch(instrument))

    def unwatch(self, instrument: Instrument) -> None:
        """As the port says."""
        self._inner.unwatch(instrument)
        _, count = self._watched.pop(instrument.key, (instrument, 0))
        if count > 1:
            self._watched[instrument.key] = (instrument, count - 1)

    def quote(self, instrument: Instrument) -> VenueQuote:
        """As the port says, bent."""
        return self._bent(self._inner.quote(instrument))

    def phase(self, instrument: Instrument) -> Phase:
        """As the port says, halted where a halt says so."""
        return self._data.phase(self._inner.phase(instrument), instrument.symbol)

    def matching(self, query: ContractQuery) -> tuple[Listing, ...]:
        """As the port says; under another number where numbers have changed."""
        found = self._inner.matching(query)
        if not found and query.con_id and self._data.active:
            found = self._inner.matching(replace(query, con_id=query.con_id ^ CON_ID_MASK))
        return tuple(map(self._renumbered, found)) if self._data.active else found

    def listing(self, instrument: Instrument) -> Listing:
        """As the port says; under another number where numbers have changed."""
        return self._renumbered(self._inner.listing(instrument))

    # Orders

    def place(self, order: VenueOrder) -> None:
        """As the port says, as the order's fate has it."""
        if any(self._data.halts(leg.instrument.symbol) for leg in order.legs):
            self._orders.hold(order)
        else:
            self._orders.place(order)
        self.carry_out()

    def cancel(self, client_id: int, order_id: int) -> None:
        """As the port says, as the order's fate has it."""
        self._orders.cancel(client_id, order_id)
        self.carry_out()

    def open_orders(self) -> tuple[OrderChanged, ...]:
        """As the port says, as they are told."""
        return self._orders.open_orders()

    def completed_orders(self) -> tuple[OrderChanged, ...]:
        """As the port says, as they are told."""
        return self._orders.completed_orders()

    def executions(self) -> tuple[tuple[Executed, Charged], ...]:
        """As the port says, as they are told."""
        return self._orders.executions()

    def positions(self) -> tuple[PositionChanged, ...]:
        """As the port says, without what was withdrawn."""
        return self._orders.positions()

    # Listening

    def listen(self, listener: Listener) -> Callable[[], None]:
        """As the port says."""
        if self._stop_hearing is None:
            self._stop_hearing = self._inner.listen(self._hear)
        self._listeners.append(listener)

        def remove() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)
            if not self._listeners and self._stop_hearing is not None:
                self._stop_hearing()
                self._stop_hearing = None

        return remove

    def _hear(self, event: Heard) -> None:
        """Pass on what the floor tells."""
        match event:
            case VenueQuote():
                if not self._data.active:
                    self._tell(event)
                elif not self._data.is_silent(event.instrument.symbol):
                    self._tell(self._bent(event))
            case OrderChanged() | Executed() | Charged() | CancelRefused():
                if self._kept is None:
                    self._orders.heard(event)
                else:
                    self._kept.append(event)
            case StepPlayed():
                self.carry_out()
                self._tell(event)
            case _:
                self._tell(event)

    def _tell(self, event: Heard) -> None:
        for listener in tuple(self._listeners):
            listener(event)

    def _show(self, trouble: Trouble) -> None:
        """Tell who watches how quotes stand now; while ticks have stopped, nothing."""
        symbol = str(dict(trouble.settings).get("symbol", ""))
        for instrument, _ in tuple(self._watched.values()):
            if symbol in {"", instrument.symbol} and not self._data.is_silent(instrument.symbol):
                self._tell(self.quote(instrument))

    def _bent(self, quote: VenueQuote) -> VenueQuote:
        return self._data.bent(quote) if self._data.active else quote

    def _renumbered(self, listing: Listing) -> Listing:
        con_id = self._data.con_id(listing.con_id, listing.instrument.symbol)
        return listing if con_id == listing.con_id else replace(listing, con_id=con_id)

    def _replay(self, trouble: Trouble) -> None:
        """Tell today's executions once more, each with its commission."""
        for executed, charged in self.executions():
            if trouble.concerns(executed.order.client_id):
                self._tell(executed)
                self._tell(charged)
