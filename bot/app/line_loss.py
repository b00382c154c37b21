"""What the loss of the operators' line demands: REDUCE_ONLY after a minute, HALT in live after a quarter of an hour."""

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.app.link import LinkKeeper
from bot.app.shell import Shell
from bot.domain.events import BooksReconciled, ModeDemanded
from bot.domain.mode import DemandSource, TradingMode


class LineLoss:
    """Remembers since when the line is lost or back; judged now and then by whoever keeps the time."""

    def __init__(
        self,
        shell: Shell,
        keeper: LinkKeeper,
        *,
        requires_link: bool,
        halt: Callable[[str], None],
        is_halted: Callable[[], bool],
    ) -> None:
        """Take the parts.

        Args:
            shell: Time, periods and the engine.
            keeper: Compares the books when the line is back.
            requires_link: Whether a long loss halts.
            halt: Latches HALT with its cause.
            is_halted: Whether HALT is latched already.
        """
        self._shell = shell
        self._keeper = keeper
        self._requires_link = requires_link
        self._halt = halt
        self._is_halted = is_halted
        self._lost_at: datetime | None = None
        self._back_at: datetime | None = None
        self._compared: BooksReconciled | None = None
        shell.pump.hear(BooksReconciled, self._on_compared)

    def changed(self, *, up: bool) -> None:
        """The line came up or was lost; a loss is counted from its first moment."""
        now = self._shell.clock.now()
        if up:
            self._lost_at, self._back_at = None, now
        elif self._lost_at is None:
            self._lost_at = now

    def judge(self) -> None:
        """Ask for what the loss demands by now, or take the demand back.

        Source: docs/risk-controls.md, section 2.4.
        """
        settings = self._shell.settings
        if self._lost_at is None:
            if self._is_proven():
                self._demand(TradingMode.NORMAL, "command link is back")
            return
        lost_s = (self._shell.clock.now() - self._lost_at).total_seconds()
        if lost_s > settings.command_loss_reduce_s:
            self._demand(TradingMode.REDUCE_ONLY, "command link lost")
        if self._requires_link and lost_s > settings.command_loss_halt_s and not self._is_halted():
            self._halt(f"command link lost for {settings.command_loss_halt_s:.0f} s")

    def _is_proven(self) -> bool:
        """Back for a minute without a gap, and the books have been found equal since; else they are compared."""
        back = self._back_at
        if back is None or self._shell.engine.state.demand(DemandSource.COMMAND_LINK) is TradingMode.NORMAL:
            return False
        if self._shell.clock.now() - back < timedelta(seconds=self._shell.settings.command_loss_reduce_s):
            return False
        if self._compared is None or self._compared.at < back:
            self._keeper.request()
            return False
        return not self._compared.differences

    def _on_compared(self, event: object) -> None:
        if isinstance(event, BooksReconciled):
            self._compared = event

    def _demand(self, mode: TradingMode, cause: str) -> None:
        if mode is not self._shell.engine.state.demand(DemandSource.COMMAND_LINK):
            source = DemandSource.COMMAND_LINK
            self._shell.pump(ModeDemanded(at=self._shell.clock.now(), source=source, mode=mode, cause=cause))
