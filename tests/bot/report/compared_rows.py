"""Journal rows of a small book for tests of the comparison: condors, a base call, overlay calls, a future."""

from datetime import date, datetime, time, timedelta
from typing import Any

from bot.domain.instrument import Instrument
from bot.domain.schedule import NEW_YORK
from bot.report.evidence.results import Results
from bot.report.story import Told
from tests.builders import a_future, an_option, vix_call

CONDOR = an_option(6400, date(2026, 12, 4), trading_class="SPXW")
BASE_CALL, OVERLAY_CALL, FUTURE = vix_call(20), vix_call(22), a_future("VX")
MONDAY = date(2026, 10, 19)
MAXIMUM_LOSS_USD = 18_000
Part = dict[Instrument, tuple[int, float | None]]
"""Contracts, and what one is worth."""


def session_day(number: int) -> date:
    """Weekdays from the Monday on, counted from 0."""
    return MONDAY + timedelta(days=7 * (number // 5) + number % 5)


class Rows:
    """Rows in their order; each call adds one."""

    def __init__(self) -> None:
        """Begin empty, on the first session."""
        self.told: list[Told] = []
        self._number = 0
        self._at = datetime.combine(MONDAY, time(10), tzinfo=NEW_YORK)

    def on(self, session: int) -> "Rows":
        """Go on at ten of a session."""
        self._at = datetime.combine(session_day(session), time(10), tzinfo=NEW_YORK)
        return self

    def add(self, kind: str, **facts: Any) -> "Rows":
        """Any row."""
        self._at += timedelta(seconds=1)
        self.told.append(Told(at=self._at, kind=kind, decision_id="", facts=facts))
        return self

    def sample(
        self,
        *,
        condors: Part | None = None,
        base: Part | None = None,
        overlay: Part | None = None,
        spx: float | None = 6800.0,
        account: float | None = None,
    ) -> "Rows":
        """A sample that tells what each part holds."""
        parts = {"condors": condors or {}, "base": base or {}, "overlay": overlay or {}}
        holdings = {
            part: {one.key: {"quantity": quantity, "each_usd": each} for one, (quantity, each) in held.items()}
            for part, held in parts.items()
        }
        return self.add(
            "sample_taken",
            holdings=holdings,
            spx=spx,
            net_liquidation_usd=None if account is None else str(account),
            maximum_loss_usd=str(MAXIMUM_LOSS_USD if condors else 0),
        )

    def trade(
        self,
        instrument: Instrument,
        contracts: int,
        price: str,
        *,
        fee: str | None = None,
        layer: str | None = "overlay",
        exec_id: str | None = None,
    ) -> "Rows":
        """One execution, of an own order of a layer, or of a stranger's; positive is bought."""
        self._number += 1
        ref = f"i-{self._number}"
        if layer is not None:
            purpose = "overlay_build" if layer == "overlay" else "base_build"
            intent = {"intent_id": ref, "purpose": purpose, "layer": layer, "quantity": 1, "limit": price, "legs": []}
            self.add("order_prepared", intent=intent, checks=[])
        exec_id = exec_id or f"e-{self._number}"
        side = "BUY" if contracts > 0 else "SELL"
        fill = {"exec_id": exec_id, "order_ref": ref, "part": "whole", "instrument": plain(instrument)}
        self.add("order_filled", fill={**fill, "side": side, "quantity": abs(contracts), "price": price})
        if fee is not None:
            self.add("commission_booked", exec_id=exec_id, commission_usd=fee)
        return self

    def results(self) -> Results:
        """What the reader makes of them."""
        results = Results()
        for row in self.told:
            results.take(row.at, row.kind, row.facts)
        return results


def plain(instrument: Instrument) -> dict[str, Any]:
    """A contract as the journal writes it."""
    return {
        "kind": instrument.kind.value,
        "symbol": instrument.symbol,
        "trading_class": instrument.trading_class,
        "exchange": instrument.exchange,
        "multiplier": instrument.multiplier,
        "currency": instrument.currency,
        "settlement": None if instrument.settlement is None else instrument.settlement.isoformat(),
        "last_trade": None if instrument.last_trade is None else instrument.last_trade.isoformat(),
        "strike": None if instrument.strike is None else str(instrument.strike),
        "right": None if instrument.right is None else instrument.right.value,
    }


def two_sessions() -> Rows:
    """Ten condors lose 2,000, four base calls earn 200, and two overlay calls earn 34 after six of fees.

    SPX falls by 3 % on the first session and stands on the second.
    """
    rows = Rows().sample(condors={CONDOR: (-10, 1000.0)}, base={BASE_CALL: (4, 150.0)}, account=100_000)
    rows.trade(OVERLAY_CALL, 2, "1.00", fee="3.00")
    rows.sample(
        condors={CONDOR: (-10, 950.0)}, base={BASE_CALL: (4, 160.0)}, overlay={OVERLAY_CALL: (2, 98.0)}, spx=6596.0
    )
    rows.on(1).trade(OVERLAY_CALL, -2, "1.20", fee="3.00")
    return rows.sample(condors={CONDOR: (-10, 1200.0)}, base={BASE_CALL: (4, 200.0)}, spx=6600.0, account=98_234 + 5)
