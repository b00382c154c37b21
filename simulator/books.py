"""Opening books: what the account holds when a run begins, chosen by the model's deltas and priced at mid."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from bot.domain.checks import require_not_negative, require_positive
from bot.domain.errors import InvalidValueError
from bot.domain.instrument import Instrument, Kind, Right
from bot.domain.layer import Layer
from bot.domain.portfolio import Condor, StatedCredit
from bot.pricing import forward_delta
from simulator.listing import ContractQuery
from simulator.numbering import number_of
from simulator.universe import Universe
from simulator.world.market import Market
from simulator.world.quotes import rule_of, two_sided

CONDORS_PER_BASE_UNIT: Final = 10
"""M4 states its layers for every ten condors."""
_BASE_CALL_DELTA: Final = 0.50


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerSize:
    """One layer of the base sleeve: days to settlement and calls for every ten condors."""

    layer: Layer
    days: int
    calls_per_ten: int

    def __post_init__(self) -> None:
        """Reject an empty layer."""
        require_positive(days=self.days, calls_per_ten=self.calls_per_ten)


BASE_LAYERS: Final = (
    LayerSize(layer=Layer.SHORT, days=30, calls_per_ten=4),
    LayerSize(layer=Layer.MEDIUM, days=110, calls_per_ten=4),
    LayerSize(layer=Layer.LONG, days=220, calls_per_ten=2),
)
"""docs/methodology.md, M4."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedPosition:
    """A position that the book is to hold, named by what it is; ``price`` in points, the opening middle without one."""

    kind: Kind
    symbol: str
    trading_class: str
    quantity: int
    settlement: date | None = None
    strike: Decimal | None = None
    right: Right | None = None
    price: Decimal | None = None

    def __post_init__(self) -> None:
        """Reject a position of nothing."""
        if self.quantity == 0:
            raise InvalidValueError(f"a position of {self.trading_class} must not be flat")


@dataclass(frozen=True, slots=True, kw_only=True)
class BookPlan:
    """What the opening book should be.

    ``condors`` of ``short_delta`` (absolute, per unit) and ``wing_points``, in the SPXW settlement nearest
    ``condor_days`` or in ``condor_settlement`` where stated; the base layers in the nearest VIX settlements or in
    ``vix_settlements`` (one for each layer, in order). No condors: a flat book. Cash fills up to
    ``net_liquidation_usd``.
    """

    condors: int = 40
    short_delta: float = 0.16
    wing_points: int = 25
    condor_days: int = 45
    condor_settlement: date | None = None
    vix_settlements: tuple[date, ...] = ()
    layers: tuple[LayerSize, ...] = BASE_LAYERS
    net_liquidation_usd: Decimal = Decimal(2_000_000)
    stated: tuple[StatedPosition, ...] = ()  # held beside the condors
    cash_usd: Decimal | None = None  # beside all positions; what is left of net liquidation unless stated

    def __post_init__(self) -> None:
        """Reject sizes and deltas that no condor has."""
        require_not_negative(condors=self.condors)
        require_positive(
            wing_points=self.wing_points, condor_days=self.condor_days, net_liquidation_usd=self.net_liquidation_usd
        )
        if not 0.0 < self.short_delta < 0.5:
            raise InvalidValueError(f"short_delta must lie between 0 and 0.5, was {self.short_delta}")
        if self.vix_settlements and len(self.vix_settlements) != len(self.layers):
            raise InvalidValueError(
                f"vix_settlements: expected one for each of the {len(self.layers)} layers, "
                f"found {len(self.vix_settlements)}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseHolding:
    """The calls of one base layer: ``price`` in points each at mid, ``cost_usd`` for all of them without fees."""

    layer: Layer
    instrument: Instrument
    quantity: int
    price: Decimal
    cost_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningBook:
    """An account at the start: positions as (instrument, signed quantity, entry price in points)."""

    cash_usd: Decimal
    positions: tuple[tuple[Instrument, int, Decimal], ...]
    condors: tuple[Condor, ...] = ()
    credits: tuple[StatedCredit, ...] = ()
    base: tuple[BaseHolding, ...] = ()

    @property
    def condor_credit_usd(self) -> Decimal:
        """What all condors brought in at mid, USD, before fees."""
        return sum((stated.credit_usd for stated in self.credits), Decimal(0))


def open_book(plan: BookPlan, market: Market, universe: Universe) -> OpeningBook:
    """Return the book of a plan at the prices of a market.

    Raises:
        InvalidValueError: A stated settlement or a strike that the plan needs is not listed.
    """
    stated = [_stated(position, market, universe) for position in plan.stated]
    if plan.condors == 0:
        return OpeningBook(cash_usd=_cash(plan, stated), positions=tuple(stated))
    condor = _condor(plan, market, universe)
    prices = {leg: mid_of(leg, market) for leg in condor.legs}
    signs = dict(zip(condor.legs, (1, -1, -1, 1), strict=True))
    held = [(leg, sign * plan.condors, prices[leg]) for leg, sign in signs.items()]
    credit = -sum((quantity * price * leg.multiplier for leg, quantity, price in held), Decimal(0))
    base = _base(plan, market, universe)
    held += [(call.instrument, call.quantity, call.price) for call in base]
    held += stated
    credited = StatedCredit(
        trading_class=condor.trading_class,
        settlement=condor.settlement,
        strikes=_strikes(condor),
        count=plan.condors,
        credit_usd=credit,
        opened_on=market.at.date(),
    )
    return OpeningBook(
        cash_usd=_cash(plan, held),
        positions=tuple(held),
        condors=(condor,),
        credits=(credited,),
        base=base,
    )


def _cash(plan: BookPlan, held: Sequence[tuple[Instrument, int, Decimal]]) -> Decimal:
    """Return the stated cash, or what the positions leave of net liquidation; a future takes none."""
    if plan.cash_usd is not None:
        return plan.cash_usd
    paid = [each for each in held if each[0].kind is not Kind.FUTURE]
    return plan.net_liquidation_usd - sum((n * price * leg.multiplier for leg, n, price in paid), Decimal(0))


def _stated(position: StatedPosition, market: Market, universe: Universe) -> tuple[Instrument, int, Decimal]:
    """Return a stated position as held.

    Raises:
        InvalidValueError: No such contract is listed, or not one alone.
    """
    instrument = _named(position, market, universe)
    return instrument, position.quantity, mid_of(instrument, market) if position.price is None else position.price


def _named(position: StatedPosition, market: Market, universe: Universe) -> Instrument:
    if position.kind is Kind.OPTION:
        if position.settlement is None or position.strike is None or position.right is None:
            raise InvalidValueError(f"an option of {position.trading_class} needs expiry, strike and right")
        return universe.option(position.trading_class, position.settlement, position.strike, position.right)
    query = ContractQuery(symbol=position.symbol, sec_type=position.kind.value, trading_class=position.trading_class)
    found = [each.instrument for each in universe.matching(query, market.at.date())]
    fitting = [each for each in found if each.settlement == position.settlement]
    if len(fitting) != 1:
        expiries = ", ".join(f"{each.settlement}" for each in found if each.settlement is not None)
        raise InvalidValueError(
            f"{position.kind.value} {position.trading_class} {position.settlement or 'without expiry'}: expected one "
            f"listed contract, found {len(fitting)}; {f'expiries are {expiries}' if expiries else 'none is listed'}"
        )
    return fitting[0]


def mid_of(instrument: Instrument, market: Market) -> Decimal:
    """Return the middle of the quote that a market shows for a contract, in points, open or not."""
    fair = market.fair(instrument)
    return two_sided(rule_of(instrument), fair.price, seed=number_of(instrument), step=0).mid


def _condor(plan: BookPlan, market: Market, universe: Universe) -> Condor:
    """Return the condor whose short strikes have the deltas nearest the plan's."""
    today = market.at.date()
    settlement = plan.condor_settlement or _nearest(universe.spxw_fridays, today, plan.condor_days)
    options = universe.options("SPXW", settlement)
    if not options:
        raise InvalidValueError(f"no SPXW options settle on {settlement}: state a listed condor settlement")

    def short(right: Right) -> Instrument:
        return _closest(
            [each for each in options if each.right is right],
            lambda each: abs(abs(market.fair(each).delta) - plan.short_delta),
        )

    def wing(of: Instrument, points: int) -> Instrument:
        return universe.option("SPXW", settlement, _strike(of) + points, of.right or Right.CALL)

    short_put, short_call = short(Right.PUT), short(Right.CALL)
    return Condor(
        long_put=wing(short_put, -plan.wing_points),
        short_put=short_put,
        short_call=short_call,
        long_call=wing(short_call, plan.wing_points),
        count=plan.condors,
    )


def _base(plan: BookPlan, market: Market, universe: Universe) -> tuple[BaseHolding, ...]:
    """Return the layers, each in calls near 0.50 forward delta; a layer that rounds to nothing is left out."""
    today = market.at.date()
    holdings = []
    for position, size in enumerate(plan.layers):
        quantity = round(size.calls_per_ten * plan.condors / CONDORS_PER_BASE_UNIT)
        if quantity == 0:
            continue
        listed = universe.vix_settlements
        settlement = plan.vix_settlements[position] if plan.vix_settlements else _nearest(listed, today, size.days)
        call = _base_call(settlement, market, universe)
        price = mid_of(call, market)
        cost = quantity * price * call.multiplier
        holdings.append(BaseHolding(layer=size.layer, instrument=call, quantity=quantity, price=price, cost_usd=cost))
    return tuple(holdings)


def _base_call(settlement: date, market: Market, universe: Universe) -> Instrument:
    calls = [each for each in universe.options("VIX", settlement) if each.right is Right.CALL]
    if not calls:
        raise InvalidValueError(f"no VIX options settle on {settlement}: state a listed VIX settlement")
    term = market.vix_term(settlement)

    def distance(call: Instrument) -> float:
        fair = market.fair(call)
        delta = forward_delta(forward=term.forward, strike=float(_strike(call)), years=term.years, vol=fair.vol)
        return abs(delta - _BASE_CALL_DELTA)

    return _closest(calls, distance)


def _closest(options: Sequence[Instrument], distance: Callable[[Instrument], float]) -> Instrument:
    return min(options, key=distance)


def _nearest(settlements: Sequence[date], today: date, days: int) -> date:
    """Return the settlement nearest ``days`` from today; the earlier one of two as near."""
    return min(settlements, key=lambda day: (abs((day - today).days - days), day))


def _strike(instrument: Instrument) -> Decimal:
    return Decimal(0) if instrument.strike is None else instrument.strike


def _strikes(condor: Condor) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    long_put, short_put, short_call, long_call = map(_strike, condor.legs)
    return long_put, short_put, short_call, long_call
