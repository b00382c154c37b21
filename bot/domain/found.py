"""Hedge positions that the bot did not buy itself: as the operator states them, else estimated from the broker's cost.

What always holds: a stated lot never counts more contracts than are held, what nobody stated counts at the broker's
average cost and is marked as estimated, and a position whose cost the broker does not tell is no lot at all: it adds
no base, and nothing is built on it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from bot.domain.instrument import Instrument, InstrumentKey, Kind, Side
from bot.domain.layer import Layer
from bot.domain.orders import IntentId, Leg
from bot.domain.portfolio import Cohort, Lot, Position, Provenance

HEDGE_CLASSES = frozenset({"VIX", "VIXW", "VX", "VXM"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSleeve:
    """The operator's statements, and the layer of a position by its calendar days to settlement when found (M4)."""

    stated: tuple[Lot, ...]
    layer_of: Callable[[int], Layer]

    def lots(
        self,
        held: Iterable[Position],
        cohorts: Sequence[Cohort],
        today: date,
        found_on: Mapping[InstrumentKey, date] | None = None,
    ) -> tuple[Lot, ...]:
        """Return the lots behind positions that our own executions do not explain.

        Args:
            held: Positions beside our own fills, as adopted.
            cohorts: Open condor cohorts: an estimated lot counts from the first day of the oldest.
            today: New York date; what settled before it is gone.
            found_on: When each position was first found, today where it is not in it. A lot keeps the layer that it
                had then: else it would wander to the next layer with time instead of being rolled.

        Source: docs/methodology.md, M4 and M9.
        """
        positions = {position.instrument.key: position for position in held}
        left = {key: position.quantity for key, position in positions.items()}
        stated = tuple(_covered(lot, left) for lot in self.stated)
        since = min((cohort.opened_on for cohort in cohorts), default=today)
        first_seen = found_on or {}
        estimated = (
            self._estimated(position, left[key], min(since, today), (first_seen.get(key, today), today))
            for key, position in sorted(positions.items())
        )
        return (*stated, *(lot for lot in estimated if lot is not None))

    def _estimated(self, position: Position, units: int, since: date, found: tuple[date, date]) -> Lot | None:
        """One lot, found on the first of two days and read on the second; None for what is no long hedge."""
        first_seen, today = found
        instrument, cost = position.instrument, position.average_cost_usd
        settlement = instrument.settlement
        if units <= 0 or cost is None or settlement is None or not _is_hedge(instrument) or settlement <= today:
            return None
        is_future = instrument.kind is Kind.FUTURE
        return Lot(
            lot_id=IntentId(f"found-{instrument.key}"),
            layer=self.layer_of((settlement - first_seen).days),
            legs=(Leg(instrument=instrument, side=Side.BUY),),
            units_bought=units,
            units_open=units,
            cost_usd=Decimal(0) if is_future else max(Decimal(0), cost * units),
            recovered_usd=Decimal(0),
            bought_on=min(since, settlement),
            expires_on=settlement,
            entry_price=cost / instrument.multiplier,
            provenance=Provenance.ESTIMATED,
        )


def _is_hedge(instrument: Instrument) -> bool:
    is_long_side = instrument.kind is Kind.FUTURE or (instrument.right is not None and instrument.right.value == "C")
    return instrument.trading_class in HEDGE_CLASSES and is_long_side


def _covered(lot: Lot, left: dict[InstrumentKey, int]) -> Lot:
    """Take a stated lot's contracts from what is left; fewer held means fewer open, at the same cost."""
    units = lot.units_open
    for leg in lot.legs:
        units = min(units, max(0, left.get(leg.instrument.key, 0) * leg.side.sign) // leg.ratio)
    for leg in lot.legs:
        if leg.instrument.key in left:
            left[leg.instrument.key] -= units * leg.signed_ratio
    return lot if units == lot.units_open else replace(lot, units_open=units)
