"""Acid test: whether the small companies whose shares the account holds have become less liquid within a year."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

from bot.domain.evidence import (
    Abstention,
    Confirmation,
    ConfirmationName,
    EvidenceInputs,
    QuickRatio,
    QuickRatioForm,
)
from bot.signals.evidence.sessions import clipped
from bot.signals.evidence.settings import AcidTestSettings, EvidenceSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class YearOnYear:
    """One name's quick ratio and that of a year before, by the same form; ``change`` is a fraction of the earlier."""

    then: float
    now: float
    period_end: date

    @property
    def change(self) -> float:
        """-0.10 is a fall of 10 %."""
        return self.now / self.then - 1.0


def read_acid_test(inputs: EvidenceInputs, settings: EvidenceSettings, today: date) -> Confirmation | Abstention:
    """Return the median change within a year of the quick ratios of the held small-cap names; -10 % makes +1.

    Figures count as they were known today, in whichever form (current assets less inventory first) a name states for
    both balance sheets. It is read only while the account holds satellite equity.

    Source: docs/methodology.md, M12.
    """
    rules = settings.acid_test
    held = sorted(inputs.satellite_names)
    if not held:
        return _abstain("no satellite equity is held")
    found = [_year_on_year(symbol, inputs, rules, today) for symbol in held]
    covered = [one for one in found if isinstance(one, YearOnYear)]
    left_out = "; ".join(one for one in found if isinstance(one, str))
    if not covered or len(covered) < rules.least_covered_frac * len(held):
        return _abstain(
            f"{len(covered)} of {len(held)} held names have quick ratios of two years, expected "
            f"{rules.least_covered_frac:.0%} of them: {left_out}"
        )
    change = median(one.change for one in covered)
    words = f"median quick ratio of {len(covered)} held names changed by {change:+.1%} within a year"
    return Confirmation(
        name=ConfirmationName.ACID_TEST,
        evidence=clipped(-change / rules.full_scale_frac),
        as_of=min(one.period_end for one in covered),
        words=f"{words}; left out: {left_out}" if left_out else words,
    )


def _year_on_year(symbol: str, inputs: EvidenceInputs, rules: AcidTestSettings, today: date) -> YearOnYear | str:
    """The pair of a name, or in words why it has none."""
    known = [one for one in inputs.fundamentals.quick_ratios if one.symbol == symbol and one.known_on <= today]
    for form in (QuickRatioForm.LESS_INVENTORY, QuickRatioForm.CASH_AND_RECEIVABLES):
        by_end = _latest_known(one for one in known if one.form is form)
        newest = max(by_end, default=None)
        if newest is None or (today - newest).days > rules.figure_max_age_days:
            continue
        before = _year_before(newest, by_end, rules)
        if before is None:
            continue
        then, now = by_end[before].ratio, by_end[newest].ratio
        if not then > 0.0:
            return f"{symbol} had nothing liquid at {before}: no change has a meaning"
        return YearOnYear(then=then, now=now, period_end=newest)
    why = inputs.fundamentals.why_missing(symbol)
    return why or (
        f"{symbol} has no balance sheet of the last {rules.figure_max_age_days} days with one of a year before, "
        f"known on {today}"
    )


def _latest_known(ratios: Iterable[QuickRatio]) -> dict[date, QuickRatio]:
    """By the end of the period; of restatements the one that was known last."""
    return {one.period_end: one for one in sorted(ratios, key=lambda one: one.known_on)}


def _year_before(newest: date, ends: Iterable[date], rules: AcidTestSettings) -> date | None:
    wanted = newest - timedelta(days=rules.year_days)
    near = [end for end in ends if abs((end - wanted).days) <= rules.year_tolerance_days]
    return min(near, key=lambda end: (abs((end - wanted).days), end), default=None)


def _abstain(why: str) -> Abstention:
    return Abstention(name=ConfirmationName.ACID_TEST, why=why)
