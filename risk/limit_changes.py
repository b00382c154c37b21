"""How limits differ from those of the last start: tighter is taken, looser needs a person's word (C37, I21).

How it works: limits are written down as plain text, name by name. What was written last is compared with what the
configuration says now, and every difference is tighter or looser by the direction of its limit. A short hash names a
whole set, so that a person confirms exactly what was shown. What always holds: a limit that is new is tighter unless it
is a leave that is given, one that exists no more is looser, and a text that cannot be compared counts as looser.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Final

from bot.domain.checks import require_text
from risk.limits import Amortise, RiskLimits

HASH_DIGITS: Final = 12
"""Of SHA-256, as hexadecimal digits: enough to tell sets apart, short enough to be typed."""


class Looser(StrEnum):
    """In which direction a limit is looser."""

    MORE = "more"  # a larger number, a name more in a set, or a leave that is given
    LESS = "less"  # a smaller number, or a demand that is dropped


LOOSER: Final[Mapping[str, Looser]] = {
    "accounts": Looser.MORE,
    "permitted_classes": Looser.MORE,
    "permitted_exchanges": Looser.MORE,
    "permit_vxx_shares": Looser.MORE,
    "max_hedge_cost_frac": Looser.MORE,
    "amortise": Looser.MORE,
    "neutrality_band_frac": Looser.MORE,
    "neutrality_de_minimis_frac": Looser.MORE,
    "neutrality_step_frac": Looser.MORE,
    "max_mean_reversion_loss_frac": Looser.MORE,
    "max_worst_loss_frac": Looser.MORE,
    "max_margin_frac": Looser.MORE,
    "max_gross_leverage": Looser.MORE,
    "max_day_loss_frac": Looser.MORE,
    "max_week_loss_frac": Looser.MORE,
    "max_drawdown_frac": Looser.MORE,
    "max_options_per_settlement": Looser.MORE,
    "max_options": Looser.MORE,
    "max_futures_per_settlement": Looser.MORE,
    "max_futures": Looser.MORE,
    "max_instruments": Looser.MORE,
    "max_vega_frac": Looser.MORE,
    "max_vix_delta_frac": Looser.MORE,
    "max_day_slippage_frac": Looser.MORE,
    "max_repeats_per_day": Looser.MORE,
    "future_margin_frac": Looser.LESS,
    "require_preview": Looser.LESS,
    "preview_life_s": Looser.MORE,
    "max_wing_rise_frac": Looser.MORE,
    "max_loss_rise_frac": Looser.MORE,
    "break_even_moves": Looser.LESS,
    "straddle_reach_frac": Looser.MORE,
    "collar_frac": Looser.MORE,
    "future_collar_frac": Looser.MORE,
    "collar_ticks": Looser.MORE,
    "max_contracts_per_leg": Looser.MORE,
    "max_shares_per_order": Looser.MORE,
    "max_order_value_usd": Looser.MORE,
    "max_displayed_frac": Looser.MORE,
    "max_open_interest_frac": Looser.MORE,
    "max_orders_per_day": Looser.MORE,
    "closing_orders_reserve": Looser.MORE,
    "max_working_orders": Looser.MORE,
    "verdict_lifetime_s": Looser.MORE,
    "session_edge_minutes": Looser.LESS,
    "last_trade_cutoff_minutes": Looser.LESS,
    "expiry_guard_sessions": Looser.LESS,
}
"""Every limit has its direction; `straddle_reach_frac` is looser where more straddles may stand for the move."""

_GIVEN: Final = str(True)
"""How a leave that is given is written down."""
_RANKS: Final = {Amortise.NONE.value: 0, Amortise.STRAIGHT_LINE.value: 1, str(False): 0, _GIVEN: 1}
"""Words that are ordered: a cost that is spread over its life binds less at once, and a leave is looser than none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitChange:
    """One limit that is not what it was; an empty text is a limit that did not or does not exist."""

    name: str
    before: str
    after: str
    is_looser: bool

    def __post_init__(self) -> None:
        """Reject a change without a name."""
        require_text(name=self.name)

    @property
    def words(self) -> str:
        """The change in one line."""
        return f"{self.name}: {self.before or 'none'} -> {self.after or 'none'}"


def limit_texts(limits: RiskLimits) -> dict[str, str]:
    """Return every limit as text, by name; sets as their names in order."""
    return {field.name: _text(getattr(limits, field.name)) for field in fields(limits)}


def limits_hash(limits: RiskLimits) -> str:
    """Return the short name of a whole set of limits; equal sets have equal hashes, on every machine.

    >>> limits_hash(RiskLimits()) == limits_hash(RiskLimits()), len(limits_hash(RiskLimits()))
    (True, 12)
    """
    return texts_hash(limit_texts(limits))


def texts_hash(texts: Mapping[str, str]) -> str:
    """Return the short name of limits as `limit_texts` writes them, whatever their order.

    >>> texts_hash({"max_futures": "40", "max_options": "2000"})
    '4a17d7b4b6e6'
    """
    canonical = json.dumps(texts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:HASH_DIGITS]


def limit_changes(before: Mapping[str, str], after: RiskLimits) -> tuple[LimitChange, ...]:
    """Return how limits differ from those written down last, by name.

    Args:
        before: As `limit_texts` wrote them; empty where nothing was written yet: then nothing is looser.
        after: What holds from now on.

    Source: docs/risk-controls.md, C37.
    """
    if not before:
        return ()
    now = limit_texts(after)
    changes = []
    for name in sorted(before.keys() | now.keys()):
        old, new = before.get(name, ""), now.get(name, "")
        if old != new:
            changes.append(LimitChange(name=name, before=old, after=new, is_looser=_is_looser(name, old, new)))
    return tuple(changes)


def _is_looser(name: str, old: str, new: str) -> bool:
    if name not in LOOSER:
        return True
    if not old:
        return new == _GIVEN and LOOSER[name] is Looser.MORE
    if old in _RANKS and new in _RANKS:
        old, new = str(_RANKS[old]), str(_RANKS[new])
    numbers = _number(old), _number(new)
    if numbers[0] is not None and numbers[1] is not None:
        return numbers[1] > numbers[0] if LOOSER[name] is Looser.MORE else numbers[1] < numbers[0]
    return not set(new.split(",")) <= set(old.split(","))


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _text(value: object) -> str:
    if isinstance(value, frozenset):
        return ",".join(sorted(str(one) for one in value)) or "none"
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return str(value)
