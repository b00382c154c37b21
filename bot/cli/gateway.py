"""``alvh gateway``: the simulated gateway alone, for the bot or for any other program on the broker's wire."""

import click
from rich.console import Console

from bot.cli.params import DAY, FOLDER, SPEED
from bot.compose.serving import GatewayOptions, serve_gateway


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=4002, show_default=True)
@click.option("--scenario", default="blowout", show_default=True)
@click.option("--history", type=FOLDER, help="Folder of daily SYMBOL.csv files instead of a scenario.")
@click.option("--start", type=DAY, help="First day.")
@click.option("--end", type=DAY, help="Last day of the history's window.")
@click.option("--sessions", type=click.IntRange(1, 250), default=5, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=7, show_default=True)
@click.option("--speed", type=SPEED, default=1.0, show_default=True)
@click.option("--tick-s", type=click.IntRange(1, 30), default=15, show_default=True)
@click.option("--account", default="DU1234567", show_default=True)
def gateway(**chosen: object) -> None:
    """Serve until interrupted; clients are not authenticated, so keep it on this machine."""
    serve_gateway(GatewayOptions(**chosen), Console(stderr=True))  # type: ignore[arg-type]  # click made them so
