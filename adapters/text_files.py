"""Reads a whole text file that an operator supplies; what keeps it from being read is one line with path and cure."""

from pathlib import Path
from typing import Final

from bot.domain.errors import ConfigError

_LONGEST_QUOTE: Final = 60  # characters of a file that a message repeats


def read_text(
    path: Path, *, what: str, cure: str, raises: type[ConfigError] = ConfigError, largest_bytes: int | None = None
) -> str:
    """Return the text of a file in UTF-8, without the mark that some programs put before it.

    Args:
        path: Of a file; a folder or a device is refused before it is read.
        what: The file as it should be, for the message: "a CSV file".
        cure: What to do about a wrong one: "download it again".
        raises: The kind of error.
        largest_bytes: More are refused unread; None reads any number.

    Raises:
        ConfigError: Of the kind asked for: missing, unreadable, no file, too large or no UTF-8 text.
    """
    try:
        if path.exists() and not path.is_file():
            raise raises(f"{path}: is no file, expected {what}; {cure}")
        if largest_bytes is not None and (size := path.stat().st_size) > largest_bytes:
            raise raises(f"{path}: holds {size} bytes, expected at most {largest_bytes}; {cure}")
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise raises(f"{path}: cannot be read ({error.strerror}); check path and permissions") from error
    except UnicodeDecodeError as error:
        raise raises(f"{path}: byte {error.start} is no UTF-8 text, expected {what} in UTF-8; {cure}") from error


def shortened(found: str) -> str:
    """Return a text as a message repeats it, cut where it is long."""
    return found if len(found) <= _LONGEST_QUOTE else f"{found[:_LONGEST_QUOTE]}..."
