"""Breadth that the bot has kept itself: with 110 sessions of it the confirmation answers in the next blowout (M3)."""

from datetime import timedelta
from pathlib import Path

import pytest

from adapters.history.daily_store import DailyStore
from bot.domain.evidence import ConfirmationName
from tests.builders import CALENDAR
from tests.scenarios.staging import Journal, Scene, staged

NEEDED = 110
"""Sessions: a change over 20 and its mean over 90."""


def played(folder: Path, kept: int) -> Journal:
    """Two sessions of the blowout, with so many sessions of counts kept before the first of them."""
    scene = Scene(first=0, until_minute=150, store=folder)
    first = scene.world().sessions()[0].day
    days = [session.day for session in CALENDAR.sessions(first - timedelta(days=2 * NEEDED), first)]
    for number, day in enumerate([day for day in days if day < first][-kept:]):
        DailyStore(folder).record_breadth(day, 1300 + 7 * (number % 40), 1400 - 7 * (number % 40))
    return staged(scene)


@pytest.fixture(scope="module")
def enough(tmp_path_factory: pytest.TempPathFactory) -> Journal:
    """The counts of the first session complete what is needed."""
    return played(tmp_path_factory.mktemp("daily"), NEEDED - 1)


def test_the_close_of_one_session_is_evidence_at_the_next_open(enough: Journal) -> None:
    """One more session of counts than the day before, written with the closes after the close."""
    assert [facts["breadth"] for facts in enough.facts("evidence_delivered")] == [NEEDED - 1, NEEDED]
    [facts] = enough.facts("daily_recorded")
    assert facts["day"] == "2026-10-19"
    assert 0 < facts["advances"] < 3000
    assert set(facts["closes"]) == {"SPX", "RUT", "SPY", "IWM"}
    assert enough.facts("daily_missing") == []


def test_breadth_answers_once_its_sessions_are_there(enough: Journal, tmp_path: Path) -> None:
    """At the onset of the blowout it is among the confirmations; one session of counts fewer, and it abstains."""
    assert ConfirmationName.BREADTH_DIVERGENCE in answered(enough)
    assert ConfirmationName.BREADTH_DIVERGENCE not in answered(played(tmp_path, NEEDED - 2))


def answered(journal: Journal) -> set[str]:
    """The confirmations that did not abstain at the onset."""
    onset = next(row for row in journal.plans() if row.facts["signal"]["state"] == "blowout")
    conviction = onset.facts["signal"]["conviction"]
    return {one["name"] for one in conviction["readings"] if "evidence" in one}
