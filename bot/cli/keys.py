"""``alvh keys``: who may command a bot."""

from pathlib import Path

import click

from bot.cli.params import FILE, FOLDER
from bot.compose.keeping import keeper_of

PROFILE = click.option(
    "--profile", type=click.Choice(["sim", "paper", "live"]), default="paper", show_default=True, help="Of the bot."
)
CONFIG = click.option("--config", type=FILE, help="The bot's TOML file: names bot and account.")
STATE = click.option("--state", type=FOLDER, help="State folder of the bot; default as of `alvh run`.")
ROLES = ("kill", "resume", "risk", "admin")


@click.group()
def keys() -> None:
    """Make, list and revoke the keys of operators."""


@keys.command()
@click.argument("name")
@click.option("--roles", default="kill", show_default=True, help=f"Of {','.join(ROLES)}; with commas.")
@click.option("--out", type=FILE, required=True, help="The operator's file: keep it from everybody else.")
@PROFILE
@CONFIG
@STATE
def new(name: str, roles: str, out: Path, profile: str, config: Path | None, state: Path | None) -> None:
    """Make a key pair: the public half stays with the bot, the private half goes into --out."""
    wanted = [role.strip() for role in roles.split(",") if role.strip()]
    unknown = [role for role in wanted if role not in ROLES]
    if unknown or not wanted:
        raise click.BadParameter(f"{', '.join(unknown) or 'none'}: expected some of {', '.join(ROLES)}")
    if not name.replace("-", "").replace("_", "").isalnum() or not name.isascii():
        raise click.BadParameter(f"{name!r}: a key's name is letters, digits, - and _")
    click.echo(keeper_of(profile, config, state).new(name, wanted, out), err=True)


@keys.command("list")
@PROFILE
@CONFIG
@STATE
def list_keys(profile: str, config: Path | None, state: Path | None) -> None:
    """Print every key with its roles, and the bot's own public key, which acks are checked with."""
    keeper = keeper_of(profile, config, state)
    for row in keeper.rows():
        click.echo("  ".join(row))
    click.echo(f"bot  {keeper.settings.bot}  {keeper.bot_key()}")


@keys.command()
@click.argument("name")
@PROFILE
@CONFIG
@STATE
def revoke(name: str, profile: str, config: Path | None, state: Path | None) -> None:
    """Make a key worthless at once, also for a bot that is running."""
    click.echo(keeper_of(profile, config, state).revoke(name), err=True)
