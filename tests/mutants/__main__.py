"""Mutation testing of risk/ with its own tests: ``python -m tests.mutants`` runs it and prints the score.

How it works: mutmut writes the mutated tree (`tree.py`); a process inside of that tree collects the tests once and
forks a child for each mutant (`children.py`), in which one function gets the mutant's code (`switch.py`) and the tests
that reach it run in the most promising order (`order.py`). Results are kept as they come (`results.py`), so that a run
that was stopped goes on; of a changed function they are made anew. They are not made anew when tests change: a
survivor is shown again with ``--rerun survived``, all of them with ``--fresh``.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from random import Random

from tests.mutants import tree
from tests.mutants.results import AIM_FRAC, Mutant, read, score, score_lines, to_run, valid

RESULTS = tree.TREE / "results.jsonl"


def main() -> int:
    """Run what has no result yet and print the report; return 1 where the score is below the aim."""
    chosen = _arguments()
    tree.write_tree()
    mutants = [mutant for mutant in tree.mutants() if not chosen.only or mutant.file in chosen.only]
    if chosen.sample:
        mutants = Random(chosen.seed).sample(mutants, min(chosen.sample, len(mutants)))
    if chosen.fresh:
        RESULTS.unlink(missing_ok=True)
    wanted = to_run(mutants, read(RESULTS), again=chosen.rerun == "survived")
    if wanted and not chosen.report:
        rows = json.dumps([asdict(mutant) for mutant in wanted])
        command = [sys.executable, "-m", "tests.mutants.children"]
        if code := subprocess.run(command, cwd=tree.TREE, input=rows, text=True, check=False).returncode:
            return code
    sys.stdout.write("\n".join(_report(mutants)) + "\n")
    return 0 if score(valid(mutants, read(RESULTS)).values()) >= AIM_FRAC else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=0, help="so many mutants by chance instead of all")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="FILE", help="mutants of these files, risk/gate.py say"
    )
    parser.add_argument("--rerun", choices=["survived"], help="show those once more that went unnoticed")
    parser.add_argument("--fresh", action="store_true", help="forget all results first")
    parser.add_argument("--report", action="store_true", help="run nothing, print what is known")
    return parser.parse_args()


def _report(mutants: list[Mutant]) -> Iterator[str]:
    """Lines of the report: who survived, with the difference, then the score."""
    results = valid(mutants, read(RESULTS))
    for mutant in mutants:
        result = results.get(mutant.name)
        if result and not result.outcome.is_noticed:
            line, diff = tree.difference(mutant)
            yield f"{mutant.file}:{line}  {mutant.name}  {result.outcome.value}, {result.shown} tests\n{diff}\n"
    yield from score_lines(mutants, results)
    bare, every = tree.without_mutants()
    yield f"{len(bare)} of {every} functions have no mutants: {', '.join(bare)}"


if __name__ == "__main__":
    sys.exit(main())
