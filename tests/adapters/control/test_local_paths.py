"""The local paths with a whole bot behind them, and the keys' command line: no broker of messages anywhere."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from click.testing import CliRunner

from adapters.control.guard import TAKEN_FILE
from adapters.control.local_line import LocalLine, open_local_line, put_kill_file
from adapters.control.operator_key import local_identity, read_identity
from adapters.mqtt.settings import MqttSettings
from bot.cli.root import alvh
from bot.compose.operating import DONE, REFUSED, OperatorTool, Wish, operate
from bot.compose.operating import Target as Way
from bot.domain.command import CommandName
from bot.domain.errors import ConfigError
from bot.domain.mode import TradingMode
from risk.headroom import TABLE
from tests.adapters.mqtt.bench_bot import BenchBot, tool_of, until


@pytest_asyncio.fixture
async def bot(tmp_path: Path) -> AsyncIterator[BenchBot]:
    """A halted bot without MQTT, its books compared."""
    async with BenchBot(tmp_path / "state", MqttSettings(required=False)).living() as living:
        await until(lambda: living.rows("books_reconciled") != [])
        yield living


@pytest_asyncio.fixture
async def line(bot: BenchBot) -> AsyncIterator[LocalLine]:
    """An open local socket."""
    found = await open_local_line(bot.folder)
    yield found
    await found.close()


def by_permission(bot: BenchBot, line: LocalLine) -> OperatorTool:
    """Return the tool of somebody without a key."""
    return tool_of(line, local_identity(bot.folder, "main"))


@pytest.mark.control("C1")
async def test_a_local_kill_is_one_kill_and_a_signed_resume_lifts_it(bot: BenchBot, line: LocalLine) -> None:
    """Flag, disk, journal and acks tell of one epoch; resume over the socket needs signature and challenge."""
    signer = tool_of(line, bot.new_operator())
    armed = await signer.loosen(CommandName.ARM, {"mode": "NORMAL"}, lambda _facts: "first start")
    assert (armed.exit_code, bot.mode) == (DONE, TradingMode.NORMAL)
    before = bot.epoch
    killed = await by_permission(bot, line).kill("a test")
    assert (killed.exit_code, bot.epoch) == (DONE, before + 1)
    assert [row["epoch"] for row in bot.rows("kill_latched")] == [before + 1]
    refused = await by_permission(bot, line).loosen(CommandName.RESUME, {"mode": "NORMAL"}, lambda _facts: "let me")
    assert (refused.exit_code, refused.says, bot.mode) == (REFUSED, "refused: not_proved", TradingMode.HALT)
    resumed = await signer.loosen(CommandName.RESUME, {"mode": "REDUCE_ONLY"}, lambda _facts: "a little")
    assert (resumed.exit_code, bot.latch_on_disk()["mode"]) == (DONE, "REDUCE_ONLY")


async def test_a_person_who_gives_no_reason_sends_nothing(bot: BenchBot, line: LocalLine) -> None:
    """An empty reason gives up: no command reaches the bot."""
    report = await tool_of(line, bot.new_operator()).loosen(CommandName.ARM, {"mode": "NORMAL"}, lambda _facts: " ")
    assert (report.exit_code, bot.mode) == (REFUSED, TradingMode.HALT)
    assert bot.rows("command_refused") == []


@pytest.mark.control("C30")
@pytest.mark.control("C37")
async def test_this_host_tightens_a_limit_and_only_a_key_with_role_risk_loosens_it(
    bot: BenchBot, line: LocalLine
) -> None:
    """Without a key 10 orders a day are taken and 40 refused; a signed command with the challenge may go back to 20."""
    host, risky = by_permission(bot, line), tool_of(line, bot.new_operator("risky", "risk"))
    tightened = await host.limit("max_orders_per_day", "10", lambda _facts: "nervous")
    assert (tightened.exit_code, tightened.facts["after"]) == (DONE, "10")
    refused = await host.limit("max_orders_per_day", "40", lambda _facts: "calm again")
    assert (refused.exit_code, refused.says) == (REFUSED, "refused: not_proved")
    loosened = await risky.limit("max_orders_per_day", "20", lambda _facts: "calm again")
    assert (loosened.exit_code, loosened.facts["after"]) == (DONE, "20")
    told = [(row["before"], row["after"], row["key_id"]) for row in bot.rows("limit_changed")]
    assert told == [("40", "10", "local_socket"), ("10", "20", "risky")]
    silent = await risky.limit("max_orders_per_day", "30", lambda _facts: " ")
    assert (silent.exit_code, silent.says) == (REFUSED, "no reason, nothing sent")
    assert bot.bot.shell.engine.limits.max_orders_per_day == 20


async def test_status_tells_what_an_operator_must_know(bot: BenchBot, line: LocalLine) -> None:
    """Mode, cause, epoch, working orders, differences, version, config hash and the account's hash."""
    report = await by_permission(bot, line).status()
    wanted = {"mode", "cause", "epoch", "working_orders", "differences", "version", "config_hash", "account_hash"}
    assert report.exit_code == DONE
    assert wanted <= set(report.facts)
    assert report.facts["account_hash"] == bot.standing.account_hash
    limits = report.facts["limits"]
    assert isinstance(limits, list)
    assert {row["limit"] for row in limits} == {name for name, *_ in TABLE}


async def test_an_override_names_an_order_that_was_refused(bot: BenchBot, line: LocalLine) -> None:
    """The tool signs for what the bot has told it, and for nothing else: here nothing was refused."""
    tool = tool_of(line, bot.new_operator("rita", "risk"))
    report = await tool.override("abc", ["vega"], lambda _facts: "because")
    assert (report.exit_code, report.says) == (REFUSED, "'abc' names 0 of the orders that were refused last: none")


async def test_the_kill_file_reaches_the_desk(bot: BenchBot) -> None:
    """The file latches through the guard, and the journal names it."""
    put_kill_file(bot.folder, "stop")
    await until((bot.folder / TAKEN_FILE).exists)
    await until(lambda: bot.rows("kill_latched") != [])
    assert bot.rows("kill_latched")[0]["channel"] == "kill_file"


async def test_a_second_answer_of_the_guard_needs_no_second_row(bot: BenchBot, line: LocalLine) -> None:
    """Pause and reduce-only over the socket end with the desk's own DONE."""
    await tool_of(line, bot.new_operator()).loosen(CommandName.ARM, {"mode": "NORMAL"}, lambda _facts: "first start")
    reduced = await by_permission(bot, line).tighten(CommandName.REDUCE_ONLY, "careful")
    assert (reduced.exit_code, bot.mode) == (DONE, TradingMode.REDUCE_ONLY)
    paused = await by_permission(bot, line).tighten(CommandName.PAUSE, "lunch")
    assert (paused.exit_code, bot.mode) == (DONE, TradingMode.HALT)


# the command line ----------------------------------------------------------------------------------------------------


def test_keys_are_made_listed_and_revoked(tmp_path: Path) -> None:
    """The command line makes a private file, lists the bot's public key, and revokes."""
    runner, where = CliRunner(), ["--profile", "sim", "--state", str(tmp_path / "state")]
    out = tmp_path / "anna.key"
    made = runner.invoke(alvh, ["keys", "new", "anna", "--roles", "kill,resume", "--out", str(out), *where])
    assert made.exit_code == 0, made.output
    identity = read_identity(out)
    listed = runner.invoke(alvh, ["keys", "list", *where]).output
    assert f"bot  main  {identity.bot_key}" in listed
    assert "anna  kill,resume  valid" in listed
    assert runner.invoke(alvh, ["keys", "revoke", "anna", *where]).exit_code == 0
    assert "anna  kill,resume  revoked" in runner.invoke(alvh, ["keys", "list", *where]).output
    for wrong in (["a b"], ["ben", "--roles", "king"]):
        refused = runner.invoke(alvh, ["keys", "new", *wrong, "--out", str(tmp_path / "x.key"), *where])
        assert refused.exit_code == 2


def test_resume_needs_a_person(tmp_path: Path) -> None:
    """Without a terminal, and without name and reason, nothing is sent: exit 2 with the cure."""
    for more in ([], ["--reason", "x"], ["--i-am", "anna"]):
        found = CliRunner().invoke(alvh, ["resume", "--profile", "sim", "--key", str(tmp_path / "k"), *more])
        assert found.exit_code == 2
        assert "--i-am NAME and --reason TEXT" in found.output


def test_a_kill_without_a_bot_leaves_the_file(tmp_path: Path) -> None:
    """No socket answers: exit 10, and the file KILL waits for the next start."""
    (tmp_path / "bot.pub").write_text("00" * 32)
    found = CliRunner().invoke(
        alvh, ["kill", "--profile", "sim", "--local", "--state", str(tmp_path), "--json"], standalone_mode=False
    )
    assert found.return_value == 10
    assert str(tmp_path / "KILL") in json.loads(found.output)["says"]
    assert (tmp_path / "KILL").exists()


@pytest.mark.control("C37")
def test_a_limit_on_this_host_needs_neither_key_nor_terminal_and_with_a_key_a_person(tmp_path: Path) -> None:
    """Without a key it is sent as it is, here to nobody: exit 10 with the command again; with one a person signs."""
    (tmp_path / "bot.pub").write_text("00" * 32)
    asked = ["limit", "max_options", "5", "--profile", "sim", "--local", "--state", str(tmp_path)]
    found = CliRunner().invoke(alvh, [*asked, "--json"], standalone_mode=False)
    assert found.return_value == 10
    assert f"alvh limit max_options 5 --local --state {tmp_path}" in json.loads(found.output)["says"]
    signed = CliRunner().invoke(alvh, [*asked, "--key", str(tmp_path / "anna.key")])
    assert (signed.exit_code, "--i-am NAME and --reason TEXT" in signed.output) == (2, True)


def test_a_command_without_a_key_says_so(tmp_path: Path) -> None:
    """Over MQTT every command needs a key; locally only what loosens."""
    for way, name in (
        (Way(profile="sim", state=tmp_path), CommandName.KILL),
        (Way(profile="sim", state=tmp_path, local=True), CommandName.RESUME),
    ):
        with pytest.raises(ConfigError, match="--key FILE"):
            operate(way, Wish(name=name), lambda _facts: "x")
