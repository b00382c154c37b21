"""A listing's texts as the bot's terms: for the door without a wire, by the same parser as behind the other one."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from bot.domain.hours import hours_told, moment_told
from bot.domain.terms import ContractTerms
from simulator.listing import Listing

RuleOf = Callable[[int], tuple[tuple[Decimal, Decimal], ...]]
"""A market rule by its number: rows (low edge, increment), ascending."""


def terms_of(listing: Listing, rule_of: RuleOf, today: date) -> ContractTerms:
    """Return what a listing tells of its contract on a day of New York."""
    day, clock, zone = (*listing.last_trade_text.split(), "", "", "")[:3]
    return ContractTerms(
        told_on=today,
        liquid=hours_told(listing.liquid_hours, listing.time_zone),
        trading=hours_told(listing.trading_hours, listing.time_zone),
        last_trade_day=date.fromisoformat(day) if day else None,
        last_trade_at=moment_told(day, clock, zone or listing.time_zone) if clock else None,
        ticks=rule_of(listing.market_rule_ids[0]),
    )
