"""What a known bug is, and the two ways in which most of them are planted."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from bot.domain.decision import Checked

Patch = pytest.MonkeyPatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """One bug: what it is, how it is planted, and the invariants of which one must break."""

    name: str
    plant: Callable[[Patch], None]
    breaks: tuple[str, ...]
    only_planned: bool = False  # only the worlds of the real planner can show it


def passes(rule_class: type[Any]) -> Callable[[Patch], None]:
    """A rule that lets everything through."""

    def plant(patch: Patch) -> None:
        def check(self: Any, intent: object, scene: object) -> Checked:
            del intent, scene
            return Checked.holds(rule=self.rule, passed=True, found="", limit="")

        patch.setattr(rule_class, "check", check)

    return plant


def replaced(owner: object, name: str, value: object) -> Callable[[Patch], None]:
    """One function that does something else."""
    return lambda patch: patch.setattr(owner, name, value)
