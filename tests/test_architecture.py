"""Claims about who may import whom, where time comes from and who may approve; the test tests itself."""

from collections import Counter
from pathlib import Path

import pytest

from tests.architecture import ALLOWED, findings, project_sources

ROOT = Path(__file__).parents[1]


@pytest.mark.control("C17")
def test_the_project_keeps_its_own_layout() -> None:
    """No module imports, calls or makes what its place forbids."""
    assert findings(project_sources(ROOT)) == []


def test_every_listed_importer_exists() -> None:
    """The table names no module that is gone."""
    sources = project_sources(ROOT)
    packages = {name.rpartition(".")[0] for name in sources}
    assert [entry for entry in ALLOWED if entry not in sources and entry not in packages] == []


def test_no_two_test_files_share_a_name() -> None:
    """Folders of tests are no packages: of two files with one name only one would be collected."""
    counted = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, count in counted.items() if count > 1] == []


@pytest.mark.parametrize(
    ("module", "source", "told"),
    [
        ("bot.domain.orders", "from bot.ports import Clock", "bot.ports"),
        ("risk.cost", "from bot import engine", "bot.engine"),
        ("risk.cost", "def f():\n    from bot.hedging import planning", "bot.hedging"),
        ("simulator.floor", "from adapters.clock import SystemClock", "adapters.clock"),
        ("adapters.clock", "from simulator.floor import Floor", "simulator.floor"),
        ("bot.surprise", "from bot.domain import orders", "bot.domain"),
        ("bot.engine", "from tests import fakes", "tests"),
        ("bot.cli.run", "from bot.engine import Engine", "bot.engine"),
        ("bot.engine", "from bot.compose import run", "bot.compose"),
        ("bot.state", "from .ports import Clock", "relatively"),
        ("bot.state", "from bot.domain.orders import *", "imports *"),
        ("bot.state", "import importlib\nimportlib.import_module('x')", "computed name"),
        ("bot.__init__", "'''Doc.'''\nX = 1", "more than a docstring"),
        ("adapters.mqtt.link", "import ib_async", "ib_async"),
        ("adapters.mqtt.link", "from adapters.ibkr.library import IB", "adapters.ibkr.library"),
        ("adapters.ibkr.orders", "import ib_insync", "ib_insync"),
        ("adapters.ibkr.orders", "import aiomqtt", "aiomqtt"),
        ("adapters.mqtt.link", "import sqlite3", "sqlite3"),
        ("risk.gate", "import asyncio", "asyncio"),
        ("simulator.exchange", "from asyncio import sleep", "asyncio"),
        ("bot.state", "from datetime import datetime\ndatetime.now()", "datetime.now"),
        ("bot.app.link", "import asyncio\nasyncio.sleep(1)", "asyncio.sleep"),
        ("adapters.mqtt.link", "import os\nos.urandom(3)", "os.urandom"),
        ("bot.engine", "from bot.domain.decision import Approved\nApproved()", "makes an Approved"),
        ("bot.engine", "from bot.domain.decision import Approved as A", "imports Approved as A"),
        ("risk.checks.size", "from dataclasses import replace\nreplace(verdict, checks=())", "copies a verdict"),
    ],
)
def test_each_kind_of_offence_is_found(module: str, source: str, told: str) -> None:
    """A tiny offending module is reported by name and by target."""
    stubs = dict.fromkeys(
        (
            *("bot.ports", "bot.engine", "bot.hedging.planning", "bot.domain.orders", "bot.compose"),
            *("adapters.clock", "adapters.ibkr.library", "simulator.floor", "bot.domain.decision"),
        ),
        "",
    )
    found = findings({**stubs, module: source})
    assert any(line.startswith(module) and told in line for line in found), found


def test_a_chain_through_an_innocent_module_is_found() -> None:
    """A forbidden target is found behind a module that may itself import it."""
    found = findings(
        {
            "simulator.floor": "from bot.ports import X",
            "bot.ports": "from bot.domain.orders import Y",
            "bot.domain.orders": "import adapters.clock",
            "adapters.clock": "",
        }
    )
    assert any(line.startswith("simulator.floor reaches adapters") for line in found)


def test_a_circle_is_found() -> None:
    """Two modules that import each other are reported."""
    found = findings({"bot.domain.a": "import bot.domain.b", "bot.domain.b": "import bot.domain.a"})
    assert any("circle" in line for line in found)
