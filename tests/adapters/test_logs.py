"""Log lines: masked, printable, bounded, valid JSON, and never in anybody's way."""

import io
import json
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.logs import LONGEST_LIST, LONGEST_TEXT, LibraryHandler, Logs, open_log_file, safe_value
from bot.ports import JournalRow

AT = datetime(2026, 10, 20, 14, 0, tzinfo=UTC)


class Both:
    """Logs with both outputs in memory."""

    def __init__(self) -> None:
        self.file, self.terminal = io.BytesIO(), io.StringIO()
        self.logs = Logs(self.file, self.terminal, lambda: AT)

    def lines(self) -> list[dict[str, Any]]:
        """Every line of the file, read as strict JSON."""

        def refuse(constant: str) -> None:
            pytest.fail(f"bare {constant} in the log")

        return [json.loads(line, parse_constant=refuse) for line in self.file.getvalue().splitlines()]

    def shown(self) -> str:
        """All that was written anywhere."""
        return self.file.getvalue().decode() + self.terminal.getvalue()


def test_a_row_is_one_line_in_each_output() -> None:
    """Moment in UTC, name, decision and facts; the terminal's line begins with the time."""
    both = Both()
    both.logs.row(JournalRow(kind="order_sent", decision_id="d-123456789", at=AT, payload={"filled": 2}))
    assert both.lines() == [
        {"at": "2026-10-20T14:00:00.000+00:00", "event": "order_sent", "decision_id": "d-123456789", "filled": 2}
    ]
    assert re.fullmatch(r"2026-10-20 14:00:00 order_sent +d-123456 filled=2\n", both.terminal.getvalue())


CANARIES = ("DU1234567", "U7654321", "DF1111122", "DUH765432", "F9988776", "DU123456789")


@pytest.mark.parametrize("account", CANARIES)
@pytest.mark.parametrize("around", ["{}", "acct={}", "{}_sub", "x{},y", "https://host/{}/orders", "{}\x00", "['{}']"])
def test_an_account_is_masked_wherever_it_stands(account: str, around: str) -> None:
    """As a value, in text, glued to other letters, as a key, deep inside, and in a library's record."""
    both = Both()
    text = around.format(account)
    both.logs.log("event_" + text, facts={text: text, "deep": [{"more": {text: (text,)}}]})
    record = logging.LogRecord("ib_async", logging.ERROR, "", 0, "said %s", (text,), None)
    handler = both.logs.attach_libraries()
    handler.emit(record)
    handler.close()
    assert len(both.lines()) == 2
    assert account not in both.shown()
    assert f"{account[-2:]}" in both.shown()
    assert "**" in both.shown()


@pytest.mark.parametrize(
    "name", ["VIX 20261118 20C", "i-12345", "3f12345a-7c2e", "SPX 6800", "LU123456", "VXF27", "OPT:VIX:2026-11-18:20:C"]
)
def test_what_is_no_account_stays_readable(name: str) -> None:
    """Contracts, ids and numbers are not masked."""
    assert safe_value(name) == name


HOSTILE = [
    "line\nbreak",
    "\x1b[31mred\x1b[0m",
    '{"event": "forged"}\n{"at": 1}',
    "a\u2028b\u202e",
    "\x07" * 9,
    "x" * 10_000,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_escaped_and_cut(text: str) -> None:
    """One call is one line, without control characters, and no longer than allowed."""
    both = Both()
    both.logs.log("broker_said", facts={"text": text, text: 1})
    (line,) = both.lines()
    assert line["event"] == "broker_said"
    assert str(line["text"]).isprintable()
    assert len(str(line["text"])) <= LONGEST_TEXT + 1
    assert both.terminal.getvalue().count("\n") == 1
    assert both.terminal.getvalue()[:-1].isprintable()


def test_numbers_that_are_none_become_null() -> None:
    """NaN and infinities, float or Decimal, at any depth; integers too large for other readers become text."""
    both = Both()
    facts = {"a": float("nan"), "b": [float("inf"), {"c": Decimal("NaN")}], "d": 2**70, "e": Decimal("1.50")}
    both.logs.log("sample_taken", facts=facts)
    (line,) = both.lines()
    assert (line["a"], line["b"], line["d"], line["e"]) == (None, [None, {"c": None}], str(2**70), "1.50")


def test_facts_never_replace_the_lines_own_keys() -> None:
    """A fact named like a key of the line is kept beside it."""
    both = Both()
    both.logs.log(
        "order_sent", decision_id="d", facts={"event": "forged", "at": "never", "decision_id": "x", "self": 1}
    )
    (line,) = both.lines()
    assert (line["event"], line["decision_id"]) == ("order_sent", "d")
    assert (line["event_"], line["at_"], line["decision_id_"], line["self"]) == ("forged", "never", "x", 1)


def test_long_lists_are_cut_and_bulky_ones_counted_on_the_terminal() -> None:
    """The file shows the first of them, the terminal how many there are."""
    both = Both()
    both.logs.log("hedge_planned", facts={"candidates": list(range(100))})
    assert len(both.lines()[0]["candidates"]) == LONGEST_LIST
    assert "candidates=[100]" in both.terminal.getvalue()


class Full(io.BytesIO):
    """A disk without room."""

    def write(self, _line: object) -> int:
        """Refuse."""
        raise OSError(28, "No space left on device")


def test_an_output_that_cannot_be_written_is_counted_and_stops_nothing() -> None:
    """A full disk and a closed terminal: no error, each lost line counted, the other output goes on."""
    terminal = io.StringIO()
    logs = Logs(Full(), terminal, lambda: AT)
    logs.log("order_sent", facts={})
    assert (logs.lines_lost, "order_sent" in terminal.getvalue()) == (1, True)
    terminal.close()
    logs.log("order_sent", facts={})
    assert logs.lines_lost == 3


def test_facts_that_no_line_can_hold_are_counted_as_lost() -> None:
    """A stranger among the facts loses its line and nothing else."""
    both = Both()
    both.logs.log("order_sent", facts={"x": object()})
    both.logs.log("order_sent", facts={})
    assert both.logs.lines_lost == 1
    assert len(both.lines()) == 1


@pytest.fixture
def library() -> Iterator[tuple[Both, logging.Logger]]:
    """The client library's logger, led into our logs."""
    both = Both()
    handler = both.logs.attach_libraries()
    yield both, logging.getLogger("ib_async.client")
    handler.close()


class Unreadable:
    """An argument whose text cannot be made."""

    def __str__(self) -> str:
        return str(1 / 0)


def test_a_librarys_records_come_through(library: tuple[Both, logging.Logger]) -> None:
    """Warnings and errors with their cause; information stays out; a broken record is told as such."""
    both, logger = library
    logger.info("quiet")
    logger.warning("Error %d: %s", 2104, "farm OK")
    try:
        {}["permId"]
    except KeyError:
        logger.exception("decoding failed")
    (handler,) = [one for one in logging.getLogger("ib_async").handlers if isinstance(one, LibraryHandler)]
    for text, argument in (("%s", Unreadable()), ("%d", "no number")):
        handler.emit(logging.LogRecord(logger.name, logging.ERROR, "", 0, text, (argument,), None))
    texts = [(line["event"], line["library"], line["level"], line["text"]) for line in both.lines()]
    assert texts == [
        ("library_logged", "ib_async.client", "WARNING", "Error 2104: farm OK"),
        ("library_logged", "ib_async.client", "ERROR", "decoding failed"),
        ("library_logged", "ib_async.client", "ERROR", "unreadable record: ZeroDivisionError"),
        ("library_logged", "ib_async.client", "ERROR", "unreadable record: TypeError"),
    ]
    assert both.lines()[1]["error"] == "KeyError: 'permId'"


def test_a_closed_handler_lets_the_library_go() -> None:
    """A run that ended hears nothing of the next one."""
    both = Both()
    both.logs.attach_libraries().close()
    left = logging.getLogger("ib_async").handlers
    assert [one for one in left if isinstance(one, LibraryHandler)] == []


def test_a_log_file_belongs_to_its_owner_and_is_continued(tmp_path: Path) -> None:
    """Mode 0600; a second run appends."""
    for _ in range(2):
        with open_log_file(tmp_path / "deep" / "log.jsonl") as file:
            Logs(file, None, lambda: AT).log("bot_started", facts={})
    path = tmp_path / "deep" / "log.jsonl"
    assert path.stat().st_mode & 0o077 == 0
    assert len(path.read_text().splitlines()) == 2


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.decimals() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(facts=st.dictionaries(st.text(st.characters(), max_size=8), anything, max_size=4))
def test_whatever_the_facts_a_call_is_one_readable_line(facts: dict[str, Any]) -> None:
    """Any text, number or nesting: nothing raises, nothing is lost, and the line is valid JSON."""
    both = Both()
    both.logs.log("anything_happened", facts=facts)
    assert both.logs.lines_lost == 0
    assert len(both.lines()) == 1
    assert both.terminal.getvalue().count("\n") == 1
