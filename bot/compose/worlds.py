"""Simulated worlds: a named scenario or a bridged daily history, with its calendar and opening book."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from adapters.history.csv_files import load_symbol
from adapters.recordings.reader import open_recording
from bot.compose.books import plan_for_window
from bot.compose.options import RunOptions
from bot.domain.errors import ConfigError, HistoryError, InvalidValueError
from bot.domain.schedule import Session, SessionCalendar
from bot.signals.daily import common_sessions
from bot.signals.settings import DispersionSettings
from simulator.gateway import FloorTime
from simulator.named_books import book_named
from simulator.opening import OpenedFloor, open_floor
from simulator.settings import SimulatorSettings
from simulator.venue_models import VenueModels
from simulator.world.levels import SYMBOLS, DailyLevel
from simulator.world.recorded import Recording, recorded_sessions
from simulator.world.scripts import SCENARIOS

_log = logging.getLogger("alvh.recording")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldOptions:
    """Which world; with ``history`` the scenario is ignored and the window is ``start`` to ``end``.

    With ``play`` a recording is played as it is, and ``start`` names a day of it for the clock to begin on.
    """

    scenario: str
    history: Path | None
    start: date | None
    end: date | None
    sessions: int
    seed: int
    tick_s: int
    account: str
    play: Path | None = None
    book: str | None = None  # the world's own book unless stated
    venue: VenueModels = field(default_factory=VenueModels)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What a simulated run plays."""

    settings: SimulatorSettings
    history: dict[str, tuple[DailyLevel, ...]] | None
    calendar: SessionCalendar
    recording: Recording | None = None

    def sessions(self) -> tuple[Session, ...]:
        """Return the sessions that were asked for."""
        settings, calendar = self.settings, self.calendar
        if self.recording is not None:
            return recorded_sessions(self.recording, calendar)
        if self.history is not None:
            return tuple(calendar.sessions(settings.start, settings.end or settings.start))
        first = SCENARIOS[settings.scenario].first_day(calendar, settings.start)
        found = [calendar.session(first) or calendar.next_session(first)]
        while len(found) < settings.sessions:
            found.append(calendar.next_session(found[-1].day))
        return tuple(found)

    def open(self, time: FloorTime) -> OpenedFloor:
        """Return the floor of this world on a given time.

        Raises:
            ConfigError: An unknown scenario, or a history that does not cover the window.
        """
        try:
            return open_floor(
                self.settings, self.calendar, history=self.history, recording=self.recording, clock=time.now
            )
        except InvalidValueError as error:
            raise ConfigError(str(error)) from error


def world_of_run(options: RunOptions, account: str) -> World:
    """Return the world that a run asks for; as `world_of`."""
    return world_of(
        WorldOptions(
            scenario=options.scenario,
            history=options.history,
            play=options.play,
            start=options.start,
            end=options.end,
            sessions=options.sessions,
            seed=options.seed,
            tick_s=options.tick_s,
            account=account,
        )
    )


def world_of(options: WorldOptions) -> World:
    """Return the world that was asked for.

    Raises:
        ConfigError: The options contradict each other, or the history is wrong.
    """
    calendar = SessionCalendar()
    try:
        if options.play is not None:
            world = _world_of_recording(options, options.play, calendar)
        elif options.history is None:
            world = _world_of_scenario(options, calendar)
        else:
            world = _world_of_history(options, options.history, calendar)
        empty = not world.sessions()
    except InvalidValueError as error:
        raise ConfigError(f"{error}; choose other options") from error
    if empty:
        raise ConfigError(f"no session from {options.start} to {options.end}; choose a wider window")
    if options.book is None:
        return world
    return replace(world, settings=replace(world.settings, book=book_named(options.book)))


def _world_of_scenario(options: WorldOptions, calendar: SessionCalendar) -> World:
    if options.end is not None:
        raise ConfigError("--end belongs to --history; a scenario takes --sessions")
    if options.scenario not in SCENARIOS:
        raise ConfigError(f"--scenario {options.scenario!r} is unknown, expected one of {', '.join(sorted(SCENARIOS))}")
    settings = SimulatorSettings(
        scenario=options.scenario,
        sessions=options.sessions,
        seed=options.seed,
        tick_s=options.tick_s,
        account=options.account,
        venue=options.venue,
    )
    if options.start is not None:
        settings = replace(settings, start=options.start)
    return World(settings=settings, history=None, calendar=calendar)


def _world_of_recording(options: WorldOptions, folder: Path, calendar: SessionCalendar) -> World:
    """Return the world of a recording, whose account holds the scenarios' book unless another is stated."""
    if options.history is not None or options.end is not None:
        raise ConfigError("--play takes neither --history nor --end: a recording is played as it is")
    recording = open_recording(folder)
    if recording.is_unfinished:
        ended = recording.moments.at(len(recording.moments) - 1)
        _log.warning("%s: was not closed, it is played up to %s UTC", folder, f"{ended:%Y-%m-%d %H:%M:%S}")
    try:
        first = recorded_sessions(recording, calendar)[0]
    except InvalidValueError as error:
        raise ConfigError(f"{folder}: {error}") from error
    settings = SimulatorSettings(
        start=first.day, seed=options.seed, tick_s=options.tick_s, account=options.account, venue=options.venue
    )
    return World(settings=settings, history=None, calendar=calendar, recording=recording)


def _world_of_history(options: WorldOptions, folder: Path, calendar: SessionCalendar) -> World:
    if options.start is None or options.end is None:
        raise ConfigError("--history needs --start and --end, for example --start 2015-04-24 --end 2015-05-15")
    if options.end < options.start:
        raise ConfigError(f"--end {options.end} lies before --start {options.start}; swap them")
    settings = SimulatorSettings(
        start=options.start,
        end=options.end,
        seed=options.seed,
        tick_s=options.tick_s,
        account=options.account,
        venue=options.venue,
        book=plan_for_window(options.start, options.end, calendar),
    )
    history = {symbol: _daily_levels(folder, symbol) for symbol in SYMBOLS}
    _require_baseline(history, options.start, calendar)
    return World(settings=settings, history=history, calendar=calendar)


def _require_baseline(history: Mapping[str, Sequence[DailyLevel]], start: date, calendar: SessionCalendar) -> None:
    """Raise HistoryError where the signal could not be defined on the first day."""
    needed = DispersionSettings().baseline_sessions
    usable = sum(day < start for day, _, _ in common_sessions(history["RVX"], history["VIX"], calendar))
    if usable < needed:
        raise HistoryError(
            f"RVX and VIX: found {usable} common sessions before {start}, expected at least {needed} for the baseline; "
            "start later or add earlier rows to both files"
        )


def _daily_levels(folder: Path, symbol: str) -> tuple[DailyLevel, ...]:
    return tuple(
        DailyLevel(day=row.day, close=row.close, open=row.open, high=row.high, low=row.low)
        for row in load_symbol(folder, symbol)
    )
