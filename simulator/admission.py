"""Whether the exchange takes an order: one small rule per reason, each answering with the broker's kind of text."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from bot.domain.instrument import Instrument
from simulator.orders.caps import is_beyond_band
from simulator.orders.combo_rules import refused_combo
from simulator.orders.rejection import BEYOND_BAND, CHANGE_DOES_NOT_MATCH, NO_DEFINITION, Rejection
from simulator.orders.type_rules import off_tick, refused_type
from simulator.orders.view import Venue
from simulator.venue import AccountChanged, VenueOrder

DUPLICATE_ID: Final = 103
"""The broker's code for an id that was used before."""

ACCOUNT_CURRENCY: Final = "USD"
MOST_UNITS: Final = 1_000_000
"""No order here is larger; it keeps every amount within exact arithmetic."""
MOST_RATIO: Final = 1_000

_CHANGEABLE: Final = (
    *("order_ref", "quantity", "order_type", "limit", "tif", "auxiliary", "trail_stop", "trail_pct", "limit_offset"),
    *("cap", "good_till", "good_after", "outside_rth", "all_or_none", "min_quantity", "display_quantity", "transmit"),
    *("leg_prices", "conditions", "conditions_cancel", "conditions_outside_rth", "overrides_constraints"),
    "algo_params",
)
"""What a change of a working order may touch; the rest is another order."""


def refusal_of(
    order: VenueOrder, *, account: str, is_listed: Callable[[Instrument], bool], venue: Venue
) -> Rejection | None:
    """Return the first reason against an order, or None when it is taken.

    Args:
        order: As placed or as changed.
        account: The account of this exchange.
        is_listed: Whether a contract is known and may be ordered.
        venue: The present; an order placed outside trading hours waits for them.
    """
    return (
        _wrong_account(order, account)
        or _unknown_contract(order, is_listed)
        or _foreign_currency(order)
        or _bad_size(order)
        or refused_combo(order)
        or refused_type(order, venue)
        or off_tick(order)
        or _beyond_band(order, venue)
    )


def refusal_of_change(before: VenueOrder, after: VenueOrder, *, filled: int) -> Rejection | None:
    """Return why a working order may not be changed so: contract, side, account, groups and algorithm stay."""
    same = {name: getattr(before, name) for name in _CHANGEABLE}
    if replace(after, **same) != before:
        return Rejection(code=CHANGE_DOES_NOT_MATCH, text="Order being modified does not match original order")
    if 0 < after.quantity < filled:
        return Rejection(text=f"Order size {after.quantity} is below the filled quantity {filled}")
    return None


def refusal_for_margin(before: AccountChanged, after: AccountChanged) -> Rejection | None:
    """Return why an order is too large for the account: its initial margin would exceed net liquidation.

    An order that does not raise the initial margin is always taken: it reduces risk.
    """
    if after.init_margin_usd <= before.init_margin_usd or after.init_margin_usd <= after.net_liquidation_usd:
        return None
    available = before.net_liquidation_usd - before.init_margin_usd
    return Rejection(
        text="Available funds are insufficient for this order: "
        f"available {available:.2f} USD, equity with loan value {after.net_liquidation_usd:.2f} USD, "
        f"initial margin after the order {after.init_margin_usd:.2f} USD"
    )


def _wrong_account(order: VenueOrder, account: str) -> Rejection | None:
    if order.account in {account, ""}:
        return None
    return Rejection(text=f"The account code {order.account} is not valid here, expected {account}")


def _unknown_contract(order: VenueOrder, is_listed: Callable[[Instrument], bool]) -> Rejection | None:
    if not order.legs:
        return Rejection(code=NO_DEFINITION, text="No security definition has been found: an order without legs")
    for leg in order.legs:
        if not is_listed(leg.instrument):
            return Rejection(code=NO_DEFINITION, text=f"No security definition has been found for {leg.instrument.key}")
    return None


def _foreign_currency(order: VenueOrder) -> Rejection | None:
    """Refuse what is paid in another currency: the account keeps its books in one."""
    for leg in order.legs:
        if leg.instrument.currency != ACCOUNT_CURRENCY:
            return Rejection(
                text=f"{leg.instrument.key} is paid in {leg.instrument.currency}, this account deals in "
                f"{ACCOUNT_CURRENCY} only"
            )
    return None


def _bad_size(order: VenueOrder) -> Rejection | None:
    if not 0 < order.quantity <= MOST_UNITS:
        return Rejection(text=f"Order size {order.quantity:.10g} must be above zero and at most {MOST_UNITS}")
    if not all(0 < leg.ratio <= MOST_RATIO for leg in order.legs):
        return Rejection(text=f"Every leg of a combo needs a ratio from 1 to {MOST_RATIO}")
    for name, part in (("Minimum", order.min_quantity), ("Display", order.display_quantity)):
        if not 0 <= part <= order.quantity:
            return Rejection(text=f"{name} quantity {part} must lie between 0 and the order size {order.quantity}")
    return None


def _beyond_band(order: VenueOrder, venue: Venue) -> Rejection | None:
    if order.overrides_constraints or not is_beyond_band(order, venue.quotes):
        return None
    return Rejection(
        code=BEYOND_BAND,
        text=f"Limit price {order.limit} is out of the range that the order precautions allow at the present market",
    )
