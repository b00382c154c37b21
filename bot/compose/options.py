"""What the command line asks for, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """The options of ``alvh run``; None means the profile's or scenario's own."""

    profile: str = "sim"
    config: Path | None = None
    method: str | None = None  # None: as the operator's file says, or balanced
    scenario: str = "blowout"
    history: Path | None = None
    play: Path | None = None  # a recording instead of a scenario
    start: date | None = None
    end: date | None = None
    seed: int = 7
    sessions: int = 5
    realtime: bool = False
    gateway: str | None = None  # HOST:PORT
    speed: float = 1.0
    tick_s: int = 15
    state: Path | None = None
    record: Path | None = None  # what reaches the bot's market data is written there
    dry_run: bool = False
    confirm_limits: str | None = None  # the hash of limits that are looser than last time
    out: Path | None = None
    door: str = "wire"  # or "process": without the wire, for tests of both doors


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended: exit code, one sentence, the report's path, the summary's rows, and the variants compared."""

    exit_code: int
    why: str
    report: Path | None = None
    summary: tuple[tuple[str, str], ...] = ()
    variants: Mapping[str, object] = field(default_factory=dict)  # for programs
