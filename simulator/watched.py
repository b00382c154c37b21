"""What a board remembers of a watched contract, and of the step to come."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import islice

from bot.domain.instrument import Instrument, InstrumentKey
from simulator.numbering import number_of
from simulator.world.levels import SessionPath
from simulator.world.market import Fair, Market
from simulator.world.night import NightPath
from simulator.world.quotes import TwoSided, rule_of, two_sided


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where the floor stands: the session's day, its path (or that of the night before it) and step.

    Without a path nothing moves: before the first step, and overnight where no nights are played.
    """

    day: date
    path: SessionPath | NightPath | None
    step: int


class DayMarks:
    """A contract's session so far; mutable: it is on the hot path."""

    __slots__ = ("high", "last", "last_size", "low", "open", "volume")

    def __init__(self) -> None:
        self.open: float | None = None
        self.high: float | None = None
        self.low: float | None = None
        self.last: float | None = None
        self.last_size = 0
        self.volume = 0

    def note(self, price: float) -> None:
        """Take a price into open, high and low."""
        if self.open is None or self.high is None or self.low is None:
            self.open = self.high = self.low = price
        elif price > self.high:
            self.high = price
        elif price < self.low:
            self.low = price


class Watched:
    """A contract on the board: how many watch it, what was shown last, and what holds for a whole session.

    ``next_print`` is the step of the next print, as far as it was looked for.
    """

    __slots__ = ("count", "day_volume", "instrument", "marks", "next_print", "number", "open_interest", "shown")

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.number = number_of(instrument)
        self.count = 0
        self.day_volume = 0
        self.open_interest: int | None = None
        self.marks = DayMarks()
        self.next_print = -1
        self.shown: TwoSided | float | None = None


class Ahead:
    """Values and regular sides of watched contracts at the step to come; mutable: it is filled bit by bit."""

    __slots__ = ("_left", "_stage", "fairs", "market", "sides")

    def __init__(self, market: Market, stage: Stage, watched: Iterable[Watched]) -> None:
        """Begin with nothing priced."""
        self.market = market
        self.fairs: dict[InstrumentKey, Fair] = {}
        self.sides: dict[InstrumentKey, TwoSided] = {}
        self._stage = stage
        self._left = iter(watched)

    def fits(self, market: Market, stage: Stage) -> bool:
        """Tell whether it is this step that was expected."""
        return stage == self._stage and market == self.market

    def price(self, most: int) -> bool:
        """Price at most so many more contracts; False when none was left."""
        market, step, batch = self.market, self._stage.step, tuple(islice(self._left, most))
        for watched in batch:
            instrument = watched.instrument
            fair = self.fairs[instrument.key] = market.fair(instrument)
            sides = two_sided(rule_of(instrument), fair.price, seed=watched.number, step=step)
            self.sides[instrument.key] = sides
        return len(batch) == most
