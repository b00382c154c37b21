"""How orders fill and what they cost: the two choices behind an exchange, joined."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from simulator.fees import FeeModel, FeeTables, VenueFees
from simulator.fills import AdverseSelection, DisplayedSizeFills, FillModel, VenueFills

_BROKERS_LEAST_USD: Final = Decimal("1.00")


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueModels:
    """How orders fill and what they cost; by default as in a bot's own run, where what rests waits for its price."""

    fills: FillModel = field(default_factory=DisplayedSizeFills)
    fees: FeeModel = field(default_factory=VenueFees)


def gateway_models(seed: int, tables: FeeTables) -> VenueModels:
    """Return the models of a gateway for any program: queues and selection, and the broker's least commission.

    Args:
        seed: Decides who comes to resting orders.
        tables: What trading costs.
    """
    return VenueModels(
        fills=VenueFills(selection=AdverseSelection(seed=seed)),
        fees=VenueFees(tables=tables, option_order_least_usd=_BROKERS_LEAST_USD),
    )
