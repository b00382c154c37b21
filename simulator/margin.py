"""A simple, stated estimate of margin: what the option book loses at worst at expiry, plus a share of futures."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from bot.domain.instrument import Instrument, Kind, Right

_FUTURE_INITIAL_FRAC: Final = Decimal("0.40")  # of the contract's value
_FUTURE_MAINTENANCE_FRAC: Final = Decimal("0.32")
_NAKED_CALL_FRAC: Final = Decimal("0.15")  # of the highest strike, per call that nothing covers


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """Initial and maintenance requirement in USD, never negative."""

    initial_usd: Decimal
    maintenance_usd: Decimal


def margin_of(positions: Iterable[tuple[Instrument, int]], marks: Mapping[Instrument, Decimal]) -> Margin:
    """Return the requirement of a book.

    Options of one symbol, class and settlement: the worst pay-off at expiry over all prices of the underlying, each
    call without cover charged with a share of the highest strike. Groups do not offset each other. Futures: 40 % of the
    contract value initially, 32 % in maintenance, longs and shorts alike. A stated estimate, not the broker's model.

    Args:
        positions: Instruments with signed quantities.
        marks: Present prices in points, for the futures held.
    """
    groups: dict[tuple[str, str, date | None], list[tuple[Instrument, int]]] = {}
    initial = maintenance = Decimal(0)
    for instrument, quantity in positions:
        if instrument.kind is Kind.FUTURE:
            worth = abs(quantity) * instrument.multiplier * marks[instrument]
            initial += _FUTURE_INITIAL_FRAC * worth
            maintenance += _FUTURE_MAINTENANCE_FRAC * worth
        elif instrument.kind is Kind.OPTION:
            group = (instrument.symbol, instrument.trading_class, instrument.settlement)
            groups.setdefault(group, []).append((instrument, quantity))
    options = sum((_worst_loss_usd(group) for group in groups.values()), Decimal(0))
    return Margin(initial_usd=initial + options, maintenance_usd=maintenance + options)


def _worst_loss_usd(group: list[tuple[Instrument, int]]) -> Decimal:
    """Return the worst pay-off of one expiry as a positive number; pay-offs bend at strikes only."""
    strikes = sorted({_strike(instrument) for instrument, _ in group})
    worst = min(sum((_payoff_usd(*held, at) for held in group), Decimal(0)) for at in [Decimal(0), *strikes])
    calls = sum(quantity * held.multiplier for held, quantity in group if held.right is Right.CALL)
    naked = max(0, -calls) * _NAKED_CALL_FRAC * strikes[-1]
    return max(Decimal(0), naked - worst)


def _payoff_usd(instrument: Instrument, quantity: int, at: Decimal) -> Decimal:
    """Return a position's pay-off in USD with the underlying at ``at``."""
    distance = at - _strike(instrument) if instrument.right is Right.CALL else _strike(instrument) - at
    return max(Decimal(0), distance) * quantity * instrument.multiplier


def _strike(instrument: Instrument) -> Decimal:
    return Decimal(0) if instrument.strike is None else instrument.strike
