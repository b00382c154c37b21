"""Bytes that are nearly a good resume: another encoding, another key, another type, another place; none loosens."""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from adapters.control.envelope import Envelope, canonical, signed
from bot.domain.command import AckStage, CommandName
from bot.domain.mode import TradingMode
from tests.adapters.mqtt.bench_bot import envelope_for, signed_by, until
from tests.adapters.mqtt.raw_operator import Hand
from tests.adapters.mqtt.test_mqtt_attacks import good_resume

pytestmark = [pytest.mark.mosquitto, pytest.mark.control("C41")]

Forgery = Callable[[Envelope, Hand], bytes]


def good(envelope: Envelope, hand: Hand) -> bytes:
    """The bytes that would be granted."""
    return signed_by(envelope, hand.operator.private)


def fields(envelope: Envelope, hand: Hand) -> dict[str, Any]:
    """The signed fields of the good one."""
    found: dict[str, Any] = json.loads(good(envelope, hand))
    return found


def with_signature(change: Callable[[str], object]) -> Forgery:
    """The good one with its signature written otherwise."""

    def forge(envelope: Envelope, hand: Hand) -> bytes:
        whole = fields(envelope, hand)
        return canonical({**whole, "sig": change(whole["sig"])})

    return forge


def edited(change: Callable[[bytes], bytes]) -> Forgery:
    """The good one with its bytes changed, signature kept."""
    return lambda envelope, hand: change(good(envelope, hand))


def well_signed(**changes: object) -> Forgery:
    """Other fields under a good signature: of a kind that no envelope has."""
    return lambda envelope, hand: signed({**envelope.fields(), **changes}, hand.operator.private)


def anothers_signature(envelope: Envelope, hand: Hand) -> bytes:
    """The signature of a status, under the fields of a resume."""
    status = envelope_for(hand.bot, hand.operator, CommandName.STATUS)
    return canonical({**fields(envelope, hand), "sig": fields(status, hand)["sig"]})


def by_the_bots_own_key(envelope: Envelope, hand: Hand) -> bytes:
    """Signed with the key of the acks."""
    return signed(envelope.fields(), hand.bot.standing.bot_key)


def by_public_key_as_secret(envelope: Envelope, hand: Hand) -> bytes:
    """A keyed hash whose secret is the operator's public key, as confused verifiers take it."""
    public = hand.operator.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    tag = hmac.new(public, canonical(envelope.fields()), hashlib.sha512).hexdigest()
    return canonical({**envelope.fields(), "sig": tag})


def without(name: str) -> Forgery:
    """A field left out, signed as it then is."""

    def forge(envelope: Envelope, hand: Hand) -> bytes:
        return signed({key: value for key, value in envelope.fields().items() if key != name}, hand.operator.private)

    return forge


FORGERIES: dict[str, Forgery] = {
    "signature in the other case": with_signature(str.swapcase),
    "signature with zeros behind": with_signature(lambda sig: sig + "00"),
    "signature cut to nothing": with_signature(lambda _sig: ""),
    "signature of zeros": with_signature(lambda sig: "0" * len(sig)),
    "signature null": with_signature(lambda _sig: None),
    "signature in a list": with_signature(lambda sig: [sig]),
    "signature backwards": with_signature(lambda sig: sig[::-1]),
    "signature of another command": anothers_signature,
    "signed by the bot's own key": by_the_bots_own_key,
    "keyed hash with the public key": by_public_key_as_secret,
    "a byte order mark before": edited(lambda raw: b"\xef\xbb\xbf" + raw),
    "a zero byte behind": edited(lambda raw: raw + b"\x00"),
    "two documents": edited(lambda raw: raw + raw),
    "the command twice": edited(lambda raw: raw.replace(b'"cmd":', b'"cmd":"status","cmd":')),
    "in UTF-16": edited(lambda raw: raw.decode().encode("utf-16")),
    "in an array": edited(lambda raw: b"[" + raw + b"]"),
    "not a number": edited(lambda raw: raw.replace(b'"v":1', b'"v":NaN')),
    "infinite": edited(lambda raw: raw.replace(b'"v":1', b'"v":Infinity')),
    "minus zero": edited(lambda raw: raw.replace(b'"v":1', b'"v":-0')),
    "a sequence number as text": well_signed(seq="1"),
    "a sequence number that is true": well_signed(seq=True),
    "a moment as text": well_signed(iat="now"),
    "a field that nobody knows": well_signed(admin=True),
    "arguments as a list": well_signed(args=["NORMAL"]),
    "arguments with a stranger among them": well_signed(args={"mode": "NORMAL", "force": True}),
    "an operator's name in other letters": well_signed(key_id="\u0430nna"),  # a Cyrillic first letter
    "a bot's name with a path in it": well_signed(bot="main/../main"),
    "no bot": without("bot"),
    "no expiry": without("exp"),
    "no epoch": without("kill_epoch"),
}


def batched(names: Iterable[str], size: int) -> Iterator[tuple[str, ...]]:
    """So many names at a time."""
    rest = iter(names)
    while batch := tuple(islice(rest, size)):
        yield batch


async def test_no_forgery_loosens_and_a_kill_works_through_them(hand: Hand) -> None:
    """Each forgery leaves mode and epoch alone; a good resume is granted, and a kill is obeyed amid all of them."""
    before = hand.bot.epoch
    for names in batched(FORGERIES, 6):  # the bot answers ten questions a second
        for name in names:
            await hand.send("resume", FORGERIES[name](await good_resume(hand), hand))
            await hand.send("arm", FORGERIES[name](await good_resume(hand), hand))
        await hand.settled()
        assert (hand.bot.mode, hand.bot.epoch) == (TradingMode.HALT, before), names
    envelope = await good_resume(hand)
    await hand.send("resume", good(envelope, hand))
    assert (await hand.answer_to(envelope.id)).stage is AckStage.DONE
    kill = envelope_for(hand.bot, hand.operator, CommandName.KILL)
    for forge in FORGERIES.values():
        await hand.send("resume", forge(envelope, hand))
    await hand.send("kill", signed_by(kill, hand.operator.private))
    assert (await hand.answer_to(kill.id)).stage is AckStage.LATCHED
    assert hand.bot.mode is TradingMode.HALT


async def test_a_good_resume_in_the_wrong_place_is_none(hand: Hand) -> None:
    """Under another command's topic, as an ack, or to another bot, the very bytes that would be granted are not."""
    payload = good(await good_resume(hand), hand)
    for topic in ("alvh/main/cmd/status", "alvh/main/cmd/arm", "alvh/other/cmd/resume", "alvh/main/ack/1"):
        await hand.client.publish(topic, payload, qos=1)
    await hand.settled()
    assert hand.bot.mode is TradingMode.HALT


async def test_a_kill_overtakes_a_resume_that_was_signed_before_it(hand: Hand) -> None:
    """Both are on their way at once: whichever comes first, the bot ends halted."""
    envelope = await good_resume(hand)
    kill = envelope_for(hand.bot, hand.operator, CommandName.KILL)
    await hand.send("resume", good(envelope, hand))
    await hand.send("kill", signed_by(kill, hand.operator.private))
    await hand.send("resume", good(envelope, hand))
    await hand.settled()
    await until(lambda: hand.bot.mode is TradingMode.HALT)
