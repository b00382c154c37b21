"""Execution reports to fills: what each stands for, when it happened, and which ones correct another."""

import logging
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from adapters.ibkr.contracts import BAG
from adapters.ibkr.library import UNSET_INTEGER, Contract, Execution
from bot.domain.errors import BrokerProtocolError
from bot.domain.instrument import Instrument, Side
from bot.domain.orders import Fill, FillPart

_SIDES: Final = {"BOT": Side.BUY, "SLD": Side.SELL}
_PLAIN_SEGMENTS: Final = 4
"""``xxxxxxxx.xxxxxxxx.nn.nn``; a fifth segment tells apart genuine fills inside a combo."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One execution as it came, its contract's number beside it."""

    contract: Contract
    execution: Execution

    @property
    def exec_id(self) -> str:
        """The broker's id of it."""
        return self.execution.execId


class ExecutionLog:
    """The executions seen; finds corrections and tells combos from single contracts."""

    def __init__(self) -> None:
        """Start empty."""
        self._counted_as: dict[str, str] = {}
        self._latest: dict[str, Report] = {}
        self._combos: set[int] = set()

    def take(self, report: Report) -> str:
        """Keep a report; return the id under which it counts.

        A correction counts under the id of what it corrects: a ledger that has that id books nothing twice, one that
        has not books the corrected figures. The same report twice is told twice; the ledger knows it by its id.
        """
        if report.contract.secType == BAG:
            self._combos.add(report.execution.permId)
        counted = self._counted_as.get(report.exec_id)
        if counted is not None:
            return counted
        counted = next((each for each, known in self._latest.items() if _corrects(report, known)), report.exec_id)
        if counted != report.exec_id:
            _log.error("execution %s is corrected by %s: compare the books", counted, report.exec_id)
        self._counted_as[report.exec_id] = counted
        self._latest[counted] = report
        return counted

    def counted_as(self, exec_id: str) -> str:
        """Return the id under which an execution counts, its own when it is not known."""
        return self._counted_as.get(exec_id, exec_id)

    def is_combo(self, perm_id: int) -> bool:
        """Return whether an order is a combo by what was seen of it."""
        return perm_id in self._combos

    def combo_seen(self, perm_id: int) -> None:
        """Keep that an order is a combo."""
        self._combos.add(perm_id)

    def forget_before(self, moment: datetime) -> None:
        """Drop what happened before a moment: the broker repeats the present day only."""
        self._latest = {key: one for key, one in self._latest.items() if moment_of(one.execution) >= moment}
        self._counted_as = {key: one for key, one in self._counted_as.items() if one in self._latest}


def _corrects(later: Report, earlier: Report) -> bool:
    same_contract = (later.contract.conId, later.contract.secType) == (earlier.contract.conId, earlier.contract.secType)
    return corrects(later.execution, earlier.execution, same_contract=same_contract)


def corrects(later: Execution, earlier: Execution, *, same_contract: bool) -> bool:
    """Return whether an execution replaces another instead of adding to it.

    The id differs after the last dot only and has four segments, contract, side and order are the same, and both
    start at the same cumulative quantity. Anything less certain counts as a fill of its own, and the comparison of
    positions decides (docs/ib/hazards.md, section 5).
    """
    root, _, number = later.execId.rpartition(".")
    earlier_root, _, earlier_number = earlier.execId.rpartition(".")
    return (
        same_contract
        and root == earlier_root
        and number > earlier_number
        and later.execId.count(".") == _PLAIN_SEGMENTS - 1
        and (later.side, later.permId) == (earlier.side, earlier.permId)
        and later.cumQty - later.shares == earlier.cumQty - earlier.shares
    )


def fill_from(report: Report, instrument: Instrument | None, part: FillPart, exec_id: str) -> Fill:
    """Return an execution as a fill.

    Args:
        report: The execution as it came.
        instrument: Its contract, None for the net of a combo.
        part: What it stands for.
        exec_id: The id under which it counts.

    Raises:
        BrokerProtocolError: A side or a quantity that no execution can have.
    """
    execution = report.execution
    side = _SIDES.get(execution.side)
    if side is None or not 0 < execution.shares < UNSET_INTEGER:
        raise BrokerProtocolError(
            f"execution {exec_id}: BOT or SLD and a quantity expected, was {execution.side} {execution.shares}"
        )
    return Fill(
        exec_id=exec_id,
        order_ref=execution.orderRef,
        perm_id=execution.permId,
        account=execution.acctNumber,
        part=part,
        instrument=instrument,
        side=side,
        quantity=math.ceil(execution.shares),  # parts of a share are the operator's own; never counted as nothing
        price=Decimal(str(execution.price)),
        at=moment_of(execution),
    )


def moment_of(execution: Execution) -> datetime:
    """Return when it happened, in UTC: the exchange's time, not that of its arrival."""
    moment: datetime = execution.time
    if moment.tzinfo is None:
        raise BrokerProtocolError(f"execution {execution.execId}: time without a zone: {moment}")
    return moment.astimezone(UTC)
