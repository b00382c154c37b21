"""Fill models: what waits in a queue, who comes to it, and what it costs."""

from datetime import timedelta
from decimal import Decimal

import pytest
from floors import a_spread, an_order
from hypothesis import given
from hypothesis import strategies as st
from pits import AT, HIGH, LOW, Pit, executions, fills_of, standings

from bot.domain.errors import InvalidValueError
from bot.domain.instrument import Side
from simulator.fills import AdverseSelection, Latency, Pending, QueuePosition, VenueFills, even_number
from simulator.orders.view import Sides
from simulator.venue import VenueStatus

ALWAYS = AdverseSelection(base=1.0)
NEVER = AdverseSelection(base=0.0, inside=0.0, adverse=0.0)
MARKET = Sides(bid=Decimal("1.30"), ask=Decimal("1.40"))


def a_pending(limit: str, side: Side = Side.BUY, number: int = 1) -> Pending:
    """Return an order of ten VIX calls that acts since a minute."""
    return Pending(
        order=an_order(LOW, side=side, limit=limit, quantity=10),
        limit=Decimal(limit),
        open_units=10,
        number=number,
        since=AT,
        at=AT + timedelta(minutes=1),
    )


def test_an_order_at_the_touch_waits_for_those_before_it() -> None:
    """Ten stand before it; half of the volume trades at its side: 14 bring it to seven, 10 more to two, 8 serve it."""
    pit = Pit(fills=VenueFills(selection=ALWAYS))
    pit.show(LOW, "1.30", "1.35", size=10, volume=100)
    told = [pit.place(LOW, limit="1.30", quantity=5)]
    for volume in (106, 116, 124, 140):
        pit.show(LOW, "1.30", "1.35", size=10, volume=volume)
        told.append(pit.step(15))

    assert [fills_of(events) for events in told] == [[], [], [], [(1, 2, "1.30")], [(1, 3, "1.30")]]


def test_an_order_fills_when_the_price_trades_through_it() -> None:
    """Whatever stands before it: an ask at its limit fills it."""
    pit = Pit(fills=VenueFills(selection=NEVER))
    pit.place(LOW, limit="1.30", quantity=5)
    pit.show(LOW, "1.25", "1.30")

    assert fills_of(pit.step(15)) == [(1, 5, "1.30")]


def test_an_order_behind_the_best_price_is_not_reached() -> None:
    """At 1.25 under a bid of 1.30 nobody comes, however much trades."""
    pit = Pit(fills=VenueFills(selection=ALWAYS))
    pit.show(LOW, "1.30", "1.35", volume=100)
    pit.place(LOW, limit="1.25")
    pit.show(LOW, "1.30", "1.35", volume=900)

    assert executions(pit.step(15)) == []


def test_a_larger_order_loses_its_place_and_a_smaller_one_keeps_it() -> None:
    """Nine of ten before it are served; growing sends it back to the end."""
    found = []
    for quantity in (4, 6):
        pit = Pit(fills=VenueFills(selection=ALWAYS))
        pit.show(LOW, "1.30", "1.35", volume=100)
        pit.place(LOW, limit="1.30", quantity=5)
        pit.show(LOW, "1.30", "1.35", volume=118)
        pit.step(15)
        pit.place(LOW, limit="1.30", quantity=quantity)
        pit.show(LOW, "1.30", "1.35", volume=126)
        found.append(fills_of(pit.step(15)))

    assert found == [[(1, 3, "1.30")], []]


def test_without_a_known_volume_a_share_of_the_displayed_size_trades() -> None:
    """A tenth of twenty at each look: the order before which twenty stand is reached after ten looks."""
    pit = Pit(fills=VenueFills(queue=QueuePosition(turnover_frac=0.1), selection=ALWAYS))
    pit.show(LOW, "1.30", "1.35", size=20)
    pit.place(LOW, limit="1.30")

    waits = [pit.step(15) for _ in range(11)]

    assert [len(executions(events)) for events in waits] == [0] * 10 + [1]


def test_an_order_in_the_middle_is_come_to_where_nothing_trades_at_the_sides() -> None:
    """A twentieth of forty at each look, though the volume stands still; at the side nobody comes."""
    found = []
    for limit in ("1.35", "1.30"):
        pit = Pit(fills=VenueFills(selection=ALWAYS))
        pit.show(LOW, "1.30", "1.40", size=40, volume=100)
        pit.place(LOW, limit=limit, quantity=5)
        found.append([fills_of(pit.step(15)) for _ in range(3)])

    assert found == [[[(1, 2, "1.35")], [(1, 2, "1.35")], [(1, 1, "1.35")]], [[], [], []]]


def test_what_an_order_displays_is_all_that_comes_to_it_at_once() -> None:
    """Twenty come, two are shown: two trade at each look."""
    pit = Pit(fills=VenueFills(selection=ALWAYS))
    pit.show(LOW, "1.30", "1.40", volume=100)
    pit.place(LOW, limit="1.35", quantity=6, display_quantity=2)
    pit.show(LOW, "1.30", "1.40", volume=140)

    assert fills_of(pit.step(15)) == [(1, 2, "1.35")]


def test_an_order_acts_after_its_latency() -> None:
    """Placed with 250 ms: nothing at once and nothing after 249, a fill after 250."""
    pit = Pit(fills=VenueFills(latency=Latency(ms=250)))

    found = [pit.place(LOW, limit="1.35"), pit.step(0.249), pit.step(0.001)]

    assert [len(executions(events)) for events in found] == [0, 0, 1]


@pytest.mark.parametrize(
    ("limit", "side", "against", "chance"),
    [
        ("1.30", Side.BUY, 0.0, 0.25),
        ("1.35", Side.BUY, 0.0, 0.50),
        ("1.35", Side.SELL, 0.0, 0.50),
        ("1.40", Side.SELL, 0.0, 0.25),
        ("1.30", Side.BUY, 1.0, 0.75),
        ("1.30", Side.BUY, -1.0, 0.25),
        ("1.30", Side.BUY, 9.0, 1.0),
    ],
)
def test_a_fill_is_likelier_inside_the_spread_and_against_a_move(
    limit: str, side: Side, against: float, chance: float
) -> None:
    """A quarter at the touch, half in the middle, more when the market moves against the order, never above one."""
    found = AdverseSelection().chance(a_pending(limit, side), Decimal(limit), MARKET, against)

    assert found == pytest.approx(chance)


def test_a_falling_market_fills_more_bids_than_a_rising_one() -> None:
    """Two hundred bids over a move of half a spread each way: those against whom it moves are filled more often."""
    selection = AdverseSelection(inside=0.0)
    counts = {
        against: sum(
            selection.comes(pending, selection.chance(pending, Decimal("1.30"), MARKET, against))
            for pending in (a_pending("1.30", number=number) for number in range(200))
        )
        for against in (1.0, -1.0)
    }

    assert counts[1.0] > 2 * counts[-1.0] > 0


def test_a_combo_between_its_natural_prices_may_fill_at_its_limit() -> None:
    """The spread is 0.75 to 0.85: a bid of 0.80 is filled there, and the legs add up to it."""
    pit = Pit(fills=VenueFills(selection=ALWAYS))
    pit.place(*a_spread(LOW, HIGH), limit="0.80")

    whole, first, second = executions(pit.step(15))

    assert (whole.price, first.price - second.price) == (Decimal("0.80"), Decimal("0.80"))
    assert standings(pit.step(15)) == []


def test_the_same_seed_fills_the_same_orders() -> None:
    """Two pits with one seed tell the same, another seed tells something else at some time."""

    def played(seed: int) -> list[int]:
        pit = Pit(fills=VenueFills(selection=AdverseSelection(seed=seed)))
        pit.show(LOW, "1.30", "1.40")
        pit.place(LOW, limit="1.35", quantity=50)
        return [len(executions(pit.step(15))) for _ in range(30)]

    assert played(1) == played(1) != played(2)


@given(st.integers(0, 2**31), st.lists(st.integers(0, 2**40), min_size=200, max_size=200, unique=True))
def test_the_numbers_are_even(seed: int, moments: list[int]) -> None:
    """They lie in [0, 1), and among two hundred neither half holds less than a fifth."""
    found = [even_number(seed, 1, moment) for moment in moments]

    assert all(0.0 <= each < 1.0 for each in found)
    assert 40 <= sum(each < 0.5 for each in found) <= 160


@pytest.mark.parametrize(
    "make",
    [
        lambda: Latency(ms=-1),
        lambda: QueuePosition(touch_frac=1.5),
        lambda: QueuePosition(turnover_frac=-0.1),
        lambda: AdverseSelection(base=-0.1),
    ],
)
def test_models_reject_what_cannot_be(make: object) -> None:
    """Negative times and chances, shares above one."""
    assert callable(make)
    with pytest.raises(InvalidValueError):
        make()


def test_a_market_order_is_filled_at_once_by_the_composed_model() -> None:
    """Without latency it takes the displayed size as it comes."""
    pit = Pit(fills=VenueFills())

    assert standings(pit.place(LOW, quantity=10))[-1] == (VenueStatus.FILLED, 10)
