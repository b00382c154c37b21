"""The examples of the documentation run as they are written."""

import contextlib
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.cli.gateway import ctl, gateway

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "simulator.md"
README = ROOT / "README.md"
PRINTED_PORT = "4002"
PATIENCE_S = 30.0


def blocks_of(page: Path, language: str) -> list[str]:
    """Return the code blocks of a page in one language, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def free_port() -> str:
    """Return a port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def command_before_the_example(page: Path) -> str:
    """Return the last command that starts a gateway before the page's Python block."""
    above = page.read_text(encoding="utf-8").partition("```python\n")[0]
    return re.findall(r"^(?:\.venv/bin/)?(alvh gateway --.*)$", above, re.MULTILINE)[-1]


@contextlib.contextmanager
def gateway_as_printed(page: Path, port: str) -> Iterator[list[str]]:
    """Run the gateway command before the page's example on another port; yields its log, which is full afterwards."""
    log: list[str] = []
    command = command_before_the_example(page).replace(PRINTED_PORT, port).split()
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", *command[1:]], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        wait_until_it_listens(process, int(port))
        yield log
    finally:
        process.terminate()
        log += process.communicate(timeout=PATIENCE_S)[0].decode().splitlines()


def wait_until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    """Return when the port takes connections; the process must live until then."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        assert process.poll() is None, "the gateway ended before it listened"
        with contextlib.suppress(ConnectionError), socket.create_connection(("127.0.0.1", port), timeout=1.0):
            return
        time.sleep(0.05)  # another process: there is no event to wait for
    pytest.fail(f"no gateway on port {port} within {PATIENCE_S} s")


@pytest.mark.parametrize(("page", "traded"), [(PAGE, "VXM"), (README, "SPY")], ids=["simulator.md", "README.md"])
def test_the_example_of_a_page_ends_with_a_fill(page: Path, traded: str) -> None:
    """The Python block, run as it is written against the gateway command beside it, buys what it says."""
    pytest.importorskip("ib_async", reason="the page's example is written for ib_async")
    port = free_port()
    (code,) = blocks_of(page, "python")
    with gateway_as_printed(page, port) as log:
        ran = subprocess.run(
            [sys.executable, "-c", code.replace(PRINTED_PORT, port)],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    assert ran.returncode == 0, ran.stderr
    symbol, status, price = ran.stdout.split()
    assert symbol.startswith(traded)
    assert status == "Filled"
    assert float(price) > 0
    assert [line for line in log if traded in line and ": Filled, " in line], "the gateway's log tells the fill"


def test_every_option_of_the_printed_commands_is_known() -> None:
    """Every option of the page's gateway commands is one that the command takes."""
    known = {name for option in (*gateway.params, *ctl.params) for name in option.opts}
    lines = [line for page in (PAGE, README) for block in blocks_of(page, "sh") for line in block.splitlines()]
    for line in (line for line in lines if "alvh gateway" in line):
        assert {word for word in line.split() if word.startswith("--")} <= known
