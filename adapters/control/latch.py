"""The kill latch on disk: the flag is set in memory at once, the disk follows, and a restart never loosens it.

How it works: one small file holds mode, cause, kill epoch and whose latch it is. `tighten` and `loosen` change the flag
under the lock; `persist` writes what the flag says and returns when it is flushed. What always holds: the epoch never
falls, and a latch that is absent, unreadable, of another bot, or looser than the journal's last mode counts as HALT.
"""

import asyncio
import json
import threading
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from adapters.control.files import write_durably
from bot.domain.errors import LatchError
from bot.domain.mode import TradingMode

VERSION = 1
FILE_NAME = "latch.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """What the latch says."""

    mode: TradingMode
    cause: str
    epoch: int


class DiskLatch:
    """A `bot.ports.Latch` on one file; safe to use from the guard thread."""

    def __init__(self, path: Path, owner: str, flag: Flag) -> None:
        """Use `open_latch`."""
        self._path = path
        self._owner = owner
        self._flag = flag
        self._lock = threading.RLock()
        self._writing = threading.Lock()

    @property
    def lock(self) -> AbstractContextManager[object]:
        """Held from the last check before a send to the end of the write."""
        return self._lock

    @property
    def epoch(self) -> int:
        """Plus one at each latch of HALT; never reset."""
        return self._flag.epoch

    @property
    def mode(self) -> TradingMode:
        """The latched mode."""
        return self._flag.mode

    @property
    def cause(self) -> str:
        """Why it stands where it stands."""
        return self._flag.cause

    def tighten(self, mode: TradingMode, cause: str) -> int:
        """Set the flag at once, never looser than it is; HALT advances the epoch. Returns the epoch."""
        with self._lock:
            held = self._flag
            epoch = held.epoch + (mode is TradingMode.HALT)
            why = cause if mode >= held.mode else held.cause  # what holds the bot is what an operator must see
            self._flag = Flag(mode=max(mode, held.mode), cause=why, epoch=epoch)
            return epoch

    def loosen(self, mode: TradingMode, cause: str, *, epoch: int) -> bool:
        """Set a looser mode if the epoch is still this one; False when a kill came first."""
        with self._lock:
            if self._flag.epoch != epoch:
                return False
            self._flag = Flag(mode=mode, cause=cause, epoch=epoch)
            return True

    async def persist(self) -> None:
        """Return when the flag of this moment, or a later one, is on disk.

        Raises:
            LatchError: It cannot be written.
        """
        await asyncio.get_running_loop().run_in_executor(None, self.write)

    def write(self) -> None:
        """Write the present flag in the calling thread; as `persist`."""
        with self._writing:
            flag = self._flag
            facts = {
                "version": VERSION,
                "owner": self._owner,
                "mode": flag.mode.name,
                "cause": flag.cause,
                "epoch": flag.epoch,
            }
            try:
                write_durably(self._path, json.dumps(facts))
            except OSError as error:
                raise LatchError(
                    f"{self._path}: the latch cannot be written ({error.strerror}); free the disk"
                ) from error


def open_latch(folder: Path, owner: str, journal_mode: TradingMode | None) -> DiskLatch:
    """Open the latch of a bot.

    Args:
        folder: The state folder.
        owner: Bot, profile and account in one word; another owner's latch counts as none.
        journal_mode: The latch's mode as the journal saw it last; None for a new journal.

    Returns:
        A latch in HALT where the file is absent or cannot be believed.
    """
    path = folder / FILE_NAME
    flag = _read(path, owner)
    if journal_mode is None and flag.mode < TradingMode.HALT:
        cause = "the journal that belongs to the armed latch is missing"
        flag = Flag(mode=TradingMode.HALT, cause=cause, epoch=flag.epoch + 1)
    elif journal_mode is not None and flag.mode < journal_mode:
        cause = "latch on disk was looser than the journal's last mode"
        flag = Flag(mode=TradingMode.HALT, cause=cause, epoch=flag.epoch + 1)
    return DiskLatch(path, owner, flag)


def _read(path: Path, owner: str) -> Flag:
    def halted(cause: str) -> Flag:
        return Flag(mode=TradingMode.HALT, cause=cause, epoch=1)

    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        version, found = facts["version"], facts["owner"]
        flag = Flag(mode=TradingMode[facts["mode"]], cause=str(facts["cause"]), epoch=int(facts["epoch"]))
    except FileNotFoundError:
        return halted("first boot: not armed yet")
    except (OSError, ValueError, KeyError, TypeError):
        return halted("the latch on disk is unreadable")
    if version != VERSION:
        return halted(f"the latch on disk has version {version}, expected {VERSION}")
    return flag if found == owner else halted(f"the latch on disk belongs to {found}, not to {owner}")
