"""Carries alerts to their channels: each has a queue and a task, what fails is tried again and goes to the others too.

How it works: an alert goes to every channel whose least severity it reaches; while the operator's line is down, to all
of them. A channel that fails is tried again with growing pauses; from its first failure until it works again, whatever
waits for it or comes for it goes to the other channels as well. What always holds: nothing here blocks the caller, and
no network is touched on the loop's own thread.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from adapters.alerts.channels import Channel
from adapters.alerts.settings import AlertSettings
from bot.domain.alerts import Alert
from bot.domain.errors import DeliveryError
from bot.ports import Clock, Rng
from bot.tasks import end_all

PLACES = 256
"""Alerts that wait for one channel; the oldest gives way."""


class Lane:
    """What waits for one channel."""

    def __init__(self, channel: Channel) -> None:
        """Begin with nothing."""
        self.channel = channel
        self.failing = False
        self.filled = asyncio.Event()
        self._waiting: deque[Alert] = deque()
        self._had: deque[Alert] = deque(maxlen=PLACES)

    def add(self, alert: Alert) -> int:
        """Take an alert that it has not had; returns how many older ones gave way."""
        if any(alert is had for had in self._had):
            return 0
        self._had.append(alert)
        self._waiting.append(alert)
        self.filled.set()
        lost = max(0, len(self._waiting) - PLACES)
        for _ in range(lost):
            self._waiting.popleft()
        return lost

    def waiting(self) -> tuple[Alert, ...]:
        """Return what waits, oldest first."""
        return tuple(self._waiting)

    def done(self, alert: Alert) -> None:
        """Forget an alert; it may have given way meanwhile."""
        if self._waiting and self._waiting[0] is alert:
            self._waiting.popleft()


class Dispatcher:
    """Alerts on their way to a person."""

    def __init__(
        self, channels: Sequence[Channel], *, settings: AlertSettings, clock: Clock, rng: Rng, bot: str
    ) -> None:
        """Take the parts; nothing is sent before `run`."""
        self._lanes = [Lane(channel) for channel in channels]
        self._settings = settings
        self._clock = clock
        self._rng = rng
        self._bot = bot
        self._reached: Callable[[], bool] = lambda: True
        self._complained: Callable[[str, str], None] = lambda _channel, _why: None
        self.dropped: Counter[str] = Counter()

    def listen(self, reached: Callable[[], bool], complained: Callable[[str, str], None]) -> None:
        """Ask ``reached`` whether the operator's line is up; tell ``complained`` which channel fails, and why."""
        self._reached = reached
        self._complained = complained

    def take(self, alert: Alert) -> None:
        """Send one alert wherever it belongs."""
        meant = [lane for lane in self._lanes if alert.severity.rank >= lane.channel.least.rank]
        everywhere = not self._reached() or any(lane.failing for lane in meant)
        for lane in self._lanes if everywhere else meant:
            self._add(lane, alert)

    def _add(self, lane: Lane, alert: Alert) -> None:
        lost = lane.add(alert)
        if lost:
            self.dropped[lane.channel.name] += lost

    async def run(self) -> None:
        """Deliver, for ever."""
        with ThreadPoolExecutor(max_workers=max(1, len(self._lanes)), thread_name_prefix="alerts") as pool:
            tasks = [asyncio.ensure_future(self._serve(lane, pool)) for lane in self._lanes]
            try:
                await asyncio.gather(asyncio.Event().wait(), *tasks)
            finally:
                await end_all(tasks)
                pool.shutdown(wait=False, cancel_futures=True)

    async def emptied(self, within_s: float) -> None:
        """Return when nothing waits or the time is over: the bot ends."""
        deadline = self._clock.host_now() + timedelta(seconds=within_s)
        while any(lane.waiting() for lane in self._lanes) and self._clock.host_now() < deadline:
            await self._clock.sleep(0.05)

    async def _serve(self, lane: Lane, pool: ThreadPoolExecutor) -> None:
        while True:
            while not (waiting := lane.waiting()):
                lane.filled.clear()
                await lane.filled.wait()
            await self._deliver(lane, waiting[0], pool)
            lane.done(waiting[0])

    async def _deliver(self, lane: Lane, alert: Alert, pool: ThreadPoolExecutor) -> None:
        """Send one alert until it is taken, or too old."""
        loop, settings = asyncio.get_running_loop(), self._settings
        pause, began = settings.retry_first_s, self._clock.host_now()
        while self._clock.host_now() - began <= timedelta(seconds=settings.give_up_after_s):
            try:
                await loop.run_in_executor(pool, lane.channel.send, self._bot, alert)
            except DeliveryError as error:
                self._fail(lane, str(error))
            else:
                lane.failing = False
                return
            await self._clock.sleep(pause * (0.75 + 0.5 * self._rng.uniform()))
            pause = min(2 * pause, settings.retry_most_s)
        self.dropped[lane.channel.name] += 1

    def _fail(self, lane: Lane, why: str) -> None:
        """The others take over what waits here; said once until it works again."""
        for other in self._lanes:
            if other is not lane:
                for alert in lane.waiting():
                    self._add(other, alert)
        if not lane.failing:
            lane.failing = True
            self._complained(lane.channel.name, why)
