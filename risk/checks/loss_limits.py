"""What the account may lose in a day, in a week and since its highest before no order adds to its risk (C31)."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from bot.domain.decision import Checked, Rule
from bot.domain.orders import OrderIntent
from bot.domain.worth import Worth
from risk.limits import RiskLimits
from risk.reducing import past
from risk.scene import Scene

NOTHING: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class DayLoss:
    """C31: fails when the account has lost more than a fraction of what it was worth as the New York day began.

    Realised and open results alike: net liquidation then less net liquidation now, USD, transfers taken out. Exactly
    the limit passes. An order that only closes, or that reduces the risk of the book, passes whatever was lost.

    Source: docs/risk-controls.md, sections 1.4 and 2.4.

    Control: C31.
    Standard: RTS 6 17(1).
    Unit: USD.
    Limits: max_day_loss_frac.
    """

    rule: Rule = Rule.DAY_LOSS

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Judge the account as it is, whatever the size."""
        lost = scene.once(_lost_now, self.rule)
        return lost if lost.passed else past(lost, intent, scene)


@dataclass(frozen=True, slots=True)
class WeekLoss:
    """C31: fails when the account has lost more than a fraction of what it was worth as the ISO week began.

    As `DayLoss`, from the last figure before New York's Monday.

    Source: docs/risk-controls.md, sections 1.4 and 2.4.

    Control: C31.
    Standard: RTS 6 17(1).
    Unit: USD.
    Limits: max_week_loss_frac.
    """

    rule: Rule = Rule.WEEK_LOSS

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Judge the account as it is, whatever the size."""
        lost = scene.once(_lost_now, self.rule)
        return lost if lost.passed else past(lost, intent, scene)


@dataclass(frozen=True, slots=True)
class Drawdown:
    """C31: fails when the account stands more than a fraction below its highest net liquidation since the record began.

    As `DayLoss`, from the highest; only a signed resume begins it anew.

    Source: docs/risk-controls.md, sections 1.4 and 2.4.

    Control: C31.
    Standard: RTS 6 17(1).
    Unit: USD.
    Limits: max_drawdown_frac.
    """

    rule: Rule = Rule.DRAWDOWN

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Judge the account as it is, whatever the size."""
        lost = scene.once(_lost_now, self.rule)
        return lost if lost.passed else past(lost, intent, scene)


def losses_of(worth: Worth | None, limits: RiskLimits) -> tuple[Checked, ...]:
    """Return what day, week and drawdown lost against their limits, USD; unknown or impossible figures fail."""
    return tuple(_lost(rule, worth, limits) for rule in (Rule.DAY_LOSS, Rule.WEEK_LOSS, Rule.DRAWDOWN))


def _lost_now(rule: Rule, scene: Scene) -> Checked:
    return _lost(rule, scene.snapshot.worth, scene.limits)


def _lost(rule: Rule, worth: Worth | None, limits: RiskLimits) -> Checked:
    if worth is None:
        return Checked.failed(rule=rule, note="what the account was worth before is not known")
    began_usd, frac, since = {
        Rule.DAY_LOSS: (worth.day_usd, limits.max_day_loss_frac, "as the day began"),
        Rule.WEEK_LOSS: (worth.week_usd, limits.max_week_loss_frac, "as the week began"),
        Rule.DRAWDOWN: (worth.peak_usd, limits.max_drawdown_frac, "at the highest"),
    }[rule]
    if not began_usd > NOTHING:
        return Checked.failed(rule=rule, note=f"{began_usd} USD {since} is impossible")
    lost = began_usd - worth.now_usd
    return Checked.at_most(rule=rule, found=lost, limit=frac * began_usd, note=f"from {began_usd} USD {since}")
