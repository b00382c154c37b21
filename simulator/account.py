"""The account behind the exchange: cash and positions, moved by executions of single contracts and by settlements.

How it works. Every execution moves the ledger by price times multiplier, futures included, as if they were paid for.
What is reported as cash adds the entry value of open futures back: a future costs nothing when it is opened, keeps its
gain or loss as open profit, and settles it to cash when it is closed. Net liquidation is the ledger plus every position
at its mark, so that cash, option marks and open profit of futures are counted once each.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from bot.domain.errors import InvalidValueError
from bot.domain.instrument import Instrument, Kind
from simulator.margin import Margin
from simulator.venue import AccountChanged, PositionChanged

_CENT: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A position with what it cost in all: ``cost_usd`` signed like the quantity, commissions included."""

    quantity: int
    cost_usd: Decimal
    entry_usd: Decimal  # the same without commissions: signed quantity x price x multiplier

    @property
    def average_cost_usd(self) -> Decimal:
        """Per contract, positive, multiplier and commission included."""
        return self.cost_usd / self.quantity


class Account:
    """Cash and positions of one account; `trade` and `settle` alone change them."""

    def __init__(self, name: str, cash_usd: Decimal, positions: Iterable[tuple[Instrument, int, Decimal]] = ()) -> None:
        """Open the account.

        Args:
            name: As clients state it, for example DU1234567.
            cash_usd: Cash beside the positions, in USD.
            positions: Instrument, signed quantity, and the price in points at which it was entered.

        Raises:
            InvalidValueError: A position of zero, or two of one instrument.
        """
        self.name = name
        self._ledger_usd = cash_usd
        self._holdings: dict[Instrument, Holding] = {}
        for instrument, quantity, price in positions:
            if quantity == 0 or instrument in self._holdings:
                raise InvalidValueError(f"opening book: {instrument.key} must be held once and not be flat")
            entry = quantity * price * instrument.multiplier
            self._holdings[instrument] = Holding(quantity=quantity, cost_usd=entry, entry_usd=entry)
            if instrument.kind is Kind.FUTURE:
                self._ledger_usd -= entry

    def __repr__(self) -> str:
        """Name, cash and holdings, for failing tests."""
        held = ", ".join(f"{holding.quantity} {key.key}" for key, holding in self._holdings.items())
        return f"Account({self.name} cash {self.cash_usd} holds {held or 'nothing'})"

    @property
    def cash_usd(self) -> Decimal:
        """Cash as a broker reports it: open profit of futures is not in it."""
        futures = (held.entry_usd for key, held in self._holdings.items() if key.kind is Kind.FUTURE)
        return self._ledger_usd + sum(futures, Decimal(0))

    def quantity(self, instrument: Instrument) -> int:
        """Return the contracts held, signed; 0 when flat."""
        holding = self._holdings.get(instrument)
        return 0 if holding is None else holding.quantity

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """What is held, in the order in which it was first bought or sold."""
        return tuple(self._holdings)

    def settle(self, instrument: Instrument, value_points: Decimal) -> Decimal | None:
        """Close a position at its settlement value, free of charge; return the realised profit, None when flat."""
        held = self.quantity(instrument)
        return self.trade(instrument, -held, value_points, Decimal(0)) if held else None

    def trade(self, instrument: Instrument, change: int, price: Decimal, fee_usd: Decimal) -> Decimal | None:
        """Carry out one execution.

        Args:
            instrument: A single contract, never a combo.
            change: Contracts, positive bought, negative sold, not zero.
            price: Points.
            fee_usd: Commission of the whole execution, USD.

        Returns:
            The realised profit in USD after commissions where contracts were closed, else None.
        """
        before = self._holdings.pop(instrument, None)
        held = 0 if before is None else before.quantity
        self._ledger_usd -= change * price * instrument.multiplier + fee_usd
        closing = min(abs(held), abs(change)) if held * change < 0 else 0
        after = held + change
        if after:
            self._holdings[instrument] = _after(before, instrument, change, closing, price, fee_usd)
        if before is None or not closing:
            return None
        proceeds = (closing if held > 0 else -closing) * price * instrument.multiplier
        closed_cost = before.cost_usd * closing / abs(held)
        return (proceeds - closed_cost - fee_usd * closing / abs(change)).quantize(_CENT, ROUND_HALF_EVEN)

    def position(self, instrument: Instrument) -> PositionChanged:
        """Return one position as it stands, flat ones with a cost of zero."""
        holding = self._holdings.get(instrument)
        return PositionChanged(
            account=self.name,
            instrument=instrument,
            quantity=0 if holding is None else holding.quantity,
            average_cost_usd=Decimal(0) if holding is None else holding.average_cost_usd,
        )

    def positions(self) -> tuple[PositionChanged, ...]:
        """Return all positions, without flat ones."""
        return tuple(self.position(instrument) for instrument in self._holdings)

    def holdings(self) -> tuple[tuple[Instrument, int], ...]:
        """Return what is held with signed quantities, in the order in which it was first bought or sold."""
        return tuple((instrument, holding.quantity) for instrument, holding in self._holdings.items())

    def state(self, marks: Mapping[Instrument, Decimal], margin: Margin) -> AccountChanged:
        """Return the account's values to the cent.

        Args:
            marks: Present prices in points, one for each instrument held.
            margin: What the book requires.
        """
        worth = sum((quantity * key.multiplier * marks[key] for key, quantity in self.holdings()), Decimal(0))
        return AccountChanged(
            account=self.name,
            net_liquidation_usd=(self._ledger_usd + worth).quantize(_CENT, ROUND_HALF_EVEN),
            cash_usd=self.cash_usd.quantize(_CENT, ROUND_HALF_EVEN),
            init_margin_usd=margin.initial_usd.quantize(_CENT, ROUND_HALF_EVEN),
            maint_margin_usd=margin.maintenance_usd.quantize(_CENT, ROUND_HALF_EVEN),
            gross_position_usd=gross_usd(self.holdings(), marks),
        )


def gross_usd(holdings: Iterable[tuple[Instrument, int]], marks: Mapping[Instrument, Decimal]) -> Decimal:
    """Return shares and options at their marks as positive sizes, to the cent; futures have no value but their gain."""
    sizes = (abs(quantity) * key.multiplier * marks[key] for key, quantity in holdings if key.kind is not Kind.FUTURE)
    return sum(sizes, Decimal(0)).quantize(_CENT, ROUND_HALF_EVEN)


def _after(
    before: Holding | None, instrument: Instrument, change: int, closing: int, price: Decimal, fee_usd: Decimal
) -> Holding:
    """Return the holding after an execution that leaves some contracts open."""
    opened = (abs(change) - closing) * (1 if change > 0 else -1)
    held = 0 if before is None else before.quantity
    kept = held + (change - opened)
    cost = entry = Decimal(0)
    if before is not None and kept:
        cost, entry = before.cost_usd * kept / held, before.entry_usd * kept / held
    added = opened * price * instrument.multiplier
    return Holding(
        quantity=kept + opened,
        cost_usd=cost + added + fee_usd * abs(opened) / abs(change),
        entry_usd=entry + added,
    )
