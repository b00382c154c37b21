"""Figures that the pages repeat are those of the code."""

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from adapters.ibkr.errors import CODES, CodeMeaning, LinkMeaning, OrderMeaning, RequestMeaning
from bot.domain.expiries import third_friday, vix_settlement
from bot.domain.schedule import SessionCalendar
from bot.pricing import BETA_POINTS, SPX_MOVE_POINTS
from simulator.troubles.kinds import KINDS

DOCS = Path(__file__).parents[2] / "docs"
ORDER_WORDS: Mapping[OrderMeaning, str] = {
    OrderMeaning.NOTICE: "notice",
    OrderMeaning.REJECTED: "rejected",
    OrderMeaning.DOUBT: "doubt",
}
REQUEST_WORDS: Mapping[RequestMeaning, str] = {
    RequestMeaning.NOTICE: "goes on",
    RequestMeaning.REFUSED: "refused",
    RequestMeaning.RETRY: "again later",
}


def table_rows(page: str, first_cell: str) -> list[list[str]]:
    """Return the cells of every table row of a page whose first cell matches."""
    lines = (DOCS / page).read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return [row for row in cells if re.fullmatch(first_cell, row[0])]


def test_the_codes_are_those_of_the_adapter() -> None:
    """Each listed code of docs/ib/hazards.md has the reactions of the adapter's table, and none is left out."""
    told: dict[int, tuple[str, str, str, str]] = {}
    for row in table_rows("ib/hazards.md", r"\d+( \(A\))?(, \d+( \(A\))?)*"):
        new, working, request = (row[3].split(" / ") + row[3:4])[:2] + row[4:5] if len(row) == 6 else [*row[2:4], ""]
        for code in re.findall(r"\d+(?= |,|$)", row[0]):
            told[int(code)] = (new, working, request, row[-1])
    expected = {code: _told_of(meaning, told.get(code, ("",) * 4)) for code, meaning in CODES.items()}
    assert told == expected


def _told_of(meaning: CodeMeaning, told: tuple[str, str, str, str]) -> tuple[str, str, str, str]:
    """How a page would tell a meaning; the column of requests is left out where the page leaves it out."""
    request = REQUEST_WORDS[meaning.request] if told[2] else ""
    return ORDER_WORDS[meaning.new], ORDER_WORDS[meaning.working], request, "yes" if meaning.alert else "no"


def test_the_codes_of_a_lost_link_are_told_as_such() -> None:
    """The codes after which nothing leaves are those that the page calls RECONCILING or "as 1100"."""
    lost = {code for code, meaning in CODES.items() if meaning.link is LinkMeaning.LOST}
    rows = table_rows("ib/hazards.md", r"\d+")
    assert {int(row[0]) for row in rows if row[2] in {"RECONCILING", "as 1100"}} == lost


def test_the_settlements_of_2027_are_those_of_the_rule() -> None:
    """Settlement, last trading day and SPX expiry of docs/contracts.md, section 3, come out of the code."""
    calendar = SessionCalendar()
    rows = table_rows("contracts.md", r"2027-\d\d")
    assert len(rows) == 12
    for month, settlement, last_trade, expiry in rows:
        year, number = map(int, month.split("-"))
        found = vix_settlement(year, number, calendar)
        friday = third_friday(year + number // 12, number % 12 + 1)
        reference = friday if calendar.session(friday) else calendar.previous_session(friday).day
        assert settlement == f"{found} {found:%a}"
        assert date.fromisoformat(last_trade) == calendar.previous_session(found).day
        assert date.fromisoformat(expiry) == reference


def test_the_curves_are_those_of_the_pricing() -> None:
    """Days, beta(T) and g(T) of docs/methodology.md, M10, are the points that the code interpolates."""
    (days,) = table_rows("methodology.md", "days, middle")
    for curve, name in ((BETA_POINTS, r"beta\(T\): .*"), (SPX_MOVE_POINTS, r"g\(T\): .*")):
        (values,) = table_rows("methodology.md", name)
        assert [(float(day), float(value)) for day, value in zip(days[1:], values[1:], strict=True)] == list(curve)


def test_every_row_of_the_methodology_has_its_section() -> None:
    """M1 to M18 stand in the overview and as sections, in order."""
    text = (DOCS / "methodology.md").read_text(encoding="utf-8")
    expected = [f"M{number}" for number in range(1, 19)]
    assert [row[0] for row in table_rows("methodology.md", r"M\d+")] == expected
    assert re.findall(r"^## (M\d+) ", text, re.MULTILINE) == expected


def test_the_table_of_troubles_is_the_simulators() -> None:
    """Every kind stands in docs/simulator.md once, with its number, its parameters with defaults, and what happens."""
    page = (DOCS / "simulator.md").read_text(encoding="utf-8")
    for kind in KINDS.values():
        parameters = ", ".join(f"`{each.name}={each.default}`" for each in kind.parameters) or "none"
        row = f"| {kind.number or '-'} | `{kind.name}` | {parameters} | {kind.effect} |"
        assert page.count(row) == 1, row
