"""The board: what the exchange shows of every contract at the present step, and what changed on it.

How it works. `turn` brings a new step. A quote is made when somebody asks for it and kept until the next step; watched
contracts carry their day's open, high, low, last and volume along, for all others these are worked out from the path.
Between two steps there is time: `prepare` prices watched contracts at the step to come, and `turn` takes that over if
the step is then the one that was expected.
"""

import math
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import islice
from typing import Final

from bot.domain.instrument import AD_NYSE, Instrument, InstrumentKey, Kind
from simulator.moneyness import moneyness_of
from simulator.numbering import number_of
from simulator.venue import Phase, VenueQuote
from simulator.watched import Ahead, DayMarks, Stage, Watched
from simulator.world import tape
from simulator.world.levels import SYMBOLS
from simulator.world.market import Fair, Market
from simulator.world.night import NightPath
from simulator.world.quotes import TwoSided, rule_of, two_sided

_LOOKS_BACK: Final = 8
_LOOKS_AT_OPTIONS: Final = 2
"""Moments of the day so far from which high and low of an unwatched contract are read; fewer for the many options."""
_LOOKS_FOR_PRINTS: Final = 60
"""Prints back from the present step among which the last one of a night is looked for."""
EXTENDED_SPREAD: Final = 2.0
"""The spread outside regular hours over that within them."""
PhaseOf = Callable[[Instrument], Phase]


class Board:
    """Quotes of the present step."""

    def __init__(self, phase_of: PhaseOf) -> None:
        """Begin without a market; ``phase_of`` tells whether a contract trades now."""
        self._phase_of = phase_of
        self._watched: dict[InstrumentKey, Watched] = {}
        self._quotes: dict[InstrumentKey, VenueQuote] = {}
        self._closes: dict[InstrumentKey, float | None] = {}
        self._looked_back: dict[int, Market] = {}
        self._phases: dict[InstrumentKey, Phase] = {}
        self._fairs: dict[InstrumentKey, Fair] = {}
        self._sides: dict[InstrumentKey, TwoSided] = {}
        self._ahead: Ahead | None = None  # the step to come
        self._priced: Ahead | None = None  # the present step, as far as it was priced before it came

    def turn(self, market: Market, stage: Stage) -> None:
        """Show a new step."""
        self.clear()
        expected, self._ahead = self._ahead, None
        self._priced = expected if expected is not None and expected.fits(market, stage) else None
        self.market = market if self._priced is None else self._priced.market
        self._stage = stage
        self._looked_back.clear()

    def prepare(self, market: Market, stage: Stage, most: int) -> bool:
        """Price at most so many watched contracts at the step to come; False when there is nothing left to price."""
        if self._ahead is None or not self._ahead.fits(market, stage):
            on_show = (each for each in tuple(self._watched.values()) if isinstance(each.shown, TwoSided))
            self._ahead = Ahead(market, stage, on_show)
        return self._ahead.price(most)

    def begin_day(self, closing: Market) -> None:
        """Begin a session (or the run) after a close: marks are empty again, closes are those of ``closing``."""
        self._closing = closing
        self._closes.clear()
        self.begin_marks()

    def begin_marks(self) -> None:
        """Begin open, high, low, last and volume anew: a night has its own, and so has the session after it."""
        for watched in self._watched.values():
            self._begin(watched, DayMarks())

    def clear(self) -> None:
        """Forget the quotes of the step: phases have changed."""
        self._quotes.clear()
        self._fairs.clear()
        self._sides.clear()
        self._phases.clear()

    @property
    def is_on(self) -> bool:
        """Whether a step is shown; between a close and the step after it nothing is."""
        return self._stage.path is not None

    # Watching

    def watch(self, instrument: Instrument) -> VenueQuote:
        """Count one more watcher and return the present quote."""
        watched = self._watched.get(instrument.key)
        if watched is None:
            watched = Watched(instrument)
            self._begin(watched, self._marks_so_far(instrument))
            watched.shown = self._shown(instrument)
            self._watched[instrument.key] = watched
        watched.count += 1
        return self.quote(instrument)

    def _begin(self, watched: Watched, marks: DayMarks) -> None:
        """Begin a stretch of steps with what has happened in it so far, and what will not change in it."""
        watched.marks = marks
        watched.day_volume = self._day_volume(watched.instrument)
        watched.open_interest = self._open_interest(watched.instrument)
        watched.next_print = -1

    def unwatch(self, instrument: Instrument) -> None:
        """Count one watcher less."""
        watched = self._watched.get(instrument.key)
        if watched is None:
            return
        watched.count -= 1
        if watched.count == 0:
            del self._watched[instrument.key]

    @property
    def watched(self) -> frozenset[InstrumentKey]:
        """What is watched."""
        return frozenset(self._watched)

    def changed(self) -> Iterator[VenueQuote]:
        """Yield the quotes of watched contracts that differ from what was shown last, or on which a print fell."""
        for watched in tuple(self._watched.values()):
            if self._is_news(watched):
                self._quotes.pop(watched.instrument.key, None)
                yield self.quote(watched.instrument)

    def _is_news(self, watched: Watched) -> bool:
        """Carry a watched contract along to the present step; tell whether there is something to tell."""
        shown = self._shown(watched.instrument)
        if shown is None and watched.shown is None:
            return False
        printed = isinstance(shown, TwoSided) and self._print(watched, shown)
        if isinstance(shown, float):
            watched.marks.note(shown)
        before, watched.shown = watched.shown, shown
        return printed or shown != before

    # Quotes

    def quote(self, instrument: Instrument) -> VenueQuote:
        """Return the present quote; kept until the next step."""
        found = self._quotes.get(instrument.key)
        if found is None:
            found = self._quotes[instrument.key] = self._fresh(instrument)
        return found

    def sides(self, instrument: Instrument) -> TwoSided:
        """Return the two sides that a contract has or would have, whether it trades or not."""
        found = self._sides.get(instrument.key)
        if found is None:
            found = self._sides[instrument.key] = self._fresh_sides(instrument)
        return found

    def mark(self, instrument: Instrument) -> Decimal:
        """Return the middle of a contract in points, open or not."""
        return self.sides(instrument).mid

    def close(self, instrument: Instrument) -> float | None:
        """Return the close of the session before: a level, or the middle of a contract's sides."""
        if instrument.key not in self._closes:
            self._closes[instrument.key] = self._close(instrument)
        return self._closes[instrument.key]

    def _close(self, instrument: Instrument) -> float | None:
        if instrument.symbol == AD_NYSE.symbol:
            return None
        price = self._closing.fair(instrument).price
        if instrument.kind is Kind.INDEX:
            return None if math.isnan(price) else round(price, 2)
        return float(two_sided(rule_of(instrument), price, seed=number_of(instrument), step=0).mid)

    def _shown(self, instrument: Instrument) -> TwoSided | float | None:
        """Return what a watcher of a contract sees: its sides, an index's level, or nothing."""
        phase = self._phase(instrument)
        if instrument.kind is Kind.INDEX:
            if phase is Phase.CLOSED and (self._stage.path is None or self._is_night):
                return None
            level = self._level(instrument)
            return None if math.isnan(level) else level
        if phase is Phase.CLOSED or phase is Phase.HALTED:
            return None
        return self.sides(instrument)

    def _fair(self, instrument: Instrument) -> Fair:
        """Return a contract's model value at this step; worked out once."""
        found = self._fairs.get(instrument.key)
        if found is None:
            priced = None if self._priced is None else self._priced.fairs.get(instrument.key)
            found = self._fairs[instrument.key] = self.market.fair(instrument) if priced is None else priced
        return found

    def _phase(self, instrument: Instrument) -> Phase:
        """Return whether a contract trades at this step; asked once."""
        found = self._phases.get(instrument.key)
        if found is None:
            found = self._phases[instrument.key] = self._phase_of(instrument)
        return found

    def _level(self, instrument: Instrument) -> float:
        """Return an index's level; breadth changes with its advances."""
        if instrument.symbol == AD_NYSE.symbol:
            return float(self.market.breadth().advances)
        path = self._stage.path
        if isinstance(path, NightPath):
            return self._level_at_night(instrument.symbol, path)
        return round(self.market.spot(instrument.symbol), 2)

    def _level_at_night(self, symbol: str, path: NightPath) -> float:
        """Return an index as last published; what stands behind the prices goes on without it."""
        if symbol in SYMBOLS:
            return path.published(symbol, self._stage.step)
        return round(self._closing.spot(symbol), 2)

    @property
    def _is_night(self) -> bool:
        return isinstance(self._stage.path, NightPath)

    def _fresh_sides(self, instrument: Instrument) -> TwoSided:
        widened = EXTENDED_SPREAD if self._phase(instrument) is Phase.EXTENDED else 1.0
        priced = None if self._priced is None or widened != 1.0 else self._priced.sides.get(instrument.key)
        if priced is not None:
            return priced
        price, seed = self._fair(instrument).price, number_of(instrument)
        return two_sided(rule_of(instrument), price, seed=seed, step=self._stage.step, widened=widened)

    def _fresh(self, instrument: Instrument) -> VenueQuote:
        if instrument.symbol == AD_NYSE.symbol:
            return self._breadth_quote(instrument)
        if instrument.kind is Kind.INDEX:
            return self._index_quote(instrument)
        fair, phase = self._fair(instrument), self._phase(instrument)
        watched = self._watched.get(instrument.key)
        if watched is None:
            watched = Watched(instrument)
            self._begin(watched, self._marks_so_far(instrument))
        trades = phase is not Phase.CLOSED and phase is not Phase.HALTED
        return self._traded_quote(watched, fair, self.sides(instrument) if trades else None)

    def _traded_quote(self, watched: Watched, fair: Fair, sides: TwoSided | None) -> VenueQuote:
        instrument, marks = watched.instrument, watched.marks
        is_option = instrument.kind is Kind.OPTION
        models = is_option and sides is not None
        return VenueQuote(
            instrument=instrument,
            at=self.market.at,
            bid=None if sides is None else sides.bid,
            ask=None if sides is None else sides.ask,
            bid_size=0 if sides is None else sides.bid_size,
            ask_size=0 if sides is None else sides.ask_size,
            last=marks.last,
            last_size=marks.last_size,
            open=marks.open,
            high=marks.high,
            low=marks.low,
            volume=marks.volume,
            close=self.close(instrument),
            open_interest=watched.open_interest,
            is_halted=self._phase(instrument) is Phase.HALTED,
            model_iv=fair.vol if models else None,
            model_delta=fair.delta if models else None,
            model_gamma=fair.gamma if models else None,
            model_vega=fair.vega if models else None,
            model_theta=fair.theta if models else None,
            model_price=fair.price if models else None,
            underlying_price=fair.underlying,
            implied_vol=None if instrument.kind is not Kind.STOCK else self.market.index_vol(instrument.symbol) / 100,
        )

    def _index_quote(self, instrument: Instrument) -> VenueQuote:
        level = self._level(instrument)
        watched = self._watched.get(instrument.key)
        marks = self._marks_so_far(instrument) if watched is None else watched.marks
        return VenueQuote(
            instrument=instrument,
            at=self.market.at,
            last=None if math.isnan(level) else level,
            open=marks.open,
            high=marks.high,
            low=marks.low,
            close=self.close(instrument),
            is_halted=self._phase(instrument) is Phase.HALTED,
            implied_vol=self.market.index_vol(instrument.symbol) / 100 if instrument.symbol in {"SPX", "RUT"} else None,
        )

    def _breadth_quote(self, instrument: Instrument) -> VenueQuote:
        """Return advances as bid, declines as ask, unchanged as bid size (docs/contracts.md, section 6)."""
        if self._stage.path is None or self._is_night:
            return VenueQuote(instrument=instrument, at=self.market.at)
        now = self.market.breadth()
        return VenueQuote(
            instrument=instrument,
            at=self.market.at,
            bid=Decimal(now.advances),
            ask=Decimal(now.declines),
            bid_size=now.unchanged,
        )

    # The day so far

    def _marks_so_far(self, instrument: Instrument) -> DayMarks:
        """Return a contract's day up to the present step, from a few moments of its path (all of an index's own)."""
        marks, path = DayMarks(), self._stage.path
        if path is None or instrument.symbol == AD_NYSE.symbol or (self._is_night and instrument.kind is Kind.INDEX):
            return marks
        if instrument.kind is Kind.INDEX and instrument.symbol in SYMBOLS:
            _note_all(marks, path.levels[instrument.symbol][: self._stage.step + 1])
            return marks
        for step in _looks(self._stage.step, _LOOKS_AT_OPTIONS if instrument.kind is Kind.OPTION else _LOOKS_BACK):
            if not self._traded_at(instrument, step):
                continue
            price = self._market_at(step).fair(instrument).price
            marks.note(round(price, 2) if instrument.kind is Kind.INDEX else self._rounded(instrument, price))
        self._note_tape(instrument, marks)
        return marks

    def _note_tape(self, instrument: Instrument, marks: DayMarks) -> None:
        """Add last price, its size and the volume so far."""
        path, seed = self._stage.path, number_of(instrument)
        if path is None or tape.turnover_of(instrument) is None:
            return
        marks.volume = self._volume_so_far(self._day_volume(instrument))
        at = self._last_print_step(instrument)
        if at is None:
            return
        price = self._market_at(at).fair(instrument).price
        sides = two_sided(rule_of(instrument), price, seed=seed, step=at, widened=self._widened_at(instrument, at))
        marks.last = tape.print_price(sides, at, seed=sides.bid_size)
        marks.last_size = tape.print_size(sides, at, seed=seed)

    def _last_print_step(self, instrument: Instrument) -> int | None:
        """Return the step of the last print up to the present step: at night one at which the contract traded."""
        path, step = self._stage.path, self._stage.step
        if path is None:
            return None
        steps = tape.print_steps(instrument, step, path.steps, seed=number_of(instrument), pace=self._pace)
        return next((at for at in islice(steps, _LOOKS_FOR_PRINTS) if self._traded_at(instrument, at)), None)

    def _print(self, watched: Watched, sides: TwoSided) -> bool:
        """Carry a watched contract's marks along; tell whether a print fell on this step."""
        marks, step = watched.marks, self._stage.step
        marks.note(float(sides.mid))
        if not self._prints(watched):
            return False
        marks.last = tape.print_price(sides, step, seed=sides.bid_size)
        marks.last_size = tape.print_size(sides, step, seed=watched.number)
        marks.volume = self._volume_so_far(watched.day_volume)
        return True

    def _prints(self, watched: Watched) -> bool:
        """Tell whether a print falls on this step; the next one is looked for once, and not on each step up to it."""
        path, step = self._stage.path, self._stage.step
        if path is None:
            return False
        if watched.next_print < step:
            instrument, seed = watched.instrument, watched.number
            watched.next_print = tape.next_print(instrument, step, path.steps, seed=seed, pace=self._pace)
        return watched.next_print == step

    @property
    def _pace(self) -> float:
        """How often prints fall beside a session, in prints of all its steps."""
        return tape.NIGHT_PACE if self._is_night else 1.0

    def _volume_so_far(self, day_volume: int) -> int:
        """Return what has traded in this session, or in this night, of a day's volume."""
        path = self._stage.path
        if path is None:
            return 0
        total = round(day_volume * tape.NIGHT_PACE) if self._is_night else day_volume
        return tape.volume_by(total, self._stage.step / path.steps)

    def _traded_at(self, instrument: Instrument, step: int) -> bool:
        """Return whether a contract traded at a step of a night; within a session it is taken to."""
        path = self._stage.path
        return not isinstance(path, NightPath) or path.phase(instrument, step) is not Phase.CLOSED

    def _widened_at(self, instrument: Instrument, step: int) -> float:
        """Return the spread over that of regular hours at a step of a night; within a session that of its middle."""
        path = self._stage.path
        is_wide = isinstance(path, NightPath) and path.phase(instrument, step) is Phase.EXTENDED
        return EXTENDED_SPREAD if is_wide else 1.0

    def _market_at(self, step: int) -> Market:
        path = self._stage.path
        if path is None or step == self._stage.step:
            return self.market
        found = self._looked_back.get(step)
        if found is None:
            found = Market(at=path.at(step), levels=path.of(step), model=self.market.model)
            self._looked_back[step] = found
        return found

    def _rounded(self, instrument: Instrument, price: float) -> float:
        return float(two_sided(rule_of(instrument), price, seed=0, step=0).mid)

    def _day_volume(self, instrument: Instrument) -> int:
        if tape.turnover_of(instrument) is None:
            return 0
        moneyness = moneyness_of(instrument, self._closing, self._stage.day)
        return tape.day_volume(instrument, moneyness, self._stage.day, seed=number_of(instrument))

    def _open_interest(self, instrument: Instrument) -> int | None:
        if tape.turnover_of(instrument) is None:
            return None
        moneyness = moneyness_of(instrument, self._closing, self._stage.day)
        return tape.open_interest(instrument, moneyness, seed=number_of(instrument))


def _looks(step: int, count: int) -> list[int]:
    """Return the steps from which a day so far is read: the first, the present one, a few in between."""
    return sorted({step * place // count for place in range(count + 1)})


def _note_all(marks: DayMarks, levels: tuple[float, ...]) -> None:
    if levels and not math.isnan(levels[0]):
        marks.open, marks.high, marks.low = levels[0], max(levels), min(levels)
