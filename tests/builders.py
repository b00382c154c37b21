"""Builders for tests: each shows only the numbers that matter and fills in the rest with something harmless."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count

from bot.domain.cohorts import cohorts_of
from bot.domain.condor_fills import Executions
from bot.domain.condors import recognise_condors
from bot.domain.evidence import Conviction, Stance
from bot.domain.fees import FeeSchedule
from bot.domain.instrument import RUT, RVX, SPX, VIX, Instrument, InstrumentKey, Kind, Right, Side
from bot.domain.layer import Layer
from bot.domain.market import DataType, Quote
from bot.domain.mode import TradingMode
from bot.domain.orders import DecisionId, IntentId, Leg, Order, OrderIntent, OrderState, Purpose, Working
from bot.domain.plan import HedgePlan, PlanAction
from bot.domain.portfolio import AccountValues, Book, Change, Lot, Position, StatedCredit
from bot.domain.readings import DispersionReading, Episode, Signal, SignalState
from bot.domain.schedule import NEW_YORK, Session, SessionCalendar
from bot.domain.snapshot import Snapshot
from bot.domain.worth import Worth
from bot.hedging.condor.wings import WingBounds
from bot.hedging.settings import HedgeSettings
from bot.hedging.universe import Listed, candidate_universe, offered_settlements
from simulator.books import BookPlan, OpeningBook, open_book
from simulator.numbering import number_of
from simulator.universe import Universe
from simulator.world.levels import Levels
from simulator.world.market import Market, WorldModel
from simulator.world.quotes import rule_of, two_sided
from tests.told import as_told

CALENDAR = SessionCalendar()
ACCOUNT = "DU1234567"
TODAY = date(2026, 10, 20)
"""A Tuesday with a whole session; the monthly VIX settlement of November is 29 days away."""
NOVEMBER = date(2026, 11, 18)
DECEMBER = date(2026, 12, 16)
NOON = datetime(2026, 10, 20, 12, 0, tzinfo=NEW_YORK)


def ns(moment: datetime) -> int:
    """A moment in nanoseconds since 1970, as quotes carry it."""
    return int(moment.timestamp() * 1_000_000_000)


# contracts ------------------------------------------------------------------------------------------------------


def vix_call(strike: float | str, settlement: date = NOVEMBER, *, trading_class: str = "VIX") -> Instrument:
    """A VIX call."""
    return an_option(strike, settlement, trading_class=trading_class)


def an_option(
    strike: float | str,
    settlement: date = NOVEMBER,
    *,
    trading_class: str = "VIX",
    right: Right = Right.CALL,
    symbol: str = "",
) -> Instrument:
    """An option of any class; morning classes trade until the session before they settle."""
    morning = trading_class != "SPXW"
    return Instrument(
        kind=Kind.OPTION,
        symbol=symbol or ("VIX" if trading_class.startswith("VIX") else trading_class[:3]),
        trading_class=trading_class,
        exchange="CBOE",
        multiplier=100,
        settlement=settlement,
        last_trade=CALENDAR.previous_session(settlement).day if morning else settlement,
        strike=Decimal(str(strike)),
        right=right,
    )


def a_future(trading_class: str = "VX", settlement: date = NOVEMBER) -> Instrument:
    """A VX or VXM future."""
    return Instrument(
        kind=Kind.FUTURE,
        symbol="VIX",
        trading_class=trading_class,
        exchange="CFE",
        multiplier={"VX": 1000, "VXM": 100}[trading_class],
        settlement=settlement,
        last_trade=settlement,
    )


def buys(instrument: Instrument, ratio: int = 1) -> Leg:
    """A leg that is bought."""
    return Leg(instrument=instrument, side=Side.BUY, ratio=ratio)


def sells(instrument: Instrument, ratio: int = 1) -> Leg:
    """A leg that is sold."""
    return Leg(instrument=instrument, side=Side.SELL, ratio=ratio)


def spread_legs(long: float | str = 21, short: float | str = 26, settlement: date = NOVEMBER) -> tuple[Leg, Leg]:
    """The legs of a VIX call spread, bought."""
    return (buys(vix_call(long, settlement)), sells(vix_call(short, settlement)))


def mirrored(legs: Sequence[Leg]) -> tuple[Leg, ...]:
    """The same legs the other way round."""
    return tuple(replace(leg, side=leg.side.opposite) for leg in legs)


# orders and lots ------------------------------------------------------------------------------------------------


def an_intent(
    legs: Sequence[Leg] | None = None,
    *,
    quantity: int = 1,
    limit: float | str = "0.90",
    cost: float | str = 0,
    purpose: Purpose = Purpose.OVERLAY_BUILD,
    intent_id: str = "i-1",
    exposure: float = 13.0,
) -> OrderIntent:
    """A purchase of VIX call spreads unless told otherwise."""
    return OrderIntent(
        intent_id=IntentId(intent_id),
        decision_id=DecisionId("d-1"),
        legs=tuple(legs or spread_legs()),
        quantity=quantity,
        limit=Decimal(str(limit)),
        worst_cost_usd=Decimal(str(cost)),
        purpose=purpose,
        reason="test",
        exposure_usd_per_point=exposure,
    )


def a_change(
    at: datetime = NOON,
    purpose: Purpose = Purpose.OVERLAY_BUILD,
    *,
    ordered: int = 1,
    filled: int | None = None,
    is_live: bool = False,
    churn_usd: Decimal | int | str = 0,
) -> Change:
    """An order for the overlay; filled whole unless stated."""
    return Change(
        at=at,
        purpose=purpose,
        ordered=ordered,
        filled=ordered if filled is None else filled,
        is_live=is_live,
        churn_usd=Decimal(churn_usd),
    )


def a_sale(at: datetime = NOON, *, units: int = 1) -> Change:
    """A step of the way back to base, filled whole."""
    return a_change(at, Purpose.OVERLAY_UNWIND, ordered=units)


def an_order(intent: OrderIntent, *, filled: int = 0, state: OrderState | None = None, at: datetime = NOON) -> Order:
    """An order at the broker, working unless told otherwise."""
    return Order(intent=intent, state=state or Working(), prepared_at=at, filled=filled)


def a_lot(  # noqa: PLR0913 - a builder shows whichever number matters
    legs: Sequence[Leg] | None = None,
    *,
    units: int = 1,
    open_units: int | None = None,
    cost: float | str = 90,
    recovered: float | str = 0,
    layer: Layer = Layer.OVERLAY,
    bought_on: date = TODAY,
    expires_on: date = NOVEMBER,
    last_sold_on: date | None = None,
    lot_id: str = "lot-1",
    entry_price: float | str = "0.90",
    exposure: float = 13.0,
) -> Lot:
    """An overlay lot of VIX call spreads unless told otherwise."""
    return Lot(
        lot_id=IntentId(lot_id),
        layer=layer,
        legs=tuple(legs or spread_legs()),
        units_bought=units,
        units_open=units if open_units is None else open_units,
        cost_usd=Decimal(str(cost)),
        recovered_usd=Decimal(str(recovered)),
        bought_on=bought_on,
        expires_on=expires_on,
        last_sold_on=last_sold_on,
        entry_price=Decimal(str(entry_price)),
        exposure_usd_per_point=exposure,
    )


def a_plan(*intents: OrderIntent, action: PlanAction = PlanAction.INCREASE) -> HedgePlan:
    """A plan that asks for these orders."""
    return HedgePlan(
        decision_id=DecisionId("d-1"),
        action=action,
        reason="test",
        increment_frac=0.1,
        base_usd_per_point=170.0,
        target_usd_per_point=17.0,
        held_usd_per_point=0.0,
        working_usd_per_point=0.0,
        intents=intents,
    )


def new_ids(prefix: str = "new") -> Iterator[str]:
    """Fresh ids, one after the other; hand over ``iterator.__next__``."""
    return (f"{prefix}-{number}" for number in count(1))


# readings -------------------------------------------------------------------------------------------------------


def a_reading(state: SignalState = SignalState.BLOWOUT, *, vix: float = 18.0, excess: float = 0.5) -> DispersionReading:
    """A reading of a baseline of 5.5 points."""
    undefined = state is SignalState.UNDEFINED
    spread = 5.5 * (1 + excess)
    return DispersionReading(
        state=state,
        why="test" if undefined else "",
        rvx=None if undefined else vix + spread,
        vix=None if undefined else vix,
        spread=None if undefined else spread,
        baseline=5.5,
        excess=None if undefined else excess,
        baseline_sessions=90,
        episode=Episode(began_on=TODAY, peak_excess=excess) if state is SignalState.BLOWOUT else None,
    )


def a_signal(
    state: SignalState = SignalState.BLOWOUT,
    *,
    peak_excess: float = 0.25,
    spread: float | None = 7.0,
    stance: Stance | None = Stance.SUPPORTS,
) -> Signal:
    """A signal at the threshold of a blowout that its confirmations support, unless told otherwise."""
    return Signal(
        state=state,
        why="test" if state is SignalState.UNDEFINED else "",
        spread=spread,
        baseline=5.5,
        excess=peak_excess,
        peak_excess=peak_excess if state is SignalState.BLOWOUT else 0.0,
        episode_began_on=TODAY if state is SignalState.BLOWOUT else None,
        conviction=a_conviction(stance) if state is SignalState.BLOWOUT and stance is not None else None,
    )


def a_conviction(stance: Stance = Stance.SUPPORTS, read_on: date = TODAY) -> Conviction:
    """A conviction without the readings behind it."""
    values = {Stance.SUPPORTS: 0.4, Stance.WEAK: 0.0, Stance.CONTRADICTS: -0.4, Stance.UNKNOWN: None}
    return Conviction(read_on=read_on, value=values[stance], stance=stance, readings=(), words=f"{stance} by a test")


# books and snapshots --------------------------------------------------------------------------------------------


def an_account(
    net_liquidation: float | str = 500_000,
    *,
    account: str = ACCOUNT,
    ready: bool = True,
    margin_frac: Decimal = Decimal("0.03"),
    gross: float | str | None = None,
) -> AccountValues:
    """Account values at noon; margin and gross value are small unless stated."""
    worth = Decimal(str(net_liquidation))
    sized = min(abs(worth), Decimal(1_000_000)) if worth.is_finite() else Decimal(0)
    bound = margin_frac * sized
    return AccountValues(
        account=account,
        net_liquidation_usd=worth,
        cash_usd=Decimal(100_000),
        at=NOON,
        ready=ready,
        initial_margin_usd=bound,
        maintenance_margin_usd=bound,
        excess_liquidity_usd=worth - bound,
        gross_position_usd=sized / 4 if gross is None else Decimal(str(gross)),
    )


def a_book(
    *,
    positions: Mapping[Instrument, int] | None = None,
    stated: Sequence[StatedCredit] = (),
    lots: Sequence[Lot] = (),
    orders: Sequence[Order] = (),
    today: date = TODAY,
    **changes: object,
) -> Book:
    """A book of these positions, with the condors among them recognised."""
    held = [Position(instrument=one, quantity=quantity) for one, quantity in (positions or {}).items()]
    condors = recognise_condors(held)
    book = Book(
        version=1,
        positions={position.instrument.key: position for position in held},
        condors=condors.condors,
        cohorts=cohorts_of(condors.condors, stated, Executions(before=tuple(held)), today),
        unmatched=condors.unmatched,
        lots=tuple(lots),
        orders={order.intent.intent_id: order for order in orders},
        orders_sent_today=0,
        account=an_account(),
    )
    return replace(book, **changes)  # type: ignore[arg-type]  # test shorthand: names are checked by the class


def a_quote(
    instrument: Instrument,
    bid: float | None,
    ask: float | None,
    *,
    size: int = 100,
    at: datetime = NOON,
    data_type: DataType = DataType.LIVE,
) -> Quote:
    """A quote with the same size on both sides."""
    return Quote(key=instrument.key, bid=bid, ask=ask, bid_size=size, ask_size=size, at_ns=ns(at), data_type=data_type)


@dataclass(frozen=True, kw_only=True)
class Scenery:
    """The simulated market at one moment, with the reference book of M2 in it; turns into snapshots."""

    condors: int = 10
    vix: float = 18.0
    spx: float = 6800.0
    spread: float = 7.0
    at: datetime = NOON
    wing_points: int = 25
    market: Market = field(init=False)
    universe: Universe = field(init=False)
    opening: OpeningBook = field(init=False)

    def __post_init__(self) -> None:
        """Price the book."""
        levels = Levels(spx=self.spx, rut=2500.0, vix=self.vix, rvx=self.vix + self.spread)
        universe = Universe(calendar=CALENDAR, first=TODAY, last=TODAY, spx_bounds=(self.spx, self.spx))
        market = Market(at=self.at, levels=levels, model=WorldModel())
        plan = BookPlan(condors=self.condors, wing_points=self.wing_points)
        object.__setattr__(self, "market", market)
        object.__setattr__(self, "universe", universe)
        object.__setattr__(self, "opening", open_book(plan, market, universe))

    def base_lots(self) -> tuple[Lot, ...]:
        """The base layers as lots."""
        return tuple(
            a_lot(
                (buys(held.instrument),),
                units=held.quantity,
                cost=str(held.cost_usd),
                layer=held.layer,
                expires_on=held.instrument.settlement or TODAY,
                lot_id=f"base-{held.layer}",
                entry_price=str(held.price),
                exposure=0.0,
            )
            for held in self.opening.base
        )

    def book(self, *, lots: Sequence[Lot] = (), orders: Sequence[Order] = (), **changes: object) -> Book:
        """The opening book with further lots, whose contracts are added to the positions."""
        positions = {instrument: quantity for instrument, quantity, _ in self.opening.positions}
        for lot in lots:
            for leg in lot.legs:
                more = leg.signed_ratio * lot.units_open
                positions[leg.instrument] = positions.get(leg.instrument, 0) + more
        return a_book(
            positions={one: quantity for one, quantity in positions.items() if quantity},
            stated=self.opening.credits,
            lots=(*self.base_lots(), *lots),
            orders=orders,
            **changes,
        )

    def quote(self, instrument: Instrument) -> Quote:
        """What the simulated exchange shows now."""
        sides = two_sided(rule_of(instrument), self.market.fair(instrument).price, seed=number_of(instrument), step=0)
        return Quote(
            key=instrument.key,
            bid=sides.bid_cents / 100 if sides.bid_cents else None,
            ask=sides.ask_cents / 100,
            bid_size=sides.bid_size,
            ask_size=sides.ask_size,
            at_ns=ns(self.at),
        )

    def candidates(self, settings: HedgeSettings | None = None) -> tuple[Instrument, ...]:
        """What the shell would watch for the overlay."""
        held = {leg.instrument.settlement or TODAY for lot in self.base_lots() for leg in lot.legs}
        return candidate_universe(
            self.listed(), NOVEMBER, held, vix_level=self.vix, settings=settings or HedgeSettings()
        )

    def listed(self) -> Listed:
        """All VIX options and futures."""
        options = [one for day in self.universe.vix_settlements for one in self.universe.options("VIX", day)]
        return Listed(options=options, futures=self.universe.futures)

    def snapshot(
        self,
        *,
        book: Book | None = None,
        state: SignalState = SignalState.BLOWOUT,
        quotes: Mapping[InstrumentKey, Quote] | None = None,
        **changes: object,
    ) -> Snapshot:
        """The moment as everybody reads it; ``quotes`` replace single quotes."""
        book = self.book() if book is None else book
        universe = {one.key: one for one in self.candidates()}
        watched = {**universe, **{key: position.instrument for key, position in book.positions.items()}}
        shown = {key: self.quote(instrument) for key, instrument in watched.items()}
        snapshot = Snapshot(
            now=self.at,
            session=a_session(),
            levels={SPX.key: self.spx, RUT.key: 2500.0, VIX.key: self.vix, RVX.key: self.vix + self.spread},
            quotes={**shown, **(quotes or {})},
            universe=universe,
            dispersion=a_reading(state, vix=self.vix),
            book=book,
            mode=TradingMode.NORMAL,
            reconciling=False,
            kill_epoch=3,
            previous_closes={VIX.key: self.vix, RVX.key: self.vix + self.spread},
            offered=offered_settlements(self.listed()),
            worth=Worth.begun(Decimal(500_000), self.at),
        )
        return replace(as_told(snapshot), **changes)  # type: ignore[arg-type]  # test shorthand: names are checked by the class


def a_session(day: date = TODAY) -> Session:
    """The session of a day that has one."""
    session = CALENDAR.session(day)
    return session or CALENDAR.next_session(day - timedelta(days=1))


FEES = FeeSchedule()
WING_BOUNDS = WingBounds(
    band_frac=0.05,
    width_rise_frac=0.20,
    loss_rise_frac=0.20,
    most_strikes_out=3,
    least_minutes_between=30.0,
    edge_minutes=10.0,
)
"""How far wings may go by the methodology."""
