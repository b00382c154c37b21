"""The roll of a wing in words: what is moved from where to where, why, at what price, and what came of it (M8)."""

from dataclasses import replace
from decimal import Decimal

from bot.domain.instrument import Right
from bot.domain.orders import Filled, OrderIntent, Purpose
from bot.domain.plan import Candidate, HedgePlan, PlanAction
from bot.report.explain import explained
from bot.report.explaining.opening import decided_of
from bot.report.explaining.parts import Explanation
from bot.report.explaining.trail import trail_of
from bot.report.page import summary_of
from bot.report.story import Told, gather
from tests.bot.report.explaining_rows import (
    FIRST,
    a_row,
    approved,
    asking,
    calm,
    decided,
    filled_at,
    plan_of,
    step,
)
from tests.builders import NOVEMBER, an_intent, an_option, buys, sells

OLD, NEW, FAR = (an_option(strike, NOVEMBER, trading_class="SPXW", right=Right.PUT) for strike in (6385, 6380, 6375))


def _roll(limit: str = "-0.35") -> OrderIntent:
    intent = an_intent(
        (sells(OLD), buys(NEW)), quantity=20, limit=limit, cost="56", purpose=Purpose.WING_ROLL, intent_id="cccc3333-0"
    )
    return replace(intent, decision_id=FIRST, exposure_usd_per_point=0.0)


def _candidate(bought: object = NEW, rejected: str = "") -> Candidate:
    return Candidate(
        name="roll",
        legs=(sells(OLD), buys(bought)),  # type: ignore[arg-type]  # an option
        limit=Decimal("-0.35"),
        exposure_usd_per_point=0.0,
        cost_usd=Decimal("2.80"),
        stress_payoff_usd=0.0,
        quantity=20,
        rejected=rejected,
    )


def _plan(*intents: OrderIntent) -> HedgePlan:
    return plan_of(
        *(intents or (_roll(),)),
        action=PlanAction.WIDEN,
        reason="the sleeve has carried the book out of its band: a wing goes further out",
        candidates=(_candidate(), _candidate(FAR, "the put wing would grow beyond its share of this cycle")),
        notes=("20 condors, delta -2954 to -2676 USD per +1 % SPX",),
        shift=None,
        sizing=None,
    )


def _explained(rows: list[Told]) -> Explanation:
    return explained(trail_of(rows, FIRST))


def _words(explanation: Explanation, name: str) -> str:
    return " ".join(next(part for part in explanation.parts if part.name == name).words)


def test_the_opening_tells_the_roll_with_its_price() -> None:
    """From which strike to which, for how many condors, and that it brings money."""
    rows = decided(_plan(), approved(_roll()), signal=calm())
    explanation = _explained(rows)
    assert "decided to move a wing of the condors further out" in explanation.summary
    assert "roll 20 x SPXW 2026-11-18 long put from 6385 to 6380 at 0.35 received or better" in explanation.summary
    assert "carried the book out of its band" in explanation.summary
    assert decided_of(trail_of(rows, FIRST)) == "widened"
    paid = _explained(decided(_plan(_roll("0.10")), approved(_roll("0.10")), signal=calm()))
    assert "at 0.10 paid or better" in paid.summary


def test_each_part_speaks_of_wings() -> None:
    """Size, place and candidates: condors, no expiry chosen, and how the choice was made."""
    explanation = _explained(decided(_plan(), approved(_roll()), signal=calm()))
    assert "long put from 6385 to 6380: 20 condors" in _words(explanation, "size")
    assert "delta -2954 to -2676" in _words(explanation, "size")
    assert "a wing stays in the expiry of its condors" in _words(explanation, "place")
    candidates = _words(explanation, "candidates")
    assert "one condor's wing" in candidates
    assert "the least loss among the rolls" in candidates


def test_a_proposed_roll_is_told_as_a_question() -> None:
    """What a person is asked names the wing and the most condors."""
    explanation = _explained(decided(asking(_plan()), signal=calm()))
    assert "asked a person whether to roll 20 x SPXW 2026-11-18 long put from 6385 to 6380" in explanation.summary
    assert "roll up to 20 x SPXW 2026-11-18 long put from 6385 to 6380 (wing roll)" in _words(explanation, "restraint")


def test_what_came_of_a_roll_is_told_against_its_limit() -> None:
    """Filled at 0.40 received: five cents better than the limit, on twenty condors."""
    rows = decided(_plan(), approved(_roll()), signal=calm())
    rows += filled_at("-0.40", _roll()) + step(_roll(), Filled(), filled=20)
    outcome = _words(_explained(rows), "outcome")
    assert "filled whole, 20 of 20 filled" in outcome
    assert "Received 0.40 points a unit on average, 0.05 points (100.00 USD in all) better than the limit" in outcome


def test_the_report_marks_rolls_and_tells_credits_and_the_regime() -> None:
    """A completed roll is a mark of its own; a change of the credit is listed, and so is the last regime."""
    rows = decided(_plan(), approved(_roll()), signal=calm()) + step(_roll(), Filled(), filled=20)
    rows += [
        a_row("credit_changed", cohort="SPXW:2026-11-18", credit_usd="26145.80", words="26145.80 of credit"),
        a_row("sample_taken", vix_regime="balanced"),
        a_row("sample_taken", vix_regime=None),
    ]
    story = gather(rows)
    assert [mark.label for mark in story.marks if mark.label != "CALM"] == ["wing rolled"]
    assert [row.kind for row in story.standing] == ["credit_changed"]
    assert ("VIX regime, for new condors", "balanced") in summary_of(story)
