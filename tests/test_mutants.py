"""The parts of the mutation runner that need no mutated tree: the order of the tests, what is run, the score."""

from pathlib import Path

import pytest

from tests.mutants.order import Order, Shown
from tests.mutants.results import Mutant, Outcome, Result, read, score, score_lines, to_run, valid


def an_order() -> Order:
    """Five tests reach `f`: three cases of `a`, and `b` and `c`; a sixth reaches `g` alone."""
    times = {"a[1]": 0.5, "a[2]": 0.1, "a[3]": 0.3, "b": 0.2, "c": 0.9, "d": 0.0}
    tests = {number: Shown(node=node, seconds=seconds) for number, (node, seconds) in enumerate(times.items())}
    return Order(tests, {"f": [4, 3, 2, 1, 0], "g": [5]})


def a_mutant(number: int = 1, digest: str = "abc") -> Mutant:
    """One change of one function."""
    return Mutant(name=f"risk.gate.x_f__mutmut_{number}", file="risk/gate.py", function="risk.gate.x_f", digest=digest)


def a_result(number: int = 1, outcome: Outcome = Outcome.KILLED, digest: str = "abc") -> Result:
    """What became of it."""
    return Result(name=a_mutant(number).name, digest=digest, outcome=outcome)


def nodes(order: Order, function: str = "f") -> list[str]:
    """Return the tests in the order in which they are shown."""
    return [order.tests[test].node for test in order.of(function)]


def test_one_case_of_each_test_comes_before_the_other_cases() -> None:
    """The fastest case stands for its test function; the rest follow by their time."""
    assert nodes(an_order()) == ["a[2]", "b", "c", "a[3]", "a[1]"]


def test_what_noticed_a_mutant_of_the_function_comes_first() -> None:
    """The latest stands before the earlier ones, each once, and none is lost."""
    order = an_order()
    for test in (0, 4, 0):
        order.noticed("f", test)
    assert nodes(order) == ["a[1]", "c", "a[2]", "b", "a[3]"]


def test_a_function_is_shown_only_to_what_reaches_it() -> None:
    """What noticed a mutant of another function says nothing here, and an unknown function is reached by none."""
    order = an_order()
    order.noticed("f", 0)
    assert (nodes(order, "g"), nodes(order, "h")) == (["d"], [])


def test_a_stopped_run_goes_on_from_its_file(tmp_path: Path) -> None:
    """The last result of each mutant counts; a line that was cut off does not."""
    file = tmp_path / "results.jsonl"
    whole = [a_result(1, Outcome.SURVIVED), a_result(2), a_result(1)]
    file.write_text("".join(one.line() for one in whole) + a_result(3).line()[:20], encoding="utf-8")
    results = read(file)
    assert results == {one.name: one for one in (a_result(1), a_result(2))}
    assert to_run([a_mutant(1), a_mutant(2), a_mutant(3)], results, again=False) == [a_mutant(3)]
    assert read(tmp_path / "none.jsonl") == {}


def test_a_changed_function_is_run_again() -> None:
    """A result of other source counts neither as run nor in the score."""
    results = {a_mutant().name: a_result(digest="old")}
    assert (to_run([a_mutant()], results, again=False), valid([a_mutant()], results)) == ([a_mutant()], {})


@pytest.mark.parametrize("outcome", list(Outcome))
def test_only_what_went_unnoticed_is_shown_again(outcome: Outcome) -> None:
    """A survivor and a mutant that no test reaches are run again when asked for."""
    results = {a_mutant().name: a_result(outcome=outcome)}
    unnoticed = outcome in (Outcome.SURVIVED, Outcome.UNREACHED)
    assert (to_run([a_mutant()], results, again=True) == [a_mutant()]) is unnoticed
    assert to_run([a_mutant()], results, again=False) == []


def test_the_score_is_the_share_that_was_noticed() -> None:
    """A test that fails, never ends or dies notices; with nothing to notice all was noticed."""
    every = [a_result(number, outcome) for number, outcome in enumerate(Outcome)]
    assert (score(every), score([])) == (0.6, 1.0)


def test_the_report_counts_each_file_and_what_was_not_run() -> None:
    """One line for each file, one for all, and how many are left."""
    results = {a_mutant(number).name: a_result(number, outcome) for number, outcome in enumerate(Outcome)}
    lines = score_lines([a_mutant(number) for number in range(6)], results)
    assert [line.split() for line in lines[:2]] == [
        ["risk/gate.py", "3", "of", "5", "60.0", "%"],
        ["all", "3", "of", "5", "60.0", "%"],
    ]
    assert lines[2] == "1 of 6 not run yet"
