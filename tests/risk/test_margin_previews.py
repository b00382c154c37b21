"""The what-if in the gate: the larger figure counts to the cent, and without an answer nothing leaves (C31, M11)."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bot.domain.decision import Approved, Refused, Rule
from bot.domain.orders import OrderIntent, Purpose
from bot.domain.portfolio import Position
from bot.domain.previews import MarginFigures, MarginPreview, MarginPreviews, shape_of
from bot.domain.snapshot import Snapshot
from risk.margin import bound_usd
from risk.previews import binds_usd
from tests.builders import FEES, a_future, an_account, an_intent, buys, sells, vix_call
from tests.risk.scenes import (
    LIMITS,
    a_build,
    a_mini,
    calm_noon,
    checked_by,
    rules_against,
    scene_of,
    verdict_on,
    with_book,
)

ASKING = replace(LIMITS, require_preview=True)
CENT = Decimal("0.01")
WORTH = Decimal(500_000)
LIMIT = WORTH / 2
UNASKED = "the broker has not been asked what it binds"


def own_usd(intent: OrderIntent) -> Decimal:
    """Our own estimate of an order."""
    bound = bound_usd(intent, intent.quantity, FEES, LIMITS.future_margin_frac)
    assert isinstance(bound, Decimal)
    return bound


def told(intent: OrderIntent, amount: Decimal | str, snapshot: Snapshot | None = None, **changes: object) -> Snapshot:
    """A moment in which the broker has just said that an order binds so much."""
    moment = calm_noon() if snapshot is None else snapshot
    figures = MarginFigures(initial_change_usd=Decimal(amount), maintenance_change_usd=Decimal(0))
    preview = MarginPreview(
        at=moment.now,
        shape=shape_of(intent.legs),
        quantity=intent.quantity,
        book_version=moment.book.version,
        figures=figures,
    )
    known = moment.previews.after(replace(preview, **changes))  # type: ignore[arg-type]  # by name
    return replace(moment, previews=known)


def bound_to(initial: Decimal) -> Snapshot:
    """An account of 500,000 USD of which so much is bound."""
    account = replace(
        an_account(WORTH),
        initial_margin_usd=initial,
        maintenance_margin_usd=Decimal(0),
        excess_liquidity_usd=WORTH - CENT,
    )
    return with_book(calm_noon(), account=account)


@pytest.mark.control("C31")
@pytest.mark.parametrize(("over", "passed"), [(-CENT, True), (Decimal(0), True), (CENT, False)])
@pytest.mark.parametrize("beyond", [Decimal(-500), -CENT, Decimal(0), CENT, Decimal(4000)])
def test_the_larger_of_both_figures_counts_to_the_cent(beyond: Decimal, over: Decimal, *, passed: bool) -> None:
    """The broker's word below, at and above our own estimate, at a cent below, at and above the limit."""
    order = a_mini(2)
    own = own_usd(order)
    counts = max(own, own + beyond)
    snapshot = told(order, own + beyond, bound_to(LIMIT - counts + over))
    checked = checked_by(Rule.MARGIN_USE, order, snapshot, limits=ASKING)
    assert (checked.passed, checked.found, checked.limit) == (passed, LIMIT + over, LIMIT)
    assert checked.note.endswith(f"the broker says {own + beyond} USD of this order")


@pytest.mark.control("C31")
@pytest.mark.parametrize("amount", ["-1000", "-1", "0"])
def test_what_an_order_frees_leaves_our_own_estimate(amount: str) -> None:
    """A hedge may lower the requirement of what is held: that lowers nothing here."""
    order = a_mini(2)
    assert binds_usd(order, 2, scene_of(told(order, amount))) == own_usd(order)


@pytest.mark.control("C31")
@pytest.mark.parametrize(
    ("snapshot", "why"),
    [
        (calm_noon(), UNASKED),
        (told(an_intent((sells(a_future("VXM")),)), "900"), UNASKED),  # the other side
        (told(an_intent((buys(a_future("VX")),)), "900"), UNASKED),  # another contract
        (told(a_mini(1), "900"), "the broker was asked of 1, not of 2"),
        (told(a_mini(2), "900", at=calm_noon().now - timedelta(seconds=61)), "is 61 s old, 60 s is the most"),
        (told(a_mini(2), "900", at=calm_noon().now + timedelta(seconds=1)), "is -1 s old, 60 s is the most"),
        (told(a_mini(2), "900", book_version=calm_noon().book.version + 1), "was of another book"),
    ],
)
def test_without_a_fresh_answer_about_it_an_order_is_refused(snapshot: Snapshot, why: str) -> None:
    """Not asked, asked about another order or a smaller size, too long ago, or for another book."""
    verdict = verdict_on(a_mini(2), snapshot, ASKING)
    assert isinstance(verdict, Refused)
    assert rules_against(verdict) == {Rule.MARGIN_PREVIEW}
    assert verdict.largest_quantity == (1 if "was asked of 1" in why else 0)
    assert why in verdict.reasons[0].note


@pytest.mark.control("C31")
@pytest.mark.parametrize("age_s", [0, 60])
def test_with_one_it_passes(age_s: float) -> None:
    """Just told, and exactly as old as an answer may be; the same order in a smaller size as well."""
    snapshot = told(a_mini(3), "900", at=calm_noon().now - timedelta(seconds=age_s))
    for size in (1, 2, 3):
        assert isinstance(verdict_on(a_mini(size), snapshot, ASKING), Approved)
    assert checked_by(Rule.MARGIN_PREVIEW, a_mini(), snapshot, limits=ASKING).note == "the broker has been asked"


@pytest.mark.control("C31")
def test_combos_and_what_closes_need_no_answer_and_nothing_does_where_it_is_switched_off() -> None:
    """A spread passes on our own estimate, so does a buy-back of a short call, and everything where nobody must ask."""
    for intent, limits, note in (
        (a_build(), ASKING, "the broker answers no what-if for a combo"),
        (a_mini(), LIMITS, "the broker need not be asked"),
    ):
        checked = checked_by(Rule.MARGIN_PREVIEW, intent, limits=limits)
        assert (checked.passed, checked.note) == (True, note)
        assert isinstance(verdict_on(intent, limits=limits), Approved)
    short = vix_call(20)
    back = an_intent((buys(short),), purpose=Purpose.OVERLAY_UNWIND)
    owing = with_book(calm_noon(), positions={short.key: Position(instrument=short, quantity=-1)})
    checked = checked_by(Rule.MARGIN_PREVIEW, back, owing, limits=ASKING)
    assert (checked.passed, checked.note) == (True, "closes only")


@pytest.mark.control("C31")
def test_an_answer_sizes_an_order_down() -> None:
    """Of three that bind 3,000 by the broker's word, two fit into 2,000; the same answer lets them pass."""
    order = a_mini(3)
    assert own_usd(order) < Decimal(3000)
    snapshot = told(order, "3000", bound_to(LIMIT - Decimal(2000)))
    refused = verdict_on(order, snapshot, ASKING)
    assert isinstance(refused, Refused)
    assert (rules_against(refused), refused.largest_quantity) == ({Rule.MARGIN_USE}, 2)
    assert isinstance(verdict_on(a_mini(2), snapshot, ASKING), Approved)


@pytest.mark.control("C31")
def test_an_order_on_its_way_counts_at_the_brokers_word_however_old() -> None:
    """Until the account's values hold it; of more units than were asked about our own estimate alone is known."""
    earlier, order = a_mini(2, intent_id="e-1"), an_intent((buys(vix_call(20)),), limit="1.00")
    snapshot = told(earlier, "9000", bound_to(Decimal(1000)), at=calm_noon().now - timedelta(hours=1), book_version=0)
    checked = checked_by(Rule.MARGIN_USE, order, snapshot, limits=ASKING, earlier=(earlier,))
    assert checked.found == Decimal(10_000) + own_usd(order)
    larger = a_mini(3, intent_id="e-2")
    assert binds_usd(larger, 3, scene_of(snapshot)) == own_usd(larger)


def test_a_loss_without_bound_stays_unknown_whatever_the_broker_says() -> None:
    """A sold call that nothing covers has no figure of ours, and the broker's does not stand in for it."""
    naked = an_intent((sells(vix_call(21)),))
    checked = checked_by(Rule.MARGIN_USE, naked, told(naked, "900"), limits=ASKING)
    assert (checked.passed, checked.note) == (
        False,
        "the margin is unknown: calls that the order does not cover have no worst loss",
    )


def test_a_moment_knows_of_no_answer_by_itself() -> None:
    """What is not told is not there."""
    assert calm_noon().previews == MarginPreviews()


@pytest.mark.control("C31")
@pytest.mark.parametrize(
    ("limits", "size"),
    [
        ({}, 3),
        ({"max_contracts_per_leg": 2}, 2),  # a smaller size would keep the limit
        ({"max_order_value_usd": Decimal(1)}, None),  # none would
        ({"permitted_classes": frozenset({"VIX"})}, None),  # the size is not what is wrong
    ],
)
def test_an_order_is_asked_about_in_the_size_that_every_other_rule_lets_pass(
    limits: dict[str, object], size: int | None
) -> None:
    """Nothing is asked where no answer would help, so that no question is put again and again."""
    order = replace(a_mini(3), worst_cost_usd=Decimal("7.50"))
    verdict = verdict_on(order, limits=replace(ASKING, **limits))  # type: ignore[arg-type]  # by name
    assert isinstance(verdict, Refused)
    assert Rule.MARGIN_PREVIEW in rules_against(verdict)
    question = verdict.question
    assert (None if question is None else question.quantity) == size
    if question is not None:
        assert (question.intent_id, question.legs) == (verdict.intent.intent_id, verdict.intent.legs)
        assert question.worst_cost_usd == Decimal("2.50") * question.quantity


@pytest.mark.control("C31")
def test_the_answer_to_a_smaller_question_lets_that_size_pass() -> None:
    """Three are wanted, two were asked about: two pass; what was refused for another reason asks nothing."""
    refused = verdict_on(a_mini(3), told(a_mini(2), "1900"), ASKING)
    assert isinstance(refused, Refused)
    assert (rules_against(refused), refused.largest_quantity) == ({Rule.MARGIN_PREVIEW}, 2)
    assert refused.question == refused.intent
    asked = verdict_on(a_mini(3), told(a_mini(3), "1900"), replace(ASKING, max_contracts_per_leg=2))
    assert isinstance(asked, Refused)
    assert (rules_against(asked), asked.largest_quantity, asked.question) == ({Rule.ORDER_SIZE}, 2, None)
