"""From a fair value to what an exchange shows: two sides on the tick grid, with sizes."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cache
from math import ceil, floor
from typing import Final

from bot.domain.checks import require_not_negative, require_positive
from bot.domain.errors import InvalidValueError
from bot.domain.instrument import Instrument, Kind
from simulator.venue import VenueQuote
from simulator.world.market import Fair

_ROUND_SLACK: Final = 1e-7  # of a tick: a price that sits on the grid up to rounding counts as on it
_SIZE_BLOCK_STEPS: Final = 40  # sizes change every ten minutes at 15 s, so that quotes change for their prices


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteRule:
    """How one class of contracts is quoted; prices in points, sizes in contracts.

    ``ticks`` are rows (low edge, increment), ascending, as in a market rule; ``combo_tick`` is the grid of a net price.
    Half the spread is the larger of ``least_half_spread`` and ``half_spread_frac`` of the fair value, before both
    sides are moved outward to the grid.
    """

    ticks: tuple[tuple[Decimal, Decimal], ...]
    combo_tick: Decimal
    least_half_spread: float
    half_spread_frac: float
    least_size: int
    most_size: int
    cents: tuple[tuple[float, int], ...] = field(init=False, compare=False, repr=False)  # ticks, for the fast path

    def __post_init__(self) -> None:
        """Reject a grid without increments and sizes without contracts."""
        for edge, increment in self.ticks:
            require_not_negative(edge=edge)
            require_positive(increment=increment)
        require_positive(combo_tick=self.combo_tick, least_size=self.least_size)
        require_not_negative(least_half_spread=self.least_half_spread, half_spread_frac=self.half_spread_frac)
        if self.most_size < self.least_size:
            raise InvalidValueError(f"sizes run from {self.least_size} to {self.most_size}: the wrong way round")
        object.__setattr__(self, "cents", tuple((float(edge), int(tick * 100)) for edge, tick in self.ticks))

    def tick_at(self, price: Decimal) -> Decimal:
        """Return the increment that holds at a price; a negative price has that of its size."""
        size = abs(price)
        return next(increment for edge, increment in reversed(self.ticks) if size >= edge)


def _rows(*rows: tuple[str, str]) -> tuple[tuple[Decimal, Decimal], ...]:
    return tuple((Decimal(edge), Decimal(increment)) for edge, increment in rows)


VIX_OPTIONS: Final = QuoteRule(
    ticks=_rows(("0", "0.01"), ("3", "0.05")),
    combo_tick=Decimal("0.01"),
    least_half_spread=0.01,
    half_spread_frac=0.012,
    least_size=40,
    most_size=400,
)
SPX_OPTIONS: Final = QuoteRule(
    ticks=_rows(("0", "0.05"), ("3", "0.10")),
    combo_tick=Decimal("0.05"),
    least_half_spread=0.03,
    half_spread_frac=0.006,
    least_size=15,
    most_size=150,
)
VX_FUTURES: Final = QuoteRule(
    ticks=_rows(("0", "0.05")),
    combo_tick=Decimal("0.01"),
    least_half_spread=0.02,
    half_spread_frac=0.0,
    least_size=30,
    most_size=300,
)
VXM_FUTURES: Final = QuoteRule(
    ticks=_rows(("0", "0.01")),
    combo_tick=Decimal("0.01"),
    least_half_spread=0.02,
    half_spread_frac=0.0,
    least_size=10,
    most_size=80,
)

QUOTE_RULES: Final = {
    "VIX": VIX_OPTIONS,
    "SPX": SPX_OPTIONS,
    "SPXW": SPX_OPTIONS,
    "VX": VX_FUTURES,
    "VXM": VXM_FUTURES,
}
"""By trading class; the ticks are those of docs/contracts.md, section 4."""


def rule_of(instrument: Instrument) -> QuoteRule:
    """Return the rule of a tradable contract.

    Raises:
        InvalidValueError: An index, or a class that this exchange does not list.
    """
    rule = None if instrument.kind is Kind.INDEX else QUOTE_RULES.get(instrument.trading_class)
    if rule is None:
        raise InvalidValueError(f"{instrument.key}: not traded here, classes are {', '.join(QUOTE_RULES)}")
    return rule


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoSided:
    """Both sides of a quote in hundredths of a point, ``bid_cents`` zero where nobody bids; sizes in contracts."""

    bid_cents: int
    ask_cents: int
    bid_size: int
    ask_size: int

    @property
    def mid(self) -> Decimal:
        """The middle in points, exact to half a hundredth."""
        return Decimal(self.bid_cents + self.ask_cents) / 200


def two_sided(rule: QuoteRule, price: float, *, seed: int, step: int) -> TwoSided:
    """Return both sides around a fair value, moved outward to the tick grid; the ask stays above the bid.

    Args:
        rule: The class's grid, spread and sizes.
        price: Fair value in points, zero or more.
        seed: Sizes differ by it; any integer, for example the contract's number.
        step: Sizes change with it, every `_SIZE_BLOCK_STEPS` steps.

    >>> quote = two_sided(VIX_OPTIONS, 1.673, seed=1, step=0)
    >>> quote.bid_cents, quote.ask_cents
    (165, 170)
    """
    half = max(rule.least_half_spread, rule.half_spread_frac * price)
    low, high = max(0.0, price - half), price + half
    bid_tick, ask_tick = _tick_cents(rule, low), _tick_cents(rule, high)
    bid = floor(low * 100.0 / bid_tick + _ROUND_SLACK) * bid_tick
    ask = max(ceil(high * 100.0 / ask_tick - _ROUND_SLACK) * ask_tick, bid + ask_tick)
    span = rule.most_size - rule.least_size + 1
    mixed = _mixed(seed, step // _SIZE_BLOCK_STEPS)
    return TwoSided(
        bid_cents=bid,
        ask_cents=ask,
        bid_size=rule.least_size + mixed % span if bid else 0,
        ask_size=rule.least_size + (mixed >> 16) % span,
    )


@cache
def points(cents: int) -> Decimal:
    """Return hundredths as points, exactly; equal numbers share one object.

    >>> points(165)
    Decimal('1.65')
    """
    return Decimal(cents).scaleb(-2)


def traded_quote(instrument: Instrument, at: datetime, sides: TwoSided, fair: Fair, close: float | None) -> VenueQuote:
    """Return the quote of a tradable contract; the option model's numbers only where there is a volatility."""
    is_option = instrument.kind is Kind.OPTION
    return VenueQuote(
        instrument=instrument,
        at=at,
        bid=points(sides.bid_cents) if sides.bid_cents else None,
        ask=points(sides.ask_cents),
        bid_size=sides.bid_size,
        ask_size=sides.ask_size,
        close=close,
        model_iv=fair.vol if is_option else None,
        model_delta=fair.delta if is_option else None,
        model_price=fair.price if is_option else None,
        underlying_price=fair.underlying,
    )


def _tick_cents(rule: QuoteRule, price: float) -> int:
    """Return the increment at a price in hundredths of a point."""
    rows = rule.cents
    position = len(rows) - 1
    while price < rows[position][0]:
        position -= 1
    return rows[position][1]


def _mixed(seed: int, block: int) -> int:
    """Return 32 well-spread bits of two integers, by Knuth's multiplicative hashing."""
    product = (seed + 1_000_003 * block) * 2_654_435_761
    return (product ^ (product >> 15)) & 0xFFFFFFFF
