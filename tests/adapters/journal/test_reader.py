"""What the journal remembers is what a state that lived through the same events holds."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.journal.reader import Remembered, remembered
from adapters.journal.store import Owner, open_journal
from bot.domain.decision import Approved, Checked, Rule
from bot.domain.errors import RefusedStartError
from bot.domain.events import (
    BooksReconciled,
    CancelSent,
    CommissionReported,
    Decided,
    Event,
    FillReported,
    LinkLost,
    ModeDemanded,
    OrderDoubted,
    OrderDropped,
    OrderReported,
    OrderSent,
    Released,
    Restored,
)
from bot.domain.instrument import Side
from bot.domain.layer import Layer
from bot.domain.ledger import positions_after, trade_date
from bot.domain.mode import DemandSource, TradingMode
from bot.domain.orders import (
    BrokerOrder,
    BrokerStatus,
    DecisionId,
    Fill,
    FillPart,
    IntentId,
    Order,
    OrderIntent,
    Purpose,
    Unknown,
)
from bot.domain.portfolio import Position
from bot.domain.readings import Signal, SignalState
from bot.ports import BrokerBooks, JournalRow
from bot.reconcile import OwnBooks, reconcile
from bot.records import rows_of
from bot.signals.dispersion import DispersionTracker
from bot.signals.settings import DispersionSettings
from bot.state import BotState
from tests.builders import ACCOUNT, NOVEMBER, TODAY, a_plan, a_signal, an_account, an_intent, buys, vix_call

OWNER = Owner(bot="main", profile="sim", account=ACCOUNT)
BEGIN = datetime(2026, 10, 20, 14, 0, tzinfo=UTC)
CALL = vix_call(20)
ORDERS = ("i-1", "i-2")


def approved(intent: OrderIntent, at: datetime) -> Approved:
    """An approval as the gate gives one; here it only has to be written down."""
    check = Checked(rule=Rule.ACCOUNT, passed=True, found=None, limit=None)
    maker: Any = Approved
    return maker(
        intent=intent,
        checks=(check,),
        book_version=0,
        kill_epoch=0,
        given_at=at,
        valid_until=at + timedelta(seconds=5),
    )


class Life:
    """A bot's state and its rows, event by event, as the engine keeps them."""

    def __init__(self) -> None:
        self.state = BotState(tracker=DispersionTracker(DispersionSettings()))
        self.rows: list[JournalRow] = []
        self.now = BEGIN
        self.executions = 0

    def live(self, event: Event) -> None:
        """Apply one event and write what the engine writes of it."""
        due = self.state.apply(event)
        if due or not isinstance(event, OrderReported):
            self.rows += rows_of(event, self._order_of(event))

    def _order_of(self, event: Event) -> Order | None:
        match event:
            case OrderSent() | OrderDropped() | CancelSent():
                return self.state.order(event.intent_id)
            case OrderReported():
                return self.state.order(event.report.order_ref)
            case OrderDoubted():
                return self.state.order(event.order_ref)
            case FillReported():
                return self.state.order(event.fill.order_ref)
            case CommissionReported():
                fill = next((one for one in self.state.fills() if one.exec_id == event.exec_id), None)
                return None if fill is None else self.state.order(fill.order_ref)
            case _:
                return None

    def later(self) -> datetime:
        """The next moment."""
        self.now += timedelta(seconds=1)
        return self.now

    def decide(
        self,
        intent_id: str,
        state: SignalState = SignalState.BLOWOUT,
        quantity: int = 3,
        *,
        purpose: Purpose = Purpose.OVERLAY_BUILD,
        layer: Layer = Layer.OVERLAY,
    ) -> None:
        """Approve one order."""
        at = self.later()
        intent = an_intent((buys(CALL),), quantity=quantity, intent_id=intent_id, purpose=purpose)
        intent = replace(intent, layer=layer)
        self._decided(at, a_signal(state), (approved(intent, at),))

    def turn(self, state: SignalState, peak: float = 0.5) -> None:
        """Plan without an order."""
        self._decided(self.later(), a_signal(state, peak_excess=peak), ())

    def _decided(self, at: datetime, signal: Signal, verdicts: tuple[Approved, ...]) -> None:
        decision = DecisionId(f"d-{len(self.rows)}")
        plan = a_plan()
        self.live(Decided(at=at, decision_id=decision, trigger="test", signal=signal, plan=plan, verdicts=verdicts))
        self.live(Released(at=at, decision_id=decision))

    def send(self, intent_id: str) -> None:
        """The frame was written."""
        self.live(OrderSent(at=self.later(), intent_id=IntentId(intent_id)))

    def execution(self, intent_id: str, quantity: int) -> Fill:
        """An execution of our call."""
        self.executions += 1
        return Fill(
            exec_id=f"e-{self.executions}",
            order_ref=intent_id,
            perm_id=77,
            account=ACCOUNT,
            part=FillPart.WHOLE,
            instrument=CALL,
            side=Side.BUY,
            quantity=quantity,
            price=Decimal("0.90"),
            at=self.later(),
        )

    def report(self, intent_id: str, status: BrokerStatus, filled: int = 0) -> BrokerOrder:
        """The broker's row of one order."""
        return BrokerOrder(
            order_ref=intent_id,
            perm_id=77,
            order_id=5,
            client_id=17,
            status=status,
            filled=filled,
            remaining=0,
            account=ACCOUNT,
            text="the broker's words",
        )

    def reconcile(self, books: BrokerBooks, *, settled: bool, adopted: bool = True) -> None:
        """Compare with the broker's books as the link keeper does."""
        own = OwnBooks(
            orders=self.state.live_orders(),
            fills=self.state.fills(),
            positions=tuple(self.held().values()) if adopted else None,
        )
        outcome = reconcile(own, books, now=self.now, settled_before=self.now if settled else None)
        self.live(
            BooksReconciled(
                at=self.later(),
                positions=books.positions,
                account=books.account,
                orders=outcome.orders,
                fills=outcome.missed_fills,
                commissions=outcome.commissions,
                differences=outcome.differences,
            )
        )

    def held(self) -> dict[Any, Position]:
        """What the state holds."""
        return dict(self.state.snapshot(self.now).book.positions)


def read_back(rows: Sequence[JournalRow]) -> Remembered:
    """Write rows to a fresh journal, close it, and read what it remembers."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        journal = open_journal(path, OWNER)
        journal.write(rows)
        journal.close()
        return remembered(path, BEGIN)


def as_found(order: Order) -> Order:
    """An order as it has to come back: in doubt where it may fill; what only addresses a cancel is forgotten."""
    kept = replace(order, broker_order_id=0, cancel_requested_at=None)
    return replace(kept, state=Unknown(why="found at start")) if order.may_fill else kept


def check(life: Life) -> Restored:
    """Compare what is remembered with what was lived; return the former."""
    restored = read_back(life.rows).restored
    lived = {ref: life.state.order(ref) for ref in ORDERS}
    back = {order.intent.intent_id: order for order in restored.orders}
    for ref, order in lived.items():
        assert back.get(IntentId(ref)) == (None if order is None else as_found(order))
    assert restored.fills == life.state.fills()
    again = positions_after(restored.positions or (), restored.fills)
    assert again == life.held()
    book = life.state.snapshot(life.now).book
    assert restored.frozen_base_usd_per_point == book.frozen_base_usd_per_point
    assert dict(restored.commissions) == life.state.commissions()
    return restored


STEPS = (
    *("decide", "send", "drop", "working", "rejected", "cancelled", "unclear", "doubted", "cancel", "fill", "repeat"),
    *("foreign", "commission", "lost", "reconcile", "differ", "blowout", "calm", "undefined"),
)


def step(life: Life, name: str, ref: str, quantity: int) -> None:  # noqa: PLR0912 - a table of steps
    """One thing happens, where it can."""
    order, at = life.state.order(ref), life.later()
    match name:
        case "decide" if order is None:
            life.decide(ref)
        case "send" if order is not None and type(order.state).__name__ == "Prepared":
            life.send(ref)
        case "drop" if order is not None and type(order.state).__name__ == "Prepared":
            life.live(OrderDropped(at=at, intent_id=IntentId(ref), why="book moved"))
        case "working" | "rejected" | "cancelled" | "unclear":
            status = BrokerStatus[name.upper()]
            filled = 0 if order is None else order.filled
            life.live(OrderReported(at=at, report=life.report(ref, status, filled)))
        case "doubted":
            life.live(OrderDoubted(at=at, order_ref=ref, code=100, text="slow down"))
        case "cancel" if order is not None and order.may_fill:
            life.live(CancelSent(at=at, intent_id=IntentId(ref)))
        case "fill" if order is not None and order.remaining and not order.filled > order.intent.quantity - quantity:
            life.live(FillReported(at=at, fill=life.execution(ref, quantity)))
        case "repeat" if life.state.fills():
            life.live(FillReported(at=at, fill=life.state.fills()[quantity % len(life.state.fills())]))
        case "foreign":
            life.live(FillReported(at=at, fill=life.execution("somebody", quantity)))
        case "commission" if life.state.fills():
            last = life.state.fills()[-1].exec_id
            life.live(CommissionReported(at=at, exec_id=last, commission_usd=Decimal(quantity)))
        case "lost":
            life.live(LinkLost(at=at, why="pulled"))
        case "reconcile" | "differ":
            _reconciled(life, ref, quantity, differs=name == "differ")
        case "blowout" | "calm" | "undefined":
            life.turn(SignalState(name), peak=quantity / 2)


def _reconciled(life: Life, ref: str, quantity: int, *, differs: bool) -> None:
    """The broker's books: perhaps with a fill that was missed, an order that ended, a position nobody explains."""
    order = life.state.order(ref)
    missed = ()
    if order is not None and order.remaining >= quantity:
        missed = (life.execution(ref, quantity),)
    fills = (*life.state.fills(), *missed)
    positions = positions_after(life.held().values(), missed)
    stranger = Position(instrument=vix_call(35, NOVEMBER), quantity=quantity)
    if differs:
        positions[stranger.instrument.key] = stranger
    filled = 0 if order is None else order.filled + sum(fill.quantity for fill in missed)
    status = list(BrokerStatus)[quantity % len(BrokerStatus)]
    life.reconcile(
        BrokerBooks(
            open_orders=() if quantity == 3 else (life.report(ref, status, filled),),
            completed_orders=(),
            fills=fills,
            positions=tuple(positions.values()),
            account=an_account(),
            commissions_usd={fill.exec_id: "1.25" for fill in missed},
        ),
        settled=quantity != 2,
    )


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(STEPS), st.sampled_from(ORDERS), st.integers(1, 3)), min_size=1, max_size=25
    )
)
def test_what_is_remembered_is_what_was_lived(steps: list[tuple[str, str, int]]) -> None:
    """Orders in every state, fills, positions, commissions and the frozen base, after any legal course of events."""
    life = Life()
    life.decide("i-1")
    for name, ref, quantity in steps:
        step(life, name, ref, quantity)
    check(life)


PATHS = [
    ((), "Unknown"),
    (("send",), "Unknown"),
    (("send", "working"), "Unknown"),
    (("send", "working", "fill"), "Unknown"),
    (("send", "unclear"), "Unknown"),
    (("send", "doubted"), "Unknown"),
    (("send", "doubted", "unclear"), "Unknown"),  # the broker's id became known while the order stayed in doubt
    (("send", "lost"), "Unknown"),
    (("send", "working", "cancel"), "Unknown"),
    (("drop",), "Cancelled"),
    (("send", "cancelled"), "Cancelled"),
    (("send", "cancelled", "fill"), "Cancelled"),
    (("send", "cancelled", "fill", "fill", "fill"), "Filled"),
    (("send", "rejected"), "Rejected"),
    (("send", "rejected", "fill"), "Unknown"),
    (("send", "rejected", "reconcile"), "Unknown"),  # the books show a fill of what was said to be refused
    (("send", "cancelled", "reconcile"), "Cancelled"),
    (("send", "fill", "fill", "fill"), "Filled"),
    (("fill", "fill", "fill", "doubted"), "Filled"),
]


@pytest.mark.parametrize(("steps", "state"), PATHS)
def test_an_order_comes_back_in_this_state(steps: tuple[str, ...], state: str) -> None:
    """Ended orders come back ended, all others in doubt: only the broker's books can tell."""
    life = Life()
    life.decide("i-1")
    for name in steps:
        step(life, name, "i-1", 1)
    (order,) = check(life).orders
    assert type(order.state).__name__ == state
    assert order.prepared_at == BEGIN + timedelta(seconds=1)


def test_a_crash_between_the_fill_and_its_order_row_still_counts_it() -> None:
    """The execution alone moves the order."""
    life = Life()
    life.decide("i-1")
    life.send("i-1")
    life.live(FillReported(at=life.later(), fill=life.execution("i-1", 3)))
    assert life.rows[-1].kind == "order_completed"
    (order,) = read_back(life.rows[:-1]).restored.orders
    assert (type(order.state).__name__, order.filled) == ("Filled", 3)


def test_an_unexplained_difference_is_not_adopted_by_a_restart() -> None:
    """A position that the books could not explain before the crash is still a difference after it."""
    life = Life()
    stranger = Position(instrument=CALL, quantity=4)
    books = BrokerBooks(
        open_orders=(), completed_orders=(), fills=(), positions=(stranger,), account=an_account(), commissions_usd={}
    )
    life.reconcile(replace(books, positions=()), settled=True, adopted=False)
    life.reconcile(books, settled=True)
    assert CALL.key in life.state.snapshot(life.now).book.locks
    restored = read_back(life.rows).restored
    assert restored.positions == ()


def test_a_restart_knows_when_a_position_was_found() -> None:
    """The day of the first comparison that showed it, not that of a later one: its layer hangs on it."""
    life = Life()
    books = BrokerBooks(
        open_orders=(),
        completed_orders=(),
        fills=(),
        positions=(Position(instrument=CALL, quantity=4),),
        account=an_account(),
        commissions_usd={},
    )
    life.reconcile(books, settled=True, adopted=False)
    first = trade_date(life.now)
    life.now += timedelta(days=3)
    life.reconcile(books, settled=True)
    assert trade_date(life.now) > first
    assert read_back(life.rows).restored.found_on == {CALL.key: first}


def test_a_restart_knows_the_layer_that_a_lot_was_bought_for() -> None:
    """The order is in the journal with its layer, so that the books make the same lot of its fill again."""
    life = Life()
    life.decide("i-1", purpose=Purpose.BASE_BUILD, layer=Layer.LONG)
    life.live(FillReported(at=life.later(), fill=life.execution("i-1", 3)))
    (before,) = life.state.snapshot(life.now).book.lots
    again = BotState(tracker=DispersionTracker(DispersionSettings()))
    again.apply(read_back(life.rows).restored)
    assert again.snapshot(life.now).book.lots == (before,)
    assert (before.layer, before.units_open) == (Layer.LONG, 3)


def test_a_new_journal_remembers_nothing_adopted(tmp_path: Path) -> None:
    """None and not an empty account: what is found first is for the operator to adopt."""
    open_journal(tmp_path / "journal.db", OWNER).close()
    told = remembered(tmp_path / "journal.db", BEGIN)
    assert told.restored.positions is None
    assert told.latch_mode is None


def test_the_latch_and_the_episode_come_back() -> None:
    """The last mode of the latch, whatever other sources asked for; the episode with its peak until calm ends it."""
    life = Life()

    def demand(source: DemandSource, mode: TradingMode) -> None:
        life.live(ModeDemanded(at=life.later(), source=source, mode=mode, cause="test", epoch=1))

    demand(DemandSource.LATCH, TradingMode.HALT)
    demand(DemandSource.LATCH, TradingMode.REDUCE_ONLY)
    demand(DemandSource.COMMAND_LINK, TradingMode.HALT)
    life.turn(SignalState.BLOWOUT, peak=0.4)
    life.turn(SignalState.BLOWOUT, peak=0.6)
    life.turn(SignalState.UNDEFINED)
    told = read_back(life.rows)
    assert told.latch_mode is TradingMode.REDUCE_ONLY
    episode = told.restored.episode
    assert episode is not None
    assert (episode.began_on, episode.peak_excess) == (TODAY, 0.6)
    life.turn(SignalState.CALM)
    calm = read_back(life.rows).restored
    assert (calm.episode, calm.frozen_base_usd_per_point) == (None, None)


IMPOSSIBLE: list[tuple[str, dict[str, object], str]] = [
    ("order_sent", {"intent_id": "i-9", "filled": 0, "perm_id": 0, "why": ""}, "never prepared"),
    ("order_sent", {}, "KeyError 'intent_id'"),
    ("order_prepared", {"intent": {"intent_id": "i-1"}}, "no readable OrderIntent"),
    ("order_filled", {"fill": None}, "no readable Fill"),
    ("commission_booked", {"exec_id": "e", "commission_usd": "dear"}, "cannot be understood"),
    ("books_reconciled", {"positions": {}, "differences": {}}, "positions are no list"),
    ("books_reconciled", {"positions": [], "differences": []}, "no table where one belongs"),
    ("mode_demanded", {"source": "latch", "mode": "SIDEWAYS"}, "KeyError 'SIDEWAYS'"),
]


@pytest.mark.parametrize(("kind", "facts", "why"), IMPOSSIBLE)
def test_a_row_that_describes_the_impossible_refuses_the_start(kind: str, facts: dict[str, object], why: str) -> None:
    """One line with the row, and nothing is guessed."""
    with pytest.raises(RefusedStartError, match=why) as caught:
        read_back([JournalRow(kind=kind, decision_id="", at=BEGIN, payload=facts)])
    assert "\n" not in str(caught.value)


def test_the_last_words_on_each_cohorts_credit_are_remembered(tmp_path: Path) -> None:
    """A restart tells a credit again only where it has changed since."""
    journal = open_journal(tmp_path / "journal.db", OWNER)
    for cohort, words in (("SPXW:a", "first"), ("SPXW:b", "other"), ("SPXW:a", "second")):
        facts = {"cohort": cohort, "credit_usd": Decimal(1), "words": words}
        journal.write([JournalRow(kind="credit_changed", decision_id="", at=BEGIN, payload=facts)])
    journal.close()
    assert remembered(tmp_path / "journal.db", BEGIN).restored.credits == {"SPXW:a": "second", "SPXW:b": "other"}
