"""Small daily histories for tests: four indices, each session of the calendar, levels that a market could show."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from bot.domain.schedule import SessionCalendar

FIRST = date(2014, 12, 1)
LEVELS = {"SPX": 2100.0, "RUT": 1250.0, "VIX": 14.0, "RVX": 17.0}


def sessions(count: int) -> list[date]:
    """The first sessions from `FIRST` on."""
    found = SessionCalendar().sessions(FIRST, FIRST + timedelta(days=2 * count + 20))
    return [session.day for session, _ in zip(found, range(count), strict=False)]


def closes(symbol: str, count: int = 130) -> str:
    """One symbol's file: the level wobbles by a hundredth part, the last tenth of RVX stands far above VIX."""
    lines = [f"DATE,{symbol}"]
    for number, day in enumerate(sessions(count)):
        level = LEVELS[symbol] * (1 + 0.01 * ((number * 7) % 5 - 2) / 2)
        if symbol == "RVX" and number > count * 9 // 10:
            level += 2.5
        lines.append(f"{day.isoformat()},{level:.2f}")
    return "\n".join(lines) + "\n"


def history(folder: Path, change: Callable[[dict[str, str]], object] | None = None, count: int = 130) -> Path:
    """A folder of four files, perhaps spoilt."""
    files = {symbol: closes(symbol, count) for symbol in LEVELS}
    if change is not None:
        change(files)
    folder.mkdir(parents=True, exist_ok=True)
    for symbol, text in files.items():
        (folder / f"{symbol}.csv").write_text(text)
    return folder
