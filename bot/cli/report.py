"""``alvh report``: the HTML page of a journal."""

import json
from pathlib import Path

import click

from bot.cli.params import FILE
from bot.compose.reporting import write_report


@click.command()
@click.option("--journal", type=FILE, required=True, help="The journal.db of a run.")
@click.option("--out", type=FILE, default=Path("report.html"), show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the summary and the variants compared as one object.")
def report(*, journal: Path, out: Path, as_json: bool) -> None:
    """Write the report of a journal, also of one that is still being written."""
    told = write_report(journal, out)
    for name, value in told.summary:
        click.echo(f"{name}: {value}", err=True)
    if as_json:
        facts = {"report": str(told.path), "summary": dict(told.summary), "variants": told.variants}
        click.echo(json.dumps(facts, allow_nan=False))
    else:
        click.echo(str(told.path))
