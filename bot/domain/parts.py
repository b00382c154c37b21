"""The three parts in which the report tells what a book earned: condors, base sleeve, overlay."""

from enum import StrEnum

from bot.domain.condors import CONDOR_CLASSES
from bot.domain.found import HEDGE_CLASSES
from bot.domain.layer import Layer
from bot.domain.orders import Purpose
from bot.domain.products import PRODUCT_SYMBOLS


class Part(StrEnum):
    """Whose profit or loss it is."""

    CONDORS = "condors"  # SPX options, those that fit no condor among them
    BASE = "base"  # of the hedge whatever is not overlay, also what the bot did not buy itself
    OVERLAY = "overlay"


def part_of_order(purpose: Purpose, layer: Layer) -> Part:
    """Return the part that an own order of this purpose trades for; ``layer`` has no meaning for a wing.

    Source: docs/methodology.md, M15.
    """
    if purpose is Purpose.WING_ROLL:
        return Part.CONDORS
    return Part.OVERLAY if layer is Layer.OVERLAY else Part.BASE


def part_of_class(trading_class: str) -> Part | None:
    """Return the part of a contract that no order of ours explains, None where it is in no part.

    Source: docs/methodology.md, M15.
    """
    if trading_class in CONDOR_CLASSES:
        return Part.CONDORS
    return Part.BASE if trading_class in HEDGE_CLASSES | PRODUCT_SYMBOLS else None
