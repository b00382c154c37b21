"""Shares of VXX for the overlay: who may buy and sell them, when, how many, at what cost, counted once (M5, C14)."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from bot.deltas import book_delta, overlay_delta
from bot.domain.decision import Approved, Refused, Rule
from bot.domain.instrument import SPX, VIX, VXX, Instrument, share
from bot.domain.layer import Layer
from bot.domain.mode import TradingMode
from bot.domain.orders import OrderIntent, Purpose
from bot.domain.products import found_products
from bot.domain.schedule import NEW_YORK
from bot.domain.snapshot import Snapshot
from bot.reserves import reserve_usd
from bot.valuation import Unvalued, ValuationSettings, Valuer
from risk.checks.hedge_cost import cost_report
from risk.cost import Charge, CostModel, charges_of
from risk.gate import Gate
from risk.margin import bound_usd, gross_added_usd
from risk.products import products_charge_usd
from tests.builders import (
    FEES,
    TODAY,
    a_future,
    a_plan,
    a_session,
    an_account,
    an_intent,
    an_order,
    buys,
    sells,
)
from tests.risk.scenes import LIMITS, a_build, calm_noon, checked_by, rules_against, scene_of, verdict_on, with_book
from tests.risk.share_scenes import (
    TO_BUY,
    a_share_build,
    a_share_lot,
    a_share_sale,
    with_overlay,
    with_shares,
)
from tests.told import as_told

PERMITTING = replace(LIMITS, permit_vxx_shares=True)
NONE_HELD = with_shares({VXX: 0})
ROOMY = with_shares({VXX: 0}, snapshot=with_book(calm_noon(40), account=an_account(2_000_000)))
"""Forty condors in an account that can bear them."""
UVXY = share("UVXY", "BATS")
DAY = timedelta(days=1)


# permission and shape -------------------------------------------------------------------------------------------


@pytest.mark.control("C14")
def test_shares_are_bought_only_where_the_limit_says_so() -> None:
    """Off by default, the gate refuses by its own rule alone; permitted, the order passes everything."""
    assert rules_against(verdict_on(a_share_build(), ROOMY)) == {Rule.PERMISSION}
    assert isinstance(verdict_on(a_share_build(), ROOMY, PERMITTING), Approved)


@pytest.mark.control("C14")
@pytest.mark.parametrize(
    "intent",
    [
        a_share_build(product=UVXY),
        a_share_build(product=share("AAPL", "NASDAQ")),
        a_share_build(product=replace(VXX, currency="EUR")),
        a_share_build(product=replace(VXX, exchange="NYSE")),
        a_share_build(product=replace(VXX, multiplier=100)),
        a_share_build(purpose=Purpose.BASE_BUILD),
        a_share_build(purpose=Purpose.WING_ROLL),
    ],
)
def test_no_other_share_and_no_other_purpose(intent: OrderIntent) -> None:
    """VXX in USD on its exchange, for the overlay alone."""
    assert not checked_by(Rule.PERMISSION, intent, NONE_HELD, limits=PERMITTING).passed


@pytest.mark.control("C18")
def test_shares_are_bought_only_where_their_exchange_is_permitted_and_sold_whatever_is() -> None:
    """VXX is listed on BATS: without it no purchase, and what the overlay holds still goes."""
    elsewhere = replace(PERMITTING, permitted_exchanges=frozenset({"CBOE", "CFE"}))
    assert checked_by(Rule.PERMISSION, a_share_build(), NONE_HELD, limits=PERMITTING).passed
    assert not checked_by(Rule.PERMISSION, a_share_build(), NONE_HELD, limits=elsewhere).passed
    assert checked_by(Rule.PERMISSION, a_share_sale(60), with_overlay(60), limits=elsewhere).passed


def test_what_the_overlay_holds_may_be_sold_whatever_is_permitted() -> None:
    """Leave that was taken back must not trap the shares: all of them, a part, and no more than the lots hold."""
    snapshot = with_overlay(60)
    for shares, passed in ((60, True), (59, True), (61, False)):
        checked = checked_by(Rule.PERMISSION, a_share_sale(shares), snapshot)
        assert (checked.passed, checked.found) == (passed, "permitted" if passed else "STK:VXX")
    assert isinstance(verdict_on(a_share_sale(60), snapshot), Approved)


def test_a_sale_needs_lots_and_position() -> None:
    """Shares that nobody bought for the overlay are not sold, and a lot without its shares would open a short."""
    found, gone = with_shares({VXX: 60}), with_overlay(60)
    positions = {key: held for key, held in gone.book.positions.items() if key != VXX.key}
    for snapshot in (found, with_book(gone, positions=positions)):
        assert {Rule.WELL_FORMED, Rule.PERMISSION} <= rules_against(verdict_on(a_share_sale(), snapshot, PERMITTING))
    assert not checked_by(Rule.WELL_FORMED, a_share_sale(1), gone, earlier=(a_share_sale(60),)).passed


def test_shares_sold_short_are_not_bought_back() -> None:
    """Whoever sold them short keeps that: neither as a purchase nor as a sale of the hedge does the bot buy any."""
    short = with_shares({VXX: -60})
    assert rules_against(verdict_on(a_share_build(), short, PERMITTING)) >= {Rule.WELL_FORMED}
    closing = a_share_build(purpose=Purpose.OVERLAY_UNWIND)
    assert scene_of(short).buys_back(closing)
    assert not checked_by(Rule.PERMISSION, closing, short, limits=PERMITTING).passed


@pytest.mark.parametrize(("held", "own", "passed"), [(0, 0, True), (60, 60, True), (61, 60, False), (59, 60, False)])
def test_shares_are_not_bought_beside_those_of_others(held: int, own: int, passed: bool) -> None:  # noqa: FBT001 - a table
    """The account must hold exactly the shares of our own lots."""
    snapshot = with_overlay(own, others=held - own) if own else with_shares({VXX: held})
    checked = checked_by(Rule.WELL_FORMED, a_share_build(), snapshot)
    fault = "" if passed else "the account does not hold exactly the shares of our own lots"
    assert (checked.passed, checked.note) == (passed, fault)


def test_shares_are_single_bought_and_paid_for() -> None:
    """Neither sold first nor for nothing."""
    assert not checked_by(Rule.WELL_FORMED, an_intent((sells(VXX),), limit="30.00"), NONE_HELD).passed
    assert checked_by(Rule.WELL_FORMED, a_share_build(limit="0"), NONE_HELD).note == "a purchase pays"
    assert not checked_by(Rule.WELL_FORMED, an_intent((buys(VXX, 2),), limit="60.00"), NONE_HELD).passed


# price, hours, size ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("limit", "passed"), [("30.60", True), ("30.61", False)])
def test_the_collar_of_shares_is_that_of_a_future(limit: str, passed: bool) -> None:  # noqa: FBT001 - a table
    """Two percent of the middle."""
    checked = checked_by(Rule.PRICE_COLLAR, a_share_build(limit=limit), NONE_HELD)
    assert (checked.passed, checked.limit) == (passed, Decimal("0.60"))


def _at(day: int, hour: int, minute: int, second: int = 0) -> Snapshot:
    moment = datetime(2026, 11, day, hour, minute, second, tzinfo=NEW_YORK)
    return as_told(replace(NONE_HELD, now=moment, session=a_session(moment.date())), VXX)


@pytest.mark.control("C24")
@pytest.mark.parametrize(
    ("snapshot", "fault"),
    [
        (_at(17, 9, 39, 59), "too soon after the open"),
        (_at(17, 9, 40), ""),
        (_at(17, 15, 49, 59), ""),
        (_at(17, 15, 50), "too near to the close"),
        (_at(27, 12, 49, 59), ""),
        (_at(27, 12, 50), "too near to the close"),
        (replace(NONE_HELD, session=None), "no session is open"),
    ],
)
def test_shares_trade_a_quarter_of_an_hour_less(snapshot: Snapshot, fault: str) -> None:
    """Their last order leaves at 15:50, at 12:50 on an early close, and no last trading day ends their life."""
    checked = checked_by(Rule.SESSION_HOURS, a_share_build(), snapshot)
    assert (checked.passed, checked.note) == (not fault, fault)


@pytest.mark.control("C9")
def test_shares_have_a_size_limit_of_their_own() -> None:
    """A thousand pass though no order may have more than a hundred contracts; one more does not."""
    for shares, passed in ((1000, True), (1001, False)):
        checked = checked_by(Rule.ORDER_SIZE, a_share_build(shares), NONE_HELD)
        assert (checked.passed, checked.note) == (passed, "shares")
    lower = replace(LIMITS, max_shares_per_order=59)
    assert not checked_by(Rule.ORDER_SIZE, a_share_build(60), NONE_HELD, limits=lower).passed


def test_too_many_shares_are_cut_to_a_size_that_passes() -> None:
    """Of five thousand a thousand are left, or what else is the largest that passes, to the single share."""
    lavish = replace(PERMITTING, neutrality_de_minimis_frac=1.0)
    rich = with_book(ROOMY, account=an_account(50_000_000))
    verdict = verdict_on(a_share_build(5000), rich, lavish)
    assert isinstance(verdict, Refused)
    assert verdict.largest_quantity == 1000
    for value, largest in ((30, 0), (31, 1), (300, 9), (301, 10), (12_004, 400), (30_009, 999)):
        cut = verdict_on(a_share_build(5000), rich, replace(lavish, max_order_value_usd=Decimal(value)))
        assert isinstance(cut, Refused)
        assert cut.largest_quantity == largest


# cost -----------------------------------------------------------------------------------------------------------


def test_a_share_is_charged_its_reserve_and_the_fee_of_its_order() -> None:
    """A quarter of VIX at 18 takes 5.40 USD of each; sixty cost that and the least fee of an order, 200 two USD."""
    scene = scene_of(NONE_HELD)
    plain = cost_report(scene).book
    for shares, cost in ((60, "325.00"), (200, "1082.00")):
        wanted = cost_report(scene, a_share_build(shares)).book
        assert wanted.charge_usd - plain.charge_usd == Decimal(cost)
        assert wanted.whole_usd - plain.whole_usd == Decimal(cost)


@pytest.mark.parametrize(("price", "each"), [("33", "5.40"), ("40", "10.00"), ("20", "5.40")])
def test_a_held_share_is_charged_its_loss_where_that_is_more(price: str, each: str) -> None:
    """Bought at 40 it has lost ten USD, more than mean reversion would take; a gain pays for nothing."""
    valuer = Valuer(NONE_HELD, ValuationSettings())
    assert reserve_usd(VXX, valuer, Decimal(price)) == Decimal(each)
    plain, held = (cost_report(scene_of(one)).book for one in (NONE_HELD, with_overlay(60, price=price)))
    assert held.charge_usd - plain.charge_usd == 60 * Decimal(each) + 1


def test_the_reserve_of_a_future_is_what_it_was() -> None:
    """Whatever else costs a reserve, VXM is charged roll-down and mean reversion."""
    valuer = Valuer(NONE_HELD, ValuationSettings())
    mini = a_future("VXM")
    assert reserve_usd(mini, valuer) == valuer.future_reserve_usd(mini)


def test_the_charge_lies_on_the_days_that_shares_were_held() -> None:
    """From the purchase to today, both included; what was sold costs its loss over the days it was held."""
    bought, sold = TODAY - 9 * DAY, TODAY - 2 * DAY
    whole = a_share_lot(60, bought_on=bought)
    assert charges_of(whole, Decimal("324.00"), TODAY) == (
        Charge(name="v-1:open", amount_usd=Decimal("325.00"), first=bought, last=TODAY),
    )
    half = a_share_lot(60, bought_on=bought, units_open=30, recovered_usd=Decimal("-91.00"), last_sold_on=sold)
    assert charges_of(half, Decimal("162.00"), TODAY) == (
        Charge(name="v-1:sold", amount_usd=Decimal("91.50"), first=bought, last=sold - DAY),
        Charge(name="v-1:open", amount_usd=Decimal("162.50"), first=bought, last=TODAY),
    )
    assert charges_of(a_share_lot(60), Decimal(0), TODAY)[0].days == 1


def test_a_purchase_on_its_way_counts_and_a_sale_costs_its_fee() -> None:
    """A working order is charged for what is left of it; a sale the fee of its order alone."""
    model = CostModel(fees=FEES, max_cost_frac=Decimal("0.40"), reserves={VXX.key: Decimal("5.40")})
    working = with_book(NONE_HELD, orders={"i-1": an_order(a_share_build(60), filled=20)}, lots=())
    assert cost_report(scene_of(working)).book.charge_usd == Decimal("217.00")
    assert model.worst_cost_usd(a_share_build(40), 40) == Decimal("217.00")
    assert model.worst_cost_usd(a_share_sale(60), 60) == Decimal("1.00")


@pytest.mark.parametrize("missing", ["answer", "level"])
def test_shares_without_a_reserve_are_refused(missing: str) -> None:
    """Without a measured answer or a level of VIX nobody knows what they cost; what is held can be sold."""
    for snapshot, intent, passed in (
        (NONE_HELD, a_share_build(), False),
        (with_overlay(60), a_build(), False),
        (with_overlay(60), a_share_sale(), True),
    ):
        lacking = (
            replace(snapshot, products={})
            if missing == "answer"
            else replace(snapshot, levels={SPX.key: snapshot.levels[SPX.key]})
        )
        refused = rules_against(verdict_on(intent, lacking, PERMITTING))
        assert ({Rule.HEDGE_COST_CAP_COHORT, Rule.HEDGE_COST_CAP_BOOK} <= refused) is not passed
        assert bool(refused) is not passed


# counted once ---------------------------------------------------------------------------------------------------


def test_the_overlays_own_shares_are_no_found_product() -> None:
    """They are charged by their lot alone, and stand once in the book's delta and once in the overlay's own."""
    snapshot = with_overlay(60)
    valuer = Valuer(snapshot, ValuationSettings())
    assert found_products(snapshot.book) == ()
    assert products_charge_usd(found_products(snapshot.book), valuer) == 0
    plain, held = (book_delta(one.book.positions, valuer) for one in (NONE_HELD, snapshot))
    assert isinstance(plain, float)
    assert isinstance(held, float)
    assert held - plain == pytest.approx(60 * -1.50)
    assert overlay_delta(snapshot.book.lots, valuer) == pytest.approx(60 * -1.50)


def test_shares_of_two_owners_have_no_cost_of_their_own() -> None:
    """The broker's average cost is of all of them: no purchase passes until ours are sold, and a sale does."""
    mixed = with_overlay(60, others=40)
    (found,) = found_products(mixed.book)
    assert (found.quantity, found.average_cost_usd) == (40, None)
    charge = products_charge_usd((found,), Valuer(mixed, ValuationSettings()))
    assert charge == Unvalued(reason="STK:VXX: the broker tells no average cost of these shares alone")
    refused = rules_against(verdict_on(a_build(), mixed))
    assert refused == {Rule.HEDGE_COST_CAP_COHORT, Rule.HEDGE_COST_CAP_BOOK, Rule.BREAK_EVENS}
    assert rules_against(verdict_on(a_share_sale(60), mixed)) == set()


def test_shares_that_somebody_else_sold_cost_nothing_more() -> None:
    """Less is held than our lots say: what is missing is short and hedges nothing, our lot is charged as before."""
    (missing,) = found_products(with_overlay(60, others=-20).book)
    assert missing.quantity == -20
    assert products_charge_usd((missing,), Valuer(NONE_HELD, ValuationSettings())) == 0


# account and losses ---------------------------------------------------------------------------------------------


def test_shares_bind_all_that_is_paid_for_them() -> None:
    """No loan is counted on: sixty at 30.01 bind 1,800.60 USD and the fee, and add as much to the gross value."""
    assert bound_usd(a_share_build(60), 60, FEES, Decimal("0.50")) == Decimal("1801.60")
    assert bound_usd(a_share_sale(60), 60, FEES, Decimal("0.50")) == Decimal("1800.40")  # short, if it closed nothing
    assert gross_added_usd(TO_BUY, 60, Valuer(NONE_HELD, ValuationSettings())) == Decimal("1800.60")


def test_shares_lose_in_mean_reversion_as_often_as_they_are_held() -> None:
    """Sixty of them lose 324 USD when VIX gives back a quarter, held and wanted alike."""
    plain = checked_by(Rule.MEAN_REVERSION_LOSS, a_build(), NONE_HELD)
    held = checked_by(Rule.MEAN_REVERSION_LOSS, a_build(), with_overlay(60))
    assert float(str(held.found)) - float(str(plain.found)) == pytest.approx(324.0, abs=0.02)
    wanted = checked_by(Rule.MEAN_REVERSION_LOSS, a_share_build(60), NONE_HELD)
    more = checked_by(Rule.MEAN_REVERSION_LOSS, a_share_build(160), NONE_HELD)
    assert float(str(more.found)) - float(str(wanted.found)) == pytest.approx(540.0, abs=0.02)


def test_what_is_paid_for_shares_excuses_no_loss() -> None:
    """Beyond the limit of losses a premium may worsen a scenario by itself; the price of shares may not."""
    poor = with_book(NONE_HELD, account=an_account(50_000))
    assert not checked_by(Rule.WORST_LOSS, a_share_build(60), poor).passed


def test_reduce_only_lets_no_shares_be_bought() -> None:
    """They lose when VIX falls by more than their fees, like a future."""
    reduced = replace(ROOMY, mode=TradingMode.REDUCE_ONLY)
    assert rules_against(verdict_on(a_share_build(), reduced, PERMITTING)) == {Rule.TRADING_MODE}


def test_a_plan_of_shares_and_spreads_is_judged_as_one() -> None:
    """What was approved first counts for what follows: the same shares are not bought twice."""
    both = (a_share_build(60), replace(a_share_build(60), intent_id="i-2"))
    verdicts = Gate(PERMITTING, FEES).review(a_plan(*both), ROOMY)
    assert isinstance(verdicts[0], Approved)
    assert rules_against(verdicts[1]) == {Rule.DUPLICATES}


def test_the_overlay_holds_the_shares() -> None:
    """The scene's own lot is the overlay's, so that a base layer can sell none of it."""
    assert a_share_lot().layer is Layer.OVERLAY
    of_the_base = replace(a_share_sale(), purpose=Purpose.BASE_EXIT, layer=Layer.SHORT)
    assert not checked_by(Rule.WELL_FORMED, of_the_base, with_overlay(60)).passed


@pytest.mark.parametrize("product", [VXX, UVXY, VIX])
def test_only_stock_is_a_share(product: Instrument) -> None:
    """An index is none."""
    intent = an_intent((buys(product),))
    assert (intent.is_share, intent.carries_reserve) == (product is not VIX, product is not VIX)
