"""From a gap in exposure to concrete contracts: candidates with their figures, each rejection with its reason."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from bot.domain.fees import FeeSchedule, up_to_cent
from bot.domain.instrument import VIX, VXX, Instrument, Kind, Right, Side
from bot.domain.orders import Leg
from bot.domain.plan import Candidate
from bot.domain.products import shares_in_lots
from bot.domain.snapshot import Snapshot
from bot.hedging.settings import HedgeSettings, Prefer
from bot.hedging.sizing import contracts_for
from bot.pricing import vix_beta
from bot.reserves import reserve_usd
from bot.valuation import VIX_FUTURE_CLASSES, Unvalued, Valued, Valuer, good_level

NOTHING = Decimal(0)
MONTHLY_CLASS = "VIX"
"""Of options that settle by the monthly rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be built: exposures in USD per point; ``room`` is what the ceiling leaves, ``settlement`` where."""

    gap: float
    room: float
    settlement: date

    def units(self, each: float) -> int:
        """Return how many units of a way are wanted, each of such an exposure, positive."""
        return contracts_for(gap=self.gap, room=self.room, each=each)


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedCalls:
    """So many calls of a settlement near a forward delta N(d1), and how far from it they may be."""

    calls: int
    settlement: date
    forward_delta: float
    max_delta_gap: float

    def units(self, _each: float) -> int:
        """Return how many are wanted, whatever one of them does."""
        return self.calls


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """What an order is priced at: ``limit`` on the tick grid, ``mid`` and ``width`` of the net, all in points."""

    limit: Decimal
    mid: Decimal
    width: Decimal


def candidates_for(
    wanted: Wanted, snapshot: Snapshot, valuer: Valuer, settings: HedgeSettings, fees: FeeSchedule
) -> tuple[Candidate, ...]:
    """Return every way to close the gap at a settlement, those that fell out with the reason.

    Source: docs/methodology.md, M5.
    """
    listed = [one for one in snapshot.universe.values() if one.settlement == wanted.settlement]
    builder = _Builder(wanted=wanted, valuer=valuer, settings=settings, fees=fees)
    spreads = builder.spreads([one for one in listed if one.kind is Kind.OPTION and one.right is Right.CALL])
    futures = builder.futures([one for one in listed if one.trading_class in VIX_FUTURE_CLASSES])
    return (*spreads, *futures, *(builder.shares(VXX) if settings.allow_vxx_shares else ()))


def calls_for(
    wanted: WantedCalls, snapshot: Snapshot, valuer: Valuer, settings: HedgeSettings, fees: FeeSchedule
) -> tuple[Candidate, ...]:
    """Return the monthly calls of a settlement, the nearest to the wanted delta first, rejected ones with the reason.

    Of two as near the one with the lower strike comes first; what has no delta comes last.

    Source: docs/methodology.md, M4 and M5.
    """
    builder = _Builder(wanted=wanted, valuer=valuer, settings=settings, fees=fees)
    listed = [one for one in snapshot.universe.values() if is_monthly_call(one, wanted.settlement)]

    def order(call: Instrument) -> tuple[float, Decimal]:
        valued = valuer.value(call)
        away = math.inf if isinstance(valued, Unvalued) else abs(valued.named_delta - wanted.forward_delta)
        return away, call.strike or NOTHING

    return tuple(builder.call(call, wanted) for call in sorted(listed, key=order))


def is_monthly_call(option: Instrument, settlement: date | None) -> bool:
    """Return whether a contract is a VIX call of a monthly settlement; weeklies have a class of their own, VIXW."""
    is_call = option.kind is Kind.OPTION and option.right is Right.CALL
    return is_call and option.trading_class == MONTHLY_CLASS and option.settlement == settlement


def best_of(candidates: Iterable[Candidate], prefer: Prefer) -> Candidate | None:
    """Return the candidate of least cost per stress payoff among the preferred kind, else among the others.

    Shares are of neither kind: they are taken where nothing is preferred, or where what is preferred offers nothing.

    Ties go to fewer contracts, then to the name, so that the choice never depends on the order of the list.
    """
    passed = [candidate for candidate in candidates if not candidate.rejected]
    if prefer is not Prefer.BEST:
        wanted = Kind.FUTURE if prefer is Prefer.FUTURES else Kind.OPTION
        passed = [c for c in passed if c.legs[0].instrument.kind is wanted] or passed
    return min(passed, key=lambda c: (c.cost_per_payoff, c.quantity, c.name), default=None)


def order_price(
    legs: Sequence[Leg], valuer: Valuer, settings: HedgeSettings, *, closing: bool = False
) -> Priced | Unvalued:
    """Return the net price of an order: what fills at once, but never beyond the collar (C7), points per unit.

    An order fills at once when it buys at asks and sells at bids. In a wide market that price would be far from the
    middle; then the collar's edge is the limit, and the order waits inside the market. ``limit`` is positive for what
    is paid and negative for what is received. An order that closes may buy back what has become all but worthless and
    has no bid any more.
    """
    net, low = Decimal(0), Decimal(0)
    for leg in legs:
        quote = valuer.quote(leg.instrument, may_be_unbid=closing and leg.side is Side.BUY)
        if isinstance(quote, Unvalued):
            return quote
        bid, ask = Decimal(repr(quote.bid)), Decimal(repr(quote.ask))
        pays, gets = (ask, bid) if leg.side is Side.BUY else (-bid, -ask)
        net += pays * leg.ratio
        low += gets * leg.ratio
    ticks, mid = valuer.settings.ticks, (net + low) / 2
    frac = settings.collar_frac if legs[0].instrument.kind is Kind.OPTION else settings.future_collar_frac
    allowed = max(Decimal(repr(frac)) * abs(mid), settings.collar_ticks * ticks.increment_of(legs, net))
    limit = min(ticks.rounded_up(legs, net), ticks.rounded_down(legs, mid + allowed))
    return Priced(limit=limit, mid=mid, width=net - low)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Builder:
    """Makes candidates of one settlement."""

    wanted: Wanted | WantedCalls
    valuer: Valuer
    settings: HedgeSettings
    fees: FeeSchedule

    def spreads(self, calls: Sequence[Instrument]) -> Iterator[Candidate]:
        """Every long call whose forward delta is in range, with every listed width."""
        by_strike = {(call.trading_class, call.strike): call for call in calls}
        for long in sorted(calls, key=lambda call: (call.trading_class, call.strike or NOTHING)):
            valued = self.valuer.value(long)
            if isinstance(valued, Unvalued):
                yield _unpriced(f"{long.key} spreads", (Leg(instrument=long, side=Side.BUY),), valued.reason)
                continue
            if not self.settings.least_long_delta <= valued.named_delta <= self.settings.most_long_delta:
                continue
            for width in self.settings.widths_points:
                short = by_strike.get((long.trading_class, (long.strike or NOTHING) + Decimal(repr(width))))
                if short is not None:
                    yield self._spread(long, short, width)

    def futures(self, listed: Sequence[Instrument]) -> Iterator[Candidate]:
        """VX and its mini."""
        for future in sorted(listed, key=lambda one: one.trading_class):
            legs = (Leg(instrument=future, side=Side.BUY),)
            yield self._reserved(future.key, legs)

    def shares(self, product: Instrument) -> Iterator[Candidate]:
        """Whole shares of a volatility product."""
        book, session = self.valuer.snapshot.book, self.valuer.snapshot.session
        rejected = ""
        if session is None or self.valuer.snapshot.now >= session.shares_close_at:
            rejected = "shares do not trade now"
        elif book.quantity(product.key) != shares_in_lots(book, product.key):
            rejected = "the account does not hold exactly the shares that the bot has bought"
        yield self._reserved(f"{product.symbol} shares", (Leg(instrument=product, side=Side.BUY),), rejected)

    def _reserved(self, name: str, legs: tuple[Leg, ...], rejected: str = "") -> Candidate:
        """What costs a reserve instead of a premium."""
        reserve = reserve_usd(legs[0].instrument, self.valuer)
        if isinstance(reserve, Unvalued):
            return _unpriced(name, legs, reserve.reason)
        return self._candidate(name, legs, reserve, rejected)

    def call(self, call: Instrument, wanted: WantedCalls) -> Candidate:
        """One call alone."""
        legs = (Leg(instrument=call, side=Side.BUY),)
        valued = self.valuer.value(call)
        if isinstance(valued, Unvalued):
            return _unpriced(call.key, legs, valued.reason)
        is_far = abs(valued.named_delta - wanted.forward_delta) > wanted.max_delta_gap
        name = f"{call.trading_class} {call.settlement} {(call.strike or NOTHING).normalize():f} call"
        return self._candidate(name, legs, None, "its forward delta is too far from the layer's" if is_far else "")

    def _spread(self, long: Instrument, short: Instrument, width: float) -> Candidate:
        legs = (Leg(instrument=long, side=Side.BUY), Leg(instrument=short, side=Side.SELL))
        strikes = "/".join(f"{(one.strike or NOTHING).normalize():f}" for one in (long, short))
        name = f"{long.trading_class} {long.settlement} {strikes} call spread"
        too_wide = width > self.settings.max_width_points
        return self._candidate(name, legs, None, "wider than the configuration allows" if too_wide else "")

    def _meets_itself(self, legs: Sequence[Leg]) -> bool:
        """The account holds the other side of a leg: buying would close what is held instead of adding to it."""
        book = self.valuer.snapshot.book
        return any(leg.side.sign * book.quantity(leg.instrument.key) < 0 for leg in legs)

    def _candidate(self, name: str, legs: tuple[Leg, ...], reserve: Decimal | None, rejected: str = "") -> Candidate:
        """Price one way; ``reserve`` is that of a future or share, None for what costs its premium."""
        priced = order_price(legs, self.valuer, self.settings)
        unit = self.valuer.unit(legs)
        if isinstance(priced, Unvalued) or isinstance(unit, Unvalued):
            reason = priced.reason if isinstance(priced, Unvalued) else getattr(unit, "reason", "")
            return _unpriced(name, legs, reason)
        outlay = priced.limit * legs[0].instrument.multiplier if reserve is None else reserve
        each = unit.exposure_usd_per_point
        quantity = self.wanted.units(each)
        payoff = self._stress_payoff(legs)
        fee = self.fees.of_order(legs, max(1, quantity)) / max(1, quantity)
        return Candidate(
            name=name,
            legs=legs,
            limit=priced.limit,
            exposure_usd_per_point=each,
            cost_usd=up_to_cent(outlay + fee),
            stress_payoff_usd=payoff,
            quantity=quantity,
            half_width_points=priced.width / 2,
            middle_points=priced.mid,
            rejected=rejected or self._objection(priced, legs, each, quantity, payoff),
        )

    def _objection(self, priced: Priced, legs: Sequence[Leg], each: float, quantity: int, payoff: float) -> str:
        tick = self.valuer.settings.ticks.increment_of(legs, priced.mid)
        settings = self.settings
        widest = max(
            Decimal(repr(settings.max_liquidity_width_frac)) * priced.mid, settings.max_liquidity_width_ticks * tick
        )
        if self._meets_itself(legs):
            return "the account holds the other side of a leg"
        if priced.limit <= 0 or each <= 0.0:
            return "costs nothing or hedges nothing: the quotes contradict each other"
        if priced.width > widest:
            return "too illiquid: the two sides stand too far apart"
        if payoff <= 0.0:
            return "gains nothing under stress"
        if quantity == 0:
            return "one contract is too large for the gap or the ceiling"
        return ""

    def _stress_payoff(self, legs: Sequence[Leg]) -> float:
        """USD that one unit gains when VIX rises by half at once and volatility by 15 % (M5); 0 where unknown."""
        vix = good_level(self.valuer.snapshot, VIX.key)
        if isinstance(vix, Unvalued):
            return 0.0
        total = 0.0
        for leg in legs:
            valued = self.valuer.value(leg.instrument)
            if isinstance(valued, Valued):
                gain = self._stressed_price(valued, vix) - valued.price
                total += leg.signed_ratio * gain * leg.instrument.multiplier
        return total

    def _stressed_price(self, valued: Valued, vix: float) -> float:
        rise = self.settings.stress_vix_rise_frac * vix
        if valued.instrument.kind is Kind.STOCK:
            return valued.price + rise * valued.exposure_usd_per_point
        forward = valued.forward + vix_beta(valued.days) * rise
        vol = valued.vol * self.settings.stress_vol_factor
        return self.valuer.price_if(valued.instrument, forward=forward, vol=vol, days=valued.days)


def _unpriced(name: str, legs: tuple[Leg, ...], reason: str) -> Candidate:
    """A way that could not be priced, for the record."""
    return Candidate(
        name=name,
        legs=legs,
        limit=NOTHING,
        exposure_usd_per_point=0.0,
        cost_usd=NOTHING,
        stress_payoff_usd=0.0,
        quantity=0,
        rejected=reason,
    )
