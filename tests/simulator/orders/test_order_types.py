"""Order types and times in force against quotes made by hand."""

from datetime import timedelta
from decimal import Decimal

import pytest
from floors import an_order
from pits import AT, FUTURE, LOW, Pit, executions, fills_of, standings, told_of

from bot.domain.instrument import Side
from simulator.orders.algos import units_due, window_of
from simulator.orders.prices import ANY_PRICE, price_now, trailed_stop
from simulator.orders.view import Sides
from simulator.venue import OrderChanged, OrderType, Phase, Tif, VenueStatus

MARKET = Sides(bid=Decimal("1.30"), ask=Decimal("1.40"))


@pytest.mark.parametrize(
    ("order_type", "side", "terms", "price"),
    [
        (OrderType.LIMIT, Side.BUY, {"limit": "1.20"}, "1.20"),
        (OrderType.MIDPRICE, Side.BUY, {}, "1.35"),
        (OrderType.MIDPRICE, Side.BUY, {"cap": Decimal("1.32")}, "1.32"),
        (OrderType.MIDPRICE, Side.SELL, {"cap": Decimal("1.38")}, "1.38"),
        (OrderType.RELATIVE, Side.BUY, {"auxiliary": Decimal("0.02")}, "1.32"),
        (OrderType.RELATIVE, Side.SELL, {"auxiliary": Decimal("0.02")}, "1.38"),
        (OrderType.RELATIVE, Side.BUY, {"auxiliary": Decimal("0.09"), "cap": Decimal("1.35")}, "1.35"),
        (OrderType.PEG_MID, Side.BUY, {"auxiliary": Decimal("0.01")}, "1.34"),
        (OrderType.PEG_MID, Side.SELL, {"auxiliary": Decimal("0.01")}, "1.36"),
        (OrderType.PEG_MID, Side.BUY, {"limit": "1.33"}, "1.33"),
    ],
)
def test_a_price_follows_its_types_formula(
    order_type: OrderType, side: Side, terms: dict[str, object], price: str
) -> None:
    """Limits are as stated, pegs follow the market and stop at their cap."""
    order = an_order(LOW, side=side, order_type=order_type, **terms)

    assert price_now(order, MARKET, None) == Decimal(price)


def test_a_peg_waits_while_its_side_is_missing_and_a_market_order_takes_any_price() -> None:
    """Nothing to follow is no price; a market order needs none."""
    one_sided = Sides(bid=None, ask=Decimal(1))

    assert price_now(an_order(LOW, order_type=OrderType.MIDPRICE), one_sided, None) is None
    assert price_now(an_order(LOW, order_type=OrderType.RELATIVE), one_sided, None) is None
    assert price_now(an_order(LOW), one_sided, None) is ANY_PRICE


@pytest.mark.parametrize(
    ("side", "prices", "stops"),
    [
        (Side.SELL, ["2.00", "2.20", "2.10"], ["1.90", "2.10", "2.10"]),
        (Side.BUY, ["2.00", "1.80", "1.90"], ["2.10", "1.90", "1.90"]),
    ],
)
def test_a_trailing_stop_follows_in_its_favour_only(side: Side, prices: list[str], stops: list[str]) -> None:
    """A sale's stop rises with the price and stays when it falls; a purchase's the other way round."""
    order = an_order(LOW, side=side, order_type=OrderType.TRAIL, auxiliary=Decimal("0.10"))
    stop, found = None, []

    for price in prices:
        stop = trailed_stop(order, stop, Decimal(price))
        found.append(str(stop))

    assert found == stops


def test_a_stop_waits_for_its_trigger_and_then_takes_the_market() -> None:
    """PreSubmitted with the word trigger until the ask reaches the stop, then filled at that ask."""
    pit = Pit()
    [standing] = pit.place(LOW, order_type=OrderType.STOP, auxiliary=Decimal("1.40"))
    quiet = pit.step()
    pit.show(LOW, "1.36", "1.41")

    events = pit.step()

    assert isinstance(standing, OrderChanged)
    assert (standing.status, standing.why_held, quiet) == (VenueStatus.PRE_SUBMITTED, "trigger", ())
    assert fills_of(events) == [(1, 1, "1.41")]


def test_a_stop_limit_rests_at_its_limit_once_triggered() -> None:
    """Touched at 1.41 with a limit of 1.40: it works, and fills when the ask comes back."""
    pit = Pit()
    pit.place(LOW, order_type=OrderType.STOP_LIMIT, limit="1.40", auxiliary=Decimal("1.40"))
    pit.show(LOW, "1.36", "1.41")
    touched = pit.step()
    pit.show(LOW, "1.33", "1.38")

    assert standings(touched) == [(VenueStatus.SUBMITTED, 0)]
    assert fills_of(pit.step()) == [(1, 1, "1.38")]


def test_a_trailing_sale_is_sold_when_the_market_turns() -> None:
    """The stop climbs to 1.50 with the bid at 1.60 and is told; at a bid of 1.45 the order sells."""
    pit = Pit()
    pit.place(LOW, side=Side.SELL, order_type=OrderType.TRAIL, auxiliary=Decimal("0.10"))
    pit.show(LOW, "1.60", "1.65")
    [moved] = pit.step()
    pit.show(LOW, "1.45", "1.50")

    assert isinstance(moved, OrderChanged)
    assert moved.order.trail_stop == Decimal("1.50")
    assert fills_of(pit.step()) == [(1, 1, "1.45")]


def test_a_trailing_limit_sells_no_lower_than_its_offset_allows() -> None:
    """Stop 1.20 less 0.02: a fall through to 1.10 leaves it resting at 1.18."""
    pit = Pit()
    pit.place(
        LOW, side=Side.SELL, order_type=OrderType.TRAIL_LIMIT, auxiliary=Decimal("0.10"), limit_offset=Decimal("0.02")
    )
    pit.show(LOW, "1.10", "1.15")
    fallen = pit.step()
    pit.show(LOW, "1.19", "1.24")

    assert standings(fallen) == [(VenueStatus.SUBMITTED, 0)]
    assert fills_of(pit.step()) == [(1, 1, "1.19")]


def test_a_trailing_percentage_is_of_the_price() -> None:
    """Ten per cent below a bid of 1.30 is 1.17."""
    pit = Pit()

    [standing] = pit.place(LOW, side=Side.SELL, order_type=OrderType.TRAIL, trail_pct=Decimal(10))

    assert isinstance(standing, OrderChanged)
    assert standing.order.trail_stop == Decimal("1.17")


@pytest.mark.parametrize(
    ("order_type", "terms", "words"),
    [
        (OrderType.STOP, {}, "stop price"),
        (OrderType.STOP_LIMIT, {"auxiliary": Decimal(1)}, "limit price"),
        (OrderType.TRAIL, {}, "trailing amount"),
        (OrderType.TRAIL_LIMIT, {"auxiliary": Decimal(1)}, "limit offset"),
        (OrderType.LIMIT_ON_CLOSE, {}, "limit price"),
        (OrderType.STOP, {"auxiliary": Decimal("1.333")}, "minimum price variation"),
        (OrderType.MARKET, {"tif": Tif.GTD}, "good-till"),
        (OrderType.MARKET, {"tif": Tif.GTD, "good_till": AT}, "has passed"),
        (OrderType.STOP, {"tif": Tif.OPG, "auxiliary": Decimal(1)}, "OPG"),
        (OrderType.STOP, {"tif": Tif.IOC, "auxiliary": Decimal(1)}, "IOC"),
        (OrderType.MARKET, {"algo": "DarkIce"}, "Algorithm definition not found"),
        (OrderType.MARKET, {"min_quantity": 2}, "Minimum quantity"),
        (OrderType.MARKET, {"parent_id": 9}, "Missing parent"),
    ],
)
def test_a_type_without_what_it_needs_is_refused(order_type: OrderType, terms: dict[str, object], words: str) -> None:
    """The reason names what is missing, and nothing works afterwards."""
    pit = Pit()

    [event] = pit.place(LOW, order_type=order_type, **terms)

    assert isinstance(event, OrderChanged)
    assert event.status is VenueStatus.REJECTED
    assert words in event.reason
    assert pit.exchange.open_orders() == ()


# Times in force


@pytest.mark.parametrize(("tif", "filled"), [(Tif.IOC, 10), (Tif.FOK, 0)])
def test_what_cannot_wait_takes_what_is_there_or_nothing(tif: Tif, filled: int) -> None:
    """Of 15 against ten shown, IOC takes ten and ends; FOK takes none."""
    pit = Pit()

    events = pit.place(LOW, limit="1.35", quantity=15, tif=tif)

    assert standings(events)[-1] == (VenueStatus.CANCELLED, filled)
    assert pit.exchange.open_orders() == ()


def test_a_good_till_date_ends_an_order() -> None:
    """One second before it works, at the moment itself it is cancelled."""
    pit = Pit()
    pit.place(LOW, limit="1.00", tif=Tif.GTD, good_till=AT + timedelta(seconds=60))

    before, at = pit.step(59), pit.step(1)

    assert (before, standings(at)) == ((), [(VenueStatus.CANCELLED, 0)])


def test_a_good_after_time_holds_an_order() -> None:
    """A marketable order waits as PreSubmitted and trades at its hour."""
    pit = Pit()
    [held] = pit.place(LOW, limit="1.35", good_after=AT + timedelta(seconds=60))

    assert isinstance(held, OrderChanged)
    assert held.status is VenueStatus.PRE_SUBMITTED
    assert executions(pit.step(59)) == []
    assert len(executions(pit.step(1))) == 1


def test_an_opening_order_trades_at_the_first_regular_price_whatever_its_size() -> None:
    """500 contracts trade at the middle of the first quote; a limit below it is cancelled."""
    pit = Pit()
    pit.phase = Phase.CLOSED
    pit.place(FUTURE, tif=Tif.OPG, quantity=20, order_id=1)
    pit.place(FUTURE, tif=Tif.OPG, limit="19.00", order_id=2)
    pit.show(FUTURE, "19.50", "19.60")

    events = pit.open()

    assert fills_of(events) == [(1, 20, "19.55")]
    assert told_of(events, 2)[-1].status is VenueStatus.CANCELLED


def test_closing_orders_trade_at_the_last_regular_price() -> None:
    """MOC takes the last price of the day, LOC as well when its limit allows, else it is cancelled."""
    pit = Pit()
    pit.place(FUTURE, order_type=OrderType.MARKET_ON_CLOSE, quantity=20, order_id=1)
    pit.place(FUTURE, order_type=OrderType.LIMIT_ON_CLOSE, limit="19.70", order_id=2)
    pit.place(FUTURE, order_type=OrderType.LIMIT_ON_CLOSE, limit="19.00", order_id=3)
    pit.show(FUTURE, "19.60", "19.70")
    during = pit.step()

    events = pit.close()

    assert executions(during) == []
    assert fills_of(events) == [(1, 20, "19.65"), (2, 1, "19.65")]
    assert told_of(events, 3)[-1].status is VenueStatus.CANCELLED


# Hours


def test_only_orders_for_all_hours_trade_outside_regular_ones() -> None:
    """In extended hours one waits with 399 and one trades; in a halt neither does."""
    pit = Pit()
    pit.phase = Phase.HALTED
    halted = (*pit.place(LOW, limit="1.35"), *pit.place(LOW, limit="1.35", order_id=2, outside_rth=True))
    pit.phase = Phase.EXTENDED

    events = pit.step()

    assert executions(halted) == []
    assert [order_id for order_id, _, _ in fills_of(events)] == [2]


def test_a_day_order_placed_after_hours_lives_through_the_next_session() -> None:
    """It survives the end of the day on which it could not trade, and ends with the next one."""
    pit = Pit()
    pit.phase = Phase.EXTENDED
    pit.place(LOW, limit="1.00")

    assert pit.close() == ()
    pit.open()
    assert standings(pit.close(Phase.EXTENDED)) == [(VenueStatus.CANCELLED, 0)]


def test_a_day_order_for_all_hours_ends_with_the_day() -> None:
    """The end of regular hours leaves it at work, the end of the day does not."""
    pit = Pit()
    pit.place(LOW, limit="1.00", outside_rth=True)
    pit.phase = Phase.EXTENDED

    assert pit.step() == ()
    assert standings(pit.close()) == [(VenueStatus.CANCELLED, 0)]


def test_a_market_order_for_a_future_is_refused_at_night() -> None:
    """CFE takes limits only outside regular hours."""
    pit = Pit()
    pit.phase = Phase.EXTENDED

    assert standings(pit.place(FUTURE, outside_rth=True)) == [(VenueStatus.REJECTED, 0)]


def test_a_market_order_waits_for_a_missing_side() -> None:
    """Without an ask nothing trades; the ask brings the fill."""
    pit = Pit()
    pit.show(LOW, "1.30", None)
    waiting = pit.place(LOW)
    pit.show(LOW, "1.30", "1.45")

    assert standings(waiting) == [(VenueStatus.SUBMITTED, 0)]
    assert fills_of(pit.step()) == [(1, 1, "1.45")]


# Sizes


def test_all_or_none_waits_until_the_whole_size_is_shown() -> None:
    """Ten shown are not enough for fifteen, twenty are."""
    pit = Pit()
    first = pit.place(LOW, limit="1.35", quantity=15, all_or_none=True)
    pit.show(LOW, "1.30", "1.35", size=20)

    assert executions(first) == []
    assert fills_of(pit.step()) == [(1, 15, "1.35")]


def test_a_minimum_quantity_holds_the_first_fill_only() -> None:
    """Twelve wanted at first with ten shown: nothing; fifteen shown: fifteen, then the rest as it comes."""
    pit = Pit()
    first = pit.place(LOW, limit="1.35", quantity=20, min_quantity=12)
    pit.show(LOW, "1.30", "1.35", size=15)

    assert executions(first) == []
    assert fills_of(pit.step()) == [(1, 15, "1.35")]
    assert fills_of(pit.step()) == [(1, 5, "1.35")]


# Protection against dear limits


def test_a_dear_limit_is_held_at_a_cap_and_says_so() -> None:
    """A limit of 2.50 over an ask of 1.35 is capped at 1.62 with the notice 2161, and fills at the ask."""
    pit = Pit()

    first = pit.place(LOW, limit="2.50")[0]

    assert isinstance(first, OrderChanged)
    assert first.cap_price == Decimal("1.62")
    assert first.warning is not None
    assert first.warning[0] == 2161
    assert pit.account.quantity(LOW) == 1


def test_a_capped_order_does_not_chase_a_jump_for_a_minute() -> None:
    """The ask jumps above the cap before the rest is filled: the order waits a minute, then the cap follows."""
    pit = Pit()
    pit.place(LOW, limit="2.50", quantity=12)
    pit.show(LOW, "1.95", "2.00")

    assert executions(pit.step(30)) == []
    assert fills_of(pit.step(30)) == [(1, 2, "2.00")]


@pytest.mark.parametrize(("overrides", "status"), [(False, VenueStatus.REJECTED), (True, VenueStatus.FILLED)])
def test_an_absurd_limit_is_refused_unless_the_constraints_are_waived(
    overrides: bool,  # noqa: FBT001 - a table
    status: VenueStatus,
) -> None:
    """Ten points for what is offered at 1.35: code 109, or a fill at the ask."""
    pit = Pit()

    last = [
        event
        for event in pit.place(LOW, limit="10.00", overrides_constraints=overrides)
        if isinstance(event, OrderChanged)
    ][-1]

    assert (last.status, last.code) == (status, 0 if overrides else 109)


def test_an_order_beyond_the_accounts_means_is_refused() -> None:
    """A short future needs 7810 USD; an account of 5000 gets the sums told, and a smaller risk is always taken."""
    pit = Pit(cash=5_000)

    [refused] = pit.place(FUTURE, side=Side.SELL, limit="19.50")

    assert isinstance(refused, OrderChanged)
    assert (refused.status, refused.code) == (VenueStatus.REJECTED, 201)
    assert "7810.00 USD" in refused.reason
    pit.account.trade(FUTURE, -1, Decimal("19.50"), Decimal(0))
    assert standings(pit.place(FUTURE, limit="19.55", order_id=2))[-1] == (VenueStatus.FILLED, 1)


# Algorithms


def test_adaptive_works_from_the_middle_to_the_far_side() -> None:
    """Urgent arrives at the ask after 30 seconds, and the order's own limit holds."""
    pit = Pit()
    pit.show(LOW, "1.30", "1.40")
    terms = {"algo": "Adaptive", "algo_params": (("adaptivePriority", "Urgent"),)}
    first = (*pit.place(LOW, limit="1.40", **terms), *pit.place(LOW, limit="1.38", order_id=2, **terms))

    assert executions(first) == []
    assert executions(pit.step(29)) == []
    assert fills_of(pit.step(1)) == [(1, 1, "1.40")]


@pytest.mark.parametrize(
    ("algo", "minutes", "due"),
    [
        ("Twap", 0, 1),
        ("Twap", 15, 50),
        ("Twap", 30, 100),
        ("Vwap", 15, 50),
        ("Vwap", 3, 17),
        ("Vwap", 30, 100),
        ("", 0, 100),
    ],
)
def test_a_sliced_order_is_due_in_parts(algo: str, minutes: int, due: int) -> None:
    """Twap evenly over half an hour, Vwap more at both ends."""
    order = an_order(LOW, quantity=100, algo=algo)

    assert units_due(order, AT, AT + timedelta(minutes=minutes)) == due


def test_a_window_is_read_from_the_parameters() -> None:
    """Times in New York's zone unless another one is stated."""
    order = an_order(LOW, algo="Twap", algo_params=(("startTime", "10:30:00"), ("endTime", "20261019 16:00:00 UTC")))

    window = window_of(order, AT)

    assert (window.start - AT, window.end - AT) == (timedelta(minutes=30), timedelta(hours=2))


def test_a_sliced_order_fills_slice_by_slice() -> None:
    """Six of twelve have traded after a quarter of an hour, all of them at its end."""
    pit = Pit()
    pit.place(LOW, quantity=12, algo="Twap")

    half, whole = pit.step(900), pit.step(900)

    assert standings(half)[-1] == (VenueStatus.SUBMITTED, 6)
    assert standings(whole)[-1] == (VenueStatus.FILLED, 12)
