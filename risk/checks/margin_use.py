"""Margin use stays below its limit, whatever of the orders on their way fills (C31, M11)."""

from dataclasses import dataclass
from decimal import Decimal

from bot.domain.decision import Checked, Rule
from bot.domain.orders import OrderIntent
from bot.domain.portfolio import AccountValues
from bot.domain.worth import LARGEST_ACCOUNT_USD
from bot.valuation import Unvalued
from risk.margin import adding
from risk.previews import binds_usd, told_usd
from risk.scene import CLOSES_ONLY, Scene

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class MarginUse:
    """C31: fails when what binds the account, this order included, is above a fraction of net liquidation.

    Bound is the largest of three figures that the broker reports: initial margin, maintenance margin, and net
    liquidation less excess liquidity, which also holds what the broker lends nothing on. Everything on its way and this
    order add what they may bind at worst: the larger of our own estimate and of what the broker's what-if has said of
    them. Exactly the limit passes. A figure that the broker has not reported refuses:
    without it nobody knows how much is free. An order that only closes passes.

    Source: docs/methodology.md, M11.

    Control: C31, M11.
    Standard: RTS 6 15(4), 17(4); methodology M11.
    Unit: USD.
    Limits: max_margin_frac, future_margin_frac.
    """

    rule: Rule = Rule.MARGIN_USE

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Judge the account with this order and all that is on its way."""
        if scene.closes_only(intent):
            return Checked.holds(rule=self.rule, passed=True, found=CLOSES_ONLY, limit=CLOSES_ONLY, note=CLOSES_ONLY)
        bound = scene.once(_bound)
        if isinstance(bound, str):
            return Checked.failed(rule=self.rule, note=f"the margin is unknown: {bound}")
        added = margin_added_usd(intent, scene)
        if isinstance(added, Unvalued):
            return Checked.failed(rule=self.rule, note=f"the margin is unknown: {added.reason}")
        name, amount = bound
        return Checked.at_most(
            rule=self.rule,
            found=amount + added,
            limit=_limit_usd(scene),
            note=f"{name} {amount!s} USD, {added!s} USD on their way and by this order{_told_words(intent, scene)}",
            size_can_cure=True,
        )


def _limit_usd(scene: Scene) -> Decimal:
    """What may be bound, USD: nothing without an account."""
    account = scene.snapshot.book.account
    return NOTHING if account is None else scene.limits.max_margin_frac * account.net_liquidation_usd


def _told_words(intent: OrderIntent, scene: Scene) -> str:
    """What the broker has said of this order, where it has."""
    told = told_usd(intent, intent.quantity, scene)
    return "" if told is None else f"; the broker says {told} USD of this order"


def _bound(scene: Scene) -> tuple[str, Decimal] | str:
    return bound_now(scene.snapshot.book.account)


def bound_now(account: AccountValues | None) -> tuple[str, Decimal] | str:
    """Return what binds most of the account and how much, USD; or why that is unknown."""
    if account is None:
        return "the account's values are not known"
    figures = {
        "initial margin": account.initial_margin_usd,
        "maintenance margin": account.maintenance_margin_usd,
        "excess liquidity": account.excess_liquidity_usd,
    }
    known = {name: amount for name, amount in figures.items() if amount is not None}
    for name in figures:
        if name not in known:
            return f"the broker has not reported the {name}"
        if not abs(known[name]) <= LARGEST_ACCOUNT_USD or (name != "excess liquidity" and known[name] < NOTHING):
            return f"the {name} is impossible"
    known["not excess liquidity"] = account.net_liquidation_usd - known.pop("excess liquidity")
    name = max(known, key=lambda one: known[one])
    return name, known[name]


def margin_added_usd(intent: OrderIntent | None, scene: Scene) -> Decimal | Unvalued:
    """Return what this order, if there is one, and everything on its way may bind at worst, USD."""
    total = NOTHING
    for one, units in adding(intent, scene):
        bound = binds_usd(one, units, scene)
        if isinstance(bound, Unvalued):
            return bound
        total += bound
    return total
