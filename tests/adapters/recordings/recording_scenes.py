"""A floor that is recorded while somebody looks at it in a set way, and the same way of looking at its playback."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from adapters.recordings.reader import Recording, open_recording
from adapters.recordings.writer import begin_recording
from bot.domain.instrument import RUT, RVX, SPX, VIX, Instrument, Right
from bot.domain.recording import Door, RecordedQuote, RecordedWorld, RecordingHead
from bot.domain.schedule import SessionCalendar
from simulator.books import BookPlan
from simulator.opening import OpenedFloor, open_floor
from simulator.ports import Heard, TradingFloor
from simulator.recording import RecordingFloor
from simulator.settings import SimulatorSettings
from simulator.venue import VenueQuote
from simulator.world.market import WorldModel

DAY = date(2026, 10, 19)
CALENDAR = SessionCalendar()
OPENS_AT = CALENDAR.next_session(DAY - timedelta(days=1)).opens_at
FLAT = BookPlan(condors=0, layers=())


def an_opened_floor(
    scenario: str = "calm", *, sessions: int = 2, tick_s: int = 30, night_step_s: int | None = None
) -> OpenedFloor:
    """Return a floor before its first session."""
    model = WorldModel(night_step_s=night_step_s)
    settings = SimulatorSettings(scenario=scenario, start=DAY, sessions=sessions, tick_s=tick_s, model=model)
    return open_floor(settings, CALENDAR)


def a_played_floor(folder: Path, *, book: BookPlan | None = None) -> OpenedFloor:
    """Return the floor of a recording."""
    settings = SimulatorSettings(start=DAY)
    if book is not None:
        settings = replace(settings, book=book)
    return open_floor(settings, CALENDAR, recording=open_recording(folder))


def head_of(opened: OpenedFloor) -> RecordingHead:
    """Return the head of a recording at a floor."""
    universe, model = opened.universe, opened.floor.market.model
    assert universe.rut_bounds is not None
    world = RecordedWorld(
        first=universe.first,
        last=universe.last,
        spx=universe.spx_bounds,
        rut=universe.rut_bounds,
        seed=model.noise_seed,
        step_s=opened.source.path(0).step_s,
        night_step_s=model.night_step_s,
    )
    return RecordingHead(began_at=OPENS_AT - timedelta(minutes=1), door=Door.FLOOR, world=world)


@contextmanager
def recorded(opened: OpenedFloor, folder: Path) -> Iterator[RecordingFloor]:
    """Record a floor into a folder."""
    tape = begin_recording(folder, head_of(opened))
    try:
        yield RecordingFloor(opened.floor, opened.source.prior, tape)
    finally:
        tape.close()


class Looker:
    """Somebody who looks at a floor always in the same way: two streams all day, others for a while, and snapshots."""

    def __init__(self, opened: OpenedFloor, shown: TradingFloor) -> None:
        """Look at a floor, perhaps through a recorder before it."""
        self.told: list[VenueQuote] = []
        self.asked: list[VenueQuote] = []
        self._floor = opened.floor
        self._shown = shown
        self._days = [session.opens_at for session in opened.source.sessions]
        universe = opened.universe
        settlement = universe.vix_settlements[1]
        self.call = universe.option("VIX", settlement, Decimal(20), Right.CALL)
        self.put = universe.option("VIX", settlement, Decimal(17), Right.PUT)
        self.future = next(each for each in universe.futures if each.settlement == settlement)
        shown.listen(self._hear)

    def _hear(self, event: Heard) -> None:
        if isinstance(event, VenueQuote):
            self.told.append(event)

    def look(self) -> None:
        """Look on, all sessions long."""
        self._until(self._days[0] - timedelta(minutes=5))
        self._watch(SPX, VIX, self.call)
        for at in self._days:
            self._until(at + timedelta(minutes=20, seconds=7))
            self._watch(RVX, RUT, self.future, self.call)
            self._ask(self.put)
            self._until(at + timedelta(hours=1, seconds=3))
            self._ask(self.put, self.call)
            for instrument in (self.future, self.call, RUT, RVX):
                self._shown.unwatch(instrument)
            self._until(at + timedelta(hours=2))
            self._watch(self.put)
            self._until(at + timedelta(hours=3, seconds=1))
            self._shown.unwatch(self.put)
            self._until(at + timedelta(hours=7))
            self._ask(self.put, self.call, VIX)
            self._until(at + timedelta(hours=11, seconds=30))
            self._watch(self.future)
            self._until(at + timedelta(hours=12))
            self._ask(self.put, self.future, VIX)
            self._shown.unwatch(self.future)

    def _watch(self, *instruments: Instrument) -> None:
        self.asked += [self._shown.watch(instrument) for instrument in instruments]

    def _ask(self, *instruments: Instrument) -> None:
        self.asked += [self._shown.quote(instrument) for instrument in instruments]

    def _until(self, moment: datetime) -> None:
        self._floor.advance(moment)


def rows_of(recording: Recording) -> list[RecordedQuote]:
    """Return all quotes of a recording."""
    return list(recording.quotes())
