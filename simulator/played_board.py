"""The board of a recording: what was recorded is shown as it was, the rest as far as the world can model it."""

from decimal import Decimal

from bot.domain.instrument import Instrument, Kind
from bot.domain.recording import Door, RecordedQuote
from simulator.board import Board, PhaseOf
from simulator.recording import quote_of
from simulator.venue import VenueQuote
from simulator.watched import DayMarks, Stage, Watched
from simulator.world.market import Market
from simulator.world.quotes import TwoSided, rule_of
from simulator.world.recorded import RecordedQuotes, Recording, missing_indices


class PlayedBoard(Board):
    """Quotes of the present step of a recording.

    A recorded quote that is in force is shown unchanged. Elsewhere a recording at the floor leaves it to the model,
    which knows what nobody looked at; a recording at the port leaves it to the model for contracts that it never saw,
    and has no sides for those that it did. Without all four indices nothing is modelled.
    """

    def __init__(self, phase_of: PhaseOf, recording: Recording) -> None:
        """Begin before the first moment."""
        super().__init__(phase_of)
        self._played = RecordedQuotes(recording)
        self._can_model = not missing_indices(recording)
        self._not_modelled = recording.keys if recording.head.door is Door.PORT else frozenset()

    def turn(self, market: Market, stage: Stage) -> None:
        """Show a new step, with what was recorded at it."""
        super().turn(market, stage)
        if self.is_on:
            self._played.turn(market.at)

    def prepare(self, market: Market, stage: Stage, most: int) -> bool:  # noqa: ARG002 - as the board's
        """Price nothing ahead: what is shown comes from the recording."""
        return False

    def begin_marks(self) -> None:
        """Begin a session, or the night before it: what was quoted holds no longer."""
        self._played.forget()
        super().begin_marks()

    def mark(self, instrument: Instrument) -> Decimal:
        """Return the middle of what is shown; where nothing is modelled, the last one that was."""
        row = self._row(instrument)
        if row is None or row.ask is None:
            if self._models(instrument):
                return super().mark(instrument)
            row = self._played.offered.get(instrument.key)
        return Decimal(0) if row is None or row.ask is None else _sides(row, row.ask, instrument).mid

    def _row(self, instrument: Instrument) -> RecordedQuote | None:
        """Return the recorded quote in force."""
        return self._played.known.get(instrument.key) if self.is_on else None

    def _models(self, instrument: Instrument) -> bool:
        return self._can_model and instrument.key not in self._not_modelled

    def _fresh(self, instrument: Instrument) -> VenueQuote:
        row = self._row(instrument)
        if row is not None:
            return quote_of(row, instrument)
        if self._models(instrument):
            return super()._fresh(instrument)
        return VenueQuote(instrument=instrument, at=self.market.at)

    def _shown(self, instrument: Instrument) -> TwoSided | float | None:
        row = self._row(instrument)
        if row is None:
            return super()._shown(instrument) if self._models(instrument) else None
        if instrument.kind is Kind.INDEX:
            return row.last if row.bid is None else row.bid  # breadth has its advances there
        return None if row.ask is None else _sides(row, row.ask, instrument)

    def _is_news(self, watched: Watched) -> bool:
        row = self._row(watched.instrument)
        if row is None and self._models(watched.instrument):
            return super()._is_news(watched)
        before, watched.shown = watched.shown, self._shown(watched.instrument)
        if row is not None:
            watched.marks = _marks(row)
        return watched.instrument.key in self._played.streamed or watched.shown != before

    def _marks_so_far(self, instrument: Instrument) -> DayMarks:
        row = self._row(instrument)
        if row is not None:
            return _marks(row)
        return super()._marks_so_far(instrument) if self._models(instrument) else DayMarks()

    def _close(self, instrument: Instrument) -> float | None:
        return super()._close(instrument) if self._models(instrument) else None


def _sides(row: RecordedQuote, ask: float, instrument: Instrument) -> TwoSided:
    unit = rule_of(instrument).per_point
    return TwoSided(
        bid_cents=0 if row.bid is None else round(row.bid * unit),
        ask_cents=round(ask * unit),
        bid_size=row.bid_size,
        ask_size=row.ask_size,
        per_point=unit,
    )


def _marks(row: RecordedQuote) -> DayMarks:
    marks = DayMarks()
    marks.open, marks.high, marks.low = row.open, row.high, row.low
    marks.last, marks.last_size, marks.volume = row.last, row.last_size, row.volume
    return marks
