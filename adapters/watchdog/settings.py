"""How patient the watcher is and what it runs; the section ``[watchdog]`` of a profile."""

from dataclasses import dataclass
from pathlib import Path

from bot.domain.checks import require_positive
from bot.domain.errors import InvalidValueError


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchdogSettings:
    """Of `alvh watchdog`; the bot itself does not read it."""

    gap_s: float = 30.0  # three heartbeats missed: docs/risk-controls.md, 3.9
    look_every_s: float = 2.0  # at the local socket
    ledger_every_s: float = 60.0  # journal against broker; two in a row alarm
    ledger_timeout_s: float = 10.0  # for the broker's answer
    client_id: int = 118  # of its own session at the gateway, which reads only; never the bot's
    on_alarm: str = ""  # a command, given danger and words as its last two arguments
    cut: str = ""  # a command that cuts the bot off from the gateway; run once, when nobody knows what the bot does
    command_timeout_s: float = 30.0  # for either command
    kill_key: Path | None = None  # an operator's file with role kill alone; without one the watcher only calls
    kill_username: str = ""  # at the broker of messages; empty: operator-KEY
    kill_password_file: Path | None = None  # its password there: one line, mode 0600
    kill_within_s: float = 30.0  # without an answer of the bot for so long the cut is run

    def __post_init__(self) -> None:
        """Reject periods of zero and the client id that binds manual orders."""
        require_positive(
            gap_s=self.gap_s,
            look_every_s=self.look_every_s,
            ledger_every_s=self.ledger_every_s,
            ledger_timeout_s=self.ledger_timeout_s,
            command_timeout_s=self.command_timeout_s,
            kill_within_s=self.kill_within_s,
        )
        if self.client_id <= 0:
            raise InvalidValueError(f"watchdog client_id must be above 0, was {self.client_id}")
