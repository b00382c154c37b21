"""What holds whatever is ordered and however the market moves: sums, limits, triggers, times, groups, priority."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from floors import a_spread
from hypothesis import given, settings
from hypothesis import strategies as st
from pits import FUTURE, HIGH, LOW, Pit, executions, told_of

from bot.domain.instrument import Instrument, Side
from simulator.fees import VenueFees
from simulator.fills import AdverseSelection, DisplayedSizeFills, FillModel, VenueFills
from simulator.venue import (
    Charged,
    Executed,
    OcaType,
    OrderChanged,
    OrderType,
    Phase,
    Tif,
    VenueLeg,
    VenueOrder,
    VenueStatus,
)

MODELS: tuple[FillModel, ...] = (DisplayedSizeFills(), VenueFills(), VenueFills(selection=AdverseSelection(base=1.0)))
LEGS: dict[str, tuple[Instrument | VenueLeg, ...]] = {
    "low": (LOW,),
    "future": (FUTURE,),
    "spread": a_spread(LOW, HIGH),
}
NEAR = {"low": "1.32", "future": "19.50", "spread": "0.80"}


@dataclass(frozen=True)
class Placed:
    """An order as a test draws it."""

    what: str
    side: Side
    quantity: int
    order_type: OrderType
    tif: Tif
    ticks: int
    group: str

    def terms(self) -> dict[str, object]:
        """Return the fields that this type of order has on this contract."""
        tick = Decimal("0.05") if self.what == "future" else Decimal("0.01")
        price = Decimal(NEAR[self.what]) + self.ticks * tick
        is_combo = self.what == "spread"
        order_type = OrderType.LIMIT if is_combo else self.order_type
        terms: dict[str, object] = {"side": self.side, "quantity": self.quantity, "order_type": order_type}
        terms["tif"] = self.tif if order_type in {OrderType.LIMIT, OrderType.MARKET} else Tif.DAY
        if order_type in {OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.LIMIT_ON_CLOSE}:
            terms["limit"] = str(price)
        if order_type in {OrderType.STOP, OrderType.STOP_LIMIT}:
            terms["auxiliary"] = price + 2 * self.side.sign * tick
        if order_type is OrderType.TRAIL:
            terms["auxiliary"] = 3 * tick
        if is_combo:
            terms["non_guaranteed"] = bool(self.group)
        elif self.group:
            terms |= {"oca_group": self.group, "oca_type": OcaType.CANCEL_WITH_BLOCK}
        return terms


PLACED = st.builds(
    Placed,
    what=st.sampled_from(sorted(LEGS)),
    side=st.sampled_from(Side),
    quantity=st.integers(1, 25),
    order_type=st.sampled_from(
        [
            OrderType.LIMIT,
            OrderType.MARKET,
            OrderType.STOP,
            OrderType.STOP_LIMIT,
            OrderType.TRAIL,
            OrderType.LIMIT_ON_CLOSE,
            OrderType.MARKET_ON_CLOSE,
            OrderType.PEG_MID,
        ]
    ),
    tif=st.sampled_from([Tif.DAY, Tif.GTC, Tif.IOC, Tif.FOK]),
    ticks=st.integers(-6, 6),
    group=st.sampled_from(["", "", "one", "two"]),
)
MOVES = st.integers(-5, 5)
STORIES = st.lists(st.one_of(PLACED, MOVES), min_size=1, max_size=14)


class Told(list[object]):
    """All that a pit told in a story, and where the market stood when each stop order was set free."""

    def __init__(self, pit: Pit) -> None:
        """Begin with nothing."""
        super().__init__()
        self.pit = pit
        self.freed: dict[int, tuple[VenueOrder, Decimal | None]] = {}

    def add(self, events: Sequence[object]) -> None:
        """Keep events; each stop order's first working standing with the price that triggers it."""
        for event in events:
            if isinstance(event, OrderChanged) and event.status is VenueStatus.SUBMITTED:
                quote = self.pit.board[event.order.legs[0].instrument]
                price = quote.ask if event.order.side is Side.BUY else quote.bid
                self.freed.setdefault(event.order.order_id, (event.order, price))
        self += events


def played(story: Sequence[Placed | int], model: FillModel) -> tuple[Pit, Told]:
    """Return the pit after a story: orders, and moves of all three contracts by so many ticks."""
    pit = Pit(fees=VenueFees(option_order_least_usd=Decimal(1)), fills=model, cash=10_000_000)
    told, moved = Told(pit), 0
    for number, event in enumerate(story, start=1):
        if isinstance(event, Placed):
            told.add(pit.place(*LEGS[event.what], order_id=number, **event.terms()))
            continue
        moved = max(-20, min(20, moved + event))
        for instrument, bid, ask, tick in (
            (LOW, "1.30", "1.35", "0.01"),
            (HIGH, "0.50", "0.55", "0.01"),
            (FUTURE, "19.50", "19.55", "0.05"),
        ):
            shift = moved * Decimal(tick)
            pit.show(instrument, str(Decimal(bid) + shift), str(Decimal(ask) + shift), size=3 + number % 7)
        told.add(pit.step(15))
    return pit, told


def orders_of(told: Sequence[object]) -> list[OrderChanged]:
    """Return the standings told."""
    return [event for event in told if isinstance(event, OrderChanged)]


@given(STORIES, st.sampled_from(MODELS))
def test_no_order_fills_beyond_its_size_and_standings_only_grow(story: list[Placed | int], model: FillModel) -> None:
    """Filled quantities rise from 0 to the size at most, and equal what was executed."""
    _, told = played(story, model)

    executed: dict[int, int] = {}
    for event in told:
        if isinstance(event, Executed) and not event.is_leg:
            executed[event.order.order_id] = executed.get(event.order.order_id, 0) + event.quantity
        if isinstance(event, OrderChanged):
            assert event.filled == executed.get(event.order.order_id, 0) <= event.order.quantity


@given(STORIES, st.sampled_from(MODELS), st.booleans())
def test_positions_and_cash_move_by_executions_fees_and_settlements_alone(
    story: list[Placed | int],
    model: FillModel,
    settles: bool,  # noqa: FBT001 - drawn
) -> None:
    """The account is the sum of what was told; a settlement moves cash by the position's worth and nothing else."""
    pit, told = played(story, model)
    held: dict[Instrument, int] = {}
    worth = Decimal(10_000_000)
    for event in executions(tuple(told)):
        if event.instrument is not None:
            held[event.instrument] = held.get(event.instrument, 0) + event.side.sign * event.quantity
            worth -= event.side.sign * event.quantity * event.price * event.instrument.multiplier
    worth -= sum(event.commission_usd for event in told if isinstance(event, Charged))
    if settles:
        worth += held.pop(LOW, 0) * Decimal("2.50") * LOW.multiplier
        pit.exchange.settle(LOW, Decimal("2.50"), pit.at)

    assert {each.instrument: each.quantity for each in pit.account.positions()} == {k: q for k, q in held.items() if q}
    worth += sum(quantity * key.multiplier * pit.marks()[key] for key, quantity in held.items())
    assert abs(pit.exchange.account_state().net_liquidation_usd - worth) < Decimal("0.01")


@given(STORIES, st.sampled_from(MODELS))
def test_leg_prices_sum_to_the_net(story: list[Placed | int], model: FillModel) -> None:
    """All whole units of a combo together cost what their legs cost, once no leg stands alone."""
    _, told = played(story, model)
    nets: dict[int, Decimal] = {}
    legs: dict[int, Decimal] = {}
    counts: dict[int, dict[Instrument, int]] = {}
    for event in executions(tuple(told)):
        order = event.order
        if event.instrument is None:
            nets[order.order_id] = nets.get(order.order_id, Decimal(0)) + event.price * event.quantity
        elif event.is_leg:
            sign = event.side.sign * order.side.sign
            legs[order.order_id] = legs.get(order.order_id, Decimal(0)) + sign * event.price * event.quantity
            count = counts.setdefault(order.order_id, {LOW: 0, HIGH: 0})
            count[event.instrument] += event.quantity

    for order_id, count in counts.items():
        if count[LOW] == count[HIGH]:
            assert nets[order_id] == legs[order_id]


@given(STORIES, st.sampled_from(MODELS))
def test_nothing_trades_at_a_price_worse_than_its_limit(story: list[Placed | int], model: FillModel) -> None:
    """Purchases at or below, sales at or above, combos by their net."""
    _, told = played(story, model)

    for event in executions(tuple(told)):
        limit = event.order.limit
        if limit is not None and not event.is_leg:
            assert (event.price - limit) * event.order.side.sign <= 0


@given(STORIES, st.sampled_from(MODELS))
def test_no_stop_trades_before_the_market_has_reached_it(story: list[Placed | int], model: FillModel) -> None:
    """A stop order is set free at a market at or beyond its stop, and trades after that only."""
    _, told = played(story, model)

    for order, price in told.freed.values():
        if order.order_type in {OrderType.STOP, OrderType.STOP_LIMIT}:
            assert order.auxiliary is not None
            assert price is not None
            assert (price - order.auxiliary) * order.side.sign >= 0
    assert {event.order.order_id for event in executions(tuple(told)) if event.order.auxiliary} <= set(told.freed)


@given(STORIES, st.sampled_from(MODELS))
def test_what_cannot_wait_never_rests(story: list[Placed | int], model: FillModel) -> None:
    """IOC and FOK orders are done when placing them returns; FOK orders are filled whole or not at all."""
    pit, told = played(story, model)

    assert not {each.order.tif for each in pit.exchange.open_orders()} & {Tif.IOC, Tif.FOK}
    fok = [event for event in orders_of(told) if event.order.tif is Tif.FOK]
    assert all(event.filled in {0, event.order.quantity} or event.order.is_combo for event in fok)


@given(STORIES, st.sampled_from(MODELS))
def test_no_order_for_the_day_survives_its_session(story: list[Placed | int], model: FillModel) -> None:
    """After the close only GTC orders are left."""
    pit, _ = played(story, model)

    pit.close()

    assert {each.order.tif for each in pit.exchange.open_orders()} <= {Tif.GTC}


@given(STORIES, st.sampled_from(MODELS))
def test_at_most_one_member_of_a_group_trades(story: list[Placed | int], model: FillModel) -> None:
    """In a group of type 1 whatever trades first ends the others."""
    pit, told = played(story, model)
    told.add(pit.close())

    traded: dict[str, set[int]] = {}
    for event in executions(tuple(told)):
        if event.order.oca_group:
            traded.setdefault(event.order.oca_group, set()).add(event.order.order_id)
    assert all(len(members) == 1 for members in traded.values())


@given(st.integers(1, 20), st.lists(st.integers(1, 12), min_size=1, max_size=5))
def test_of_two_like_orders_the_older_one_is_served_first(quantity: int, sizes: list[int]) -> None:
    """The second order has traded only when the first is filled."""
    pit = Pit()
    for order_id in (1, 2):
        pit.place(LOW, limit="1.32", quantity=quantity, order_id=order_id)
    filled = {1: 0, 2: 0}

    for size in sizes:
        pit.show(LOW, "1.27", "1.32", size=size)
        for event in executions(pit.step(15)):
            filled[event.order.order_id] += event.quantity
        assert filled[2] == 0 or filled[1] == quantity


@given(STORIES, st.sampled_from(MODELS))
@settings(max_examples=50)
def test_the_same_story_is_told_the_same(story: list[Placed | int], model: FillModel) -> None:
    """No randomness, no clock: two pits tell equal events."""
    assert played(story, model)[1] == played(story, model)[1]


@given(STORIES)
def test_nothing_trades_in_a_halt_or_at_night(story: list[Placed | int]) -> None:
    """Whatever is placed then waits, is refused or ends, but never trades."""
    for phase in (Phase.CLOSED, Phase.HALTED):
        pit = Pit()
        pit.phase = phase
        for number, event in enumerate(story, start=1):
            if isinstance(event, Placed):
                told = pit.place(*LEGS[event.what], order_id=number, **event.terms())
                assert executions(told) == []
            else:
                assert executions(pit.step(15)) == []


@given(STORIES, st.sampled_from(MODELS))
def test_every_order_ends_once(story: list[Placed | int], model: FillModel) -> None:
    """After filled, cancelled or rejected nothing is told of an order any more, and it is not among the open ones."""
    pit, told = played(story, model)
    ends = {VenueStatus.FILLED, VenueStatus.CANCELLED, VenueStatus.REJECTED}

    for order_id in {event.order.order_id for event in orders_of(told)}:
        statuses = [event.status for event in told_of(tuple(told), order_id)]
        assert not ends & set(statuses[:-1])
        is_open = any(each.order.order_id == order_id for each in pit.exchange.open_orders())
        assert is_open is (statuses[-1] not in ends)


def test_the_types_of_orders_here_are_drawn_whole() -> None:
    """A story of one order of each type is taken, so that the properties speak of orders that live."""
    for order_type in (OrderType.LIMIT, OrderType.STOP, OrderType.TRAIL, OrderType.MARKET_ON_CLOSE, OrderType.PEG_MID):
        order = Placed("low", Side.BUY, 5, order_type, Tif.DAY, 0, "")
        _, told = played([order], DisplayedSizeFills())
        assert isinstance(told[0], OrderChanged)
        assert isinstance(told[0].order, VenueOrder)
        assert told[0].status is not VenueStatus.REJECTED
