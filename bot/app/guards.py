"""The guards: what holds the bot back while a cause is there, and lets go by one rule when it has been away for long.

How it works: whoever sees a cause says so, and says when it is over. What always holds: a demand is taken back only
when its cause has been absent without a gap for a minute and the books were found equal after it; where nobody has
compared them since, the guards ask for it.

Source: docs/risk-controls.md, section 2.1.
"""

from datetime import datetime, timedelta

from bot.app.link import LinkKeeper
from bot.app.shell import Shell
from bot.domain.events import BooksAgreed, BooksReconciled, Event, ModeDemanded
from bot.domain.mode import DemandSource, TradingMode


class Guards:
    """Every demand that clears by itself, by its source; judged now and then by whoever keeps the time."""

    def __init__(self, shell: Shell, keeper: LinkKeeper) -> None:
        """Listen to comparisons; the keeper is asked for one where a guard needs it."""
        self._shell = shell
        self._keeper = keeper
        self._gone_at: dict[DemandSource, datetime] = {}
        self._agreed_at: datetime | None = None
        shell.pump.hear(BooksReconciled, self._on_compared)
        shell.pump.hear(BooksAgreed, self._on_compared)

    def holds(self, source: DemandSource, cause: str) -> None:
        """A cause is there: REDUCE_ONLY from now on, and the minute of grace begins anew when it is over."""
        self.is_back(source)
        self._demand(source, TradingMode.REDUCE_ONLY, cause)

    def is_back(self, source: DemandSource) -> None:
        """A cause is there again, though it demands nothing yet: a minute without a gap begins anew."""
        self._gone_at.pop(source, None)

    def is_gone(self, source: DemandSource) -> None:
        """A cause is away; told again while it stays away, only the first time counts."""
        if self._is_held(source):
            self._gone_at.setdefault(source, self._shell.clock.now())

    def judge(self) -> None:
        """Take back what has been without its cause for long enough, with books that agreed since."""
        now, clear_s = self._shell.clock.now(), self._shell.settings.guard_clear_s
        for source, gone_at in tuple(self._gone_at.items()):
            if now - gone_at < timedelta(seconds=clear_s):
                continue
            if self._agreed_at is None or self._agreed_at < gone_at:
                self._keeper.request()
                continue
            del self._gone_at[source]
            self._demand(source, TradingMode.NORMAL, f"good for {clear_s:.0f} s, and the books agree")

    def _is_held(self, source: DemandSource) -> bool:
        return self._shell.engine.state.demand(source) is not TradingMode.NORMAL

    def _on_compared(self, event: Event) -> None:
        if isinstance(event, BooksAgreed) or (isinstance(event, BooksReconciled) and not event.differences):
            self._agreed_at = event.at

    def _demand(self, source: DemandSource, mode: TradingMode, cause: str) -> None:
        if mode is not self._shell.engine.state.demand(source):
            self._shell.pump(ModeDemanded(at=self._shell.clock.now(), source=source, mode=mode, cause=cause))
