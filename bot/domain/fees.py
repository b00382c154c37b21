"""Commissions and exchange fees per contract, rounded up: what the cost cap counts before the broker's report is in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal

from bot.domain.checks import require_not_negative
from bot.domain.instrument import Kind
from bot.domain.orders import Leg, OrderIntent

CENT = Decimal("0.01")
NOTHING = Decimal(0)


def up_to_cent(amount_usd: Decimal) -> Decimal:
    """Return the amount rounded up to a cent: a cost is never understated."""
    return amount_usd.quantize(CENT, ROUND_CEILING)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeSchedule:
    """USD per contract and side, by trading class; one figure for classes that are not listed, shares by themselves.

    An order in shares costs so much a share, and ``least_share_order_usd`` at least.

    Source: docs/contracts.md, commissions; expectations only, the broker's commission report replaces them.
    """

    per_contract_usd: Mapping[str, Decimal] = field(
        default_factory=lambda: {
            "VX": Decimal("2.50"),
            "VXM": Decimal("1.20"),
            "VIX": Decimal("1.30"),
            "VIXW": Decimal("1.30"),
            "SPX": Decimal("1.40"),
            "SPXW": Decimal("1.40"),
        }
    )
    otherwise_option_usd: Decimal = Decimal("1.50")
    otherwise_future_usd: Decimal = Decimal("3.00")
    per_share_usd: Decimal = Decimal("0.01")  # the broker's half a cent and what regulators take of a sale, rounded up
    least_share_order_usd: Decimal = Decimal("1.00")  # per order, however few shares

    def __post_init__(self) -> None:
        """Reject negative fees."""
        for trading_class, fee in self.per_contract_usd.items():
            require_not_negative(**{f"fee of {trading_class}": fee})
        require_not_negative(option=self.otherwise_option_usd, future=self.otherwise_future_usd)
        require_not_negative(share=self.per_share_usd, share_order=self.least_share_order_usd)

    def of_contract(self, trading_class: str, kind: Kind) -> Decimal:
        """Return USD for one contract of a class, one side; of a share without the least of its order."""
        if kind is Kind.STOCK:
            return self.per_share_usd
        fee = self.per_contract_usd.get(trading_class)
        if fee is not None:
            return fee
        return self.otherwise_future_usd if kind is Kind.FUTURE else self.otherwise_option_usd

    def of_legs(self, legs: Iterable[Leg]) -> Decimal:
        """Return USD for one unit of an order, all legs."""
        total = NOTHING
        for leg in legs:
            total += self.of_contract(leg.instrument.trading_class, leg.instrument.kind) * leg.ratio
        return total

    def of_intent(self, intent: OrderIntent, quantity: int) -> Decimal:
        """Return USD for ``quantity`` units of an order, all legs."""
        return self.of_order(intent.legs, quantity)

    def of_order(self, legs: Sequence[Leg], quantity: int) -> Decimal:
        """Return USD for an order of ``quantity`` units of some legs; 0 for none.

        >>> from bot.domain.instrument import VXX, Side
        >>> [str(FeeSchedule().of_order((Leg(instrument=VXX, side=Side.BUY),), shares)) for shares in (0, 60, 200)]
        ['0.00', '1.00', '2.00']
        """
        fee = self.of_legs(legs) * quantity
        is_share = len(legs) == 1 and legs[0].instrument.kind is Kind.STOCK  # shares are in no combo
        return max(fee, self.least_share_order_usd) if is_share and quantity else fee
