"""What a client's contract turned out to be: one listed contract, or a combo of listed legs."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from bot.domain.instrument import Instrument, Side
from simulator.admission import MOST_UNITS
from simulator.listing import ContractQuery, Listing
from simulator.ports import TradingFloor
from simulator.tws.fields import BadFieldError, Cursor, decimal_of
from simulator.tws.order_fields import WireOrder
from simulator.venue import OrderType, Tif, VenueLeg, VenueOrder

COMBO_CON_ID: Final = 28812380
"""The number under which the broker tells every combo (docs/ib/wire.md, section 5.4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """The contract of an order as it is told back."""

    con_id: int
    symbol: str
    sec_type: str
    exchange: str
    currency: str
    listing: Listing | None = None  # None for a combo


@dataclass(frozen=True, slots=True, kw_only=True)
class NotPlaced:
    """Why an order does not even reach the exchange: the broker's code and its kind of words."""

    code: int
    text: str


def resolve(query: ContractQuery, floor: TradingFloor) -> Resolved | NotPlaced:
    """Return the one contract that a query names, or error 200 when it is none or several."""
    if query.sec_type == "BAG":
        return Resolved(
            con_id=COMBO_CON_ID,
            symbol=query.symbol,
            sec_type="BAG",
            exchange=query.exchange or "SMART",
            currency=query.currency or "USD",
        )
    found = floor.matching(query)
    if len(found) != 1:
        which = "No security definition has been found" if not found else "The contract description is ambiguous"
        return NotPlaced(code=200, text=f"{which} for the request")
    return of_listing(found[0], query.exchange)


def of_listing(listing: Listing, exchange: str = "") -> Resolved:
    """Return a listed contract as told with an exchange, its own unless stated."""
    instrument = listing.instrument
    return Resolved(
        con_id=listing.con_id,
        symbol=instrument.symbol,
        sec_type=instrument.kind.value,
        exchange=exchange or instrument.exchange,
        currency=instrument.currency,
        listing=listing,
    )


def venue_order(sent: WireOrder, resolved: Resolved, client_id: int, floor: TradingFloor) -> VenueOrder | NotPlaced:
    """Return the order for the exchange, or why there is none.

    Raises:
        BadFieldError: A number that cannot be read.
    """
    order_type = sent.value("orderType")
    if order_type not in {kind.value for kind in OrderType}:
        return NotPlaced(code=387, text=f"Unsupported order type for this exchange and security type: {order_type}")
    missing = _unsupported(sent)
    if missing:
        return NotPlaced(code=201, text=f"Order rejected - reason: {missing} is not supported by this exchange")
    if sent.value("action") not in {side.value for side in Side}:
        return NotPlaced(code=321, text=f"Error validating request: action {sent.value('action')!r} is not BUY or SELL")
    quantity = decimal_of(sent.value("totalQuantity"), "totalQuantity") or Decimal(0)
    if quantity != quantity.to_integral_value():
        return NotPlaced(code=201, text=f"Order rejected - reason: fractional size {quantity} is not allowed")
    if abs(quantity) > MOST_UNITS:
        return NotPlaced(code=201, text=f"Order rejected - reason: size {quantity:.3g} is above {MOST_UNITS}")
    if sent.value("tif") not in {"", *(each.value for each in Tif)}:
        return NotPlaced(
            code=201, text=f"Order rejected - reason: time in force {sent.value('tif')!r} is not supported"
        )
    legs = _legs(sent, resolved, floor)
    if isinstance(legs, NotPlaced):
        return legs
    return VenueOrder(
        client_id=client_id,
        order_id=sent.order_id,
        order_ref=sent.value("orderRef"),
        account=sent.value("account") or floor.account,
        side=Side(sent.value("action")),
        legs=legs,
        quantity=int(quantity),
        order_type=OrderType(order_type),
        limit=decimal_of(sent.value("lmtPrice"), "lmtPrice") if order_type == OrderType.LIMIT else None,
        tif=Tif(sent.value("tif") or "DAY"),
    )


def _unsupported(sent: WireOrder) -> str:
    """Return the first attribute that would change how the order trades and that this exchange does not know."""
    present = {
        "an untransmitted order (transmit)": sent.value("transmit") == "0",
        "an attached order (parentId)": sent.value("parentId") not in {"", "0"},
        "a one-cancels-all group (ocaGroup)": bool(sent.value("ocaGroup")),
        "an all-or-none order (allOrNone)": sent.value("allOrNone") == "1",
        "a minimum quantity (minQty)": sent.value("minQty") not in {"", "0"},
        "a condition": bool(sent.conditions),
        "a price for each leg": any(sent.leg_prices),
        "a start time (goodAfterTime)": bool(sent.value("goodAfterTime")),
    }
    return next((name for name, is_present in present.items() if is_present), "")


def _legs(sent: WireOrder, resolved: Resolved, floor: TradingFloor) -> tuple[VenueLeg, ...] | NotPlaced:
    if resolved.listing is not None:
        return (VenueLeg(instrument=resolved.listing.instrument, side=Side.BUY),)
    legs: list[VenueLeg] = []
    for texts in sent.legs:
        leg = _leg(texts, floor)
        if isinstance(leg, NotPlaced):
            return leg
        legs.append(leg)
    if not legs:
        return NotPlaced(code=321, text="Error validating request: a combo needs legs")
    return tuple(legs)


def _leg(texts: tuple[str, ...], floor: TradingFloor) -> VenueLeg | NotPlaced:
    cursor = Cursor(texts)
    con_id, ratio, action = cursor.integer("leg conId"), cursor.integer("leg ratio"), cursor.text("leg action")
    if action not in {side.value for side in Side}:
        raise BadFieldError(f"leg action: expected BUY or SELL, found {action[:40]!r}")
    instrument = _leg_instrument(con_id, floor)
    if instrument is None:
        return NotPlaced(code=200, text=f"No security definition has been found for the leg with conId {con_id}")
    return VenueLeg(instrument=instrument, side=Side(action), ratio=ratio)


def _leg_instrument(con_id: int, floor: TradingFloor) -> Instrument | None:
    found = floor.matching(ContractQuery(con_id=con_id)) if con_id > 0 else ()
    return found[0].instrument if found else None
