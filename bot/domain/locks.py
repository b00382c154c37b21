"""Locks: a halt of one contract, or of the account; which of them end by themselves, and when.

How it works: a difference that nothing explains locks its contract until the books were found to agree about it twice,
some time apart. A latched lock (a foreign fill, a second live order of one intent, an unknown account, or a difference
that lasted too long) ends by a signed unlock alone. What always holds: a lock that is latched stays latched, and what
differs anew begins its two agreements anew.

Source: docs/risk-controls.md, section 2.4.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from bot.domain.checks import require_aware, require_text

ACCOUNT_LOCK = "account"
"""The name of the lock that stops every contract."""

AGREEMENTS_APART = timedelta(seconds=10)
"""Between the two agreements that end a lock: one answer of the broker's may come from a moment that is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """One lock: an instrument's key or the account, why, and since when."""

    name: str
    why: str
    since: datetime
    latched: bool = False  # ends by a signed unlock alone
    agreed_at: datetime | None = None  # when the books first agreed since they last differed

    def __post_init__(self) -> None:
        """Reject a lock without a name, a reason or a zone."""
        require_text(name=self.name, why=self.why)
        require_aware(since=self.since)


@dataclass(frozen=True, slots=True, kw_only=True)
class Locks:
    """All that hold, at most one of a name."""

    held: tuple[Lock, ...] = ()

    @property
    def words(self) -> Mapping[str, str]:
        """Return the reason of each lock by its name."""
        return MappingProxyType({lock.name: lock.why for lock in self.held})

    def of(self, name: str) -> Lock | None:
        """Return the lock of a name."""
        return next((lock for lock in self.held if lock.name == name), None)

    @property
    def passing(self) -> tuple[Lock, ...]:
        """Return those that end when the books agree."""
        return tuple(lock for lock in self.held if not lock.latched)

    def latched(self, names: Iterable[str], why: str, at: datetime) -> "Locks":
        """Return what holds after these were latched; one that was latched before keeps its reason."""
        after = self
        for name in names:
            before = after.of(name)
            if before is None or not before.latched:
                since = at if before is None else before.since
                after = after.taken(Lock(name=name, why=why, since=since, latched=True))
        return after

    def compared(self, differences: Mapping[str, str], at: datetime) -> "Locks":
        """Return what holds after a complete comparison of the books.

        Args:
            differences: What the broker's positions differ by, by instrument key.
            at: When they were compared; aware.
        """
        held = [after for lock in self.held if (after := _compared(lock, differences, at)) is not None]
        known = {lock.name for lock in self.held}
        held += [Lock(name=name, why=why, since=at) for name, why in differences.items() if name not in known]
        return replace(self, held=tuple(held)) if tuple(held) != self.held else self

    def lifted(self, name: str) -> "Locks":
        """Return what holds after a person has taken one away."""
        return replace(self, held=tuple(lock for lock in self.held if lock.name != name))

    def begun_anew(self, at: datetime) -> "Locks":
        """Return the same after a restart: what may end by itself needs both agreements, and its time, anew."""
        held = tuple(lock if lock.latched else replace(lock, since=at, agreed_at=None) for lock in self.held)
        return replace(self, held=held)

    def taken(self, lock: Lock) -> "Locks":
        """Return what holds with this one, in the place of what held under its name."""
        others = tuple(one for one in self.held if one.name != lock.name)
        return replace(self, held=(*others, lock))


def _compared(lock: Lock, differences: Mapping[str, str], at: datetime) -> Lock | None:
    """One lock after a comparison; None when it ends."""
    if lock.latched:
        return lock
    if lock.name in differences:
        return replace(lock, why=differences[lock.name], agreed_at=None)
    if lock.agreed_at is None:
        return replace(lock, agreed_at=at)
    return None if at - lock.agreed_at >= AGREEMENTS_APART else lock


@dataclass(frozen=True, slots=True, kw_only=True)
class LockSteps:
    """What became of locks between two moments, for the journal."""

    taken: tuple[Lock, ...] = ()  # new, or latched from now on
    cleared: tuple[Lock, ...] = ()  # no longer there


def steps_between(before: Locks, after: Locks) -> LockSteps:
    """Return what was taken and what has gone; a lock that only changed its words is neither.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 10, 20, 16, tzinfo=UTC)
    >>> locked = Locks().compared({"VIX 20C": "books say 1, the broker says 2"}, noon)
    >>> [lock.name for lock in steps_between(Locks(), locked).taken]
    ['VIX 20C']
    >>> once = locked.compared({}, noon)
    >>> again = once.compared({}, noon + timedelta(seconds=10))
    >>> [lock.name for lock in steps_between(once, again).cleared]
    ['VIX 20C']
    """
    return LockSteps(
        taken=tuple(lock for lock in after.held if _is_news(before.of(lock.name), lock)),
        cleared=tuple(lock for lock in before.held if after.of(lock.name) is None),
    )


def _is_news(before: Lock | None, after: Lock) -> bool:
    return before is None or before.latched is not after.latched
