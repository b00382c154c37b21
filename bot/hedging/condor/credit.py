"""What a cohort of condors brought in: from the account's own executions, else as the operator states it (M8, M9).

How it works: the executions of a class and expiry are taken order by order. An order after which more contracts are
held short than before opens; every other one closes, or moves a wing. What always holds: a closing or a wing roll can
lower the credit and never raise it; the credit is never above what the openings brought and never below zero; the
order in which executions are told, and telling one twice, changes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_FLOOR, Decimal
from typing import Final

from bot.domain.checks import require_not_negative
from bot.domain.condors import CONDOR_CLASSES
from bot.domain.errors import InvalidValueError
from bot.domain.fees import CENT, FeeSchedule
from bot.domain.instrument import Instrument, InstrumentKey, Kind
from bot.domain.orders import Fill
from bot.domain.portfolio import Condor, Position, Provenance, StatedCredit

NOTHING: Final = Decimal(0)

Held = Mapping[InstrumentKey, int]
"""Signed contracts by name."""
Own = tuple[Fill, Instrument]
"""An execution with the contract that it moved."""
Named = tuple[str, date, tuple[Decimal, Decimal, Decimal, Decimal]]
"""What a statement is about: class, settlement, strikes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortCredit:
    """The credit of one class and expiry in USD and whole cents, with what it is made of.

    Attributes:
        trading_class: SPX or SPXW.
        settlement: The expiry.
        opening_usd: What the openings brought, fees apart; the ceiling of the credit.
        debits_usd: What closings and wing rolls cost.
        fees_usd: Of all executions.
        credit_usd: What caps the hedge: ``max(0, opening - debits - fees)``; 0 when it is only estimated.
        estimated_usd: What the broker's average costs say, where nobody vouches for more; shown, never counted.
        provenance: Whose word it is.
    """

    trading_class: str
    settlement: date
    opening_usd: Decimal
    debits_usd: Decimal
    fees_usd: Decimal
    credit_usd: Decimal
    provenance: Provenance
    estimated_usd: Decimal | None = None

    def __post_init__(self) -> None:
        """Reject a credit below zero, and costs that would raise it."""
        require_not_negative(credit_usd=self.credit_usd, debits_usd=self.debits_usd, fees_usd=self.fees_usd)

    @property
    def words(self) -> str:
        """The figures in one sentence."""
        name = f"{self.trading_class}:{self.settlement}"
        if self.provenance is Provenance.ESTIMATED:
            told = "nothing" if self.estimated_usd is None else f"{self.estimated_usd} USD"
            return f"{name}: the broker's average costs say {told}, which counts for nothing until it is confirmed"
        return (
            f"{name}: {self.opening_usd} USD taken in, {self.debits_usd} paid for closings and wings, "
            f"{self.fees_usd} in fees: {self.credit_usd} of credit ({self.provenance})"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Executions:
    """The account's executions and what they cost; ``before`` is what was held when they began to be counted."""

    fills: tuple[Fill, ...]
    commissions_usd: Mapping[str, Decimal]
    fees: FeeSchedule
    before: tuple[Position, ...] = ()


def cohort_credit(condors: Sequence[Condor], executions: Executions, stated: Sequence[StatedCredit]) -> CohortCredit:
    """Return the credit of one cohort and whose word it is.

    From executions when they explain all contracts of its condors, else from the operator's statements: those with the
    strikes held, or with the same short strikes where our own executions moved a wing. A statement counts in proportion
    where fewer are held than stated, and never more than is left of it after our own debits and fees. Condors that
    neither explains leave the credit estimated, which counts for nothing.

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
    name = (condors[0].trading_class, condors[0].settlement)
    own = [one for one in _once(executions.fills) if (one[1].trading_class, one[1].settlement) == name]
    start = _quantities(executions.before, name)
    flows = _flows(own, start, executions)
    held = _held_in(condors)
    begun_flat = all(start.get(key, 0) == 0 for key in held)
    if own and begun_flat and _after(start, own) == held:
        return _credit(name, flows, flows.opening, flows.opening, Provenance.OWN_FILLS)
    vouched = _vouched(condors, stated, has_own=bool(own))
    if vouched:
        whole = sum((statement.credit_usd for statement in vouched), NOTHING)
        return _credit(name, flows, whole, _in_proportion(vouched), Provenance.OPERATOR)
    nobodys = _credit(name, flows, NOTHING, NOTHING, Provenance.ESTIMATED)
    return replace(nobodys, estimated_usd=_estimated(condors, executions.before))


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditDiff:
    """How the operator's statements changed between two starts, for the journal; empty when they did not."""

    added: tuple[StatedCredit, ...]
    removed: tuple[StatedCredit, ...]
    changed: tuple[tuple[StatedCredit, StatedCredit], ...]  # before, after

    @property
    def is_empty(self) -> bool:
        """Nothing changed."""
        return not (self.added or self.removed or self.changed)

    @property
    def words(self) -> tuple[str, ...]:
        """One sentence for each change."""
        return (
            *(f"added {_described(one)}" for one in self.added),
            *(f"removed {_described(one)}" for one in self.removed),
            *(f"changed {_described(old)} to {_figures(new)}" for old, new in self.changed),
        )


def credit_diff(before: Iterable[StatedCredit], after: Iterable[StatedCredit]) -> CreditDiff:
    """Return what changed in the operator's import; statements are the same by class, expiry and strikes.

    Source: docs/methodology.md, M8.
    """
    old = {_name_of(one): one for one in before}
    new = {_name_of(one): one for one in after}
    return CreditDiff(
        added=tuple(new[name] for name in sorted(new.keys() - old.keys())),
        removed=tuple(old[name] for name in sorted(old.keys() - new.keys())),
        changed=tuple((old[name], new[name]) for name in sorted(old.keys() & new.keys()) if old[name] != new[name]),
    )


# executions -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flows:
    """USD: received by openings, paid by everything else, and fees; none of them below zero but the first."""

    opening: Decimal
    debits: Decimal
    fees: Decimal


def _once(fills: Iterable[Fill]) -> list[Own]:
    """Executions of condor legs by time, each once; the net of a combo is left out, its legs carry the prices."""
    by_id = {fill.exec_id: (fill, fill.instrument) for fill in fills if fill.instrument is not None}
    legs = (own for own in by_id.values() if own[1].kind is Kind.OPTION and own[1].trading_class in CONDOR_CLASSES)
    return sorted(legs, key=lambda own: (own[0].at, own[0].exec_id))


def _flows(own: Sequence[Own], start: Held, executions: Executions) -> _Flows:
    """Take the executions order by order: what opens, what does not, and what both cost in fees."""
    opening, debits, fees = NOTHING, NOTHING, NOTHING
    held = dict(start)
    for order in _by_order(own):
        after = _after(held, order)
        cash = sum((-fill.signed_quantity * fill.price * leg.multiplier for fill, leg in order), NOTHING)
        if _short(after) > _short(held):
            opening += cash
        else:
            debits += max(NOTHING, -cash)
        fees += sum((_fee_usd(one, executions) for one in order), NOTHING)
        held = after
    return _Flows(opening=opening, debits=debits, fees=fees)


def _by_order(own: Sequence[Own]) -> list[list[Own]]:
    """Executions of one order together, orders by their first execution."""
    orders: dict[tuple[int, str], list[Own]] = {}
    for fill, leg in own:
        orders.setdefault((fill.perm_id, fill.order_ref), []).append((fill, leg))
    return list(orders.values())


def _after(held: Held, own: Iterable[Own]) -> dict[InstrumentKey, int]:
    quantities = dict(held)
    for fill, leg in own:
        quantities[leg.key] = quantities.get(leg.key, 0) + fill.signed_quantity
    return {key: quantity for key, quantity in quantities.items() if quantity}


def _short(held: Held) -> int:
    return -sum(min(0, quantity) for quantity in held.values())


def _fee_usd(own: Own, executions: Executions) -> Decimal:
    """The broker's figure where it is known, the schedule's until then; a rebate is no fee."""
    fill, leg = own
    known = executions.commissions_usd.get(fill.exec_id)
    if known is not None:
        return max(NOTHING, known)
    return executions.fees.of_contract(leg.trading_class, leg.kind) * fill.quantity


# cohorts ----------------------------------------------------------------------------------------------------------


def _credit(
    name: tuple[str, date], flows: _Flows, opening: Decimal, ceiling: Decimal, provenance: Provenance
) -> CohortCredit:
    """What is left of an opening, never more than its ceiling."""
    left = min(ceiling, opening - flows.debits - flows.fees)
    return CohortCredit(
        trading_class=name[0],
        settlement=name[1],
        opening_usd=opening,
        debits_usd=flows.debits,
        fees_usd=flows.fees,
        credit_usd=max(NOTHING, left).quantize(CENT, rounding=ROUND_FLOOR),
        provenance=provenance,
    )


def _quantities(positions: Iterable[Position], name: tuple[str, date]) -> dict[InstrumentKey, int]:
    return {
        one.instrument.key: one.quantity
        for one in positions
        if (one.instrument.trading_class, one.instrument.settlement) == name
    }


def _held_in(condors: Iterable[Condor]) -> dict[InstrumentKey, int]:
    held: dict[InstrumentKey, int] = {}
    for condor in condors:
        for leg, sign in zip(condor.legs, (1, -1, -1, 1), strict=True):
            held[leg.key] = held.get(leg.key, 0) + sign * condor.count
    return {key: quantity for key, quantity in held.items() if quantity}


def _strikes(condor: Condor) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    long_put, short_put, short_call, long_call = (leg.strike or NOTHING for leg in condor.legs)
    return long_put, short_put, short_call, long_call


def _statement_for(condor: Condor, stated: Sequence[StatedCredit], *, has_own: bool) -> StatedCredit | None:
    """The statement with the condor's strikes; where we traded in the cohort, one with its short strikes will do."""
    group = [one for one in stated if (one.trading_class, one.settlement) == (condor.trading_class, condor.settlement)]
    strikes = _strikes(condor)
    exact = next((one for one in group if one.strikes == strikes), None)
    if exact is not None or not has_own:
        return exact
    return next((one for one in group if one.strikes[1:3] == strikes[1:3]), None)


def _vouched(condors: Iterable[Condor], stated: Sequence[StatedCredit], *, has_own: bool) -> dict[StatedCredit, int]:
    """How many condors each statement stands for; empty when one has none, or a statement more than it states."""
    counts: dict[StatedCredit, int] = {}
    for condor in condors:
        statement = _statement_for(condor, stated, has_own=has_own)
        if statement is None:
            return {}
        counts[statement] = counts.get(statement, 0) + condor.count
    return counts if all(count <= statement.count for statement, count in counts.items()) else {}


def _in_proportion(vouched: Mapping[StatedCredit, int]) -> Decimal:
    return sum((statement.credit_usd * count / statement.count for statement, count in vouched.items()), NOTHING)


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


def _name_of(one: StatedCredit) -> Named:
    return one.trading_class, one.settlement, one.strikes


def _described(one: StatedCredit) -> str:
    strikes = "/".join(f"{strike.normalize():f}" for strike in one.strikes)
    return f"{one.trading_class} {one.settlement} {strikes}: {_figures(one)}"


def _figures(one: StatedCredit) -> str:
    return f"{one.count} condors for {one.credit_usd} USD, opened {one.opened_on}"
