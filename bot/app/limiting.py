"""A limit of the running bot is changed by command: in force at once, answered when it is on disk (C37, I21).

What always holds: the new set counts, is told and is put into the journal in one step without an await; what was
approved by the old one is judged anew; what works at the broker stays.

Source: docs/risk-controls.md, C37.
"""

from collections import deque
from collections.abc import Callable

from bot.app.shell import Shell
from bot.domain.command import AckDetail, Command
from bot.domain.events import LimitChanged
from bot.ports import JournalRow
from risk.authority import ChangeLimit
from risk.limit_changes import limits_hash


class LimitSetter:
    """Carries out what was judged; a restart finds what was answered."""

    def __init__(self, shell: Shell, done: Callable[[Command, AckDetail], None]) -> None:
        """Take the shell, and whom to tell of a command whose change is on disk."""
        self._shell = shell
        self._done = done
        self._unwritten: deque[tuple[Command, AckDetail]] = deque()

    def change(self, command: Command, wanted: ChangeLimit) -> None:
        """Put the set in force."""
        change = wanted.change
        event = LimitChanged(
            at=self._shell.clock.now(),
            name=change.name,
            before=change.before,
            after=change.after,
            is_looser=change.is_looser,
            key_id=command.key_id or command.channel.value,
            reason=command.reason,
            hash=limits_hash(wanted.limits),
        )
        detail: AckDetail = {"limit": change.name, "before": change.before, "after": change.after, "hash": event.hash}
        self._unwritten.append((command, detail))
        self._shell.engine.take_limits(wanted.limits)
        self._shell.pump(event)

    def told(self, row: JournalRow) -> None:
        """Hear of a committed row; they come in the order of the changes."""
        if row.kind == "limit_changed" and self._unwritten:
            self._done(*self._unwritten.popleft())
