"""The table of troubles: what each is called, what it takes and what then happens; everything else reads it here.

A trouble is one row of `KINDS` with values for its parameters. Durations are seconds: of the loop for the link, of the
floor's time for orders, executions and data. The numbers F01 to F53 are those of docs/simulator.md.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.domain.errors import InvalidValueError

Setting = str | float | int
ANY_CLIENT: Final = -1
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)?")
_UNIT_S: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, None: 1.0}


class Area(StrEnum):
    """Where a trouble happens; the values are the headings of the documentation."""

    LINK = "link"
    ORDER = "orders"
    EXECUTION = "executions"
    DATA = "data"


class Form(StrEnum):
    """What a parameter's value looks like."""

    TEXT = "text"
    WHOLE = "whole number"
    NUMBER = "number"
    DURATION = "duration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of a kind; its value when none is stated, and what it means."""

    name: str
    form: Form
    default: Setting
    meaning: str
    choices: tuple[str, ...] = ()

    def read(self, given: object) -> Setting:
        """Return a value as this parameter takes it; texts come from a command line or a script.

        Raises:
            InvalidValueError: It is none, with the form that was expected.
        """
        try:
            value = self._read(given)
        except ValueError:
            raise InvalidValueError(f"{self.name}: expected a {self.form.value}, found {given!r}") from None
        if self.choices and value not in self.choices:
            raise InvalidValueError(f"{self.name}: expected one of {', '.join(self.choices)}, found {given!r}")
        return value

    def _read(self, given: object) -> Setting:
        if isinstance(given, bool) or not isinstance(given, (str, int, float)):
            raise ValueError  # noqa: TRY004 - one error for every value that does not fit, caught above
        match self.form:
            case Form.TEXT:
                return str(given)
            case Form.WHOLE:
                return int(str(given))
            case Form.DURATION:
                return duration_s(str(given))
        number = float(given)
        if not math.isfinite(number):
            raise ValueError
        return number


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One row of the table; ``number`` is empty for what has no number in the list of faults."""

    number: str
    name: str
    area: Area
    effect: str
    parameters: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One trouble that was asked for: a kind with a value for each of its parameters."""

    kind: Kind
    settings: tuple[tuple[str, Setting], ...]

    def __str__(self) -> str:
        """Name and settings as one would type them."""
        return " ".join([self.kind.name, *(f"{name}={value}" for name, value in self.settings)])

    def number(self, name: str) -> float:
        """Return a setting as a number."""
        return float(dict(self.settings)[name])

    def whole(self, name: str) -> int:
        """Return a setting as a whole number."""
        return int(dict(self.settings)[name])

    def text(self, name: str) -> str:
        """Return a setting as text."""
        return str(dict(self.settings)[name])

    def concerns(self, client_id: int) -> bool:
        """Whether it is meant for a client; any where it names none."""
        wanted = int(dict(self.settings).get("client", ANY_CLIENT))
        return wanted in {ANY_CLIENT, client_id}


def duration_s(text: str) -> float:
    """Return a duration in seconds; a number alone counts seconds.

    >>> duration_s("200ms"), duration_s("1h"), duration_s("2.5")
    (0.2, 3600.0, 2.5)

    Raises:
        InvalidValueError: The text is no duration.
    """
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise InvalidValueError(f"expected a duration such as 200ms, 5s, 10m or 1h, found {text!r}")
    return round(float(found[1]) * _UNIT_S[found[2]], 6)


def _client(meaning: str = "whose; any unless stated") -> Parameter:
    return Parameter(name="client", form=Form.WHOLE, default=ANY_CLIENT, meaning=meaning)


def _symbol() -> Parameter:
    return Parameter(name="symbol", form=Form.TEXT, default="", meaning="of which symbol; of all unless stated")


def _seconds(default: float, meaning: str) -> Parameter:
    return Parameter(name="seconds", form=Form.DURATION, default=default, meaning=meaning)


def _count() -> Parameter:
    return Parameter(name="count", form=Form.WHOLE, default=1, meaning="how many orders meet it, one after the other")


def _whole(name: str, default: int, meaning: str) -> Parameter:
    return Parameter(name=name, form=Form.WHOLE, default=default, meaning=meaning)


def _number(name: str, default: float, meaning: str) -> Parameter:
    return Parameter(name=name, form=Form.NUMBER, default=default, meaning=meaning)


def _text(name: str, default: str, meaning: str, choices: tuple[str, ...] = ()) -> Parameter:
    return Parameter(name=name, form=Form.TEXT, default=default, meaning=meaning, choices=choices)


_UNTIL: Final = "how long; 0 until cleared"


def _link(number: str, name: str, effect: str, *parameters: Parameter) -> Kind:
    return Kind(number=number, name=name, area=Area.LINK, effect=effect, parameters=parameters)


def _order(number: str, name: str, effect: str, *parameters: Parameter) -> Kind:
    chosen = (_client(), _count(), *parameters)
    return Kind(number=number, name=name, area=Area.ORDER, effect=effect, parameters=chosen)


def _execution(number: str, name: str, effect: str, *parameters: Parameter) -> Kind:
    chosen = (_client(), _count(), *parameters)
    return Kind(number=number, name=name, area=Area.EXECUTION, effect=effect, parameters=chosen)


def _data(number: str, name: str, effect: str, *parameters: Parameter) -> Kind:
    chosen = (_symbol(), _seconds(0.0, _UNTIL), *parameters)
    return Kind(number=number, name=name, area=Area.DATA, effect=effect, parameters=chosen)


_LINK_KINDS: Final = (
    _link("F01", "refuse", "the port is closed; who is connected stays", _seconds(10.0, "how long; 0 until cleared")),
    _link("F02", "reset", "the connection is reset in the middle of a frame", _client()),
    _link("F03", "disconnect", "the connection is closed in order", _client()),
    _link(
        "F04",
        "half_open",
        "nothing passes any more in either direction, the socket stays",
        _client(),
        _seconds(0.0, _UNTIL),
    ),
    _link(
        "F05", "delay", "each write to the client leaves this much later", _seconds(0.2, "how much later"), _client()
    ),
    _link(
        "F06",
        "drip",
        "bytes reach the client a few at a time",
        _whole("bytes", 1, "in one piece"),
        _seconds(0.01, "between two pieces"),
        _client(),
    ),
    _link(
        "F07",
        "split",
        "frames are collected and cut at arbitrary borders",
        _whole("bytes", 7, "in one piece"),
        _seconds(0.05, "collected before they are cut"),
        _client(),
    ),
    _link("F08", "second_session", "the next connection with an id in use is let in; both hear everything", _client()),
    _link(
        "F09",
        "hold_id",
        "the client is cut off and its id stays taken: a return meets 326",
        _client("whose"),
        _seconds(0.0, "how long; 0 until `release_id`"),
    ),
    _link("", "release_id", "a held client id becomes free", _client("whose; all unless stated")),
    _link(
        "F10",
        "wrong_version",
        "the next handshake is answered with this version",
        _text("version", "9999", "what is said"),
    ),
    _link("F11", "data_lost", "1100, then 1101: all streams end", _seconds(5.0, "between the two")),
    _link("F12", "data_kept", "1100, then 1102", _seconds(5.0, "between the two")),
    _link("F13", "storm", "1100, 1100, 1102, over and over, never in pairs", _whole("count", 20, "how many notices")),
    _link(
        "F14",
        "farm_down",
        "2103 or 2105, later 2104 or 2106; nothing else changes",
        _text("farm", "market", "which", ("market", "history")),
        _seconds(10.0, "between the two"),
    ),
    _link("F15", "competing", "10197 to every stream, and no ticks meanwhile", _seconds(30.0, "how long")),
    _link(
        "F16",
        "nightly_reset",
        "1100, all are cut off, the port is closed, and executions wait meanwhile",
        _seconds(60.0, "how long"),
    ),
    _link("F17", "login_needed", "all are cut off, and no handshake is answered", _seconds(0.0, _UNTIL)),
    _link("F18", "account_not_ready", "accountReady is false and the values are zero", _seconds(30.0, "how long")),
    _link(
        "",
        "code",
        "all clients are told a code for the connection",
        _whole("code", 1100, "the code"),
        _text("text", "", "its text"),
    ),
)

_ORDER_KINDS: Final = (
    _order(
        "",
        "reject",
        "answered with a rejection, never at the exchange",
        _whole("code", 201, "the code"),
        _text("text", "injected rejection", "the reason"),
    ),
    _order("F19", "lose_answers", "it lives, but nothing is heard of it on this connection unless it is asked for"),
    _order("F20", "late_answers", "it lives, and everything about it is heard late", _seconds(30.0, "how late")),
    _order("F21", "drop", "it vanishes: never at the exchange, never answered"),
    _order(
        "F22",
        "reject_after_ack",
        "acknowledged, then rejected with 201",
        _text("text", "injected rejection", "the reason"),
    ),
    _order(
        "F23",
        "note",
        "a notice beside a live order",
        _whole("code", 399, "399, 2109, 2161, 10349 or another"),
        _text("text", "injected notice", "its text"),
    ),
    _order(
        "F24", "fill_after_202", "its cancellation is confirmed, then it is filled", _seconds(1.0, "between the two")
    ),
    _order("F25", "fill_before_ack", "its executions are heard before it is acknowledged"),
    _order("F26", "fill_after_cancel", "its cancellation comes too late: it is filled, the cancel refused"),
    _order(
        "F27",
        "reject_change",
        "the next change is refused and the order goes on as it was",
        _whole("code", 201, "105, 110, 201 or 321"),
        _text("text", "injected rejection", "the reason"),
    ),
    Kind(
        number="F28",
        name="id_rollback",
        area=Area.LINK,
        effect="the next order ids told lie this far below",
        parameters=(_whole("by", 100, "how far"), _seconds(0.0, _UNTIL)),
    ),
    _order("F29", "duplicate_id", "answered with 103, never at the exchange"),
    _order(
        "F30",
        "capped",
        "the exchange works it at a worse price for the client to know",
        _number("points", 0.05, "below a purchase's limit, above a sale's"),
    ),
    _order(
        "F31",
        "inactive",
        "it is parked: Inactive without a reason, until cancelled or released",
        _seconds(0.0, "when it goes to the exchange after all; 0 never"),
    ),
    _order("F32", "partial", "this much of it trades, the rest never does", _whole("quantity", 1, "how much")),
    _order("F33", "one_leg", "of a combo one leg trades alone, the others never", _whole("leg", 1, "which, from 1")),
    _order(
        "F34",
        "leg_imbalance",
        "of a combo one leg trades in full and the others one unit less",
        _whole("leg", 1, "which, from 1"),
    ),
    _order("F35", "no_perm_id", "its permanent id is 0 at first", _seconds(10.0, "how long")),
)

_EXECUTION_KINDS: Final = (
    _execution("F36", "duplicate_fill", "each execution is told twice"),
    _execution(
        "F37",
        "reorder_fills",
        "executions and commissions are collected and told backwards",
        _seconds(2.0, "collected for"),
    ),
    _execution(
        "F38",
        "correct_fill",
        "its first execution is corrected: same id with a higher suffix, another price",
        _number("points", 0.05, "added to the price"),
        _seconds(5.0, "after the execution"),
    ),
    _execution("F39", "five_segments", "executions carry ids of five segments"),
    _execution(
        "F40",
        "bust",
        "its first execution is withdrawn: gone when asked for, the position taken back",
        _seconds(5.0, "after the execution"),
    ),
    Kind(
        number="F41",
        name="replay",
        area=Area.EXECUTION,
        effect="all of today's executions are told again at once",
        parameters=(_client(),),
    ),
    _execution(
        "F42",
        "late_commission",
        "commissions are told late",
        _seconds(60.0, "how late; 0 only when executions are asked for"),
    ),
    _execution("F42", "unset_commission", "commissions are told with the largest double in place of numbers"),
)

_DATA_KINDS: Final = (
    _data("F43", "nan", "NaN in the place of a number", _text("field", "price", "which", ("price", "size", "greek"))),
    _data("F44", "minus_one", "both sides are -1"),
    _data("F45", "zero", "both sides are 0", _whole("size", 10, "beside it; 0 says that there is no data")),
    Kind(
        number="F46",
        name="delayed",
        area=Area.DATA,
        effect="all streams turn to delayed data, with its tick types",
        parameters=(_seconds(0.0, _UNTIL),),
    ),
    _data("F47", "frozen", "streams turn to frozen data and stop"),
    _data("F48", "crossed", "the bid stands above the ask", _number("points", 0.1, "by this much")),
    _data("F49", "stale", "ticks stop, the link stays"),
    _data("F50", "halt", "halted: told so, and orders wait until it ends"),
    Kind(
        number="F51",
        name="outlier",
        area=Area.DATA,
        effect="one wild quote",
        parameters=(_symbol(), _number("factor", 10.0, "times the true one")),
    ),
    _data("F52", "no_greeks", "the model's figures are missing"),
    _data("F53", "new_con_id", "contracts carry another conId"),
    Kind(
        number="",
        name="price",
        area=Area.DATA,
        effect="quotes stand at this level; what the exchange fills at does not move",
        parameters=(_symbol(), _number("level", 0.0, "points"), _seconds(0.0, _UNTIL)),
    ),
)

KINDS: Final[Mapping[str, Kind]] = {
    kind.name: kind for kind in (*_LINK_KINDS, *_ORDER_KINDS, *_EXECUTION_KINDS, *_DATA_KINDS)
}


def trouble(name: str, **settings: object) -> Trouble:
    """Return a trouble by name; what is not stated takes its default.

    >>> str(trouble("reject", client=3))
    'reject client=3 count=1 code=201 text=injected rejection'

    Raises:
        InvalidValueError: No such kind or parameter, or a value that is none.
    """
    kind = KINDS.get(name)
    if kind is None:
        raise InvalidValueError(f"no trouble is called {name!r}, expected one of {', '.join(KINDS)}")
    unknown = sorted(set(settings) - {parameter.name for parameter in kind.parameters})
    if unknown:
        known = ", ".join(parameter.name for parameter in kind.parameters) or "no parameters"
        raise InvalidValueError(f"{name} has no {', '.join(unknown)}, it takes {known}")
    read = tuple(
        (parameter.name, parameter.read(settings[parameter.name]) if parameter.name in settings else parameter.default)
        for parameter in kind.parameters
    )
    _require_bounds(name, read)
    return Trouble(kind=kind, settings=read)


def _require_bounds(name: str, settings: tuple[tuple[str, Setting], ...]) -> None:
    for key, value in settings:
        least = {"client": ANY_CLIENT, "count": 1, "bytes": 1, "leg": 1, "quantity": 1, "size": 0}.get(key)
        if least is not None and int(value) < least:
            raise InvalidValueError(f"{name}: {key} must be at least {least}, was {value}")
        if key == "client" and int(value) == ANY_CLIENT and name == "hold_id":
            raise InvalidValueError("hold_id needs client=ID: the id that stays taken")
