"""The machine's time, fresh ids and entropy: the one module that reads them; everything else gets ports."""

import asyncio
import secrets
import time
import uuid
from datetime import UTC, datetime, timedelta

from bot.domain.checks import require_positive

NS_PER_S = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SystemClock:
    """Real time; against a rehearsal gateway shifted to that gateway's time and run at its speed.

    The shift is set once, when the gateway has told its time. `host_now` is never shifted: signatures are judged by it.
    """

    def __init__(self, speed: float = 1.0) -> None:
        """Start without a shift.

        Args:
            speed: Seconds that pass for decisions in one second of the machine; 1 for paper and live.
        """
        require_positive(speed=speed)
        self._speed = speed
        self._origin_ns = time.monotonic_ns()
        self._base_ns = time.time_ns()
        self._offset_ns = self._base_ns - self._origin_ns

    def now_ns(self) -> int:
        """Nanoseconds since 1970 of the time that decisions use."""
        return self._base_ns + int((time.monotonic_ns() - self._origin_ns) * self._speed)

    def now(self) -> datetime:
        """Aware UTC of the time that decisions use."""
        return _EPOCH + timedelta(microseconds=self.now_ns() // 1000)

    def host_now(self) -> datetime:
        """Aware UTC of this machine."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait for that many seconds of the time that decisions use."""
        await asyncio.sleep(max(0.0, seconds) / self._speed)

    def shift_to(self, moment: datetime) -> None:
        """Take a gateway's own time as the present."""
        self._origin_ns = time.monotonic_ns()
        self._base_ns = (moment - _EPOCH) // timedelta(microseconds=1) * 1000

    def stepped_s(self) -> float:
        """Seconds by which the wall clock has moved against the monotonic one since the start."""
        return (time.time_ns() - time.monotonic_ns() - self._offset_ns) / NS_PER_S


class SystemIds:
    """Random UUIDs."""

    def new_id(self) -> str:
        """Return a UUID of version 4."""
        return str(uuid.uuid4())


class SystemRng:
    """The operating system's entropy."""

    def token(self, n_bytes: int) -> bytes:
        """Return random bytes."""
        return secrets.token_bytes(n_bytes)

    def uniform(self) -> float:
        """Return a number in [0, 1)."""
        return secrets.randbelow(1 << 53) / (1 << 53)
