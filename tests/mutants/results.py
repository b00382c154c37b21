"""What became of each mutant: one JSON line each in a file that a stopped run goes on from, and the score.

What always holds: a result counts while its mutant's function is unchanged, and of several results the last counts.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

AIM_FRAC = 0.95
"""The share of mutants that the tests must notice, see docs/risk-controls.md, section 5."""


class Outcome(StrEnum):
    """How a mutant ended."""

    KILLED = "killed"  # a test failed
    TIMEOUT = "timeout"  # a test did not end in its time
    CRASHED = "crashed"  # the process died
    SURVIVED = "survived"  # every test that reaches the function passed
    UNREACHED = "unreached"  # no test reaches the function

    @property
    def is_noticed(self) -> bool:
        """Whether the tests would have told that something is wrong."""
        return self in (Outcome.KILLED, Outcome.TIMEOUT, Outcome.CRASHED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One small change of one function."""

    name: str  # mutmut's: module, function, number
    file: str
    function: str  # mutmut's key of the function: the name without the number
    digest: str  # of the function's source


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one mutant."""

    name: str
    digest: str
    outcome: Outcome
    by: str = ""  # the test that noticed it
    shown: int = 0  # tests that ran
    seconds: float = 0.0

    def line(self) -> str:
        """Return the line of the file."""
        return json.dumps(asdict(self), ensure_ascii=False) + "\n"


def read(path: Path) -> dict[str, Result]:
    """Return the last result of each mutant; a last line that was cut off by a stop is left out."""
    found: dict[str, Result] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue
        found[row["name"]] = Result(**row | {"outcome": Outcome(row["outcome"])})
    return found


def valid(mutants: Iterable[Mutant], results: Mapping[str, Result]) -> dict[str, Result]:
    """Return the results of those mutants whose function has not changed since."""
    known = ((mutant, results.get(mutant.name)) for mutant in mutants)
    return {mutant.name: result for mutant, result in known if result and result.digest == mutant.digest}


def to_run(mutants: Iterable[Mutant], results: Mapping[str, Result], *, again: bool) -> list[Mutant]:
    """Return the mutants without a result; again: those that went unnoticed as well."""
    every = list(mutants)
    known = valid(every, results)
    return [one for one in every if one.name not in known or (again and not known[one.name].outcome.is_noticed)]


def score(results: Iterable[Result]) -> float:
    """Return the share that was noticed, a fraction; 1.0 where there is nothing to notice."""
    every = list(results)
    return sum(result.outcome.is_noticed for result in every) / len(every) if every else 1.0


def score_lines(mutants: Iterable[Mutant], results: Mapping[str, Result]) -> list[str]:
    """Return one line for each file and one for all of them."""
    files: dict[str, list[Result]] = defaultdict(list)
    every = list(mutants)
    known = valid(every, results)
    for mutant in every:
        if mutant.name in known:
            files[mutant.file].append(known[mutant.name])
    lines = [_score_line(name, files[name]) for name in sorted(files)]
    return [*lines, _score_line("all", list(known.values())), f"{len(every) - len(known)} of {len(every)} not run yet"]


def _score_line(name: str, results: list[Result]) -> str:
    noticed = sum(result.outcome.is_noticed for result in results)
    return f"{name:34} {noticed:5} of {len(results):5}  {100 * score(results):5.1f} %"
