"""The message budget: every frame counts, cancels never wait, and nothing else may take what is kept for them.

The gateway allows 50 messages a second. The client library's own throttle is off, because it is one queue in which a
cancel waits behind everything and an order is not written when its call returns. This budget stands in its place.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from enum import IntEnum
from typing import Final

WINDOW_S: Final = 1.0
TOTAL_PER_S: Final = 45
"""Below the gateway's 50, as the client libraries do (docs/ib/hazards.md, pacing)."""
PENALTY_S: Final = 2.0
"""How long everything but cancels rests after the gateway complained of too many messages (code 100)."""


class Share(IntEnum):
    """How many frames may have left in the last second for one more of a kind to leave; the value is that number.

    20 stay for cancels, as many as own orders may work at once, so that all of them can be cancelled within one
    second at any time; 5 more stay for orders.
    """

    LOOKUP = TOTAL_PER_S - 25
    ORDER = TOTAL_PER_S - 20


class FrameBudget:
    """Counts the frames of the last second; ``now`` is the loop's time in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Start with nothing sent."""
        self._now = now
        self._sent: deque[float] = deque()
        self._rests_until = 0.0

    def note(self) -> None:
        """Count one frame that was written."""
        now = self._now()
        self._forget(now)
        self._sent.append(now)

    def penalise(self) -> None:
        """Let everything but cancels rest: the gateway complained."""
        self._rests_until = self._now() + PENALTY_S

    def wait_s(self, share: Share) -> float:
        """Return the seconds until a frame of this kind may leave; 0 when it may leave now."""
        now = self._now()
        self._forget(now)
        rest = max(0.0, self._rests_until - now)
        if len(self._sent) < share:
            return rest
        return max(rest, self._sent[len(self._sent) - share] + WINDOW_S - now)

    async def room(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Wait until a look-up may leave; whoever returns from here writes its frame without another await."""
        while (wait := self.wait_s(Share.LOOKUP)) > 0:
            await sleep(wait)

    def _forget(self, now: float) -> None:
        while self._sent and now - self._sent[0] >= WINDOW_S:
            self._sent.popleft()


def loop_time() -> float:
    """Return the running loop's time in seconds."""
    return asyncio.get_running_loop().time()
