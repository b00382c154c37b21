"""Momentum divergence: whether the trend of large caps gains on that of small caps."""

from datetime import date
from typing import Final

import numpy as np

from bot.domain.evidence import Abstention, Confirmation, ConfirmationName, EvidenceInputs
from bot.signals.evidence.indicators import Seeding, Spans, ppo
from bot.signals.evidence.sessions import Need, clipped, closes_on_common_sessions
from bot.signals.evidence.settings import EvidenceSettings

LARGE: Final = "SPY"
SMALL: Final = "IWM"
FLAT_PCT: Final = 1e-9
"""Deviation of a PPO, in percent, that is rounding alone: a real one is a hundred million times as large."""


def read_momentum(inputs: EvidenceInputs, settings: EvidenceSettings, today: date) -> Confirmation | Abstention:
    """Return the difference of the PPO(12, 26, 9) histograms of SPY and IWM, in halves of its own deviation.

    The deviation is that of a sample (n - 1) over the last 90 sessions, the newest included; the difference itself is
    not demeaned. Averages are seeded with the first close of the window, 100 sessions before the first that counts.
    +1: momentum of large caps gains on that of small caps by two deviations.

    Source: docs/methodology.md, M3.
    """
    rules = settings.momentum
    need = Need(
        name=ConfirmationName.MOMENTUM_DIVERGENCE,
        sessions=settings.warm_up_sessions + rules.deviation_sessions,
        max_age_days=settings.price_max_age_days,
        max_missing=settings.max_missing_sessions,
    )
    window = closes_on_common_sessions((LARGE, SMALL), inputs, today, need)
    if isinstance(window, Abstention):
        return window
    spans = Spans(fast=rules.fast_span, slow=rules.slow_span, signal=rules.signal_span)
    histograms = {name: ppo(closes, spans, Seeding.FIRST_VALUE).histogram for name, closes in window.columns.items()}
    difference = (histograms[LARGE] - histograms[SMALL])[-rules.deviation_sessions :]
    deviation = float(np.std(difference, ddof=1))
    if not deviation > FLAT_PCT:
        return need.abstain(f"the momenta of {LARGE} and {SMALL} never differed in {len(difference)} sessions")
    deviations = float(difference[-1]) / deviation
    return Confirmation(
        name=need.name,
        evidence=clipped(deviations / rules.full_scale_deviations),
        as_of=window.as_of,
        words=f"PPO histogram of {LARGE} {histograms[LARGE][-1]:+.3f} %, of {SMALL} {histograms[SMALL][-1]:+.3f} %: "
        f"their difference is {deviations:+.2f} deviations of {rules.deviation_sessions} sessions",
    )
