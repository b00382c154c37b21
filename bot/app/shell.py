"""What every task of the shell works with, in one value."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.app.pump import Pump
from bot.app.settings import AppSettings
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

    def tell(self, kind: str, facts: Mapping[str, object]) -> None:
        """Have one thing written down that is no event of the engine; ``kind`` in the past tense."""
        self.engine.note([JournalRow(kind=kind, decision_id="", at=self.clock.now(), payload=facts)])
        self.pump.wake()
