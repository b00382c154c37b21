"""The worked examples of docs/methodology.md run as they are printed, and its defaults are those of the code."""

import doctest
import re
from pathlib import Path
from typing import Final

import pytest

from bot.hedging.settings import HedgeSettings
from config.settings import Settings
from tests.config.config_keys import keys_of

PAGE: Final = (Path(__file__).parents[2] / "docs" / "methodology.md").read_text(encoding="utf-8")
ROWS: Final = tuple(f"M{number}" for number in range(1, 19))
KEY_ROW: Final = re.compile(r"^\| `([a-z_]+\.[^`]+)` \| (.+?) \| (.+) \|$", re.MULTILINE)
WITHOUT_KEYS: Final = {"M15"}
"""M15 has no settings."""


def section_of(row: str) -> str:
    """Return the text of one row, from its heading to the next."""
    return re.split(rf"^## {row} ", PAGE, maxsplit=1, flags=re.MULTILINE)[1].partition("\n## ")[0]


def examples_of(section: str) -> list[str]:
    """Return the blocks of a section that are to be run."""
    return re.findall(r"^```pycon\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


def run(block: str, name: str) -> tuple[doctest.TestResults, str]:
    """Run one block in a namespace of its own; returns the counts and what differed, in doctest's words."""
    test = doctest.DocTestParser().get_doctest(block, {}, name, "docs/methodology.md", 0)
    told: list[str] = []
    return doctest.DocTestRunner(verbose=False).run(test, out=told.append), "".join(told)


@pytest.mark.parametrize("row", ROWS)
def test_the_worked_example_of_a_row_comes_out_as_printed(row: str) -> None:
    """Each row has one example that imports the real code, and every printed figure is what that code gives."""
    (block,) = examples_of(section_of(row))
    found, told = run(block, row)
    assert re.search(r"^>>> from (bot|risk)\.", block, re.MULTILINE), "it imports the real code"
    assert found.attempted >= 3
    assert found.failed == 0, told


def test_a_wrong_figure_would_be_told() -> None:
    """The runner is no rubber stamp: one digit changed in an example fails it and is named."""
    (block,) = examples_of(section_of("M2"))
    found, told = run(block.replace("112.0", "113.0"), "M2")
    assert found.failed == 1
    assert "113.0" in told


@pytest.mark.parametrize("row", ROWS)
def test_the_parts_of_a_row_are_there(row: str) -> None:
    """Each row says what it is for, where the code is, what the bot does today, and ends with its example."""
    section = section_of(row)
    places = [section.find(part) for part in ("**For.**", "\nCode: ", "**Today.**", "**Example.**", "```pycon")]
    assert -1 not in places
    assert places == sorted(places)
    assert section.rstrip().endswith("```")


@pytest.mark.parametrize("row", ROWS)
def test_the_defaults_of_a_row_are_those_of_the_code(row: str) -> None:
    """Each key that a row names exists, with the default that the row prints, as docs/configuration.md writes it."""
    keys = dict(keys_of(Settings))
    named = {key: default for key, default, _ in KEY_ROW.findall(section_of(row))}
    assert bool(named) is (row not in WITHOUT_KEYS)
    assert named == {key: keys.get(key) for key in named}


def test_the_layers_are_those_of_the_configuration() -> None:
    """Days, calls, delta, reach and roll of M4 are the defaults of the settings."""
    settings = HedgeSettings()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in section_of("M4").splitlines()]
    found = {row[0]: row[1:] for row in cells if row[0] in {"short", "medium", "long"}}
    for layer, one in settings.layers.items():
        reach = "above that" if layer.value == "long" else f"{one.longest_days} days"
        rolled = f"{settings.temporal.roll_days(layer)} days"
        figures = [f"{one.days}", f"{one.calls_per_ten_condors}", f"{one.forward_delta:.2f}", reach, rolled]
        assert found[layer.value] == figures
