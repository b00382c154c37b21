"""The gateway as a process, and programs of clients that run against it in environments of their own."""

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
PROGRAMS = Path(__file__).parent / "programs"
ENVIRONMENTS = ROOT / ".venv-clients"
PATIENCE_S = 110.0

Steps = dict[str, dict[str, Any]]


@contextlib.contextmanager
def a_gateway(folder: Path, *options: str, speed: int = 5) -> Iterator[int]:
    """Run a gateway on a free port, five times as fast as real unless stated, and yield the port."""
    command = [sys.executable, "-m", "bot", "gateway", "--port", "0", "--speed", str(speed)]
    command += ["--control", str(folder / "control"), *options]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        reading = threading.Thread(target=process.stderr.read)  # a full pipe would hold the gateway up
        reading.start()
        try:
            found = re.search(r"127\.0\.0\.1:(\d+)", line)
            assert found is not None, line
            yield int(found[1])
            assert process.poll() is None, "the gateway ended while a client was connected"
        finally:
            process.terminate()
            process.wait(timeout=30)
            reading.join()


def program_of(name: str, program: str = "python") -> str:
    """Return a program of a client's environment, or skip."""
    found = ENVIRONMENTS / name / "bin" / program
    if not found.exists():
        if os.environ.get("CI"):
            pytest.fail(f"{found} is missing: make setup-clients")
        pytest.skip(f"no environment for {name}: make setup-clients")
    return str(found)


def walked(name: str, port: int, *words: str) -> Steps:
    """Run a client's program to its end and return what it told, by step."""
    command = [program_of(name), *words, str(port)]
    ran = subprocess.run(command, cwd=PROGRAMS, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
    rows = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]
    return {row["step"]: row for row in rows}
