"""The exchange of the state machine, with a ledger of its own: orders, executions and positions as they really are."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from bot.domain.decision import Approved
from bot.domain.events import CommissionReported, Event, FillReported, OrderReported
from bot.domain.instrument import Instrument, Side
from bot.domain.orders import BrokerOrder, BrokerStatus, Fill, FillPart, Leg, OrderIntent
from bot.domain.portfolio import AccountValues, Position
from bot.ports import BrokerBooks
from tests.builders import ACCOUNT, an_account

COMMISSION_USD = Decimal("1.10")
"""Per contract, below what the schedule expects."""


class BrokenLedgerError(AssertionError):
    """Something happened that must never happen."""


@dataclass(slots=True)
class VenueOrder:
    """One order as the exchange knows it."""

    intent: OrderIntent
    perm_id: int
    at: datetime
    arrived: bool = False
    live: bool = True
    filled: int = 0
    most_filled: int = 0  # before anything was corrected
    status: BrokerStatus = BrokerStatus.WORKING

    @property
    def remaining(self) -> int:
        """Units that may still trade."""
        return self.intent.quantity - self.filled if self.live else 0


@dataclass(slots=True)
class Trade:
    """So many units of an order at a net price, points."""

    intent: OrderIntent
    units: int
    price: Decimal
    at: datetime
    root: str = ""  # of its executions' ids


@dataclass(slots=True)
class Venue:
    """Orders by reference, what has traded, and what the account holds."""

    instruments: dict[str, Instrument]
    held: dict[str, int]
    orders: dict[str, VenueOrder] = field(default_factory=dict)
    fills: list[Fill] = field(default_factory=list)
    commissions: dict[str, Decimal] = field(default_factory=dict)
    trades: list[Trade] = field(default_factory=list)
    wire: list[Event] = field(default_factory=list)
    is_up: bool = True
    numbers: int = 0
    worth_usd: int = 500_000

    def account(self) -> AccountValues:
        """The account's values when nothing is wrong with them."""
        return an_account(self.worth_usd)

    def take(self, approved: Approved, at: datetime) -> VenueOrder:
        """Take a frame in; the second one of the same intent is what must never come."""
        ref = approved.intent.intent_id
        if ref in self.orders:
            raise BrokenLedgerError(f"I1: a second frame of intent {ref}")
        self.numbers += 1
        self.orders[ref] = VenueOrder(intent=approved.intent, perm_id=self.numbers, at=at)
        return self.orders[ref]

    def may_trade(self) -> list[VenueOrder]:
        """Orders of which something may still trade, arrived or on their way."""
        return [order for order in self.orders.values() if order.remaining]

    def arrive(self, order: VenueOrder, at: datetime) -> None:
        """The frame is at the exchange: it works from now on."""
        order.arrived = True
        self.report(order, at)

    def report(self, order: VenueOrder, at: datetime) -> None:
        """Say where an order stands."""
        self.say(OrderReported(at=at, report=self.row(order)))

    def end(self, order: VenueOrder, status: BrokerStatus, at: datetime) -> None:
        """Cancel or reject what is left."""
        order.live, order.status = False, status
        self.report(order, at)

    def trade(self, order: VenueOrder, units: int, price: Decimal, at: datetime) -> None:
        """Execute some units: the whole, and for a combo its legs."""
        order.filled += units
        order.most_filled = max(order.most_filled, order.filled)
        intent = order.intent
        self.trades.append(Trade(intent=intent, units=units, price=price, at=at, root=f"v.x.{self.numbers + 1}"))
        if not intent.is_combo:
            leg = intent.legs[0]
            self._execute(intent, FillPart.WHOLE, leg, units, abs(price), at)
        else:
            self._execute(intent, FillPart.COMBO, None, units, price, at)
            for leg in intent.legs:
                paid = abs(price) if leg is intent.legs[0] else Decimal(0)
                self._execute(intent, FillPart.LEG, leg, units, paid, at)
        if order.filled == intent.quantity:
            order.live, order.status = False, BrokerStatus.FILLED
            self.report(order, at)

    def trade_foreign(self, instrument: Instrument, side: Side, quantity: int, price: Decimal, at: datetime) -> None:
        """Somebody at a terminal trades."""
        self._execute(None, FillPart.WHOLE, Leg(instrument=instrument, side=side), quantity, price, at)

    def trade_again(self, fill: Fill, at: datetime) -> None:
        """Say an execution once more."""
        self.say(FillReported(at=at, fill=fill))

    def correct(self, fill: Fill, units: int, price: Decimal, at: datetime) -> Fill:
        """Correct an execution of a single contract: who asks from now on sees the correction alone."""
        root, _, number = fill.exec_id.rpartition(".")
        later = replace(fill, exec_id=f"{root}.{int(number) + 1:02}", quantity=units, price=price)
        self.fills[self.fills.index(fill)] = later
        order, more = self.orders[fill.order_ref], units - fill.quantity
        order.filled += more
        order.most_filled = max(order.most_filled, order.filled)
        order.live = order.live and order.filled < order.intent.quantity  # what a correction completes has ended
        if more and not order.live:
            order.status = BrokerStatus.CANCELLED if order.filled < order.intent.quantity else BrokerStatus.FILLED
        self.held[str(fill.key)] += fill.side.sign * more
        self.say(FillReported(at=at, fill=later))
        self.commissions[later.exec_id] = COMMISSION_USD * units
        self.say(CommissionReported(at=at, exec_id=later.exec_id, commission_usd=self.commissions[later.exec_id]))
        return later

    def hear_of(self, fill: Fill) -> None:
        """The bot was told of an execution: from now on its cost must be the corrected one."""
        root = fill.exec_id.rpartition(".")[0]
        for trade in self.trades:
            if trade.root == root and fill.part is FillPart.WHOLE:
                trade.units, trade.price = fill.quantity, fill.price * (1 if fill.side is Side.BUY else -1)

    def _execute(
        self, intent: OrderIntent | None, part: FillPart, leg: Leg | None, units: int, price: Decimal, at: datetime
    ) -> None:
        """Book one execution and say it; without a leg it is the net of a combo."""
        self.numbers += 1
        instrument = None if leg is None else leg.instrument
        quantity = units if leg is None else units * leg.ratio
        fill = Fill(
            exec_id=f"v.x.{self.numbers}.01",
            order_ref="" if intent is None else intent.intent_id,
            perm_id=self.numbers,
            account=ACCOUNT,
            part=part,
            instrument=instrument,
            side=Side.BUY if leg is None else leg.side,
            quantity=quantity,
            price=price,
            at=at,
        )
        self.fills.append(fill)
        self.say(FillReported(at=at, fill=fill))
        if instrument is not None:
            self.instruments[instrument.key] = instrument
            self.held[instrument.key] = self.held.get(instrument.key, 0) + fill.signed_quantity
            self.commissions[fill.exec_id] = COMMISSION_USD * quantity
            self.say(CommissionReported(at=at, exec_id=fill.exec_id, commission_usd=self.commissions[fill.exec_id]))

    def say(self, event: Event) -> None:
        """Put an event on the wire; a dead wire carries nothing."""
        if self.is_up:
            self.wire.append(event)

    def positions(self) -> tuple[Position, ...]:
        """What the account holds."""
        return tuple(
            Position(instrument=self.instruments[key], quantity=held) for key, held in self.held.items() if held
        )

    def books(self) -> BrokerBooks:
        """All of the truth at this moment; what has not arrived is in none of it."""
        there = [order for order in self.orders.values() if order.arrived]
        return BrokerBooks(
            open_orders=tuple(self.row(order) for order in there if order.live),
            completed_orders=tuple(self.row(order) for order in there if not order.live),
            fills=tuple(self.fills),
            positions=self.positions(),
            account=self.account(),
            commissions_usd={exec_id: str(amount) for exec_id, amount in self.commissions.items()},
        )

    @staticmethod
    def row(order: VenueOrder) -> BrokerOrder:
        """One order as the broker shows it."""
        return BrokerOrder(
            order_ref=order.intent.intent_id,
            perm_id=order.perm_id,
            order_id=order.perm_id,
            client_id=7,
            status=order.status,
            filled=order.filled,
            remaining=order.remaining,
            account=ACCOUNT,
        )
