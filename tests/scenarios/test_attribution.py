"""What three parts earned is what the account earned: the comparison of variants over a whole run (M15)."""

from datetime import timedelta
from functools import cache

import pytest

from bot.domain.parts import Part
from bot.domain.schedule import NEW_YORK
from bot.report.evidence.results import Moment, Results
from bot.report.evidence.settings import ComparisonSettings
from bot.report.evidence.variants import Comparison, Variant, compare
from tests.builders import CALENDAR
from tests.scenarios.staging import Journal, Scene, staged

ACCOUNT_EVERY_S = 180
"""The simulated broker tells the account's values that often; a figure between two of them is up to that old."""


@cache
def journal() -> Journal:
    """The blowout and the session after it, with samples every three minutes."""
    return staged(Scene(sessions=3, settings={"ALVH_APP__SAMPLE_EVERY_S": f"{ACCOUNT_EVERY_S}.0"}))


@cache
def moments() -> tuple[Moment, ...]:
    """Every counted sample."""
    results, found = Results(), list[Moment]()
    for row in journal().rows:
        before = results.counted
        results.take(row.at, row.kind, row.facts)
        if results.counted > before:
            found.append(results.ends[row.at.astimezone(NEW_YORK).date()])
    return tuple(found)


@cache
def comparison() -> Comparison:
    """The comparison at the end of the run."""
    results = Results()
    for row in journal().rows:
        results.take(row.at, row.kind, row.facts)
    found = compare(results, ComparisonSettings())
    assert isinstance(found, Comparison)
    return found


def total(moment: Moment) -> float:
    """What the three parts have earned and are worth, up to a number that stays the same."""
    return sum(part.worth_usd + part.cash_usd for part in moment.parts.values())


def test_the_three_parts_are_the_account_to_the_cent() -> None:
    """Samples seven seconds after the broker told the account, purchase and fees of the overlay among them."""
    beats = [one for one in moments() if int(one.at.timestamp()) % ACCOUNT_EVERY_S == 7]
    first = beats[0]
    assert len(beats) > 150
    for moment in beats:
        assert moment.account_usd is not None
        assert first.account_usd is not None
        assert total(moment) - total(first) == pytest.approx(moment.account_usd - first.account_usd, abs=0.011)


def test_at_the_close_the_parts_leave_no_more_than_three_minutes_of_the_market() -> None:
    """The account's last figure is up to three minutes old: less than half a percent of the maximum loss."""
    unexplained = comparison().unexplained_usd
    assert unexplained is not None
    assert abs(unexplained) < 0.005 * comparison().capital_usd


def test_the_overlay_was_bought_and_is_the_difference_of_the_last_two_variants() -> None:
    """Its fees are those that the broker charged for the bot's orders, the base and the condors paid none."""
    charged = sum(float(facts["commission_usd"]) for facts in journal().facts("commission_booked"))
    outcomes = comparison().outcomes
    assert charged > 0.0
    assert [outcomes[variant].fees_usd for variant in Variant] == pytest.approx([0.0, 0.0, charged])
    end, start = moments()[-1].parts[Part.OVERLAY], moments()[0].parts[Part.OVERLAY]
    earned = end.worth_usd + end.cash_usd - start.worth_usd - start.cash_usd
    assert comparison().overlay_usd == pytest.approx(earned)


def test_every_session_ends_with_a_counted_sample_in_its_last_minute() -> None:
    """All that is held is still quoted then."""
    sessions = [CALENDAR.session(day) for day in comparison().days]
    ends = [[one for one in moments() if one.day == session.day][-1].at for session in sessions if session is not None]
    closes = [session.closes_at for session in sessions if session is not None]
    assert [close - end for close, end in zip(closes, ends, strict=True)] == 2 * [timedelta(seconds=53)]
