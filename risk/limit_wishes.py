"""One limit by its name and a text: the set that would hold with it, or why there can be no such set (C37, I21).

How it works: the text is read as a value of the configuration file, or as `limit_texts` writes one, and laid over the
limits in force exactly as a file is laid over the defaults. What always holds: a set that `RiskLimits` refuses is no
set, so that the hard ceilings bind a command like a file; the allowlist of accounts changes at a start alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Final

from bot.domain.errors import ConfigError
from bot.sections import Layer, overlaid, toml_value
from risk.limit_changes import LimitChange, limit_changes, limit_texts
from risk.limits import RiskLimits

AT_A_START_ALONE: Final = frozenset({"accounts"})
"""A running bot is one account's: which accounts may be traded at all is no matter of a command."""
WHERE: Final = "limit"
"""What messages call the source of the value."""
_WORDS: Final[Mapping[str, object]] = {"True": True, "False": False}
_EMPTY_SET: Final = "none"


class Unfit(StrEnum):
    """Why a name and a text make no limit; the value is the code of the refusal."""

    FIXED = "limit_is_fixed"
    NAME = "no_such_limit"
    VALUE = "no_such_value"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoWish:
    """What was wrong, and in words what was expected."""

    code: Unfit
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """The set that would hold, and how it differs; ``change`` is None where it is the set in force."""

    limits: RiskLimits
    change: LimitChange | None


def wished(limits: RiskLimits, name: str, text: str) -> Wish | NoWish:
    """Return what a command to set one limit asks for.

    Args:
        limits: In force now.
        name: Of the limit, as in the section ``[risk]``.
        text: Its new value: as in a file, or as limits are shown (``VIX,VX``, ``True``).

    >>> wished(RiskLimits(), "max_orders_per_day", "10").change.words
    'max_orders_per_day: 40 -> 10'
    >>> wished(RiskLimits(), "max_hedge_cost_frac", "0.41").why
    'limit: max_hedge_cost_frac: max_hedge_cost_frac may be lowered, never raised above 0.40, was 0.41'
    """
    if name in AT_A_START_ALONE:
        return NoWish(code=Unfit.FIXED, why=f"{name} changes at a start alone: edit the configuration")
    try:
        after = _with(limits, name, text)
    except ConfigError as error:
        known = name in limit_texts(limits)
        return NoWish(code=Unfit.VALUE if known else Unfit.NAME, why=str(error))
    changes = limit_changes(limit_texts(limits), after)
    return Wish(limits=after, change=changes[0] if changes else None)


def limits_after(
    configured: RiskLimits, configured_last: Mapping[str, str], in_force_last: Mapping[str, str]
) -> RiskLimits:
    """Return the limits that a start begins with: what is configured, and over it what commands have set.

    A limit whose configured value is that of the last start keeps the value in force last; one that was edited since
    takes the edited value. Values that this version refuses, or does not know, are not kept: the comparison of C37
    then says what is looser without them.

    Args:
        configured: What the configuration says now.
        configured_last: What it said at the last start, as `limit_texts` writes it; empty where there was none.
        in_force_last: What was in force last, likewise.

    Source: docs/risk-controls.md, C37.
    """
    limits, now = configured, limit_texts(configured)
    for name, text in sorted(in_force_last.items()):
        is_as_it_was = name in now and now[name] == configured_last.get(name)
        if name in AT_A_START_ALONE or not is_as_it_was or text == now[name]:
            continue
        try:
            limits = _with(limits, name, text)
        except ConfigError:
            continue
    return limits


def _with(limits: RiskLimits, name: str, text: str) -> RiskLimits:
    """Raise ConfigError where the name is unknown, or the text no value that the limit may have."""
    return overlaid(limits, Layer(where=WHERE, table={name: _value(limits, name, text)}))


def _value(limits: RiskLimits, name: str, text: str) -> object:
    value = _WORDS.get(text, toml_value(text))
    known = {field.name for field in fields(limits)}
    if isinstance(value, str) and name in known and isinstance(getattr(limits, name), frozenset):
        return [] if text == _EMPTY_SET else [one.strip() for one in text.split(",")]
    return value
