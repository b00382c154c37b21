"""What an independent watcher makes of a bot's signs of life: dangers as values, each with words for a person.

How it works: a `Sight` is what was heard so far and a new one replaces it with each message; `dangers` judges it at a
moment. What always holds: nothing heard is a danger, never a good sign.

Source: docs/risk-controls.md, C25 and 3.9.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.checks import require_aware, require_positive, require_text
from bot.domain.command import CommandName
from bot.domain.mode import TradingMode

EXPECTED_HALTS = (
    "first boot",
    *(f"{name.value} by " for name in (CommandName.KILL, CommandName.PAUSE)),
)
"""How the latch's cause begins where a person has halted the bot, or has never armed it."""


class Danger(StrEnum):
    """What is wrong."""

    SILENT = "silent"  # no sign of life for too long
    GONE = "gone"  # the broker of messages, or the bot itself, says that it is offline
    HALTED = "halted"  # HALT that no person has asked for
    LEDGER = "ledger"  # positions of the journal and of the broker differ twice in a row

    @property
    def may_trade_on(self) -> bool:
        """Nobody knows what the bot does: cutting it off from the broker is worth considering."""
        return self in (Danger.SILENT, Danger.LEDGER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What was heard of the bot until now."""

    since: datetime  # the watch began
    beat_at: datetime | None = None  # the last sign of life
    offline: bool = False
    mode: str = ""
    cause: str = ""
    why_deaf: str = ""  # why the watcher itself hears nothing, empty while it listens
    apart: tuple[str, ...] = ()  # what differed at the last comparison of ledgers ...
    apart_before: tuple[str, ...] = ()  # ... and at the one before

    def __post_init__(self) -> None:
        """Reject a naive beginning."""
        require_aware(since=self.since)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One danger in words."""

    danger: Danger
    words: str

    def __post_init__(self) -> None:
        """Reject an alarm that says nothing."""
        require_text(words=self.words)


def dangers(sight: Sight, now: datetime, *, gap_s: float) -> tuple[Alarm, ...]:
    """Return everything that is wrong at a moment, at most one alarm of each danger.

    Args:
        sight: What was heard.
        now: The moment, on the watcher's own clock.
        gap_s: Seconds without a sign of life that are too many; above 0.
    """
    require_positive(gap_s=gap_s)
    found: list[Alarm] = []
    silent_for = now - (sight.beat_at or sight.since)
    if silent_for > timedelta(seconds=gap_s):
        deaf = f"; the watcher itself hears nothing: {sight.why_deaf}" if sight.why_deaf else ""
        words = f"no sign of life for {silent_for.total_seconds():.0f} s, allowed are {gap_s:g}{deaf}"
        found.append(Alarm(danger=Danger.SILENT, words=words))
    if sight.offline:
        found.append(Alarm(danger=Danger.GONE, words="the bot is offline: it stopped, died, or lost its line"))
    if sight.mode == TradingMode.HALT.name and not sight.cause.startswith(EXPECTED_HALTS):
        found.append(Alarm(danger=Danger.HALTED, words=f"halted, and nobody asked for it: {sight.cause}"))
    lasting = tuple(one for one in sight.apart if one in sight.apart_before)
    if lasting:
        words = f"positions of journal and broker differ twice in a row: {'; '.join(lasting)}"
        found.append(Alarm(danger=Danger.LEDGER, words=words))
    return tuple(found)


def apart(told: Mapping[str, int], held: Mapping[str, int]) -> tuple[str, ...]:
    """Return where two ledgers differ, a contract a text, in the order of their names.

    Args:
        told: Contracts by name as the journal's executions make them.
        held: The same as the broker says.

    >>> apart({"VIX 20C": 5, "VIX 25C": -5}, {"VIX 20C": 4, "VIX 25C": -5})
    ('VIX 20C: 5 by the journal, 4 at the broker',)
    """
    names = sorted({*told, *held})
    return tuple(
        f"{name}: {told.get(name, 0)} by the journal, {held.get(name, 0)} at the broker"
        for name in names
        if told.get(name, 0) != held.get(name, 0)
    )
