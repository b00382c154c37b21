"""Overlay whose time has come is sold whatever the signal says (stop, roll, harvest); and the theta budget (M7)."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain.orders import Purpose
from bot.domain.plan import PlanAction
from bot.domain.readings import Signal, SignalState
from bot.domain.schedule import NEW_YORK
from bot.domain.snapshot import Snapshot
from bot.hedging.settings import HedgeSettings
from bot.hedging.temporal.settings import TemporalSettings
from tests.bot.hedging.planned import TEN, an_overlay, planned
from tests.builders import (
    NOON,
    NOVEMBER,
    Scenery,
    a_future,
    a_lot,
    a_quote,
    a_session,
    a_signal,
    buys,
    vix_call,
)

SIGNALS = [a_signal(), a_signal(SignalState.CALM, peak_excess=0.05), a_signal(SignalState.UNDEFINED)]


def _worth(points: float, scenery: Scenery = TEN) -> Snapshot:
    """A moment in which the spread's middle is so many points."""
    quotes = [a_quote(vix_call(21), 4.0 + points, 4.0 + points), a_quote(vix_call(26), 4.0, 4.0)]
    book = scenery.book(lots=(an_overlay(),))
    return scenery.snapshot(book=book, quotes={quote.key: quote for quote in quotes})


@pytest.mark.parametrize("signal", SIGNALS)
def test_a_spread_worth_most_of_its_width_is_harvested(signal: Signal) -> None:
    """At 3.50 of 5 points it goes, in any state of the signal, and the notes tell the figures."""
    plan = planned(_worth(3.5), signal)
    assert (plan.action, plan.reason) == (
        PlanAction.EXIT,
        "the overlay is harvested: it is worth most of its width",
    )
    assert [(one.purpose, one.quantity) for one in plan.intents] == [(Purpose.OVERLAY_EXIT, 2)]
    assert plan.notes == ("o-1: worth 3.50 of 5 points, 70% of its width; harvested at 70%",)


def test_a_spread_worth_less_stays() -> None:
    """A cent below seventy percent of its width it goes on protecting."""
    assert planned(_worth(3.49)).action is not PlanAction.EXIT


def test_a_spread_that_cannot_be_valued_is_not_harvested() -> None:
    """Without a quote of its short leg nobody knows what it is worth: it stays."""
    snapshot = _worth(4.0)
    quotes = {key: quote for key, quote in snapshot.quotes.items() if key != vix_call(26).key}
    assert planned(replace(snapshot, quotes=quotes)).action is PlanAction.HOLD


def test_a_future_has_no_width_to_harvest() -> None:
    """Only spreads are harvested."""
    lot = a_lot((buys(a_future("VXM")),), units=1, cost="1.20", exposure=53.6)
    assert planned(TEN.snapshot(book=TEN.book(lots=(lot,)))).action is not PlanAction.EXIT


@pytest.mark.parametrize(("days", "reason"), [(13, ""), (12, "rolled"), (9, "rolled"), (5, "last trading day")])
def test_the_overlay_is_rolled_ten_days_before_it_settles(days: int, reason: str) -> None:
    """The tenth day is a Sunday: it is sold from the Friday before on, and near its end the stop says so."""
    day = NOVEMBER - timedelta(days=days)
    at = datetime.combine(day, NOON.timetz(), tzinfo=NEW_YORK)
    scenery = Scenery(condors=10, at=at)
    lots = (an_overlay(),)
    snapshot = scenery.snapshot(book=scenery.book(lots=lots), session=a_session(day))
    plan = planned(snapshot)
    assert (plan.action is PlanAction.EXIT) == bool(reason)
    assert reason in plan.reason


# the theta budget -------------------------------------------------------------------------------------------------


def test_an_increase_shows_the_theta_budget() -> None:
    """The reference book has room: the whole quantity is asked for, with the figures in the notes."""
    plan = planned(TEN.snapshot())
    assert plan.action is PlanAction.INCREASE
    assert "within the" in plan.notes[0]


def test_without_room_for_decay_nothing_is_added() -> None:
    """A hundredth of what the condors earn is spent by the base already."""
    settings = HedgeSettings(temporal=TemporalSettings(max_decay_frac=0.01))
    plan = planned(TEN.snapshot(), settings=settings)
    assert (plan.action, plan.reason) == (PlanAction.HOLD, "the theta budget leaves no room")
    assert "above the" in plan.notes[0]
    assert plan.candidates


def test_a_tight_budget_clips_the_increase() -> None:
    """Somewhere between no room and all of it fewer contracts are asked for, and the plan says why."""
    forty = Scenery(condors=40)
    whole = planned(forty.snapshot(), a_signal(peak_excess=0.75)).intents[0].quantity
    found = {}
    for place in range(1, 60):
        frac = 0.10 + place / 600.0
        plan = planned(
            forty.snapshot(),
            a_signal(peak_excess=0.75),
            HedgeSettings(temporal=TemporalSettings(max_decay_frac=frac)),
        )
        if plan.intents:
            found[plan.intents[0].quantity] = plan.reason
    clipped = {quantity: reason for quantity, reason in found.items() if quantity < whole}
    assert clipped
    assert all(reason.endswith("as far as the theta budget allows") for reason in clipped.values())


def test_an_unknown_decay_allows_nothing() -> None:
    """A base leg that nobody quotes makes the budget unknown; here the sleeve's value falls out first, named."""
    snapshot = TEN.snapshot()
    condor_leg = TEN.book().condors[0].short_put
    quotes = {key: quote for key, quote in snapshot.quotes.items() if key != condor_leg.key}
    plan = planned(replace(snapshot, quotes=quotes))
    assert plan.action is PlanAction.HOLD
    assert plan.reason == f"the theta budget is unknown: {condor_leg.key}: no quote"
