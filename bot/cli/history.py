"""``alvh history``: what daily files say."""

import json
from pathlib import Path

import click

from bot.cli.params import FOLDER
from bot.compose.betas import INDICES, betas_of_files


@click.group()
def history() -> None:
    """Look into daily files."""


@history.command()
@click.option("--vx", type=FOLDER, required=True, help="Folder with VX_YYYY-MM-DD.csv, one file a contract.")
@click.option("--history", "folder", type=FOLDER, required=True, help="Folder with VIX.csv and the index's file.")
@click.option("--index", type=click.Choice(INDICES), default=INDICES[0], show_default=True, help="SPX, or its fund.")
@click.option("--json", "as_json", is_flag=True, help="Print every figure in full precision as JSON.")
def betas(*, vx: Path, folder: Path, index: str, as_json: bool) -> None:
    """Estimate beta(T), g(T) and the present scale of VIX against SPX, beside the constants in use."""
    found = betas_of_files(vx, folder, index)
    if as_json:
        click.echo(json.dumps(found.facts(), allow_nan=False))
        return
    for line in found.lines():
        click.echo(line)
