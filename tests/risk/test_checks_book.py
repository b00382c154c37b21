"""Short calls, neutrality, the cap, message counts, locks and mode: a table of edges for each rule."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.deltas import band_half_width_usd
from bot.domain.decision import Rule
from bot.domain.instrument import Instrument, Kind
from bot.domain.mode import TradingMode
from bot.domain.orders import Cancelled, Leg, Purpose, Unknown
from bot.domain.portfolio import Position
from bot.domain.snapshot import Snapshot
from risk.exposure import Band
from risk.limits import Amortise
from tests.builders import (
    DECEMBER,
    a_book,
    a_future,
    a_lot,
    an_intent,
    an_option,
    an_order,
    buys,
    mirrored,
    sells,
    spread_legs,
    vix_call,
)
from tests.risk.scenes import (
    LIMITS,
    LONG,
    SHORT,
    a_build,
    an_unwind,
    calm_noon,
    checked_by,
    holding,
    scene_of,
    scenery,
    with_book,
)

VIX21, VIX26 = vix_call(LONG), vix_call(SHORT)


def _holding(**quantities: int) -> Snapshot:
    """Positions in calls by strike, ``c21=2, c26=-2``, and nothing else."""
    positions = {vix_call(name[1:]): quantity for name, quantity in quantities.items()}
    return with_book(calm_noon(), positions=a_book(positions=positions).positions)


# short calls ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "legs", "quantity", "passed"),
    [
        ({}, spread_legs(), 5, True),
        ({}, (sells(VIX21),), 1, False),
        ({}, (sells(VIX26), buys(VIX21)), 1, True),
        ({}, (sells(VIX21), buys(VIX26)), 1, False),
        ({"c20": 2}, (sells(VIX21),), 2, True),
        ({"c20": 2}, (sells(VIX21),), 3, False),
        ({"c26": 2}, (sells(VIX21),), 2, False),
        ({"c21": -1}, (buys(VIX26),), 1, False),
        ({"c21": -1}, (buys(vix_call(20)),), 1, True),
        ({"c21": -2}, (buys(vix_call(20)),), 1, True),
        ({"c21": -2}, spread_legs(20, 26), 1, False),
        ({"c21": -2}, spread_legs(22, 26), 1, False),
        ({"c21": -2}, (buys(vix_call(20, DECEMBER)),), 1, True),
        ({"c20": 1}, (buys(a_future("VX")),), 1, True),
    ],
)
@pytest.mark.control("C21")
def test_every_short_call_is_covered_by_a_lower_long_one(
    held: dict[str, int],
    legs: tuple[Leg, ...],
    quantity: int,
    passed: bool,  # noqa: FBT001 - a table
) -> None:
    """After the order no call is short without a long one of its settlement at the same or a lower strike."""
    checked = checked_by(Rule.SHORT_CALLS, an_intent(legs, quantity=quantity), _holding(**held))
    assert checked.passed is passed


def test_orders_on_their_way_count_where_they_take_cover() -> None:
    """A long call that is being sold covers nothing, and one that is being bought does not cover yet."""
    selling = an_order(an_intent((sells(vix_call(20)),), quantity=2, limit="-1.00", intent_id="w-1"))
    snapshot = with_book(_holding(c20=2), orders={selling.intent.intent_id: selling})
    assert not checked_by(Rule.SHORT_CALLS, an_intent((sells(VIX21),)), snapshot).passed
    buying = an_order(an_intent((buys(vix_call(20)),), quantity=2, intent_id="w-1"))
    snapshot = with_book(_holding(), orders={buying.intent.intent_id: buying})
    assert not checked_by(Rule.SHORT_CALLS, an_intent((sells(VIX21),)), snapshot).passed


def test_a_call_on_its_way_to_be_sold_short_counts_at_a_strike_where_nothing_is_held() -> None:
    """The sale of a call that nothing covers is one uncovered option, whatever strike the next order is of."""
    naked = an_order(an_intent((sells(vix_call(30)),), limit="-0.30", intent_id="w-1"))
    snapshot = with_book(_holding(), orders={naked.intent.intent_id: naked})
    checked = checked_by(Rule.SHORT_CALLS, an_intent((buys(vix_call(40)),)), snapshot)
    assert (checked.found, checked.limit, checked.passed) == (1, 0, False)


def test_what_leaves_fewer_uncovered_passes_beside_orders_in_other_contracts() -> None:
    """Two naked calls, one of them bought back while a future is on its way: one is left, where two were."""
    mini = an_order(an_intent((buys(a_future("VXM")),), intent_id="w-1"))
    snapshot = with_book(_holding(c21=-2), orders={mini.intent.intent_id: mini})
    for moment in (snapshot, _holding(c21=-2)):
        checked = checked_by(Rule.SHORT_CALLS, an_intent((buys(VIX21),)), moment)
        assert (checked.found, checked.limit, checked.passed) == (1, 1, True)
    whole = checked_by(Rule.SHORT_CALLS, an_intent((buys(VIX21),), quantity=2), snapshot)
    assert (whole.found, whole.limit, whole.passed) == (0, 0, True)


def test_a_future_that_is_short_is_no_short_option() -> None:
    """It has no strike at which it could be covered, and other rules bound it."""
    mini = a_future("VXM")
    snapshot = with_book(calm_noon(), positions=a_book(positions={mini: -3}).positions)
    checked = checked_by(Rule.SHORT_CALLS, an_intent((buys(mini),)), snapshot)
    assert (checked.found, checked.limit, checked.passed) == (0, 0, True)


def test_an_order_that_is_dead_counts_no_more() -> None:
    """A cancelled sale takes no cover; an unknown one still does."""
    sale = an_intent((sells(vix_call(20)),), quantity=2, limit="-1.00", intent_id="w-1")
    dead = an_order(sale, state=Cancelled(reason="test"))
    doubtful = an_order(sale, state=Unknown(why="test"))
    intent = an_intent((sells(VIX21),))
    assert checked_by(Rule.SHORT_CALLS, intent, with_book(_holding(c20=2), orders={sale.intent_id: dead})).passed
    assert not checked_by(
        Rule.SHORT_CALLS, intent, with_book(_holding(c20=2), orders={sale.intent_id: doubtful})
    ).passed


def test_an_unwind_is_judged_by_what_it_adds() -> None:
    """Somebody's naked call does not trap an overlay of the same settlement; what it uncovers itself does."""
    snapshot = holding(2)
    naked = vix_call("15")
    positions = {**snapshot.book.positions, naked.key: Position(instrument=naked, quantity=-1)}
    assert checked_by(Rule.SHORT_CALLS, an_unwind(2), with_book(snapshot, positions=positions)).passed
    lone = an_intent((sells(VIX21),), quantity=1, limit="-1.00", purpose=Purpose.OVERLAY_UNWIND)
    base = scenery().opening.base[0].instrument.key
    bare = {key: position for key, position in snapshot.book.positions.items() if key != base}
    assert not checked_by(Rule.SHORT_CALLS, lone, with_book(snapshot, positions=bare)).passed


@given(
    strikes=st.dictionaries(st.sampled_from([20, 21, 22, 26]), st.integers(-3, 3), max_size=4),
    order=st.dictionaries(st.sampled_from([20, 21, 22, 26]), st.booleans(), min_size=1, max_size=2),
    quantity=st.integers(1, 3),
)
@settings(deadline=None)
@pytest.mark.control("C21")
def test_what_passes_never_leaves_more_short_than_long(
    strikes: dict[int, int], order: dict[int, bool], quantity: int
) -> None:
    """From a covered book, what passes leaves short calls <= long calls (C21); from another, it adds no naked one."""
    held = {f"c{strike}": count for strike, count in strikes.items() if count}
    legs = tuple(buys(vix_call(strike)) if bought else sells(vix_call(strike)) for strike, bought in order.items())
    if not checked_by(Rule.SHORT_CALLS, an_intent(legs, quantity=quantity), _holding(**held)).passed:
        return
    before = sum(strikes.values())
    after = before + sum(leg.side.sign for leg in legs) * quantity
    assert after >= min(0, before)


# neutrality -----------------------------------------------------------------------------------------------------

BAND = Band(half_width=100.0, step_frac=0.5, de_minimis_frac=0.1)


@pytest.mark.parametrize(
    ("before", "after", "overlay", "last", "rule"),
    [
        (0.0, 100.0, -50.0, True, "inside"),
        (0.0, -100.0, -50.0, True, "inside"),
        (0.0, -100.1, -50.0, True, ""),
        (-300.0, -200.0, -50.0, True, "nearer"),
        (-200.0, 200.0, -50.0, True, ""),
        (0.0, -150.0, -50.0, False, "on the way"),
        (0.0, -150.1, -50.0, False, ""),
        (0.0, -150.0, -50.0, True, ""),
        (-200.0, -210.0, -10.0, True, "de minimis"),
        (-200.0, -210.0, -10.1, True, ""),
    ],
)
@pytest.mark.control("C31")
def test_the_band_allows_by_named_rules(
    before: float,
    after: float,
    overlay: float,
    last: bool,  # noqa: FBT001 - a table
    rule: str,
) -> None:
    """Inside, nearer, on the way, de minimis, each up to its edge."""
    assert BAND.allows(before=before, after=after, overlay_after=overlay, is_last_step=last) == rule


def test_the_reference_book_is_inside_its_band() -> None:
    """Condors and base of M2 stand at about -640 in a band of 911; two spreads of overlay stay inside."""
    checked = checked_by(Rule.NEUTRALITY, a_build(2))
    assert checked.passed
    assert checked.found == pytest.approx(-389 - 249 - 23, rel=0.15)
    assert checked.limit == pytest.approx(911, rel=0.15)
    assert checked.note == "inside"


def test_a_size_that_leaves_the_band_is_refused_and_can_be_cured() -> None:
    """Sixty spreads push the delta out of the band; a smaller order would stay in."""
    checked = checked_by(Rule.NEUTRALITY, a_build(60))
    assert (checked.passed, checked.size_can_cure, checked.note) == (False, True, "outside the band")


def test_orders_on_their_way_count_filled_and_unfilled() -> None:
    """What is working uses up the band, although it may never fill."""
    working = an_order(a_build(10, intent_id="w-1"))
    snapshot = with_book(calm_noon(), orders={working.intent.intent_id: working})
    assert checked_by(Rule.NEUTRALITY, a_build(12)).passed
    assert not checked_by(Rule.NEUTRALITY, a_build(12), snapshot).passed


def test_a_way_back_that_may_not_fill_makes_no_room() -> None:
    """A sale on its way would bring the book inside its band; as long as it has not filled, nothing is added."""
    limits = replace(LIMITS, neutrality_band_frac=0.03, neutrality_de_minimis_frac=0.0)
    selling = an_order(an_unwind(12, intent_id="w-1"))
    snapshot = with_book(holding(2), orders={selling.intent.intent_id: selling})
    assert not checked_by(Rule.NEUTRALITY, a_build(1), snapshot, limits=limits).passed


def test_a_step_on_the_way_may_leave_the_band_by_half() -> None:
    """Outside by less than half a band, with the rest of the plan leading back inside; alone it is refused."""
    back = an_unwind(20, intent_id="i-2")
    checked = checked_by(Rule.NEUTRALITY, a_build(30), later=(back,))
    assert (checked.passed, checked.note) == (True, "inside; on the way")
    assert not checked_by(Rule.NEUTRALITY, a_build(30)).passed
    assert not checked_by(Rule.NEUTRALITY, a_build(70), later=(an_unwind(60, intent_id="i-2"),)).passed


def test_the_end_of_the_plan_is_judged_with_every_step() -> None:
    """A first step inside the band is refused where the rest of its plan ends outside."""
    rest = a_build(60, intent_id="i-2")
    assert checked_by(Rule.NEUTRALITY, a_build(1)).passed
    assert not checked_by(Rule.NEUTRALITY, a_build(1), later=(rest,)).passed


def test_a_drifted_book_does_not_lose_its_protection() -> None:
    """Where the condors alone are far outside, a small overlay passes as de minimis and says so."""
    limits = replace(LIMITS, neutrality_band_frac=0.03)
    snapshot = scenery().snapshot()
    more = scenery(40).book().positions
    drifted = with_book(snapshot, positions=more)
    checked = checked_by(Rule.NEUTRALITY, a_build(2), drifted, limits=limits)
    assert (checked.passed, checked.note) == (True, "de minimis")


def test_an_unknown_delta_refuses() -> None:
    """One leg of a condor without a level or quote makes the delta unknown."""
    checked = checked_by(Rule.NEUTRALITY, a_build(), replace(calm_noon(), levels={}))
    assert checked.note == "the delta is unknown: IND:SPX: no level"


def test_a_delta_that_is_not_finite_refuses() -> None:
    """A maximum loss beyond any number leaves no band to compare with."""
    cohort = replace(calm_noon().book.cohorts[0], maximum_loss_usd=Decimal("1e308"))
    checked = checked_by(Rule.NEUTRALITY, a_build(), with_book(calm_noon(), cohorts=(cohort, cohort)))
    assert checked.note == "the delta is not finite"


def test_without_condors_there_is_no_band() -> None:
    """No condors, no maximum loss, no room: nothing is added."""
    assert band_half_width_usd((), 0.05) == 0.0
    assert not checked_by(Rule.NEUTRALITY, a_build(), with_book(calm_noon(), cohorts=())).passed


def test_what_else_the_account_holds_is_no_part_of_the_book() -> None:
    """Shares and bills beside the condors neither move the delta nor make it unknown."""
    shares = Instrument(kind=Kind.STOCK, symbol="SGOV", trading_class="SGOV", exchange="ARCA")
    positions = {**calm_noon().book.positions, shares.key: Position(instrument=shares, quantity=900)}
    with_shares = checked_by(Rule.NEUTRALITY, a_build(2), with_book(calm_noon(), positions=positions))
    assert with_shares == checked_by(Rule.NEUTRALITY, a_build(2))


def test_what_has_settled_moves_no_more() -> None:
    """A contract past its settlement needs no quote to be left out of the delta."""
    gone = an_option(20, calm_noon().now.date())
    positions = {**calm_noon().book.positions, gone.key: Position(instrument=gone, quantity=5)}
    with_gone = checked_by(Rule.NEUTRALITY, a_build(2), with_book(calm_noon(), positions=positions))
    assert with_gone.found == checked_by(Rule.NEUTRALITY, a_build(2)).found


# cost cap -------------------------------------------------------------------------------------------------------


def test_the_reference_book_costs_what_the_methodology_says() -> None:
    """The base sleeve is about 19 % of the credit by straight line and 34 % unspread (M9)."""
    checked = checked_by(Rule.HEDGE_COST_CAP_BOOK, a_build(1))
    credit = scenery().opening.condor_credit_usd
    assert isinstance(checked.found, Decimal)
    assert float(checked.found / credit) == pytest.approx(0.19, abs=0.02)
    assert f"of credit {credit}" in checked.note


@pytest.mark.parametrize("rule", [Rule.HEDGE_COST_CAP_COHORT, Rule.HEDGE_COST_CAP_BOOK])
@pytest.mark.control("C20")
def test_the_limits_say_whether_a_cost_is_spread(rule: Rule) -> None:
    """Where they say that it is not, the whole figure is what the cap binds."""
    spread = checked_by(rule, a_build())
    whole = checked_by(rule, a_build(), limits=replace(LIMITS, amortise=Amortise.NONE))
    assert f"whole figure {whole.found} of credit" in spread.note
    assert Decimal(str(whole.found)) > Decimal(str(spread.found))


@pytest.mark.parametrize("rule", [Rule.HEDGE_COST_CAP_COHORT, Rule.HEDGE_COST_CAP_BOOK])
@pytest.mark.control("C20")
def test_exactly_the_cap_passes_and_a_cent_less_does_not(rule: Rule) -> None:
    """A credit for which the charge is exactly 40 % passes; a smaller one refuses."""
    charge = checked_by(rule, a_build(2)).found
    assert isinstance(charge, Decimal)
    cohort = calm_noon().book.cohorts[0]
    enough = replace(cohort, credit_usd=charge / Decimal("0.40"))
    short = replace(cohort, credit_usd=(charge - Decimal("0.01")) / Decimal("0.40"))
    assert checked_by(rule, a_build(2), with_book(calm_noon(), cohorts=(enough,))).passed
    refused = checked_by(rule, a_build(2), with_book(calm_noon(), cohorts=(short,)))
    assert (refused.passed, refused.headroom, refused.size_can_cure) == (False, Decimal("-0.01"), True)


@pytest.mark.parametrize("rule", [Rule.HEDGE_COST_CAP_COHORT, Rule.HEDGE_COST_CAP_BOOK])
@pytest.mark.control("C20")
def test_closing_passes_a_breached_cap(rule: Rule) -> None:
    """CAP_BREACHED refuses what costs and lets closing through."""
    snapshot = with_book(holding(2), cohorts=())
    assert checked_by(rule, an_unwind(2), snapshot).passed
    assert not checked_by(rule, a_build(1), snapshot).passed


def test_an_earlier_order_of_the_plan_costs_as_if_it_were_sent() -> None:
    """The second order of a plan meets a cap that the first has used up in part."""
    alone = checked_by(Rule.HEDGE_COST_CAP_BOOK, a_build(1)).found
    after = checked_by(Rule.HEDGE_COST_CAP_BOOK, a_build(1), earlier=(a_build(5, intent_id="i-0"),)).found
    assert isinstance(alone, Decimal)
    assert isinstance(after, Decimal)
    assert after > alone


def test_a_future_is_charged_its_reserve() -> None:
    """A mini costs what a quarter's fall of VIX would take from it, not nothing."""
    mini = an_intent((buys(a_future("VXM")),), limit="18.95")
    checked = checked_by(Rule.HEDGE_COST_CAP_BOOK, mini)
    spread = checked_by(Rule.HEDGE_COST_CAP_BOOK, a_build(1))
    assert isinstance(checked.found, Decimal)
    assert isinstance(spread.found, Decimal)
    assert checked.found - spread.found > 150


def test_a_future_that_cannot_be_valued_has_no_cost_and_is_refused() -> None:
    """Held or wanted, a future without a quote leaves the cost unknown."""
    mini = a_future("VXM")
    blind = replace(calm_noon(), quotes={})
    with pytest.raises(ValueError, match="reserve"):
        checked_by(Rule.HEDGE_COST_CAP_BOOK, an_intent((buys(mini),)), blind)
    held = with_book(blind, lots=(a_lot((buys(mini),)),))
    with pytest.raises(ValueError, match="reserve"):
        checked_by(Rule.HEDGE_COST_CAP_COHORT, a_build(), held)


def test_a_held_future_and_one_on_its_way_count_as_well() -> None:
    """Held, working and sold futures: the first two carry a reserve, the sold one its fees."""
    mini = a_future("VXM")
    held = a_lot((buys(mini),), cost="1.20", entry_price="25.00", lot_id="held")
    sold = a_lot((buys(mini),), open_units=0, cost="1.20", lot_id="sold", last_sold_on=calm_noon().now.date())
    working = an_order(an_intent((buys(a_future("VX")),), limit="18.95", intent_id="w-1"))
    selling = an_order(an_intent((sells(mini),), limit="-18.90", intent_id="w-2"))
    orders = {order.intent.intent_id: order for order in (working, selling)}
    snapshot = with_book(calm_noon(), lots=(held, sold), orders=orders)
    checked = checked_by(Rule.HEDGE_COST_CAP_BOOK, a_build(1), snapshot)
    assert isinstance(checked.found, Decimal)
    assert checked.found > 2600 + 600  # the reserve of VX, and the unrealised loss of the mini from 25


# counts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sent", "earlier", "passed"), [(39, 0, True), (40, 0, False), (38, 1, True), (39, 1, False)])
@pytest.mark.control("C10")
def test_the_days_orders_are_counted_with_this_one(sent: int, earlier: int, passed: bool) -> None:  # noqa: FBT001 - a table
    """The fortieth order passes, the next does not; earlier ones of the plan count."""
    before = tuple(a_build(intent_id=f"e-{number}") for number in range(earlier))
    snapshot = with_book(calm_noon(), orders_sent_today=sent)
    assert checked_by(Rule.DAILY_ORDERS, a_build(), snapshot, earlier=before).passed is passed


@pytest.mark.parametrize(("sent", "passed"), [(79, True), (80, False)])
def test_closing_has_a_reserve_of_its_own(sent: int, passed: bool) -> None:  # noqa: FBT001 - a table
    """Closing orders may use forty more, which no addition can take from them."""
    snapshot = with_book(holding(2), orders_sent_today=sent)
    assert checked_by(Rule.DAILY_ORDERS, an_unwind(2), snapshot).passed is passed


@pytest.mark.parametrize(("working", "passed"), [(19, True), (20, False)])
@pytest.mark.control("C10")
@pytest.mark.control("C11")
def test_twenty_orders_may_be_on_their_way(working: int, passed: bool) -> None:  # noqa: FBT001 - a table
    """The twentieth passes, the next does not."""
    orders = [an_order(an_intent(spread_legs(30, 35), intent_id=f"w-{number}")) for number in range(working)]
    snapshot = with_book(calm_noon(), orders={order.intent.intent_id: order for order in orders})
    assert checked_by(Rule.WORKING_ORDERS, a_build(), snapshot).passed is passed


@pytest.mark.parametrize(
    ("legs", "passed"),
    [
        (spread_legs(30, 35), True),
        (spread_legs(LONG, "31"), False),
        ((sells(VIX26),), False),
        (mirrored(spread_legs(LONG, SHORT)), False),
    ],
)
@pytest.mark.control("C16")
@pytest.mark.control("C44")
def test_no_contract_has_two_orders_on_their_way(legs: tuple[Leg, ...], passed: bool) -> None:  # noqa: FBT001 - a table
    """One shared contract is enough, in whichever direction."""
    working = an_order(an_intent(legs, intent_id="w-1"))
    snapshot = with_book(calm_noon(), orders={working.intent.intent_id: working})
    assert checked_by(Rule.DUPLICATES, a_build(), snapshot).passed is passed


# standing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("locks", "found"),
    [
        ({}, "none"),
        ({"account": "journal missing"}, "account: journal missing"),
        ({VIX26.key: "foreign fill 7"}, f"{VIX26.key}: foreign fill 7"),
        (
            {VIX26.key: "foreign fill 7", "account": "halted"},
            f"account: halted; {VIX26.key}: foreign fill 7",
        ),
        ({"OPT:VIX:2026-12-16:40:C": "elsewhere"}, "none"),
    ],
)
@pytest.mark.control("C28")
@pytest.mark.control("C34")
def test_locks_of_the_account_and_of_each_leg_refuse(locks: dict[str, str], found: str) -> None:
    """A lock on something else does not."""
    checked = checked_by(Rule.LOCKS, a_build(), with_book(calm_noon(), locks=locks))
    assert (checked.found, checked.passed) == (found, found == "none")


@pytest.mark.control("C29")
def test_nothing_leaves_while_the_books_are_compared() -> None:
    """RECONCILING refuses, agreement does not."""
    assert checked_by(Rule.RECONCILED, a_build()).passed
    assert not checked_by(Rule.RECONCILED, a_build(), replace(calm_noon(), reconciling=True)).passed


@pytest.mark.parametrize(
    ("mode", "kind", "passed"),
    [
        (TradingMode.NORMAL, "build", True),
        (TradingMode.NORMAL, "unwind", True),
        (TradingMode.REDUCE_ONLY, "build", True),
        (TradingMode.REDUCE_ONLY, "unwind", False),
        (TradingMode.REDUCE_ONLY, "buy back", True),
        (TradingMode.HALT, "unwind", False),
        (TradingMode.HALT, "buy back", False),
    ],
)
@pytest.mark.control("C3")
def test_modes_allow_what_they_say(mode: TradingMode, kind: str, passed: bool) -> None:  # noqa: FBT001 - a table
    """NORMAL all, REDUCE_ONLY protection and buying back, HALT nothing."""
    back = an_intent((buys(VIX26),), quantity=2, limit="0.50", purpose=Purpose.OVERLAY_UNWIND)
    intent = {"build": a_build(), "unwind": an_unwind(2), "buy back": back}[kind]
    assert checked_by(Rule.TRADING_MODE, intent, replace(holding(2), mode=mode)).passed is passed


def test_a_scene_knows_what_is_pending() -> None:
    """Working orders count with what is left of them, earlier ones of the plan whole, dead ones not."""
    alive = an_order(a_build(3, intent_id="w-1"), filled=1)
    dead = an_order(a_build(3, intent_id="w-2"), state=Cancelled(reason="test"))
    orders = {order.intent.intent_id: order for order in (alive, dead)}
    scene = scene_of(with_book(calm_noon(), orders=orders), earlier=(a_build(5, intent_id="e-1"),))
    assert [(intent.intent_id, units) for intent, units in scene.pending()] == [("w-1", 2), ("e-1", 5)]
