"""Settings of a simulated run: which world, which book, whose account."""

from dataclasses import dataclass, field
from datetime import date

from bot.domain.checks import require_positive, require_text
from bot.domain.errors import InvalidValueError
from simulator.books import BookPlan
from simulator.venue_models import VenueModels
from simulator.world.market import WorldModel


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorSettings:
    """One simulated run; the profile ``sim`` and ``alvh gateway`` read it.

    ``scenario`` is a name of `simulator.world.scenarios.SCENARIOS`; with a history given it is ignored, and the window
    is ``start`` to ``end``. Without one, the scenario starts at the first session on or after ``start`` and lasts
    ``sessions`` sessions.
    """

    scenario: str = "blowout"
    start: date = date(2026, 10, 19)
    end: date | None = None  # of a history's window
    sessions: int = 5
    seed: int = 7
    tick_s: int = 15  # seconds between two levels of an index, as published in reality
    account: str = "DU1234567"
    book: BookPlan = field(default_factory=BookPlan)
    model: WorldModel = field(default_factory=WorldModel)
    venue: VenueModels = field(default_factory=VenueModels)

    def __post_init__(self) -> None:
        """Reject a run without sessions, steps or account."""
        require_text(scenario=self.scenario, account=self.account)
        require_positive(sessions=self.sessions, tick_s=self.tick_s)
        if self.seed < 0:
            raise InvalidValueError(f"seed must not be negative, was {self.seed}")
        if self.end is not None and self.end < self.start:
            raise InvalidValueError(f"the window ends on {self.end}, before it starts on {self.start}")
