"""``alvh explain``: one decision in words, from the journal alone."""

import json
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bot.cli.params import FILE
from bot.compose.explaining import Answer, explain_decision
from bot.report.explaining.parts import Grid

WIDTH: Final = 100
"""Columns: what a terminal beside another window shows, and a mail does not break."""

INDENT: Final = (0, 0, 0, 3)
"""Below a part's title."""


@click.command()
@click.argument("decision")
@click.option("--journal", type=FILE, help="The journal.db of a run; default that of the newest run below out/.")
@click.option("--json", "as_json", is_flag=True, help="Print words, tables, figures, links and rows as one object.")
def explain(decision: str, journal: Path | None, as_json: bool) -> None:  # noqa: FBT001 - a flag of the command line
    """Tell one DECISION in words: an id or its beginning as logs show it, or `last` for the last one.

    When, what and why; signal, confirmations, size, expiry, candidates; what held it back, what the gate found, and
    what became of its orders. What the journal does not hold is said to be missing.
    """
    answer = explain_decision(decision, journal)
    if journal is None:
        click.echo(f"journal: {answer.journal}", err=True)
    if as_json:
        click.echo(json.dumps(answer.facts, ensure_ascii=False, allow_nan=False, indent=2))
        return
    _show(answer)


def _show(answer: Answer) -> None:
    console = Console(highlight=False, markup=False)
    console.width = min(console.width, WIDTH) if console.is_terminal else WIDTH
    explanation = answer.explanation
    console.print(Text(f"Decision {explanation.decision_id}", style="bold"))
    console.print(explanation.summary)
    for number, part in enumerate(explanation.parts, start=1):
        console.print()
        console.print(Text(f"{number}. {part.title}", style="bold"))
        for words in part.words:
            console.print(Padding(Text(words), INDENT, expand=False))
        for grid in part.grids:
            console.print(Padding(_table(grid), INDENT, expand=False))


def _table(grid: Grid) -> Table:
    table = Table(title=grid.title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in grid.columns:
        table.add_column(column, justify="right" if column in grid.numeric else "left", overflow="fold")
    for row in grid.rows:
        table.add_row(*(Text(cell) for cell in row))
    return table
