"""The pictures of a run as inline SVG: spread, sleeve, cost and delta with decisions marked; the variants compared."""

import io
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bot.report.evidence.variants import Comparison, Variant
from bot.report.story import Story

NEW_YORK = ZoneInfo("America/New_York")
WIDTH_IN, HEIGHT_IN = 11.0, 3.1
MOST_TICKS = 12
INK, ACCENT, SOFT, WARN = "#1f2a37", "#1d4ed8", "#9ca3af", "#b91c1c"
VARIANT_LINES = {
    Variant.NO_HEDGE: (SOFT, 1.4, "-"),
    Variant.BASE_AND_OVERLAY: (ACCENT, 2.0, "-"),
    Variant.BASE: (INK, 1.2, "--"),
}
"""Colour, width and style of each variant's line; dashed on top, the base is seen where the overlay changes nothing."""


def plots_of(story: Story) -> tuple[tuple[str, str], ...]:
    """Return (title, SVG) pairs; none where the run took no samples."""
    if not story.times:
        return ()
    return (
        ("Spread of RVX over VIX, baseline and threshold, volatility points", _spread(story)),
        ("Sleeve: overlay held and wanted, USD per +1.00 VIX", _sleeve(story)),
        ("Hedge cost against the cap, USD", _cost(story)),
        ("Delta of the whole book and its band, USD per +1 % SPX", _delta(story)),
    )


def plot_of_variants(comparison: Comparison) -> str:
    """Return the SVG of profit and loss of each variant by session; tail days are marked."""
    figure, axes = _canvas()
    for variant, (color, width, style) in VARIANT_LINES.items():
        curve = comparison.outcomes[variant].curve_usd
        axes.plot(range(len(curve)), curve, color=color, linewidth=width, linestyle=style, label=variant.value)
    axes.axhline(0.0, color=INK, linewidth=0.6)
    for place, day in enumerate(comparison.days, start=1):
        if day in comparison.tail_days:
            axes.axvline(place, color=WARN, linewidth=0.7, linestyle=":", label="tail days")
    every = max(1, -(-len(comparison.days) // MOST_TICKS))
    places = range(every, len(comparison.days) + 1, every)
    axes.set_xticks([0, *places], ["start", *(f"{comparison.days[place - 1]:%d %b}" for place in places)], fontsize=8)
    return _drawn(figure, axes)


def _spread(story: Story) -> str:
    figure, axes = _canvas()
    _line(axes, story, "spread", "spread", ACCENT, 1.4)
    _line(axes, story, "baseline", "90-session average", SOFT, 1.2)
    _line(axes, story, "threshold", "threshold (+25 %)", WARN, 1.0, style="--")
    return _finished(figure, axes, story)


def _sleeve(story: Story) -> str:
    figure, axes = _canvas()
    _line(axes, story, "overlay_usd_per_point", "overlay held", ACCENT, 1.6, step=True)
    _line(axes, story, "target_usd_per_point", "target", WARN, 1.0, style="--", step=True)
    axes.set_ylim(bottom=0.0)
    return _finished(figure, axes, story)


def _cost(story: Story) -> str:
    figure, axes = _canvas()
    _line(axes, story, "cost_usd", "cost as the cap counts it", ACCENT, 1.6, step=True)
    _line(axes, story, "cost_whole_usd", "whole, not spread over time", SOFT, 1.0, step=True)
    _line(axes, story, "cap_usd", "cap", WARN, 1.2, style="--", step=True)
    axes.set_ylim(bottom=0.0)
    return _finished(figure, axes, story)


def _delta(story: Story) -> str:
    figure, axes = _canvas()
    _line(axes, story, "delta_usd_per_spx_percent", "book delta", ACCENT, 1.3)
    band = story.series["band_usd_per_spx_percent"]
    places = list(range(len(story.times)))
    for sign, label in ((1.0, "band"), (-1.0, None)):
        edge = [float("nan") if value is None else sign * value for value in band]
        axes.plot(places, edge, color=WARN, linewidth=1.0, linestyle="--", label=label)
    return _finished(figure, axes, story)


def _canvas() -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), layout="constrained")
    axes = figure.add_subplot()
    axes.grid(visible=True, color="#e5e7eb", linewidth=0.6)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure, axes


def _line(
    axes: Axes,
    story: Story,
    name: str,
    label: str,
    color: str,
    width: float,
    *,
    style: str = "-",
    step: bool = False,
) -> None:
    """Draw one series over the samples; nights take no room because the axis counts samples."""
    values = [float("nan") if value is None else value for value in story.series[name]]
    where = "steps-post" if step else "default"
    axes.plot(range(len(values)), values, color=color, linewidth=width, linestyle=style, label=label, drawstyle=where)


def _finished(figure: Figure, axes: Axes, story: Story) -> str:
    """Add the marks and the days; return the SVG alone."""
    bottom, top = axes.get_ylim()
    axes.set_ylim(bottom, top)
    for place, label in _marks_by_place(story).items():
        axes.axvline(place, color=INK, linewidth=0.7, alpha=0.45)
        axes.annotate(
            label, (place, bottom), rotation=90, fontsize=6.5, va="bottom", ha="right", color=INK, parse_math=False
        )
    first_of_day = _first_of_days(story.times)
    every = max(1, -(-len(first_of_day) // MOST_TICKS))
    shown = first_of_day[::every]
    axes.set_xticks(shown, [f"{story.times[place].astimezone(NEW_YORK):%d %b %H:%M}" for place in shown], fontsize=8)
    return _drawn(figure, axes)


def _drawn(figure: Figure, axes: Axes) -> str:
    """Add the legend, each name once; return the SVG alone."""
    axes.tick_params(axis="y", labelsize=8)
    named = {name: line for line, name in zip(*axes.get_legend_handles_labels(), strict=True)}
    axes.legend(named.values(), named, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=4, fontsize=8, frameon=False)
    buffer = io.StringIO()
    with rc_context({"svg.hashsalt": "alvh"}):  # else each drawing names its parts by chance
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def _marks_by_place(story: Story) -> dict[int, str]:
    """Join the marks that fall on one sample; too close to its neighbour, a mark goes under the earlier one."""
    joined: dict[int, list[str]] = {}
    last = -len(story.times)
    nearest = max(1, len(story.times) // 80)
    for mark in story.marks:
        place = _place_of(mark.at, story.times)
        place = last if place - last < nearest else place
        last = place
        labels = joined.setdefault(place, [])
        if mark.label not in labels:
            labels.append(mark.label)
    return {place: ", ".join(labels) for place, labels in joined.items()}


def _place_of(moment: datetime, times: Sequence[datetime]) -> int:
    """Return the first sample at or after a moment."""
    return next((place for place, time in enumerate(times) if time >= moment), len(times) - 1)


def _first_of_days(times: Sequence[datetime]) -> list[int]:
    seen, places = set(), []
    for place, time in enumerate(times):
        day = time.astimezone(NEW_YORK).date()
        if day not in seen:
            seen.add(day)
            places.append(place)
    return places
