"""Combos of which one leg was executed and another was not: what is missing, and since when.

How it works: a combo goes out guaranteed, so that its legs cannot fill apart; they are told apart all the same, one
after the other. What is not there a while after the last execution of its order is an imbalance that nobody explains.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.domain.checks import require_aware
from bot.domain.instrument import InstrumentKey
from bot.domain.ledger import fills_by_order, legs_owed
from bot.domain.orders import Fill, IntentId, Order

LOOKED_BACK: Final = timedelta(hours=1)
"""Older ones were locked long ago, and whoever asks every few seconds must not read the whole history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imbalance:
    """One combo whose legs do not match: the contracts that are missing, how many, and since when nothing came."""

    intent_id: IntentId
    missing: tuple[tuple[InstrumentKey, int], ...]  # signed contracts
    since: datetime

    def __post_init__(self) -> None:
        """Reject a naive time."""
        require_aware(since=self.since)

    @property
    def words(self) -> str:
        """What is missing, in one line."""
        return ", ".join(f"{quantity:+d} {key}" for key, quantity in self.missing)


@dataclass(frozen=True, slots=True, kw_only=True)
class LegsImbalanced:
    """One leg of a combo was executed and another was not, for too long: its contracts are locked."""

    at: datetime
    imbalance: Imbalance


def imbalances(orders: Iterable[Order], fills: Iterable[Fill], now: datetime) -> tuple[Imbalance, ...]:
    """Return the combos of the last hour whose legs do not match.

    Args:
        orders: Our own.
        fills: The executions that count, newest first; those older than an hour are not read.
        now: Aware.

    Source: docs/risk-controls.md, C21 and 2.4.
    """
    recent = []
    for fill in fills:
        if now - fill.at > LOOKED_BACK:
            break
        recent.append(fill)
    told = fills_by_order(recent)
    combos = (order.intent for order in orders if order.intent.is_combo and order.intent.intent_id in told)
    found = ((intent, legs_owed(intent, told[intent.intent_id])) for intent in combos)
    return tuple(
        Imbalance(
            intent_id=intent.intent_id,
            missing=tuple((leg.key, leg.signed_quantity) for leg in owed if leg.key is not None),
            since=max(fill.at for fill in told[intent.intent_id]),
        )
        for intent, owed in found
        if owed
    )
