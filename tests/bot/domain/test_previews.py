"""The broker's word on margin: which figures are an answer, what one says of a size, and which order waits for one."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.decision import Checked, Refused, Rule
from bot.domain.errors import InvalidValueError
from bot.domain.previews import (
    MOST_KEPT,
    MarginFigures,
    MarginPreview,
    MarginPreviews,
    shape_of,
    unasked_in,
)
from tests.builders import NOON, a_future, an_intent, buys, sells, spread_legs, vix_call

MINI = (buys(a_future("VXM")),)
FIGURES = MarginFigures(initial_change_usd=Decimal(900), maintenance_change_usd=Decimal("820.01"))


def a_preview(quantity: int = 3, **changes: object) -> MarginPreview:
    """What the broker said of some VXM at noon, for the book of version 7."""
    preview = MarginPreview(at=NOON, shape=shape_of(MINI), quantity=quantity, book_version=7, figures=FIGURES)
    return replace(preview, **changes)  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize("name", ["initial_change_usd", "maintenance_change_usd"])
@pytest.mark.parametrize("amount", ["nan", "inf", "-inf", "1.797e308", "-1.797e308", "1000000000000.01"])
def test_a_figure_that_no_account_could_have_is_no_answer(name: str, amount: str) -> None:
    """Not finite, the broker's word for unset, or beyond any account: it cannot be made."""
    with pytest.raises(InvalidValueError, match=name):
        replace(FIGURES, **{name: Decimal(amount)})


@pytest.mark.parametrize("name", ["least_commission_usd", "most_commission_usd"])
def test_a_commission_is_told_or_not_told_and_never_nonsense(name: str) -> None:
    """None is nothing said; a rebate is one; what is not finite cannot be made."""
    for told in (None, Decimal("-0.25"), Decimal("2.02")):
        assert getattr(replace(FIGURES, **{name: told}), name) == told  # type: ignore[arg-type]  # by name
    with pytest.raises(InvalidValueError, match=name):
        replace(FIGURES, **{name: Decimal("nan")})


@pytest.mark.parametrize(
    ("initial", "maintenance", "bound"),
    [("900", "820", "900"), ("820", "900", "900"), ("-1", "-5", "0"), ("0", "0", "0")],
)
def test_the_larger_change_binds_and_what_is_freed_is_nothing(initial: str, maintenance: str, bound: str) -> None:
    """An order that frees margin frees nothing of a limit."""
    figures = MarginFigures(initial_change_usd=Decimal(initial), maintenance_change_usd=Decimal(maintenance))
    assert figures.bound_usd == Decimal(bound)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"at": NOON.replace(tzinfo=None)}, "time zone"),
        ({"quantity": 0}, "quantity must be positive"),
        ({"book_version": -1}, "book_version must not be negative"),
        ({"shape": ()}, "shape must not be empty"),
    ],
)
def test_a_preview_of_nothing_cannot_be_made(wrong: dict[str, object], why: str) -> None:
    """It speaks of a kind of order, a size, a book and a moment."""
    with pytest.raises(InvalidValueError, match=why):
        a_preview(**wrong)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize(
    ("quantity", "age_s", "version", "fault"),
    [
        (3, 0, 7, ""),
        (1, 60, 7, ""),  # exactly its life counts
        (3, 60.001, 7, "what the broker said is 60 s old, 60 s is the most"),
        (3, -1, 7, "what the broker said is -1 s old, 60 s is the most"),
        (4, 0, 7, "the broker was asked of 3, not of 4"),
        (3, 0, 8, "what the broker said was of another book"),
        (3, 0, 6, "what the broker said was of another book"),
    ],
)
def test_an_answer_holds_for_its_life_its_size_and_its_book(
    quantity: int, age_s: float, version: int, fault: str
) -> None:
    """Older, of a smaller size, from the future or of another book, and it says nothing."""
    now = NOON + timedelta(seconds=age_s)
    assert a_preview().fault(quantity, now=now, book_version=version, life_s=60.0) == fault


def test_a_smaller_size_binds_its_share_rounded_up() -> None:
    """A third of 1,000 is 333.34; of a larger size nothing is said."""
    preview = a_preview(figures=replace(FIGURES, initial_change_usd=Decimal(1000)))
    assert [preview.bound_usd(size) for size in (1, 2, 3)] == [Decimal("333.34"), Decimal("666.67"), Decimal(1000)]
    with pytest.raises(InvalidValueError, match="quantity must not be above the 3 asked about, was 4"):
        preview.bound_usd(4)


@given(
    slopes=st.lists(st.integers(-5000, 5000), min_size=1, max_size=4),
    asked=st.integers(1, 50),
    share=st.floats(0.01, 1.0),
)
def test_a_share_never_understates_the_worst_of_several_scenarios(slopes: list[int], asked: int, share: float) -> None:
    """Of any requirement that is the largest of losses in step with the size."""
    smaller = max(1, int(asked * share))
    needed, whole = (Decimal(max(0, *(slope * size for slope in (0, *slopes)))) for size in (smaller, asked))
    figures = MarginFigures(initial_change_usd=whole, maintenance_change_usd=Decimal(0))
    assert a_preview(asked, figures=figures).bound_usd(smaller) >= needed


def test_an_answer_is_found_by_what_is_traded() -> None:
    """Whatever size, price or id; the other side, another contract and a combo of it are other orders."""
    known = MarginPreviews().after(a_preview())
    assert known.of(an_intent(MINI, quantity=9, limit="18.55", intent_id="another")) == a_preview()
    for other in ((sells(a_future("VXM")),), (buys(a_future("VX")),), spread_legs(), (buys(vix_call(20)),)):
        assert known.of(an_intent(other)) is None


def test_the_latest_answer_of_a_kind_replaces_the_one_before_and_the_oldest_are_forgotten() -> None:
    """One for each kind of order, and no more kinds than a plan could want."""
    later = a_preview(5, at=NOON + timedelta(seconds=9))
    known = MarginPreviews().after(a_preview()).after(later)
    assert list(known.latest.values()) == [later]
    for strike in range(10, 10 + MOST_KEPT):
        known = known.after(a_preview(shape=shape_of((buys(vix_call(strike)),))))
    assert len(known.latest) == MOST_KEPT
    assert known.of(an_intent(MINI)) is None


def test_the_first_order_with_a_question_is_asked_about() -> None:
    """In the size that the gate says; a refusal that no answer would help asks nothing."""
    locked = Refused(intent=an_intent(MINI), checks=(Checked.failed(rule=Rule.LOCKS, note="locked"),))
    question = an_intent(MINI, quantity=2, intent_id="i-2")
    waiting = replace(locked, question=question)
    assert unasked_in(()) is None
    assert unasked_in((locked,)) is None
    assert unasked_in((locked, waiting, replace(waiting, question=an_intent(MINI, intent_id="i-3")))) is question
