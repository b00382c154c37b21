"""What a day's executions may pay beyond the middle (C7, over a period)."""

from dataclasses import dataclass
from decimal import Decimal

from bot.domain.decision import Checked, Rule
from bot.domain.executed import slippage_usd
from bot.domain.orders import OrderIntent
from bot.domain.portfolio import Executed
from bot.domain.worth import Worth
from bot.valuation import Unvalued
from risk.checks.price_collar import middle_points
from risk.limits import RiskLimits
from risk.reducing import past
from risk.scene import Scene

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class DaySlippage:
    """C7: fails when the New York day's slippage, this order at its limit included, is above a fraction of the account.

    Slippage is what executions paid beyond the middle at which they were decided, USD; cheaper ones take nothing off.
    Everything on its way counts at its limit. The fraction is of net liquidation as the day began. Exactly the limit
    passes, a smaller order can cure it. An order that only closes, or that reduces the risk of the book, passes.

    Source: docs/risk-controls.md, sections 1.2 and 2.4.

    Control: C7.
    Standard: RTS 6 15(1)(a).
    Unit: USD a day.
    Limits: max_day_slippage_frac.
    """

    rule: Rule = Rule.DAY_SLIPPAGE

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Judge the day with this order and all that is on its way."""
        judged = self._counted(intent, scene)
        if judged.passed:
            return judged
        return past(judged, intent, scene)

    def _counted(self, intent: OrderIntent, scene: Scene) -> Checked:
        middle = middle_points(intent, scene)
        if isinstance(middle, Unvalued):
            return Checked.failed(rule=self.rule, note=f"no middle: {middle.reason}")
        limit = scene.once(_limit_usd)
        if limit is None:
            return Checked.failed(rule=self.rule, note="what the account was worth before is not known")
        own = max(NOTHING, intent.limit - middle) * intent.multiplier * intent.quantity
        paid, pending = scene.snapshot.book.executed.slippage_usd, slippage_pending_usd(scene)
        return Checked.at_most(
            rule=self.rule,
            found=paid + pending + own,
            limit=limit,
            note=f"{paid!s} USD paid today, {pending!s} USD on their way",
            size_can_cure=True,
        )


def slippage_pending_usd(scene: Scene) -> Decimal:
    """Return what everything on its way pays beyond its middle if it fills at its limit, USD."""
    return sum([slippage_usd(one, one.limit, units) for one, units in scene.pending()], NOTHING)


def _limit_usd(scene: Scene) -> Decimal | None:
    return slippage_limit_usd(scene.snapshot.worth, scene.limits)


def slippage_limit_usd(worth: Worth | None, limits: RiskLimits) -> Decimal | None:
    """Return what a day's executions may pay beyond the middle, USD; None while the account was not reported."""
    return None if worth is None else limits.max_day_slippage_frac * worth.day_usd


def is_beyond(executed: Executed, worth: Worth | None, limits: RiskLimits) -> bool:
    """Return whether what has executed today is above the limit by itself."""
    limit = slippage_limit_usd(worth, limits)
    return limit is not None and executed.slippage_usd > limit
