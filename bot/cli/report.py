"""``alvh report``: the HTML page of a journal."""

from pathlib import Path

import click

from bot.cli.params import FILE
from bot.compose.reporting import write_report


@click.command()
@click.option("--journal", type=FILE, required=True, help="The journal.db of a run.")
@click.option("--out", type=FILE, default=Path("report.html"), show_default=True)
def report(journal: Path, out: Path) -> None:
    """Write the report of a journal, also of one that is still being written."""
    path, summary = write_report(journal, out)
    for name, value in summary:
        click.echo(f"{name}: {value}", err=True)
    click.echo(str(path))
