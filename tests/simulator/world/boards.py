"""Option boards read off a floor, as the volatility index needs them."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.domain.instrument import Instrument, Right
from bot.volindex import BoardRow, TermVariance, term_variance, volatility_index
from simulator.floor import Floor
from simulator.universe import Universe

RATE = 0.04
_NEW_YORK = ZoneInfo("America/New_York")


def index_of_board(floor: Floor, universe: Universe, trading_class: str) -> float:
    """Return the index of a class's quotes: the last Friday before and the first from thirty days on, 23 to 37 away."""
    now = floor.now()
    fridays = [day for day in universe.settlements(trading_class) if day in universe.spxw_fridays]
    near = max(day for day in fridays if _minutes(now, day) < 30 * 1440)
    far = min(day for day in fridays if _minutes(now, day) >= 30 * 1440)
    assert _minutes(now, near) > 22.5 * 1440
    assert _minutes(now, far) < 37.5 * 1440
    terms = [_term(floor, universe, trading_class, day, now) for day in (near, far)]
    return volatility_index(*terms).points


def _term(floor: Floor, universe: Universe, trading_class: str, settlement: date, now: datetime) -> TermVariance:
    rows: dict[float, dict[str, float]] = {}
    for option in universe.options(trading_class, settlement):
        quote = floor.quote(option)
        side = "call" if option.right is Right.CALL else "put"
        row = rows.setdefault(_strike(option), {"strike": _strike(option)})
        row |= {f"{side}_bid": float(quote.bid or 0), f"{side}_ask": float(quote.ask or 0)}
    board = [BoardRow(**row) for row in rows.values()]
    return term_variance(board, minutes=_minutes(now, settlement), rate=RATE)


def lowest_bids_are_two_zeros(floor: Floor, universe: Universe, trading_class: str, settlement: date) -> bool:
    """Return whether the two lowest puts of a board have no bid: the wing ends as in reality."""
    puts = [each for each in universe.options(trading_class, settlement) if each.right is Right.PUT]
    return all(floor.quote(put).bid is None for put in puts[:2])


def _minutes(now: datetime, settlement: date) -> float:
    """Return the minutes to the close of a settlement day."""
    return (datetime.combine(settlement, time(16), tzinfo=_NEW_YORK) - now) / timedelta(minutes=1)


def _strike(option: Instrument) -> float:
    return float(option.strike or 0)
