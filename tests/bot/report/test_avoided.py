"""What was held back is counted by its cause, an action once however often the plan was written."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.plan import Withheld
from bot.report.avoided import BAND, CAUSES, FLIPS, Avoided
from bot.report.page import page_of
from bot.report.story import SERIES, Told, gather
from tests.bot.report.explaining_rows import a_row, an_order_for, approved, asking, decided, plan_of, refused

ORDER = an_order_for()
AT_TARGET = "the overlay stands at its target, within the no-trade band"

REFUSED = decided(plan_of(ORDER), refused(ORDER))


def held(cause: Withheld) -> list[Told]:
    """A plan that a cause held back."""
    return decided(plan_of(ORDER).holding_back(cause, "held"))


def at_target(held_usd: float) -> list[Told]:
    """A plan inside the band."""
    return decided(plan_of(reason=AT_TARGET, held_usd_per_point=held_usd))


def sample(spread: float | None, state: str) -> Told:
    """One look at the rule, threshold 6.25 points."""
    figures: dict[str, object] = {**dict.fromkeys(SERIES), "spread": spread, "threshold": 6.25}
    return a_row("sample_taken", **figures, state=state)


def counts(rows: Sequence[Told]) -> dict[str, int]:
    """Every cause that held something back."""
    return {cause: times for cause, times in gather(rows).avoided.rows() if times}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], {}),
        (held(Withheld.PACING), {"pacing": 1}),
        (held(Withheld.PACING) * 3, {"pacing": 1}),
        ([*held(Withheld.PACING), *decided(plan_of()), *held(Withheld.PACING)], {"pacing": 2}),
        ([*held(Withheld.PACING), *held(Withheld.CHURN), *held(Withheld.PACING)], {"pacing": 2, "churn budget": 1}),
        ([*held(Withheld.ADVICE), *held(Withheld.VETO)], {"advice only": 1, "veto": 1}),
        ([*decided(asking(plan_of(ORDER))), *held(Withheld.PROPOSAL)], {"waiting for a person": 1}),
        (at_target(80.0), {BAND: 1}),
        (at_target(80.68), {}),
        (at_target(90.0), {}),
        (REFUSED * 2, {"gate: hedge cost cap cohort": 1}),
        (
            [*REFUSED, *decided(plan_of(), approved(ORDER)), *REFUSED],
            {"gate: hedge cost cap cohort": 2},
        ),
    ],
)
def test_plans_in_a_row_with_one_cause_are_one_action(rows: Sequence[Told], expected: dict[str, int]) -> None:
    """Another cause, or a plan that nothing held back, ends it; a target that is reached or passed avoided nothing."""
    assert counts(rows) == expected


@pytest.mark.parametrize(
    ("samples", "saved"),
    [
        ([], 0),
        ([(7.0, "calm")], 0),
        ([(6.0, "calm"), (7.0, "calm"), (6.0, "calm")], 2),
        ([(6.0, "calm"), (7.0, "blowout"), (6.0, "blowout"), (7.0, "blowout")], 2),
        ([(6.0, "calm"), (7.0, "blowout"), (6.0, "calm")], 0),
        ([(6.0, "calm"), (7.0, "undefined"), (6.0, "calm")], 0),
        ([(6.0, "calm"), (None, "calm"), (6.25, "calm")], 0),
        ([(7.0, "calm"), (7.0, "blowout"), (7.0, "calm")], 0),
    ],
)
def test_hysteresis_and_dwell_saved_the_flips_of_the_raw_rule(
    samples: Sequence[tuple[float | None, str]], saved: int
) -> None:
    """Raw flips less live ones, never below zero; an undefined or empty sample is no look, exactly 1.25 is no flag."""
    rows = [sample(spread, state) for spread, state in samples]
    assert counts(rows) == ({FLIPS: saved} if saved else {})


@given(st.lists(st.sampled_from(list(Withheld))))
def test_no_cause_counts_more_than_its_plans(causes: list[Withheld]) -> None:
    """Changes of the cause are what is counted."""
    avoided = Avoided()
    for cause in causes:
        avoided.plan({"withheld": cause.value})
    changes = sum(now != before for before, now in zip([None, *causes], causes, strict=False))
    assert sum(avoided.counts.values()) == changes
    assert all(avoided.counts.get(CAUSES[cause], 0) <= causes.count(cause) for cause in Withheld)


def test_the_page_shows_every_restraint_also_those_that_held_nothing() -> None:
    """So that a setting that never acts is seen as well."""
    page = page_of(gather(held(Withheld.PACING)))
    assert "<h2>Actions held back</h2>" in page
    assert '<td>pacing</td><td class="number">1</td>' in page
    for cause in (FLIPS, BAND, "churn budget", "advice only", "waiting for a person", "veto"):
        assert f'<td>{cause}</td><td class="number">0</td>' in page


def test_plans_of_an_older_journal_count_for_nothing() -> None:
    """Without the facts there is nothing to count."""
    avoided = Avoided()
    avoided.plan({"action": "hold", "reason": AT_TARGET})
    avoided.refusal({})
    assert [times for _, times in avoided.rows()] == [0] * 7
