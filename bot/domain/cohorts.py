"""Joins the condors of each class and expiry with what they brought in and how they were opened (M8)."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from bot.domain.condor_fills import Executions, condors_at_entry
from bot.domain.condors import largest_loss_usd
from bot.domain.credits import cohort_credit
from bot.domain.expiries import class_settles_at
from bot.domain.portfolio import Cohort, Condor, Provenance, StatedCredit

NOTHING = Decimal(0)


def cohorts_of(
    condors: Sequence[Condor], stated: Sequence[StatedCredit], executions: Executions, today: date
) -> tuple[Cohort, ...]:
    """Return one cohort for the condors of each class and expiry.

    Args:
        condors: As held.
        stated: Credit by the operator.
        executions: Of the whole account: what it opened, closed and rolled.
        today: New York date; a cohort of which nobody says when it was opened counts from today.

    Source: docs/methodology.md, M8 and M9.
    """
    grouped: dict[tuple[str, date], list[Condor]] = defaultdict(list)
    for condor in condors:
        grouped[condor.trading_class, condor.settlement].append(condor)
    return tuple(_cohort(grouped[group], stated, executions, today) for group in sorted(grouped))


def past_cohorts_of(stated: Sequence[StatedCredit], now: datetime) -> tuple[Cohort, ...]:
    """Return the cohorts that were stated and have settled: their days bear their own share of the hedge's cost (M9).

    Condors that were closed early are not among them: the day of their closing is not stated, and their days then
    count for the cohorts that follow, which overstates the cost and never understates it.

    Args:
        stated: Credit by the operator.
        now: Aware.
    """
    grouped: dict[tuple[str, date], list[StatedCredit]] = defaultdict(list)
    for statement in stated:
        if now >= class_settles_at(statement.trading_class, statement.settlement):
            grouped[statement.trading_class, statement.settlement].append(statement)
    return tuple(
        Cohort(
            trading_class=trading_class,
            settlement=settlement,
            opened_on=min(statement.opened_on for statement in grouped[trading_class, settlement]),
            credit_usd=sum((each.credit_usd for each in grouped[trading_class, settlement]), NOTHING),
            maximum_loss_usd=NOTHING,
            provenance=Provenance.OPERATOR,
        )
        for trading_class, settlement in sorted(grouped)
    )


def _cohort(condors: Sequence[Condor], stated: Sequence[StatedCredit], executions: Executions, today: date) -> Cohort:
    credit = cohort_credit(condors, executions, stated)
    entry = condors_at_entry(condors, executions)
    return Cohort(
        trading_class=credit.trading_class,
        settlement=credit.settlement,
        opened_on=credit.opened_on or min(today, credit.settlement),
        credit_usd=credit.credit_usd,
        maximum_loss_usd=largest_loss_usd(entry or condors, credit.entry_usd),
        provenance=credit.provenance,
        put_wing_points=max((one.put_wing_points for one in entry), default=NOTHING),
        call_wing_points=max((one.call_wing_points for one in entry), default=NOTHING),
        words=credit.words,
    )
