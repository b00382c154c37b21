"""Plays the state machine by chance and prints how often each step came: ``python -m tests.machine --seed 7``."""

import argparse
import sys
import time
from collections import Counter

from tests.machine.venue import BrokenLedgerError
from tests.machine.world import STEPS, played

LENGTH = 400
"""Steps of one world: long enough for a book to fill up, short enough to be followed."""


def main() -> int:
    """Play worlds one after another; return 1 where an invariant broke, with the seed that shows it again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="of the first world; the next ones count on")
    parser.add_argument("--steps", type=int, default=50_000, help="all worlds together")
    chosen = parser.parse_args()
    began, counts, judged = time.perf_counter(), Counter[str](), 0
    for seed in range(chosen.seed, chosen.seed + max(1, chosen.steps // LENGTH)):
        try:
            world = played(seed, LENGTH)
        except BrokenLedgerError as broken:
            sys.stdout.write(f"{broken}\nplay it again: python -m tests.machine --seed {seed} --steps {LENGTH}\n")
            return 1
        counts += world.counts
        judged += world.oracle.judged
    lines = [f"{name:16} {counts[name]:7}" for name in STEPS]
    lines += [f"{name:16} {counts[name]:7}" for name in sorted(counts.keys() - STEPS.keys())]
    took = time.perf_counter() - began
    sys.stdout.write("\n".join([*lines, f"{counts.total()} counted, {judged} frames judged, {took:.1f} s"]) + "\n")
    return 1 if any(not counts[name] for name in STEPS) else 0


if __name__ == "__main__":
    sys.exit(main())
