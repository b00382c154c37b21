"""Changes of the overlay as our orders tell them, plans and proposals as values."""

import math
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from bot.domain.changes import changes_of
from bot.domain.errors import InvalidValueError
from bot.domain.orders import Cancelled, DecisionId, Filled, FillPart, Order, OrderState, Purpose, Working
from bot.domain.plan import PlanAction, Sizing, Withheld
from bot.domain.portfolio import Change
from bot.domain.proposal import Asked, Proposal, Proposals, ProposalState, asked
from tests.bot.engine_parts import a_fill
from tests.builders import DECEMBER, FEES, NOON, NOVEMBER, a_change, a_plan, an_intent, an_order, spread_legs

LEGS = spread_legs(21, 26)


def _order(name: str, state: OrderState, *, filled: int = 0, at: datetime = NOON) -> Order:
    intent = an_intent(LEGS, quantity=4, intent_id=name)
    return an_order(replace(intent, half_width_points=Decimal("0.05")), filled=filled, state=state, at=at)


def test_only_what_filled_or_may_fill_is_a_change() -> None:
    """An order that was dropped before it left has changed nothing."""
    orders = [
        _order("dead", Cancelled(reason="dropped")),
        _order("live", Working()),
        _order("part", Working(), filled=1),
    ]
    found = changes_of(orders, (), {}, FEES)
    assert [(change.ordered, change.filled, change.is_live) for change in found] == [(4, 0, True), (4, 1, True)]


def test_changes_come_in_the_order_of_their_decisions() -> None:
    """Oldest first, whatever the order of the orders."""
    later, earlier = _order("a", Working(), at=NOON), _order("b", Working(), at=NOON - timedelta(hours=1))
    assert [change.at for change in changes_of([later, earlier], (), {}, FEES)] == [NOON - timedelta(hours=1), NOON]


def test_churn_is_fees_and_half_the_spread_of_what_filled() -> None:
    """Four spreads, half a width of 0.05 points each: 20 USD, and the fees of eight contracts."""
    order = _order("o", Filled(), filled=4)
    (change,) = changes_of([order], (), {}, FEES)
    assert change.churn_usd == Decimal("0.05") * 100 * 4 + FEES.of_intent(order.intent, 0)
    fill = a_fill(ref="o", quantity=4, instrument=None, part=FillPart.COMBO)
    (with_fill,) = changes_of([order], (fill,), {}, FEES)
    assert with_fill.churn_usd == Decimal("0.05") * 100 * 4 + FEES.of_intent(order.intent, 4)


def test_what_has_not_filled_costs_nothing() -> None:
    """A working order has paid neither fee nor spread."""
    (change,) = changes_of([_order("o", Working())], (), {}, FEES)
    assert change.churn_usd == 0


@pytest.mark.parametrize(("filled", "live", "unfinished"), [(4, False, False), (2, False, True), (2, True, False)])
def test_a_dead_part_is_unfinished(filled: int, live: bool, unfinished: bool) -> None:  # noqa: FBT001
    """Filled whole it is done, alive it goes on."""
    assert a_change(ordered=4, filled=filled, is_live=live).is_unfinished == unfinished


def test_a_change_cannot_cost_less_than_nothing() -> None:
    """A negative cost is refused."""
    with pytest.raises(InvalidValueError, match="churn_usd"):
        a_change(churn_usd=-1)


def test_purposes_know_what_they_do_to_the_hedge() -> None:
    """Some buy, some sell, the roll of a wing does neither; only those of the overlay are paced."""
    buying = {Purpose.OVERLAY_BUILD, Purpose.BASE_BUILD}
    selling = {Purpose.OVERLAY_UNWIND, Purpose.OVERLAY_EXIT, Purpose.BASE_EXIT, Purpose.FLATTEN}
    assert {purpose for purpose in Purpose if purpose.buys_hedge} == buying
    assert {purpose for purpose in Purpose if purpose.sells_hedge} == selling
    paced = (buying | selling) - {Purpose.BASE_BUILD, Purpose.BASE_EXIT, Purpose.FLATTEN}
    assert {purpose for purpose in Purpose if purpose.changes_overlay} == paced


def _proposal(**changes: object) -> Proposal:
    known = {
        "proposal_id": DecisionId("d-1"),
        "orders": (asked(an_intent(LEGS, quantity=2)),),
        "because": "a test asks",
        "made_at": NOON,
        "expires_at": NOON + timedelta(minutes=15),
    }
    return Proposal(**{**known, **changes})  # type: ignore[arg-type]


def test_an_open_proposal_waits_until_it_expires() -> None:
    """Open and within its time it waits; answered or late it does not."""
    assert _proposal().is_open(NOON)
    assert not _proposal().is_open(NOON + timedelta(minutes=15))
    assert not _proposal().answered(ProposalState.VETOED).is_open(NOON)


def test_only_an_approval_in_time_allows() -> None:
    """The same contracts and no more of them, approved, before it expires."""
    approved = _proposal().answered(ProposalState.APPROVED)
    two, three = an_intent(LEGS, quantity=2), an_intent(LEGS, quantity=3)
    assert approved.allows((two,), NOON)
    assert not approved.allows((three,), NOON)
    assert not approved.allows((two,), NOON + timedelta(minutes=15))
    assert not _proposal().allows((two,), NOON)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"orders": ()}, "at least one order"),
        ({"expires_at": NOON}, "expires after it is made"),
        ({"because": ""}, "because"),
        ({"made_at": NOON.replace(tzinfo=None)}, "made_at"),
    ],
)
def test_an_impossible_proposal_is_refused(changes: dict[str, object], words: str) -> None:
    """Each with the field that is wrong."""
    with pytest.raises(InvalidValueError, match=words):
        _proposal(**changes)


def test_an_order_for_nothing_cannot_be_asked_for() -> None:
    """A quantity of zero is refused."""
    with pytest.raises(InvalidValueError, match="quantity"):
        Asked(purpose="overlay_build", legs=(("OPT:x", 1),), quantity=0)


def test_a_plan_held_back_keeps_its_orders_on_record() -> None:
    """Nothing is asked of the gate, and what would have been stands beside it."""
    plan = a_plan(an_intent(LEGS), action=PlanAction.INCREASE)
    held = plan.holding_back(Withheld.PACING, "paced")
    assert (held.action, held.intents, held.withheld_intents) == (PlanAction.HOLD, (), plan.intents)
    assert held.reason == f"{plan.reason}; paced"


def test_changes_are_values() -> None:
    """Two equal changes are one."""
    assert a_change() == a_change()
    assert isinstance(a_change(), Change)


def test_a_proposal_knows_how_many_of_which_contracts_it_asked_for() -> None:
    """Two of these spreads for a build; none of others, and none to sell."""
    proposal = _proposal()
    assert proposal.most_of(Purpose.OVERLAY_BUILD, LEGS) == 2
    assert proposal.most_of(Purpose.OVERLAY_BUILD, tuple(reversed(LEGS))) == 2
    assert proposal.most_of(Purpose.OVERLAY_BUILD, spread_legs(22, 27)) == 0
    assert proposal.most_of(Purpose.OVERLAY_UNWIND, LEGS) == 0


def test_a_proposal_is_about_its_purpose() -> None:
    """Other strikes for the same purpose are the same question, a sale is another one."""
    assert _proposal().is_about((an_intent(spread_legs(22, 27), quantity=9),))
    assert not _proposal().is_about((replace(an_intent(LEGS), purpose=Purpose.OVERLAY_EXIT),))


# the last proposals, by matter --------------------------------------------------------------------------------------


def _about(purpose: Purpose, proposal_id: str = "d-2", **changes: object) -> Proposal:
    order = asked(replace(an_intent(LEGS, quantity=2), purpose=purpose))
    return _proposal(proposal_id=DecisionId(proposal_id), orders=(order,), **changes)


def test_a_new_proposal_replaces_the_last_of_its_matter_and_what_waits() -> None:
    """What was answered about another matter stays, what waits makes way, and one matter has one proposal."""
    vetoed = _about(Purpose.BASE_BUILD, "d-1").answered(ProposalState.VETOED)
    asking = _about(Purpose.WING_ROLL, "d-2")
    first = _about(Purpose.OVERLAY_BUILD, "d-3")
    again = _about(Purpose.OVERLAY_BUILD, "d-4", made_at=NOON + timedelta(minutes=1))
    known = Proposals().making(vetoed).making(asking)
    assert known.last == (vetoed, asking)
    assert known.waiting(NOON) == asking
    assert known.making(first).last == (vetoed, first)
    assert known.making(first).making(again).last == (vetoed, again)


def test_proposals_are_found_by_matter_and_by_name() -> None:
    """Each order finds the one about it, an unknown name or matter none."""
    base, overlay = _about(Purpose.BASE_BUILD, "d-1").answered(ProposalState.VETOED), _about(Purpose.OVERLAY_BUILD)
    known = Proposals(last=(base, overlay))
    assert known.about((an_intent(LEGS),)) == overlay
    assert known.about((replace(an_intent(LEGS), purpose=Purpose.WING_ROLL),)) is None
    assert known.named(DecisionId("d-1")) == base
    assert known.named(DecisionId("d-9")) is None
    assert Proposals().waiting(NOON) is None


def test_only_the_answered_proposal_changes() -> None:
    """The other keeps its state."""
    base, overlay = _about(Purpose.BASE_BUILD, "d-1"), _about(Purpose.OVERLAY_BUILD, "d-2")
    after = Proposals(last=(base, overlay)).answered(DecisionId("d-2"), ProposalState.APPROVED)
    assert after.last == (base, overlay.answered(ProposalState.APPROVED))
    assert after.most_of(Purpose.OVERLAY_BUILD, LEGS, NOON) == 2
    assert after.most_of(Purpose.BASE_BUILD, LEGS, NOON) == 0
    assert after.most_of(Purpose.OVERLAY_BUILD, LEGS, NOON + timedelta(minutes=15)) == 0


def test_an_approval_is_used_up_by_the_orders_that_it_allowed() -> None:
    """Those it covers use it; more of them, others, or none asked for change nothing."""
    intent = an_intent(LEGS, quantity=2)
    known = Proposals(last=(_about(Purpose.OVERLAY_BUILD).answered(ProposalState.APPROVED),))
    assert [one.state for one in known.used_by((intent,), NOON).last] == [ProposalState.USED]
    for other in (replace(intent, quantity=3), replace(intent, purpose=Purpose.BASE_BUILD)):
        assert known.used_by((other,), NOON) == known


@pytest.mark.parametrize("changes", [{"room_usd_per_point": -0.01}, {"band_usd_per_point": math.nan}, {"prefer": ""}])
def test_bounds_that_bound_nothing_are_refused(changes: dict[str, object]) -> None:
    """Below zero, not finite, or without a name."""
    whole = Sizing(band_usd_per_point=2.0, ceiling_usd_per_point=20.0, room_usd_per_point=0.0, prefer="spreads")
    with pytest.raises(InvalidValueError):
        replace(whole, **changes)  # type: ignore[arg-type]


def test_a_plan_asks_for_something_with_orders_or_a_question() -> None:
    """Orders for the gate or a proposal for a person; a plan that holds asks for nothing."""
    plan = a_plan(an_intent(LEGS), action=PlanAction.INCREASE)
    assert plan.asks_for_something
    assert plan.holding_back(Withheld.PROPOSAL, "asked", _proposal()).asks_for_something
    assert not plan.holding_back(Withheld.PACING, "paced").asks_for_something


def test_a_plan_tells_what_else_holds_and_waits_for_the_first_of_it() -> None:
    """Reasons of further wishes stand beside its own in their order; of what they wait for the first counts."""
    holding = a_plan()
    one, two = (replace(holding, reason=f"reason {number}", awaits=NOVEMBER) for number in (1, 2))
    both = holding.beside(one).beside(replace(two, awaits=DECEMBER))
    assert (both.reason, both.besides, both.awaits) == (holding.reason, ("reason 1", "reason 2"), NOVEMBER)
    assert holding.besides == ()
