"""Breadth divergence: whether the large-cap index rises while fewer and fewer shares do."""

from datetime import date
from itertools import accumulate
from typing import Final

import numpy as np

from bot.domain.evidence import Abstention, Confirmation, ConfirmationName, EvidenceInputs
from bot.signals.evidence.indicators import FloatArray
from bot.signals.evidence.sessions import Need, Window, clipped, closes_of, window_of
from bot.signals.evidence.settings import BreadthSettings, EvidenceSettings

INDEX: Final = "SPX"
LINE: Final = "advance-decline line"
FLAT: Final = 1e-9
"""Deviation, as a fraction of the values, that is rounding alone."""


def read_breadth(inputs: EvidenceInputs, settings: EvidenceSettings, today: date) -> Confirmation | Abstention:
    """Return ``clip((z(SPX) - z(A/D line)) / 2)``, and +1 where SPX stands at a 20-session high that the line lacks.

    The line is the running sum of advances less declines. z is the 20-session change (a fraction for SPX, issues for
    the line) less its 90-session mean, in sample deviations (n - 1) of the same 90; all windows include the newest
    session, of which advances and declines must be known. +1: the index rises without its breadth.

    Source: docs/methodology.md, M3.
    """
    rules = settings.breadth
    need = Need(
        name=ConfirmationName.BREADTH_DIVERGENCE,
        sessions=max(rules.change_sessions + rules.deviation_sessions, rules.high_sessions),
        max_age_days=settings.price_max_age_days,
        max_missing=settings.max_missing_sessions,
    )
    index = closes_of(INDEX, inputs, today, need)
    if isinstance(index, Abstention):
        return index
    counts = () if inputs.breadth is None else inputs.breadth.rows
    net = [(day, float(advances - declines)) for day, advances, declines in counts if day <= today]
    if not net:
        return need.abstain(
            f"no advances and declines up to {today}; import them or wait until the bot's own store has grown"
        )
    window = window_of({INDEX: index, LINE: net}, today, need)
    return window if isinstance(window, Abstention) else _judged(window, need, rules)


def _judged(window: Window, need: Need, rules: BreadthSettings) -> Confirmation | Abstention:
    closes = window.columns[INDEX]
    line = np.array(list(accumulate(window.columns[LINE].tolist())))
    back = rules.change_sessions
    z_index = _deviations(closes[back:] / closes[:-back] - 1.0, rules.deviation_sessions)
    z_line = _deviations(line[back:] - line[:-back], rules.deviation_sessions)
    if z_index is None or z_line is None:
        flat = INDEX if z_index is None else f"the {LINE}"
        return need.abstain(f"the {back}-session change of {flat} never changed: it has no deviation")
    words = f"{back}-session change of {INDEX} {z_index:+.2f} deviations from its mean, of the {LINE} {z_line:+.2f}"
    evidence = clipped((z_index - z_line) / rules.full_scale_deviations)
    if _is_at_high(closes, rules.high_sessions) and not _is_at_high(line, rules.high_sessions):
        evidence = 1.0
        words = f"{INDEX} stands at a {rules.high_sessions}-session high that the {LINE} lacks; {words}"
    return Confirmation(name=need.name, evidence=evidence, as_of=window.as_of, words=words)


def _deviations(changes: FloatArray, sessions: int) -> float | None:
    """How many of its own deviations the newest change stands from the mean; None where all are alike."""
    recent = changes[-sessions:]
    deviation = float(np.std(recent, ddof=1))
    if not deviation > FLAT * float(np.max(np.abs(recent)) or 1.0):
        return None
    return (float(recent[-1]) - float(np.mean(recent))) / deviation


def _is_at_high(values: FloatArray, sessions: int) -> bool:
    return bool(values[-1] >= np.max(values[-sessions:]))
