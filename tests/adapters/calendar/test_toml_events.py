"""The dated table of releases: the one that is delivered, and every way in which an operator's may be wrong."""

import csv
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from adapters.calendar.toml_events import LARGEST_FILE_BYTES, read_events
from bot.domain.errors import ConfigError
from bot.domain.releases import Confidence, Coverage, Release, ReleaseKind, ReleaseTable, renewal_warning
from bot.domain.schedule import NEW_YORK, SessionCalendar

FOMC, CPI, PPI = ReleaseKind
DELIVERED = Path(__file__).parents[3] / "config" / "events.toml"
FACTS = Path(__file__).parents[3] / ".." / "shared" / "data" / "event_dates.csv"

ROW = '{ day = 2026-12-10, time = 08:30:00, confidence = "official-copied", source = "a list" }'


def a_section(rows: str = ROW, *, first: str = "2026-01-01", last: str = "2026-12-31", name: str = "CPI") -> str:
    """One kind of release."""
    return f"[{name}]\ncovered_from = {first}\ncovered_to = {last}\nreleases = [{rows}]\n"


def a_file(tmp_path: Path, text: str | bytes) -> Path:
    """Write a table."""
    path = tmp_path / "events.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def refusal(path: Path) -> str:
    """Return the one line with which a table is refused."""
    with pytest.raises(ConfigError) as caught:
        read_events(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message


# the table that is delivered ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def delivered() -> ReleaseTable:
    """config/events.toml."""
    return read_events(DELIVERED)


def test_the_delivered_table_knows_what_was_announced(delivered: ReleaseTable) -> None:
    """FOMC into 2028, CPI and PPI to the end of 2026 and not a day further."""
    assert delivered.coverage == tuple(
        Coverage(kind=kind, covered_from=date(2025, 1, 1), covered_to=last)
        for kind, last in ((CPI, date(2026, 12, 31)), (FOMC, date(2028, 1, 26)), (PPI, date(2026, 12, 31)))
    )


@pytest.mark.parametrize(("kind", "clock"), [(FOMC, time(14)), (CPI, time(8, 30)), (PPI, time(8, 30))])
def test_the_delivered_releases_come_at_their_hour(delivered: ReleaseTable, kind: ReleaseKind, clock: time) -> None:
    """Decisions at 14:00, indices at 08:30 New York, in summer as in winter, on days when the exchange is open."""
    found = [release.at.astimezone(NEW_YORK) for release in delivered.releases if release.kind is kind]
    assert {moment.time() for moment in found} == {clock}
    assert [moment for moment in found if SessionCalendar().session(moment.date()) is None] == []


def test_the_committee_decides_eight_times_a_year(delivered: ReleaseTable) -> None:
    """On Wednesdays, six or seven weeks apart."""
    days = [release.day for release in delivered.releases if release.kind is FOMC]
    assert [sum(day.year == year for day in days) for year in (2025, 2026, 2027, 2028)] == [8, 8, 8, 1]
    assert {day.weekday() for day in days} == {2}
    assert {(after - before) // timedelta(weeks=1) for before, after in pairwise(days)} == {6, 7}


def test_what_nobody_verified_is_marked(delivered: ReleaseTable) -> None:
    """PPI rows before May 2026 are from memory, later ones from public lists; no other row is."""
    unverified = [release for release in delivered.releases if release.confidence is Confidence.MEMORY]
    assert {release.kind for release in unverified} == {PPI}
    assert max(release.day for release in unverified) == date(2026, 4, 14)
    secondary = {Confidence.ONE_LIST, Confidence.TWO_LISTS}
    assert {one.kind for one in delivered.releases if one.confidence in secondary} == {PPI}


def test_the_delivered_table_asks_for_renewal_in_time(delivered: ReleaseTable) -> None:
    """Sixty days before CPI and PPI end it is silent, a day later it names both and not the FOMC."""
    assert renewal_warning(delivered, date(2026, 11, 1)) is None
    warning = renewal_warning(delivered, date(2026, 11, 3))
    assert warning is not None
    assert "CPI is covered to 2026-12-31 only; PPI is covered to 2026-12-31 only (today" in warning


@pytest.mark.skipif(not FACTS.is_file(), reason="the shared list of dates is not on this machine")
def test_the_delivered_table_is_the_compiled_list(delivered: ReleaseTable) -> None:
    """Every dated row of the list, with its time and confidence, and no other."""
    with FACTS.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["event"] in set(ReleaseKind)]
    facts = {(row["date"], row["time_et"], row["event"], row["confidence"]) for row in rows}
    found = {
        (f"{one.day}", f"{one.at.astimezone(NEW_YORK):%H:%M}", one.kind.value, one.confidence.value)
        for one in delivered.releases
    }
    assert found == facts
    assert len(delivered.releases) == len(rows)


# what an operator writes ----------------------------------------------------------------------------------------


def test_a_table_is_read(tmp_path: Path) -> None:
    """Kind, New York time, source and confidence of a row, and the coverage of its section."""
    table = read_events(a_file(tmp_path, "\ufeff# mine\r\n" + a_section()))
    expected = Release(
        kind=CPI,
        at=datetime(2026, 12, 10, 8, 30, tzinfo=NEW_YORK),
        source="a list",
        confidence=Confidence.COPIED,
    )
    assert table.releases == (expected,)
    assert table.coverage == (Coverage(kind=CPI, covered_from=date(2026, 1, 1), covered_to=date(2026, 12, 31)),)


def test_an_empty_table_is_read_as_one_that_knows_nothing(tmp_path: Path) -> None:
    """No section, no coverage; a section without rows says that nothing is released in its days."""
    assert read_events(a_file(tmp_path, "# nothing yet\n")) == ReleaseTable()
    quiet = read_events(a_file(tmp_path, a_section("")))
    assert quiet.covers(CPI, date(2026, 6, 1))
    assert quiet.releases == ()


REFUSED = [
    (a_section(name="NFP"), "section 'NFP': found 'NFP', expected one of FOMC, CPI, PPI; name the section after"),
    (a_section(name="cpi"), "found 'cpi', expected one of FOMC, CPI, PPI"),
    ("CPI = 5\n", "section 'CPI': found '5', expected a table with covered_from, covered_to, releases"),
    (a_section() + "note = 1\n", "found the key 'note', expected only covered_from, covered_to, releases"),
    ("[CPI]\ncovered_from = 2026-01-01\nreleases = []\n", "found no covered_to, expected all of covered_from"),
    (
        a_section(first="2027-01-01"),
        "section 'CPI': coverage of CPI ends on 2026-12-31, before it begins on 2027-01-01",
    ),
    (a_section(first='"2026-01-01"'), "found covered_from = '2026-01-01', expected a date such as 2026-01-31; correct"),
    (a_section(last="2026-12-31T00:00:00Z"), "covered_to = '2026-12-31T00:00:00+00:00', expected a date"),
    (a_section().replace("[{", "{").replace("}]", "}"), "expected a list of rows"),
    (a_section("5"), "section 'CPI' row 1: found '5', expected a table with day, time, confidence, source"),
    (a_section(f"{ROW}, {ROW.replace('day', 'date')}"), "row 2: found the key 'date', expected only day, time"),
    (a_section(ROW.replace(", time = 08:30:00", "")), "row 1: found no time, expected all of day, time"),
    (a_section(ROW.replace("08:30:00", '"08:30"')), "time = '08:30', expected a New York time such as 08:30:00"),
    (a_section(ROW.replace("2026-12-10", "2026-12-10T08:30:00")), "day = '2026-12-10T08:30:00', expected a date"),
    (a_section(ROW.replace("2026-12-10", '"10.12.2026"')), "day = '10.12.2026', expected a date such as 2026-12-10"),
    (a_section(ROW.replace("official-copied", "certain")), "row 1: found 'certain', expected one of official-quoted"),
    (a_section(ROW.replace('"official-copied"', "true")), "confidence = 'True', expected a quoted word"),
    (a_section(ROW.replace("a list", " ")), "found an empty source, expected where the date comes from"),
    (a_section(ROW.replace("2026", "2027")), "CPI of 2027-12-10 08:30 New York lies outside the coverage of CPI"),
    (a_section(f"{ROW}, {ROW}"), "CPI is listed twice on 2026-12-10"),
    (a_section(ROW.replace("2026-12-10", "2026-02-30")), "not valid TOML"),
    (a_section(ROW.replace("08:30:00", "8:30")), "not valid TOML"),
    (a_section() + a_section(), "not valid TOML"),
    (a_section()[:-3], "not valid TOML"),
    (a_section().encode("utf-16"), "byte 0 is no UTF-8 text, expected a table of releases in UTF-8; name the right"),
    ("x = " + "[" * 20_000, "nested far deeper than a table of releases"),
    ("#" * (LARGEST_FILE_BYTES + 1), "holds 1000001 bytes, expected at most 1000000"),
    ('"' + "x" * 500 + '" = 1', "xxx..."),
]


@pytest.mark.parametrize(("text", "told"), REFUSED, ids=range(len(REFUSED)))
def test_whatever_is_wrong_is_one_line(tmp_path: Path, text: str | bytes, told: str) -> None:
    """The line names file, section and row, what was found, what was expected, and the cure."""
    message = refusal(a_file(tmp_path, text))
    assert told in message
    assert len(message) < 500


def test_a_table_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """Neither a missing file nor a folder is a table."""
    assert "cannot be read (No such file or directory); check path and permissions" in refusal(tmp_path / "none.toml")
    assert "is no file" in refusal(tmp_path)
