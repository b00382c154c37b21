"""What may become looser and what may not (I21), in rules of its own: it judges by what the world knows to be good.

How it works: after each step the latch, the bot's own restraints, every limit and every lock are compared with what
they were after the step before. Whatever is looser must be covered by a leave, which the world gives in the step in
which it drew a command that it made good in everything, with two keys where two are asked for. A restart has no leave.
Nothing here uses `risk`; the directions of the limits are written down by hand.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from adapters.journal.store import WrittenRow
from bot.domain.decision import Approved
from bot.domain.locks import Locks
from bot.domain.mode import DemandSource, TradingMode
from bot.domain.orders import OrderIntent
from bot.domain.restraints import Restraints
from tests.machine.venue import BrokenLedgerError

MORE_IS_LOOSER = frozenset(
    {
        *("max_hedge_cost_frac", "neutrality_band_frac", "neutrality_de_minimis_frac", "neutrality_step_frac"),
        *("max_mean_reversion_loss_frac", "max_worst_loss_frac", "max_margin_frac", "max_gross_leverage"),
        *("max_day_loss_frac", "max_week_loss_frac", "max_drawdown_frac", "max_options_per_settlement", "max_options"),
        *("max_futures_per_settlement", "max_futures", "max_instruments", "max_vega_frac", "max_vix_delta_frac"),
        *("max_day_slippage_frac", "max_repeats_per_day", "max_wing_rise_frac", "max_loss_rise_frac"),
        *("straddle_reach_frac", "collar_frac", "future_collar_frac", "collar_ticks", "max_contracts_per_leg"),
        *("max_shares_per_order", "max_order_value_usd", "max_displayed_frac", "max_open_interest_frac"),
        *("max_orders_per_day", "closing_orders_reserve", "max_working_orders", "verdict_lifetime_s"),
        *("permit_vxx_shares", "permitted_classes", "permitted_exchanges", "accounts"),
    }
)
LESS_IS_LOOSER = frozenset(
    {
        *("future_margin_frac", "break_even_moves", "session_edge_minutes", "last_trade_cutoff_minutes"),
        "expiry_guard_sessions",
    }
)
SPREAD_OVER_TIME = "straight_line"
"""Looser than no spreading: a cost binds less at once."""
MAY_BE_WAIVED = frozenset(
    {
        *("session_hours", "price_collar", "day_slippage", "order_size", "wing_limits", "neutrality"),
        *("mean_reversion_loss", "worst_loss", "margin_use", "gross_leverage", "contracts_per_settlement"),
        *("contracts_in_all", "instruments", "vega", "vix_delta", "day_loss", "week_loss", "drawdown", "break_evens"),
        *("repeats", "daily_orders", "working_orders"),
    }
)
"""Docs/risk-controls.md, C15: what a signature may let an order pass."""
Rows = Sequence[WrittenRow]
OVERRIDE_LIFE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Leave:
    """What one good command may loosen; ``about`` is a mode, a limit's name, a lock, a proposal or an order."""

    kind: str
    about: str
    detail: object = None  # a limit's new value, the rules of an override
    carries_risk: bool = False  # by a key that answers for the risk of a strategy


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that may be tight or loose, at one moment."""

    latch: TradingMode
    demanded: TradingMode  # what the engine takes the latch to say
    restraints: Restraints
    locks: Locks
    limits: Mapping[str, Any]


@dataclass(slots=True)
class Strictness:
    """The judge of I21: remembers the last picture, and what was signed for."""

    last: Picture | None = None
    leaves: list[Leave] = field(default_factory=list)  # of this step
    compared: bool = False  # the books were, in this step: what locked because they differed may end
    overrides: dict[str, tuple[frozenset[str], datetime]] = field(default_factory=dict)
    approvals: dict[str, datetime] = field(default_factory=dict)
    granted: int = 0

    def give(self, leave: Leave, now: datetime) -> None:
        """A good command was drawn: this may become looser in this step."""
        self.leaves.append(leave)
        self.granted += 1
        if leave.kind == "override":
            rules = frozenset(str(rule) for rule in leave.detail)  # type: ignore[attr-defined]  # rules of an order
            known, _ = self.overrides.get(leave.about, (frozenset(), now))  # one that waits is not replaced by the next
            self.overrides[leave.about] = (rules | known, now)
        if leave.kind == "approve":
            self.approvals[leave.about] = now

    def after_step(self, now: Picture, rows: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Compare with the picture before; ``rows`` are what the journal got new, with their facts."""
        for kind, facts in rows:
            if kind == "override_granted":
                name = str(facts["intent"]["intent_id"])
                _require(self._leave("override", name) is not None, f"an override of {name} without leave")
            if kind == "proposal_approved":
                name = str(facts["proposal_id"])
                _require(self._leave("approve", name) is not None, f"proposal {name} was approved without leave")
        if self.last is not None:
            self._modes(self.last, now)
            self._limits(self.last.limits, now.limits)
            self._locks(self.last.locks, now.locks)
        self.last, self.leaves, self.compared = now, [], False

    def before_send(self, approved: Approved, now: datetime) -> None:
        """A frame leaves: what it was let pass must have been signed for, by name, and may be waived at all."""
        waived = {check.rule.value for check in approved.checks if not check.passed}
        if waived:
            rules, since = self.overrides.get(approved.intent.intent_id, (frozenset(), now))
            _require(waived <= rules & MAY_BE_WAIVED, f"{approved.intent.intent_id} passed {sorted(waived)}")
            _require(now - since <= OVERRIDE_LIFE, "an override was used when its time was over")

    def require_yes(self, intent: OrderIntent, legs: list[tuple[str, int]], now: datetime, written: Rows) -> None:
        """An order that a person is asked about was asked for in these contracts, and somebody may have said yes."""
        if intent.intent_id in self.overrides:
            return  # a person has signed for this very order
        for row in written:
            if row.kind == "proposal_made":
                proposal = json.loads(row.payload)["proposal"]
                stands = proposal["proposal_id"] in self.approvals and now < datetime.fromisoformat(
                    proposal["expires_at"]
                )
                for one in proposal["orders"] if stands else ():
                    same = one["purpose"] == intent.purpose.value and sorted(map(tuple, one["legs"])) == legs
                    if same and intent.quantity <= one["quantity"]:
                        return
        _require(False, f"{intent.intent_id} ({intent.purpose}) left without a yes")

    def _modes(self, before: Picture, now: Picture) -> None:
        targets = [TradingMode[leave.about] for leave in self.leaves if leave.kind == "resume"]
        least = min(targets, default=TradingMode.HALT)
        for name in ("latch", "demanded"):
            was, is_ = getattr(before, name), getattr(now, name)
            _require(is_ >= min(was, least), f"the {name} mode fell from {was.name} to {is_.name}")
        for held in before.restraints.held:
            mode = TradingMode.NORMAL if (kept := now.restraints.of(held.source)) is None else kept.mode
            with_risk = [TradingMode[leave.about] for leave in self.leaves if leave.carries_risk]
            may = min(with_risk, default=TradingMode.HALT) if held.source is DemandSource.REPEATS else least
            _require(mode >= held.mode or may < held.mode, f"what {held.source} asked for is gone")

    def _limits(self, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
        for name, was in before.items():
            if is_looser(name, was, now[name]):
                values = [leave.detail for leave in self.leaves if (leave.kind, leave.about) == ("limit", name)]
                _require(now[name] in values, f"limit {name} was loosened from {was} to {now[name]}")

    def _locks(self, before: Locks, now: Locks) -> None:
        for lock in before.held:
            left = now.of(lock.name)
            lifted = self._leave("unlock", lock.name) is not None
            ended = lifted or (self.compared and not lock.latched)
            _require(left is not None or ended, f"the lock of {lock.name} is gone")
            latched = left is None or left.latched or not lock.latched or lifted
            _require(latched, f"the lock of {lock.name} is not latched any more")

    def _leave(self, kind: str, about: str) -> Leave | None:
        return next((leave for leave in self.leaves if (leave.kind, leave.about) == (kind, about)), None)


def is_looser(name: str, was: Any, now: Any) -> bool:
    """Return whether a limit allows more than it did."""
    if was == now:
        return False
    if name == "amortise":
        return str(now) == SPREAD_OVER_TIME
    if isinstance(was, frozenset):
        return not now <= was
    more = Decimal(str(int(now) if isinstance(now, bool) else now)) > Decimal(
        str(int(was) if isinstance(was, bool) else was)
    )
    _require(name in MORE_IS_LOOSER | LESS_IS_LOOSER, f"nobody has said in which direction {name} is looser")
    return more if name in MORE_IS_LOOSER else not more


def _require(holds: bool, what: str) -> None:  # noqa: FBT001 - the claim itself
    if not holds:
        raise BrokenLedgerError(f"I21: {what}")
