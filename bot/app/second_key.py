"""A loosening command that one key has signed waits for a second one, for as long as a challenge lives (3.4)."""

from datetime import timedelta

from bot.app.shell import Shell
from bot.domain.command import AckDetail, Command, CommandName, HalfSigned


class SecondKey:
    """At most one command waits; the next one that waits takes its place, and any new word of the latch ends it."""

    def __init__(self, shell: Shell, life: timedelta) -> None:
        """Take the shell, and how long a first signature counts."""
        self._shell = shell
        self._life = life
        self.half_signed: HalfSigned | None = None

    def take(self, command: Command) -> AckDetail:
        """Keep a first signature and have it told; returns what its sender is told."""
        self.half_signed = HalfSigned(command=command, until=self._shell.clock.host_now() + self._life)
        until = self.half_signed.until.isoformat()
        facts = {"command": command.name, "asks": command.asks, "key_id": command.key_id, "reason": command.reason}
        self._shell.tell("key_awaited", {**facts, "until": until})
        return {"awaits": "a second key", "asks": command.asks, "signed_by": command.key_id, "until": until}

    def void(self) -> None:
        """What was half signed is over."""
        self.half_signed = None

    def waiting(self, epoch: int) -> Command | None:
        """Return the command that waits now, None where there is none."""
        half = self.half_signed
        return half.command if half is not None and half.waits(epoch=epoch, now=self._shell.clock.host_now()) else None

    def words(self, epoch: int) -> str:
        """What waits in one line, empty where nothing does."""
        command = self.waiting(epoch)
        return "" if command is None else f"{command.asks} by {command.key_id}: {command.reason}"

    def keeps_the_plan(self, epoch: int) -> bool:
        """Return whether the plan to flatten that was told last must stay as it is: one key has signed it."""
        command = self.waiting(epoch)
        return command is not None and command.name is CommandName.FLATTEN
