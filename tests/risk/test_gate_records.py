"""What the gate writes down, finding by finding, in the words and figures that an operator reads."""

import pytest

from tests.risk.gate_records import FILE, written


@pytest.mark.control("C43")
def test_records_read_as_they_are_kept() -> None:
    """Rule, verdict, what was found, what is allowed, the room between and the note, for every kind of order."""
    kept, now = FILE.read_text(encoding="utf-8").splitlines(), written().splitlines()
    changed = [f"was: {was}\nnow: {is_now}" for was, is_now in zip(kept, now, strict=False) if was != is_now]
    assert not changed, "\n".join([*changed, "right? then run: python -m tests.risk.gate_records"])
    assert len(kept) == len(now)
