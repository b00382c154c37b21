"""Every rule says which control it serves, every control has a test or a reason, and the page shows both."""

import runpy
from dataclasses import dataclass
from decimal import Decimal

import pytest

from bot.domain.decision import Checked, Rule
from bot.domain.errors import InvalidValueError
from bot.domain.orders import OrderIntent
from risk.controls import FIELDS, NOT_BUILT, rows, table
from risk.gate import CHECKS
from risk.limits import RiskLimits
from risk.scene import Scene
from tests.controls import CACHE, CONTROLS, PAGE, control_lines, evidence, page_with, rules_table


@pytest.mark.control("C38")
def test_every_rule_of_the_gate_says_which_control_it_serves() -> None:
    """Each check states control, standard, unit and limits; the place in the table is that in the gate."""
    found = rows()
    assert [row.rule for row in found] == [check.rule.value for check in CHECKS]
    assert [row.place for row in found] == list(range(1, len(CHECKS) + 1))
    known = set(CONTROLS)
    assert all(known & set(row.controls) for row in found)


@pytest.mark.control("C38")
def test_every_control_has_a_test_or_a_reason_for_having_none() -> None:
    """C1 to C44: each is named by a test, or stands among those that are not built with a reason; never both."""
    proved = {control for control in evidence() if control.startswith("C")}
    assert proved | set(NOT_BUILT) == set(CONTROLS)
    assert not proved & set(NOT_BUILT)
    assert len(list(control_lines())) == len(CONTROLS)


@pytest.mark.control("C38")
def test_the_page_shows_the_table_as_it_is() -> None:
    """docs/risk-controls.md holds what `make controls-table` writes."""
    assert PAGE.read_text(encoding="utf-8") == page_with(rules_table()), "run make controls-table"


def test_every_control_of_a_rule_has_a_test_of_the_gate() -> None:
    """No rule stands in the table without a file of tests/risk that proves it."""
    assert [line for line in rules_table().splitlines() if line.endswith("| none |")] == []


@dataclass(frozen=True, slots=True)
class Bare:
    """Fails never."""

    rule: Rule = Rule.LOCKS

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Let it through."""
        raise NotImplementedError(f"{intent} {scene}")


class NoControl(Bare):
    """Fails never.

    Control: none.
    Standard: none.
    Unit: none.
    Limits: none.
    """


class OddLimit(Bare):
    """Fails never.

    Control: C1.
    Standard: none.
    Unit: none.
    Limits: max_patience.
    """


@pytest.mark.parametrize(
    ("check", "said"),
    [
        (
            Bare(),
            f"Bare: its docstring must end with the lines {': ..., '.join(FIELDS)}: ...; Control is missing",
        ),
        (NoControl(), "NoControl: expected a control such as C20, found 'none'"),
        (OddLimit(), "OddLimit: RiskLimits has no limit 'max_patience'"),
    ],
)
def test_a_rule_that_does_not_say_it_is_an_error(check: Bare, said: str) -> None:
    """A new rule is told what its docstring lacks."""
    with pytest.raises(InvalidValueError) as refused:
        rows([check])
    assert str(refused.value) == said


def test_a_limit_is_shown_in_plain_digits() -> None:
    """A file may say 5E+4; whoever reads the table reads 50000."""
    (size,) = (row for row in rows(limits=RiskLimits(max_order_value_usd=Decimal("5E+4"))) if row.rule == "order_size")
    assert "`max_order_value_usd` 50000" in size.limits


def test_the_module_prints_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m risk.controls` prints the rules; tests are known to the page alone."""
    with pytest.warns(RuntimeWarning, match="risk.controls"):
        runpy.run_module("risk.controls", run_name="__main__")
    assert capsys.readouterr().out == table(rows()) + "\n"


def test_evidence_is_read_where_it_is_kept(request: pytest.FixtureRequest) -> None:
    """What writes down that a test has passed, and what reads it, name the same place."""
    keepers = [one for one in request.config.pluginmanager.get_plugins() if hasattr(one, "PASSED")]
    assert [keeper.CACHE for keeper in keepers] == [CACHE]  # type: ignore[attr-defined]  # a conftest has no type
