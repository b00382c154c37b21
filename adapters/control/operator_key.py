"""The one file an operator carries: the private key, and what the key is for: bot, account and the bot's public key."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.control.files import is_private, write_durably
from adapters.control.keys import BOT_PUBLIC_FILE
from bot.domain.checks import require_text
from bot.domain.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorIdentity:
    """Who signs, for which bot; ``bot_key`` is the bot's public key, hexadecimal, that acks are checked with."""

    key_id: str
    private: Ed25519PrivateKey = field(repr=False)
    bot: str
    account_hash: str
    bot_key: str
    is_persons: bool = True  # else a throw-away key, which proves nothing

    def __post_init__(self) -> None:
        """Reject an identity without a name or purpose."""
        require_text(key_id=self.key_id, bot=self.bot, account_hash=self.account_hash, bot_key=self.bot_key)


def local_identity(folder: Path, bot: str) -> OperatorIdentity:
    """Return who speaks on the local socket: the file permission is the proof, so the key is thrown away.

    Raises:
        ConfigError: No bot has ever run with this folder.
    """
    path = folder / BOT_PUBLIC_FILE
    try:
        bot_key = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: no bot has run with this folder; name the right one with --state") from error
    return OperatorIdentity(
        key_id="local",
        private=Ed25519PrivateKey.generate(),
        bot=bot,
        account_hash="local",
        bot_key=bot_key,
        is_persons=False,
    )


def write_identity(path: Path, identity: OperatorIdentity) -> None:
    """Write the file, readable by its owner only.

    Raises:
        ConfigError: It exists already, or cannot be written.
    """
    if path.exists():
        raise ConfigError(f"{path} exists already; a private key is never overwritten, name another file with --out")
    facts = {
        "key_id": identity.key_id,
        "private": identity.private.private_bytes_raw().hex(),
        "bot": identity.bot,
        "account_hash": identity.account_hash,
        "bot_key": identity.bot_key,
    }
    try:
        write_durably(path, json.dumps(facts, indent=1) + "\n")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror}); name another file with --out") from error


def read_identity(path: Path) -> OperatorIdentity:
    """Read an operator's file.

    Raises:
        ConfigError: Missing, readable by others, or damaged.
    """
    try:
        if not is_private(path):
            raise ConfigError(f"{path}: others can read this private key; run chmod 600 on it")
        facts = json.loads(path.read_text(encoding="utf-8"))
        private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(facts["private"]))
        key_id, bot, account_hash, bot_key = (str(facts[one]) for one in ("key_id", "bot", "account_hash", "bot_key"))
        return OperatorIdentity(key_id=key_id, private=private, bot=bot, account_hash=account_hash, bot_key=bot_key)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path}: no operator's key ({error}); make one with `alvh keys new`") from error
