"""Recognises iron condors among SPX option positions, and says what they can lose (M8)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from bot.domain.instrument import Instrument, Kind, Right
from bot.domain.portfolio import Condor, Position

CONDOR_CLASSES = frozenset({"SPX", "SPXW"})
MULTIPLIER = 100
"""USD per point of SPX options."""

Run = tuple[Instrument, int]
"""A contract and how many of it are left to match, always positive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CondorBook:
    """The condors found, and the SPX option positions that fit nowhere and lock the sizing."""

    condors: tuple[Condor, ...]
    unmatched: tuple[Position, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spread:
    """``count`` vertical spreads with the short leg nearer to the money."""

    long: Instrument
    short: Instrument
    count: int


def recognise_condors(positions: Iterable[Position]) -> CondorBook:
    """Match long put < short put < short call < long call in equal counts, class by class and expiry by expiry.

    Spreads are formed from the inside out: the short put with the highest strike goes with the highest long put
    below it, the short call with the lowest strike with the lowest long call above it. AM and PM settlement are never
    mixed because the class is part of the group.

    Source: docs/methodology.md, M8.
    """
    groups: dict[tuple[str, date], list[Position]] = defaultdict(list)
    for position in positions:
        instrument = position.instrument
        if instrument.kind is Kind.OPTION and instrument.trading_class in CONDOR_CLASSES and instrument.settlement:
            groups[instrument.trading_class, instrument.settlement].append(position)
    condors: list[Condor] = []
    unmatched: list[Position] = []
    for group in sorted(groups):
        found, left = _recognise_group(groups[group])
        condors += found
        unmatched += left
    return CondorBook(condors=tuple(condors), unmatched=tuple(unmatched))


def _recognise_group(positions: Sequence[Position]) -> tuple[list[Condor], list[Position]]:
    """Match one class and expiry."""
    put_spreads, put_left = _spreads(positions, Right.PUT)
    call_spreads, call_left = _spreads(positions, Right.CALL)
    condors: list[Condor] = []
    left = put_left + call_left
    while put_spreads and call_spreads:
        puts, calls = put_spreads[0], call_spreads[0]
        if not _strike(puts.short) < _strike(calls.short):
            break
        count = min(puts.count, calls.count)
        condors.append(
            Condor(long_put=puts.long, short_put=puts.short, short_call=calls.short, long_call=calls.long, count=count)
        )
        _take(put_spreads, count)
        _take(call_spreads, count)
    for spread in put_spreads + call_spreads:
        left.append(Position(instrument=spread.long, quantity=spread.count))
        left.append(Position(instrument=spread.short, quantity=-spread.count))
    return condors, left


def _take(spreads: list[_Spread], count: int) -> None:
    """Take ``count`` from the first spread and drop it when it is used up."""
    first = spreads.pop(0)
    if first.count > count:
        spreads.insert(0, _Spread(long=first.long, short=first.short, count=first.count - count))


def _spreads(positions: Sequence[Position], right: Right) -> tuple[list[_Spread], list[Position]]:
    """Pair short with long contracts of one right, inner strikes first; what has no partner is left."""
    inward = -1 if right is Right.PUT else 1
    ordered = sorted(
        (position for position in positions if position.instrument.right is right),
        key=lambda position: inward * _strike(position.instrument),
    )
    shorts: list[Run] = [(p.instrument, -p.quantity) for p in ordered if p.quantity < 0]
    longs: list[Run] = [(p.instrument, p.quantity) for p in ordered if p.quantity > 0]
    spreads: list[_Spread] = []
    left: list[Position] = []
    for short, quantity in shorts:
        needed = quantity
        while needed and longs:
            long, available = longs[0]
            if inward * _strike(long) <= inward * _strike(short):
                left.append(Position(instrument=long, quantity=available))
                longs.pop(0)
                continue
            count = min(needed, available)
            spreads.append(_Spread(long=long, short=short, count=count))
            needed -= count
            longs[0] = (long, available - count)
            if available == count:
                longs.pop(0)
        if needed:
            left.append(Position(instrument=short, quantity=-needed))
    left += [Position(instrument=long, quantity=available) for long, available in longs]
    return spreads, left


def _strike(instrument: Instrument) -> Decimal:
    """The strike of an option; options always carry one."""
    return instrument.strike if instrument.strike is not None else Decimal(0)


def largest_loss_usd(condors: Iterable[Condor], credit_usd: Decimal) -> Decimal:
    """Return what condors can lose at most: each the wider of its wings, less the credit; never below zero, USD.

    Source: docs/methodology.md, M8.
    """
    gross = sum((condor.widest_wing_points * condor.count * MULTIPLIER for condor in condors), Decimal(0))
    return max(Decimal(0), gross - credit_usd)
