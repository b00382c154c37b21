"""What is held in each part of the book and what one contract of it is worth; the report compares variants by it."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.expiries import has_settled
from bot.domain.instrument import Instrument, InstrumentKey
from bot.domain.layer import Layer
from bot.domain.parts import Part, part_of_class
from bot.domain.portfolio import Book
from bot.domain.snapshot import Snapshot
from bot.valuation import Unvalued, Valuer


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """Contracts of one kind in one part.

    Attributes:
        quantity: Signed, never 0.
        each_usd: What one contract is worth at the middle of its quote, USD; of a future its price times multiplier.
            None without a good quote.
    """

    quantity: int
    each_usd: float | None


Holdings = Mapping[Part, Mapping[InstrumentKey, Holding]]
"""All three parts, also those that hold nothing."""


def holdings_of(snapshot: Snapshot, valuer: Valuer) -> Holdings:
    """Return what the book of a snapshot holds, part by part.

    The overlay is what its lots have left, the base whatever else of the hedge is held: each contract counts once. A
    contract that has settled is gone, though the broker may still list it: nothing of it is quoted any more.

    Source: docs/methodology.md, M15.
    """
    book = snapshot.book
    contracts: dict[InstrumentKey, Instrument] = {key: held.instrument for key, held in book.positions.items()}
    held: dict[Part, dict[InstrumentKey, int]] = {part: defaultdict(int) for part in Part}
    for key, position in book.positions.items():
        part = part_of_class(position.instrument.trading_class)
        if part is not None:
            held[part][key] += position.quantity
    for key, quantity in _in_overlay(book, contracts).items():
        held[Part.OVERLAY][key] += quantity
        held[Part.BASE][key] -= quantity
    return {
        part: {
            key: Holding(quantity=quantity, each_usd=_each_usd(contracts[key], valuer))
            for key, quantity in sorted(quantities.items())
            if quantity and not has_settled(contracts[key], snapshot.now)
        }
        for part, quantities in held.items()
    }


def _in_overlay(book: Book, contracts: dict[InstrumentKey, Instrument]) -> dict[InstrumentKey, int]:
    """Contracts of the overlay's lots, signed; those that are not among the contracts yet are added to them."""
    quantities: dict[InstrumentKey, int] = defaultdict(int)
    for lot in book.lots:
        if lot.layer is not Layer.OVERLAY:
            continue
        for leg in lot.legs:
            contracts.setdefault(leg.instrument.key, leg.instrument)
            quantities[leg.instrument.key] += lot.units_open * leg.signed_ratio
    return quantities


def _each_usd(instrument: Instrument, valuer: Valuer) -> float | None:
    quote = valuer.quote(instrument, may_be_unbid=True)
    return None if isinstance(quote, Unvalued) else round(quote.mid * instrument.multiplier, 2)
