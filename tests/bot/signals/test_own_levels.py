"""Levels of our own in the tracker (M18): which index is missing, what feeds the signal, and that it is told."""

import pytest
from signal_builders import At, a_baseline, a_session, fed, ns_at, opened, steady

from bot.domain.instrument import RVX, VIX
from bot.domain.readings import SignalState
from bot.signals.dispersion import DispersionTracker

FIVE_MINUTES = 300.0
WITHOUT_RVX = ("RVX",)


def _own(tracker: DispersionTracker, level: float, *at_s: float) -> None:
    """Hand levels of our own in for RVX."""
    for place, moment in enumerate(at_s):
        tracker.on_own_level(RVX.key, level + 0.01 * place, ns_at(moment))


def test_nothing_is_missing_while_both_indices_move() -> None:
    """At any moment of a normal session both are published."""
    tracker = opened()
    fed(tracker, steady(0.0, 1200.0, rvx=19.0))
    assert tracker.missing(ns_at(1200.0)) == ()
    assert tracker.reading(ns_at(1200.0)).own == ()


@pytest.mark.parametrize(("at_s", "missing"), [(60.0 + FIVE_MINUTES, ()), (60.0 + FIVE_MINUTES + 1.0, (RVX.key,))])
def test_an_index_that_never_came_is_missing_after_five_minutes(at_s: float, missing: tuple[str, ...]) -> None:
    """Counted from 09:31, as long as SPX ticks."""
    tracker = opened()
    fed(tracker, steady(0.0, at_s, rvx=19.0, without=WITHOUT_RVX))
    assert tracker.missing(ns_at(at_s)) == missing


def test_an_index_that_stands_still_is_missing() -> None:
    """It came at first and has not moved for more than five minutes."""
    tracker = opened()
    fed(tracker, steady(0.0, 600.0, rvx=19.0))
    fed(tracker, steady(600.0, 1000.0, rvx=19.0, without=WITHOUT_RVX))
    assert tracker.missing(ns_at(1000.0)) == (RVX.key,)


def test_a_dead_feed_is_no_missing_index() -> None:
    """Without SPX nothing is published at all: an own index would be of nothing; nor is there one between sessions."""
    tracker = opened()
    fed(tracker, steady(0.0, 600.0, rvx=19.0, without=WITHOUT_RVX))
    assert tracker.missing(ns_at(700.0)) == ()
    assert tracker.missing(ns_at(-10.0)) == ()
    assert tracker.missing(ns_at(100_000.0)) == ()


def test_an_own_index_takes_over_and_is_told() -> None:
    """Two levels that agree feed the signal in place of RVX, and the reading names the source."""
    tracker = opened()
    fed(tracker, steady(0.0, 500.0, rvx=19.0, without=WITHOUT_RVX))
    assert tracker.reading(ns_at(500.0)).state is SignalState.UNDEFINED
    _own(tracker, 19.1, 500.0, 501.0)
    fed(tracker, steady(502.0, 700.0, rvx=19.0, without=WITHOUT_RVX))
    reading = tracker.reading(ns_at(700.0))
    assert (reading.state, reading.own) == (SignalState.CALM, ("RVX",))
    assert reading.rvx == pytest.approx(19.11)
    assert tracker.missing(ns_at(700.0)) == (RVX.key,)


def test_a_single_own_level_is_not_believed() -> None:
    """As any first tick of a session it needs a second one near it."""
    tracker = opened()
    fed(tracker, steady(0.0, 500.0, rvx=19.0, without=WITHOUT_RVX))
    _own(tracker, 19.1, 500.0)
    assert tracker.reading(ns_at(501.0)).state is SignalState.UNDEFINED


def test_the_published_index_takes_over_again() -> None:
    """Its first tick ends what is our own."""
    tracker = opened()
    fed(tracker, steady(0.0, 500.0, rvx=19.0, without=WITHOUT_RVX))
    _own(tracker, 19.1, 500.0, 501.0)
    fed(tracker, [At("RVX", 19.2, 510.0), At("SPX", 2100.0, 510.0)])
    assert tracker.reading(ns_at(511.0)).own == ()
    assert tracker.missing(ns_at(511.0)) == ()


def test_a_new_session_knows_no_own_level() -> None:
    """Yesterday's source says nothing of today's."""
    tracker = opened()
    fed(tracker, steady(0.0, 500.0, rvx=19.0, without=WITHOUT_RVX))
    _own(tracker, 19.1, 500.0, 501.0)
    tracker.open_session(a_session(), a_baseline(4.0))
    assert tracker.reading(ns_at(60.0)).own == ()


def test_vix_may_be_missing_as_well() -> None:
    """The rule is the same for both."""
    tracker = opened()
    fed(tracker, steady(0.0, 500.0, rvx=19.0, without=("VIX",)))
    assert tracker.missing(ns_at(500.0)) == (VIX.key,)
