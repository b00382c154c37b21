"""What the loss of the operators' line demands: REDUCE_ONLY after a minute, HALT in live after a quarter of an hour."""

from collections.abc import Callable
from datetime import datetime

from bot.app.guards import Guards
from bot.app.shell import Shell
from bot.domain.mode import DemandSource


class LineLoss:
    """Remembers since when the line is lost; judged now and then by whoever keeps the time."""

    def __init__(
        self,
        shell: Shell,
        guards: Guards,
        *,
        requires_link: bool,
        halt: Callable[[str], None],
        is_halted: Callable[[], bool],
    ) -> None:
        """Take the parts.

        Args:
            shell: Time and periods.
            guards: Hold the demand, and know when it ends.
            requires_link: Whether a long loss halts.
            halt: Latches HALT with its cause.
            is_halted: Whether HALT is latched already.
        """
        self._shell = shell
        self._guards = guards
        self._requires_link = requires_link
        self._halt = halt
        self._is_halted = is_halted
        self._lost_at: datetime | None = None

    def changed(self, *, up: bool) -> None:
        """The line came up or was lost; a loss is counted from its first moment."""
        if up:
            self._lost_at = None
            self._guards.is_gone(DemandSource.COMMAND_LINK)
        elif self._lost_at is None:
            self._lost_at = self._shell.clock.now()
            self._guards.is_back(DemandSource.COMMAND_LINK)

    def judge(self) -> None:
        """Ask for what the loss demands by now.

        Source: docs/risk-controls.md, section 2.4.
        """
        if self._lost_at is None:
            return
        settings = self._shell.settings
        lost_s = (self._shell.clock.now() - self._lost_at).total_seconds()
        if lost_s > settings.command_loss_reduce_s:
            self._guards.holds(DemandSource.COMMAND_LINK, "command link lost")
        if self._requires_link and lost_s > settings.command_loss_halt_s and not self._is_halted():
            self._halt(f"command link lost for {settings.command_loss_halt_s:.0f} s")
