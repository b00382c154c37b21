"""Gross leverage stays below its limit (C31, M11)."""

from dataclasses import dataclass
from decimal import Decimal

from bot.domain.decision import Checked, Rule
from bot.domain.orders import OrderIntent
from bot.domain.portfolio import Book
from bot.domain.worth import LARGEST_ACCOUNT_USD
from bot.valuation import Unvalued, Valuer
from risk.margin import adding, futures_held_usd, gross_added_usd
from risk.scene import CLOSES_ONLY, Scene

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class GrossLeverage:
    """C31: fails when everything that is held, long and short, is above a multiple of net liquidation.

    That is the broker's gross position value (shares and options at market value), the whole value of the futures held,
    which it leaves out, and what everything on its way and this order add, each leg at its ask. Options count at market
    value: their delta is bounded by M10 and what they can lose by M11's scenarios, and what is left to bound is size
    itself, in the figure that the account statement shows. Exactly the limit passes. An order that only closes passes.

    Source: docs/methodology.md, M11.

    Control: C31, M11.
    Standard: RTS 6 15(4), 17(4); methodology M11.
    Unit: USD.
    Limits: max_gross_leverage.
    """

    rule: Rule = Rule.GROSS_LEVERAGE

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Judge the account with this order and all that is on its way."""
        if scene.closes_only(intent):
            return Checked.holds(rule=self.rule, passed=True, found=CLOSES_ONLY, limit=CLOSES_ONLY, note=CLOSES_ONLY)
        held = scene.once(_gross_held)
        if isinstance(held, Unvalued):
            return Checked.failed(rule=self.rule, note=f"the gross value is unknown: {held.reason}")
        added = gross_on_the_way_usd(intent, scene)
        if isinstance(added, Unvalued):
            return Checked.failed(rule=self.rule, note=f"the gross value is unknown: {added.reason}")
        return Checked.at_most(
            rule=self.rule,
            found=held + added,
            limit=_limit_usd(scene),
            note=f"{held!s} USD held, {added!s} USD on their way and by this order",
            size_can_cure=True,
        )


def _limit_usd(scene: Scene) -> Decimal:
    """What may be held, USD: nothing without an account."""
    account = scene.snapshot.book.account
    return NOTHING if account is None else scene.limits.max_gross_leverage * account.net_liquidation_usd


def _gross_held(scene: Scene) -> Decimal | Unvalued:
    return gross_held_usd(scene.snapshot.book, scene.valuer)


def gross_held_usd(book: Book, valuer: Valuer) -> Decimal | Unvalued:
    """Return the gross value of all that the account holds, futures included, USD, or why it is unknown.

    Source: docs/methodology.md, M11.
    """
    reported = None if book.account is None else book.account.gross_position_usd
    if reported is None:
        return Unvalued(reason="the broker has not reported the gross position value")
    if not NOTHING <= reported <= LARGEST_ACCOUNT_USD:
        return Unvalued(reason="the gross position value is impossible")
    futures = futures_held_usd(book.positions.values(), valuer)
    return futures if isinstance(futures, Unvalued) else reported + futures


def gross_on_the_way_usd(intent: OrderIntent | None, scene: Scene) -> Decimal | Unvalued:
    """Return what this order, if there is one, and everything on its way add, USD."""
    total = NOTHING
    for one, units in adding(intent, scene):
        gross = gross_added_usd(one.legs, units, scene.valuer)
        if isinstance(gross, Unvalued):
            return gross
        total += gross
    return total
