"""What one limit leaves: its figure, what is used of it now, and the room between the two; unknown is never zero."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import partial
from typing import Final

from bot.domain.checks import require_finite, require_text
from bot.domain.decision import Rule
from bot.domain.errors import InvalidValueError

NEAR_FRAC: Final = Decimal("0.80")
"""Of a limit: whoever watches is shown that it is nearly used up while there is still time to do something."""


class Applies(StrEnum):
    """To what a limit is compared."""

    NOW = "now"  # to what is held and on its way
    PER_ORDER = "per order"  # to each order by itself: nothing runs up
    PER_MOMENT = "per moment"  # to the time of the day, or to what is permitted


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """One limit at one moment.

    Attributes:
        name: Of the field of `RiskLimits`.
        rule: By which the gate judges it; None where a verdict is bound by it after the gate.
        control: As docs/risk-controls.md numbers it.
        applies: To what it is compared; only `Applies.NOW` has a use.
        stated: The limit in its own terms, in words: 2 % of net liquidation.
        unit: Of limit, use and headroom.
        limit: In the unit of use; None where it is unknown or has none.
        use: What is held plus everything on its way at its worst, as the rule counts it; None where unknown or none.
        scope: What of many it is about: a cohort, a settlement, a scenario, a pattern.
        note: Further words; of what has no use, what it means now.
        unknown: Why the use is not known; empty where it is, or where there is none.
        is_least: The use must not fall below the limit, instead of not rising above it.
    """

    name: str
    rule: Rule | None
    control: str
    applies: Applies
    stated: str
    unit: str = ""
    limit: Decimal | None = None
    use: Decimal | None = None
    scope: str = ""
    note: str = ""
    unknown: str = ""
    is_least: bool = False

    def __post_init__(self) -> None:
        """Reject a use that nobody knows and nobody misses."""
        require_text(name=self.name, control=self.control, stated=self.stated)
        known = {"limit": self.limit, "use": self.use}
        require_finite(**{name: figure for name, figure in known.items() if figure is not None})
        has_both = self.limit is not None and self.use is not None
        if self.applies is Applies.NOW and has_both == bool(self.unknown):
            raise InvalidValueError(f"{self.name}: expected limit and use, or why they are unknown")
        if self.applies is not Applies.NOW and (has_both or self.unknown):
            raise InvalidValueError(f"{self.name}: a limit {self.applies} has no use")

    @property
    def headroom(self) -> Decimal | None:
        """What may still be added, below zero beyond the limit; None where it is unknown or none runs up."""
        if self.limit is None or self.use is None:
            return None
        return self.use - self.limit if self.is_least else self.limit - self.use

    @property
    def is_near(self) -> bool:
        """More than four fifths of the limit is used, or it is passed."""
        if self.limit is None or self.use is None:
            return False
        used, most = (self.limit, self.use) if self.is_least else (self.use, self.limit)
        return used > NEAR_FRAC * most


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What is said of a limit before anything is read: makes its rows."""

    name: str
    rule: Rule | None
    control: str

    @property
    def _row(self) -> partial[Room]:
        return partial(Room, name=self.name, rule=self.rule, control=self.control)

    def now(
        self,
        *,
        stated: str,
        unit: str,
        limit: Decimal,
        use: Decimal,
        scope: str = "",
        note: str = "",
        is_least: bool = False,
    ) -> Room:
        """Return a row whose use is known."""
        return self._row(
            applies=Applies.NOW,
            stated=stated,
            unit=unit,
            limit=limit,
            use=use,
            scope=scope,
            note=note,
            is_least=is_least,
        )

    def unknown(self, why: str, *, stated: str, unit: str = "", limit: Decimal | None = None, scope: str = "") -> Room:
        """Return a row whose use is not known, and why."""
        return self._row(
            applies=Applies.NOW,
            stated=stated,
            unit=unit,
            limit=limit,
            scope=scope,
            unknown=why,
        )

    def per(self, applies: Applies, *, stated: str, note: str = "", unit: str = "") -> Room:
        """Return a row of a limit of which nothing runs up."""
        return self._row(
            applies=applies,
            stated=stated,
            note=note,
            unit=unit,
        )
