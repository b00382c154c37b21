"""Corrections: what counts depends on the set of executions alone, and only what is certain replaces anything."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.corrections import ExecutionSet, Taken, number_of, root_of
from bot.domain.errors import InvalidValueError
from bot.domain.instrument import Side
from bot.domain.orders import Fill, Filled, FillPart, Unknown
from tests.bot.engine_parts import CALL, a_fill, call_order
from tests.builders import vix_call

FIRST, SECOND = a_fill("a.b.01.01"), replace(a_fill("a.b.01.02"), price=Decimal("0.95"))


def test_a_correction_counts_in_the_place_of_what_it_corrects() -> None:
    """The later version counts, and says which one it replaces."""
    known = ExecutionSet([FIRST])
    assert known.take(SECOND) == Taken(counts=True, instead_of=FIRST)
    assert (list(known.counting), list(known.told)) == (["a.b.01.02"], ["a.b.01.01", "a.b.01.02"])
    assert known.take(SECOND) is None


def test_an_earlier_version_that_is_told_later_does_not_count() -> None:
    """Who asks after a restart may hear of the correction first."""
    known = ExecutionSet([SECOND])
    assert known.take(FIRST) == Taken(counts=False)
    assert list(known.counting) == ["a.b.01.02"]


@pytest.mark.parametrize(
    "other",
    [
        replace(SECOND, instrument=vix_call(30)),
        replace(SECOND, side=Side.SELL),
        replace(SECOND, perm_id=8),
        replace(SECOND, part=FillPart.LEG),
        replace(SECOND, filled_before=4),
        replace(SECOND, exec_id="a.b.02.01"),
        replace(SECOND, exec_id="a.b.01.01.02"),
        replace(SECOND, exec_id="a.b.01.x"),
        replace(SECOND, exec_id="e-2"),
    ],
)
def test_what_is_less_certain_counts_by_itself(other: Fill) -> None:
    """Another contract, side, order, part or running total, or another form of the id, is an execution of its own."""
    assert list(ExecutionSet([FIRST, other]).counting.values()) == [FIRST, other]


@pytest.mark.parametrize(
    ("exec_id", "root", "number"),
    [("a.b.01.07", "a.b.01", 7), ("a.b.01.01.02", "", 1), ("a.b.01.x", "", 1), ("e-1", "", 1), ("", "", 1)],
)
def test_the_last_part_of_a_plain_id_counts_versions(exec_id: str, root: str, number: int) -> None:
    """Only ids of four parts that end in a number have versions."""
    assert (root_of(exec_id), number_of(exec_id)) == (root, number)


VERSIONS = st.lists(
    st.builds(
        lambda root, number, strike, units: replace(
            a_fill(f"a.b.{root:02}.{number:02}", instrument=vix_call(strike), quantity=units), at=CALL_AT
        ),
        st.integers(1, 3),
        st.integers(1, 4),
        st.sampled_from((20, 22)),
        st.integers(1, 5),
    ),
    max_size=12,
    unique_by=lambda fill: fill.exec_id,
)
CALL_AT = a_fill(instrument=CALL).at


@given(fills=VERSIONS, chance=st.randoms(use_true_random=False))
def test_what_counts_depends_on_the_set_alone(fills: list[Fill], chance: object) -> None:
    """Whatever the order and the repetitions, the same executions count: of each the highest version."""
    shuffled = [*fills, *fills[:3]]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # a random.Random
    counting = ExecutionSet(shuffled).counting
    assert dict(counting) == dict(ExecutionSet(fills).counting)
    highest: dict[tuple[str, object], Fill] = {}
    for fill in sorted(fills, key=lambda one: one.exec_id):
        highest[root_of(fill.exec_id), fill.key] = fill
    assert sorted(counting) == sorted(fill.exec_id for fill in highest.values())


def test_a_corrected_size_makes_an_order_doubtful_again() -> None:
    """Whatever it was, what the broker still holds of it is not known; the filled quantity may fall only so."""
    order = call_order(3, Filled(), filled=3)
    again = order.corrected(2)
    assert (type(again.state), again.filled, again.remaining) == (Unknown, 2, 1)
    with pytest.raises(InvalidValueError, match="filled must be"):
        order.corrected(4)


def test_what_counts_is_told_newest_first() -> None:
    """Whoever looks back a while reads from the end; what was corrected is not among it."""
    known = ExecutionSet([FIRST, a_fill("e-1"), SECOND])
    assert [fill.exec_id for fill in known.newest_first()] == ["a.b.01.02", "e-1"]
