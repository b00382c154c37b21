"""Daily closes from the broker's history: finished sessions only, oldest first."""

import math
from collections.abc import Iterable
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from adapters.ibkr.contract_book import ContractBook
from adapters.ibkr.contracts import traded
from adapters.ibkr.library import BarData
from adapters.ibkr.requests import Requests
from adapters.ibkr.tap import TappedIB
from bot.domain.errors import BrokerRejectedError
from bot.domain.instrument import Instrument, InstrumentKey
from bot.domain.schedule import SessionCalendar
from bot.ports import Clock, DailyClose

SAME_REQUEST_S: Final = 15.0
"""An identical history request within this time breaks the broker's pacing (docs/ib/hazards.md, section 10)."""
_DAYS_PER_SESSION: Final = 1.6
"""Calendar days asked for per session: 365/252, and some more for holidays."""
_SPARE_DAYS: Final = 10
_LONGEST_IN_DAYS: Final = 365
"""Longer durations are told in years."""
_NEW_YORK: Final = ZoneInfo("America/New_York")


class History:
    """Asks for daily bars; an identical question within the pacing time gets the same answer again."""

    def __init__(
        self, *, ib: TappedIB, requests: Requests, contracts: ContractBook, clock: Clock, calendar: SessionCalendar
    ) -> None:
        """Start with nothing asked."""
        self._ib = ib
        self._requests = requests
        self._contracts = contracts
        self._clock = clock
        self._calendar = calendar
        self._answers: dict[tuple[InstrumentKey, int], tuple[datetime, tuple[DailyClose, ...]]] = {}

    async def daily_closes(self, instrument: Instrument, sessions: int) -> tuple[DailyClose, ...]:
        """Return the last finished sessions, at most ``sessions`` of them.

        Raises:
            ConnectivityError: No answer in time, or the broker asks to come again.
            BrokerRejectedError: The broker refuses or has none.
        """
        asked = self._answers.get((instrument.key, sessions))
        if asked is not None and (self._clock.now() - asked[0]).total_seconds() < SAME_REQUEST_S:
            return asked[1]
        contract = traded(await self._contracts.qualify(instrument))
        bars = await self._requests.ask(
            f"daily closes of {instrument.key}",
            lambda req_id: self._ib.client.reqHistoricalData(
                req_id, contract, "", duration_for(sessions), "1 day", "TRADES", True, 1, False, []
            ),
        )
        closes = finished_closes(bars, self._clock.now(), self._calendar)[-sessions:]
        if not closes:
            raise BrokerRejectedError(f"daily closes of {instrument.key}: the broker has none")
        self._answers[instrument.key, sessions] = (self._clock.now(), closes)
        return closes


def duration_for(sessions: int) -> str:
    """Return a duration that holds at least so many sessions, in the broker's words.

    >>> duration_for(90), duration_for(400)
    ('154 D', '2 Y')
    """
    days = math.ceil(sessions * _DAYS_PER_SESSION) + _SPARE_DAYS
    return f"{days} D" if days <= _LONGEST_IN_DAYS else f"{math.ceil(days / _LONGEST_IN_DAYS)} Y"


def finished_closes(bars: Iterable[BarData], now: datetime, calendar: SessionCalendar) -> tuple[DailyClose, ...]:
    """Return the closes of sessions that ended by ``now``, ascending; a bar without a real close is left out."""
    closes = {}
    for bar in bars:
        day = _day_of(bar.date)
        session = calendar.session(day)
        if session is not None and session.closes_at <= now and math.isfinite(bar.close) and bar.close > 0:
            closes[day] = DailyClose(day=day, close=bar.close)
    return tuple(closes[day] for day in sorted(closes))


def _day_of(told: date | datetime) -> date:
    """Return the day of a bar: daily bars carry a date, told as a moment by some servers."""
    if isinstance(told, datetime):
        return told.astimezone(_NEW_YORK).date() if told.tzinfo else told.date()
    return told
