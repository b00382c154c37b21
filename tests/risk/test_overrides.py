"""The override (C15): signed for one order and its known limits, once, for minutes; everything else is refused."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.command import Proof, Role
from bot.domain.decision import Approved, Checked, Refused, Rule, Verdict
from bot.domain.errors import InvalidValueError
from bot.domain.mode import TradingMode
from bot.domain.orders import DecisionId, IntentId, OrderIntent
from bot.domain.overrides import (
    MOST_REMEMBERED,
    NEVER_WAIVED,
    REMEMBERED_FOR,
    Ground,
    Override,
    Refusal,
    Refusals,
    Waivers,
    can_be_waived,
    content_digest,
)
from bot.domain.snapshot import Snapshot
from risk.authority import AuthorityRules, AwaitKey, Denial, Denied, Waive, judge
from risk.gate import Gate
from tests.builders import FEES, a_plan, buys, sells, spread_legs
from tests.risk.attacks import (
    NOW,
    OVERRIDE_ATTACKS,
    RULES,
    SECOND,
    a_refusal,
    after_a_refusal,
    an_override,
    naming,
)
from tests.risk.scenes import LIMITS, a_build, calm_noon, rules_against, verdict_on

TIGHT = replace(LIMITS, max_vix_delta_frac=Decimal("0.0001"), max_vega_frac=Decimal("0.00001"))
"""Limits that the reference sleeve is beyond already."""
OVER = frozenset({Rule.VEGA, Rule.VIX_DELTA})
GROUND = Ground(mode=TradingMode.NORMAL, epoch=3, reconciling=False)


def refused_at(snapshot: Snapshot, intent: OrderIntent | None = None) -> Refusal:
    """The reference order as the tight limits refuse it."""
    order = a_build(2) if intent is None else intent
    verdict = verdict_on(order, snapshot, TIGHT)
    assert isinstance(verdict, Refused)
    return Refusal(refused=verdict, plan=a_plan(order), at=snapshot.now)


def signed(refusal: Refusal, **changes: Any) -> Override:
    """An override of everything that refused the order and may be waived."""
    whole: dict[str, Any] = {
        "refusal": refusal,
        "rules": frozenset(refusal.waivable),
        "key_id": "anna",
        "reason": "I have looked at it",
        "until": refusal.at + timedelta(minutes=15),
        "epoch": 3,
        "digest": refusal.digest,
    }
    return Override(**{**whole, **changes})


def judged(override: Override | None, intent: OrderIntent | None = None, **changes: Any) -> Verdict:
    """The tight gate's answer under an override."""
    snapshot = replace(calm_noon(), override=override, **changes)
    return Gate(TIGHT, FEES).review(a_plan(intent or a_build(2)), snapshot)[0]


# who may ----------------------------------------------------------------------------------------------------------


@pytest.mark.control("C15")
@pytest.mark.control("C42")
@pytest.mark.parametrize(("denial", "command", "situation"), OVERRIDE_ATTACKS)
def test_an_override_that_lacks_one_thing_is_denied(
    denial: Denial, command: dict[str, Any], situation: dict[str, Any]
) -> None:
    """It loosens: all that a resume proves, role risk, the very order, and rules that may be waived."""
    assert judge(an_override(**command), after_a_refusal(**situation), RULES) == Denied(code=denial)


@pytest.mark.control("C15")
def test_an_override_with_everything_right_waives() -> None:
    """One rule or several, up to a quarter of an hour after the refusal."""
    both = frozenset({Rule.VEGA, Rule.DAY_SLIPPAGE})
    found = judge(an_override(), after_a_refusal(), RULES)
    assert found == Waive(refusal=a_refusal(), rules=both, digest=a_refusal().digest)
    old = a_refusal(NOW - 900 * SECOND)
    found = judge(an_override(**naming(rules="vega")), after_a_refusal(refusals=Refusals(held=(old,))), RULES)
    assert found == Waive(refusal=old, rules=frozenset({Rule.VEGA}), digest=old.digest)


@pytest.mark.control("C15")
@given(
    proof=st.sampled_from(Proof),
    roles=st.frozensets(st.sampled_from(Role)),
    epoch=st.integers(3, 5),
    challenge=st.sampled_from(["c", "C", ""]),
    retained=st.booleans(),
    fresh=st.booleans(),
    may=st.booleans(),
)
def test_no_override_is_granted_with_one_thing_missing(
    proof: Proof, roles: frozenset[Role], epoch: int, challenge: str, *, retained: bool, fresh: bool, may: bool
) -> None:
    """Whatever else is right: granted exactly when everything is."""
    command = an_override(
        proof=proof, roles=roles, kill_epoch=epoch, challenge=challenge, retained=retained, seq_is_fresh=fresh
    )
    good = proof is Proof.SIGNED and Role.RISK in roles and (epoch, challenge) == (4, "c") and not retained and fresh
    found = judge(command, after_a_refusal(may_override=may), RULES)
    assert isinstance(found, Waive) == (good and may)


@pytest.mark.control("C15")
def test_an_override_loosens_so_that_two_keys_are_asked_where_two_are_required() -> None:
    """One signature alone waits for the second."""
    rules = replace(RULES, keys_required=2)
    assert judge(an_override(), after_a_refusal(), rules) == AwaitKey()


def test_an_override_lasts_no_longer_than_a_quarter_of_an_hour() -> None:
    """Configuration may set less, never more, and never nothing."""
    assert AuthorityRules(override_life_s=60.0).override_life_s == 60.0
    for seconds, said in (
        (900.1, "may be lowered, never raised above 900.0, was 900.1"),
        (0.0, "must be positive"),
        (float("nan"), "must be finite"),
    ):
        with pytest.raises(InvalidValueError, match=f"^override_life_s {said}"):
            AuthorityRules(override_life_s=seconds)


# what it does ------------------------------------------------------------------------------------------------------


@pytest.mark.control("C15")
def test_the_gate_lets_the_very_order_through_and_keeps_the_failure_on_record() -> None:
    """The waived rules stand as failed and overridden, with their figures; all others have passed."""
    refusal = refused_at(calm_noon())
    assert rules_against(verdict_on(a_build(2), limits=TIGHT)) == OVER
    verdict = judged(signed(refusal))
    assert isinstance(verdict, Approved)
    over = [checked for checked in verdict.checks if checked.overridden]
    assert {checked.rule for checked in over} == OVER
    assert all(not checked.passed and not checked.refuses for checked in over)
    assert [(one.found, one.limit) for one in over] == [
        (one.found, one.limit) for one in refusal.refused.checks if one.rule in OVER
    ]


@pytest.mark.control("C15")
@pytest.mark.parametrize(
    ("changes", "moment"),
    [
        ({"until": calm_noon().now - timedelta(seconds=1)}, {}),
        ({"epoch": 2}, {}),
        ({"rules": frozenset({Rule.VEGA})}, {}),
        ({}, {"kill_epoch": 4}),
        ({}, {"mode": TradingMode.REDUCE_ONLY}),
        ({}, {"mode": TradingMode.HALT}),
        ({}, {"reconciling": True}),
        ({"digest": "0" * 64}, {}),
    ],
)
def test_an_override_that_does_not_fit_the_moment_waives_nothing(
    changes: dict[str, Any], moment: dict[str, Any]
) -> None:
    """Expired, of another epoch, for fewer rules, in a stricter mode, while books are compared, of another digest."""
    verdict = judged(signed(refused_at(calm_noon()), **changes), **moment)
    assert isinstance(verdict, Refused)
    assert rules_against(verdict) & OVER


@pytest.mark.control("C15")
@given(
    edit=st.sampled_from(["id", "quantity", "limit", "cost", "legs", "side", "purpose"]),
    more=st.integers(1, 3),
)
def test_an_edited_order_is_another_order(edit: str, more: int) -> None:
    """Another id, size, price, cost, contract, side or purpose: the override is not for it."""
    order = a_build(2)
    long, short = (leg.instrument for leg in order.legs)
    edited = {
        "id": replace(order, intent_id=IntentId(f"i-{more + 1}")),
        "quantity": replace(order, quantity=2 + more),
        "limit": replace(order, limit=order.limit + Decimal("0.05") * more),
        "cost": replace(order, worst_cost_usd=Decimal(more)),
        "legs": replace(order, legs=spread_legs("21", str(26 + more))),
        "side": replace(order, legs=(sells(long), buys(short))),
        "purpose": replace(order, purpose=a_build().purpose.BASE_BUILD),
    }[edit]
    override = signed(refused_at(calm_noon(), order))
    assert override.covers(order)
    assert not override.covers(edited)
    assert isinstance(judged(override, edited), Refused)


@pytest.mark.control("C15")
@pytest.mark.control("C19")
def test_what_fails_closed_is_never_overridden() -> None:
    """A waived rule whose figure has become unknown stands in the way again: without quotes nobody knows vega."""
    override = signed(refused_at(calm_noon()))
    verdict = judged(override, quotes={})
    assert isinstance(verdict, Refused)
    assert rules_against(verdict) >= OVER
    assert not any(checked.overridden for checked in verdict.checks)


@pytest.mark.control("C15")
def test_only_a_failure_above_a_known_limit_can_be_waived() -> None:
    """Passed, failed closed, in words, or of a rule that is never waived: not."""
    over = Checked.at_most(rule=Rule.VEGA, found=Decimal(2), limit=Decimal(1))
    assert can_be_waived(over)
    assert can_be_waived(over._replace(found=2.5, limit=1))
    for changes in (
        {"passed": True},
        {"found": None},
        {"limit": None},
        {"found": "too much"},
        {"found": True},
        {"found": float("inf")},
        {"limit": Decimal("NaN")},
        *({"rule": rule} for rule in NEVER_WAIVED),
    ):
        assert not can_be_waived(over._replace(**changes)), changes


@pytest.mark.control("C15")
def test_the_hard_rules_are_never_waived() -> None:
    """C1, C20, C21 and C23 among them; whoever adds a rule decides on which side it stands."""
    assert {Rule.HEDGE_COST_CAP_COHORT, Rule.HEDGE_COST_CAP_BOOK, Rule.SHORT_CALLS, Rule.ACCOUNT} <= NEVER_WAIVED
    assert {Rule.TRADING_MODE, Rule.LOCKS, Rule.RECONCILED, Rule.DUPLICATES} <= NEVER_WAIVED
    assert {Rule.WELL_FORMED, Rule.PERMISSION, Rule.QUOTE_QUALITY} <= NEVER_WAIVED
    assert len(NEVER_WAIVED) == 11


def test_an_override_names_rules_that_refused() -> None:
    """None, one that did not refuse, nobody's key, or no reason: no override."""
    refusal = a_refusal()
    for changes in (
        {"rules": frozenset()},
        {"rules": frozenset({Rule.MARGIN_USE})},
        {"rules": frozenset({Rule.VEGA, Rule.VIX_DELTA})},
        {"key_id": ""},
        {"reason": ""},
        {"digest": ""},
    ):
        with pytest.raises(InvalidValueError):
            signed(refusal, **changes)


def test_the_plan_of_an_override_asks_for_the_same_order_alone() -> None:
    """The same id and content, bound to the decision that judges it; the reason names who signed."""
    refusal = refused_at(calm_noon())
    plan = signed(refusal).plan(DecisionId("d-2"))
    (intent,) = plan.intents
    assert (intent.intent_id, intent.decision_id, plan.decision_id) == (refusal.intent.intent_id, "d-2", "d-2")
    assert signed(refusal).intent_id == refusal.intent.intent_id
    assert content_digest(intent) == refusal.digest
    assert "override of anna: I have looked at it" in plan.reason
    assert (plan.candidates, plan.withheld, plan.proposal) == ((), None, None)


# what is remembered -------------------------------------------------------------------------------------------------


def waiving(override: Override | None = None) -> Waivers:
    """What is held once the reference order was refused, with an override granted."""
    refusal = refused_at(calm_noon())
    held = Waivers().decided(refusal.plan, (refusal.refused,), refusal.at, used=False)
    return held if override is None else held.granted(override, calm_noon().now, GROUND)


@pytest.mark.control("C15")
def test_one_judgement_uses_an_override_up_whatever_its_outcome() -> None:
    """Granted once, one at a time, gone with the decision that used it."""
    override = signed(refused_at(calm_noon()))
    held = waiving(override)
    assert held.override is override
    assert held.granted(signed(refused_at(calm_noon()), reason="again"), calm_noon().now, GROUND) is held
    assert held.decided(a_plan(), (), calm_noon().now, used=False).override is override
    assert held.decided(a_plan(), (), calm_noon().now, used=True).override is None


@pytest.mark.control("C15")
@pytest.mark.parametrize(
    ("later_s", "ground", "why"),
    [
        (901, GROUND, "its time is over"),
        (0, replace(GROUND, epoch=4), "a kill came after it"),
        (0, replace(GROUND, mode=TradingMode.HALT), "the mode is HALT"),
        (0, replace(GROUND, mode=TradingMode.REDUCE_ONLY), "the mode is REDUCE_ONLY"),
        (0, replace(GROUND, reconciling=True), "the books are being compared"),
    ],
)
def test_a_kill_a_stricter_mode_a_lost_link_and_time_end_it(later_s: int, ground: Ground, why: str) -> None:
    """For good: what comes after does not bring it back; and where it would not count it is not granted."""
    override = signed(refused_at(calm_noon()))
    now = calm_noon().now + timedelta(seconds=later_s)
    assert override.objection(now, ground) == why
    ended = waiving(override).standing(now, ground)
    assert ended.override is None
    assert ended.standing(calm_noon().now, GROUND).override is None
    assert waiving().granted(override, now, ground).override is None


def test_an_override_that_counts_stands() -> None:
    """Up to its last moment."""
    override = signed(refused_at(calm_noon()))
    held = waiving(override)
    assert held.standing(override.until, GROUND) is held


def test_an_order_that_is_refused_again_keeps_the_id_that_was_told_first() -> None:
    """A plan that comes back every half minute, with new ids, is one refusal; its figures are the latest."""
    first, again = refused_at(calm_noon()), refused_at(calm_noon(), a_build(2, intent_id="i-2"))
    other = refused_at(calm_noon(), a_build(3, intent_id="i-3"))
    later = calm_noon().now + timedelta(minutes=5)
    held = Refusals().after(first.plan, (first.refused,), first.at)
    held = held.after(other.plan, (other.refused,), later)
    held = held.after(again.plan, (replace(again.refused, checks=again.refused.checks[:3]),), later)
    assert [one.intent.intent_id for one in held.known(later)] == ["i-1", "i-3"]
    latest = held.known(later)[0]
    assert (latest.at, len(latest.refused.checks)) == (first.at, 3)
    assert held.named("i-2", later) is None


def test_a_refusal_is_forgotten_after_a_quarter_of_an_hour_and_beyond_a_number() -> None:
    """Neither an old one nor the seventeenth can be named; an approval is no refusal."""
    held = Refusals()
    for number in range(MOST_REMEMBERED + 1):
        one = refused_at(calm_noon(), a_build(2 + number, intent_id=f"i-{number}"))
        held = held.after(one.plan, (one.refused,), one.at)
    now = calm_noon().now
    assert (held.named("i-0", now), len(held.known(now))) == (None, MOST_REMEMBERED)
    assert held.named("i-1", now + REMEMBERED_FOR) is not None
    assert held.named("i-1", now + REMEMBERED_FOR + timedelta(seconds=1)) is None
    fine = verdict_on(a_build())
    assert isinstance(fine, Approved)
    assert held.after(a_plan(), (fine,), now + REMEMBERED_FOR + timedelta(seconds=1)).held == ()
