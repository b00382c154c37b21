"""The broker's algorithms, as far as they are known here: how they price an order and slice it over time."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from simulator.orders.prices import AnyPrice, Price
from simulator.orders.view import Sides, better_of, on_grid
from simulator.venue import VenueOrder

ADAPTIVE: Final = "Adaptive"
TWAP: Final = "Twap"
VWAP: Final = "Vwap"
KNOWN: Final = frozenset({ADAPTIVE, TWAP, VWAP})

_NEW_YORK: Final = ZoneInfo("America/New_York")
_PATIENCE_S: Final = {"Urgent": 30.0, "Normal": 120.0, "Patient": 600.0}
"""Seconds from the middle to the far side, by the parameter adaptivePriority; an estimate."""
_DEFAULT_WINDOW: Final = timedelta(minutes=30)


def adaptive_price(order: VenueOrder, sides: Sides, plain: Price, elapsed_s: float) -> Price:
    """Adaptive: mid + (far - mid) x min(1, elapsed / patience), on the grid, never worse than the order's own price.

    Args:
        order: With the parameter adaptivePriority: Urgent (30 s), Normal (120 s), Patient (600 s).
        sides: The present market.
        plain: What the order type alone would pay.
        elapsed_s: Seconds since the order became active.
    """
    mid, far = sides.mid, sides.taken_by(order.side)
    if mid is None or far is None or plain is None:
        return plain
    patience_s = _PATIENCE_S.get(parameter(order, "adaptivePriority"), _PATIENCE_S["Normal"])
    worked = far if elapsed_s >= patience_s else mid + (far - mid) * Decimal(str(max(0.0, elapsed_s) / patience_s))
    return better_of(order.side, on_grid(order, worked), None if isinstance(plain, AnyPrice) else plain)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """From when to when an order is sliced, aware."""

    start: datetime
    end: datetime

    def elapsed_frac(self, at: datetime) -> float:
        """Return the share of the window that is over, 0 to 1."""
        if at >= self.end:
            return 1.0
        return max(0.0, (at - self.start) / (self.end - self.start))


def window_of(order: VenueOrder, since: datetime) -> Window:
    """Return startTime to endTime, in the zone stated or New York's; 30 minutes from ``since`` on without them."""
    start = max(since, _moment(parameter(order, "startTime"), since) or since)
    end = _moment(parameter(order, "endTime"), since)
    return Window(start=start, end=end if end is not None and end > start else start + _DEFAULT_WINDOW)


def units_due(order: VenueOrder, since: datetime, at: datetime) -> int:
    """Return how many units of an order may have traded by ``at``: all of them unless it is sliced.

    Twap: quantity x elapsed share x. Vwap: quantity x (x/2 + ((2x - 1)^3 + 1)/4), the share of a day's volume traded
    by then when its density is 1/2 + 3/2 (2x - 1)^2, more at both ends. At least one unit once the window has begun.
    """
    if order.algo not in {TWAP, VWAP}:
        return order.quantity
    window = window_of(order, since)
    if at < window.start:
        return 0
    share = window.elapsed_frac(at)
    if order.algo == VWAP:
        share = share / 2 + ((2 * share - 1) ** 3 + 1) / 4
    return min(order.quantity, max(1, int(order.quantity * share)))


def parameter(order: VenueOrder, name: str) -> str:
    """Return one of the algorithm's parameters, empty when it was not stated."""
    return next((value for key, value in order.algo_params if key == name), "")


def _moment(text: str, near: datetime) -> datetime | None:
    """Return ``[YYYYMMDD ]HH:MM:SS[ ZONE]`` as a moment, a time alone on the day of ``near``; None when unreadable."""
    parts = text.replace("-", " ", 1).split()
    try:
        day = date.fromisoformat(parts.pop(0)) if parts and ":" not in parts[0] else None
        clock = time.fromisoformat(parts[0])
        zone = ZoneInfo(parts[1]) if len(parts) > 1 else _NEW_YORK
    except (ValueError, IndexError, ZoneInfoNotFoundError):
        return None
    return datetime.combine(day or near.astimezone(zone).date(), clock, tzinfo=zone)
