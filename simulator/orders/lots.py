"""What one leg of an order has traded, and how much of it belongs to no whole unit yet."""

from dataclasses import dataclass, replace
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Lots:
    """One leg's trades: contracts and points times contracts in all, and what belongs to no whole unit yet.

    ``loose`` are (contracts, price) in the order in which they traded.
    """

    traded: int = 0
    paid: Decimal = Decimal(0)
    loose: tuple[tuple[int, Decimal], ...] = ()

    def plus(self, contracts: int, price: Decimal) -> "Lots":
        """Return the lots after one more trade."""
        if not contracts:
            return self
        return Lots(
            traded=self.traded + contracts,
            paid=self.paid + price * contracts,
            loose=(*self.loose, (contracts, price)),
        )

    def taken(self, contracts: int) -> tuple["Lots", Decimal]:
        """Return the lots without the oldest loose contracts, and points times contracts of these."""
        worth, left = Decimal(0), list(self.loose)
        while contracts:
            count, price = left[0]
            used = min(count, contracts)
            worth += used * price
            contracts -= used
            left[0:1] = [(count - used, price)] if count > used else []
        return replace(self, loose=tuple(left)), worth
