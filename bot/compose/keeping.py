"""Keys of operators: made, listed and revoked in a bot's state folder; a running bot heeds the change at once."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from adapters.control.keys import KeyRing, account_hash, open_bot_key, open_ring, public_text
from adapters.control.operator_key import OperatorIdentity, write_identity
from bot.compose.state_folder import default_folder
from bot.domain.command import Role
from bot.domain.errors import ConfigError, RefusedStartError
from config.loader import load
from config.settings import Profile, Settings

PRIVATE_FOLDER = 0o700


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """The keys of one bot."""

    folder: Path
    settings: Settings
    ring: KeyRing

    def new(self, key_id: str, roles: Sequence[str], out: Path) -> str:
        """Make a key, write the operator's file, return one sentence.

        Raises:
            ConfigError: The name was used before, or the file exists.
        """
        if out.exists():
            raise ConfigError(f"{out} exists already; a private key is never overwritten, name another file")
        bot_key = open_bot_key(self.folder)
        private = self.ring.add(key_id, [Role(role) for role in roles])
        identity = OperatorIdentity(
            key_id=key_id,
            private=private,
            bot=self.settings.bot,
            account_hash=account_hash(self.settings.broker.account, bot_key),
            bot_key=public_text(bot_key),
        )
        write_identity(out, identity)
        return f"key {key_id} with roles {', '.join(sorted(roles))} for bot {self.settings.bot}: {out}"

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Return name, roles, state and public key of every key."""
        return [
            (key.key_id, ",".join(sorted(key.roles)), "revoked" if key.revoked else "valid", key.public)
            for key in self.ring.all()
        ]

    def bot_key(self) -> str:
        """Return the bot's own public key, which acks are checked with."""
        return public_text(open_bot_key(self.folder))

    def revoke(self, key_id: str) -> str:
        """Make a key worthless, also for the running bot.

        Raises:
            ConfigError: No such key.
        """
        self.ring.revoke(key_id)
        return f"key {key_id} is revoked; the running bot takes nothing signed with it any more"


def keeper_of(profile: str, config: Path | None, state: Path | None) -> Keeper:
    """Return the keys of a bot's state folder, made where there is none.

    Raises:
        ConfigError: Settings are wrong.
        RefusedStartError: The folder cannot be used.
    """
    settings = load(Profile(profile), config, os.environ).settings
    folder = state or default_folder(profile, settings.bot)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
    except OSError as error:
        raise RefusedStartError(f"{folder}: not writable ({error.strerror}); name another with --state") from error
    return Keeper(folder=folder, settings=settings, ring=open_ring(folder, settings.control.keys_file))
