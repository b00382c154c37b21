"""What is watched beside the market: clock, data, inputs, account and locks, each with what it demands by itself."""

from collections.abc import Callable
from datetime import timedelta

from bot.app.guards import Guards
from bot.app.locking import LockKeeper
from bot.app.shell import Shell
from bot.domain.events import (
    AccountMismatched,
    AccountReported,
    BooksAgreed,
    BooksReconciled,
    DataFeedChanged,
    Event,
)
from bot.domain.mode import DemandSource
from bot.domain.portfolio import AccountValues


class Watch:
    """Listens and looks; the guards hold what it finds, and an account that is not ours halts."""

    def __init__(self, shell: Shell, guards: Guards, *, halt: Callable[[str], None]) -> None:
        """Listen.

        Args:
            shell: What it works with.
            guards: Hold demands, and know when they end.
            halt: Latches HALT with its cause and cancels own orders.
        """
        self._shell = shell
        self._halt = halt
        self._locks = LockKeeper(shell)
        self._agreed_s = shell.clock.stepped_s()
        self.guards = guards
        shell.pump.hear(DataFeedChanged, self._on_feed)
        shell.pump.hear(AccountMismatched, self._on_mismatch)
        for kind in (AccountReported, BooksReconciled, BooksAgreed):
            shell.pump.hear(kind, self._on_account)

    def judge(self) -> None:
        """Look at the clock, the inputs and the locks, and let the guards let go of what is over."""
        self._look_at_clock()
        self._look_at_inputs()
        self._locks.judge()
        self.guards.judge()

    def _look_at_clock(self) -> None:
        """A step stays one until the clock is back where it was; a drift between two looks is none."""
        stepped_s = self._shell.clock.stepped_s()
        step_s = stepped_s - self._agreed_s
        if abs(step_s) > self._shell.settings.clock_step_s:
            self.guards.holds(DemandSource.HOST_CLOCK, f"the wall clock stepped by {step_s:+.1f} s")
            return
        self._agreed_s = stepped_s
        self.guards.is_gone(DemandSource.HOST_CLOCK)

    def _look_at_inputs(self) -> None:
        """Inputs of the signal that were missing or old a while ago and have not come since, published or our own."""
        patience = timedelta(seconds=self._shell.settings.input_stale_s)
        why = self._shell.engine.state.stale_inputs(self._shell.clock.now() - patience)
        if why:
            self.guards.holds(DemandSource.INPUTS, why)
        else:
            self.guards.is_gone(DemandSource.INPUTS)

    def _on_feed(self, event: Event) -> None:
        if isinstance(event, DataFeedChanged):
            if event.usable:
                self.guards.is_gone(DemandSource.MARKET_DATA)
            else:
                self.guards.holds(DemandSource.MARKET_DATA, event.why)

    def _on_account(self, event: Event) -> None:
        values: AccountValues | None = getattr(event, "values", None) or getattr(event, "account", None)
        if values is None or values.ready:
            self.guards.is_gone(DemandSource.ACCOUNT_VALUES)
        else:
            self.guards.holds(DemandSource.ACCOUNT_VALUES, "the broker says that its account values are not ready")

    def _on_mismatch(self, event: Event) -> None:
        if isinstance(event, AccountMismatched):
            self._halt(event.why)
