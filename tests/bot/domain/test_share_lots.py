"""Shares in orders, lots, fees and hours: without an end, without a premium, and told apart from those of others."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import InvalidValueError
from bot.domain.fees import FeeSchedule
from bot.domain.instrument import VXX, Kind, share
from bot.domain.ledger import fee_usd, lots_of
from bot.domain.orders import Fill, FillPart, Order, Purpose
from bot.domain.portfolio import Lot
from bot.domain.products import found_products, shares_in_lots
from bot.domain.schedule import NEW_YORK
from tests.builders import (
    ACCOUNT,
    FEES,
    NOON,
    NOVEMBER,
    TODAY,
    a_book,
    a_lot,
    a_session,
    an_intent,
    an_order,
    buys,
    sells,
    spread_legs,
)

UVXY = share("UVXY", "BATS")


def a_share_order(shares: int, *, price: str = "30.00", sale: bool = False, ref: str = "v-1") -> Order:
    """An order in VXX for the overlay, filled whole."""
    intent = an_intent(
        (sells(VXX) if sale else buys(VXX),),
        quantity=shares,
        limit=f"-{price}" if sale else price,
        purpose=Purpose.OVERLAY_UNWIND if sale else Purpose.OVERLAY_BUILD,
        intent_id=ref,
        exposure=1.2,
    )
    return an_order(intent, filled=shares)


def its_fill(order: Order, price: str, shares: int | None = None, *, days: int = 0, part: int = 1) -> Fill:
    """An execution of all or of some of it."""
    leg = order.intent.legs[0]
    return Fill(
        exec_id=f"e-{order.intent.intent_id}-{part}",
        order_ref=order.intent.intent_id,
        perm_id=1,
        account=ACCOUNT,
        part=FillPart.WHOLE,
        instrument=VXX,
        side=leg.side,
        quantity=shares or order.intent.quantity,
        price=Decimal(price),
        at=NOON + timedelta(days=days),
    )


def a_share_lot(shares: int, **changes: object) -> Lot:
    """Shares of VXX of the overlay."""
    lot = replace(a_lot((buys(VXX),), units=shares), expires_on=None)
    return replace(lot, **changes)  # type: ignore[arg-type]  # test shorthand: checked by the class


# lots -----------------------------------------------------------------------------------------------------------


def test_bought_shares_make_a_lot_without_an_end_that_costs_its_fees() -> None:
    """What is paid for them is no cost: the cap charges what they may lose."""
    order = a_share_order(60)
    (lot,) = lots_of([order], [its_fill(order, "30.00")], {}, FEES)
    assert (lot.expires_on, lot.units_open, lot.entry_price) == (None, 60, Decimal("30.00"))
    assert (lot.cost_usd, lot.exposure_usd_per_point) == (Decimal("1.00"), 1.2)
    assert lot.carries_reserve


@pytest.mark.parametrize(("price", "recovered"), [("28.50", "-46.00"), ("33.00", "89.00")])
def test_sold_shares_recover_their_change_of_price(price: str, recovered: str) -> None:
    """Thirty of sixty go at a loss of 1.50 or a gain of 3.00 each, less the fee of the order."""
    build, sale = a_share_order(60), a_share_order(30, price=price, sale=True, ref="u-1")
    fills = [its_fill(build, "30.00"), its_fill(sale, price, days=1)]
    (lot,) = lots_of([build, sale], fills, {}, FEES)
    assert (lot.units_open, lot.recovered_usd) == (30, Decimal(recovered))
    assert lot.last_sold_on == TODAY + timedelta(days=1)


def test_shares_live_as_long_as_any_are_left() -> None:
    """Options are gone on the morning of their settlement; shares in a hundred years are not."""
    assert a_share_lot(1).lives_on(TODAY.replace(year=2126))
    assert not a_share_lot(1, units_open=0).lives_on(TODAY)
    assert [a_lot().lives_on(NOVEMBER - timedelta(days=days)) for days in (1, 0)] == [True, False]


def test_only_shares_have_no_end() -> None:
    """A lot of options without the day on which it expires is none."""
    with pytest.raises(InvalidValueError, match="its contracts settle"):
        replace(a_lot(spread_legs()), expires_on=None)


# fees -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("shares", "fee"), [(0, "0.00"), (1, "1.00"), (100, "1.00"), (101, "1.01"), (1000, "10.00")])
def test_an_order_in_shares_has_a_least_fee(shares: int, fee: str) -> None:
    """A cent a share, a dollar at least, and nothing for nothing."""
    assert FEES.of_order((buys(VXX),), shares) == Decimal(fee)
    assert FEES.of_intent(an_intent((buys(VXX),)), shares) == Decimal(fee)
    assert FEES.of_contract("VXX", Kind.STOCK) == Decimal("0.01")


@pytest.mark.parametrize("name", ["per_share_usd", "least_share_order_usd"])
def test_fees_of_shares_are_not_negative(name: str) -> None:
    """A fee below zero would pay for the hedge."""
    with pytest.raises(InvalidValueError):
        FeeSchedule(**{name: Decimal("-0.01")})  # type: ignore[arg-type]  # wrong values on purpose


def test_the_least_fee_counts_once_and_until_the_broker_has_said() -> None:
    """Two parts of one order bear it together; one that is known counts where both are more; known of both, no more."""
    order = a_share_order(60)
    fills = [its_fill(order, "30.00", 20, part=1), its_fill(order, "30.00", 40, part=2)]
    first, second = fills[0].exec_id, fills[1].exec_id
    for known, fee in (
        ({}, "1.00"),
        ({first: Decimal("0.35")}, "1.00"),
        ({first: Decimal("0.90")}, "1.30"),
        ({first: Decimal("0.35"), second: Decimal("0.20")}, "0.55"),
    ):
        assert fee_usd(order, fills, known, FEES) == Decimal(fee)


@given(shares=st.integers(1, 5000), more=st.integers(0, 5000))
def test_more_shares_never_cost_less(shares: int, more: int) -> None:
    """The least of an order does not make the fee fall with size."""
    assert FEES.of_order((buys(VXX),), shares) <= FEES.of_order((buys(VXX),), shares + more)


# hours and orders -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("day", "hour"), [(17, 16), (27, 13)])
def test_shares_close_a_quarter_of_an_hour_before_index_options(day: int, hour: int) -> None:
    """At four, and at one on the day after Thanksgiving."""
    closes = a_session(TODAY.replace(month=11, day=day)).shares_close_at
    assert closes == datetime(2026, 11, day, hour, 0, tzinfo=NEW_YORK)


def test_a_spread_is_neither_a_share_nor_charged_a_reserve() -> None:
    """Its premium is its cost."""
    assert (an_intent().is_share, an_intent().carries_reserve) == (False, False)
    assert (an_intent((buys(VXX),)).is_share, an_intent((buys(VXX),)).carries_reserve) == (True, True)


# those of others ------------------------------------------------------------------------------------------------


def test_found_products_are_those_beside_our_own_lots() -> None:
    """Of 100 VXX sixty are the bot's: forty are found, without a cost of their own; UVXY is found whole."""
    book = a_book(positions={VXX: 100, UVXY: 5, share("SPY", "ARCA"): 7}, lots=(a_share_lot(40), a_share_lot(20)))
    assert shares_in_lots(book, VXX.key) == 60
    assert {one.instrument.symbol: one.quantity for one in found_products(book)} == {"VXX": 40, "UVXY": 5}
    assert found_products(a_book(positions={VXX: 60}, lots=(a_share_lot(60),))) == ()
    assert found_products(a_book(positions={VXX: 60}, lots=(a_share_lot(60, units_open=0),)))[0].quantity == 60
