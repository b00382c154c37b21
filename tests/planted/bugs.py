"""Known bugs, each a small patch of one function: the state machine must find every one of them."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import bot.domain.corrections
import bot.reconcile
import bot.valuation
import risk.checks.account
import risk.checks.session_hours
import risk.checks.standing
import risk.checks.well_formed
import risk.reducing
import risk.scene
from bot.books import Books
from bot.domain.corrections import ExecutionSet, number_of
from bot.domain.decision import Checked
from bot.domain.fees import FeeSchedule, up_to_cent
from bot.domain.market import DataType
from bot.domain.mode import TradingMode
from bot.domain.orders import Cancelled, Fill
from bot.domain.ticks import TickTable
from bot.engine import Engine
from bot.execution import Execution
from bot.state import BotState
from risk.checks.hedge_cost import BookCostCap, CohortCostCap
from risk.checks.message_rate import Duplicates
from risk.checks.short_calls import ShortCalls
from risk.checks.standing import Locks, ModeAllows
from risk.cost import CostModel
from risk.gate import Gate
from risk.reducing import Reducing
from risk.scene import Scene
from tests.planted.planting import Patch, Planted, passes, replaced


def _judged_quote(change: Callable[..., dict[str, object]]) -> Callable[[Patch], None]:
    """Quotes are judged as if something in them were different."""

    def plant(patch: Patch) -> None:
        true_fault = bot.valuation.quote_fault

        def fault(quote: Any, instrument: Any, now: Any, settings: Any) -> str:
            seen = quote if quote is None else replace(quote, **change(quote, now))
            return true_fault(seen, instrument, now, settings)

        patch.setattr(bot.valuation, "quote_fault", fault)

    return plant


def _without_multiplier(self: CostModel, intent: Any, quantity: int) -> Decimal:
    return up_to_cent(max(Decimal(0), intent.limit * quantity + self.fees.of_intent(intent, quantity)))


def _cap_of_half(patch: Patch) -> None:
    true_figures = CostModel._uncharged

    def figures(self: CostModel, name: str, credit: Decimal) -> Any:
        return replace(true_figures(self, name, credit), cap_usd=credit / 2)

    patch.setattr(CostModel, "_uncharged", figures)


def _sent_again(patch: Patch) -> None:
    """What is not answered in time is sent once more."""
    true_tend = Engine.tend_orders
    true_release = Execution.release
    sent: dict[str, Any] = {}

    def release(self: Execution, approved: Any, standing: Any) -> Any:
        sent[approved.intent.intent_id] = approved
        return true_release(self, approved, standing)

    def tend(self: Engine) -> Any:
        execution = self._execution
        for order in execution.unanswered(self.state.live_orders(), self._clock.now()):
            if order.intent.intent_id in sent and execution._broker.is_open():
                execution._broker.submit(sent[order.intent.intent_id])
        return true_tend(self)

    patch.setattr(Execution, "release", release)
    patch.setattr(Engine, "tend_orders", tend)


def _written_late(patch: Patch) -> None:
    """An order leaves before its decision is on disk."""
    true_write = Engine._write

    async def write(self: Engine) -> None:
        if not self.state.deciding:
            await true_write(self)

    patch.setattr(Engine, "_write", write)


def _kill_checked_too_early(patch: Patch) -> None:
    """The flag is read before the decision is written, not in the step that sends."""
    true_objection = Execution._objection

    def objection(self: Execution, approved: Any, standing: Any, now: Any) -> str:
        found = true_objection(self, approved, standing, now)
        return "" if found in ("killed meanwhile", "mode HALT") else found

    patch.setattr(Execution, "_objection", objection)


def _doubt_is_death(self: Books, event: Any) -> bool:
    order = self.order(event.order_ref)
    if order is None or order.is_terminal:
        return False
    self._store(order.moved(Cancelled(reason="?")))
    return True


def _counted_twice(patch: Patch) -> None:
    true_fill = Books.fill

    def fill(self: Books, event: Any) -> bool:
        again = event.fill.exec_id in self._executions.told
        changed = replace(event.fill, exec_id=event.fill.exec_id + "+") if again else event.fill
        return true_fill(self, replace(event, fill=changed))

    patch.setattr(Books, "fill", fill)


def _restart_forgets_orders(patch: Patch) -> None:
    true_restore = Books.restore
    patch.setattr(Books, "restore", lambda self, event: true_restore(self, replace(event, orders=())))


def _link_loss_forgotten(patch: Patch) -> None:
    """The link broke and came back, and nothing is compared before the next order."""
    patch.setattr(BotState, "_on_link_lost", lambda _self, _event: False)
    patch.setattr(BotState, "_on_link_restored", lambda _self, _event: False)


def _error_allows(patch: Patch) -> None:
    """Whatever goes wrong in a check lets the order through; some checks go wrong."""

    def asked(check: Any, intent: Any, scene: Any) -> Checked:
        try:
            if check.rule.value.startswith("hedge_cost"):
                raise ZeroDivisionError
            found: Checked = check.check(intent, scene)
        except ArithmeticError:
            return Checked.holds(rule=check.rule, passed=True, found="", limit="")
        return found

    patch.setattr(
        Gate, "_checked", lambda self, intent, scene: tuple(asked(check, intent, scene) for check in self._checks)
    )


def _mode_forgotten(patch: Patch) -> None:
    """REDUCE_ONLY counts as NORMAL."""
    true_check = ModeAllows.check

    def check(self: ModeAllows, intent: Any, scene: Scene) -> Checked:
        loose = scene.snapshot.mode is TradingMode.REDUCE_ONLY
        seen = replace(scene, snapshot=replace(scene.snapshot, mode=TradingMode.NORMAL)) if loose else scene
        return true_check(self, intent, seen)

    patch.setattr(ModeAllows, "check", check)


def _locks_ignored(patch: Patch) -> None:
    passes(Locks)(patch)
    true_objection = Execution._objection

    def objection(self: Execution, approved: Any, standing: Any, now: Any) -> str:
        return true_objection(self, approved, replace(standing, locks={}), now)

    patch.setattr(Execution, "_objection", objection)


def _any_purchase_buys_back(patch: Patch) -> None:
    def buys_back(self: Scene, intent: Any) -> bool:
        leg = intent.legs[0]
        return len(intent.legs) == 1 and leg.side.sign == 1 and self.closes(leg, leg.ratio * intent.quantity)

    patch.setattr(Scene, "buys_back", buys_back)
    patch.setattr(Scene, "closes_only", lambda self, intent: risk.scene._only_closes(intent, self))


def _corrections_left_out(patch: Patch) -> None:
    true_take = ExecutionSet.take

    def take(self: ExecutionSet, fill: Fill) -> Any:
        return None if number_of(fill.exec_id) > 1 else true_take(self, fill)

    patch.setattr(ExecutionSet, "take", take)


def _corrections_count_as_well(patch: Patch) -> None:
    patch.setattr(bot.domain.corrections, "root_of", lambda _exec_id: "")


def _both_caps_pass(patch: Patch) -> None:
    passes(BookCostCap)(patch)
    passes(CohortCostCap)(patch)


def _sold_beyond(patch: Patch) -> None:
    patch.setattr(Scene, "layer_units", lambda _self, _intent: 10**6)
    passes(ShortCalls)(patch)


def _shape_and_cover_unchecked(patch: Patch) -> None:
    patch.setattr(risk.checks.well_formed, "_shape_fault", lambda _intent, _scene: "")
    passes(ShortCalls)(patch)


def _hours_unchecked(patch: Patch) -> None:
    patch.setattr(risk.checks.session_hours, "_session_fault", lambda _intent, _scene: "")
    patch.setattr(risk.checks.session_hours, "_broker_fault", lambda _intent, _scene: "")


BUGS = (
    Planted(
        name="multiplier forgotten in the cost",
        plant=replaced(CostModel, "worst_cost_usd", _without_multiplier),
        breaks=("I3",),
    ),
    Planted(
        name="fees left out of the cap",
        plant=replaced(FeeSchedule, "of_contract", lambda _self, _name, _kind: Decimal(0)),
        breaks=("I3",),
    ),
    Planted(name="a cap of half the credit", plant=_cap_of_half, breaks=("I3",)),
    Planted(name="both caps always pass", plant=_both_caps_pass, breaks=("I3",)),
    Planted(
        name="what is on its way costs nothing",
        plant=replaced(CostModel, "_under_way", lambda _self, _book, _today: ()),
        breaks=("I3",),
    ),
    Planted(
        name="held lots cost nothing",
        plant=replaced(CostModel, "_held", lambda _self, _lots, _today: ()),
        breaks=("I3",),
    ),
    Planted(name="a purchase counts as a buy-back", plant=_any_purchase_buys_back, breaks=("I3",)),
    Planted(name="an error in a check allows", plant=_error_allows, breaks=("I3",)),
    Planted(
        name="delayed data accepted", plant=_judged_quote(lambda _q, _n: {"data_type": DataType.LIVE}), breaks=("I6",)
    ),
    Planted(
        name="stale data accepted",
        plant=_judged_quote(lambda _q, now: {"at_ns": int(now.timestamp() * 1e9)}),
        breaks=("I6",),
    ),
    Planted(
        name="a missing bid is made up",
        plant=_judged_quote(lambda q, _n: {"bid": q.ask * 0.9 if q.bid is None and q.ask else q.bid}),
        breaks=("I6", "InvalidValueError"),
    ),
    Planted(name="sent again where no answer came", plant=_sent_again, breaks=("I1", "I22")),
    Planted(name="written after it was sent", plant=_written_late, breaks=("I2",)),
    Planted(name="the kill is checked too early", plant=_kill_checked_too_early, breaks=("I4",)),
    Planted(name="a doubtful order counts as dead", plant=replaced(Books, "doubt", _doubt_is_death), breaks=("I20",)),
    Planted(
        name="what is found nowhere is dead at once",
        plant=replaced(bot.reconcile, "_is_settled", lambda _order, _before: True),
        breaks=("I20", "I3", "I22"),
    ),
    Planted(name="a lost link is forgotten", plant=_link_loss_forgotten, breaks=("I5", "I20", "I12")),
    Planted(name="an execution counts twice", plant=_counted_twice, breaks=("I12", "I11", "InvariantError")),
    Planted(name="a restart forgets the orders", plant=_restart_forgets_orders, breaks=("I22", "I3", "I12")),
    Planted(name="REDUCE_ONLY lets everything through", plant=_mode_forgotten, breaks=("I7",)),
    Planted(
        name="REDUCE_ONLY refuses protection",
        plant=replaced(risk.checks.standing, "reducing", lambda _intent, _scene: Reducing(passed=False, why="")),
        breaks=("I7",),
    ),
    Planted(
        name="REDUCE_ONLY looks at falls alone",
        plant=replaced(risk.reducing, "is_fall_with_vix_up", lambda _scenario: True),
        breaks=("I7",),
    ),
    Planted(name="a correction is left out", plant=_corrections_left_out, breaks=("I12", "I11", "I3")),
    Planted(
        name="a correction counts as well", plant=_corrections_count_as_well, breaks=("I12", "I11", "InvariantError")
    ),
    Planted(name="locks are ignored", plant=_locks_ignored, breaks=("I20",)),
    Planted(
        name="an account that is not ready will do",
        plant=replaced(risk.checks.account, "account_fault", lambda _scene: ""),
        breaks=("I14",),
    ),
    Planted(
        name="the session has no ends",
        plant=_hours_unchecked,
        breaks=("I9",),
    ),
    Planted(
        name="more is sold than is held, and cover unchecked",
        plant=_sold_beyond,
        breaks=("I8", "I12"),
    ),
    Planted(name="any shape, and cover unchecked", plant=_shape_and_cover_unchecked, breaks=("I8",)),
    Planted(
        name="any price is on the grid",
        plant=replaced(TickTable, "is_on_tick", lambda _self, _legs, _price: True),
        breaks=("I13",),
    ),
    Planted(name="two orders in one contract", plant=passes(Duplicates), breaks=("I22",)),
)
