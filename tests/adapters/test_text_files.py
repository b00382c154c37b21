"""A text file of an operator is read whole, or refused with one line that names path and cure."""

from pathlib import Path

import pytest

from adapters.text_files import read_text, shortened
from bot.domain.errors import ConfigError, HistoryError


def read(path: Path, largest_bytes: int | None = None) -> str:
    """Read as a list that is to be made again where it is wrong."""
    return read_text(path, what="a list", cure="make it again", raises=HistoryError, largest_bytes=largest_bytes)


def test_a_text_is_read_without_its_mark_and_with_its_line_ends(tmp_path: Path) -> None:
    """The mark that some programs put first is no text; nothing else is changed."""
    path = tmp_path / "list"
    path.write_bytes(b"\xef\xbb\xbfZ\xc3\xbcrich\r\n")
    assert read(path) == "Z\u00fcrich\r\n"


def test_the_largest_file_is_read_and_one_byte_more_is_not(tmp_path: Path) -> None:
    """The bound itself is allowed; without a bound there is none."""
    path = tmp_path / "list"
    path.write_bytes(b"x" * 11)
    assert len(read(path, largest_bytes=11)) == len(read(path)) == 11
    with pytest.raises(HistoryError, match="list: holds 11 bytes, expected at most 10; make it again"):
        read(path, largest_bytes=10)


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Missing, a folder, a device without end, bytes that are no text: the kind of error is the caller's."""
    (tmp_path / "bytes").write_bytes(b"ab\xff")
    for path, told in (
        (tmp_path / "none", r"none: cannot be read \(No such file or directory\); check path and permissions"),
        (tmp_path, "is no file, expected a list; make it again"),
        (Path("/dev/zero"), "is no file, expected a list"),
        (tmp_path / "bytes", "byte 2 is no UTF-8 text, expected a list in UTF-8; make it again"),
    ):
        with pytest.raises(HistoryError, match=told):
            read(path)
    with pytest.raises(ConfigError) as refused:
        read_text(tmp_path, what="a list", cure="make it again")
    assert type(refused.value) is ConfigError


@pytest.mark.parametrize(("length", "told"), [(60, "x" * 60), (61, "x" * 60 + "...")])
def test_a_message_repeats_sixty_characters(length: int, told: str) -> None:
    """What fits is repeated whole."""
    assert shortened("x" * length) == told
