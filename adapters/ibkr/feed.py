"""Whether market data as a whole can be believed: what broke it, and when it counts as healed.

A farm that is up again is no fresh quote: its cause goes with the next live tick. What always holds: absence of an
error is never taken as presence of data; only a tick heals.
"""

from typing import Final

from adapters.ibkr.errors import DataMeaning
from bot.domain.events import DataFeedChanged
from bot.domain.instrument import InstrumentKey
from bot.ports import Clock, Sink

COMPETING: Final = "competing session"


class DataFeed:
    """The causes for which market data is unusable, each with its words."""

    def __init__(self, *, clock: Clock, sink: Sink) -> None:
        """Start without a cause."""
        self._clock = clock
        self._sink = sink
        self._causes: dict[str, str] = {}
        self._healing: set[str] = set()

    def told(self, meaning: DataMeaning, text: str) -> None:
        """Take a notice about the data as a whole."""
        match meaning:
            case DataMeaning.FARM_DOWN:
                self._add(f"farm {farm_of(text)}", text)
            case DataMeaning.FARM_UP:
                if f"farm {farm_of(text)}" in self._causes:
                    self._healing.add(f"farm {farm_of(text)}")
            case DataMeaning.COMPETING:
                self._add(COMPETING, text)
                self._healing.add(COMPETING)
            case DataMeaning.NOTHING | DataMeaning.NOT_ENTITLED:
                pass

    def line_failed(self, key: InstrumentKey, text: str) -> None:
        """Take that one line has no right to its data."""
        self._add(key, f"{key}: {text}")

    def line_not_live(self, key: InstrumentKey, words: str) -> None:
        """Take that one line carries delayed or frozen data; its next live tick heals it."""
        self._add(key, f"{key}: {words} data")

    def line_closed(self, key: InstrumentKey) -> None:
        """Forget the fault of a line that nobody watches any more."""
        self._drop({key})

    def live_tick(self, key: InstrumentKey) -> None:
        """Take that live data of one line arrived: it heals its own fault and what was said to be up again."""
        if self._causes:
            self._drop({key, *self._healing})

    def _add(self, cause: str, text: str) -> None:
        is_new = cause not in self._causes
        self._causes[cause] = text[:300]
        self._healing.discard(cause)
        if is_new and len(self._causes) == 1:
            self._sink(DataFeedChanged(at=self._clock.now(), usable=False, why=text[:300]))

    def _drop(self, causes: set[str]) -> None:
        before = len(self._causes)
        for cause in causes:
            self._causes.pop(cause, None)
            self._healing.discard(cause)
        if before and not self._causes:
            self._sink(DataFeedChanged(at=self._clock.now(), usable=True, why="live data again"))


def farm_of(text: str) -> str:
    """Return the farm's name: what follows the last colon of the notice."""
    return text.rpartition(":")[2].strip()
