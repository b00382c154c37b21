"""The cost cap to the cent: lots, cohorts, orders on their way."""

import math
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import InvalidValueError
from bot.domain.fees import FeeSchedule
from bot.domain.orders import OrderIntent
from bot.domain.portfolio import Book, Cohort, Lot, Provenance
from risk.cost import Bearers, Charge, CostModel, charges_of, last_day
from risk.limits import Amortise
from tests.builders import (
    FEES,
    TODAY,
    a_book,
    a_future,
    a_lot,
    an_intent,
    an_order,
    buys,
    mirrored,
    sells,
    spread_legs,
    vix_call,
)

DAY = timedelta(days=1)
MODEL = CostModel(fees=FEES, max_cost_frac=Decimal("0.40"))
NO_FEES = FeeSchedule(per_contract_usd={}, otherwise_option_usd=Decimal(0), otherwise_future_usd=Decimal(0))
FREE = CostModel(fees=NO_FEES, max_cost_frac=Decimal("0.40"))


def a_cohort(
    settlement: date = TODAY + 45 * DAY,
    *,
    opened: date = TODAY,
    credit: float | str = 1000,
    trading_class: str = "SPXW",
) -> Cohort:
    """A cohort opened today for 45 days."""
    return Cohort(
        trading_class=trading_class,
        settlement=settlement,
        opened_on=opened,
        credit_usd=Decimal(str(credit)),
        maximum_loss_usd=Decimal(20_000),
        provenance=Provenance.OPERATOR,
    )


def a_book_of(*cohorts: Cohort, lots: tuple[Lot, ...] = (), past: tuple[Cohort, ...] = ()) -> Book:
    """A book of cohorts and lots, without positions: the cost needs none."""
    return a_book(lots=lots, cohorts=cohorts, past_cohorts=past)


def charged(charges: list[Charge], cohorts: tuple[Cohort, ...], *, spread: bool) -> dict[str, Decimal]:
    """What each cohort bears, rounded up once."""
    names = list(dict.fromkeys(cohort.name for cohort in cohorts))
    bearers = Bearers(cohorts, asked=names)
    whole, over_days = bearers.rounded(bearers.sums(charges), ())
    return dict(zip(names, over_days if spread else whole, strict=True))


def test_the_last_day_of_a_charge_belongs_to_whoever_is_open_then() -> None:
    """Two days, on the second of which another cohort opens: of that day it bears half, of the first nothing."""
    first = a_cohort(TODAY + 9 * DAY)
    second = a_cohort(TODAY + 40 * DAY, opened=TODAY + DAY)
    charge = Charge(name="two days", amount_usd=Decimal(100), first=TODAY, last=TODAY + DAY)
    assert charged([charge], (first, second), spread=True) == {first.name: Decimal(75), second.name: Decimal(25)}
    assert charged([charge], (first, second), spread=False) == {first.name: Decimal(100), second.name: Decimal(0)}


def test_a_cohort_bears_the_day_on_which_it_settles_and_none_after() -> None:
    """Of three days the first two are its own, the third the next one's."""
    first = a_cohort(TODAY + DAY)
    second = a_cohort(TODAY + 40 * DAY, opened=TODAY + 2 * DAY)
    charge = Charge(name="three days", amount_usd=Decimal(90), first=TODAY, last=TODAY + 2 * DAY)
    assert charged([charge], (first, second), spread=True) == {first.name: Decimal(60), second.name: Decimal(30)}


def test_a_hedge_is_charged_for_the_days_that_a_cohort_is_open() -> None:
    """Of a lot that lives 60 days, a cohort that is open for the first 30 of them bears half."""
    lot = a_lot(cost=120, expires_on=TODAY + 60 * DAY)
    cohort = a_cohort(TODAY + 29 * DAY)
    report = FREE.report(a_book_of(cohort, lots=(lot,)), TODAY)
    assert report.cohorts[0].charge_usd == Decimal("60.00")
    assert report.cohorts[0].whole_usd == Decimal("120.00")


def test_two_cohorts_share_each_day_in_proportion_to_their_credit() -> None:
    """One day, one lot, credits of 300 and 100: three quarters and one quarter."""
    lot = a_lot(cost=100, expires_on=TODAY + DAY)
    cohorts = (a_cohort(credit=300), a_cohort(TODAY + 10 * DAY, credit=100))
    report = FREE.report(a_book_of(*cohorts, lots=(lot,)), TODAY)
    assert [one.charge_usd for one in report.cohorts] == [Decimal("75.00"), Decimal("25.00")]
    assert report.book.charge_usd == Decimal("100.00")


def test_cohorts_without_credit_share_evenly_and_are_breached() -> None:
    """Without any credit there is no proportion, and any cost is a breach."""
    lot = a_lot(cost=100, expires_on=TODAY + DAY)
    cohorts = (a_cohort(credit=0), a_cohort(TODAY + 10 * DAY, credit=0))
    report = FREE.report(a_book_of(*cohorts, lots=(lot,)), TODAY)
    assert [one.charge_usd for one in report.cohorts] == [Decimal(50), Decimal(50)]
    assert report.is_breached


def test_days_without_a_cohort_carry_to_the_next() -> None:
    """Five days before the cohort opens fall on it as well."""
    lot = a_lot(cost=100, bought_on=TODAY - 5 * DAY, expires_on=TODAY + 5 * DAY)
    report = FREE.report(a_book_of(a_cohort(), lots=(lot,)), TODAY)
    assert report.book.charge_usd == Decimal("100.00")


def test_days_after_the_last_cohort_are_a_later_ones() -> None:
    """What lies beyond the last settlement is not charged to anybody who is known today."""
    lot = a_lot(cost=100, expires_on=TODAY + 10 * DAY)
    report = FREE.report(a_book_of(a_cohort(TODAY), lots=(lot,)), TODAY)
    assert report.book.charge_usd == Decimal("10.00")


def test_a_settled_cohort_keeps_the_days_that_it_was_open() -> None:
    """A cohort that settled bears its days, so that its successor does not pay for them."""
    lot = a_lot(cost=100, bought_on=TODAY - 5 * DAY, expires_on=TODAY + 5 * DAY)
    past = a_cohort(TODAY - DAY, opened=TODAY - 30 * DAY)
    report = FREE.report(a_book_of(a_cohort(), lots=(lot,), past=(past,)), TODAY)
    assert report.book.charge_usd == Decimal("50.00")
    assert [one.cohort for one in report.cohorts] == [a_cohort().name]


def test_a_cohort_that_settled_but_is_still_booked_is_not_judged_twice() -> None:
    """A book that still shows settled condors counts them as past, once."""
    settled = a_cohort(TODAY - DAY, opened=TODAY - 30 * DAY)
    lot = a_lot(cost=100, bought_on=TODAY - 5 * DAY, expires_on=TODAY + 5 * DAY)
    report = FREE.report(a_book_of(settled, a_cohort(), lots=(lot,), past=(settled,)), TODAY)
    assert report.book.charge_usd == Decimal("50.00")


def test_a_sale_ends_the_life_of_a_lot() -> None:
    """A lot of 100 sold for 40 after ten days is charged 60 over these ten days."""
    lot = a_lot(
        cost=100,
        recovered=40,
        open_units=0,
        bought_on=TODAY - 10 * DAY,
        last_sold_on=TODAY,
        expires_on=TODAY + 99 * DAY,
    )
    assert charges_of(lot, Decimal(0), TODAY) == (
        Charge(name="lot-1:sold", amount_usd=Decimal(60), first=TODAY - 10 * DAY, last=TODAY - DAY),
    )


def test_a_gain_on_the_part_that_was_sold_does_not_pay_for_the_rest() -> None:
    """Half of a lot sold above cost leaves the other half at its full cost."""
    lot = a_lot(units=2, open_units=1, cost=100, recovered=500, last_sold_on=TODAY)
    assert [charge.amount_usd for charge in charges_of(lot, Decimal(0), TODAY)] == [Decimal(0), Decimal(50)]


def test_a_sale_without_a_date_counts_as_of_today() -> None:
    """Where nobody says when a part was sold, its life ends today."""
    lot = a_lot(units=2, open_units=1, cost=100, bought_on=TODAY - 4 * DAY)
    assert charges_of(lot, Decimal(0), TODAY)[0].last == TODAY - DAY


def test_a_lot_from_the_future_is_an_error() -> None:
    """A purchase after today cannot have happened."""
    with pytest.raises(InvalidValueError, match="lot-1"):
        charges_of(a_lot(bought_on=TODAY + DAY), Decimal(0), TODAY)


@pytest.mark.control("C11")
@pytest.mark.control("C20")
def test_an_order_that_may_fill_counts_at_its_worst() -> None:
    """A working order with three of five units left is charged for three, fees included."""
    order = an_order(an_intent(quantity=5, limit="1.00", cost="513.00"), filled=2)
    report = MODEL.report(a_book(orders=(order,), cohorts=(a_cohort(),)), TODAY)
    assert report.book.whole_usd == Decimal("307.80")  # 3 x 100 + 3 x 2 x 1.30


def test_an_understated_order_counts_at_what_it_costs() -> None:
    """An intent that states no cost is charged its premium and fees all the same."""
    report = MODEL.report(a_book_of(a_cohort()), TODAY, [an_intent(limit="1.00", cost=0)])
    assert report.book.whole_usd == Decimal("102.60")


def test_an_overstated_order_counts_at_what_it_states() -> None:
    """The larger figure counts."""
    report = MODEL.report(a_book_of(a_cohort()), TODAY, [an_intent(limit="1.00", cost="999.99")])
    assert report.book.whole_usd == Decimal("999.99")


def test_an_overstated_order_that_filled_in_part_counts_its_share_of_what_it_states() -> None:
    """Of four spreads stated at 4,000 USD three are left: 3,000 USD."""
    intent = an_intent(spread_legs(), quantity=4, limit="0.50", cost=4000)
    book = a_book(cohorts=(a_cohort(),), orders=(an_order(intent, filled=1),))
    assert MODEL.report(book, TODAY).book.whole_usd == Decimal("3000.00")


def test_an_order_filled_in_full_leaves_its_cost_to_the_lot() -> None:
    """A filled order counts nothing more: its lot does."""
    order = an_order(an_intent(quantity=1), filled=1)
    assert FREE.report(a_book(orders=(order,), cohorts=(a_cohort(),)), TODAY).book.whole_usd == 0


@pytest.mark.parametrize(
    ("limit", "expected"),
    [("-1.20", "0"), ("-0.01", "1.60"), ("1.20", "122.60")],
)
def test_the_worst_cost_of_an_option_order(limit: str, expected: str) -> None:
    """A purchase costs premium and fees; a sale what its fees exceed its proceeds by."""
    intent = an_intent(mirrored(spread_legs()) if limit.startswith("-") else None, limit=limit)
    assert MODEL.worst_cost_usd(intent, 1) == Decimal(expected)


def test_a_future_costs_its_reserve_and_a_sale_its_fee() -> None:
    """A bought mini is charged reserve and fee; a sold one the fee alone."""
    mini = a_future("VXM")
    model = CostModel(fees=FEES, max_cost_frac=Decimal("0.40"), reserves={mini.key: Decimal("250.00")})
    assert model.worst_cost_usd(an_intent((buys(mini),), limit="19.00"), 2) == Decimal("502.40")
    assert model.worst_cost_usd(an_intent((sells(mini),), limit="-19.00"), 2) == Decimal("2.40")


def test_a_reserve_counts_for_every_future_of_a_unit() -> None:
    """Two futures to a unit and three units are six of both reserve and fee."""
    future = a_future("VX")
    model = CostModel(fees=FEES, max_cost_frac=Decimal("0.40"), reserves={future.key: Decimal(100)})
    leg = replace(buys(future), ratio=2)
    assert model.worst_cost_usd(an_intent((leg,), quantity=3, limit="18.00"), 3) == 600 + 6 * Decimal("2.50")


def test_a_future_without_a_reserve_has_no_cost() -> None:
    """Where the reserve is unknown the cost is: an error, never zero."""
    with pytest.raises(InvalidValueError, match="reserve"):
        MODEL.worst_cost_usd(an_intent((buys(a_future("VXM")),)), 1)


def test_a_held_future_is_charged_its_own_reserve() -> None:
    """Each unit of a future's lot carries its reserve beside the fees paid; once sold it carries none."""
    lot = a_lot((buys(a_future("VXM")),), units=2, cost="2.40", expires_on=TODAY + DAY)
    model = CostModel(fees=FEES, max_cost_frac=Decimal("0.40"), held_reserves={lot.lot_id: Decimal(300)})
    assert model.report(a_book_of(a_cohort(), lots=(lot,)), TODAY).book.charge_usd == Decimal("602.40")
    sold = a_lot((buys(a_future("VXM")),), open_units=0, cost="2.40", last_sold_on=TODAY)
    assert MODEL.report(a_book_of(a_cohort(), lots=(sold,)), TODAY).book.charge_usd == Decimal("2.40")


def test_a_held_future_without_a_reserve_is_an_error() -> None:
    """A held future that cannot be valued leaves the cost unknown."""
    lot = a_lot((buys(a_future("VXM")),))
    with pytest.raises(InvalidValueError, match="lot-1"):
        MODEL.report(a_book_of(a_cohort(), lots=(lot,)), TODAY)


def test_exactly_the_cap_is_no_breach_and_a_cent_more_is() -> None:
    """Spending exactly 40 % of the credit passes."""
    cohort = a_cohort(credit=1000)
    at_cap = a_lot(cost="400.00", expires_on=TODAY + DAY)
    above = a_lot(cost="400.01", expires_on=TODAY + DAY)
    assert not FREE.report(a_book_of(cohort, lots=(at_cap,)), TODAY).is_breached
    report = FREE.report(a_book_of(cohort, lots=(above,)), TODAY)
    assert report.is_breached
    assert report.book.is_breached


def test_one_breached_cohort_breaches_the_report() -> None:
    """A cohort above its cap counts even where the book as a whole is below."""
    lot = a_lot(cost=100, expires_on=TODAY + 60 * DAY, bought_on=TODAY)
    poor = a_cohort(TODAY + 59 * DAY, credit=1)
    rich = a_cohort(TODAY, credit=10_000, trading_class="SPX")
    report = FREE.report(a_book_of(rich, poor, lots=(lot,)), TODAY)
    assert report.is_breached
    assert not report.book.is_breached
    assert report.tightest.cohort == poor.name


def test_without_a_cohort_everything_counts_against_nothing() -> None:
    """With no credit taken in, any cost is a breach; without any cost there is none."""
    assert FREE.report(a_book_of(lots=(a_lot(cost=1),)), TODAY).tightest.is_breached
    assert not FREE.report(a_book_of(), TODAY).is_breached


def test_unspread_amortisation_binds_the_whole_figure() -> None:
    """With "none" the cap binds what the purchase day costs, and both figures are still shown."""
    model = CostModel(fees=NO_FEES, max_cost_frac=Decimal("0.40"), amortise=Amortise.NONE)
    report = model.report(a_book_of(a_cohort(TODAY), lots=(a_lot(cost=100, expires_on=TODAY + 10 * DAY),)), TODAY)
    assert (report.book.charge_usd, report.book.whole_usd) == (Decimal(100), Decimal(100))


def test_a_charge_rejects_gains_and_lives_that_run_backwards() -> None:
    """An amount below zero or an end before the beginning is no charge."""
    with pytest.raises(InvalidValueError, match="amount_usd"):
        Charge(name="x", amount_usd=Decimal(-1), first=TODAY, last=TODAY)
    with pytest.raises(InvalidValueError, match="before it begins"):
        Charge(name="x", amount_usd=Decimal(1), first=TODAY, last=TODAY - DAY)
    assert Charge(name="x", amount_usd=Decimal(1), first=TODAY, last=TODAY + DAY).days == 2


def test_legs_without_a_settlement_have_no_last_day() -> None:
    """A hedge settles; legs that do not are an error."""
    with pytest.raises(InvalidValueError, match="settles"):
        last_day(())
    assert last_day((buys(vix_call(20)),)) == vix_call(20).settlement


# properties -------------------------------------------------------------------------------------------------------

cents = st.integers(0, 500_000).map(lambda number: Decimal(number) / 100)
days = st.integers(-40, 80).map(lambda number: TODAY + number * DAY)


@st.composite
def lots_bought(draw: st.DrawFn) -> Lot:
    """A lot bought up to 40 days ago, sold in part, in full, or not at all."""
    units = draw(st.integers(1, 6))
    bought = TODAY - draw(st.integers(0, 40)) * DAY
    return a_lot(
        units=units,
        open_units=draw(st.integers(0, units)),
        cost=str(draw(cents)),
        recovered=str(draw(cents)),
        bought_on=bought,
        expires_on=bought + draw(st.integers(1, 120)) * DAY,
        last_sold_on=bought + draw(st.integers(0, 5)) * DAY,
    )


@st.composite
def cohort_sets(draw: st.DrawFn) -> tuple[Cohort, ...]:
    """One to four cohorts with their own settlement each."""
    ends = draw(st.lists(st.integers(0, 60), min_size=1, max_size=4, unique=True))
    return tuple(
        a_cohort(TODAY + end * DAY, opened=TODAY - draw(st.integers(0, 30)) * DAY, credit=str(draw(cents)))
        for end in ends
    )


@given(lots=st.lists(lots_bought(), max_size=5), cohorts=cohort_sets())
def test_no_cent_is_lost_and_none_invented(lots: list[Lot], cohorts: tuple[Cohort, ...]) -> None:
    """With a cohort open to the end of all lives, the charges add up to all costs, rounded up once per cohort."""
    everlasting = a_cohort(TODAY + 400 * DAY, opened=TODAY - 400 * DAY, trading_class="SPX")
    bearers = (*cohorts, everlasting)
    charges = [charge for lot in lots for charge in charges_of(lot, Decimal(0), TODAY)]
    total = sum((charge.amount_usd for charge in charges), Decimal(0))
    borne = sum(charged(charges, bearers, spread=True).values(), Decimal(0))
    assert total <= borne < total + Decimal("0.01") * len(bearers) + Decimal("1e-12")


@given(lots=st.lists(lots_bought(), max_size=4), cohorts=cohort_sets(), more=cents)
def test_a_higher_cost_never_lowers_a_charge(lots: list[Lot], cohorts: tuple[Cohort, ...], more: Decimal) -> None:
    """Every cohort's charge grows or stays when a lot is added."""
    before = FREE.report(a_book_of(*cohorts, lots=tuple(lots)), TODAY)
    extra = a_lot(cost=str(more), bought_on=TODAY, expires_on=TODAY + 30 * DAY, lot_id="extra")
    after = FREE.report(a_book_of(*cohorts, lots=(*lots, extra)), TODAY)
    assert all(one.charge_usd <= two.charge_usd for one, two in zip(before.cohorts, after.cohorts, strict=True))


@given(lot=lots_bought(), gain=cents)
def test_a_gain_never_enlarges_the_cap(lot: Lot, gain: Decimal) -> None:
    """However much a sale recovered, no charge falls below zero and the open part keeps its cost."""
    rich = a_lot(
        units=lot.units_bought,
        open_units=lot.units_open,
        cost=str(lot.cost_usd),
        recovered=str(lot.cost_usd + gain),
        bought_on=lot.bought_on,
        expires_on=lot.expires_on,
        last_sold_on=lot.last_sold_on,
    )
    amounts = [charge.amount_usd for charge in charges_of(rich, Decimal(0), TODAY)]
    open_cost = lot.cost_usd * lot.units_open / lot.units_bought
    assert all(amount >= 0 for amount in amounts)
    assert sum(amounts) >= open_cost - Decimal("1e-9")


@given(quantity=st.integers(1, 50), limit=st.integers(1, 900), cohorts=cohort_sets())
def test_the_whole_figure_is_never_below_premium_and_fees(
    quantity: int, limit: int, cohorts: tuple[Cohort, ...]
) -> None:
    """On the day of purchase the unspread figures hold at least what leaves the account."""
    intent = an_intent(quantity=quantity, limit=str(Decimal(limit) / 100))
    report = MODEL.report(a_book_of(*cohorts), TODAY, [intent])
    assert report.book.whole_usd >= quantity * (Decimal(limit) + Decimal("2.60"))


@st.composite
def orders_wanted(draw: st.DrawFn) -> OrderIntent:
    """A call or a spread bought, or a call sold, of any size, settlement and stated cost."""
    settlement = TODAY + draw(st.integers(1, 90)) * DAY
    call, other = vix_call(20, settlement), vix_call(25, settlement)
    return an_intent(
        draw(st.sampled_from([(buys(call),), (sells(call),), (buys(call), sells(other))])),
        quantity=draw(st.integers(1, 9)),
        limit=str(Decimal(draw(st.integers(-300, 900))) / 100),
        cost=str(draw(cents)),
    )


@given(
    lots=st.lists(lots_bought(), max_size=4),
    cohorts=cohort_sets(),
    settled=st.sampled_from([(), (a_cohort(TODAY - DAY, opened=TODAY - 30 * DAY, credit=700),)]),
    orders=st.lists(orders_wanted(), max_size=3),
    amortise=st.sampled_from(Amortise),
)
def test_what_is_added_up_on_top_equals_the_slow_sum_of_shares(
    lots: list[Lot],
    cohorts: tuple[Cohort, ...],
    settled: tuple[Cohort, ...],
    orders: list[OrderIntent],
    amortise: Amortise,
) -> None:
    """An order on top of the sums of the moment is exact: as if every day of every charge were shared by hand."""
    model = CostModel(fees=FEES, max_cost_frac=Decimal("0.40"), amortise=amortise)
    charges = [charge for lot in lots for charge in charges_of(lot, Decimal(0), TODAY)]
    for order in orders:
        cost = max(order.worst_cost_usd, model.worst_cost_usd(order, order.quantity))
        last = TODAY if order.legs == (sells(order.legs[0].instrument),) else last_day(order.legs) - DAY
        charges.append(Charge(name="order", amount_usd=cost, first=TODAY, last=max(TODAY, last)))
    spread, whole = (_shared_by_hand(charges, (*cohorts, *settled), spread=spread) for spread in (True, False))
    bound = spread if amortise is Amortise.STRAIGHT_LINE else whole
    report = model.report(a_book_of(*cohorts, lots=tuple(lots), past=settled), TODAY, orders)
    assert [one.cohort for one in report.cohorts] == [one.name for one in cohorts]
    assert [one.charge_usd for one in report.cohorts] == [bound[one.name] for one in cohorts]
    assert [one.whole_usd for one in report.cohorts] == [whole[one.name] for one in cohorts]
    assert report.book.charge_usd == sum(bound[one.name] for one in cohorts)
    assert report.book.whole_usd == sum(whole[one.name] for one in cohorts)
    assert report.tightest == min(report.cohorts, key=lambda one: (one.cap_usd - one.charge_usd, one.cohort))


def _shared_by_hand(charges: list[Charge], cohorts: tuple[Cohort, ...], *, spread: bool) -> dict[str, Decimal]:
    """M9 to the letter: each day's share by credit among those open, else among those that open next; one rounding."""
    borne = {one.name: Fraction(0) for one in cohorts}
    for charge in charges:
        shared = charge.days if spread else 1
        for day in (charge.first + number * DAY for number in range(shared)):
            bearers = [one for one in cohorts if one.opened_on <= day <= one.settlement]
            if not bearers:
                opening = min((one.opened_on for one in cohorts if one.opened_on > day), default=None)
                bearers = [one for one in cohorts if one.opened_on == opening]
            credit = sum((Fraction(one.credit_usd) for one in bearers), Fraction(0))
            for one in bearers:
                part = Fraction(one.credit_usd) / credit if credit else Fraction(1, len(bearers))
                borne[one.name] += Fraction(charge.amount_usd) / shared * part
    return {name: Decimal(math.ceil(total * 100)) / 100 for name, total in borne.items()}
