"""What a recording of market data holds: where it began, its moments with the indices, quotes, and earlier closes.

How it works. A recording counts its moments from zero; every quote names the moment at which it was told. A quote that
was streamed or asked for by a new watcher holds until the next one of its contract; a quote told once holds at its
moment alone, because nobody looked afterwards. Between two moments nothing changed.
"""

from array import array
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final

from bot.domain.checks import require_aware
from bot.domain.errors import InvalidValueError
from bot.domain.instrument import InstrumentKey

RECORDED_INDICES: Final = ("SPX", "RUT", "VIX", "RVX", "RUT_VOL")
"""The series of a moment; RUT_VOL is what stands behind RVX while that is not published, in a simulated world."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class Told(StrEnum):
    """How a quote came to be told."""

    STREAMED = "streamed"  # to who watches, because something changed; holds until the next
    ASKED = "asked"  # to a new watcher; holds until the next
    ONCE = "once"  # without watching, or as the last one of a watch; holds at its moment alone


class Door(StrEnum):
    """Where a recorder stood."""

    FLOOR = "floor"  # before a simulated floor: what is not recorded is known to the model
    PORT = "port"  # at the bot's own market data: nothing else is known


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedWorld:
    """The simulated world behind a recording at the floor: enough to list and price what was not recorded.

    ``spx`` and ``rut`` are the bounds (index points), ``first`` and ``last`` the days for which contracts are listed.
    """

    first: date
    last: date
    spx: tuple[float, float]
    rut: tuple[float, float]
    seed: int
    step_s: int
    night_step_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingHead:
    """Where and when a recording began; ``world`` belongs to a recording at the floor."""

    began_at: datetime
    door: Door
    world: RecordedWorld | None = None

    def __post_init__(self) -> None:
        """Reject a naive time, and a floor without its world."""
        require_aware(began_at=self.began_at)
        if (self.door is Door.FLOOR) != (self.world is not None):
            raise InvalidValueError(f"a recording at the {self.door}: the floor has a world, the port has none")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedDay:
    """One finished session of one index before the recording, in index points."""

    symbol: str
    day: date
    close: float
    open: float | None = None
    high: float | None = None
    low: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedQuote:
    """One quote as it was told; prices in points, sizes in contracts, None what was not told.

    The fields are those of the simulator's quotes; a bot's own quotes fill sides, sizes and an index's ``last``.
    """

    moment: int
    told: Told
    key: InstrumentKey
    at: datetime  # aware UTC, to the microsecond
    bid: float | None = None
    ask: float | None = None
    bid_size: int = 0
    ask_size: int = 0
    last: float | None = None
    last_size: int = 0
    open: float | None = None
    high: float | None = None
    low: float | None = None
    volume: int = 0
    close: float | None = None
    open_interest: int | None = None
    is_halted: bool = False
    model_iv: float | None = None
    model_delta: float | None = None
    model_gamma: float | None = None
    model_vega: float | None = None
    model_theta: float | None = None
    model_price: float | None = None
    underlying_price: float | None = None
    historical_vol: float | None = None
    implied_vol: float | None = None


@dataclass(frozen=True, slots=True)
class RecordedMoments:
    """All moments of a recording as columns of equal length; times in microseconds since 1970 UTC, ascending.

    ``levels`` holds one column for each of `RECORDED_INDICES`, in index points, NaN where the index was not known.
    """

    at_us: "array[int]" = field(default_factory=lambda: array("q"))
    levels: "dict[str, array[float]]" = field(default_factory=lambda: {name: array("d") for name in RECORDED_INDICES})
    is_halted: "array[int]" = field(default_factory=lambda: array("b"))

    def __len__(self) -> int:
        """How many there are."""
        return len(self.at_us)

    def at(self, number: int) -> datetime:
        """Return when a moment was, aware UTC."""
        return moment_of(self.at_us[number])


def microseconds(at: datetime) -> int:
    """Return an aware time in microseconds since 1970 UTC, exactly.

    >>> microseconds(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000000
    """
    return (at - _EPOCH) // _MICROSECOND


def moment_of(at_us: int) -> datetime:
    """Return microseconds since 1970 UTC as an aware time, exactly.

    >>> moment_of(1_000_000).isoformat()
    '1970-01-01T00:00:01+00:00'
    """
    return _EPOCH + timedelta(microseconds=at_us)
