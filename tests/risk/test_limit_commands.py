"""Limits by command: tighter is taken like a kill, looser needs everything, and the ceilings bind both (C37, I21)."""

from collections.abc import Mapping
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.command import Command, Proof, Role
from bot.domain.decision import Approved
from risk.authority import ChangeLimit, Denial, Denied, judge
from risk.gate import Gate
from risk.limit_changes import limit_changes, limit_texts
from risk.limit_wishes import NoWish, Unfit, Wish, limits_after, wished
from risk.limits import Amortise, RiskLimits
from tests.builders import FEES, a_plan
from tests.risk.attacks import ATTACKS_ON_A_LIMIT, NOW, RULES, SECOND, a_limit, a_situation
from tests.risk.scenes import LIMITS as SCENE_LIMITS
from tests.risk.scenes import a_build, calm_noon

LIMITS = RiskLimits(accounts=frozenset({"DU1"}))
STALE: dict[str, Any] = {
    "seq_is_fresh": False,
    "issued_at": None,
    "kill_epoch": -1,
    "challenge": "",
    "retained": True,
    "reason": "",
}
"""What a resume would be refused for, all at once."""


@pytest.mark.control("C37")
@pytest.mark.control("C42")
@pytest.mark.parametrize(("denial", "command", "situation"), ATTACKS_ON_A_LIMIT)
def test_each_attack_on_a_looser_limit_fails(
    denial: Denial, command: dict[str, Any], situation: dict[str, Any]
) -> None:
    """One thing wrong with an otherwise good loosening: refused, and the code says which."""
    found = judge(a_limit(**command), a_situation(**situation), RULES)
    assert isinstance(found, Denied)
    assert found.code is denial


@pytest.mark.control("C37")
def test_a_looser_limit_with_everything_right_is_put_in_force_whatever_the_books() -> None:
    """Role risk is enough, in any mode; the books are the gate's matter."""
    for changes in ({}, {"reconciled_at": None, "unknown_orders": 1, "differences": 2}):
        found = judge(a_limit(), a_situation(limits=LIMITS, **changes), RULES)
        assert isinstance(found, ChangeLimit)
        assert (found.limits, found.change.words) == (
            replace(LIMITS, max_orders_per_day=50),
            "max_orders_per_day: 40 -> 50",
        )


@pytest.mark.control("C37")
@pytest.mark.parametrize(
    "sender", [{"roles": frozenset({Role.KILL})}, {"proof": Proof.LOCAL, "roles": frozenset(), "key_id": ""}]
)
def test_a_tighter_limit_is_taken_whatever_its_age_order_or_repetition(sender: dict[str, Any]) -> None:
    """A key that may kill, or this host: seq, moment, epoch, challenge, reason and the retained flag do not matter."""
    found = judge(a_limit(value="10", **STALE, **sender), a_situation(challenge=None), RULES)
    assert isinstance(found, ChangeLimit)
    assert (found.limits.max_orders_per_day, found.change.is_looser) == (10, False)


@pytest.mark.control("C37")
def test_an_old_tightening_that_comes_again_never_loosens() -> None:
    """20 was tighter than 40, and is looser than 10: the same bytes are now a loosening without proof."""
    old = a_limit(value="20", roles=frozenset(Role), **STALE)
    assert isinstance(judge(old, a_situation(), RULES), ChangeLimit)
    tightened = a_situation(limits=replace(LIMITS, max_orders_per_day=10))
    assert judge(old, tightened, RULES) == Denied(code=Denial.RETAINED)
    equal = a_situation(limits=replace(LIMITS, max_orders_per_day=20))
    assert judge(replace(old, retained=False), equal, RULES) == Denied(code=Denial.SEQUENCE)


@pytest.mark.control("C37")
@pytest.mark.parametrize(
    ("sender", "denial"),
    [
        ({"proof": Proof.UNPROVED}, Denial.NOT_PROVED),
        ({"roles": frozenset({Role.RESUME, Role.ADMIN})}, Denial.ROLE_MISSING),
    ],
)
def test_a_stranger_changes_no_limit(sender: dict[str, Any], denial: Denial) -> None:
    """Without a known key, or with one that may neither kill nor take risks, tighter and looser are refused alike."""
    for value in ("10", "50"):
        assert judge(a_limit(value=value, **sender), a_situation(), RULES) == Denied(code=denial)


def test_a_key_with_role_risk_alone_tightens_with_the_proof_of_a_loosening() -> None:
    """Whoever may not kill proves what a loosening needs, also for what tightens."""
    assert isinstance(judge(a_limit(value="10"), a_situation(), RULES), ChangeLimit)
    assert judge(a_limit(value="10", challenge="x"), a_situation(), RULES) == Denied(code=Denial.CHALLENGE)


def test_a_refused_value_says_what_was_expected() -> None:
    """The name that was meant, the form, or the ceiling: the operator reads it in the answer."""
    said = [
        judge(a_limit(name, value), a_situation(), RULES)
        for name, value in (
            ("max_orders_per_dy", "3"),
            ("max_orders_per_day", "3.5"),
            ("max_hedge_cost_frac", "0.5"),
            ("accounts", "DU9"),
            ("max_orders_per_day", "40"),
        )
    ]
    assert [one.why.removeprefix("limit: ") for one in said if isinstance(one, Denied)] == [
        "unknown key 'max_orders_per_dy'; did you mean 'max_orders_per_day'?",
        "max_orders_per_day: Input should be a valid integer; found 3.5",
        "max_hedge_cost_frac: max_hedge_cost_frac may be lowered, never raised above 0.40, was 0.5",
        "accounts changes at a start alone: edit the configuration",
        "it has this value already",
    ]


def test_an_argument_that_is_missing_is_as_one_that_is_empty() -> None:
    """A limit without a name, or without a value, is told what was wrong in the same words as one with empty ones."""
    for args in ({}, {"limit": "max_orders_per_day"}, {"value": "50"}):
        whole = {"limit": "", "value": "", **args}
        bare = judge(a_limit(args=args), a_situation(), RULES)
        assert isinstance(bare, Denied)
        assert bare == judge(a_limit(args=whole), a_situation(), RULES), args


NUMBERS = st.integers(-5, 3000).map(str) | st.floats(-1, 20, allow_nan=False).map(lambda one: f"{one:.4f}")
WORDS = st.sampled_from(["true", "False", "none", "straight_line", "VIX", "VIX,VX", "SPX,VIX,VXM", "", "nan", "AAPL"])


def bad_commands() -> st.SearchStrategy[Command]:
    """Commands of which at least one part of a loosening's proof is wrong; most may tighten."""
    wrong = st.sampled_from(
        [
            {"challenge": "x"},
            {"seq_is_fresh": False},
            {"kill_epoch": 3},
            {"retained": True},
            {"reason": " "},
            {"issued_at": NOW - 31 * SECOND},
            {"expires_at": NOW - SECOND},
            {"proof": Proof.LOCAL},
            {"proof": Proof.UNPROVED},
            {"roles": frozenset({Role.KILL, Role.RESUME, Role.ADMIN})},
        ]
    )
    names = st.sampled_from([field.name for field in fields(RiskLimits)] + ["max_moons"])
    return st.builds(
        lambda name, value, fault: a_limit(name, value, **{"roles": frozenset(Role), **fault}),
        names,
        NUMBERS | WORDS,
        wrong,
    )


@pytest.mark.control("C37")
@given(st.lists(bad_commands(), max_size=12))
def test_no_sequence_of_commands_without_a_good_proof_loosens_any_limit(commands: list[Command]) -> None:
    """I21: after each of them, and after all, every limit is at least as tight as before."""
    limits = LIMITS
    for command in commands:
        found = judge(command, a_situation(limits=limits), RULES)
        if isinstance(found, ChangeLimit):
            assert not any(change.is_looser for change in limit_changes(limit_texts(limits), found.limits))
            limits = found.limits
    assert not any(change.is_looser for change in limit_changes(limit_texts(LIMITS), limits))


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("max_orders_per_day", "10", 10),
        ("max_hedge_cost_frac", "0.3", Decimal("0.3")),
        ("max_gross_leverage", "1", Decimal(1)),
        ("session_edge_minutes", "15", 15.0),
        ("permit_vxx_shares", "true", True),
        ("permit_vxx_shares", "True", True),
        ("amortise", "none", Amortise.NONE),
        ("permitted_classes", '["VIX", "VX"]', frozenset({"VIX", "VX"})),
        ("permitted_classes", "VIX, VX", frozenset({"VIX", "VX"})),
        ("permitted_classes", "none", frozenset()),
    ],
)
def test_a_value_is_written_as_in_a_file_or_as_limits_are_shown(name: str, text: str, value: object) -> None:
    """One reader for files, commands and the journal."""
    found = wished(LIMITS, name, text)
    assert isinstance(found, Wish)
    assert getattr(found.limits, name) == value


def test_what_limits_are_written_as_is_read_back() -> None:
    """The text of every limit, set as that limit, changes nothing."""
    for name, text in limit_texts(LIMITS).items():
        found = wished(LIMITS, name, text)
        assert found == (
            NoWish(code=Unfit.FIXED, why="accounts changes at a start alone: edit the configuration")
            if name == "accounts"
            else Wish(limits=LIMITS, change=None)
        )


def texts(**changes: Any) -> Mapping[str, str]:
    """A whole set as the journal has it."""
    return limit_texts(replace(LIMITS, **changes))


@pytest.mark.control("C37")
def test_what_a_command_has_set_stays_over_a_start_until_the_file_is_edited() -> None:
    """Tighter or looser, what is in force stays where the file is as it was; an edited limit takes its edit."""
    last = texts(max_orders_per_day=10, collar_ticks=6)
    assert limits_after(LIMITS, texts(), last) == replace(LIMITS, max_orders_per_day=10, collar_ticks=6)
    edited = replace(LIMITS, max_orders_per_day=30)
    assert limits_after(edited, texts(), last) == replace(LIMITS, max_orders_per_day=30, collar_ticks=6)


@pytest.mark.control("C37")
def test_a_start_takes_the_file_where_nothing_else_can_be_kept() -> None:
    """Nothing written yet; a limit of another version; a value that this version refuses; the allowlist."""
    assert limits_after(LIMITS, {}, {}) == LIMITS
    assert limits_after(LIMITS, {**texts(), "max_moons": "1"}, {**texts(), "max_moons": "2"}) == LIMITS
    assert limits_after(LIMITS, texts(), {**texts(), "max_hedge_cost_frac": "0.9"}) == LIMITS
    assert limits_after(LIMITS, texts(), texts(accounts=frozenset({"DU2"}))) == LIMITS


@pytest.mark.control("C37")
def test_the_gate_judges_by_what_it_was_given_last() -> None:
    """One purchase of three contracts: approved, refused under a tighter limit, approved again under the first."""
    gate, order = Gate(SCENE_LIMITS, FEES), a_plan(a_build(3))
    tighter = replace(SCENE_LIMITS, max_contracts_per_leg=2)
    found = []
    for limits in (SCENE_LIMITS, tighter, SCENE_LIMITS):
        gate.take(limits)
        assert gate.limits is limits
        found.append(isinstance(gate.review(order, calm_noon())[0], Approved))
    assert found == [True, False, True]


def test_one_value_that_cannot_be_kept_loses_no_other() -> None:
    """A word that this version does not know comes first by name; what comes later stays all the same."""
    configured = limit_texts(RiskLimits())
    in_force = {**configured, "amortise": "by moonlight", "max_options": "500"}
    assert limits_after(RiskLimits(), configured, in_force) == RiskLimits(max_options=500)


def test_a_value_beyond_any_number_is_not_kept() -> None:
    """A start begins all the same, with what is configured."""
    configured = limit_texts(RiskLimits())
    assert limits_after(RiskLimits(), configured, {**configured, "max_options": "9" * 400}) == RiskLimits()
