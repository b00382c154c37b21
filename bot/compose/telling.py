"""What the bot answered, as an operator reads it: lines for single facts, tables for limits, exposure and refusals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bot.domain.checks import require_text
from bot.report.explaining.figures import number_of, plain, text_of
from bot.report.explaining.gate import failure_words
from bot.report.explaining.trades import order_words, with_legs

Facts = Mapping[str, Any]

NEAR: Final = "near"
"""What the bot writes beside a limit of which more than four fifths are used."""
TABLES: Final = ("exposure", "refused", "refused_by", "limits")
"""Facts that are tables; every other one is a line."""
UNKNOWN: Final = "unknown: "
"""How a figure begins that nobody can work out; the reason follows."""
WITHOUT_USE: Final = ("per order", "per moment")
"""To what those limits apply of which nothing runs up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table: rows whose number is in ``marked`` stand out, columns in ``numeric`` are set to the right."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[str] = frozenset()
    marked: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        """Reject a table without a title."""
        require_text(title=self.title)


def lines_of(facts: Facts) -> tuple[str, ...]:
    """Return the single facts, one a line, by name."""
    return tuple(f"{name}: {_line(value)}" for name, value in sorted(facts.items()) if name not in TABLES)


def tables_of(facts: Facts) -> tuple[Table, ...]:
    """Return the tables that the facts hold, those without rows left out."""
    limits = _rows(facts, "limits")
    running = [row for row in limits if row.get("use") not in WITHOUT_USE]
    others = [row for row in limits if row.get("use") in WITHOUT_USE]
    found = (_exposure(_rows(facts, "exposure")), _refused(facts), _limits(running), _single(others))
    return tuple(table for table in found if table.rows)


def refused_words(facts: Facts, intent_id: str) -> tuple[str, ...]:
    """Return one refused order and the rules that refused it, as a person reads them before signing an override."""
    row = next((one for one in _rows(facts, "refused") if one.get("intent") == intent_id), None)
    if row is None:
        return ()
    reasons = [_reason_words(one) for one in _rows(facts, "refused_by") if one.get("intent") == intent_id]
    return (_order_words(row), *reasons)


def _line(value: object) -> str:
    if isinstance(value, list):
        return "; ".join(text_of(one) for one in value) or "none"
    return text_of(value)


def _rows(facts: Facts, name: str) -> Sequence[Facts]:
    found = facts.get(name)
    return [row for row in found if isinstance(row, Mapping)] if isinstance(found, list) else []


def _exposure(rows: Sequence[Facts]) -> Table:
    cells = []
    for row in rows:
        amount, unit = text_of(row.get("amount")), text_of(row.get("unit"))
        is_unknown = amount.startswith(UNKNOWN)
        now, words = ("unknown", f"{unit}; {amount}") if is_unknown else (_figure(amount), unit)
        cells.append((text_of(row.get("name")), now, words))
    return Table(
        title="Exposure of what is held",
        columns=("measure", "now", "unit"),
        rows=tuple(cells),
        numeric=frozenset({"now"}),
    )


def _refused(facts: Facts) -> Table:
    """The last refused orders, the latest first, each with the rules that refused it."""
    cells = []
    for row in _rows(facts, "refused"):
        reasons = [one for one in _rows(facts, "refused_by") if one.get("intent") == row.get("intent")]
        words = "; ".join(_reason_words(one) for one in reasons) or "the journal has its reasons"
        cells.append((text_of(row.get("intent")), f"{text_of(row.get('age_s'))} s", _order_words(row), words))
    columns = ("order", "refused for", "what", "because")
    return Table(title="Refused last", columns=columns, rows=tuple(cells), numeric=frozenset({"refused for"}))


def _order_words(row: Facts) -> str:
    legs = [part.partition(" ")[::2] for part in text_of(row.get("legs")).split(", ")]
    order = with_legs({"legs": [(key, ratio) for ratio, key in legs]})
    facts = {"purpose": row.get("purpose"), "quantity": row.get("quantity"), "limit": row.get("order_limit")}
    return order_words({**order, **facts})


def _reason_words(row: Facts) -> str:
    can = " (can be overridden)" if row.get("overridable") == "yes" else ""
    return f"{failure_words(row)}{can}"


def _limits(rows: Sequence[Facts]) -> Table:
    columns = ("limit", "of", "allowed", "used", "left", "unit", "that is")
    return Table(
        title="Limits, their use and what is left (! more than 80 % used)",
        columns=columns,
        rows=tuple(_limit_cells(row) for row in rows),
        numeric=frozenset({"allowed", "used", "left"}),
        marked=frozenset(place for place, row in enumerate(rows) if row.get("near") == NEAR),
    )


def _limit_cells(row: Facts) -> tuple[str, ...]:
    least = "at least " if row.get("bound") == "least" else ""
    mark = "! " if row.get("near") == NEAR else ""
    used, stated = text_of(row.get("use")), text_of(row.get("stated"))
    if used.startswith(UNKNOWN):
        used, stated = "unknown", f"{stated}; {used}" if stated else used
    return (
        f"{mark}{text_of(row.get('limit'))}",
        text_of(row.get("scope")),
        f"{least}{_figure(row.get('figure'))}",
        _figure(used),
        _figure(row.get("headroom")),
        text_of(row.get("unit")),
        stated,
    )


def _single(rows: Sequence[Facts]) -> Table:
    cells = tuple(
        (text_of(row.get("limit")), text_of(row.get("use")), text_of(row.get("stated")), text_of(row.get("note")))
        for row in rows
    )
    return Table(title="Limits of which nothing runs up", columns=("limit", "applies", "that is", "now"), rows=cells)


def _figure(value: object) -> str:
    """A figure with thousands separators, whole where it is whole; a text as it stands."""
    number = number_of(value)
    if number is None:
        return text_of(value)
    return plain(number, 0 if number == number.to_integral_value() and "." not in str(value) else 2)
