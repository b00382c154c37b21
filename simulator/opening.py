"""From settings to a floor that stands before its first session: the one place where the parts are joined."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.schedule import SessionCalendar
from simulator.books import OpeningBook, open_book
from simulator.floor import Floor
from simulator.settings import SimulatorSettings
from simulator.universe import Universe
from simulator.world.history import HistorySource
from simulator.world.levels import DailyLevel, LevelSource
from simulator.world.market import Market
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
    clock: Callable[[], datetime] | None = None,
) -> OpenedFloor:
    """Return the floor of a run; the book is priced at the first moment of the first session.

    Args:
        settings: The run.
        calendar: Sessions and holidays.
        history: Daily levels by symbol (SPX, RUT, VIX, RVX), ascending; None plays the scenario.
        clock: As `Floor` takes it.

    Raises:
        InvalidValueError: An unknown scenario, a history with holes, or a book whose contracts are not listed.
    """
    source = _source(settings, calendar, history)
    first, last = source.sessions[0], source.sessions[-1]
    universe = Universe(
        calendar=calendar,
        first=first.day,
        last=last.day,
        spx_bounds=source.spx_bounds,
        rut_bounds=source.rut_bounds,
    )
    model = replace(settings.model, noise_seed=settings.seed)
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
    )
    return OpenedFloor(floor=floor, book=book, universe=universe, source=source)


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
