"""The core against an exchange that does what it likes: no step, in whatever order, breaks an invariant."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from tests.machine.world import STEPS, World, played

LENGTH = 400


class RiskMachine(RuleBasedStateMachine):
    """Every step of the world as a rule; what an example does is shrunk to the steps that break an invariant."""

    def __init__(self) -> None:
        """Begin with a world of its own."""
        super().__init__()
        self.world = World()


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
    """Some two thousand steps by chance: all of them come, frames leave and trade, and nothing breaks."""
    worlds = [played(seed, LENGTH) for seed in range(5)]
    missing = [name for name in STEPS if not sum(world.counts[name] for world in worlds)]
    assert missing == []
    assert sum(world.oracle.judged for world in worlds) > 25
    assert sum(world.counts["units traded"] for world in worlds) > 25


def test_a_world_can_be_played_again() -> None:
    """The same seed plays the same steps and leaves the same journal."""
    first, second = played(3, 120), played(3, 120)
    assert first.counts == second.counts
    assert [(row.kind, row.payload) for row in first.disk.rows] == [(row.kind, row.payload) for row in second.disk.rows]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_fifty_thousand_steps_keep_every_invariant() -> None:
    """The whole run of `make machine`: the next worlds, 50,000 steps."""
    for seed in range(100, 225):
        played(seed, LENGTH)
