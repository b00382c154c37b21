"""Which contracts to watch: the plausible strikes of overlay and base, and the futures behind them."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from statistics import NormalDist

from bot.domain.instrument import VIX, VXX, Instrument, Kind, Right
from bot.domain.layer import Layer
from bot.domain.ledger import trade_date
from bot.domain.releases import ReleaseTable
from bot.domain.schedule import SessionCalendar
from bot.domain.shifts import Offered
from bot.domain.snapshot import Snapshot
from bot.hedging.base.targets import wanted_settlements
from bot.hedging.construction import MONTHLY_CLASS, is_monthly_call
from bot.hedging.settings import HedgeSettings
from bot.hedging.settlement import overlay_shift
from bot.pricing import DAYS_PER_YEAR
from bot.valuation import VIX_FUTURE_CLASSES, VIX_OPTION_CLASSES, Unvalued, Valued, Valuer

LOWEST_STRIKE_FRAC = 0.8
"""Of spot VIX: in backwardation the forward of a month stands below spot (35 goes with about 28), and a call of 0.45
delta about 7 % above the forward."""
HIGHEST_STRIKE_FRAC = 1.45
"""Of spot VIX: in contango the forward stands up to 15 % above spot, and a call of 0.30 delta up to 25 % above it."""
WEEKLY_CLASS = "VIXW"
"""Of options that settle on the other Wednesdays."""
PAIRS = 3
"""Strikes whose call and put are watched for the forward of a weekly settlement: one of them is within a point of it
or two, and one may lack a quote."""
USUAL_DEVIATION = 0.33
"""Of the logarithm of a VIX forward to its settlement: about 0.27 over 30 days, 0.36 over 110 and 0.40 over 220."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What the exchange lists for a while ahead, in any order: VIX options, VX and VXM futures.

    ``liquid_weeklies`` are the settlements of weekly options whose quotes were found good enough to buy (M5).
    """

    options: Sequence[Instrument]
    futures: Sequence[Instrument]
    liquid_weeklies: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseWatch:
    """A settlement at which a base layer is to be bought; ``strike`` in points, None while its forward is unknown."""

    settlement: date
    strike: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """What to watch, and the settlements to choose from."""

    instruments: tuple[Instrument, ...]
    offered: tuple[Offered, ...]


def looked_up(
    listed: Listed, snapshot: Snapshot, releases: ReleaseTable, settings: HedgeSettings, calendar: SessionCalendar
) -> Candidates | None:
    """Return what the shell should watch now; None while no level of VIX says which strikes are plausible.

    The settlement is the one to which an increase would go now, so that the plan that follows finds its contracts; the
    base's are those of the layers that need a purchase now.

    Source: docs/methodology.md, M4, M5 and M6.
    """
    vix = snapshot.levels.get(VIX.key) or snapshot.previous_closes.get(VIX.key)
    if vix is None:
        return None
    offered = offered_settlements(listed)
    moment = replace(snapshot, offered=offered)
    shift = overlay_shift(moment, releases, settings.shifting, calendar)
    wanted = wanted_settlements(moment, trade_date(snapshot.now), settings, calendar)
    lots = [lot for lot in snapshot.book.lots if lot.units_open]
    held = {leg.instrument.settlement for lot in lots for leg in lot.legs if leg.instrument.settlement is not None}
    chosen = candidate_universe(
        listed,
        shift.settlement,
        held,
        vix_level=vix,
        settings=settings,
        base=base_watches(wanted, Valuer(snapshot, settings.valuation), settings),
    )
    return Candidates(instruments=chosen, offered=offered)


def offered_settlements(listed: Listed) -> tuple[Offered, ...]:
    """Return the settlements that a purchase may go to, ascending: the monthly ones, and weeklies found liquid.

    Source: docs/methodology.md, M6.
    """
    monthly = settlements_of(listed.options, MONTHLY_CLASS)
    weekly = settlements_of(listed.options, WEEKLY_CLASS) & listed.liquid_weeklies
    return tuple(Offered(day=day, is_monthly=day in monthly) for day in sorted(monthly | weekly))


def settlements_of(options: Iterable[Instrument], trading_class: str) -> frozenset[date]:
    """Return the settlements of a class of options."""
    found = (one.settlement for one in options if one.trading_class == trading_class)
    return frozenset(day for day in found if day is not None)


def base_watches(wanted: Mapping[date, Layer], valuer: Valuer, settings: HedgeSettings) -> tuple[BaseWatch, ...]:
    """Return what is watched for the layers that need a purchase: where, and around which strike.

    The strike of a forward delta is ``F exp(s^2 / 2 - s N^-1(delta))`` with s the deviation of the forward's logarithm
    to settlement: that of the watched call which comes nearest, a usual one while none is. Until the forward of a
    settlement is known, its future alone is watched.

    Source: docs/methodology.md, M4.
    """
    watches = []
    for day, layer in sorted(wanted.items()):
        forward = valuer.vix_forward(day)
        delta = settings.layers[layer].forward_delta
        deviation = _deviation(day, delta, valuer)
        away = deviation**2 / 2.0 - deviation * NormalDist().inv_cdf(delta)
        strike = None if isinstance(forward, Unvalued) else forward * math.exp(away)
        watches.append(BaseWatch(settlement=day, strike=strike))
    return tuple(watches)


def _deviation(day: date, delta: float, valuer: Valuer) -> float:
    """Of the logarithm of a settlement's forward, by the volatility of the call nearest to a delta."""
    calls = (one for one in valuer.snapshot.universe.values() if is_monthly_call(one, day))
    known = [valued for one in calls if isinstance(valued := valuer.value(one), Valued)]
    if not known:
        return USUAL_DEVIATION
    nearest = min(known, key=lambda valued: abs(valued.named_delta - delta))
    return nearest.vol * math.sqrt(nearest.days / DAYS_PER_YEAR)


def candidate_universe(
    listed: Listed,
    settlement: date | None,
    held: Iterable[date],
    *,
    vix_level: float,
    settings: HedgeSettings,
    base: Sequence[BaseWatch] = (),
) -> tuple[Instrument, ...]:
    """Return the contracts that the shell should watch, at most ``settings.max_watched``; the held legs come on top.

    First VXX where its shares are allowed. Then the VX future of every settlement in which hedge lots are held or a
    base layer is to be bought, for their forwards; then VX and VXM of the overlay's settlement; then pairs of calls and
    puts where a weekly settlement has no such future; then the calls of the base; then those of the overlay, the
    nearest to the middle of the plausible range first.

    Args:
        listed: What there is.
        settlement: Where an increase would go now; None where nothing fits.
        held: Settlements in which hedge lots are held.
        vix_level: Spot VIX, points, positive.
        settings: Deltas, widths, and how many contracts may be watched.
        base: Where base layers are to be bought.

    Source: docs/methodology.md, M4, M5 and M6; docs/design.md, market data lines.
    """
    behind = frozenset(held) | {watch.settlement for watch in base}
    futures = [one for one in listed.futures if _is_needed(one, behind, settlement)]
    futures.sort(key=lambda one: (one.trading_class, one.settlement or date.max))
    priced = {settlement, *behind} - {None, *settlements_of(listed.options, MONTHLY_CLASS)}
    pairs = [one for day in sorted(filter(None, priced)) for one in pairs_near(listed.options, day, vix_level, PAIRS)]
    of_the_base = [call for watch in base for call in _around(listed.options, watch, settings.base.strikes_watched)]
    calls = [one for one in listed.options if _is_vix_call(one) and one.settlement == settlement]
    shares = (VXX,) if settings.allow_vxx_shares else ()
    wanted = (*shares, *futures, *pairs, *of_the_base, *_nearest_strikes(calls, vix_level, settings))
    return tuple({one.key: one for one in wanted}.values())[: settings.max_watched]


def pairs_near(options: Iterable[Instrument], day: date, level: float, count: int) -> list[Instrument]:
    """Return the weekly calls and puts of a settlement at the strikes nearest to a level, call and put in turn.

    By put-call parity they tell the forward where no monthly future does.
    """
    listed = [one for one in options if one.trading_class == WEEKLY_CLASS and one.settlement == day]
    by_strike: dict[Decimal, dict[Right, Instrument]] = {}
    for one in listed:
        if one.strike is not None and one.right is not None:
            by_strike.setdefault(one.strike, {})[one.right] = one
    whole = [strike for strike, sides in by_strike.items() if len(sides) == len(Right)]
    nearest = sorted(whole, key=lambda strike: (abs(float(strike) - level), strike))[:count]
    return [by_strike[strike][right] for strike in nearest for right in (Right.CALL, Right.PUT)]


def _around(options: Iterable[Instrument], watch: BaseWatch, count: int) -> list[Instrument]:
    """The monthly calls nearest to a strike; none while it is not known."""
    if watch.strike is None:
        return []
    middle = watch.strike
    calls = [one for one in options if is_monthly_call(one, watch.settlement)]
    return sorted(calls, key=lambda call: (abs(float(call.strike or 0) - middle), call.strike))[:count]


def _is_needed(future: Instrument, behind: frozenset[date], settlement: date | None) -> bool:
    is_overlay = future.settlement == settlement and future.trading_class in VIX_FUTURE_CLASSES
    return is_overlay or (future.trading_class == "VX" and future.settlement in behind)


def _is_vix_call(option: Instrument) -> bool:
    is_call = option.kind is Kind.OPTION and option.right is Right.CALL
    return is_call and option.trading_class in VIX_OPTION_CLASSES


def _nearest_strikes(calls: Iterable[Instrument], vix_level: float, settings: HedgeSettings) -> list[Instrument]:
    low = LOWEST_STRIKE_FRAC * vix_level
    high = HIGHEST_STRIKE_FRAC * vix_level + settings.max_width_points
    middle = (low + high) / 2.0
    within = [call for call in calls if low <= float(call.strike or 0) <= high]
    return sorted(within, key=lambda call: (abs(float(call.strike or 0) - middle), call.strike))
