"""The limit stands near the middle built from the legs, has its sign and lies on the tick grid (C7)."""

from dataclasses import dataclass
from decimal import Decimal

from bot.domain.decision import Checked, Rule
from bot.domain.orders import OrderIntent
from bot.domain.ticks import increment_told
from bot.valuation import Unvalued
from risk.scene import Scene


@dataclass(frozen=True, slots=True)
class PriceCollar:
    """C7: fails when ``|limit - middle| > max(frac x |middle|, ticks x tick)``, off the grid, or with the wrong sign.

    The middle is the sum of the legs' middles by side and ratio: positive is paid, negative received, as the limit. The
    grid of a single contract is ours, and it fails where the broker's market rule has another increment at the limit.

    Control: C7.
    Standard: RTS 6 15(1)(a).
    Unit: points of net price.
    Limits: collar_frac, future_collar_frac, collar_ticks.
    """

    rule: Rule = Rule.PRICE_COLLAR

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Judge the price, size aside."""
        middle = middle_points(intent, scene)
        if isinstance(middle, Unvalued):
            return Checked.failed(rule=self.rule, note=f"no middle: {middle.reason}")
        ticks, limits = scene.valuer.settings.ticks, scene.limits
        if not ticks.is_on_tick(intent.legs, intent.limit):
            return Checked.failed(rule=self.rule, note="the limit is off the tick grid")
        if not _broker_agrees(intent, scene):
            return Checked.failed(rule=self.rule, note="the broker's increment at the limit is not ours: they disagree")
        if intent.limit * middle <= 0:
            return Checked.failed(rule=self.rule, note="the limit's sign disagrees with the middle")
        frac = limits.future_collar_frac if intent.carries_reserve else limits.collar_frac
        tick = ticks.increment_of(intent.legs, intent.limit)
        return Checked.at_most(
            rule=self.rule,
            found=abs(intent.limit - middle),
            limit=max(frac * abs(middle), limits.collar_ticks * tick),
        )


def _broker_agrees(intent: OrderIntent, scene: Scene) -> bool:
    """Whether a single contract's market rule says the same as our table; of a combo the broker tells no rule."""
    if intent.is_combo:
        return True
    terms = scene.snapshot.terms.get(intent.legs[0].instrument.key)
    if terms is None or not terms.ticks:
        return True
    own = scene.valuer.settings.ticks.increment_of(intent.legs, intent.limit)
    return increment_told(terms.ticks, intent.limit) == own


def middle_points(intent: OrderIntent, scene: Scene) -> Decimal | Unvalued:
    """Return the middle of an order's quotes, net points per unit: positive is paid, negative received."""
    return scene.kept(_middle_points, intent)


def _middle_points(intent: OrderIntent, scene: Scene) -> Decimal | Unvalued:
    middle, quotes = Decimal(0), scene.quotes(intent)
    for at, leg in enumerate(intent.legs):
        quote = quotes[at]
        if isinstance(quote, Unvalued):
            return quote
        middle += scene.once(_middle, quote.bid, quote.ask) * leg.signed_ratio
    return middle


def _middle(bid: float | None, ask: float | None, scene: Scene) -> Decimal:  # noqa: ARG001 - as every figure's work
    return (Decimal(repr(bid)) + Decimal(repr(ask))) / 2
