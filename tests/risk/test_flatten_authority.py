"""Who may flatten and who may unlock: every attack on a resume is one on them, and the signature is over one plan."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.command import Command, CommandName, Proof, Role
from bot.domain.mode import TradingMode
from risk.authority import (
    Answer,
    AskAgain,
    CancelEverything,
    Denial,
    Denied,
    Flatten,
    Loosen,
    Situation,
    Unlock,
    judge,
)
from tests.risk.attacks import ATTACKS, BOOKS, RULES, a_resume, a_situation

DIGEST, LOCK = "d" * 64, "OPT:VIX:2026-11-18:20:C"


def a_flatten(**changes: Any) -> Command:
    """A command that is granted in `halted`, but for the changes; its arguments fit an unlock as well."""
    granted: dict[str, Any] = {"name": CommandName.FLATTEN, "roles": frozenset({Role.RESUME})}
    return a_resume(**{**granted, "args": {"plan": DIGEST, "lock": LOCK}, **changes})


def halted(**changes: Any) -> Situation:
    """A halted bot with good books, a plan that waits, and a lock."""
    return a_situation(**{"flatten_digest": DIGEST, "locks": frozenset({LOCK}), **changes})


@pytest.mark.control("C42")
@pytest.mark.parametrize(("denial", "command", "situation"), ATTACKS)
def test_each_attack_on_a_resume_fails_on_flatten_and_unlock(
    denial: Denial, command: dict[str, Any], situation: dict[str, Any]
) -> None:
    """One thing wrong: refused with the code that a resume would have."""
    for name in (CommandName.FLATTEN, CommandName.UNLOCK):
        assert judge(a_flatten(name=name, **command), halted(**situation), RULES) == Denied(code=denial)


@pytest.mark.control("C42")
@pytest.mark.parametrize(
    ("denial", "command", "situation"),
    [
        (Denial.NO_PLAN, {"args": {}}, {}),
        (Denial.NO_PLAN, {"args": {"plan": ""}}, {"flatten_digest": ""}),
        (Denial.NO_PLAN, {"args": {"plan": "e" * 64}}, {}),
        (Denial.NO_PLAN, {"args": {"plan": DIGEST.upper()}}, {}),
        (Denial.NO_PLAN, {}, {"flatten_digest": ""}),
        (Denial.NOT_LATCHED, {}, {"mode": TradingMode.NORMAL}),
        (Denial.NOT_LATCHED, {}, {"mode": TradingMode.REDUCE_ONLY}),
    ],
)
def test_a_flatten_is_for_one_plan_in_a_halt(
    denial: Denial, command: dict[str, Any], situation: dict[str, Any]
) -> None:
    """Another plan, none, or a bot that is not halted: nothing is sold."""
    assert judge(a_flatten(**command), halted(**situation), RULES) == Denied(code=denial)


def test_what_is_right_in_everything_is_granted() -> None:
    """The signed plan is carried out, the named lock is taken away, whatever the mode."""
    assert judge(a_flatten(), halted(), RULES) == Flatten()
    unlocking = a_flatten(name=CommandName.UNLOCK)
    for mode in TradingMode:
        assert judge(unlocking, halted(mode=mode), RULES) == Unlock(lock=LOCK)


@pytest.mark.parametrize("args", [{}, {"lock": ""}, {"lock": "OPT:VIX:2026-11-18:21:C"}])
def test_only_a_lock_that_stands_is_taken_away(args: dict[str, Any]) -> None:
    """No lock of this name: refused."""
    assert judge(a_flatten(name=CommandName.UNLOCK, args=args), halted(), RULES) == Denied(code=Denial.NO_LOCK)


@pytest.mark.parametrize(
    ("denial", "command", "situation"),
    [
        (Denial.NOT_PROVED, {"proof": Proof.UNPROVED}, {}),
        (Denial.NOT_LATCHED, {}, {"mode": TradingMode.NORMAL}),
        (Denial.NOT_RECONCILED, {}, {"reconciled_at": None}),
        (Denial.UNKNOWN_ORDERS, {}, {"unknown_orders": 1}),
        (Denial.BOOKS_DIFFER, {}, {"differences": 2}),
    ],
)
def test_a_plan_is_made_from_good_books_in_a_halt(
    denial: Denial, command: dict[str, Any], situation: dict[str, Any]
) -> None:
    """Asking for it needs a proof and books without doubt; what is asked for changes nothing."""
    asking = a_flatten(name=CommandName.FLATTEN_PLAN, roles=frozenset(), **command)
    assert judge(asking, halted(**situation), RULES) == Denied(code=denial)
    assert judge(a_flatten(name=CommandName.FLATTEN_PLAN, roles=frozenset()), halted(), RULES) == Answer()


@given(name=st.sampled_from([name for name in CommandName if name is not CommandName.FLATTEN]))
def test_no_other_command_flattens(name: CommandName) -> None:
    """A resume or an approval that was signed never sells the sleeve, and a flatten never loosens the mode."""
    assert not isinstance(judge(a_flatten(name=name), halted(), RULES), Flatten)
    assert not isinstance(judge(a_flatten(), halted(), RULES), Loosen)


def a_sweep(**changes: Any) -> Command:
    """A global cancel that repeats the word, by a key with role admin."""
    whole = {"name": CommandName.GLOBAL_CANCEL, "roles": frozenset({Role.ADMIN}), "args": {"confirm": "w"}}
    return a_flatten(**{**whole, **changes})


def sweepable(**changes: Any) -> Situation:
    """A halted bot that heeds a global cancel and was asked once."""
    return halted(**{"allows_global_cancel": True, "global_cancel_word": "w", **changes})


@pytest.mark.control("C42")
@pytest.mark.parametrize(
    ("denial", "command", "situation"),
    [
        *(attack for attack in ATTACKS if attack[0] not in BOOKS | {Denial.ROLE_MISSING}),
        (Denial.ROLE_MISSING, {"roles": frozenset({Role.KILL, Role.RESUME, Role.RISK})}, {}),
        (Denial.SWITCHED_OFF, {}, {"allows_global_cancel": False}),
        (Denial.NOT_LATCHED, {}, {"mode": TradingMode.REDUCE_ONLY}),
    ],
)
def test_each_fault_denies_a_global_cancel(denial: Denial, command: dict[str, Any], situation: dict[str, Any]) -> None:
    """Everything that a resume must prove, the role admin, a halt, and leave by the configuration."""
    assert judge(a_sweep(**command), sweepable(**situation), RULES) == Denied(code=denial)


@pytest.mark.parametrize(
    ("args", "word"), [({}, "w"), ({"confirm": ""}, ""), ({"confirm": "v"}, "w"), ({"confirm": "w"}, "")]
)
def test_a_global_cancel_is_asked_for_twice(args: dict[str, Any], word: str) -> None:
    """Without the word of the first time it is only asked again; with it everything goes, whatever the books say."""
    assert judge(a_sweep(args=args), sweepable(global_cancel_word=word), RULES) == AskAgain()
    assert judge(a_sweep(), sweepable(differences=3, unknown_orders=1), RULES) == CancelEverything()
