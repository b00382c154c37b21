"""Calls a person: rows and faults that are alerts go to the operator's line, the log and the channels besides.

What always holds: an alert leaves as soon as its row is on disk, and a fault at once, without waiting for the disk; the
same kind and cause leaves at most once in ``repeat_every_s``, and the next one says how many were held back.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.app.shell import Shell
from bot.domain.alerts import Alert, Fault, Severity, alert_of
from bot.ports import CommandLink, JournalRow

Sounded = Callable[[Alert], None]
"""Takes an alert that leaves now; never blocks, never raises."""

FORGOTTEN_AFTER = 96
"""Quiet periods after which a cause is forgotten, with what was held back of it: a day at 15 minutes."""


@dataclass(slots=True)
class _Told:
    """When a cause was last told, and how many of it came since."""

    at: datetime
    held_back: int = 0


class Alerting:
    """Sends what calls a person, sparingly."""

    def __init__(self, *, shell: Shell, link: CommandLink, sounded: Sequence[Sounded] = ()) -> None:
        """Send to a link; ``sounded`` hear of each alert that leaves: the log, and channels beyond MQTT."""
        self._shell = shell
        self._link = link
        self._sounded = tuple(sounded)
        self._told: dict[tuple[str, str], _Told] = {}

    def told(self, row: JournalRow) -> None:
        """Hear of a committed row."""
        alert = alert_of(row.kind, row.payload, at=row.at, decision_id=row.decision_id)
        if alert is not None:
            self._sound(alert)

    def fault(self, fault: Fault) -> None:
        """Hear of an error that was only logged: write it down, and call at once."""
        alert = fault.alert(self._shell.clock.now())
        if self._sound(alert):
            self._shell.tell("fault_logged", {"name": fault.name, "severity": fault.severity, "text": fault.text})

    def broke(self, error: BaseException) -> None:
        """A task died: the bot is about to end halted, and its journal may take no row any more."""
        words = "a part of the bot died: it halts, cancels its orders and ends; read the cause"
        text = f"{type(error).__name__}: {error}"
        self._sound(
            Fault(name="internal_fault", severity=Severity.CRITICAL, words=words, text=text).alert(
                self._shell.clock.now()
            )
        )

    def _sound(self, alert: Alert) -> bool:
        """Send one alert, or count it; returns whether it left."""
        now, every = self._shell.clock.now(), timedelta(seconds=self._shell.settings.repeat_every_s)
        self._told = {key: told for key, told in self._told.items() if now - told.at < FORGOTTEN_AFTER * every}
        before = self._told.get((alert.kind, alert.cause))
        if before is not None and now - before.at < every:
            before.held_back += 1
            return False
        self._told[alert.kind, alert.cause] = _Told(at=now)
        leaving = replace(alert, held_back=0 if before is None else before.held_back)
        self._link.publish(f"alert/{alert.kind}", facts_of(leaving, now))
        for sounded in self._sounded:
            sounded(leaving)
        return True


def facts_of(alert: Alert, now: datetime) -> Mapping[str, object]:
    """Return an alert as it travels; ``raised`` is when it left."""
    return {
        "kind": alert.kind,
        "severity": alert.severity,
        "words": alert.words,
        "cause": alert.cause,
        "at": alert.at,
        "raised": now,
        "decision_id": alert.decision_id,
        "held_back": alert.held_back,
        "facts": alert.facts,
    }
