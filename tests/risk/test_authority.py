"""Who may tighten, who may loosen: every denial once, and what holds for any command."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.command import Challenge, Command, CommandName, Proof, Role
from bot.domain.errors import InvalidValueError
from bot.domain.mode import TradingMode
from risk.authority import Answer, AuthorityRules, Decide, Denial, Denied, Loosen, Situation, Tighten, judge
from tests.risk.attacks import (
    ATTACKS,
    ATTACKS_ON_A_LIMIT,
    EVERY_ROLE,
    NOW,
    OLD,
    OVERRIDE_DENIALS,
    RULES,
    SECOND,
    a_resume,
    a_situation,
)


@pytest.mark.control("C42")
@pytest.mark.parametrize(
    ("denial", "command", "situation"),
    [
        *ATTACKS,
        (Denial.TARGET_MODE, {"args": {"mode": "HALT"}}, {}),
        (Denial.TARGET_MODE, {"args": {"mode": 0}}, {}),
        (Denial.NOT_LATCHED, {}, {"mode": TradingMode.NORMAL}),
        (Denial.NOT_LATCHED, {"args": {"mode": "REDUCE_ONLY"}}, {"mode": TradingMode.REDUCE_ONLY}),
    ],
)
def test_each_fault_alone_is_denied_with_its_code(
    denial: Denial, command: dict[str, Any], situation: dict[str, Any]
) -> None:
    """One thing wrong with an otherwise good resume or arm: refused, and the code says which."""
    for name in (CommandName.RESUME, CommandName.ARM):
        assert judge(a_resume(name=name, **command), a_situation(**situation), RULES) == Denied(code=denial)


def test_every_denial_is_in_the_table() -> None:
    """No code without a case above."""
    mark = next(mark for mark in test_each_fault_alone_is_denied_with_its_code.pytestmark if mark.name == "parametrize")  # type: ignore[attr-defined]
    assert {case[0] for case in mark.args[1]} | {
        Denial.NO_PROPOSAL,
        Denial.NO_PLAN,
        Denial.NO_LOCK,
        Denial.SWITCHED_OFF,
        *(denial for denial, _, _ in ATTACKS_ON_A_LIMIT),
        *OVERRIDE_DENIALS,
    } == set(Denial)


def an_approval(**changes: Any) -> Command:
    """An approval that is granted in `a_situation` with the proposal p-1, but for the changes."""
    return a_resume(**{"name": CommandName.APPROVE, "args": {"proposal": "p-1"}, **changes})


def asking(**changes: Any) -> Situation:
    """A bot in NORMAL that waits for an answer to p-1."""
    return a_situation(**{"mode": TradingMode.NORMAL, "proposal_id": "p-1", **changes})


def test_an_approval_with_everything_right_decides() -> None:
    """In NORMAL too, and whatever the books: the gate judges those when the trade is made."""
    yes = Decide(proposal_id="p-1", approved=True)
    assert judge(an_approval(), asking(), RULES) == yes
    assert judge(an_approval(), asking(mode=TradingMode.HALT, reconciled_at=None, unknown_orders=1), RULES) == yes


@pytest.mark.control("C42")
@pytest.mark.parametrize(
    ("denial", "command", "situation"),
    [
        (Denial.NOT_PROVED, {"proof": Proof.UNPROVED}, {}),
        (Denial.NOT_PROVED, {"proof": Proof.LOCAL}, {}),
        (Denial.ROLE_MISSING, {"roles": EVERY_ROLE - {Role.RESUME}}, {}),
        (Denial.RETAINED, {"retained": True}, {}),
        (Denial.SEQUENCE, {"seq_is_fresh": False}, {}),
        (Denial.NOT_FRESH, {"issued_at": NOW - 31 * SECOND}, {}),
        (Denial.EPOCH, {"kill_epoch": 3}, {}),
        (Denial.CHALLENGE, {"challenge": "x"}, {}),
        (Denial.REASON_MISSING, {"reason": " "}, {}),
        (Denial.NO_PROPOSAL, {"args": {"proposal": "p-2"}}, {}),
        (Denial.NO_PROPOSAL, {"args": {}}, {}),
        (Denial.NO_PROPOSAL, {}, {"proposal_id": ""}),
        (Denial.NO_PROPOSAL, {"args": {"proposal": ""}}, {"proposal_id": ""}),
    ],
)
def test_an_approval_that_lacks_one_thing_is_denied(
    denial: Denial, command: dict[str, Any], situation: dict[str, Any]
) -> None:
    """It loosens, so it proves as much as a resume, and it names the very proposal that waits."""
    assert judge(an_approval(**command), asking(**situation), RULES) == Denied(code=denial)


def test_a_veto_is_taken_however_old_or_often() -> None:
    """A key that may kill says no: age, repetition, epoch, challenge and retention do not matter."""
    stale = {"seq_is_fresh": False, "issued_at": None, "kill_epoch": -1, "challenge": "", "retained": True}
    no = Decide(proposal_id="p-1", approved=False)
    assert judge(an_approval(name=CommandName.VETO, **stale), asking(), RULES) == no


@pytest.mark.parametrize(
    ("denial", "command"),
    [
        (Denial.NOT_PROVED, {"proof": Proof.UNPROVED}),
        (Denial.NOT_PROVED, {"proof": Proof.LOCAL}),
        (Denial.ROLE_MISSING, {"roles": EVERY_ROLE - {Role.KILL}}),
        (Denial.NO_PROPOSAL, {"args": {"proposal": "p-2"}}),
    ],
)
def test_a_veto_needs_a_key_and_its_proposal(denial: Denial, command: dict[str, Any]) -> None:
    """A stranger's no, or one to something else, is none."""
    assert judge(an_approval(name=CommandName.VETO, **command), asking(), RULES) == Denied(code=denial)


@pytest.mark.parametrize(
    ("command", "situation", "mode"),
    [
        ({}, {}, TradingMode.NORMAL),
        ({"args": {"mode": "REDUCE_ONLY"}}, {}, TradingMode.REDUCE_ONLY),
        ({}, {"mode": TradingMode.REDUCE_ONLY}, TradingMode.NORMAL),
        ({"issued_at": NOW - 30 * SECOND, "expires_at": NOW}, {}, TradingMode.NORMAL),
        ({}, {"reconciled_at": NOW - 60 * SECOND}, TradingMode.NORMAL),
        ({}, {"challenge": replace(OLD, epoch=4, expires_at=NOW)}, TradingMode.NORMAL),
    ],
)
def test_a_good_resume_is_granted_up_to_the_edges(
    command: dict[str, Any], situation: dict[str, Any], mode: TradingMode
) -> None:
    """Exactly at the limits of time it still counts."""
    assert judge(a_resume(**command), a_situation(**situation), RULES) == Loosen(mode=mode)


@pytest.mark.control("C1")
@given(
    command=st.builds(
        a_resume,
        name=st.sampled_from([name for name in CommandName if name.only_tightens]),
        proof=st.sampled_from(Proof),
        roles=st.frozensets(st.sampled_from(Role)),
        retained=st.booleans(),
        seq_is_fresh=st.booleans(),
        issued_at=st.none() | st.integers(-(10**6), 10**6).map(lambda age: NOW - age * SECOND),
        kill_epoch=st.integers(-1, 9),
        challenge=st.just(""),
    ),
    mode=st.sampled_from(TradingMode),
)
def test_a_tightening_command_always_tightens(command: Command, mode: TradingMode) -> None:
    """Whatever its age, order, epoch or flag: role kill or this host gets it all, everybody else REDUCE_ONLY."""
    name, proof, roles = command.name, command.proof, command.roles
    found = judge(command, a_situation(mode=mode, challenge=None, journal_writable=False), RULES)
    trusted = proof is Proof.LOCAL or (proof is Proof.SIGNED and Role.KILL in roles)
    assert isinstance(found, Tighten)
    assert found.proved is trusted
    wanted = TradingMode.REDUCE_ONLY if name is CommandName.REDUCE_ONLY or not trusted else TradingMode.HALT
    assert found.mode is wanted
    assert found.cancel_own is (trusted and name is CommandName.KILL)


@given(later=st.integers(1, 10**6))
def test_a_kill_kills_every_resume_signed_before_it(later: int) -> None:
    """Once the epoch has advanced, a resume that was good is dead, whatever else is renewed for it."""
    assert isinstance(judge(a_resume(), a_situation(), RULES), Loosen)
    renewed = replace(OLD, epoch=4 + later)
    assert judge(a_resume(), a_situation(kill_epoch=4 + later, challenge=renewed), RULES) == Denied(code=Denial.EPOCH)


@given(st.text(max_size=40), st.text(max_size=40))
def test_only_the_very_challenge_loosens(answer: str, value: str) -> None:
    """Granted exactly when the answer repeats the challenge."""
    challenge = Challenge(epoch=4, value=value, issued_at=NOW, expires_at=NOW + SECOND)
    found = judge(a_resume(challenge=answer), a_situation(challenge=challenge), RULES)
    assert isinstance(found, Loosen) is (answer == value)


@pytest.mark.parametrize("name", [CommandName.STATUS, CommandName.PING])
def test_questions_are_answered_to_the_proved(name: CommandName) -> None:
    """Signed or local gets an answer, a stranger a refusal."""
    assert judge(a_resume(name=name), a_situation(), RULES) == Answer()
    assert judge(a_resume(name=name, proof=Proof.LOCAL), a_situation(), RULES) == Answer()
    assert judge(a_resume(name=name, proof=Proof.UNPROVED), a_situation(), RULES) == Denied(code=Denial.NOT_PROVED)


@pytest.mark.parametrize("name", ["freshness_s", "reconciled_within_s", "override_life_s"])
@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_a_window_of_no_length_is_refused(name: str, seconds: float) -> None:
    """Nothing would fit into one, and one without an end would let everything through."""
    with pytest.raises(InvalidValueError, match=f"^{name} must be"):
        AuthorityRules(**{name: seconds})  # type: ignore[arg-type]  # a name as text


@pytest.mark.parametrize("name", ["now", "host_now"])
def test_a_situation_without_a_time_zone_is_refused(name: str) -> None:
    """Neither clock may be read without knowing which hour it shows."""
    with pytest.raises(InvalidValueError, match=f"^{name} must carry a time zone"):
        a_situation(**{name: NOW.replace(tzinfo=None)})


@pytest.mark.control("C12")
def test_a_disabled_strategy_is_resumed_by_role_risk_alone() -> None:
    """C12: a key that may resume anything else is told that it lacks the role; the same key may once it is enabled."""
    disabled = a_situation(is_disabled=True)
    without = a_resume(roles=EVERY_ROLE - {Role.RISK})
    assert judge(without, disabled, RULES) == Denied(code=Denial.ROLE_MISSING)
    assert judge(a_resume(), disabled, RULES) == Loosen(mode=TradingMode.NORMAL)
    assert judge(without, a_situation(), RULES) == Loosen(mode=TradingMode.NORMAL)
