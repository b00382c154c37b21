"""Why the exchange does not take an order, with the broker's number for it."""

from dataclasses import dataclass
from typing import Final

CHANGE_DOES_NOT_MATCH: Final = 105
BEYOND_BAND: Final = 109
OFF_TICK: Final = 110
NO_DEFINITION: Final = 200
REJECTED: Final = 201
COMBO_INVALID: Final = 312
NO_GOOD_AFTER_FOR_COMBOS: Final = 349
NO_LEAST_QUANTITY_FOR_COMBOS: Final = 350
NO_OCA_FOR_COMBOS: Final = 356
UNSUPPORTED_TYPE: Final = 387
ORDER_MESSAGE: Final = 399
UNKNOWN_ALGO: Final = 439
MISSING_PARENT: Final = 10006
"""The broker's codes; docs/ib/hazards.md, section 2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """Why an order is not taken; ``code`` is the broker's number for it."""

    text: str
    code: int = REJECTED
