"""Where a hedge belongs: one of the three layers of the base sleeve, or the overlay."""

from enum import StrEnum


class Layer(StrEnum):
    """Where a hedge lot belongs; the dispersion overlay sits in the short layer but is kept apart."""

    SHORT = "short"
    MEDIUM = "medium"
    LONG = "long"
    OVERLAY = "overlay"
