"""Where the broker of messages is and how the bot proves itself there; the section ``[mqtt]`` of a profile."""

from dataclasses import dataclass
from pathlib import Path

from bot.domain.checks import require_positive, require_text
from bot.domain.errors import InvalidValueError

MOST_KEEPALIVE_S = 20
"""docs/risk-controls.md, Q7: a half-open connection must be found within half a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttSettings:
    """One connection with TLS and a password; ``required`` false lets a paper bot run without one."""

    required: bool = True
    host: str = "127.0.0.1"
    port: int = 8883
    username: str = "bot"  # also the client id: another user cannot take it over
    password_file: Path | None = None  # one line, mode 0600
    ca_file: Path | None = None  # of the broker's certificate; None trusts the system's authorities
    tls: bool = True  # false only for a broker on this machine
    keepalive_s: int = 15
    probe_username: str = "probe"  # the second connection, which writes to cmd/probe
    probe_password_file: Path | None = None  # None: no probe, and no start where the line is required
    probe_every_s: float = 20.0
    probe_within_s: float = 2.0
    reconnect_first_s: float = 1.0
    reconnect_most_s: float = 30.0

    def __post_init__(self) -> None:
        """Reject an address or deadline that cannot be meant."""
        require_text(host=self.host, username=self.username, probe_username=self.probe_username)
        require_positive(
            keepalive_s=self.keepalive_s,
            probe_every_s=self.probe_every_s,
            probe_within_s=self.probe_within_s,
            reconnect_first_s=self.reconnect_first_s,
            reconnect_most_s=self.reconnect_most_s,
        )
        if not 1 <= self.port <= 65535:
            raise InvalidValueError(f"mqtt port must be 1..65535, was {self.port}")
        if self.keepalive_s > MOST_KEEPALIVE_S:
            raise InvalidValueError(f"keepalive_s must be at most {MOST_KEEPALIVE_S}, was {self.keepalive_s}")
        if not self.tls and self.host not in {"127.0.0.1", "localhost", "::1"}:
            raise InvalidValueError(f"tls may be false for this machine only, host was {self.host}")
