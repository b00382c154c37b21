"""The opening book of a simulated run, such that nothing rolls inside its window if it can be; lots and credits."""

from collections.abc import Sequence
from datetime import date, timedelta

from bot.domain.expiries import vix_monthlies
from bot.domain.instrument import Side
from bot.domain.layer import Layer
from bot.domain.orders import IntentId, Leg
from bot.domain.portfolio import Lot, Provenance
from bot.domain.schedule import Session, SessionCalendar
from simulator.books import BASE_LAYERS, BookPlan, OpeningBook

CONDOR_DAYS = 45
LISTED_DAYS = 280
ROLL_DAYS = {Layer.SHORT: 10, Layer.MEDIUM: 65, Layer.LONG: 165}
"""docs/methodology.md, M4: days to settlement at which a layer is rolled; no roll may fall into the window."""


def plan_for_window(start: date, end: date, calendar: SessionCalendar) -> BookPlan:
    """Return the book of a history's window: the first Friday 45 days away, each layer nearest to its days.

    A layer takes the settlement nearest to its days among those that need no roll before the window ends; where there
    is none, the nearest of all that no other layer took.
    """
    settlements = tuple(vix_monthlies(start, start + timedelta(days=LISTED_DAYS), calendar))
    chosen: list[date] = []
    for size in BASE_LAYERS:
        free = [day for day in settlements if day not in chosen]
        quiet = [day for day in free if day - timedelta(days=ROLL_DAYS[size.layer]) > end]
        wanted = start + timedelta(days=size.days)
        chosen.append(min(quiet or free, key=lambda day: (abs((day - wanted).days), day)))
    return BookPlan(
        condor_settlement=_first_friday(start + timedelta(days=CONDOR_DAYS), calendar), vix_settlements=tuple(chosen)
    )


def _first_friday(day: date, calendar: SessionCalendar) -> date:
    friday = day + timedelta(days=(4 - day.weekday()) % 7)
    return friday if calendar.session(friday) is not None else calendar.previous_session(friday).day


def lots_of_book(book: OpeningBook, opened_on: date) -> tuple[Lot, ...]:
    """Return the base sleeve of an opening book as lots, at the cost that the operator states for them."""
    return tuple(
        Lot(
            lot_id=IntentId(f"base-{held.layer.value}"),
            layer=held.layer,
            legs=(Leg(instrument=held.instrument, side=Side.BUY),),
            units_bought=held.quantity,
            units_open=held.quantity,
            cost_usd=held.cost_usd,
            recovered_usd=held.cost_usd - held.cost_usd,
            bought_on=opened_on,
            expires_on=held.instrument.settlement or opened_on,
            entry_price=held.price,
            provenance=Provenance.OPERATOR,
        )
        for held in book.base
    )


def sessions_with_condors(sessions: Sequence[Session], book: OpeningBook) -> tuple[Session, ...]:
    """Return the sessions that can be run: up to the one in which the last condors settle, because a hedge needs them.

    A book without condors runs as long as it is asked to.
    """
    last = max((condor.settlement for condor in book.condors), default=None)
    return tuple(session for session in sessions if last is None or session.day <= last)
