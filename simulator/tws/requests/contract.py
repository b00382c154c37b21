"""The contract fields of a request, both ways, and the legs and the delta-neutral contract that may follow them.

Source: docs/ib/wire.md, section 3.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final

from simulator.listing import ContractQuery
from simulator.tws.fields import BadFieldError, Cursor
from simulator.tws.framing import text_of
from simulator.tws.layout import Counted, Flagged, Record, Texts, When

MOST_LEGS: Final = 32
"""More legs than any exchange takes; it bounds what a wrong count can ask for."""


@dataclass(frozen=True, slots=True)
class ContractCodec:
    """The twelve contract fields, conId to tradingClass."""

    def read(self, cursor: Cursor, name: str, version: int) -> ContractQuery:  # noqa: ARG002 - the same in every version
        """Return what the client says of a contract."""
        return ContractQuery(
            con_id=cursor.integer("conId"),
            symbol=cursor.text("symbol"),
            sec_type=cursor.text("secType"),
            expiry=cursor.text("lastTradeDateOrContractMonth")[:8],
            strike=cursor.real("strike"),
            right=right_of(cursor.text("right")),
            multiplier=cursor.text("multiplier"),
            exchange=cursor.text("exchange"),
            primary_exchange=cursor.text("primaryExchange"),
            currency=cursor.text("currency"),
            local_symbol=cursor.text("localSymbol"),
            trading_class=cursor.text("tradingClass"),
        )

    def write(self, value: ContractQuery, texts: list[str], version: int) -> None:  # noqa: ARG002 - the same in every version
        """Append the twelve fields."""
        texts += [str(value.con_id), value.symbol, value.sec_type, value.expiry, text_of(value.strike), value.right]
        texts += [value.multiplier, value.exchange, value.primary_exchange, value.currency]
        texts += [value.local_symbol, value.trading_class]


def right_of(text: str) -> str:
    """Return C, P or nothing; ``?`` and ``0`` mean none.

    Raises:
        BadFieldError: Anything else.
    """
    first = text[:1].upper()
    if first in {"C", "P"}:
        return first
    if first in {"", "?", "0"}:
        return ""
    raise BadFieldError(f"right: expected C, P or nothing, found {text[:40]!r}")


def is_combo(values: Mapping[str, Any]) -> bool:
    """Return whether the contract read so far is a combo, whose legs follow."""
    query: ContractQuery = values["contract"]
    return query.sec_type == "BAG"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortLeg:
    """A leg of a combo outside orders."""

    con_id: int
    ratio: int
    action: str
    exchange: str


Contract = Annotated[ContractQuery, ContractCodec()]

ShortLegs = Annotated[tuple[ShortLeg, ...], Counted(Record(ShortLeg), most=MOST_LEGS), When(is_combo)]

DeltaNeutral = Annotated[tuple[str, ...], Flagged(Texts(("conId", "delta", "price")))]


def contract_of(contract: ContractQuery, legs: tuple[ShortLeg, ...]) -> ContractQuery:
    """Return a contract with its legs."""
    return replace(contract, legs=tuple((leg.con_id, leg.ratio, leg.action, leg.exchange) for leg in legs))
