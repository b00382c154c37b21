"""The single import point of the client library: ib_async, or ib_insync where ib_async is not installed.

Everything else in `adapters.ibkr` takes library names from here, type-checked against ib_async. Only what both
libraries have in the same form is exported. Their differences (start-up requests that time out, the value of an
empty price, orders shown as cancelled after an error) are met in one place: `adapters.ibkr.tap` takes the decoded
messages before the library forms an opinion on them.
"""

try:
    from ib_async import IB, util
    from ib_async.client import Client
    from ib_async.contract import ComboLeg, Contract, ContractDetails
    from ib_async.decoder import Decoder
    from ib_async.objects import BarData, CommissionReport, Execution, ExecutionFilter, OptionChain, Position
    from ib_async.order import Order, OrderState
    from ib_async.wrapper import Wrapper

    NAME = "ib_async"
except ModuleNotFoundError as missing:
    if missing.name != "ib_async":
        raise  # ib_async is installed, and something that it needs is not: the other library would hide that
    from ib_insync import IB, util  # type: ignore[no-redef]  # same names
    from ib_insync.client import Client  # type: ignore[no-redef]  # same names
    from ib_insync.contract import ComboLeg, Contract, ContractDetails  # type: ignore[no-redef]  # same names
    from ib_insync.decoder import Decoder  # type: ignore[no-redef]  # same names
    from ib_insync.objects import BarData, CommissionReport, Execution, ExecutionFilter, OptionChain, Position  # type: ignore[no-redef]  # same names
    from ib_insync.order import Order, OrderState  # type: ignore[no-redef]  # same names
    from ib_insync.wrapper import Wrapper  # type: ignore[no-redef]  # same names

    NAME = "ib_insync"

UNSET_DOUBLE: float = util.UNSET_DOUBLE
UNSET_INTEGER: int = util.UNSET_INTEGER

__all__ = [
    "IB",
    "NAME",
    "UNSET_DOUBLE",
    "UNSET_INTEGER",
    "BarData",
    "Client",
    "ComboLeg",
    "CommissionReport",
    "Contract",
    "ContractDetails",
    "Decoder",
    "Execution",
    "ExecutionFilter",
    "OptionChain",
    "Order",
    "OrderState",
    "Position",
    "Wrapper",
]
