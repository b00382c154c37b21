"""From a fair value to what an exchange shows: two sides on the tick grid, with sizes."""

from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from math import ceil, floor
from typing import Final

from bot.domain.checks import require_not_negative, require_positive
from bot.domain.errors import InvalidValueError
from bot.domain.instrument import Instrument, Kind

_ROUND_SLACK: Final = 1e-7  # of a tick: a price that sits on the grid up to rounding counts as on it
_POINTS_KEPT: Final = 1 << 16  # prices whose Decimals are kept; the quotes of a day hardly have more
_SIZE_BLOCK_STEPS: Final = 40  # sizes change every ten minutes at 15 s, so that quotes change for their prices;
# each contract's at a step of its own, for a market in which all of them change at once is a flood and no market


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
    per_point: int = 100  # the grid's finest unit: hundredths, finer for a currency
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
        object.__setattr__(self, "cents", tuple((float(edge), int(tick * self.per_point)) for edge, tick in self.ticks))

    def tick_at(self, price: Decimal) -> Decimal:
        """Return the increment that holds at a price; a negative price has that of its size."""
        size = abs(price)
        return next(increment for edge, increment in reversed(self.ticks) if size >= edge)


def _rows(*rows: tuple[str, str]) -> tuple[tuple[Decimal, Decimal], ...]:
    return tuple((Decimal(edge), Decimal(increment)) for edge, increment in rows)


def _rule(
    tick: str, half: float, sizes: tuple[int, int], *, from_three: str = "", frac: float = 0.0, combo: str = ""
) -> QuoteRule:
    rows = (("0", tick), ("3", from_three)) if from_three else (("0", tick),)
    return QuoteRule(
        ticks=_rows(*rows),
        combo_tick=Decimal(combo or "0.01"),
        least_half_spread=half,
        half_spread_frac=frac,
        least_size=sizes[0],
        most_size=sizes[1],
    )


VIX_OPTIONS: Final = _rule("0.01", 0.01, (40, 400), from_three="0.05", frac=0.012)
VIX_WEEKLY_OPTIONS: Final = _rule("0.01", 0.02, (10, 120), frac=0.02)
SPX_OPTIONS: Final = _rule("0.05", 0.03, (15, 150), from_three="0.10", frac=0.006, combo="0.05")
RUT_OPTIONS: Final = _rule("0.05", 0.05, (5, 60), from_three="0.10", frac=0.012, combo="0.05")
SHARE_OPTIONS: Final = _rule("0.01", 0.01, (20, 300), frac=0.008)
SINGLE_SHARE_OPTIONS: Final = _rule("0.01", 0.01, (10, 150), from_three="0.05", frac=0.012)
VX_FUTURES: Final = _rule("0.05", 0.02, (30, 300))
VX_WEEKLY_FUTURES: Final = _rule("0.05", 0.06, (2, 20))
VXM_FUTURES: Final = _rule("0.01", 0.02, (10, 80))
STOCK_INDEX_FUTURES: Final = _rule("0.25", 0.1, (20, 200), combo="0.05")
SHARES: Final = _rule("0.01", 0.004, (200, 4_000))
CURRENCIES: Final = QuoteRule(
    ticks=_rows(("0", "0.00005")),
    combo_tick=Decimal("0.00005"),
    least_half_spread=0.00002,
    half_spread_frac=0.0,
    least_size=500_000,
    most_size=5_000_000,
    per_point=20_000,
)
YEN_PAIRS: Final = QuoteRule(
    ticks=_rows(("0", "0.005")),
    combo_tick=Decimal("0.005"),
    least_half_spread=0.002,
    half_spread_frac=0.0,
    least_size=500_000,
    most_size=5_000_000,
    per_point=200,
)

QUOTE_RULES: Final = {
    "VIX": VIX_OPTIONS,
    "VIXW": VIX_WEEKLY_OPTIONS,
    "SPX": SPX_OPTIONS,
    "SPXW": SPX_OPTIONS,
    "RUT": RUT_OPTIONS,
    "RUTW": RUT_OPTIONS,
    "VX": VX_FUTURES,
    "VXM": VXM_FUTURES,
    "ES": STOCK_INDEX_FUTURES,
    "MES": STOCK_INDEX_FUTURES,
}
"""Index options and futures by trading class; the ticks are those of docs/contracts.md, section 4."""
_SHARE_OPTION_RULES: Final = {"SPY": SHARE_OPTIONS, "QQQ": SHARE_OPTIONS, "AAPL": SINGLE_SHARE_OPTIONS}


def rule_of(instrument: Instrument) -> QuoteRule:
    """Return the rule of a tradable contract.

    Raises:
        InvalidValueError: An index, or a class that this exchange does not list.
    """
    if instrument.kind is Kind.STOCK:
        return SHARES
    if instrument.kind is Kind.CASH:
        return YEN_PAIRS if instrument.currency == "JPY" else CURRENCIES
    rule = None if instrument.kind is Kind.INDEX else QUOTE_RULES.get(instrument.trading_class)
    if rule is None and instrument.kind is Kind.OPTION:
        rule = _SHARE_OPTION_RULES.get(instrument.trading_class)
    if rule is None and instrument.kind is Kind.FUTURE and instrument.symbol == "VIX":
        rule = VX_WEEKLY_FUTURES
    if rule is None:
        raise InvalidValueError(f"{instrument.key}: not traded here, classes are {', '.join(QUOTE_RULES)}")
    return rule


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoSided:
    """Both sides of a quote in hundredths of a point, ``bid_cents`` zero where nobody bids; sizes in contracts.

    ``per_point`` is the rule's: finer than a hundred where the grid is.
    """

    bid_cents: int
    ask_cents: int
    bid_size: int
    ask_size: int
    per_point: int = 100

    @property
    def mid(self) -> Decimal:
        """The middle in points, exact to half a hundredth."""
        return Decimal(self.bid_cents + self.ask_cents) / (2 * self.per_point)

    @property
    def bid(self) -> Decimal | None:
        """The bid in points, None where nobody bids."""
        return points(self.bid_cents, self.per_point) if self.bid_cents else None

    @property
    def ask(self) -> Decimal:
        """The ask in points."""
        return points(self.ask_cents, self.per_point)


def two_sided(rule: QuoteRule, price: float, *, seed: int, step: int, widened: float = 1.0) -> TwoSided:
    """Return both sides around a fair value, moved outward to the tick grid; the ask stays above the bid.

    Args:
        rule: The class's grid, spread and sizes.
        price: Fair value in points, zero or more.
        seed: Sizes differ by it; any integer, for example the contract's number.
        step: Sizes change with it, once in `_SIZE_BLOCK_STEPS` steps, at another one for another seed.
        widened: The spread over that of regular hours.

    >>> quote = two_sided(VIX_OPTIONS, 1.673, seed=1, step=0)
    >>> quote.bid_cents, quote.ask_cents
    (165, 170)
    """
    half = max(rule.least_half_spread, rule.half_spread_frac * price) * widened
    low, high, unit = max(0.0, price - half), price + half, rule.per_point
    bid_tick, ask_tick = _tick_cents(rule, low), _tick_cents(rule, high)
    bid = floor(low * unit / bid_tick + _ROUND_SLACK) * bid_tick
    ask = max(ceil(high * unit / ask_tick - _ROUND_SLACK) * ask_tick, bid + ask_tick)
    span = rule.most_size - rule.least_size + 1
    mixed = _mixed(seed, (step + seed) // _SIZE_BLOCK_STEPS)
    return TwoSided(
        bid_cents=bid,
        ask_cents=ask,
        bid_size=rule.least_size + mixed % span if bid else 0,
        ask_size=rule.least_size + (mixed >> 16) % span,
        per_point=unit,
    )


@lru_cache(maxsize=_POINTS_KEPT)
def points(cents: int, per_point: int = 100) -> Decimal:
    """Return hundredths (or a finer grid's units) as points, exactly; equal numbers share one object.

    >>> points(165)
    Decimal('1.65')
    """
    return Decimal(cents).scaleb(-2) if per_point == 100 else Decimal(cents) / per_point


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
