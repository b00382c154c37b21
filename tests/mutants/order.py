"""In what order a mutant is shown to the tests that reach it: those come first that will probably notice it.

How it works: first the tests that noticed another mutant of the same function, the latest before the others; then one
case of each test function, the fastest first; then all other cases, the fastest first.

What always holds: the order is a permutation of the tests that reach the function, so that none is left out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One test as pytest collects it: of a parametrised test, one case."""

    node: str
    seconds: float

    @property
    def function(self) -> str:
        """The test function: the name without the parameters of a case."""
        return self.node.partition("[")[0]


@dataclass(frozen=True, slots=True)
class Order:
    """Which tests reach a function, and which have noticed its mutants; `noticed` is the only change."""

    tests: Mapping[int, Shown]
    reaching: Mapping[str, Iterable[int]]
    _noticed: dict[str, list[int]] = field(default_factory=dict)

    def noticed(self, function: str, test: int) -> None:
        """Remember that a test noticed a mutant of a function."""
        known = self._noticed.setdefault(function, [])
        if test in known:
            known.remove(test)
        known.insert(0, test)

    def of(self, function: str) -> list[int]:
        """Return every test that reaches a function, once, the most promising first."""
        reaching = sorted(self.reaching.get(function, ()), key=lambda test: (self.tests[test].seconds, test))
        first: dict[str, int] = {}
        for test in reaching:
            first.setdefault(self.tests[test].function, test)
        reached = set(reaching)
        known = [test for test in self._noticed.get(function, ()) if test in reached]
        return list(dict.fromkeys([*known, *first.values(), *reaching]))
