"""CALM: how much of the overlay goes in this session (M17): half of it first, the rest in the session after."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.ledger import trade_date
from bot.domain.orders import Purpose
from bot.domain.portfolio import Change, Lot
from bot.domain.schedule import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """Units of the overlay that may be sold now; ``why`` tells which half it is, or why it is none."""

    units: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """So many units of one lot."""

    lot: Lot
    units: int


def unwind_quota(
    lots: Sequence[Lot], changes: Sequence[Change], session: Session | None, now: datetime, least_minutes: float
) -> Quota:
    """Return how many units go now.

    The first half, rounded up, goes in the first session that has ``least_minutes`` left when it begins; the rest in a
    later session. An increase in between begins anew.

    Args:
        lots: The open lots of the overlay.
        changes: Of the overlay, oldest first.
        session: The one that is open; None outside one.
        now: Aware.
        least_minutes: What must be left of a session in which the first half goes.

    Source: docs/methodology.md, M17.
    """
    still_open = sum(lot.units_open for lot in lots)
    sold = _sales_since_the_last_increase(changes)
    today = trade_date(now)
    if any(change.filled and trade_date(change.at) < today for change in sold):
        return Quota(units=still_open, why="calm: the rest of the overlay returns to base")
    on_the_way = sum(change.ordered - change.filled for change in sold if change.is_live)
    done = sum(change.filled for change in sold)
    if not done and not on_the_way and (session is None or session.closes_at - now < timedelta(minutes=least_minutes)):
        return Quota(units=0, why="calm: the way back begins in a session with time left")
    units = math.ceil((still_open + done) / 2) - done - on_the_way
    if units <= 0:
        return Quota(units=0, why="calm: half of the overlay has gone, the rest goes in the next session")
    return Quota(units=units, why="calm: half of the overlay returns to base")


def _sales_since_the_last_increase(changes: Sequence[Change]) -> list[Change]:
    since: list[Change] = []
    for change in changes:
        if change.purpose is Purpose.OVERLAY_BUILD:
            since.clear()
        elif change.purpose is Purpose.OVERLAY_UNWIND:
            since.append(change)
    return since


def portions(lots: Sequence[tuple[Lot, float]], units: int) -> tuple[Portion, ...]:
    """Share units out over lots, the most profitable first.

    Args:
        lots: Each with its profit in USD a unit; what is unknown is minus infinity.
        units: How many to sell, zero or more.

    Source: docs/methodology.md, M17.
    """
    shared: list[Portion] = []
    for lot, _ in sorted(lots, key=lambda one: (-one[1], one[0].bought_on, one[0].lot_id)):
        take = min(units, lot.units_open)
        if take > 0:
            shared.append(Portion(lot=lot, units=take))
            units -= take
    return tuple(shared)
