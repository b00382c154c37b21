"""Reading placeOrder to the very end: what is left over means that a block was misread; and writing one back."""

from typing import Any, Final

from simulator.tws.fields import Cursor
from simulator.tws.layout import read_plan, write_plan
from simulator.tws.order_fields import PLACE_ORDER, WireOrder

PLACE_ORDER_ID: Final = 3
_GROUPS: Final = {
    "legs": "legs",
    "leg prices": "leg_prices",
    "routing": "routing",
    "algorithm parameters": "algo_params",
    "conditions": "conditions",
    "delta-neutral contract": "under_component",
}
"""The blocks of an order that are no single field, by their name in the plan."""


def read_order(cursor: Cursor, version: int) -> WireOrder:
    """Return an order; the cursor stands behind the message id.

    Raises:
        BadFieldError: A field is missing or unreadable.
    """
    values = read_plan(PLACE_ORDER, cursor, version)
    order_id, contract = values.pop("orderId"), values.pop("contract")
    groups = {attribute: values.pop(name) for name, attribute in _GROUPS.items() if name in values}
    return WireOrder(order_id=order_id, contract=contract, values=values, surplus=cursor.left, **groups)


def order_texts(sent: WireOrder, version: int) -> list[str]:
    """Return the fields of placeOrder as a client writes them, the message id first."""
    texts = [str(PLACE_ORDER_ID)]
    values = {**values_of(sent), "orderId": sent.order_id, "contract": sent.contract}
    write_plan(PLACE_ORDER, values, texts, version)
    return texts


def values_of(sent: WireOrder) -> dict[str, Any]:
    """Return all values of an order by their names in the plans."""
    return {**sent.values, **{name: getattr(sent, attribute) for name, attribute in _GROUPS.items()}}
