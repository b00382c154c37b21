"""Envelope, keys, verifier and acks: one byte form, one signature, and nothing that is repaired."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.control.acks import ack_of, signed_ack
from adapters.control.envelope import (
    DEEPEST,
    LARGEST_BYTES,
    Envelope,
    PrivateKey,
    canonical,
    envelope_of,
    is_signed_by,
    parsed,
    signed,
)
from adapters.control.keys import (
    BOT_KEY_FILE,
    BOT_PUBLIC_FILE,
    KEYS_FILE,
    SEQ_FILE,
    account_hash,
    open_bot_key,
    open_ring,
    public_key,
    public_text,
)
from adapters.control.operator_key import OperatorIdentity, local_identity, read_identity, write_identity
from adapters.control.verifier import LONGEST_REASON, Verifier
from bot.domain.command import Ack, AckStage, Channel, Command, CommandName, Proof, Role
from bot.domain.errors import ConfigError, InvalidValueError, RefusedStartError

KEY = PrivateKey.from_private_bytes(bytes(range(32)))
NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
VALUES = st.recursive(
    st.text(max_size=8) | st.integers(-(2**60), 2**60) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)


class Fixed:
    """A clock that stands still."""

    def now(self) -> datetime:
        """Return the fixed moment."""
        return NOW

    def now_ns(self) -> int:
        """Return the fixed moment in nanoseconds."""
        return int(NOW.timestamp()) * 1_000_000_000

    def stepped_s(self) -> float:
        """It never steps."""
        return 0.0

    def host_now(self) -> datetime:
        """Return the fixed moment."""
        return NOW

    async def sleep(self, seconds: float) -> None:
        """Nothing waits here."""


def an_envelope(**changes: Any) -> Envelope:
    """Return an envelope but for some changes."""
    whole: dict[str, Any] = {"bot": "main", "account_hash": "h", "cmd": "kill", "id": "i", "key_id": "anna"}
    return Envelope(**{**whole, **changes})


@given(st.dictionaries(st.text(min_size=1, max_size=6), VALUES, max_size=4).filter(lambda held: "sig" not in held))
def test_what_was_signed_is_read_as_it_was(fields: dict[str, Any]) -> None:
    """Signing, sending and parsing returns the same fields with a valid signature, or refuses what is too deep."""
    try:
        found, signature = parsed(signed(fields, KEY))
    except InvalidValueError as error:
        assert "deeper" in str(error)  # noqa: PT017 - the only refusal that such fields may meet
        return
    assert found == fields
    assert is_signed_by(found, signature, KEY.public_key())


@given(st.binary(max_size=300))
def test_any_bytes_parse_or_are_refused(payload: bytes) -> None:
    """Nothing but InvalidValueError leaves the parser, whatever comes."""
    try:
        found, _ = parsed(payload)
    except InvalidValueError:
        return
    assert isinstance(found, dict)


def test_the_canonical_form_is_one() -> None:
    """Order of insertion does not matter; no blanks; UTF-8 as it is."""
    assert canonical({"b": 1, "a": "é"}) == canonical({"a": "é", "b": 1}) == '{"a":"é","b":1}'.encode()


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b'{"a":1,"a":1}', "twice"),
        (b'{"x":{"a":1,"a":2}}', "twice"),
        (b'{"a":1.0}', "integers"),
        (b'{"a":1e3}', "integers"),
        (b'{"a":NaN}', "integers"),
        (b'{"a":-Infinity}', "integers"),
        (b"[1]", "object"),
        (b"", "not a message"),
        (b"\xff", "not a message"),
        (b'{"a":' * (DEEPEST + 1) + b"1" + b"}" * (DEEPEST + 1), "deeper"),
        (b'{"a":' + b"[" * 2000 + b"]" * 2000 + b"}", "deeper|not a message"),
        (b'{"a":"' + b"x" * LARGEST_BYTES + b'"}', "bytes"),
        (b'{"a":' + b"9" * 4090 + b"}" * 1, "bytes|not a message|"),
    ],
)
def test_no_other_form_is_read(payload: bytes, why: str) -> None:
    """Floats, doubled keys, depth, size and other kinds are refused with the reason."""
    if why.endswith("|"):
        parsed(payload)  # a long integer is an integer: harmless, because nothing computes with it
        return
    with pytest.raises(InvalidValueError, match=why):
        parsed(payload)


def test_the_permitted_depth_is_read() -> None:
    """Exactly the deepest form still passes."""
    assert parsed(b'{"a":' * DEEPEST + b"1" + b"}" * DEEPEST)


@pytest.mark.parametrize(
    "change",
    [{"v": 2}, {"v": True}, {"seq": "1"}, {"args": []}, {"args": {"a": {}}}, {"args": {"a": True}}, {"more": 1}],
)
def test_another_shape_is_no_envelope(change: dict[str, Any]) -> None:
    """Unknown fields, other types and versions are refused; a missing field too."""
    fields = an_envelope().fields()
    with pytest.raises(InvalidValueError):
        envelope_of({**fields, **change})
    del fields["reason"]
    with pytest.raises(InvalidValueError, match="reason"):
        envelope_of(fields)


@given(st.integers(0, 63), st.integers(1, 255))
def test_one_changed_bit_of_the_signature_is_no_signature(place: int, mask: int) -> None:
    """Any altered byte, a shorter or no signature fails."""
    fields = an_envelope().fields()
    signature = bytearray(KEY.sign(canonical(fields)))
    assert is_signed_by(fields, signature.hex(), KEY.public_key())
    signature[place] ^= mask
    assert not is_signed_by(fields, signature.hex(), KEY.public_key())
    assert not is_signed_by(fields, signature.hex()[:-2], KEY.public_key())
    for spelling in (signature.hex().upper(), f" {signature.hex()}", f"{signature.hex()}\n"):
        assert not is_signed_by(fields, spelling, KEY.public_key())
    assert not is_signed_by(fields, "", KEY.public_key())


def test_an_ack_is_believed_with_the_bots_signature_only() -> None:
    """The right key reads it back; another key, an edit, or rubbish gives None."""
    ack = Ack(command_id="i", stage=AckStage.DONE, code="", detail={"left": ["a"], "epoch": 3})
    payload = signed_ack(ack, KEY, NOW)
    assert ack_of(payload, KEY.public_key()) == ack
    assert ack_of(payload, PrivateKey.generate().public_key()) is None
    assert ack_of(payload.replace(b"DONE", b"LATCHED"), KEY.public_key()) is None
    assert ack_of(b"{}", KEY.public_key()) is None
    assert ack_of(signed({"id": "i"}, KEY), KEY.public_key()) is None


# keys --------------------------------------------------------------------------------------------------------------


def test_keys_and_sequence_numbers_survive_a_restart(tmp_path: Path) -> None:
    """A key, its roles, its revocation and its last number are found again."""
    ring = open_ring(tmp_path)
    ring.add("anna", (Role.KILL, Role.RESUME))
    ring.add("ben", (Role.KILL,))
    ring.take_seq("anna", 7)
    ring.revoke("ben")
    again = open_ring(tmp_path)
    anna = again.find("anna")
    assert anna is not None
    assert (anna.roles, again.last_seq("anna"), again.last_seq("ben")) == ({Role.KILL, Role.RESUME}, 7, -1)
    assert again.find("ben") is None
    assert [key.key_id for key in again.all()] == ["anna", "ben"]


@pytest.mark.parametrize("act", ["new", "revoke", "damage"])
def test_a_running_ring_heeds_the_file_at_once(tmp_path: Path, act: str) -> None:
    """Another process adds, revokes or damages: the next look sees it; a damaged file leaves no key."""
    running, tool = open_ring(tmp_path), open_ring(tmp_path)
    tool.add("anna", (Role.KILL,))
    assert running.find("anna") is not None
    if act == "new":
        tool.add("ben", (Role.KILL,))
        assert running.find("ben") is not None
    elif act == "revoke":
        tool.revoke("anna")
        assert running.find("anna") is None
    else:
        (tmp_path / KEYS_FILE).write_text("[{")
        assert running.find("anna") is None


def test_a_name_is_used_once(tmp_path: Path) -> None:
    """A second key of a name, also of a revoked one, is refused; so is revoking a stranger."""
    ring = open_ring(tmp_path)
    ring.add("anna", (Role.KILL,))
    ring.revoke("anna")
    with pytest.raises(ConfigError, match="another name"):
        ring.add("anna", (Role.KILL,))
    with pytest.raises(ConfigError, match="known are anna"):
        ring.revoke("ben")


@pytest.mark.parametrize("file", [KEYS_FILE, SEQ_FILE])
@pytest.mark.parametrize("text", ["{", '[{"key_id": 1}]', '{"a": "b"}', "7"])
def test_damaged_files_refuse_the_start(tmp_path: Path, file: str, text: str) -> None:
    """No half-read key ring: the message names the file."""
    (tmp_path / file).write_text(text)
    with pytest.raises(RefusedStartError, match=file):
        open_ring(tmp_path)


def test_the_bots_key_is_made_once_and_private(tmp_path: Path) -> None:
    """The first start makes it, mode 0600, the public half beside it; an open or damaged one is refused."""
    key = open_bot_key(tmp_path)
    assert public_text(open_bot_key(tmp_path)) == public_text(key) == (tmp_path / BOT_PUBLIC_FILE).read_text().strip()
    assert (tmp_path / BOT_KEY_FILE).stat().st_mode & 0o777 == 0o600
    (tmp_path / BOT_KEY_FILE).chmod(0o640)
    with pytest.raises(RefusedStartError, match="chmod 600"):
        open_bot_key(tmp_path)
    (tmp_path / BOT_KEY_FILE).chmod(0o600)
    (tmp_path / BOT_KEY_FILE).write_text("zz")
    with pytest.raises(RefusedStartError, match="no readable private key"):
        open_bot_key(tmp_path)


def test_the_account_is_named_by_a_hash_only_the_bot_can_make(tmp_path: Path) -> None:
    """Equal for the same bot and account, else different, and never the number itself."""
    one, other = open_bot_key(tmp_path), PrivateKey.generate()
    assert account_hash("DU1", one) == account_hash("DU1", one)
    assert len({account_hash("DU1", one), account_hash("DU2", one), account_hash("DU1", other)}) == 3
    assert "DU1" not in account_hash("DU1", one)


def test_an_operators_file_is_private_and_read_back(tmp_path: Path) -> None:
    """Written 0600, never overwritten, read as it was, silent about the key, refused when open to others."""
    identity = OperatorIdentity(key_id="anna", private=KEY, bot="main", account_hash="h", bot_key=public_text(KEY))
    path = tmp_path / "anna.key"
    write_identity(path, identity)
    found = read_identity(path)
    assert (found.key_id, found.private.private_bytes_raw()) == ("anna", KEY.private_bytes_raw())
    assert KEY.private_bytes_raw().hex() not in repr(found)
    with pytest.raises(ConfigError, match="never overwritten"):
        write_identity(path, identity)
    path.chmod(0o604)
    with pytest.raises(ConfigError, match="chmod 600"):
        read_identity(path)
    with pytest.raises(ConfigError, match="alvh keys new"):
        read_identity(tmp_path / "none.key")
    with pytest.raises(ConfigError, match="--state"):
        local_identity(tmp_path / "none", "main")
    with pytest.raises(ConfigError, match="64 hexadecimal"):
        public_key("zz")


# verifier ----------------------------------------------------------------------------------------------------------


class Judged:
    """A verifier with one key of all roles."""

    def __init__(self, folder: Path) -> None:
        self.ring = open_ring(folder)
        self.key = self.ring.add("anna", (Role.KILL, Role.RESUME))
        self.verifier = Verifier(ring=self.ring, bot="main", account_hash="h", clock=Fixed())

    def take(self, name: str, envelope: Envelope, **how: bool) -> Command | None:
        """Judge a signed envelope."""
        return self.verifier.command_of(name, signed(envelope.fields(), self.key), Channel.MQTT, **how)


def test_a_signed_command_carries_its_proof(tmp_path: Path) -> None:
    """Roles, number, times, epoch, challenge and the retained flag arrive as they were sent."""
    envelope = an_envelope(seq=3, iat=100, exp=130, kill_epoch=2, challenge="c", reason="x" * 500, args={"mode": "N"})
    command = Judged(tmp_path).take("kill", envelope, retained=True)
    assert command is not None
    assert (command.proof, command.roles, command.retained) == (Proof.SIGNED, {Role.KILL, Role.RESUME}, True)
    assert (command.seq, command.kill_epoch, command.challenge, command.args) == (3, 2, "c", {"mode": "N"})
    assert (len(command.reason), command.issued_at) == (LONGEST_REASON, datetime(1970, 1, 1, 0, 1, 40, tzinfo=UTC))


def test_a_number_is_on_disk_before_a_loosening_command_is_handed_on(tmp_path: Path) -> None:
    """A resume takes its number, the same or a smaller one is stale; a kill takes none; an unwritable file drops it."""
    judged = Judged(tmp_path)
    assert [judged.take("resume", an_envelope(cmd="resume", seq=seq)).seq_is_fresh for seq in (5, 5, 4, 6)] == [  # type: ignore[union-attr]
        *(True, False, False, True)
    ]
    assert json.loads((tmp_path / SEQ_FILE).read_text()) == {"anna": 6}
    judged.take("kill", an_envelope(seq=99))
    assert judged.ring.last_seq("anna") == 6
    judged.ring._seq_path = tmp_path / "gone" / "seq.json"
    assert judged.take("resume", an_envelope(cmd="resume", seq=7)) is None
    assert judged.verifier.dropped["sequence number not writable"] == 1


@pytest.mark.control("C37")
def test_a_full_disk_drops_no_limit_and_lets_none_loosen(tmp_path: Path) -> None:
    """A limit goes on without a fresh number, which is enough to tighten; with a disk its number is taken."""
    judged = Judged(tmp_path)
    taken = judged.take("limit", an_envelope(cmd="limit", seq=5))
    judged.ring._seq_path = tmp_path / "gone" / "seq.json"
    unwritten = judged.take("limit", an_envelope(cmd="limit", seq=7))
    assert taken is not None
    assert unwritten is not None
    assert (taken.seq_is_fresh, unwritten.seq_is_fresh) == (True, False)


@pytest.mark.parametrize(
    "change", [{"bot": "other"}, {"account_hash": "x"}, {"cmd": "pause"}, {"key_id": "ben"}, {"key_id": ""}]
)
def test_what_is_signed_for_something_else_is_unproved(tmp_path: Path, change: dict[str, str]) -> None:
    """Wrong bot, account, command or key: a command without proof, that still may tighten."""
    command = Judged(tmp_path).take("kill", an_envelope(**change))
    assert command is not None
    assert (command.proof, command.roles, command.command_id) == (Proof.UNPROVED, frozenset(), "i")


@given(st.text(max_size=12), st.binary(max_size=200))
def test_no_message_makes_the_verifier_raise(name: str, payload: bytes) -> None:
    """Any topic and any bytes give None or an unproved command."""
    verifier = Verifier(ring=open_ring(Path("/nonexistent")), bot="main", account_hash="h", clock=Fixed())
    for named in (name, CommandName.KILL.value):
        command = verifier.command_of(named, payload, Channel.MQTT)
        assert command is None or command.proof is Proof.UNPROVED


def test_an_empty_payload_is_a_cleared_message(tmp_path: Path) -> None:
    """Clearing a retained kill is no kill."""
    judged = Judged(tmp_path)
    assert judged.verifier.command_of("kill", b"", Channel.MQTT) is None
    assert judged.verifier.dropped == {"empty": 1}
