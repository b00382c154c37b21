"""Channels beyond MQTT: what they send, what they call a failure, and who takes over when one fails."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters.alerts.channels import Channel, open_channels
from adapters.alerts.dispatch import PLACES, Dispatcher
from adapters.alerts.settings import AlertSettings
from adapters.clock import SystemClock, SystemRng
from bot.domain.alerts import Alert, Severity
from bot.domain.errors import DeliveryError, InvalidValueError, RefusedStartError
from bot.tasks import end_all
from tests.adapters.alerts.alert_receivers import MailServer, WebServer, serving
from tests.builders import NOON

BRISK: dict[str, Any] = {"timeout_s": 2.0, "retry_first_s": 0.02, "retry_most_s": 0.05}


def an_alert(severity: Severity = Severity.CRITICAL, cause: str = "i-1", **facts: object) -> Alert:
    """An alert about an order."""
    return Alert(
        kind="order_escalated",
        severity=severity,
        words="look at the broker",
        cause=cause,
        at=NOON,
        decision_id="d-1",
        facts=facts,
        held_back=2,
    )


@pytest.fixture
def web() -> Iterator[WebServer]:
    """A web server."""
    with serving(WebServer()) as server:
        yield server


@pytest.fixture
def post() -> Iterator[MailServer]:
    """A mail server."""
    with serving(MailServer()) as server:
        yield server


def webhook(web: WebServer, **more: Any) -> AlertSettings:
    """Settings with a web server alone."""
    return AlertSettings(webhook_url=web.url, **BRISK, **more)


def mail(post: MailServer, **more: Any) -> AlertSettings:
    """Settings with a mail server; a web server beside it where ``more`` says so."""
    return AlertSettings(
        smtp_host="127.0.0.1",
        smtp_port=post.port,
        smtp_tls=False,
        smtp_sender="bot@example.org",
        smtp_recipients=("anna@example.org", "ben@example.org"),
        **BRISK,
        **more,
    )


@pytest.mark.control("C27")
def test_a_webhook_posts_masked_json(web: WebServer, tmp_path: Path) -> None:
    """One JSON with a text for people; account numbers are masked; the token stands in the header alone."""
    token = tmp_path / "token"
    token.write_text("canary-token\n")
    token.chmod(0o600)
    (channel,) = open_channels(webhook(web, webhook_token_file=token))
    channel.send("main", an_alert(account="DU1234567", loss=float("nan")))
    (body,) = web.bodies
    told = json.loads(body)
    assert told["text"] == "CRITICAL main: look at the broker [i-1] (2 more held back)"
    assert (told["facts"], told["decision_id"]) == ({"account": "DU*****67", "loss": None}, "d-1")
    assert web.tokens == ["Bearer canary-token"]
    assert b"canary" not in body
    assert "canary" not in repr(channel)
    assert "room" not in repr(channel)


@pytest.mark.control("C27")
def test_a_letter_names_the_alert_in_its_subject(post: MailServer) -> None:
    """Subject, recipients, and the facts in the body; a line break in a cause stays out of the head."""
    (channel,) = open_channels(mail(post))
    channel.send("main", an_alert(cause="i-1\nBcc: stranger@example.org"))
    (letter,) = post.letters
    assert "Subject: CRITICAL main: look at the broker" in letter
    assert "\r\nBcc:" not in letter
    assert "To: anna@example.org, ben@example.org" in letter
    assert '"kind": "order_escalated"' in letter
    assert repr(channel) == f"<Mail 127.0.0.1:{post.port}>"


@pytest.mark.control("C27")
def test_what_did_not_surely_arrive_is_an_error(web: WebServer, post: MailServer) -> None:
    """A status beyond 2xx, a recipient that is refused, nobody at the port: no delivery, and no secret in the words."""
    web.answer = 500
    (channel,) = open_channels(webhook(web))
    with pytest.raises(DeliveryError, match="answered 500"):
        channel.send("main", an_alert())
    post.refuses = {"ben"}
    (letters,) = open_channels(mail(post))
    with pytest.raises(DeliveryError, match="1 of 2 recipients"):
        letters.send("main", an_alert())
    (nobody,) = open_channels(AlertSettings(webhook_url="http://127.0.0.1:9/secret-path", **BRISK))
    with pytest.raises(DeliveryError) as failed:
        nobody.send("main", an_alert())
    assert "secret-path" not in str(failed.value)


class Carried:
    """A dispatcher at work."""

    def __init__(self, channels: tuple[Channel, ...], settings: AlertSettings) -> None:
        self.complaints: list[tuple[str, str]] = []
        self.up = True
        self.dispatcher = Dispatcher(channels, settings=settings, clock=SystemClock(), rng=SystemRng(), bot="main")
        self.dispatcher.listen(lambda: self.up, lambda channel, why: self.complaints.append((channel, why)))


@asynccontextmanager
async def carrying(settings: AlertSettings) -> Any:
    """Run a dispatcher over the channels of some settings."""
    carried = Carried(open_channels(settings), settings)
    running = asyncio.ensure_future(carried.dispatcher.run())
    try:
        yield carried
    finally:
        await end_all((running,))


async def until(met: Callable[[], bool]) -> None:
    """Wait for a condition with a deadline."""
    async with asyncio.timeout(10):
        while not met():  # noqa: ASYNC110 - what is waited for happens on a server's thread
            await asyncio.sleep(0.005)


@pytest.mark.control("C27")
async def test_each_channel_gets_what_is_loud_enough_for_it(web: WebServer, post: MailServer) -> None:
    """A warning goes to the webhook, a critical alert to both, a notice to none: unless the operator's line is down."""
    async with carrying(mail(post, webhook_url=web.url)) as carried:
        for severity in Severity:
            carried.dispatcher.take(an_alert(severity))
        await until(lambda: (len(web.bodies), len(post.letters)) == (2, 1))
        await carried.dispatcher.emptied(5.0)
        carried.up = False
        carried.dispatcher.take(an_alert(Severity.NOTICE))
        await until(lambda: (len(web.bodies), len(post.letters)) == (3, 2))


@pytest.mark.control("C27")
async def test_an_undelivered_alert_escalates_and_is_tried_again(web: WebServer, post: MailServer) -> None:
    """What the webhook refuses goes out by mail, is complained of once, and arrives when the webhook is back."""
    web.answer = 503
    async with carrying(mail(post, webhook_url=web.url)) as carried:
        carried.dispatcher.take(an_alert(Severity.WARNING))
        await until(lambda: len(post.letters) == 1 and len(web.bodies) >= 3)
        assert carried.complaints == [("webhook", "webhook: answered 503, expected 200 to 299")]
        carried.dispatcher.take(an_alert(Severity.WARNING, cause="i-2"))
        await until(lambda: len(post.letters) == 2)
        web.answer = 200
        await carried.dispatcher.emptied(5.0)
        assert "[i-2]" in json.loads(web.bodies[-1])["text"]
        assert len(post.letters) == 2
        assert carried.dispatcher.dropped == {}


async def test_an_alert_too_old_is_given_up_and_counted(web: WebServer) -> None:
    """A channel that never works does not hold an alert for ever."""
    web.answer = 500
    async with carrying(webhook(web, give_up_after_s=0.1)) as carried:
        carried.dispatcher.take(an_alert())
        await until(lambda: carried.dispatcher.dropped == {"webhook": 1})


async def test_a_flood_is_bounded(web: WebServer) -> None:
    """More alerts than a channel has places for: the oldest give way and are counted; nobody waits."""
    carried = Carried(open_channels(webhook(web)), webhook(web))
    for number in range(PLACES + 3):
        carried.dispatcher.take(an_alert(cause=str(number)))
    assert carried.dispatcher.dropped == {"webhook": 3}


@pytest.mark.parametrize(
    ("keys", "names"),
    [
        ({"webhook_url": "http://example.org/x"}, "webhook_url"),
        ({"webhook_url": "nonsense"}, "webhook_url"),
        ({"smtp_host": "mail.example.org"}, "smtp_sender"),
        (
            {"smtp_host": "mail.example.org", "smtp_sender": "a@b", "smtp_recipients": ("c@d",), "smtp_tls": False},
            "smtp_tls",
        ),
        ({"smtp_port": 0}, "smtp_port"),
        ({"timeout_s": 0.0}, "timeout_s"),
    ],
)
def test_a_channel_that_cannot_be_meant_is_refused(keys: dict[str, Any], names: str) -> None:
    """Secrets do not travel in the clear, a letter needs sender and recipient, deadlines are positive."""
    with pytest.raises(InvalidValueError, match=names):
        AlertSettings(**keys)


def test_a_secret_that_others_can_read_stops_the_start(web: WebServer, tmp_path: Path) -> None:
    """The file's mode is judged before anything is sent."""
    token = tmp_path / "token"
    token.write_text("x")
    token.chmod(0o644)
    with pytest.raises(RefusedStartError, match="chmod 600"):
        open_channels(webhook(web, webhook_token_file=token))
