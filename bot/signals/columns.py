"""The live rule over arrays of ticks: per tick the same states as `DispersionTracker`, at the speed of numpy.

How it works. A session is scanned as columns, and the scan knows a bound for its own rounding. Where a comparison is
nearer than that bound, or a tick needs judging against its neighbours, the scan gives no answer and the tracker
itself goes through the session. What always holds: state and due of every tick are the tracker's; the peak of an
episode agrees to the bound, far below what a plan could notice.

Source: docs/methodology.md, M1.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.domain.errors import InvalidValueError
from bot.domain.instrument import RUT, RVX, SPX, VIX, InstrumentKey
from bot.domain.market import DataType
from bot.domain.readings import Episode, SignalState
from bot.domain.schedule import Session
from bot.signals.baseline import BaselineRow, thresholds_of
from bot.signals.column_scan import scan_session
from bot.signals.column_ticks import Columns, Standing, Window
from bot.signals.dispersion import NS_PER_S, DispersionTracker, nanoseconds_of
from bot.signals.settings import DispersionSettings

KEY_CODES: Final[Mapping[InstrumentKey, int]] = {SPX.key: 0, RUT.key: 1, VIX.key: 2, RVX.key: 3}
"""The index of a tick as a small number; any other number is an index that the signal ignores."""

STATE_CODES: Final[Mapping[SignalState, int]] = {SignalState.UNDEFINED: 0, SignalState.CALM: 1, SignalState.BLOWOUT: 2}

_KEYS: Final = tuple(KEY_CODES)
_UNKNOWN: Final = InstrumentKey("")
_DATA_TYPES: Final = {int(kind): kind for kind in DataType}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TickColumns:
    """Ticks in the order in which they arrived, shape (n,) each."""

    key_code: NDArray[np.int8]  # of `KEY_CODES`
    level: NDArray[np.float64]  # index points
    at_ns: NDArray[np.int64]  # since 1970 UTC
    data_type: NDArray[np.int8]  # of `DataType`

    def __post_init__(self) -> None:
        """Reject columns of different lengths or kinds."""
        wanted = {"key_code": np.int8, "level": np.float64, "at_ns": np.int64, "data_type": np.int8}
        for name, dtype in wanted.items():
            column = getattr(self, name)
            if column.dtype != dtype or column.shape != (len(self.level),):
                raise InvalidValueError(
                    f"{name} must be {np.dtype(dtype)} of shape ({len(self.level)},), "
                    f"was {column.dtype} of shape {column.shape}"
                )

    def part(self, begin: int, end: int) -> "TickColumns":
        """Return the ticks from ``begin`` up to ``end``, as views."""
        return TickColumns(
            key_code=self.key_code[begin:end],
            level=self.level[begin:end],
            at_ns=self.at_ns[begin:end],
            data_type=self.data_type[begin:end],
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SignalColumns:
    """What the tracker says of each tick, shape (n,) each."""

    states: NDArray[np.int8]  # of `STATE_CODES`, after the tick
    due: NDArray[np.bool_]  # what `on_tick` returns
    sessions_by_tick: int  # sessions that were followed tick by tick, because the scan was not certain


class ColumnarDispersion:
    """Scans one session after another; an episode goes on from one to the next."""

    def __init__(self, settings: DispersionSettings) -> None:
        """Start without an episode."""
        self._settings = settings
        self._episode: Episode | None = None

    @property
    def episode(self) -> Episode | None:
        """The blowout under way after the last session."""
        return self._episode

    def restore(self, episode: Episode | None) -> None:
        """Take the episode that is under way before the next session."""
        self._episode = episode

    def scan(self, session: Session, baseline: Iterable[BaselineRow], ticks: TickColumns) -> SignalColumns:
        """Return states and dues of the ticks of one session; the arguments are those of `open_session`."""
        rows = tuple(baseline)
        opens_ns = nanoseconds_of(session.opens_at)
        found = scan_session(
            Columns(ticks.key_code, ticks.level, ticks.at_ns, ticks.data_type),
            Window(
                opens_ns=opens_ns,
                start_ns=opens_ns + round(self._settings.start_delay_s * NS_PER_S),
                closes_ns=nanoseconds_of(session.closes_at),
            ),
            thresholds_of(rows, session.day, self._settings),
            Standing(
                in_blowout=self._episode is not None,
                peak=0.0 if self._episode is None else self._episode.peak_excess,
                is_new=False,
            ),
            self._settings,
        )
        if found is None:
            return self._follow(session, rows, ticks)
        after = found.standing
        if not after.in_blowout:
            self._episode = None
        else:
            began_on = session.day if after.is_new or self._episode is None else self._episode.began_on
            self._episode = Episode(began_on=began_on, peak_excess=after.peak)
        return SignalColumns(states=found.states, due=found.due, sessions_by_tick=0)

    def _follow(self, session: Session, rows: Sequence[BaselineRow], ticks: TickColumns) -> SignalColumns:
        """Ask the tracker, tick by tick."""
        tracker = DispersionTracker(self._settings)
        tracker.restore(self._episode)
        tracker.open_session(session, rows)
        states = np.zeros(len(ticks.level), dtype=np.int8)
        due = np.zeros(len(ticks.level), dtype=np.bool_)
        columns = (ticks.key_code.tolist(), ticks.level.tolist(), ticks.at_ns.tolist(), ticks.data_type.tolist())
        for i, (code, level, at_ns, kind) in enumerate(zip(*columns, strict=True)):
            key = _KEYS[code] if 0 <= code < len(_KEYS) else _UNKNOWN
            due[i] = tracker.on_tick(key, level, at_ns, _DATA_TYPES.get(kind, DataType.DELAYED))
            states[i] = STATE_CODES[tracker.state]
        self._episode = tracker.episode
        return SignalColumns(states=states, due=due, sessions_by_tick=1)


def scan_sessions(
    scanner: ColumnarDispersion,
    openings: Sequence[tuple[Session, Sequence[BaselineRow]]],
    ticks: TickColumns,
) -> SignalColumns:
    """Scan the ticks of many sessions, as if each were opened just before the first tick at or after its open.

    Args:
        scanner: Carries the episode; it is left as it stands after the last session.
        openings: Sessions and their baselines, ascending.
        ticks: Of all sessions; those before the first session count for nothing.

    Raises:
        InvalidValueError: The sessions do not ascend.
    """
    opens = np.array([nanoseconds_of(session.opens_at) for session, _ in openings], dtype=np.int64)
    if len(opens) > 1 and not (np.diff(opens) > 0).all():
        raise InvalidValueError("sessions must ascend, each once: sort them by day")
    reached = np.maximum.accumulate(ticks.at_ns)  # a tick that comes late belongs to the session that is open
    bounds = [*np.searchsorted(reached, opens).tolist(), len(reached)]
    states = np.zeros(len(reached), dtype=np.int8)
    due = np.zeros(len(reached), dtype=np.bool_)
    by_tick = 0
    for (session, baseline), begin, end in zip(openings, bounds, bounds[1:], strict=False):
        found = scanner.scan(session, baseline, ticks.part(begin, end))
        states[begin:end], due[begin:end] = found.states, found.due
        by_tick += found.sessions_by_tick
    return SignalColumns(states=states, due=due, sessions_by_tick=by_tick)
