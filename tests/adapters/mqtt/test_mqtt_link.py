"""The link to a real Mosquitto: when it counts as up, what it leaves behind, and how it comes back."""

import asyncio
import gc
import socket
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from aiomqtt import Client, MqttError, ProtocolVersion

from adapters.clock import SystemClock, SystemRng
from adapters.control.keys import account_hash, open_bot_key, open_ring
from adapters.control.verifier import Verifier
from adapters.journal.store import Owner, open_journal
from adapters.mqtt.connection import MqttLink
from adapters.mqtt.sessions import bot_client, operator_client
from adapters.mqtt.settings import MqttSettings
from adapters.mqtt.topics import Topics
from bot.domain.command import Command, CommandName
from bot.domain.errors import RefusedStartError
from bot.domain.mode import DemandSource, TradingMode
from bot.ports import JournalRow
from config.settings import Profile
from tests.adapters.mqtt.bench_bot import BenchBot, envelope_for, signed_by, tool_of, until
from tests.adapters.mqtt.mosquitto_broker import Mosquitto
from tests.adapters.mqtt.raw_operator import Hand, connected

pytestmark = pytest.mark.mosquitto


class Heard:
    """What a link told: commands, rises and falls."""

    def __init__(self, folder: Path, settings: MqttSettings) -> None:
        key, clock = open_bot_key(folder), SystemClock()
        ring = open_ring(folder)
        verifier = Verifier(ring=ring, bot="main", account_hash=account_hash("DU1", key), clock=clock)
        self.link = MqttLink(
            settings=settings, verifier=verifier, bot_key=key, clock=clock, rng=SystemRng(), bot="main"
        )
        self.commands: list[Command] = []
        self.changes: list[bool] = []
        self.link.listen(self.commands.append, self.changes.append)


async def _ended(task: asyncio.Future[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _cut_off(client: Client) -> None:
    """Connect as the bot, say online, and lose the socket as a killed process does."""
    async with client:
        await client.publish("alvh/main/availability", b"online", qos=1, retain=True)
        client._client.socket().shutdown(socket.SHUT_RDWR)
        async for _ in client.messages:
            pass


async def availability(broker: Mosquitto) -> list[str]:
    """Return the retained availability as a monitor sees it."""
    async with connected(broker, "monitor") as client:
        await client.subscribe("alvh/main/availability", qos=1)
        async with asyncio.timeout(5):
            async for message in client.messages:
                return [bytes(message.payload).decode(), str(bool(message.retain))]
    return []


@pytest.mark.control("Q7")
async def test_the_channel_is_up_once_the_probe_came_back(broker: Mosquitto, tmp_path: Path) -> None:
    """With the shipped access list the probe arrives and the channel rises exactly once."""
    heard = Heard(tmp_path, broker.settings())
    running = asyncio.ensure_future(heard.link.run())
    await until(heard.link.up.is_set)
    assert heard.changes == [True]
    await _ended(running)


@pytest.mark.control("Q7")
async def test_a_filtered_subscription_never_counts_as_up(unstarted: Mosquitto, tmp_path: Path) -> None:
    """Where the access list lets the bot read nothing, the broker still grants: the missing probe tells."""
    unstarted.deny("topic read alvh/main/cmd/#")
    unstarted.start()
    heard = Heard(tmp_path, unstarted.settings(probe_within_s=0.2))
    running = asyncio.ensure_future(heard.link.run())
    await until(lambda: "did not arrive" in heard.link.why_down or "refused" in heard.link.why_down)
    assert (heard.changes, heard.link.up.is_set()) == ([], False)
    await _ended(running)


@pytest.mark.control("Q10")
async def test_the_last_will_tells_of_a_dead_bot(broker: Mosquitto, tmp_path: Path) -> None:
    """Online is retained at connect; when the socket dies without a goodbye the broker says offline."""
    settings = broker.settings()
    heard = Heard(tmp_path, settings)
    running = asyncio.ensure_future(heard.link.run())
    await until(heard.link.up.is_set)
    assert await availability(broker) == ["online", "True"]
    await _ended(running)
    assert await availability(broker) == ["offline", "True"]
    client = await bot_client(settings, Topics(bot="main"), heard.link.dropped)
    with pytest.raises(MqttError):
        await _cut_off(client)
    assert await availability(broker) == ["offline", "True"]


@pytest.mark.control("Q9")
async def test_a_lost_broker_is_told_and_found_again(broker: Mosquitto, tmp_path: Path) -> None:
    """The broker ends: the channel falls; it returns on the same port: the channel rises by itself."""
    heard = Heard(tmp_path, broker.settings())
    running = asyncio.ensure_future(heard.link.run())
    await until(heard.link.up.is_set)
    broker.stop()
    await until(lambda: heard.changes == [True, False])
    broker.start()
    await until(lambda: heard.changes == [True, False, True])
    await _ended(running)


@pytest.mark.control("Q2")
@pytest.mark.control("Q4")
async def test_the_session_is_as_the_rules_want_it(broker: Mosquitto) -> None:
    """No delay on the socket, MQTT 5, clean start, no session kept, small packets, own name as client id."""
    client = await bot_client(broker.settings(), Topics(bot="main"), Counter())
    async with client:
        assert client._client.socket().getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
        assert client._client.socket().version() in {"TLSv1.2", "TLSv1.3"}
        asked = client._properties
        assert (asked.SessionExpiryInterval, asked.MaximumPacketSize) == (0, 4096)
        assert (client._client._protocol, client._clean_start, client.identifier) == (5, True, "bot")


@pytest.mark.control("Q3")
async def test_nobody_else_takes_the_bots_session(hand: Hand, broker: Mosquitto) -> None:
    """A valid user that asks for the client id "bot" is given its own: the bot's channel does not fall."""
    plain = await operator_client(
        broker.settings(), "operator-switch", broker.credentials.password_file("operator-switch")
    )
    thief = Client(
        "127.0.0.1",
        broker.port,
        username="operator-switch",
        password="secret of operator-switch",
        identifier="bot",
        protocol=ProtocolVersion.V5,
        clean_start=True,
        tls_context=plain._client._ssl_context,
    )
    async with thief:
        await hand.settled()
    assert hand.bot.rows("command_link_changed") == [{"up": True}]


@pytest.mark.control("Q1")
@pytest.mark.parametrize("identity", ["bot", "nobody"])
async def test_a_wrong_password_is_refused(broker: Mosquitto, tmp_path: Path, identity: str) -> None:
    """Neither a wrong password nor an unknown user gets in; the link says why it is down."""
    wrong = tmp_path / "wrong.password"
    wrong.write_text("wrong\n")
    wrong.chmod(0o600)
    heard = Heard(tmp_path, broker.settings(username=identity, password_file=wrong))
    running = asyncio.ensure_future(heard.link.run())
    await until(lambda: "authorized" in heard.link.why_down.lower())
    assert heard.changes == []
    await _ended(running)


async def test_a_password_that_others_can_read_is_refused(broker: Mosquitto, tmp_path: Path) -> None:
    """A password file with open permissions is an error that names the file and the cure."""
    path = tmp_path / "open.password"
    path.write_text("secret\n")
    path.chmod(0o644)
    with pytest.raises(RefusedStartError, match="chmod 600"):
        await bot_client(broker.settings(password_file=path), Topics(bot="main"), Counter())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the library leaves the socket to us
async def test_a_stranger_of_a_broker_is_not_trusted(broker: Mosquitto, tmp_path: Path) -> None:
    """A certificate of another authority ends the connection before the password is sent."""
    heard = Heard(tmp_path, replace(broker.settings(), ca_file=None))
    running = asyncio.ensure_future(heard.link.run())
    await until(lambda: "certificate" in heard.link.why_down.lower())
    await _ended(running)
    gc.collect()


@pytest.mark.control("Q4")
async def test_retained_commands_meet_a_bot_that_starts_later(broker: Mosquitto, tmp_path: Path) -> None:
    """A retained kill halts a later life; a retained resume is refused for being retained."""
    state = tmp_path / "state"
    async with BenchBot(state, broker.settings()).living() as bot:
        operator = bot.new_operator()
        await until(lambda: bot.rows("books_reconciled") != [])
        line = await bot.operator_line(broker.credentials.password_file("operator-anna"))
        await tool_of(line, operator).loosen(CommandName.ARM, {"mode": "NORMAL"}, lambda _facts: "a test")
        await line.close()
        assert bot.mode is TradingMode.NORMAL
        kill = signed_by(envelope_for(bot, operator, CommandName.KILL), operator.private)
        resume = signed_by(envelope_for(bot, operator, CommandName.RESUME), operator.private)
    async with connected(broker) as client:
        await client.publish("alvh/main/cmd/kill", kill, qos=1, retain=True)
        await client.publish("alvh/main/cmd/resume", resume, qos=1, retain=True)
    async with BenchBot(state, broker.settings()).living() as later:
        await until(lambda: later.mode is TradingMode.HALT)
        await until(lambda: any(row["code"] == "retained" for row in later.rows("command_refused")))
        assert "kill by anna" in later.standing.latch.cause
        line = await later.operator_line(broker.credentials.password_file("operator-anna"))
        resumed = await tool_of(line, operator).loosen(CommandName.RESUME, {"mode": "NORMAL"}, lambda _facts: "cleared")
        await line.close()
        assert (resumed.exit_code, later.mode) == (0, TradingMode.NORMAL)


@pytest.mark.control("Q9")
async def test_a_live_bot_without_a_broker_starts_halted(
    unstarted: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A required broker that is absent at start latches HALT with the cause; the bot runs on."""
    monkeypatch.setattr("bot.compose.lines.ABSENT_AFTER_S", 0.2)
    bot = BenchBot(tmp_path / "state", unstarted.settings(required=False), Profile.PAPER)
    bot.loaded = replace(bot.loaded, settings=replace(bot.loaded.settings, profile=Profile.LIVE))
    (tmp_path / "state" / "latch.json").write_text(
        '{"version": 1, "owner": "main/live/DU1234567", "mode": "NORMAL", "cause": "armed", "epoch": 3}'
    )
    _journal_of_an_armed_bot(tmp_path / "state" / "journal.db")
    async with bot.living() as living:
        assert living.mode is TradingMode.NORMAL
        await until(lambda: len(living.rows("mode_demanded")) > 1)
        assert (living.mode, living.epoch) == (TradingMode.HALT, 4)
        assert "no command link over MQTT at start" in living.latch_on_disk()["cause"]
        await until(lambda: living.rows("books_reconciled") != [])


def _journal_of_an_armed_bot(path: Path) -> None:
    """An earlier life was armed: without its journal an armed latch is not believed."""
    journal = open_journal(path, Owner(bot="main", profile="live", account="DU1234567"))
    facts = {"source": DemandSource.LATCH, "mode": "NORMAL", "cause": "armed", "epoch": 3}
    journal.write([JournalRow(kind="mode_demanded", decision_id="", at=SystemClock().now(), payload=facts)])
    journal.close()


async def test_without_an_answer_the_tool_says_how_to_kill_locally(broker: Mosquitto, tmp_path: Path) -> None:
    """Nobody is at the other end: exit code 10 and the command for the bot's own host."""
    async with BenchBot(tmp_path / "state", broker.settings()).living() as bot:
        operator = bot.new_operator()
        line = await bot.operator_line(broker.credentials.password_file("monitor"), "monitor")
        report = await tool_of(line, operator).kill("the monitor may not kill")
        await line.close()
    assert report.exit_code == 10
    assert "alvh kill --local" in report.says
