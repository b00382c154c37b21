"""Where a run tells what happens: log file, terminal, progress line."""

import asyncio
import contextlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

from adapters.logs import LibraryHandler, Logs, open_log_file
from bot.app.alerting import Alerting
from bot.app.announced import Announcer
from bot.compose.options import RunOptions
from bot.compose.refused import in_full, in_short
from bot.domain.alerts import Alert, Fault
from bot.domain.errors import RefusedStartError
from bot.domain.schedule import NEW_YORK
from bot.ports import Clock, JournalRow
from config.loader import Loaded

LOG_FILE = "log.jsonl"
QUIET_KINDS = frozenset(
    {"sample_taken", "command_acknowledged", "commission_booked", "order_acknowledged", "parity_checked"}
)
"""Rows that stand in file and journal but would drown a terminal."""


@dataclass(slots=True)
class Outputs:
    """Folder and terminal of one run; ``console`` None keeps quiet."""

    folder: Path
    console: Console | None = None
    live: Live | None = field(default=None, init=False)
    _file: IO[bytes] | None = field(default=None, init=False)
    _logs: Logs | None = field(default=None, init=False)
    _libraries: LibraryHandler | None = field(default=None, init=False)
    _terminal: Logs | None = field(default=None, init=False)

    def announcers(self, clock: Clock) -> tuple[Announcer, ...]:
        """Open the outputs and return what hears of every committed row.

        Raises:
            RefusedStartError: The log cannot be written.
        """
        try:
            self._file = open_log_file(self.folder / LOG_FILE)
        except OSError as error:
            raise RefusedStartError(
                f"{self.folder}: not writable ({error.strerror}); name another folder with --out"
            ) from error
        self._logs = logs = Logs(self._file, None, clock.now)
        self._libraries = logs.attach_libraries()
        announcers: list[Announcer] = [lambda row: logs.row(in_full(row))]
        if self.console is not None:
            self.live = Live(Text("starting"), console=self.console, auto_refresh=False, transient=True)
            if self.console.is_terminal:
                self.live.start()
            self._terminal = terminal = Logs(None, _ConsoleFile(self.console), clock.now)
            announcers += [
                lambda row: None if row.kind in QUIET_KINDS else terminal.row(in_short(row)),
                self._progress,
            ]
        return tuple(announcers)

    def alert(self, alert: Alert) -> None:
        """Show one alert that leaves."""
        for logs in (self._logs, self._terminal):
            if logs is not None:
                logs.alert(alert)

    def tell_faults_to(self, alerting: Alerting) -> None:
        """Have errors that libraries and adapters log call a person; must be called in the loop's thread."""
        loop, here = asyncio.get_running_loop(), threading.get_ident()

        def hear(fault: Fault) -> None:
            if threading.get_ident() == here:
                alerting.fault(fault)
                return
            with contextlib.suppress(RuntimeError):  # the loop is closed: the log has it
                loop.call_soon_threadsafe(alerting.fault, fault)

        if self._libraries is not None:
            self._libraries.hear(hear)

    def close(self) -> None:
        """End the progress line, let go of the client library's log, close the file, and say what it could not take."""
        if self._libraries is not None:
            self._libraries.close()
        if self.live is not None:
            self.live.stop()
        if self._file is not None:
            with contextlib.suppress(OSError):  # a full disk is known by the lines lost
                self._file.close()
        if self.console is not None and self._logs is not None and self._logs.lines_lost:
            self.console.print(
                f"{self._logs.lines_lost} log lines were lost: {self.folder / LOG_FILE} could not take them; "
                "the journal has them all",
                highlight=False,
                soft_wrap=True,
            )

    @staticmethod
    def started_facts(options: RunOptions, loaded: Loaded, version: str) -> Mapping[str, Any]:
        """Return what the first row of a run says of it."""
        return {
            "profile": loaded.settings.profile,
            "method": loaded.settings.method,
            "bot": loaded.settings.bot,
            "version": version,
            "config_hash": loaded.config_hash,
            "scenario": options.scenario if options.history is None else "history",
            "seed": options.seed,
            "dry_run": options.dry_run,
        }

    def _progress(self, row: JournalRow) -> None:
        """Show the last sample in one line: clock, indices, spread, sleeve, cost."""
        if row.kind != "sample_taken" or self.live is None or not self.live.is_started:
            return
        facts = row.payload
        text = (
            f"{row.at.astimezone(NEW_YORK):%a %d %b %H:%M}  VIX {_f(facts['vix'])}  RVX {_f(facts['rvx'])}  "
            f"spread {_f(facts['spread'])} / {_f(facts['baseline'])}  {facts['state']}  "
            f"overlay {_f(facts['overlay_usd_per_point'], 0)} -> {_f(facts['target_usd_per_point'], 0)} USD/pt  "
            f"cost {_f(facts['cost_usd'], 0)} / {_f(facts['cap_usd'], 0)} USD  {facts['mode']}"
        )
        self.live.update(Text(text, style="bold"), refresh=True)


class _ConsoleFile:
    """Lets log lines pass above the progress line."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def write(self, text: str) -> int:
        self._console.print(text.rstrip("\n"), highlight=False, markup=False, soft_wrap=True)
        return len(text)

    def flush(self) -> None:
        """Nothing is kept back."""


def _f(value: object, digits: int = 2) -> str:
    return "-" if value is None else f"{float(str(value)):,.{digits}f}"
