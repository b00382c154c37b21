"""Walks of the policy for property tests: planner, steward and gate in turn, with orders that fill whole or in part."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache

from bot.domain.decision import Approved, Refused, Verdict
from bot.domain.evidence import Stance
from bot.domain.layer import Layer
from bot.domain.orders import DecisionId, IntentId, OrderIntent, Purpose
from bot.domain.plan import HedgePlan
from bot.domain.portfolio import Book, Cohort, Lot, Provenance
from bot.domain.readings import Signal, SignalState
from bot.domain.snapshot import Snapshot
from bot.hedging.planning import Planner
from bot.hedging.settings import HedgeSettings
from bot.hedging.stewardship.settings import StewardSettings
from bot.hedging.stewardship.steward import Steward
from risk.gate import Gate
from risk.limits import RiskLimits
from tests.builders import ACCOUNT, FEES, TODAY, Scenery, a_signal, an_account, new_ids

VIX_LEVELS = (13.0, 18.0, 24.0, 32.0)
OPENED_AT_VIX = 18.0
NET_LIQUIDATION_USD = 50_000
"""For each condor, as the default book of the simulator has it."""
LIMITS = RiskLimits(accounts=frozenset({ACCOUNT}))


@cache
def scenery(condors: int, vix: float = OPENED_AT_VIX) -> Scenery:
    """The market at a level of VIX, priced once."""
    return Scenery(condors=condors, vix=vix)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One decision: the market, what the dispersion says, and which share of each order fills."""

    vix: float = OPENED_AT_VIX
    is_calm: bool = False
    peak_excess: float = 0.5
    stance: Stance = Stance.SUPPORTS
    filled_frac: float = 1.0

    def signal(self) -> Signal:
        """The signal of this step."""
        if self.is_calm:
            return a_signal(SignalState.CALM, peak_excess=0.05)
        return a_signal(peak_excess=self.peak_excess, stance=self.stance)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What one step has led to: what the planner wished, and the plan as it was put before the gate."""

    snapshot: Snapshot
    wished: HedgePlan
    plan: HedgePlan
    verdicts: tuple[Verdict, ...]

    @property
    def approved(self) -> tuple[Approved, ...]:
        """The orders that may leave."""
        return tuple(verdict for verdict in self.verdicts if isinstance(verdict, Approved))

    @property
    def builds(self) -> tuple[Approved, ...]:
        """Those that add to the overlay."""
        return tuple(one for one in self.approved if one.intent.purpose is Purpose.OVERLAY_BUILD)


def decided(snapshot: Snapshot, signal: Signal, limits: RiskLimits = LIMITS) -> Decision:
    """Plan, permit and judge as the engine does, refused sizes once more in the largest that passes."""
    planner, ids = Planner(HedgeSettings(), FEES), new_ids()
    wished = next(planner.plans(snapshot, signal, DecisionId("d-1"), ids.__next__))
    plan = Steward(StewardSettings(), FEES).permit(wished, snapshot)
    gate = Gate(limits, FEES)
    verdicts = gate.review(plan, snapshot)
    smaller = [verdict for verdict in verdicts if isinstance(verdict, Refused) and verdict.largest_quantity]
    if smaller:
        plan = planner.resized(plan, smaller, ids.__next__)
        verdicts = gate.review(plan, snapshot)
    return Decision(snapshot=snapshot, wished=wished, plan=plan, verdicts=verdicts)


def walked(
    condors: int, steps: Sequence[Step], *, credit_frac: float = 1.0, second_cohort_usd: int = 0
) -> Iterator[Decision]:
    """Yield one decision after another on the same book, with what has filled in between.

    Args:
        condors: Of the reference book.
        steps: The market and the signal of each decision.
        credit_frac: Share of the condor credit that is left; less makes the cap bind.
        second_cohort_usd: Credit of a further cohort that settles earlier, 0 for none.
    """
    lots: tuple[Lot, ...] = ()
    for number, step in enumerate(steps):
        account = an_account(NET_LIQUIDATION_USD * condors)
        book = _with_credit(scenery(condors).book(lots=lots, account=account), credit_frac, second_cohort_usd)
        state = SignalState.CALM if step.is_calm else SignalState.BLOWOUT
        decision = decided(scenery(condors, step.vix).snapshot(book=book, state=state), step.signal())
        yield decision
        for verdict in decision.approved:
            units = round(step.filled_frac * verdict.intent.quantity)
            lots = _after(lots, verdict.intent, units, lot_id=f"lot-{number}-{verdict.intent.intent_id}")


def _with_credit(book: Book, credit_frac: float, second_cohort_usd: int) -> Book:
    cents = Decimal("0.01")
    frac = Decimal(repr(credit_frac))
    cohorts = tuple(replace(one, credit_usd=(one.credit_usd * frac).quantize(cents)) for one in book.cohorts)
    if not second_cohort_usd:
        return replace(book, cohorts=cohorts)
    second = Cohort(
        trading_class="SPX",
        settlement=date(2026, 11, 6),
        opened_on=TODAY - timedelta(days=20),
        credit_usd=Decimal(second_cohort_usd),
        maximum_loss_usd=Decimal(5 * second_cohort_usd),
        provenance=Provenance.OPERATOR,
    )
    return replace(book, cohorts=(*cohorts, second))


def _after(lots: tuple[Lot, ...], intent: OrderIntent, units: int, lot_id: str) -> tuple[Lot, ...]:
    """The overlay's lots after so many units of an order have filled at its limit; the rest is dead."""
    if not units:
        return lots
    fees = FEES.of_intent(intent, units)
    value = Decimal(0) if intent.is_future else intent.limit * intent.multiplier * units
    if intent.purpose is not Purpose.OVERLAY_BUILD:
        return tuple(_sold(lots, intent, units))
    bought = Lot(
        lot_id=IntentId(lot_id),
        layer=Layer.OVERLAY,
        legs=intent.legs,
        units_bought=units,
        units_open=units,
        cost_usd=value + fees,
        recovered_usd=Decimal(0),
        bought_on=TODAY,
        expires_on=max(leg.instrument.settlement or TODAY for leg in intent.legs),
        entry_price=intent.limit,
        exposure_usd_per_point=intent.exposure_usd_per_point,
    )
    return (*lots, bought)


def _sold(lots: tuple[Lot, ...], intent: OrderIntent, units: int) -> Iterator[Lot]:
    mirrored = {(leg.instrument.key, -leg.signed_ratio) for leg in intent.legs}
    each = -intent.limit * intent.multiplier - FEES.of_legs(intent.legs)
    for lot in lots:
        is_meant = {(leg.instrument.key, leg.signed_ratio) for leg in lot.legs} == mirrored
        take = min(units, lot.units_open) if is_meant else 0
        units -= take
        if take:
            recovered = lot.recovered_usd + each * take
            yield replace(lot, units_open=lot.units_open - take, recovered_usd=recovered, last_sold_on=TODAY)
        else:
            yield lot
