"""Profit and loss: of the day against the last close, open, and realised today; of the account and of one position.

How it works. At each close the worth of every position and of the account is written down. A position's profit of the
day is what it is worth now, less what it was worth at that close, less what today's executions paid for it.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from bot.domain.instrument import Instrument, Kind
from simulator.account import Account
from simulator.venue import Charged, Executed, ProfitAndLoss

Executions = Iterable[tuple[Executed, Charged]]
_ZERO = Decimal(0)


class Profits:
    """The account's profits; `close_day` is the only method that changes it."""

    def __init__(
        self, account: Account, mark_of: Callable[[Instrument], Decimal], net_of: Callable[[], Decimal]
    ) -> None:
        """Begin: the first day counts from the opening book at the first prices.

        Args:
            account: Whose profits.
            mark_of: Present price of a contract in points.
            net_of: Present net liquidation in USD.
        """
        self._account = account
        self._mark_of = mark_of
        self._net_of = net_of
        self._worth_at_close: Mapping[Instrument, Decimal] = {}
        self._net_at_close = _ZERO
        self.close_day()

    def close_day(self) -> None:
        """Write down what everything is worth: the next day counts from here."""
        self._worth_at_close = {held: self._worth(held) for held in self._account.instruments}
        self._net_at_close = self._net_of()

    def of_account(self, executions: Executions) -> ProfitAndLoss:
        """Return the account's profit; ``executions`` are those of the day."""
        unrealized = sum((self._unrealized(held) for held in self._account.instruments), _ZERO)
        return ProfitAndLoss(
            daily_usd=self._net_of() - self._net_at_close,
            unrealized_usd=unrealized,
            realized_usd=sum((charged.realized_usd or _ZERO for _, charged in executions), _ZERO),
        )

    def of_position(self, instrument: Instrument, executions: Executions) -> ProfitAndLoss | None:
        """Return the profit of one position, or None where none is held."""
        quantity = self._account.quantity(instrument)
        if not quantity:
            return None
        own = [each for each in executions if each[0].instrument == instrument]
        paid = sum((_paid_usd(executed, charged) for executed, charged in own), _ZERO)
        worth = self._worth(instrument)
        return ProfitAndLoss(
            daily_usd=worth - self._worth_at_close.get(instrument, _ZERO) - paid,
            unrealized_usd=self._unrealized(instrument),
            realized_usd=sum((charged.realized_usd or _ZERO for _, charged in own), _ZERO),
            quantity=quantity,
            worth_usd=worth,
        )

    def _worth(self, instrument: Instrument) -> Decimal:
        """Return quantity times mark times multiplier; of a future its contract value."""
        return self._account.quantity(instrument) * self._mark_of(instrument) * instrument.multiplier

    def _unrealized(self, instrument: Instrument) -> Decimal:
        position = self._account.position(instrument)
        return self._worth(instrument) - position.quantity * position.average_cost_usd


def _paid_usd(executed: Executed, charged: Charged) -> Decimal:
    instrument = executed.instrument
    if instrument is None or instrument.kind is Kind.INDEX:
        return _ZERO
    return executed.quantity * executed.side.sign * executed.price * instrument.multiplier + charged.commission_usd
