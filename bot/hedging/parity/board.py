"""What parity is judged on: the pairs of one settlement that can be traded now, and the future beside them.

How it works: a pair counts when call and put are both bid for, offered, not crossed, live and fresh. Everything else
is left out and counted, for a bound that rests on a dead quote is worse than none.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Final

from bot.domain.checks import require_finite, require_not_negative, require_positive, require_text
from bot.domain.errors import InvalidValueError
from bot.domain.instrument import Instrument, InstrumentKey, Kind, Right
from bot.domain.market import DataType, Quote
from bot.domain.schedule import NEW_YORK
from bot.domain.snapshot import Snapshot
from bot.hedging.parity.settings import ParitySettings
from bot.pricing import DAYS_PER_YEAR

OPTION_CLASSES: Final = frozenset({"SPX", "SPXW", "RUT", "RUTW"})
MORNING_CLASSES: Final = frozenset({"SPX", "RUT"})
FUTURES_OF: Final[Mapping[str, tuple[str, ...]]] = {"SPX": ("ES", "MES"), "RUT": ("RTY", "M2K")}
"""Futures that settle on the same opening prices as a morning class, the larger first."""

_MORNING: Final = time(9, 30)
_AFTERNOON: Final = time(16, 0)
_CLOCK_SLACK_S: Final = 1.0  # a receive time this far ahead is rounding, not a wrong clock
_NS: Final = 1_000_000_000
_SECONDS_PER_YEAR: Final = DAYS_PER_YEAR * 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ParityRow:
    """Call and put of one strike as they can be traded, in points.

    ``long_size`` is for how many contracts the forward can be bought (call at its ask, put at its bid), ``short_size``
    for how many it can be sold.
    """

    strike: float
    call_bid: float
    call_ask: float
    put_bid: float
    put_ask: float
    long_size: int = 1
    short_size: int = 1

    def __post_init__(self) -> None:
        """Reject prices that nobody could trade at."""
        require_positive(strike=self.strike, call_bid=self.call_bid, put_bid=self.put_bid)
        require_finite(call_ask=self.call_ask, put_ask=self.put_ask)
        require_not_negative(long_size=self.long_size, short_size=self.short_size)
        if self.call_bid > self.call_ask or self.put_bid > self.put_ask:
            raise InvalidValueError(f"strike {self.strike:g}: a bid above its ask is crossed, no market to judge")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParityFuture:
    """The future of the same settlement: both sides in index points, contracts there, USD per point."""

    trading_class: str
    bid: float
    ask: float
    bid_size: int
    ask_size: int
    multiplier: int

    def __post_init__(self) -> None:
        """Reject a future that could not be traded."""
        require_text(trading_class=self.trading_class)
        require_positive(bid=self.bid, ask=self.ask, multiplier=self.multiplier)
        require_not_negative(bid_size=self.bid_size, ask_size=self.ask_size)
        if self.bid > self.ask:
            raise InvalidValueError(f"{self.trading_class}: bid {self.bid:g} above ask {self.ask:g} is crossed")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParityBoard:
    """The options of one class and settlement, with the time to it in years and how many strikes were left out."""

    trading_class: str
    settlement: date
    years: float
    rows: tuple[ParityRow, ...]
    future: ParityFuture | None = None
    left_out: int = 0
    multiplier: int = 100  # USD per point of one option

    def __post_init__(self) -> None:
        """Reject a settled board and a strike that stands there twice."""
        require_text(trading_class=self.trading_class)
        require_positive(years=self.years, multiplier=self.multiplier)
        if len({row.strike for row in self.rows}) != len(self.rows):
            raise InvalidValueError(f"{self.trading_class} {self.settlement}: a board must hold each strike once")


def parity_boards(
    snapshot: Snapshot, contracts: Iterable[Instrument], settings: ParitySettings
) -> tuple[ParityBoard, ...]:
    """Return a board for every settlement of the SPX and RUT options among the contracts, the nearest first.

    Args:
        snapshot: The moment with its quotes.
        contracts: Options that are watched, and the futures on stock indices beside them; others are left out, as is
            what has settled.
        settings: Which quotes count.
    """
    known = tuple(contracts)
    chains: dict[tuple[date, str], list[Instrument]] = {}
    for one in known:
        if one.kind is Kind.OPTION and one.trading_class in OPTION_CLASSES and one.settlement is not None:
            chains.setdefault((one.settlement, one.trading_class), []).append(one)
    boards = []
    for (day, trading_class), options in sorted(chains.items()):
        years = _years_to(day, trading_class, snapshot.now)
        if years > 0.0:
            rows, left_out = _rows_of(options, snapshot, settings)
            board = ParityBoard(
                trading_class=trading_class,
                settlement=day,
                years=years,
                rows=rows,
                future=_future_of(trading_class, day, known, snapshot, settings),
                left_out=left_out,
                multiplier=options[0].multiplier,
            )
            boards.append(board)
    return tuple(boards)


def _years_to(day: date, trading_class: str, now: datetime) -> float:
    hour = _MORNING if trading_class in MORNING_CLASSES else _AFTERNOON
    moment = datetime.combine(day, hour, tzinfo=NEW_YORK).astimezone(UTC)
    return (moment - now.astimezone(UTC)).total_seconds() / _SECONDS_PER_YEAR


def _rows_of(
    options: Iterable[Instrument], snapshot: Snapshot, settings: ParitySettings
) -> tuple[tuple[ParityRow, ...], int]:
    """Return the pairs that count, ascending by strike, and how many strikes do not."""
    pairs: dict[float, dict[Right, InstrumentKey]] = {}
    for option in options:
        if option.right is not None:
            pairs.setdefault(float(option.strike or 0), {})[option.right] = option.key
    rows = []
    for strike, keys in sorted(pairs.items()):
        call, put = (_good(keys.get(right), snapshot, settings) for right in (Right.CALL, Right.PUT))
        if call is not None and put is not None:
            rows.append(_row_of(strike, call, put))
    return tuple(rows), len(pairs) - len(rows)


def _row_of(strike: float, call: Quote, put: Quote) -> ParityRow:
    return ParityRow(
        strike=strike,
        call_bid=call.bid or 0.0,
        call_ask=call.ask or 0.0,
        put_bid=put.bid or 0.0,
        put_ask=put.ask or 0.0,
        long_size=min(call.ask_size, put.bid_size),
        short_size=min(call.bid_size, put.ask_size),
    )


def _good(key: InstrumentKey | None, snapshot: Snapshot, settings: ParitySettings) -> Quote | None:
    """Return a quote that can be traded now, else None."""
    quote = None if key is None else snapshot.quotes.get(key)
    if quote is None or quote.data_type is not DataType.LIVE or quote.bid is None or quote.ask is None:
        return None
    age_s = snapshot.now.astimezone(UTC).timestamp() - quote.at_ns / _NS
    is_fresh = -_CLOCK_SLACK_S <= age_s <= settings.max_quote_age_s
    has_sizes = quote.bid_size > 0 and quote.ask_size > 0
    return quote if is_fresh and has_sizes and 0.0 < quote.bid <= quote.ask < math.inf else None


def _future_of(
    trading_class: str, day: date, known: Iterable[Instrument], snapshot: Snapshot, settings: ParitySettings
) -> ParityFuture | None:
    """Return the first future of the same settlement with a good quote; only morning classes have one."""
    names = FUTURES_OF.get(trading_class, ())
    futures = {one.trading_class: one for one in known if one.kind is Kind.FUTURE and one.settlement == day}
    for name in names:
        quote = _good(futures[name].key, snapshot, settings) if name in futures else None
        if quote is not None:
            return ParityFuture(
                trading_class=name,
                bid=quote.bid or 0.0,
                ask=quote.ask or 0.0,
                bid_size=quote.bid_size,
                ask_size=quote.ask_size,
                multiplier=futures[name].multiplier,
            )
    return None
