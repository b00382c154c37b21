"""Cost of capital: whether a typical small company's money has become dearer within a month."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from bot.domain.evidence import Abstention, Confirmation, ConfirmationName, DailyValue, EvidenceInputs
from bot.signals.evidence.indicators import FloatArray
from bot.signals.evidence.sessions import Need, clipped, window_of
from bot.signals.evidence.settings import CapitalSettings, EvidenceSettings

BP_PER_PERCENT: Final = 100.0
RISK_FREE: Final = "risk-free rate"
SPREAD: Final = "credit spread"
PREMIUM: Final = "equity risk premium"


def read_capital(inputs: EvidenceInputs, settings: EvidenceSettings, today: date) -> Confirmation | Abstention:
    """Return the change of the weighted cost of capital over 20 sessions; +50 basis points make +1.

    Sessions are those of the stock market on which every rate was published.

    Source: docs/methodology.md, M3.
    """
    rules = settings.capital
    need = Need(
        name=ConfirmationName.COST_OF_CAPITAL,
        sessions=rules.change_sessions + 1,
        max_age_days=rules.max_age_days,
        max_missing=settings.max_missing_sessions,
    )
    if inputs.capital is None:
        return need.abstain("no interest rates are delivered; download them from FRED or state them in a file")
    given = {RISK_FREE: inputs.capital.risk_free, SPREAD: inputs.capital.credit_spread}
    if inputs.capital.equity_risk_premium is not None:
        given[PREMIUM] = inputs.capital.equity_risk_premium
    series: dict[str, list[DailyValue]] = {}
    for part, rates in given.items():
        series[part] = [row for row in rates.rows if row[0] <= today]
        if not series[part]:
            return need.abstain(f"no {part} ({rates.name}) up to {today}; download the series again")
    window = window_of(series, today, need)
    if isinstance(window, Abstention):
        return window
    then, now = (_cost_at(window.columns, at, rules) for at in (0, -1))
    change_bp = (now - then) * BP_PER_PERCENT
    return Confirmation(
        name=need.name,
        evidence=clipped(change_bp / rules.full_scale_bp),
        as_of=window.as_of,
        words=f"weighted cost of capital {now:.2f} %, {change_bp:+.0f} basis points since {window.days[0]}",
    )


def _cost_at(columns: Mapping[str, FloatArray], at: int, rules: CapitalSettings) -> float:
    premiums = columns.get(PREMIUM)
    return cost_of_capital_pct(
        risk_free_pct=float(columns[RISK_FREE][at]),
        credit_spread_pct=float(columns[SPREAD][at]),
        equity_risk_premium_pct=rules.equity_risk_premium_pct if premiums is None else float(premiums[at]),
        rules=rules,
    )


def cost_of_capital_pct(
    *, risk_free_pct: float, credit_spread_pct: float, equity_risk_premium_pct: float, rules: CapitalSettings
) -> float:
    """Return ``E/V (Rf + beta ERP) + D/V (Rf + spread) (1 - tax)``, all rates in percent.

    >>> round(
    ...     cost_of_capital_pct(
    ...         risk_free_pct=4.0, credit_spread_pct=3.0, equity_risk_premium_pct=5.0, rules=CapitalSettings()
    ...     ),
    ...     4,
    ... )
    8.4355

    Source: docs/methodology.md, M3.
    """
    equity = risk_free_pct + rules.beta * equity_risk_premium_pct
    debt = (risk_free_pct + credit_spread_pct) * (1.0 - rules.tax_frac)
    return rules.equity_weight * equity + (1.0 - rules.equity_weight) * debt
