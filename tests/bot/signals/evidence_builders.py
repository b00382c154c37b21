"""Builders for what the confirmations read, on real sessions; they show only the numbers that matter."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from bot.domain.evidence import (
    Abstention,
    BreadthSeries,
    CapitalRates,
    CashFlowMeasure,
    CashFlowPerShare,
    Confirmation,
    DailySeries,
    EvidenceInputs,
    Fundamentals,
    QuickRatio,
    QuickRatioForm,
    RateSeries,
    Reading,
)
from bot.domain.schedule import SessionCalendar
from bot.signals.evidence.settings import CashFlowSettings, EvidenceSettings

SESSIONS = tuple(session.day for session in SessionCalendar().sessions(date(2014, 1, 2), date(2016, 12, 30)))
TODAY = SESSIONS[-1]
NAMES = ("O", "SLG", "WPC")
SETTINGS = EvidenceSettings(cash_flow=CashFlowSettings(names=NAMES))
MARKET = ("SPX", "RUT", "SPY", "IWM")


def a_walk(seed: int, count: int = 500, start: float = 100.0) -> list[float]:
    """Return closes of a random walk of one percent a session, the same for the same seed."""
    steps = np.random.default_rng(seed).normal(0.0, 0.01, count)
    return [float(close) for close in start * np.exp(np.cumsum(steps))]


def a_series(symbol: str, closes: Sequence[float], *, without: Sequence[date] = ()) -> DailySeries:
    """Return closes on the last sessions up to today, without some of these days."""
    days = SESSIONS[len(SESSIONS) - len(closes) :]
    rows = tuple((day, close) for day, close in zip(days, closes, strict=True) if day not in without)
    return DailySeries(symbol=symbol, rows=rows)


def a_market(seed: int = 1, count: int = 500) -> dict[str, DailySeries]:
    """Return walks of the two indices and the two funds."""
    return {symbol: a_series(symbol, a_walk(seed + 1000 * at, count)) for at, symbol in enumerate(MARKET)}


def a_breadth(net: Sequence[int], *, without: Sequence[date] = ()) -> BreadthSeries:
    """Return advances and declines of 3,000 issues with these differences, on the last sessions up to today."""
    days = SESSIONS[len(SESSIONS) - len(net) :]
    rows = ((day, 1500 + one, 1500 - one) for day, one in zip(days, net, strict=True) if day not in without)
    return BreadthSeries(symbol="AD-NYSE", rows=tuple(rows))


def some_net(seed: int = 1, count: int = 200) -> list[int]:
    """Return differences of advances and declines, the same for the same seed."""
    return [int(one) for one in np.random.default_rng(seed).integers(-1000, 1000, count)]


def rates(name: str, percents: Sequence[float]) -> RateSeries:
    """Return a rate on the last sessions up to today."""
    return RateSeries(name=name, rows=a_rate_rows(percents))


def a_rate_rows(percents: Sequence[float]) -> tuple[tuple[date, float], ...]:
    """Return days and percents, the last of them today."""
    return tuple(zip(SESSIONS[len(SESSIONS) - len(percents) :], percents, strict=True))


def some_rates(risk_free: tuple[float, float] = (4.0, 4.0), spread: tuple[float, float] = (3.0, 3.0)) -> CapitalRates:
    """Return rates of 21 sessions, each (at first, today)."""
    return CapitalRates(
        risk_free=rates("DGS10", [risk_free[0]] * 20 + [risk_free[1]]),
        credit_spread=rates("BAMLH0A0HYM2", [spread[0]] * 20 + [spread[1]]),
    )


def a_flow(symbol: str, usd: float, end: date, *, known_after: int = 40) -> CashFlowPerShare:
    """Return operating cash of the twelve months to a day, published forty days later."""
    return CashFlowPerShare(
        symbol=symbol,
        measure=CashFlowMeasure.OPERATING_CASH_FLOW,
        period_end=end,
        known_on=end + timedelta(days=known_after),
        usd=usd,
    )


def a_ratio(symbol: str, ratio: float, end: date, *, known_after: int = 40) -> QuickRatio:
    """Return a quick ratio less inventory, published forty days later."""
    return QuickRatio(
        symbol=symbol,
        form=QuickRatioForm.LESS_INVENTORY,
        period_end=end,
        known_on=end + timedelta(days=known_after),
        ratio=ratio,
    )


def some_fundamentals() -> Fundamentals:
    """Return figures of three names: two quarters of cash, and balance sheets a year apart."""
    ends = (date(2016, 6, 30), date(2016, 9, 30))
    return Fundamentals(
        cash_flows=tuple(a_flow(name, 5.0, end) for name in NAMES for end in ends),
        quick_ratios=tuple(a_ratio(name, 1.2, end) for name in NAMES for end in (date(2015, 9, 30), ends[1])),
    )


def a_delivery(seed: int = 1) -> EvidenceInputs:
    """Return inputs from which every confirmation can be read."""
    names = {name: a_series(name, a_walk(seed + 7 * at, 120, start=50.0)) for at, name in enumerate(NAMES)}
    return EvidenceInputs(
        histories=a_market(seed) | names,
        breadth=a_breadth(some_net(seed)),
        capital=some_rates(),
        fundamentals=some_fundamentals(),
        satellite_names=frozenset(NAMES),
    )


def with_history(inputs: EvidenceInputs, *series: DailySeries) -> EvidenceInputs:
    """Return inputs with other closes of some symbols."""
    return replace(inputs, histories={**inputs.histories, **{one.symbol: one for one in series}})


def without_history(inputs: EvidenceInputs, symbol: str) -> EvidenceInputs:
    """Return inputs without the closes of a symbol."""
    return replace(inputs, histories={name: one for name, one in inputs.histories.items() if name != symbol})


def evidence_of(reading: Reading) -> float:
    """Return the evidence of a reading that must be there."""
    assert isinstance(reading, Confirmation), reading
    return reading.evidence


def why_of(reading: Reading) -> str:
    """Return the reason of an abstention that must be one."""
    assert isinstance(reading, Abstention), reading
    return reading.why
