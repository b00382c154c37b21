"""A command that is granted, the halted bot that grants it, and every single thing that may be wrong with either."""

from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.command import Challenge, Channel, Command, CommandName, Proof, Role
from bot.domain.mode import TradingMode
from risk.authority import AuthorityRules, Denial, Situation

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
