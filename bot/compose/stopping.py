"""The watcher's kill: over MQTT, else at the bot's own socket, else as the file KILL.

How it works: a round tries every way in this order until the bot has answered by one; whoever asks begins another round
where none did. What always holds: success is the bot's own signed ack; a way that fails only leads to the next.

Source: docs/risk-controls.md, C25 and 2.4.
"""

from pathlib import Path

from adapters.clock import SystemClock, SystemIds
from adapters.control.keys import open_ring
from adapters.control.local_line import open_local_line, put_kill_file
from adapters.control.operator_key import OperatorIdentity, local_identity, read_identity
from adapters.control.operator_line import OperatorLine
from adapters.mqtt.operator_line import open_mqtt_line
from bot.compose.operating import DONE, NOT_DONE, NOT_LATCHED, OperatorTool
from bot.domain.command import Role
from bot.domain.errors import AlvhError, ConfigError
from config.settings import Settings

LONGEST_REASON = 300
"""An envelope holds 4096 bytes, and a reason is for a person to read."""


class Stopper:
    """Kills one bot with a key that can do nothing else."""

    def __init__(self, settings: Settings, folder: Path, key: Path) -> None:
        """Read the key.

        Args:
            settings: Of the bot: its name and broker of messages, and the section ``[watchdog]``.
            folder: The bot's state folder, where it is on this host.
            key: The operator's file as `alvh keys new` wrote it.

        Raises:
            ConfigError: No usable key, or one that is not for this bot or may do more than kill.
            RefusedStartError: The bot's keys are here and cannot be read.
        """
        self._settings = settings
        self._folder = folder
        self._identity = read_identity(key)
        self._require_kill_only(key)
        self._left_file = False

    def _require_kill_only(self, path: Path) -> None:
        """A watcher that could loosen would be a second operator; its roles are seen where the bot's keys are."""
        identity, bot = self._identity, self._settings.bot
        if identity.bot != bot:
            raise ConfigError(f"watchdog.kill_key: {path} is for bot {identity.bot!r}, the settings name {bot!r}")
        known = open_ring(self._folder, self._settings.control.keys_file)
        if not known.all():
            return  # the bot runs on another host
        key = known.find(identity.key_id)
        if key is None or key.roles != {Role.KILL}:
            found = "no valid key of this bot" if key is None else f"roles {', '.join(sorted(key.roles))}"
            raise ConfigError(
                f"watchdog.kill_key: {path} has {found}, expected role kill alone; "
                "make one with `alvh keys new NAME --roles kill --out FILE`"
            )

    async def round(self, reason: str) -> tuple[str, tuple[str, ...]]:
        """Try every way once.

        Returns:
            The way by which the bot has answered that it is latched, empty where none did; and why the others failed.
        """
        words = reason[:LONGEST_REASON]
        failed: list[str] = []
        for name, way in (("MQTT", self._over_mqtt), ("its local socket", self._at_socket)):
            try:
                why = await way(words)
            except AlvhError as error:
                why = str(error)
            if not why:
                return name, tuple(failed)
            failed.append(f"{name}: {why}")
        failed += self._leave_file(words)
        return "", tuple(failed)

    async def _over_mqtt(self, reason: str) -> str:
        rules, identity = self._settings.watchdog, self._identity
        username = rules.kill_username or f"operator-{identity.key_id}"
        line = await open_mqtt_line(self._settings.mqtt, identity.bot, username, rules.kill_password_file)
        return await self._killed(line, identity, reason)

    async def _at_socket(self, reason: str) -> str:
        """The file permission is the proof there."""
        identity = local_identity(self._folder, self._settings.bot)
        return await self._killed(await open_local_line(self._folder), identity, reason)

    @staticmethod
    async def _killed(line: OperatorLine, identity: OperatorIdentity, reason: str) -> str:
        """Kill as the operator's tool does, repeated every second until it is answered; why not, empty where it was."""
        try:
            tool = OperatorTool(line=line, identity=identity, clock=SystemClock(), ids=SystemIds(), local_cure="")
            report = await tool.kill(reason)
        finally:
            await line.close()
        if report.exit_code == NOT_LATCHED:
            return "no answer in time"
        return "" if report.exit_code in {DONE, NOT_DONE} else report.says

    def _leave_file(self, reason: str) -> list[str]:
        """Halt a bot of this host at its next look or start; once, because nobody has answered yet."""
        if self._left_file or not self._folder.is_dir():
            return []
        try:
            path = put_kill_file(self._folder, reason)
        except OSError as error:
            return [f"the file KILL: {error}"]
        self._left_file = True
        return [f"left {path}"]
