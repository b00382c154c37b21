"""Where a hedge belongs: one of the three layers of the base sleeve, or the overlay."""

from enum import StrEnum
from typing import Final


class Layer(StrEnum):
    """Where a hedge lot belongs; the dispersion overlay sits in the short layer but is kept apart."""

    SHORT = "short"
    MEDIUM = "medium"
    LONG = "long"
    OVERLAY = "overlay"


BASE_LAYERS: Final = (Layer.SHORT, Layer.MEDIUM, Layer.LONG)
"""The base sleeve, the nearest first (M4)."""
