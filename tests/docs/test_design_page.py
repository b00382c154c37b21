"""The tables of docs/design.md say what the source says."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.cli.root import alvh
from bot.domain.alerts import ALERTS, QUIET_RECORDS, TOLD_RECORDS
from bot.domain.orders import TRANSITIONS
from tests.architecture import ALLOWED, PACKAGES, SECTIONS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
TELLERS = frozenset({"tell", "complain", "_note"})
ROW_KIND = re.compile(r"[a-z]+(_[a-z]+)+")


def rows_of(section: str) -> list[list[str]]:
    """Return the cells of the first table of a section, without head and rule."""
    body = PAGE.split(f"\n## {section}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in body.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def kinds_in_source() -> set[str]:
    """Return every row kind that the bot can write, from its syntax trees."""
    found = set()
    for path in sorted((ROOT / "bot").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            found |= {text for text in _kinds_at(node) if ROW_KIND.fullmatch(text)}
    return found


def _kinds_at(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Call(func=ast.Attribute(attr=name), args=[first, *_]) if name in TELLERS:
            yield from _texts(first)
        case ast.keyword(arg="kind", value=value) | ast.Assign(targets=[ast.Name(id="kind")], value=value):
            yield from _texts(value)
        case ast.AnnAssign(target=ast.Name(id="STATE_KINDS"), value=ast.Dict(values=values)):
            for value in values:
                yield from _texts(value)


def _texts(node: ast.AST) -> Iterator[str]:
    """The text constants that an expression may be, conditional ones included."""
    match node:
        case ast.Constant(value=str() as text):
            yield text
        case ast.IfExp(body=body, orelse=orelse):
            yield from _texts(body)
            yield from _texts(orelse)


def test_the_journals_table_lists_every_kind_of_row() -> None:
    """Each kind that the source can write has one row, and no row is about a kind that nobody writes."""
    listed = [row[0].strip("`") for row in rows_of("The journal")]
    assert len(listed) == len(set(listed))
    assert set(listed) == kinds_in_source()


@pytest.mark.control("C27")
def test_each_kind_of_row_calls_a_person_or_is_a_record() -> None:
    """Every kind that the source can write stands in exactly one table of alerts, and no table names another."""
    tables = (frozenset(ALERTS), TOLD_RECORDS, QUIET_RECORDS)
    assert sum(map(len, tables)) == len(frozenset().union(*tables))
    assert frozenset().union(*tables) == kinds_in_source()


def test_the_orders_table_is_the_table_of_the_code() -> None:
    """From each state the page names exactly the steps that the code allows."""
    listed = {row[0]: set(row[1].split(", ")) - {""} for row in rows_of("An order's life")}
    assert listed == {state.__name__: {after.__name__ for after in steps} for state, steps in TRANSITIONS.items()}


def test_the_import_table_is_the_one_that_is_enforced() -> None:
    """Each importer of the architecture test has one row with exactly the packages it may import."""
    listed = {row[0].strip("`"): set(row[1].split(", ")) for row in rows_of("Packages")}
    expected = {}
    for importer, allowed in ALLOWED.items():
        if allowed == PACKAGES:
            expected[importer] = {"everything"}
            continue
        named = {f"`{package}`" for package in allowed if package not in SECTIONS}
        named = named or {"nothing"}
        expected[importer] = named | ({"the section classes"} if set(SECTIONS) <= set(allowed) else set())
    assert listed == expected


def test_the_command_line_is_listed() -> None:
    """The page names every command there is, and calls none "not yet" that exists."""
    section = PAGE.split("\n## Command line\n", 1)[1]
    there, _, missing = section.partition("Not yet:")
    assert set(re.findall(r"`([a-z-]+)`", there)) == set(alvh.commands)
    assert not set(re.findall(r"[a-z-]+", missing)) & set(alvh.commands)
