"""Which executions count: a correction stands in the place of what it corrects, in whatever order the two are told.

How it works: the broker repeats an execution under an id that differs after the last dot only. The same contract, side
and order, and the same units filled before it, make the two one execution, of which the highest number counts. What
always holds: what counts depends on the set of executions alone; what is less certain than that counts by itself, and
the comparison of positions decides.

Source: docs/ib/hazards.md, section 5; docs/risk-controls.md, I12.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from bot.domain.orders import Fill

PLAIN_SEGMENTS: Final = 4
"""``xxxxxxxx.xxxxxxxx.nn.nn``; a fifth segment tells apart genuine executions inside a combo."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of an execution that was told for the first time."""

    counts: bool  # false: a later version of it was told before
    instead_of: Fill | None = None  # what counted until now


class ExecutionSet:
    """Every execution that was told, and those of them that count."""

    def __init__(self, told: Iterable[Fill] = ()) -> None:
        """Take some executions in.

        >>> ExecutionSet().counting
        mappingproxy({})
        """
        self._told: dict[str, Fill] = {}
        self._counting: dict[str, Fill] = {}
        self._by_root: dict[str, list[str]] = {}
        for fill in told:
            self.take(fill)

    @property
    def told(self) -> Mapping[str, Fill]:
        """All of them by the broker's id, in the order in which they were told."""
        return MappingProxyType(self._told)

    @property
    def counting(self) -> Mapping[str, Fill]:
        """Those that count, by the broker's id."""
        return MappingProxyType(self._counting)

    def newest_first(self) -> Iterator[Fill]:
        """Yield those that count, the one told last first."""
        return reversed(self._counting.values())

    def take(self, fill: Fill) -> Taken | None:
        """Take one more in; None where it was told already."""
        if fill.exec_id in self._told:
            return None
        self._told[fill.exec_id] = fill
        counted = self._version_of(fill)
        if counted is not None and number_of(counted.exec_id) > number_of(fill.exec_id):
            return Taken(counts=False)
        if counted is not None:
            del self._counting[counted.exec_id]
        self._counting[fill.exec_id] = fill
        return Taken(counts=True, instead_of=counted)

    def _version_of(self, fill: Fill) -> Fill | None:
        """Another version of an execution that counts so far."""
        root = root_of(fill.exec_id)
        if not root:
            return None
        known = self._by_root.setdefault(root, [])
        versions = (self._counting[exec_id] for exec_id in known if exec_id in self._counting)
        found = next((one for one in versions if _is_same(one, fill)), None)
        known.append(fill.exec_id)
        return found


def root_of(exec_id: str) -> str:
    """Return what all versions of an execution share, empty where an id has another form.

    >>> root_of("0000e0d5.5f4a.01.02"), root_of("0000e0d5.5f4a.01.01.01"), root_of("e-7")
    ('0000e0d5.5f4a.01', '', '')
    """
    root, _, number = exec_id.rpartition(".")
    return root if exec_id.count(".") == PLAIN_SEGMENTS - 1 and number.isdecimal() else ""


def number_of(exec_id: str) -> int:
    """Return which version of an execution an id names: 1 is the first, anything above corrects; 1 where it says none.

    >>> number_of("0000e0d5.5f4a.01.02"), number_of("e-7")
    (2, 1)
    """
    return int(exec_id.rpartition(".")[2]) if root_of(exec_id) else 1


def _is_same(one: Fill, other: Fill) -> bool:
    return (one.key, one.part, one.side, one.perm_id, one.filled_before) == (
        other.key,
        other.part,
        other.side,
        other.perm_id,
        other.filled_before,
    )
