"""A restart knows which locks hold: a foreign fill's until a person lifts it, a break's with its time begun anew."""

from datetime import timedelta
from pathlib import Path

import pytest

from adapters.journal.reader import remembered
from adapters.journal.store import Owner, open_journal
from bot.domain.events import Event, LockEscalated, LockLifted, Restored
from bot.domain.locks import Locks
from tests.bot.engine_parts import CALL, Rig, a_fill, a_state, books_agree, filled, restored
from tests.builders import ACCOUNT, NOON, vix_call

OWNER = Owner(bot="b", profile="sim", account=ACCOUNT)
LATER = NOON + timedelta(hours=2)
FOREIGN = filled(a_fill("stranger", "manual"))
BREAK = books_agree(differences={vix_call(25).key: "books say 0, the broker says 1"})


def after(*events: Event, folder: Path) -> tuple[Locks, Restored]:
    """The locks of a bot that lived through these events, and what a restart reads of its journal."""
    rig = Rig()
    for event in (restored(), books_agree(), *events):
        rig.engine.receive(event)
    journal = open_journal(folder / "journal.db", OWNER)
    journal.write(rig.engine._unwritten)
    journal.close()
    return rig.state.locks, remembered(folder / "journal.db", LATER).restored


@pytest.mark.control("C34")
def test_a_foreign_fills_lock_survives_a_restart(tmp_path: Path) -> None:
    """It holds before anything was compared, and however often the books agree."""
    locks, again = after(FOREIGN, folder=tmp_path)
    state = a_state()
    state.apply(again)
    assert state.locks == locks
    for seconds in (0, 60, 120):
        state.apply(books_agree(at=LATER + timedelta(seconds=seconds)))
    assert state.standing().locks == {CALL.key: "foreign fill stranger"}


def test_a_lock_that_a_person_lifted_stays_lifted(tmp_path: Path) -> None:
    """The unlock is remembered as well."""
    _, again = after(FOREIGN, LockLifted(at=NOON, lock=CALL.key, key_id="k", reason="mine"), folder=tmp_path)
    assert again.locks == Locks()


@pytest.mark.control("C28")
def test_a_break_is_remembered_and_begins_its_time_anew(tmp_path: Path) -> None:
    """A restart does not loosen, and does not hand a lock to a person for the hours in which nobody ran."""
    _, again = after(BREAK, folder=tmp_path)
    (lock,) = again.locks.held
    assert (lock.name, lock.latched, lock.since) == (vix_call(25).key, False, LATER)


def test_a_break_that_ended_is_forgotten_and_one_that_was_escalated_is_latched(tmp_path: Path) -> None:
    """Both ends of a break are remembered."""
    agreed = [books_agree(at=NOON + timedelta(seconds=seconds)) for seconds in (20, 40)]
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert after(BREAK, *agreed, folder=tmp_path / "a")[1].locks == Locks()
    escalated = LockEscalated(at=NOON, lock=vix_call(25).key, why="not settled")
    (lock,) = after(BREAK, escalated, *agreed, folder=tmp_path / "b")[1].locks.held
    assert (lock.latched, lock.why) == (True, "not settled")
