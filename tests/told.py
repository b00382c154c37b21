"""What the simulated exchange tells of contracts, for tests: terms and open interest in values, snapshots, events."""

from dataclasses import replace
from datetime import date, datetime
from functools import cache

from bot.domain.events import Event, OpenInterestTold, TermsRead
from bot.domain.instrument import Instrument
from bot.domain.schedule import NEW_YORK, SessionCalendar
from bot.domain.snapshot import Snapshot
from bot.domain.terms import ContractTerms, OpenInterest
from simulator.contract_terms import terms_of
from simulator.details import listing_of, market_rule, zone_of
from simulator.hours import hours_text

OPEN_CONTRACTS = 20_000
"""Open in each contract of these tests: room for any order."""
_CALENDAR = SessionCalendar()


@cache
def terms_at(instrument: Instrument, day: date) -> ContractTerms:
    """Hours, last trade and ticks of a contract on a day, for a week ahead."""
    zone = zone_of(instrument)
    whole, regular = (hours_text(instrument, day, 7, zone, _CALENDAR, regular_only=only) for only in (False, True))
    return terms_of(listing_of(instrument, (whole, regular), _CALENDAR), market_rule, day)


def as_told(snapshot: Snapshot, *others: Instrument) -> Snapshot:
    """The moment with terms and open interest of everything in it, and of others, as told on its day."""
    held = (position.instrument for position in snapshot.book.positions.values())
    day = snapshot.now.astimezone(NEW_YORK).date()
    known = {one.key: one for one in (*held, *snapshot.universe.values(), *others)}
    interest = {key: OpenInterest(contracts=OPEN_CONTRACTS, told_on=day) for key in known}
    return replace(snapshot, terms={key: terms_at(one, day) for key, one in known.items()}, open_interest=interest)


def told_at(at: datetime, *instruments: Instrument) -> tuple[Event, ...]:
    """The events by which a state learns terms and open interest of contracts."""
    day = at.astimezone(NEW_YORK).date()
    read = TermsRead(at=at, terms={one.key: terms_at(one, day) for one in instruments})
    return (read, *(OpenInterestTold(at=at, key=one.key, contracts=OPEN_CONTRACTS) for one in instruments))
