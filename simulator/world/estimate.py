"""``python -m simulator.world.estimate HISTORY [VX_FUTURES]``: the world's constants beside what your files say.

HISTORY is a folder of daily files as the exchanges publish them (SPX, RUT, VIX, RVX, VVIX, SPY, IWM; what is missing is
left out). VX_FUTURES holds one file a contract, ``VX_YYYY-MM-DD.csv``; unless stated, the folder ``vx_futures`` beside
HISTORY. What no daily file can tell (widths and sizes of quotes, turnover, breadth) is not estimated.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bot.domain.errors import HistoryError
from simulator.world.daily_files import daily_levels, settlements
from simulator.world.figures import SYMBOLS, Figure, History, figures

_USAGE: Final = 2
_HEAD: Final = f"{'constant':<50}{'value':>9}{'estimate':>10}{'within':>8}  verdict  rule"


def history_of(folder: Path, futures: Path) -> History:
    """Return what two folders hold.

    Raises:
        HistoryError: A file is no table of daily levels or settlement prices.
    """
    return History({symbol: daily_levels(folder, symbol) for symbol in SYMBOLS}, settlements(futures))


def line_of(figure: Figure) -> str:
    """Return one line of the table."""
    constant, estimate = ("-" if each is None else f"{each:.3f}" for each in (figure.constant, figure.estimate))
    tolerance = "-" if figure.tolerance is None else f"{figure.tolerance:g}"
    return f"{figure.name:<50}{constant:>9}{estimate:>10}{tolerance:>8}  {figure.verdict:<8} {figure.rule}"


def main(words: Sequence[str]) -> int:
    """Print the table; return 0, or 2 where the words are no folder of files."""
    if not words or len(words) > _USAGE or not Path(words[0]).is_dir():
        sys.stderr.write(f"{__doc__}\n")
        return _USAGE
    folder = Path(words[0])
    futures = Path(words[1]) if len(words) == _USAGE else folder.parent / "vx_futures"
    try:
        found = figures(history_of(folder, futures))
    except HistoryError as error:
        sys.stderr.write(f"{error}\n")
        return _USAGE
    sys.stdout.write("\n".join((_HEAD, *map(line_of, found))) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
