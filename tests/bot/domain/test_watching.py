"""What a watcher calls a danger: silence, a last will, a halt that nobody asked for, ledgers that differ twice."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import InvalidValueError
from bot.domain.watching import Alarm, Danger, Sight, apart, dangers
from tests.builders import NOON

GAP_S = 30.0


def seen(**facts: Any) -> Sight:
    """A bot that has just given a sign of life."""
    return Sight(**{"since": NOON - timedelta(hours=1), "beat_at": NOON, **facts})


def found(sight: Sight, after_s: float = 0.0) -> list[Danger]:
    """The dangers so many seconds after noon."""
    return [alarm.danger for alarm in dangers(sight, NOON + timedelta(seconds=after_s), gap_s=GAP_S)]


@pytest.mark.control("C25")
@pytest.mark.parametrize(("after_s", "expected"), [(30.0, []), (30.1, [Danger.SILENT])])
def test_silence_beyond_the_gap_is_a_danger(after_s: float, expected: list[Danger]) -> None:
    """Thirty seconds pass, one tick more does not."""
    assert found(seen(), after_s) == expected


def test_a_bot_that_was_never_heard_is_silent_since_the_watch_began() -> None:
    """Nothing heard is no good sign; the words say when the watcher itself is deaf."""
    sight = Sight(since=NOON, why_deaf="connection refused")
    assert found(sight, 29) == []
    (alarm,) = dangers(sight, NOON + timedelta(seconds=31), gap_s=GAP_S)
    assert alarm.words == (
        "no sign of life for 31 s, allowed are 30; the watcher itself hears nothing: connection refused"
    )


@pytest.mark.control("C25")
@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        ("kill by anna: the order looks wrong", []),
        ("pause by local_socket: lunch", []),
        ("first boot: nothing was ever armed", []),
        ("command link lost for 900 s", [Danger.HALTED]),
        ("internal fault: OSError", [Danger.HALTED]),
    ],
)
def test_a_halt_is_a_danger_unless_a_person_asked_for_it(cause: str, expected: list[Danger]) -> None:
    """The latch's cause tells who halted."""
    assert found(seen(mode="HALT", cause=cause)) == expected
    assert found(seen(mode="REDUCE_ONLY", cause=cause)) == []


def test_a_last_will_is_a_danger_at_once() -> None:
    """Offline needs no gap."""
    assert found(seen(offline=True)) == [Danger.GONE]


@pytest.mark.control("C25")
def test_only_a_difference_that_lasts_is_a_danger() -> None:
    """Once may be an execution under way; the same twice is not, another one each time is none of them."""
    once, other = ("VIX: 1 by the journal, 2 at the broker",), ("VIX: 2 by the journal, 3 at the broker",)
    assert found(seen(apart=once)) == []
    assert found(seen(apart=once, apart_before=other)) == []
    assert found(seen(apart=once, apart_before=once)) == [Danger.LEDGER]
    assert found(seen(apart=(), apart_before=once)) == []


def test_cutting_off_is_for_a_bot_of_which_nobody_knows_what_it_does() -> None:
    """Silence and a wrong ledger, not a halt and not a goodbye."""
    assert {danger for danger in Danger if danger.may_trade_on} == {Danger.SILENT, Danger.LEDGER}


@given(
    st.dictionaries(st.text(max_size=3), st.integers(-5, 5)), st.dictionaries(st.text(max_size=3), st.integers(-5, 5))
)
def test_ledgers_differ_where_a_contract_does(told: dict[str, int], held: dict[str, int]) -> None:
    """A contract that lacks counts as none, equal ledgers differ nowhere, the sides may change places."""
    differing = {name for name in told.keys() | held.keys() if told.get(name, 0) != held.get(name, 0)}
    assert len(apart(told, held)) == len(differing) == len(apart(held, told))


def test_what_cannot_be_is_refused() -> None:
    """A naive beginning, an alarm without words, a gap of nothing."""
    with pytest.raises(InvalidValueError, match="since"):
        Sight(since=NOON.replace(tzinfo=None))
    with pytest.raises(InvalidValueError, match="words"):
        Alarm(danger=Danger.GONE, words="")
    with pytest.raises(InvalidValueError, match="gap_s"):
        dangers(replace(seen()), NOON, gap_s=0.0)
