"""Reads the operator's own tables: prices, cash flows, quick ratios and rates that no other source holds.

Dates are yyyy-mm-dd, numbers have decimal points, rows may stand in any order.

| table | columns | meaning |
|---|---|---|
| prices | ``date,symbol,close_usd`` | close of a share, adjusted for splits |
| cash flows | ``symbol,measure,period_end,known_on,usd_per_share`` | cash of the twelve months to ``period_end``; ``measure`` is operating_cash_flow or funds_from_operations; ``known_on`` is the day of publication |
| quick ratios | ``symbol,form,period_end,known_on,quick_ratio`` | ``form`` is less_inventory or cash_and_receivables |
| rates | ``date,risk_free_pct,credit_spread_pct`` and, if wanted, ``equity_risk_premium_pct`` | percent: 4.25 is 4.25 % |
"""  # noqa: E501 - a table

from collections.abc import Hashable, Mapping
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

from adapters.history.csv_table import CsvRow, read_table
from bot.domain.errors import HistoryError
from bot.domain.evidence import (
    CapitalRates,
    CashFlowMeasure,
    CashFlowPerShare,
    DailySeries,
    Fundamentals,
    QuickRatio,
    QuickRatioForm,
    RateSeries,
)

PRICE_COLUMNS: Final = ("date", "symbol", "close_usd")
CASH_FLOW_COLUMNS: Final = ("symbol", "measure", "period_end", "known_on", "usd_per_share")
QUICK_RATIO_COLUMNS: Final = ("symbol", "form", "period_end", "known_on", "quick_ratio")
RATE_COLUMNS: Final = ("date", "risk_free_pct", "credit_spread_pct")
PREMIUM_COLUMN: Final = "equity_risk_premium_pct"

_Choice = TypeVar("_Choice", bound=StrEnum)
_Key = TypeVar("_Key", bound=Hashable)


def read_prices(path: Path) -> Mapping[str, DailySeries]:
    """Return the closes of every symbol in a table of prices, each ascending by day.

    Raises:
        HistoryError: The table or one of its cells is wrong, or a symbol has two closes for one day.
    """
    closes: dict[str, dict[date, float]] = {}
    for row in _rows_of(path, PRICE_COLUMNS):
        by_day = closes.setdefault(row.text("symbol"), {})
        _require_new(by_day, row, row.day("date"))
        by_day[row.day("date")] = _at_least(row, "close_usd", least=0.0, is_excluded=True)
    return {symbol: DailySeries(symbol=symbol, rows=tuple(sorted(days.items()))) for symbol, days in closes.items()}


def read_cash_flows(path: Path) -> tuple[CashFlowPerShare, ...]:
    """Return the cash flows of a table, in its order.

    Raises:
        HistoryError: The table or one of its cells is wrong, or a figure stands twice.
    """
    found: dict[Hashable, CashFlowPerShare] = {}
    for row in _rows_of(path, CASH_FLOW_COLUMNS):
        flow = CashFlowPerShare(
            symbol=row.text("symbol"),
            measure=_choice(row, "measure", CashFlowMeasure),
            period_end=row.day("period_end"),
            known_on=_known_on(row),
            usd=row.number_of("usd_per_share"),
        )
        key = (flow.symbol, flow.measure, flow.period_end, flow.known_on)
        _require_new(found, row, key)
        found[key] = flow
    return tuple(found.values())


def read_quick_ratios(path: Path) -> tuple[QuickRatio, ...]:
    """Return the quick ratios of a table, in its order.

    Raises:
        HistoryError: The table or one of its cells is wrong, or a figure stands twice.
    """
    found: dict[Hashable, QuickRatio] = {}
    for row in _rows_of(path, QUICK_RATIO_COLUMNS):
        ratio = QuickRatio(
            symbol=row.text("symbol"),
            form=_choice(row, "form", QuickRatioForm),
            period_end=row.day("period_end"),
            known_on=_known_on(row),
            ratio=_at_least(row, "quick_ratio", least=0.0),
        )
        key = (ratio.symbol, ratio.form, ratio.period_end, ratio.known_on)
        _require_new(found, row, key)
        found[key] = ratio
    return tuple(found.values())


def read_rates(path: Path) -> CapitalRates:
    """Return the rates of a table, ascending by day; the equity risk premium only where the table has its column.

    Raises:
        HistoryError: The table or one of its cells is wrong, or a day stands twice.
    """
    by_day: dict[date, CsvRow] = {}
    for row in _rows_of(path, RATE_COLUMNS, (*RATE_COLUMNS, PREMIUM_COLUMN)):
        _require_new(by_day, row, row.day("date"))
        by_day[row.day("date")] = row
    rows = sorted(by_day.items())
    series = {
        column: RateSeries(name=column, rows=tuple((day, row.number_of(column)) for day, row in rows))
        for column in (*RATE_COLUMNS[1:], PREMIUM_COLUMN)
        if column in rows[0][1].cells
    }
    return CapitalRates(
        risk_free=series["risk_free_pct"],
        credit_spread=series["credit_spread_pct"],
        equity_risk_premium=series.get(PREMIUM_COLUMN),
    )


def stated_before_filed(stated: Fundamentals, filed: Fundamentals) -> Fundamentals:
    """Return the figures of both, without those filed for a symbol whose cash flow or quick ratio the operator states.

    The two never mix within one symbol and kind of figure: the operator may count differently.
    """
    flows = {flow.symbol for flow in stated.cash_flows}
    ratios = {ratio.symbol for ratio in stated.quick_ratios}
    return Fundamentals(
        cash_flows=(*stated.cash_flows, *(flow for flow in filed.cash_flows if flow.symbol not in flows)),
        quick_ratios=(*stated.quick_ratios, *(ratio for ratio in filed.quick_ratios if ratio.symbol not in ratios)),
        missing=(*stated.missing, *filed.missing),
    )


def _rows_of(path: Path, *forms: tuple[str, ...]) -> tuple[CsvRow, ...]:
    table = read_table(path)
    table.require_columns(*forms)
    if not table.rows:
        raise HistoryError(f"{path}: found no row below the header, expected one a figure; fill it or name no file")
    return table.rows


def _require_new(found: Mapping[_Key, object], row: CsvRow, key: _Key) -> None:
    if key in found:
        raise row.wrong_row("says again what another row says", "remove one of them")


def _known_on(row: CsvRow) -> date:
    known_on = row.day("known_on")
    if known_on < row.day("period_end"):
        raise row.wrong("known_on", "no day before the period's end", "state the day of publication")
    return known_on


def _at_least(row: CsvRow, column: str, *, least: float, is_excluded: bool = False) -> float:
    number = row.number_of(column)
    if number < least or (is_excluded and number == least):
        expected = f"a number above {least:g}" if is_excluded else f"a number of {least:g} or more"
        raise row.wrong(column, expected, "correct it or remove the row")
    return number


def _choice(row: CsvRow, column: str, kind: type[_Choice]) -> _Choice:
    for member in kind:
        if member.value == row.cells[column]:
            return member
    raise row.wrong(column, " or ".join(member.value for member in kind), "write it in this way")
