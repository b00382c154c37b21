"""Price to cash flow: whether REITs and small-cap value names have become cheaper against the cash they earn."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

from bot.domain.evidence import (
    Abstention,
    CashFlowMeasure,
    CashFlowPerShare,
    Confirmation,
    ConfirmationName,
    DailyValue,
    EvidenceInputs,
)
from bot.signals.evidence.sessions import Need, clipped, closes_of
from bot.signals.evidence.settings import CashFlowSettings, EvidenceSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class NameRatios:
    """One name's price to cash flow on two days, by the same measure of cash; ``as_of`` is the newer price's day."""

    symbol: str
    then: float
    now: float
    as_of: date


def read_cash_flow(inputs: EvidenceInputs, settings: EvidenceSettings, today: date) -> Confirmation | Abstention:
    """Return the change of the median price to cash flow over 60 calendar days; -10 % makes +1.

    Both medians are over the same names: those that have a price and positive cash per share on both days, the cash as
    it was known on each of them. Funds from operations are taken where a name states them for both days.

    Source: docs/methodology.md, M3.
    """
    rules = settings.cash_flow
    need = _need(rules)
    if not rules.names:
        return need.abstain("no names are configured; state REITs and small-cap value names in cash_flow.names")
    found = [_ratios_of(symbol, inputs, rules, today) for symbol in sorted(rules.names)]
    ratios = [one for one in found if isinstance(one, NameRatios)]
    left_out = "; ".join(one for one in found if isinstance(one, str))
    if len(ratios) < rules.least_names:
        return need.abstain(
            f"{len(ratios)} of {len(found)} names have a price to cash flow, expected {rules.least_names}: {left_out}"
        )
    then, now = median(one.then for one in ratios), median(one.now for one in ratios)
    change = now / then - 1.0
    words = (
        f"median price to cash flow of {len(ratios)} names {now:.2f}, {change:+.1%} against {then:.2f} "
        f"{rules.change_days} days before"
    )
    return Confirmation(
        name=need.name,
        evidence=clipped(-change / rules.full_scale_frac),
        as_of=min(one.as_of for one in ratios),
        words=f"{words}; left out: {left_out}" if left_out else words,
    )


def _ratios_of(symbol: str, inputs: EvidenceInputs, rules: CashFlowSettings, today: date) -> NameRatios | str:
    """The two ratios of a name, or in words why it has none."""
    days = (today - timedelta(days=rules.change_days), today)
    prices = []
    for day in days:
        price = _price_on(symbol, inputs, rules, day)
        if isinstance(price, str):
            return price
        prices.append(price)
    flows = [flow for flow in inputs.fundamentals.cash_flows if flow.symbol == symbol]
    for measure in (CashFlowMeasure.FUNDS_FROM_OPERATIONS, CashFlowMeasure.OPERATING_CASH_FLOW):
        then, now = (_known_on(flows, measure, day, rules) for day in days)
        if then is None or now is None:
            continue
        if not (then.usd > 0.0 and now.usd > 0.0):
            return f"{symbol} lost cash: {then.usd:.2f} then, {now.usd:.2f} USD a share now"
        return NameRatios(symbol=symbol, then=prices[0][1] / then.usd, now=prices[1][1] / now.usd, as_of=prices[1][0])
    why = inputs.fundamentals.why_missing(symbol)
    return why or f"{symbol} has no cash flow of the last {rules.figure_max_age_days} days on {days[0]} and {days[1]}"


def _need(rules: CashFlowSettings) -> Need:
    return Need(
        name=ConfirmationName.PRICE_TO_CASH_FLOW, sessions=1, max_age_days=rules.price_max_age_days, max_missing=0
    )


def _price_on(symbol: str, inputs: EvidenceInputs, rules: CashFlowSettings, day: date) -> DailyValue | str:
    need = _need(rules)
    rows = closes_of(symbol, inputs, day, need)
    if isinstance(rows, Abstention):
        return rows.why
    on, price = rows[-1]
    if (day - on).days > need.max_age_days:
        return (
            f"the last close of {symbol} before {day} is of {on}, expected one of the {need.max_age_days} days before"
        )
    return on, price


def _known_on(
    flows: Iterable[CashFlowPerShare], measure: CashFlowMeasure, day: date, rules: CashFlowSettings
) -> CashFlowPerShare | None:
    """The newest period of which a figure was known on a day, as it was known then; None where it is too old."""
    oldest = day - timedelta(days=rules.figure_max_age_days)
    known = [flow for flow in flows if flow.measure is measure and flow.known_on <= day and flow.period_end >= oldest]
    return max(known, key=lambda flow: (flow.period_end, flow.known_on), default=None)
