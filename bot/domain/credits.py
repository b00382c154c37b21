"""What a cohort of condors brought in: from the account's own executions, else as the operator states it (M8, M9).

What always holds: a closing or a wing roll can lower the credit and never raise it; the credit is never above what the
openings brought and never below zero; what nobody vouches for counts for nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_FLOOR, Decimal
from typing import Final

from bot.domain.checks import require_not_negative
from bot.domain.condor_fills import Executions, Flows, condors_at_entry, flows_of
from bot.domain.errors import InvalidValueError
from bot.domain.fees import CENT
from bot.domain.portfolio import Condor, Position, Provenance, StatedCredit

NOTHING: Final = Decimal(0)
SHORT_LEGS: Final = 2
"""Of one condor."""

Strikes = tuple[Decimal, Decimal, Decimal, Decimal]
"""Long put, short put, short call, long call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortCredit:
    """The credit of one class and expiry in USD and whole cents, with what it is made of.

    Attributes:
        trading_class: SPX or SPXW.
        settlement: The expiry.
        opening_usd: What the openings brought, by executions or by statement.
        debits_usd: What closings and wing rolls cost.
        fees_usd: Of all executions.
        entry_usd: The share in the openings of what is still held; the ceiling of a stated credit.
        credit_usd: What caps the hedge: ``max(0, opening - debits - fees)``.
        provenance: Whose word it is; ESTIMATED where nobody vouches for some of the condors.
        opened_on: The day of the first opening; None where nobody says it.
        estimated_usd: What the broker's average costs say, where nobody vouches for more; shown, never counted.
    """

    trading_class: str
    settlement: date
    opening_usd: Decimal
    debits_usd: Decimal
    fees_usd: Decimal
    entry_usd: Decimal
    credit_usd: Decimal
    provenance: Provenance
    opened_on: date | None = None
    estimated_usd: Decimal | None = None

    def __post_init__(self) -> None:
        """Reject a credit below zero, and costs that would raise it."""
        require_not_negative(credit_usd=self.credit_usd, debits_usd=self.debits_usd, fees_usd=self.fees_usd)

    @property
    def words(self) -> str:
        """The figures in one sentence."""
        name = f"{self.trading_class}:{self.settlement}"
        figures = (
            f"{self.opening_usd} USD taken in, {self.debits_usd} paid for closings and wings, "
            f"{self.fees_usd} in fees: {self.credit_usd} of credit ({self.provenance})"
        )
        if self.provenance is not Provenance.ESTIMATED:
            return f"{name}: {figures}"
        told = "nothing" if self.estimated_usd is None else f"{self.estimated_usd} USD"
        average = f"the broker's average costs say {told}, which counts for nothing until it is confirmed"
        if not self.opening_usd:
            return f"{name}: {average}"
        return f"{name}: {figures}, for some of the condors alone; {average}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Vouched:
    """For how many condors each statement stands, never for more than it states."""

    counts: Mapping[StatedCredit, int]
    condors: int  # of the cohort, vouched for or not

    @property
    def standing(self) -> int:
        return sum(self.counts.values())

    @property
    def whole_usd(self) -> Decimal:
        return sum((statement.credit_usd for statement in self.counts), NOTHING)

    @property
    def share_usd(self) -> Decimal:
        shares = (statement.credit_usd * count / statement.count for statement, count in self.counts.items())
        return sum((share.quantize(CENT, rounding=ROUND_FLOOR) for share in shares), NOTHING)


def cohort_credit(condors: Sequence[Condor], executions: Executions, stated: Sequence[StatedCredit]) -> CohortCredit:
    """Return the credit of one cohort and whose word it is.

    From executions when they explain all contracts of its condors, else from the operator's statements: those with the
    strikes held, or with the strikes at entry where a wing was moved since. A statement counts in proportion where
    fewer are held than stated, and never more than is left of it after our own debits and fees. Condors for which
    neither stands add nothing and mark the credit as estimated.

    Args:
        condors: All condors of one class and expiry, one at least.
        executions: Of the whole account; what belongs to other contracts is passed over.
        stated: Credit by the operator, net of the fees of the opening.

    Raises:
        InvalidValueError: No condor, or condors of different cohorts.

    Source: docs/methodology.md, M8 and M9.
    """
    if len({(condor.trading_class, condor.settlement) for condor in condors}) != 1:
        raise InvalidValueError("a cohort's credit needs condors of one class and expiry, one at least")
    flows = flows_of(condors, executions)
    if flows.explains_all:
        return _from_executions(condors, flows)
    vouched = _vouched(condors, stated)
    if vouched.standing < vouched.condors:
        at_entry = _vouched(condors_at_entry(condors, executions), stated)
        vouched = at_entry if at_entry.standing > vouched.standing else vouched
    return _from_statements(condors, flows, vouched, executions.before)


def _from_executions(condors: Sequence[Condor], flows: Flows) -> CohortCredit:
    held = SHORT_LEGS * sum(condor.count for condor in condors)
    return CohortCredit(
        trading_class=condors[0].trading_class,
        settlement=condors[0].settlement,
        opening_usd=flows.opening_usd,
        debits_usd=flows.debits_usd,
        fees_usd=flows.fees_usd,
        entry_usd=_cents(flows.opening_usd * held / flows.contracts_opened),
        credit_usd=_cents(flows.opening_usd - flows.debits_usd - flows.fees_usd),
        provenance=Provenance.OWN_FILLS,
        opened_on=flows.opened_on,
    )


def _from_statements(
    condors: Sequence[Condor], flows: Flows, vouched: _Vouched, before: Sequence[Position]
) -> CohortCredit:
    whole, share = vouched.whole_usd, vouched.share_usd
    is_whole = vouched.standing == vouched.condors
    return CohortCredit(
        trading_class=condors[0].trading_class,
        settlement=condors[0].settlement,
        opening_usd=whole,
        debits_usd=flows.debits_usd,
        fees_usd=flows.fees_usd,
        entry_usd=share,
        credit_usd=_cents(min(share, whole - flows.debits_usd - flows.fees_usd)),
        provenance=Provenance.OPERATOR if is_whole else Provenance.ESTIMATED,
        opened_on=min((statement.opened_on for statement in vouched.counts), default=None),
        estimated_usd=None if is_whole else _estimated(condors, before),
    )


def _cents(amount_usd: Decimal) -> Decimal:
    return max(NOTHING, amount_usd).quantize(CENT, rounding=ROUND_FLOOR)


def _vouched(condors: Sequence[Condor], stated: Sequence[StatedCredit]) -> _Vouched:
    counts: dict[StatedCredit, int] = {}
    for condor in condors:
        statement = _statement_for(condor, stated)
        if statement is not None:
            counts[statement] = min(statement.count, counts.get(statement, 0) + condor.count)
    return _Vouched(counts=counts, condors=sum(condor.count for condor in condors))


def _statement_for(condor: Condor, stated: Sequence[StatedCredit]) -> StatedCredit | None:
    wanted = (condor.trading_class, condor.settlement, _strikes(condor))
    return next((one for one in stated if (one.trading_class, one.settlement, one.strikes) == wanted), None)


def _strikes(condor: Condor) -> Strikes:
    long_put, short_put, short_call, long_call = (leg.strike or NOTHING for leg in condor.legs)
    return long_put, short_put, short_call, long_call


def _estimated(condors: Iterable[Condor], positions: Iterable[Position]) -> Decimal | None:
    """Credit by the broker's average costs, never below zero; None where it told none for some leg."""
    costs = {one.instrument.key: one.average_cost_usd for one in positions}
    total = NOTHING
    for condor in condors:
        for leg, sign in zip(condor.legs, (-1, 1, 1, -1), strict=True):
            cost = costs.get(leg.key)
            if cost is None:
                return None
            total += sign * cost * condor.count
    return max(NOTHING, total)
