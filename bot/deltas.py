"""Delta of contracts in USD per +1 % of SPX, and the band in which the whole book should stay (M10)."""

from collections.abc import Iterable, Mapping

from bot.domain.expiries import has_settled
from bot.domain.instrument import Instrument, InstrumentKey
from bot.domain.layer import Layer
from bot.domain.orders import Leg
from bot.domain.portfolio import Cohort, Lot, Position
from bot.valuation import Unvalued, Valuer, has_model

Units = tuple[tuple[Leg, ...], int]
"""The legs of an order and how many units of it are meant."""


def band_half_width_usd(cohorts: Iterable[Cohort], band_frac: float) -> float:
    """Return the band: a fraction of the condors' maximum loss as frozen at entry; 0 without condors."""
    return band_frac * float(sum(cohort.maximum_loss_usd for cohort in cohorts))


def book_delta(positions: Mapping[InstrumentKey, Position], valuer: Valuer) -> float | Unvalued:
    """Return USD per +1 % SPX of condors and sleeve; unknown when one of their positions is.

    Shares of VXX, UVXY and SVXY are part of it, at their measured answer to SPX. What else the account holds (other
    shares, bills, options on other things) is no part of the book that is kept neutral.
    """
    book = (position for position in positions.values() if has_model(position.instrument))
    return _delta(((position.instrument, position.quantity) for position in book), valuer)


def units_delta(units: Iterable[Units], valuer: Valuer) -> float | Unvalued:
    """Return USD per +1 % SPX of orders as if they were filled."""
    contracts = ((leg.instrument, leg.signed_ratio * quantity) for legs, quantity in units for leg in legs)
    return _delta(contracts, valuer)


def overlay_delta(lots: Iterable[Lot], valuer: Valuer) -> float | Unvalued:
    """Return USD per +1 % SPX of the open overlay lots."""
    return units_delta(((lot.legs, lot.units_open) for lot in lots if lot.layer is Layer.OVERLAY), valuer)


def _delta(contracts: Iterable[tuple[Instrument, int]], valuer: Valuer) -> float | Unvalued:
    total = 0.0
    for instrument, quantity in contracts:
        if quantity == 0 or has_settled(instrument, valuer.snapshot.now):
            continue  # nothing meant, or settled: it moves no more
        valued = valuer.value(instrument)
        if isinstance(valued, Unvalued):
            return valued
        total += quantity * valued.usd_per_spx_percent
    return total
