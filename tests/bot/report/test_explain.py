"""An explanation says what the journal holds of a decision, what it does not hold, and nothing else."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.evidence import Stance
from bot.domain.plan import PlanAction, Withheld
from bot.domain.readings import SignalState
from bot.domain.releases import Confidence, Release, ReleaseKind
from bot.domain.shifts import Direction, Shift
from tests.bot.report.explained_texts import ORDER, SALE, bought, part, sold, text
from tests.bot.report.explaining_rows import (
    SECOND,
    a_blowout,
    a_row,
    after,
    approved,
    asking,
    decided,
    filled_at,
    plan_of,
)
from tests.builders import DECEMBER, NOON, NOVEMBER, a_signal

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


def test_the_gap_the_band_and_the_room_are_told() -> None:
    """Target less held and working, and what bounded the increase."""
    rows = decided(plan_of(ORDER, held_usd_per_point=30.0, working_usd_per_point=10.0), approved(ORDER))
    size = part(rows, "size")
    assert size.figures["gap"] == pytest.approx(80.68 - 40.0)
    assert "The overlay was 40.7 USD per point of spot VIX short of its target." in size.words
    assert "No-trade band: 14.1 USD per point" in " ".join(size.words)
    assert "the gap was outside the former." in " ".join(size.words)
    assert "Room: at most 101.4 USD per point, up to the ceiling of 141.4" in " ".join(size.words)
    assert "(20.0 % of the base)" in " ".join(size.words)
    assert "the setting `prefer`: spreads" in " ".join(part(rows, "candidates").words)


def test_a_row_without_bounds_tells_none() -> None:
    """Nothing is said of a band that nobody worked out, and the preference is missing."""
    rows = decided(plan_of(ORDER, sizing=None), approved(ORDER))
    assert not any(words.startswith(("No-trade band", "Room")) for words in part(rows, "size").words)
    assert "`prefer`: not in the journal" in " ".join(part(rows, "candidates").words)


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
