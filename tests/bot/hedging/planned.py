"""Plans made at once from a moment, and the overlay that many of them start from."""

from bot.domain.orders import DecisionId
from bot.domain.plan import HedgePlan
from bot.domain.portfolio import Lot
from bot.domain.readings import Signal, SignalState
from bot.domain.snapshot import Snapshot
from bot.hedging.planning import Planner
from bot.hedging.settings import HedgeSettings
from tests.builders import FEES, Scenery, a_lot, a_signal, new_ids, spread_legs

TEN = Scenery(condors=10)
FORTY = Scenery(condors=40)
CALM = a_signal(SignalState.CALM, peak_excess=0.05)


def planned(snapshot: Snapshot, signal: Signal | None = None, settings: HedgeSettings | None = None) -> HedgePlan:
    """The plan of a moment; in a blowout and by the defaults where a test does not say."""
    planner = Planner(settings or HedgeSettings(), FEES)
    return next(planner.plans(snapshot, signal or a_signal(), DecisionId("d-1"), new_ids().__next__))


def an_overlay(
    units: int = 2, exposure: float = 11.0, legs: tuple[float, float] = (21, 26), lot_id: str = "o-1"
) -> Lot:
    """A lot of call spreads, 80 USD each."""
    return a_lot(spread_legs(*legs), units=units, cost=80 * units, exposure=exposure, lot_id=lot_id)
