"""The machine's clock: what decisions go by never steps, and a wall clock that does is noticed."""

import time

import pytest

from adapters.clock import NS_PER_S, SystemClock


@pytest.mark.parametrize("speed", [1.0, 60.0])
def test_a_wall_clock_that_is_set_shows_as_a_step_and_moves_no_decision(
    monkeypatch: pytest.MonkeyPatch, speed: float
) -> None:
    """Five seconds back, three forward: the step is told against the start, whatever the speed of a rehearsal."""
    clock = SystemClock(speed)
    before, true_wall = clock.now(), time.time_ns
    assert abs(clock.stepped_s()) < 0.5
    for step_s in (-5, 3):
        monkeypatch.setattr(time, "time_ns", lambda step_s=step_s: true_wall() + step_s * NS_PER_S)
        assert clock.stepped_s() == pytest.approx(step_s, abs=0.5)
    clock.shift_to(before)
    assert clock.stepped_s() == pytest.approx(3, abs=0.5)
    assert abs((clock.now() - before).total_seconds()) < 2.0 * speed
