"""What the gate found and what it answered: checks, verdicts, and the record of one decision."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from bot.domain.checks import require_aware
from bot.domain.errors import InvalidValueError
from bot.domain.orders import OrderIntent

Found = Decimal | float | int | str | None

_made: Final = tuple.__new__
"""Makes a named tuple of all its fields at once, in half the time: some thirty are made for each order and size."""


class Rule(StrEnum):
    """The rules of the gate; the value is the reason code in journal and logs, the comment the control it serves."""

    WELL_FORMED = "well_formed"  # C19
    ACCOUNT = "account"  # C23
    PERMISSION = "permission"  # C14
    SESSION_HOURS = "session_hours"  # C24
    QUOTE_QUALITY = "quote_quality"  # C22
    PRICE_COLLAR = "price_collar"  # C7
    DAY_SLIPPAGE = "day_slippage"  # C7
    ORDER_SIZE = "order_size"  # C9
    SHORT_CALLS = "short_calls"  # C21
    WING_LIMITS = "wing_limits"  # C14, M8
    NEUTRALITY = "neutrality"  # M10
    MEAN_REVERSION_LOSS = "mean_reversion_loss"  # C31, M11
    WORST_LOSS = "worst_loss"  # C31, M11
    MARGIN_PREVIEW = "margin_preview"  # C31, M11
    MARGIN_USE = "margin_use"  # C31, M11
    GROSS_LEVERAGE = "gross_leverage"  # C31, M11
    CONTRACTS_PER_SETTLEMENT = "contracts_per_settlement"  # C31
    CONTRACTS_IN_ALL = "contracts_in_all"  # C31
    INSTRUMENTS = "instruments"  # C18
    VEGA = "vega"  # C31, C13
    VIX_DELTA = "vix_delta"  # C31, C13
    DAY_LOSS = "day_loss"  # C31
    WEEK_LOSS = "week_loss"  # C31
    DRAWDOWN = "drawdown"  # C31
    HEDGE_COST_CAP_COHORT = "hedge_cost_cap_cohort"  # C20
    HEDGE_COST_CAP_BOOK = "hedge_cost_cap_book"  # C20
    BREAK_EVENS = "break_evens"  # M8
    REPEATS = "repeats"  # C12
    DUPLICATES = "duplicates"  # C16
    DAILY_ORDERS = "daily_orders"  # C10
    WORKING_ORDERS = "working_orders"  # C10
    LOCKS = "locks"  # section 2.1
    RECONCILED = "reconciled"  # section 2.1
    TRADING_MODE = "trading_mode"  # section 2.2

    __hash__ = str.__hash__  # equal to its word, so hashed as it; and many times faster than an enum's own


class Checked(NamedTuple):
    """What one rule found, passed or not; every check of every order is recorded."""

    rule: Rule
    passed: bool
    found: Found
    limit: Found
    headroom: Found = None
    note: str = ""
    size_can_cure: bool = False  # a smaller order might pass
    overridden: bool = False  # failed, and a person has signed that this order may pass it all the same (C15)

    @property
    def refuses(self) -> bool:
        """It failed, and nobody overrode it."""
        return not self.passed and not self.overridden

    @classmethod
    def at_most(
        cls, *, rule: Rule, found: Decimal, limit: Decimal, note: str = "", size_can_cure: bool = False
    ) -> "Checked":
        """Pass when ``found <= limit``; anything not finite fails before it is compared."""
        if not (found.is_finite() and limit.is_finite()):
            return cls.failed(rule=rule, note=f"not finite: found {found}, limit {limit}")
        return _made(cls, (rule, found <= limit, found, limit, limit - found, note, size_can_cure, False))

    @classmethod
    def holds(cls, *, rule: Rule, passed: bool, found: Found, limit: Found, note: str = "") -> "Checked":
        """Record a yes-or-no rule with what was found and what was expected."""
        return _made(cls, (rule, passed, found, limit, None, note, False, False))

    @classmethod
    def failed(cls, *, rule: Rule, note: str) -> "Checked":
        """Refuse because something needed for the judgement is missing or impossible."""
        return cls(rule, passed=False, found=None, limit=None, note=note)


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """Leave to send one order, for a short time and for the book it was given for; only `risk.gate` makes one."""

    intent: OrderIntent
    checks: tuple[Checked, ...]
    book_version: int
    kill_epoch: int
    given_at: datetime
    valid_until: datetime

    def __post_init__(self) -> None:
        """Reject an approval that a failed check contradicts."""
        require_aware(given_at=self.given_at, valid_until=self.valid_until)
        failed = [checked for checked in self.checks if not checked.passed]
        if not self.checks or any(checked.refuses for checked in failed):
            raise InvalidValueError(
                f"intent {self.intent.intent_id}: an approval needs checks, all of them passed or overridden"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A refusal with every reason; ``largest_quantity`` is the largest size that passes all checks, 0 for none.

    ``question`` is the order in the size in which it would pass if the broker had said what it binds; None where no
    answer would help.
    """

    intent: OrderIntent
    checks: tuple[Checked, ...]
    largest_quantity: int = 0
    question: OrderIntent | None = None

    @property
    def reasons(self) -> tuple[Checked, ...]:
        """The checks that failed and were not overridden."""
        return tuple(checked for checked in self.checks if checked.refuses)


Verdict = Approved | Refused
