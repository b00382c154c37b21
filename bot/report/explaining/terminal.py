"""An explanation as plain text for a terminal: sentences and tables within so many columns, no colours."""

from io import StringIO
from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bot.report.explaining.parts import Explanation, Grid

INDENT: Final = (0, 0, 0, 3)
"""Of everything below a part's title, to the left."""


def as_text(explanation: Explanation, width: int) -> str:
    """Return the text, each line no longer than ``width`` columns and without blanks at its end."""
    console = Console(
        file=StringIO(),
        width=width,
        force_terminal=False,
        color_system=None,
        highlight=False,
        markup=False,
        emoji=False,
    )
    with console.capture() as capture:
        console.print(Text(f"Decision {explanation.decision_id}"))
        console.print(Text(explanation.summary))
        for number, part in enumerate(explanation.parts, start=1):
            console.print(Text(f"\n{number}. {part.title}"))
            for words in part.words:
                console.print(Padding(Text(words), INDENT))
            for grid in part.grids:
                console.print(Padding(_table(grid), INDENT))
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())


def _table(grid: Grid) -> Table:
    table = Table(title=Text(grid.title) if grid.title else None, title_justify="left", box=None, pad_edge=False)
    for column in grid.columns:
        table.add_column(Text(column), justify="right" if column in grid.numeric else "left", overflow="fold")
    for row in grid.rows:
        table.add_row(*(Text(cell) for cell in row))
    return table
