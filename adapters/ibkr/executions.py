"""Execution reports to fills: what each stands for and when it happened; what corrects what, the ledger decides."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from adapters.ibkr.library import UNSET_INTEGER, Contract, Execution
from bot.domain.errors import BrokerProtocolError
from bot.domain.instrument import Instrument, Side
from bot.domain.orders import Fill, FillPart

_SIDES: Final = {"BOT": Side.BUY, "SLD": Side.SELL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One execution as it came, its contract's number beside it."""

    contract: Contract
    execution: Execution


def fill_from(report: Report, instrument: Instrument | None, part: FillPart) -> Fill:
    """Return an execution as a fill.

    Args:
        report: The execution as it came.
        instrument: Its contract, None for the net of a combo.
        part: What it stands for.

    Raises:
        BrokerProtocolError: A side or a quantity that no execution can have.
    """
    execution = report.execution
    side = _SIDES.get(execution.side)
    if side is None or not 0 < execution.shares < UNSET_INTEGER:
        raise BrokerProtocolError(
            f"execution {execution.execId}: BOT or SLD and a quantity expected, was {execution.side} {execution.shares}"
        )
    return Fill(
        exec_id=execution.execId,
        order_ref=execution.orderRef,
        perm_id=execution.permId,
        account=execution.acctNumber,
        part=part,
        instrument=instrument,
        side=side,
        quantity=math.ceil(execution.shares),  # parts of a share are the operator's own; never counted as nothing
        price=Decimal(str(execution.price)),
        at=moment_of(execution),
        filled_before=_filled_before(execution),
    )


def moment_of(execution: Execution) -> datetime:
    """Return when it happened, in UTC: the exchange's time, not that of its arrival."""
    moment: datetime = execution.time
    if moment.tzinfo is None:
        raise BrokerProtocolError(f"execution {execution.execId}: time without a zone: {moment}")
    return moment.astimezone(UTC)


def _filled_before(execution: Execution) -> int | None:
    """Units of the order that had filled before this execution, None where the report does not add up."""
    before = execution.cumQty - execution.shares
    return int(before) if before >= 0 and before == int(before) else None
