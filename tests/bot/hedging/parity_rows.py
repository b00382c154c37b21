"""Boards of options around one forward, and what is found on them."""

import math
from datetime import date
from pathlib import Path

import pytest

from bot.hedging.parity.board import ParityBoard, ParityFuture, ParityRow
from bot.hedging.parity.monitor import (
    ParityFinding,
    ParityReport,
    judge_parity,
)
from bot.hedging.parity.settings import ParitySettings

DATA = Path(__file__).parents[3] / ".." / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the published board is not part of the repository")
SETTINGS = ParitySettings()
SETTLES = date(2026, 12, 18)
"""A third Friday, on which ES and SPX options settle on the same prices."""
YEARS = 0.16
FORWARD = 5000.0


def a_row(strike: float, *, forward: float = FORWARD, half: float = 0.5, rate: float = SETTINGS.rate) -> ParityRow:
    """A pair around one forward, each option a point wide unless told otherwise, both with some time value."""
    gap = math.exp(-rate * YEARS) * (forward - strike)
    call, put = 40.0 + max(gap, 0.0), 40.0 + max(-gap, 0.0)
    return ParityRow(
        strike=strike,
        call_bid=call - half,
        call_ask=call + half,
        put_bid=put - half,
        put_ask=put + half,
        long_size=7,
        short_size=5,
    )


def a_board(*rows: ParityRow, trading_class: str = "SPX", future: ParityFuture | None = None) -> ParityBoard:
    """A board of one settlement."""
    return ParityBoard(trading_class=trading_class, settlement=SETTLES, years=YEARS, rows=rows, future=future)


def an_es(bid: float, ask: float, *, multiplier: int = 50, trading_class: str = "ES", size: int = 9) -> ParityFuture:
    """The future of the same settlement."""
    return ParityFuture(
        trading_class=trading_class, bid=bid, ask=ask, bid_size=size, ask_size=size, multiplier=multiplier
    )


def judged(board: ParityBoard, settings: ParitySettings = SETTINGS) -> ParityReport:
    """The report of a board that has one."""
    report = judge_parity(board, settings)
    assert isinstance(report, ParityReport), report
    return report


def the_finding(board: ParityBoard, settings: ParitySettings = SETTINGS) -> ParityFinding:
    """The one finding of a board."""
    (finding,) = judged(board, settings).findings
    return finding
