"""What every task of the shell works with, in one value."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.app.pump import Pump
from bot.app.settings import AppSettings
from bot.app.sparing import Sparing
from bot.engine import Engine
from bot.ports import Clock, JournalRow, Rng


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """The engine with its pump, time, chance and periods."""

    engine: Engine
    pump: Pump
    clock: Clock
    rng: Rng
    settings: AppSettings
    _sparing: Sparing = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Begin with nothing told."""
        object.__setattr__(self, "_sparing", Sparing(self.settings.repeat_every_s))

    def tell(self, kind: str, facts: Mapping[str, object]) -> None:
        """Have one thing written down that is no event of the engine; ``kind`` in the past tense."""
        self.engine.note([JournalRow(kind=kind, decision_id="", at=self.clock.now(), payload=facts)])
        self.pump.wake()

    def complain(self, kind: str, facts: Mapping[str, object]) -> None:
        """As `tell`, for what is tried again and again: the same facts once, then at most every so often."""
        if self._sparing.lets(kind, repr(sorted(facts.items())), self.clock.now()):
            self.tell(kind, facts)
