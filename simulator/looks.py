"""Looking back at a contract: its value and its two sides at the steps of a session, or of the night before one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Final

from bot.domain.instrument import Instrument, Kind
from bot.domain.schedule import Session
from simulator.bar_shapes import Moment
from simulator.board import EXTENDED_SPREAD
from simulator.hours import trading_hours
from simulator.moneyness import moneyness_of
from simulator.numbering import number_of
from simulator.records import Paths
from simulator.venue import Phase
from simulator.world import tape
from simulator.world.levels import Levels
from simulator.world.market import Market, WorldModel
from simulator.world.night import NightPath
from simulator.world.quotes import rule_of, two_sided

Window = tuple[datetime | None, datetime]
"""From, if anything, until (aware): both belong to it."""
_REGULAR_SPREAD: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """At which steps to look, and in which order: every ``stride`` steps, or where prints fell alone."""

    stride: int = 1
    prints_alone: bool = False
    backward: bool = False

    def steps(self, instrument: Instrument, within: range, count: int, *, pace: float) -> Sequence[int]:
        """Return the steps within some of ``count``; ``pace`` of prints as the tape takes it."""
        if not self.prints_alone:
            steps = range(within.start + -within.start % self.stride, within.stop, self.stride)
            return steps[::-1] if self.backward else steps
        back = tape.print_steps(instrument, within.stop - 1, count, seed=number_of(instrument), pace=pace)
        prints = list(takewhile(lambda step: step >= within.start, back))
        return prints if self.backward else prints[::-1]


class Looks:
    """Looks at contracts in the past; the same look shows the same, and nothing is kept."""

    def __init__(self, paths: Paths, model: WorldModel) -> None:
        """Look along some paths."""
        self._paths = paths
        self._record = paths.record
        self._model = model

    def session(
        self, instrument: Instrument, session: Session, window: Window, *, plan: Plan | None = None
    ) -> Iterator[Moment]:
        """Yield an instrument's moments of a session within its regular hours: all steps, or those of a plan.

        The volume of a moment is what traded since the one before it.
        """
        plan = plan or Plan()
        path = self._paths.of(session.day)
        hours = trading_hours(instrument, session.day, 1, self._record.calendar, regular_only=True)
        if path is None or not hours or not was_listed(instrument, session) or path.is_silent(instrument.symbol):
            return
        opens, closes = max(hours[0].opens_at, window[0] or hours[0].opens_at), min(hours[0].closes_at, window[1])
        total = self.volume(instrument, session)
        for step in plan.steps(instrument, path.between(opens, closes), path.steps, pace=1.0):
            traded = tape.volume_between(total, (step - plan.stride) / path.steps, step / path.steps)
            yield self.moment(instrument, path.of(step), path.at(step), step, volume=traded)

    def night(
        self, instrument: Instrument, path: NightPath, window: Window, *, plan: Plan | None = None
    ) -> Iterator[Moment]:
        """Yield an instrument's moments of a night, within its hours; as `session`."""
        plan = plan or Plan()
        total = round(self.volume(instrument, self._record.session(path.day)) * tape.NIGHT_PACE)
        phases = path.phases(instrument)
        for step in plan.steps(instrument, path.between(*window), path.steps, pace=tape.NIGHT_PACE):
            at, phase = path.at(step), phases[step]
            if phase is not Phase.CLOSED:
                widened = EXTENDED_SPREAD if phase is Phase.EXTENDED else _REGULAR_SPREAD
                traded = tape.volume_between(total, (step - plan.stride) / path.steps, step / path.steps)
                yield self.moment(instrument, path.of(step), at, step, volume=traded, widened=widened)

    def moment(
        self,
        instrument: Instrument,
        levels: Levels,
        at: datetime,
        step: int,
        *,
        volume: int = 0,
        widened: float = _REGULAR_SPREAD,
    ) -> Moment:
        """Return an instrument as it stood at some levels."""
        price = Market(at=at, levels=levels, model=self._model).fair(instrument).price
        if instrument.kind is Kind.INDEX:
            return Moment(at=at, step=step, price=round(price, 2), sides=None, volume=volume)
        sides = two_sided(rule_of(instrument), price, seed=number_of(instrument), step=step, widened=widened)
        return Moment(at=at, step=step, price=price, sides=sides, volume=volume)

    def volume(self, instrument: Instrument, session: Session) -> int:
        """Return what an instrument trades in a whole session."""
        if tape.turnover_of(instrument) is None:
            return 0
        closes = self._record.closes_before(session.day)
        closing = Market(at=session.opens_at, levels=closes, model=self._model)
        moneyness = moneyness_of(instrument, closing, session.day)
        return tape.day_volume(instrument, moneyness, session.day, seed=number_of(instrument))


def was_listed(instrument: Instrument, session: Session) -> bool:
    """Return whether a contract traded on a session's day."""
    return instrument.last_trade is None or session.day <= instrument.last_trade
