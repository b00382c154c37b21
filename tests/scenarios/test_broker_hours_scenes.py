"""What the broker itself says, through the whole bot: hours that contradict ours, and the gateway's restart."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

import pytest

from bot.domain.hours import hours_told
from bot.domain.instrument import Instrument, InstrumentKey
from bot.domain.terms import ContractTerms
from simulator.broker import InProcessMarketData
from tests.scenarios.staging import Act, Journal, Scene, staged, wide_morning

EARLY = hours_told("20261020:0930-20261020:0945;20261021:0930-20261021:1615", "US/Eastern")
"""Of a day that ends at a quarter to ten, as our calendar does not know."""
RESTART = {"ALVH_APP__GATEWAY_RESTART": "09:50"}
"""Amid the morning: nothing new may leave from 09:40 on."""


class EndsEarly(InProcessMarketData):
    """The exchange, but for hours of VIX options that end early today."""

    async def terms(self, instruments: Sequence[Instrument]) -> Mapping[InstrumentKey, ContractTerms]:
        """As the exchange, with other hours."""
        told = await super().terms(instruments)
        return {key: replace(one, liquid=EARLY) if key.startswith("OPT:VIX:") else one for key, one in told.items()}


@cache
def ending_early() -> Journal:
    """A wide morning on which the broker closes VIX options before the blowout is known."""
    return staged(Scene(history=wide_morning(), sessions=2, first=1, until_minute=45, data=EndsEarly))


@cache
def restarting(*, link_breaks: bool) -> Journal:
    """A wide morning around a restart at 09:50, with a window of a quarter of an hour."""
    acts = (Act(minute=22, doing=lambda hands: hands.break_link()),) if link_breaks else ()
    settings = {**RESTART, "ALVH_APP__GATEWAY_RESTART_WINDOW_S": "900.0"}
    return staged(Scene(history=wide_morning(), sessions=2, first=1, until_minute=45, settings=settings, acts=acts))


@pytest.mark.control("C24")
def test_hours_that_contradict_ours_are_told_once_and_refused() -> None:
    """One row names class, day and both hours; every order in the class is refused in words, and nothing leaves."""
    (row,) = ending_early().of("hours_disagreed")
    assert (row.facts["trading_class"], row.facts["day"]) == ("VIX", "2026-10-20")
    assert (row.facts["own"], row.facts["told"]) == ("09:30 to 16:15", "09:30 to 09:45")
    assert row.clock < "09:31:00"
    refused = ending_early().facts("order_refused")
    assert refused
    for facts in refused:
        (checked,) = [one for one in facts["checks"] if one["rule"] == "session_hours"]
        assert checked["note"].endswith("closed by the broker's hours and open by our calendar: they disagree")
    assert ending_early().of("order_prepared") == []


@pytest.mark.control("C24")
@pytest.mark.parametrize("link_breaks", [True, False])
def test_nothing_leaves_around_a_restart(*, link_breaks: bool) -> None:
    """Frozen from ten minutes before it; the reconnect, or else the end of the window, brings the comparison."""
    journal = restarting(link_breaks=link_breaks)
    (frozen,) = journal.of("submission_frozen")
    assert (frozen.clock, frozen.facts["restarts_at"][11:16]) == ("09:40:00", "13:50")
    compared = [row for row in journal.of("books_reconciled") if row.at > frozen.at]
    assert compared[0].clock[:5] == ("09:52" if link_breaks else "10:05")
    refused = [row for row in journal.of("order_refused") if frozen.at < row.at < compared[0].at]
    assert refused
    failed = [[one["rule"] for one in row.facts["checks"] if not one["passed"]] for row in refused]
    assert all(rules == ["reconciled"] for rules in failed)
    found = {one["found"] for row in refused for one in row.facts["checks"] if one["rule"] == "reconciled"}
    assert found == {"frozen around a restart of the gateway"}
    sent = journal.of("order_prepared", "order_sent")
    assert sent
    assert sent[0].at >= compared[0].at
