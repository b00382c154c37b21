"""Scenes for the roll of a wing: a book that its sleeve has carried out of its band, with the strikes beyond quoted."""

from dataclasses import replace
from decimal import Decimal
from functools import cache

from bot.domain.instrument import Instrument, Right
from bot.domain.orders import OrderIntent, Purpose
from bot.domain.snapshot import Snapshot
from risk.limits import RiskLimits
from tests.builders import an_intent, an_option, buys, sells
from tests.risk.scenes import LIMITS, scenery
from tests.told import as_told

CONDOR = scenery().opening.condors[0]
NARROW = replace(LIMITS, neutrality_band_frac=0.03)
"""A band that the base sleeve alone leaves on the short side."""


def strike(right: Right, points: int) -> Instrument:
    """An option of the condors' class and expiry, so many points outside the wing of a right."""
    wing = CONDOR.long_put if right is Right.PUT else CONDOR.long_call
    outward = -1 if right is Right.PUT else 1
    return an_option(str((wing.strike or 0) + outward * points), CONDOR.settlement, trading_class="SPXW", right=right)


OUTSIDE = tuple(strike(right, points) for right in Right for points in (5, 10))


def a_roll(
    quantity: int = 1,
    *,
    right: Right = Right.PUT,
    points: int = 5,
    limit: str = "-0.35",
    cost: str = "0",
    intent_id: str = "roll",
) -> OrderIntent:
    """So many long legs rolled out by so many points."""
    wing = CONDOR.long_put if right is Right.PUT else CONDOR.long_call
    return an_intent(
        (sells(wing), buys(strike(right, points))),
        quantity=quantity,
        limit=limit,
        cost=cost,
        purpose=Purpose.WING_ROLL,
        intent_id=intent_id,
        exposure=0.0,
    )


@cache
def leaning(**changes: object) -> Snapshot:
    """Ten condors under a sleeve that leans them out of `NARROW`."""
    snapshot = scenery().snapshot()
    quotes = {**snapshot.quotes, **{one.key: scenery().quote(one) for one in OUTSIDE}}
    return replace(as_told(snapshot, *OUTSIDE), quotes=quotes, **changes)  # type: ignore[arg-type]  # test shorthand


def with_credit(credit: str) -> Snapshot:
    """The leaning book with another credit of its one cohort."""
    snapshot = leaning()
    (cohort,) = snapshot.book.cohorts
    return replace(snapshot, book=replace(snapshot.book, cohorts=(replace(cohort, credit_usd=Decimal(credit)),)))


def narrow(**changes: object) -> RiskLimits:
    """The narrow band with other limits changed."""
    return replace(NARROW, **changes)  # type: ignore[arg-type]  # test shorthand
