"""Trading modes: several sources hold a demand each, and the strictest demand holds."""

from collections.abc import Iterable
from enum import IntEnum, StrEnum


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
    MARKET_DATA = "market_data"
    ACCOUNT_VALUES = "account_values"
    HOST_CLOCK = "host_clock"
    JOURNAL = "journal"


def strictest(demands: Iterable[TradingMode]) -> TradingMode:
    """Return the strictest of the demands; NORMAL when there are none."""
    return max(demands, default=TradingMode.NORMAL)
