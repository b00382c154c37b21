"""What did not happen though something asked for it: how often each restraint of M16, and each limit, kept it back.

How it works: plans that follow each other and are held back by the same cause count as one action, however often the
plan was written down meanwhile. The flips that hysteresis and dwell save are those of the raw rule less those of the
live state, as far as the samples taken every few minutes show them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bot.domain.plan import PlanAction, Withheld
from bot.domain.readings import SignalState

Facts = Mapping[str, Any]

BAND: Final = "no-trade band"
BAND_WORDS: Final = "within the no-trade band"
"""How a plan that the band held back says so."""
CAUSES: Final = {
    Withheld.PACING: "pacing",
    Withheld.CHURN: "churn budget",
    Withheld.ADVICE: "advice only",
    Withheld.PROPOSAL: "waiting for a person",
    Withheld.VETO: "veto",
}
FLIPS: Final = "hysteresis and dwell, flips in samples"


@dataclass(slots=True)
class _Rule:
    """Flips of a yes or no over samples; the first look is none."""

    now: bool | None = None
    flips: int = 0

    def see(self, flag: bool) -> None:  # noqa: FBT001 - it is the value
        """Take one sample in."""
        self.flips += self.now is not None and self.now != flag
        self.now = flag


@dataclass(slots=True)
class Avoided:
    """Counts by cause; reads plans, refusals and samples in the order of writing."""

    counts: dict[str, int] = field(default_factory=dict)
    _cause: str = ""
    _refused: tuple[str, ...] = ()
    _raw: _Rule = field(default_factory=_Rule)
    _live: _Rule = field(default_factory=_Rule)

    def plan(self, facts: Facts) -> None:
        """Take one plan in.

        Source: docs/methodology.md, M14 and M16.
        """
        cause = _cause_of(facts)
        if cause and cause != self._cause:
            self.counts[cause] = self.counts.get(cause, 0) + 1
        self._cause = cause
        if facts.get("action") == PlanAction.HOLD:
            self._refused = ()

    def refusal(self, facts: Facts) -> None:
        """Take one refused order in: it counts for every rule that it failed and had not failed just before."""
        failed = tuple(str(check.get("rule")) for check in facts.get("checks") or () if not check.get("passed"))
        for rule in failed:
            if rule not in self._refused:
                name = f"gate: {rule.replace('_', ' ')}"
                self.counts[name] = self.counts.get(name, 0) + 1
        self._refused = failed

    def approval(self) -> None:
        """An order that passed ends what was refused before it."""
        self._refused = ()

    def sample(self, facts: Facts) -> None:
        """Take one sample in; one without a state that says something, or without figures, is no look at the rule."""
        spread, threshold, state = facts.get("spread"), facts.get("threshold"), facts.get("state")
        if spread is None or threshold is None or state not in {SignalState.CALM, SignalState.BLOWOUT}:
            return
        self._raw.see(float(spread) > float(threshold))
        self._live.see(state == SignalState.BLOWOUT)

    @property
    def saved_flips(self) -> int:
        """Flips of the raw rule that the live rule did not make; never below zero."""
        return max(0, self._raw.flips - self._live.flips)

    def rows(self) -> list[tuple[str, int]]:
        """Return every cause of M14 and M16 with its count, also those of nothing, then the rules of the gate."""
        own = [(name, self.counts.get(name, 0)) for name in (BAND, *CAUSES.values())]
        gate = sorted((name, count) for name, count in self.counts.items() if name.startswith("gate: "))
        return [(FLIPS, self.saved_flips), *own, *gate]


def _cause_of(facts: Facts) -> str:
    withheld = facts.get("withheld")
    if withheld:
        return CAUSES.get(withheld, str(withheld))
    return BAND if BAND_WORDS in str(facts.get("reason")) and _gap(facts) > 0.0 else ""


def _gap(facts: Facts) -> float:
    """What is missing to the target, USD per point; without a figure nothing is known to be missing."""
    figures = [facts.get(f"{name}_usd_per_point") for name in ("target", "held", "working")]
    if None in figures:
        return 0.0
    target, held, working = (float(str(figure)) for figure in figures)
    return target - held - working
