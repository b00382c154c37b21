"""From settings to a floor that stands before its first session: the one place where the parts are joined."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.errors import InvalidValueError
from bot.domain.schedule import SessionCalendar
from simulator.board import Board
from simulator.books import OpeningBook, open_book
from simulator.floor import Floor
from simulator.played_board import PlayedBoard
from simulator.settings import SimulatorSettings
from simulator.universe import Universe
from simulator.world.history import HistorySource
from simulator.world.levels import DailyLevel, LevelSource
from simulator.world.market import Market, WorldModel
from simulator.world.recorded import RecordedSource, Recording, missing_indices
from simulator.world.scenarios import ScenarioSource


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedFloor:
    """A floor with what it was made of: the book, whose condor credits the configuration states, and the source."""

    floor: Floor
    book: OpeningBook
    universe: Universe
    source: LevelSource


def open_floor(
    settings: SimulatorSettings,
    calendar: SessionCalendar,
    *,
    history: Mapping[str, Sequence[DailyLevel]] | None = None,
    recording: Recording | None = None,
    clock: Callable[[], datetime] | None = None,
) -> OpenedFloor:
    """Return the floor of a run; the book is priced at the first moment of the first session.

    Args:
        settings: The run.
        calendar: Sessions and holidays.
        history: Daily levels by symbol (SPX, RUT, VIX, RVX), ascending; None plays the scenario.
        recording: What is played instead of scenario and history.
        clock: As `Floor` takes it.

    Raises:
        InvalidValueError: An unknown scenario, a history with holes, a recording without sessions, or a book whose
            contracts are not listed or cannot be priced.
    """
    source = _source(settings, calendar, history) if recording is None else _recorded(recording, calendar, settings)
    first = source.sessions[0]
    universe = _universe(source, calendar, recording)
    model = _model(settings, recording)
    market = Market(at=first.opens_at, levels=source.path(0).of(0), model=model)
    book = open_book(settings.book, market, universe)
    floor = Floor(
        source=source,
        universe=universe,
        model=model,
        book=book,
        account=settings.account,
        models=settings.venue,
        clock=clock,
        board=Board if recording is None else lambda phase_of: PlayedBoard(phase_of, recording),
    )
    return OpenedFloor(floor=floor, book=book, universe=universe, source=source)


def _model(settings: SimulatorSettings, recording: Recording | None) -> WorldModel:
    """Return the constants behind the prices; nights are played as they were recorded at a floor, or not at all."""
    if recording is None:
        return replace(settings.model, noise_seed=settings.seed)
    world = recording.head.world
    if world is None:
        return replace(settings.model, noise_seed=settings.seed, night_step_s=None)
    return replace(settings.model, noise_seed=world.seed, night_step_s=world.night_step_s)


def _universe(source: LevelSource, calendar: SessionCalendar, recording: Recording | None) -> Universe:
    """Return what is listed; of a recording that leaves nothing to a model only what it holds."""
    world = None if recording is None else recording.head.world
    return Universe(
        calendar=calendar,
        first=source.sessions[0].day if world is None else world.first,
        last=source.sessions[-1].day if world is None else world.last,
        spx_bounds=source.spx_bounds,
        rut_bounds=source.rut_bounds,
        only=None if recording is None or not missing_indices(recording) else recording.keys,
    )


def _recorded(recording: Recording, calendar: SessionCalendar, settings: SimulatorSettings) -> RecordedSource:
    missing = missing_indices(recording)
    if missing and (settings.book.condors or settings.book.stated):
        raise InvalidValueError(
            f"the recording has no level of {', '.join(missing)}: nothing beside what was recorded has a price; "
            "play it with a book that holds nothing (alvh gateway --book flat)"
        )
    return RecordedSource(recording=recording, calendar=calendar)


def _source(
    settings: SimulatorSettings, calendar: SessionCalendar, history: Mapping[str, Sequence[DailyLevel]] | None
) -> LevelSource:
    if history is None:
        return ScenarioSource(
            name=settings.scenario,
            calendar=calendar,
            start=settings.start,
            count=settings.sessions,
            seed=settings.seed,
            tick_s=settings.tick_s,
        )
    return HistorySource(
        history=history,
        calendar=calendar,
        start=settings.start,
        end=settings.end or settings.start,
        seed=settings.seed,
        tick_s=settings.tick_s,
    )
