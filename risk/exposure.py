"""The band in which the delta of the whole book should stay, and which steps it allows (M10)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Half the width of the neutral range, USD per +1 % SPX, positive; fractions are of this half width."""

    half_width: float
    step_frac: float
    de_minimis_frac: float

    @property
    def widest_on_the_way(self) -> float:
        """How far from zero a step may take the delta that is not the last of its plan."""
        return self.half_width * (1.0 + self.step_frac)

    @property
    def de_minimis(self) -> float:
        """Up to how far from zero the overlay's own delta does not matter."""
        return self.de_minimis_frac * self.half_width

    def allows(self, *, before: float, after: float, overlay_after: float, is_last_step: bool) -> str:
        """Return by which rule of M10 a step is allowed: inside, nearer, on the way, de minimis; empty for none.

        Args:
            before: Delta of the book without the step.
            after: Delta with it.
            overlay_after: The overlay's own delta with it.
            is_last_step: Nothing follows: half a band of grace is for steps on the way only.

        Source: docs/methodology.md, M10.
        """
        if abs(after) <= self.half_width:
            return "inside"
        if abs(after) < abs(before):
            return "nearer"
        if not is_last_step and abs(after) <= self.widest_on_the_way:
            return "on the way"
        if abs(overlay_after) <= self.de_minimis:
            return "de minimis"
        return ""
