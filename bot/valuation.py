"""What held and wanted contracts are worth and how they move, from the quotes of one snapshot; unknown is a value.

How it works: a contract is valued from the middle of its own quote. A VIX option takes its forward from the VX future
of the same settlement, else from VXM, else from put-call parity; an SPX option from the index level. What has no good
quote is `Unvalued` with the reason, never a guess.

Which quotes are good: two-sided, uncrossed, both sides above zero, live data, not too wide, and fresh. Freshness has
two parts, because options and futures are published **on change**: an unchanged quote grows old while the market is
well. So a quote may be up to ``max_quote_age_s`` old by our own receive time (generous), **and** the feed as a whole
must be alive: either the dispersion reading is defined, which means that index levels keep coming and that neither
RVX nor VIX stands still (docs/methodology.md, M1, freshness of an index), or some contract's quote arrived within
``max_feed_silence_s``. A feed that died shows neither.
"""

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, TypeVar

from bot.domain.checks import require_finite, require_not_negative, require_positive
from bot.domain.errors import InvalidValueError
from bot.domain.expiries import settles_at
from bot.domain.fees import up_to_cent
from bot.domain.instrument import SPX, VIX, Instrument, InstrumentKey, Kind, Right, vix_future
from bot.domain.market import DataType, Quote
from bot.domain.orders import Leg
from bot.domain.products import UnmeasuredProduct, is_volatility_product, reading_of
from bot.domain.readings import SignalState
from bot.domain.snapshot import Snapshot
from bot.domain.ticks import TickTable
from bot.pricing import (
    DAYS_PER_YEAR,
    black76,
    black76_price,
    forward_delta,
    forward_of_spot,
    future_mean_reversion_loss,
    future_roll_down,
    implied_vol,
    index_option_usd_per_spx_percent,
    sleeve_usd_per_spx_percent,
    vix_exposure,
)

T = TypeVar("T")

VIX_OPTION_CLASSES: Final = frozenset({"VIX", "VIXW"})
VIX_FUTURE_CLASSES: Final = frozenset({"VX", "VXM"})
SPX_OPTION_CLASSES: Final = frozenset({"SPX", "SPXW"})
MODELLED_OPTION_CLASSES: Final = VIX_OPTION_CLASSES | SPX_OPTION_CLASSES
VX_MULTIPLIERS: Final = {"VX": 1000, "VXM": 100}

_MAX_PRICE: Final = 1_000_000.0  # points: far above any contract of this project, far below overflow
_MAX_LEVELS: Final = {VIX.key: 200.0, SPX.key: 100_000.0}  # M1: a volatility index above 200 is no level
_CLOCK_SLACK_S: Final = 1.0  # a receive time this far ahead of the snapshot is rounding, not a wrong clock
_WIDTH_SLACK: Final = 1e-9  # of the width: two decimals as floats differ by less
NOT_TWO_SIDED: Final = "not two-sided"
TOO_WIDE: Final = "too wide"
_LEAST_VOL: Final = 0.01  # a fraction per year: below any market's, far enough from zero for every formula
_NS: Final = 1_000_000_000
_SECONDS_PER_DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ValuationSettings:
    """How contracts are valued; rates and yields as fractions per year, widths as fractions of the middle."""

    rate: float = 0.04
    dividend_yield: float = 0.012
    max_quote_age_s: float = 900.0  # a far option may stand still for minutes in a quiet market
    max_feed_silence_s: float = 15.0  # indices are published about every 15 s
    max_width_frac: float = 0.25  # M5
    max_future_width_frac: float = 0.02  # 0.40 points at 20: a VX quote that wide is no market
    max_width_ticks: int = 2  # M5
    max_worthless_ask: float = 0.10  # points: offered that low and not bid for, a held option is all but worthless
    spx_sensitivity_scale: float = 1.0  # M10: present over long-run dVIX per +1 % SPX, where it is not measured
    future_roll_days: float = 10.0  # M4: the short layer, which holds the overlay, rolls ten days before settlement
    ticks: TickTable = field(default_factory=TickTable)

    def __post_init__(self) -> None:
        """Reject settings under which nothing or everything would count as good."""
        require_finite(rate=self.rate, dividend_yield=self.dividend_yield)
        require_positive(max_quote_age_s=self.max_quote_age_s, max_feed_silence_s=self.max_feed_silence_s)
        require_positive(max_width_frac=self.max_width_frac, max_future_width_frac=self.max_future_width_frac)
        require_not_negative(max_width_ticks=self.max_width_ticks, future_roll_days=self.future_roll_days)
        require_not_negative(max_worthless_ask=self.max_worthless_ask)
        if not 0.6 <= self.spx_sensitivity_scale <= 1.7:
            raise InvalidValueError(
                f"spx_sensitivity_scale is clipped to 0.6..1.7 (docs/methodology.md, M10), was "
                f"{self.spx_sensitivity_scale}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Unvalued:
    """Nothing can be said of a contract, and why."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Valued:
    """One long contract: what it is worth and how it moves.

    Attributes:
        instrument: The contract.
        price: Middle of the quote, points.
        forward: Points; of the same settlement for VIX contracts, of SPX for its options; a share's own price.
        vol: Implied volatility, a fraction per year; 0 for a future and a share.
        days: Calendar days to settlement, with fractions; infinite for a share.
        delta: Points per +1.00 of the forward, discounted; 1 for a future and a share.
        named_delta: N(d1): the undiscounted delta in which strikes are named; likewise.
        exposure_usd_per_point: USD per +1.00 point of spot VIX (M2); 0 for SPX options.
        usd_per_spx_percent: USD per +1 % of SPX (M10).
        value_usd: What a sale at the middle would bring; 0 for a future, which has only its daily settlement.
        theta_usd_per_day: USD per calendar day with all else unchanged; negative is decay.
    """

    instrument: Instrument
    price: float
    forward: float
    vol: float
    days: float
    delta: float
    named_delta: float
    exposure_usd_per_point: float
    usd_per_spx_percent: float
    value_usd: float
    theta_usd_per_day: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitValue:
    """One unit of an order or lot, all legs together; units as in `Valued`, ``price`` the signed net in points."""

    price: float
    exposure_usd_per_point: float
    usd_per_spx_percent: float
    value_usd: float
    theta_usd_per_day: float


def days_to_settlement(instrument: Instrument, now: datetime) -> float:
    """Return calendar days until a contract settles, with fractions, never below zero.

    Raises:
        InvalidValueError: The contract has no settlement.
    """
    moment = settles_at(instrument).astimezone(UTC)
    elapsed = moment - now.astimezone(UTC)  # two times of one zone would be subtracted as wall clocks
    return max(0.0, elapsed.total_seconds() / _SECONDS_PER_DAY)


def has_model(instrument: Instrument) -> bool:
    """Return whether a contract can be valued here: VIX and SPX options, VX and VXM, shares of VXX, UVXY and SVXY."""
    if instrument.kind is Kind.FUTURE:
        return instrument.trading_class in VIX_FUTURE_CLASSES
    if instrument.kind is Kind.OPTION:
        return instrument.trading_class in MODELLED_OPTION_CLASSES
    return is_volatility_product(instrument)


def feed_is_alive(snapshot: Snapshot, settings: ValuationSettings) -> bool:
    """Return whether market data as a whole still flows; see the module's words on freshness."""
    if snapshot.dispersion.state is not SignalState.UNDEFINED:
        return True
    youngest = max(snapshot.quotes.values(), key=lambda quote: quote.at_ns, default=None)
    return youngest is not None and quote_age_s(youngest, snapshot.now) <= settings.max_feed_silence_s


def quote_fault(quote: Quote | None, instrument: Instrument, now: datetime, settings: ValuationSettings) -> str:
    """Return why one quote is no ground for a price, empty when it is good; the feed is judged apart."""
    if quote is None:
        return "no quote"
    if quote.data_type is not DataType.LIVE:
        return f"data type {quote.data_type!r} instead of live"
    if not -_CLOCK_SLACK_S <= quote_age_s(quote, now) <= settings.max_quote_age_s:
        return "stale"
    if instrument.trading_class not in settings.ticks.outright:
        return "no tick is known for its class"
    bid, ask = quote.bid, quote.ask
    if bid is None or ask is None or not (0.0 < bid < _MAX_PRICE and 0.0 < ask < _MAX_PRICE):
        return NOT_TWO_SIDED
    if bid > ask:
        return "crossed"
    mid = Decimal(repr((bid + ask) / 2.0))
    frac = settings.max_width_frac if instrument.kind is Kind.OPTION else settings.max_future_width_frac
    tick = float(settings.ticks.increment(instrument.trading_class, mid))
    widest = max(frac * float(mid), settings.max_width_ticks * tick)
    return TOO_WIDE if ask - bid > widest * (1.0 + _WIDTH_SLACK) else ""


def quote_age_s(quote: Quote, now: datetime) -> float:
    """Return how long ago a quote was received, seconds; below zero where its clock is ahead."""
    return now.astimezone(UTC).timestamp() - quote.at_ns / _NS


def good_level(snapshot: Snapshot, key: InstrumentKey) -> float | Unvalued:
    """Return the level of SPX or VIX in points, or why there is none."""
    level = snapshot.levels.get(key)
    if level is None or not 0.0 < level <= _MAX_LEVELS[key]:
        return Unvalued(reason=f"{key}: no level" if level is None else f"{key}: impossible level")
    return level


class Valuer:
    """Values contracts of one snapshot; every figure is worked out once and kept for as long as this object lives."""

    def __init__(self, snapshot: Snapshot, settings: ValuationSettings) -> None:
        """Take the moment; nothing is computed until somebody asks."""
        self.snapshot = snapshot
        self.settings = settings
        self._alive = feed_is_alive(snapshot, settings)
        self._values: dict[InstrumentKey, Valued | Unvalued] = {}
        self._forwards: dict[date, float | Unvalued] = {}
        self._figures: dict[Hashable, Any] = {}  # each of the type of its name

    def once(self, name: Hashable, work: Callable[[], T]) -> T:
        """Return a figure of this moment, worked out by whoever asks for it first; what raises is tried again."""
        try:
            found: T = self._figures[name]
        except KeyError:
            found = self._figures[name] = work()
        return found

    def quote(self, instrument: Instrument, *, may_be_unbid: bool = False) -> Quote | Unvalued:
        """Return the contract's quote if it is good, else why it is not.

        Args:
            instrument: The contract.
            may_be_unbid: Take an option that is offered at a few cents as well, though nobody bids for it (its bid is
                then 0) or the bid is far below: so cheap, no width is worth a word.
        """
        name = (instrument.key, may_be_unbid)
        return self.once(name, lambda: self._judged(instrument, may_be_unbid=may_be_unbid))

    def _judged(self, instrument: Instrument, *, may_be_unbid: bool) -> Quote | Unvalued:
        quote = self.snapshot.quotes.get(instrument.key)
        fault = quote_fault(quote, instrument, self.snapshot.now, self.settings)
        is_forgivable = fault in (NOT_TWO_SIDED, TOO_WIDE)
        if quote is not None and is_forgivable and may_be_unbid and self._is_all_but_worthless(quote):
            quote, fault = replace(quote, bid=quote.bid or 0.0), ""
        if not fault and not self._alive:
            fault = "the market data feed is silent"
        if quote is None or fault:
            return Unvalued(reason=f"{instrument.key}: {fault}")
        return quote

    def _is_all_but_worthless(self, quote: Quote) -> bool:
        is_option = quote.key.startswith(Kind.OPTION)
        bid, ask = quote.bid or 0.0, quote.ask or 0.0
        return is_option and 0.0 <= bid < ask <= self.settings.max_worthless_ask

    def value(self, instrument: Instrument) -> Valued | Unvalued:
        """Return what one long contract is worth and how it moves, or why that is unknown."""
        found = self._values.get(instrument.key)
        if found is None:
            found = self._values[instrument.key] = self._value(instrument)
        return found

    def price_if(self, instrument: Instrument, *, forward: float, vol: float, days: float) -> float:
        """Return what one contract would be worth in another state of the market, points.

        Args:
            instrument: An option, or a future, which is worth its forward.
            forward: Of its settlement, points.
            vol: Implied volatility, a fraction per year.
            days: Calendar days to settlement, with fractions.

        Source: Black (1976), as `black76_price`.
        """
        if instrument.strike is None or instrument.right is None:
            return forward
        return black76_price(
            forward=forward,
            strike=float(instrument.strike),
            years=days / DAYS_PER_YEAR,
            vol=vol,
            rate=self.settings.rate,
            right=instrument.right,
        )

    def unit(self, legs: Sequence[Leg]) -> UnitValue | Unvalued:
        """Return one unit of an order or lot: its legs by side and ratio; unknown when one of them is."""
        price = exposure = per_percent = value = theta = 0.0
        for leg in legs:
            valued, ratio = self.value(leg.instrument), leg.signed_ratio
            if isinstance(valued, Unvalued):
                return valued
            price += ratio * valued.price
            exposure += ratio * valued.exposure_usd_per_point
            per_percent += ratio * valued.usd_per_spx_percent
            value += ratio * valued.value_usd
            theta += ratio * valued.theta_usd_per_day
        return UnitValue(
            price=price,
            exposure_usd_per_point=exposure,
            usd_per_spx_percent=per_percent,
            value_usd=value,
            theta_usd_per_day=theta,
        )

    def vix_forward(self, settlement: date) -> float | Unvalued:
        """Return the VIX forward of a settlement, points: middle of VX, else of VXM, else put-call parity."""
        found = self._forwards.get(settlement)
        if found is None:
            found = self._forwards[settlement] = self._vix_forward(settlement)
        return found

    def future_reserve_usd(self, instrument: Instrument, entry_price: Decimal | None = None) -> Decimal | Unvalued:
        """Return what the cost cap counts for one long VX or VXM beside its fees, USD, rounded up, never negative.

        ``max(0, roll-down to the roll date) + max(loss in mean reversion, unrealised loss)``.

        Args:
            instrument: The future.
            entry_price: Points paid for a future that is held; None for one that is only wanted.

        Source: docs/methodology.md, M9.
        """
        valued = self.value(instrument)
        vix = good_level(self.snapshot, VIX.key)
        if isinstance(valued, Unvalued):
            return valued
        if isinstance(vix, Unvalued):
            return vix
        multiplier = instrument.multiplier
        roll_down = future_roll_down(
            forward=valued.forward,
            vix=vix,
            days=valued.days,
            days_at_roll=self.settings.future_roll_days,
            multiplier=multiplier,
        )
        reversal = future_mean_reversion_loss(vix=vix, days=valued.days, multiplier=multiplier)
        unrealised = 0.0 if entry_price is None else (float(entry_price) - valued.price) * multiplier
        return up_to_cent(Decimal(repr(max(0.0, roll_down) + max(reversal, unrealised))))

    def _value(self, instrument: Instrument) -> Valued | Unvalued:
        if not has_model(instrument):
            return Unvalued(reason=f"{instrument.key}: no model for this contract")
        quote = self.quote(instrument, may_be_unbid=True)
        if isinstance(quote, Unvalued):
            return quote
        if instrument.kind is Kind.STOCK:
            return self._product(instrument, quote.mid)
        return (self._future if instrument.kind is Kind.FUTURE else self._option)(instrument, quote)

    def _product(self, instrument: Instrument, price: float) -> Valued | Unvalued:
        """A share of a volatility product: its measured answers times its price; what its roll costs is no decay."""
        reading = reading_of(self.snapshot.products, instrument.symbol)
        if isinstance(reading, UnmeasuredProduct):
            return Unvalued(reason=f"{instrument.key}: {reading.why}")
        return Valued(
            instrument=instrument,
            price=price,
            forward=price,
            vol=0.0,
            days=math.inf,
            delta=1.0,
            named_delta=1.0,
            exposure_usd_per_point=price * reading.per_vix_point,
            usd_per_spx_percent=price * reading.per_spx_percent,
            value_usd=price,
            theta_usd_per_day=0.0,
        )

    def _future(self, instrument: Instrument, quote: Quote) -> Valued:
        price, days = quote.mid, days_to_settlement(instrument, self.snapshot.now)
        return Valued(
            instrument=instrument,
            price=price,
            forward=price,
            vol=0.0,
            days=days,
            delta=1.0,
            named_delta=1.0,
            exposure_usd_per_point=vix_exposure(quantity=1, multiplier=instrument.multiplier, delta=1.0, days=days),
            usd_per_spx_percent=self._by_vix_forward(instrument, 1.0, days),
            value_usd=0.0,
            theta_usd_per_day=0.0,
        )

    def _option(self, instrument: Instrument, quote: Quote) -> Valued | Unvalued:
        days = days_to_settlement(instrument, self.snapshot.now)
        is_vix = instrument.trading_class in VIX_OPTION_CLASSES
        forward = self._vix_forward_of(instrument) if is_vix else self._spx_forward(days)
        if isinstance(forward, Unvalued):
            return forward
        strike, right = float(instrument.strike or 0), instrument.right or Right.CALL
        years, rate = days / DAYS_PER_YEAR, self.settings.rate
        vol = self._vol(instrument, quote, forward=forward, days=days)
        if vol is None:
            return Unvalued(reason=f"{instrument.key}: no volatility explains its price")
        model = black76(forward=forward, strike=strike, years=years, vol=vol, rate=rate, right=right)
        multiplier = instrument.multiplier
        exposure = vix_exposure(quantity=1, multiplier=multiplier, delta=model.delta, days=days) if is_vix else 0.0
        per_percent = (
            self._by_vix_forward(instrument, model.delta, days)
            if is_vix
            else index_option_usd_per_spx_percent(quantity=1, multiplier=multiplier, delta=model.delta, spot=forward)
        )
        return Valued(
            instrument=instrument,
            price=quote.mid,
            forward=forward,
            vol=vol,
            days=days,
            delta=model.delta,
            named_delta=forward_delta(forward=forward, strike=strike, years=years, vol=vol, right=right),
            exposure_usd_per_point=exposure,
            usd_per_spx_percent=per_percent,
            value_usd=quote.mid * multiplier,
            theta_usd_per_day=model.theta * multiplier,
        )

    def _vol(self, instrument: Instrument, quote: Quote, *, forward: float, days: float) -> float | None:
        """The volatility that explains a quote, None where none does.

        Deep in the money the middle may lie below the discounted intrinsic value, which no volatility explains. Where
        that value lies between bid and ask the option is worth it and moves as its forward does: the least volatility.
        """
        vol = implied_vol(
            price=quote.mid,
            forward=forward,
            strike=float(instrument.strike or 0),
            years=days / DAYS_PER_YEAR,
            rate=self.settings.rate,
            right=instrument.right or Right.CALL,
        )
        intrinsic = self.price_if(instrument, forward=forward, vol=0.0, days=days)
        if vol is None and days > 0.0 and intrinsic > 0.0 and (quote.bid or 0.0) <= intrinsic <= (quote.ask or 0.0):
            return _LEAST_VOL
        return vol

    def _by_vix_forward(self, instrument: Instrument, delta: float, days: float) -> float:
        measured = self.snapshot.sensitivity_scale
        return sleeve_usd_per_spx_percent(
            quantity=1,
            multiplier=instrument.multiplier,
            delta=delta,
            days=days,
            scale=self.settings.spx_sensitivity_scale if measured is None else measured,
        )

    def _vix_forward_of(self, instrument: Instrument) -> float | Unvalued:
        if instrument.settlement is None:
            return Unvalued(reason=f"{instrument.key}: no settlement")
        return self.vix_forward(instrument.settlement)

    def _spx_forward(self, days: float) -> float | Unvalued:
        spot = good_level(self.snapshot, SPX.key)
        if isinstance(spot, Unvalued):
            return spot
        settings = self.settings
        return forward_of_spot(
            spot=spot, years=days / DAYS_PER_YEAR, rate=settings.rate, dividend_yield=settings.dividend_yield
        )

    def _vix_forward(self, settlement: date) -> float | Unvalued:
        for trading_class, multiplier in VX_MULTIPLIERS.items():
            quote = self.quote(vix_future(trading_class, settlement, multiplier))
            if isinstance(quote, Quote):
                return quote.mid
        return self._parity_forward(settlement)

    def _parity_forward(self, settlement: date) -> float | Unvalued:
        """The strike with the least gap between call and put says ``F = K + e^{rT} (C - P)``."""
        calls: dict[tuple[str, Decimal], float] = {}
        puts: dict[tuple[str, Decimal], float] = {}
        for option in self._known_vix_options(settlement):
            quote = self.quote(option)
            if isinstance(quote, Quote) and option.strike is not None:
                side = calls if option.right is Right.CALL else puts
                side[option.trading_class, option.strike] = quote.mid
        pairs = sorted((abs(calls[at] - puts[at]), at) for at in calls.keys() & puts.keys())
        if not pairs:
            return Unvalued(reason=f"no VIX forward for {settlement}: neither future nor a pair of options is quoted")
        at = pairs[0][1]
        days = days_to_settlement(vix_future("VX", settlement), self.snapshot.now)
        growth = math.exp(self.settings.rate * days / DAYS_PER_YEAR)
        forward = float(at[1]) + growth * (calls[at] - puts[at])
        return forward if forward > 0.0 else Unvalued(reason=f"no VIX forward for {settlement}: parity gives none")

    def _known_vix_options(self, settlement: date) -> list[Instrument]:
        held = (position.instrument for position in self.snapshot.book.positions.values())
        known = {one.key: one for one in (*held, *self.snapshot.universe.values())}
        return [
            one
            for one in known.values()
            if one.kind is Kind.OPTION and one.trading_class in VIX_OPTION_CLASSES and one.settlement == settlement
        ]
