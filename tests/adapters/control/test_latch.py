"""The latch on disk: it tightens at once, never loosens by itself, and a restart believes it only when it must."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.control.latch import DiskLatch, Flag, open_latch
from bot.domain.errors import LatchError
from bot.domain.mode import TradingMode

NORMAL, REDUCE, HALT = TradingMode.NORMAL, TradingMode.REDUCE_ONLY, TradingMode.HALT


def a_latch(folder: Path, mode: TradingMode = NORMAL, epoch: int = 1) -> DiskLatch:
    """Return a latch in some mode."""
    return DiskLatch(folder / "latch.json", "owner", Flag(mode=mode, cause="before", epoch=epoch))


@pytest.mark.control("C3")
@given(st.lists(st.tuples(st.sampled_from(["tighten", "loosen"]), st.sampled_from(TradingMode), st.integers(0, 9))))
def test_the_epoch_never_falls_and_tightening_never_loosens(steps: list[tuple[str, TradingMode, int]]) -> None:
    """After any steps: the epoch counts the halts, and only a loosening with the present epoch lowered the mode."""
    latch = a_latch(Path())
    halts = 0
    for act, mode, epoch in steps:
        before, at = latch.mode, latch.epoch
        if act == "tighten":
            assert latch.tighten(mode, "x") == latch.epoch
            assert latch.mode is max(before, mode)
            halts += mode is HALT
        else:
            assert latch.loosen(mode, "y", epoch=epoch) is (epoch == at)
            assert latch.mode is (mode if epoch == at else before)
        assert latch.epoch == 1 + halts


def test_the_cause_tells_what_holds_the_bot(tmp_path: Path) -> None:
    """A milder demand on a halted bot does not hide why it is halted."""
    latch = a_latch(tmp_path)
    latch.tighten(HALT, "kill by anna")
    latch.tighten(REDUCE, "reduce-only by ben")
    assert (latch.mode, latch.cause) == (HALT, "kill by anna")


async def test_what_was_persisted_is_opened_again(tmp_path: Path) -> None:
    """Mode, cause and epoch survive; the file is private and nothing is left beside it."""
    latch = a_latch(tmp_path)
    latch.tighten(HALT, "kill by anna")
    await latch.persist()
    again = open_latch(tmp_path, "owner", HALT)
    assert (again.mode, again.cause, again.epoch) == (HALT, "kill by anna", 2)
    assert (tmp_path / "latch.json").stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["latch.json"]  # noqa: PTH208 - a short look inside a coroutine of a test


async def test_a_latch_that_cannot_be_written_is_an_error_and_stays_set(tmp_path: Path) -> None:
    """The flag holds in memory although the disk refuses."""
    latch = a_latch(tmp_path / "gone")
    latch.tighten(HALT, "kill")
    with pytest.raises(LatchError, match="free the disk"):
        await latch.persist()
    assert latch.mode is HALT


async def test_many_writers_leave_the_last_flag(tmp_path: Path) -> None:
    """Writes from several threads end with what the flag says last."""
    latch = a_latch(tmp_path)
    writes = []
    for number in range(20):
        latch.tighten(HALT, f"kill {number}")
        writes.append(latch.persist())
    await asyncio.gather(*writes)
    assert json.loads((tmp_path / "latch.json").read_text())["epoch"] == 21


WRITTEN: dict[str, Any] = {"version": 1, "owner": "owner", "mode": "NORMAL", "cause": "armed", "epoch": 5}


@pytest.mark.parametrize(
    ("written", "journal", "mode", "cause"),
    [
        (WRITTEN, NORMAL, NORMAL, "armed"),
        (WRITTEN, None, HALT, "journal that belongs to the armed latch is missing"),
        (WRITTEN | {"mode": "HALT"}, NORMAL, HALT, "armed"),
        (WRITTEN, REDUCE, HALT, "looser than the journal"),
        (WRITTEN, HALT, HALT, "looser than the journal"),
        (None, None, HALT, "first boot"),
        (None, NORMAL, HALT, "first boot"),
        (WRITTEN | {"owner": "other"}, NORMAL, HALT, "belongs to other"),
        (WRITTEN | {"version": 2}, NORMAL, HALT, "version 2"),
        (WRITTEN | {"mode": "GO"}, NORMAL, HALT, "unreadable"),
        (WRITTEN | {"epoch": "x"}, NORMAL, HALT, "unreadable"),
        ("{", NORMAL, HALT, "unreadable"),
        ("[]", NORMAL, HALT, "unreadable"),
    ],
)
def test_a_boot_believes_a_latch_only_when_it_must(
    tmp_path: Path, written: object, journal: TradingMode | None, mode: TradingMode, cause: str
) -> None:
    """Absent, damaged, foreign, or looser than the journal's last mode: HALT, with the reason."""
    if written is not None:
        text = written if isinstance(written, str) else json.dumps(written)
        (tmp_path / "latch.json").write_text(text)
    latch = open_latch(tmp_path, "owner", journal)
    assert latch.mode is mode
    assert cause in latch.cause
