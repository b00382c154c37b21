"""The freeze before the gateway's daily restart: when it is, and when the books count as compared again.

How it works: from some minutes before the restart on nothing new leaves. The freeze ends with a comparison of the books
without difference, once the link has come back at or after the restart; if it never went down, with the first one after
the window in which restarts happen. What always holds: a lost or restored link asks for a comparison of its own, frozen
or not, and only a comparison ends either.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.domain.checks import require_aware, require_positive
from bot.domain.errors import InvalidValueError
from bot.domain.hours import zone_named

LONGEST = timedelta(hours=12)
"""A freeze that is longer than half a day would leave too little of the day to be any use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """One restart with the stretch around it in which nothing new leaves."""

    begins_at: datetime
    restarts_at: datetime
    ends_at: datetime  # of the window in which the link goes down, if it does

    def __post_init__(self) -> None:
        """Reject naive times and a freeze that does not run forward."""
        require_aware(begins_at=self.begins_at, restarts_at=self.restarts_at, ends_at=self.ends_at)
        if not self.begins_at <= self.restarts_at <= self.ends_at:
            raise InvalidValueError(f"a freeze begins at {self.begins_at}, restarts and ends after it")

    def is_over(self, *, restored_at: datetime | None, compared_at: datetime) -> bool:
        """Return whether a comparison at a moment ends it, given when the link came up last."""
        has_come_back = restored_at is not None and restored_at >= self.restarts_at
        return has_come_back or compared_at >= self.ends_at


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayRestart:
    """The hour of the gateway's daily restart, as the operator has set it there."""

    at: time  # in the zone's local time, on each day
    zone: ZoneInfo
    before_s: float
    window_s: float

    def __post_init__(self) -> None:
        """Reject stretches that are none, or that fill the day."""
        require_positive(before_s=self.before_s, window_s=self.window_s)
        if timedelta(seconds=self.before_s + self.window_s) > LONGEST:
            raise InvalidValueError(f"a freeze lasts {LONGEST} at most, was {self.before_s} and {self.window_s} s")

    @classmethod
    def told(cls, at: str, zone: str, *, before_s: float, window_s: float) -> "GatewayRestart | None":
        """Return the restart of a text HH:MM, None where it is empty.

        Raises:
            InvalidValueError: Time or zone cannot be read, or the stretches are none.
        """
        place = zone_named(zone)
        if place is None:
            raise InvalidValueError(f"the restart's zone must be a name as America/New_York, was {zone!r}")
        if not at:
            return None
        try:
            hour, minute = (int(part) for part in at.split(":"))
            return cls(at=time(hour, minute), zone=place, before_s=before_s, window_s=window_s)
        except InvalidValueError:
            raise
        except ValueError as error:
            raise InvalidValueError(f"the restart must be a time HH:MM or empty, was {at!r}") from error

    def freeze_at(self, now: datetime) -> Freeze:
        """Return the freeze that is under way at a moment, else the next one.

        >>> rule = GatewayRestart.told("23:45", "America/New_York", before_s=600.0, window_s=7200.0)
        >>> freeze = rule.freeze_at(datetime(2026, 11, 20, 12, tzinfo=UTC))
        >>> freeze.begins_at.isoformat(), freeze.ends_at.isoformat()
        ('2026-11-21T04:35:00+00:00', '2026-11-21T06:45:00+00:00')
        """
        day = now.astimezone(self.zone).date() - timedelta(days=1)
        while (freeze := self._around(datetime.combine(day, self.at, tzinfo=self.zone))).ends_at <= now:
            day += timedelta(days=1)
        return freeze

    def _around(self, restart: datetime) -> Freeze:
        """The stretches are counted in real seconds, so that a change of the clocks makes none of them longer."""
        restarts_at = restart.astimezone(UTC)
        return Freeze(
            begins_at=restarts_at - timedelta(seconds=self.before_s),
            restarts_at=restarts_at,
            ends_at=restarts_at + timedelta(seconds=self.window_s),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Whether the broker's books and ours count as compared; begins with nothing compared."""

    is_compared: bool = False  # since the link came up last
    restored_at: datetime | None = None
    freeze: Freeze | None = None

    @property
    def is_reconciling(self) -> bool:
        """Nothing new may leave."""
        return not self.is_compared or self.freeze is not None

    def lost(self) -> "Agreement":
        """The link is gone: what was compared counts no more."""
        return replace(self, is_compared=False)

    def restored(self, at: datetime) -> "Agreement":
        """The link is there again, and not compared yet."""
        return replace(self, is_compared=False, restored_at=at)

    def frozen(self, freeze: Freeze) -> "Agreement":
        """A freeze begins."""
        return replace(self, freeze=freeze)

    def compared(self, at: datetime, *, differs: bool) -> "Agreement":
        """The books were compared; what still differs ends no freeze."""
        freeze = self.freeze
        if freeze is not None and not differs and freeze.is_over(restored_at=self.restored_at, compared_at=at):
            freeze = None
        return replace(self, is_compared=True, freeze=freeze)
