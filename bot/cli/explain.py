"""``alvh explain``: one decision in words, from the journal alone."""

import json
import shutil
import sys
from pathlib import Path
from typing import Final

import click

from bot.cli.params import FILE
from bot.compose.explaining import explain_decision

WIDTH: Final = 100
"""Columns: what a terminal beside another window shows, and a mail does not break."""


@click.command()
@click.argument("decision")
@click.option("--journal", type=FILE, help="The journal.db of a run; default that of the newest run below out/.")
@click.option("--json", "as_json", is_flag=True, help="Print words, tables, figures, links and rows as one object.")
def explain(*, decision: str, journal: Path | None, as_json: bool) -> None:
    """Tell one DECISION in words: an id or its beginning as logs show it, or `last` for the last one.

    When, what and why; signal, confirmations, size, expiry, candidates; what held it back, what the gate found, and
    what became of its orders. What the journal does not hold is said to be missing.
    """
    answer = explain_decision(decision, journal)
    if journal is None:
        click.echo(f"journal: {answer.journal}", err=True)
    if as_json:
        click.echo(json.dumps(answer.facts, allow_nan=False, indent=2))
    else:
        click.echo(answer.text(_width()), nl=False)


def _width() -> int:
    return min(WIDTH, shutil.get_terminal_size().columns) if sys.stdout.isatty() else WIDTH
