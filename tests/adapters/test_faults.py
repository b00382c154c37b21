"""Every ERROR line that the adapters or the libraries can log has a class; one that has none is loud."""

import ast
import importlib.util
import io
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.faults import fault_of
from adapters.logs import Logs
from bot.domain.alerts import Fault, Severity
from tests.builders import NOON

ROOT = Path(__file__).parents[2]
OURS = (ROOT / "adapters", ROOT / "bot" / "compose" / "worlds.py")
LIBRARIES = {
    "ib_async": ("client.py", "ib.py", "decoder.py", "wrapper.py"),
    "eventkit": ("event.py", "ops/op.py"),
    "aiomqtt": ("client.py",),
}
"""Modules of the libraries that a running bot goes through."""
LOUD_CALLS = frozenset({"error", "exception", "critical"})
LOGGERS = frozenset({"_log", "_LOG", "logger", "_logger", "LOG"})


def templates_in(source: str) -> Iterator[str]:
    """Yield the texts that a module logs at ERROR; what is filled in is left out."""
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for node in ast.walk(function):
            match node:
                case ast.Call(func=ast.Attribute(attr=attr, value=named), args=[first, *_]) if (
                    attr in LOUD_CALLS and _name(named) in LOGGERS
                ):
                    yield from _texts(first, function)


def _name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _texts(node: ast.AST, tree: ast.AST) -> Iterator[str]:
    match node:
        case ast.Constant(value=str() as text):
            yield text
        case ast.JoinedStr(values=values):
            yield "".join(part.value if isinstance(part, ast.Constant) else "_" for part in values)  # type: ignore[misc]
        case ast.Name(id=name):
            for given in ast.walk(tree):
                if isinstance(given, ast.Assign) and _name(given.targets[0]) == name:
                    yield from _texts(given.value, tree)


def in_library(name: str, module: str) -> str:
    """Return the source of a library's module."""
    found = importlib.util.find_spec(name)
    assert found is not None
    assert found.submodule_search_locations is not None
    return (Path(found.submodule_search_locations[0]) / module).read_text(encoding="utf-8")


@pytest.mark.control("C27")
def test_every_error_line_of_ours_has_a_class() -> None:
    """An adapter that logs an error whose words no table knows is named here."""
    files = [*OURS[0].rglob("*.py"), OURS[1]]
    found = [text for path in sorted(files) for text in templates_in(path.read_text(encoding="utf-8"))]
    assert len(found) >= 10
    assert [text for text in found if fault_of("adapters", text, text).name == "unmapped"] == []


@pytest.mark.control("C27")
@pytest.mark.parametrize("library", sorted(LIBRARIES))
def test_every_error_line_of_a_library_has_a_class(library: str) -> None:
    """A library's errors are known by its words; eventkit's by its logger, since they have no words of their own."""
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    found = [text for module in LIBRARIES[library] for text in templates_in(in_library(library, module))]
    assert found
    assert [text for text in found if fault_of(library, text, text).name == "unmapped"] == []


def test_an_error_that_no_table_knows_is_the_loudest() -> None:
    """The class `unmapped` is CRITICAL and keeps the text."""
    found = fault_of("adapters.ibkr", "never heard of %s", "never heard of it")
    assert (found.name, found.severity, found.text) == ("unmapped", Severity.CRITICAL, "never heard of it")


def test_errors_of_adapters_reach_the_log_and_whoever_listens() -> None:
    """A warning is a line alone; an error is a line and a fault; after the end nothing is heard."""
    file, heard = io.BytesIO(), list[Fault]()
    handler = Logs(file, None, lambda: NOON).attach_libraries()
    handler.hear(heard.append)
    logger = logging.getLogger("adapters.ibkr.market_data")
    logger.warning("no snapshot of %s: %s", "VIX", "late")
    logger.error("line of %s ended: %s", "VIX", "354")
    handler.close()
    assert [(one.name, one.text) for one in heard] == [("data_line_ended", "line of VIX ended: 354")]
    assert file.getvalue().count(b"\n") == 2
    assert logging.getLogger("adapters").propagate


def test_an_alert_is_a_line_of_its_own() -> None:
    """Kind, severity, words, cause and the count of those held back."""
    file = io.BytesIO()
    alert = fault_of("adapters", "recording ended at %s", "recording ended at noon").alert(NOON)
    Logs(file, None, lambda: NOON).alert(replace(alert, held_back=2))
    line = json.loads(file.getvalue())
    assert (line["event"], line["kind"], line["severity"], line["held_back"]) == (
        "alert_raised",
        "recording_ended",
        "NOTICE",
        2,
    )
