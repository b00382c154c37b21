"""Reading fields: every spelling of a number, and what is refused."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.tws.fields import BadFieldError, Cursor, decimal_of


@pytest.mark.parametrize(
    ("text", "number"), [("12", 12), ("12.0", 12), ("-1", -1), ("", 0), ("2147483647", 0), (" 7 ", 7), ("1e3", 1000)]
)
def test_whole_numbers_have_several_spellings(text: str, number: int) -> None:
    """Clients write 12 and 12.0, and leave fields empty or at the largest integer when they mean nothing."""
    assert Cursor((text,)).integer("n") == number


@pytest.mark.parametrize("text", ["", "1.7976931348623157E308", "1.7976931348623157e+308", "2147483647"])
def test_unset_numbers_become_empty(text: str) -> None:
    """Every spelling of an unset number is normalised, so that none is echoed as a price."""
    assert Cursor((text,)).number_text("n") == ""


@pytest.mark.parametrize("text", ["Infinity", "Infinite", "inf"])
def test_infinity_has_one_spelling(text: str) -> None:
    """Each client writes its own; what is told back is what all of them read."""
    assert Cursor((text,)).number_text("competeAgainstBestOffset") == "Infinity"


@pytest.mark.parametrize("text", ["12.5", "abc", "inf", "nan", "1e300", "0x10", "--1"])
def test_what_is_no_whole_number_is_refused(text: str) -> None:
    """A fraction, a word, infinity and an absurd size are no identifiers."""
    with pytest.raises(BadFieldError, match="reqId"):
        Cursor((text,)).integer("reqId")


@pytest.mark.parametrize(("text", "flag"), [("1", True), ("true", True), ("True", True), ("0", False), ("", False)])
def test_flags_have_several_spellings(text: str, flag: bool) -> None:  # noqa: FBT001 - a table of expectations
    """Digits, words and nothing."""
    assert Cursor((text,)).flag("whatIf") is flag


def test_the_end_of_a_message_is_named() -> None:
    """The error says which field was missing and how long the message was."""
    with pytest.raises(BadFieldError, match="tif: the message ends after 1 fields"):
        Cursor(("3",), 1).text("tif")


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused_with_the_one_error(text: str) -> None:
    """No field content raises anything but the error that the session answers."""
    for read in (Cursor.integer, Cursor.real, Cursor.flag, Cursor.number_text):
        with contextlib.suppress(BadFieldError):
            read(Cursor((text,)), "field")
    with contextlib.suppress(BadFieldError):
        decimal_of(text, "price")
