"""Relative strength: whether large caps have lately been stronger than small caps, beyond what is usual."""

from datetime import date
from typing import Final

import numpy as np

from bot.domain.evidence import Abstention, Confirmation, ConfirmationName, EvidenceInputs
from bot.signals.evidence.indicators import wilder_rsi
from bot.signals.evidence.sessions import Need, clipped, closes_on_common_sessions
from bot.signals.evidence.settings import EvidenceSettings

LARGE: Final = "SPX"
SMALL: Final = "RUT"


def read_strength(inputs: EvidenceInputs, settings: EvidenceSettings, today: date) -> Confirmation | Abstention:
    """Return ``clip((RSI14(SPX) - RSI14(RUT) - its 252-session mean) / 15)``.

    RSI is Wilder's, on closes of common sessions with the live levels as today's; the mean includes the newest
    session. +1: large caps are far stronger than small caps by the measure of the last year.

    Source: docs/methodology.md, M3.
    """
    rules = settings.strength
    need = Need(
        name=ConfirmationName.RELATIVE_STRENGTH,
        sessions=rules.period + settings.warm_up_sessions + rules.mean_sessions,
        max_age_days=settings.price_max_age_days,
        max_missing=settings.max_missing_sessions,
    )
    window = closes_on_common_sessions((LARGE, SMALL), inputs, today, need)
    if isinstance(window, Abstention):
        return window
    index = {name: wilder_rsi(closes, rules.period)[-rules.mean_sessions :] for name, closes in window.columns.items()}
    difference = index[LARGE] - index[SMALL]
    if not np.isfinite(difference).all():
        return need.abstain(f"{LARGE} or {SMALL} did not move at all in the window: their RSI is not defined")
    mean = float(np.mean(difference))
    excess = float(difference[-1]) - mean
    return Confirmation(
        name=need.name,
        evidence=clipped(excess / rules.full_scale_points),
        as_of=window.as_of,
        words=f"RSI of {LARGE} {index[LARGE][-1]:.1f}, of {SMALL} {index[SMALL][-1]:.1f}: their difference stands "
        f"{excess:+.1f} points from its {rules.mean_sessions}-session mean of {mean:+.1f}",
    )
