"""``alvh signal``: the dispersion rule on daily closes, one row a session."""

from pathlib import Path

import click

from bot.cli.params import FILE, FOLDER
from bot.compose.signalling import signal_rows, write_lines


@click.command()
@click.option("--history", type=FOLDER, required=True, help="Folder with RVX.csv and VIX.csv.")
@click.option("--rule", type=click.Choice(["raw", "live"]), default="raw", show_default=True)
@click.option("--csv", "csv_file", type=FILE, help="Write the rows to this file instead of stdout.")
def signal(history: Path, rule: str, csv_file: Path | None) -> None:
    """Print date,rvx,vix,spread,baseline,threshold,flag,state for every evaluated session."""
    lines, summary = signal_rows(history, rule)
    if csv_file is None:
        for line in lines:
            click.echo(line)
    else:
        write_lines(csv_file, lines)
    click.echo(summary, err=True)
