"""The README tells the truth: its commands parse, its make targets and paths exist, and its first run runs."""

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from bot.cli.root import alvh

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
LINES = [line.split("#")[0].strip() for block in BLOCKS for line in block.splitlines() if line.strip()]
COMMANDS = [line for line in LINES if line.removeprefix(".venv/bin/").startswith("alvh ")]
TARGETS = sorted({line.split()[1] for line in LINES if line.startswith("make ")})


@pytest.mark.parametrize("line", COMMANDS)
def test_every_alvh_command_of_the_readme_parses(line: str, tmp_path: Path) -> None:
    """The command and each of its options exist; placeholders in capitals stand for paths."""
    words = [str(tmp_path) if word in {"HISTORY", "STATE"} else word for word in line.split()[1:]]
    words = [str(tmp_path / "file") if word == "FILE" else word for word in words]
    name, command, rest = alvh.resolve_command(click.Context(alvh), words)
    assert command is not None
    command.make_context(name, list(rest), parent=click.Context(alvh))


def test_the_readme_names_commands_at_all() -> None:
    """The extraction finds the run, the kill and the signal, so that the tests above are about something."""
    found = {line.removeprefix(".venv/bin/").split()[1] for line in COMMANDS}
    assert {"run", "kill", "signal", "gateway"} <= found


def test_the_readme_lists_every_command() -> None:
    """The sentence that begins with "All commands" names what the command line has, and nothing else."""
    listed = README.split("All commands:", 1)[1].split(". Every", 1)[0]
    assert set(re.findall(r"`([a-z-]+)`", listed)) == set(alvh.commands)


def test_every_make_target_of_the_readme_exists() -> None:
    """`make -n` knows each target."""
    for target in TARGETS:
        done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"make {target}: {done.stderr}"


def test_every_path_of_the_readme_exists() -> None:
    """Each linked page and each folder or file in backticks is there."""
    links = re.findall(r"\]\(([^)#]+)", README)
    named = re.findall(r"`((?:bot|risk|adapters|simulator|config|docs|tests)/[\w./-]*)`", README)
    missing = [path for path in (*links, *named) if not (ROOT / path).exists()]
    assert missing == []


def test_the_first_run_ends_with_a_summary_and_a_report(tmp_path: Path) -> None:
    """`alvh run`, shortened to one session, prints the table and the path of a page that exists."""
    done = subprocess.run(
        [sys.executable, "-m", "bot", "run", "--sessions", "1", "--tick-s", "30", "--out", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    assert "hedge cost" in done.stdout
    assert (tmp_path / "run-001" / "report.html").exists()
    assert "report:" in done.stdout
