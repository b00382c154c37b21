"""The whole bot across the day on which its condors settle: they are gone, and nothing is locked or left over."""

from datetime import datetime, time
from functools import cache

from bot.domain.schedule import NEW_YORK
from simulator.books import BookPlan
from tests.scenarios.staging import Act, Hands, Journal, Scene, staged

SESSIONS = Scene(scenario="calm", sessions=3).world().sessions()
LAST_DAY = SESSIONS[1].day
"""The condors settle at the close of the stock market on the second session."""
MINUTES_PER_DAY = 24 * 60


def _reconnect(hands: Hands) -> None:
    hands.break_link()


@cache
def settled() -> Journal:
    """Three calm sessions from shortly before the second one's close; the link breaks the morning after."""
    book = BookPlan(condor_settlement=LAST_DAY)
    acts = (Act(minute=MINUTES_PER_DAY + 20.0, doing=_reconnect),)
    return staged(
        Scene(scenario="calm", sessions=3, first=1, from_minute=360.0, until_minute=30.0, book=book, acts=acts)
    )


def test_condors_that_have_settled_are_held_no_more() -> None:
    """Credit and band count until the settlement and not after it; the delta is then the sleeve's alone, and known."""
    samples = settled().of("sample_taken")
    assert {row.at.date() for row in samples} == {LAST_DAY, SESSIONS[2].day}
    for row in samples:
        lives = row.at < datetime.combine(LAST_DAY, time(16), tzinfo=NEW_YORK)
        assert (float(row.facts["credit_usd"]) > 0.0) is lives, row.clock
        assert (row.facts["band_usd_per_spx_percent"] > 0.0) is lives, row.clock
        assert lives or row.facts["delta_usd_per_spx_percent"] < 0.0, row.clock


def test_the_broker_and_we_agree_before_and_after_a_settlement() -> None:
    """Neither the first comparison nor the one of the morning after finds a difference."""
    compared = settled().of("books_reconciled")
    assert {row.at.date() for row in compared} == {LAST_DAY, SESSIONS[2].day}
    assert [row.facts["differences"] for row in compared] == [{}] * len(compared)


def test_without_condors_nothing_is_bought_for_the_base_or_the_overlay() -> None:
    """The morning after: no order, no question; what the sleeve still holds is kept."""
    after = [row for row in settled().rows if row.at.date() == SESSIONS[2].day]
    assert not [row for row in after if row.kind in ("order_prepared", "proposal_made", "order_refused")]
    assert [row.facts["base_usd_per_point"] > 0.0 for row in after if row.kind == "sample_taken"]
