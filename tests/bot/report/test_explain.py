"""An explanation says what the journal holds of a decision, what it does not hold, and nothing else."""

import copy
import doctest
import json
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import InvalidValueError
from bot.domain.evidence import Stance
from bot.domain.orders import Cancelled, Filled, Partial, Purpose, Rejected, Sent, Unknown, Working
from bot.domain.plan import HedgePlan, PlanAction, Withheld
from bot.domain.readings import SignalState
from bot.domain.releases import Confidence, Release, ReleaseKind
from bot.domain.shifts import Direction, Shift
from bot.report.explain import as_facts, decision_named, explained
from bot.report.explaining import figures, gate
from bot.report.explaining.figures import clock, listed, moment_of, number_of, per_point, plain, sentence, text_of, usd
from bot.report.explaining.gate import failure_words
from bot.report.explaining.parts import Grid, Part
from bot.report.explaining.terminal import as_text
from bot.report.explaining.trades import name_of, order_words, verb_of
from bot.report.explaining.trail import Trail, trail_of
from bot.report.story import Told
from tests.bot.report.explaining_rows import (
    FIRST,
    SECOND,
    a_blowout,
    a_candidate,
    a_row,
    after,
    an_order_for,
    answered,
    approved,
    asking,
    calm,
    commission,
    decided,
    filled_at,
    plan_of,
    refused,
    step,
)
from tests.builders import DECEMBER, NOON, NOVEMBER, a_future, a_signal, buys, mirrored, spread_legs

ORDER = an_order_for()
SAMPLE = a_row("sample_taken", -5, rvx=24.31, vix=17.62, spx=6771.06, rut=2468.97)


def trail(rows: Sequence[Told], decision: str = FIRST) -> Trail:
    """The rows of one decision."""
    found = trail_of(rows, decision)
    assert found is not None
    return found


def text(rows: Sequence[Told], decision: str = FIRST) -> str:
    """The explanation as a terminal shows it, on one line: where it breaks is another matter."""
    return " ".join(as_text(explained(trail(rows, decision)), 400).split())


def part(rows: Sequence[Told], name: str, decision: str = FIRST) -> Part:
    """One part of the explanation."""
    return next(one for one in explained(trail(rows, decision)).parts if one.name == name)


def bought() -> list[Told]:
    """An increase that was sent and filled whole, a cent and a half better than its limit, over two executions."""
    return [
        SAMPLE,
        *decided(plan_of(ORDER), approved(ORDER)),
        *step(ORDER, Sent()),
        *step(ORDER, Working(), 1),
        *filled_at("0.58", ORDER, units=6, minutes=2),
        *step(ORDER, Partial(), 2, filled=6),
        *filled_at("0.57", ORDER, units=3, minutes=3, exec_id="e-2"),
        *step(ORDER, Filled(), 3, filled=9),
        *commission("10.13", minutes=3),
        *commission("8.51", "e-2", minutes=3),
    ]


# what was decided ---------------------------------------------------------------------------------------------------


def test_an_increase_is_told_from_its_signal_to_its_fees() -> None:
    """When in both times, what, why with figures; then levels, evidence, size, place, candidates, gate and outcome."""
    words = text(bought())
    for claim in (
        "On 2026-10-20 12:00:00 New York (16:00:00 UTC) the bot decided to increase the overlay (buy 9 x VIX",
        "spread 7.00 points, 27.3 % above its baseline of 5.50, overlay 0.0 with a target of 80.7 USD per point",
        "The signal was blown out",
        "The bot looked because of this: signal changed.",
        "The episode began on 2026-10-20 (today); its widest excess so far was +27.3 %.",
        "Levels in the last sample before it, 11:55:00 New York: RVX 24.31, VIX 17.62, SPX 6,771.06, RUT 2,468.97.",
        "Conviction of supports: relative strength x 100% (read on 2026-10-20).",
        "the full increment counts: f = 11.4 % of the base.",
        "relative strength +0.50 2026-10-20 RSI of SPX 45.8, of RUT 20.7",
        "breadth divergence abstains no advances and declines are delivered",
        "9 units of 9.1 USD per point each, +81.9 USD per point in all: the overlay would be 81.9, 11.6 % of the base.",
        "Settlement 2026-11-18: the base choice, no step. It settles in 29 days.",
        "VIX 2026-11-18 22/27 call spread 9 0.59 61.60 9.1 98 0.63 chosen",
        "VIX 2026-11-18 21/26 call spread 9 0.59 61.60 9.1 98 0.63 the quotes are too wide",
        "Nothing: what was wanted went before the gate.",
        "All 3 checks passed.",
        "hedge cost cap book passed 5,090.80 10,480.00 5,389.20 USD; book",
        "account passed allowed expected: allowed, ready, above zero",
        "filled whole, 9 of 9 filled.",
        "Paid 0.58 points a unit on average, 0.01 points (12.00 USD in all) better than the limit.",
        "Fees: 18.64 USD.",
        "2026-10-20 12:02:00 execution 6 paid at 0.58, 0.01 points better",
    ):
        assert claim in words


def test_the_gap_the_band_and_the_room_are_told_with_what_the_journal_lacks() -> None:
    """Target less held and working; the band and the ceiling are the methodology's and named as such."""
    rows = decided(plan_of(ORDER, held_usd_per_point=30.0, working_usd_per_point=10.0), approved(ORDER))
    size = part(rows, "size")
    assert size.figures["gap"] == pytest.approx(80.68 - 40.0)
    assert "The overlay was 40.7 USD per point of spot VIX short of its target." in size.words
    assert "No-trade band: 14.1 USD per point" in " ".join(size.words)
    assert "outside the former (2 % of the base as shipped; the setting is not in the journal)" in " ".join(size.words)
    assert "Room: at most 101.4 USD per point, up to the ceiling of 141.4" in " ".join(size.words)


def test_a_hold_within_the_band_says_that_the_gap_was_inside() -> None:
    """Nothing was wanted, and no order stands anywhere."""
    reason = "the overlay stands at its target, within the no-trade band"
    rows = decided(plan_of(action=PlanAction.HOLD, reason=reason, held_usd_per_point=75.0, candidates=(), shift=None))
    words = text(rows)
    assert "the bot held: it changed nothing - the overlay stands at its target, within the no-trade band" in words
    assert "the gap was inside the former" in words
    assert "No contracts were wanted." in words
    assert "No expiry was chosen: nothing was to be bought." in words
    assert "None were looked at: nothing was to be bought." in words
    assert "Nothing: no order was wanted." in words
    assert "The gate was not asked: there was no order to judge." in words
    assert "Nothing was sent. It is the last decision in the journal." in words


def test_a_paced_hold_names_the_pacing_and_what_it_kept_back() -> None:
    """Its cause, its own words, the order, and the decision that came next."""
    plan = plan_of(ORDER).holding_back(Withheld.PACING, "paced: this session has had its increase")
    words = text([*decided(plan), *decided(plan_of(), decision=SECOND, minutes=30)])
    assert (
        "the bot held back what it wanted to do (buy 9 x VIX 2026-11-18 22/27 call spread at 0.59 or better)" in words
    )
    assert "Pacing, by which the overlay grows only so often" in words
    assert "in its own words: paced: this session has had its increase." in words
    assert "Held back: buy 9 x VIX 2026-11-18 22/27 call spread at 0.59 or better." in words
    assert "22/27 call spread 9 0.59 61.60 9.1 98 0.63 chosen" in words
    assert "Nothing was sent. The next decision was bbbb2222 at 2026-10-20 12:30:00." in words


@pytest.mark.parametrize(
    ("cause", "claim"),
    [
        (Withheld.CHURN, "The churn budget, which fees and half-widths of this cycle have used up"),
        (Withheld.ADVICE, "Advice only, by which the bot decides and sends nothing"),
        (Withheld.VETO, "A person, who said no"),
    ],
)
def test_every_cause_has_its_words(cause: Withheld, claim: str) -> None:
    """Churn, advice and veto."""
    assert claim in text(decided(plan_of(ORDER).holding_back(cause, "in short")))


STANCES = [
    (Stance.SUPPORTS, "It supports the blowout, so the full increment counts: f = 11.4 % of the base."),
    (Stance.WEAK, "It is weak: the least increment, 11.4 % of the base, is wanted."),
    (Stance.UNKNOWN, "It is unknown: the least increment, 11.4 % of the base, is wanted."),
    (Stance.CONTRADICTS, "nothing without a person, who is asked for the least increment, 11.4 % of the base."),
]


@pytest.mark.parametrize(("stance", "claim"), STANCES)
def test_every_stance_says_what_it_did_to_the_size(stance: Stance, claim: str) -> None:
    """The full f, the least increment, or a person."""
    assert claim in text(decided(plan_of(ORDER), approved(ORDER), signal=a_blowout(stance)))


def test_a_weak_conviction_that_asks_says_so() -> None:
    """Where the profile asks instead of taking the least."""
    plan = plan_of(ORDER, reason="the dispersion is blown out; the conviction is weak")
    words = text(decided(asking(plan), signal=a_blowout(Stance.WEAK)))
    assert "It is weak: a person is asked for the least increment, 11.4 % of the base." in words


def test_a_conviction_changes_nothing_outside_a_blowout_or_at_an_exit() -> None:
    """UNDEFINED within an episode, and what nears its end."""
    undefined = replace(a_blowout(), state=SignalState.UNDEFINED, why="the feed is not alive")
    words = text(decided(plan_of(action=PlanAction.HOLD), signal=undefined))
    assert "It changed nothing here: only a blowout adds to the overlay." in words
    assert "Why undefined: the feed is not alive." in words
    assert "While the signal is undefined the target is kept for the record only" in words
    assert "what nears its end is sold whatever it says" in text(decided(plan_of(action=PlanAction.EXIT)))


@pytest.mark.parametrize(
    ("changes", "claim"),
    [
        ({"spread": None, "baseline": None, "excess": None}, "There was no spread"),
        ({"baseline": None, "excess": None}, "spread 7.00 points, no baseline (excess not in the journal)"),
        ({"excess": None}, "spread 7.00 points, baseline 5.50 points"),
        ({"excess": -0.25}, "spread 7.00 points, 25.0 % below its baseline of 5.50 (excess -25.0 %)"),
        ({"own": ("RVX",)}, "RVX had a level of our own, from its options"),
        ({"own": ("RVX", "VIX")}, "RVX and VIX had levels of our own, from its options"),
        ({"conviction": None}, "nothing had been delivered to read them from"),
        ({"conviction": None, "episode_began_on": None}, "there is a conviction only while an episode lasts"),
    ],
)
def test_the_signal_tells_what_it_had(changes: dict[str, Any], claim: str) -> None:
    """Each figure that does not exist is told as missing."""
    assert claim in text(decided(plan_of(), signal=replace(a_blowout(), **changes)))


def test_an_interrupted_episode_without_conviction_says_that_the_journal_has_none() -> None:
    """UNDEFINED in an episode whose confirmations were never read."""
    signal = replace(a_signal(SignalState.UNDEFINED), episode_began_on=NOON.date())
    assert "The journal holds no conviction of this episode." in text(decided(plan_of(), signal=signal))


def test_levels_of_another_day_are_not_levels() -> None:
    """A sample of yesterday says nothing of today."""
    rows = [a_row("sample_taken", -24 * 60, rvx=20.0, vix=15.0), *decided(plan_of())]
    assert "no sample was taken before it on that day" in text(rows)


def test_levels_that_a_sample_did_not_have_are_named() -> None:
    """Right after the open some are missing: told by name, never as a zero."""
    rows = [a_row("sample_taken", -5, rvx=24.31, vix=None, spx=6771.06), *decided(plan_of())]
    assert "11:55:00 New York: RVX 24.31, SPX 6,771.06, none yet of VIX and RUT." in text(rows)


def test_a_sample_after_the_decision_is_not_its_level() -> None:
    """Only what was known when it was decided."""
    rows = [*decided(plan_of()), a_row("sample_taken", 1, rvx=99.0, vix=88.0)]
    assert "99.00" not in text(rows)


SHIFTS = [
    (
        Shift(
            base=NOVEMBER, settlement=NOVEMBER, direction=Direction.NONE, because="stay", uncovered=tuple(ReleaseKind)
        ),
        "Coverage unknown for FOMC, CPI and PPI: the table of releases does not reach these days; renew it.",
    ),
    (
        Shift(
            base=NOVEMBER,
            settlement=DECEMBER,
            direction=Direction.FORWARD,
            because="CPI comes after it",
            release=Release(kind=ReleaseKind.CPI, at=after(60), source="BLS", confidence=Confidence.QUOTED),
        ),
        "The release in question: CPI on 2026-10-20 13:00:00 New York (17:00:00 UTC), by BLS, official-quoted.",
    ),
    (
        Shift(base=DECEMBER, settlement=NOVEMBER, direction=Direction.BACKWARD, because="the spread is expected back"),
        "Settlement 2026-11-18: one step earlier than the base choice of 2026-12-16. The spread is expected back.",
    ),
    (
        Shift(base=None, settlement=None, direction=Direction.NONE, because="nothing is listed"),
        "No settlement within reach was offered. Nothing is listed.",
    ),
]


@pytest.mark.parametrize(("shift", "claim"), SHIFTS)
def test_a_shift_says_where_and_why(shift: Shift, claim: str) -> None:
    """Base choice, step, reason and unknown coverage."""
    assert claim in text(decided(plan_of(shift=shift)))


# selling ------------------------------------------------------------------------------------------------------------

SALE = replace(
    an_order_for(intent_id="dddd4444-0000", limit="-0.51", quantity=7, purpose=Purpose.OVERLAY_UNWIND, exposure=-9.1),
    legs=mirrored(spread_legs(22, 27)),
)


def sold(price: str) -> list[Told]:
    """An unwind that filled at a net price."""
    plan = plan_of(
        SALE, action=PlanAction.UNWIND, reason="calm: half of the overlay returns to base", target_usd_per_point=0.0,
        held_usd_per_point=122.5, increment_frac=0.0, candidates=(), shift=None,
    )  # fmt: skip
    return [*decided(plan, approved(SALE), signal=calm()), *step(SALE, Sent()), *filled_at(price, SALE)]


@pytest.mark.parametrize(
    ("price", "claim"),
    [
        ("-0.51", "Received 0.51 points a unit on average, exactly the limit."),
        ("-0.53", "Received 0.53 points a unit on average, 0.02 points (14.00 USD in all) better than the limit."),
        ("-0.50", "Received 0.50 points a unit on average, 0.01 points (7.00 USD in all) worse than the limit."),
    ],
)
def test_an_unwind_tells_what_was_received(price: str, claim: str) -> None:
    """A sale's limit is what must at least come in: more is better."""
    words = text(sold(price))
    assert "decided to unwind the overlay towards its base (sell 7 x VIX 2026-11-18 22/27 call spread at 0.51" in words
    assert claim in words


def test_an_unwind_says_what_it_does_not_need() -> None:
    """No expiry, no candidates, no conviction; the overlay stands above its target."""
    words = text(sold("-0.51"))
    assert "No expiry was chosen: what is sold is what is held." in words
    assert "None were looked at: a sale goes back the way it came." in words
    assert "The overlay stood 122.5 USD per point of spot VIX above its target." in words
    assert "-63.7 USD per point in all: the overlay would be 58.8, 8.3 % of the base." in words


@given(cents=st.integers(-200, 200), units=st.integers(1, 50), sells=st.booleans())
def test_slippage_is_the_limit_less_the_price_paid(cents: int, units: int, sells: bool) -> None:  # noqa: FBT001 - drawn
    """Bought or sold, a price better by so many cents is worth as many dollars a unit."""
    order = replace(SALE if sells else ORDER, quantity=units)
    price = order.limit - Decimal(cents) / 100
    rows = [*decided(plan_of(order), approved(order)), *filled_at(str(price), order)]
    figures: Any = part(rows, "outcome").figures["orders"]
    assert Decimal(figures[0]["better_than_limit_usd"]) == cents * units
    assert Decimal(figures[0]["average_price_points"]) == price


# a person is asked -----------------------------------------------------------------------------------------------


def test_a_contradiction_asks_and_nobody_answers() -> None:
    """The question, its reason, its time, and that silence means hold."""
    rows = [*decided(asking(plan_of(ORDER)), signal=a_blowout(Stance.CONTRADICTS)), a_row("sample_taken", 16)]
    words = text(rows)
    assert "the bot asked a person whether to buy 9 x VIX 2026-11-18 22/27 call spread at 0.59 or better" in words
    assert "the confirmations contradict the blowout" in words
    assert "Asked: buy up to 9 x VIX 2026-11-18 22/27 call spread (overlay build)." in words
    assert (
        "Nobody answered, so it expired at 2026-10-20 12:15:00 New York (16:15:00 UTC) and nothing was done." in words
    )


def test_a_proposal_may_still_be_open_when_the_journal_ends() -> None:
    """Then nothing is said of its end."""
    rows = [*decided(asking(plan_of(ORDER))), a_row("sample_taken", 14)]
    assert "Nobody has answered; it was still open when the journal ends." in text(rows)


def later_order(minutes: float = 6, quantity: int = 9) -> list[Told]:
    """Another decision whose order is what was asked for."""
    order = an_order_for(SECOND, "eeee5555-0000", quantity=quantity)
    return decided(plan_of(order), approved(order), decision=SECOND, minutes=minutes)


def test_an_approval_and_its_use_are_linked_both_ways() -> None:
    """The decision that asked names the one that acted, and the other way round; who said yes, and why."""
    rows = [*decided(asking(plan_of(ORDER))), *answered(yes=True), *later_order()]
    asked = text(rows)
    assert "Approved 2026-10-20 12:05:00 with key anna; reason: seen and agreed." in asked
    assert "The approval was used by decision bbbb2222 at 2026-10-20 12:06:00, whose order the gate approved" in asked
    used = text(rows, SECOND)
    assert "covered by the approval of the proposal of decision aaaa1111. Approved 2026-10-20 12:05:00" in used
    links = as_facts(explained(trail(rows)), trail(rows))["links"]
    assert links == {"approval_used_by": [SECOND], "uses_approval_of": None, "next_decision": SECOND}
    back: Any = as_facts(explained(trail(rows, SECOND)), trail(rows, SECOND))["links"]
    assert back["uses_approval_of"] == FIRST


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([*answered(yes=True), *later_order(minutes=15)], "too late"),
        ([*answered(yes=True), *later_order(quantity=10)], "larger than what was asked for"),
        ([*answered(yes=True, minutes=15), *later_order(minutes=16)], "answered when it had expired"),
        (later_order(), "not answered"),
        ([*answered(yes=False), *later_order()], "vetoed"),
    ],
)
def test_an_order_that_no_approval_covers_is_linked_to_none(rows: list[Told], why: str) -> None:
    """Late, larger, unanswered or vetoed."""
    every = [*decided(asking(plan_of(ORDER))), *rows]
    assert trail(every, SECOND).uses is None, why
    assert "was used by" not in text(every)


def test_an_approval_that_nothing_used_says_so() -> None:
    """Yes was said, and no order followed."""
    assert "No order used the approval." in text([*decided(asking(plan_of(ORDER))), *answered(yes=True)])


def test_one_approval_is_used_once() -> None:
    """A second order like it is not covered any more."""
    again = an_order_for(SECOND, "ffff6666-0000")
    rows = [*decided(asking(plan_of(ORDER))), *answered(yes=True), *later_order()]
    rows += decided(plan_of(again), approved(again), decision=SECOND, minutes=7)
    asked = trail(rows).asked
    assert asked is not None
    assert len(asked.used_by) == 1


def test_a_veto_names_who_said_no() -> None:
    """Key and reason; an answer after it changes nothing."""
    words = text([*decided(asking(plan_of(ORDER))), *answered(yes=False), *answered(yes=True, minutes=6)])
    assert "Vetoed 2026-10-20 12:05:00 with key anna; reason: seen and agreed." in words
    assert "Approved 2026-10-20 12:06:00 with key anna; reason: seen and agreed. It came when" in words
    assert "changed nothing" in words


def test_an_answer_to_a_proposal_that_another_one_replaced_changes_nothing() -> None:
    """Only the last proposal can be answered."""
    again = asking(plan_of(an_order_for(SECOND, "eeee5555-0000")), minutes=1)
    rows = [*decided(asking(plan_of(ORDER))), *decided(again, decision=SECOND, minutes=1), *answered(yes=False)]
    asked = trail(rows).asked
    assert asked is not None
    assert (asked.answer.value, len(asked.late)) == ("waiting", 1)
    assert "Vetoed 2026-10-20 12:05:00 with key anna; reason: seen and agreed. It came when" in text(rows)


def test_a_decision_that_waits_names_the_proposal_it_waits_for() -> None:
    """The proposal is another decision's."""
    waiting = plan_of(ORDER).holding_back(Withheld.PROPOSAL, "proposed: waits for a person")
    rows = [*decided(asking(plan_of(ORDER))), *decided(waiting, decision=SECOND, minutes=1)]
    words = text(rows, SECOND)
    assert "The proposal in question is that of decision aaaa1111:" in words
    assert "Asked: buy up to 9 x VIX 2026-11-18 22/27 call spread" in words


# the gate and what became of the order ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("largest", "claim"), [(0, "No smaller size would pass."), (4, "The largest size that would pass is 4.")]
)
def test_a_refusal_shows_what_failed_first(largest: int, claim: str) -> None:
    """Found, limit and headroom to the cent where a cent decides; nothing was sent."""
    rows = decided(plan_of(ORDER), refused(ORDER, largest))
    words = text(rows)
    assert (
        "the bot wanted to increase the overlay (buy 9 x VIX 2026-11-18 22/27 call spread at 0.59 or better), " in words
    )
    assert "which the gate refused" in words
    assert "hedge cost cap cohort: found 10,480.01, limit 10,480.00 USD (SPXW)" in words
    assert claim in words
    assert "Nothing was sent: the gate refused." in words
    grid = part(rows, "gate").grids[0]
    assert grid.rows[0][:5] == ("hedge cost cap cohort", "FAILED", "10,480.01", "10,480.00", "-0.01")
    assert [row[1] for row in grid.rows[1:]] == ["passed"] * 3


@pytest.mark.parametrize(
    ("check", "claim"),
    [
        ({"rule": "quote_quality", "found": None, "limit": None, "note": "no quote"}, "quote quality: no quote"),
        ({"rule": "quote_quality", "found": None, "limit": None}, "quote quality: not in the journal"),
        (
            {"rule": "neutrality", "found": -4000.6, "limit": 3690.0, "headroom": -310.6},
            "neutrality: found -4,001, limit 3,690 USD per +1 % SPX",
        ),
        (
            {"rule": "neutrality", "found": -3690.4, "limit": 3690.0, "headroom": -0.4},
            "neutrality: found -3,690.40, limit 3,690.00 USD per +1 % SPX",
        ),
        (
            {"rule": "price_collar", "found": "0.035", "limit": "0.02", "note": ""},
            "price collar: found 0.035, limit 0.020 points",
        ),
        ({"rule": "a_rule_of_2031", "found": "1.5", "limit": 2}, "a rule of 2031: found 1.50, limit 2"),
    ],
)
def test_a_failed_check_has_the_digits_that_decide(check: dict[str, Any], claim: str) -> None:
    """Models in whole dollars unless a dollar decides; a rule that is not known keeps its own name."""
    assert failure_words(check) == claim


ENDINGS = [
    ([], "written down, and the journal does not say whether it was sent"),
    (step(ORDER, Sent()), "sent, 0 of 9 filled; the journal does not say how it ended"),
    (step(ORDER, Cancelled(reason="dry run")), "dropped before it was sent (dry run)"),
    (
        [*step(ORDER, Sent()), *step(ORDER, Unknown(why="no answer in time"), 1)],
        "in doubt, 0 of 9 filled; the journal does not say how it ended (no answer in time)",
    ),
    (
        [*step(ORDER, Sent()), *step(ORDER, Rejected(reason="no \x1b[31mmoney"), 1)],
        "rejected, 0 of 9 filled (no \\x1b[31mmoney)",
    ),
    (
        [*step(ORDER, Sent()), *filled_at("0.59", ORDER, units=4), *step(ORDER, Cancelled(reason="time is up"), 2)],
        "cancelled, 4 of 9 filled (time is up)",
    ),
]


@pytest.mark.parametrize(("rows", "claim"), ENDINGS)
def test_an_order_ends_as_the_last_row_says(rows: list[Told], claim: str) -> None:
    """Sent, dropped, doubted, rejected, cancelled with a part filled; a broker's words cannot steer the terminal."""
    assert claim in text([*decided(plan_of(ORDER), approved(ORDER)), *rows])


def test_a_commission_that_is_missing_is_no_fee_of_zero() -> None:
    """Two executions, one commission."""
    rows = [row for row in bought() if row.kind != "commission_booked"]
    assert "Fees: not all executions have their commission in the journal." in text([*rows, *commission("10.13")])


def test_a_price_without_a_limit_to_compare_says_so() -> None:
    """Neither better nor worse."""
    plan, prepared, *rest = bought()[1:]
    intent = {name: held for name, held in prepared.facts["intent"].items() if name != "limit"}
    words = text([plan, replace(prepared, facts={**prepared.facts, "intent": intent}), *rest])
    assert "Its price cannot be compared with the limit: a figure is not in the journal." in words
    assert "6 at 0.58; slippage not in the journal" in words
    assert "at not in the journal or better" in words


@pytest.mark.parametrize(
    ("changes", "claim"),
    [
        ({"base_usd_per_point": 0.0}, "There was no base sleeve with a value"),
        ({"held_usd_per_point": 80.68}, "The overlay stood at its target."),
    ],
)
def test_a_size_without_a_gap_says_why(changes: dict[str, Any], claim: str) -> None:
    """No base, or nothing missing."""
    assert claim in text(decided(plan_of(action=PlanAction.HOLD, **changes)))


def test_corrections_are_told_after_the_fact() -> None:
    """A commission with another amount, an execution with another price, a fill after a cancel, books that differ."""
    key = f"OPT:VIX:{NOVEMBER}:22:C"
    rows = [
        *decided(plan_of(ORDER), approved(ORDER)),
        *step(ORDER, Sent()),
        *filled_at("0.59", ORDER, units=4),
        *commission("8.00"),
        *step(ORDER, Cancelled(reason="time is up"), 2, filled=4),
        *filled_at("0.58", ORDER, units=4, minutes=3),
        *step(ORDER, Filled(), 4, filled=9),
        a_row("books_reconciled", 5, commissions={"e-1": "8.20"}, differences={key: "held 4, booked 9"}),
    ]
    words = text(rows)
    assert "Corrected at 2026-10-20 12:05:00: the commission of execution e-1 is 8.20 USD, was 8.00 USD." in words
    assert "execution e-1 is 4 at 0.58, was 4 at 0.59; the first counts." in words
    assert "Corrected at 2026-10-20 12:04:00: filled whole after it was cancelled." in words
    assert f"Books compared at 2026-10-20 12:05:00: {key} differs: held 4, booked 9." in words
    assert "Fees: 8.20 USD." in words
    assert "Paid 0.59 points a unit on average, exactly the limit." in words


def test_an_execution_found_by_a_reconciliation_counts() -> None:
    """Such rows carry no decision: the order's own reference binds them."""
    rows = [*decided(plan_of(ORDER), approved(ORDER)), *step(ORDER, Sent()), *filled_at("0.59", ORDER, minutes=9)]
    assert rows[-1].decision_id == ""
    assert "9 of 9 filled" in text(rows)


def test_rows_that_stand_twice_count_once() -> None:
    """A write that failed may be repeated: perhaps twice in the journal, never missing."""
    once, rows = bought(), bought()
    assert text([*rows, *rows[2:]]) == text(once)


def test_another_decision_changes_nothing() -> None:
    """Its rows may stand anywhere between."""
    other = an_order_for(SECOND, "eeee5555-0000", quantity=3)
    noise = [
        *decided(plan_of(other), approved(other), decision=SECOND, minutes=1),
        *step(other, Sent(), 1),
        *filled_at("0.10", other, exec_id="x-9"),
        *commission("99.00", "x-9"),
    ]
    mixed = [row for pair in zip(bought()[1:], noise, strict=False) for row in pair] + bought()[1 + len(noise) :]
    assert text([SAMPLE, *mixed]) == text(bought())


# what is not there --------------------------------------------------------------------------------------------------


def test_an_older_journal_says_what_it_does_not_hold() -> None:
    """Rows without restraint, expiry and candidates."""
    plan, *rest = bought()[1:]
    facts = {key: held for key, held in plan.facts.items() if key not in {"withheld", "shift", "candidates"}}
    words = text([replace(plan, facts=facts), *rest])
    assert "The journal does not hold whether anything held it back" in words
    assert "The journal does not hold the choice of the expiry" in words
    assert "The journal holds no candidates." in words


def holes(draw: st.DrawFn, facts: Any) -> Any:
    """The same facts with some of them taken away or emptied."""
    if isinstance(facts, dict):
        kept = {key: holes(draw, held) for key, held in facts.items() if draw(st.integers(0, 9)) > 0}
        return {key: None if draw(st.integers(0, 9)) == 0 else held for key, held in kept.items()}
    return [holes(draw, one) for one in facts] if isinstance(facts, list) else facts


@st.composite
def with_holes(draw: st.DrawFn) -> list[Told]:
    """Rows of every kind of story, each with holes."""
    proposal = [*decided(asking(plan_of(ORDER))), *answered(yes=True), *later_order()]
    rows = draw(st.sampled_from([bought(), sold("-0.52"), proposal, decided(plan_of(ORDER), refused(ORDER, 2))]))
    return [replace(row, facts=holes(draw, copy.deepcopy(dict(row.facts)))) for row in rows]


@given(with_holes())
def test_whatever_is_missing_every_part_says_something(rows: list[Told]) -> None:
    """No fact is needed: a hole makes words, never a fault, and never a number that is none."""
    found = explained(trail(rows))
    assert len(found.parts) == 8
    shown = as_text(found, 100)
    assert "None" not in shown.replace("None were ", "")
    assert "nan" not in shown.lower().split()
    json.dumps(as_facts(found, trail(rows)), allow_nan=False)


@pytest.mark.parametrize("width", [60, 100])
def test_no_line_is_longer_than_the_terminal(width: int) -> None:
    """Tables wrap inside their columns, and no line ends with blanks."""
    lines = as_text(explained(trail(bought())), width).splitlines()
    assert max(map(len, lines)) <= width
    assert all(line == line.rstrip() for line in lines)


def test_the_same_as_json_values() -> None:
    """Words, tables by column, figures and the rows themselves."""
    facts: Any = json.loads(json.dumps(as_facts(explained(trail(bought())), trail(bought())), allow_nan=False))
    names = ["signal", "confirmations", "size", "place", "candidates", "restraint", "gate", "outcome"]
    assert list(facts["parts"]) == names
    assert (facts["decided"], facts["at_new_york"]) == ("increased", "2026-10-20T12:00:00-04:00")
    assert facts["parts"]["candidates"]["tables"][0]["rows"][0]["verdict"] == "chosen"
    assert facts["parts"]["outcome"]["figures"]["orders"][0]["fees_usd"] == "18.64"
    assert {row["kind"] for row in facts["rows"]} >= {"hedge_planned", "order_prepared", "order_filled"}
    assert [row["at"] for row in facts["rows"]] == sorted(row["at"] for row in facts["rows"])


# which decision ---------------------------------------------------------------------------------------------------


def listed_rows() -> list[Told]:
    """Three decisions, two of which begin alike, and an order of the first."""
    return [
        *decided(plan_of(ORDER), approved(ORDER)),
        *decided(plan_of(), decision=SECOND, minutes=1),
        *decided(plan_of(), decision=type(FIRST)("aaaa9999-0000"), minutes=2),
    ]


@pytest.mark.parametrize(
    ("beginning", "decision"),
    [
        (FIRST, FIRST),
        ("aaaa1111", FIRST),
        ("AAAA1", FIRST),
        ("b", SECOND),
        ("last", "aaaa9999-0000"),
    ],
)
def test_a_beginning_that_one_decision_has_names_it(beginning: str, decision: str) -> None:
    """The whole id, eight characters, one, or the last."""
    assert decision_named(listed_rows(), beginning) == decision


@pytest.mark.parametrize(
    ("beginning", "claim"),
    [
        ("aaaa", "'aaaa' begins 2 decisions: aaaa1111-0000 (2026-10-20 12:00:00, increase), aaaa9999-0000"),
        ("zz", "no decision begins with 'zz'; the journal holds 3, the last is aaaa9999-0000"),
        ("cccc", "no decision begins with 'cccc'; an order does: it belongs to decision aaaa1111-0000"),
        ("", "no decision begins with ''"),
        ("\x1b[2J", "no decision begins with '\\\\x1b[2J'"),
    ],
)
def test_anything_else_is_refused_with_what_there_is(beginning: str, claim: str) -> None:
    """Ambiguous ones are listed; an order's id says whose it is."""
    with pytest.raises(InvalidValueError) as refusal:
        decision_named(listed_rows(), beginning)
    assert claim in str(refusal.value)


def test_a_journal_without_decisions_says_so() -> None:
    """A bot that never came to one."""
    with pytest.raises(InvalidValueError, match="the journal holds no decision yet"):
        decision_named([SAMPLE], "last")


def test_a_long_list_is_cut() -> None:
    """Eight are named, the rest counted."""
    rows = [row for number in range(12) for row in decided(plan_of(), decision=type(FIRST)(f"ab{number:02d}"))]
    with pytest.raises(InvalidValueError, match=r"'ab' begins 12 decisions: .*ab07.* and 4 more"):
        decision_named(rows, "ab")


def test_an_id_that_begins_another_names_itself() -> None:
    """The whole id wins over what it begins."""
    rows = [*decided(plan_of(), decision=type(FIRST)("abc")), *decided(plan_of(), decision=type(FIRST)("abcd"))]
    assert decision_named(rows, "abc") == "abc"


def test_no_such_decision_has_no_trail() -> None:
    """None, and not an empty explanation."""
    assert trail_of(bought(), "nobody") is None


# figures and names ------------------------------------------------------------------------------------------------


@given(st.decimals(-(10**9), 10**9, places=4), st.integers(0, 3))
def test_a_figure_is_off_by_half_a_digit_at_most(number: Decimal, digits: int) -> None:
    """Thousands separators and rounding, and never minus nothing."""
    shown = plain(number, digits)
    assert abs(Decimal(shown.replace(",", "")) - number) <= Decimal(5) / 10 ** (digits + 1)
    assert not shown.startswith("-0") or Decimal(shown.replace(",", "")) != 0


@pytest.mark.parametrize("value", [None, "", "none", True, [], float("nan"), "inf"])
def test_what_is_no_figure_is_missing(value: object) -> None:
    """Never a zero."""
    assert (number_of(value), plain(value), usd(value)) == (None, "not in the journal", "not in the journal")
    assert per_point(value) == "not in the journal"


def test_the_worked_figures_hold() -> None:
    """Doctests of figures and checks."""
    assert [doctest.testmod(module).failed for module in (figures, gate)] == [0, 0]
    assert doctest.testmod(figures).attempted >= 7


def test_small_words() -> None:
    """Sentences, lists, moments, and a text that is cut."""
    assert (sentence("so it is"), sentence("is it?"), sentence("")) == ("So it is.", "Is it?", "")
    assert (listed(()), listed(("a", "b"))) == ("", "a and b")
    assert (moment_of("2026-10-20"), moment_of("soon"), moment_of(None)) == (None, None, None)
    assert clock(after(0)) == "12:00:00"
    assert text_of("x" * 500) == "x" * 400 + "..."


def test_orders_have_the_names_that_traders_use() -> None:
    """A future, an option, a spread bought and sold, and legs that are none of these."""
    future = an_order_for(limit="18.80").legs[0]
    facts: Any = {"side": "BUY", "ratio": 1, "instrument": json.loads(json.dumps(_instrument(a_future("VXM"))))}
    assert name_of({"legs": [facts]}) == "VXM 2026-11-18 future"
    call = {"side": "SELL", "ratio": 1, "instrument": _instrument(future.instrument)}
    assert (name_of({"legs": [call]}), verb_of({"legs": [call]})) == ("VIX 2026-11-18 22 call", "sell")
    assert name_of({"legs": [facts, facts]}) == "BUY 1 VXM 2026-11-18 future / BUY 1 VXM 2026-11-18 future"
    assert (name_of({}), verb_of({})) == ("", "trade")
    assert order_words({}) == "trade not in the journal x  at not in the journal or better"


def _instrument(instrument: Any) -> dict[str, Any]:
    return {
        "kind": instrument.kind.value,
        "trading_class": instrument.trading_class,
        "settlement": str(instrument.settlement),
        "strike": None if instrument.strike is None else str(instrument.strike),
        "right": None if instrument.right is None else instrument.right.value,
    }


def test_a_part_that_says_nothing_is_refused() -> None:
    """And a table whose rows do not fit."""
    with pytest.raises(InvalidValueError, match="says nothing"):
        Part(name="x", title="X", words=())
    with pytest.raises(InvalidValueError, match="one cell for each"):
        Grid(columns=("a", "b"), rows=(("1",),))


def test_candidates_without_a_payoff_have_no_ratio() -> None:
    """A division by nothing is told in words; buys of a future are futures."""
    order = replace(an_order_for(limit="18.80"), legs=(buys(a_future("VXM")),))
    flat = replace(a_candidate(), stress_payoff_usd=0.0)
    words = text(decided(plan_of(order, candidates=(flat,)), approved(order)))
    assert "no payoff" in words
    assert "the least cost per payoff among the futures that passed" in words


def test_a_plan_of_two_orders_names_both() -> None:
    """Both in the sentence, each with its own verdict."""
    second = an_order_for(intent_id="eeee5555-0000", quantity=2)
    plan: HedgePlan = plan_of(ORDER, second)
    words = text(decided(plan, approved(ORDER), refused(second)))
    assert "buy 9 x VIX 2026-11-18 22/27 call spread at 0.59 or better and buy 2 x VIX" in words
    assert "Approved: buy 9 x" in words
    assert "Refused: buy 2 x" in words
