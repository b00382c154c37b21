"""``alvh signal``: from a folder of daily closes to the rows of the dispersion rule."""

from collections.abc import Iterable
from pathlib import Path

from adapters.history.csv_files import load_symbol
from adapters.history.gaps import gaps_of
from bot.domain.errors import ConfigError, InvalidValueError
from bot.domain.schedule import SessionCalendar
from bot.signals.daily import DailyRule, episodes_of, evaluate_daily, signal_rows_as_csv
from bot.signals.settings import DispersionSettings


def signal_rows(folder: Path, rule: str) -> tuple[tuple[str, ...], str]:
    """Return the CSV lines of every evaluated session and one line that sums them up.

    Raises:
        ConfigError: A day that the calendar does not know.
        HistoryError: A file is missing, malformed or too short; the message names file, row and cure.
    """
    calendar = SessionCalendar()
    rvx, vix = load_symbol(folder, "RVX"), load_symbol(folder, "VIX")
    try:
        rows = evaluate_daily(rvx, vix, DispersionSettings(), DailyRule(rule), calendar)
    except InvalidValueError as error:
        raise ConfigError(f"{folder}: {error}; leave such rows out") from error
    evaluated = tuple(row for row in rows if row.baseline is not None)
    flagged = sum(row.flag for row in evaluated)
    missing = len(gaps_of(rvx, calendar))
    summary = (
        f"{len(evaluated)} sessions evaluated, {flagged} flagged, {len(episodes_of(evaluated))} episodes "
        f"by the {rule} rule; RVX lacks {missing} sessions of its span"
    )
    return tuple(signal_rows_as_csv(evaluated)), summary


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write the lines to a file.

    Raises:
        ConfigError: It cannot be written there.
    """
    try:
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror}); name another file with --csv") from error
