"""Limits against those of the last start: what is tighter, what is looser, and the hash that names a set (C37, I21)."""

from dataclasses import fields, replace
from decimal import Decimal

import pytest

from bot.domain.errors import InvalidValueError
from risk.limit_changes import LOOSER, LimitChange, limit_changes, limit_texts, limits_hash, texts_hash
from risk.limits import Amortise, RiskLimits

LIMITS = RiskLimits(accounts=frozenset({"DU1", "DU2"}))


def _changed(**changes: object) -> tuple[LimitChange, ...]:
    return limit_changes(limit_texts(LIMITS), replace(LIMITS, **changes))  # type: ignore[arg-type]


@pytest.mark.control("C37")
def test_every_limit_has_its_direction() -> None:
    """A limit that nobody has judged could be loosened unseen."""
    assert sorted(LOOSER) == sorted(field.name for field in fields(RiskLimits))


@pytest.mark.control("C37")
@pytest.mark.parametrize(
    ("name", "value", "is_looser"),
    [
        ("max_hedge_cost_frac", Decimal("0.39"), False),
        ("max_orders_per_day", 41, True),
        ("max_orders_per_day", 39, False),
        ("neutrality_band_frac", 0.0500001, True),
        ("session_edge_minutes", 9.5, True),
        ("session_edge_minutes", 11.0, False),
        ("future_margin_frac", Decimal("0.49"), True),
        ("amortise", Amortise.NONE, False),
        ("accounts", frozenset({"DU1"}), False),
        ("accounts", frozenset({"DU1", "DU2", "DU3"}), True),
        ("accounts", frozenset({"DU1", "DU3"}), True),
        ("accounts", frozenset(), True),
        ("permitted_classes", frozenset({"VIX"}), False),
        ("permit_vxx_shares", True, True),
        ("require_preview", True, False),
        ("preview_life_s", 61.0, True),
        ("preview_life_s", 59.0, False),
        ("max_shares_per_order", 1001, True),
        ("max_shares_per_order", 999, False),
    ],
)
def test_a_change_is_tighter_or_looser_by_its_direction(name: str, value: object, is_looser: bool) -> None:  # noqa: FBT001
    """One limit at a time; a set without the names that it had, and with another, is looser."""
    (change,) = _changed(**{name: value})
    assert (change.name, change.is_looser) == (name, is_looser)


@pytest.mark.control("C37")
def test_spreading_the_cost_again_is_looser() -> None:
    """From none to straight line less is charged at once."""
    (change,) = limit_changes(limit_texts(replace(LIMITS, amortise=Amortise.NONE)), LIMITS)
    assert change.is_looser
    assert change.words == "amortise: none -> straight_line"


@pytest.mark.control("C37")
def test_a_leave_is_looser_when_it_is_given() -> None:
    """Given after it was not, or in the version that brings it; taken back it is tighter."""
    given, texts = replace(LIMITS, permit_vxx_shares=True), limit_texts(LIMITS)
    unknown = {name: text for name, text in texts.items() if name != "permit_vxx_shares"}
    assert [one.is_looser for one in limit_changes(unknown, given)] == [True]
    assert [one.is_looser for one in limit_changes(unknown, LIMITS)] == [False]
    assert [one.is_looser for one in limit_changes(limit_texts(given), LIMITS)] == [False]


@pytest.mark.control("C37")
def test_a_demand_is_looser_when_it_is_dropped() -> None:
    """Made after it was not, or in the version that brings it, it is tighter."""
    made, texts = replace(LIMITS, require_preview=True), limit_texts(LIMITS)
    unknown = {name: text for name, text in texts.items() if name != "require_preview"}
    assert [one.is_looser for one in limit_changes(unknown, made)] == [False]
    assert [one.is_looser for one in limit_changes(limit_texts(made), LIMITS)] == [True]


@pytest.mark.control("C37")
def test_limits_that_come_and_go() -> None:
    """A new one is tighter; one that exists no more is looser, and so is what cannot be compared."""
    texts = limit_texts(LIMITS)
    new = {name: text for name, text in texts.items() if name != "collar_ticks"}
    assert [(one.name, one.before, one.is_looser) for one in limit_changes(new, LIMITS)] == [
        ("collar_ticks", "", False)
    ]
    (gone,) = limit_changes({**texts, "max_moons": "1"}, LIMITS)
    assert (gone.name, gone.after, gone.is_looser) == ("max_moons", "", True)
    (odd,) = limit_changes({**texts, "collar_ticks": "NaN"}, LIMITS)
    assert odd.is_looser


def test_without_anything_written_nothing_is_looser() -> None:
    """The first start writes the whole set down; equal sets differ in nothing."""
    assert limit_changes({}, LIMITS) == ()
    assert limit_changes(limit_texts(LIMITS), LIMITS) == ()


def test_a_hash_names_a_set_whatever_the_spelling_of_its_numbers() -> None:
    """0.4 and 0.40 are one limit; any other value has another hash."""
    assert limits_hash(replace(LIMITS, max_hedge_cost_frac=Decimal("0.400"))) == limits_hash(LIMITS)
    assert limits_hash(replace(LIMITS, collar_ticks=5)) != limits_hash(LIMITS)


def test_a_hash_is_the_same_whatever_the_order_and_whatever_the_version() -> None:
    """A person types the hash that another start has shown: it is of the names and values alone."""
    assert texts_hash({"max_options": "2000", "max_futures": "40"}) == "4a17d7b4b6e6"
    assert texts_hash({"max_futures": "40", "max_options": "2000"}) == "4a17d7b4b6e6"
    assert limits_hash(LIMITS) == texts_hash(limit_texts(LIMITS))


@pytest.mark.control("C37")
@pytest.mark.parametrize(
    ("name", "before", "after", "is_looser"),
    [
        ("max_hedge_cost_frac", "0.400", "0.4", False),  # the same number
        ("session_edge_minutes", "10.0", "10", False),
        ("session_edge_minutes", "9.9", "10", False),
        ("session_edge_minutes", "10.1", "10", True),
        ("permitted_classes", "VX,VIX", "VIX,VX", False),  # the same names
        ("permitted_classes", "VIX,VX,VXM", "VIX,VX", False),
        ("permitted_classes", "VIX,VXM", "VIX,VX", True),
        ("permitted_classes", "none", "VIX,VX", True),
    ],
)
def test_another_spelling_of_the_same_is_not_looser(name: str, before: str, after: str, is_looser: bool) -> None:  # noqa: FBT001
    """What another version wrote down is compared as numbers and names; only what allows more needs a word."""
    classes = frozenset({"VIX", "VX"})
    now = replace(LIMITS, permitted_classes=classes)
    (change,) = limit_changes({**limit_texts(now), name: before}, now)
    assert (change.name, change.after, change.is_looser) == (name, after, is_looser)


def test_an_empty_set_is_written_as_none() -> None:
    """The journal, and the question that a person answers, show a word where nothing is left."""
    nothing = limit_texts(RiskLimits(permitted_classes=frozenset()))
    assert (nothing["accounts"], nothing["permitted_classes"]) == ("none", "none")


def test_a_change_has_a_name() -> None:
    """Without one nobody could confirm it."""
    with pytest.raises(InvalidValueError, match="name"):
        LimitChange(name="", before="1", after="2", is_looser=True)
