"""The signed envelope of operator commands and acks: canonical JSON and Ed25519, nothing negotiable.

Canonical form: UTF-8, sorted keys, no blanks, text and integers and truth values only, at most four levels deep. The
signature covers all other fields. What does not parse exactly so is dropped by the caller, never repaired.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from bot.domain.errors import InvalidValueError

VERSION: Final = 1
LARGEST_BYTES: Final = 4096
DEEPEST: Final = 4

PrivateKey = Ed25519PrivateKey
"""An operator's or the bot's signing key; others name it without importing the library behind it."""

Value = str | int | bool | list["Value"] | dict[str, "Value"]
Fields = Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One command as the operator's tool sent it; times in whole seconds since 1970 UTC."""

    bot: str
    account_hash: str
    cmd: str
    id: str
    key_id: str
    seq: int = 0
    iat: int = 0
    exp: int = 0
    kill_epoch: int = -1
    challenge: str = ""
    reason: str = ""
    args: Mapping[str, str | int] = field(default_factory=dict)
    v: int = VERSION

    def fields(self) -> dict[str, Value]:
        """Return all fields that the signature covers."""
        names = ("v", "bot", "account_hash", "cmd", "id", "key_id", "seq", "iat", "exp", "kill_epoch", "challenge")
        found: dict[str, Value] = {name: getattr(self, name) for name in names}
        return found | {"reason": self.reason, "args": dict(self.args)}


def canonical(fields: Fields) -> bytes:
    """Return the one byte form of some fields.

    >>> canonical({"b": 1, "a": "x"})
    b'{"a":"x","b":1}'
    """
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def signed(fields: Fields, key: Ed25519PrivateKey) -> bytes:
    """Return the fields with their signature, ready to be sent."""
    return canonical({**fields, "sig": key.sign(canonical(fields)).hex()})


def is_signed_by(fields: Fields, signature: str, key: Ed25519PublicKey) -> bool:
    """Return whether the signature (hexadecimal, as `signed` writes it) covers exactly these fields."""
    try:
        raw = bytes.fromhex(signature)
        if raw.hex() != signature:
            return False  # one signature has one spelling
        key.verify(raw, canonical(fields))
    except (InvalidSignature, ValueError):
        return False
    return True


def parsed(payload: bytes, largest: int = LARGEST_BYTES) -> tuple[dict[str, Value], str]:
    """Return the fields and the signature of a signed message of at most so many bytes.

    Raises:
        InvalidValueError: Too large, not UTF-8 JSON in the permitted form, or a key that occurs twice.
    """
    if len(payload) > largest:
        raise InvalidValueError(f"a message of {len(payload)} bytes, expected at most {largest}")
    try:
        found = json.loads(
            payload.decode(), object_pairs_hook=_without_repeats, parse_float=_refuse, parse_constant=_refuse
        )
    except (ValueError, RecursionError) as error:
        raise InvalidValueError(f"not a message: {error}") from error
    if not isinstance(found, dict):
        raise InvalidValueError("not a message: expected an object")
    _require_shallow(found, DEEPEST)
    signature = found.pop("sig", "")
    return found, signature if isinstance(signature, str) else ""


def envelope_of(fields: Mapping[str, Value]) -> Envelope:
    """Return the envelope that some fields make.

    Raises:
        InvalidValueError: A field is missing, unknown or of another type.
    """
    kinds: dict[str, type] = {
        **dict.fromkeys(("bot", "account_hash", "cmd", "id", "key_id", "challenge", "reason"), str),
        **dict.fromkeys(("v", "seq", "iat", "exp", "kill_epoch"), int),
        "args": dict,
    }
    if set(fields) != set(kinds):
        raise InvalidValueError(f"an envelope has the fields {', '.join(sorted(kinds))}, found {', '.join(fields)}")
    for name, kind in kinds.items():
        if type(fields[name]) is not kind:
            raise InvalidValueError(f"{name} must be {kind.__name__}, was {type(fields[name]).__name__}")
    if fields["v"] != VERSION:
        raise InvalidValueError(f"envelope version must be {VERSION}, was {fields['v']}")
    args = fields["args"]
    if not isinstance(args, dict) or any(type(value) not in (str, int) for value in args.values()):
        raise InvalidValueError("args hold text and integers only")
    return Envelope(**fields)  # type: ignore[arg-type]  # names and types were compared above


def _without_repeats(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InvalidValueError("a key occurs twice")
    return found


def _refuse(text: str) -> Value:
    raise InvalidValueError(f"integers and text only, found {text}")


def _require_shallow(value: object, left: int) -> None:
    if not isinstance(value, (dict, list)):
        return
    if left == 0:
        raise InvalidValueError(f"deeper than {DEEPEST} levels")
    for held in value.values() if isinstance(value, dict) else value:
        _require_shallow(held, left - 1)
