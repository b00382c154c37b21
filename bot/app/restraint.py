"""Watches what the bot must ask of itself: losses, slippage and repeats, told in the moment in which a limit is passed.

How it works: after each figure of the account, each execution, each change of a limit and each beat of the timer the
limits are looked at. A loss or slippage beyond its limit asks for REDUCE_ONLY until the next session day, a pattern
that executed as often as it may halts. What always holds: a demand that holds is not told again, and only a session of
a later day ends one.
"""

from collections.abc import Callable

from bot.app.shell import Shell
from bot.domain.events import (
    AccountReported,
    BooksReconciled,
    CommissionReported,
    Event,
    FillReported,
    LimitChanged,
    ModeDemanded,
    SessionOpened,
    TimerElapsed,
)
from bot.domain.ledger import trade_date
from bot.domain.mode import OF_THE_DAY, TradingMode
from risk.restraining import Breach, breaches_in


class RestraintKeeper:
    """Listens; it decides nothing and asks for the mode that its limits ask for."""

    def __init__(self, shell: Shell, halt: Callable[[str], None]) -> None:
        """Listen.

        Args:
            shell: What it works with; its engine tells the limits in force.
            halt: Latches HALT and cancels own orders.
        """
        self._shell = shell
        self._halt = halt
        shell.pump.hear(SessionOpened, self._begin_day)
        for kind in (AccountReported, BooksReconciled, FillReported, CommissionReported, TimerElapsed, LimitChanged):
            shell.pump.hear(kind, lambda _event: self._look())

    def _begin_day(self, event: Event) -> None:
        """What was asked for a day ends with the session of a later one, unless the limit is passed still."""
        if not isinstance(event, SessionOpened):
            return
        for source in OF_THE_DAY:
            held = self._shell.engine.state.restraints.of(source)
            if held is not None and trade_date(held.since) < event.session.day:
                self._shell.pump(
                    ModeDemanded(
                        at=self._shell.clock.now(),
                        source=source,
                        mode=TradingMode.NORMAL,
                        cause=f"a new session day; it was asked for: {held.cause}",
                    )
                )
        self._look()

    def _look(self) -> None:
        state, limits = self._shell.engine.state, self._shell.engine.limits
        for breach in breaches_in(state.snapshot(self._shell.clock.now()), limits):
            if state.restraints.of(breach.source) is None:
                self._restrain(breach)

    def _restrain(self, breach: Breach) -> None:
        facts = {"source": breach.source, "found": breach.found, "limit": breach.limit, "words": breach.cause}
        self._shell.tell("limit_breached", facts)
        now = self._shell.clock.now()
        self._shell.pump(ModeDemanded(at=now, source=breach.source, mode=breach.mode, cause=breach.cause))
        if breach.mode is TradingMode.HALT:
            self._halt(breach.cause)
