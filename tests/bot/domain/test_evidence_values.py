"""Values of the confirmations: what could not be is refused when it is made."""

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from bot.domain.errors import InvalidValueError
from bot.domain.evidence import (
    PRICE_BASED,
    Abstention,
    BreadthSeries,
    CashFlowMeasure,
    CashFlowPerShare,
    Confirmation,
    ConfirmationName,
    Conviction,
    DailySeries,
    EvidenceInputs,
    Fundamentals,
    MissingFigure,
    QuickRatio,
    QuickRatioForm,
    RateSeries,
    Stance,
)

MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)
CONFIRMATION = Confirmation(name=ConfirmationName.RELATIVE_STRENGTH, evidence=0.5, as_of=MONDAY, words="stronger")
CONVICTION = Conviction(read_on=MONDAY, value=0.5, stance=Stance.SUPPORTS, readings=(CONFIRMATION,), words="supports")
FLOW = CashFlowPerShare(
    symbol="O", measure=CashFlowMeasure.OPERATING_CASH_FLOW, period_end=MONDAY, known_on=TUESDAY, usd=3.5
)
RATIO = QuickRatio(symbol="O", form=QuickRatioForm.LESS_INVENTORY, period_end=MONDAY, known_on=TUESDAY, ratio=1.25)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: replace(CONFIRMATION, evidence=1.0001), "evidence must lie between -1 and 1, was 1.0001"),
        (lambda: replace(CONFIRMATION, evidence=-1.0001), "evidence must lie between"),
        (lambda: replace(CONFIRMATION, evidence=math.nan), "evidence must be finite"),
        (lambda: replace(CONFIRMATION, words=""), "words must not be empty"),
        (lambda: Abstention(name=ConfirmationName.ACID_TEST, why=""), "why must not be empty"),
        (lambda: replace(CONVICTION, value=None), "no value exactly when it is unknown, was None with supports"),
        (lambda: replace(CONVICTION, stance=Stance.UNKNOWN), "no value exactly when it is unknown, was 0.5"),
        (lambda: replace(CONVICTION, value=-1.5, stance=Stance.CONTRADICTS), "conviction must lie between"),
        (lambda: replace(CONVICTION, readings=(CONFIRMATION, CONFIRMATION)), "readings must not name one thing twice"),
        (lambda: replace(CONVICTION, words=""), "words must not be empty"),
        (lambda: DailySeries(symbol="", rows=()), "symbol must not be empty"),
        (lambda: DailySeries(symbol="SPX", rows=((MONDAY, 0.0),)), "SPX of 2026-11-23 must be positive"),
        (lambda: DailySeries(symbol="SPX", rows=((MONDAY, math.nan),)), "SPX of 2026-11-23 must be finite"),
        (lambda: DailySeries(symbol="SPX", rows=((TUESDAY, 1.0), (MONDAY, 1.0))), "2026-11-23 follows 2026-11-24"),
        (lambda: DailySeries(symbol="SPX", rows=((MONDAY, 1.0), (MONDAY, 1.0))), "each day once"),
        (lambda: RateSeries(name="", rows=()), "name must not be empty"),
        (lambda: RateSeries(name="DGS10", rows=((MONDAY, math.inf),)), "DGS10 of 2026-11-23 must be finite"),
        (lambda: RateSeries(name="DGS10", rows=((MONDAY, 4.0), (MONDAY, 4.0))), "DGS10: rows must ascend"),
        (lambda: BreadthSeries(symbol="", rows=()), "symbol must not be empty"),
        (lambda: BreadthSeries(symbol="AD", rows=((MONDAY, -1, 5),)), "advances of 2026-11-23 must not be negative"),
        (lambda: BreadthSeries(symbol="AD", rows=((MONDAY, 1, -5),)), "declines of 2026-11-23 must not be negative"),
        (lambda: BreadthSeries(symbol="AD", rows=((MONDAY, 0, 0),)), "neither advances nor declines"),
        (lambda: BreadthSeries(symbol="AD", rows=((TUESDAY, 1, 1), (MONDAY, 1, 1))), "AD: rows must ascend"),
        (lambda: replace(FLOW, symbol=""), "symbol must not be empty"),
        (lambda: replace(FLOW, usd=math.nan), "usd must be finite"),
        (lambda: replace(FLOW, period_end=TUESDAY, known_on=MONDAY), "must not precede the period's end 2026-11-24"),
        (lambda: replace(RATIO, symbol=""), "symbol must not be empty"),
        (lambda: replace(RATIO, ratio=-0.1), "ratio must not be negative"),
        (lambda: replace(RATIO, period_end=TUESDAY, known_on=MONDAY), "must not precede the period's end"),
        (lambda: MissingFigure(symbol="O", why=""), "why must not be empty"),
        (lambda: Fundamentals(cash_flows=(FLOW, replace(FLOW, usd=4.0))), "cash flows must not name one thing twice"),
        (lambda: Fundamentals(quick_ratios=(RATIO, replace(RATIO, ratio=2.0))), "quick ratios must not name one thing"),
        (lambda: EvidenceInputs(histories={"SPX": DailySeries(symbol="RUT", rows=())}), "were those of RUT"),
        (lambda: EvidenceInputs(live={"SPX": 6800.0}), "live_on must name the session"),
    ],
)
def test_what_could_not_be_is_refused(make: Callable[[], Any], told: str) -> None:
    """Each wrong value has its own message, with the name of what is wrong."""
    with pytest.raises(InvalidValueError, match=told):
        make()


@pytest.mark.parametrize("evidence", [-1.0, 0.0, 1.0])
def test_both_ends_of_the_range_are_evidence(evidence: float) -> None:
    """-1 and +1 are the strongest answers, and an honest 0 is one too."""
    assert replace(CONFIRMATION, evidence=evidence).evidence == evidence


def test_an_unknown_conviction_has_no_value() -> None:
    """It still carries its readings, so that the reasons can be told."""
    silent = Abstention(name=ConfirmationName.BREADTH_DIVERGENCE, why="no advances and declines")
    unknown = replace(CONVICTION, value=None, stance=Stance.UNKNOWN, readings=(silent,))
    assert (unknown.value, unknown.readings) == (None, (silent,))


def test_rates_may_be_zero_or_negative() -> None:
    """Unlike closes: real yields have been both."""
    assert RateSeries(name="DFII10", rows=((MONDAY, 0.0), (TUESDAY, -0.4))).rows[-1][1] == -0.4


def test_a_restatement_stands_beside_the_figure_it_restates() -> None:
    """Same period, later known: both are kept, because on the day between only the first was known."""
    restated = replace(FLOW, known_on=date(2027, 2, 1), usd=3.0)
    other_measure = replace(FLOW, measure=CashFlowMeasure.FUNDS_FROM_OPERATIONS)
    both_forms = (RATIO, replace(RATIO, form=QuickRatioForm.CASH_AND_RECEIVABLES))
    held = Fundamentals(cash_flows=(FLOW, restated, other_measure), quick_ratios=both_forms)
    assert (len(held.cash_flows), len(held.quick_ratios)) == (3, 2)


def test_the_reasons_for_a_missing_figure_are_told_once_each() -> None:
    """Sorted and joined for one symbol, empty for another."""
    missing = tuple(MissingFigure(symbol=symbol, why=why) for symbol, why in [("O", "b"), ("O", "a"), ("O", "b")])
    held = Fundamentals(missing=missing)
    assert (held.why_missing("O"), held.why_missing("WPC")) == ("a; b", "")


def test_three_confirmations_are_made_of_prices() -> None:
    """The others are slow and share at most 30 %."""
    assert sorted(PRICE_BASED) == ["breadth_divergence", "momentum_divergence", "relative_strength"]
    assert len(ConfirmationName) == 6


def test_nothing_at_all_is_a_valid_delivery() -> None:
    """A bot without any source gets inputs of which every confirmation abstains."""
    assert EvidenceInputs() == EvidenceInputs(live={}, live_on=None)
    assert EvidenceInputs(live={"SPX": math.nan}, live_on=MONDAY).live_on == MONDAY


def test_a_delivery_holds_each_history_under_its_own_name() -> None:
    """Closes and counts as they could have been."""
    spx = DailySeries(symbol="SPX", rows=((MONDAY, 6800.0), (TUESDAY, 6790.0)))
    breadth = BreadthSeries(symbol="AD-NYSE", rows=((MONDAY, 1500, 1300), (TUESDAY, 0, 2800)))
    delivered = EvidenceInputs(histories={"SPX": spx}, breadth=breadth)
    assert (delivered.histories["SPX"], delivered.breadth) == (spx, breadth)
