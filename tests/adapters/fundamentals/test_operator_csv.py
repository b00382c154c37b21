"""The operator's own tables: what the columns mean, and what is wrong with a row in one line."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from adapters.fundamentals.operator_csv import (
    read_cash_flows,
    read_prices,
    read_quick_ratios,
    read_rates,
    stated_before_filed,
)
from bot.domain.errors import HistoryError
from bot.domain.evidence import (
    CapitalRates,
    CashFlowMeasure,
    CashFlowPerShare,
    DailySeries,
    Fundamentals,
    MissingFigure,
    QuickRatio,
    QuickRatioForm,
    RateSeries,
)

PRICES = "date,symbol,close_usd\n"
FLOWS = "symbol,measure,period_end,known_on,usd_per_share\n"
RATIOS = "symbol,form,period_end,known_on,quick_ratio\n"
RATES = "date,risk_free_pct,credit_spread_pct\n"
THURSDAY, FRIDAY = date(2026, 11, 19), date(2026, 11, 20)
JUNE, AUGUST = date(2026, 6, 30), date(2026, 8, 6)


def a_table(folder: Path, text: str) -> Path:
    """Write a table of the operator."""
    path = folder / "own.csv"
    path.write_text(text)
    return path


def a_flow(usd: float, symbol: str = "O") -> CashFlowPerShare:
    """Return funds from operations of a year to June."""
    return CashFlowPerShare(
        symbol=symbol,
        measure=CashFlowMeasure.FUNDS_FROM_OPERATIONS,
        period_end=JUNE,
        known_on=AUGUST,
        usd=usd,
    )


def a_ratio(ratio: float, symbol: str = "O") -> QuickRatio:
    """Return a quick ratio of June."""
    return QuickRatio(
        symbol=symbol, form=QuickRatioForm.CASH_AND_RECEIVABLES, period_end=JUNE, known_on=AUGUST, ratio=ratio
    )


def test_prices_are_sorted_by_symbol_and_day(tmp_path: Path) -> None:
    """Rows may stand in any order."""
    text = PRICES + "2026-11-20,O,57.1\n2026-11-20, WPC ,61\n2026-11-19,O,56.9\n"
    assert read_prices(a_table(tmp_path, text)) == {
        "O": DailySeries(symbol="O", rows=((THURSDAY, 56.9), (FRIDAY, 57.1))),
        "WPC": DailySeries(symbol="WPC", rows=((FRIDAY, 61.0),)),
    }


def test_cash_flows_keep_their_measure_and_may_be_losses(tmp_path: Path) -> None:
    """Twelve months per share, with the day of publication."""
    text = (
        FLOWS + "O,funds_from_operations,2026-06-30,2026-08-06,4.21\nSLG,operating_cash_flow,2026-06-30,2026-08-06,-1\n"
    )
    first, second = read_cash_flows(a_table(tmp_path, text))
    assert first == a_flow(4.21)
    assert (second.measure, second.usd) == (CashFlowMeasure.OPERATING_CASH_FLOW, -1.0)


def test_quick_ratios_keep_their_form(tmp_path: Path) -> None:
    """Nothing liquid at all is a ratio of 0."""
    text = RATIOS + "O,cash_and_receivables,2026-06-30,2026-08-06,1.07\nSLG,less_inventory,2026-06-30,2026-08-06,0\n"
    first, second = read_quick_ratios(a_table(tmp_path, text))
    assert first == a_ratio(1.07)
    assert (second.form, second.ratio) == (QuickRatioForm.LESS_INVENTORY, 0.0)


def test_rates_come_with_or_without_a_premium(tmp_path: Path) -> None:
    """The third rate is a column of its own; without it the settings' constant holds."""
    rows = ((THURSDAY, 4.11), (FRIDAY, 4.07))
    spread = RateSeries(name="credit_spread_pct", rows=((THURSDAY, 3.2), (FRIDAY, 3.3)))
    two = read_rates(a_table(tmp_path, RATES + "2026-11-20,4.07,3.3\n2026-11-19,4.11,3.2\n"))
    assert two == CapitalRates(risk_free=RateSeries(name="risk_free_pct", rows=rows), credit_spread=spread)
    header = RATES.replace("\n", ",equity_risk_premium_pct\n")
    three = read_rates(a_table(tmp_path, header + "2026-11-19,4.11,3.2,5.1\n2026-11-20,4.07,3.3,5.2\n"))
    assert three.equity_risk_premium == RateSeries(
        name="equity_risk_premium_pct", rows=((THURSDAY, 5.1), (FRIDAY, 5.2))
    )


@pytest.mark.parametrize(
    ("read", "text", "told"),
    [
        (read_prices, "day,symbol,close_usd\n", "row 1: found 'day,symbol,close_usd', expected date,symbol,close_usd"),
        (read_prices, PRICES, "found no row below the header"),
        (read_prices, PRICES + "2026-11-20,O,0\n", "row 2: close_usd: found '0', expected a number above 0"),
        (read_prices, PRICES + "2026-11-20,,5\n", "row 2: symbol: found '', expected some text"),
        (read_prices, PRICES + "2026-11-20,O,5\n2026-11-20,O,6\n", "row 3: says again what another row says"),
        (read_prices, PRICES + "20.11.2026,O,5\n", "row 2: date: found '20.11.2026'"),
        (read_cash_flows, FLOWS + "O,ffo,2026-06-30,2026-08-06,4\n", "measure: found 'ffo', expected operating_cash_"),
        (
            read_cash_flows,
            FLOWS + "O,operating_cash_flow,2026-06-30,2026-06-29,4\n",
            "known_on: found '2026-06-29', expected no day before the period's end",
        ),
        (read_cash_flows, FLOWS + "O,operating_cash_flow,2026-06-30,2026-08-06,inf\n", "usd_per_share: found 'inf'"),
        (
            read_cash_flows,
            FLOWS + "O,operating_cash_flow,2026-06-30,2026-08-06,4\n" * 2,
            "row 3: says again what another row says; remove one of them",
        ),
        (
            read_quick_ratios,
            RATIOS + "O,less_inventory,2026-06-30,2026-08-06,-1\n",
            "quick_ratio: found '-1', expected a number of 0 or more",
        ),
        (read_quick_ratios, RATIOS + "O,acid,2026-06-30,2026-08-06,1\n", "expected less_inventory or cash_and_rec"),
        (read_quick_ratios, RATIOS + "O,less_inventory,2026-06-30,2026-08-06,1\n" * 2, "row 3: says again"),
        (read_rates, RATES + "2026-11-20,4.07,.\n", "credit_spread_pct: found '.', expected a finite number"),
        (read_rates, RATES + "2026-11-20,4.07,3\n2026-11-20,4.07,3\n", "row 3: says again"),
        (read_rates, "date,risk_free_pct\n", "expected date,risk_free_pct,credit_spread_pct or date,risk_free_pct,"),
    ],
)
def test_a_wrong_row_is_one_clear_line(tmp_path: Path, read: Callable[[Path], Any], text: str, told: str) -> None:
    """With file, row, column, what was found, what was expected and what to do."""
    with pytest.raises(HistoryError) as caught:
        read(a_table(tmp_path, text))
    assert told in str(caught.value)
    assert "own.csv" in str(caught.value)


def test_the_operators_figures_stand_before_the_filed_ones() -> None:
    """Symbol by symbol and kind by kind: the two never mix within one history."""
    stated = Fundamentals(cash_flows=(a_flow(4.2),))
    filed = Fundamentals(
        cash_flows=(a_flow(5.0), a_flow(3.0, "WPC")),
        quick_ratios=(a_ratio(1.1),),
        missing=(MissingFigure(symbol="SLG", why="no tag"),),
    )
    joined = stated_before_filed(stated, filed)
    assert joined.cash_flows == (a_flow(4.2), a_flow(3.0, "WPC"))
    assert joined.quick_ratios == (a_ratio(1.1),)
    assert joined.missing == filed.missing
    assert stated_before_filed(Fundamentals(quick_ratios=(a_ratio(0.9),)), filed).quick_ratios == (a_ratio(0.9),)
