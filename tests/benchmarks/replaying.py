"""A million interleaved VIX and RVX ticks over 250 sessions through engine, signal, plan, gate and simulated fills."""

from collections.abc import Coroutine, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from bot.domain.decision import Approved
from bot.domain.events import (
    BooksReconciled,
    CandidatesListed,
    FillReported,
    ModeDemanded,
    SessionClosed,
    SessionOpened,
)
from bot.domain.expiries import vix_monthlies
from bot.domain.fees import FeeSchedule
from bot.domain.found import FoundSleeve
from bot.domain.instrument import RVX, SPX, VIX, Instrument, InstrumentKey, Kind, Right, Side
from bot.domain.layer import Layer
from bot.domain.market import Quote, Tick
from bot.domain.mode import DemandSource, TradingMode
from bot.domain.orders import Fill, FillPart, IntentId, Leg, Order
from bot.domain.portfolio import AccountValues, Lot, Position, StatedCredit
from bot.domain.schedule import Session, SessionCalendar
from bot.engine import Engine, Policy
from bot.execution import Execution
from bot.hedging.planning import Planner
from bot.hedging.settings import HedgeSettings
from bot.hedging.stewardship.settings import StewardSettings
from bot.hedging.stewardship.steward import Steward
from bot.ports import JournalRow
from bot.signals.dispersion import DispersionTracker
from bot.signals.evidence.settings import EvidenceSettings
from bot.signals.settings import DispersionSettings
from bot.state import BotState
from bot.valuation import ValuationSettings
from risk.gate import Gate
from risk.limits import RiskLimits
from simulator.world.levels import Levels
from simulator.world.market import Market, WorldModel
from simulator.world.quotes import rule_of, two_sided
from tests.benchmarks.measure import Figure, timed
from tests.told import told_at

SESSIONS = 250
STEPS = 2000  # per session; VIX and RVX at each step, SPX at every second one
FIRST_DAY = date(2025, 9, 2)
FAR = date(2027, 6, 16)
ACCOUNT = "DU1234567"
SPX_LEVEL = 6800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One session's ticks as they arrive: key code, level, nanoseconds."""

    session: Session
    codes: list[int]
    levels: list[float]
    at_ns: list[int]
    baseline: tuple[tuple[int, float, float], ...]


KEYS = (VIX.key, RVX.key, SPX.key)


def days() -> list[Day]:
    """Generate sessions whose spread wanders across the threshold every few weeks."""
    rng = np.random.default_rng(7)
    calendar = SessionCalendar()
    sessions = list(calendar.sessions(FIRST_DAY, FIRST_DAY + timedelta(days=380)))[:SESSIONS]
    before = [s.day for s in calendar.sessions(FIRST_DAY - timedelta(days=160), FIRST_DAY - timedelta(days=1))]
    closes = [(day.toordinal(), 22.5, 17.0) for day in before]
    vix, found = 17.0, []
    for number, session in enumerate(sessions):
        wide = 1.5 if number % 20 in {8, 9, 10, 11} else 1.0
        vix_path = np.round(vix + np.cumsum(rng.normal(0.0, 0.01, STEPS)), 2)
        rvx_path = np.round(vix_path + 5.5 * wide + rng.normal(0.0, 0.02, STEPS), 2)
        found.append(_day(session, vix_path, rvx_path, tuple(closes[-140:])))
        closes.append((session.day.toordinal(), float(rvx_path[-1]), float(vix_path[-1])))
        vix = 17.0 + 0.9 * (float(vix_path[-1]) - 17.0)
    return found


def _day(session: Session, vix: Any, rvx: Any, baseline: tuple[tuple[int, float, float], ...]) -> Day:
    opens = int(session.opens_at.timestamp()) * 1_000_000_000
    every = int((session.closes_at - session.opens_at).total_seconds() * 1e9) // STEPS
    codes: list[int] = []
    levels: list[float] = []
    at_ns: list[int] = []
    for step in range(STEPS):
        at = opens + step * every
        rows = [(0, float(vix[step])), (1, float(rvx[step]))] + ([(2, SPX_LEVEL + step % 7)] if step % 2 == 0 else [])
        for code, level in rows:
            codes.append(code)
            levels.append(level)
            at_ns.append(at)
    return Day(session=session, codes=codes, levels=levels, at_ns=at_ns, baseline=baseline)


class Moment:
    """A clock that stands where the last tick put it."""

    def __init__(self) -> None:
        self.ns = 0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.ns / 1e9, UTC)

    def now_ns(self) -> int:
        return self.ns

    def stepped_s(self) -> float:
        """It never steps."""
        return 0.0

    def host_now(self) -> datetime:
        return self.now()

    async def sleep(self, seconds: float) -> None:
        """Nobody waits here."""


class Memory:
    """A journal that counts."""

    def __init__(self) -> None:
        self.rows = 0

    async def commit(self, rows: Sequence[JournalRow]) -> None:
        self.rows += len(rows)


class Numbers:
    """Ids in sequence."""

    def __init__(self) -> None:
        self._last = 0

    def new_id(self) -> str:
        self._last += 1
        return f"id-{self._last}"


class OpenLatch:
    """A latch that never latches."""

    lock = nullcontext()
    epoch = 0
    mode = TradingMode.NORMAL
    cause = ""

    def tighten(self, _mode: TradingMode, _cause: str) -> int:
        return 0

    def loosen(self, _mode: TradingMode, _cause: str, *, epoch: int) -> bool:
        return epoch == 0

    async def persist(self) -> None:
        """Nothing to write."""


class FillingBroker:
    """Fills every order at its limit at once; the answers go back through the engine."""

    def __init__(self, clock: Moment) -> None:
        self._clock = clock
        self.engine: Engine | None = None
        self.orders = 0

    def is_open(self) -> bool:
        return True

    def cancel(self, order: Order) -> None:
        """Nothing works long enough to be cancelled."""

    async def books(self) -> Any:
        raise RuntimeError("nobody compares books in a replay")

    def submit(self, approved: Approved) -> None:
        self.orders += 1
        intent, at = approved.intent, self._clock.now()
        parts = [(FillPart.COMBO, None, Side.BUY, intent.quantity)] if intent.is_combo else []
        parts += [
            (FillPart.LEG if intent.is_combo else FillPart.WHOLE, leg.instrument, leg.side, intent.quantity * leg.ratio)
            for leg in intent.legs
        ]
        for number, (part, instrument, side, quantity) in enumerate(parts):
            fill = Fill(
                exec_id=f"{self.orders}.{number}",
                order_ref=intent.intent_id,
                perm_id=self.orders,
                account=ACCOUNT,
                part=part,
                instrument=instrument,
                side=side,
                quantity=quantity,
                price=abs(intent.limit) if part is FillPart.WHOLE else intent.limit,
                at=at,
            )
            if self.engine is not None:
                self.engine.receive(FillReported(at=at, fill=fill))


def _option(trading_class: str, settlement: date, strike: int, right: Right) -> Instrument:
    last = settlement if trading_class == "SPXW" else SessionCalendar().previous_session(settlement).day
    symbol = "VIX" if trading_class == "VIX" else "SPX"
    return Instrument(
        kind=Kind.OPTION,
        symbol=symbol,
        trading_class=trading_class,
        exchange="CBOE",
        multiplier=100,
        settlement=settlement,
        last_trade=last,
        strike=Decimal(strike),
        right=right,
    )


def _future(trading_class: str, settlement: date) -> Instrument:
    return Instrument(
        kind=Kind.FUTURE,
        symbol="VIX",
        trading_class=trading_class,
        exchange="CFE",
        multiplier=1000 if trading_class == "VX" else 100,
        settlement=settlement,
        last_trade=settlement,
    )


CONDOR = (
    (_option("SPXW", FAR, 5600, Right.PUT), 400),
    (_option("SPXW", FAR, 5700, Right.PUT), -400),
    (_option("SPXW", FAR, 8000, Right.CALL), -400),
    (_option("SPXW", FAR, 8100, Right.CALL), 400),
)
BASE = _option("VIX", FAR, 20, Right.CALL)


class Replay:
    """The engine with everything around it, fed tick by tick."""

    def __init__(self) -> None:
        self.clock, self.journal = Moment(), Memory()
        self.broker = FillingBroker(self.clock)
        fees = FeeSchedule()
        hedge = HedgeSettings(valuation=ValuationSettings(max_quote_age_s=30_000.0))
        limits = RiskLimits(accounts=frozenset({ACCOUNT}), max_orders_per_day=1000)
        self.engine = Engine(
            state=BotState(
                tracker=DispersionTracker(DispersionSettings()),
                sleeve=FoundSleeve(stated=(self._base_lot(),), layer_of=lambda _days: Layer.LONG),
                stated_credits=(self._credit(),),
                fees=fees,
            ),
            policy=Policy(
                evidence=EvidenceSettings(),
                planner=Planner(hedge, fees),
                steward=Steward(StewardSettings(), fees),
                gate=Gate(limits, fees, valuation=hedge.valuation),
            ),
            execution=Execution(
                broker=self.broker, clock=self.clock, latch=OpenLatch(), order_life_s=60.0, ack_timeout_s=10.0
            ),
            journal=self.journal,
            clock=self.clock,
            ids=Numbers(),
        )
        self.broker.engine = self.engine
        self.plans = 0

    @staticmethod
    def _base_lot() -> Lot:
        return Lot(
            lot_id=IntentId("base"),
            layer=Layer.LONG,
            legs=(Leg(instrument=BASE, side=Side.BUY),),
            units_bought=300,
            units_open=300,
            cost_usd=Decimal(90_000),
            recovered_usd=Decimal(0),
            bought_on=FIRST_DAY,
            expires_on=FAR,
        )

    @staticmethod
    def _credit() -> StatedCredit:
        strikes = tuple(leg.strike or Decimal(0) for leg, _ in CONDOR)
        return StatedCredit(
            trading_class="SPXW",
            settlement=FAR,
            strikes=(strikes[0], strikes[1], strikes[2], strikes[3]),
            count=400,
            credit_usd=Decimal(600_000),
            opened_on=FIRST_DAY,
        )

    def run(self, played: Sequence[Day]) -> None:
        """Play all days."""
        held = (*CONDOR, (BASE, 300))
        self.clock.ns = played[0].at_ns[0]
        now = self.clock.now()
        self.engine.receive(ModeDemanded(at=now, source=DemandSource.LATCH, mode=TradingMode.NORMAL, cause="go"))
        self.engine.receive(
            BooksReconciled(
                at=now,
                positions=tuple(Position(instrument=leg, quantity=quantity) for leg, quantity in held),
                account=AccountValues(
                    account=ACCOUNT,
                    net_liquidation_usd=Decimal(20_000_000),
                    cash_usd=Decimal(19_000_000),
                    at=now,
                    initial_margin_usd=Decimal(550_000),
                    maintenance_margin_usd=Decimal(500_000),
                    excess_liquidity_usd=Decimal(19_500_000),
                    gross_position_usd=Decimal(5_000_000),
                ),
                orders=(),
            )
        )
        for day in played:
            self._open(day)
            self._ticks(day)
            self.engine.receive(SessionClosed(at=self.clock.now(), session=day.session))
            _finish(self.engine.work())

    def _open(self, day: Day) -> None:
        self.clock.ns = day.at_ns[0]
        now = self.clock.now()
        near = next(vix_monthlies(day.session.day + timedelta(days=21), day.session.day + timedelta(days=60), CALENDAR))
        universe = (
            *(_option("VIX", near, strike, Right.CALL) for strike in range(16, 36)),
            *(_future(name, near) for name in ("VX", "VXM")),
            _future("VX", FAR),
        )
        self.engine.receive(SessionOpened(at=now, session=day.session, baseline=day.baseline))
        self.engine.receive(CandidatesListed(at=now, instruments=universe))
        market = Market(
            at=now, levels=Levels(spx=SPX_LEVEL, rut=2500.0, vix=day.levels[0], rvx=day.levels[1]), model=WorldModel()
        )
        for instrument in (*universe, *(leg for leg, _ in CONDOR), BASE):
            sides = two_sided(rule_of(instrument), market.fair(instrument).price, seed=1, step=1)
            self.engine.receive(_quote(instrument.key, sides, day.at_ns[0]))
        for told in told_at(now, *universe, *(leg for leg, _ in CONDOR), BASE):
            self.engine.receive(told)
        _finish(self.engine.work())

    def _ticks(self, day: Day) -> None:
        tick, receive, clock = Tick(VIX.key, 0.0, 0), self.engine.receive, self.clock
        for code, level, at_ns in zip(day.codes, day.levels, day.at_ns, strict=True):
            tick.key = KEYS[code]
            tick.level = level
            tick.at_ns = at_ns
            if receive(tick):
                clock.ns = at_ns
                self.plans += 1
                _finish(self.engine.work())
        clock.ns = day.at_ns[-1]


CALENDAR = SessionCalendar()


def _quote(key: InstrumentKey, sides: Any, at_ns: int) -> Quote:
    return Quote(
        key=key,
        bid=sides.bid_cents / 100 if sides.bid_cents else None,
        ask=sides.ask_cents / 100,
        bid_size=sides.bid_size,
        ask_size=sides.ask_size,
        at_ns=at_ns,
    )


def _finish(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that never really waits."""
    try:
        work.send(None)
    except StopIteration:
        return
    raise RuntimeError("the replay waited for something")


def _bare_loop(played: Sequence[Day]) -> float:
    """The floor: the same numbers touched once each in a plain loop."""
    total = 0.0
    for day in played:
        tick = Tick(VIX.key, 0.0, 0)
        for code, level, at_ns in zip(day.codes, day.levels, day.at_ns, strict=True):
            tick.key = KEYS[code]
            tick.level = level
            tick.at_ns = at_ns
            total += level
    return total


def replay_figure() -> Figure:
    """Measure the replay against the bare loop; fails when nothing was decided or bought on the way."""
    played = days()
    count = sum(len(day.codes) for day in played)
    replay = Replay()
    seconds = timed(lambda: replay.run(played))
    floor = min(timed(lambda: _bare_loop(played)) for _ in range(3))
    if replay.broker.orders < 10 or replay.plans < 10:
        raise RuntimeError(f"the replay decided too little: {replay.plans} plans, {replay.broker.orders} orders")
    return Figure(
        name=f"replay of {count:,} ticks, 250 sessions, {replay.plans} plans, {replay.broker.orders} orders filled",
        measured=f"{count / seconds / 1e6:.2f} M ticks/s",
        floor=f"{count / floor / 1e6:.2f} M ticks/s, a bare Python loop over the same ticks",
        ratio=seconds / floor,
        aim=">= 0.8 M ticks/s",
    )
