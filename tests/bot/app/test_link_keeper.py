"""The link keeper in virtual time: connect, break, compare, and what ends RECONCILING."""

from datetime import timedelta

import pytest

from bot.domain.errors import BrokerRejectedError, ClientIdInUseError, ConnectivityError
from bot.domain.events import LinkLost, LinkRestored, OrderReported, Restored, TimerElapsed
from bot.domain.orders import BrokerStatus, Cancelled, Filled, Unknown, Working
from tests.bot.app.app_parts import Bot, played
from tests.bot.engine_parts import a_fill, call_order, filled, held, order_in, restored
from tests.builders import NOON


async def up(bot: Bot) -> Bot:
    """Start the keeper and wait for the first comparison."""
    bot.start(bot.keeper.run())
    await bot.keeper.first_ready.wait()
    await bot.pass_s(0.1)
    return bot


def test_it_connects_compares_and_is_ready() -> None:
    """The first comparison adopts what is found and ends RECONCILING."""

    async def story() -> None:
        bot = Bot(adopted=False, up=False)
        bot.broker.positions = (held(quantity=3),)
        await up(bot)
        assert not bot.state.reconciling
        assert bot.state.snapshot(NOON).book.quantity(held().instrument.key) == 3
        assert bot.keeper.ready.is_set()
        await bot.end()

    played(story())


def test_failed_connects_back_off_and_alert_once() -> None:
    """Pauses double up to a minute; one line for each kind of failure, one alert after two minutes, for ever."""

    async def story() -> None:
        bot = Bot(up=False)
        bot.broker.connect_errors = [ConnectivityError("refused"), *[ClientIdInUseError("326")] * 400]
        bot.start(bot.keeper.run())
        await bot.pass_s(3600)
        kinds = bot.journal.kinds()
        assert [kinds.count(k) for k in ("connect_failed", "client_id_in_use", "link_alerted")] == [1, 1, 1]
        assert 60 <= bot.broker.connects <= 66  # 2, 4, 8, 16, 32 and then every 60 s
        assert 120 <= bot.journal.of_kind("link_alerted")[0]["without_link_s"] <= 180
        bot.broker.connect_errors.clear()
        await bot.pass_s(61)
        assert bot.keeper.ready.is_set()
        await bot.end()

    played(story())


def test_a_loss_is_mended_and_compared_before_ready() -> None:
    """After a cut: not ready, RECONCILING, reconnected, compared, ready."""

    async def story() -> None:
        bot = await up(Bot(up=False))
        bot.broker.break_link()
        assert (bot.keeper.ready.is_set(), bot.state.reconciling) == (False, True)
        await bot.pass_s(5)
        assert (bot.keeper.ready.is_set(), bot.state.reconciling, bot.broker.connects) == (True, False, 2)
        await bot.end()

    played(story())


def test_a_link_that_breaks_right_after_its_connect_is_connected_again() -> None:
    """The loss comes between connect and comparison: the keeper neither sleeps for ever nor hammers."""

    async def story() -> None:
        bot = Bot(up=False)
        bot.after_connect = [bot.broker.break_link, bot.broker.break_link]
        bot.start(bot.keeper.run())
        await bot.pass_s(30)
        assert (bot.keeper.ready.is_set(), bot.broker.connects) == (True, 3)
        await bot.end()

    played(story())


@pytest.mark.parametrize("code", ["1101", "1102"])
@pytest.mark.control("C29")
def test_each_return_of_the_line_is_compared(code: str) -> None:
    """1100 stops everything with the socket open; both returns lead to a comparison, neither to a connect."""

    async def story() -> None:
        bot = Bot(up=False)
        await up(bot)
        asked = bot.broker.asked
        bot.broker.tell(LinkLost(at=bot.clock.now(), why="1100"))
        await bot.pass_s(60)
        assert (bot.keeper.ready.is_set(), bot.state.reconciling, bot.broker.asked) == (False, True, asked)
        bot.broker.tell(LinkRestored(at=bot.clock.now(), why=code))
        await bot.pass_s(5)
        assert (bot.keeper.ready.is_set(), bot.state.reconciling, bot.broker.connects) == (True, False, 1)
        assert bot.broker.asked > asked
        await bot.end()

    played(story())


def test_a_storm_of_notices_ends_in_one_agreement() -> None:
    """Losses and returns out of pairs: the last comparison was asked after the last notice."""

    async def story() -> None:
        bot = Bot(up=False)
        await up(bot)
        asked = bot.broker.asked
        for _ in range(20):
            bot.broker.tell(LinkLost(at=bot.clock.now(), why="1100"))
            bot.broker.tell(LinkRestored(at=bot.clock.now(), why="1102"))
            await bot.pass_s(0.01)
        await bot.pass_s(30)
        assert (bot.keeper.ready.is_set(), bot.state.reconciling) == (True, False)
        assert bot.broker.asked - asked < 10
        await bot.end()

    played(story())


def test_a_book_that_moves_during_the_comparison_is_compared_again() -> None:
    """A fill while the answer is under way: the answer is thrown away, the next one counts."""

    async def story() -> None:
        bot = Bot(up=False)
        bot.with_order(call_order(1, Working()))

        def fill() -> None:
            bot.broker.fills.append(a_fill())
            bot.broker.positions = (held(),)
            bot.broker.tell(filled(a_fill()))

        bot.broker.hold_order("i-1")
        bot.broker.during_books = [fill]
        await up(bot)
        assert (bot.broker.asked, order_in(bot.state).state) == (2, Filled())
        assert dict(bot.state.snapshot(NOON).book.locks) == {}
        await bot.end()

    played(story())


def test_an_incomplete_answer_keeps_reconciling_and_is_told_sparingly() -> None:
    """No agreement without a whole answer; an hour of the same failure makes a handful of rows."""

    async def story() -> None:
        bot = Bot(up=False)
        bot.broker.books_errors = [ConnectivityError("no positions"), BrokerRejectedError("no")] * 600
        bot.start(bot.keeper.run())
        await bot.pass_s(3000)
        assert (bot.state.reconciling, bot.keeper.ready.is_set()) == (True, False)
        assert 2 <= bot.journal.kinds().count("books_incomplete") <= 8
        bot.broker.books_errors.clear()
        await bot.pass_s(10)
        assert not bot.state.reconciling
        await bot.end()

    played(story())


def test_an_order_sent_during_a_comparison_is_not_settled_by_it() -> None:
    """The answer is older than the order: it must not be said never to have arrived (and then be replaced)."""

    async def story() -> None:
        bot = Bot(up=False)
        await up(bot)
        await bot.pass_s(60)

        def send() -> None:
            bot.rig.planner.wants = 1
            bot.pump(TimerElapsed(at=bot.clock.now()))

        bot.broker.during_books = [send]
        bot.broker.on_submit = lambda approved: bot.broker.hold_order(approved.intent.intent_id) and None
        bot.keeper.request()
        await bot.pass_s(20)
        assert len(bot.rig.sent()) == 1
        assert isinstance(order_in(bot.state, bot.rig.sent()[0]).state, Working)
        await bot.end()

    played(story())


def test_a_late_acknowledgement_during_a_comparison_is_believed() -> None:
    """The books were asked before the broker knew the order; its own word came while the answer was under way."""

    async def story() -> None:
        bot = Bot(up=False)
        await up(bot)
        await bot.pass_s(60)
        bot.with_order(call_order(1, Unknown(why="late")))
        await bot.pass_s(1)

        def acknowledge() -> None:
            bot.broker.tell(OrderReported(at=bot.clock.now(), report=bot.broker.hold_order("i-1")))

        bot.broker.during_books = [acknowledge]
        bot.keeper.request()
        await bot.pass_s(10)
        assert order_in(bot.state).state == Working()
        await bot.end()

    played(story())


def test_a_lost_acknowledgement_is_found_and_a_dropped_order_settled_without_a_second_one() -> None:
    """The broker's books show the one and not the other; nothing is sent again for either."""

    async def story(*, arrived: bool) -> Bot:
        bot = Bot(up=False)
        await up(bot)
        await bot.pass_s(60)
        bot.rig.planner.wants = 1
        if arrived:
            bot.broker.on_submit = lambda approved: bot.broker.hold_order(approved.intent.intent_id) and None
        bot.pump(TimerElapsed(at=bot.clock.now()))
        await bot.pass_s(1)
        bot.rig.planner.wants = 0
        await bot.pass_s(10)
        assert bot.rig.engine.tend_orders()
        bot.keeper.request()
        await bot.pass_s(15)
        await bot.end()
        return bot

    for arrived, expected in ((True, Working()), (False, Cancelled(reason="never reached the broker"))):
        bot = played(story(arrived=arrived))
        (ref,) = bot.rig.sent()
        assert order_in(bot.state, ref).state == expected


def test_a_cut_while_an_order_works_finds_what_it_did_meanwhile() -> None:
    """UNKNOWN during the outage; the fill that happened in it is booked at the comparison."""

    async def story() -> None:
        bot = Bot(up=False)
        bot.with_order(call_order(1, Working(), sent_at=NOON))
        bot.broker.hold_order("i-1")
        await up(bot)
        bot.broker.break_link()
        assert isinstance(order_in(bot.state).state, Unknown)
        bot.broker.hold_order("i-1", BrokerStatus.FILLED, filled=1)
        bot.broker.fills, bot.broker.positions = [a_fill()], (held(),)
        await bot.pass_s(10)
        assert (order_in(bot.state).state, dict(bot.state.snapshot(NOON).book.locks)) == (Filled(), {})
        await bot.end()

    played(story())


def test_an_order_that_nothing_settles_keeps_reconciling_and_is_told_once() -> None:
    """Filled at the broker without executions, for an hour: RECONCILING, one escalation, no flood; then it resolves."""

    async def story() -> None:
        bot = Bot(up=False)
        bot.pump(_restored_in_doubt())
        bot.broker.hold_order("i-1", BrokerStatus.FILLED, filled=1)
        bot.start(bot.keeper.run())
        await bot.pass_s(119)
        assert bot.journal.kinds().count("order_escalated") == 0
        await bot.pass_s(3600)
        assert bot.state.reconciling
        (facts,) = bot.journal.of_kind("order_escalated")
        assert (facts["intent_id"], facts["why"]) == ("i-1", "filled at the broker, executions are missing")
        assert len(bot.journal.rows) < 10
        bot.broker.fills, bot.broker.positions = [a_fill()], (held(),)
        await bot.pass_s(10)
        assert (bot.state.reconciling, order_in(bot.state).state) == (False, Filled())
        await bot.end()

    played(story())


def _restored_in_doubt() -> Restored:
    return restored(call_order(1, Unknown(why="found at start"), prepared_at=NOON - timedelta(hours=1)))


def test_a_prepared_order_of_an_earlier_run_is_settled_after_the_settle_time() -> None:
    """Silence in the first ten seconds proves nothing; afterwards it does."""

    async def story() -> None:
        bot = Bot(up=False)
        bot.pump(_restored_in_doubt())
        bot.start(bot.keeper.run())
        await bot.pass_s(9)
        assert bot.state.reconciling
        await bot.pass_s(10)
        assert order_in(bot.state).state == Cancelled(reason="never reached the broker")
        await bot.end()

    played(story())
