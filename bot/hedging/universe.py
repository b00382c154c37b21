"""Which contracts to watch for the overlay: the plausible strikes of one settlement, and the futures behind them."""

from collections.abc import Iterable, Sequence
from datetime import date

from bot.domain.instrument import Instrument, Kind, Right
from bot.domain.portfolio import Lot
from bot.hedging.adding import MONTHLY_CLASS
from bot.hedging.settings import HedgeSettings
from bot.hedging.sleeve import overlay_settlement
from bot.valuation import VIX_FUTURE_CLASSES

LOWEST_STRIKE_FRAC = 0.8
"""Of spot VIX: in backwardation the forward of a month stands below spot (35 goes with about 28), and a call of 0.45
delta about 7 % above the forward."""
HIGHEST_STRIKE_FRAC = 1.45
"""Of spot VIX: in contango the forward stands up to 15 % above spot, and a call of 0.30 delta up to 25 % above it."""


def candidate_universe(
    option_chain: Sequence[Instrument],
    futures: Sequence[Instrument],
    *,
    vix_level: float,
    today: date,
    lots: Sequence[Lot],
    settings: HedgeSettings,
) -> tuple[Instrument, ...]:
    """Return the contracts that the shell should watch, at most ``settings.max_watched``; the held legs come on top.

    First the VX future of every settlement in which hedge lots are held, for their forwards; then VX and VXM of the
    overlay's settlement; then its calls, the nearest to the middle of the plausible range first.

    Args:
        option_chain: Listed VIX options of the coming months, any order.
        futures: Listed VX and VXM futures.
        vix_level: Spot VIX, points, positive.
        today: New York date.
        lots: The book's lots.
        settings: Ranges of days and deltas, widths, and how many contracts may be watched.

    Source: docs/methodology.md, M5 and M6; docs/design.md, market data lines.
    """
    offered = {
        one.settlement for one in option_chain if one.trading_class == MONTHLY_CLASS and one.settlement is not None
    }
    settlement = overlay_settlement(offered, lots, today, settings)
    held = {leg.instrument.settlement for lot in lots if lot.units_open for leg in lot.legs}
    wanted = [one for one in futures if _is_needed(one, held, settlement)]
    wanted.sort(key=lambda one: (one.trading_class, one.settlement or today))
    calls = [one for one in option_chain if _is_monthly_call(one, settlement)]
    return (*wanted, *_nearest_strikes(calls, vix_level, settings))[: settings.max_watched]


def _is_needed(future: Instrument, held: Iterable[date | None], settlement: date | None) -> bool:
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
