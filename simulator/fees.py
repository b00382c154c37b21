"""Commissions and exchange fees of the simulated venue, per execution; one small class per model."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, Protocol

from bot.domain.checks import require_not_negative
from bot.domain.instrument import Instrument, Kind

AS_OF: Final = date(2026, 11, 28)
"""The day on which these tables were last compared with docs/contracts.md, section 8; most figures are undated there.

Options, shares and currencies follow the broker's fixed schedule; regulatory fees on sales of shares are left out.
"""

_CENT: Final = Decimal("0.01")

Bands = tuple[tuple[Decimal, Decimal], ...]
"""Rows (premium from, USD per contract), ascending."""


def _bands(*rows: tuple[str, str]) -> Bands:
    return tuple((Decimal(edge), Decimal(fee)) for edge, fee in rows)


_BROKER_OPTION: Final = _bands(("0", "0.50"), ("0.10", "0.70"))
_CLEARING: Final = Decimal("0.055")
_REGULATORY: Final = Decimal("0.02")

_VIX_SIMPLE: Final = _bands(("0", "0.10"), ("0.11", "0.25"), ("1", "0.45"), ("2", "0.50"))
_VIX_COMPLEX: Final = _bands(("0", "0.05"), ("0.11", "0.17"), ("1", "0.35"), ("2", "0.50"))
_SPX: Final = _bands(("0", "0.40"), ("1", "0.50"))
_SPXW: Final = _bands(("0", "0.49"), ("1", "0.58"))
_RUT: Final = _bands(("0", "0.18"))
_EQUITY: Final = _bands(("0", "0.00"))

_EXCHANGE_SIMPLE: Final[Mapping[str, Bands]] = {
    "VIX": _VIX_SIMPLE,
    "VIXW": _VIX_SIMPLE,
    "SPX": _SPX,
    "SPXW": _SPXW,
    "RUT": _RUT,
    "RUTW": _RUT,
}
_EXCHANGE_COMPLEX: Final[Mapping[str, Bands]] = {**_EXCHANGE_SIMPLE, "VIX": _VIX_COMPLEX, "VIXW": _VIX_COMPLEX}

_FUTURES: Final[Mapping[str, Decimal]] = {
    "VX": Decimal("2.45"),
    "VXM": Decimal("1.15"),
    "ES": Decimal("2.25"),
    "MES": Decimal("0.62"),
}
"""Broker (0.85, small contracts 0.25), exchange and regulator together."""

_SHARE: Final = Decimal("0.005")
_SHARES_LEAST: Final = Decimal("1.00")  # per order
_SHARES_MOST_FRAC: Final = Decimal("0.01")  # of the order's value
_CURRENCY_FRAC: Final = Decimal("0.00002")  # 0.20 basis points of the value
_CURRENCY_LEAST: Final = Decimal("2.00")  # per order


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """What the same order has traded of a contract before: contracts, and USD of value, both positive."""

    quantity: int = 0
    value_usd: Decimal = Decimal(0)


NOTHING_YET: Final = Earlier()


class FeeModel(Protocol):
    """What an execution costs."""

    def charge(
        self, instrument: Instrument, quantity: int, price: Decimal, *, in_combo: bool, earlier: Earlier = NOTHING_YET
    ) -> Decimal:
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
        earlier: Earlier = NOTHING_YET,  # noqa: ARG002 - likewise
    ) -> Decimal:
        """Return nothing."""
        return Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueFees:
    """The broker's commission, the exchange's fee by premium band, clearing and regulatory fee.

    Options and futures per contract; shares 0.005 USD each, at least 1.00 and at most 1 % of the order's value;
    currencies 0.20 basis points of the value, at least 2.00 an order. ``option_order_least_usd`` is the broker's least
    commission for an order of single options: 1.00 in its schedule, none in a bot's own run, whose cost cap counts per
    contract. Source: docs/contracts.md, section 8.
    """

    option_order_least_usd: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        """Reject a negative minimum."""
        require_not_negative(option_order_least_usd=self.option_order_least_usd)

    def charge(
        self, instrument: Instrument, quantity: int, price: Decimal, *, in_combo: bool, earlier: Earlier = NOTHING_YET
    ) -> Decimal:
        """Return USD for one execution, rounded half up to the cent once; a VIX leg of a combo is a complex order.

        An order's minimum is charged with its first execution and used up by the later ones.

        >>> from bot.domain.instrument import Right
        >>> call = Instrument(kind=Kind.OPTION, symbol="VIX", trading_class="VIX", exchange="CBOE", multiplier=100,
        ...     settlement=date(2026, 11, 18), last_trade=date(2026, 11, 17), strike=Decimal(20), right=Right.CALL)
        >>> VenueFees().charge(call, 4, Decimal("1.70"), in_combo=False)
        Decimal('4.90')
        """
        return self._exact(instrument, quantity, price, in_combo=in_combo, earlier=earlier).quantize(
            _CENT, ROUND_HALF_UP
        )

    def _exact(
        self, instrument: Instrument, quantity: int, price: Decimal, *, in_combo: bool, earlier: Earlier
    ) -> Decimal:
        value_usd = quantity * price * instrument.multiplier
        match instrument.kind:
            case Kind.FUTURE:
                return _FUTURES.get(instrument.trading_class, max(_FUTURES.values())) * quantity
            case Kind.STOCK:
                return _grown(_shares_usd, earlier, quantity, value_usd)
            case Kind.CASH:
                return _grown(_currency_usd, earlier, quantity, value_usd)
            case _:
                return self._option_usd(instrument, quantity, price, in_combo=in_combo, earlier=earlier)

    def _option_usd(
        self, instrument: Instrument, quantity: int, price: Decimal, *, in_combo: bool, earlier: Earlier
    ) -> Decimal:
        rate = _in_band(_BROKER_OPTION, price)
        least = Decimal(0) if in_combo else self.option_order_least_usd
        before = max(least, rate * earlier.quantity) if earlier.quantity else Decimal(0)
        broker = max(least, rate * (earlier.quantity + quantity)) - before
        table = _EXCHANGE_COMPLEX if in_combo else _EXCHANGE_SIMPLE
        exchange = _in_band(table.get(instrument.trading_class, _EQUITY), price)
        return broker + (exchange + _CLEARING + _REGULATORY) * quantity


def _grown(of_order: "_OfOrder", earlier: Earlier, quantity: int, value_usd: Decimal) -> Decimal:
    """Return what an order's whole commission grows by, never below zero."""
    before = of_order(earlier.quantity, earlier.value_usd) if earlier.quantity else Decimal(0)
    return max(Decimal(0), of_order(earlier.quantity + quantity, earlier.value_usd + value_usd) - before)


class _OfOrder(Protocol):
    def __call__(self, quantity: int, value_usd: Decimal, /) -> Decimal: ...


def _shares_usd(quantity: int, value_usd: Decimal) -> Decimal:
    return min(max(_SHARES_LEAST, _SHARE * quantity), _SHARES_MOST_FRAC * value_usd)


def _currency_usd(_quantity: int, value_usd: Decimal) -> Decimal:
    return max(_CURRENCY_LEAST, _CURRENCY_FRAC * value_usd)


def _in_band(bands: Bands, price: Decimal) -> Decimal:
    return next((fee for edge, fee in reversed(bands) if price >= edge), bands[0][1])
