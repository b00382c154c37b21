"""Known bugs, each a small patch of one function: the state machine must find every one of them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

import adapters.journal.chain
import adapters.journal.reader
import adapters.journal.store
import bot.domain.corrections
import bot.domain.overrides
import bot.reconcile
import bot.valuation
import risk.authority
import risk.checks.account
import risk.checks.session_hours
import risk.checks.standing
import risk.checks.well_formed
import risk.gate
import risk.reducing
from adapters.journal.store import SqliteJournal
from bot.books import Books
from bot.domain.command import HalfSigned, Proof, Role
from bot.domain.corrections import ExecutionSet, number_of
from bot.domain.decision import Checked
from bot.domain.fees import FeeSchedule, up_to_cent
from bot.domain.locks import Locks as LocksHeld
from bot.domain.market import DataType
from bot.domain.mode import TradingMode
from bot.domain.orders import Cancelled, Fill
from bot.domain.restraints import Restraints
from bot.domain.ticks import TickTable
from bot.engine import Engine
from bot.execution import Execution
from bot.state import BotState
from risk.authority import Waive
from risk.checks.hedge_cost import BookCostCap, CohortCostCap
from risk.checks.message_rate import Duplicates
from risk.checks.short_calls import ShortCalls
from risk.checks.standing import Locks, ModeAllows
from risk.cost import CostModel
from risk.reducing import Reducing
from risk.scene import Scene

Patch = pytest.MonkeyPatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """One bug: what it is, how it is planted, and the invariants of which one must break."""

    name: str
    plant: Callable[[Patch], None]
    breaks: tuple[str, ...]


def _passes(rule_class: type[Any]) -> Callable[[Patch], None]:
    """A rule that lets everything through."""

    def plant(patch: Patch) -> None:
        def check(self: Any, intent: object, scene: object) -> Checked:
            del intent, scene
            return Checked.holds(rule=self.rule, passed=True, found="", limit="")

        patch.setattr(rule_class, "check", check)

    return plant


def _replaced(owner: object, name: str, value: object) -> Callable[[Patch], None]:
    """One function that does something else."""
    return lambda patch: patch.setattr(owner, name, value)


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
    true_figures = CostModel._figures

    def figures(self: CostModel, name: str, charge: Decimal, whole: Decimal, credit: Decimal) -> Any:
        return replace(true_figures(self, name, charge, whole, credit), cap_usd=credit / 2)

    patch.setattr(CostModel, "_figures", figures)


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

    patch.setattr(risk.gate, "_asked", asked)


def _mode_forgotten(patch: Patch) -> None:
    """REDUCE_ONLY counts as NORMAL."""
    true_check = ModeAllows.check

    def check(self: ModeAllows, intent: Any, scene: Scene) -> Checked:
        loose = scene.snapshot.mode is TradingMode.REDUCE_ONLY
        seen = replace(scene, snapshot=replace(scene.snapshot, mode=TradingMode.NORMAL)) if loose else scene
        return true_check(self, intent, seen)

    patch.setattr(ModeAllows, "check", check)


def _locks_ignored(patch: Patch) -> None:
    _passes(Locks)(patch)
    true_objection = Execution._objection

    def objection(self: Execution, approved: Any, standing: Any, now: Any) -> str:
        return true_objection(self, approved, replace(standing, locks={}), now)

    patch.setattr(Execution, "_objection", objection)


def _buys_back_old(self: Scene, intent: Any) -> bool:
    leg = intent.legs[0]
    return len(intent.legs) == 1 and leg.side.sign == 1 and self._closes(leg, leg.ratio * intent.quantity)


def _corrections_left_out(patch: Patch) -> None:
    true_take = ExecutionSet.take

    def take(self: ExecutionSet, fill: Fill) -> Any:
        return None if number_of(fill.exec_id) > 1 else true_take(self, fill)

    patch.setattr(ExecutionSet, "take", take)


def _corrections_count_as_well(patch: Patch) -> None:
    patch.setattr(bot.domain.corrections, "root_of", lambda _exec_id: "")


def _both_caps_pass(patch: Patch) -> None:
    _passes(BookCostCap)(patch)
    _passes(CohortCostCap)(patch)


def _sold_beyond(patch: Patch) -> None:
    patch.setattr(Scene, "layer_units", lambda _self, _intent: 10**6)
    _passes(ShortCalls)(patch)


def _shape_and_cover_unchecked(patch: Patch) -> None:
    patch.setattr(risk.checks.well_formed, "_shape_fault", lambda _intent, _scene: "")
    _passes(ShortCalls)(patch)


def _hours_unchecked(patch: Patch) -> None:
    patch.setattr(risk.checks.session_hours, "_session_fault", lambda _intent, _scene: "")
    patch.setattr(risk.checks.session_hours, "_broker_fault", lambda _intent, _scene: "")


def _sender(change: Callable[[Any], dict[str, object]]) -> Callable[[Patch], None]:
    """The sender of a command is judged as if something in it were different."""

    def plant(patch: Patch) -> None:
        true_judgement = risk.authority._about_the_sender

        def judged(command: Any, role: Role = Role.RESUME) -> Any:
            return true_judgement(replace(command, **change(command)), role)

        patch.setattr(risk.authority, "_about_the_sender", judged)

    return plant


def _moment(change: Callable[[Any, Any], dict[str, object]]) -> Callable[[Patch], None]:
    """The moment of a command is judged as if something in it were different."""

    def plant(patch: Patch) -> None:
        true_judgement = risk.authority._about_the_moment

        def judged(command: Any, situation: Any, rules: Any) -> Any:
            return true_judgement(replace(command, **change(command, situation)), situation, rules)

        patch.setattr(risk.authority, "_about_the_moment", judged)

    return plant


def _killer_may_loosen(patch: Patch) -> None:
    """Whoever may kill may loosen a limit."""
    true_judgement = risk.authority._about_the_sender
    wanted = {Role.RISK: Role.KILL}
    patch.setattr(
        risk.authority,
        "_about_the_sender",
        lambda command, role=Role.RESUME: true_judgement(command, wanted.get(role, role)),
    )


def _same_key_twice(self: HalfSigned, second: Any) -> bool:
    return (self.command.name, dict(self.command.args)) == (second.name, dict(second.args))


def _override_by_one_key(patch: Patch) -> None:
    true_need = risk.authority._needs_two
    patch.setattr(
        risk.authority, "_needs_two", lambda judgement: true_need(judgement) and not isinstance(judgement, Waive)
    )


def _anything_can_be_waived(patch: Patch) -> None:
    patch.setattr(bot.domain.overrides, "NEVER_WAIVED", frozenset())


def _chain_begins_anew(patch: Patch) -> None:
    """Each start chains to the beginning, not to the last row."""
    true_start = SqliteJournal.__init__

    def start(self: SqliteJournal, connection: Any, writer: Any) -> None:
        true_start(self, connection, writer)
        self._hash = adapters.journal.chain.GENESIS

    patch.setattr(SqliteJournal, "__init__", start)


def _payload_unchained(patch: Patch) -> None:
    true_chain = adapters.journal.store.chained
    patch.setattr(adapters.journal.store, "chained", lambda before, **row: true_chain(before, **{**row, "payload": ""}))


def _changes_forgotten(patch: Patch) -> None:
    """A start knows the limits of the last start, and not what commands have changed since."""
    true_memory = adapters.journal.reader._remember_limits

    def remember(memory: Any, facts: Any) -> None:
        if "limits" in facts:
            true_memory(memory, facts)

    patch.setattr(adapters.journal.reader, "_remember_limits", remember)


def _restart_forgets(**nothing: Any) -> Callable[[Patch], None]:
    """What a process that ended held is not taken over in full by the next one."""

    def plant(patch: Patch) -> None:
        true_restore: Any = BotState._on_restored
        patch.setattr(BotState, "_on_restored", lambda self, event: true_restore(self, replace(event, **nothing)))

    return plant


BUGS = (
    Planted(
        name="multiplier forgotten in the cost",
        plant=_replaced(CostModel, "worst_cost_usd", _without_multiplier),
        breaks=("I3",),
    ),
    Planted(
        name="fees left out of the cap",
        plant=_replaced(FeeSchedule, "of_contract", lambda _self, _name, _kind: Decimal(0)),
        breaks=("I3",),
    ),
    Planted(name="a cap of half the credit", plant=_cap_of_half, breaks=("I3",)),
    Planted(name="both caps always pass", plant=_both_caps_pass, breaks=("I3",)),
    Planted(
        name="what is on its way costs nothing",
        plant=_replaced(CostModel, "_under_way", lambda _self, _book, _today: ()),
        breaks=("I3",),
    ),
    Planted(
        name="held lots cost nothing",
        plant=_replaced(CostModel, "_held", lambda _self, _lots, _today: ()),
        breaks=("I3",),
    ),
    Planted(
        name="a purchase counts as a buy-back", plant=_replaced(Scene, "buys_back", _buys_back_old), breaks=("I3",)
    ),
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
    Planted(name="a doubtful order counts as dead", plant=_replaced(Books, "doubt", _doubt_is_death), breaks=("I20",)),
    Planted(
        name="what is found nowhere is dead at once",
        plant=_replaced(bot.reconcile, "_is_settled", lambda _order, _before: True),
        breaks=("I20", "I3", "I22"),
    ),
    Planted(name="a lost link is forgotten", plant=_link_loss_forgotten, breaks=("I5", "I20", "I12")),
    Planted(name="an execution counts twice", plant=_counted_twice, breaks=("I12", "I11")),
    Planted(name="a restart forgets the orders", plant=_restart_forgets_orders, breaks=("I22", "I3", "I12")),
    Planted(name="REDUCE_ONLY lets everything through", plant=_mode_forgotten, breaks=("I7",)),
    Planted(
        name="REDUCE_ONLY refuses protection",
        plant=_replaced(risk.checks.standing, "reducing", lambda _intent, _scene: Reducing(passed=False, why="")),
        breaks=("I7",),
    ),
    Planted(
        name="REDUCE_ONLY looks at falls alone",
        plant=_replaced(risk.reducing, "is_fall_with_vix_up", lambda _scenario: True),
        breaks=("I7",),
    ),
    Planted(name="a correction is left out", plant=_corrections_left_out, breaks=("I12", "I11", "I3")),
    Planted(
        name="a correction counts as well", plant=_corrections_count_as_well, breaks=("I12", "I11", "InvariantError")
    ),
    Planted(name="locks are ignored", plant=_locks_ignored, breaks=("I20",)),
    Planted(
        name="an account that is not ready will do",
        plant=_replaced(risk.checks.account, "_fault", lambda _scene: ""),
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
        plant=_replaced(TickTable, "is_on_tick", lambda _self, _legs, _price: True),
        breaks=("I13",),
    ),
    Planted(name="two orders in one contract", plant=_passes(Duplicates), breaks=("I22",)),
    Planted(
        name="a replayed command is taken",
        plant=_sender(lambda _c: {"seq_is_fresh": True}),
        breaks=("I21",),
    ),
    Planted(name="a retained command is taken", plant=_sender(lambda _c: {"retained": False}), breaks=("I21",)),
    Planted(name="an unsigned command is taken", plant=_sender(lambda _c: {"proof": Proof.SIGNED}), breaks=("I21",)),
    Planted(
        name="a stale epoch is taken", plant=_moment(lambda _c, at: {"kill_epoch": at.kill_epoch}), breaks=("I21",)
    ),
    Planted(
        name="a spent challenge is taken",
        plant=_moment(lambda _c, at: {"challenge": at.challenge.value}),
        breaks=("I21",),
    ),
    Planted(
        name="an old command is taken",
        plant=_moment(lambda _c, at: {"issued_at": at.host_now, "expires_at": at.host_now}),
        breaks=("I21",),
    ),
    Planted(
        name="nobody says why",
        plant=_replaced(risk.authority, "_about_the_reason", lambda _command: None),
        breaks=("I21",),
    ),
    Planted(
        name="a resume on books that differ",
        plant=_replaced(risk.authority, "_about_the_books", lambda _situation, _rules: None),
        breaks=("I21",),
    ),
    Planted(name="a killer loosens a limit", plant=_killer_may_loosen, breaks=("I21",)),
    Planted(
        name="one key counts twice", plant=_replaced(HalfSigned, "is_completed_by", _same_key_twice), breaks=("I21",)
    ),
    Planted(
        name="an override needs one key where two are asked for",
        plant=_override_by_one_key,
        breaks=("I21",),
    ),
    Planted(name="an override waives the cost cap", plant=_anything_can_be_waived, breaks=("I21", "I3", "I6")),
    Planted(
        name="a restart forgets a tightened limit",
        plant=_changes_forgotten,
        breaks=("I21",),
    ),
    Planted(name="a restart forgets the locks", plant=_restart_forgets(locks=LocksHeld()), breaks=("I21",)),
    Planted(
        name="a restart forgets what the bot asked of itself",
        plant=_restart_forgets(restraints=Restraints()),
        breaks=("I21",),
    ),
    Planted(name="a start begins the chain anew", plant=_chain_begins_anew, breaks=("I18",)),
    Planted(name="the chain leaves out what rows say", plant=_payload_unchained, breaks=("I18",)),
)
