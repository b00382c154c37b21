"""Door 1: the bot's ports on a floor in the same process."""

import asyncio
from collections.abc import Coroutine
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import pytest
from floors import NOVEMBER, OPENS_AT, a_call, a_floor, a_future, an_open_floor
from floors import an_order as a_venue_order
from intents import an_intent, approved, buys, sells

from bot.domain.errors import BrokerRejectedError, ConnectivityError, InvalidValueError
from bot.domain.events import (
    AccountReported,
    CommissionReported,
    Event,
    FillReported,
    LinkLost,
    LinkRestored,
    OrderDoubted,
    OrderReported,
)
from bot.domain.instrument import AD_NYSE, RVX, VIX, Side
from bot.domain.market import Quote, Tick
from bot.domain.orders import (
    BrokerStatus,
    FillPart,
    Order,
    Prepared,
    Working,
)
from simulator.broker import InProcessLink, InProcessMarketData, venue_order
from simulator.opening import OpenedFloor
from simulator.venue import OrderType

T = TypeVar("T")


def now_of(answer: Coroutine[Any, Any, T]) -> T:
    """Return what a port answers at once."""
    return asyncio.run(answer)


class Door:
    """A connected link with everything it told."""

    def __init__(self, opened: OpenedFloor | None = None) -> None:
        """Connect, and forget what was told until then."""
        self.opened = opened or an_open_floor()
        self.told: list[Event] = []
        self.link = InProcessLink(self.opened.floor, self.told.append)
        now_of(self.link.connect())
        self.greeting = list(self.told)
        self.told.clear()

    def kinds(self) -> list[str]:
        """Return the kinds of what was told."""
        return [type(event).__name__ for event in self.told]


def test_connecting_tells_the_link_and_the_account() -> None:
    """The first things heard are that the link is there and what the account stands at."""
    door = Door()

    restored, account = door.greeting

    assert isinstance(restored, LinkRestored)
    assert isinstance(account, AccountReported)
    values, state = account.values, door.opened.floor.account_state()
    assert values.net_liquidation_usd == state.net_liquidation_usd
    assert (values.initial_margin_usd, values.maintenance_margin_usd) == (state.init_margin_usd, state.maint_margin_usd)
    assert values.excess_liquidity_usd == state.net_liquidation_usd - state.maint_margin_usd
    assert values.gross_position_usd == state.gross_position_usd
    assert door.link.is_open()


def test_a_future_is_bought_and_told_as_a_whole() -> None:
    """Acceptance, fill, the filled order, its commission and the account, in the order of the wire."""
    door = Door()
    future = a_future(door.opened)

    door.link.submit(approved(an_intent(buys(future), limit="30.00", quantity=2)))

    assert door.kinds() == [
        "OrderReported", "FillReported", "OrderReported", "CommissionReported", "AccountReported",
    ]  # fmt: skip
    working, filled, done, fee, _ = door.told
    assert isinstance(working, OrderReported)
    assert isinstance(filled, FillReported)
    assert isinstance(done, OrderReported)
    assert isinstance(fee, CommissionReported)
    assert (working.report.status, done.report.status) == (BrokerStatus.WORKING, BrokerStatus.FILLED)
    assert (done.report.order_ref, done.report.filled, done.report.remaining) == ("intent-1", 2, 0)
    assert (filled.fill.part, filled.fill.instrument, filled.fill.signed_quantity) == (FillPart.WHOLE, future, 2)
    assert filled.fill.price == door.opened.floor.quote(future).ask
    assert (fee.exec_id, fee.commission_usd) == (filled.fill.exec_id, Decimal("2.30"))


def test_a_combo_is_told_as_its_net_and_its_legs() -> None:
    """The net moves the order, the legs move positions, and each has a commission report."""
    door = Door()
    low, high = a_call(door.opened, 20), a_call(door.opened, 25)

    door.link.submit(approved(an_intent(buys(low), sells(high), limit="3.00")))

    fills = [event.fill for event in door.told if isinstance(event, FillReported)]
    assert [fill.part for fill in fills] == [FillPart.COMBO, FillPart.LEG, FillPart.LEG]
    assert [(fill.instrument, fill.side) for fill in fills] == [(None, Side.BUY), (low, Side.BUY), (high, Side.SELL)]
    assert fills[1].price - fills[2].price == fills[0].price
    fees = [event for event in door.told if isinstance(event, CommissionReported)]
    assert [fee.exec_id for fee in fees] == [fill.exec_id for fill in fills]
    assert [fee.commission_usd > 0 for fee in fees] == [False, True, True]


def test_a_sale_that_receives_goes_out_as_a_sale_at_a_positive_price() -> None:
    """The intent's limit of -19.50 per unit is SELL at 19.50; a purchase at 19.50 is BUY at 19.50."""
    future = a_future(an_open_floor())

    sale = venue_order(an_intent(sells(future), limit="-19.50"), 1, 5, "DU1")
    purchase = venue_order(an_intent(buys(future), limit="19.50"), 1, 6, "DU1")

    assert (sale.side, sale.limit) == (Side.SELL, Decimal("19.50"))
    assert (purchase.side, purchase.limit) == (Side.BUY, Decimal("19.50"))
    assert (sale.order_type, sale.order_ref, sale.account) == (OrderType.LIMIT, "intent-1", "DU1")


@pytest.mark.parametrize("limit", ["0.55", "-0.45"])
def test_a_combo_goes_out_as_a_purchase_of_its_unit(limit: str) -> None:
    """Legs keep their own sides and the limit its sign: negative receives."""
    opened = an_open_floor()

    order = venue_order(an_intent(buys(a_call(opened, 20)), sells(a_call(opened, 25)), limit=limit), 1, 5, "DU1")

    assert (order.side, order.limit) == (Side.BUY, Decimal(limit))
    assert [leg.side for leg in order.legs] == [Side.BUY, Side.SELL]


def test_a_single_contract_has_no_ratio() -> None:
    """A unit of two equal contracts has no price of its own here."""
    with pytest.raises(InvalidValueError, match="ratio 1, was 2"):
        venue_order(an_intent(buys(a_future(an_open_floor()), ratio=2), limit="40.00"), 1, 5, "DU1")


def test_a_rejected_order_is_told_with_its_reason() -> None:
    """A price off the tick: one report, REJECTED, the exchange's words."""
    door = Door()

    door.link.submit(approved(an_intent(buys(a_future(door.opened)), limit="18.003")))

    [event] = door.told
    assert isinstance(event, OrderReported)
    assert event.report.status is BrokerStatus.REJECTED
    assert "minimum price variation" in event.report.text


def an_order_at_work(door: Door, limit: str = "10.00") -> Order:
    """Submit an order and return it as the bot keeps it."""
    intent = an_intent(buys(a_future(door.opened)), limit=limit)
    door.link.submit(approved(intent))
    first = door.told[0]
    assert isinstance(first, OrderReported)
    order = Order(intent=intent, state=Prepared(), prepared_at=OPENS_AT)
    return order.moved(Working(), perm_id=first.report.perm_id, order_id=first.report.order_id)


def test_a_cancel_is_told() -> None:
    """The order is reported as cancelled."""
    door = Door()
    order = an_order_at_work(door)

    door.link.cancel(order)

    last = door.told[-1]
    assert isinstance(last, OrderReported)
    assert last.report.status is BrokerStatus.CANCELLED


def test_a_cancel_that_comes_too_late_leaves_doubt() -> None:
    """The order has filled: code 161, and the order is in doubt until the books are compared."""
    door = Door()
    order = an_order_at_work(door, limit="30.00")
    door.told.clear()

    door.link.cancel(order)

    [event] = door.told
    assert isinstance(event, OrderDoubted)
    assert (event.order_ref, event.code) == ("intent-1", 161)


def test_foreign_orders_are_in_the_books_and_nowhere_else() -> None:
    """An order of another client tells nothing live but stands among the open orders."""
    door = Door()
    door.opened.floor.place(a_venue_order(a_future(door.opened), limit="10.00", client_id=9, order_ref="foreign"))

    books = now_of(door.link.books())

    assert door.told == []
    assert [(row.order_ref, row.client_id) for row in books.open_orders] == [("foreign", 9)]


def test_the_books_are_complete() -> None:
    """Open and completed orders, fills with commissions, positions with their cost, and the account."""
    door = Door()
    an_order_at_work(door)
    door.link.submit(approved(an_intent(buys(a_future(door.opened)), limit="30.00", name="intent-2")))

    books = now_of(door.link.books())

    assert [row.order_ref for row in books.open_orders] == ["intent-1"]
    assert [(row.order_ref, row.status) for row in books.completed_orders] == [("intent-2", BrokerStatus.FILLED)]
    [fill] = books.fills
    assert books.commissions_usd == {fill.exec_id: "1.15"}
    held = {position.instrument: position for position in books.positions}
    assert held[a_future(door.opened)].average_cost_usd == fill.price * 100 + Decimal("1.15")
    assert books.account.account == "DU1234567"


def test_a_closed_link_takes_nothing() -> None:
    """Orders, cancels and questions raise; the loss is told once; orders stay at the exchange."""
    door = Door()
    order = an_order_at_work(door)
    door.told.clear()

    door.link.disconnect()
    door.link.disconnect()

    assert [type(event) for event in door.told] == [LinkLost]
    for act in (lambda: door.link.submit(approved(order.intent)), lambda: door.link.cancel(order)):
        with pytest.raises(ConnectivityError, match="not connected"):
            act()
    with pytest.raises(ConnectivityError, match="not connected"):
        now_of(door.link.books())
    assert len(door.opened.floor.open_orders()) == 1


def test_order_ids_go_on_after_a_reconnect() -> None:
    """No id is used twice by one client, whatever happens to the link."""
    door = Door()
    an_order_at_work(door)
    door.link.disconnect()
    now_of(door.link.connect())

    door.link.submit(approved(an_intent(buys(a_future(door.opened)), limit="11.00", name="intent-2")))

    assert [each.order.order_id for each in door.opened.floor.open_orders()] == [1, 2]


# Market data


class Feed:
    """Market data with everything it told; ticks are copied, as their class asks."""

    def __init__(self, opened: OpenedFloor) -> None:
        """Listen to a floor."""
        self.opened = opened
        self.ticks: list[tuple[str, float, int]] = []
        self.quotes: list[Quote] = []
        self.data = InProcessMarketData(opened.floor, self._take)

    def _take(self, event: Event) -> None:
        if isinstance(event, Tick):
            self.ticks.append((event.key, event.level, event.at_ns))
        elif isinstance(event, Quote):
            self.quotes.append(event)


def test_watching_tells_the_present_at_once_and_the_changes_later() -> None:
    """An index comes as ticks, a contract as quotes, both with the floor's time."""
    feed = Feed(an_open_floor())
    call = a_call(feed.opened)

    feed.data.watch((VIX, call))
    first = (feed.ticks[0], feed.quotes[0])
    feed.opened.floor.advance(OPENS_AT + timedelta(minutes=30))

    at_ns = int((OPENS_AT + timedelta(minutes=10)).timestamp()) * 1_000_000_000
    assert (first[0][0], first[0][2], first[1].at_ns) == ("IND:VIX", at_ns, at_ns)
    assert feed.ticks[-1][1] == feed.opened.floor.market.levels.vix
    assert feed.ticks[-1][2] > at_ns
    shown = feed.opened.floor.quote(call)
    assert (feed.quotes[-1].bid, feed.quotes[-1].ask) == (float(shown.bid or 0), float(shown.ask or 0))


def test_watching_others_ends_what_was_watched() -> None:
    """The set is replaced: what is not in it is silent, what stays is not told again."""
    feed = Feed(an_open_floor())
    feed.data.watch((VIX, RVX))
    feed.ticks.clear()

    feed.data.watch((RVX, RVX))
    at_once = list(feed.ticks)
    feed.opened.floor.advance(OPENS_AT + timedelta(minutes=30))

    assert at_once == []
    assert {key for key, _, _ in feed.ticks} == {"IND:RVX"}
    assert feed.opened.floor.watched == {RVX.key}


def test_what_others_watch_is_not_told() -> None:
    """A second feed on the same floor hears its own instruments only; closing it leaves nothing watched."""
    opened = an_open_floor()
    one, other = Feed(opened), Feed(opened)
    one.data.watch((VIX,))
    other.data.watch((RVX,))

    opened.floor.advance(OPENS_AT + timedelta(minutes=30))
    one.data.close()
    other.data.close()

    assert {key for key, _, _ in one.ticks} == {"IND:VIX"}
    assert {key for key, _, _ in other.ticks} == {"IND:RVX"}
    assert opened.floor.watched == frozenset()


def test_daily_closes_are_finished_sessions() -> None:
    """Oldest first, the running session not among them; a contract without history is refused."""
    feed = Feed(an_open_floor())

    closes = now_of(feed.data.daily_closes(RVX, 3))

    assert [close.day for close in closes] == [date(2026, 10, 14), date(2026, 10, 15), date(2026, 10, 16)]
    with pytest.raises(BrokerRejectedError, match="no daily history"):
        now_of(feed.data.daily_closes(AD_NYSE, 3))


def test_contracts_are_listed_by_settlement() -> None:
    """Both ends of the range belong to it."""
    feed = Feed(an_open_floor())

    chain = now_of(feed.data.option_chain("VIX", NOVEMBER, NOVEMBER))
    futures = now_of(feed.data.futures("VIX", NOVEMBER, date(2026, 12, 16)))

    assert set(chain) == set(feed.opened.universe.options("VIX", NOVEMBER))
    assert [(each.trading_class, each.settlement) for each in futures] == [
        *((name, day) for name in ("VX", "VXM") for day in (NOVEMBER, date(2026, 12, 16))),
        ("VX48", date(2026, 11, 25)),
        ("VX49", date(2026, 12, 2)),
    ]
    assert now_of(feed.data.option_chain("XYZ", NOVEMBER, NOVEMBER)) == ()


def test_a_snapshot_of_breadth_tells_its_counts() -> None:
    """Advances are the bid and declines the ask, as long as the market is open."""
    opened = an_open_floor()
    quote = opened.floor.quote(AD_NYSE)

    shown = now_of(Feed(opened).data.snapshot((AD_NYSE,)))[AD_NYSE.key]

    assert (shown.bid, shown.ask) == (float(quote.bid or 0), float(quote.ask or 0))
    assert shown.bid is not None
    assert shown.bid > 0
    assert now_of(Feed(a_floor()).data.snapshot((AD_NYSE,))) == {}


def test_a_snapshot_tells_what_has_a_side() -> None:
    """Contracts with a quote are in it, an index is not, and outside the session nothing is."""
    opened = an_open_floor()
    call, future = a_call(opened), a_future(opened)

    shown = now_of(Feed(opened).data.snapshot((VIX, call, future)))
    closed = now_of(Feed(a_floor()).data.snapshot((call, future)))

    assert set(shown) == {call.key, future.key}
    assert shown[call.key].is_two_sided
    assert closed == {}


def test_a_question_that_the_exchange_would_refuse_is_refused() -> None:
    """Off the tick grid as an order would be; and without a link nothing is asked."""
    door = Door()

    async def asked() -> None:
        await door.link.preview(an_intent(buys(a_future(door.opened)), limit="18.003"))

    with pytest.raises(BrokerRejectedError, match="a what-if: the broker says 110"):
        now_of(asked())
    assert door.kinds() == []
    door.link.disconnect()
    with pytest.raises(ConnectivityError):
        now_of(asked())
