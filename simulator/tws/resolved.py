"""What a client's contract turned out to be: one listed contract, or a combo of listed legs."""

from dataclasses import dataclass
from typing import Final

from bot.domain.instrument import Instrument, Side
from simulator.listing import ContractQuery, Listing
from simulator.ports import TradingFloor
from simulator.tws.fields import BadFieldError
from simulator.venue import VenueLeg

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


def legs_of(query: ContractQuery, floor: TradingFloor) -> tuple[VenueLeg, ...] | NotPlaced:
    """Return the legs of a contract as in a BUY: one for a single contract, the combo's own for a BAG.

    Raises:
        BadFieldError: A leg's action is neither BUY nor SELL.
    """
    if query.sec_type != "BAG":
        found = resolve(query, floor)
        return found if isinstance(found, NotPlaced) else single_leg(found)
    legs: list[VenueLeg] = []
    for con_id, ratio, action, _ in query.legs:
        leg = _leg(con_id, ratio, action, floor)
        if isinstance(leg, NotPlaced):
            return leg
        legs.append(leg)
    if not legs:
        return NotPlaced(code=321, text="Error validating request: a combo needs legs")
    return tuple(legs)


def single_leg(resolved: Resolved) -> tuple[VenueLeg, ...]:
    """Return the one leg of a listed contract, none of a combo."""
    return () if resolved.listing is None else (VenueLeg(instrument=resolved.listing.instrument, side=Side.BUY),)


def _leg(con_id: int, ratio: int, action: str, floor: TradingFloor) -> VenueLeg | NotPlaced:
    if action not in {side.value for side in Side}:
        raise BadFieldError(f"leg action: expected BUY or SELL, found {action[:40]!r}")
    instrument = instrument_of(con_id, floor)
    if instrument is None:
        return NotPlaced(code=200, text=f"No security definition has been found for the leg with conId {con_id}")
    return VenueLeg(instrument=instrument, side=Side(action), ratio=ratio)


def instrument_of(con_id: int, floor: TradingFloor) -> Instrument | None:
    """Return the contract that a number names, or None."""
    found = floor.matching(ContractQuery(con_id=con_id)) if con_id > 0 else ()
    return found[0].instrument if found else None
