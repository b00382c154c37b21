"""The table of the gate's rules, read from the rules themselves: ``python -m risk.controls`` prints it.

How it works: the docstring of every check ends with four lines, ``Control``, ``Standard``, ``Unit`` and ``Limits``. The
table is made of them, of the order of the gate and of the defaults of `RiskLimits`; docs/risk-controls.md holds it.
What always holds: a rule that does not say which control it serves is an error, and no row of the table.
"""

import inspect
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from bot.domain.errors import InvalidValueError
from risk.gate import CHECKS
from risk.limits import RiskLimits
from risk.scene import Check

FIELDS: Final = ("Control", "Standard", "Unit", "Limits")
"""What the docstring of a check states, each on a line of its own; ``none`` where there is none."""
NONE: Final = "none"
_CONTROL: Final = re.compile(r"[CM]\d+|section [\d.]+")

NOT_BUILT: Final[Mapping[str, str]] = {
    "C6": "no load at twice a recorded peak: nothing has been recorded yet",
    "C35": "no signed release tag",
    "C40": "a heading over sections 3 and 4 of the page, each with tests of its own",
}
"""Controls without a test, each with the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRow:
    """What one rule says of itself."""

    place: int
    rule: str
    controls: tuple[str, ...]
    standard: str
    unit: str
    limits: str  # each with its default
    file: str


def rows(checks: Sequence[Check] = CHECKS, limits: RiskLimits | None = None) -> tuple[RuleRow, ...]:
    """Return one row for each check, in their order.

    Raises:
        InvalidValueError: A docstring lacks a line, names no control, or a limit that there is not.
    """
    allowed = limits or RiskLimits()
    return tuple(_row(place, check, allowed) for place, check in enumerate(checks, start=1))


def _row(place: int, check: Check, limits: RiskLimits) -> RuleRow:
    kind = type(check)
    stated = _stated(kind)
    controls = tuple(_CONTROL.findall(stated["Control"]))
    if not controls:
        raise InvalidValueError(f"{kind.__name__}: expected a control such as C20, found {stated['Control']!r}")
    names = [] if stated["Limits"] == NONE else [name.strip() for name in stated["Limits"].split(",")]
    return RuleRow(
        place=place,
        rule=check.rule.value,
        controls=controls,
        standard=stated["Standard"],
        unit=stated["Unit"],
        limits=", ".join(f"`{name}` {_default(kind, limits, name)}" for name in names) or NONE,
        file=kind.__module__.replace(".", "/") + ".py",
    )


def _stated(kind: type) -> dict[str, str]:
    """The four lines of a docstring; a line may go on, indented, on the next."""
    words = inspect.getdoc(kind) or ""
    stated = {}
    for name in FIELDS:
        found = re.search(rf"^{name}: ((?:.+\n?)(?:[ ]+.+\n?)*)", words, re.MULTILINE)
        if found is None:
            raise InvalidValueError(
                f"{kind.__name__}: its docstring must end with the lines {', '.join(f'{one}: ...' for one in FIELDS)}; "
                f"{name} is missing"
            )
        stated[name] = " ".join(found[1].split()).rstrip(".")
    return stated


def _default(kind: type, limits: RiskLimits, name: str) -> str:
    if name not in RiskLimits.__dataclass_fields__:
        raise InvalidValueError(f"{kind.__name__}: RiskLimits has no limit {name!r}")
    value = getattr(limits, name)
    if isinstance(value, frozenset):
        return "/".join(sorted(value)) or "empty"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def table(found: Sequence[RuleRow], evidence: Mapping[str, Sequence[str]] | None = None) -> str:
    """Return the rules as a Markdown table.

    Args:
        found: The rows.
        evidence: Test files by control, as tests name their control by mark; none are shown without it.
    """
    tests = evidence or {}
    lines = [
        "| place | rule | control | standard | limits with their defaults | unit | file | tests |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in found:
        proofs = sorted({file for control in row.controls for file in tests.get(control, ()) if "risk" in file})
        cells = (
            str(row.place),
            f"`{row.rule}`",
            ", ".join(row.controls),
            row.standard,
            row.limits,
            row.unit,
            f"`{row.file}`",
            ", ".join(f"`{file}`" for file in proofs) or NONE,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(table(rows()) + "\n")
