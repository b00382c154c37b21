"""Figures of a company from the SEC's JSON: periods, restatements, interim flows, and what is missing told in words."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.fundamentals.company_figures import read_fundamentals, twelve_months
from bot.domain.errors import ConfigError
from bot.domain.evidence import CashFlowMeasure, CashFlowPerShare, Fundamentals, QuickRatio, QuickRatioForm

ANNUAL_FLOW = "NetCashProvidedByUsedInOperatingActivities"
SHARES = "EntityCommonStockSharesOutstanding"
Row = dict[str, Any]
Facts = dict[str, dict[str, list[Row]]]
"""Rows by tag and unit."""


def row(
    val: Any, end: str, filed: str, *, start: str = "", form: str = "10-Q", accn: str = "0000000001-24-000001"
) -> Row:
    """Return one fact as the SEC writes it; ``fy``, ``fp`` and ``frame`` mislead on purpose."""
    misleading = {"fy": 1999, "fp": "FY", "frame": "CY1999"}
    moment = {"end": end, "val": val, "accn": accn, "form": form, "filed": filed, **misleading}
    return {"start": start, **moment} if start else moment


def usd(*rows: Row) -> dict[str, list[Row]]:
    """Return rows in USD."""
    return {"USD": list(rows)}


def read(folder: Path, gaap: Facts, shares: list[Row] | None = None) -> Fundamentals:
    """Write a company's file and read it."""
    cover = {} if shares is None else {SHARES: {"units": {"shares": shares}}}
    concepts = {tag: {"label": tag, "description": "", "units": units} for tag, units in gaap.items()}
    document = {"cik": 726728, "entityName": "ACME", "facts": {"dei": cover, "us-gaap": concepts}}
    path = folder / "CIK0000726728.json"
    path.write_text(json.dumps(document))
    return read_fundamentals(path, "ACME")


def balance(end: str = "2024-03-31", filed: str = "2024-05-02", **values: float) -> Facts:
    """Return a balance sheet of one day."""
    return {tag: usd(row(value, end, filed)) for tag, value in values.items()}


def ratios(found: Fundamentals, form: QuickRatioForm = QuickRatioForm.LESS_INVENTORY) -> list[tuple[str, str, float]]:
    """Return (end, known on, ratio) of the quick ratios of one form."""
    return [
        (one.period_end.isoformat(), one.known_on.isoformat(), round(one.ratio, 6))
        for one in found.quick_ratios
        if one.form is form
    ]


def flows(found: Fundamentals) -> list[tuple[str, str, float]]:
    """Return (end, known on, USD per share) of the cash flows."""
    return [(one.period_end.isoformat(), one.known_on.isoformat(), round(one.usd, 6)) for one in found.cash_flows]


# quick ratio ------------------------------------------------------------------------------------------------------


def test_the_quick_ratio_leaves_inventory_out(tmp_path: Path) -> None:
    """(900 - 150) / 500, known from the day of filing."""
    found = read(tmp_path, balance(AssetsCurrent=900, InventoryNet=150, LiabilitiesCurrent=500))
    assert found.quick_ratios == (
        QuickRatio(
            symbol="ACME",
            form=QuickRatioForm.LESS_INVENTORY,
            period_end=date(2024, 3, 31),
            known_on=date(2024, 5, 2),
            ratio=1.5,
        ),
    )


@pytest.mark.parametrize(
    ("extra", "ratio"),
    [({}, 0.8), ({"ShortTermInvestments": 50}, 0.9), ({"MarketableSecuritiesCurrent": 50}, 0.9)],
)
def test_without_inventory_cash_and_receivables_are_counted(
    tmp_path: Path, extra: dict[str, float], ratio: float
) -> None:
    """(100 + 300) / 500, with short-term investments where they are stated."""
    stated = {
        "AssetsCurrent": 900.0,
        "LiabilitiesCurrent": 500.0,
        "CashAndCashEquivalentsAtCarryingValue": 100.0,
        "AccountsReceivableNetCurrent": 300.0,
    }
    found = read(tmp_path, balance(**stated, **extra))
    assert ratios(found) == []
    assert ratios(found, QuickRatioForm.CASH_AND_RECEIVABLES) == [("2024-03-31", "2024-05-02", ratio)]


def test_an_inventory_that_is_not_stated_is_not_zero(tmp_path: Path) -> None:
    """Current assets alone give no quick ratio; the reason names the tags."""
    found = read(tmp_path, balance(AssetsCurrent=900, LiabilitiesCurrent=500))
    assert found.quick_ratios == ()
    why = found.why_missing("ACME")
    assert "no quick ratio: no InventoryNet; no CashAndCashEquivalentsAtCarryingValue" in why


def test_figures_of_different_days_are_not_mixed(tmp_path: Path) -> None:
    """Assets of March over liabilities of June are no ratio."""
    facts = balance(AssetsCurrent=900, InventoryNet=150) | balance("2024-06-30", "2024-08-01", LiabilitiesCurrent=500)
    assert read(tmp_path, facts).quick_ratios == ()


def test_a_repeated_figure_is_told_once_and_a_restated_one_twice(tmp_path: Path) -> None:
    """The later report repeats March as it was; the amendment after it restates the liabilities."""
    facts = balance(AssetsCurrent=900, InventoryNet=150)
    facts["LiabilitiesCurrent"] = usd(
        row(600, "2024-03-31", "2024-09-15", form="10-Q/A"),
        row(500, "2024-03-31", "2024-05-02"),
        row(500, "2024-03-31", "2024-08-01"),
    )
    assert ratios(read(tmp_path, facts)) == [("2024-03-31", "2024-05-02", 1.5), ("2024-03-31", "2024-09-15", 1.25)]


@pytest.mark.parametrize("turned", [False, True])
def test_the_report_filed_last_holds(tmp_path: Path, turned: bool) -> None:  # noqa: FBT001 - a table
    """A later report restates without being an amendment; neither its place in the file nor its number counts."""
    facts = balance(AssetsCurrent=900, InventoryNet=150)
    rows = [
        row(600, "2024-03-31", "2025-05-02", accn="0000000001-24-000001"),
        row(500, "2024-03-31", "2024-05-02", form="10-Q/A", accn="0000000001-24-000002"),
    ]
    facts["LiabilitiesCurrent"] = usd(*(rows[::-1] if turned else rows))
    assert ratios(read(tmp_path, facts)) == [("2024-03-31", "2024-05-02", 1.5), ("2024-03-31", "2025-05-02", 1.25)]


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_filings_of_one_day_the_amendment_holds(tmp_path: Path, turned: bool) -> None:  # noqa: FBT001 - a table
    """In whatever order the file lists them."""
    facts = balance(AssetsCurrent=900, InventoryNet=150)
    rows = [
        row(600, "2024-03-31", "2024-05-02", form="10-Q/A", accn="0000000001-24-000001"),
        row(500, "2024-03-31", "2024-05-02", accn="0000000001-24-000002"),
    ]
    facts["LiabilitiesCurrent"] = usd(*(rows[::-1] if turned else rows))
    assert ratios(read(tmp_path, facts)) == [("2024-03-31", "2024-05-02", 1.25)]


@pytest.mark.parametrize("form", ["8-K", "S-1", "DEF 14A", "424B3"])
def test_other_forms_than_reports_do_not_count(tmp_path: Path, form: str) -> None:
    """They carry pro forma figures."""
    facts = balance(AssetsCurrent=900, InventoryNet=150)
    facts["LiabilitiesCurrent"] = usd(
        row(500, "2024-03-31", "2024-05-02"), row(5, "2024-03-31", "2024-06-01", form=form)
    )
    assert ratios(read(tmp_path, facts)) == [("2024-03-31", "2024-05-02", 1.5)]


def test_a_tag_that_no_report_uses_is_missing(tmp_path: Path) -> None:
    """Neither an empty list nor a pro forma figure is a figure in USD."""
    facts = balance(AssetsCurrent=900, InventoryNet=150)
    for rows in ([], [row(500, "2024-03-31", "2024-05-02", form="8-K")]):
        facts["LiabilitiesCurrent"] = usd(*rows)
        assert "no quick ratio: no LiabilitiesCurrent;" in read(tmp_path, facts).why_missing("ACME")


@pytest.mark.parametrize("form", ["10-K", "10-K/A", "10-KT", "10-Q", "20-F", "40-F", "6-K"])
def test_reports_of_every_kind_count(tmp_path: Path, form: str) -> None:
    """Annual and interim, domestic and foreign."""
    facts = {
        tag: usd(row(value, "2024-03-31", "2024-05-02", form=form))
        for tag, value in [("AssetsCurrent", 900), ("InventoryNet", 150), ("LiabilitiesCurrent", 500)]
    }
    assert len(read(tmp_path, facts).quick_ratios) == 1


def test_a_fact_filed_before_its_period_ended_is_a_slip(tmp_path: Path) -> None:
    """Nobody knows a balance sheet of the future; it is left out."""
    found = read(tmp_path, balance(filed="2024-03-30", AssetsCurrent=900, InventoryNet=150, LiabilitiesCurrent=500))
    assert found.quick_ratios == ()


@pytest.mark.parametrize(("liabilities", "inventory"), [(0, 150), (-500, 150), (500, 901)])
def test_impossible_balance_sheets_give_no_ratio(tmp_path: Path, liabilities: float, inventory: float) -> None:
    """No liabilities, or more inventory than current assets: there is no such ratio."""
    facts = balance(AssetsCurrent=900, InventoryNet=inventory, LiabilitiesCurrent=liabilities)
    assert read(tmp_path, facts).quick_ratios == ()


def test_another_currency_is_named(tmp_path: Path) -> None:
    """A Canadian balance sheet is not read as USD."""
    facts = balance(AssetsCurrent=900, InventoryNet=150)
    facts["LiabilitiesCurrent"] = {"CAD": [row(500, "2024-03-31", "2024-05-02")]}
    assert "LiabilitiesCurrent in CAD, expected USD" in read(tmp_path, facts).why_missing("ACME")


# cash flow --------------------------------------------------------------------------------------------------------

YEAR = row(400, "2023-12-31", "2024-02-20", start="2023-01-01", form="10-K")
HALF = row(260, "2024-06-30", "2024-08-01", start="2024-01-01")
HALF_BEFORE = row(180, "2023-06-30", "2023-08-01", start="2023-01-01")
COVERS = [
    row(90, "2023-07-25", "2023-08-01"),
    row(100, "2024-02-10", "2024-02-20", form="10-K"),
    row(120, "2024-07-25", "2024-08-01"),
]


def test_an_annual_flow_is_divided_by_the_shares_of_its_cover(tmp_path: Path) -> None:
    """400 USD over 100 shares, known from the annual report on."""
    found = read(tmp_path, {ANNUAL_FLOW: usd(YEAR)}, COVERS)
    assert found.cash_flows == (
        CashFlowPerShare(
            symbol="ACME",
            measure=CashFlowMeasure.OPERATING_CASH_FLOW,
            period_end=date(2023, 12, 31),
            known_on=date(2024, 2, 20),
            usd=4.0,
        ),
    )


def test_twelve_months_are_the_year_plus_this_half_less_the_half_before(tmp_path: Path) -> None:
    """400 + 260 - 180 over the 120 shares of the interim report: flows of 10-Q reports are from the year's start."""
    found = read(tmp_path, {ANNUAL_FLOW: usd(HALF, YEAR, HALF_BEFORE)}, COVERS)
    assert flows(found) == [("2023-12-31", "2024-02-20", 4.0), ("2024-06-30", "2024-08-01", 4.0)]


def test_without_the_half_before_there_are_no_twelve_months(tmp_path: Path) -> None:
    """Six months are not taken for a year, nor doubled."""
    assert flows(read(tmp_path, {ANNUAL_FLOW: usd(YEAR, HALF)}, COVERS)) == [("2023-12-31", "2024-02-20", 4.0)]


def test_a_quarter_beside_the_half_is_not_taken_for_it(tmp_path: Path) -> None:
    """Some filers state the second quarter alone as well; stretches must be as long as each other."""
    quarter = row(100, "2023-06-30", "2023-08-01", start="2023-04-01")
    assert len(read(tmp_path, {ANNUAL_FLOW: usd(YEAR, HALF, quarter)}, COVERS).cash_flows) == 1
    assert flows(read(tmp_path, {ANNUAL_FLOW: usd(YEAR, HALF, quarter, HALF_BEFORE)}, COVERS))[-1][2] == 4.0


def test_a_restated_year_changes_the_figure_from_then_on(tmp_path: Path) -> None:
    """Both are kept, each from its own day on."""
    restated = row(380, "2023-12-31", "2024-11-05", start="2023-01-01", form="10-K/A")
    found = flows(read(tmp_path, {ANNUAL_FLOW: usd(YEAR, restated)}, COVERS))
    assert found == [("2023-12-31", "2024-02-20", 4.0), ("2023-12-31", "2024-11-05", 3.8)]


def test_a_year_of_53_weeks_is_a_year(tmp_path: Path) -> None:
    """371 days, and the stretches of neighbouring years begin a week apart."""
    year = row(400, "2024-02-03", "2024-03-20", start="2023-01-29", form="10-K")
    part = row(110, "2024-05-04", "2024-06-05", start="2024-02-04")
    before = row(100, "2023-04-29", "2023-06-05", start="2023-01-29")
    shares = [row(100, "2024-03-01", "2024-03-20", form="10-K")]
    found = flows(read(tmp_path, {ANNUAL_FLOW: usd(year, part, before)}, shares))
    assert found == [("2024-02-03", "2024-03-20", 4.0), ("2024-05-04", "2024-06-05", 4.1)]


def test_the_tag_without_discontinued_business_stands_in(tmp_path: Path) -> None:
    """Where the usual tag was not used for a period; where both were, the usual one holds."""
    other = f"{ANNUAL_FLOW}ContinuingOperations"
    assert flows(read(tmp_path, {other: usd(YEAR)}, COVERS))[0][2] == 4.0
    both = {other: usd(YEAR | {"val": 900}), ANNUAL_FLOW: usd(YEAR)}
    assert flows(read(tmp_path, both, COVERS))[0][2] == 4.0


def test_shares_of_the_balance_sheet_stand_in_for_the_cover(tmp_path: Path) -> None:
    """Companies with two classes have no count on the cover here."""
    facts = {ANNUAL_FLOW: usd(YEAR)}
    facts["CommonStockSharesOutstanding"] = {"shares": [row(200, "2023-12-31", "2024-02-20", form="10-K")]}
    assert flows(read(tmp_path, facts))[0][2] == 2.0
    assert flows(read(tmp_path, facts, COVERS))[0][2] == 4.0


def test_the_count_nearest_to_the_period_divides(tmp_path: Path) -> None:
    """41 days after the year's end are nearer than 67 before it, and both than 110 after it."""
    counts = [
        row(50, "2023-10-25", "2023-11-01"),
        row(100, "2024-02-10", "2024-02-20", form="10-K"),
        row(25, "2024-04-19", "2024-05-02"),
    ]
    assert flows(read(tmp_path, {ANNUAL_FLOW: usd(YEAR)}, counts))[-1] == ("2023-12-31", "2024-02-20", 4.0)


@pytest.mark.parametrize(
    ("shares", "told"),
    [
        (None, "no cash flow per share: no EntityCommonStockSharesOutstanding or CommonStockSharesOutstanding"),
        ([row(100, "2023-08-01", "2023-08-05")], "its periods do not fit together"),  # 152 days before the end
        ([row(0, "2024-02-10", "2024-02-20")], "its periods do not fit together"),
    ],
)
def test_without_shares_of_the_period_there_is_no_cash_flow(
    tmp_path: Path, shares: list[Row] | None, told: str
) -> None:
    """None at all, those of another half-year, or none outstanding."""
    found = read(tmp_path, {ANNUAL_FLOW: usd(YEAR)}, shares)
    assert found.cash_flows == ()
    assert told in found.why_missing("ACME")


def test_a_loss_of_cash_is_a_figure(tmp_path: Path) -> None:
    """What it means is for the reader of the figure to say."""
    assert flows(read(tmp_path, {ANNUAL_FLOW: usd(YEAR | {"val": -50})}, COVERS))[0][2] == -0.5


@given(
    year=st.integers(-1000, 1000),
    quarters=st.lists(st.integers(-300, 300), min_size=8, max_size=8),
    reported=st.integers(1, 3),
)
def test_twelve_months_are_the_last_four_quarters(year: int, quarters: list[int], reported: int) -> None:
    """From flows that run from the start of the year, whatever the quarters were."""
    ends = [date(on, month, day) for on in (2023, 2024) for month, day in [(3, 31), (6, 30), (9, 30), (12, 31)]]
    quarters[3] = year - sum(quarters[:3])
    spans: dict[tuple[date | None, date], float] = {}
    for at in range(4 + reported):
        first = 0 if at < 4 else 4
        spans[date(ends[at].year, 1, 1), ends[at]] = float(sum(quarters[first : at + 1]))
    found = twelve_months(spans)
    assert found[ends[3]] == year
    for at in range(4, 4 + reported):
        assert found[ends[at]] == pytest.approx(sum(quarters[at - 3 : at + 1]))
    assert len(found) == 1 + reported


def test_moments_are_no_flows() -> None:
    """A figure without a start has no twelve months."""
    assert twelve_months({(None, date(2023, 12, 31)): 5.0}) == {}


@pytest.mark.parametrize(("days", "is_year"), [(349, False), (350, True), (365, True), (380, True), (381, False)])
def test_a_year_has_350_to_380_days(days: int, is_year: bool) -> None:  # noqa: FBT001 - a table
    """Transition periods are no years."""
    end = date(2023, 12, 31)
    assert bool(twelve_months({(end - timedelta(days=days - 1), end): 5.0})) is is_year


# the file ---------------------------------------------------------------------------------------------------------


def test_a_company_under_another_taxonomy_is_told(tmp_path: Path) -> None:
    """Foreign filers under international standards have other tags."""
    path = tmp_path / "foreign.json"
    path.write_text(json.dumps({"facts": {"ifrs-full": {}, "dei": {}}}))
    found = read_fundamentals(path, "NVO")
    assert (found.cash_flows, found.quick_ratios) == ((), ())
    assert "NVO has no quick ratio: it files under ifrs-full, dei, expected us-gaap" in found.why_missing("NVO")
    path.write_text(json.dumps({"facts": {}}))
    assert "it files under nothing" in read_fundamentals(path, "NVO").why_missing("NVO")


def with_fact(change: Callable[[Row], object]) -> str:
    """Return a document with one changed fact."""
    fact = row(400, "2023-12-31", "2024-02-20", start="2023-01-01")
    change(fact)
    return json.dumps({"facts": {"us-gaap": {ANNUAL_FLOW: {"units": {"USD": [fact]}}}}})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<html>", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ('{"facts": NaN}', "NaN is no number"),
        ("[]", "the file: found [], expected an object"),
        ("{}", "facts: found nothing, expected an object"),
        ('{"facts": {"us-gaap": []}}', "us-gaap: found [], expected an object"),
        ('{"facts": {"us-gaap": {"InventoryNet": 5}}}', "InventoryNet: found 5, expected an object"),
        ('{"facts": {"us-gaap": {"InventoryNet": {}}}}', "InventoryNet.units: found nothing"),
        ('{"facts": {"us-gaap": {"InventoryNet": {"units": {"USD": {}}}}}}', "found {}, expected a list of facts"),
        ('{"facts": {"us-gaap": {"InventoryNet": {"units": {"USD": [1]}}}}}', "InventoryNet[0]: found 1, expected an"),
        (with_fact(lambda fact: fact.update(val="400")), "[0].val: found '400', expected a finite number"),
        (with_fact(lambda fact: fact.update(val=True)), "[0].val: found True, expected a finite number"),
        (with_fact(lambda fact: fact.pop("val")), "[0].val: found nothing"),
        (with_fact(lambda fact: fact.update(end="31.12.2023")), "[0].end: found '31.12.2023', expected a date"),
        (with_fact(lambda fact: fact.pop("filed")), "[0].filed: found nothing, expected a date as yyyy-mm-dd"),
        (with_fact(lambda fact: fact.update(start=5)), "[0].start: found 5, expected a date"),
        (with_fact(lambda fact: fact.update(start="2024-01-01")), "expected a day not after the end 2023-12-31"),
        (with_fact(lambda fact: fact.update(form=None)), "[0].form: found nothing, expected a text"),
        (with_fact(lambda fact: fact.update(accn="")), "[0].accn: found '', expected a text"),
    ],
)
def test_a_file_of_another_form_is_one_clear_line(tmp_path: Path, text: str, told: str) -> None:
    """With file, place, what was found, what was expected and what to do."""
    path = tmp_path / "CIK0000726728.json"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_fundamentals(path, "ACME")
    message = str(caught.value)
    assert told in message
    assert message.startswith(str(path))
    assert message.endswith("download the company's file from data.sec.gov again")
    assert "\n" not in message


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Path and permissions are what to check."""
    with pytest.raises(ConfigError, match=r"absent\.json: cannot be read \(No such file or directory\)"):
        read_fundamentals(tmp_path / "absent.json", "ACME")


def test_tags_that_are_not_read_may_be_anything(tmp_path: Path) -> None:
    """Thousands of them stand in a file, text among them."""
    facts = balance(AssetsCurrent=900, InventoryNet=150, LiabilitiesCurrent=500)
    facts["EntityAddress"] = {"text": [{"val": "Main Street"}]}
    assert len(read(tmp_path, facts).quick_ratios) == 1
