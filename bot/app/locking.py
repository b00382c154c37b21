"""Looks after locks: one that should end by itself and does not is handed to a person, once."""

from datetime import timedelta

from bot.app.shell import Shell
from bot.domain.events import LockEscalated


class LockKeeper:
    """Judged now and then by whoever keeps the time; it takes no lock away."""

    def __init__(self, shell: Shell) -> None:
        """Take what it works with."""
        self._shell = shell

    def judge(self) -> None:
        """Latch each lock that has held for longer than its time; docs/risk-controls.md, L5."""
        now, patience = self._shell.clock.now(), self._shell.settings.lock_escalated_s
        for lock in self._shell.engine.state.locks.passing:
            if now - lock.since >= timedelta(seconds=patience):
                why = f"{lock.why}; not settled within {patience:.0f} s"
                self._shell.pump(LockEscalated(at=now, lock=lock.name, why=why))
