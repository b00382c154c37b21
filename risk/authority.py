"""Who may tighten and who may loosen: one judgement per operator command, pure, with a code for every refusal.

What always holds: tightening needs nobody's leave beyond a known key or this host, whatever the age, order or
repetition of the command; loosening needs everything at once: role, signature, fresh sequence number, freshness, the
present kill epoch, the one-time challenge, a reason, and books without doubt. Where two keys are required, two
different ones prove all of this for the same command.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from bot.domain.checks import require_aware, require_positive
from bot.domain.command import Challenge, Command, CommandName, HalfSigned, Proof, Role
from bot.domain.decision import Rule
from bot.domain.errors import InvalidValueError
from bot.domain.mode import TradingMode
from bot.domain.overrides import Refusal, Refusals
from risk.limit_changes import LimitChange
from risk.limit_wishes import NoWish, wished
from risk.limits import RiskLimits

MOST_KEYS: Final = 2
"""Docs/risk-controls.md, 3.4: two people; more would only be slower."""
LONGEST_OVERRIDE_S: Final = 900.0
"""C15: an override is of the moment; configuration may set less, never more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityRules:
    """Time windows of loosening commands, seconds, and how many people must agree on one."""

    freshness_s: float = 30.0  # issued within this of the host's clock, before or after
    reconciled_within_s: float = 60.0
    keys_required: int = 1  # different keys that must sign what loosens: 1, or 2; a global cancel is asked twice anyway
    override_life_s: float = LONGEST_OVERRIDE_S  # C15: an override that no decision has used by then is none

    def __post_init__(self) -> None:
        """Reject windows that nothing fits, numbers of keys that nobody can bring, and overrides that last too long."""
        require_positive(
            freshness_s=self.freshness_s,
            reconciled_within_s=self.reconciled_within_s,
            override_life_s=self.override_life_s,
        )
        if self.keys_required not in (1, MOST_KEYS):
            raise InvalidValueError(f"keys_required must be 1 or {MOST_KEYS}, was {self.keys_required}")
        if self.override_life_s > LONGEST_OVERRIDE_S:
            raise InvalidValueError(
                f"override_life_s may be lowered, never raised above {LONGEST_OVERRIDE_S}, was {self.override_life_s}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What a judgement looks at beside the command itself."""

    host_now: datetime
    now: datetime  # the clock that decisions use: the reconciliation is dated by it
    kill_epoch: int
    mode: TradingMode  # of the latch, or of what the bot has asked of itself where that is stricter
    challenge: Challenge | None
    unknown_orders: int
    reconciled_at: datetime | None
    differences: int
    journal_writable: bool
    proposal_id: str = ""  # of the one that waits for an answer
    flatten_digest: str = ""  # of the plan that may be signed now
    locks: frozenset[str] = frozenset()  # contracts, or the account
    allows_global_cancel: bool = False  # by configuration
    global_cancel_word: str = ""  # what a second global cancel must repeat
    refusals: Refusals = field(default_factory=Refusals)  # what an override may name
    may_override: bool = False  # mode NORMAL by every source, and the books are not being compared
    override_waits: bool = False  # one is granted and not used up yet
    clock_agrees: bool = True  # the host's wall clock has not stepped against its monotonic one
    is_disabled: bool = False  # C12: one pattern executed too often; only role risk resumes
    limits: RiskLimits = field(default_factory=RiskLimits)  # in force
    half_signed: HalfSigned | None = None  # the loosening command that was signed last and by one key alone

    def __post_init__(self) -> None:
        """Reject naive times."""
        require_aware(host_now=self.host_now, now=self.now)


class Denial(StrEnum):
    """Why a command was not carried out; never which secret part of a check failed."""

    NOT_PROVED = "not_proved"
    ROLE_MISSING = "role_missing"
    RETAINED = "retained"
    SEQUENCE = "sequence"
    NOT_FRESH = "not_fresh"
    CLOCK = "clock_stepped"
    EPOCH = "epoch"
    CHALLENGE = "challenge"
    REASON_MISSING = "reason_missing"
    TARGET_MODE = "target_mode"
    NOT_LATCHED = "not_latched"
    UNKNOWN_ORDERS = "unknown_orders"
    NOT_RECONCILED = "not_reconciled"
    BOOKS_DIFFER = "books_differ"
    JOURNAL = "journal_not_writable"
    NO_PROPOSAL = "no_such_proposal"
    NO_PLAN = "no_such_plan"
    NO_LOCK = "no_such_lock"
    SWITCHED_OFF = "switched_off"
    LIMIT_FIXED = "limit_is_fixed"
    LIMIT_NAME = "no_such_limit"
    LIMIT_VALUE = "no_such_value"
    LIMIT_HELD = "limit_is_in_force"
    NO_REFUSAL = "no_such_refusal"
    DIGEST = "digest"
    RULE = "rule_not_overridable"
    NOT_NORMAL = "not_normal"
    OVERRIDE_WAITS = "override_waits"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tighten:
    """Latch this mode at once; ``cancel_own`` with a kill; ``proved`` false raises an alert."""

    mode: TradingMode
    cancel_own: bool
    proved: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Loosen:
    """Lower the latch to this mode."""

    mode: TradingMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Decide:
    """A person's answer to a proposal."""

    proposal_id: str
    approved: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Flatten:
    """Carry out the plan that was signed, as an exception inside HALT."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlock:
    """Take one lock away."""

    lock: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeLimit:
    """Put this set of limits in force; it differs from the present one in one of them."""

    limits: RiskLimits
    change: LimitChange


@dataclass(frozen=True, slots=True, kw_only=True)
class Waive:
    """Have one refused order judged again with these rules waived."""

    refusal: Refusal
    rules: frozenset[Rule]
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AskAgain:
    """Nothing is done before the same person has said it once more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelEverything:
    """Cancel the orders of everybody at the gateway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Tell the present state; nothing changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitKey:
    """Nothing is done before a second key has signed the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seconded:
    """Two keys have signed: carry out what the second one was judged to be."""

    first: Command
    judgement: "Judgement"


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """Nothing is done; the code goes into the ack, and where there is more to say, what was expected."""

    code: Denial
    why: str = ""


Judgement = (
    Tighten
    | Loosen
    | Decide
    | Flatten
    | Unlock
    | ChangeLimit
    | Waive
    | AskAgain
    | CancelEverything
    | AwaitKey
    | Seconded
    | Answer
    | Denied
)

_TIGHTENED = {
    CommandName.KILL: TradingMode.HALT,
    CommandName.PAUSE: TradingMode.HALT,
    CommandName.REDUCE_ONLY: TradingMode.REDUCE_ONLY,
}
_TARGETS = {mode.name: mode for mode in (TradingMode.NORMAL, TradingMode.REDUCE_ONLY)}


def judge(command: Command, situation: Situation, rules: AuthorityRules) -> Judgement:
    """Return what is to be done about a command.

    Source: docs/risk-controls.md, 2.4 and 3.4.
    """
    judgement = _judged(command, situation, rules)
    if rules.keys_required == 1 or not _needs_two(judgement):
        return judgement
    first = situation.half_signed
    if first is None or not first.waits(epoch=situation.kill_epoch, now=situation.host_now):
        return AwaitKey()
    return Seconded(first=first.command, judgement=judgement) if first.is_completed_by(command) else AwaitKey()


def _needs_two(judgement: Judgement) -> bool:
    """What loosens; a no, a tighter limit and what only asks do not."""
    match judgement:
        case Loosen() | Flatten() | Unlock() | Waive():
            return True
        case Decide(approved=approved):
            return approved
        case ChangeLimit(change=change):
            return change.is_looser
    return False


def _judged(command: Command, situation: Situation, rules: AuthorityRules) -> Judgement:
    """Judge a command as if one key were enough."""
    if command.name.only_tightens:
        return _tightening(command)
    if command.name is CommandName.VETO:
        return _veto(command, situation)
    if command.name is CommandName.APPROVE:
        return _approval(command, situation, rules)
    if command.name is CommandName.FLATTEN:
        return _flattening(command, situation, rules)
    if command.name is CommandName.GLOBAL_CANCEL:
        return _sweeping(command, situation, rules)
    if command.name is CommandName.UNLOCK:
        return _unlocking(command, situation, rules)
    if command.name is CommandName.LIMIT:
        return _limiting(command, situation, rules)
    if command.name is CommandName.OVERRIDE:
        return _overriding(command, situation, rules)
    if command.name.loosens:
        return _loosening(command, situation, rules)
    if command.proof is Proof.UNPROVED:
        return Denied(code=Denial.NOT_PROVED)
    if command.name is CommandName.FLATTEN_PLAN:
        objection = _about_the_halt(situation) or _about_the_books(situation, rules)
        return Answer() if objection is None else Denied(code=objection)
    return Answer()


def _tightening(command: Command) -> Judgement:
    if _may_tighten(command):
        return Tighten(mode=_TIGHTENED[command.name], cancel_own=command.name is CommandName.KILL, proved=True)
    # a half-broken operator must not be ignored, a stranger must not force a full stop
    return Tighten(mode=TradingMode.REDUCE_ONLY, cancel_own=False, proved=False)


def _may_tighten(command: Command) -> bool:
    return command.proof is Proof.LOCAL or (command.proof is Proof.SIGNED and Role.KILL in command.roles)


def _veto(command: Command, situation: Situation) -> Judgement:
    """A no is taken like a kill: whatever its age, order or repetition, from a key that may kill."""
    if command.proof is not Proof.SIGNED:
        return Denied(code=Denial.NOT_PROVED)
    if Role.KILL not in command.roles:
        return Denied(code=Denial.ROLE_MISSING)
    return _decided(command, situation, approved=False)


def _approval(command: Command, situation: Situation, rules: AuthorityRules) -> Judgement:
    """A yes loosens: everything that a resume must prove, without its look at the books, which the gate does."""
    objection = _about_the_sender(command) or _about_the_moment(command, situation, rules) or _about_the_reason(command)
    if objection is not None:
        return Denied(code=objection)
    return _decided(command, situation, approved=True)


def _decided(command: Command, situation: Situation, *, approved: bool) -> Judgement:
    wanted = _said(command, "proposal")
    if not wanted or wanted != situation.proposal_id:
        return Denied(code=Denial.NO_PROPOSAL)
    return Decide(proposal_id=wanted, approved=approved)


def _loosening(command: Command, situation: Situation, rules: AuthorityRules) -> Judgement:
    target = _TARGETS.get(str(command.args.get("mode", TradingMode.NORMAL.name)))
    objection = (
        _about_the_sender(command)
        or _about_the_strategy(command, situation)
        or _about_the_moment(command, situation, rules)
        or _about_the_wish(command, target, situation)
        or _about_the_books(situation, rules)
    )
    if objection is not None or target is None:
        return Denied(code=objection or Denial.TARGET_MODE)
    return Loosen(mode=target)


def _flattening(command: Command, situation: Situation, rules: AuthorityRules) -> Judgement:
    """Orders leave in HALT: all that a resume must prove, and the signature is over this very plan (2.6)."""
    objection = (
        _about_the_sender(command)
        or _about_the_moment(command, situation, rules)
        or _about_the_reason(command)
        or _about_the_halt(situation)
        or _about_the_books(situation, rules)
    )
    if objection is not None:
        return Denied(code=objection)
    wanted = _said(command, "plan")
    return Flatten() if wanted and wanted == situation.flatten_digest else Denied(code=Denial.NO_PLAN)


def _unlocking(command: Command, situation: Situation, rules: AuthorityRules) -> Judgement:
    """A lock is a halt of one contract: it goes as a halt goes, but the mode stays."""
    objection = (
        _about_the_sender(command)
        or _about_the_moment(command, situation, rules)
        or _about_the_reason(command)
        or _about_the_books(situation, rules)
    )
    if objection is not None:
        return Denied(code=objection)
    lock = _said(command, "lock")
    return Unlock(lock=lock) if lock in situation.locks else Denied(code=Denial.NO_LOCK)


def _limiting(command: Command, situation: Situation, rules: AuthorityRules) -> Judgement:
    """A tighter limit is taken like a kill, a looser one proves what a resume proves, with role risk (C37, I21).

    What is tighter is judged against the value in force: an old command that comes again finds it tighter, equal, or
    is a loosening without proof.
    """
    if command.proof is Proof.UNPROVED:
        return Denied(code=Denial.NOT_PROVED)
    wish = wished(situation.limits, _said(command, "limit"), _said(command, "value"))
    if isinstance(wish, NoWish):
        return Denied(code=Denial(wish.code.value), why=wish.why)
    tightens = wish.change is not None and not wish.change.is_looser
    if not (tightens and _may_tighten(command)):
        objection = (
            _about_the_sender(command, Role.RISK)
            or _about_the_moment(command, situation, rules)
            or _about_the_reason(command)
        )
        if objection is not None:
            return Denied(code=objection)
    if wish.change is None:
        return Denied(code=Denial.LIMIT_HELD, why="it has this value already")
    return ChangeLimit(limits=wish.limits, change=wish.change)


def _overriding(command: Command, situation: Situation, rules: AuthorityRules) -> Judgement:
    """An order may pass limits that it exceeds: role risk, all that a resume proves, and this very order (C15)."""
    objection = (
        _about_the_sender(command, Role.RISK)
        or _about_the_moment(command, situation, rules)
        or _about_the_reason(command)
        or (None if situation.may_override else Denial.NOT_NORMAL)
        or (Denial.OVERRIDE_WAITS if situation.override_waits else None)
        or _about_the_books(situation, rules)
    )
    if objection is not None:
        return Denied(code=objection)
    refusal = situation.refusals.named(_said(command, "intent"), situation.now)
    if refusal is None:
        return Denied(code=Denial.NO_REFUSAL)
    digest = _said(command, "digest")
    if digest != refusal.digest:
        return Denied(code=Denial.DIGEST)
    named = frozenset(filter(None, _said(command, "rules").split(",")))
    waived = frozenset(rule for rule in refusal.waivable if rule.value in named)
    if not named or len(waived) != len(named):
        return Denied(code=Denial.RULE)
    return Waive(refusal=refusal, rules=waived, digest=digest)


def _sweeping(command: Command, situation: Situation, rules: AuthorityRules) -> Judgement:
    """Other people's orders go: role admin, allowed by configuration, in a halt, and asked for twice (2.6).

    The books are not looked at: that they are in disorder may be the reason for it.
    """
    objection = (
        _about_the_sender(command, Role.ADMIN)
        or _about_the_moment(command, situation, rules)
        or _about_the_reason(command)
        or (None if situation.allows_global_cancel else Denial.SWITCHED_OFF)
        or _about_the_halt(situation)
    )
    if objection is not None:
        return Denied(code=objection)
    said = _said(command, "confirm")
    return CancelEverything() if said and said == situation.global_cancel_word else AskAgain()


def _said(command: Command, name: str) -> str:
    """An argument as text; one that is missing says nothing."""
    return str(command.args.get(name, ""))


def _about_the_reason(command: Command) -> Denial | None:
    return None if command.reason.strip() else Denial.REASON_MISSING


def _about_the_halt(situation: Situation) -> Denial | None:
    return None if situation.mode is TradingMode.HALT else Denial.NOT_LATCHED


def _about_the_sender(command: Command, role: Role = Role.RESUME) -> Denial | None:
    if command.proof is not Proof.SIGNED:
        return Denial.NOT_PROVED
    if role not in command.roles:
        return Denial.ROLE_MISSING
    if command.retained:
        return Denial.RETAINED
    return None if command.seq_is_fresh else Denial.SEQUENCE


def _about_the_strategy(command: Command, situation: Situation) -> Denial | None:
    """C12: a strategy that repeated itself was disabled; whoever resumes it answers for its risk."""
    return Denial.ROLE_MISSING if situation.is_disabled and Role.RISK not in command.roles else None


def _about_the_moment(command: Command, situation: Situation, rules: AuthorityRules) -> Denial | None:
    now, window = situation.host_now, timedelta(seconds=rules.freshness_s)
    if not situation.clock_agrees:
        return Denial.CLOCK  # neither age nor expiry of a command can be judged
    if command.issued_at is None or command.expires_at is None:
        return Denial.NOT_FRESH
    if abs(now - command.issued_at) > window or now > command.expires_at:
        return Denial.NOT_FRESH
    if command.kill_epoch != situation.kill_epoch:
        return Denial.EPOCH
    challenge = situation.challenge
    if challenge is None or now > challenge.expires_at or challenge.epoch != situation.kill_epoch:
        return Denial.CHALLENGE
    return None if command.challenge == challenge.value else Denial.CHALLENGE


def _about_the_wish(command: Command, target: TradingMode | None, situation: Situation) -> Denial | None:
    if objection := _about_the_reason(command):
        return objection
    if target is None:
        return Denial.TARGET_MODE
    return None if target < situation.mode else Denial.NOT_LATCHED


def _about_the_books(situation: Situation, rules: AuthorityRules) -> Denial | None:
    if situation.unknown_orders:
        return Denial.UNKNOWN_ORDERS
    window = timedelta(seconds=rules.reconciled_within_s)
    if situation.reconciled_at is None or situation.now - situation.reconciled_at > window:
        return Denial.NOT_RECONCILED
    if situation.differences:
        return Denial.BOOKS_DIFFER
    return None if situation.journal_writable else Denial.JOURNAL
