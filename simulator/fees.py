"""Commissions and exchange fees of the simulated venue, per execution; one small class per model."""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, Protocol

from bot.domain.instrument import Instrument, Kind

AS_OF: Final = date(2026, 11, 22)
"""The day on which these figures were last compared with docs/contracts.md, section 8; most are undated there."""

_BROKER_OPTION: Final = Decimal("0.70")  # premium of 0.10 and more
_BROKER_CHEAP_OPTION: Final = Decimal("0.50")  # premium below 0.10
_CHEAP_PREMIUM: Final = Decimal("0.10")
_CLEARING: Final = Decimal("0.055")
_REGULATORY: Final = Decimal("0.02")
_CENT: Final = Decimal("0.01")

Bands = tuple[tuple[Decimal, Decimal], ...]


def _bands(*rows: tuple[str, str]) -> Bands:
    return tuple((Decimal(edge), Decimal(fee)) for edge, fee in rows)


_VIX_SIMPLE: Final = _bands(("0", "0.10"), ("0.11", "0.25"), ("1", "0.45"), ("2", "0.50"))
_VIX_COMPLEX: Final = _bands(("0", "0.05"), ("0.11", "0.17"), ("1", "0.35"), ("2", "0.50"))
_SPXW: Final = _bands(("0", "0.49"), ("1", "0.58"))
_SPX: Final = _bands(("0", "0.40"), ("1", "0.50"))
_FUTURES: Final = {"VX": Decimal("2.45"), "VXM": Decimal("1.15")}  # broker 0.85 or 0.25, exchange and regulator


class FeeModel(Protocol):
    """What an execution costs."""

    def charge(self, instrument: Instrument, quantity: int, price: Decimal, *, in_combo: bool) -> Decimal:
        """Return USD for ``quantity`` (positive) contracts at ``price`` points, to the cent, never negative."""
        ...


@dataclass(frozen=True, slots=True)
class NoFees:
    """The null model: trading is free."""

    def charge(
        self,
        instrument: Instrument,  # noqa: ARG002 - the protocol's signature
        quantity: int,  # noqa: ARG002 - likewise
        price: Decimal,  # noqa: ARG002 - likewise
        *,
        in_combo: bool,  # noqa: ARG002 - likewise
    ) -> Decimal:
        """Return nothing."""
        return Decimal(0)


@dataclass(frozen=True, slots=True)
class VenueFees:
    """Broker's commission, exchange fee by premium band, clearing and regulatory fee, all per contract.

    The broker's minimum of 1.00 USD per order is not modelled. Source: docs/contracts.md, section 8.
    """

    def charge(self, instrument: Instrument, quantity: int, price: Decimal, *, in_combo: bool) -> Decimal:
        """Return USD for one execution, rounded half up to the cent once; a VIX leg of a combo is a complex order.

        >>> from bot.domain.instrument import Right
        >>> call = Instrument(kind=Kind.OPTION, symbol="VIX", trading_class="VIX", exchange="CBOE", multiplier=100,
        ...     settlement=date(2026, 11, 18), last_trade=date(2026, 11, 17), strike=Decimal(20), right=Right.CALL)
        >>> VenueFees().charge(call, 4, Decimal("1.70"), in_combo=False)
        Decimal('4.90')
        """
        return (self._per_contract(instrument, price, in_combo=in_combo) * quantity).quantize(_CENT, ROUND_HALF_UP)

    def _per_contract(self, instrument: Instrument, price: Decimal, *, in_combo: bool) -> Decimal:
        if instrument.kind is Kind.FUTURE:
            return _FUTURES.get(instrument.trading_class, max(_FUTURES.values()))
        broker = _BROKER_OPTION if price >= _CHEAP_PREMIUM else _BROKER_CHEAP_OPTION
        return broker + _exchange_fee(instrument.trading_class, price, in_combo=in_combo) + _CLEARING + _REGULATORY


def _exchange_fee(trading_class: str, price: Decimal, *, in_combo: bool) -> Decimal:
    """Return the exchange's fee per option contract; an unknown class pays the highest."""
    if trading_class in {"VIX", "VIXW"}:
        bands = _VIX_COMPLEX if in_combo else _VIX_SIMPLE
    else:
        bands = _SPX if trading_class == "SPX" else _SPXW
    return next(fee for edge, fee in reversed(bands) if price >= edge)
