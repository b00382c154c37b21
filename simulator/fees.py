"""Commissions and exchange fees of the simulated venue, per execution; one small class per model."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, Protocol

from bot.domain.checks import require_not_negative
from bot.domain.errors import InvalidValueError
from bot.domain.instrument import Instrument, Kind

_CENT: Final = Decimal("0.01")

Bands = tuple[tuple[Decimal, Decimal], ...]
"""Rows (premium from, USD per contract), ascending."""


def _bands(*rows: tuple[str, str]) -> Bands:
    return tuple((Decimal(edge), Decimal(fee)) for edge, fee in rows)


def _of_exchange(*, vix: Bands) -> Mapping[str, Bands]:
    return {
        "VIX": vix,
        "VIXW": vix,
        "SPX": _bands(("0", "0.40"), ("1", "0.50")),
        "SPXW": _bands(("0", "0.49"), ("1", "0.58")),
        "RUT": _bands(("0", "0.18")),
        "RUTW": _bands(("0", "0.18")),
    }


def _of_simple_options() -> Mapping[str, Bands]:
    return _of_exchange(vix=_bands(("0", "0.10"), ("0.11", "0.25"), ("1", "0.45"), ("2", "0.50")))


def _of_complex_options() -> Mapping[str, Bands]:
    return _of_exchange(vix=_bands(("0", "0.05"), ("0.11", "0.17"), ("1", "0.35"), ("2", "0.50")))


def _of_futures() -> Mapping[str, Decimal]:
    return {"VX": Decimal("2.45"), "VXM": Decimal("1.15"), "ES": Decimal("2.25"), "MES": Decimal("0.62")}


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeTables:
    """The broker's fixed schedule and the exchanges' fees, all in USD; a file of these keys changes them.

    ``as_of`` is the day on which the tables were last compared with their source; most figures are undated there, and
    regulatory fees on sales of shares are left out. A band's row is (premium from, USD per contract).
    ``exchange_simple`` and ``exchange_complex`` go by trading class, other classes pay the exchange nothing;
    ``futures`` hold broker (0.85, small contracts 0.25), exchange and regulator together, other futures pay the highest
    of them. Source: docs/contracts.md, section 8.
    """

    as_of: date = date(2026, 11, 28)
    broker_option: Bands = field(default_factory=lambda: _bands(("0", "0.50"), ("0.10", "0.70")))
    clearing_option: Decimal = Decimal("0.055")
    regulatory_option: Decimal = Decimal("0.02")
    exchange_simple: Mapping[str, Bands] = field(default_factory=_of_simple_options)
    exchange_complex: Mapping[str, Bands] = field(default_factory=_of_complex_options)
    futures: Mapping[str, Decimal] = field(default_factory=_of_futures)
    share: Decimal = Decimal("0.005")  # per share
    shares_least: Decimal = Decimal("1.00")  # per order
    shares_most_frac: Decimal = Decimal("0.01")  # of the order's value
    currency_frac: Decimal = Decimal("0.00002")  # 0.20 basis points of the value
    currency_least: Decimal = Decimal("2.00")  # per order

    def __post_init__(self) -> None:
        """Reject negative fees, bands that do not begin at zero or do not ascend, and a schedule without futures."""
        amounts = ("clearing_option", "regulatory_option", "share", "shares_least", "shares_most_frac", "currency_frac")
        require_not_negative(**{name: getattr(self, name) for name in (*amounts, "currency_least")})
        require_not_negative(**{f"futures.{name}": fee for name, fee in self.futures.items()})
        if not self.futures:
            raise InvalidValueError("futures must hold at least one class: the others pay the highest of them")
        _require_bands("broker_option", self.broker_option)
        for name, table in (("exchange_simple", self.exchange_simple), ("exchange_complex", self.exchange_complex)):
            for trading_class, bands in table.items():
                _require_bands(f"{name}.{trading_class}", bands)


def _require_bands(name: str, bands: Bands) -> None:
    edges = [edge for edge, _ in bands]
    if not edges or edges[0] != 0 or edges != sorted(set(edges)):
        raise InvalidValueError(f"{name} must begin at a premium of 0 and ascend, found edges {[*map(str, edges)]}")
    require_not_negative(**{f"{name} from {edge}": fee for edge, fee in bands})


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

    Options and futures per contract; shares each, with a least and a most per order; currencies by value, with a least
    per order. ``option_order_least_usd`` is the broker's least commission for an order of single options: 1.00 in its
    schedule, none in a bot's own run, whose cost cap counts per contract.
    """

    tables: FeeTables = field(default_factory=FeeTables)
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
                futures = self.tables.futures
                return futures.get(instrument.trading_class, max(futures.values())) * quantity
            case Kind.STOCK:
                return _grown(self._shares_usd, earlier, quantity, value_usd)
            case Kind.CASH:
                return _grown(self._currency_usd, earlier, quantity, value_usd)
            case _:
                return self._option_usd(instrument, quantity, price, in_combo=in_combo, earlier=earlier)

    def _option_usd(
        self, instrument: Instrument, quantity: int, price: Decimal, *, in_combo: bool, earlier: Earlier
    ) -> Decimal:
        tables = self.tables
        rate = _in_band(tables.broker_option, price)
        least = Decimal(0) if in_combo else self.option_order_least_usd
        before = max(least, rate * earlier.quantity) if earlier.quantity else Decimal(0)
        broker = max(least, rate * (earlier.quantity + quantity)) - before
        by_class = tables.exchange_complex if in_combo else tables.exchange_simple
        bands = by_class.get(instrument.trading_class)
        exchange = Decimal(0) if bands is None else _in_band(bands, price)
        return broker + (exchange + tables.clearing_option + tables.regulatory_option) * quantity

    def _shares_usd(self, quantity: int, value_usd: Decimal) -> Decimal:
        tables = self.tables
        return min(max(tables.shares_least, tables.share * quantity), tables.shares_most_frac * value_usd)

    def _currency_usd(self, _quantity: int, value_usd: Decimal) -> Decimal:
        return max(self.tables.currency_least, self.tables.currency_frac * value_usd)


def _grown(of_order: Callable[[int, Decimal], Decimal], earlier: Earlier, quantity: int, value_usd: Decimal) -> Decimal:
    """Return what an order's whole commission grows by, never below zero."""
    before = of_order(earlier.quantity, earlier.value_usd) if earlier.quantity else Decimal(0)
    return max(Decimal(0), of_order(earlier.quantity + quantity, earlier.value_usd + value_usd) - before)


def _in_band(bands: Bands, price: Decimal) -> Decimal:
    return next((fee for edge, fee in reversed(bands) if price >= edge), bands[0][1])
