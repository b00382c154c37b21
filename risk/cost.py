"""The hedge cost against the condor credit, exact to the cent: cohorts, lots, working orders (M9).

How it works: everything that costs becomes a `Charge`: an amount and the days over which it is spread. Each day's
share goes to the cohorts open on that day, in proportion to their credit. Sums are exact fractions; each cohort's sum
is rounded up to a cent once. What always holds: no cost is understated, gains never enlarge the cap, an order that may
still fill counts at its worst.
"""

import math
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
from bot.domain.instrument import InstrumentKey, Kind, Side
from bot.domain.orders import IntentId, Leg, OrderIntent
from bot.domain.portfolio import Book, Cohort, Lot
from risk.limits import Amortise
from risk.wings import group_of, is_roll, roll_cost_usd

NOTHING: Final = Decimal(0)
INFINITE: Final = Decimal("Infinity")
ONE_DAY: Final = timedelta(days=1)
_CENTS: Final = 100
_CENTS_PER_USD: Final = Decimal(_CENTS)

Wanted = tuple[Decimal, date, date]
"""An amount in USD and the days over which it is spread, first and last: a charge without a name."""

Sums = tuple[Sequence[int], int]
"""Cents, or shares of one, exact: numerators, and the denominator of them all.

Of each cohort asked for what it bears with nothing spread, then of each what it bears with everything spread.
"""

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

    def charged(self, charge_usd: Decimal, whole_usd: Decimal) -> "CohortCost":
        """Return the same cohort, charged otherwise."""
        return CohortCost(
            cohort=self.cohort,
            charge_usd=charge_usd,
            whole_usd=whole_usd,
            credit_usd=self.credit_usd,
            cap_usd=self.cap_usd,
        )


Charged = tuple[CohortCost, Decimal, Decimal]
"""A cohort or the book with its credit and its cap, what the cap binds of it, and that with nothing spread, USD."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostReport:
    """The figures of all open cohorts and of the book, which is their sum; written out for whoever asks.

    Without any open cohort the book's figure is everything that was ever charged, against no credit.

    Attributes:
        standing: The open cohorts before anything was added.
        of_book: The book before anything was added; without a cohort with everything.
        charges_usd: What the cap binds, of each cohort.
        wholes_usd: The same with nothing spread.
    """

    standing: tuple[CohortCost, ...]
    of_book: CohortCost
    charges_usd: Sequence[Decimal]
    wholes_usd: Sequence[Decimal]

    @property
    def cohorts(self) -> tuple[CohortCost, ...]:
        """Every open cohort."""
        return tuple(map(CohortCost.charged, self.standing, self.charges_usd, self.wholes_usd))

    @property
    def book(self) -> CohortCost:
        """All cohorts together."""
        book, charge, whole = self.charged_book
        return book.charged(charge, whole)

    @property
    def is_breached(self) -> bool:
        """CAP_BREACHED: some figure is above its cap; nothing that costs may be added, closing stays allowed."""
        return self.book.is_breached or any(cohort.is_breached for cohort in self.cohorts)

    @property
    def tightest(self) -> CohortCost:
        """The cohort with the least room; the book where there is no cohort."""
        cohort, charge, whole = self.charged_tightest
        return cohort.charged(charge, whole)

    @property
    def charged_book(self) -> Charged:
        """All cohorts together, as parts."""
        if not self.standing:
            return self.of_book, self.of_book.charge_usd, self.of_book.whole_usd
        return self.of_book, sum(self.charges_usd, NOTHING), sum(self.wholes_usd, NOTHING)

    @property
    def charged_tightest(self) -> Charged:
        """The cohort with the least room, of equals the first by name, as parts."""
        if not self.standing:
            return self.charged_book
        least, at = (INFINITE, ""), 0
        for place, one in enumerate(self.standing):
            room = (one.cap_usd - self.charges_usd[place], one.cohort)
            if room < least:
                least, at = room, place
        return self.standing[at], self.charges_usd[at], self.wholes_usd[at]


@dataclass(frozen=True, slots=True, kw_only=True)
class Borne:
    """What a book is charged before any intent counts: exact sums by cohort, and who bears what comes on top.

    Nothing in it follows from an order under judgement, so that it is worked out once for a moment.
    """

    today: date
    standing: tuple[CohortCost, ...]
    book: CohortCost
    total_usd: Decimal
    bearers: "Bearers"
    sums: Sums


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
        fee, leg = self.fees.of_intent(intent, quantity), intent.legs[0]
        contract = leg.instrument
        if not intent.carries_reserve:
            return up_to_cent(max(NOTHING, intent.limit * contract.multiplier * quantity + fee))
        if leg.side is Side.SELL:
            return up_to_cent(fee)
        reserve = self.reserves.get(contract.key)
        if reserve is None:
            raise InvalidValueError(f"{contract.key}: its reserve is unknown, so its cost is")
        return up_to_cent(reserve * leg.ratio * quantity + fee)

    def report(self, book: Book, today: date, intents: Iterable[OrderIntent] = ()) -> CostReport:
        """Return the figures of a book with all that is on its way, and with further intents as if they were sent.

        A wing roll lowers the credit of its cohort by its debit and fees; what the credit cannot bear is charged.

        Raises:
            InvalidValueError: A future or share whose reserve is not known.

        Source: docs/methodology.md, M9.
        """
        wanted = tuple(intents)
        rolls = [intent for intent in wanted if is_roll(intent)]
        return self.report_on(self.borne(book, today, rolls), [intent for intent in wanted if not is_roll(intent)])

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
        bearers = Bearers((*open_now, *settled.values()), asked=[cohort.name for cohort in open_now])
        credit = sum([cohort.credit_usd for cohort in open_now], NOTHING)
        return Borne(
            today=today,
            standing=tuple(self._uncharged(one.name, one.credit_usd) for one in open_now),
            book=self._uncharged("book", credit),
            total_usd=sum((charge.amount_usd for charge in charges), NOTHING),
            bearers=bearers,
            sums=bearers.sums(charges),
        )

    def report_on(self, borne: Borne, intents: Iterable[OrderIntent]) -> CostReport:
        """Return the figures of what a book is charged with intents on top, none of them a wing roll."""
        wanted = [self._wanted(intent, borne.today) for intent in intents]
        if not borne.standing:
            total = up_to_cent(sum([amount for amount, _, _ in wanted], borne.total_usd))
            return CostReport(standing=(), of_book=borne.book.charged(total, total), charges_usd=(), wholes_usd=())
        whole, spread = borne.bearers.rounded(borne.sums, wanted)
        bound = spread if self.amortise is Amortise.STRAIGHT_LINE else whole
        return CostReport(standing=borne.standing, of_book=borne.book, charges_usd=bound, wholes_usd=whole)

    def _uncharged(self, name: str, credit: Decimal) -> CohortCost:
        cap = self.max_cost_frac * credit
        return CohortCost(cohort=name, charge_usd=NOTHING, whole_usd=NOTHING, credit_usd=credit, cap_usd=cap)

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
                intent = order.intent
                stated = up_to_cent(intent.worst_cost_usd * order.remaining / intent.quantity)
                cost = max(stated, self.worst_cost_usd(intent, order.remaining))
                last = _borne_until(intent, today)
                yield Charge(name=intent.intent_id, amount_usd=cost, first=today, last=last)

    def _wanted(self, intent: OrderIntent, today: date) -> Wanted:
        """An order at its worst: the larger of what it states and what it costs, each rounded up."""
        stated, cost = intent.worst_cost_usd, self.worst_cost_usd(intent, intent.quantity)
        return up_to_cent(stated) if stated > cost else cost, today, _borne_until(intent, today)

    def _wing_costs(self, book: Book, intents: Iterable[OrderIntent]) -> dict[str, Decimal]:
        """USD by which rolls on their way or wanted lower the credit of each cohort at worst."""
        costs: dict[str, Decimal] = defaultdict(Decimal)
        under_way = ((order.intent, order.remaining) for order in book.orders.values())
        for intent, units in (*under_way, *((intent, intent.quantity) for intent in intents)):
            if units and is_roll(intent):
                costs[group_of(intent)] += roll_cost_usd(intent, units, self.fees)
        return costs


def _borne_until(intent: OrderIntent, today: date) -> date:
    """The last day that bears a share of a new order: of a sale, and of shares, today alone."""
    first = intent.legs[0]
    if first.side is Side.SELL or first.instrument.kind is Kind.STOCK:
        return today
    return max(today, last_day(intent.legs) - ONE_DAY)


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


class Bearers:
    """The cohorts among which charges are shared; what a run of days is shared by is worked out once.

    A cohort is open from the day it was opened to the day it settles. A day on which none is open carries its share
    to the cohorts that open next; where none opens any more, to a later cohort that is not known yet.

    Sums and shares are whole numbers over one denominator: exact, and an order on top costs two products a cohort.
    """

    def __init__(self, cohorts: Sequence[Cohort], *, asked: Sequence[str]) -> None:
        """Take all cohorts that bear a share, settled ones included, and the names of those whose sums are asked."""
        self._cohorts = cohorts
        self._asked = asked
        self._bearers = {cohort.name: cohort for cohort in cohorts}
        self._shares: dict[tuple[date, date], Sums] = {}

    def sums(self, charges: Iterable[Charge]) -> Sums:
        """Return what each cohort that is asked for bears of some charges, in cents."""
        found = [Fraction(0)] * (2 * len(self._asked))
        for charge in charges:
            amount = _CENTS * Fraction(charge.amount_usd)
            shares, unit = self._shares_of(charge.first, charge.last)
            found = [total + amount * Fraction(share, unit) for total, share in zip(found, shares, strict=True)]
        return _over_one(found)

    def rounded(self, sums: Sums, wanted: Iterable[Wanted]) -> tuple[list[Decimal], list[Decimal]]:
        """Return sums of cents with further amounts on top, USD, rounded up once: with nothing spread, and spread.

        The denominator is multiplied up and never brought to its lowest terms: that would cost more than it spares.
        """
        totals, unit = sums
        for amount_usd, first, last in wanted:
            shares, parts = self._shares_of(first, last)
            over, under = amount_usd.as_integer_ratio()
            scale, each = parts * under, over * unit * _CENTS
            totals = [total * scale + shares[at] * each for at, total in enumerate(totals)]
            unit *= scale
        unit = -unit  # the floor division of what is below zero rounds up
        found = [Decimal(-(total // unit)) / _CENTS_PER_USD for total in totals]
        return found[: len(self._asked)], found[len(self._asked) :]

    def _shares_of(self, first: date, last: date) -> Sums:
        """The part of a charge on a run of days that each cohort bears, on its first day alone and over all of them."""
        found = self._shares.get((first, last))
        if found is None:
            found = self._shares[first, last] = _over_one([*self._parts(first, first), *self._parts(first, last)])
        return found

    def _parts(self, first: date, last: date) -> list[Fraction]:
        """The part of a run of days that each cohort bears; of all cohorts together one, unless nobody bears some."""
        days = (last - first).days + 1
        parts: dict[str, Fraction] = defaultdict(Fraction)
        for names, count in _bearing_days(first, last, self._cohorts):
            for name, share in _shares(names, self._bearers).items():
                parts[name] += share * Fraction(count, days)
        return [parts[name] for name in self._asked]


def _over_one(fractions: Sequence[Fraction]) -> Sums:
    """Fractions as numerators over their least common denominator."""
    unit = math.lcm(*(one.denominator for one in fractions))
    return [one.numerator * (unit // one.denominator) for one in fractions], unit


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
