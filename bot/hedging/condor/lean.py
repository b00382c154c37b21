"""Where the book leans: its delta, the sleeve's part in it, and how far it stands outside of its band (M8, M10)."""

from dataclasses import dataclass

from bot.deltas import band_half_width_usd, book_delta
from bot.domain.checks import require_finite, require_positive
from bot.valuation import SPX_OPTION_CLASSES, Unvalued, Valuer


@dataclass(frozen=True, slots=True, kw_only=True)
class Lean:
    """Where the book leans, USD per +1 % SPX: all of it, the sleeve's part, and half the width of the band (M10)."""

    book: float
    sleeve: float
    half_width: float

    def __post_init__(self) -> None:
        """Reject figures that could not be compared."""
        require_finite(book=self.book, sleeve=self.sleeve)
        require_positive(half_width=self.half_width)

    @property
    def missing(self) -> float:
        """What would bring the book back to the edge of its band; zero or below where it stands inside."""
        return -self.half_width - self.book

    @property
    def is_the_sleeves_doing(self) -> bool:
        """Without the sleeve the book would not be beyond the band on the short side."""
        return self.sleeve < 0.0 and self.book - self.sleeve >= -self.half_width


def lean_of(valuer: Valuer, band_frac: float) -> Lean | Unvalued:
    """Return where the book of a snapshot leans, or why that cannot be said.

    Args:
        valuer: Values the book.
        band_frac: The gate's: half the band over the condors' maximum loss.

    Source: docs/methodology.md, M8 and M10.
    """
    book = valuer.snapshot.book
    half_width = band_half_width_usd(book.cohorts, band_frac)
    if not half_width > 0.0:
        return Unvalued(reason="no condors, so the book has no band")
    sleeve = {
        key: position
        for key, position in book.positions.items()
        if position.instrument.trading_class not in SPX_OPTION_CLASSES
    }
    whole, hedge = book_delta(book.positions, valuer), book_delta(sleeve, valuer)
    if isinstance(whole, Unvalued):
        return whole
    if isinstance(hedge, Unvalued):
        return hedge
    return Lean(book=whole, sleeve=hedge, half_width=half_width)
