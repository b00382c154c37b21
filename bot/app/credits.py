"""Tells of each cohort's credit when it or its source changes: what caps the hedge never moves without a word (M8)."""

from collections.abc import Mapping

from bot.app.shell import Shell
from bot.domain.events import BooksReconciled, Event, Restored, TimerElapsed


class CreditTeller:
    """Compares what was told last with what holds now, at each comparison of the books and each beat of the timer."""

    def __init__(self, shell: Shell) -> None:
        """Listen; what an earlier run has told is taken from what the journal remembers."""
        self._shell = shell
        self._told: dict[str, str] = {}
        shell.pump.hear(Restored, self._restored)
        shell.pump.hear(BooksReconciled, lambda _event: self._tell())
        shell.pump.hear(TimerElapsed, lambda _event: self._tell())

    def _restored(self, event: Event) -> None:
        if isinstance(event, Restored):
            self._told = dict(event.credits)

    def _tell(self) -> None:
        book = self._shell.engine.state.snapshot(self._shell.clock.now()).book
        for cohort in book.cohorts:
            before = self._told.get(cohort.name, "")
            if cohort.words == before:
                continue
            self._told[cohort.name] = cohort.words
            facts: Mapping[str, object] = {
                "cohort": cohort.name,
                "credit_usd": cohort.credit_usd,
                "provenance": cohort.provenance,
                "words": cohort.words,
                "before": before,
            }
            self._shell.tell("credit_changed", facts)
