"""Calendar files of an operator: the BLS feed is read, whatever leaves a moment open is one clear line."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from adapters.calendar.ics import LARGEST_FILE_BYTES, read_calendar
from bot.domain.errors import ConfigError
from bot.domain.releases import Confidence, Coverage, Release, ReleaseKind, ReleaseTable

FOMC, CPI, PPI = ReleaseKind

US_EASTERN = """BEGIN:VTIMEZONE
TZID:US-Eastern
BEGIN:DAYLIGHT
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
DTSTART:20070311T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
DTSTART:20071104T020000
RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU
END:STANDARD
END:VTIMEZONE
"""
"""The zone as the BLS feed defines it."""


def a_row(
    title: str = "Consumer Price Index", start: str = "DTSTART;TZID=US-Eastern:20261210T083000", more: str = ""
) -> str:
    """One event in the form of the BLS feed."""
    lines = ["BEGIN:VEVENT", "SEQUENCE:1", "CLASS:PUBLIC", "UID:270ff9a3", start, "DURATION:PT0M", f"SUMMARY:{title}"]
    return "\n".join([*lines, "LOCATION:Washington\\, DC", *more.split(), "END:VEVENT", ""])


def a_calendar(*rows: str, zone: str = US_EASTERN, more: str = "") -> str:
    """A whole file in that form."""
    head = "BEGIN:VCALENDAR\nPRODID:-//Department of Labor//Bureau of Labor Statistics//EN\nVERSION:2.0\n"
    return f"{head}{more}X-WR-TIMEZONE:US-Eastern\n{zone}{''.join(rows)}END:VCALENDAR\n"


def a_file(tmp_path: Path, text: str | bytes) -> Path:
    """Write a calendar file."""
    path = tmp_path / "bls.ics"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def refusal(path: Path) -> str:
    """Return the one line with which a file is refused."""
    with pytest.raises(ConfigError) as caught:
        read_calendar(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert message.isprintable()
    return message


def moments(tmp_path: Path, text: str) -> list[tuple[ReleaseKind, datetime]]:
    """Return kind and moment of each release in a file."""
    return [(one.kind, one.at) for one in read_calendar(a_file(tmp_path, text)).table.releases]


# what is read ---------------------------------------------------------------------------------------------------


def test_the_feed_of_the_bls_is_read(tmp_path: Path) -> None:
    """CPI and PPI in winter and summer time, a folded title, other releases and whole-day holidays beside them."""
    text = a_calendar(
        a_row("Employment Situation", "DTSTART;TZID=US-Eastern:20260807T083000"),
        a_row("Consumer Price Ind\n ex", "DTSTART;TZID=US-Eastern:20260812T083000"),
        a_row("Producer Price Index", "DTSTART;TZID=US-Eastern:20261215T083000"),
        a_row(),
        a_row("Independence Day", "DTSTART;VALUE=DATE:20260703"),
        a_row("U.S. Import and Export Price Indexes", "DTSTART:20261211T083000"),
    )
    found = read_calendar(a_file(tmp_path, text))
    assert [(one.kind, one.at) for one in found.table.releases] == [
        (CPI, datetime(2026, 8, 12, 12, 30, tzinfo=UTC)),
        (CPI, datetime(2026, 12, 10, 13, 30, tzinfo=UTC)),
        (PPI, datetime(2026, 12, 15, 13, 30, tzinfo=UTC)),
    ]
    assert found.table.coverage == (
        Coverage(kind=CPI, covered_from=date(2026, 8, 12), covered_to=date(2026, 12, 10)),
        Coverage(kind=PPI, covered_from=date(2026, 12, 15), covered_to=date(2026, 12, 15)),
    )
    assert {(one.source, one.confidence) for one in found.table.releases} == {
        ("calendar file bls.ics", Confidence.OPERATOR)
    }
    assert str(found) == (
        "bls.ics: 3 releases (CPI 2026-08-12 to 2026-12-10, PPI 2026-12-15 to 2026-12-15), 0 cancelled, "
        "3 other rows ignored"
    )


@pytest.mark.parametrize(
    "text",
    [
        a_calendar(a_row()).replace("\n", "\r\n"),
        "\ufeff" + a_calendar(a_row()) + "\n\n",
        a_calendar(a_row(), a_row()),
        a_calendar(a_row(), zone=""),
        a_calendar(a_row(start="DTSTART:20261210T133000Z"), zone=""),
        a_calendar(a_row(start="DTSTART;VALUE=DATE-TIME:20261210T133000Z")),
        a_calendar(a_row(start="DTSTART;TZID=America/New_York:20261210T083000")),
        a_calendar(a_row(start="DTSTART;TZID=Europe/Berlin:20261210T143000")),
        a_calendar(zone=a_row() + US_EASTERN),
        a_calendar(
            a_row(start="DTSTART;TZID=Office:20261210T083000"),
            zone=US_EASTERN.replace("TZID:US-Eastern", "TZID:Office"),
        ),
        a_calendar(a_row("Consumer Price Index for November 2026")),
        a_calendar(a_row("CPI", more="STATUS:CONFIRMED")),
    ],
)
def test_one_release_in_many_forms_is_the_same_moment(tmp_path: Path, text: str) -> None:
    """Line ends, byte-order mark, repeated rows, zones defined before, after or not at all, UTC, longer titles."""
    assert moments(tmp_path, text) == [(CPI, datetime(2026, 12, 10, 13, 30, tzinfo=UTC))]


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("Producer Price Index", PPI),
        ("ppi for November 2026", PPI),
        ("FOMC Decision", FOMC),
        ("FOMC rate decision", FOMC),
        ("FOMC  Statement", FOMC),
    ],
)
def test_titles_name_their_kind(tmp_path: Path, title: str, kind: ReleaseKind) -> None:
    """Upper and lower case and doubled spaces do not matter."""
    assert [found for found, _ in moments(tmp_path, a_calendar(a_row(title)))] == [kind]


@pytest.mark.parametrize(
    "title",
    [
        "FOMC Minutes",
        "FOMC Meeting",
        "Consumer Price Index (Chained)",
        "Real Earnings and CPI",
        "Producer Price Index Weights",
    ],
)
def test_a_similar_title_is_shown_and_not_read(tmp_path: Path, title: str) -> None:
    """Minutes are no decision, and a meeting of two days does not say when it decides."""
    found = read_calendar(a_file(tmp_path, a_calendar(a_row(), a_row(title), a_row(title), a_row("Job Openings"))))
    assert found.similar == (title,)
    assert found.ignored == 3
    assert str(found).endswith(f"3 other rows ignored; not read although similar: {title!r}")


def test_the_zone_of_the_file_is_the_one_that_counts(tmp_path: Path) -> None:
    """A file may define a zone under a known name; an earlier file's zone of that name is forgotten."""
    shifted = US_EASTERN.replace("0500", "0900").replace("0400", "0800")
    assert moments(tmp_path, a_calendar(a_row(), zone=shifted)) == [(CPI, datetime(2026, 12, 10, 17, 30, tzinfo=UTC))]
    assert moments(tmp_path, a_calendar(a_row())) == [(CPI, datetime(2026, 12, 10, 13, 30, tzinfo=UTC))]


def test_an_import_renews_a_table(tmp_path: Path) -> None:
    """December moves, a cancelled November goes, October stays."""
    days = (date(2026, 10, 14), date(2026, 11, 10), date(2026, 12, 11))
    old = [
        Release(
            kind=CPI,
            at=datetime(day.year, day.month, day.day, 14, tzinfo=UTC),
            source="x",
            confidence=Confidence.COPIED,
        )
        for day in days
    ]
    table = ReleaseTable.of(old, [Coverage(kind=CPI, covered_from=days[0], covered_to=date(2026, 12, 31))])
    gone = a_row(start="DTSTART;TZID=US-Eastern:20261110T083000", more="STATUS:CANCELLED")
    found = read_calendar(a_file(tmp_path, a_calendar(a_row(), gone)))
    renewed = found.renewing(table)
    assert [one.day for one in found.cancelled] == [date(2026, 11, 10)]
    assert [one.day for one in renewed.releases] == [date(2026, 10, 14), date(2026, 12, 10)]
    assert renewed.coverage == table.coverage


# what is refused ------------------------------------------------------------------------------------------------

REFUSED_ROWS = [
    (a_row(start="DTSTART:20261210T083000"), "row 1 (Consumer Price Index): found the time 2026-12-10 08:30 without a"),
    (a_row(start="DTSTART;VALUE=DATE:20261210"), "the whole day 2026-12-10, expected a time of day"),
    (a_row(start="DTSTART;VALUE=PERIOD:20261210T083000Z/PT1H"), "expected a time of day"),
    (a_row(start="DTSTART;TZID=Mars/Olympus:20261210T083000"), "the zone 'Mars/Olympus', expected one that the file"),
    (a_row(start="DTSTART;TZID=../../etc/passwd:20261210T083000"), "the zone '../../etc/passwd'"),
    (a_row(start="DTSTART;TZID=America:20261210T083000"), "is no valid calendar file"),
    (a_row(start="DTSTART;TZID=US-Eastern:20261210T083000Z"), "a zone and a Z for UTC at once"),
    (a_row(start="DTSTART;TZID=US-Eastern:2026121"), "row 1 (Consumer Price Index): found "),
    (a_row(start="DTSTART;TZID=US-Eastern:20261310T083000"), "row 1 (Consumer Price Index): found "),
    (a_row(start="DTSTAMP:20261210T083000Z"), "no DTSTART, expected one time"),
    (a_row(more="DTSTART;TZID=US-Eastern:20261211T083000"), "2 times DTSTART, expected one time"),
    (a_row(more="RRULE:FREQ=MONTHLY"), "the recurrence RRULE, expected one date a row; write each date as a row"),
    (a_row(more="RDATE:20261211T083000Z"), "the recurrence RDATE"),
    (a_row(more="RECURRENCE-ID:20261211T083000Z"), "the recurrence RECURRENCE-ID"),
    (a_row(more="SUMMARY:PPI"), "2 titles, expected one"),
    (a_row(more="no-colon"), "properties of the calendar form"),
    (a_row(more="STATUS:CANCELLED", start="DTSTART:20261210T083000"), "without a zone"),
    (a_row() + a_row(start="DTSTART;TZID=US-Eastern:20261210T100000"), "CPI is listed twice on 2026-12-10"),
    (a_row("Employment Situation"), "found no release among 1 other rows, expected titles such as"),
    ("", "found no release among 0 other rows"),
    (a_row(more="STATUS:CANCELLED"), "found no release"),
    (a_row("CPI\x1b[2J", start="DTSTART:x") + a_row("CPI", start="DTSTART:x"), "row 1"),
]


@pytest.mark.parametrize(("rows", "told"), REFUSED_ROWS)
def test_a_row_without_one_moment_is_refused(tmp_path: Path, rows: str, told: str) -> None:
    """The line names the row, what was found and what was expected; nothing is guessed."""
    message = refusal(a_file(tmp_path, a_calendar(rows)))
    assert told in message
    assert ";" in message or "remove one" in message


WHOLE = a_calendar(a_row())

REFUSED_FILES = [
    ("", "is empty"),
    ("\n \n", "is empty"),
    (
        "<html>no calendar</html>",
        "begins with '<html>no', expected BEGIN:VCALENDAR; save the calendar file, not a page",
    ),
    (WHOLE[: len(WHOLE) // 2], "expected END:VCALENDAR, it was cut off"),
    (WHOLE.replace("END:VCALENDAR\n", ""), "ends with 'END:VEVENT', expected END:VCALENDAR"),
    (WHOLE.replace("END:VEVENT\n", "", 1), "is no valid calendar file"),
    (WHOLE + WHOLE, "is no valid calendar file"),
    (WHOLE.replace("VERSION:2.0", "VERSION"), "is no valid calendar file"),
    (WHOLE.replace("TZOFFSETTO:-0500", "TZOFFSETTO:never"), "valid"),
    (a_calendar(a_row(), zone="BEGIN:VTIMEZONE\nTZID:US-Eastern\nEND:VTIMEZONE\n"), "valid"),
    (a_calendar(a_row(), more="METHOD:CANCEL\n"), "cancels its rows"),
    (WHOLE.encode("utf-16"), "byte 0 is no UTF-8 text"),
    (WHOLE.encode().replace(b"Washington", b"Z\xfcrich"), "is no UTF-8 text"),
    (WHOLE.replace("VERSION:2.0", "X-LONG:" + "x" * LARGEST_FILE_BYTES), "expected at most 1000000; export"),
    (b"\0" * 10_000_000, "holds 10000000 bytes"),
]


@pytest.mark.parametrize(("text", "told"), REFUSED_FILES, ids=range(len(REFUSED_FILES)))
def test_a_file_that_is_no_whole_calendar_is_refused(tmp_path: Path, text: str | bytes, told: str) -> None:
    """Empty, a web page, cut off, doubled, in another encoding, too large: one line each."""
    assert told in refusal(a_file(tmp_path, text))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """Neither a missing file nor a folder is a calendar."""
    assert "cannot be read (No such file or directory)" in refusal(tmp_path / "none.ics")
    assert "is no file" in refusal(tmp_path)
