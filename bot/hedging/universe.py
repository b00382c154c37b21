"""Which contracts to watch for the overlay: the plausible strikes of one settlement, and the futures behind them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from bot.domain.instrument import VIX, Instrument, Kind, Right
from bot.domain.releases import ReleaseTable
from bot.domain.schedule import SessionCalendar
from bot.domain.shifts import Offered
from bot.domain.snapshot import Snapshot
from bot.hedging.settings import HedgeSettings
from bot.hedging.settlement import overlay_shift
from bot.valuation import VIX_FUTURE_CLASSES

LOWEST_STRIKE_FRAC = 0.8
"""Of spot VIX: in backwardation the forward of a month stands below spot (35 goes with about 28), and a call of 0.45
delta about 7 % above the forward."""
HIGHEST_STRIKE_FRAC = 1.45
"""Of spot VIX: in contango the forward stands up to 15 % above spot, and a call of 0.30 delta up to 25 % above it."""
MONTHLY_CLASS = "VIX"
"""Weeklies have a class of their own, VIXW."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What the exchange lists for a while ahead, in any order: VIX options, VX and VXM futures."""

    options: Sequence[Instrument]
    futures: Sequence[Instrument]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """What to watch for the overlay, and the settlements to choose from."""

    instruments: tuple[Instrument, ...]
    offered: tuple[Offered, ...]


def looked_up(
    listed: Listed, snapshot: Snapshot, releases: ReleaseTable, settings: HedgeSettings, calendar: SessionCalendar
) -> Candidates | None:
    """Return what the shell should watch now; None while no level of VIX says which strikes are plausible.

    The settlement is the one to which an increase would go now, so that the plan that follows finds its contracts.

    Source: docs/methodology.md, M5 and M6.
    """
    vix = snapshot.levels.get(VIX.key) or snapshot.previous_closes.get(VIX.key)
    if vix is None:
        return None
    offered = offered_settlements(listed.options)
    shift = overlay_shift(replace(snapshot, offered=offered), releases, settings.shifting, calendar)
    lots = [lot for lot in snapshot.book.lots if lot.units_open]
    held = {leg.instrument.settlement for lot in lots for leg in lot.legs if leg.instrument.settlement is not None}
    chosen = candidate_universe(listed, shift.settlement, held, vix_level=vix, settings=settings)
    return Candidates(instruments=chosen, offered=offered)


def offered_settlements(options: Iterable[Instrument]) -> tuple[Offered, ...]:
    """Return the settlements that a purchase may go to, ascending: the monthly ones.

    Source: docs/methodology.md, M6.
    """
    days = {one.settlement for one in options if one.trading_class == MONTHLY_CLASS and one.settlement is not None}
    return tuple(Offered(day=day, is_monthly=True) for day in sorted(days))


def candidate_universe(
    listed: Listed, settlement: date | None, held: Iterable[date], *, vix_level: float, settings: HedgeSettings
) -> tuple[Instrument, ...]:
    """Return the contracts that the shell should watch, at most ``settings.max_watched``; the held legs come on top.

    First the VX future of every settlement in which hedge lots are held, for their forwards; then VX and VXM of the
    overlay's settlement; then its calls, the nearest to the middle of the plausible range first.

    Args:
        listed: What there is.
        settlement: Where an increase would go now; None where nothing fits.
        held: Settlements in which hedge lots are held.
        vix_level: Spot VIX, points, positive.
        settings: Deltas, widths, and how many contracts may be watched.

    Source: docs/methodology.md, M5 and M6; docs/design.md, market data lines.
    """
    behind = frozenset(held)
    wanted = [one for one in listed.futures if _is_needed(one, behind, settlement)]
    wanted.sort(key=lambda one: (one.trading_class, one.settlement or date.max))
    calls = [one for one in listed.options if _is_monthly_call(one, settlement)]
    return (*wanted, *_nearest_strikes(calls, vix_level, settings))[: settings.max_watched]


def _is_needed(future: Instrument, held: frozenset[date], settlement: date | None) -> bool:
    is_overlay = future.settlement == settlement and future.trading_class in VIX_FUTURE_CLASSES
    return is_overlay or (future.trading_class == "VX" and future.settlement in held)


def _is_monthly_call(option: Instrument, settlement: date | None) -> bool:
    return (
        option.kind is Kind.OPTION
        and option.right is Right.CALL
        and option.trading_class == MONTHLY_CLASS
        and option.settlement == settlement
    )


def _nearest_strikes(calls: Iterable[Instrument], vix_level: float, settings: HedgeSettings) -> list[Instrument]:
    low = LOWEST_STRIKE_FRAC * vix_level
    high = HIGHEST_STRIKE_FRAC * vix_level + settings.max_width_points
    middle = (low + high) / 2.0
    within = [call for call in calls if low <= float(call.strike or 0) <= high]
    return sorted(within, key=lambda call: (abs(float(call.strike or 0) - middle), call.strike))
