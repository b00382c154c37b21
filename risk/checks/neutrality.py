"""The book's delta stays in its band, comes nearer to it, or is none of the overlay's doing (M10)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from bot.deltas import band_half_width_usd, book_delta, overlay_delta, units_delta
from bot.domain.decision import Checked, Rule
from bot.domain.orders import Leg, OrderIntent
from bot.valuation import Unvalued
from risk.exposure import Band
from risk.scene import CLOSES_ONLY, Ordered, Scene
from risk.wings import is_roll

LEANS_BACK = frozenset({"inside", "nearer"})
"""The only ways in which the roll of a wing may end."""


class _UnknownDelta(Exception):  # noqa: N818 - leaves a sum of unknowns; never leaves this module
    pass


@dataclass(frozen=True, slots=True)
class Neutrality:
    """Fails when a step leaves the band by none of M10's rules, with orders on their way filled or not.

    The last of the rules looks at the overlay's own delta alone: an order for the base leaves that as it is, and what
    bounds the base is its target and the cost cap.

    All figures in USD per +1 % SPX. An order that only closes passes: what remains of the delta is the condors', and
    a hedge must never be trapped by it. The plan's end is judged as well as the step itself. The roll of a wing is
    there to bring the book back, and must end inside the band or strictly nearer to it. Of what is on its way the
    subsets that take the delta farthest are judged, none and all of it among them.

    Source: docs/methodology.md, M10.

    Control: C31, M10.
    Standard: RTS 6 17(4); methodology M10.
    Unit: USD per +1 % SPX.
    Limits: neutrality_band_frac, neutrality_step_frac, neutrality_de_minimis_frac.
    """

    rule: Rule = Rule.NEUTRALITY

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Judge the step and the end of its plan."""
        band = band_of(scene)
        if scene.closes_only(intent):
            return Checked.holds(
                rule=self.rule, passed=True, found=CLOSES_ONLY, limit=band.half_width, note=CLOSES_ONLY
            )
        try:
            return self._judged(intent, scene, band)
        except _UnknownDelta as unknown:
            return Checked.failed(rule=self.rule, note=f"the delta is unknown: {unknown}")

    def _judged(self, intent: OrderIntent, scene: Scene, band: Band) -> Checked:
        held, overlay = _held_deltas(scene)
        step = _moved((intent, intent.quantity), scene)
        ends = [(step, True)]
        if scene.later:
            ends = [
                (step, False),
                (_all_of([step, *_moves([(one, one.quantity) for one in scene.later], scene)]), True),
            ]
        worst, notes = 0.0, set[str]()
        for on_the_way in _worst_of(scene.pending(), scene):
            before = held + on_the_way.book
            for moved, is_last in ends:
                after = before + moved.book
                own = overlay + on_the_way.overlay + moved.overlay
                if not math.isfinite(after + own + band.half_width):
                    return Checked.failed(rule=self.rule, note="the delta is not finite")
                allowed = band.allows(before=before, after=after, overlay_after=own, is_last_step=is_last)
                notes.add(allowed if allowed in LEANS_BACK or not is_roll(intent) else "")
                worst = after if abs(after) > abs(worst) else worst
        passed = "" not in notes
        return Checked(
            rule=self.rule,
            passed=passed,
            found=round(worst, 2),
            limit=round(band.half_width, 2),
            headroom=round(band.half_width - abs(worst), 2),
            note="; ".join(sorted(notes)) if passed else "outside the band",
            size_can_cure=True,
        )


def band_of(scene: Scene) -> Band:
    """Return the band of the condors that are held."""
    return scene.once(_band)


def _band(scene: Scene) -> Band:
    limits = scene.limits
    return Band(
        half_width=band_half_width_usd(scene.snapshot.book.cohorts, limits.neutrality_band_frac),
        step_frac=limits.neutrality_step_frac,
        de_minimis_frac=limits.neutrality_de_minimis_frac,
    )


def farthest_deltas(scene: Scene) -> tuple[float, float] | Unvalued:
    """Return the delta of the book and of the overlay alone, each the farthest that what is on its way may take it.

    USD per +1 % SPX, signed; or why they are unknown.
    """
    try:
        held, overlay = _held_deltas(scene)
        ways = _worst_of(scene.pending(), scene)
        books = [held + way.book for way in ways]
        owns = [overlay + way.overlay for way in ways]
    except _UnknownDelta as unknown:
        return Unvalued(reason=str(unknown))
    return max(books, key=abs), max(owns, key=abs)


def _held_deltas(scene: Scene) -> tuple[float, float]:
    """Delta of all that is held, and of the overlay's lots."""
    return _known(scene.once(_book_delta)), _known(scene.once(_overlay_delta))


def _book_delta(scene: Scene) -> float | Unvalued:
    return book_delta(scene.snapshot.book.positions, scene.valuer)


def _overlay_delta(scene: Scene) -> float | Unvalued:
    return overlay_delta(scene.snapshot.book.lots, scene.valuer)


class _Moved(NamedTuple):
    """By how much orders move the delta of the book, and the overlay's own: what is for the base moves only the one."""

    book: float
    overlay: float


NOTHING: Final = _Moved(0.0, 0.0)


def _worst_of(pending: Sequence[Ordered], scene: Scene) -> Sequence[_Moved]:
    """None and all of what is on its way, and between them what lifts and what lowers the delta alone.

    Where a purchase and a sale are both on their way the farthest that the book may get is with one of them filled.
    """
    if not pending:
        return (NOTHING,)
    moves = _moves(pending, scene)
    lifting = [one for one in moves if one.book > 0.0]
    lowering = [one for one in moves if one.book < 0.0]
    ways = (moves, lifting, lowering) if lifting and lowering else (moves,)
    return (NOTHING, *map(_all_of, ways))


def _all_of(moves: Sequence[_Moved]) -> _Moved:
    return _Moved(sum([one.book for one in moves]), sum([one.overlay for one in moves]))


def _moves(orders: Sequence[Ordered], scene: Scene) -> list[_Moved]:
    return [_moved(one, scene) for one in orders]


def _moved(ordered: Ordered, scene: Scene) -> _Moved:
    intent, units = ordered
    moved = units * _unit_delta(intent, scene)
    return _Moved(moved, moved if intent.purpose.changes_overlay else 0.0)


def _unit_delta(intent: OrderIntent, scene: Scene) -> float:
    return _known(scene.kept(_delta_of, intent.legs))


def _delta_of(legs: tuple[Leg, ...], scene: Scene) -> float | Unvalued:
    return units_delta(((legs, 1),), scene.valuer)


def _known(figure: float | Unvalued) -> float:
    if isinstance(figure, Unvalued):
        raise _UnknownDelta(figure.reason)
    return figure
