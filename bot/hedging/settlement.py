"""Where the overlay goes: the expiry choice with what a snapshot says of the episode and of the short layer."""

from datetime import date, timedelta

from bot.domain.layer import Layer
from bot.domain.ledger import trade_date
from bot.domain.releases import ReleaseTable
from bot.domain.schedule import SessionCalendar
from bot.domain.shifts import Shift, ShiftInputs
from bot.domain.snapshot import Snapshot
from bot.hedging.shifting.choice import choose_settlement
from bot.hedging.shifting.settings import TimeShiftSettings


def overlay_shift(
    snapshot: Snapshot, releases: ReleaseTable, settings: TimeShiftSettings, calendar: SessionCalendar
) -> Shift:
    """Return the settlement that an increase made now goes to, with its reason.

    The overlay joins the short base layer where that settles within the ranges; then a release that follows soon, or a
    spread on its way home, may shift it by one step.

    Args:
        snapshot: With the settlements on offer; the plan and the shell ask with the same one and get the same answer.
        releases: The schedule.
        settings: The numbers of the rule.
        calendar: Trading sessions.

    Source: docs/methodology.md, M4 and M6.
    """
    return choose_settlement(
        snapshot.offered,
        snapshot.now,
        releases,
        _inputs(snapshot),
        settings,
        joined=_short_layer(snapshot, settings),
        calendar=calendar,
    )


def _inputs(snapshot: Snapshot) -> ShiftInputs:
    reading = snapshot.dispersion
    peak = None
    if reading.episode is not None and reading.baseline is not None and reading.baseline > 0.0:
        peak = reading.baseline * (1.0 + reading.episode.peak_excess)
    return ShiftInputs(spread=reading.spread, peak_spread=peak, closing_spreads=snapshot.closing_spreads)


def _short_layer(snapshot: Snapshot, settings: TimeShiftSettings) -> date | None:
    """The nearest settlement of the short layer that is far enough away; None without one."""
    least = trade_date(snapshot.now) + timedelta(days=settings.days_range[0])
    days = (lot.expires_on for lot in snapshot.book.lots if lot.layer is Layer.SHORT and lot.units_open)
    return min((day for day in days if day is not None and day >= least), default=None)
