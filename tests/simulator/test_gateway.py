"""The gateway: time on a loop, and the floor that follows it."""

import asyncio
from datetime import datetime, timedelta

import pytest
from floors import CALENDAR, CLOSES_AT, DAY, OPENS_AT

from bot.domain.errors import InvalidValueError
from simulator.gateway import FloorTime, Gateway
from simulator.opening import open_floor
from simulator.settings import SimulatorSettings
from simulator.virtual_time import run_virtual


class HandClock:
    """A loop's clock moved by hand."""

    def __init__(self) -> None:
        """Begin at a number that is not zero."""
        self.seconds = 100.0

    def __call__(self) -> float:
        """Return the loop's time."""
        return self.seconds


@pytest.mark.parametrize(("speed", "passed", "expected_s"), [(1.0, 60.0, 60.0), (10.0, 6.0, 60.0), (0.5, 10.0, 5.0)])
def test_the_floors_time_runs_at_its_speed(speed: float, passed: float, expected_s: float) -> None:
    """One second of the loop is `speed` seconds of the floor, from the moment it was made."""
    clock = HandClock()
    time = FloorTime(clock, OPENS_AT, speed)

    clock.seconds += passed

    assert time.now() == OPENS_AT + timedelta(seconds=expected_s)


def test_the_wait_for_a_moment_is_in_seconds_of_the_loop() -> None:
    """Ten floor minutes at speed 60 are ten seconds; what has passed is not waited for."""
    time = FloorTime(HandClock(), OPENS_AT, 60.0)

    assert time.until(OPENS_AT + timedelta(minutes=10)) == 10.0
    assert time.until(OPENS_AT - timedelta(minutes=10)) == 0.0


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan")])
def test_time_does_not_stand_still_or_run_back(speed: float) -> None:
    """A speed that is not above zero is refused."""
    with pytest.raises(InvalidValueError, match="speed"):
        FloorTime(HandClock(), OPENS_AT, speed)


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf"), 1e9, 1e300])
def test_a_jump_is_forward_and_not_absurd(seconds: float) -> None:
    """Time neither runs back nor leaves the calendar; the clock stays where it was."""
    time = FloorTime(HandClock(), OPENS_AT)

    with pytest.raises(InvalidValueError, match="seconds"):
        time.jump(seconds)

    assert time.now() == OPENS_AT


@pytest.mark.parametrize("speed", [1.0, 100.0])
def test_a_run_plays_each_step_when_it_is_due(speed: float) -> None:
    """The floor has played exactly the steps up to the end, which comes after the time that the speed asks for."""

    async def story() -> tuple[datetime, datetime | None, float]:
        loop = asyncio.get_running_loop()
        time = FloorTime(loop.time, OPENS_AT - timedelta(minutes=1), speed)
        opened = open_floor(SimulatorSettings(scenario="calm", start=DAY, sessions=1), CALENDAR, clock=time.now)
        gateway = Gateway(opened.floor, port=0, time=time)
        await gateway.start()
        await gateway.run(until=OPENS_AT + timedelta(minutes=9))
        await gateway.stop()
        return opened.floor.now(), opened.floor.next_step_at(), loop.time()

    now, due, seconds = run_virtual(story(), start=OPENS_AT)

    assert now == OPENS_AT + timedelta(minutes=9)
    assert due == OPENS_AT + timedelta(minutes=9, seconds=15)
    assert seconds == pytest.approx(600.0 / speed)


def test_a_gateway_without_a_time_begins_where_the_floor_stands() -> None:
    """One second for one second from the floor's present time on."""

    async def story() -> datetime:
        opened = open_floor(SimulatorSettings(scenario="calm", start=DAY, sessions=1), CALENDAR)
        gateway = Gateway(opened.floor, port=0)
        await gateway.start()
        assert gateway.port != 0
        await gateway.run(until=CLOSES_AT)
        await gateway.stop()
        assert gateway.ledger() == ()
        return opened.floor.now()

    assert run_virtual(story(), start=OPENS_AT) == CLOSES_AT
