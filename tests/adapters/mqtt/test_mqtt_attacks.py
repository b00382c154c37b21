"""Attacks on the command channel: none of them loosens the bot, and every one is told apart from a good resume."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from adapters.control.envelope import Envelope, PrivateKey, canonical, signed
from bot.domain.command import AckStage, CommandName
from bot.domain.mode import TradingMode
from tests.adapters.mqtt.bench_bot import BenchBot, envelope_for, signed_by, until
from tests.adapters.mqtt.mosquitto_broker import Mosquitto
from tests.adapters.mqtt.raw_operator import Hand, connected

pytestmark = pytest.mark.mosquitto

Sign = Callable[[Envelope, PrivateKey], bytes]


async def challenge_of(hand: Hand) -> str:
    """Return the bot's present challenge."""
    await until(lambda: hand.bot.lines.guard.told("challenge") != {})
    return str(hand.bot.lines.guard.told("challenge")["challenge"])


async def good_resume(hand: Hand, **changes: Any) -> Envelope:
    """Return a resume that the bot would grant, but for the changes."""
    whole = {"challenge": await challenge_of(hand), "args": {"mode": "NORMAL"}, **changes}
    return envelope_for(hand.bot, hand.operator, CommandName.RESUME, **whole)


def _stripped(envelope: Envelope, _key: PrivateKey) -> bytes:
    return canonical(envelope.fields())


def _truncated(envelope: Envelope, key: PrivateKey) -> bytes:
    fields = json.loads(signed(envelope.fields(), key))
    return canonical({**fields, "sig": fields["sig"][:-2]})


def _forged(envelope: Envelope, _key: PrivateKey) -> bytes:
    return signed(envelope.fields(), PrivateKey.generate())


def _edited(envelope: Envelope, key: PrivateKey) -> bytes:
    fields = json.loads(signed(envelope.fields(), key))
    return canonical({**fields, "reason": "another reason"})


def _with_algorithm(envelope: Envelope, key: PrivateKey) -> bytes:
    return signed({**envelope.fields(), "alg": "none"}, key)


def _with_float(envelope: Envelope, key: PrivateKey) -> bytes:
    return signed(envelope.fields(), key).replace(b'"v":1', b'"v":1.0')


def _twice(envelope: Envelope, key: PrivateKey) -> bytes:
    return signed(envelope.fields(), key).replace(b'"v":1', b'"v":1,"v":1')


def _second_version(envelope: Envelope, key: PrivateKey) -> bytes:
    return signed({**envelope.fields(), "v": 2}, key)


WRONG_SIGNATURES = [_stripped, _truncated, _forged, _edited, _with_algorithm, _with_float, _twice, _second_version]

WRONG_FIELDS: list[tuple[str, dict[str, Any]]] = [
    ("challenge", {"challenge": "0" * 32}),
    ("challenge", {"challenge": ""}),
    ("epoch", {"kill_epoch": 0}),
    ("epoch", {"kill_epoch": 99}),
    ("not_fresh", {"iat": 0}),
    ("not_fresh", {"iat": 2**40, "exp": 2**41}),
    ("not_fresh", {"iat": 2**62, "exp": 2**62}),
    ("not_fresh", {"exp": 1}),
    ("sequence", {"seq": -1}),
    ("reason_missing", {"reason": "  "}),
    ("target_mode", {"args": {"mode": "HALT"}}),
    ("target_mode", {"args": {"mode": "EVERYTHING"}}),
    ("not_proved", {"bot": "other"}),
    ("not_proved", {"account_hash": "0" * 32}),
    ("not_proved", {"key_id": "nobody"}),
    ("not_proved", {"cmd": "status"}),
]


@pytest.mark.control("C41")
@pytest.mark.control("Q5")
async def test_a_good_resume_is_granted(hand: Hand) -> None:
    """The resume that all attacks vary is itself accepted: the attacks fail for their own fault."""
    envelope = await good_resume(hand)
    await hand.send("resume", signed_by(envelope, hand.operator.private))
    assert (await hand.answer_to(envelope.id)).stage is AckStage.DONE
    assert hand.bot.mode is TradingMode.NORMAL


@pytest.mark.control("C41")
async def test_wrong_signatures_never_loosen(hand: Hand) -> None:
    """Stripped, cut, forged, edited, downgraded or doubled: nothing happens, and no challenge is used up."""
    before, challenge = hand.bot.epoch, await challenge_of(hand)
    for sign in WRONG_SIGNATURES:
        await hand.send("resume", sign(await good_resume(hand), hand.operator.private))
    await hand.settled()
    assert (hand.bot.mode, hand.bot.epoch) == (TradingMode.HALT, before)
    assert await challenge_of(hand) == challenge


@pytest.mark.control("C41")
async def test_wrong_fields_never_loosen(hand: Hand) -> None:
    """Well signed, but for another epoch, challenge, time, order, bot, account, key or command: refused with a code."""
    before = hand.bot.epoch
    for number, (code, changes) in enumerate(WRONG_FIELDS):
        envelope = await good_resume(hand, **changes)
        await hand.send("resume", signed_by(envelope, hand.operator.private))
        await until(lambda number=number: len(hand.bot.rows("command_refused")) > number)
        assert hand.bot.rows("command_refused")[-1]["code"] == code, changes
    assert (hand.bot.mode, hand.bot.epoch) == (TradingMode.HALT, before)


@pytest.mark.control("C41")
async def test_a_resume_is_good_once(hand: Hand) -> None:
    """Replayed after another kill it names a dead epoch; replayed before, a sequence number already taken."""
    payload = signed_by(await good_resume(hand), hand.operator.private)
    await hand.send("resume", payload)
    await hand.send("resume", payload)
    await hand.settled()
    await until(lambda: hand.bot.mode is TradingMode.NORMAL)
    kill = envelope_for(hand.bot, hand.operator, CommandName.KILL)
    await hand.send("kill", signed_by(kill, hand.operator.private))
    await hand.answer_to(kill.id)
    await hand.send("resume", payload)
    await hand.settled()
    assert hand.bot.mode is TradingMode.HALT
    assert hand.bot.rows("command_refused")[-1]["code"] == "sequence"


@pytest.mark.control("C41")
async def test_a_challenge_is_good_once(hand: Hand) -> None:
    """A refused resume with a valid signature uses the challenge up: the next must answer a new one."""
    spent = await good_resume(hand, reason=" ")
    await hand.send("resume", signed_by(spent, hand.operator.private))
    await hand.answer_to(spent.id)
    again = envelope_for(hand.bot, hand.operator, CommandName.RESUME, challenge=spent.challenge)
    await hand.send("resume", signed_by(again, hand.operator.private))
    assert (await hand.answer_to(again.id)).code == "challenge"


@pytest.mark.control("C42")
async def test_a_key_without_the_role_cannot_resume(hand: Hand) -> None:
    """A key that may only kill is refused a resume, whatever the broker lets it write."""
    switch = hand.bot.new_operator("switch", "kill")
    envelope = replace(await good_resume(hand), key_id="switch")
    await hand.send("resume", signed_by(envelope, switch.private))
    assert (await hand.answer_to(envelope.id)).code == "role_missing"


@pytest.mark.control("C42")
async def test_a_revoked_key_is_dead_at_once(hand: Hand) -> None:
    """Revoking takes effect in the running bot: the next resume counts as unsigned."""
    envelope = await good_resume(hand)
    hand.bot.standing.ring.revoke(hand.operator.key_id)
    await hand.send("resume", signed_by(envelope, hand.operator.private))
    await until(lambda: hand.bot.rows("command_refused") != [])
    assert hand.bot.rows("command_refused")[-1]["code"] == "not_proved"
    assert hand.bot.mode is TradingMode.HALT


async def test_an_identity_without_the_right_reaches_nothing(hand: Hand, broker: Mosquitto) -> None:
    """The access list is the first wall: a well-signed resume of the wrong identity never arrives."""
    envelope = await good_resume(hand)
    payload = signed_by(envelope, hand.operator.private)
    for identity in ("operator-switch", "monitor", "probe", "stranger"):
        async with connected(broker, identity) as client:
            await client.publish("alvh/main/cmd/resume", payload, qos=1)  # returns as if all were well
    await hand.settled()
    assert hand.bot.mode is TradingMode.HALT
    assert hand.bot.rows("command_refused") == []


async def test_an_unsigned_kill_reduces_and_never_advances_an_epoch(hand: Hand) -> None:
    """A stranger's kill brings REDUCE_ONLY once, one alert, and cannot hinder the resume by new epochs."""
    envelope = await good_resume(hand)
    await hand.send("resume", signed_by(envelope, hand.operator.private))
    assert (await hand.answer_to(envelope.id)).stage is AckStage.DONE
    before = hand.bot.epoch
    for _ in range(5):
        await hand.send("kill", b'{"kill":"please"}')
    await hand.settled()
    assert (hand.bot.mode, hand.bot.epoch) == (TradingMode.REDUCE_ONLY, before)
    assert len(hand.bot.rows("command_unproved")) == 1
    assert len(hand.bot.rows("mode_latched")) == 1


@pytest.mark.control("Q5")
async def test_the_same_kill_twice_is_one_kill(hand: Hand) -> None:
    """A repeated kill is answered again and starts no second epoch."""
    kill = envelope_for(hand.bot, hand.operator, CommandName.KILL)
    for _ in range(3):
        await hand.send("kill", signed_by(kill, hand.operator.private))
    epoch = (await hand.answer_to(kill.id)).detail["epoch"]
    await hand.settled()
    assert hand.bot.epoch == epoch
    assert len(hand.bot.rows("kill_latched")) == 1


@pytest.mark.control("C41")
async def test_a_stripped_copy_does_not_swallow_the_kill(hand: Hand) -> None:
    """A broker that delivers a kill without its signature first cannot have the true one taken for a repetition."""
    envelope = await good_resume(hand)
    await hand.send("resume", signed_by(envelope, hand.operator.private))
    await hand.answer_to(envelope.id)
    kill = envelope_for(hand.bot, hand.operator, CommandName.KILL)
    await hand.send("kill", _stripped(kill, hand.operator.private))
    await until(lambda: hand.bot.mode is TradingMode.REDUCE_ONLY)
    await hand.send("kill", signed_by(kill, hand.operator.private))
    await until(lambda: hand.bot.mode is TradingMode.HALT)


@pytest.mark.control("Q8")
async def test_a_flood_does_not_delay_a_kill(hand: Hand, bot: BenchBot) -> None:
    """Two thousand messages at once, then a kill: it is served though most of the flood is dropped and counted."""
    for number in range(2000):
        hand.client._client.publish("alvh/main/cmd/status", b"x" * 200 + str(number).encode(), qos=0)
    kill = envelope_for(bot, hand.operator, CommandName.KILL)
    await hand.send("kill", signed_by(kill, hand.operator.private))
    assert (await hand.answer_to(kill.id)).stage is AckStage.LATCHED


@pytest.mark.control("Q8")
@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff\xfe\x00",
        b"x" * 5000,
        b"[" * 3000,
        b'{"a":' * 600 + b"1" + b"}" * 600,
        b"null",
        b'"kill"',
        b'{"reason":"\\ud800","sig":"zz"}',
        b"9" * 4000,
    ],
    ids=lambda payload: f"{bytes(payload[:6])!r}x{len(payload)}",
)
async def test_what_is_no_message_is_dropped(hand: Hand, payload: bytes) -> None:
    """Empty, no UTF-8, too large, too deep, no envelope: the bot stays where it is and goes on answering."""
    before = (hand.bot.mode, hand.bot.epoch)
    for name in ("kill", "resume", "status", "probe", "unknown", "kill/kill", "pause"):
        await hand.client.publish(f"alvh/main/cmd/{name}", payload, qos=1)
    assert (await hand.settled()).stage is AckStage.DONE
    assert (hand.bot.mode, hand.bot.epoch) == before


@pytest.mark.control("Q8")
async def test_a_megabyte_ends_its_sender_alone(hand: Hand, broker: Mosquitto) -> None:
    """The broker cuts whoever sends a megabyte; the bot's channel does not notice."""
    async with connected(broker, "operator-switch") as client:
        client._client.publish("alvh/main/cmd/kill", b"x" * 1_000_000, qos=1)
        await until(client._disconnected.done)
        client._disconnected.exception()
    assert (await hand.settled()).stage is AckStage.DONE
