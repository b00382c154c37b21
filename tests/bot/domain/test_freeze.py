"""The freeze around the gateway's restart: when it is on any day of the year, and what ends it."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import InvalidValueError
from bot.domain.freeze import Agreement, Freeze, GatewayRestart

NOON_UTC = datetime(2026, 10, 20, 16, tzinfo=UTC)
FREEZE = Freeze(begins_at=NOON_UTC - timedelta(minutes=10), restarts_at=NOON_UTC, ends_at=NOON_UTC + timedelta(hours=2))
MINUTE = timedelta(minutes=1)


def a_restart(at: str = "23:45", zone: str = "America/New_York", **changes: float) -> GatewayRestart:
    """A restart with the stretches of the defaults."""
    found = GatewayRestart.told(at, zone, **({"before_s": 600.0, "window_s": 7200.0} | changes))
    assert found is not None
    return found


MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - zone is stated
CLOCKS = st.times().map(lambda told: time(told.hour, told.minute))
PLACES = st.sampled_from(["America/New_York", "America/Chicago", "Europe/Berlin", "UTC"])


@pytest.mark.control("C24")
@given(MOMENTS, CLOCKS, PLACES)
def test_the_freeze_is_that_of_the_clock_on_the_wall(now: datetime, clock: time, zone: str) -> None:
    """It is under way or the next to come, ten real minutes before the local hour, also when clocks change."""
    freeze = a_restart(f"{clock:%H:%M}", zone).freeze_at(now)
    assert now < freeze.ends_at <= now + timedelta(hours=25) + timedelta(hours=2)
    assert freeze.restarts_at - freeze.begins_at == timedelta(seconds=600)
    assert freeze.ends_at - freeze.restarts_at == timedelta(seconds=7200)
    local = freeze.restarts_at.astimezone(ZoneInfo(zone))
    later = local.replace(tzinfo=None) - datetime.combine(local.date(), clock)
    assert later in (timedelta(0), timedelta(hours=1))
    if later:  # an hour that a change of the clocks leaves out comes an hour later
        before = (freeze.restarts_at - timedelta(hours=2)).astimezone(ZoneInfo(zone))
        assert before.utcoffset() != local.utcoffset()


@pytest.mark.parametrize("year", [2026, 2027])
def test_there_is_one_restart_a_day(year: int) -> None:
    """Over a year the restarts are a day apart, 23 or 25 hours where the clocks change."""
    rule, now = a_restart(), datetime(year, 1, 1, tzinfo=UTC)
    found = []
    while now.year == year:
        freeze = rule.freeze_at(now)
        found.append(freeze.restarts_at)
        now = freeze.ends_at
    apart = [(later - earlier) // timedelta(hours=1) for earlier, later in pairwise(found)]
    assert len(found) == 366  # a year of UTC begins in New York's evening
    assert (apart.count(24), apart.count(23), apart.count(25)) == (363, 1, 1)


@pytest.mark.parametrize(
    ("restored", "compared", "over"),
    [
        (None, 0, False),
        (None, 119, False),
        (None, 120, True),
        (-5, 1, False),  # it came up before the restart: that is still to come
        (0, 1, True),
        (3, 4, True),
        (-5, 120, True),
    ],
)
def test_a_freeze_ends_by_the_link_or_by_the_window(restored: int | None, compared: int, *, over: bool) -> None:
    """Minutes after the restart: the link that came back since, or the end of the window, and then a comparison."""
    at = None if restored is None else NOON_UTC + restored * MINUTE
    assert FREEZE.is_over(restored_at=at, compared_at=NOON_UTC + compared * MINUTE) is over


@pytest.mark.control("C24")
def test_only_a_comparison_without_difference_ends_a_freeze() -> None:
    """Down, up and compared with a difference: still frozen; the next one agrees, and orders may leave again."""
    agreed = Agreement().restored(NOON_UTC - timedelta(hours=3)).compared(NOON_UTC - timedelta(hours=3), differs=True)
    assert not agreed.is_reconciling
    frozen = agreed.frozen(FREEZE)
    assert frozen.is_reconciling
    assert frozen.compared(NOON_UTC - 5 * MINUTE, differs=False).is_reconciling
    back = frozen.lost().restored(NOON_UTC + MINUTE)
    assert back.is_reconciling
    differing = back.compared(NOON_UTC + 2 * MINUTE, differs=True)
    assert differing.is_reconciling
    assert not differing.compared(NOON_UTC + 3 * MINUTE, differs=False).is_reconciling


STEPS = st.lists(st.tuples(st.sampled_from(["lost", "restored", "agree", "differ", "freeze"]), st.integers(1, 40)))


@given(STEPS)
def test_after_a_freeze_began_nothing_leaves_without_a_later_agreement(steps: list[tuple[str, int]]) -> None:
    """Whatever the order of events: free means compared since the link came up, and since the last freeze was over."""
    agreement, at, compared, agreed = Agreement(), FREEZE.begins_at, False, True
    for step, minutes in steps:
        at += minutes * MINUTE
        match step:
            case "lost":
                agreement, compared = agreement.lost(), False
            case "restored":
                agreement, compared = agreement.restored(at), False
            case "freeze":
                agreement, agreed = agreement.frozen(FREEZE), False
            case "agree" | "differ":
                agreement, compared = agreement.compared(at, differs=step == "differ"), True
                agreed = agreed or (step == "agree" and at > FREEZE.restarts_at)
        if not agreement.is_reconciling:
            assert compared
            assert agreed


@pytest.mark.parametrize(
    ("at", "zone", "changes"),
    [
        ("24:00", "America/New_York", {}),
        ("12", "America/New_York", {}),
        ("noon", "America/New_York", {}),
        ("12:00", "New York", {}),
        ("", "New York", {}),
        ("12:00", "America/New_York", {"before_s": 0.0}),
        ("12:00", "America/New_York", {"window_s": 43_200.0}),
    ],
)
def test_a_restart_that_cannot_be_is_refused(at: str, zone: str, changes: dict[str, float]) -> None:
    """No time of the day, no place, no length, or half a day of freeze."""
    with pytest.raises(InvalidValueError):
        a_restart(at, zone, **changes)


def test_no_restart_is_no_rule() -> None:
    """An empty hour: the gateway is never restarted."""
    assert GatewayRestart.told("", "America/New_York", before_s=600.0, window_s=7200.0) is None
    assert a_restart("12:00").freeze_at(datetime(2026, 10, 20, tzinfo=UTC)) == FREEZE
    assert FREEZE.restarts_at.date() == date(2026, 10, 20)


def test_a_freeze_runs_forward() -> None:
    """Its end does not come before its restart, and its times carry a zone."""
    with pytest.raises(InvalidValueError, match="begins at"):
        Freeze(begins_at=NOON_UTC, restarts_at=NOON_UTC - MINUTE, ends_at=NOON_UTC)
    with pytest.raises(InvalidValueError, match="time zone"):
        Freeze(begins_at=NOON_UTC.replace(tzinfo=None), restarts_at=NOON_UTC, ends_at=NOON_UTC)
