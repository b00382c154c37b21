"""The right to act (M14, M16): pacing, the churn budget, autonomy, and proposals with their answers."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import InvalidValueError
from bot.domain.instrument import VXX
from bot.domain.orders import DecisionId, OrderIntent, Purpose
from bot.domain.plan import HedgePlan, PlanAction, Withheld
from bot.domain.portfolio import Book
from bot.domain.proposal import Proposal, Proposals, ProposalState
from bot.domain.snapshot import Snapshot
from bot.hedging.stewardship.pacing import churn_obstacle, pacing_obstacle
from bot.hedging.stewardship.settings import Autonomy, StewardSettings
from bot.hedging.stewardship.steward import Steward
from tests.builders import FEES, NOON, Scenery, a_change, a_plan, a_sale, a_session, an_intent, buys, spread_legs

TEN = Scenery(condors=10)
SESSION = a_session()
RULES = StewardSettings()
APPROVE = StewardSettings(autonomy=Autonomy.APPROVE)
MINUTE = timedelta(minutes=1)


def _increase(quantity: int = 2, decision: str = "d-1") -> HedgePlan:
    intent = an_intent(spread_legs(21, 26), quantity=quantity)
    return replace(a_plan(intent, action=PlanAction.INCREASE), decision_id=DecisionId(decision))


def _permitted(
    plan: HedgePlan, settings: StewardSettings = RULES, snapshot: Snapshot | None = None, **changes: object
) -> HedgePlan:
    return Steward(settings, FEES).permit(plan, snapshot or TEN.snapshot(**changes))


# pacing -----------------------------------------------------------------------------------------------------------


def test_the_first_increase_of_a_session_goes() -> None:
    """Nothing has been done this week, and it is noon: no obstacle."""
    assert pacing_obstacle((), SESSION, NOON, RULES) == ""


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (SESSION.opens_at + 10 * MINUTE - timedelta(seconds=1), "first and last 10 minutes"),
        (SESSION.opens_at + 10 * MINUTE, ""),
        (SESSION.closes_at - 10 * MINUTE - timedelta(seconds=1), ""),
        (SESSION.closes_at - 10 * MINUTE, "first and last 10 minutes"),
    ],
)
def test_the_ends_of_a_session_are_quiet(at: datetime, words: str) -> None:
    """The tenth minute counts as begun, the last ten do not."""
    found = pacing_obstacle((), SESSION, at, RULES)
    assert words in found
    assert bool(found) == bool(words)


def test_without_a_session_nothing_grows() -> None:
    """Between two sessions there is no right to add."""
    assert pacing_obstacle((), None, NOON, RULES) == "no session is open"


def test_a_session_has_one_increase() -> None:
    """Two hours after an increase of the same day a second one is held back."""
    assert pacing_obstacle([a_change(NOON - timedelta(hours=2))], SESSION, NOON, RULES) == (
        "paced: this session has had its increase"
    )


def test_a_week_has_two_increases() -> None:
    """Thursday waits after Tuesday and Wednesday; the Monday after does not."""
    tuesday, wednesday = NOON, NOON + timedelta(days=1)
    thursday, monday = NOON + timedelta(days=2), NOON + timedelta(days=6)
    done = [a_change(tuesday), a_change(wednesday)]
    assert pacing_obstacle(done, a_session(thursday.date()), thursday, RULES) == (
        "paced: this week has had its increases"
    )
    assert pacing_obstacle(done, a_session(monday.date()), monday, RULES) == ""


@pytest.mark.parametrize(("minutes", "free"), [(59, False), (60, True)])
def test_an_hour_lies_between_a_change_and_the_next_increase(minutes: int, free: bool) -> None:  # noqa: FBT001
    """A sale counts as a change too."""
    found = pacing_obstacle([a_sale(NOON - minutes * MINUTE)], SESSION, NOON, RULES)
    assert found == ("" if free else "paced: the overlay changed less than 60 minutes ago")


def test_the_rest_of_an_increase_is_no_second_one() -> None:
    """Two of five had filled when the order died: the other three may be tried at once."""
    unfinished = a_change(NOON - MINUTE, ordered=5, filled=2)
    assert pacing_obstacle([unfinished], SESSION, NOON, RULES) == ""
    whole = a_change(NOON - MINUTE, ordered=5, filled=5)
    assert pacing_obstacle([whole], SESSION, NOON, RULES) != ""


@given(st.lists(st.integers(1, 4000), max_size=6), st.randoms())
def test_the_order_of_changes_does_not_matter(minutes_ago: list[int], chance: object) -> None:
    """Pacing reads times, not places."""
    changes = [a_change(NOON - each * MINUTE) for each in sorted(set(minutes_ago))]
    shuffled = list(changes)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert pacing_obstacle(shuffled, SESSION, NOON, RULES) == pacing_obstacle(changes, SESSION, NOON, RULES)


def test_pacing_holds_an_increase_and_never_a_sale() -> None:
    """After an increase the next one is withheld with its orders on record; an unwind passes at the same moment."""
    book = TEN.book(changes=(a_change(NOON - 5 * MINUTE),))
    held = _permitted(_increase(), book=book)
    assert (held.action, held.withheld, held.intents) == (PlanAction.HOLD, Withheld.PACING, ())
    assert held.withheld_intents == _increase().intents
    unwind = replace(_increase(), action=PlanAction.UNWIND)
    assert _permitted(unwind, book=book) is unwind


# churn ------------------------------------------------------------------------------------------------------------


def _churned(usd: Decimal | int, at: datetime = NOON - timedelta(hours=2)) -> Book:
    return TEN.book(changes=(a_change(at, Purpose.OVERLAY_EXIT, churn_usd=usd),))


def test_the_churn_budget_is_a_share_of_the_credit() -> None:
    """Exactly three percent of the credit may be paid in fees and half-widths, a cent more may not."""
    credit = sum((cohort.credit_usd for cohort in TEN.book().cohorts), Decimal(0))
    budget = Decimal("0.03") * credit
    assert churn_obstacle(_churned(budget), Decimal(0), RULES) == ""
    assert churn_obstacle(_churned(budget), Decimal("0.01"), RULES) == "the churn budget of this cycle is spent"


def test_a_cycle_begins_with_the_condors_that_are_held() -> None:
    """What was paid before the first of them was opened counts no more."""
    opened = min(cohort.opened_on for cohort in TEN.book().cohorts)
    first = datetime.combine(opened, NOON.timetz())
    assert churn_obstacle(_churned(100_000, first - timedelta(days=1)), Decimal(1), RULES) == ""
    assert churn_obstacle(_churned(100_000, first), Decimal(1), RULES) != ""


def test_without_condors_the_churn_budget_has_no_say() -> None:
    """There is no credit and no cycle: the cost cap refuses such an order by itself."""
    assert churn_obstacle(replace(_churned(100_000), cohorts=()), Decimal(1), RULES) == ""


def test_a_spent_budget_holds_an_increase() -> None:
    """The plan says which of the two holds it."""
    held = _permitted(_increase(), book=_churned(100_000))
    assert (held.withheld, held.intents) == (Withheld.CHURN, ())


def test_shares_churn_the_least_fee_of_their_order() -> None:
    """Ten shares pay ten cents by the piece, and a dollar for the order: it counts."""
    budget = Decimal("0.03") * sum((cohort.credit_usd for cohort in TEN.book().cohorts), Decimal(0))
    shares = a_plan(an_intent((buys(VXX),), quantity=10, limit="30.01"), action=PlanAction.INCREASE)
    for left, withheld in ((Decimal("1.00"), None), (Decimal("0.99"), Withheld.CHURN)):
        assert _permitted(shares, book=_churned(budget - left)).withheld is withheld


# autonomy ---------------------------------------------------------------------------------------------------------


def test_an_adviser_sends_nothing() -> None:
    """Increase and unwind are withheld, an exit is not."""
    settings = StewardSettings(autonomy=Autonomy.ADVISE)
    for action in (PlanAction.INCREASE, PlanAction.UNWIND):
        assert _permitted(replace(_increase(), action=action), settings).withheld is Withheld.ADVICE
    leaving = replace(_increase(), action=PlanAction.EXIT)
    assert _permitted(leaving, settings) is leaving


def test_a_plan_without_orders_is_nobodys_business() -> None:
    """A hold stays the hold that it was."""
    hold = a_plan()
    assert _permitted(hold, APPROVE) is hold


def test_on_its_own_the_bot_asks_only_where_the_plan_wants_a_person() -> None:
    """AUTO passes a plan, and turns one that names a reason into a proposal with that reason."""
    plan = _increase()
    assert _permitted(plan) is plan
    asking = _permitted(replace(plan, asks="the confirmations contradict"))
    assert asking.withheld is Withheld.PROPOSAL
    assert asking.proposal is not None
    assert "the confirmations contradict" in asking.proposal.because


# proposals --------------------------------------------------------------------------------------------------------


def _proposal(quantity: int = 2) -> Proposal:
    proposal = _permitted(_increase(quantity), APPROVE).proposal
    assert proposal is not None
    return proposal


def _with(proposal: Proposal, state: ProposalState = ProposalState.OPEN, minutes: float = 1) -> Snapshot:
    now = NOON + minutes * MINUTE
    return replace(TEN.snapshot(), now=now, proposals=Proposals(last=(proposal.answered(state),)))


def test_a_proposal_names_the_trade_and_lives_fifteen_minutes() -> None:
    """Contracts with signed ratios, the quantity, the decision's id as its own."""
    proposal = _proposal()
    assert proposal.proposal_id == "d-1"
    assert proposal.expires_at - proposal.made_at == 15 * MINUTE
    (order,) = proposal.orders
    assert (order.purpose, order.quantity, [ratio for _, ratio in order.legs]) == ("overlay_build", 2, [1, -1])


def test_while_a_proposal_waits_the_same_plan_asks_no_second_time() -> None:
    """The next plan holds, and makes no proposal."""
    held = _permitted(_increase(decision="d-2"), APPROVE, _with(_proposal()))
    assert (held.withheld, held.proposal) == (Withheld.PROPOSAL, None)
    assert held.reason.endswith("waits for a person")


@pytest.mark.parametrize(("wanted", "goes"), [(1, True), (2, True), (3, False)])
def test_an_approval_covers_the_trade_and_no_more_of_it(wanted: int, goes: bool) -> None:  # noqa: FBT001
    """Fewer contracts pass, more are asked for anew."""
    plan = _increase(wanted, "d-2")
    permitted = _permitted(plan, APPROVE, _with(_proposal(2), ProposalState.APPROVED))
    assert (permitted is plan) == goes
    assert (permitted.proposal is not None) == (not goes)


def test_an_approval_for_other_contracts_is_none() -> None:
    """Another strike is another trade."""
    intent = an_intent(spread_legs(22, 27), quantity=1)
    plan = a_plan(intent, action=PlanAction.INCREASE)
    assert _permitted(plan, APPROVE, _with(_proposal(), ProposalState.APPROVED)).proposal is not None


@pytest.mark.parametrize(("action", "asks"), [(PlanAction.MAINTAIN, False), (PlanAction.INCREASE, True)])
def test_only_the_overlay_asks_beside_a_proposal_that_waits(action: PlanAction, asks: bool) -> None:  # noqa: FBT001
    """A question about the base waits for its turn; one about the overlay goes first."""
    waiting = replace(_proposal(), orders=(replace(_proposal().orders[0], purpose="wing_roll"),))
    held = _permitted(replace(_increase(decision="d-2"), action=action), APPROVE, _with(waiting))
    assert held.withheld is Withheld.PROPOSAL
    assert (held.proposal is not None) == asks


@pytest.mark.parametrize(("minutes", "goes"), [(-141, False), (-140, True), (0, True), (244, True), (245, False)])
def test_a_purchase_for_the_base_waits_for_the_quiet_minutes_alone(minutes: int, goes: bool) -> None:  # noqa: FBT001
    """Not in the first and last ten minutes; whatever the overlay did a minute before, nothing else paces it."""
    now = NOON + timedelta(minutes=minutes)
    changes = (a_change(now - timedelta(minutes=1)), a_change(now - timedelta(minutes=2)))
    plan = replace(_increase(), action=PlanAction.MAINTAIN)
    permitted = _permitted(plan, now=now, book=TEN.book(changes=changes))
    assert (permitted is plan) == goes
    assert goes or permitted.withheld is Withheld.PACING


def test_an_approval_ends_with_its_proposal() -> None:
    """After fifteen minutes neither an approval nor an open proposal allows anything, and nobody is asked again."""
    for state in (ProposalState.APPROVED, ProposalState.OPEN):
        held = _permitted(_increase(decision="d-2"), APPROVE, _with(_proposal(), state, minutes=15))
        assert (held.withheld, held.proposal) == (Withheld.PROPOSAL, None)
        assert held.reason.endswith("asked no more in this session")


def test_a_veto_holds_for_the_session() -> None:
    """The rest of the day the same trade is neither made nor asked for; the next day it is asked for again."""
    vetoed = _with(_proposal(), ProposalState.VETOED, minutes=100)
    assert _permitted(_increase(decision="d-2"), APPROVE, vetoed).withheld is Withheld.VETO
    tomorrow = replace(vetoed, now=NOON + timedelta(days=1), session=a_session((NOON + timedelta(days=1)).date()))
    assert _permitted(_increase(decision="d-2"), APPROVE, tomorrow).proposal is not None


@pytest.mark.parametrize("state", [ProposalState.OPEN, ProposalState.VETOED])
def test_other_strikes_are_no_other_question(state: ProposalState) -> None:
    """The plan would now buy another strike: nobody is asked anew while a question waits, or after a no."""
    other = replace(a_plan(an_intent(spread_legs(22, 27), quantity=5), action=PlanAction.INCREASE))
    held = _permitted(other, APPROVE, _with(_proposal(), state))
    assert held.proposal is None
    assert held.withheld in (Withheld.PROPOSAL, Withheld.VETO)


def test_what_was_used_is_asked_for_again() -> None:
    """An approval is good for one trade."""
    used = _with(_proposal(), ProposalState.USED, minutes=100)
    assert _permitted(_increase(decision="d-2"), APPROVE, used).proposal is not None


@given(st.integers(1, 20), st.integers(1, 20))
def test_no_order_passes_that_was_not_approved(approved: int, wanted: int) -> None:
    """Whatever sizes are asked and wanted, what passes is at most what was approved."""
    plan = _increase(wanted, "d-2")
    passed = _permitted(plan, APPROVE, _with(_proposal(approved), ProposalState.APPROVED)).intents
    assert sum(intent.quantity for intent in passed) <= approved


# settings and values ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"increases_per_session": 3}, "below increases_per_session"),
        ({"increases_per_session": 0}, "increases_per_session"),
        ({"proposal_life_s": 0.0}, "proposal_life_s"),
        ({"least_minutes_between": -1.0}, "least_minutes_between"),
        ({"max_churn_frac": 1.5}, "max_churn_frac"),
        ({"max_churn_frac": float("nan")}, "max_churn_frac"),
    ],
)
def test_settings_without_a_meaning_are_refused(changes: dict[str, float], words: str) -> None:
    """Each with the name of the number that is wrong."""
    with pytest.raises(InvalidValueError, match=words):
        replace(RULES, **changes)  # type: ignore[arg-type]


def test_a_week_may_have_as_many_increases_as_one_session() -> None:
    """One a session and one a week: the second session of it simply has none."""
    assert replace(RULES, increases_per_session=1, increases_per_week=1).increases_per_week == 1


def _intents() -> tuple[OrderIntent, ...]:
    return _increase().intents


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"orders": ()}, "at least one order"),
        ({"expires_at": NOON}, "expires after it is made"),
        ({"because": ""}, "because"),
        ({"made_at": datetime(2026, 10, 20, 12)}, "made_at"),  # noqa: DTZ001 - a naive time is what is refused
    ],
)
def test_a_proposal_of_nothing_is_refused(changes: dict[str, object], words: str) -> None:
    """No orders, no life, no reason, no zone."""
    with pytest.raises(InvalidValueError, match=words):
        replace(_proposal(), **changes)  # type: ignore[arg-type]


def test_a_proposal_knows_its_trade_whatever_became_of_it() -> None:
    """Asked, vetoed or expired, it was about these contracts; a sale of them is another trade."""
    proposal = _proposal()
    assert proposal.answered(ProposalState.VETOED).is_about(_intents())
    sale = replace(_intents()[0], purpose=Purpose.OVERLAY_UNWIND)
    assert not proposal.is_about((sale,))


def test_what_replaces_a_harvested_spread_is_no_increase() -> None:
    """Built, harvested and built again within the hour: the second build waits for nothing and counts for nothing."""
    first = a_change(NOON - timedelta(hours=2))
    harvested = a_change(NOON - MINUTE, Purpose.OVERLAY_EXIT)
    assert pacing_obstacle([first, harvested], SESSION, NOON, RULES) == ""
    rebuilt = a_change(NOON)
    tomorrow = NOON + timedelta(days=1)
    assert pacing_obstacle([first, harvested, rebuilt], a_session(tomorrow.date()), tomorrow, RULES) == ""
    assert pacing_obstacle([first, a_change(NOON)], a_session(tomorrow.date()), tomorrow, RULES) == (
        "paced: this week has had its increases"
    )


def test_an_exit_that_sold_nothing_makes_no_room_for_an_increase() -> None:
    """Its order died unfilled: what is held is still held, and the session has had its increase."""
    first = a_change(NOON - timedelta(hours=2))
    unsold = a_change(NOON - MINUTE, Purpose.OVERLAY_EXIT, filled=0)
    assert pacing_obstacle([first, unsold], SESSION, NOON, RULES) == "paced: this session has had its increase"
