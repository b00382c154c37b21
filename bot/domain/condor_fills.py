"""What the account's executions did to the condors of one class and expiry: opened, closed, or moved a wing (M8, M9).

How it works: the executions are taken order by order. An order after which more contracts are held short than before
opens; one after which as many are held short moves a wing; every other one closes. What always holds: the order in
which executions are told, and telling one twice, changes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final

from bot.domain.condors import CONDOR_CLASSES, recognise_condors
from bot.domain.fees import FeeSchedule
from bot.domain.instrument import Instrument, InstrumentKey, Kind, Right
from bot.domain.ledger import trade_date
from bot.domain.orders import Fill
from bot.domain.portfolio import Condor, Position

NOTHING: Final = Decimal(0)

Held = Mapping[InstrumentKey, int]
"""Signed contracts by name."""
Own = tuple[Fill, Instrument]
"""An execution with the contract that it moved."""
Group = tuple[str, date]
"""Class and settlement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Executions:
    """The account's executions and what they cost; ``before`` is what was held when they began to be counted."""

    fills: tuple[Fill, ...] = ()
    commissions_usd: Mapping[str, Decimal] = field(default_factory=dict)
    fees: FeeSchedule = field(default_factory=FeeSchedule)
    before: tuple[Position, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Flows:
    """What the executions of one group brought and cost, USD; nothing but ``opening_usd`` may be below zero.

    Attributes:
        opening_usd: Received by the orders that opened.
        debits_usd: Paid by all others; what one of them brought counts for nothing.
        fees_usd: Of all of them.
        contracts_opened: By how many contracts the openings raised what is held short.
        opened_on: New York's date of the first opening; None without one.
        explains_all: They lead from nothing to just what is held.
    """

    opening_usd: Decimal
    debits_usd: Decimal
    fees_usd: Decimal
    contracts_opened: int
    opened_on: date | None
    explains_all: bool


def flows_of(condors: Sequence[Condor], executions: Executions) -> Flows:
    """Return what executions did to the group of some condors.

    Args:
        condors: All condors of one class and expiry, one at least.
        executions: Of the whole account; what belongs to other contracts is passed over.
    """
    own, start, held = _own_of(condors, executions), _start_of(condors, executions), _held_in(condors)
    opening, debits, fees, opened, opened_on = NOTHING, NOTHING, NOTHING, 0, None
    now: Held = start
    for order in _by_order(own):
        after = _after(now, order)
        cash = sum((-fill.signed_quantity * fill.price * leg.multiplier for fill, leg in order), NOTHING)
        more = _short(after) - _short(now)
        if more > 0:
            opening, opened = opening + cash, opened + more
            opened_on = opened_on or trade_date(order[0][0].at)
        else:
            debits += max(NOTHING, -cash)
        fees += sum((_fee_usd(one, executions) for one in order), NOTHING)
        now = after
    return Flows(
        opening_usd=opening,
        debits_usd=debits,
        fees_usd=fees,
        contracts_opened=opened,
        opened_on=opened_on,
        explains_all=bool(own) and now == held and not any(start.get(key, 0) for key in held),
    )


def condors_at_entry(condors: Sequence[Condor], executions: Executions) -> tuple[Condor, ...]:
    """Return the condors that are held as they were opened: with every wing that was moved since moved back.

    Returns:
        As many condors as are held; none where what is moved back makes no condors, so that nothing is known.

    Source: docs/methodology.md, M8.
    """
    held = _held_in(condors)
    known = {leg.key: leg for condor in condors for leg in condor.legs}
    own = _own_of(condors, executions)
    known |= {leg.key: leg for _, leg in own}
    now: Held = _start_of(condors, executions)
    moves = []
    for order in _by_order(own):
        after = _after(now, order)
        if _short(after) == _short(now):
            moves.append(order)
        now = after
    for order in reversed(moves):
        for right in Right:
            _move_back(held, [(fill, leg) for fill, leg in order if leg.right is right])
    found = recognise_condors(Position(instrument=known[key], quantity=count) for key, count in held.items() if count)
    is_whole = not found.unmatched and sum(one.count for one in found.condors) == sum(one.count for one in condors)
    return found.condors if is_whole else ()


def _move_back(held: dict[InstrumentKey, int], order: Sequence[Own]) -> None:
    """Undo one roll of a wing, for as many contracts as are still where it has brought them."""
    sold = {leg.key for fill, leg in order if fill.signed_quantity < 0}
    bought = {leg.key for fill, leg in order if fill.signed_quantity > 0}
    if len(sold) != 1 or len(bought) != 1:
        return  # a wing bought on its own, or sold: nothing was moved
    (old,), (new,) = sold, bought
    moved = sum(fill.quantity for fill, leg in order if leg.key == new)
    back = max(0, min(moved, held.get(new, 0)))
    held[new] = held.get(new, 0) - back
    held[old] = held.get(old, 0) + back


def _own_of(condors: Sequence[Condor], executions: Executions) -> list[Own]:
    """Executions of the group by time, each once; the net of a combo is left out, its legs carry the prices."""
    name = _group(condors)
    by_id = {fill.exec_id: (fill, fill.instrument) for fill in executions.fills if fill.instrument is not None}
    legs = (own for own in by_id.values() if own[1].kind is Kind.OPTION and own[1].trading_class in CONDOR_CLASSES)
    found = (own for own in legs if (own[1].trading_class, own[1].settlement) == name)
    return sorted(found, key=lambda own: (own[0].at, own[0].exec_id))


def _start_of(condors: Sequence[Condor], executions: Executions) -> dict[InstrumentKey, int]:
    name = _group(condors)
    return {
        one.instrument.key: one.quantity
        for one in executions.before
        if (one.instrument.trading_class, one.instrument.settlement) == name
    }


def _group(condors: Sequence[Condor]) -> Group:
    return condors[0].trading_class, condors[0].settlement


def _held_in(condors: Iterable[Condor]) -> dict[InstrumentKey, int]:
    held: dict[InstrumentKey, int] = {}
    for condor in condors:
        for leg, sign in zip(condor.legs, (1, -1, -1, 1), strict=True):
            held[leg.key] = held.get(leg.key, 0) + sign * condor.count
    return {key: quantity for key, quantity in held.items() if quantity}


def _by_order(own: Sequence[Own]) -> list[list[Own]]:
    """Executions of one order together, orders by their first execution."""
    orders: dict[tuple[int, str], list[Own]] = {}
    for fill, leg in own:
        orders.setdefault((fill.perm_id, fill.order_ref), []).append((fill, leg))
    return list(orders.values())


def _after(held: Held, own: Iterable[Own]) -> dict[InstrumentKey, int]:
    quantities = dict(held)
    for fill, leg in own:
        quantities[leg.key] = quantities.get(leg.key, 0) + fill.signed_quantity
    return {key: quantity for key, quantity in quantities.items() if quantity}


def _short(held: Held) -> int:
    return -sum(min(0, quantity) for quantity in held.values())


def _fee_usd(own: Own, executions: Executions) -> Decimal:
    """The broker's figure where it is known, the schedule's until then; a rebate is no fee."""
    fill, leg = own
    known = executions.commissions_usd.get(fill.exec_id)
    if known is not None:
        return max(NOTHING, known)
    return executions.fees.of_contract(leg.trading_class, leg.kind) * fill.quantity
