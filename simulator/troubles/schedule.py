"""Plays a script: notes what comes at a moment, counts what it waits for, and draws what comes by chance.

Chance is a Poisson process for each kind: the gaps are exponential with mean 3600 / rate seconds of the floor's time,
drawn from a stream of the seed and the kind's name, so that adding a kind does not move the others.
"""

import math
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from simulator.clock import SeededRng
from simulator.ports import Heard
from simulator.troubles.agenda import Agenda
from simulator.troubles.kinds import Trouble
from simulator.troubles.script import After, At, Entry, Occasion, On, Script
from simulator.venue import Executed, OrderChanged, VenueStatus

NEW_YORK: Final = ZoneInfo("America/New_York")
_AN_HOUR_S: Final = 3600.0


class Schedule:
    """One script at work."""

    def __init__(self, script: Script, agenda: Agenda, inject: Callable[[Trouble], None], now: datetime) -> None:
        """Note everything that has a moment; ``now`` (aware) is the beginning."""
        self._agenda = agenda
        self._inject = inject
        self._counts: Counter[Occasion] = Counter()
        self._acknowledged: set[int] = set()
        self._waiting: list[Entry] = []
        for entry in script.entries:
            self._note(entry, now)
        for each, rate in script.rates:
            self._draw(each, rate, SeededRng(script.seed, f"trouble/{each.kind.name}"))

    def __repr__(self) -> str:
        """What waits for an occasion, for failing tests."""
        return f"Schedule({[str(entry.trouble) for entry in self._waiting]})"

    def joined(self, _client_id: int) -> None:
        """A client has connected."""
        self._happened(Occasion.CONNECT)

    def hear(self, event: Heard) -> None:
        """Count what happens on the floor."""
        match event:
            case OrderChanged(status=VenueStatus.CANCELLED):
                self._happened(Occasion.CANCEL)
            case OrderChanged(perm_id=perm_id) if perm_id not in self._acknowledged:
                self._acknowledged.add(perm_id)
                self._happened(Occasion.ORDER)
            case Executed(is_leg=False):
                self._happened(Occasion.FILL)
            case _:
                pass

    def _note(self, entry: Entry, now: datetime) -> None:
        match entry.when:
            case After(seconds=seconds):
                self._agenda.after(seconds, lambda: self._inject(entry.trouble))
            case At(time=time):
                moment = datetime.combine(now.astimezone(NEW_YORK).date(), time, NEW_YORK)
                self._agenda.after((moment - now).total_seconds(), lambda: self._inject(entry.trouble))
            case On():
                self._waiting.append(entry)

    def _happened(self, occasion: Occasion) -> None:
        self._counts[occasion] += 1
        due = [entry for entry in self._waiting if entry.when == On(occasion=occasion, nth=self._counts[occasion])]
        for entry in due:
            self._waiting.remove(entry)
            self._agenda.after(0.0, lambda entry=entry: self._inject(entry.trouble))  # type: ignore[misc]  # bound now

    def _draw(self, each: Trouble, rate: float, stream: SeededRng) -> None:
        """Note the next of a kind that comes by chance; it notes the one after it."""

        def happen() -> None:
            self._inject(each)
            self._draw(each, rate, stream)

        gap = -math.log(1.0 - stream.uniform()) * _AN_HOUR_S / rate
        self._agenda.after(gap, happen)
