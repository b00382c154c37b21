"""Two keys: what loosens is carried out when a second one has signed the same, and never for one key alone."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.command import Command, CommandName, HalfSigned, Role
from bot.domain.errors import InvalidValueError
from risk.authority import (
    AskAgain,
    AuthorityRules,
    AwaitKey,
    ChangeLimit,
    Decide,
    Denied,
    Flatten,
    Loosen,
    Seconded,
    Situation,
    Unlock,
    judge,
)
from tests.risk.attacks import ATTACKS, ATTACKS_ON_A_LIMIT, EVERY_ROLE, NOW, SECOND, a_limit, a_resume, a_situation

TWO = AuthorityRules(keys_required=2)
ONE = AuthorityRules()
DIGEST, LOCK = "d" * 64, "OPT:VIX:2026-11-18:20:C"
LOOSENING: list[tuple[CommandName, dict[str, str | int], type]] = [
    (CommandName.RESUME, {"mode": "NORMAL"}, Loosen),
    (CommandName.ARM, {"mode": "NORMAL"}, Loosen),
    (CommandName.APPROVE, {"proposal": "p-1"}, Decide),
    (CommandName.FLATTEN, {"plan": DIGEST}, Flatten),
    (CommandName.UNLOCK, {"lock": LOCK}, Unlock),
    (CommandName.LIMIT, {"limit": "max_orders_per_day", "value": "50"}, ChangeLimit),
]
ALL = pytest.mark.parametrize(("name", "args", "kind"), LOOSENING, ids=[name.value for name, _, _ in LOOSENING])


def signed(name: CommandName, args: dict[str, str | int], key_id: str, **changes: Any) -> Command:
    """A command with everything right, by this key."""
    return a_resume(**{"name": name, "args": args, "key_id": key_id, "roles": EVERY_ROLE, **changes})


def halted(first: Command | None = None, **changes: Any) -> Situation:
    """A halted bot in which everything of `LOOSENING` may be asked, and what one key has signed."""
    half = None if first is None else HalfSigned(command=first, until=NOW + 300 * SECOND)
    there = {"flatten_digest": DIGEST, "locks": frozenset({LOCK}), "proposal_id": "p-1"}
    return a_situation(**{**there, "half_signed": half, **changes})


@pytest.mark.control("C42")
@ALL
def test_the_first_key_waits_and_the_second_is_carried_out(
    name: CommandName, args: dict[str, str | int], kind: type
) -> None:
    """Every command that loosens: one key alone does nothing, another one with the same arguments does it."""
    first = signed(name, args, "anna")
    assert judge(first, halted(), TWO) == AwaitKey()
    found = judge(signed(name, args, "ben"), halted(first), TWO)
    assert isinstance(found, Seconded)
    assert (found.first, type(found.judgement)) == (first, kind)


@ALL
def test_with_one_key_required_nobody_waits(name: CommandName, args: dict[str, str | int], kind: type) -> None:
    """The default: the first is carried out, whatever was half signed."""
    assert isinstance(judge(signed(name, args, "anna"), halted(signed(name, args, "ben")), ONE), kind)


@pytest.mark.control("C42")
@ALL
def test_the_same_key_twice_is_not_two(name: CommandName, args: dict[str, str | int], kind: type) -> None:
    """However often it signs, and with whatever reason."""
    del kind
    again = signed(name, args, "anna", reason="once more")
    assert judge(again, halted(signed(name, args, "anna")), TWO) == AwaitKey()


@pytest.mark.control("C42")
@pytest.mark.parametrize(
    ("first", "situation"),
    [
        (signed(CommandName.ARM, {"mode": "NORMAL"}, "anna"), {}),
        (signed(CommandName.RESUME, {"mode": "REDUCE_ONLY"}, "anna"), {}),
        (signed(CommandName.RESUME, {}, "anna"), {}),
        (signed(CommandName.RESUME, {"mode": "NORMAL"}, "anna", kill_epoch=3), {}),
        (signed(CommandName.RESUME, {"mode": "NORMAL"}, "anna"), {"host_now": NOW + 301 * SECOND}),
    ],
    ids=["another command", "another mode", "no mode", "before a kill", "too long ago"],
)
def test_a_first_signature_is_for_one_command_one_halt_and_five_minutes(
    first: Command, situation: dict[str, Any]
) -> None:
    """Whatever does not match is a first one anew."""
    whole = halted(first, **situation)
    challenge = whole.challenge
    assert challenge is not None
    now = whole.host_now
    fresh = {"issued_at": now, "expires_at": now + 30 * SECOND}
    second = signed(CommandName.RESUME, {"mode": "NORMAL"}, "ben", **fresh)
    whole = replace(whole, challenge=replace(challenge, expires_at=now + SECOND))
    assert judge(second, whole, TWO) == AwaitKey()


@pytest.mark.control("C42")
@pytest.mark.parametrize(("denial", "command", "situation"), ATTACKS)
def test_a_second_key_proves_as_much_as_a_first(
    denial: object, command: dict[str, Any], situation: dict[str, Any]
) -> None:
    """One thing wrong with either: refused with its code, also where the other was good."""
    first = signed(CommandName.RESUME, {}, "ben")
    attacked = a_resume(**command)
    for half in (None, first):
        assert judge(attacked, halted(half, **situation), TWO) == Denied(code=denial)  # type: ignore[arg-type]


@pytest.mark.parametrize(("denial", "command", "situation"), ATTACKS_ON_A_LIMIT)
def test_a_second_key_for_a_limit_proves_as_much(
    denial: object, command: dict[str, Any], situation: dict[str, Any]
) -> None:
    """Likewise for a looser limit."""
    found = judge(a_limit(**command), halted(a_limit(key_id="ben"), **situation), TWO)
    assert isinstance(found, Denied)
    assert found.code is denial


def test_what_tightens_needs_no_second_key() -> None:
    """A no, a tighter limit; and a global cancel, which has a second word of its own."""
    kill = {"roles": frozenset({Role.KILL})}
    assert isinstance(judge(a_limit(value="10", **kill), halted(), TWO), ChangeLimit)
    veto = signed(CommandName.VETO, {"proposal": "p-1"}, "anna")
    assert judge(veto, halted(), TWO) == Decide(proposal_id="p-1", approved=False)
    sweep = signed(CommandName.GLOBAL_CANCEL, {}, "anna")
    assert judge(sweep, halted(allows_global_cancel=True), TWO) == AskAgain()
    assert judge(signed(CommandName.STATUS, {}, "anna"), halted(), TWO) == judge(
        signed(CommandName.STATUS, {}, "anna"), halted(), ONE
    )


@pytest.mark.control("C42")
@given(st.lists(st.tuples(st.sampled_from(["anna", "ben"]), st.sampled_from(LOOSENING), st.booleans()), max_size=8))
def test_nothing_is_carried_out_that_two_keys_did_not_sign(
    sent: list[tuple[str, tuple[CommandName, dict[str, str | int], type], bool]],
) -> None:
    """In any order of commands and kills, what is carried out was signed in this halt just before by the other key."""
    epoch, half = 4, None
    for key_id, (name, args, _), killed in sent:
        epoch += killed
        command = signed(name, args, key_id, kill_epoch=epoch)
        situation = halted(kill_epoch=epoch)
        challenge = situation.challenge
        assert challenge is not None
        situation = replace(situation, challenge=replace(challenge, epoch=epoch), half_signed=half)
        found = judge(command, situation, TWO)
        if isinstance(found, Seconded):
            assert half is not None
            assert found.first is half.command
            assert (found.first.name, found.first.args, found.first.kill_epoch) == (name, args, epoch)
            assert found.first.key_id != key_id
            half = None
        else:
            assert found == AwaitKey()
            half = HalfSigned(command=command, until=NOW + 300 * SECOND)


def test_a_command_of_two_names_both_keys_and_both_reasons() -> None:
    """Whatever is written of it says who agreed and why."""
    first = signed(CommandName.UNLOCK, {"lock": LOCK}, "anna", reason="it was mine")
    both = signed(CommandName.UNLOCK, {"lock": LOCK}, "ben", reason="I saw the trade").beside(first)
    assert (both.key_id, both.reason) == ("anna and ben", "anna: it was mine; ben: I saw the trade")
    assert first.asks == f"unlock {LOCK}"


def test_nobody_can_bring_three_keys_and_naive_times_are_refused() -> None:
    """One, or two; and a first signature has a time with a zone."""
    for number in (0, 3):
        with pytest.raises(InvalidValueError, match=f"keys_required must be 1 or 2, was {number}"):
            AuthorityRules(keys_required=number)
    with pytest.raises(InvalidValueError, match="time zone"):
        HalfSigned(command=a_resume(), until=NOW.replace(tzinfo=None))
