"""Trading modes: several sources hold a demand each, and the strictest demand holds."""

from collections.abc import Iterable
from enum import IntEnum, StrEnum
from typing import Final


class TradingMode(IntEnum):
    """What may leave, ordered from loose to strict."""

    NORMAL = 0
    REDUCE_ONLY = 1
    HALT = 2


class DemandSource(StrEnum):
    """Who asks for a mode; clearing one source never lowers another's demand."""

    LATCH = "latch"
    """The one durable value: set by an operator, a boot rule or an automatic latch; loosened by signed command."""
    COMMAND_LINK = "command_link"
    """A guard's, as the next five: goes when its cause has been away for a minute and the books agree."""
    MARKET_DATA = "market_data"
    INPUTS = "inputs"
    ACCOUNT_VALUES = "account_values"
    HOST_CLOCK = "host_clock"
    MARGIN_PREVIEW = "margin_preview"
    JOURNAL = "journal"
    LOSSES = "losses"
    """The bot's own: a loss limit; until the next session day or a signed resume."""
    SLIPPAGE = "slippage"
    """The bot's own: what the day's executions paid beyond the middle; likewise."""
    REPEATS = "repeats"
    """The bot's own: one pattern executed too often; until a person with role risk resumes."""


RESTRAINTS: Final = (DemandSource.LOSSES, DemandSource.SLIPPAGE, DemandSource.REPEATS)
"""What the bot asks of itself: kept over a restart, and lifted by a signed resume."""
OF_THE_DAY: Final = (DemandSource.LOSSES, DemandSource.SLIPPAGE)
"""Of these, what ends with the next session day."""


def strictest(demands: Iterable[TradingMode]) -> TradingMode:
    """Return the strictest of the demands; NORMAL when there are none."""
    return max(demands, default=TradingMode.NORMAL)
