"""Contracts per leg or shares, value, displayed size and open interest (C8, C9, C13)."""

from dataclasses import dataclass
from decimal import Decimal

from bot.domain.decision import Checked, Rule
from bot.domain.instrument import InstrumentKey, Side
from bot.domain.orders import OrderIntent
from bot.valuation import Unvalued
from risk.scene import Scene

Row = tuple[str, str, Decimal, Decimal]
"""What is limited, of which contract (empty: of the order), its size, and its limit."""


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
        limits, is_share = scene.limits, intent.is_share
        contracts = Decimal(max([leg.ratio for leg in intent.legs]) * intent.quantity)
        found: list[Row] = [
            ("shares", "", contracts, Decimal(limits.max_shares_per_order))
            if is_share
            else ("contracts per leg", "", contracts, Decimal(limits.max_contracts_per_leg)),
            ("value in USD", "", abs(intent.limit) * intent.multiplier * intent.quantity, limits.max_order_value_usd),
        ]
        adds = not is_share and not scene.closes_only(intent)
        quotes = scene.quotes(intent)
        for at, leg in enumerate(intent.legs):
            key, quote = leg.instrument.key, quotes[at]
            if isinstance(quote, Unvalued):
                return Checked.failed(rule=self.rule, note=f"no displayed size: {quote.reason}")
            shown = quote.ask_size if leg.side is Side.BUY else quote.bid_size
            name, most = "displayed size of ", int(shown * limits.max_displayed_frac)
            if adds:
                borne = scene.once(_borne_by_open_interest, key)
                if borne is None:
                    note = f"the broker has not told the open interest of {key} today"
                    return Checked.failed(rule=self.rule, note=note)
                if borne < most:  # of equals the displayed size is told
                    name, most = "open interest of ", borne
            found.append((name, key, Decimal(leg.ratio * intent.quantity), Decimal(most)))
        name, contract, ordered, allowed = min(found, key=_times)
        return Checked.at_most(
            rule=self.rule, found=ordered, limit=allowed, note=f"{name}{contract}", size_can_cure=True
        )


def _times(row: Row) -> Decimal:
    """How many times as large the order might be by one of its limits."""
    _, _, size, limit = row
    return limit / size


def _borne_by_open_interest(key: InstrumentKey, scene: Scene) -> int | None:
    """How many contracts an order may have beside those that are open; None where that was not told today."""
    told = scene.snapshot.open_interest.get(key)
    if told is None or told.told_on != scene.today:
        return None
    return int(told.contracts * Decimal(repr(scene.limits.max_open_interest_frac)))
