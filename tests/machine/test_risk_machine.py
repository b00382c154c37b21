"""The core against an exchange that does what it likes: no step, in whatever order, breaks an invariant."""

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from tests.machine.playing import STEPS, STEPS_OF_MARKET, is_moving, played
from tests.machine.wishing import WishingWorld

LENGTH = 400


class RiskMachine(RuleBasedStateMachine):
    """Every step of the world as a rule; what an example does is shrunk to the steps that break an invariant."""

    def __init__(self) -> None:
        """Begin with a world of its own."""
        super().__init__()
        self.world = WishingWorld()


def _rule_of(name: str) -> Callable[..., None]:
    def carried_out(self: RiskMachine, seed: int) -> None:
        self.world.step(name, Random(seed))

    carried_out.__name__ = name
    found: Any = rule(seed=st.integers(0, 999))(carried_out)
    return found  # type: ignore[no-any-return]  # what the decorator makes of it


for _name in STEPS:
    setattr(RiskMachine, _name, _rule_of(_name))


def test_no_sequence_of_steps_breaks_an_invariant() -> None:
    """Examples that are shrunk where they fail: a few dozen steps each."""
    run_state_machine_as_test(  # type: ignore[no-untyped-call]  # hypothesis states no types here
        RiskMachine, settings=settings(max_examples=12, stateful_step_count=50, deadline=None, database=None)
    )


def test_long_worlds_keep_every_invariant_and_leave_no_step_out() -> None:
    """Some 3,600 steps by chance: all of them come, frames leave and trade in both kinds, and nothing breaks."""
    counts: dict[bool, Counter[str]] = {False: Counter(), True: Counter()}
    for seed in range(9):
        world = played(seed, LENGTH)
        counts[is_moving(seed)] += world.counts
    both = counts[False] + counts[True]
    assert [name for name in {*STEPS, *STEPS_OF_MARKET} if not both[name]] == []
    assert [kind for kind in counts if counts[kind]["frames sent"] < 10 or counts[kind]["units traded"] < 10] == []
    assert 2 * both["steps in NORMAL"] > sum(both[name] for name in {*STEPS, *STEPS_OF_MARKET}) * 0.8


@pytest.mark.parametrize("seed", [3, 5])
def test_a_world_can_be_played_again(seed: int) -> None:
    """The same seed plays the same steps and leaves the same journal, whoever plans."""
    first, second = played(seed, 120), played(seed, 120)
    assert first.counts == second.counts
    assert [(row.kind, row.payload) for row in first.disk.rows] == [(row.kind, row.payload) for row in second.disk.rows]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_fifty_thousand_steps_keep_every_invariant() -> None:
    """The whole run of `make machine`: the next worlds, 50,000 steps."""
    for seed in range(100, 225):
        played(seed, LENGTH)
