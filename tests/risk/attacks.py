"""A command that is granted, the halted bot that grants it, and every single thing that may be wrong with either."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from bot.domain.command import Challenge, Channel, Command, CommandName, Proof, Role
from bot.domain.decision import Checked, Refused, Rule
from bot.domain.mode import TradingMode
from bot.domain.overrides import Refusal, Refusals
from risk.authority import AuthorityRules, Denial, Situation
from tests.builders import a_plan, an_intent

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
RULES = AuthorityRules()
SECOND = timedelta(seconds=1)
EVERY_ROLE = frozenset(Role)


def a_resume(**changes: Any) -> Command:
    """Return a resume that is granted in `a_situation`, but for the changes."""
    whole: dict[str, Any] = {
        "name": CommandName.RESUME,
        "command_id": "i",
        "channel": Channel.MQTT,
        "proof": Proof.SIGNED,
        "received_at": NOW,
        "reason": "looked at it",
        "key_id": "anna",
        "roles": EVERY_ROLE,
        "seq_is_fresh": True,
        "issued_at": NOW,
        "expires_at": NOW + 30 * SECOND,
        "kill_epoch": 4,
        "challenge": "c",
    }
    return Command(**{**whole, **changes})


def a_situation(**changes: Any) -> Situation:
    """Return a halted bot with good books."""
    challenge = Challenge(epoch=4, value="c", issued_at=NOW, expires_at=NOW + 300 * SECOND)
    whole: dict[str, Any] = {
        "host_now": NOW,
        "now": NOW,
        "kill_epoch": 4,
        "mode": TradingMode.HALT,
        "challenge": challenge,
        "unknown_orders": 0,
        "reconciled_at": NOW,
        "differences": 0,
        "journal_writable": True,
    }
    return Situation(**{**whole, **changes})


OLD = Challenge(epoch=3, value="c", issued_at=NOW, expires_at=NOW + 300 * SECOND)
SPENT = Challenge(epoch=4, value="c", issued_at=NOW - 301 * SECOND, expires_at=NOW - SECOND)

BOOKS = frozenset({Denial.UNKNOWN_ORDERS, Denial.NOT_RECONCILED, Denial.BOOKS_DIFFER, Denial.JOURNAL})
"""What a looser limit leaves to the gate, and a global cancel to nobody: disorder may be the reason for it."""

ATTACKS: list[tuple[Denial, dict[str, Any], dict[str, Any]]] = [
    (Denial.NOT_PROVED, {"proof": Proof.UNPROVED}, {}),
    (Denial.NOT_PROVED, {"proof": Proof.LOCAL}, {}),
    (Denial.ROLE_MISSING, {"roles": EVERY_ROLE - {Role.RESUME}}, {}),
    (Denial.RETAINED, {"retained": True}, {}),
    (Denial.SEQUENCE, {"seq_is_fresh": False}, {}),
    (Denial.NOT_FRESH, {"issued_at": None}, {}),
    (Denial.NOT_FRESH, {"expires_at": None}, {}),
    (Denial.NOT_FRESH, {"issued_at": NOW - 31 * SECOND}, {}),
    (Denial.NOT_FRESH, {"issued_at": NOW + 31 * SECOND}, {}),
    (Denial.NOT_FRESH, {"expires_at": NOW - SECOND}, {}),
    (Denial.EPOCH, {"kill_epoch": 3}, {}),
    (Denial.EPOCH, {"kill_epoch": 5}, {}),
    (Denial.CHALLENGE, {}, {"challenge": None}),
    (Denial.CHALLENGE, {}, {"challenge": OLD}),
    (Denial.CHALLENGE, {}, {"challenge": SPENT}),
    (Denial.CHALLENGE, {"challenge": "C"}, {}),
    (Denial.CHALLENGE, {"challenge": ""}, {}),
    (Denial.REASON_MISSING, {"reason": " \t"}, {}),
    (Denial.UNKNOWN_ORDERS, {}, {"unknown_orders": 1}),
    (Denial.NOT_RECONCILED, {}, {"reconciled_at": None}),
    (Denial.NOT_RECONCILED, {}, {"reconciled_at": NOW - 61 * SECOND}),
    (Denial.BOOKS_DIFFER, {}, {"differences": 1}),
    (Denial.JOURNAL, {}, {"journal_writable": False}),
    (Denial.CLOCK, {}, {"clock_agrees": False}),
]
"""What one thing is wrong with an otherwise good command that loosens something."""


def a_limit(name: str = "max_orders_per_day", value: str = "50", **changes: Any) -> Command:
    """Return a command that sets one limit; as it stands it loosens, and is granted in `a_situation`."""
    roles = {"roles": frozenset({Role.RISK})}
    return a_resume(**{"name": CommandName.LIMIT, "args": {"limit": name, "value": value}, **roles, **changes})


ATTACKS_ON_A_LIMIT = [
    *(attack for attack in ATTACKS if attack[0] not in BOOKS | {Denial.ROLE_MISSING}),
    (Denial.ROLE_MISSING, {"roles": EVERY_ROLE - {Role.RISK}}, {}),
    (Denial.LIMIT_FIXED, {"args": {"limit": "accounts", "value": "DU1"}}, {}),
    (Denial.LIMIT_NAME, {"args": {"limit": "max_orders", "value": "50"}}, {}),
    (Denial.LIMIT_NAME, {"args": {}}, {}),
    (Denial.LIMIT_VALUE, {"args": {"limit": "max_orders_per_day"}}, {}),
    (Denial.LIMIT_VALUE, {"args": {"limit": "max_orders_per_day", "value": "fifty"}}, {}),
    (Denial.LIMIT_VALUE, {"args": {"limit": "max_hedge_cost_frac", "value": "0.41"}}, {}),
    (Denial.LIMIT_VALUE, {"args": {"limit": "max_orders_per_day", "value": "9" * 400}}, {}),
    (Denial.LIMIT_HELD, {"args": {"limit": "max_orders_per_day", "value": "40"}}, {}),
]
"""The same of a command that would loosen a limit, with what is wrong about limits alone."""


def a_refusal(at: datetime = NOW, intent_id: str = "i-9") -> Refusal:
    """An order above vega and day's slippage, below its cost cap, with no margin known."""
    checks = (
        Checked.at_most(rule=Rule.VEGA, found=Decimal(12), limit=Decimal(10)),
        Checked.at_most(rule=Rule.DAY_SLIPPAGE, found=Decimal(5), limit=Decimal(4)),
        Checked.failed(rule=Rule.MARGIN_USE, note="not reported"),
        Checked.at_most(rule=Rule.HEDGE_COST_CAP_BOOK, found=Decimal(9), limit=Decimal(8)),
        Checked.at_most(rule=Rule.VIX_DELTA, found=Decimal(1), limit=Decimal(2)),
    )
    intent = an_intent(intent_id=intent_id)
    return Refusal(refused=Refused(intent=intent, checks=checks), plan=a_plan(intent), at=at)


def an_override(**changes: Any) -> Command:
    """An override that is granted in `after_a_refusal`, but for the changes."""
    args = {"intent": "i-9", "digest": a_refusal().digest, "rules": "vega,day_slippage"}
    granted = {"name": CommandName.OVERRIDE, "roles": frozenset({Role.RISK}), "args": args}
    return a_resume(**{**granted, **changes})


def after_a_refusal(**changes: Any) -> Situation:
    """A bot in NORMAL with good books that has refused an order a moment ago."""
    refusals = Refusals(held=(a_refusal(),))
    return a_situation(**{"mode": TradingMode.NORMAL, "refusals": refusals, "may_override": True, **changes})


def naming(**changes: str) -> dict[str, Any]:
    """Arguments of an override with some of them changed."""
    return {"args": {**an_override().args, **changes}}


OVERRIDE_ATTACKS: list[tuple[Denial, dict[str, Any], dict[str, Any]]] = [
    *(attack for attack in ATTACKS if attack[0] is not Denial.ROLE_MISSING),
    (Denial.ROLE_MISSING, {"roles": EVERY_ROLE - {Role.RISK}}, {}),
    (Denial.NOT_NORMAL, {}, {"may_override": False}),
    (Denial.OVERRIDE_WAITS, {}, {"override_waits": True}),
    (Denial.NO_REFUSAL, {"args": {}}, {}),
    (Denial.NO_REFUSAL, naming(intent="i-8"), {}),
    (Denial.NO_REFUSAL, {}, {"refusals": Refusals()}),
    (Denial.NO_REFUSAL, {}, {"refusals": Refusals(held=(a_refusal(NOW - 901 * SECOND),))}),
    (Denial.DIGEST, naming(digest=""), {}),
    (Denial.DIGEST, naming(digest=a_refusal(intent_id="i-8").digest), {}),
    (Denial.DIGEST, naming(digest=a_refusal().digest.upper()), {}),
    (Denial.RULE, naming(rules=""), {}),
    (Denial.RULE, naming(rules=","), {}),
    (Denial.RULE, naming(rules="margin_use"), {}),
    (Denial.RULE, naming(rules="vega,hedge_cost_cap_book"), {}),
    (Denial.RULE, naming(rules="vega,vix_delta"), {}),
    (Denial.RULE, naming(rules="vega, day_slippage"), {}),
    (Denial.RULE, naming(rules="vega,nonsense"), {}),
]
"""The same of an override: which order, which content, which rules, and when."""
OVERRIDE_DENIALS = {Denial.NOT_NORMAL, Denial.OVERRIDE_WAITS, Denial.NO_REFUSAL, Denial.DIGEST, Denial.RULE}
