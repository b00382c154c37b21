"""``alvh watchdog``: a second process that calls a person when the bot cannot."""

from typing import Any

import click

from bot.cli.params import FILE, FOLDER
from bot.compose.watchdog import Watch, watch_bot


@click.command()
@click.option("--profile", type=click.Choice(["sim", "paper", "live"]), default="paper", show_default=True)
@click.option("--config", type=FILE, help="The bot's TOML file: broker of messages, bot, gateway, channels.")
@click.option("--local", is_flag=True, help="Watch the bot's local socket instead of MQTT.")
@click.option("--ledger", is_flag=True, help="Compare the journal's positions with the broker's, too.")
@click.option("--state", type=FOLDER, help="State folder of the bot, for --local and --ledger.")
@click.option("--username", default="monitor", show_default=True, help="At the broker of messages.")
@click.option("--password-file", type=FILE, help="Its password there: one line, mode 0600.")
@click.option("--on-alarm", help="Command run at each alarm, with danger and words as last arguments.")
@click.option("--cut", help="Command that cuts the bot off from the gateway; run once when nobody knows what it does.")
@click.option("--exit-on-alarm", is_flag=True, help="End with exit code 13 at the first alarm.")
def watchdog(**chosen: Any) -> int:
    """Watch a running bot; prints one JSON line for each danger that begins or is over."""
    return watch_bot(Watch(**chosen), click.echo)
