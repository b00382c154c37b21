"""What a recording is made of: its head, its moments, and times that are exact to the microsecond."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import InvalidValueError
from bot.domain.recording import (
    RECORDED_INDICES,
    Door,
    RecordedMoments,
    RecordedWorld,
    RecordingHead,
    microseconds,
    moment_of,
)

NOON = datetime(2026, 10, 19, 16, 0, 0, 250, tzinfo=UTC)
WORLD = RecordedWorld(
    first=date(2026, 10, 19),
    last=date(2026, 10, 23),
    spx=(6700.0, 6900.0),
    rut=(2400.0, 2600.0),
    seed=7,
    step_s=15,
)


@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis asks for naive bounds
def test_a_time_comes_back_to_the_microsecond(at: datetime) -> None:
    """Whole numbers there and back."""
    assert moment_of(microseconds(at)) == at


def test_moments_are_columns_of_equal_length() -> None:
    """A moment has its time, and each series a place for its level."""
    moments = RecordedMoments()
    assert (len(moments), tuple(moments.levels)) == (0, RECORDED_INDICES)

    moments.at_us.append(microseconds(NOON))

    assert len(moments) == 1
    assert moments.at(0) == NOON


@pytest.mark.parametrize(("door", "world"), [(Door.FLOOR, WORLD), (Door.PORT, None)])
def test_a_head_names_its_door(door: Door, world: RecordedWorld | None) -> None:
    """A floor has a world behind it, a bot's own market data has none."""
    assert RecordingHead(began_at=NOON, door=door, world=world).door is door


@pytest.mark.parametrize(("door", "world"), [(Door.FLOOR, None), (Door.PORT, WORLD)])
def test_a_head_that_contradicts_its_door_is_refused(door: Door, world: RecordedWorld | None) -> None:
    """The message names the door."""
    with pytest.raises(InvalidValueError, match=f"a recording at the {door}"):
        RecordingHead(began_at=NOON, door=door, world=world)


def test_a_recording_begins_at_an_aware_time() -> None:
    """A naive time is refused."""
    with pytest.raises(InvalidValueError, match="began_at"):
        RecordingHead(began_at=NOON.replace(tzinfo=None), door=Door.PORT)
