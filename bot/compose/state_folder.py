"""The state folder of a bot: where it is, that it can be written, and that nobody else uses it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adapters.control.files import write_durably
from adapters.fundamentals.settings import SourceSettings
from bot.domain.errors import RefusedStartError

PROBE = "alvh"
LOCK_FILE = "lock"
PROBE_FILE = "probe"
FOLDER_MODE = 0o700
DAILY = "daily"


def default_folder(profile: str, bot: str) -> Path:
    """Return the user's state folder for a profile and bot."""
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "alvh" / profile / bot


def daily_folder(settings: SourceSettings, state: Path) -> Path:
    """Return where the bot keeps its own daily figures: as configured, else in its state folder."""
    return Path(settings.daily_store).expanduser() if settings.daily_store else state / DAILY


@contextmanager
def opened_folder(folder: Path) -> Iterator[Path]:
    """Make, test and lock a state folder for as long as the bot runs.

    Raises:
        RefusedStartError: It cannot be written and read back, or another process holds it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
        write_durably(folder / PROBE_FILE, PROBE)
        if (folder / PROBE_FILE).read_text() != PROBE:
            raise RefusedStartError(f"{folder}: what was written was not read back; check the disk")
        lock = (folder / LOCK_FILE).open("w")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "what was written was not read back"
        raise RefusedStartError(f"{folder}: not writable ({why}); name another folder with --state or --out") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RefusedStartError(f"{folder}: in use by another bot; stop it or name another --state") from error
        yield folder
