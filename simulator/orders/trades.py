"""From a match to executions: legs trade first, and whole units of a combo are made of what its legs traded."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from bot.domain.instrument import Instrument, Side
from simulator.fills import Match
from simulator.orders.lots import Lots
from simulator.orders.view import taking_side
from simulator.orders.working import Working
from simulator.venue import Executed, VenueLeg


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One trade of an order: the order after it, and the executions that tell it."""

    after: Working
    executed: tuple[Executed, ...]


def traded(before: Working, match: Match, at: datetime, number: int) -> Trade:
    """Carry out a match.

    Returns:
        For a single contract one execution; for a combo the net of the whole units that are complete now (when there
        are any) and one execution for each leg that traded. The legs' prices add up to the net.
    """
    legs = before.order.legs
    grown = tuple(
        lots.plus(count, price) for lots, count, price in zip(before.lots, match.counts, match.prices, strict=True)
    )
    whole = min(lots.traded // leg.ratio for lots, leg in zip(grown, legs, strict=True))
    units = whole - before.filled
    kept, net = _whole_units(grown, legs, units)
    after = replace(
        before,
        lots=kept,
        filled=whole,
        paid=before.paid + net,
        last=net / units if units else before.last,
    )
    return Trade(after=after, executed=_executions(after, match, units, at, number))


def _whole_units(lots: Sequence[Lots], legs: Sequence[VenueLeg], units: int) -> tuple[tuple[Lots, ...], Decimal]:
    """Return the lots without what completes ``units`` units, and the sum of net price times units."""
    kept, net = [], Decimal(0)
    for each, leg in zip(lots, legs, strict=True):
        rest, worth = each.taken(units * leg.ratio)
        kept.append(rest)
        net += worth * leg.side.sign
    return tuple(kept), net


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    instrument: Instrument | None
    side: Side
    quantity: int
    price: Decimal
    cumulative: int
    paid: Decimal


def _executions(after: Working, match: Match, units: int, at: datetime, number: int) -> tuple[Executed, ...]:
    order = after.order
    return tuple(
        Executed(
            order=order,
            perm_id=after.perm_id,
            exec_id=f"{at:%Y%m%d}.{number:08x}.{part:02d}.01",
            instrument=row.instrument,
            is_leg=order.is_combo and row.instrument is not None,
            side=row.side,
            quantity=row.quantity,
            price=row.price,
            cumulative=row.cumulative,
            average_price=row.paid / row.cumulative,
            at=at,
        )
        for part, row in enumerate(_rows(after, match, units), start=1)
    )


def _rows(after: Working, match: Match, units: int) -> list[_Row]:
    """Return what traded: a combo's whole units first, then its legs."""
    order, rows = after.order, []
    if order.is_combo and units:
        rows.append(
            _Row(
                instrument=None,
                side=order.side,
                quantity=units,
                price=after.last,
                cumulative=after.filled,
                paid=after.paid,
            )
        )
    for leg, lots, count, price in zip(order.legs, after.lots, match.counts, match.prices, strict=True):
        if count:
            side = taking_side(order, leg)
            rows.append(
                _Row(
                    instrument=leg.instrument,
                    side=side,
                    quantity=count,
                    price=price,
                    cumulative=lots.traded,
                    paid=lots.paid,
                )
            )
    return rows
