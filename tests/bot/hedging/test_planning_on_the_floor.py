"""The blown-out session of the simulated floor, fed through the bot's own state: signal, plan, verdict."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache

from bot.domain.decision import Approved
from bot.domain.events import BooksReconciled, CandidatesListed, SessionOpened
from bot.domain.found import FoundSleeve
from bot.domain.instrument import RUT, RVX, SPX, VIX, Instrument
from bot.domain.layer import Layer
from bot.domain.market import Quote, Tick
from bot.domain.orders import DecisionId
from bot.domain.plan import PlanAction
from bot.domain.portfolio import AccountValues, Lot, Position
from bot.domain.readings import Signal, SignalState
from bot.domain.snapshot import Snapshot
from bot.hedging.planning import NO_RELEASES, Planner
from bot.hedging.settings import HedgeSettings
from bot.hedging.universe import Listed, looked_up
from bot.signals.dispersion import DispersionTracker
from bot.signals.evidence.settings import EvidenceSettings
from bot.signals.reading import read_signal
from bot.signals.settings import DispersionSettings
from bot.state import BotState
from risk.gate import Gate
from risk.limits import RiskLimits
from simulator.opening import OpenedFloor, open_floor
from simulator.settings import SimulatorSettings
from tests.builders import CALENDAR, FEES, a_conviction, a_lot, buys, new_ids, ns
from tests.told import told_at

WIDE = timedelta(minutes=200)
"""After the open of the second session: the excess has stood above a half for half an hour."""
INDICES = {"SPX": SPX, "RUT": RUT, "VIX": VIX, "RVX": RVX}


@cache
def _floor() -> OpenedFloor:
    return open_floor(SimulatorSettings(scenario="blowout", sessions=2), CALENDAR)


def _base_lots(floor: OpenedFloor) -> tuple[Lot, ...]:
    return tuple(
        a_lot(
            (buys(held.instrument),),
            units=held.quantity,
            cost=str(held.cost_usd),
            layer=held.layer,
            bought_on=floor.source.sessions[0].day,
            expires_on=held.instrument.settlement or floor.source.sessions[0].day,
            lot_id=f"base-{held.layer}",
            entry_price=str(held.price),
            exposure=0.0,
        )
        for held in floor.book.base
    )


def _baseline(floor: OpenedFloor) -> tuple[tuple[int, float, float], ...]:
    """Closes before the second session: the prior days and the first session's last levels."""
    prior = floor.source.prior
    rows = [(r.day.toordinal(), r.close, v.close) for r, v in zip(prior["RVX"], prior["VIX"], strict=True)]
    first = floor.source.path(0)
    rows.append((first.session.day.toordinal(), first.levels["RVX"][-1], first.levels["VIX"][-1]))
    return tuple(rows)


def _quote(floor: OpenedFloor, instrument: Instrument, at: datetime) -> Quote:
    shown = floor.floor.quote(instrument)
    return Quote(
        key=instrument.key,
        bid=None if shown.bid is None else float(shown.bid),
        ask=None if shown.ask is None else float(shown.ask),
        bid_size=shown.bid_size,
        ask_size=shown.ask_size,
        at_ns=ns(at),
    )


def _ticks(floor: OpenedFloor, until: datetime) -> Iterator[Tick]:
    path = floor.source.path(1)
    for step in range(path.steps):
        if path.at(step) > until:
            return
        for symbol, index in INDICES.items():
            yield Tick(index.key, path.levels[symbol][step], ns(path.at(step)))


def _state_in_the_blowout() -> tuple[BotState, datetime]:
    """The bot's state half an hour after the spread has widened, with 40 condors reconciled and everything quoted."""
    floor = _floor()
    session = floor.source.sessions[1]
    now = session.opens_at + WIDE
    floor.floor.advance(now)
    state = BotState(
        tracker=DispersionTracker(DispersionSettings()),
        sleeve=FoundSleeve(stated=_base_lots(floor), layer_of=lambda _days: Layer.LONG),
        stated_credits=floor.book.credits,
        fees=FEES,
    )
    state.apply(SessionOpened(at=session.opens_at, session=session, baseline=_baseline(floor)))
    for tick in _ticks(floor, now):
        state.apply(tick)
    positions = tuple(Position(instrument=one, quantity=quantity) for one, quantity, _ in floor.book.positions)
    account = AccountValues(
        account=floor.floor.account,
        net_liquidation_usd=Decimal(2_000_000),
        cash_usd=floor.book.cash_usd,
        at=now,
        initial_margin_usd=Decimal(55_000),
        maintenance_margin_usd=Decimal(50_000),
        excess_liquidity_usd=Decimal(1_950_000),
        gross_position_usd=Decimal(500_000),
    )
    state.apply(BooksReconciled(at=now, positions=positions, account=account, orders=()))
    chain = [one for day in floor.universe.vix_settlements for one in floor.universe.options("VIX", day)]
    listed = Listed(options=chain, futures=floor.universe.futures)
    found = looked_up(listed, state.snapshot(now), NO_RELEASES, HedgeSettings(), CALENDAR)
    assert found is not None
    watched = found.instruments
    state.apply(CandidatesListed(at=now, instruments=watched, offered=found.offered))
    for instrument in (*watched, *(position.instrument for position in positions)):
        state.apply(_quote(floor, instrument, now))
    for told in told_at(now, *watched, *(position.instrument for position in positions)):
        state.apply(told)
    return state, now


@cache
def _snapshot() -> Snapshot:
    state, now = _state_in_the_blowout()
    return state.snapshot(now)


def _signal(snapshot: Snapshot) -> Signal:
    """The signal with every confirmation behind it."""
    return replace(read_signal(snapshot, EvidenceSettings()), conviction=a_conviction())


def test_the_blown_out_floor_is_a_blowout() -> None:
    """The scenario's own indices lead the bot's tracker into an episode with a peak above a half."""
    signal = _signal(_snapshot())
    assert signal.state is SignalState.BLOWOUT
    assert signal.peak_excess > 0.5


def test_the_plan_on_the_floor_is_an_increase_that_the_gate_approves() -> None:
    """Forty condors: between 15 and 20 % of the base in five-wide spreads, each candidate with figures or a reason."""
    snapshot = _snapshot()
    signal = _signal(snapshot)
    plan = next(Planner(HedgeSettings(), FEES).plans(snapshot, signal, DecisionId("d-1"), new_ids().__next__))
    assert plan.action is PlanAction.INCREASE, plan.reason
    assert 0.15 < plan.increment_frac <= 0.20
    (intent,) = plan.intents
    added = intent.quantity * intent.exposure_usd_per_point
    assert 0.15 * plan.base_usd_per_point < added <= 0.20 * plan.base_usd_per_point
    assert all(one.rejected or (one.cost_usd > 0 and one.stress_payoff_usd > 0) for one in plan.candidates)
    assert sum(not one.rejected for one in plan.candidates) >= 4
    (verdict,) = Gate(RiskLimits(accounts=frozenset({"DU1234567"})), FEES).review(plan, snapshot)
    assert isinstance(verdict, Approved)


def test_the_order_fills_on_the_floor_at_its_limit() -> None:
    """The plan's limit is the natural price: ask of the long leg less bid of the short one."""
    plan = next(
        Planner(HedgeSettings(), FEES).plans(_snapshot(), _signal(_snapshot()), DecisionId("d-1"), new_ids().__next__)
    )
    long, short = (_floor().floor.quote(leg.instrument) for leg in plan.intents[0].legs)
    assert long.ask is not None
    assert short.bid is not None
    assert plan.intents[0].limit == long.ask - short.bid
