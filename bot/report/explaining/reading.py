"""The signal in words: levels, spread, baseline, excess, state, and the episode that it is in."""

from datetime import date
from typing import Final

from bot.domain.readings import SignalState
from bot.domain.schedule import NEW_YORK
from bot.report.explaining.figures import (
    MISSING,
    clock,
    listed,
    named,
    number_of,
    percent,
    plain,
    points,
    sentence,
    signed_percent,
    text_of,
)
from bot.report.explaining.parts import Part
from bot.report.explaining.trail import Trail

STATES: Final = {
    SignalState.CALM: "calm: small caps are priced about as much more volatile than large caps as is usual",
    SignalState.BLOWOUT: "blown out: small caps are priced unusually much more volatile than large caps",
    SignalState.UNDEFINED: "undefined: nothing can be said of the dispersion, and nothing is added or sold for it",
}

INDICES: Final = ("rvx", "vix", "spx", "rut")


def signal_part(trail: Trail) -> Part:
    """Return what was measured.

    Source: docs/methodology.md, M1.
    """
    signal = trail.signal
    state = text_of(signal.get("state"))
    why = text_of(signal.get("why"))
    words = [
        sentence(f"The signal was {STATES[SignalState(state)] if state in STATES else named(state) or MISSING}"),
        *([sentence(f"Why undefined: {why}")] if why else []),
        f"The bot looked because of this: {named(trail.facts.get('trigger')) or MISSING}.",
        _spread_words(trail),
        _episode_words(trail),
        _level_words(trail),
        _own_words(trail),
    ]
    figures = {name: signal.get(name) for name in ("state", "spread", "baseline", "excess", "peak_excess")}
    return Part(name="signal", title="Signal", words=tuple(word for word in words if word), figures=figures)


def against_baseline(trail: Trail) -> str:
    """Return spread, baseline and excess in one phrase; empty where there is no spread."""
    spread, baseline, excess = (number_of(trail.signal.get(name)) for name in ("spread", "baseline", "excess"))
    if spread is None:
        return ""
    if baseline is None:
        return f"spread {points(spread)}, no baseline"
    if excess is None:
        return f"spread {points(spread)}, baseline {points(baseline)}"
    where = "below" if excess < 0 else "above"
    return f"spread {points(spread)}, {percent(abs(excess))} {where} its baseline of {plain(baseline)}"


def _spread_words(trail: Trail) -> str:
    phrase = against_baseline(trail)
    if not phrase:
        return "There was no spread: RVX or VIX had no usable level yet."
    smoothed = "Smoothed RVX - VIX: "
    return sentence(f"{smoothed}{phrase} (excess {signed_percent(trail.signal.get('excess'))})")


def _episode_words(trail: Trail) -> str:
    began, peak = text_of(trail.signal.get("episode_began_on")), trail.signal.get("peak_excess")
    if not began:
        return "No episode was under way."
    today = trail.plan.at.astimezone(NEW_YORK).date()
    days = (today - date.fromisoformat(began)).days
    age = "today" if days == 0 else f"{days} day{'' if days == 1 else 's'} before"
    return f"The episode began on {began} ({age}); its widest excess so far was {signed_percent(peak)}."


def _own_words(trail: Trail) -> str:
    """M18: what was not published came from the options of the index; the baseline knows published closes only."""
    own = tuple(text_of(name) for name in trail.signal.get("own") or ())
    if not own:
        return ""
    told = "levels of our own" if len(own) > 1 else "a level of our own"
    return f"{listed(own)} had {told}, from its options: the index was missing or stale. The baseline is of closes."


def _level_words(trail: Trail) -> str:
    """The decision's own row holds no index levels; the last sample does."""
    sample = trail.sample
    if sample is None:
        return "RVX and VIX at that moment are not in the journal: no sample was taken before it on that day."
    known = [f"{name.upper()} {plain(sample.facts[name])}" for name in INDICES if sample.facts.get(name) is not None]
    unknown = tuple(name.upper() for name in INDICES if sample.facts.get(name) is None)
    levels = ", ".join([*known, *([f"none yet of {listed(unknown)}"] if unknown else [])])
    return f"Levels in the last sample before it, {clock(sample.at)} New York: {levels}."
