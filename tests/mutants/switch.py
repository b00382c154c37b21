"""Switches a mutant on: a function of the mutated tree is given the code of one of its mutants.

How it works: mutmut's tree wraps each function in a trampoline that asks at every call which mutant is on. Here
`registered` takes the trampoline's place before the tree is imported. It leaves the function as it is and only keeps
it, so that a function without a mutant costs nothing more than in the project, and `switch_on` exchanges its code.

What always holds: a function object stays the same, so tables, imports and classes that hold it see the mutant too.
A process is switched once and never back: it is forked for one mutant and ends with it.
"""

import gc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import _lru_cache_wrapper
from types import CodeType, FunctionType
from typing import Any

ORIGINAL = "_mutmut_orig"
"""The name under which mutmut's table of a function keeps its unchanged copy."""


@dataclass(frozen=True, slots=True)
class Mutated:
    """A function of the tree, with mutmut's table of its mutants by name."""

    function: FunctionType
    mutants: dict[str, Any]  # mutmut fills it after the function has been made

    def key(self) -> str:
        """Return the name mutmut gives the function: of its mutants, all but the number."""
        copy = str(self.mutants[ORIGINAL].__name__)
        return f"{self.function.__module__}.{copy.partition('__mutmut_')[0]}"


KEPT: list[Mutated] = []


def registered(mutants: dict[str, Any], **_: bool) -> Callable[[FunctionType], FunctionType]:
    """Return a decorator that keeps a function and its mutants, and changes nothing.

    Args:
        mutants: mutmut's table of the function, by name.
        _: Whether it is a class method; its code is exchanged like any other's.
    """

    def keep(function: FunctionType) -> FunctionType:
        KEPT.append(Mutated(function, mutants))
        return function

    return keep


def functions() -> dict[CodeType, str]:
    """Return the key of every function that has mutants, by its code."""
    return {one.function.__code__: one.key() for one in KEPT}


def switch_on(mutant: str) -> None:
    """Give a function the code and the defaults of one of its mutants.

    Raises:
        LookupError: No function of the tree has that mutant.
    """
    module, _, name = mutant.rpartition(".")
    found = [one for one in KEPT if one.function.__module__ == module and name in one.mutants]
    if not found:
        raise LookupError(f"no function of the mutated tree has the mutant {mutant}")
    for one in found:
        changed = one.mutants[name]
        changed = getattr(changed, "__func__", changed)  # a class method is kept bound
        one.function.__code__ = changed.__code__
        one.function.__defaults__ = changed.__defaults__
        one.function.__kwdefaults__ = changed.__kwdefaults__


def memories() -> Iterator[Any]:
    """Yield every cached function of risk/ and of the tests: what one keeps could hide a mutant from the next test."""
    for one in gc.get_objects():
        if isinstance(one, _lru_cache_wrapper) and one.__module__.partition(".")[0] in ("risk", "tests"):
            yield one
