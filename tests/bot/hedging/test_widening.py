"""The plan that rolls a wing: after the overlay's own plan, only while the book leans, asked for as configured (M8)."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import pytest

from bot.domain.fees import up_to_cent
from bot.domain.instrument import SPX, Instrument, Right
from bot.domain.orders import DecisionId, Purpose
from bot.domain.plan import HedgePlan, PlanAction
from bot.domain.readings import SignalState
from bot.domain.snapshot import Snapshot
from bot.hedging.condor.settings import WingMode
from bot.hedging.condor.widening import ASKS, WHY, widening_now
from bot.hedging.condor.wings import NoWidening, WingBounds
from bot.hedging.planning import Planner
from bot.hedging.settings import HedgeSettings
from bot.valuation import ValuationSettings, Valuer
from tests.builders import FEES, WING_BOUNDS, Scenery, a_signal, new_ids

TEN = Scenery(condors=10)
CONDOR = TEN.opening.condors[0]
NARROW = replace(WING_BOUNDS, band_frac=0.03)
"""A band that the base sleeve alone leaves on the short side."""


@cache
def _outside() -> tuple[Instrument, ...]:
    options = TEN.universe.options("SPXW", CONDOR.settlement)
    puts = [one for one in options if one.right is Right.PUT and (one.strike or 0) < (CONDOR.long_put.strike or 0)]
    return tuple(sorted(puts, key=lambda one: -(one.strike or 0))[:3])


def _leaning(**changes: object) -> Snapshot:
    """Calm, and out of the narrow band, with the strikes outside the put wing watched."""
    snapshot = TEN.snapshot(state=SignalState.CALM)
    quotes = {**snapshot.quotes, **{one.key: TEN.quote(one) for one in _outside()}}
    strikes = {one.key: one for one in _outside()}
    return replace(snapshot, quotes=quotes, wing_strikes=strikes, **changes)  # type: ignore[arg-type]  # test shorthand


def _plans(
    snapshot: Snapshot, mode: WingMode = WingMode.PROPOSE, bounds: WingBounds | None = NARROW
) -> Sequence[HedgePlan]:
    planner = Planner(HedgeSettings(), FEES, wings=mode, bounds=None if bounds is None else lambda: bounds)
    signal = a_signal(SignalState.CALM, peak_excess=0.05)
    return list(planner.plans(snapshot, signal, DecisionId("d-1"), new_ids().__next__))


def test_a_book_that_leans_has_a_second_wish() -> None:
    """First the overlay's plan, which holds; then one roll as one order, with what it costs at worst."""
    overlay, wider = _plans(_leaning())
    assert (overlay.action, wider.action) == (PlanAction.HOLD, PlanAction.WIDEN)
    (intent,) = wider.intents
    assert (intent.purpose, len(intent.legs), wider.reason) == (Purpose.WING_ROLL, 2, WHY)
    assert intent.limit < 0
    assert intent.worst_cost_usd == up_to_cent(FEES.of_legs(intent.legs) * intent.quantity)
    assert [one.rejected == "" for one in wider.candidates] == [True, False, False]
    assert "delta" in wider.notes[0]
    assert len(wider.notes) == 1 + len(wider.candidates)


@pytest.mark.parametrize(("mode", "asks"), [(WingMode.PROPOSE, ASKS), (WingMode.AUTO, "")])
def test_a_person_is_asked_as_configured(mode: WingMode, asks: str) -> None:
    """Proposed by default; automatically nobody is asked."""
    assert _plans(_leaning(), mode)[1].asks == asks


@pytest.mark.parametrize(
    ("snapshot", "mode", "bounds"),
    [
        (_leaning(), WingMode.ADVISE, NARROW),
        (_leaning(), WingMode.AUTO, None),
        (_leaning(), WingMode.AUTO, WING_BOUNDS),
        (replace(_leaning(), wing_strikes={}), WingMode.AUTO, NARROW),
        (_leaning(session=None), WingMode.AUTO, NARROW),
        (_leaning(levels={}), WingMode.AUTO, NARROW),
    ],
    ids=["advice", "no bounds", "inside the band", "nothing watched", "no session", "no levels"],
)
def test_otherwise_the_overlays_plan_is_the_only_one(
    snapshot: Snapshot, mode: WingMode, bounds: WingBounds | None
) -> None:
    """Nothing is wished for where nobody may act, nothing leans, nothing is quoted, or nothing can be measured."""
    assert len(_plans(snapshot, mode, bounds)) == 1


def test_what_cannot_be_measured_says_why() -> None:
    """The keeper tells it in the same words."""
    levels = {key: level for key, level in _leaning().levels.items() if key != SPX.key}
    found = widening_now(Valuer(_leaning(levels=levels), ValuationSettings()), NARROW, HedgeSettings(), FEES)
    assert isinstance(found, NoWidening)
    assert found.why == "where the book leans is unknown: IND:SPX: no level"
