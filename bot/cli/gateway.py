"""``alvh gateway``: the simulated gateway alone, for the bot or for any other program on the broker's wire."""

from dataclasses import replace
from datetime import date, time
from typing import Any

import click
from rich.console import Console

from bot.cli.params import DAY, FILE, FOLDER, MOMENT, SPEED
from bot.compose.controlling import told_gateway
from bot.compose.serving import TEN, GatewayOptions, for_any_program, serve_gateway

FAILED = 2


@click.group(invoke_without_command=True)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=4002, show_default=True, help="0 takes any free one.")
@click.option("--book", help="What the account holds: flat, condor, mixed or a TOML file.")
@click.option("--scenario", default="blowout", show_default=True)
@click.option("--history", type=FOLDER, help="Folder of daily SYMBOL.csv files instead of a scenario.")
@click.option("--play", type=FOLDER, help="Folder of a recording instead of a scenario.")
@click.option("--record", type=FOLDER, help="Write the ticks that are told to Parquet files in this folder.")
@click.option("--start", type=MOMENT, help="First day, or its moment in New York; at 10:00 unless it says an hour.")
@click.option("--end", type=DAY, help="Last day of the history's window.")
@click.option("--sessions", type=click.IntRange(1, 250), default=5, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=7, show_default=True)
@click.option("--speed", type=SPEED, default=1.0, show_default=True)
@click.option("--tick-s", type=click.IntRange(1, 30), default=1, show_default=True, help="Seconds between two steps.")
@click.option("--account", default="DU1234567", show_default=True)
@click.option("--master", type=click.IntRange(min=0), help="The client id that hears of everybody's orders.")
@click.option("--faults", type=FILE, help="TOML script of what is to go wrong.")
@click.option("--fees", type=FILE, help="TOML file of commissions and exchange fees; the broker's unless stated.")
@click.option("--control", metavar="PATH|HOST:PORT", help="Control socket; in the state folder unless stated.")
@click.pass_context
def gateway(context: click.Context, /, start: tuple[date, time | None] | None, **chosen: Any) -> None:
    """Serve until interrupted; clients are not authenticated, so keep it on this machine."""
    if context.invoked_subcommand is not None:
        return
    options = for_any_program(GatewayOptions(**chosen))
    if start is not None:
        options = replace(options, start=start[0], hour=start[1] or TEN)
    serve_gateway(options, Console(stderr=True))


@gateway.command(context_settings={"ignore_unknown_options": True})
@click.option("--port", type=click.IntRange(1, 65535), default=4002, show_default=True, help="The gateway's port.")
@click.option("--control", metavar="PATH|HOST:PORT", help="Its control socket, where it was given one.")
@click.argument("words", nargs=-1, required=True, metavar="COMMAND...")
def ctl(words: tuple[str, ...], control: str | None, port: int) -> int:
    """Tell a running gateway what to do: list, status, clear, advance 1h, or any trouble that `list` names.

    For example: disconnect | reject next | drop next client=3 | price RVX 45 | delay 200ms | halt | 1100
    """
    carried_out, text = told_gateway(words, control, port)
    if carried_out:
        click.echo(text)
        return 0
    click.echo(f"alvh: {text}", err=True)
    return FAILED
