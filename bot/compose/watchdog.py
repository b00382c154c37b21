"""``alvh watchdog``: watches a bot from outside its process and calls a person on its own channels.

How it works: signs of life come over MQTT or from the bot's local socket, positions from the journal and from a session
of its own at the gateway. Once a second all that was heard is judged; a danger is told when it begins and when it is
over. With a key for it, ledgers that stay apart kill the bot: once a break, again until it is answered.
What always holds: a source that fails is a danger or its own words, never a reason to end.
"""

import asyncio
import json
import os
import shlex
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from adapters.alerts.channels import open_channels
from adapters.alerts.dispatch import Dispatcher
from adapters.clock import SystemClock, SystemIds, SystemRng
from adapters.control.acks import ack_of
from adapters.control.guard import BEAT_AGE
from adapters.control.keys import public_key
from adapters.control.local_line import open_local_line
from adapters.control.operator_key import local_identity
from adapters.control.operator_line import Sending
from adapters.ibkr.looker import positions_held
from adapters.journal.positions import positions_told
from adapters.mqtt.monitor import Monitor
from bot.compose.standing import JOURNAL_FILE
from bot.compose.state_folder import default_folder
from bot.compose.stopping import Stopper
from bot.domain.alerts import Alert, Severity
from bot.domain.command import CommandName
from bot.domain.errors import ConfigError, ConnectivityError, JournalError
from bot.domain.schedule import NEW_YORK
from bot.domain.watching import Alarm, Danger, Sight, apart, dangers
from bot.tasks import end_all
from config.loader import load
from config.settings import Profile, Settings

ALARMED = 13
"""Exit code of a watch that ends with its first alarm."""

JUDGE_EVERY_S = 1.0
KILL_AGAIN_S = 1.0
DELIVERED_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What is watched and how; the options of the command line."""

    profile: str = "paper"
    config: Path | None = None
    local: bool = False  # the bot's own socket instead of MQTT
    ledger: bool = False
    state: Path | None = None
    username: str = "monitor"
    password_file: Path | None = None
    on_alarm: str | None = None
    cut: str | None = None
    exit_on_alarm: bool = False


def watch_bot(watch: Watch, say: Callable[[str], None]) -> int:
    """Watch until the first alarm if that is wanted, else for ever; returns the exit code.

    Args:
        watch: What is asked for.
        say: Takes one line of JSON for each danger that begins or is over.

    Raises:
        ConfigError: Settings are wrong, or no bot has run with the folder.
        RefusedStartError: A file with a secret cannot be used.
    """
    settings = load(Profile(watch.profile), watch.config, os.environ).settings
    if watch.ledger and settings.watchdog.client_id == settings.broker.client_id:
        raise ConfigError("watchdog.client_id is the bot's own: the gateway would turn one of them away; name another")
    folder = watch.state or default_folder(watch.profile, settings.bot)
    return asyncio.run(Watcher(watch, settings, folder, say).run())


class Watcher:
    """One watch from its beginning to its end."""

    def __init__(self, watch: Watch, settings: Settings, folder: Path, say: Callable[[str], None]) -> None:
        """Take the parts; must be called where a loop will run.

        Raises:
            ConfigError: A command cannot be taken apart into words, or the key cannot be used.
        """
        self._watch = watch
        self._settings = settings
        self._rules = settings.watchdog
        self._folder = folder
        self._say = say
        self._clock = SystemClock()
        self._sight = Sight(since=self._clock.host_now())
        self._standing: dict[Danger, Alarm] = {}
        self._on_alarm = _words_of(watch.on_alarm or settings.watchdog.on_alarm, "on_alarm")
        self._cut = _words_of(watch.cut or settings.watchdog.cut, "cut")
        self._was_cut = False
        key = settings.watchdog.kill_key if watch.ledger else None
        self._stopper = None if key is None else Stopper(settings, folder, key)
        self._commands: set[asyncio.Task[None]] = set()

    async def run(self) -> int:
        """Watch."""
        dispatcher = Dispatcher(
            open_channels(self._settings.alerts),
            settings=self._settings.alerts,
            clock=self._clock,
            rng=SystemRng(),
            bot=self._settings.bot,
        )
        jobs = [self._listen(), dispatcher.run()] + ([self._compare_ledgers()] if self._watch.ledger else [])
        tasks = [asyncio.ensure_future(job) for job in jobs]
        judging = asyncio.ensure_future(self._judge(dispatcher))
        try:
            await asyncio.wait((*tasks, judging), return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    task.result()  # a source ends by a fault of ours alone
            await judging
            await dispatcher.emptied(DELIVERED_WITHIN_S)
            while self._commands:  # a kill that nobody answers runs the cut
                await asyncio.gather(*self._commands)
        finally:
            await end_all((*tasks, judging, *self._commands))
        return ALARMED

    # what is heard ---------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        if self._watch.local:
            await self._look_locally()
        monitor = Monitor(
            settings=self._settings.mqtt,
            bot=self._settings.bot,
            username=self._watch.username,
            password_file=self._watch.password_file,
            clock=self._clock,
        )
        await monitor.run(self._heard, self._deaf)

    def _heard(self, topic: str, payload: bytes) -> None:
        now = self._clock.host_now()
        match topic:
            case "heartbeat":
                self._sight = replace(self._sight, beat_at=now)
            case "availability":
                self._sight = replace(self._sight, offline=payload == b"offline")
            case "state":
                facts = _facts(payload)
                self._state_is(facts)

    def _state_is(self, facts: Mapping[str, object]) -> None:
        self._sight = replace(self._sight, mode=str(facts.get("latch", "")), cause=str(facts.get("cause", "")))

    def _deaf(self, why: str) -> None:
        self._sight = replace(self._sight, why_deaf=why)

    async def _look_locally(self) -> None:
        """Ask the socket for the state, for ever; the answer says how old the loop's last beat is."""
        identity = local_identity(self._folder, self._settings.bot)
        key, ids = public_key(identity.bot_key), SystemIds()
        while True:
            try:
                line = await open_local_line(self._folder)
                try:
                    await line.send(_asking(ids.new_id()))
                    async with asyncio.timeout(self._rules.look_every_s):
                        ack = ack_of(await line.next_ack(), key)
                finally:
                    await line.close()
            except (ConnectivityError, TimeoutError) as error:
                self._deaf(str(error) or "no answer on the local socket")
            else:
                if ack is not None:
                    self._answered(ack.detail)
            await self._clock.sleep(self._rules.look_every_s)

    def _answered(self, facts: Mapping[str, object]) -> None:
        self._deaf("")
        self._state_is(facts)
        age = facts.get(BEAT_AGE)
        if isinstance(age, int) and age <= self._rules.gap_s:
            self._sight = replace(self._sight, beat_at=self._clock.host_now())

    async def _compare_ledgers(self) -> None:
        """Compare the journal's positions with the broker's, for ever; a journal that moved meanwhile is read anew."""
        while True:
            today = f"{self._clock.host_now().astimezone(NEW_YORK):%Y%m%d}"
            try:
                before = await self._told(today)
                held = await positions_held(
                    self._settings.broker, self._rules.client_id, self._rules.ledger_timeout_s, today
                )
                told = await self._told(today)
            except ConnectivityError as error:
                self._say_line("ledger", f"not compared: {error}", over=False)
            except JournalError as error:
                self._differ((str(error),))
            else:
                if told == before:
                    self._differ(apart(told, held))
            await self._clock.sleep(self._rules.ledger_every_s)

    async def _told(self, today: str) -> Mapping[str, int]:
        return await asyncio.to_thread(positions_told, self._folder / JOURNAL_FILE, today)

    def _differ(self, differences: tuple[str, ...]) -> None:
        self._sight = replace(self._sight, apart=differences, apart_before=self._sight.apart)

    # what is done ----------------------------------------------------------------------------------------------

    async def _judge(self, dispatcher: Dispatcher) -> None:
        while True:
            now = self._clock.host_now()
            found = {alarm.danger: alarm for alarm in dangers(self._sight, now, gap_s=self._rules.gap_s)}
            for danger in [one for one in self._standing if one not in found]:
                self._say_line(danger.value, "over", over=True)
            fresh = [alarm for danger, alarm in found.items() if danger not in self._standing]
            self._standing = found
            for alarm in fresh:
                self._alarm(alarm, dispatcher, now)
            if fresh and self._watch.exit_on_alarm:
                return
            await self._clock.sleep(JUDGE_EVERY_S)

    def _alarm(self, alarm: Alarm, dispatcher: Dispatcher, now: datetime) -> None:
        self._say_line(alarm.danger.value, alarm.words, over=False)
        if alarm.danger is Danger.LEDGER and self._stopper is None:
            self._say_line("kill", "no key to halt the bot with: watchdog.kill_key names none", over=False)
        dispatcher.take(
            Alert(
                kind=f"watchdog_{alarm.danger.value}",
                severity=Severity.CRITICAL,
                words=f"the watcher: {alarm.words}",
                cause="",
                at=now,
                decision_id="",
                facts={},
            )
        )
        self._run_command(self._on_alarm, alarm)
        if alarm.danger is Danger.LEDGER and self._stopper is not None:
            self._start(self._kill(self._stopper, alarm))
        elif alarm.danger.may_trade_on:
            self._cut_off(alarm)

    async def _kill(self, stopper: Stopper, alarm: Alarm) -> None:
        """Kill until the bot has answered or the ledgers agree; without an answer in time it is cut off besides."""
        deadline = self._clock.host_now() + timedelta(seconds=self._rules.kill_within_s)
        while alarm.danger in self._standing:
            way, failed = await stopper.round(f"watchdog: {alarm.words}")
            for why in failed:
                self._say_line("kill", why, over=False)
            if way:
                self._say_line("kill", f"the bot is halted; it answered over {way}", over=True)
                return
            if self._clock.host_now() >= deadline:
                self._cut_off(alarm)
                if self._watch.exit_on_alarm:
                    return
            await self._clock.sleep(KILL_AGAIN_S)

    def _cut_off(self, alarm: Alarm) -> None:
        if not self._was_cut:
            self._was_cut = True
            self._run_command(self._cut, alarm)

    def _run_command(self, command: list[str], alarm: Alarm) -> None:
        if command:
            self._start(self._ran(command, alarm))

    def _start(self, job: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(job)
        self._commands.add(task)
        task.add_done_callback(self._commands.discard)

    async def _ran(self, command: list[str], alarm: Alarm) -> None:
        """Run a command of the operator's, without a shell; how it ended is told."""
        try:
            process = await asyncio.create_subprocess_exec(
                *command, alarm.danger.value, alarm.words, stdin=asyncio.subprocess.DEVNULL
            )
        except OSError as error:
            self._say_line("command", f"{command[0]}: {error.strerror}", over=False)
            return
        try:
            async with asyncio.timeout(self._rules.command_timeout_s):
                code = await process.wait()
        except TimeoutError:
            process.kill()
            code = await process.wait()
        self._say_line("command", f"{command[0]} ended with {code}", over=code == 0)

    def _say_line(self, danger: str, words: str, *, over: bool) -> None:
        facts = {"at": self._clock.host_now().isoformat(), "danger": danger, "words": words, "over": over}
        self._say(json.dumps(facts))


def _words_of(command: str, name: str) -> list[str]:
    """Take a command of the operator's apart, now and not at the alarm; without words it is none."""
    try:
        return shlex.split(command)
    except ValueError as error:
        raise ConfigError(
            f"watchdog.{name} is no command ({str(error).lower()}): {command}; mend its quotes"
        ) from error


def _asking(command_id: str) -> Sending:
    return Sending(name=CommandName.STATUS, command_id=command_id, reason="", payload=b"")


def _facts(payload: bytes) -> Mapping[str, object]:
    try:
        facts = json.loads(payload)
    except (ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) else {}
