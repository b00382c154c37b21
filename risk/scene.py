"""What a check reads beside the intent: the snapshot, the values in it, the limits, and what is already on its way."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol, TypeVar

from bot.domain.decision import Checked, Rule
from bot.domain.fees import FeeSchedule
from bot.domain.instrument import InstrumentKey, Side
from bot.domain.ledger import trade_date
from bot.domain.market import Quote
from bot.domain.orders import Leg, OrderIntent
from bot.domain.schedule import SessionCalendar
from bot.domain.snapshot import Snapshot
from bot.valuation import Unvalued, Valuer
from risk.limits import RiskLimits

T = TypeVar("T")

Ordered = tuple[OrderIntent, int]
"""An order and how many units of it are meant."""

CLOSES_ONLY = "closes only"
"""Note of a rule that never stands in the way of an order which only closes what is held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One moment of judgement.

    ``earlier`` are the intents of the same plan that were approved already: they count as if they were working.
    ``later`` are those that follow the one under judgement.
    """

    snapshot: Snapshot
    valuer: Valuer
    limits: RiskLimits
    fees: FeeSchedule
    calendar: SessionCalendar
    earlier: tuple[OrderIntent, ...] = ()
    later: tuple[OrderIntent, ...] = ()
    moment: dict[Hashable, Any] = field(init=False, default_factory=dict, compare=False, repr=False)
    """What was worked out of the moment, whatever is ordered; see `once`."""
    figures: dict[tuple[str, int], tuple[object, Any]] = field(
        init=False, default_factory=dict, compare=False, repr=False
    )
    """What was worked out of an order under judgement, for every rule and size that reads it; see `kept`."""

    def within(self, *, earlier: tuple[OrderIntent, ...], later: tuple[OrderIntent, ...]) -> "Scene":
        """Return the scene of one order of a plan: the same moment, of which nothing is worked out again.

        Only this shares what is known of a moment. A scene that is made in any other way, as with one order left out or
        under other limits, begins with nothing.
        """
        scene = Scene(
            snapshot=self.snapshot,
            valuer=self.valuer,
            limits=self.limits,
            fees=self.fees,
            calendar=self.calendar,
            earlier=earlier,
            later=later,
        )
        object.__setattr__(scene, "moment", self.moment)
        return scene

    @property
    def today(self) -> date:
        """New York's date."""
        return self.once("today", lambda: trade_date(self.snapshot.now))

    def once(self, name: Hashable, work: Callable[[], T]) -> T:
        """Return a figure of the moment, worked out by whoever asks for it first; what raises is tried again.

        Args:
            name: Which figure; each has a type of its own.
            work: Works it out of snapshot, limits, fees and calendar alone, whatever is ordered.
        """
        try:
            found: T = self.moment[name]
        except KeyError:
            found = self.moment[name] = work()
        return found

    def kept(self, name: str, subject: object, work: Callable[[], T]) -> T:
        """Return a figure of an order, worked out by whoever asks first.

        Args:
            name: Which figure.
            subject: The intent itself, or its legs where the figure is the same for every size. It is told by being the
                same object, because an id proves nothing; it is kept as well, so that no other can take its place.
            work: Works it out.
        """
        key = (name, id(subject))
        kept = self.figures.get(key)
        if kept is None:
            kept = self.figures[key] = (subject, work())
        found: T = kept[1]
        return found

    def pending(self) -> tuple[Ordered, ...]:
        """Every order that may still fill with its remaining units, then what was approved earlier in this plan."""
        at_work = self.once("at work", self._at_work)
        return at_work if not self.earlier else (*at_work, *((one, one.quantity) for one in self.earlier))

    def _at_work(self) -> tuple[Ordered, ...]:
        orders = self.snapshot.book.orders.values()
        return tuple((order.intent, order.remaining) for order in orders if order.may_fill)

    def pending_with(self, intent: OrderIntent | None) -> tuple[Ordered, ...]:
        """Everything on its way, then one more order with all its units; None: what is on its way alone."""
        return self.pending() if intent is None else (*self.pending(), (intent, intent.quantity))

    def closes_only(self, intent: OrderIntent) -> bool:
        """Return whether an order does nothing but close, also after all that is on its way has filled.

        That is a buy-back of contracts held short, or a sale of units that the lots of its layer hold. A sale of
        options is measured on lots alone, because a leg may be hidden in the account: where the base is long what the
        overlay is short, the position is their sum. A future or a share has no such twin and must also be held as a
        position.
        """
        if intent.purpose.buys_hedge:
            return False
        return self.kept("closes", intent, lambda: self._only_closes(intent))

    def _only_closes(self, intent: OrderIntent) -> bool:
        if self.buys_back(intent):
            return True
        if not intent.purpose.sells_hedge or self.layer_units(intent) < intent.quantity:
            return False
        return not intent.carries_reserve or self._closes(intent.legs[0], intent.legs[0].ratio * intent.quantity)

    def quotes(self, intent: OrderIntent) -> tuple[Quote | Unvalued, ...]:
        """Return the quotes on which the legs of an order are priced, in their order.

        An order that only closes may buy back what is all but worthless and not bid for any more: the side that it
        takes is there, and without this a spread whose short leg has become worthless could never be sold.
        """
        return self.kept("quotes", intent, lambda: self._quotes(intent))

    def _quotes(self, intent: OrderIntent) -> tuple[Quote | Unvalued, ...]:
        closes_only, quote = self.closes_only(intent), self.valuer.quote
        return tuple([quote(leg.instrument, may_be_unbid=closes_only and leg.side is Side.BUY) for leg in intent.legs])

    def _closes(self, leg: Leg, contracts: int) -> bool:
        sign = leg.side.sign
        held = -sign * self.snapshot.book.quantity(leg.instrument.key)
        return held >= contracts + self._pending_contracts(leg.instrument.key, sign)

    def _pending_contracts(self, key: InstrumentKey, sign: int) -> int:
        """Contracts of a key on their way in one direction, as a positive number."""
        return sum(
            units * leg.ratio
            for intent, units in self.pending()
            for leg in intent.legs
            if leg.instrument.key == key and leg.side.sign == sign
        )

    def buys_back(self, intent: OrderIntent) -> bool:
        """Return whether the order does nothing but buy back contracts that are held short.

        What is bought for the hedge is none, also where another layer holds the same contract short: it makes a lot of
        its own, which is paid for and stays.
        """
        leg = intent.legs[0]
        if intent.purpose.buys_hedge:
            return False
        return len(intent.legs) == 1 and leg.side is Side.BUY and self._closes(leg, leg.ratio * intent.quantity)

    def layer_units(self, intent: OrderIntent) -> int:
        """Return how many units with the mirrored legs an order's layer holds beyond those that are being sold."""
        mirrored = {(leg.instrument.key, -leg.signed_ratio) for leg in intent.legs}
        held = sum(
            lot.units_open
            for lot in self.snapshot.book.lots
            if lot.layer is intent.layer and {(leg.instrument.key, leg.signed_ratio) for leg in lot.legs} == mirrored
        )
        selling = sum(
            units
            for pending, units in self.pending()
            if pending.purpose.sells_hedge
            and pending.layer is intent.layer
            and {(leg.instrument.key, -leg.signed_ratio) for leg in pending.legs} == mirrored
        )
        return held - selling


class Check(Protocol):
    """One rule: judges one intent, changes nothing, and is asked exactly once for each order and size."""

    @property
    def rule(self) -> Rule:
        """The rule whose code the answer carries."""
        ...

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Return what was found; anything raised counts as a refusal."""
        ...
