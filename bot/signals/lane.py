"""One index as it ticks: its last good level, and whether the next tick can be believed."""

import math
import sys
from enum import IntEnum
from typing import Final

NEVER: Final = -(1 << 62)
"""Before every moment that nanoseconds since 1970 can name, also after adding a limit to it."""

_BAND_SHARE: Final = 0.99  # keeps the band of quick acceptance clear of rounding at the limit of a jump


class Judgement(IntEnum):
    """What becomes of a tick."""

    INVALID = 0
    """No index could have this level: the tick changes nothing."""
    HELD = 1
    """Possible, but the first of a session or a jump: it waits for a second one near it."""
    GOOD = 2


class IndexLane:
    """The last good level of one index.

    How it works: a level within ``low`` and ``high`` is good whatever good level came before it, because both lie in
    one band too narrow for a jump; outside it `judge` compares with the last good level itself. While a tick is held,
    and before the first good one, the band is empty, so that every tick is judged.

    Attributes:
        level: Last good level of the session, NaN before the first one.
        at: When the last tick came that an index could have sent, nanoseconds since 1970 UTC.
        changed_at: When the good level last changed.
        is_fed: A good level came since the smoothing of the session began.
        feeds_spread: The index is RVX or VIX.
    """

    __slots__ = (
        *("_band_frac", "_confirm_frac", "_held", "_highest", "_jump_frac"),
        *("at", "changed_at", "feeds_spread", "high", "is_fed", "level", "low"),
    )

    _held: float

    def __init__(self, *, jump_frac: float, confirm_frac: float, max_level: float | None) -> None:
        """Take the limits; ``max_level`` is None for an index that is no part of the spread."""
        self._jump_frac = jump_frac
        self._confirm_frac = confirm_frac
        self._highest = sys.float_info.max if max_level is None else max_level
        self._band_frac = _BAND_SHARE * jump_frac / (2.0 + jump_frac)  # (1 + w) - (1 - w) <= jump (1 - w)
        self.feeds_spread = max_level is not None
        self.clear()

    def clear(self) -> None:
        """Forget the session before: its first tick needs a second one."""
        self.level = math.nan
        self.at = NEVER
        self.changed_at = NEVER
        self.is_fed = False
        self._hold(0.0)

    def judge(self, level: float) -> Judgement:
        """Judge one tick; a held one is remembered, a good one takes the place of what was held."""
        if not 0.0 < level <= self._highest:
            return Judgement.INVALID
        held = self._held
        is_second = held > 0.0 and abs(level - held) <= self._confirm_frac * held
        if is_second or abs(level - self.level) <= self._jump_frac * self.level:
            self._held = 0.0
            self.low = level * (1.0 - self._band_frac)
            self.high = min(level * (1.0 + self._band_frac), self._highest)
            return Judgement.GOOD
        self._hold(level)
        return Judgement.HELD

    def accept(self, level: float, at_ns: int) -> None:
        """Take a good level."""
        if level != self.level:
            self.level = level
            self.changed_at = at_ns

    def _hold(self, level: float) -> None:
        """Remember a level that waits for a second one, zero for none, and close the band."""
        self._held = level
        self.low = math.inf
        self.high = -math.inf
