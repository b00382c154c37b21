"""The state: what each event changes, and that executions count once whatever way they come."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import InvariantError
from bot.domain.events import (
    AccountReported,
    CandidatesListed,
    CommissionReported,
    DataFeedChanged,
    Decided,
    LinkLost,
    LinkRestored,
    ModeDemanded,
    OrderDoubted,
    OrderReported,
    SessionClosed,
    SessionOpened,
    TimerElapsed,
)
from bot.domain.found import FoundSleeve
from bot.domain.instrument import RVX, VIX, Side
from bot.domain.layer import Layer
from bot.domain.market import Quote, Tick
from bot.domain.mode import DemandSource, TradingMode
from bot.domain.orders import (
    BrokerStatus,
    Cancelled,
    DecisionId,
    Filled,
    FillPart,
    Order,
    OrderState,
    Partial,
    Prepared,
    Rejected,
    Sent,
    Unknown,
    Working,
)
from bot.domain.readings import Episode, SignalState
from bot.signals.dispersion import DispersionTracker
from bot.signals.settings import DispersionSettings
from bot.state import BotState
from tests.bot.engine_parts import (
    CALL,
    a_fill,
    a_state,
    books_agree,
    call_order,
    filled,
    held,
    order_in,
    restored,
    with_orders,
)
from tests.builders import NOON, a_plan, a_quote, a_session, a_signal, an_account, an_option, buys, ns, vix_call
from tests.fakes import a_row

OTHER = vix_call(25)


def reported(ref: str = "i-1", status: BrokerStatus = BrokerStatus.WORKING, *, done: int = 0) -> OrderReported:
    """The broker's word on an order."""
    return OrderReported(at=NOON, report=a_row(ref, status, filled=done))


def decided(state: SignalState, base: float = 100.0) -> Decided:
    """A decision without orders."""
    plan = replace(a_plan(), base_usd_per_point=base)
    return Decided(at=NOON, decision_id=DecisionId("d"), trigger="t", signal=a_signal(state), plan=plan, verdicts=())


def quantity(state: BotState) -> int:
    """How many calls are held."""
    return state.snapshot(NOON).book.quantity(CALL.key)


# market -----------------------------------------------------------------------------------------------------------


def test_quotes_and_candidates_show_in_the_snapshot_and_a_close_clears_the_quotes() -> None:
    """A quote asks for no plan, a listing does; quotes do not outlive their session."""
    state = a_state()
    assert not state.apply(a_quote(CALL, 1.0, 1.1))
    assert state.apply(CandidatesListed(at=NOON, instruments=(CALL,)))
    shown = state.snapshot(NOON)
    assert (set(shown.quotes), set(shown.universe)) == ({CALL.key}, {CALL.key})
    state.apply(SessionClosed(at=NOON, session=a_session()))
    assert dict(state.snapshot(NOON).quotes) == {}


def test_a_session_is_shown_while_it_is_open_and_the_timer_asks_for_a_plan() -> None:
    """The snapshot's session is the one that is open at its moment."""
    state, session = a_state(), a_session()
    assert state.apply(SessionOpened(at=session.opens_at, session=session, baseline=((1, 25.0, 18.0),)))
    assert state.snapshot(NOON).session == session
    assert state.snapshot(session.closes_at).session is None
    assert state.apply(TimerElapsed(at=NOON))


def test_the_previous_closes_are_the_last_levels_and_the_baseline_where_there_were_none() -> None:
    """A bot's first session takes the baseline's last row, later ones the levels of the session before."""
    state, session = a_state(), a_session()
    state.apply(SessionOpened(at=session.opens_at, session=session, baseline=((1, 24.0, 17.0), (2, 25.0, 18.0))))
    assert state.snapshot(NOON).previous_closes == {RVX.key: 25.0, VIX.key: 18.0}
    for key, level in ((VIX.key, 19.0), (RVX.key, 26.0)):
        for _ in range(2):
            state.apply(Tick(key, level, ns(NOON)))
    state.apply(SessionClosed(at=session.closes_at, session=session))
    assert state.snapshot(NOON).previous_closes == {RVX.key: 26.0, VIX.key: 19.0}


# standing ---------------------------------------------------------------------------------------------------------


def test_the_strictest_demand_holds_and_clearing_one_leaves_the_others() -> None:
    """The mode is the strictest of all sources; the epoch never falls."""
    state = a_state()
    for source, mode, epoch in (
        (DemandSource.LATCH, TradingMode.HALT, 4),
        (DemandSource.COMMAND_LINK, TradingMode.REDUCE_ONLY, 0),
    ):
        assert state.apply(ModeDemanded(at=NOON, source=source, mode=mode, cause="test", epoch=epoch))
    assert (state.mode, state.snapshot(NOON).kill_epoch) == (TradingMode.HALT, 4)
    state.apply(ModeDemanded(at=NOON, source=DemandSource.LATCH, mode=TradingMode.NORMAL, cause="test", epoch=4))
    assert state.mode is TradingMode.REDUCE_ONLY


def test_an_unusable_feed_reduces_until_its_guard_takes_that_back() -> None:
    """Market data as a whole holds a demand of its own; that it is usable again ends nothing by itself."""
    state = a_state()
    state.apply(DataFeedChanged(at=NOON, usable=False, why="10197"))
    assert state.mode is TradingMode.REDUCE_ONLY
    state.apply(DataFeedChanged(at=NOON, usable=True, why="back"))
    assert state.mode is TradingMode.REDUCE_ONLY
    back = ModeDemanded(at=NOON, source=DemandSource.MARKET_DATA, mode=TradingMode.NORMAL, cause="good for 60 s")
    state.apply(back)
    assert state.mode is TradingMode.NORMAL


def test_account_values_show_without_moving_the_version() -> None:
    """Verdicts do not depend on the account's values from second to second."""
    state = with_orders()
    version = state.book_version
    state.apply(AccountReported(at=NOON, values=an_account(123)))
    account = state.snapshot(NOON).book.account
    assert account is not None
    assert (account.net_liquidation_usd, state.book_version) == (Decimal(123), version)


# orders -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "done", "expected"),
    [
        (BrokerStatus.WORKING, 0, Working()),
        (BrokerStatus.FILLED, 3, Sent()),  # the executions complete it
        (BrokerStatus.CANCELLED, 0, Cancelled(reason="cancelled at the broker")),
        (BrokerStatus.CANCELLED, 1, Unknown(why="cancelled with 1 filled, executions show 0")),
        (BrokerStatus.REJECTED, 0, Rejected(reason="rejected by the broker")),
        (BrokerStatus.UNCLEAR, 0, Unknown(why="unclear report")),
    ],
)
def test_the_brokers_word_moves_a_sent_order(status: BrokerStatus, done: int, expected: OrderState) -> None:
    """Each status has one meaning; a cancel that hides fills is a doubt, never a cancel."""
    state = with_orders(call_order(3, Sent()))
    state.apply(reported(status=status, done=done))
    assert order_in(state).state == expected


def test_a_new_permanent_id_is_news_and_the_same_report_again_is_none() -> None:
    """The id is how the broker names the order after a restart: it must reach the journal when it first appears."""
    state = with_orders(call_order(3, Sent()))
    named = reported()
    working = replace(named, report=replace(named.report, perm_id=0))
    assert [state.apply(working) for _ in range(2)] == [True, False]
    assert [state.apply(named) for _ in range(2)] == [True, False]
    assert order_in(state).perm_id == named.report.perm_id


def test_a_terminal_order_stays_terminal_whatever_is_reported() -> None:
    """Reports and doubts about an ended or a foreign order change nothing."""
    state = with_orders(call_order(3, Cancelled(reason="x")))
    doubt = OrderDoubted(at=NOON, order_ref="i-1", code=10148, text="too late")
    for event in (reported(), doubt, reported("foreign"), replace(doubt, order_ref="foreign")):
        assert not state.apply(event)
    assert order_in(state).state == Cancelled(reason="x")


def test_an_unknown_code_puts_an_order_in_doubt() -> None:
    """A doubt names its code."""
    state = with_orders(call_order(3, Working()))
    assert state.apply(OrderDoubted(at=NOON, order_ref="i-1", code=399, text="note"))
    assert order_in(state).state == Unknown(why="code 399: note")


@pytest.mark.parametrize("before", [Prepared(), Sent(), Working(), Partial(), Unknown(why="x")])
def test_a_lost_link_leaves_every_live_order_unknown(before: OrderState) -> None:
    """Whatever might be live is in doubt from then on, and nothing is sent."""
    state = with_orders(call_order(3, before, filled=int(isinstance(before, Partial))))
    state.apply(LinkLost(at=NOON, why="cut"))
    assert order_in(state).state == Unknown(why="link lost: cut")
    assert state.reconciling
    assert order_in(state).intent.intent_id in state.snapshot(NOON).book.orders


def test_a_restored_link_is_no_agreement() -> None:
    """Only a comparison ends RECONCILING."""
    state = with_orders()
    state.apply(LinkRestored(at=NOON, why="1102"))
    assert state.reconciling
    state.apply(books_agree())
    assert not state.reconciling


# executions -------------------------------------------------------------------------------------------------------


def test_an_execution_counts_once() -> None:
    """The same id twice is one fill; the second report asks for nothing."""
    state = with_orders(call_order(3, Working()))
    assert state.apply(filled(a_fill()))
    version = state.book_version
    assert not state.apply(filled(a_fill()))
    assert (quantity(state), order_in(state).filled, state.book_version) == (1, 1, version)
    assert state.is_booked(filled(a_fill()))


def test_a_commission_counts_once_and_moves_the_version() -> None:
    """Cost is part of what verdicts are given for; a repeated commission is none."""
    state = with_orders(call_order(1, Working()))
    event = CommissionReported(at=NOON, exec_id="e-1", commission_usd=Decimal("1.25"))
    assert not state.is_booked(event)
    before = state.book_version
    state.apply(event)
    assert (state.book_version, state.is_booked(event)) == (before + 1, True)
    state.apply(event)
    assert state.book_version == before + 1


def test_late_fills_of_a_cancelled_order_are_booked() -> None:
    """A part leaves it cancelled, all of it makes it filled; the position follows both times."""
    state = with_orders(call_order(2, Working()))
    state.apply(reported(status=BrokerStatus.CANCELLED))
    state.apply(filled(a_fill("e-1")))
    assert (order_in(state).state, order_in(state).filled, quantity(state)) == (
        Cancelled(reason="cancelled at the broker"),
        1,
        1,
    )
    state.apply(filled(a_fill("e-2")))
    assert (order_in(state).state, quantity(state)) == (Filled(), 2)


def test_the_missing_executions_end_the_doubt_of_a_cancel() -> None:
    """Cancelled with one of three filled: in doubt until that execution comes."""
    state = with_orders(call_order(3, Working()))
    state.apply(reported(status=BrokerStatus.CANCELLED, done=1))
    state.apply(filled(a_fill()))
    state.apply(reported(status=BrokerStatus.CANCELLED, done=1))
    assert (order_in(state).state, order_in(state).filled) == (Cancelled(reason="cancelled at the broker"), 1)


def test_more_filled_than_ordered_raises() -> None:
    """That cannot be: the bot halts."""
    state = with_orders(call_order(1, Working()))
    with pytest.raises(InvariantError, match="2 filled of 1 ordered"):
        state.apply(filled(a_fill(quantity=2)))


def test_legs_move_positions_and_the_combo_moves_the_order() -> None:
    """A leg's execution leaves the order alone, the net's the position."""
    state = with_orders(call_order(1, Working()))
    state.apply(filled(a_fill("leg", part=FillPart.LEG)))
    assert (quantity(state), order_in(state).state) == (1, Working())
    state.apply(filled(a_fill("net", part=FillPart.COMBO)))
    assert (quantity(state), order_in(state).state) == (1, Filled())


@pytest.mark.control("C34")
def test_a_foreign_fill_locks_a_sleeve_contract_and_books_a_condor() -> None:
    """The operator's condors are his; a contract of the sleeve that others trade is locked, and stays so."""
    state = with_orders()
    condor_leg = an_option(6500, trading_class="SPXW")
    state.apply(filled(a_fill("e-1", "manual", instrument=condor_leg)))
    state.apply(filled(a_fill("e-2", "manual")))
    assert dict(state.snapshot(NOON).book.locks) == {CALL.key: "foreign fill e-2"}
    state.apply(books_agree([held(), held(condor_leg)]))
    assert CALL.key in state.snapshot(NOON).book.locks


@given(st.permutations(range(6)), st.lists(st.integers(0, 5), max_size=8), st.integers(0, 6))
def test_any_order_and_repetition_of_the_same_fills_gives_the_same_book(
    order: list[int], again: list[int], cancel_after: int
) -> None:
    """The ledger is a function of the set of executions, replays and a cancel in between included."""
    fills = [a_fill(f"e-{n}", f"i-{n % 2}", at=NOON + timedelta(seconds=n)) for n in range(6)]
    orders = (call_order(3, Working(), "i-0"), call_order(3, Working(), "i-1"))

    def book_of(numbers: Sequence[int], *, cancel_at: int = -1) -> tuple[object, ...]:
        state = with_orders(*orders)
        for position, number in enumerate(numbers):
            if position == cancel_at:
                state.apply(reported("i-0", BrokerStatus.CANCELLED))
            state.apply(filled(fills[number]))
        book = state.snapshot(NOON).book
        ended = [(order_in(state, ref).state, order_in(state, ref).filled) for ref in ("i-0", "i-1")]
        return (dict(book.positions), book.lots, ended)

    assert book_of([*order, *again], cancel_at=cancel_after) == book_of(range(6))


# comparison -------------------------------------------------------------------------------------------------------


def test_what_is_found_at_the_first_comparison_is_adopted() -> None:
    """A new journal takes the broker's positions as they are, and locks nothing traded before."""
    state = a_state()
    state.apply(restored(positions=None))
    state.apply(books_agree([held(quantity=4)], fills=(a_fill("e-0", "manual", quantity=4),)))
    assert quantity(state) == 4
    assert dict(state.snapshot(NOON).book.locks) == {}


def test_a_found_position_keeps_the_layer_of_its_first_comparison() -> None:
    """Found 75 days before settlement it is medium, also ten days later; what is found then is short."""
    sleeve = FoundSleeve(stated=(), layer_of=lambda days: Layer.SHORT if days <= 70 else Layer.MEDIUM)
    state = BotState(tracker=DispersionTracker(DispersionSettings()), sleeve=sleeve)
    settlement = NOON.date() + timedelta(days=75)
    early, late = (replace(held(vix_call(strike, settlement)), average_cost_usd=Decimal(150)) for strike in (20, 21))
    state.apply(restored(positions=None))
    state.apply(books_agree([early]))
    later = NOON + timedelta(days=10)
    state.apply(books_agree([early, late], at=later))
    layers = {lot.legs[0].instrument.key: lot.layer for lot in state.snapshot(later).book.lots}
    assert layers == {early.instrument.key: Layer.MEDIUM, late.instrument.key: Layer.SHORT}


def test_a_missed_foreign_fill_locks_like_one_that_was_heard() -> None:
    """The way in which a foreign trade in a sleeve contract becomes known makes no difference."""
    state = with_orders()
    state.apply(books_agree([held()], fills=(a_fill("e-0", "manual"),)))
    assert dict(state.snapshot(NOON).book.locks) == {CALL.key: "foreign fill e-0"}


@pytest.mark.control("C28")
def test_a_difference_locks_does_not_adopt_and_ends_when_the_books_agree_twice() -> None:
    """Ours stays ours while the broker says something else without an execution; two agreements end the lock."""
    state = with_orders(positions=[held(quantity=2)])
    why = {CALL.key: "books say 2, the broker says 5", OTHER.key: "books say 0, the broker says 1"}
    state.apply(books_agree([held(quantity=5), held(OTHER)], differences=why))
    book = state.snapshot(NOON).book
    assert (book.quantity(CALL.key), book.quantity(OTHER.key), dict(book.locks)) == (2, 0, why)
    for seconds, locked in ((0, True), (9, True), (10, False)):
        state.apply(books_agree([held(quantity=2)], at=NOON + timedelta(seconds=seconds)))
        assert (quantity(state), bool(state.snapshot(NOON).book.locks)) == (2, locked)


def test_a_missed_fill_is_booked_and_may_complete_a_cancelled_order() -> None:
    """The comparison brings what the link had lost."""
    state = with_orders(call_order(1, Cancelled(reason="x")))
    state.apply(books_agree([held()], fills=(a_fill(),), commissions={"e-1": Decimal("0.7")}))
    assert (order_in(state).state, quantity(state)) == (Filled(), 1)
    state.apply(books_agree([held()], fills=(a_fill(),)))
    assert quantity(state) == 1


def test_what_the_journal_remembers_is_the_book_again() -> None:
    """Orders, fills, positions, frozen base and episode come back; nothing is reconciled."""
    state = a_state()
    memory = restored(call_order(3, filled=1), fills=[a_fill()], positions=[held(OTHER)])
    episode = Episode(began_on=a_session().day, peak_excess=0.4)
    state.apply(replace(memory, frozen_base_usd_per_point=77.0, episode=episode))
    book = state.snapshot(NOON).book
    assert (quantity(state), book.quantity(OTHER.key), book.frozen_base_usd_per_point) == (1, 1, 77.0)
    assert state.snapshot(NOON).dispersion.episode == episode
    assert state.reconciling


# decisions --------------------------------------------------------------------------------------------------------


def test_the_base_is_frozen_from_blowout_to_calm() -> None:
    """The first blown-out plan freezes it, UNDEFINED keeps it, CALM lets it go; a base of zero freezes nothing."""
    state = a_state()
    frozen = []
    for signal, base in (
        (SignalState.BLOWOUT, 0.0),
        (SignalState.BLOWOUT, 100.0),
        (SignalState.BLOWOUT, 80.0),
        (SignalState.UNDEFINED, 60.0),
        (SignalState.CALM, 50.0),
    ):
        state.apply(decided(signal, base))
        frozen.append(state.snapshot(NOON).book.frozen_base_usd_per_point)
    assert frozen == [None, 100.0, 100.0, 100.0, None]


def test_a_new_day_counts_its_orders_anew() -> None:
    """Without any other change, midnight in New York still ends the day's count."""
    state = with_orders(call_order(1, Working(), sent_at=NOON))
    tomorrow = NOON + timedelta(days=1)
    assert state.snapshot(NOON).book.orders_sent_today == 1
    assert state.snapshot(tomorrow).book.orders_sent_today == 0


def test_a_short_position_and_a_sale_end_flat() -> None:
    """Sides have signs."""
    state = with_orders(call_order(1, Working()), positions=[held(quantity=1)])
    sale = Order(intent=replace(call_order(1).intent, legs=(buys(CALL),)), state=Working(), prepared_at=NOON)
    assert sale.remaining == 1
    state.apply(filled(a_fill(side=Side.SELL)))
    assert CALL.key not in state.snapshot(NOON).book.positions


def test_a_quote_keeps_only_the_newest() -> None:
    """One quote per contract."""
    state = a_state()
    state.apply(a_quote(CALL, 1.0, 1.1))
    state.apply(a_quote(CALL, 2.0, 2.1))
    quote: Quote = state.snapshot(NOON).quotes[CALL.key]
    assert quote.bid == 2.0
