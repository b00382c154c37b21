"""Where the slow confirmations read from: files that the operator keeps up to date."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.domain.checks import require_text


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSettings:
    """Files by path as the operator writes them; an empty one is not read, and its confirmation abstains (M3, M12)."""

    breadth: str = ""
    """CSV of DATE,ADVANCES,DECLINES of the New York exchange; its days come before those of the bot's own store."""
    daily_store: str = ""
    """Folder of the bot's own daily store; where it is empty, ``daily`` in the state folder."""
    rates: str = ""
    """CSV of the operator's own rates; where it is given, the two FRED files are not read."""
    risk_free: str = ""
    """FRED CSV of ``risk_free_series``."""
    risk_free_series: str = "DGS10"
    """The ten-year Treasury yield."""
    credit_spread: str = ""
    """FRED CSV of ``credit_spread_series``."""
    credit_spread_series: str = "BAMLH0A0HYM2"
    """The spread of US high yield bonds, as small companies pay it."""
    prices: str = ""
    """CSV of the closes of the names whose cash flow is watched."""
    cash_flows: str = ""
    """CSV of the operator's own cash flows per share."""
    quick_ratios: str = ""
    """CSV of the operator's own quick ratios."""
    companyfacts: Mapping[str, str] = field(default_factory=dict)
    """Companyfacts files of the SEC by symbol; what the operator states of a symbol comes before them."""

    def __post_init__(self) -> None:
        """Reject series without a name and companies without a file."""
        require_text(risk_free_series=self.risk_free_series, credit_spread_series=self.credit_spread_series)
        require_text(**{f"companyfacts.{symbol}": path for symbol, path in self.companyfacts.items()})
