"""What an explanation is made of: parts with sentences and tables, as values that a terminal or a program can show."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.checks import require_text
from bot.domain.errors import InvalidValueError


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A table; the columns named in ``numeric`` are set to the right."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""
    numeric: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Reject a row that does not fit the columns."""
        for row in self.rows:
            if len(row) != len(self.columns):
                raise InvalidValueError(f"a row needs one cell for each of {self.columns}, was {row}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part: sentences, then tables; ``figures`` are those worked out here, for programs, None where unknown."""

    name: str
    title: str
    words: tuple[str, ...]
    grids: tuple[Grid, ...] = ()
    figures: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Reject a part that says nothing."""
        require_text(name=self.name, title=self.title)
        if not self.words and not self.grids:
            raise InvalidValueError(f"part {self.name!r} says nothing; say what is missing instead")


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One decision: the sentence that sums it up, and the parts in the order in which they are read."""

    decision_id: str
    at: datetime
    action: str
    trigger: str
    summary: str
    parts: tuple[Part, ...]
