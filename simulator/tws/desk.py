"""What all sessions of one gateway share: the floor, who is connected, the orders as they were sent, the ledger."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.domain.checks import require_positive
from bot.domain.instrument import Instrument, InstrumentKey
from simulator.admission import DUPLICATE_ID
from simulator.listing import ContractQuery, Listing
from simulator.ports import Heard, TradingFloor
from simulator.tws.framing import text_of
from simulator.tws.greeks import GreekTicks
from simulator.tws.order_fields import WireOrder
from simulator.tws.resolved import COMBO_CON_ID, Resolved, of_listing
from simulator.venue import OrderChanged, StepPlayed, VenueOrder, VenueQuote, VenueStatus

OrderKey = tuple[int, int]
"""Client id and order id."""
QuoteListener = Callable[[VenueQuote], None]


class Told(StrEnum):
    """What a client told the gateway."""

    PLACE = "place"
    MODIFY = "modify"
    WHAT_IF = "what_if"
    CANCEL = "cancel"
    GLOBAL_CANCEL = "global_cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """One message about orders as it arrived, whatever became of it; ``order`` where the exchange was told one."""

    at: datetime
    client_id: int
    order_id: int
    told: Told
    order_ref: str = ""
    order: VenueOrder | None = None
    fate: str = "taken"  # or why the exchange never heard of it


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownOrder:
    """An order as sent, with its contract."""

    sent: WireOrder
    resolved: Resolved


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorRules:
    """What differs between gateways and their settings.

    Attributes:
        master_id: The client id that hears of everybody's orders, None for none.
        old_cancel_codes: A cancel that comes to nothing is told by 135 and 161, else by 10147 and 10148.
        most_requests_at_once: Requests served of one piece of bytes; the others are told 100.
        most_bytes_at_once: Bytes of answers to one piece of bytes, after which the others are told 100.
    """

    master_id: int | None = None
    old_cancel_codes: bool = True
    most_requests_at_once: int = 5_000
    most_bytes_at_once: int = 6 * 1024 * 1024

    def __post_init__(self) -> None:
        """Reject limits that let nothing through."""
        require_positive(most_requests_at_once=self.most_requests_at_once, most_bytes_at_once=self.most_bytes_at_once)


class Listener(Protocol):
    """A session as the desk sees it."""

    def tell(self, event: Heard) -> None:
        """Hear of something that happened on the floor; quotes go to their followers alone."""
        ...


class Desk:
    """Shared by the sessions of one gateway; it listens to the floor once for all of them."""

    def __init__(
        self,
        floor: TradingFloor,
        joined: Callable[[int], None] = lambda _client_id: None,
        *,
        rules: DoorRules | None = None,
    ) -> None:
        """Listen to a floor; ``joined`` hears of each client id that connects."""
        self.floor = floor
        self.rules = rules or DoorRules()
        self.greeks = GreekTicks(floor.option_vol)
        self.held_ids: set[int] = set()  # as by half-open dead sessions: nobody gets them
        self.second_sessions: list[int] = []  # ids (-1: any) of which a second session is let in, once for each
        self._joined = joined
        self._clients: dict[int, Listener] = {}
        self._seconds: list[tuple[int, Listener]] = []
        self._known: dict[OrderKey, KnownOrder] = {}
        self._replaced: dict[OrderKey, KnownOrder | None] = {}
        self._ledger: list[LedgerRow] = []
        self._highest_id: dict[int, int] = {}
        self._done_at: dict[int, datetime] = {}
        self._listings: dict[Instrument, Listing] = {}
        self._followers: dict[InstrumentKey, list[QuoteListener]] = {}
        self._remove: Callable[[], None] = floor.listen(self._hear)

    def __repr__(self) -> str:
        """Who is connected and what was told, for failing tests."""
        return f"Desk(clients {sorted(self._clients)}, {len(self._ledger)} ledger rows)"

    def close(self) -> None:
        """Stop listening."""
        self._remove()

    # Clients

    def take_id(self, client_id: int, listener: Listener) -> bool:
        """Give a client id to a session, or return False when it is in use or held."""
        if client_id in self.held_ids:
            return False
        if client_id in self._clients:
            return self._let_in(client_id, listener)
        self._clients[client_id] = listener
        self._joined(client_id)
        return True

    def free_id(self, client_id: int, listener: Listener) -> None:
        """Take the id back from the session that has it."""
        if self._clients.get(client_id) is listener:
            del self._clients[client_id]
        self._seconds = [each for each in self._seconds if each[1] is not listener]

    def client(self, client_id: int) -> Listener | None:
        """Return the session of a client id."""
        return self._clients.get(client_id)

    def _let_in(self, client_id: int, listener: Listener) -> bool:
        """Let a second session of an id in where one is expected."""
        expected = next((each for each in self.second_sessions if each in {-1, client_id}), None)
        if expected is None:
            return False
        self.second_sessions.remove(expected)
        self._seconds.append((client_id, listener))
        return True

    # Ids

    def next_order_id(self, client_id: int) -> int:
        """Return an id above every one this client used, what-ifs included."""
        return max(self.floor.next_order_id(client_id), self._highest_id.get(client_id, 0) + 1)

    def use_id(self, client_id: int, order_id: int) -> None:
        """Remember an id as used."""
        self._highest_id[client_id] = max(order_id, self._highest_id.get(client_id, 0))

    # Orders

    def learn(self, client_id: int, known: KnownOrder) -> None:
        """Keep an order as sent; what was kept under its id comes back if the exchange refuses the change."""
        key = (client_id, known.sent.order_id)
        self._replaced[key] = self._known.get(key)
        self._known[key] = known

    def known(self, order: VenueOrder) -> KnownOrder:
        """Return an order as sent; one that did not come over the wire is told by its plain fields."""
        found = self._known.get((order.client_id, order.order_id))
        return self._described(order) if found is None else found

    def done_at(self, perm_id: int) -> datetime:
        """Return when an order was done."""
        return self._done_at.get(perm_id, self.floor.now())

    def record(self, row: LedgerRow) -> None:
        """Append to the ledger."""
        self._ledger.append(row)

    @property
    def ledger(self) -> tuple[LedgerRow, ...]:
        """Everything that clients told about orders, in the order of arrival."""
        return tuple(self._ledger)

    def listing(self, instrument: Instrument) -> Listing:
        """Return a listing, kept after the first look; for its number and names, not for its hours."""
        found = self._listings.get(instrument)
        if found is None:
            found = self._listings[instrument] = self.floor.listing(instrument)
        return found

    # Quotes

    def follow(self, instrument: Instrument, hear: QuoteListener) -> VenueQuote:
        """Watch a contract on the floor, hear of each of its quotes, and return the present one."""
        self._followers.setdefault(instrument.key, []).append(hear)
        return self.floor.watch(instrument)

    def unfollow(self, instrument: Instrument, hear: QuoteListener) -> None:
        """Hear and watch no more."""
        followers = self._followers[instrument.key]
        followers.remove(hear)
        if not followers:
            del self._followers[instrument.key]
        self.floor.unwatch(instrument)

    def _hear(self, event: Heard) -> None:
        if isinstance(event, VenueQuote):
            for hear in tuple(self._followers.get(event.instrument.key, ())):
                hear(event)
            return
        if isinstance(event, OrderChanged):
            self._note_change(event)
        elif isinstance(event, StepPlayed):
            self.greeks.forget()
        for client in (*self._clients.values(), *(second for _, second in self._seconds)):
            client.tell(event)

    def _note_change(self, event: OrderChanged) -> None:
        """Keep when an order was done, and undo what a refused change or a used id had replaced."""
        is_working = event.status in {VenueStatus.SUBMITTED, VenueStatus.PRE_SUBMITTED}
        if (is_working and event.code) or event.code == DUPLICATE_ID:
            key = (event.order.client_id, event.order.order_id)
            before = self._replaced.pop(key, None)
            if before is not None:
                self._known[key] = before
        elif not is_working:
            self._done_at[event.perm_id] = self.floor.now()

    def _described(self, order: VenueOrder) -> KnownOrder:
        """Return the wire's form of an order that another door placed."""
        values = {
            "action": order.side.value,
            "totalQuantity": text_of(float(order.quantity)),
            "orderType": order.order_type.value,
            "lmtPrice": text_of(order.limit),
            "tif": order.tif.value,
            "auxPrice": text_of(order.auxiliary),
            "ocaGroup": order.oca_group,
            "parentId": str(order.parent_id),
            "outsideRth": text_of(order.outside_rth),
            "account": order.account or self.floor.account,
            "orderRef": order.order_ref,
        }
        legs = tuple(
            (str(self.listing(leg.instrument).con_id), str(leg.ratio), leg.side.value, "SMART", "0", "0", "", "-1")
            for leg in order.legs
            if order.is_combo
        )
        first = self.listing(order.legs[0].instrument)
        resolved = of_listing(first)
        if order.is_combo:
            instrument = first.instrument
            resolved = Resolved(
                con_id=COMBO_CON_ID, symbol=instrument.symbol, sec_type="BAG", exchange="SMART", currency="USD"
            )
        sent = WireOrder(order_id=order.order_id, contract=ContractQuery(), values=values, legs=legs)
        return KnownOrder(sent=sent, resolved=resolved)
