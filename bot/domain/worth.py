"""What losses are measured from: net liquidation as the day, the week and the record began, and its highest since.

How it works: every figure of net liquidation that can be believed moves one value on. A day and a week begin with the
last figure before them, so that no loss falls into a gap of the night; the first of all figures begins everything.
Money paid in or taken out is no result: on its day every measure moves by it, and the highest does not rise that day.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from bot.domain.checks import require_aware, require_finite
from bot.domain.errors import InvalidValueError
from bot.domain.ledger import trade_date

LARGEST_ACCOUNT_USD: Final = Decimal(10) ** 12
"""Far above any account that this bot is for: a larger number is a fault."""
NOTHING: Final = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Money that was paid in (positive) or taken out (negative) on a New York day, USD, as the operator states it.

    The broker's account values do not tell a transfer from a result, so nobody else can say it.
    """

    on: date
    amount_usd: Decimal

    def __post_init__(self) -> None:
        """Reject a transfer of nothing."""
        require_finite(amount_usd=self.amount_usd)
        if self.amount_usd == NOTHING:
            raise InvalidValueError(f"amount_usd of the transfer of {self.on} must not be 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """Net liquidation as last reported and what losses are measured from, USD; days and ISO weeks are New York's."""

    at: datetime
    now_usd: Decimal
    day_usd: Decimal  # as the day began
    week_usd: Decimal  # as the ISO week began
    peak_usd: Decimal  # the highest since the record began

    def __post_init__(self) -> None:
        """Reject naive times and numbers that are not finite."""
        require_aware(at=self.at)
        require_finite(now_usd=self.now_usd, day_usd=self.day_usd, week_usd=self.week_usd, peak_usd=self.peak_usd)

    @classmethod
    def begun(cls, usd: Decimal, at: datetime) -> "Worth":
        """Return the measures of which a figure is the first."""
        return cls(at=at, now_usd=usd, day_usd=usd, week_usd=usd, peak_usd=usd)

    def after(self, usd: Decimal, at: datetime, transfers: Iterable[Transfer] = ()) -> "Worth":
        """Return the measures after one more figure; one that is older than the last changes nothing.

        Args:
            usd: Net liquidation.
            at: When; aware.
            transfers: All that the operator has stated; those of the days since the last figure are counted now.
        """
        if at < self.at:
            return self
        before, today = trade_date(self.at), trade_date(at)
        stated = tuple(transfers)
        paid = sum((one.amount_usd for one in stated if before < one.on <= today), NOTHING)
        last, peak = self.now_usd + paid, self.peak_usd + paid
        return Worth(
            at=at,
            now_usd=usd,
            day_usd=self.day_usd if before == today else last,
            week_usd=self.week_usd + paid if before.isocalendar()[:2] == today.isocalendar()[:2] else last,
            peak_usd=peak if any(one.on == today for one in stated) else max(peak, usd),
        )

    def anew(self) -> "Worth":
        """Return the measures begun anew with the last figure: a person has looked at what was lost."""
        return replace(self, day_usd=self.now_usd, week_usd=self.now_usd, peak_usd=self.now_usd)


def moved(worth: Worth | None, usd: Decimal, at: datetime, transfers: Iterable[Transfer] = ()) -> Worth | None:
    """Return the measures after a figure, which begins them where there are none; an impossible one changes nothing.

    A broker that is not ready reports 0: that is no loss of everything.
    """
    if not (usd.is_finite() and NOTHING < usd <= LARGEST_ACCOUNT_USD):
        return worth
    return Worth.begun(usd, at) if worth is None else worth.after(usd, at, transfers)
