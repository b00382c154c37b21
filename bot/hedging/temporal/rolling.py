"""When a lot's time has come: rolled at its layer's days, stopped before its end, harvested near its width (M7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from bot.domain.checks import require_text
from bot.domain.instrument import Kind, Right, Side
from bot.domain.layer import Layer
from bot.domain.orders import IntentId, Leg
from bot.domain.portfolio import Lot
from bot.domain.schedule import SessionCalendar
from bot.hedging.temporal.settings import TemporalSettings
from bot.valuation import Unvalued, Valuer

ROUNDING_POINTS = 1e-9
"""Two decimals as floats differ by less; no price does."""


class DueKind(StrEnum):
    """What a lot is due for."""

    ROLL = "roll"
    STOP = "stop"
    HARVEST = "harvest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One lot is due for something, since which session, and why in words."""

    kind: DueKind
    lot_id: IntentId
    since: date
    words: str

    def __post_init__(self) -> None:
        """Reject a lot that is due for no reason."""
        require_text(lot_id=self.lot_id, words=self.words)


def roll_due(lot: Lot, today: date, settings: TemporalSettings, calendar: SessionCalendar) -> Due | None:
    """Return that a lot is to be rolled, None while it is not, or when nothing of it is left.

    It is due from the last session on or before the day on which its layer's days to settlement are left, so that a
    weekend never makes a roll late.

    Args:
        lot: A lot of any layer.
        today: New York date.
        settings: Days by layer: 10, 65 and 165; the overlay's are those of the short layer.
        calendar: Sessions and holidays.

    Source: docs/methodology.md, M4 and M7.
    """
    if lot.expires_on is None or not lot.lives_on(today):
        return None
    since = roll_day(lot.layer, lot.expires_on, settings, calendar)
    if today < since:
        return None
    days = settings.roll_days(lot.layer)
    left = (lot.expires_on - today).days
    words = f"{left} days to settlement: the {lot.layer} layer is rolled at {days}"
    return Due(kind=DueKind.ROLL, lot_id=lot.lot_id, since=since, words=words)


def roll_day(layer: Layer, settlement: date, settings: TemporalSettings, calendar: SessionCalendar) -> date:
    """Return the session from which on what a layer holds of a settlement is due for its roll.

    Source: docs/methodology.md, M4.
    """
    return _on_or_before(settlement - timedelta(days=settings.roll_days(layer)), calendar)


def stop_day(lot: Lot, settings: TemporalSettings, calendar: SessionCalendar) -> date | None:
    """Return the session that lies ``stop_sessions`` before the last trading day of a lot's earliest leg.

    None for shares, which trade for ever.

    Source: docs/methodology.md, M7.
    """
    day = min((leg.instrument.last_trade for leg in lot.legs if leg.instrument.last_trade), default=lot.expires_on)
    if day is None:
        return None
    for _ in range(settings.stop_sessions):
        day = calendar.previous_session(day).day
    return day


def stop_due(lot: Lot, today: date, settings: TemporalSettings, calendar: SessionCalendar) -> Due | None:
    """Return that a lot must go now, whatever any signal says; None before its stop day, or when it is gone.

    Source: docs/methodology.md, M7.
    """
    since = stop_day(lot, settings, calendar)
    if since is None or not lot.lives_on(today) or today < since:
        return None
    words = f"the last trading day is {settings.stop_sessions} sessions away or nearer: nothing is held into its end"
    return Due(kind=DueKind.STOP, lot_id=lot.lot_id, since=since, words=words)


def harvest_due(lot: Lot, valuer: Valuer, settings: TemporalSettings, today: date) -> Due | Unvalued | None:
    """Return that a call spread is worth enough of its width to be sold, or why that is unknown.

    The worth is the middle of its quotes, of one unit: no model, because the middle of a call deep in the money may lie
    below what a model can explain, just when the harvest is due. None for what is no spread, what is gone, and what is
    worth less. Whether it is struck anew, higher, is for the planner: only while the dispersion is blown out.

    Source: docs/methodology.md, M7.
    """
    width = spread_width_points(lot.legs)
    if width is None or not lot.lives_on(today):
        return None
    worth = _middle(lot.legs, valuer)
    if isinstance(worth, Unvalued):
        return worth
    if not worth >= settings.harvest_frac * width - ROUNDING_POINTS:
        return None
    words = (
        f"worth {worth:.2f} of {width:g} points, {worth / width:.0%} of its width; "
        f"harvested at {settings.harvest_frac:.0%}"
    )
    return Due(kind=DueKind.HARVEST, lot_id=lot.lot_id, since=today, words=words)


def spread_width_points(legs: Sequence[Leg]) -> float | None:
    """Return the width of a debit call spread, points; None for anything else."""
    if len(legs) != 2 or any(leg.ratio != 1 for leg in legs):
        return None
    bought = [leg.instrument for leg in legs if leg.side is Side.BUY]
    sold = [leg.instrument for leg in legs if leg.side is Side.SELL]
    if len(bought) != 1 or any(one.kind is not Kind.OPTION or one.right is not Right.CALL for one in (*bought, *sold)):
        return None
    long, short = bought[0], sold[0]
    same = (long.trading_class, long.settlement) == (short.trading_class, short.settlement)
    if not same or long.strike is None or short.strike is None or not long.strike < short.strike:
        return None
    return float(short.strike - long.strike)


def _middle(legs: Sequence[Leg], valuer: Valuer) -> float | Unvalued:
    """Middle of one unit, points; unknown where a leg has no good quote."""
    total = 0.0
    for leg in legs:
        quote = valuer.quote(leg.instrument)
        if isinstance(quote, Unvalued):
            return quote
        total += leg.signed_ratio * quote.mid
    return total


def _on_or_before(day: date, calendar: SessionCalendar) -> date:
    return day if calendar.session(day) is not None else calendar.previous_session(day).day
