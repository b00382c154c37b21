"""Small files that must survive a power cut: written aside, flushed, renamed, and the folder flushed."""

import os
from pathlib import Path

from bot.domain.errors import RefusedStartError

PRIVATE = 0o600


def write_durably(path: Path, text: str, mode: int = PRIVATE) -> None:
    """Replace a file's content as one step.

    Raises:
        OSError: It could not be written; the old content still stands.
    """
    aside = path.with_name(f".{path.name}.new")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        os.write(descriptor, text.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    aside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def is_private(path: Path) -> bool:
    """Return whether nobody but the owner can read a file."""
    return path.stat().st_mode & 0o077 == 0


def read_secret(path: Path) -> str:
    """Return the one line of a file that holds a password or token.

    Raises:
        RefusedStartError: Missing, empty, or readable by others.
    """
    try:
        if not is_private(path):
            raise RefusedStartError(f"{path}: others can read this password; run chmod 600 on it")
        password = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise RefusedStartError(f"{path}: no readable password ({error}); write it on one line") from error
    if not password:
        raise RefusedStartError(f"{path}: empty, expected the password on one line")
    return password
