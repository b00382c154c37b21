"""The override: a person's signed leave for one refused order to pass limits that it exceeds, once and for minutes.

How it works: the last refused orders are remembered with their plan. A person names one by its id and by the digest of
its content, and the rules that are waived. The next decision judges exactly that order again; a rule that was waived
and still fails stays on record as failed, and no longer stands in the way. What always holds: only an order above a
known limit can be let through, never one about which something is missing; what is above all limits cannot be waived;
one judgement uses an override up, whatever its outcome, and a kill or any stricter mode ends it.

Source: docs/risk-controls.md, C15 and 2.6.
"""

import hashlib
import json
import math
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from bot.domain.checks import require_aware, require_text
from bot.domain.decision import Checked, Found, Refused, Rule, Verdict
from bot.domain.errors import InvalidValueError
from bot.domain.mode import TradingMode
from bot.domain.orders import DecisionId, IntentId, OrderIntent
from bot.domain.plan import HedgePlan

NEVER_WAIVED: Final = frozenset(
    {
        *(Rule.WELL_FORMED, Rule.ACCOUNT, Rule.PERMISSION, Rule.QUOTE_QUALITY, Rule.SHORT_CALLS),
        *(Rule.HEDGE_COST_CAP_COHORT, Rule.HEDGE_COST_CAP_BOOK, Rule.DUPLICATES),
        *(Rule.LOCKS, Rule.RECONCILED, Rule.TRADING_MODE),
    }
)
"""C1, C14, C16, C19, C20, C21, C22, C23, C28, C29: no signature lets an order pass these."""
REMEMBERED_FOR: Final = timedelta(minutes=15)
"""C15: an order that was refused longer ago is planned anew, not overridden."""
MOST_REMEMBERED: Final = 32
"""Refused orders; one that is planned again at the same price counts once, and plans come every half minute."""


def can_be_waived(checked: Checked) -> bool:
    """Return whether a failed check says that an order is above a known limit, of a rule that may be waived at all."""
    is_over = not checked.passed and _is_finite(checked.found) and _is_finite(checked.limit)
    return is_over and checked.rule not in NEVER_WAIVED


def _is_finite(found: Found) -> bool:
    if isinstance(found, Decimal):
        return found.is_finite()
    return isinstance(found, int | float) and not isinstance(found, bool) and math.isfinite(found)


def content_digest(intent: OrderIntent) -> str:
    """Return SHA-256 over everything that makes an order what it is, its id included; hexadecimal."""
    legs = sorted((leg.instrument.key, leg.signed_ratio) for leg in intent.legs)
    told = [
        *(intent.intent_id, intent.purpose.value, intent.layer.value, legs),
        *(intent.quantity, str(intent.limit), str(intent.worst_cost_usd)),
    ]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One order that the gate refused, with the plan that wanted it; ``at`` is when it was refused first."""

    refused: Refused
    plan: HedgePlan
    at: datetime

    def __post_init__(self) -> None:
        """Reject a naive time."""
        require_aware(at=self.at)

    @property
    def intent(self) -> OrderIntent:
        """The order."""
        return self.refused.intent

    @property
    def digest(self) -> str:
        """What a signature names beside the id."""
        return content_digest(self.intent)

    @property
    def waivable(self) -> tuple[Rule, ...]:
        """The rules that refused it and can be waived."""
        return tuple(checked.rule for checked in self.refused.reasons if can_be_waived(checked))

    def refused_again(self, refused: Refused) -> "Refusal":
        """Return the same refusal with what the checks find now; order, plan and time stay those that were told."""
        return replace(self, refused=replace(self.refused, checks=refused.checks))

    def is_same_trade(self, intent: OrderIntent) -> bool:
        """Return whether an order wants the same again, under whatever id."""
        return _trade(self.intent) == _trade(intent)


def _trade(intent: OrderIntent) -> tuple[object, ...]:
    legs = frozenset((leg.instrument.key, leg.signed_ratio) for leg in intent.legs)
    return (intent.purpose, intent.layer, legs, intent.quantity, intent.limit, intent.worst_cost_usd)


def _as_found(refused: Refused) -> Refused:
    """What was waived in vain is a failure like any other when the order is named again."""
    return replace(refused, checks=tuple(checked._replace(overridden=False) for checked in refused.checks))


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusals:
    """The last refused orders, the latest at the end; one that is wanted again keeps the id that was told first."""

    held: tuple[Refusal, ...] = ()

    def after(self, plan: HedgePlan, verdicts: tuple[Verdict, ...], at: datetime) -> "Refusals":
        """Return what is remembered after a decision."""
        held = tuple(one for one in self.held if at - one.at <= REMEMBERED_FOR)
        for verdict in verdicts:
            if isinstance(verdict, Refused):
                known = next((one for one in held if one.is_same_trade(verdict.intent)), None)
                held = tuple(one for one in held if one is not known)
                fresh = Refusal(refused=_as_found(verdict), plan=plan, at=at)
                held = (*held, fresh if known is None else known.refused_again(fresh.refused))
        return Refusals(held=held[-MOST_REMEMBERED:])

    def known(self, now: datetime) -> tuple[Refusal, ...]:
        """Return those that may still be named, the latest first."""
        return tuple(one for one in reversed(self.held) if now - one.at <= REMEMBERED_FOR)

    def named(self, intent_id: str, now: datetime) -> Refusal | None:
        """Return the one of an id, None where it is not remembered any more."""
        return next((one for one in self.known(now) if one.intent.intent_id == intent_id), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """By what an override counts or not: mode, kill epoch, and whether the books are being compared."""

    mode: TradingMode
    epoch: int
    reconciling: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A signed leave: which order, which rules, by whom, why, until when, and in which kill epoch."""

    refusal: Refusal
    rules: frozenset[Rule]
    key_id: str
    reason: str
    until: datetime
    epoch: int
    digest: str  # of the order's content, as it was signed

    def __post_init__(self) -> None:
        """Reject an override of nobody, of nothing, or of a rule that cannot be waived."""
        require_text(key_id=self.key_id, reason=self.reason, digest=self.digest)
        require_aware(until=self.until)
        if not self.rules or not self.rules <= set(self.refusal.waivable):
            raise InvalidValueError(
                f"an override names rules among {sorted(self.refusal.waivable)}, found {sorted(self.rules)}"
            )

    @property
    def intent_id(self) -> IntentId:
        """The order that it is for."""
        return self.refusal.intent.intent_id

    def objection(self, now: datetime, ground: Ground) -> str:
        """Return why it does not count at a moment, empty where it does."""
        if ground.epoch != self.epoch:
            return "a kill came after it"
        if ground.mode is not TradingMode.NORMAL:
            return f"the mode is {ground.mode.name}"
        if ground.reconciling:
            return "the books are being compared"
        return "its time is over" if now > self.until else ""

    def covers(self, intent: OrderIntent) -> bool:
        """Return whether an order is the very one that was signed for."""
        return content_digest(intent) == self.digest == self.refusal.digest

    def applied(self, checked: Checked) -> Checked:
        """Return what a check found, as overridden where it fails, was waived, and can be."""
        if checked.rule in self.rules and can_be_waived(checked):
            return checked._replace(overridden=True)
        return checked

    def plan(self, decision_id: DecisionId) -> HedgePlan:
        """Return the plan that asks for the order again and for nothing else, bound to a new decision."""
        intent = replace(self.refusal.intent, decision_id=decision_id)
        return replace(
            self.refusal.plan,
            decision_id=decision_id,
            intents=(intent,),
            candidates=(),
            reason=f"judged again by override of {self.key_id}: {self.reason}; {self.refusal.plan.reason}",
            withheld=None,
            withheld_intents=(),
            proposal=None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Waivers:
    """The orders that were refused last, and the one override that no decision has used up."""

    refusals: Refusals = field(default_factory=Refusals)
    override: Override | None = None

    def granted(self, override: Override, now: datetime, ground: Ground) -> "Waivers":
        """Return what holds once a person has signed: one at a time, and only where it counts from the first moment."""
        if self.override is not None or override.objection(now, ground):
            return self
        return replace(self, override=override)

    def standing(self, now: datetime, ground: Ground) -> "Waivers":
        """Return what is left at a moment: a kill, a stricter mode, a lost link or its time ends an override."""
        if self.override is None or not self.override.objection(now, ground):
            return self
        return replace(self, override=None)

    def decided(self, plan: HedgePlan, verdicts: tuple[Verdict, ...], at: datetime, *, used: bool) -> "Waivers":
        """Return what holds after a decision; one judgement uses an override up, whatever its outcome."""
        return Waivers(refusals=self.refusals.after(plan, verdicts, at), override=None if used else self.override)
