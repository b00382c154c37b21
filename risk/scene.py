"""What a check reads beside the intent: the snapshot, the values in it, the limits, and what is already on its way."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol, TypeVar, TypeVarTuple

from bot.domain.decision import Checked, Rule
from bot.domain.fees import FeeSchedule
from bot.domain.instrument import Instrument, InstrumentKey, Side
from bot.domain.ledger import trade_date
from bot.domain.market import Quote
from bot.domain.orders import Leg, OrderIntent
from bot.domain.schedule import SessionCalendar
from bot.domain.snapshot import Snapshot
from bot.valuation import Unvalued, Valuer
from risk.limits import RiskLimits

T = TypeVar("T")
S = TypeVar("S")
Asked = TypeVarTuple("Asked")

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
    """What was worked out of the moment, whatever is ordered; see `once` and `of_contract`."""
    figures: dict[Hashable, tuple[object, Any]] = field(init=False, default_factory=dict, compare=False, repr=False)
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
        return self.once(_today)

    def once(self, work: Callable[[*Asked, "Scene"], T], *asked: *Asked) -> T:
        """Return a figure of the moment, worked out by whoever asks for it first; what raises is tried again.

        Args:
            work: Works it out of what is asked, and of snapshot, limits, fees and calendar alone, whatever is ordered.
                The figure is told by this function itself, so that it must be one of a module.
            asked: What the figure is of, nothing for one of the whole moment.
        """
        name = (work, asked)
        try:
            found: T = self.moment[name]
        except KeyError:
            found = self.moment[name] = work(*asked, self)
        return found

    def of_contract(self, work: Callable[[Instrument, "Scene"], T], contract: Instrument) -> T:
        """Return a figure of a contract in this moment, as `once`; one with the same key and other terms has its own.

        Contracts are told by their key first, because to hash and compare all of one takes longer than most figures.
        """
        name = (work, contract.key)
        known = self.moment.get(name)
        if known is not None and (known[0] is contract or known[0] == contract):
            found: T = known[1]
            return found
        found = work(contract, self)
        self.moment[name] = (contract, found)
        return found

    def kept(self, work: Callable[[S, "Scene"], T], subject: S) -> T:
        """Return a figure of an order, worked out by whoever asks first.

        Args:
            work: Works it out of the subject; as for `once`, it tells the figure.
            subject: The intent itself, or its legs where the figure is the same for every size. It is told by being the
                same object, because an id proves nothing; it is kept as well, so that no other can take its place.
        """
        name = (work, id(subject))
        kept = self.figures.get(name)
        if kept is None:
            kept = self.figures[name] = (subject, work(subject, self))
        found: T = kept[1]
        return found

    def pending(self) -> tuple[Ordered, ...]:
        """Every order that may still fill with its remaining units, then what was approved earlier in this plan."""
        at_work = self.once(_at_work)
        return at_work if not self.earlier else (*at_work, *((one, one.quantity) for one in self.earlier))

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
        return self.kept(_only_closes, intent)

    def quotes(self, intent: OrderIntent) -> tuple[Quote | Unvalued, ...]:
        """Return the quotes on which the legs of an order are priced, in their order.

        An order that only closes may buy back what is all but worthless and not bid for any more: the side that it
        takes is there, and without this a spread whose short leg has become worthless could never be sold.
        """
        return self.kept(_quotes, intent)

    def closes(self, leg: Leg, contracts: int) -> bool:
        """Return whether so many contracts of a leg only close a position, also after all on its way has filled."""
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
        return len(intent.legs) == 1 and leg.side is Side.BUY and self.closes(leg, leg.ratio * intent.quantity)

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


def _today(scene: Scene) -> date:
    return trade_date(scene.snapshot.now)


def _at_work(scene: Scene) -> tuple[Ordered, ...]:
    return tuple((order.intent, order.remaining) for order in scene.snapshot.book.orders.values() if order.may_fill)


def _only_closes(intent: OrderIntent, scene: Scene) -> bool:
    if scene.buys_back(intent):
        return True
    if not intent.purpose.sells_hedge or scene.layer_units(intent) < intent.quantity:
        return False
    return not intent.carries_reserve or scene.closes(intent.legs[0], intent.legs[0].ratio * intent.quantity)


def _quotes(intent: OrderIntent, scene: Scene) -> tuple[Quote | Unvalued, ...]:
    closes_only, quote = scene.closes_only(intent), scene.valuer.quote
    return tuple([quote(leg.instrument, may_be_unbid=closes_only and leg.side is Side.BUY) for leg in intent.legs])


class Check(Protocol):
    """One rule: judges one intent, changes nothing, and is asked exactly once for each order and size."""

    @property
    def rule(self) -> Rule:
        """The rule whose code the answer carries."""
        ...

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Return what was found; anything raised counts as a refusal."""
        ...
