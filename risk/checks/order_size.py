"""Contracts per leg or shares, value, displayed size and open interest (C8, C9, C13)."""

from dataclasses import dataclass
from decimal import Decimal

from bot.domain.decision import Checked, Rule
from bot.domain.instrument import Side
from bot.domain.orders import Leg, OrderIntent
from bot.valuation import Unvalued
from risk.scene import Scene


@dataclass(frozen=True, slots=True)
class OrderSize:
    """C8, C9, C13: fails with too many contracts or shares of a leg, too much value, or more than a market bears.

    Contracts of a leg are quantity times ratio; shares have a limit of their own; value is ``|limit| x multiplier x
    quantity`` (of a future its notional). A market bears what a side shows and, of options and futures, a fraction of
    the contracts that are open, as the broker told today; what closes alone needs no such figure. A smaller order can
    cure each of them. The tightest is what the record shows.

    Control: C8, C9, C13.
    Standard: RTS 6 15(1)(b), (c), 15(4); 15c3-5(c)(1).
    Unit: contracts, shares, USD.
    Limits: max_contracts_per_leg, max_shares_per_order, max_order_value_usd, max_displayed_frac,
        max_open_interest_frac.
    """

    rule: Rule = Rule.ORDER_SIZE

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Judge the size."""
        limits = scene.limits
        contracts = max(leg.ratio for leg in intent.legs) * intent.quantity
        value = abs(intent.limit) * intent.multiplier * intent.quantity
        found = [
            ("shares", Decimal(contracts), Decimal(limits.max_shares_per_order))
            if intent.is_share
            else ("contracts per leg", Decimal(contracts), Decimal(limits.max_contracts_per_leg)),
            ("value in USD", value, limits.max_order_value_usd),
        ]
        adds = not intent.is_share and not scene.closes_only(intent)
        for leg in intent.legs:
            quote = scene.quote(leg, intent)
            if isinstance(quote, Unvalued):
                return Checked.failed(rule=self.rule, note=f"no displayed size: {quote.reason}")
            shown = quote.ask_size if leg.side is Side.BUY else quote.bid_size
            allowed = Decimal(int(shown * limits.max_displayed_frac))
            found.append((f"displayed size of {leg.instrument.key}", Decimal(leg.ratio * intent.quantity), allowed))
            if adds:
                borne = _borne_by_open_interest(leg, scene)
                if borne is None:
                    note = f"the broker has not told the open interest of {leg.instrument.key} today"
                    return Checked.failed(rule=self.rule, note=note)
                found.append((f"open interest of {leg.instrument.key}", Decimal(leg.ratio * intent.quantity), borne))
        name, size, limit = min(found, key=lambda row: (row[2] - row[1]) / row[1])
        return Checked.at_most(rule=self.rule, found=size, limit=limit, note=name, size_can_cure=True)


def _borne_by_open_interest(leg: Leg, scene: Scene) -> Decimal | None:
    """How many contracts of a leg an order may have beside those that are open; None where that was not told today."""
    told = scene.snapshot.open_interest.get(leg.instrument.key)
    if told is None or told.told_on != scene.today:
        return None
    return Decimal(int(told.contracts * Decimal(repr(scene.limits.max_open_interest_frac))))
