"""Plays the state machine by chance and prints what came of it, kind by kind: ``python -m tests.machine --seed 7``."""

import argparse
import sys
import time
from collections import Counter

from tests.machine.playing import STEPS, STEPS_OF_MARKET, WISHING, is_moving, played
from tests.machine.venue import BrokenLedgerError

LENGTH = 400
"""Steps of one world: long enough for a book to fill up, short enough to be followed."""


def main() -> int:
    """Play worlds one after another; return 1 where an invariant broke, with the seed that shows it again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="of the first world; the next ones count on")
    parser.add_argument("--steps", type=int, default=50_000, help="all worlds together")
    chosen = parser.parse_args()
    began = time.perf_counter()
    counts: dict[bool, Counter[str]] = {False: Counter(), True: Counter()}
    for seed in range(chosen.seed, chosen.seed + max(1, chosen.steps // LENGTH)):
        try:
            world = played(seed, LENGTH)
        except BrokenLedgerError as broken:
            sys.stdout.write(f"{broken}\nplay it again: python -m tests.machine --seed {seed} --steps {LENGTH}\n")
            return 1
        counts[is_moving(seed)] += world.counts + Counter({"worlds": 1, "frames judged": world.oracle.judged})
    both = counts[False] + counts[True]
    names = [*STEPS_OF_MARKET, *WISHING]
    names += sorted(both.keys() - set(names))
    lines = [f"{'':24} {'a wishing plan':>16} {'the real planner':>17}"]
    lines += [f"{name:24} {counts[False][name]:16} {counts[True][name]:17}" for name in names]
    played_steps = sum(both[name] for name in {*STEPS, *STEPS_OF_MARKET})
    took = time.perf_counter() - began
    sys.stdout.write("\n".join([*lines, f"{played_steps} steps, {took:.1f} s"]) + "\n")
    idle = [kind for kind in counts if not (counts[kind]["frames sent"] and counts[kind]["units traded"])]
    missing = [name for name in {*STEPS, *STEPS_OF_MARKET} if not both[name]]
    return 1 if missing or idle else 0


if __name__ == "__main__":
    sys.exit(main())
