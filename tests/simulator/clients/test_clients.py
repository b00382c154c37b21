"""Programs of four client libraries, each in its own environment, against `alvh gateway` as a process.

`make setup-clients` makes the environments, `make test-clients` runs this. The programs know nothing of the gateway but
its port; what they print is what is judged.
"""

import contextlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
PROGRAMS = Path(__file__).parent / "programs"
ENVIRONMENTS = ROOT / ".venv-clients"
PATIENCE_S = 110.0

pytestmark = [pytest.mark.clients, pytest.mark.timeout(180)]

Steps = dict[str, dict[str, Any]]


@contextlib.contextmanager
def a_gateway(folder: Path, *options: str) -> Iterator[int]:
    """Run a gateway on a free port, five times as fast as real, and yield the port."""
    command = [sys.executable, "-m", "bot", "gateway", "--port", "0", "--speed", "5"]
    command += ["--control", str(folder / "control"), *options]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        found = re.search(r"127\.0\.0\.1:(\d+)", line)
        assert found is not None, line + process.stderr.read()
        yield int(found[1])
        assert process.poll() is None, "the gateway ended while a client was connected"
    finally:
        process.terminate()
        process.communicate(timeout=30)


def python_of(name: str) -> str:
    """Return the interpreter of a client's environment, or skip."""
    found = ENVIRONMENTS / name / "bin" / "python"
    if not found.exists():
        if os.environ.get("CI"):
            pytest.fail(f"{found} is missing: make setup-clients")
        pytest.skip(f"no environment for {name}: make setup-clients")
    return str(found)


def walked(name: str, port: int, *words: str) -> Steps:
    """Run a client's program to its end and return what it told, by step."""
    command = [python_of(name), *words, str(port)]
    ran = subprocess.run(command, cwd=PROGRAMS, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
    rows = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]
    return {row["step"]: row for row in rows}


@pytest.mark.parametrize("library", ["ib_async", "ib_insync"])
def test_a_program_of_the_asyncio_libraries_walks_through(library: str, tmp_path: Path) -> None:
    """Account, contracts, data, bars, all kinds of orders, books and several clients, as the library sees them."""
    with a_gateway(tmp_path) as port:
        steps = walked(library.replace("_", "-"), port, "ib_walk.py", library)

    assert steps["connect"]["version"] == 176
    assert_asked(steps)
    assert_data(steps)
    assert_orders(steps)
    assert_clients(steps)
    assert "done" in steps


def assert_asked(steps: Steps) -> None:
    """Account and contracts."""
    account, contracts = steps["account"], steps["contracts"]
    assert account["accounts"] == ["DU1234567"]
    assert float(account["net"]) > 0
    assert account["positions"] == account["portfolio"] != []
    assert account["now"].startswith("2026-10-19 14:0")
    assert contracts["vix"] > 0
    assert (contracts["futures"] > 2, contracts["hours"], contracts["rule"] != []) == (True, True, True)
    assert {tuple(row)[1] for row in contracts["chains"]} == {"SPX", "SPXW"}
    assert "SPY" in contracts["matches"]


def assert_data(steps: Steps) -> None:
    """Streams with greeks, snapshots, bars, and a scanner that is refused while the connection goes on."""
    stream = steps["stream"]
    assert 0 < stream["bid"] < stream["ask"]
    assert stream["moved"] is True
    assert 0.05 < stream["iv"] < 1.0
    assert 0.3 < stream["delta"] < 0.7
    assert (stream["gamma"] > 0, stream["vega"] > 0, stream["theta"] < 0) == (True, True, True)
    assert 0 < steps["snapshot"]["bid"] < steps["snapshot"]["ask"]
    history = steps["history"]
    assert (history["days"], history["minutes"] >= 30, history["head"]) == (10, True, True)
    assert (steps["realtime_bars"]["came"], steps["tick_by_tick"]["came"]) == (True, True)
    assert steps["scanner"] == {"step": "scanner", "codes": [321], "alive": True}


def assert_orders(steps: Steps) -> None:
    """What-if, change, cancel, market, bracket, OCA and algorithms."""
    assert steps["what_if"]["commission"] > 0
    assert float(steps["what_if"]["margin"]) > 0
    modify, market = steps["modify"], steps["market"]
    assert (modify["placed"], len(modify["changed"]), modify["cancelled"]) == ("Submitted", 1, "Cancelled")
    assert (market["status"], market["filled"], market["commission"] > 0) == ("Filled", 10.0, True)
    assert steps["bracket"]["statuses"][0] == "Submitted"
    assert steps["bracket"]["statuses"][2] == "PreSubmitted"
    assert steps["bracket"]["after"] == ["Cancelled"] * 3
    assert steps["oca"]["statuses"] == ["Submitted", "Submitted"]
    assert set(steps["algos"]["statuses"]) <= {"Submitted", "PreSubmitted"}
    assert (steps["pnl"]["spy"], steps["pnl"]["single"] > 0) == (10.0, True)
    assert (steps["books"]["executions"], "Filled" in steps["books"]["completed"]) == (1, True)


def assert_clients(steps: Steps) -> None:
    """The id in use, two clients at once, and the return with the order that stayed."""
    assert steps["id_in_use"]["codes"] == [326]
    assert "stays" in steps["several_clients"]["seen"]
    assert len(set(steps["several_clients"]["times"])) == 1
    assert steps["reconnect"] == {"step": "reconnect", "open": ["stays"], "fills": 1}
    assert steps["global_cancel"]["open"] == []


@pytest.mark.parametrize(("name", "version"), [("ibapi", 157), ("nautilus-ibapi", 176)])
def test_a_program_of_the_official_client_walks_through(name: str, version: int, tmp_path: Path) -> None:
    """The old official client speaks 157, the new one 176; both see the same gateway."""
    with a_gateway(tmp_path) as port:
        steps = walked(name, port, "ibapi_walk.py")

    assert (steps["connect"]["version"], steps["connect"]["account"]) == (version, "DU1234567")
    assert float(steps["account"]["net"]) > 0
    assert steps["contracts"]["chains"] == ["SPX", "SPXW"]
    data, orders = steps["data"], steps["orders"]
    assert (data["bid"] > 0, data["days"], data["scanner"]) == (True, 10, [321])
    assert (data["snapshot"], data["bars"], data["ticks"]) == (True, True, True)
    assert (orders["placed"], orders["changed"], orders["cancelled"]) == ("Submitted", True, "Cancelled")
    assert float(orders["margin"]) > 0
    assert steps["market"] == {"step": "market", "status": "Filled", "executions": 1, "commission": True}
    assert set(steps["algos"]["statuses"]) <= {"Submitted", "PreSubmitted"}
    assert steps["bracket"]["statuses"] == ["Submitted", "PreSubmitted"]
    assert steps["oca"]["status"] == "Submitted"
    assert (steps["books"]["single"], steps["books"]["completed"]) == (True, 2)
    assert steps["clients"] == {"step": "clients", "in_use": True, "seen": [11]}
    assert (steps["reconnect"]["open"], steps["reconnect"]["cancelled"]) == (6, True)
