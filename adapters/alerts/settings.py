"""Where alerts go beside MQTT and the log; the section ``[alerts]`` of a profile."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bot.domain.alerts import Severity
from bot.domain.checks import require_positive
from bot.domain.errors import InvalidValueError

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSettings:
    """Channels that one leaves out are not used. Secrets stand in files of one line, mode 0600."""

    webhook_url: str = ""  # gets each alert as JSON, with a `text` that chat programs show
    webhook_token_file: Path | None = None  # sent as a bearer token
    webhook_least: Severity = Severity.WARNING  # the mildest alert that goes there by itself
    smtp_host: str = ""  # of the mail server
    smtp_port: int = 587  # submission
    smtp_tls: bool = True  # STARTTLS; false only for a server on this machine
    smtp_username: str = ""  # empty: no login
    smtp_password_file: Path | None = None
    smtp_sender: str = ""
    smtp_recipients: tuple[str, ...] = ()
    smtp_least: Severity = Severity.CRITICAL
    timeout_s: float = 10.0  # for one delivery
    retry_first_s: float = 5.0  # doubled after each failure ...
    retry_most_s: float = 300.0  # ... up to this; with jitter
    give_up_after_s: float = 3600.0  # an alert that old tells nobody anything new

    def __post_init__(self) -> None:
        """Reject a channel that cannot work or would tell its secret to the network."""
        require_positive(
            timeout_s=self.timeout_s,
            retry_first_s=self.retry_first_s,
            retry_most_s=self.retry_most_s,
            give_up_after_s=self.give_up_after_s,
        )
        if self.webhook_url:
            self._require_safe_url()
        if self.smtp_host and not (self.smtp_sender and self.smtp_recipients):
            raise InvalidValueError("smtp_host needs smtp_sender and smtp_recipients, one of them is empty")
        if not self.smtp_tls and self.smtp_host not in LOOPBACK | {""}:
            raise InvalidValueError(f"smtp_tls may be false for this machine only, smtp_host was {self.smtp_host}")
        if not 1 <= self.smtp_port <= 65535:
            raise InvalidValueError(f"smtp_port must be 1..65535, was {self.smtp_port}")

    def _require_safe_url(self) -> None:
        parts = urlsplit(self.webhook_url)
        if not parts.hostname or not (
            parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
        ):
            raise InvalidValueError("webhook_url must begin with https://, with http:// for this machine only")
