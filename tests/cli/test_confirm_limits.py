"""Limits that are looser than at the last start wait for a person's word (C37): the rule, and the command line."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.journal.reader import remembered
from adapters.journal.store import Owner, open_journal
from bot.compose.confirming import LimitsAtStart, limits_at_start
from bot.domain.errors import RefusedStartError
from bot.ports import JournalRow
from config.settings import Profile
from risk.limit_changes import limit_texts, limits_hash
from risk.limits import RiskLimits
from tests.cli.conftest import Alvh, Ended

ACCOUNT = "DU7654321"
LIMITS = RiskLimits(accounts=frozenset({ACCOUNT}))
TIGHTER = replace(LIMITS, max_orders_per_day=10)
AT = datetime(2026, 10, 20, 14, 0, tzinfo=UTC)


def _start(
    limits: RiskLimits,
    last: RiskLimits | None,
    *,
    configured_last: RiskLimits | None = None,
    profile: Profile = Profile.LIVE,
    confirmed: str | None = None,
) -> LimitsAtStart:
    """A start: what was in force last is what was configured then, unless told otherwise."""
    written = {} if last is None else limit_texts(last)
    configured = written if configured_last is None else limit_texts(configured_last)
    return limits_at_start(limits, written, configured, profile=profile, confirmed=confirmed)


def _at_start(limits: RiskLimits, last: RiskLimits | None, **options: Any) -> Mapping[str, object] | None:
    return _start(limits, last, **options).facts


def one_line(ended: Ended) -> str:
    """The message, whatever the terminal's width has made of it."""
    return " ".join((ended.out + ended.err).split())


def _texts(facts: Mapping[str, object] | None, name: str) -> object:
    assert facts is not None
    return facts[name]


@pytest.mark.control("C37")
def test_a_first_start_writes_all_limits_down_and_an_equal_one_nothing() -> None:
    """The whole set with its hash; then silence until something changes."""
    first = _at_start(LIMITS, None)
    assert (_texts(first, "limits"), _texts(first, "hash")) == (limit_texts(LIMITS), limits_hash(LIMITS))
    assert (_texts(first, "looser"), _texts(first, "confirmed")) == ([], False)
    assert _at_start(LIMITS, LIMITS) is None


@pytest.mark.control("C37")
def test_tighter_limits_start_by_themselves() -> None:
    """The change is written down, nobody is asked."""
    facts = _at_start(TIGHTER, LIMITS)
    assert (_texts(facts, "tighter"), _texts(facts, "looser")) == (["max_orders_per_day: 40 -> 10"], [])


@pytest.mark.control("C37")
@pytest.mark.parametrize("profile", [Profile.PAPER, Profile.LIVE])
def test_looser_limits_start_with_their_own_hash_alone(profile: Profile) -> None:
    """Refused without it, with another, and with that of an edit on top; taken with it, and written as confirmed."""
    with pytest.raises(RefusedStartError, match="max_orders_per_day: 10 -> 40") as refused:
        _at_start(LIMITS, TIGHTER, profile=profile)
    assert f"--confirm-limits {limits_hash(LIMITS)}" in str(refused.value)
    for wrong in ("", limits_hash(TIGHTER), limits_hash(LIMITS).upper()):
        with pytest.raises(RefusedStartError, match="another set of limits"):
            _at_start(LIMITS, TIGHTER, profile=profile, confirmed=wrong)
    edited = replace(LIMITS, max_order_value_usd=Decimal(60_000))
    with pytest.raises(RefusedStartError, match="another set of limits"):
        _at_start(edited, TIGHTER, profile=profile, confirmed=limits_hash(LIMITS))
    facts = _at_start(LIMITS, TIGHTER, profile=profile, confirmed=limits_hash(LIMITS))
    assert (_texts(facts, "looser"), _texts(facts, "confirmed")) == (["max_orders_per_day: 10 -> 40"], True)


def test_a_rehearsal_asks_nobody() -> None:
    """In profile sim looser limits are written down and start."""
    facts = _at_start(LIMITS, TIGHTER, profile=Profile.SIM)
    assert (_texts(facts, "looser"), _texts(facts, "confirmed")) == (["max_orders_per_day: 10 -> 40"], False)


@pytest.mark.control("C37")
def test_what_was_tightened_by_command_starts_by_itself_and_stays() -> None:
    """Nobody is there after the restart: the same file, the tighter value in force, nothing to write down."""
    started = _start(LIMITS, TIGHTER, configured_last=LIMITS)
    assert (started.limits, started.facts) == (TIGHTER, None)


@pytest.mark.control("C37")
def test_what_was_loosened_by_command_stays_and_an_edit_back_starts_by_itself() -> None:
    """The signed loosening holds over a restart; the limit that was edited since takes the file's value."""
    assert _start(TIGHTER, LIMITS, configured_last=TIGHTER).limits == LIMITS
    edited = replace(TIGHTER, max_orders_per_day=20)
    started = _start(edited, LIMITS, configured_last=TIGHTER)
    assert started.limits == edited
    assert _texts(started.facts, "tighter") == ["max_orders_per_day: 40 -> 20"]


@pytest.mark.control("C37")
def test_an_edit_that_is_looser_than_what_was_in_force_is_confirmed() -> None:
    """From 40 tightened to 10 by command: a file that now says 30 loosens, and the other limit stays tightened."""
    in_force = replace(TIGHTER, collar_ticks=2)
    edited = replace(LIMITS, max_orders_per_day=30)
    wanted = replace(edited, collar_ticks=2)
    with pytest.raises(RefusedStartError, match="max_orders_per_day: 10 -> 30; tighten them, or start once"):
        _start(edited, in_force, configured_last=LIMITS)
    started = _start(edited, in_force, configured_last=LIMITS, confirmed=limits_hash(wanted))
    assert started.limits == wanted
    assert _texts(started.facts, "limits") == limit_texts(wanted)
    assert _texts(started.facts, "configured") == limit_texts(edited)


@pytest.mark.control("C37")
def test_an_edit_to_what_is_in_force_is_written_down(tmp_path: Path) -> None:
    """Nothing changes for the gate, but the next start must know what the file said, also after a command."""
    started = _start(TIGHTER, TIGHTER, configured_last=LIMITS)
    assert (_texts(started.facts, "looser"), _texts(started.facts, "tighter")) == ([], [])
    assert started.facts is not None
    changed = {"name": "max_orders_per_day", "before": "10", "after": "5", "looser": False}
    journal = open_journal(tmp_path / "journal.db", Owner(bot="main", profile="paper", account=ACCOUNT))
    for kind, facts in (("limits_set", started.facts), ("limit_changed", changed)):
        journal.write([JournalRow(kind=kind, decision_id="", at=AT, payload=facts)])
    journal.close()
    memory = remembered(tmp_path / "journal.db", AT)
    assert memory.limits == limit_texts(replace(TIGHTER, max_orders_per_day=5))
    assert memory.configured == limit_texts(TIGHTER)


@pytest.mark.control("C37")
def test_the_command_line_refuses_looser_limits(alvh: Alvh, tmp_path: Path) -> None:
    """A paper bot whose journal holds tighter limits ends with 3, names them and the hash, and sends nothing."""
    state = tmp_path / "state"
    state.mkdir()
    facts = _at_start(TIGHTER, None)
    assert facts is not None
    journal = open_journal(state / "journal.db", Owner(bot="main", profile="paper", account=ACCOUNT))
    journal.write([JournalRow(kind="limits_set", decision_id="", at=AT, payload=facts)])
    journal.close()
    assert remembered(state / "journal.db", AT).limits == limit_texts(TIGHTER)
    config = tmp_path / "paper.toml"
    config.write_text(f'[broker]\naccount = "{ACCOUNT}"\n[risk]\naccounts = ["{ACCOUNT}"]\n[mqtt]\nrequired = false\n')
    asked = ("run", "--profile", "paper", "--config", config, "--state", state, "--out", tmp_path / "out")

    ended = alvh(*asked)

    assert ended.code == 3
    assert "limits are looser than at the last start" in one_line(ended)
    assert "max_orders_per_day: 10 -> 40" in one_line(ended)
    wrong = alvh(*asked, "--confirm-limits", "0123456789ab")
    assert (wrong.code, "names another set of limits" in one_line(wrong)) == (3, True)
