"""One self-contained HTML page of a run: summary, pictures, decisions with their reasons, orders with their checks."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, StrictUndefined, select_autoescape

from bot.report.evidence.settings import ComparisonSettings
from bot.report.evidence.variants import NoComparison
from bot.report.evidence.words import HEADINGS, NO_FORECAST, grounds_of, summary_rows, table_of
from bot.report.plots import plot_of_variants, plots_of
from bot.report.story import Story, Told

NEW_YORK = ZoneInfo("America/New_York")

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>alvh report</title>
<style>
body { font: 14px/1.5 system-ui, sans-serif; color: #1f2a37; max-width: 1120px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin-top: 2rem; } h3 { font-size: 1rem; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: .25rem .6rem; vertical-align: top;
border-bottom: 1px solid #e5e7eb; } th { font-weight: 600; white-space: nowrap; }
.number { text-align: right; font-variant-numeric: tabular-nums; } .bad { color: #b91c1c; } .note { color: #6b7280; }
svg { width: 100%; height: auto; } code { font-size: .85em; }
</style></head><body>
<h1>alvh: what happened</h1>
<p class="note">{{ subtitle }}</p>
<h2>Summary</h2>
<table>{% for name, value in summary %}<tr><th>{{ name }}</th><td>{{ value }}</td></tr>{% endfor %}</table>
<h2>What the hedge was worth</h2>
{% if missing %}<p>No comparison: {{ missing }}.</p>{% else %}
<table><tr>{% for heading in headings %}<th{% if not loop.first %} class="number"{% endif %}>{{ heading }}</th>
{% endfor %}</tr>
{% for row in variants %}<tr><th>{{ row[0] }}</th>
{% for text in row[1:] %}<td class="number">{{ text }}</td>{% endfor %}</tr>
{% endfor %}</table>
<h3>Profit and loss since the first sample, by session, USD</h3>
{{ curves }}
<ul class="note">{% for sentence in grounds %}<li>{{ sentence }}</li>{% endfor %}</ul>{% endif %}
<p>{{ no_forecast }}</p>
{% for title, svg in plots %}<h2>{{ title }}</h2>{{ svg }}{% endfor %}
<h2>Actions held back</h2>
<p class="note">How often each restraint, and each limit, kept an action from happening. Plans in a row that the same
cause held back count once.</p>
<table><tr><th>cause</th><th class="number">times</th></tr>
{% for cause, times in avoided %}<tr><td>{{ cause }}</td><td class="number">{{ times }}</td></tr>{% endfor %}</table>
<h2>Decisions</h2>
<table><tr><th>time (New York)</th><th>signal</th><th>action</th><th>why</th><th>orders</th></tr>
{% for row in decisions %}<tr><td>{{ row.at }}</td><td>{{ row.signal }}</td><td>{{ row.action }}</td>
<td>{{ row.reason }}{% if row.candidates %}<details><summary>{{ row.candidates|length }} candidates</summary><table>
<tr><th>candidate</th><th class="number">units</th><th class="number">cost</th><th class="number">exposure</th>
<th>kept or why not</th></tr>
{% for one in row.candidates %}<tr><td>{{ one.name }}</td><td class="number">{{ one.quantity }}</td>
<td class="number">{{ one.cost_usd }}</td><td class="number">{{ "%.1f"|format(one.exposure_usd_per_point) }}</td>
<td>{{ one.rejected or "passed" }}</td></tr>{% endfor %}</table></details>{% endif %}</td>
<td>{{ row.orders|join("; ") }}</td></tr>{% endfor %}</table>
<h2>Orders and fills</h2>
<table><tr><th>time (New York)</th><th>what</th><th>order</th><th>detail</th></tr>
{% for row in orders %}<tr><td>{{ row.at }}</td><td{% if row.bad %} class="bad"{% endif %}>{{ row.what }}</td>
<td><code>{{ row.order }}</code></td><td>{{ row.detail }}</td></tr>{% endfor %}</table>
<h2>Standing</h2>
<table>{% for row in standing %}<tr><td>{{ row.at }}</td><td>{{ row.what }}</td><td>{{ row.detail }}</td></tr>
{% endfor %}</table>
<p class="note">This page describes what a program did. It is no advice.</p>
</body></html>
"""

_BULKY = frozenset({"positions", "commissions"})
_BAD_KINDS = frozenset({"order_refused", "order_rejected", "order_doubted"})


def page_of(story: Story) -> str:
    """Return the page; every text that came from outside is escaped."""
    environment = Environment(autoescape=select_autoescape(default=True), undefined=StrictUndefined)
    template = environment.from_string(_PAGE)
    from_plots = [(title, _Markup(svg)) for title, svg in plots_of(story)]
    return template.render(
        subtitle=_subtitle(story),
        summary=summary_of(story),
        avoided=story.avoided.rows(),
        plots=from_plots,
        **_evidence(story),
        decisions=[_decision(story, row) for row in story.decisions],
        orders=[_order(row) for row in story.orders],
        standing=[_standing(row) for row in story.standing],
    )


def _evidence(story: Story) -> Mapping[str, Any]:
    """What the section on the variants shows; where nothing can be compared, why not."""
    comparison, settings = story.compared(), ComparisonSettings()
    shown: dict[str, Any] = {"headings": HEADINGS, "no_forecast": NO_FORECAST, "missing": ""}
    if isinstance(comparison, NoComparison):
        return {**shown, "missing": comparison.why, "variants": [], "curves": "", "grounds": []}
    return {
        **shown,
        "variants": table_of(comparison, settings),
        "curves": _Markup(plot_of_variants(comparison)),
        "grounds": grounds_of(story.results, comparison),
    }


class _Markup(str):
    """Text that is our own drawing, not to be escaped."""

    __slots__ = ()

    def __html__(self) -> str:
        return self


def summary_of(story: Story) -> list[tuple[str, str]]:
    """Return the figures that matter, as (name, value) pairs; the terminal's table shows the same."""
    kinds = story.counts
    return [
        ("sessions", str(kinds.get("session_opened", 0))),
        ("decisions written", str(kinds.get("hedge_planned", 0))),
        ("orders sent / filled / refused", _counts(story, "order_sent", "order_completed", "order_refused")),
        ("kills / resumes", _counts(story, "kill_latched", "mode_resumed")),
        ("overlay now / largest, USD per VIX point", _pair(story, "overlay_usd_per_point")),
        ("base sleeve, USD per VIX point", _number(story.last("base_usd_per_point"))),
        ("condor credit, USD", _number(story.last("credit_usd"))),
        ("hedge cost as the cap counts it, USD", _number(story.last("cost_usd"))),
        ("hedge cost whole, USD", _number(story.last("cost_whole_usd"))),
        ("cap, USD", _number(story.last("cap_usd"))),
        ("book delta / band, USD per +1 % SPX", _with_band(story)),
        ("VIX regime, for new condors", story.regime or "-"),
        ("net liquidation, USD", _number(story.last("net_liquidation_usd"))),
        *summary_rows(story.compared()),
        ("ended", str(story.ended.get("why", "still running or cut off"))),
    ]


def _counts(story: Story, *kinds: str) -> str:
    return " / ".join(str(story.counts.get(kind, 0)) for kind in kinds)


def _pair(story: Story, name: str) -> str:
    return f"{_number(story.last(name))} / {_number(story.largest(name))}"


def _with_band(story: Story) -> str:
    return f"{_number(story.last('delta_usd_per_spx_percent'))} / {_number(story.last('band_usd_per_spx_percent'))}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.2f}"


def _subtitle(story: Story) -> str:
    facts = story.started
    parts = [f"profile {facts.get('profile', '?')}", f"version {facts.get('version', '?')}"]
    if "config_hash" in facts:
        parts.append(f"configuration {facts['config_hash']}")
    if story.times:
        parts.append(f"{_when(story.times[0])} to {_when(story.times[-1])} New York")
    return ", ".join(parts)


def _when(moment: datetime) -> str:
    return f"{moment.astimezone(NEW_YORK):%Y-%m-%d %H:%M:%S}"


def _decision(story: Story, row: Told) -> Mapping[str, Any]:
    own = [order for order in story.orders if order.decision_id == row.decision_id]
    signal = row.facts["signal"]
    excess = signal.get("excess")
    return {
        "at": _when(row.at),
        "signal": signal["state"] + (f", excess {excess:+.0%}" if excess is not None else ""),
        "action": row.facts["action"],
        "reason": row.facts["reason"],
        "candidates": row.facts.get("candidates", []),
        "orders": [order.kind.removeprefix("order_") for order in own],
    }


def _order(row: Told) -> Mapping[str, Any]:
    intent = row.facts.get("intent", {})
    return {
        "at": _when(row.at),
        "what": row.kind.replace("_", " "),
        "bad": row.kind in _BAD_KINDS,
        "order": str(intent.get("intent_id") or row.facts.get("intent_id") or _of_fill(row))[:8],
        "detail": _detail(row),
    }


def _of_fill(row: Told) -> str:
    return str(row.facts.get("fill", {}).get("order_ref", ""))


def _detail(row: Told) -> str:
    if row.kind == "order_filled":
        fill = row.facts["fill"]
        return f"{fill['side']} {fill['quantity']} at {fill['price']} ({fill['part']})"
    if row.kind in {"order_prepared", "order_refused"}:
        intent = row.facts["intent"]
        failed = [
            f"{check['rule']}: found {check['found']}, limit {check['limit']} {check['note']}".strip()
            for check in row.facts["checks"]
            if not check["passed"]
        ]
        wanted = f"{intent['purpose']} {intent['quantity']} x {_legs(intent)} at {intent['limit']}"
        return f"{wanted}; {'; '.join(failed)}" if failed else f"{wanted}; {len(row.facts['checks'])} checks passed"
    return str(row.facts.get("why", ""))


def _legs(intent: Mapping[str, Any]) -> str:
    parts = []
    for leg in intent["legs"]:
        one = leg["instrument"]
        strike = f" {one['strike']}{one['right']}" if one.get("strike") else ""
        parts.append(f"{leg['side']} {one['trading_class']} {one['settlement']}{strike}")
    return " / ".join(parts)


def _standing(row: Told) -> Mapping[str, Any]:
    shown = {key: value for key, value in row.facts.items() if key not in _BULKY and value not in ("", None)}
    return {
        "at": _when(row.at),
        "what": row.kind.replace("_", " "),
        "detail": ", ".join(f"{k} {v}" for k, v in shown.items()),
    }
