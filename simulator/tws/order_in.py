"""Reading placeOrder, block by block, to the very end: what is left over means that a block was misread."""

from typing import Final

from simulator.tws import order_fields as form
from simulator.tws.fields import BadFieldError, Cursor
from simulator.tws.order_fields import Block, FieldKind, WireOrder
from simulator.tws.requests import MOST_LEGS, read_contract

PLACE_ORDER: Final = 3
_MOST_PAIRS: Final = 64  # tag values of an algorithm or a route
_MOST_CONDITIONS: Final = 64
_LEG_NAMES: Final = (
    "conId",
    "ratio",
    "action",
    "exchange",
    "openClose",
    "shortSaleSlot",
    "designatedLocation",
    "exemptCode",
)
_PEG_BENCH: Final = frozenset({"PEG BENCH", "PEGBENCH"})
_PEG_BEST: Final = frozenset({"PEG BEST", "PEGBEST"})
_PEG_MID: Final = frozenset({"PEG MID", "PEGMID"})


def read_order(cursor: Cursor, version: int) -> WireOrder:
    """Return an order; the cursor stands behind the message id.

    Raises:
        BadFieldError: A field is missing or unreadable.
    """
    order_id = cursor.integer("orderId")
    contract = read_contract(cursor)
    reader = _OrderReader(cursor, version, {"secIdType": cursor.text("secIdType"), "secId": cursor.text("secId")})
    reader.take(form.IN_MAIN)
    legs, prices, routing = reader.combo() if contract.sec_type == "BAG" else ((), (), ())
    reader.take(form.IN_AFTER_LEGS)
    reader.take_if(form.IN_DELTA_NEUTRAL, present=bool(reader.values["deltaNeutralOrderType"]))
    reader.take(form.IN_SCALE)
    reader.take_if(form.SCALE_DETAILS, present=is_positive(reader.values["scalePriceIncrement"]))
    reader.take(form.IN_HEDGE)
    reader.take_if(form.HEDGE_PARAM, present=bool(reader.values["hedgeType"]))
    reader.take(form.IN_CLEARING)
    under = reader.under_component()
    algo_params = reader.algorithm()
    reader.take(form.IN_OPTIONS)
    reader.take_if(form.PEG_BENCH, present=is_peg_bench(reader.values["orderType"]))
    conditions = reader.conditions()
    reader.take(form.IN_TAIL)
    reader.offsets(contract.exchange)
    return WireOrder(
        order_id=order_id,
        contract=contract,
        values=reader.values,
        legs=legs,
        leg_prices=prices,
        routing=routing,
        algo_params=algo_params,
        conditions=conditions,
        under_component=under,
        surplus=cursor.left,
    )


def is_positive(text: str) -> bool:
    """Return whether a number text is set and above zero."""
    return bool(text) and float(text) > 0


def is_peg_bench(order_type: str) -> bool:
    """Return whether an order type carries the benchmark block."""
    return order_type in _PEG_BENCH


class _OrderReader:
    """A cursor with the values read so far."""

    def __init__(self, cursor: Cursor, version: int, values: dict[str, str]) -> None:
        self._cursor = cursor
        self._version = version
        self.values = values

    def take(self, block: Block) -> None:
        """Read the fields of a block that this version has."""
        cursor = self._cursor
        for field in block:
            if not field.exists_at(self._version):
                continue
            if field.kind is FieldKind.NUMBER:
                self.values[field.name] = cursor.number_text(field.name)
            elif field.kind is FieldKind.FLAG:
                self.values[field.name] = "1" if cursor.flag(field.name) else "0"
            else:
                self.values[field.name] = cursor.text(field.name)

    def take_if(self, block: Block, *, present: bool) -> None:
        """Read a block that is there only sometimes."""
        if present:
            self.take(block)

    def combo(self) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...], tuple[tuple[str, str], ...]]:
        """Read legs, their prices and the routing parameters of a combo."""
        cursor = self._cursor
        legs = tuple(
            tuple(cursor.text(f"leg {name}") for name in _LEG_NAMES)
            for _ in range(cursor.count("number of legs", most=MOST_LEGS))
        )
        prices = tuple(
            cursor.number_text("leg price") for _ in range(cursor.count("number of leg prices", most=MOST_LEGS))
        )
        return legs, prices, self._pairs("routing parameter")

    def under_component(self) -> tuple[str, ...]:
        """Read the delta-neutral contract."""
        if not self._cursor.flag("delta-neutral contract flag"):
            return ()
        return tuple(self._cursor.text(f"delta-neutral {name}") for name in ("conId", "delta", "price"))

    def algorithm(self) -> tuple[tuple[str, str], ...]:
        """Read the algorithm's name, and its parameters where there is one."""
        strategy = self.values["algoStrategy"] = self._cursor.text("algoStrategy")
        return self._pairs("algorithm parameter") if strategy else ()

    def conditions(self) -> tuple[tuple[str, ...], ...]:
        """Read the conditions and what they apply to."""
        cursor = self._cursor
        found = tuple(self._condition() for _ in range(cursor.count("number of conditions", most=_MOST_CONDITIONS)))
        self.take_if(form.CONDITION_RULES, present=bool(found))
        return found

    def offsets(self, exchange: str) -> None:
        """Read the tail that only some order types carry, from version 170 on."""
        if self._version < 170:
            return
        self.take_if(form.MIN_TRADE, present=exchange == "IBKRATS")
        order_type = self.values["orderType"]
        if order_type in _PEG_BEST:
            self.take(form.PEG_BEST)
            self.take_if(form.PEG_MID, present=self.values["competeAgainstBestOffset"] in {"Infinite", "inf"})
        self.take_if(form.PEG_MID, present=order_type in _PEG_MID)

    def _condition(self) -> tuple[str, ...]:
        cursor = self._cursor
        kind = cursor.integer("condition type")
        length = form.CONDITION_LENGTHS.get(kind)
        if length is None:
            known = ", ".join(map(str, form.CONDITION_LENGTHS))
            raise BadFieldError(f"condition type: expected one of {known}, found {kind}")
        return (str(kind), *(cursor.text(f"condition of type {kind}") for _ in range(length)))

    def _pairs(self, name: str) -> tuple[tuple[str, str], ...]:
        cursor = self._cursor
        count = cursor.count(f"number of {name}s", most=_MOST_PAIRS)
        return tuple((cursor.text(f"{name} tag"), cursor.text(f"{name} value")) for _ in range(count))
