"""Funds and notes on VIX futures that an account may hold as shares, and how they have answered VIX and SPX (M4)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from bot.domain.checks import require_finite, require_frac, require_positive, require_text
from bot.domain.instrument import Instrument, InstrumentKey, Kind
from bot.domain.portfolio import Book, Position

PRODUCT_SYMBOLS: Final = frozenset({"VXX", "UVXY", "SVXY"})
"""Long, long and leveraged, and short the front of the VIX futures curve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductBeta:
    """What a product's price has done a session, as fractions of it: slopes over its last sessions.

    Attributes:
        symbol: The product.
        per_vix_point: Per +1.00 point of VIX; 0.04 is +4 %. Negative for a product that is short.
        per_spx_percent: Per +1 % of SPX.
        moves: Sessions behind both slopes.
        fit: Share of the product's variance that VIX explains, 0 to 1.
    """

    symbol: str
    per_vix_point: float
    per_spx_percent: float
    moves: int
    fit: float

    def __post_init__(self) -> None:
        """Reject slopes that are none."""
        require_text(symbol=self.symbol)
        require_finite(per_vix_point=self.per_vix_point, per_spx_percent=self.per_spx_percent)
        require_positive(moves=self.moves)
        require_frac(fit=self.fit)

    @property
    def words(self) -> str:
        """The measurement in one sentence."""
        return (
            f"{self.symbol} moved by {self.per_vix_point:+.2%} per point of VIX and by {self.per_spx_percent:+.2%} per "
            f"+1 % SPX over {self.moves} sessions, of which VIX explains {self.fit:.0%}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmeasuredProduct:
    """How a product answers is unknown, and why: it has no value in any figure, and nothing is sized around it."""

    symbol: str
    why: str

    def __post_init__(self) -> None:
        """Reject an unknown without its reason."""
        require_text(symbol=self.symbol, why=self.why)

    @property
    def words(self) -> str:
        """The reason in one sentence."""
        return f"{self.symbol}: {self.why}"


ProductReading = ProductBeta | UnmeasuredProduct
Products = Mapping[str, ProductReading]
"""By symbol, as measured in this session."""


def reading_of(products: Products, symbol: str) -> ProductReading:
    """Return what is known of a product; one that nobody has measured is unknown."""
    return products.get(symbol) or UnmeasuredProduct(symbol=symbol, why="its answer to VIX has not been measured")


def is_volatility_product(instrument: Instrument) -> bool:
    """Return whether an instrument is a share of VXX, UVXY or SVXY."""
    return instrument.kind is Kind.STOCK and instrument.symbol in PRODUCT_SYMBOLS


def found_products(book: Book) -> tuple[Position, ...]:
    """Return the shares of volatility products in the account beside those that our own lots hold.

    Where both are held the broker's average cost is of all of them together, so that of the found ones is unknown.
    """
    found = []
    for key, position in book.positions.items():
        if not is_volatility_product(position.instrument):
            continue
        own = shares_in_lots(book, key)
        if own == 0:
            found.append(position)
        elif position.quantity != own:
            found.append(replace(position, quantity=position.quantity - own, average_cost_usd=None))
    return tuple(found)


def shares_in_lots(book: Book, key: InstrumentKey) -> int:
    """Return how many shares of a product our own lots hold."""
    return sum(lot.units_open * leg.signed_ratio for lot in book.lots for leg in lot.legs if leg.instrument.key == key)
