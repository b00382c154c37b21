"""Which settlement a purchase goes to: nearest thirty days, then at most one step around scheduled releases.

How it works: the base choice comes from the days to settlement alone. A release that follows soon after it moves the
choice one step forward; a spread that is on its way home moves it one step back. What always holds: the choice is a
function of what it is given, asked at a purchase or a roll and never afterwards, so that time alone moves nothing; and
a schedule that is not known shifts nothing and is named.

Source: docs/methodology.md, M6.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from bot.domain.checks import require_aware
from bot.domain.releases import Release, ReleaseKind, ReleaseTable
from bot.domain.schedule import NEW_YORK, OPENS, SessionCalendar
from bot.domain.shifts import Direction, Offered, Shift, ShiftInputs
from bot.hedging.shifting.half_life import half_life_sessions
from bot.hedging.shifting.settings import TimeShiftSettings

SHIFTING_KINDS: Final = (ReleaseKind.FOMC, ReleaseKind.CPI)
"""PPI breaks ties between settlements as near and shifts nothing."""


def choose_settlement(
    offered: Iterable[Offered],
    now: datetime,
    table: ReleaseTable,
    dispersion: ShiftInputs,
    settings: TimeShiftSettings,
    *,
    joined: date | None = None,
    calendar: SessionCalendar | None = None,
) -> Shift:
    """Return the settlement of a purchase or roll that is made now.

    Args:
        offered: Settlements that can be bought, any order; one listed twice is monthly if either says so.
        now: Aware; days count from its New York date.
        table: Scheduled releases.
        dispersion: For the backward step; empty inputs take none.
        settings: The numbers of the rule.
        joined: The short layer's settlement. Where it is offered and within the two ranges it is the base choice: the
            overlay goes into the short layer (M4).
        calendar: Trading sessions; those of the exchange by default.

    Raises:
        InvalidValueError: A time without a zone, or a release in a year that the calendar does not know.

    Source: docs/methodology.md, M6.
    """
    require_aware(now=now)
    chooser = _Chooser(
        offered=_once_each(offered),
        today=now.astimezone(NEW_YORK).date(),
        table=table,
        dispersion=dispersion,
        settings=settings,
        calendar=calendar or SessionCalendar(),
    )
    base, unknown = chooser.base(joined)
    if base is None:
        return Shift(base=None, settlement=None, direction=Direction.NONE, because=chooser.why_no_base())
    return chooser.shifted(base, unknown)


def settles_at(day: date) -> datetime:
    """Return the moment at which a VIX contract settles: the open of its settlement day.

    An FOMC decision at 14:00 of that day comes after it.

    >>> settles_at(date(2027, 3, 17)).isoformat()
    '2027-03-17T09:30:00-04:00'

    Source: docs/contracts.md, the settlement rule.
    """
    return datetime.combine(day, OPENS, tzinfo=NEW_YORK)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chooser:
    """One choice under way; ``offered`` ascends, each day once."""

    offered: tuple[Offered, ...]
    today: date
    table: ReleaseTable
    dispersion: ShiftInputs
    settings: TimeShiftSettings
    calendar: SessionCalendar

    # the base choice ------------------------------------------------------------------------------------------

    def base(self, joined: date | None) -> tuple[date | None, tuple[ReleaseKind, ...]]:
        """The base choice, and PPI where a tie could not be broken for want of its schedule."""
        ranges = (self.settings.days_range, self.settings.later_days_range)
        in_ranges = [[one for one in self.offered if low <= self._days(one.day) <= high] for low, high in ranges]
        if any(one.day == joined for within in in_ranges for one in within):
            return joined, ()
        nearest = next((self._nearest(within) for within in in_ranges if within), [])
        if len(nearest) < 2:
            return (nearest[0].day if nearest else None), ()
        unknown = () if all(self._knows(ReleaseKind.PPI, one.day) for one in nearest) else (ReleaseKind.PPI,)
        if unknown:
            return nearest[0].day, unknown
        return min(nearest, key=lambda one: (len(self._following((ReleaseKind.PPI,), one.day)), one.day)).day, ()

    def _nearest(self, within: Sequence[Offered]) -> list[Offered]:
        """The settlements nearest to the ideal, monthlies alone where there is one; ascending."""
        best = min(self._rank(one) for one in within)
        return [one for one in within if self._rank(one) == best]

    def _rank(self, one: Offered) -> tuple[int, bool]:
        return abs(self._days(one.day) - self.settings.ideal_days), not one.is_monthly

    def why_no_base(self) -> str:
        """Say which ranges are empty."""
        (low, high), (later, latest) = self.settings.days_range, self.settings.later_days_range
        return f"none of {len(self.offered)} offered settlements is {low} to {high} or {later} to {latest} days away"

    # the one step ---------------------------------------------------------------------------------------------

    def shifted(self, base: date, unknown: tuple[ReleaseKind, ...]) -> Shift:
        """The base choice after at most one step."""
        unknown = (*unknown, *(kind for kind in SHIFTING_KINDS if not self._knows(kind, base)))
        following = self._following(SHIFTING_KINDS, base)
        for release in reversed(following):  # the last one first: one step that outlives all of them
            target = self._first_after(release)
            if target is not None:
                return self._forward(base, target, release, unknown)
        if following:
            return self._stay(base, unknown, self._why_no_expiry(following[0], base), release=following[0])
        return self._backward(base, unknown)

    def _forward(self, base: date, target: date, release: Release, unknown: tuple[ReleaseKind, ...]) -> Shift:
        because = (
            f"{release} comes {_distance(release, base)}: moved forward to {target}, {self._days(target)} days away"
        )
        return Shift(
            base=base,
            settlement=target,
            direction=Direction.FORWARD,
            because=because + _coverage_unknown(unknown),
            uncovered=unknown,
            release=release,
        )

    def _backward(self, base: date, unknown: tuple[ReleaseKind, ...]) -> Shift:
        """The nearest earlier expiry; any other before it has fewer days and as many releases in between."""
        earlier = max((one.day for one in self.offered if self._is_earlier(one.day, base)), default=None)
        if earlier is None:
            return self._stay(base, unknown, self._why_base(base))
        known_to = self._window_end(base)
        hidden = [kind for kind in SHIFTING_KINDS if not self.table.covers(kind, earlier, known_to)]
        unknown = (*unknown, *(kind for kind in hidden if kind not in unknown))
        may_step, why = (
            (False, f"not every release to {known_to} is known") if hidden else self._way_back(earlier, base)
        )
        if not may_step:
            return self._stay(base, unknown, f"{self._why_base(base)}; not back to {earlier}: {why}")
        return Shift(
            base=base,
            settlement=earlier,
            direction=Direction.BACKWARD,
            because=f"{why}: moved back from {base} to {earlier}, {self._days(earlier)} days away"
            + _coverage_unknown(unknown),
            uncovered=unknown,
        )

    def _is_earlier(self, day: date, base: date) -> bool:
        return day < base and self._days(day) >= self.settings.days_range[0]

    def _way_back(self, earlier: date, base: date) -> tuple[bool, str]:
        """Whether the step back may be taken, and the first obstacle or the figures that allow it."""
        between = self.table.between(SHIFTING_KINDS, settles_at(earlier), settles_at(base))
        if between:
            return False, f"{between[0]} lies between the two"
        is_off_peak, fall = self._fall_from_peak()
        if not is_off_peak:
            return False, fall
        is_fast, pace = self._pace(self._days(earlier))
        return is_fast, f"no release lies between, {fall} and {pace}" if is_fast else pace

    def _fall_from_peak(self) -> tuple[bool, str]:
        spread, peak = self.dispersion.spread, self.dispersion.peak_spread
        if spread is None:
            return False, "the spread is unknown"
        if peak is None:
            return False, "there is no episode whose peak it could have left"
        least = self.settings.off_peak_frac
        found = f"the spread of {spread:.2f} points stands {1.0 - spread / peak:.1%} below its peak of {peak:.2f}"
        is_off_peak = spread <= (1.0 - least) * peak
        return is_off_peak, found if is_off_peak else f"{found}, {least:.1%} are needed"

    def _pace(self, days: int) -> tuple[bool, str]:
        """Whether the deviation of the spread halves within the allowed part of so many days."""
        needed = self.settings.half_life_sessions
        closes = self.dispersion.closing_spreads[-needed:]
        if len(closes) < needed:
            return False, f"the half-life needs {needed} closing spreads, there are {len(closes)}"
        sessions = half_life_sessions(closes)
        if sessions is None:
            return False, f"the last {needed} closing spreads show no return to their mean"
        half_life_days = sessions * self.settings.days_per_session
        most = self.settings.max_half_life_frac * days
        found = f"half of its deviation is gone after {half_life_days:.1f} days"
        is_fast = half_life_days <= most
        return is_fast, found if is_fast else f"{found}, at most {most:.1f} of its {days} days are allowed"

    def _stay(
        self, base: date, unknown: tuple[ReleaseKind, ...], because: str, release: Release | None = None
    ) -> Shift:
        return Shift(
            base=base,
            settlement=base,
            direction=Direction.NONE,
            because=because + _coverage_unknown(unknown),
            uncovered=unknown,
            release=release,
        )

    def _why_base(self, base: date) -> str:
        return (
            f"{base} settles in {self._days(base)} days, and no known FOMC decision or CPI release comes in the "
            f"{self.settings.event_window_days} days after it"
        )

    def _why_no_expiry(self, release: Release, base: date) -> str:
        latest = self.settings.later_days_range[1]
        return (
            f"{release} comes {_distance(release, base)}, but no expiry within {latest} days settles a trading day "
            f"after it: stays at {base}"
        )

    # releases and expiries ------------------------------------------------------------------------------------

    def _following(self, kinds: Sequence[ReleaseKind], base: date) -> tuple[Release, ...]:
        """The releases after a settlement at the open, up to the end of the last New York day of the window."""
        until = datetime.combine(self._window_end(base), time.max, tzinfo=NEW_YORK)
        return self.table.between(kinds, settles_at(base), until)

    def _knows(self, kind: ReleaseKind, base: date) -> bool:
        return self.table.covers(kind, base, self._window_end(base))

    def _window_end(self, base: date) -> date:
        return base + timedelta(days=self.settings.event_window_days)

    def _first_after(self, release: Release) -> date | None:
        """The first expiry that settles a trading day after a release or later, None where none is within reach."""
        least = self.calendar.next_session(release.day).day
        within = (one.day for one in self.offered if self._days(one.day) <= self.settings.later_days_range[1])
        return next((day for day in within if day >= least), None)

    def _days(self, day: date) -> int:
        return (day - self.today).days


def _distance(release: Release, base: date) -> str:
    days = (release.day - base).days
    if days == 0:
        return f"hours after {base} settles at the open"
    return f"{days} {'day' if days == 1 else 'days'} after {base} settles"


def _once_each(offered: Iterable[Offered]) -> tuple[Offered, ...]:
    is_monthly: dict[date, bool] = {}
    for one in offered:
        is_monthly[one.day] = one.is_monthly or is_monthly.get(one.day, False)
    return tuple(Offered(day=day, is_monthly=is_monthly[day]) for day in sorted(is_monthly))


def _coverage_unknown(unknown: Sequence[ReleaseKind]) -> str:
    return f"; coverage unknown: {', '.join(unknown)}" if unknown else ""
