"""A what-if: what an order would cost and how the account would stand after it, without placing it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from bot.domain.instrument import Instrument
from simulator.account import Account, gross_usd
from simulator.fees import FeeModel
from simulator.margin import RiskOf, margin_of
from simulator.orders.view import Quotes, taking_side
from simulator.requirement import risk_from
from simulator.venue import AccountChanged, Preview, VenueOrder

_CENT: Final = Decimal("0.01")


def preview_of(
    order: VenueOrder,
    *,
    account: Account,
    before: AccountChanged,
    fees: FeeModel,
    quotes: Quotes,
    mark_of: Callable[[Instrument], Decimal],
) -> Preview:
    """Return the account before and after the whole order at present marks.

    Each leg trades at the side it would hit, at its mark where that side is missing; what it pays above the mark and
    the commissions are what net liquidation loses.

    Args:
        order: As it would be placed; its limit plays no part.
        account: What is held now.
        before: The account's present values.
        fees: What executions cost.
        quotes: Present quotes.
        mark_of: Present price of a contract in points.
    """
    held = {instrument: account.quantity(instrument) for instrument in account.instruments}
    marks: dict[Instrument, Decimal] = {instrument: mark_of(instrument) for instrument in held}
    commission = slippage = Decimal(0)
    for leg in order.legs:
        side, count, mark = taking_side(order, leg), order.quantity * leg.ratio, mark_of(leg.instrument)
        quote = quotes(leg.instrument)
        price = (quote.ask if side.sign > 0 else quote.bid) or mark
        marks[leg.instrument] = mark
        held[leg.instrument] = held.get(leg.instrument, 0) + side.sign * count
        commission += fees.charge(leg.instrument, count, price, in_combo=order.is_combo)
        slippage += (price - mark) * side.sign * count * leg.instrument.multiplier
    after = _after(before, held, marks, risk_from(quotes), slippage + commission)
    return Preview(before=before, after=after, commission_usd=commission)


def _after(
    before: AccountChanged,
    held: Mapping[Instrument, int],
    marks: Mapping[Instrument, Decimal],
    risk_of: RiskOf,
    lost_usd: Decimal,
) -> AccountChanged:
    kept = [(key, quantity) for key, quantity in held.items() if quantity]
    margin = margin_of(kept, marks, risk_of)
    return replace(
        before,
        net_liquidation_usd=(before.net_liquidation_usd - lost_usd).quantize(_CENT, ROUND_HALF_EVEN),
        init_margin_usd=margin.initial_usd.quantize(_CENT, ROUND_HALF_EVEN),
        maint_margin_usd=margin.maintenance_usd.quantize(_CENT, ROUND_HALF_EVEN),
        gross_position_usd=gross_usd(kept, marks),
    )
