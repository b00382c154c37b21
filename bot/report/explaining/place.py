"""Where an increase went or would have gone: the settlement, and the step that schedule or episode asked for."""

from collections.abc import Mapping
from typing import Final

from bot.domain.plan import PlanAction
from bot.domain.shifts import Direction
from bot.report.explaining.figures import (
    MISSING,
    in_both_times,
    listed,
    moment_of,
    named,
    sentence,
    text_of,
)
from bot.report.explaining.parts import Part
from bot.report.explaining.size import wanted_orders
from bot.report.explaining.trades import is_of_the_base, moves_wing
from bot.report.explaining.trail import Facts, Trail

STEPS: Final[Mapping[str, str]] = {
    Direction.FORWARD: "one step later than the base choice of {base}",
    Direction.BACKWARD: "one step earlier than the base choice of {base}",
}


def place_part(trail: Trail) -> Part:
    """Return the choice of the expiry.

    Source: docs/methodology.md, M6.
    """
    shift = trail.facts.get("shift")
    words = _none_words(trail) if shift is None else _shift_words(shift)
    figures = {name: (shift or {}).get(name) for name in ("base", "settlement", "direction")}
    return Part(name="place", title="Where", words=words, figures=figures)


def _none_words(trail: Trail) -> tuple[str, ...]:
    if "shift" not in trail.facts:
        return ("The journal does not hold the choice of the expiry: it was written by an older version.",)
    if trail.facts.get("action") in {PlanAction.UNWIND, PlanAction.EXIT, PlanAction.FLATTEN}:
        return ("No expiry was chosen: what is sold is what is held.",)
    if any(is_of_the_base(order) for order in wanted_orders(trail)):
        return ("A layer of the base goes to the monthly settlement nearest to its days; no step is taken.",)
    if any(moves_wing(intent) for intent in wanted_orders(trail)):
        return ("No expiry was chosen: a wing stays in the expiry of its condors.",)
    return ("No expiry was chosen: nothing was to be bought.",)


def _shift_words(shift: Facts) -> tuple[str, ...]:
    base, settlement = text_of(shift.get("base")), text_of(shift.get("settlement"))
    because = sentence(text_of(shift.get("because")) or f"the reason is {MISSING}")
    if not settlement:
        return ("No settlement within reach was offered.", because, *_coverage_words(shift))
    direction = text_of(shift.get("direction"))
    step = STEPS.get(direction, "the base choice, no step").format(base=base)
    return (f"Settlement {settlement}: {step}.", because, *_release_words(shift), *_coverage_words(shift))


def _release_words(shift: Facts) -> tuple[str, ...]:
    release = shift.get("release")
    if not release:
        return ()
    kind, at = named(release.get("kind")).upper() or MISSING, moment_of(release.get("at"))
    when = f"at a moment {MISSING}" if at is None else f"on {in_both_times(at)}"
    source = ", ".join(part for part in (text_of(release.get("source")), named(release.get("confidence"))) if part)
    return (f"The release in question: {kind} {when}, by {source or f'a source {MISSING}'}.",)


def _coverage_words(shift: Facts) -> tuple[str, ...]:
    kinds = tuple(named(kind).upper() for kind in shift.get("uncovered") or ())
    if not kinds:
        return ()
    return (f"Coverage unknown for {listed(kinds)}: the table of releases does not reach these days; renew it.",)
