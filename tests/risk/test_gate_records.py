"""What the gate writes down, finding by finding, in the words and figures that an operator reads."""

from pathlib import Path

import pytest

from tests.risk.gate_records import FILE, ROOMS_FILE, told, written


def require_as_kept(file: Path, text: str) -> None:
    """Compare line by line, and say what to do about a difference."""
    kept, now = file.read_text(encoding="utf-8").splitlines(), text.splitlines()
    changed = [f"was: {was}\nnow: {is_now}" for was, is_now in zip(kept, now, strict=False) if was != is_now]
    assert not changed, "\n".join([*changed, "right? then run: python -m tests.risk.gate_records"])
    assert len(kept) == len(now)


@pytest.mark.control("C43")
def test_records_read_as_they_are_kept() -> None:
    """Rule, verdict, what was found, what is allowed, the room between and the note, for every kind of order."""
    require_as_kept(FILE, written())


@pytest.mark.control("C30")
def test_status_tells_limits_as_they_are_kept() -> None:
    """Every limit in its words and figures, with what is used and left, also where something is not known."""
    require_as_kept(ROOMS_FILE, told())
