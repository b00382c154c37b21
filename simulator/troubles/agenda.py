"""What is to happen later: actions by moment of the floor's time, in the order in which they were noted."""

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count


class Agenda:
    """Actions that wait for their moment."""

    def __init__(self, now: Callable[[], datetime], noted: Callable[[], None] = lambda: None) -> None:
        """Read ``now`` (aware) for delays; ``noted`` hears of each new action, so that its owner may wake in time."""
        self._now = now
        self.noted = noted
        self._waiting: list[tuple[datetime, int, Callable[[], None]]] = []
        self._numbers = count()

    def __repr__(self) -> str:
        """How many wait, for failing tests."""
        return f"Agenda({len(self._waiting)} waiting)"

    @property
    def next_at(self) -> datetime | None:
        """The moment of the first action, or None."""
        return self._waiting[0][0] if self._waiting else None

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Note an action for a moment in so many seconds of the floor's time."""
        heapq.heappush(self._waiting, (self._now() + timedelta(seconds=seconds), next(self._numbers), action))
        self.noted()

    def carry_out(self) -> None:
        """Do what is due now."""
        while self._waiting and self._waiting[0][0] <= self._now():
            heapq.heappop(self._waiting)[2]()
