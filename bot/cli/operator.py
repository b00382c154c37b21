"""What an operator says to a running bot: halt, go on, yes and no to proposals, over MQTT or ``--local``."""

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any, Literal

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.cli.params import FILE, FOLDER
from bot.compose.operating import DONE, Report, Target, Wish, operate
from bot.compose.telling import Table as Told
from bot.compose.telling import lines_of, tables_of
from bot.domain.command import CommandName
from bot.domain.decision import Rule
from bot.domain.overrides import NEVER_WAIVED

Command = Callable[..., Any]

NOT_A_TERMINAL = 160
"""Columns of what is written to a file or another program."""

WAYS = (
    click.option("--profile", type=click.Choice(["sim", "paper", "live"]), default="paper", show_default=True),
    click.option("--config", type=FILE, help="The bot's TOML file: names broker of messages and bot."),
    click.option("--local", is_flag=True, help="On the bot's own host, without MQTT; a kill then needs no key."),
    click.option("--state", type=FOLDER, help="State folder of the bot, for --local."),
    click.option("--key", type=FILE, help="Your key, as `alvh keys new` wrote it."),
    click.option("--bot-key", help="The bot's public key, hexadecimal or a file; else the one in your key file."),
    click.option("--username", help="At the broker of messages; default operator-KEY."),
    click.option("--password-file", type=FILE, help="Your password there: one line, mode 0600."),
    click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON on stdout."),
)
WHY = click.option("--reason", default="", help="Goes into the journal.")
DECIDES = (click.option("--i-am", "person", help="Your name; needed with --reason where there is no terminal."), WHY)
WHO = (
    click.option("--mode", type=click.Choice(["NORMAL", "REDUCE_ONLY"]), default="NORMAL", show_default=True),
    *DECIDES,
)


def _with(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


@click.command()
@_with(*WAYS, WHY)
def kill(reason: str, **way: Any) -> int:
    """Halt the bot at once and cancel its working orders; repeated until the bot itself has answered."""
    return _operated(Wish(name=CommandName.KILL, reason=reason or "no reason given"), way)


@click.command()
@_with(*WAYS, WHY)
def pause(reason: str, **way: Any) -> int:
    """Halt the bot; working orders stay until their time is up."""
    return _operated(Wish(name=CommandName.PAUSE, reason=reason), way)


@click.command("reduce-only")
@_with(*WAYS, WHY)
def reduce_only(reason: str, **way: Any) -> int:
    """Allow only orders that reduce the risk."""
    return _operated(Wish(name=CommandName.REDUCE_ONLY, reason=reason), way)


@click.command()
@_with(*WAYS, *WHO)
def resume(**chosen: Any) -> int:
    """Lift a halt: answers the bot's one-time challenge, with your signature and your reason."""
    return _loosened(CommandName.RESUME, chosen)


@click.command()
@_with(*WAYS, *WHO)
def arm(**chosen: Any) -> int:
    """End the halt of a first boot and adopt the positions found."""
    return _loosened(CommandName.ARM, chosen)


@click.command()
@click.argument("proposal")
@_with(*WAYS, *DECIDES)
def approve(**chosen: Any) -> int:
    """Let the bot make the trade of PROPOSAL: in its time, at the market's price, within every limit."""
    return _loosened(CommandName.APPROVE, chosen)


@click.command()
@click.argument("proposal")
@_with(*WAYS, WHY)
def veto(proposal: str, reason: str, **way: Any) -> int:
    """Say no to PROPOSAL: the same trade is not made and not asked for again in this session."""
    return _operated(Wish(name=CommandName.VETO, reason=reason or "no reason given", proposal=proposal), way)


@click.command()
@_with(*WAYS, *DECIDES)
def flatten(**chosen: Any) -> int:
    """Sell the hedge sleeve: halts the bot, shows the plan, and carries out what you sign; the bot stays halted."""
    return _loosened(CommandName.FLATTEN, chosen)


@click.command("global-cancel")
@click.option("--really", is_flag=True, help="The second confirmation, needed where there is no terminal to ask.")
@_with(*WAYS, *DECIDES)
def global_cancel(**chosen: Any) -> int:
    """Have the gateway cancel everybody's orders, manual ones too; must be allowed in the bot's file. Asks twice."""
    if not chosen.pop("really") and not sys.stdin.isatty():
        raise click.UsageError("alvh global-cancel needs a terminal, or --really besides --i-am NAME and --reason TEXT")
    return _loosened(CommandName.GLOBAL_CANCEL, chosen)


@click.command()
@click.argument("lock")
@_with(*WAYS, *DECIDES)
def unlock(**chosen: Any) -> int:
    """Take LOCK away, as `alvh status` names it; what still differs is locked again by the next comparison."""
    return _loosened(CommandName.UNLOCK, chosen)


@click.command()
@click.argument("limit")
@click.argument("value")
@_with(*WAYS, *DECIDES)
def limit(**chosen: Any) -> int:
    """Set LIMIT of the running bot to VALUE, as in [risk]: tighter is taken at once, looser needs a key with role risk.

    With --local and without --key only a tighter value is taken. What was set stays over a restart.
    """
    if not chosen["local"] or chosen["key"] is not None:
        return _loosened(CommandName.LIMIT, chosen)
    chosen.pop("person")
    wish = Wish(name=CommandName.LIMIT, limit=chosen.pop("limit"), value=chosen.pop("value"))
    reason = chosen.pop("reason") or "no reason given"
    return _operated(wish, chosen, lambda _facts: reason)


@click.command()
@click.argument("intent")
@click.option(
    "--rule",
    "rules",
    multiple=True,
    required=True,
    type=click.Choice(sorted(rule.value for rule in Rule if rule not in NEVER_WAIVED)),
    help="A rule that is waived; once for each.",
)
@_with(*WAYS, *DECIDES)
def override(**chosen: Any) -> int:
    """Have the refused order INTENT judged once more, the named rules waived; INTENT as `alvh status` names it."""
    return _loosened(CommandName.OVERRIDE, chosen)


@click.command()
@_with(*WAYS)
def status(**way: Any) -> int:
    """Show mode and who may end it, orders, exposure, what was refused, and every limit with what is left of it."""
    return _operated(Wish(name=CommandName.STATUS), way)


def _loosened(name: CommandName, chosen: dict[str, Any]) -> int:
    person, reason = chosen.pop("person"), chosen.pop("reason")
    names = ("mode", "proposal", "lock", "limit", "value", "intent", "rules")
    asked = {each: chosen.pop(each) for each in names if each in chosen}
    scripted = bool(person and reason)
    if not scripted and not sys.stdin.isatty():
        raise click.UsageError(f"alvh {name.value} needs a terminal, or both --i-am NAME and --reason TEXT")

    def confirm(facts: Mapping[str, object]) -> str:
        _show(facts)
        if scripted:
            return f"{person}: {reason}"
        what = " ".join(str(each) for each in asked.values() if isinstance(each, str))
        return str(click.prompt(f"reason to {name.value} {what} (empty gives up)", default=reason, err=True))

    return _operated(Wish(name=name, **asked), chosen, confirm)


def _operated(wish: Wish, way: dict[str, Any], confirm: Callable[[Mapping[str, object]], str] | None = None) -> int:
    as_json = way.pop("as_json")
    report = operate(Target(**way), wish, confirm or (lambda _facts: ""))
    if as_json:
        click.echo(json.dumps({"exit_code": report.exit_code, "says": report.says, "facts": dict(report.facts)}))
    else:
        _tell(wish, report)
    return report.exit_code


def _tell(wish: Wish, report: Report) -> None:
    style = "green" if report.exit_code == DONE else "bold red"
    Console(stderr=True).print(f"{wish.name.value}: {report.says}", style=style, highlight=False, markup=False)
    _show(report.facts)


def _show(facts: Mapping[str, object]) -> None:
    for line in lines_of(facts):
        click.echo(line, err=True)
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = NOT_A_TERMINAL
    for told in tables_of(facts):
        console.print(_rich(told))


def _rich(told: Told) -> Table:
    table = Table(title=Text(told.title), title_justify="left", box=None, pad_edge=False)
    for column in told.columns:
        justify: Literal["left", "right"] = "right" if column in told.numeric else "left"
        is_first = column == told.columns[0]
        table.add_column(Text(column), justify=justify, overflow="fold", no_wrap=is_first or column in told.numeric)
    for place, row in enumerate(told.rows):
        table.add_row(*(Text(cell) for cell in row), style="bold yellow" if place in told.marked else "")
    return table
