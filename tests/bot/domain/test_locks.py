"""Locks: which end by themselves and when, which only a person ends, and what becomes of both over time."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import InvalidValueError
from bot.domain.events import TwinsFound
from bot.domain.locks import AGREEMENTS_APART, Lock, Locks, steps_between
from bot.domain.orders import BrokerStatus, IntentId
from tests.builders import NOON
from tests.fakes import a_row

A, B = "OPT:A", "OPT:B"
BREAK = {A: "books say 1, the broker says 2"}


def after(seconds: float) -> datetime:
    """A moment so many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def broken() -> Locks:
    """A contract that differs since noon."""
    return Locks().compared(BREAK, NOON)


@pytest.mark.control("C28")
@pytest.mark.parametrize(
    ("looks", "is_locked"),
    [
        ([], True),
        ([(5, {})], True),
        ([(5, {}), (14.9, {})], True),
        ([(5, {}), (15, {})], False),
        ([(5, {}), (10, {}), (15, {})], False),
        ([(5, {}), (10, BREAK), (15, {})], True),
        ([(5, {}), (10, BREAK), (15, {}), (25, {})], False),
        ([(5, {B: "x"}), (15, {B: "x"})], False),
    ],
)
def test_a_break_ends_with_two_agreements_ten_seconds_apart(
    looks: list[tuple[float, dict[str, str]]], *, is_locked: bool
) -> None:
    """One agreement is not enough, two that are near each other are one, and a difference between begins anew."""
    locks = broken()
    for seconds, differences in looks:
        locks = locks.compared(differences, after(seconds))
    assert (locks.of(A) is not None) == is_locked


@pytest.mark.control("C34")
def test_a_latched_lock_ends_by_its_lift_alone() -> None:
    """However often the books agree, and whatever else is lifted; a second reason does not replace the first."""
    locks = Locks().latched((A, B), "foreign fill 7", NOON).latched((A,), "again", after(1))
    for seconds in range(10, 100, 10):
        locks = locks.compared({}, after(seconds))
    assert locks.words == {A: "foreign fill 7", B: "foreign fill 7"}
    assert (locks.lifted(A).words, locks.lifted("C")) == ({B: "foreign fill 7"}, locks)
    assert locks.passing == ()


def test_a_break_that_is_latched_keeps_its_beginning_and_differs_no_more() -> None:
    """It is the same lock with another end; what a later comparison says of its contract changes nothing."""
    locks = broken().latched((A,), "not settled", after(900))
    assert locks.of(A) == Lock(name=A, why="not settled", since=NOON, latched=True)
    assert locks.compared({A: "books say 1, the broker says 3"}, after(901)) is locks


def test_a_break_that_changes_has_new_words_and_the_same_beginning() -> None:
    """What differs now is what is told; its time goes on."""
    assert broken().compared({A: "other"}, after(60)).held == (Lock(name=A, why="other", since=NOON),)


def test_a_restart_gives_a_break_its_time_and_both_agreements_anew() -> None:
    """The journal remembers that it holds, not how near it was to its end; a latched one is as it was."""
    locks = broken().latched((B,), "foreign fill 7", NOON).compared({}, after(5)).begun_anew(after(100))
    assert locks.of(A) == Lock(name=A, why=BREAK[A], since=after(100))
    assert locks.of(B) == Lock(name=B, why="foreign fill 7", since=NOON, latched=True)
    assert locks.compared({}, after(200)).of(A) is not None


def test_the_steps_between_two_moments_are_what_the_journal_needs() -> None:
    """Taken, latched and gone are steps; a first agreement and other words are none."""
    locks = broken()
    agreed = locks.compared({}, after(5))
    latched = locks.latched((A,), "x", after(5))
    assert [one.name for one in steps_between(Locks(), locks).taken] == [A]
    assert [one.latched for one in steps_between(locks, latched).taken] == [True]
    assert (steps_between(locks, agreed).taken, steps_between(locks, agreed).cleared) == ((), ())
    assert [one.name for one in steps_between(agreed, agreed.compared({}, after(15))).cleared] == [A]


@pytest.mark.parametrize("changes", [{"name": ""}, {"why": ""}, {"since": datetime(2026, 1, 1)}])  # noqa: DTZ001
def test_a_lock_without_name_reason_or_zone_is_refused(changes: dict[str, object]) -> None:
    """It could not be told, or not be timed."""
    with pytest.raises(InvalidValueError):
        Lock(**{"name": A, "why": "x", "since": NOON, **changes})  # type: ignore[arg-type]


@given(st.lists(st.tuples(st.integers(1, 30), st.sampled_from(["agree", "differ", "latch"])), max_size=20))
def test_no_lock_ever_ends_without_two_agreements_in_a_row(steps: list[tuple[int, str]]) -> None:
    """Whatever happens in whatever order: a lock that ends was unlatched and agreed twice, far enough apart."""
    locks, at, agreed, latched = broken(), NOON, [], False
    for seconds, step in steps:
        at += timedelta(seconds=seconds)
        held = locks.of(A) is not None
        if step == "latch":
            locks, latched = locks.latched((A,), "x", at), True
        else:
            locks = locks.compared(BREAK if step == "differ" else {}, at)
            agreed = [*agreed, at] if step == "agree" else []
        if held and locks.of(A) is None:
            assert not latched
            assert agreed[-1] - agreed[0] >= AGREEMENTS_APART
            agreed = []


def test_twins_are_told_by_their_permanent_ids() -> None:
    """However many there are."""
    twins = TwinsFound(at=NOON, intent_id=IntentId("i-1"), perm_ids=(7, 8, 9), order_ids=(1, 2, 3))
    assert twins.words == "7 and 8 and 9"


@pytest.mark.parametrize("status", BrokerStatus)
def test_an_order_may_fill_while_the_broker_says_so_or_nothing_clear(status: BrokerStatus) -> None:
    """Ended is what it says is ended."""
    assert a_row("i-1", status).may_fill == (status in {BrokerStatus.WORKING, BrokerStatus.UNCLEAR})
