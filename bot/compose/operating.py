"""The operator's tool behind `alvh kill`, `pause`, `reduce-only`, `resume`, `flatten` and the others.

How it works: a command counts as done when the bot's own signed ack says so, checked with the bot's public key; what
the broker of messages says counts for nothing. A kill is sent at once and repeated every second until it is answered;
everything else first asks for the status and goes on only when the bot itself has answered.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from adapters.clock import SystemClock, SystemIds
from adapters.control.acks import ack_of
from adapters.control.envelope import Envelope, signed
from adapters.control.keys import public_key
from adapters.control.local_line import open_local_line, put_kill_file
from adapters.control.operator_key import OperatorIdentity, local_identity, read_identity
from adapters.control.operator_line import OperatorLine, Sending
from adapters.mqtt.operator_line import open_mqtt_line
from bot.compose.state_folder import default_folder
from bot.compose.telling import refused_words
from bot.domain.command import Ack, AckStage, CommandName
from bot.domain.errors import ConfigError, ConnectivityError
from bot.ports import Clock, Ids
from bot.tasks import end_all
from config.loader import load
from config.settings import Profile, Settings

DONE, NOT_LATCHED, NOT_DONE, REFUSED = 0, 10, 11, 12
"""Exit codes; docs/risk-controls.md, 3.8."""

AWAITS = "awaits"
"""In an ack ACCEPTED: whose word is still needed."""
REPEAT_KILL_S = 1.0
ENVELOPE_LIFE_S = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long the tool waits, in seconds; docs/risk-controls.md, 3.8."""

    latched_s: float = 2.0
    done_s: float = 35.0
    answered_s: float = 20.0  # of a resume: the bot may compare the books first
    flattened_s: float = 2000.0  # above flatten.within_s and the last comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How a command ended: exit code, one sentence, and what the bot told with its last ack."""

    exit_code: int
    says: str
    facts: Mapping[str, object]


Confirm = Callable[[Mapping[str, object]], str]
"""Shown the bot's state before a resume; returns the operator's reason, empty to give up."""


class OperatorTool:
    """One operator at one open line."""

    def __init__(
        self,
        *,
        line: OperatorLine,
        identity: OperatorIdentity,
        clock: Clock,
        ids: Ids,
        local_cure: str,
        patience: Patience | None = None,
    ) -> None:
        """Take the parts.

        Args:
            line: An open way to the bot.
            identity: Who signs, for which bot, and the bot's public key.
            clock: The machine's time, for envelopes.
            ids: Fresh command ids.
            local_cure: The command that stops the bot on its own host, shown when no answer comes.
            patience: Deadlines.
        """
        self._line = line
        self._identity = identity
        self._bot_key = public_key(identity.bot_key)
        self._clock = clock
        self._ids = ids
        self._local_cure = local_cure
        self._patience = patience or Patience()

    async def kill(self, reason: str) -> Report:
        """Send a kill at once, again every second until it is answered, and wait until our orders are dead."""
        sending = self._sending(CommandName.KILL, reason)
        repeating = asyncio.create_task(self._repeat(sending))
        try:
            return await self._latched_then_done(sending, repeating)
        finally:
            await end_all((repeating,))

    async def tighten(self, name: CommandName, reason: str) -> Report:
        """Pause or reduce-only, once the bot is known to answer."""
        asked = await self.status()
        if asked.exit_code != DONE:
            return asked
        sending = self._sending(name, reason)
        await self._line.send(sending)
        return await self._latched_then_done(sending, None)

    async def status(self) -> Report:
        """Ask for the bot's state."""
        sending = self._sending(CommandName.STATUS, "")
        await self._line.send(sending)
        ack = await self._ack(sending.command_id, (AckStage.DONE, AckStage.REFUSED), self._patience.latched_s)
        if ack is None:
            return self._no_answer()
        return self._of(ack)

    async def veto(self, proposal: str, reason: str) -> Report:
        """Say no to a proposal."""
        sending = self._sending(CommandName.VETO, reason, args={"proposal": proposal})
        await self._line.send(sending)
        ack = await self._ack(sending.command_id, (AckStage.DONE, AckStage.REFUSED), self._patience.latched_s)
        return self._no_answer() if ack is None else self._of(ack)

    async def loosen(self, name: CommandName, args: Mapping[str, str | int], confirm: Confirm) -> Report:
        """Resume, arm or approve: look, ask the person, answer the challenge.

        Args:
            name: RESUME, ARM, APPROVE or UNLOCK.
            args: Its arguments: ``mode`` NORMAL or REDUCE_ONLY, ``proposal`` or ``lock``.
            confirm: Shown state and challenge; returns the reason.
        """
        asked = await self.status()
        if asked.exit_code != DONE:
            return asked
        if not await self._line.clear_retained_kill():
            return Report(
                exit_code=REFUSED,
                says="the broker keeps a KILL for this bot and this identity may not clear it; "
                "clear it with an identity that may write cmd/kill",
                facts=asked.facts,
            )
        answered = await self._answering(name, args, confirm, asked.facts)
        if isinstance(answered, Report):
            return answered
        return await self._answered(answered.command_id)

    async def limit(self, name: str, value: str, confirm: Confirm) -> Report:
        """Change one limit; the bot says whether it is tighter, or looser and then in need of everything.

        Args:
            name: Of the limit.
            value: As in a file.
            confirm: Shown the bot's state; returns the reason, empty to give up.
        """
        asked = await self.status()
        if asked.exit_code != DONE:
            return asked
        reason = confirm(asked.facts)
        if not reason.strip():
            return Report(exit_code=REFUSED, says="no reason, nothing sent", facts=asked.facts)
        challenge = await self._line.challenge() if self._identity.is_persons else None
        args: dict[str, str | int] = {"limit": name, "value": value}
        sending = self._sending(CommandName.LIMIT, reason, challenge=challenge, args=args)
        await self._line.send(sending)
        return await self._answered(sending.command_id)

    async def _answered(self, command_id: str) -> Report:
        """Wait for the answer to a command that loosens: carried out, refused, or waiting for a second key."""
        stages = (AckStage.DONE, AckStage.ACCEPTED, AckStage.REFUSED)
        ack = await self._ack(command_id, stages, self._patience.answered_s)
        return self._no_answer() if ack is None else self._of(ack)

    async def override(self, beginning: str, rules: Sequence[str], confirm: Confirm) -> Report:
        """Have one refused order judged once more with some rules waived: look, ask the person, sign its digest.

        Args:
            beginning: Of the order's id, as the status names it; the whole id or as much as only one of them has.
            rules: Which of the rules that refused it are waived.
            confirm: Shown order and reasons; returns the reason, empty to give up.
        """
        asked = await self.status()
        if asked.exit_code != DONE:
            return asked
        told = asked.facts.get("refused")
        rows = [row for row in told if isinstance(row, Mapping)] if isinstance(told, list) else []
        found = [row for row in rows if str(row.get("intent", "")).startswith(beginning)]
        if len(found) != 1:
            known = ", ".join(str(row.get("intent")) for row in rows) or "none"
            says = f"{beginning!r} names {len(found)} of the orders that were refused last: {known}"
            return Report(exit_code=REFUSED, says=says, facts={})
        intent = str(found[0]["intent"])
        shown = {"order": list(refused_words(asked.facts, intent)), "waived": list(rules), "mode": asked.facts["mode"]}
        args: dict[str, str | int] = {
            "intent": intent,
            "digest": str(found[0]["digest"]),
            "rules": ",".join(rules),
        }
        answered = await self._answering(CommandName.OVERRIDE, args, confirm, shown)
        if isinstance(answered, Report):
            return answered
        return await self._answered(answered.command_id)

    async def flatten(self, confirm: Confirm) -> Report:
        """Halt the bot, ask for the plan, show it, sign its digest, and wait until it is carried out.

        Args:
            confirm: Shown the plan; returns the reason, empty to give up: the bot then stays halted.
        """
        asked = await self.status()
        if asked.exit_code == DONE and asked.facts.get("latch") != "HALT":
            asked = await self.kill("before a flatten")
        if asked.exit_code != DONE:
            return asked
        wanted = self._sending(CommandName.FLATTEN_PLAN, "")
        await self._line.send(wanted)
        told = await self._ack(wanted.command_id, (AckStage.DONE, AckStage.REFUSED), self._patience.answered_s)
        if told is None or told.stage is AckStage.REFUSED:
            return self._no_answer() if told is None else self._of(told)
        if not told.detail.get("parts"):
            return Report(exit_code=DONE, says="there is nothing to sell; the bot stays halted", facts=told.detail)
        args = {"plan": str(told.detail["digest"])}
        answered = await self._answering(CommandName.FLATTEN, args, confirm, told.detail)
        return answered if isinstance(answered, Report) else await self._flattened(answered.command_id)

    async def _flattened(self, command_id: str) -> Report:
        stages = (AckStage.ACCEPTED, AckStage.REFUSED)
        ack = await self._ack(command_id, stages, self._patience.answered_s)
        if ack is None or ack.stage is AckStage.REFUSED or AWAITS in ack.detail:
            return self._no_answer() if ack is None else self._of(ack)
        last = await self._ack(command_id, (AckStage.DONE, AckStage.ESCALATED), self._patience.flattened_s)
        if last is not None and last.stage is AckStage.DONE:
            return Report(exit_code=DONE, says="flattened, says the bot; it stays halted", facts=last.detail)
        says = "not all of it is known to be sold; look at the broker"
        return Report(exit_code=NOT_DONE, says=says, facts={} if last is None else last.detail)

    async def cancel_everything(self, confirm: Confirm) -> Report:
        """Halt the bot, then have everybody's orders at the gateway cancelled: asked for and signed twice.

        Args:
            confirm: Shown what will happen, twice; returns the reason, empty to give up.
        """
        asked = await self.status()
        if asked.exit_code == DONE and asked.facts.get("latch") != "HALT":
            asked = await self.kill("before a global cancel")
        if asked.exit_code not in (DONE, NOT_DONE):
            return asked
        told: Mapping[str, object] = {"what": "every order at this gateway is cancelled, manual and foreign ones too"}
        args: dict[str, str | int] = {}
        for stage in (AckStage.ACCEPTED, AckStage.DONE):
            answered = await self._answering(CommandName.GLOBAL_CANCEL, args, confirm, told)
            if isinstance(answered, Report):
                return answered
            wanted = (stage, AckStage.REFUSED, AckStage.ESCALATED)
            ack = await self._ack(answered.command_id, wanted, self._patience.done_s)
            if ack is None or ack.stage is not AckStage.ACCEPTED:
                return self._no_answer() if ack is None else self._of(ack)
            told, args = {**told, "asked": "once more"}, {"confirm": str(ack.detail["confirm"])}
        return self._no_answer()

    async def _answering(
        self, name: CommandName, args: Mapping[str, str | int], confirm: Confirm, facts: Mapping[str, object]
    ) -> Sending | Report:
        """Ask the person, answer the challenge; a report where nothing was sent."""
        reason = confirm(facts)
        challenge = await self._line.challenge()  # after the person has thought: it lives five minutes
        if not reason.strip() or challenge is None:
            why = "the bot tells no challenge" if reason.strip() else "no reason, nothing sent"
            return Report(exit_code=REFUSED, says=why, facts=facts)
        sending = self._sending(name, reason, challenge=challenge, args=args)
        await self._line.send(sending)
        return sending

    async def _repeat(self, sending: Sending) -> None:
        while True:
            with contextlib.suppress(ConnectivityError):  # the answer decides, and its absence is told
                await self._line.send(sending)
            await self._clock.sleep(REPEAT_KILL_S)

    async def _latched_then_done(self, sending: Sending, repeating: asyncio.Task[None] | None) -> Report:
        ack = await self._ack(
            sending.command_id, (AckStage.LATCHED, AckStage.DONE, AckStage.REFUSED), self._patience.latched_s
        )
        if ack is None:
            return self._no_answer()
        if repeating is not None:
            repeating.cancel()
        if ack.stage is not AckStage.LATCHED:
            return self._of(ack)
        last = await self._ack(sending.command_id, (AckStage.DONE, AckStage.ESCALATED), self._patience.done_s)
        return self._of(last or ack)

    async def _ack(self, command_id: str, stages: tuple[AckStage, ...], within_s: float) -> Ack | None:
        """Return the bot's next ack of a command at one of these stages; None when none came in time."""
        with contextlib.suppress(TimeoutError, ConnectivityError):
            async with asyncio.timeout(within_s):
                while True:
                    ack = ack_of(await self._line.next_ack(), self._bot_key)
                    if ack is not None and ack.command_id == command_id and ack.stage in stages:
                        return ack
        return None

    def _of(self, ack: Ack) -> Report:
        match ack.stage:
            case AckStage.DONE:
                return Report(exit_code=DONE, says="done, says the bot", facts=ack.detail)
            case AckStage.REFUSED:
                why = f": {ack.detail['why']}" if "why" in ack.detail else ""
                return Report(exit_code=REFUSED, says=f"refused: {ack.code}{why}", facts=ack.detail)
            case AckStage.ACCEPTED:
                says = f"accepted, and NOT DONE: {ack.detail[AWAITS]} must sign the same by {ack.detail['until']}"
                return Report(exit_code=NOT_DONE, says=says, facts=ack.detail)
        return Report(
            exit_code=NOT_DONE,
            says="latched, but not everything is confirmed dead at the broker; look there",
            facts=ack.detail,
        )

    def _no_answer(self) -> Report:
        return Report(
            exit_code=NOT_LATCHED,
            says=f"NO ANSWER of the bot within {self._patience.latched_s:g} s. On its own host run: {self._local_cure}",
            facts={},
        )

    def _sending(
        self,
        name: CommandName,
        reason: str,
        challenge: Mapping[str, object] | None = None,
        args: Mapping[str, str | int] | None = None,
    ) -> Sending:
        host_now: datetime = self._clock.host_now()
        now = int(host_now.timestamp())
        envelope = Envelope(
            bot=self._identity.bot,
            account_hash=self._identity.account_hash,
            cmd=name.value,
            id=self._ids.new_id(),
            key_id=self._identity.key_id,
            seq=int(host_now.timestamp() * 1000),
            iat=now,
            exp=now + ENVELOPE_LIFE_S,
            reason=reason,
            args=args or {},
        )
        if challenge is not None:
            envelope = replace(envelope, kill_epoch=int(str(challenge["epoch"])), challenge=str(challenge["challenge"]))
        payload = signed(envelope.fields(), self._identity.private)
        by_key = self._identity.is_persons
        return Sending(
            name=name, command_id=envelope.id, reason=reason, payload=payload, by_key=by_key, args=envelope.args
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Which bot a command is for and which way it takes; the options of the command line."""

    profile: str = "paper"
    config: Path | None = None
    local: bool = False
    state: Path | None = None
    key: Path | None = None
    bot_key: str | None = None  # hexadecimal, or a file that holds it; None: as the operator's key file says
    username: str | None = None  # None: operator-KEY
    password_file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked of the bot."""

    name: CommandName
    reason: str = ""
    mode: str = "NORMAL"
    proposal: str = ""
    lock: str = ""
    limit: str = ""
    value: str = ""
    intent: str = ""
    rules: tuple[str, ...] = ()


def operate(target: Target, wish: Wish, confirm: Confirm) -> Report:
    """Carry one command to the bot and wait for its answer.

    Raises:
        ConfigError: Key, settings or options are wrong.
        RefusedStartError: A password file cannot be used.
    """
    settings = load(Profile(target.profile), target.config, os.environ).settings
    folder = target.state or default_folder(target.profile, settings.bot)
    return asyncio.run(_operate(target, wish, confirm, settings, folder))


async def _operate(target: Target, wish: Wish, confirm: Confirm, settings: Settings, folder: Path) -> Report:
    cure = f"alvh {wish.name.value} --local --state {folder}"
    if wish.name.is_signed_always or wish.name is CommandName.STATUS:
        cure = f"alvh status --local --state {folder}"
    elif wish.name is CommandName.LIMIT:
        cure = f"alvh limit {wish.limit} {wish.value} --local --state {folder}"
    try:
        identity = _identity(target, settings, folder, wish)
        line = await _line(target, settings, folder, identity)
    except ConnectivityError as error:
        return _unreachable(error, target, wish, folder, cure)
    try:
        tool = OperatorTool(line=line, identity=identity, clock=SystemClock(), ids=SystemIds(), local_cure=cure)
        return await _carried(tool, wish, confirm)
    except ConnectivityError as error:
        return Report(exit_code=NOT_LATCHED, says=f"{error}. On the bot's own host run: {cure}", facts={})
    finally:
        await line.close()


async def _carried(tool: OperatorTool, wish: Wish, confirm: Confirm) -> Report:
    match wish.name:
        case CommandName.KILL:
            return await tool.kill(wish.reason)
        case CommandName.PAUSE | CommandName.REDUCE_ONLY:
            return await tool.tighten(wish.name, wish.reason)
        case CommandName.RESUME | CommandName.ARM:
            return await tool.loosen(wish.name, {"mode": wish.mode}, confirm)
        case CommandName.APPROVE:
            return await tool.loosen(wish.name, {"proposal": wish.proposal}, confirm)
        case CommandName.UNLOCK:
            return await tool.loosen(wish.name, {"lock": wish.lock}, confirm)
        case CommandName.LIMIT:
            return await tool.limit(wish.limit, wish.value, confirm)
        case CommandName.OVERRIDE:
            return await tool.override(wish.intent, wish.rules, confirm)
        case CommandName.GLOBAL_CANCEL:
            return await tool.cancel_everything(confirm)
        case CommandName.FLATTEN:
            return await tool.flatten(confirm)
        case CommandName.VETO:
            return await tool.veto(wish.proposal, wish.reason)
    return await tool.status()


def _identity(target: Target, settings: Settings, folder: Path, wish: Wish) -> OperatorIdentity:
    if target.key is None:
        if not target.local or wish.name.is_signed_always:
            raise ConfigError(f"alvh {wish.name.value} needs --key FILE, as `alvh keys new` wrote it")
        return local_identity(folder, settings.bot)
    identity = read_identity(target.key)
    if identity.bot != settings.bot:
        raise ConfigError(
            f"{target.key} is for bot {identity.bot!r}, the settings name {settings.bot!r}; pass the right --config"
        )
    if target.bot_key is None:
        return identity
    named = Path(target.bot_key)
    return replace(identity, bot_key=named.read_text().strip() if named.is_file() else target.bot_key)


async def _line(target: Target, settings: Settings, folder: Path, identity: OperatorIdentity) -> OperatorLine:
    if target.local:
        return await open_local_line(folder)
    username = target.username or f"operator-{identity.key_id}"
    return await open_mqtt_line(settings.mqtt, settings.bot, username, target.password_file)


def _unreachable(error: ConnectivityError, target: Target, wish: Wish, folder: Path, cure: str) -> Report:
    """No way to the bot: a local kill leaves the file KILL, which halts the bot at its next look or start."""
    if not target.local or wish.name is not CommandName.KILL:
        return Report(exit_code=NOT_LATCHED, says=f"{error}. On the bot's own host run: {cure}", facts={})
    try:
        left = put_kill_file(folder, wish.reason)
    except OSError as problem:
        return Report(exit_code=NOT_LATCHED, says=f"{error}; nor can a KILL file be left: {problem}", facts={})
    says = f"{error}; left {left}: a bot of this folder halts within a second of its next look, or at its start"
    return Report(exit_code=NOT_LATCHED, says=says, facts={})
