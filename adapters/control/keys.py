"""Keys: the operators' public keys with their roles and last sequence numbers, and the bot's own signing key."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from adapters.control.files import is_private, write_durably
from bot.domain.command import Role
from bot.domain.errors import ConfigError, RefusedStartError

KEYS_FILE = "keys.json"
SEQ_FILE = "seq.json"
BOT_KEY_FILE = "bot.key"
BOT_PUBLIC_FILE = "bot.pub"
"""The bot's public key beside its private one, for whoever checks acks on this machine."""

Stamp = tuple[int, int, int]
"""Inode, length and change time of a file; differs after every replacement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorKey:
    """One operator's public key; ``revoked`` keys are kept so that their id is never used again."""

    key_id: str
    roles: frozenset[Role]
    public: str  # 32 bytes, hexadecimal
    revoked: bool = False

    def verifier(self) -> Ed25519PublicKey:
        """Return the key that checks signatures."""
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.public))


class KeyRing:
    """The known keys and, per key, the last sequence number that was taken; both on disk."""

    def __init__(
        self, keys_path: Path, seq_path: Path, keys: Mapping[str, OperatorKey], seqs: Mapping[str, int]
    ) -> None:
        """Use `open_ring`."""
        self._keys_path = keys_path
        self._seq_path = seq_path
        self._keys = dict(keys)
        self._seqs = dict(seqs)
        self._stamp = _stamp_of(keys_path)

    def find(self, key_id: str) -> OperatorKey | None:
        """Return a key that is known and not revoked; a change of the file by `alvh keys` counts at once."""
        self._look_again()
        key = self._keys.get(key_id)
        return None if key is None or key.revoked else key

    def all(self) -> tuple[OperatorKey, ...]:
        """Return every key, revoked ones too, by id."""
        return tuple(self._keys[key_id] for key_id in sorted(self._keys))

    def add(self, key_id: str, roles: Iterable[Role]) -> Ed25519PrivateKey:
        """Make a key pair, keep the public half, return the private one.

        Raises:
            ConfigError: The id was used before, revoked or not.
        """
        if key_id in self._keys:
            raise ConfigError(f"key {key_id!r} exists already in {self._keys_path}; choose another name")
        private = Ed25519PrivateKey.generate()
        public = private.public_key().public_bytes_raw().hex()
        self._keys[key_id] = OperatorKey(key_id=key_id, roles=frozenset(roles), public=public)
        self._write_keys()
        return private

    def revoke(self, key_id: str) -> None:
        """Make a key worthless at once.

        Raises:
            ConfigError: There is no such key.
        """
        if key_id not in self._keys:
            raise ConfigError(
                f"no key {key_id!r} in {self._keys_path}; known are {', '.join(sorted(self._keys)) or 'none'}"
            )
        self._keys[key_id] = replace(self._keys[key_id], revoked=True)
        self._write_keys()

    def last_seq(self, key_id: str) -> int:
        """Return the last sequence number taken from a key, -1 before the first."""
        return self._seqs.get(key_id, -1)

    def take_seq(self, key_id: str, seq: int) -> None:
        """Remember a sequence number on disk, before its command takes effect.

        Raises:
            OSError: It could not be written: the command must not be carried out.
        """
        self._seqs[key_id] = seq
        write_durably(self._seq_path, json.dumps(self._seqs, sort_keys=True))

    def _look_again(self) -> None:
        """Read the file anew after it was replaced; one that became unreadable leaves no key valid."""
        stamp = _stamp_of(self._keys_path)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._keys = _read_keys(self._keys_path)
        except RefusedStartError:
            self._keys = {}

    def _write_keys(self) -> None:
        rows = [
            {"key_id": key.key_id, "roles": sorted(key.roles), "public": key.public, "revoked": key.revoked}
            for key in self.all()
        ]
        write_durably(self._keys_path, json.dumps(rows, indent=1))
        self._stamp = _stamp_of(self._keys_path)


def open_ring(folder: Path, keys_file: Path | None = None) -> KeyRing:
    """Open the ring of a state folder; empty where there is none.

    Raises:
        RefusedStartError: A file is damaged.
    """
    keys_path = keys_file or folder / KEYS_FILE
    seq_path = folder / SEQ_FILE
    keys = _read_keys(keys_path)
    try:
        written = json.loads(seq_path.read_text()) if seq_path.exists() else {}
        seqs = {str(key_id): int(seq) for key_id, seq in written.items()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise RefusedStartError(
            f"{seq_path}: no readable sequence numbers ({error}); restore it, or revoke all keys and make new ones"
        ) from error
    return KeyRing(keys_path, seq_path, keys, seqs)


def _read_keys(path: Path) -> dict[str, OperatorKey]:
    try:
        rows = json.loads(path.read_text()) if path.exists() else []
        keys = {
            row["key_id"]: OperatorKey(
                key_id=row["key_id"],
                roles=frozenset(Role(role) for role in row["roles"]),
                public=row["public"],
                revoked=row["revoked"],
            )
            for row in rows
        }
        for key in keys.values():
            key.verifier()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RefusedStartError(f"{path}: no readable keys ({error}); restore it or make keys anew") from error
    return keys


def _stamp_of(path: Path) -> Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def open_bot_key(folder: Path) -> Ed25519PrivateKey:
    """Return the bot's own signing key, made at the first start.

    Raises:
        RefusedStartError: Others can read it, or it is damaged.
    """
    path = folder / BOT_KEY_FILE
    if not path.exists():
        write_private(path, Ed25519PrivateKey.generate())
    key = read_private(path)
    write_durably(folder / BOT_PUBLIC_FILE, public_text(key) + "\n")
    return key


def public_text(key: Ed25519PrivateKey) -> str:
    """Return the public half of a key, hexadecimal."""
    return key.public_key().public_bytes_raw().hex()


def public_key(text: str) -> Ed25519PublicKey:
    """Return a public key from hexadecimal text.

    Raises:
        ConfigError: It is none.
    """
    try:
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(text.strip()))
    except ValueError as error:
        raise ConfigError(
            f"{text[:80]!r} is no public key, expected 64 hexadecimal digits; `alvh keys list` shows the bot's"
        ) from error


def write_private(path: Path, key: Ed25519PrivateKey) -> None:
    """Write a private key, hexadecimal, readable by its owner only."""
    write_durably(path, key.private_bytes_raw().hex() + "\n")


def read_private(path: Path) -> Ed25519PrivateKey:
    """Read a private key.

    Raises:
        RefusedStartError: Missing, readable by others, or damaged.
    """
    try:
        if not is_private(path):
            raise RefusedStartError(f"{path}: others can read this private key; run chmod 600 on it")
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text().strip()))
    except (OSError, ValueError) as error:
        raise RefusedStartError(f"{path}: no readable private key ({error}); make one with `alvh keys new`") from error


def account_hash(account: str, bot_key: Ed25519PrivateKey) -> str:
    """Return what stands for the account in envelopes: an HMAC, because plain hashes of numbers can be enumerated."""
    secret = hashlib.sha256(b"alvh account" + bot_key.private_bytes_raw()).digest()
    return hmac.new(secret, account.encode(), hashlib.sha256).hexdigest()[:32]
