"""The numbers of the parity monitor, each with its unit and its reason."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from bot.domain.checks import require_finite, require_not_negative, require_positive
from bot.domain.fees import FeeSchedule
from bot.domain.ticks import Rows, TickTable

_INDEX_OPTIONS: Final[Rows] = ((Decimal(0), Decimal("0.05")), (Decimal(3), Decimal("0.10")))
_LARGE_CAP_FUTURES: Final[Rows] = ((Decimal(0), Decimal("0.25")),)
_SMALL_CAP_FUTURES: Final[Rows] = ((Decimal(0), Decimal("0.10")),)


def _ticks() -> TickTable:
    """SPX as in docs/contracts.md, section 4; RUT options like SPX, futures from memory and unchecked."""
    options = dict.fromkeys(("SPX", "SPXW", "RUT", "RUTW"), _INDEX_OPTIONS)
    futures = {"ES": _LARGE_CAP_FUTURES, "MES": _LARGE_CAP_FUTURES}
    return TickTable(outright={**options, **futures, "RTY": _SMALL_CAP_FUTURES, "M2K": _SMALL_CAP_FUTURES}, combo={})


@dataclass(frozen=True, slots=True, kw_only=True)
class ParitySettings:
    """Which quotes bound a forward, and by how much bounds must cross to be worth telling.

    Source: docs/methodology.md, M13.
    """

    rate: float = 0.04
    """Continuous interest to settlement, a fraction per year, as in the valuation."""
    rate_doubt: float = 0.005
    """The rate is an assumption: half a percent beside it must not look like a box between distant strikes."""
    margin_ticks: int = 2
    """Beyond fees, of the leg with the coarsest tick: one for each side that may move before all legs are done."""
    max_quote_age_s: float = 60.0
    """Quotes of different moments cross without anybody giving money away; index options change within seconds."""
    fees: FeeSchedule = field(default_factory=FeeSchedule)
    """USD per contract; what it does not list (RUT, futures on stock indices) pays its dearer general figures."""
    ticks: TickTable = field(default_factory=_ticks)
    """Increments in points of all classes that are watched."""

    def __post_init__(self) -> None:
        """Reject settings under which every pair of quotes, or none, would be a finding."""
        require_finite(rate=self.rate)
        require_not_negative(rate_doubt=self.rate_doubt, margin_ticks=self.margin_ticks)
        require_positive(max_quote_age_s=self.max_quote_age_s)
