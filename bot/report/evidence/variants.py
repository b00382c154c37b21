"""No hedge, base sleeve, and base with overlay on one history: profit and loss, drawdown, tail days, rate of return.

One run holds all three, because our orders do not move the market: the book without the overlay is the book less what
the overlay was worth and brought. What this cannot show is a base that would have traded otherwise without the overlay.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Final

from bot.domain.parts import Part
from bot.report.evidence.results import Moment, Results
from bot.report.evidence.settings import ComparisonSettings
from bot.report.irr import CapitalBase, DatedFlow, Irr, NoIrr, flows_on_capital, xirr


class Variant(StrEnum):
    """Which book is meant."""

    NO_HEDGE = "no hedge"
    BASE = "base sleeve"
    BASE_AND_OVERLAY = "base and overlay"


PARTS: Final[Mapping[Variant, tuple[Part, ...]]] = {
    Variant.NO_HEDGE: (Part.CONDORS,),
    Variant.BASE: (Part.CONDORS, Part.BASE),
    Variant.BASE_AND_OVERLAY: (Part.CONDORS, Part.BASE, Part.OVERLAY),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawdown:
    """The largest fall from an earlier height, USD, never negative, and the days of the height and of the bottom."""

    usd: float
    since: date
    until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One variant over all sessions.

    Attributes:
        curve_usd: Profit or loss since the first counted sample: 0, then one figure a session.
        hedge_usd: What the hedge brought of the last of it, negative what it cost; 0 without one.
        fees_usd: Paid for the variant's orders, positive.
        drawdown: The worst of the curve.
        tail_usd: Profit or loss on the tail days together.
        irr: A fraction per year, or why there is none.
    """

    curve_usd: tuple[float, ...]
    hedge_usd: float
    fees_usd: float
    drawdown: Drawdown
    tail_usd: float
    irr: Irr | NoIrr

    @property
    def result_usd(self) -> float:
        """Profit or loss at the end."""
        return self.curve_usd[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All variants on the same sessions.

    Attributes:
        days: The sessions, ascending; one fewer than a curve has figures.
        tail_days: Those of them on which SPX fell as far as a tail needs.
        outcomes: By variant.
        capital_usd: The largest maximum loss of the condors; 0 without condors.
        account_usd: What the broker's net liquidation changed by, None where it was not told.
    """

    days: tuple[date, ...]
    tail_days: tuple[date, ...]
    outcomes: Mapping[Variant, Outcome]
    capital_usd: float
    account_usd: float | None

    @property
    def overlay_usd(self) -> float:
        """What the overlay brought, negative what it cost: the one difference between the last two variants."""
        return self.outcomes[Variant.BASE_AND_OVERLAY].hedge_usd - self.outcomes[Variant.BASE].hedge_usd

    @property
    def unexplained_usd(self) -> float | None:
        """What the account changed by beside the three parts: interest, deposits, other positions, other marks."""
        if self.account_usd is None:
            return None
        return self.account_usd - self.outcomes[Variant.BASE_AND_OVERLAY].result_usd

    def frac_of_capital(self, usd: float) -> float | None:
        """Return an amount as a fraction of the capital, None without any."""
        return usd / self.capital_usd if self.capital_usd > 0.0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoComparison:
    """The journal does not hold what a comparison needs, and why."""

    why: str


def compare(results: Results, settings: ComparisonSettings) -> Comparison | NoComparison:
    """Return the variants of what a journal has told.

    Source: docs/methodology.md, M15.
    """
    if results.first is None:
        if results.left_out or results.without:
            return NoComparison(
                why=f"{results.without} samples do not say what was held, as in journals of earlier versions, and "
                f"{results.left_out} lack a quote of something held or the level of SPX"
            )
        return NoComparison(why="no sample was taken: the bot saw no session with positions to look at")
    ends = tuple(results.ends[day] for day in sorted(results.ends))
    path = (results.first, *ends)
    tail = tuple(now.day for before, now in pairwise(path) if now.spx / before.spx - 1.0 <= settings.tail_move_frac)
    bare = _curve(path, PARTS[Variant.NO_HEDGE])[-1]
    outcomes = {
        variant: _outcome(path, parts, tail, bare, _rate(path, parts, results.capital_usd, settings))
        for variant, parts in PARTS.items()
    }
    begun, ended = path[0].account_usd, path[-1].account_usd
    return Comparison(
        days=tuple(end.day for end in ends),
        tail_days=tail,
        outcomes=outcomes,
        capital_usd=results.capital_usd,
        account_usd=None if begun is None or ended is None else ended - begun,
    )


def worst_drawdown(curve_usd: Sequence[float], days: Sequence[date]) -> Drawdown:
    """Return the largest fall of a curve from an earlier height; the first such fall where several are as large.

    Args:
        curve_usd: Shape (n,), n >= 1.
        days: The days of its figures.
    """
    height = 0
    worst = Drawdown(usd=0.0, since=days[0], until=days[0])
    for place, value in enumerate(curve_usd):
        if value > curve_usd[height]:
            height = place
        elif curve_usd[height] - value > worst.usd:
            worst = Drawdown(usd=curve_usd[height] - value, since=days[height], until=days[place])
    return worst


def _outcome(
    path: Sequence[Moment], parts: Sequence[Part], tail: Sequence[date], bare_usd: float, irr: Irr | NoIrr
) -> Outcome:
    curve = _curve(path, parts)
    days = [moment.day for moment in path]
    by_session = [now - before for before, now in pairwise(curve)]
    return Outcome(
        curve_usd=curve,
        hedge_usd=curve[-1] - bare_usd,
        fees_usd=sum(path[-1].parts[part].fees_usd for part in parts),
        drawdown=worst_drawdown(curve, days),
        tail_usd=sum(usd for day, usd in zip(days[1:], by_session, strict=True) if day in tail),
        irr=irr,
    )


def _curve(path: Sequence[Moment], parts: Sequence[Part]) -> tuple[float, ...]:
    """Profit and loss of some parts since the first moment."""
    totals = [sum(moment.parts[part].worth_usd + moment.parts[part].cash_usd for part in parts) for moment in path]
    return tuple(total - totals[0] for total in totals)


def _rate(
    path: Sequence[Moment], parts: Sequence[Part], capital_usd: float, settings: ComparisonSettings
) -> Irr | NoIrr:
    """The yearly rate on the condors' maximum loss.

    The condors' profit or loss flows session by session: their credit stays with the broker as security and is no
    money to take out. The hedge flows as cash does: what it is worth at the beginning is paid in, premiums and fees
    when they are paid, proceeds when they come, and what is left at the end comes back.
    """
    sessions = len(path) - 1
    if sessions < settings.least_sessions:
        return NoIrr(why=f"not meaningful below {settings.least_sessions} sessions, there are {sessions}")
    if capital_usd <= 0.0:
        return NoIrr(why="no condors were held: there is no maximum loss to measure a return on")
    flows = [flow for part in parts for flow in (_accrued(path) if part is Part.CONDORS else _paid(path, part))]
    dated, _ = flows_on_capital(
        flows,
        capital_usd=_cents(capital_usd),
        base=CapitalBase.MAXIMUM_LOSS,
        first=path[0].day,
        last=path[-1].day,
    )
    return xirr(dated)


def _accrued(path: Sequence[Moment]) -> list[DatedFlow]:
    curve = _curve(path, (Part.CONDORS,))
    days = [moment.day for moment in path]
    return [
        DatedFlow(day=day, usd=_cents(now - before))
        for day, (before, now) in zip(days[1:], pairwise(curve), strict=True)
    ]


def _paid(path: Sequence[Moment], part: Part) -> list[DatedFlow]:
    first, last = path[0].parts[part], path[-1].parts[part]
    flows = [DatedFlow(day=path[0].day, usd=-_cents(first.worth_usd))]
    flows += [
        DatedFlow(day=now.day, usd=_cents(now.parts[part].cash_usd - before.parts[part].cash_usd))
        for before, now in pairwise(path)
    ]
    return [*flows, DatedFlow(day=path[-1].day, usd=_cents(last.worth_usd))]


def _cents(usd: float) -> Decimal:
    return Decimal(f"{usd:.2f}")
