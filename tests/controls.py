"""Which tests prove which control, and when they last did: ``python -m tests.controls`` prints it.

How it works: tests name their control by ``@pytest.mark.control("C20")``; the sources are read as syntax trees. A run
of the tests leaves in pytest's cache when each of them last passed (`tests/conftest.py`). With ``--write`` the table of
the gate's rules in docs/risk-controls.md is made anew.
"""

import ast
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from risk.controls import NOT_BUILT, rows, table

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "risk-controls.md"
CACHE = "controls/passed"
"""Where pytest's cache keeps the moments, by control and test."""
BEGINS, ENDS = "<!-- rules: made by `make controls-table` -->", "<!-- rules end -->"
CONTROLS = tuple(f"C{number}" for number in range(1, 45))


def evidence() -> dict[str, list[str]]:
    """Return the tests that name each control, as ``file::test``, from every test file."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        name = path.relative_to(ROOT).as_posix()
        for test, control in _marks(ast.parse(path.read_text(encoding="utf-8"))):
            found[control].append(f"{name}::{test}")
    return dict(found)


def _marks(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Test and control of each mark in a file: of a function, or of the whole file."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and "pytestmark" in [getattr(one, "id", "") for one in node.targets]:
            yield from (("all of it", control) for control in _controls(node.value))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                yield from ((node.name, control) for control in _controls(decorator))


def _controls(node: ast.expr) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and one.func.attr == "control":
            stated = [argument.value for argument in one.args if isinstance(argument, ast.Constant)]
            yield from (value for value in stated if isinstance(value, str))


def files(proofs: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Return the files of the tests of each control."""
    return {control: sorted({test.partition("::")[0] for test in tests}) for control, tests in proofs.items()}


def rules_table() -> str:
    """Return the table of the gate's rules with the tests that prove them."""
    return table(rows(), files(evidence()))


def page_with(fresh: str) -> str:
    """Return the page with a table between its marks.

    Raises:
        ValueError: The page has lost a mark.
    """
    page = PAGE.read_text(encoding="utf-8")
    head, tail = page[: page.index(BEGINS)], page[page.index(ENDS) :]
    return f"{head}{BEGINS}\n{fresh}\n{tail}"


def control_lines() -> Iterator[str]:
    """Yield one line for each control: when its tests last passed here, or why there is none."""
    proofs = evidence()
    cache = ROOT / ".pytest_cache" / "v" / CACHE
    passed = json.loads(cache.read_text(encoding="utf-8")) if cache.exists() else {}
    for control in CONTROLS:
        moments = sorted(passed.get(control, {}).values())
        last = f"last passed {moments[-1]}" if moments else "not run here yet"
        known = proofs.get(control, [])
        yield f"{control:4} {len(known):3} tests  {last}" if known else f"{control:4}   not built: {NOT_BUILT[control]}"


if __name__ == "__main__":
    if "--write" in sys.argv:
        PAGE.write_text(page_with(rules_table()), encoding="utf-8")
    else:
        sys.stdout.write("\n".join(control_lines()) + "\n")
