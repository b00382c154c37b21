"""What the journal tells of a run, gathered for one page: samples over time, decisions, orders, fills, standing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.domain.orders import Purpose
from bot.report.avoided import Avoided
from bot.report.evidence.results import Results
from bot.report.evidence.settings import ComparisonSettings
from bot.report.evidence.variants import Comparison, NoComparison, compare

SERIES = (
    *("vix", "rvx", "spx", "rut", "spread", "baseline", "threshold"),
    *("base_usd_per_point", "overlay_usd_per_point", "target_usd_per_point"),
    *("cost_usd", "cost_whole_usd", "cap_usd", "credit_usd"),
    *("delta_usd_per_spx_percent", "band_usd_per_spx_percent", "net_liquidation_usd"),
)
"""The figures of one sample; a missing one is None. Units stand in the names, volatility in points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One journal row as read back."""

    at: datetime
    kind: str
    decision_id: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A moment worth a line in the plots."""

    at: datetime
    label: str


@dataclass(slots=True)
class Story:
    """One run; ``times`` and every list in ``series`` have the same length."""

    times: list[datetime] = field(default_factory=list)
    series: dict[str, list[float | None]] = field(default_factory=lambda: {name: [] for name in SERIES})
    decisions: list[Told] = field(default_factory=list)
    orders: list[Told] = field(default_factory=list)
    standing: list[Told] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    intents: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    avoided: Avoided = field(default_factory=Avoided)
    results: Results = field(default_factory=Results)
    started: Mapping[str, Any] = field(default_factory=dict)
    ended: Mapping[str, Any] = field(default_factory=dict)
    regime: str = ""  # of VIX, as the last sample with a level told it

    def last(self, name: str) -> float | None:
        """Return the last known figure of a series."""
        return next((value for value in reversed(self.series[name]) if value is not None), None)

    def compared(self) -> Comparison | NoComparison:
        """Return no hedge, base sleeve, and base with overlay on this history (M15)."""
        return compare(self.results, ComparisonSettings())

    def largest(self, name: str) -> float | None:
        """Return the largest known figure of a series."""
        return max((value for value in self.series[name] if value is not None), default=None)


ORDER_KINDS = frozenset(
    {
        *("order_prepared", "order_refused", "order_sent", "order_acknowledged", "order_partly_filled"),
        *("order_filled", "order_completed", "order_cancelled", "order_rejected", "order_doubted", "cancel_sent"),
    }
)
STANDING_KINDS = frozenset(
    {
        *("session_opened", "session_closed", "link_lost", "link_restored", "books_reconciled", "mode_demanded"),
        *("kill_latched", "mode_latched", "mode_resumed", "command_refused", "data_feed_changed", "cap_breached"),
        *("credit_changed", "limit_breached", "restraints_lifted"),
        *("override_granted", "override_used", "override_expired"),
        *("credit_changed", "limit_breached", "restraints_lifted", "account_mismatched", "twins_found"),
        "legs_imbalanced",
        *("lock_taken", "lock_escalated", "lock_cleared", "lock_lifted"),
        *("submission_frozen", "hours_disagreed", "ticks_disagreed"),
        *("run_ended_early", "bot_started", "bot_stopped"),
    }
)

MARKS: Mapping[str, str] = {
    Purpose.OVERLAY_BUILD: "overlay bought",
    Purpose.BASE_BUILD: "base bought",
    Purpose.BASE_EXIT: "base sold",
    Purpose.WING_ROLL: "wing rolled",
    Purpose.FLATTEN: "flattened",
}
"""Of orders that filled whole; the other purposes sell overlay."""


def gather(rows: Iterable[Told]) -> Story:
    """Return the story that journal rows tell, in their order."""
    story = Story()
    state = ""
    for row in rows:
        story.counts[row.kind] = story.counts.get(row.kind, 0) + 1
        story.results.take(row.at, row.kind, row.facts)
        if row.kind == "sample_taken":
            _sample(story, row)
        elif row.kind == "hedge_planned":
            state = _decision(story, row, state)
        elif row.kind in ORDER_KINDS:
            _order(story, row)
        elif row.kind in STANDING_KINDS:
            _standing(story, row)
    return story


def _sample(story: Story, row: Told) -> None:
    story.times.append(row.at)
    story.avoided.sample(row.facts)
    story.regime = str(row.facts.get("vix_regime") or story.regime)
    for name in SERIES:
        value = row.facts.get(name)
        story.series[name].append(None if value is None else float(value))


def _decision(story: Story, row: Told, state: str) -> str:
    story.decisions.append(row)
    story.avoided.plan(row.facts)
    now = str(row.facts["signal"]["state"])
    if now not in {state, "undefined"}:
        story.marks.append(Mark(at=row.at, label=now.upper()))
        return now
    return state


def _order(story: Story, row: Told) -> None:
    story.orders.append(row)
    if row.kind == "order_refused":
        story.avoided.refusal(row.facts)
    if row.kind == "order_prepared":
        story.avoided.approval()
        intent = row.facts["intent"]
        story.intents[str(intent["intent_id"])] = intent
    if row.kind == "order_completed":
        intent = story.intents.get(str(row.facts.get("intent_id")), {})
        label = MARKS.get(str(intent.get("purpose")), "overlay sold")
        story.marks.append(Mark(at=row.at, label=label))


def _standing(story: Story, row: Told) -> None:
    story.standing.append(row)
    if row.kind == "bot_started":
        story.started = row.facts
    if row.kind == "bot_stopped":
        story.ended = row.facts
    if row.kind == "kill_latched":
        story.marks.append(Mark(at=row.at, label="KILL"))
    if row.kind == "mode_resumed":
        story.marks.append(Mark(at=row.at, label="resume"))
