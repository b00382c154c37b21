"""What happens to orders, in lines for whoever watches the gateway's log."""

from decimal import Decimal

from bot.domain.instrument import Side
from simulator.ports import Heard
from simulator.venue import OrderChanged, OrderType, VenueLeg, VenueOrder


def line_of(event: Heard) -> str | None:
    """Return one line for a change of an order, None for anything else.

    It names client and order id, the order in short, and its standing: what has filled at which average in points, or
    the broker's number and reason of a refusal.
    """
    if not isinstance(event, OrderChanged):
        return None
    order = event.order
    head = f"client {order.client_id} order {order.order_id}: {_in_short(order)}: {event.status.value}"
    filled = f", {event.filled} filled at {_plain(event.average_price)}" if event.filled else ""
    refused = f", {event.code} {event.reason}".rstrip() if event.code or event.reason else ""
    noted = "" if event.warning is None else f", {event.warning[0]} {event.warning[1]}"
    return head + filled + refused + noted


def _in_short(order: VenueOrder) -> str:
    """Return side, size, contracts, type, limit and time in force."""
    contracts = " ".join(_leg(leg, is_alone=not order.is_combo) for leg in order.legs)
    limit = "" if order.limit is None or order.order_type is OrderType.MARKET else f" {_plain(order.limit)}"
    return f"{order.side.value} {order.quantity} {contracts} {order.order_type.value}{limit} {order.tif.value}"


def _leg(leg: VenueLeg, *, is_alone: bool) -> str:
    if is_alone:
        return leg.instrument.key
    return f"{'+' if leg.side is Side.BUY else '-'}{leg.ratio} {leg.instrument.key}"


def _plain(price: Decimal) -> str:
    """Return a price without an exponent, trailing zeros or more than six decimals."""
    return f"{price.quantize(Decimal('0.000001')).normalize():f}"
