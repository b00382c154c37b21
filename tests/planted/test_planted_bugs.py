"""The test of the tests: each known bug is planted, and the state machine has to find it."""

import pytest

from bot.domain.errors import InvalidValueError, InvariantError
from tests.machine.playing import is_moving, played
from tests.machine.venue import BrokenLedgerError
from tests.planted import bugs, signed_bugs
from tests.planted.planting import Planted

BUGS = (*bugs.BUGS, *signed_bugs.BUGS)
WORLDS, LENGTH = 120, 400
QUICK = ("fees left out of the cap", "sent again where no answer came", "the kill is checked too early")
"""Found within a few worlds: these stay in the default run."""


def found_by(bug: Planted, patch: pytest.MonkeyPatch) -> tuple[str, int]:
    """Return which invariant broke first with the bug in place, and in which world; empty when none did."""
    with patch.context() as planted:
        bug.plant(planted)
        for seed in range(WORLDS):
            if bug.only_planned and not is_moving(seed):
                continue
            try:
                played(seed, LENGTH)
            except BrokenLedgerError as broken:
                return str(broken).partition(":")[0], seed
            except (InvalidValueError, InvariantError) as surprise:
                return type(surprise).__name__, seed
    return "", WORLDS


@pytest.mark.planted
@pytest.mark.timeout(300)
@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_every_planted_bug_is_found(bug: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the bug in place one of the invariants that it breaks is reported, and no other."""
    invariant, seed = found_by(bug, monkeypatch)
    assert invariant in bug.breaks, f"{bug.name}: found {invariant or 'nothing'} in world {seed}"


@pytest.mark.parametrize("name", QUICK)
def test_quick_ones_are_found_in_every_run(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A share of the planted bugs guards the machine itself whenever the tests run."""
    bug = next(one for one in BUGS if one.name == name)
    assert found_by(bug, monkeypatch)[0] in bug.breaks


def test_there_are_enough_of_them() -> None:
    """More than fifty bugs, each with a name of its own."""
    assert len({bug.name for bug in BUGS}) == len(BUGS) >= 50
