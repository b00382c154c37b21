"""What the bot must ask of itself: the limits that the account or its executions have passed, and in which mode."""

from dataclasses import dataclass

from bot.domain.decision import Found
from bot.domain.mode import DemandSource, TradingMode
from bot.domain.snapshot import Snapshot
from risk.checks.day_slippage import is_beyond, slippage_limit_usd
from risk.checks.loss_limits import losses_of
from risk.limits import RiskLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One limit that was passed: what it asks for, in words and in figures."""

    source: DemandSource
    mode: TradingMode
    cause: str
    found: Found
    limit: Found


def breaches_in(snapshot: Snapshot, limits: RiskLimits) -> tuple[Breach, ...]:
    """Return every limit that is passed now, at most one of a source.

    A loss or slippage above its limit asks for REDUCE_ONLY, a pattern that executed as often as it may for HALT. What
    is not known is no breach: the gate refuses for it.

    Source: docs/risk-controls.md, section 2.4.
    """
    found = (_losses(snapshot, limits), _slippage(snapshot, limits), _repeats(snapshot, limits))
    return tuple(breach for breach in found if breach is not None)


def _losses(snapshot: Snapshot, limits: RiskLimits) -> Breach | None:
    for lost in losses_of(snapshot.worth, limits):
        if not lost.passed and lost.found is not None:
            return Breach(
                source=DemandSource.LOSSES,
                mode=TradingMode.REDUCE_ONLY,
                cause=f"{lost.rule}: {lost.found} USD lost {lost.note}, limit {lost.limit} USD",
                found=lost.found,
                limit=lost.limit,
            )
    return None


def _slippage(snapshot: Snapshot, limits: RiskLimits) -> Breach | None:
    paid, limit = snapshot.book.executed.slippage_usd, slippage_limit_usd(snapshot.worth, limits)
    if not is_beyond(snapshot.book.executed, snapshot.worth, limits):
        return None
    return Breach(
        source=DemandSource.SLIPPAGE,
        mode=TradingMode.REDUCE_ONLY,
        cause=f"executions paid {paid} USD beyond the middle today, limit {limit} USD",
        found=paid,
        limit=limit,
    )


def _repeats(snapshot: Snapshot, limits: RiskLimits) -> Breach | None:
    for pattern, times in sorted(snapshot.book.executed.times.items()):
        if times >= limits.max_repeats_per_day:
            return Breach(
                source=DemandSource.REPEATS,
                mode=TradingMode.HALT,
                cause=f"executed {times} times today, and {limits.max_repeats_per_day} disable: {pattern}",
                found=times,
                limit=limits.max_repeats_per_day,
            )
    return None
