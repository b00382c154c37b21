"""The hedge cost against the condor credit, exact to the cent: cohorts, lots, working orders (M9).

How it works: everything that costs becomes a `Charge`: an amount and the days over which it is spread. Each day's
share goes to the cohorts open on that day, in proportion to their credit. Sums are exact fractions; each cohort's sum
is rounded up to a cent once. What always holds: no cost is understated, gains never enlarge the cap, an order that may
still fill counts at its worst.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Final

from bot.domain.checks import require_not_negative
from bot.domain.errors import InvalidValueError
from bot.domain.fees import FeeSchedule, up_to_cent
from bot.domain.instrument import InstrumentKey
from bot.domain.orders import IntentId, Leg, OrderIntent
from bot.domain.portfolio import Book, Cohort, Lot
from risk.limits import Amortise
from risk.wings import group_of, is_roll, roll_cost_usd

NOTHING: Final = Decimal(0)
ONE_DAY: Final = timedelta(days=1)
_CENTS: Final = 100

Reserves = Mapping[InstrumentKey, Decimal]
"""USD that one long future or share of a key is charged beside its fees when it is bought now (M9)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """An amount in USD, never negative, spread evenly over the days from ``first`` to ``last``, both included."""

    name: str
    amount_usd: Decimal
    first: date
    last: date

    def __post_init__(self) -> None:
        """Reject gains and lives that end before they begin."""
        require_not_negative(amount_usd=self.amount_usd)
        if self.last < self.first:
            raise InvalidValueError(f"charge {self.name}: ends {self.last}, before it begins {self.first}")

    @property
    def days(self) -> int:
        """Calendar days that bear a share, one or more."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortCost:
    """One cohort's charges against its credit, in USD and whole cents.

    ``charge_usd`` is what the cap binds, by the configured method; ``whole_usd`` what it would be with nothing spread.
    """

    cohort: str
    charge_usd: Decimal
    whole_usd: Decimal
    credit_usd: Decimal
    cap_usd: Decimal

    @property
    def is_breached(self) -> bool:
        """The charge is above the cap; spending exactly the cap is not."""
        return self.charge_usd > self.cap_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class CostReport:
    """The figures of all open cohorts and of the book, which is their sum.

    Without any open cohort the book's figure is everything that was ever charged, against no credit.
    """

    cohorts: tuple[CohortCost, ...]
    book: CohortCost

    @property
    def is_breached(self) -> bool:
        """CAP_BREACHED: some figure is above its cap; nothing that costs may be added, closing stays allowed."""
        return self.book.is_breached or any(cohort.is_breached for cohort in self.cohorts)

    @property
    def tightest(self) -> CohortCost:
        """The cohort with the least room; the book where there is no cohort."""
        return min(self.cohorts, key=lambda one: (one.cap_usd - one.charge_usd, one.cohort), default=self.book)


@dataclass(frozen=True, slots=True, kw_only=True)
class Borne:
    """What a book is charged before any intent counts: exact sums by cohort, and who bears what comes on top."""

    today: date
    open_now: tuple[Cohort, ...]
    total_usd: Decimal
    bearers: "Bearers"
    spread: "Sums"
    whole: "Sums"


@dataclass(frozen=True, slots=True, kw_only=True)
class CostModel:
    """Turns a book into a report.

    Attributes:
        fees: What a contract costs to trade.
        max_cost_frac: The cap as a fraction of the credit.
        amortise: Which figure the cap binds.
        reserves: What a future or a share is charged beside its fees, for one that is wanted or on its way.
        held_reserves: The same for what is held, by lot, per unit: its unrealised loss counts as well.
        products_usd: What the volatility products in no lot of ours are charged, all their shares together (M9).
    """

    fees: FeeSchedule
    max_cost_frac: Decimal
    amortise: Amortise = Amortise.STRAIGHT_LINE
    reserves: Reserves = field(default_factory=dict)
    held_reserves: Mapping[IntentId, Decimal] = field(default_factory=dict)
    products_usd: Decimal = NOTHING

    def worst_cost_usd(self, intent: OrderIntent, quantity: int) -> Decimal:
        """Return what ``quantity`` units of an order may cost at worst, in USD and whole cents, never below zero.

        Options: premium at the limit plus fees; a sale costs what its fees exceed its proceeds by. A future or share
        bought: its reserve plus fees; sold: fees. The roll of a wing is no cost of the hedge: it lowers the credit.

        Raises:
            InvalidValueError: A future or share whose reserve is not known.
        """
        fee = self.fees.of_intent(intent, quantity)
        if not intent.carries_reserve:
            return up_to_cent(max(NOTHING, intent.limit * intent.multiplier * quantity + fee))
        leg = intent.legs[0]
        if leg.signed_ratio < 0:
            return up_to_cent(fee)
        reserve = self.reserves.get(leg.instrument.key)
        if reserve is None:
            raise InvalidValueError(f"{leg.instrument.key}: its reserve is unknown, so its cost is")
        return up_to_cent(reserve * leg.ratio * quantity + fee)

    def report(self, book: Book, today: date, intents: Iterable[OrderIntent] = ()) -> CostReport:
        """Return the figures of a book with all that is on its way, and with further intents as if they were sent.

        A wing roll lowers the credit of its cohort by its debit and fees; what the credit cannot bear is charged.

        Raises:
            InvalidValueError: A future or share whose reserve is not known.

        Source: docs/methodology.md, M9.
        """
        wanted = tuple(intents)
        return self.report_on(self.borne(book, today, filter(is_roll, wanted)), wanted)

    def borne(self, book: Book, today: date, rolls: Iterable[OrderIntent] = ()) -> Borne:
        """Return what a book with all that is on its way is charged, and with further wing rolls as if they were sent.

        Raises:
            InvalidValueError: As `report`.
        """
        charges = [*self._held(book.lots, today), *self._under_way(book, today)]
        costs = self._wing_costs(book, rolls)
        open_now = [
            replace(cohort, credit_usd=max(NOTHING, cohort.credit_usd - costs.get(cohort.name, NOTHING)))
            for cohort in book.cohorts
            if cohort.settlement >= today
        ]
        charges += _beyond_credit(costs, book.cohorts, today)
        charges += self._products(book.cohorts, today)
        past = (*(cohort for cohort in book.cohorts if cohort.settlement < today), *book.past_cohorts)
        settled = {cohort.name: cohort for cohort in past}
        bearers = Bearers((*open_now, *settled.values()))
        return Borne(
            today=today,
            open_now=tuple(open_now),
            total_usd=sum((charge.amount_usd for charge in charges), NOTHING),
            bearers=bearers,
            spread=bearers.sums(charges, spread=True),
            whole=bearers.sums(charges, spread=False),
        )

    def report_on(self, borne: Borne, intents: Iterable[OrderIntent]) -> CostReport:
        """Return the figures of what a book is charged with intents on top; their wing rolls are in it already."""
        charges = tuple(self._wanted(intents, borne.today))
        if not borne.open_now:
            total = up_to_cent(sum((charge.amount_usd for charge in charges), borne.total_usd))
            return CostReport(cohorts=(), book=self._figures("book", total, total, NOTHING))
        whole = borne.bearers.rounded(borne.whole, charges, spread=False)
        is_spread = self.amortise is Amortise.STRAIGHT_LINE
        bound = borne.bearers.rounded(borne.spread, charges, spread=True) if is_spread else whole
        cohorts = tuple(
            self._figures(cohort.name, bound[cohort.name], whole[cohort.name], cohort.credit_usd)
            for cohort in borne.open_now
        )
        return CostReport(
            cohorts=cohorts,
            book=self._figures(
                "book",
                sum((cohort.charge_usd for cohort in cohorts), NOTHING),
                sum((cohort.whole_usd for cohort in cohorts), NOTHING),
                sum((cohort.credit_usd for cohort in cohorts), NOTHING),
            ),
        )

    def _figures(self, name: str, charge: Decimal, whole: Decimal, credit: Decimal) -> CohortCost:
        return CohortCost(
            cohort=name, charge_usd=charge, whole_usd=whole, credit_usd=credit, cap_usd=self.max_cost_frac * credit
        )

    def _products(self, cohorts: Iterable[Cohort], today: date) -> Iterable[Charge]:
        """Shares have no end and no day of purchase that anybody states: charged from the oldest cohort to today."""
        if self.products_usd:
            since = min((cohort.opened_on for cohort in cohorts if cohort.settlement >= today), default=today)
            yield Charge(name="products", amount_usd=self.products_usd, first=min(since, today), last=today)

    def _held(self, lots: Iterable[Lot], today: date) -> Iterable[Charge]:
        for lot in lots:
            yield from charges_of(lot, self._reserve_of(lot), today)

    def _reserve_of(self, lot: Lot) -> Decimal:
        if not lot.carries_reserve or lot.units_open == 0:
            return NOTHING
        reserve = self.held_reserves.get(lot.lot_id)
        if reserve is None:
            raise InvalidValueError(f"lot {lot.lot_id}: its reserve is unknown, so its cost is")
        return reserve * lot.units_open

    def _under_way(self, book: Book, today: date) -> Iterable[Charge]:
        for order in book.orders.values():
            if order.remaining and not is_roll(order.intent):
                stated = up_to_cent(order.intent.worst_cost_usd * order.remaining / order.intent.quantity)
                yield self._charge(order.intent, max(stated, self.worst_cost_usd(order.intent, order.remaining)), today)

    def _wanted(self, intents: Iterable[OrderIntent], today: date) -> Iterable[Charge]:
        for intent in (one for one in intents if not is_roll(one)):
            cost = max(up_to_cent(intent.worst_cost_usd), self.worst_cost_usd(intent, intent.quantity))
            yield self._charge(intent, cost, today)

    def _wing_costs(self, book: Book, intents: Iterable[OrderIntent]) -> dict[str, Decimal]:
        """USD by which rolls on their way or wanted lower the credit of each cohort at worst."""
        costs: dict[str, Decimal] = defaultdict(Decimal)
        under_way = ((order.intent, order.remaining) for order in book.orders.values())
        for intent, units in (*under_way, *((intent, intent.quantity) for intent in intents)):
            if units and is_roll(intent):
                costs[group_of(intent)] += roll_cost_usd(intent, units, self.fees)
        return costs

    @staticmethod
    def _charge(intent: OrderIntent, cost_usd: Decimal, today: date) -> Charge:
        is_sale = all(leg.signed_ratio < 0 for leg in intent.legs[:1])
        last = today if is_sale or intent.is_share else last_day(intent.legs)
        return Charge(name=intent.intent_id, amount_usd=cost_usd, first=today, last=max(today, last - ONE_DAY))


def _beyond_credit(costs: Mapping[str, Decimal], cohorts: Sequence[Cohort], today: date) -> list[Charge]:
    """What rolls cost beyond the credit of their cohorts, charged today."""
    borne = {cohort.name: cohort.credit_usd for cohort in cohorts}
    beyond = {name: max(NOTHING, cost - borne.get(name, NOTHING)) for name, cost in costs.items()}
    return [Charge(name=name, amount_usd=amount, first=today, last=today) for name, amount in beyond.items()]


def last_day(legs: Iterable[Leg]) -> date:
    """Return the latest settlement of some legs.

    Raises:
        InvalidValueError: None of them settles.
    """
    days = [leg.instrument.settlement for leg in legs if leg.instrument.settlement is not None]
    if not days:
        raise InvalidValueError("a hedge settles, these legs do not")
    return max(days)


def charges_of(lot: Lot, reserve_usd: Decimal, today: date) -> tuple[Charge, ...]:
    """Return what a lot is charged: the part that was sold over the days it was held, the rest over its whole life.

    Each part is floored at zero by itself: a gain on what was sold does not pay for what is left. The life of a lot
    ends on the day before it expires, that of a sold part on the day before it was sold; both have one day at least.
    Shares have no end: what they are charged lies on the days that they have been held, today among them.

    Args:
        lot: The lot.
        reserve_usd: What its open futures or shares are charged beside their fees; 0 for options.
        today: Not used for the amounts; a lot bought in the future is an error.

    Raises:
        InvalidValueError: The lot was bought after ``today``.

    Source: docs/methodology.md, M9.
    """
    if lot.bought_on > today:
        raise InvalidValueError(f"lot {lot.lot_id} was bought on {lot.bought_on}, after today, {today}")
    sold = lot.units_bought - lot.units_open
    cost_sold = lot.cost_usd * sold / lot.units_bought
    parts = []
    if sold:
        ended = lot.last_sold_on or today
        parts.append(("sold", max(NOTHING, cost_sold - lot.recovered_usd), ended))
    if lot.units_open:
        parts.append(("open", max(NOTHING, lot.cost_usd - cost_sold) + reserve_usd, lot.expires_on or today + ONE_DAY))
    return tuple(
        Charge(
            name=f"{lot.lot_id}:{name}",
            amount_usd=amount,
            first=lot.bought_on,
            last=max(lot.bought_on, ended - ONE_DAY),
        )
        for name, amount, ended in parts
    )


def charged(charges: Iterable[Charge], cohorts: Sequence[Cohort], *, spread: bool) -> dict[str, Decimal]:
    """Return what each cohort bears of all charges, in USD, rounded up to a cent once.

    A cohort is open from the day it was opened to the day it settles. A day on which none is open carries its share
    to the cohorts that open next; where none opens any more, to a later cohort that is not known yet.

    Args:
        charges: Everything that costs.
        cohorts: All cohorts that bear a share, settled ones included; each class and settlement once.
        spread: Spread each charge over its days; else it falls on its first day alone.

    Source: docs/methodology.md, M9.
    """
    bearers = Bearers(cohorts)
    return bearers.rounded(bearers.sums((), spread=spread), charges, spread=spread)


Sums = Mapping[str, tuple[int, int]]
"""USD by cohort, exact: numerator and denominator, which need not be in their lowest terms."""


class Bearers:
    """The cohorts among which charges are shared; what a run of days is shared by is worked out once.

    Sums are kept as fractions that need not be in their lowest terms: exact all the same, and much faster.
    """

    def __init__(self, cohorts: Sequence[Cohort]) -> None:
        """Take all cohorts that bear a share, settled ones included."""
        self._cohorts = cohorts
        self._bearers = {cohort.name: cohort for cohort in cohorts}
        self._shares: dict[tuple[date, date], dict[str, Fraction]] = {}

    def sums(self, charges: Iterable[Charge], *, spread: bool) -> Sums:
        """Return what each cohort bears of some charges, USD, exact."""
        found = dict.fromkeys(self._bearers, Fraction(0))
        for charge in charges:
            amount = Fraction(charge.amount_usd)
            for name, part in self._parts(charge, spread=spread).items():
                found[name] += amount * part
        return {name: total.as_integer_ratio() for name, total in found.items()}

    def rounded(self, sums: Sums, charges: Iterable[Charge], *, spread: bool) -> dict[str, Decimal]:
        """Return sums with further charges on top, USD, rounded up to a cent once."""
        exact = dict(sums)
        for charge in charges:
            over, under = charge.amount_usd.as_integer_ratio()
            for name, part in self._parts(charge, spread=spread).items():
                (total, unit), (share, parts) = exact[name], part.as_integer_ratio()
                exact[name] = (total * parts * under + over * share * unit, unit * parts * under)
        return {name: _up_to_cent(total, unit) for name, (total, unit) in exact.items()}

    def _parts(self, charge: Charge, *, spread: bool) -> dict[str, Fraction]:
        """The part of a charge that each cohort bears; together one, unless nobody bears some days."""
        first, last = charge.first, charge.last if spread else charge.first
        if (first, last) not in self._shares:
            days = (last - first).days + 1
            parts: dict[str, Fraction] = defaultdict(Fraction)
            for names, count in _bearing_days(first, last, self._cohorts):
                for name, share in _shares(names, self._bearers).items():
                    parts[name] += share * Fraction(count, days)
            self._shares[first, last] = parts
        return self._shares[first, last]


def _bearing_days(first: date, last: date, cohorts: Sequence[Cohort]) -> Iterable[tuple[tuple[str, ...], int]]:
    """Yield runs of days with the same bearers: (names of the cohorts, how many days)."""
    edges = {first, last + ONE_DAY}
    for cohort in cohorts:
        edges |= {day for day in (cohort.opened_on, cohort.settlement + ONE_DAY) if first < day <= last}
    ordered = sorted(edges)
    for start, end in pairwise(ordered):
        yield _bearers(start, cohorts), (end - start).days


def _bearers(day: date, cohorts: Sequence[Cohort]) -> tuple[str, ...]:
    """The cohorts open on a day, else those that open next, else none."""
    today = tuple(cohort.name for cohort in cohorts if cohort.opened_on <= day <= cohort.settlement)
    if today:
        return today
    opening = min((cohort.opened_on for cohort in cohorts if cohort.opened_on > day), default=None)
    return tuple(cohort.name for cohort in cohorts if cohort.opened_on == opening)


def _shares(names: Sequence[str], cohorts: Mapping[str, Cohort]) -> dict[str, Fraction]:
    """In proportion to credit; evenly where there is no credit at all."""
    by_name = {name: Fraction(cohorts[name].credit_usd) for name in names}
    total = sum(by_name.values(), Fraction(0))
    if total == 0:
        return dict.fromkeys(names, Fraction(1, max(1, len(names))))
    return {name: credit / total for name, credit in by_name.items()}


def _up_to_cent(total: int, unit: int) -> Decimal:
    cents = -(-(total * _CENTS) // unit)
    return Decimal(cents) / _CENTS
