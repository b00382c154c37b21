"""The account's values as they are told, one by one: a picture leaves when it is complete and has changed."""

import logging
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Final

from bot.domain.errors import BrokerProtocolError
from bot.domain.events import AccountReported
from bot.domain.portfolio import AccountValues
from bot.ports import Clock, Sink

NET_LIQUIDATION: Final = "NetLiquidation"
CASH: Final = "TotalCashValue"
INITIAL_MARGIN: Final = "InitMarginReq"
MAINTENANCE_MARGIN: Final = "MaintMarginReq"
EXCESS_LIQUIDITY: Final = "ExcessLiquidity"
GROSS_POSITION: Final = "GrossPositionValue"
READY: Final = "AccountReady"
AMOUNTS: Final = frozenset(
    {NET_LIQUIDATION, CASH, INITIAL_MARGIN, MAINTENANCE_MARGIN, EXCESS_LIQUIDITY, GROSS_POSITION}
)
"""What is kept of all that the broker tells; without the first two there is no picture."""

_log = logging.getLogger(__name__)


class AccountFeed:
    """Net liquidation, cash, margin, gross value and readiness of one account, in USD."""

    def __init__(self, *, account: str, clock: Clock, sink: Sink) -> None:
        """Start with no value told."""
        self._account = account
        self._clock = clock
        self._sink = sink
        self._amounts: dict[str, Decimal] = {}
        self._foreign: str = ""
        self._ready = True
        self._changed = False
        self._reported: AccountValues | None = None

    def told(self, account: str, tag: str, value: str, currency: str) -> None:
        """Take one value; other accounts and other tags are passed over."""
        if account != self._account:
            return
        if tag == READY:
            self._ready = value.lower() == "true"
            self._changed = True
        elif tag in AMOUNTS:
            self._amount_told(tag, value, currency)

    def processed(self) -> None:
        """Report when something changed and the picture is complete."""
        if not self._changed:
            return
        self._changed = False
        values = self._picture()
        if values is None:
            return
        if self._reported is None or replace(values, at=self._reported.at) != self._reported:
            self._reported = values
            self._sink(AccountReported(at=values.at, values=values))

    def values(self) -> AccountValues | None:
        """Return the present picture, None while it is incomplete.

        Raises:
            BrokerProtocolError: The account is kept in another currency than USD.
        """
        picture = self._picture()
        if picture is None and self._foreign:
            raise BrokerProtocolError(
                f"account {self._account} is kept in {self._foreign}, expected USD: use an account in USD"
            )
        return picture

    def _picture(self) -> AccountValues | None:
        if NET_LIQUIDATION not in self._amounts or CASH not in self._amounts:
            return None
        return AccountValues(
            account=self._account,
            net_liquidation_usd=self._amounts[NET_LIQUIDATION],
            cash_usd=self._amounts[CASH],
            at=self._clock.now(),
            ready=self._ready,
            initial_margin_usd=self._amounts.get(INITIAL_MARGIN),
            maintenance_margin_usd=self._amounts.get(MAINTENANCE_MARGIN),
            excess_liquidity_usd=self._amounts.get(EXCESS_LIQUIDITY),
            gross_position_usd=self._amounts.get(GROSS_POSITION),
        )

    def forget(self) -> None:
        """Start anew, after the link was lost: old values are no answer to a new question."""
        self._amounts.clear()
        self._ready = True

    def _amount_told(self, tag: str, value: str, currency: str) -> None:
        if currency not in {"", "USD"}:
            self._foreign = currency
            return
        try:
            amount = Decimal(value)
        except InvalidOperation:
            amount = Decimal("NaN")
        if not amount.is_finite():
            _log.error("account value %s must be a finite number, was %r", tag, value)
            return
        self._amounts[tag] = amount
        self._changed = True
