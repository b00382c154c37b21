"""What contract details and market rules tell of a contract's terms, pure; unreadable texts come out as unknown.

Both client libraries split the broker's last trade into date, hour and zone, and lose nothing of the three: one of them
keeps the zone beside the hours' own, the other in its place (docs/ib/wire.md, section 4.4).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from adapters.ibkr.contracts import Listed, date_of
from adapters.ibkr.library import ContractDetails
from bot.domain.hours import Hours, hours_told, moment_told
from bot.domain.terms import ContractTerms
from bot.domain.ticks import Rows


class Increment(Protocol):
    """One row of a market rule in the client library."""

    lowEdge: float  # noqa: N815 - the library's name
    increment: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldContract:
    """A contract's details, read; ``rule`` is the number of its market rule where it is routed, None if none is."""

    told_on: date  # New York's day
    liquid: Hours | None
    trading: Hours | None
    last_trade_day: date | None
    last_trade_at: datetime | None
    rule: int | None

    def terms(self, ticks: Rows) -> ContractTerms:
        """Return the terms with the increments of the market rule."""
        return ContractTerms(
            told_on=self.told_on,
            liquid=self.liquid,
            trading=self.trading,
            last_trade_day=self.last_trade_day,
            last_trade_at=self.last_trade_at,
            ticks=ticks,
        )


def told_from(details: ContractDetails, listed: Listed, today: date) -> ToldContract:
    """Return what the details of a listed contract say of its terms, as of a day of New York."""
    contract, is_dated = details.contract, listed.instrument.last_trade is not None
    told = contract.lastTradeDateOrContractMonth if contract is not None and is_dated else ""
    return ToldContract(
        told_on=today,
        liquid=hours_told(details.liquidHours, details.timeZoneId),
        trading=hours_told(details.tradingHours, details.timeZoneId),
        last_trade_day=date_of(told) if told else None,
        last_trade_at=moment_told(told[:8], details.lastTradeTime, details.timeZoneId),
        rule=_rule_of(details, listed.exchange),
    )


def rule_rows(told: Iterable[Increment]) -> Rows:
    """Return the rows of a market rule, ascending; none where one of them is no row, or they do not begin at 0."""
    rows = [(Decimal(repr(float(row.lowEdge))), Decimal(repr(float(row.increment)))) for row in told]
    if not all(edge.is_finite() and step.is_finite() and step > 0 for edge, step in rows):
        return ()
    return tuple(sorted(rows)) if rows and min(rows)[0] == 0 else ()


def _rule_of(details: ContractDetails, exchange: str) -> int | None:
    """Return the number in the place of the exchange: both lists have the same order."""
    exchanges, numbers = details.validExchanges.split(","), details.marketRuleIds.split(",")
    if len(exchanges) != len(numbers) or exchange not in exchanges:
        return None
    number = numbers[exchanges.index(exchange)].strip()
    return int(number) if number.isascii() and number.isdigit() else None
