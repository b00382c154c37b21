"""The plan that rolls a wing further out, for a person or for the gate, as it is configured (M8)."""

from dataclasses import replace
from typing import Final

from bot.domain.fees import FeeSchedule, up_to_cent
from bot.domain.orders import IntentId, OrderIntent, Purpose
from bot.domain.plan import Candidate, HedgePlan, PlanAction
from bot.hedging.condor.lean import lean_of
from bot.hedging.condor.settings import WingMode
from bot.hedging.condor.wings import NoWidening, Widening, WingBounds, WingRoll, Wings
from bot.hedging.moment import Moment
from bot.hedging.settings import HedgeSettings
from bot.valuation import Unvalued, Valuer

WHY: Final = "the sleeve has carried the book out of its band: a wing goes further out"
"""Stable words for plans; the figures are in the notes."""
ASKS: Final = "the roll of a wing is put before a person"


def widening_now(
    valuer: Valuer, bounds: WingBounds, pricing: HedgeSettings, fees: FeeSchedule
) -> Widening | NoWidening:
    """Return the roll that would help the book of a snapshot now, or why there is none.

    Only strikes that are watched for it (`Snapshot.wing_strikes`) are considered.

    Source: docs/methodology.md, M8.
    """
    lean = lean_of(valuer, bounds.band_frac)
    if isinstance(lean, Unvalued):
        return NoWidening(why=f"where the book leans is unknown: {lean.reason}")
    listed = tuple(valuer.snapshot.wing_strikes.values())
    return Wings(valuer=valuer, listed=listed, bounds=bounds, pricing=pricing, fees=fees).widening(lean)


def widen(moment: Moment, mode: WingMode, bounds: WingBounds) -> HedgePlan | None:
    """Return the plan that rolls a wing, None where none is to be rolled; why is told by the shell that looks for it.

    Strikes outside the wings are watched only while the book leans, so nothing is worked out at other times.

    Args:
        moment: What is read.
        mode: Nobody is asked and nothing is sent under ADVISE; a person decides under PROPOSE.
        bounds: How far a wing may go.

    Source: docs/methodology.md, M8.
    """
    if mode is WingMode.ADVISE or not moment.snapshot.wing_strikes:
        return None
    found = widening_now(moment.valuer, bounds, moment.settings, moment.fees)
    if isinstance(found, NoWidening):
        return None
    return replace(
        moment.hold(WHY, candidates=tuple(_candidate(roll) for roll in found.considered)),
        action=PlanAction.WIDEN,
        intents=(_order(found.roll, moment),),
        notes=(found.words, *(roll.words for roll in found.considered)),
        asks=ASKS if mode is WingMode.PROPOSE else "",
    )


def _order(roll: WingRoll, moment: Moment) -> OrderIntent:
    return OrderIntent(
        intent_id=IntentId(moment.new_id()),
        decision_id=moment.decision_id,
        legs=roll.legs,
        quantity=roll.units,
        limit=roll.limit,
        worst_cost_usd=up_to_cent(roll.cost_usd),
        purpose=Purpose.WING_ROLL,
        reason="a wing of the condors goes further out",
        half_width_points=roll.half_width_points,
        middle_points=roll.middle_points,
    )


def _candidate(roll: WingRoll) -> Candidate:
    return Candidate(
        name=roll.name,
        legs=roll.legs,
        limit=roll.limit,
        exposure_usd_per_point=0.0,
        cost_usd=up_to_cent(roll.cost_usd / max(1, roll.units)),
        stress_payoff_usd=0.0,
        quantity=roll.units,
        rejected=roll.rejected,
        half_width_points=roll.half_width_points,
        middle_points=roll.middle_points,
    )
