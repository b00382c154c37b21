"""Structured logs: one line per thing that happened, JSON to a file, a readable form to a terminal.

How it works: journal rows are announced here after they are on disk; the client library's own records come through the
same pipeline. The last processor masks account numbers and cuts long or unprintable text, because what a broker or an
operator wrote is data. What always holds: a log that cannot be written never stops the bot; lost lines are counted.
"""

import logging
import re
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Protocol

import orjson
import structlog

from adapters.faults import LOUD, fault_of
from adapters.journal.codec import Plain, plain
from bot.domain.alerts import Alert, Fault
from bot.domain.errors import AlvhError
from bot.ports import JournalRow

LONGEST_TEXT = 500
LONGEST_LIST = 40
LARGEST_INT = 2**53 - 1
"""Beyond it, readers of JSON disagree about a number: it is shown as text."""
LIBRARY_LOGGERS = ("ib_async", "ib_insync", "eventkit", "aeventkit", "mqtt", "adapters", "alvh")
"""The client libraries, and our own adapters, which see what no row tells."""
LINE_KEYS = ("at", "event", "decision_id")
"""What every line has; a fact of the same name goes by the name with an underscore."""
_ACCOUNT = re.compile(r"(?<![A-Z0-9])(D?[UFI][A-Z]?)(\d{3,})(\d{2})(?!\d)")
"""Account names as the broker gives them: U1234567, DU1234567, DF..., DUH...; also glued to other text."""
_BULKY = ("checks", "candidates", "positions", "commissions")
"""Facts that stand in the journal and would drown a terminal: the line shows how many there are."""

_WHOLE = ("because",)
"""Facts that a terminal shows as long as they are: why an order was refused."""

EventDict = MutableMapping[str, Any]


class Terminal(Protocol):
    """Where readable lines go."""

    def write(self, text: str, /) -> int:
        """Show text."""
        ...

    def flush(self) -> None:
        """Keep nothing back."""
        ...


class Logs:
    """The two outputs of one run."""

    def __init__(self, file: IO[bytes] | None, terminal: Terminal | None, now: Callable[[], datetime]) -> None:
        """Write JSON lines to ``file`` and readable lines to ``terminal``; either may be None."""
        self._outputs: list[structlog.typing.FilteringBoundLogger] = []
        self.lines_lost = 0
        self._now = now
        if file is not None:
            self._outputs.append(_bound(self._guarded(file), (_flat, _safe, _as_json)))
        if terminal is not None:
            self._outputs.append(_bound(self._guarded_text(terminal), (_flat, _brief, _safe, _as_text)))

    def row(self, row: JournalRow) -> None:
        """Log one committed journal row."""
        self.log(row.kind, at=row.at, decision_id=row.decision_id, facts=row.payload)

    def log(
        self, event: str, *, at: datetime | None = None, decision_id: str = "", facts: Mapping[str, object]
    ) -> None:
        """Log one thing; ``event`` in the past tense."""
        try:
            self._emit(event, (at or self._now()).astimezone(UTC), decision_id, facts)
        except (AlvhError, TypeError, ValueError, RecursionError):  # facts that no line can hold
            self.lines_lost += 1

    def _emit(self, event: str, moment: datetime, decision_id: str, facts: Mapping[str, object]) -> None:
        fields: dict[str, Any] = {"at": moment.isoformat(timespec="milliseconds")}
        if decision_id:
            fields["decision_id"] = decision_id
        written = plain(dict(facts), null_if_not_finite=True)
        for logger in self._outputs:
            logger.info(event, **fields, facts=written)

    def attach_libraries(self) -> "LibraryHandler":
        """Send records of libraries and adapters through this pipeline; the returned handler ends it on `close`."""
        handler = LibraryHandler(self)
        for name in LIBRARY_LOGGERS:
            library = logging.getLogger(name)
            library.addHandler(handler)
            library.propagate = False
        return handler

    def alert(self, alert: Alert) -> None:
        """Log one alert that leaves, whatever its channels do with it."""
        facts = {
            "kind": alert.kind,
            "severity": alert.severity,
            "words": alert.words,
            "cause": alert.cause,
            "held_back": alert.held_back,
        }
        self.log("alert_raised", at=alert.at, decision_id=alert.decision_id, facts=facts)

    def _guarded(self, file: IO[bytes]) -> Callable[[bytes], None]:
        def write(line: bytes) -> None:
            try:
                file.write(line + b"\n")
                file.flush()
            except (OSError, ValueError):
                self.lines_lost += 1

        return write

    def _guarded_text(self, terminal: Terminal) -> Callable[[str], None]:
        def write(line: str) -> None:
            try:
                terminal.write(line + "\n")
                terminal.flush()
            except (OSError, ValueError):
                self.lines_lost += 1

        return write


class LibraryHandler(logging.Handler):
    """Turns a log record of a library or an adapter into a line of ours."""

    def __init__(self, logs: Logs) -> None:
        """Write to the given logs; records below WARNING are left out."""
        super().__init__(level=logging.WARNING)
        self._logs = logs
        self._heard: Callable[[Fault], None] | None = None

    def hear(self, heard: Callable[[Fault], None]) -> None:
        """Tell of each record at ERROR or above from now on, on whichever thread it was logged."""
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        """Log one record; a record that cannot be formatted is logged as such."""
        try:
            text = record.getMessage()
        except Exception as error:  # noqa: BLE001 - foreign formatting code must not stop what it only describes
            text = f"unreadable record: {type(error).__name__}"
        facts = {"library": record.name, "level": record.levelname, "text": text}
        if record.exc_info and record.exc_info[0] is not None:
            facts["error"] = f"{record.exc_info[0].__name__}: {record.exc_info[1]}"
        self._logs.log("library_logged", facts=facts)
        if self._heard is not None and record.levelno >= LOUD:
            self._heard(fault_of(record.name, str(record.msg), text))

    def close(self) -> None:
        """Detach from the libraries."""
        for name in LIBRARY_LOGGERS:
            library = logging.getLogger(name)
            library.removeHandler(self)
            library.propagate = True
        super().close()


def open_log_file(path: Path) -> IO[bytes]:
    """Open a JSON-lines file for appending, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600, exist_ok=True)
    return path.open("ab")


class _Output:
    """The innermost logger: hands the finished line to its writer."""

    def __init__(self, write: Callable[[Any], None]) -> None:
        self._write = write

    def info(self, line: Any) -> None:
        self._write(line)


def _bound(write: Callable[[Any], None], processors: Sequence[Any]) -> Any:
    return structlog.wrap_logger(
        _Output(write),
        processors=list(processors),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=False,
    )


def _flat(_logger: object, _name: str, event: EventDict) -> EventDict:
    """Put the facts beside the line's own keys, which they never replace."""
    facts = event.pop("facts")
    return {**event, **{f"{key}_" if key in LINE_KEYS else key: value for key, value in facts.items()}}


def _brief(_logger: object, _name: str, event: EventDict) -> EventDict:
    """Replace what would drown a terminal by its size."""
    for key in _BULKY:
        if isinstance(event.get(key), (list, dict)):
            event[key] = f"[{len(event[key])}]"
    return event


def _safe(_logger: object, _name: str, event: EventDict) -> EventDict:
    """Mask account numbers, escape control characters, cut what is too long; always the last one before rendering."""
    return {str(safe_value(key)): safe_value(value) for key, value in event.items()}


def safe_value(value: Plain) -> Plain:
    """Return a value that may be shown: masked, printable, bounded."""
    if isinstance(value, str):
        masked = _ACCOUNT.sub(lambda found: found[1] + "*" * len(found[2]) + found[3], value[: LONGEST_TEXT + 1])
        shown = "".join(
            letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in masked
        )
        return shown if len(value) <= LONGEST_TEXT else shown[:LONGEST_TEXT] + "…"
    if isinstance(value, list):
        return [safe_value(held) for held in value[:LONGEST_LIST]]
    if isinstance(value, dict):
        return {str(safe_value(key)): safe_value(held) for key, held in value.items()}
    if isinstance(value, int) and abs(value) > LARGEST_INT:
        return str(value)[:LONGEST_TEXT]
    return value


def _as_json(_logger: object, _name: str, event: EventDict) -> bytes:
    return orjson.dumps({"at": event.pop("at"), "event": event.pop("event"), **event})


def _as_text(_logger: object, _name: str, event: EventDict) -> str:
    at, name = event.pop("at"), event.pop("event")
    decision = str(event.pop("decision_id", ""))[:8]
    facts = " ".join(
        f"{key}={value if key in _WHOLE else _short(value)}"
        for key, value in event.items()
        if value not in ("", None, [], {})
    )
    return f"{at[:19].replace('T', ' ')} {name:<22} {decision:<8} {facts}".rstrip()


def _short(value: object) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= 90 else text[:89] + "…"
