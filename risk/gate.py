"""The gate: every check for every order of a plan, every reason written down; the only maker of `Approved`.

How it works: intents are judged in the order of the plan, and those already approved count for the later ones as if
they were working. What always holds: every check is asked, also after one has failed; what is missing or impossible
fails before it is compared; an exception inside a check is a refusal by that rule.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from bot.domain.decision import Approved, Checked, Refused, Rule, Verdict
from bot.domain.fees import FeeSchedule
from bot.domain.orders import IntentId, OrderIntent
from bot.domain.overrides import Ground
from bot.domain.plan import HedgePlan
from bot.domain.schedule import SessionCalendar
from bot.domain.snapshot import Snapshot
from bot.valuation import ValuationSettings, Valuer
from risk.checks.account import AccountAllowed
from risk.checks.break_evens import BreakEvensKept
from risk.checks.day_slippage import DaySlippage
from risk.checks.hedge_cost import BookCostCap, CohortCostCap
from risk.checks.instruments import Instruments
from risk.checks.leverage import GrossLeverage
from risk.checks.loss_limits import DayLoss, Drawdown, WeekLoss
from risk.checks.margin_preview import MarginPreviewed
from risk.checks.margin_use import MarginUse
from risk.checks.message_rate import DailyOrders, Duplicates, WorkingOrders
from risk.checks.neutrality import Neutrality
from risk.checks.order_size import OrderSize
from risk.checks.permission import Permission
from risk.checks.position_limits import ContractsInAll, ContractsPerSettlement, Vega, VixDelta
from risk.checks.price_collar import PriceCollar
from risk.checks.quote_quality import QuoteQuality
from risk.checks.repeats import Repeats
from risk.checks.session_hours import SessionHours
from risk.checks.short_calls import ShortCalls
from risk.checks.standing import Locks, ModeAllows, Reconciled
from risk.checks.stress_loss import MeanReversionLoss, WorstLoss
from risk.checks.well_formed import WellFormed
from risk.checks.wing_limits import WingLimits
from risk.headroom import rooms
from risk.limits import RiskLimits
from risk.outstanding import Exposure, exposures
from risk.reducing import reducing
from risk.room import Room
from risk.scene import Check, Scene

CHECKS: Final[tuple[Check, ...]] = (
    WellFormed(),
    AccountAllowed(),
    Permission(),
    SessionHours(),
    QuoteQuality(),
    PriceCollar(),
    DaySlippage(),
    OrderSize(),
    ShortCalls(),
    WingLimits(),
    Neutrality(),
    MeanReversionLoss(),
    WorstLoss(),
    MarginPreviewed(),
    MarginUse(),
    GrossLeverage(),
    ContractsPerSettlement(),
    ContractsInAll(),
    Instruments(),
    Vega(),
    VixDelta(),
    DayLoss(),
    WeekLoss(),
    Drawdown(),
    CohortCostCap(),
    BookCostCap(),
    BreakEvensKept(),
    Repeats(),
    Duplicates(),
    DailyOrders(),
    WorkingOrders(),
    Locks(),
    Reconciled(),
    ModeAllows(),
)
"""In the fixed order of docs/risk-controls.md, section 1; mode and locks last."""


class Gate:
    """Judges plans by the limits in force, which it alone holds: a command changes them, everybody else reads them.

    It keeps nothing else from one review to the next but the figures of the moment that it saw last.
    """

    def __init__(
        self,
        limits: RiskLimits,
        fees: FeeSchedule,
        *,
        valuation: ValuationSettings | None = None,
        calendar: SessionCalendar | None = None,
        checks: Sequence[Check] = CHECKS,
    ) -> None:
        """Take the limits and how contracts are valued.

        Args:
            limits: What is allowed until `take` is told otherwise.
            fees: What contracts cost to trade.
            valuation: How contracts are valued; the planner's settings, so that both see the same figures.
            calendar: Sessions and holidays.
            checks: The rules, in their order.
        """
        self._limits = limits
        self._fees = fees
        self._valuation = valuation or ValuationSettings()
        self._calendar = calendar or SessionCalendar()
        self._checks = tuple(checks)
        self._moment: Scene | None = None

    @property
    def limits(self) -> RiskLimits:
        """The limits in force."""
        return self._limits

    def take(self, limits: RiskLimits) -> None:
        """Judge by these limits from now on; what was approved before must be judged anew by whoever releases it."""
        self._limits = limits
        self._moment = None  # nothing that was worked out under other limits is kept

    def review(self, plan: HedgePlan, snapshot: Snapshot) -> tuple[Verdict, ...]:
        """Return one verdict for each intent of the plan, in its order; never raises for what it is shown."""
        moment = self._moment_of(snapshot)
        verdicts: list[Verdict] = []
        approved: tuple[OrderIntent, ...] = ()
        for position, intent in enumerate(plan.intents):
            scene = moment.within(earlier=approved, later=plan.intents[position + 1 :])
            verdict = self._judge(intent, scene)
            if isinstance(verdict, Approved):
                approved = (*approved, intent)
            verdicts.append(verdict)
        return tuple(verdicts)

    def rooms(self, snapshot: Snapshot) -> tuple[tuple[Room, ...], tuple[Exposure, ...]]:
        """Return every limit with its use and headroom, and the outstanding exposure; raises for nothing.

        Source: docs/risk-controls.md, C30.
        """
        scene = self._scene(snapshot, Valuer(snapshot, self._valuation))
        return rooms(scene), exposures(scene)

    def adding(self, snapshot: Snapshot) -> tuple[IntentId, ...]:
        """Return the working orders that REDUCE_ONLY would not let through now, each judged as if it were new.

        Source: docs/risk-controls.md, section 2.2.
        """
        found = []
        valuer = self._moment_of(snapshot).valuer
        for key, order in snapshot.book.orders.items():
            others = {one: snapshot.book.orders[one] for one in snapshot.book.orders if one != key}
            alone = replace(snapshot, book=replace(snapshot.book, orders=others))
            scene = self._scene(alone, valuer)
            if order.remaining and not reducing(replace(order.intent, quantity=order.remaining), scene).passed:
                found.append(key)
        return tuple(found)

    def _moment_of(self, snapshot: Snapshot) -> Scene:
        """The figures of a moment: a decision asks for several plans on one snapshot, which nothing changes."""
        if self._moment is None or self._moment.snapshot is not snapshot:
            self._moment = self._scene(snapshot, Valuer(snapshot, self._valuation))
        return self._moment

    def _scene(self, snapshot: Snapshot, valuer: Valuer) -> Scene:
        return Scene(snapshot=snapshot, valuer=valuer, limits=self._limits, fees=self._fees, calendar=self._calendar)

    def _judge(self, intent: OrderIntent, scene: Scene) -> Verdict:
        checks = _overridden(intent, self._checked(intent, scene), scene.snapshot)
        failed = [checked for checked in checks if not checked.passed]
        if any(checked.refuses for checked in failed):
            return Refused(
                intent=intent,
                checks=checks,
                largest_quantity=self._largest(intent, checks, scene),
                question=self._question(intent, checks, scene),
            )
        now = scene.snapshot.now
        return Approved(
            intent=intent,
            checks=checks,
            book_version=scene.snapshot.book.version,
            kill_epoch=scene.snapshot.kill_epoch,
            given_at=now,
            valid_until=now + timedelta(seconds=self._limits.verdict_lifetime_s),
        )

    def _largest(self, intent: OrderIntent, checks: Sequence[Checked], scene: Scene) -> int:
        """The largest smaller size that passes everything, by trying each from above; 0 where size is no cure.

        No size beyond the limit per leg can pass, so that the search is as short as that limit. Of many shares it first
        tries as many sizes as there may be contracts in an order, then those between the two that it has come to.
        """
        if not all(checked.passed or checked.size_can_cure for checked in checks):
            return 0
        return self._largest_smaller(intent, scene)

    def _question(self, intent: OrderIntent, checks: Sequence[Checked], scene: Scene) -> OrderIntent | None:
        """The order in the largest size that lacks nothing but the broker's word on it; None where there is none.

        Source: docs/methodology.md, M11.
        """
        others = [checked for checked in checks if checked.rule is not Rule.MARGIN_PREVIEW]
        if not any(checked.rule is Rule.MARGIN_PREVIEW and checked.refuses for checked in checks):
            return None
        if not any(checked.refuses for checked in others):
            return intent
        if not all(checked.passed or checked.size_can_cure for checked in others):
            return None
        quantity = self._largest_smaller(intent, scene, but=frozenset({Rule.MARGIN_PREVIEW}))
        return _in_size(intent, quantity) if quantity else None

    def _largest_smaller(self, intent: OrderIntent, scene: Scene, *, but: frozenset[Rule] = frozenset()) -> int:
        """The largest smaller size that passes every rule but some; 0 where none does."""
        limits = self._limits
        most = min(
            intent.quantity - 1, limits.max_shares_per_order if intent.is_share else limits.max_contracts_per_leg
        )
        step = max(1, -(-most // limits.max_contracts_per_leg))
        near = self._first_passing(range(most, 0, -step), intent, scene, but)
        return self._first_passing(range(min(most, near + step - 1), near, -1), intent, scene, but) or near

    def _first_passing(self, sizes: Iterable[int], intent: OrderIntent, scene: Scene, but: frozenset[Rule]) -> int:
        """The first of some sizes that passes every rule but some, 0 where none does."""
        for quantity in sizes:
            smaller = _in_size(intent, quantity)
            if all(checked.passed or checked.rule in but for checked in self._checked(smaller, scene)):
                return quantity
        return 0

    def _checked(self, intent: OrderIntent, scene: Scene) -> tuple[Checked, ...]:
        """Ask every rule; whatever one raises is a refusal by that rule."""
        found = []
        for check in self._checks:
            try:
                found.append(check.check(intent, scene))
            except Exception as error:  # noqa: BLE001 - fail closed: no fault may let an order through
                found.append(Checked.failed(rule=check.rule, note=f"{type(error).__name__}: {error}"))
        return tuple(found)


def _in_size(intent: OrderIntent, quantity: int) -> OrderIntent:
    """The same order of fewer units, at its share of the cost."""
    return replace(intent, quantity=quantity, worst_cost_usd=intent.worst_cost_usd * quantity / intent.quantity)


def _overridden(intent: OrderIntent, checks: tuple[Checked, ...], snapshot: Snapshot) -> tuple[Checked, ...]:
    """Mark what a person has waived for this very order, in this moment; everything else stands as it was found.

    Source: docs/risk-controls.md, C15.
    """
    override = snapshot.override
    if override is None or not override.covers(intent):
        return checks
    ground = Ground(mode=snapshot.mode, epoch=snapshot.kill_epoch, reconciling=snapshot.reconciling)
    if override.objection(snapshot.now, ground):
        return checks
    return tuple(override.applied(checked) for checked in checks)
