"""``alvh journal``: is it whole, and what does it say."""

from pathlib import Path

import click

from bot.cli.params import FILE
from bot.compose.journals import export_to, exported_lines, verify_journal


@click.group()
def journal() -> None:
    """Judge or export the journal of a run."""


@journal.command()
@click.option("--journal", "path", type=FILE, required=True, help="The journal.db of a run.")
def verify(path: Path) -> None:
    """Check the hash chain from the first row to the last; name the first row that breaks it."""
    click.echo(verify_journal(path))


@journal.command()
@click.option("--journal", "path", type=FILE, required=True, help="The journal.db of a run.")
@click.option("--out", type=FILE, help="Write the lines to this file instead of stdout.")
def export(path: Path, out: Path | None) -> None:
    """Write every row as one line of JSON."""
    if out is None:
        for line in exported_lines(path):
            click.echo(line)
    else:
        click.echo(f"{out}: {export_to(path, out)} rows", err=True)
