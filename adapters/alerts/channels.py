"""The ways out: an HTTP request and a letter by SMTP; both block and are called on a thread of their own."""

import json
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from adapters.alerts.settings import AlertSettings
from adapters.control.files import read_secret
from adapters.journal.codec import plain
from adapters.logs import safe_value
from bot.domain.alerts import Alert, Severity
from bot.domain.errors import DeliveryError

SUBJECT_LENGTH = 150
ACCEPTED = range(200, 300)


class Channel(Protocol):
    """One way to a person."""

    @property
    def name(self) -> str:
        """How logs call it."""
        ...

    @property
    def least(self) -> Severity:
        """The mildest alert that goes there by itself."""
        ...

    def send(self, bot: str, alert: Alert) -> None:
        """Deliver one alert; blocks.

        Raises:
            DeliveryError: It is not known to have arrived.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Posts JSON to an address."""

    url: str
    token: str
    least: Severity
    timeout_s: float
    name: str = "webhook"

    def __repr__(self) -> str:
        """Tell the host alone: the path of an address may be its secret."""
        return f"<Webhook {urlsplit(self.url).hostname}>"

    def send(self, bot: str, alert: Alert) -> None:
        """Post one alert; a status beyond 200 to 299 is no delivery."""
        parts = urlsplit(self.url)
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        maker = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        link = maker(parts.hostname or "", parts.port, timeout=self.timeout_s)
        target = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
        try:
            link.request("POST", target, json.dumps(_facts(bot, alert)), headers)
            status = link.getresponse().status
        except (OSError, HTTPException) as error:
            raise DeliveryError(f"webhook: {type(error).__name__}") from error  # its text may hold the address
        finally:
            link.close()
        if status not in ACCEPTED:
            raise DeliveryError(f"webhook: answered {status}, expected 200 to 299")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """Sends a letter."""

    host: str
    port: int
    tls: bool
    username: str
    password: str
    sender: str
    recipients: tuple[str, ...]
    least: Severity
    timeout_s: float
    name: str = "mail"

    def __repr__(self) -> str:
        """Tell where letters go, without the password."""
        return f"<Mail {self.host}:{self.port}>"

    def send(self, bot: str, alert: Alert) -> None:
        """Send one letter; a recipient that the server refuses is no delivery."""
        facts = _facts(bot, alert)
        letter = EmailMessage()
        letter["Subject"] = " ".join(str(facts["text"])[:SUBJECT_LENGTH].split())
        letter["From"], letter["To"] = self.sender, ", ".join(self.recipients)
        letter.set_content(json.dumps(facts, indent=1))
        try:
            with smtplib.SMTP(self.host, self.port, timeout=self.timeout_s) as server:
                if self.tls:
                    server.starttls(context=ssl.create_default_context())
                if self.username:
                    server.login(self.username, self.password)
                refused = server.send_message(letter)
        except (OSError, smtplib.SMTPException) as error:
            raise DeliveryError(f"mail: {type(error).__name__}") from error
        if refused:
            raise DeliveryError(f"mail: {len(refused)} of {len(self.recipients)} recipients were refused")


def open_channels(settings: AlertSettings) -> tuple[Channel, ...]:
    """Return the channels that are configured.

    Raises:
        RefusedStartError: A file with a secret is missing, empty or readable by others.
    """
    found: list[Channel] = []
    if settings.webhook_url:
        found.append(
            Webhook(
                url=settings.webhook_url,
                token=_secret(settings.webhook_token_file),
                least=settings.webhook_least,
                timeout_s=settings.timeout_s,
            )
        )
    if settings.smtp_host:
        found.append(
            Mail(
                host=settings.smtp_host,
                port=settings.smtp_port,
                tls=settings.smtp_tls,
                username=settings.smtp_username,
                password=_secret(settings.smtp_password_file),
                sender=settings.smtp_sender,
                recipients=settings.smtp_recipients,
                least=settings.smtp_least,
                timeout_s=settings.timeout_s,
            )
        )
    return tuple(found)


def _secret(file: Path | None) -> str:
    return "" if file is None else read_secret(file)


def _facts(bot: str, alert: Alert) -> dict[str, object]:
    """An alert as it leaves this machine: masked and bounded like a log line."""
    more = f" ({alert.held_back} more held back)" if alert.held_back else ""
    about = f" [{alert.cause}]" if alert.cause else ""
    facts = {
        "text": f"{alert.severity} {bot}: {alert.words}{about}{more}",
        "bot": bot,
        "kind": alert.kind,
        "severity": alert.severity,
        "at": alert.at,
        "decision_id": alert.decision_id,
        "held_back": alert.held_back,
        "facts": dict(alert.facts),
    }
    safe = safe_value(plain(facts, null_if_not_finite=True))
    return dict(safe) if isinstance(safe, dict) else {}
