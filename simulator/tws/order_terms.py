"""From an order on the wire to an order for the exchange; what the exchange does not simulate is refused by name.

Source: docs/ib/wire.md, section 5.3, and docs/ib/hazards.md, section 2.3.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from bot.domain.instrument import Instrument, Side
from simulator.admission import MOST_UNITS
from simulator.listing import ContractQuery
from simulator.ports import TradingFloor
from simulator.tws.fields import BadFieldError, Cursor, decimal_of
from simulator.tws.moments import moment_of
from simulator.tws.order_fields import WireOrder, is_positive
from simulator.tws.resolved import NotPlaced, Resolved, instrument_of, legs_of, single_leg
from simulator.venue import (
    ChangeCondition,
    Condition,
    ExecutionCondition,
    MarginCondition,
    OcaType,
    OrderType,
    PriceCondition,
    Tif,
    TimeCondition,
    VenueLeg,
    VenueOrder,
    VolumeCondition,
)

ORDER_TYPES: Final = {
    **{kind.value: kind for kind in OrderType},
    "STPLMT": OrderType.STOP_LIMIT,
    "PEGMID": OrderType.PEG_MID,
    "TRAILLMT": OrderType.TRAIL_LIMIT,
}
ALGORITHMS: Final = frozenset({"adaptive", "vwap", "twap"})
_LIMITED: Final = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.LIMIT_ON_CLOSE, OrderType.TRAIL_LIMIT})
_CAPPED: Final = frozenset({OrderType.MIDPRICE, OrderType.RELATIVE, OrderType.PEG_MID})
_WITH_AUXILIARY: Final = frozenset(
    {
        *(OrderType.STOP, OrderType.STOP_LIMIT, OrderType.RELATIVE, OrderType.PEG_MID),
        *(OrderType.TRAIL, OrderType.TRAIL_LIMIT),
    }
)
_TRAILING: Final = frozenset({OrderType.TRAIL, OrderType.TRAIL_LIMIT})
_REJECTED: Final = 201
_MALFORMED: Final = 321
_UNSUPPORTED_TYPE: Final = 387


def query_of(sent: WireOrder) -> ContractQuery:
    """Return an order's contract with its security id and, for a combo, its legs.

    Raises:
        BadFieldError: A leg that cannot be read.
    """
    return replace(
        sent.contract,
        sec_id_type=sent.value("secIdType"),
        sec_id=sent.value("secId"),
        legs=tuple(map(_short_leg, sent.legs)),
    )


def venue_order(sent: WireOrder, resolved: Resolved, client_id: int, floor: TradingFloor) -> VenueOrder | NotPlaced:
    """Return the order for the exchange, or why there is none.

    Raises:
        BadFieldError: A field that cannot be read.
    """
    objection = _unsupported(sent) or _malformed(sent)
    if objection is not None:
        return objection
    legs = single_leg(resolved) or legs_of(query_of(sent), floor)
    if isinstance(legs, NotPlaced):
        return legs
    conditions = _conditions(sent, floor)
    if isinstance(conditions, NotPlaced):
        return conditions
    return VenueOrder(
        client_id=client_id,
        order_id=sent.order_id,
        order_ref=sent.value("orderRef"),
        account=sent.value("account") or floor.account,
        side=Side(sent.value("action")),
        legs=legs,
        quantity=_whole(sent, "totalQuantity"),
        exchange=resolved.exchange,
        conditions=conditions,
        **_prices(sent, legs),
        **_timing(sent),
        **_sizes(sent),
        **_group(sent),
        **_combo(sent, legs),
    )


# What is refused


def _unsupported(sent: WireOrder) -> NotPlaced | None:
    """Refuse what would change how an order trades and is not simulated."""
    text = sent.value("orderType")
    if text not in ORDER_TYPES:
        return NotPlaced(
            code=_UNSUPPORTED_TYPE, text=f"Unsupported order type for this exchange and security type: {text}"
        )
    if sent.value("tif").upper() not in {"", *(each.value for each in Tif)}:
        return _refused(f"time in force (tif) {sent.value('tif')!r}")
    found = next((name for name, is_meant in _NOT_SIMULATED.items() if is_meant(sent)), None)
    return None if found is None else _refused(found)


def _refused(what: str) -> NotPlaced:
    return NotPlaced(code=_REJECTED, text=f"Order rejected - reason: {what} is not simulated by this exchange")


def _stated(name: str) -> Callable[[WireOrder], bool]:
    return lambda sent: bool(sent.value(name))


def _above_zero(name: str) -> Callable[[WireOrder], bool]:
    return lambda sent: is_positive(sent.value(name))


def _set(name: str) -> Callable[[WireOrder], bool]:
    return lambda sent: sent.value(name) == "1"


_NOT_SIMULATED: Final[dict[str, Callable[[WireOrder], bool]]] = {
    "a scale order (scaleInitLevelSize)": _above_zero("scaleInitLevelSize"),
    "a scale order (scalePriceIncrement)": _above_zero("scalePriceIncrement"),
    "a scale table (scaleTable)": _stated("scaleTable"),
    "a hedge (hedgeType)": _stated("hedgeType"),
    "an adjusted order (adjustedOrderType)": _stated("adjustedOrderType"),
    "a delta-neutral order (deltaNeutralOrderType)": lambda sent: (
        sent.value("deltaNeutralOrderType") not in {"", "None"}
    ),
    "a delta-neutral contract (deltaNeutralContract)": lambda sent: bool(sent.under_component),
    "an advisor's allocation (faGroup)": _stated("faGroup"),
    "an advisor's allocation (faProfile)": _stated("faProfile"),
    "an amount of cash (cashQty)": _above_zero("cashQty"),
    "a discretionary amount (discretionaryAmt)": _above_zero("discretionaryAmt"),
    "an offset in percent (percentOffset)": _above_zero("percentOffset"),
    "a hidden order (hidden)": _set("hidden"),
    "a sweep (sweepToFill)": _set("sweepToFill"),
    "a duration (duration)": _above_zero("duration"),
    "an algorithm (algoStrategy) other than Adaptive, Vwap and Twap": lambda sent: (
        sent.value("algoStrategy").lower() not in {"", *ALGORITHMS}
    ),
}
"""Attributes by the words of their refusal."""


def _malformed(sent: WireOrder) -> NotPlaced | None:
    if sent.value("action") not in {side.value for side in Side}:
        return _invalid(f"action {sent.value('action')[:40]!r} is not BUY or SELL")
    quantity = decimal_of(sent.value("totalQuantity"), "totalQuantity") or Decimal(0)
    if quantity != quantity.to_integral_value():
        return NotPlaced(code=_REJECTED, text=f"Order rejected - reason: fractional size {quantity} is not allowed")
    if abs(quantity) > MOST_UNITS:
        return NotPlaced(code=_REJECTED, text=f"Order rejected - reason: size {quantity:.3g} is above {MOST_UNITS}")
    if sent.value("tif").upper() == Tif.GTD and not sent.value("goodTillDate"):
        return _invalid("an order that is good till a date needs goodTillDate")
    if sent.value("ocaType") not in {"", *(str(each.value) for each in OcaType)}:
        return _invalid(f"ocaType {sent.value('ocaType')} is not 0 to 3")
    return None


def _invalid(text: str) -> NotPlaced:
    return NotPlaced(code=_MALFORMED, text=f"Error validating request: {text}")


# What is taken over


def _prices(sent: WireOrder, legs: tuple[VenueLeg, ...]) -> dict[str, Any]:
    kind = ORDER_TYPES[sent.value("orderType")]
    limit, auxiliary = _price(sent, "lmtPrice"), _price(sent, "auxPrice")
    if limit is None:
        limit = _net_of_legs(sent, legs)
    return {
        "order_type": kind,
        "limit": limit if kind in _LIMITED else None,
        "cap": (limit or None) if kind in _CAPPED else None,
        "auxiliary": _auxiliary(kind, auxiliary),
        "trail_stop": _price(sent, "trailStopPrice") if kind in _TRAILING else None,
        "trail_pct": _price(sent, "trailingPercent") if kind in _TRAILING else None,
        "limit_offset": _price(sent, "lmtPriceOffset") if kind is OrderType.TRAIL_LIMIT else None,
        "overrides_constraints": sent.value("overridePercentageConstraints") == "1",
    }


def _auxiliary(kind: OrderType, price: Decimal | None) -> Decimal | None:
    """Return the auxiliary price of a type that has one; an amount of nothing to trail by is none."""
    if kind not in _WITH_AUXILIARY or (kind in _TRAILING and not price):
        return None
    return price


def _timing(sent: WireOrder) -> dict[str, Any]:
    return {
        "tif": Tif(sent.value("tif").upper() or "DAY"),
        "good_till": _moment(sent, "goodTillDate"),
        "good_after": _moment(sent, "goodAfterTime"),
        "outside_rth": sent.value("outsideRth") == "1",
        "conditions_cancel": sent.value("conditionsCancelOrder") == "1",
        "conditions_outside_rth": sent.value("conditionsIgnoreRth") == "1",
    }


def _sizes(sent: WireOrder) -> dict[str, Any]:
    return {
        "all_or_none": sent.value("allOrNone") == "1",
        "min_quantity": _whole(sent, "minQty"),
        "display_quantity": _whole(sent, "displaySize"),
    }


def _group(sent: WireOrder) -> dict[str, Any]:
    """Return the group; one without a stated type cancels the others."""
    group, kind = sent.value("ocaGroup"), int(sent.value("ocaType") or 0)
    return {
        "oca_group": group,
        "oca_type": OcaType(kind or OcaType.CANCEL_WITH_BLOCK) if group else OcaType.NONE,
        "parent_id": _whole(sent, "parentId"),
        "transmit": sent.value("transmit") != "0",
        "algo": sent.value("algoStrategy"),
        "algo_params": tuple((tag, value) for tag, value in sent.algo_params),
    }


def _net_of_legs(sent: WireOrder, legs: tuple[VenueLeg, ...]) -> Decimal | None:
    """Return the limit of a combo that states a price for each leg instead: their net, bought legs less sold ones."""
    stated = _stated_leg_prices(sent)
    if not stated or len(stated) != len(legs):
        return None
    net = Decimal(0)
    for price, leg in zip(stated, legs, strict=True):
        if price is None:
            return None
        net += price * leg.ratio * leg.side.sign
    return net


def _stated_leg_prices(sent: WireOrder) -> tuple[Decimal | None, ...]:
    return tuple(decimal_of(text, "leg price") for text in sent.leg_prices)


def _combo(sent: WireOrder, legs: tuple[VenueLeg, ...]) -> dict[str, Any]:
    stated = _stated_leg_prices(sent)
    has_prices = any(price is not None for price in stated)
    prices = (*stated, *(None,) * len(legs))[: len(legs)] if has_prices else ()
    routing = {pair[0]: pair[1] for pair in sent.routing}
    return {"leg_prices": prices, "non_guaranteed": routing.get("NonGuaranteed") == "1"}


def _conditions(sent: WireOrder, floor: TradingFloor) -> tuple[Condition, ...] | NotPlaced:
    """Return the conditions in their order, or error 200 for a contract that is not listed."""
    found: list[Condition] = []
    for texts in sent.conditions:
        condition = _condition(texts, floor)
        if isinstance(condition, NotPlaced):
            return condition
        found.append(condition)
    return tuple(found)


def _condition(texts: tuple[str, ...], floor: TradingFloor) -> Condition | NotPlaced:
    cursor = Cursor(texts)
    kind, joins_by_and = cursor.integer("condition type"), _joins_by_and(cursor)
    if kind == 5:
        sec_type, _, symbol = (cursor.text(f"condition {name}") for name in ("secType", "exchange", "symbol"))
        return ExecutionCondition(symbol=symbol, sec_type=sec_type, joins_by_and=joins_by_and)
    is_more = cursor.flag("condition isMore")
    if kind == 3:
        text = cursor.text("condition time")
        return TimeCondition(is_more=is_more, at=_moment_in(text, "condition time"), joins_by_and=joins_by_and)
    if kind == 4:
        return MarginCondition(is_more=is_more, percent=cursor.integer("percent"), joins_by_and=joins_by_and)
    value, con_id = cursor.number_text("condition value"), cursor.integer("condition conId")
    instrument = instrument_of(con_id, floor)
    if instrument is None:
        return NotPlaced(code=200, text=f"No security definition has been found for the condition's conId {con_id}")
    return _of_contract(kind, instrument, value, is_more=is_more, joins_by_and=joins_by_and)


def _of_contract(kind: int, instrument: Instrument, value: str, *, is_more: bool, joins_by_and: bool) -> Condition:
    """Return a condition about a contract: 1 its price, 6 its volume, 7 its change."""
    number = decimal_of(value, "condition value") or Decimal(0)
    if kind == 1:
        return PriceCondition(instrument=instrument, is_more=is_more, price=number, joins_by_and=joins_by_and)
    if kind == 7:
        return ChangeCondition(instrument=instrument, is_more=is_more, percent=number, joins_by_and=joins_by_and)
    volume = Cursor((value,)).integer("condition volume")
    return VolumeCondition(instrument=instrument, is_more=is_more, volume=volume, joins_by_and=joins_by_and)


# Single fields


def _joins_by_and(cursor: Cursor) -> bool:
    text = cursor.text("conjunction")
    if text not in {"a", "o", ""}:
        raise BadFieldError(f"conjunction: expected a or o, found {text[:40]!r}")
    return text != "o"


def _short_leg(texts: tuple[str, ...]) -> tuple[int, int, str, str]:
    cursor = Cursor(texts)
    return (
        cursor.integer("leg conId"),
        cursor.integer("leg ratio"),
        cursor.text("leg action"),
        cursor.text("leg exchange"),
    )


def _price(sent: WireOrder, name: str) -> Decimal | None:
    return decimal_of(sent.value(name), name)


def _whole(sent: WireOrder, name: str) -> int:
    return Cursor((sent.value(name),)).integer(name)


def _moment(sent: WireOrder, name: str) -> datetime | None:
    text = sent.value(name)
    return _moment_in(text, name) if text.strip() else None


def _moment_in(text: str, name: str) -> datetime:
    moment = moment_of(text)
    if moment is None:
        raise BadFieldError(f"{name}: expected YYYYMMDD HH:MM:SS and a zone, found {text[:40]!r}")
    return moment.astimezone(UTC)
