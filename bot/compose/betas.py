"""``alvh history betas``: the sensitivities of VX forwards from files, beside the constants that the bot uses."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from adapters.history.csv_files import load_symbol
from adapters.history.vx_settlements import load_vx_settlements
from bot.domain.errors import HistoryError
from bot.hedging.sensitivities.estimate import (
    BucketEstimate,
    CurveEstimate,
    NoScale,
    Scale,
    estimate_curves,
    forward_moves,
    rolling_scale,
)
from bot.hedging.sensitivities.settings import SensitivitySettings
from bot.pricing import move_per_spx_percent, vix_beta

INDICES: Final = ("SPX", "SPY")
"""SPX itself, or the fund on it, whose history is the longer one in many folders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Betas:
    """What the files say: the curves, the present scale, and what they rest on."""

    index: str
    contracts: int
    moves: int
    first: date  # of the common closes
    last: date
    curves: CurveEstimate
    scale: Scale | NoScale

    def facts(self) -> Mapping[str, object]:
        """Return every figure in full precision, for JSON."""
        scale = self.scale
        return {
            "index": self.index,
            "contracts": self.contracts,
            "moves": self.moves,
            "first": self.first.isoformat(),
            "last": self.last.isoformat(),
            "buckets": [_facts_of(bucket) for bucket in self.curves.buckets],
            "left_out": list(self.curves.left_out),
            "scale": {"why": scale.why}
            if isinstance(scale, NoScale)
            else {"value": scale.value, "slope": scale.slope, "sessions": scale.sessions},
        }

    def lines(self) -> Iterator[str]:
        """Yield the table and the scale; constants stand beside what the files say of them."""
        yield (
            f"{self.moves} one-session moves of {self.contracts} VX contracts, VIX and {self.index} "
            f"from {self.first} to {self.last}"
        )
        yield f"{'days':>9}{'moves':>7}{'beta':>9}{'monotone':>10}{'in use':>8}{'g':>9}{'monotone':>10}{'in use':>8}"
        for bucket in self.curves.buckets:
            yield (
                f"{f'{bucket.first_day}-{bucket.last_day}':>9}{bucket.moves:>7}{bucket.beta:>9.3f}"
                f"{bucket.beta_monotone:>10.3f}{vix_beta(bucket.middle):>8.2f}{bucket.spx_move:>9.3f}"
                f"{bucket.spx_move_monotone:>10.3f}{move_per_spx_percent(bucket.middle):>8.2f}"
            )
        for line in self.curves.left_out:
            yield f"left out: {line}"
        yield _scale_line(self.scale)


def betas_of_files(futures: Path, history: Path, index: str) -> Betas:
    """Return the sensitivities that two folders of files give.

    Args:
        futures: Holds ``VX_YYYY-MM-DD.csv`` files.
        history: Holds VIX and the index as daily files.
        index: SPX or SPY.

    Raises:
        HistoryError: A file is missing or malformed, or the files have no session in common.
    """
    settlements = load_vx_settlements(futures)
    vix = {row.day: row.close for row in load_symbol(history, "VIX")}
    spx = {row.day: row.close for row in load_symbol(history, index)}
    common = sorted(vix.keys() & spx.keys())
    if not common:
        raise HistoryError(f"{history}: VIX and {index} have no day in common; take files of the same years")
    settings = SensitivitySettings()
    prices = {day: [(row.day, row.price) for row in rows] for day, rows in settlements.items()}
    moves = forward_moves(prices, vix, spx)
    return Betas(
        index=index,
        contracts=len(settlements),
        moves=len(moves.days),
        first=common[0],
        last=common[-1],
        curves=estimate_curves(moves, settings),
        scale=rolling_scale(_column(vix, common), _column(spx, common), settings),
    )


def _column(closes: Mapping[date, float], days: Sequence[date]) -> NDArray[np.float64]:
    return np.array([closes[day] for day in days], dtype=np.float64)


def _facts_of(bucket: BucketEstimate) -> Mapping[str, float | int]:
    return {
        "first_day": bucket.first_day,
        "last_day": bucket.last_day,
        "moves": bucket.moves,
        "beta": bucket.beta,
        "beta_monotone": bucket.beta_monotone,
        "beta_in_use": vix_beta(bucket.middle),
        "g": bucket.spx_move,
        "g_monotone": bucket.spx_move_monotone,
        "g_in_use": move_per_spx_percent(bucket.middle),
    }


def _scale_line(scale: Scale | NoScale) -> str:
    if isinstance(scale, NoScale):
        return f"no scale: {scale.why}"
    return (
        f"spx_sensitivity_scale {scale.value:.3f}: VIX moved {scale.slope:.3f} points per +1 % over the last "
        f"{scale.sessions} sessions"
    )
