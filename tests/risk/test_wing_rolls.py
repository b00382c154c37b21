"""The roll of a wing before the gate: its shape, its limits, its cost, its cover, and what it does to the book (M8)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.condors import largest_loss_usd, recognise_condors
from bot.domain.decision import Approved, Refused, Rule
from bot.domain.instrument import Instrument, Right
from bot.domain.mode import TradingMode
from bot.domain.orders import Leg, OrderIntent, Purpose
from bot.domain.portfolio import Position
from bot.domain.snapshot import Snapshot
from risk.checks.wing_limits import wing_width
from risk.cost import CostModel
from risk.wings import condors_after, group_of, roll_cost_usd, roll_fault
from tests.builders import FEES, TODAY, a_book, an_intent, an_option, an_order, buys, sells, vix_call
from tests.risk.scenes import LIMITS, a_build, calm_noon, checked_by, rules_against, verdict_on, with_book
from tests.risk.wing_scenes import CONDOR, NARROW, a_roll, leaning, narrow, strike, with_credit

FEE = Decimal("2.80")
"""Two SPXW contracts by the schedule."""
ONE_FOR_ONE = "the roll of a wing sells one option and buys one"
STAYS = "the roll of a wing stays in its class, settlement and right"
FARTHER = "a wing is rolled further out, never nearer"


def refused_by(intent: OrderIntent, snapshot: Snapshot | None = None) -> set[Rule]:
    """The rules that refuse a roll of the leaning book."""
    return rules_against(verdict_on(intent, snapshot or leaning(), NARROW))


# what passes ------------------------------------------------------------------------------------------------------


def test_a_roll_that_leans_the_book_back_passes_every_check() -> None:
    """Five long puts of ten condors moved out by five points: every rule was asked, and none refused."""
    verdict = verdict_on(a_roll(5), leaning(), NARROW)
    assert isinstance(verdict, Approved)
    assert len(verdict.checks) == len(Rule)


def test_reduce_only_and_halt_refuse_rolls() -> None:
    """A roll raises what the condors can lose: it reduces nothing."""
    for mode in (TradingMode.REDUCE_ONLY, TradingMode.HALT):
        assert refused_by(a_roll(), replace(leaning(), mode=mode)) == {Rule.TRADING_MODE}
    reduced = checked_by(Rule.TRADING_MODE, a_roll(), replace(leaning(), mode=TradingMode.REDUCE_ONLY))
    assert reduced.note == "the roll of a wing raises what the condors can lose"


def test_unmatched_legs_lock_rolls() -> None:
    """What fits no condor locks a roll as it locks an increase."""
    stray = Position(instrument=strike(Right.CALL, 5), quantity=1)
    assert Rule.LOCKS in refused_by(a_roll(), with_book(leaning(), unmatched=(stray,)))


# shape and permission ---------------------------------------------------------------------------------------------


def _legs(*legs: Leg) -> OrderIntent:
    return an_intent(legs, limit="-0.35", purpose=Purpose.WING_ROLL)


@pytest.mark.parametrize(
    ("legs", "words"),
    [
        ((sells(CONDOR.long_put),), ONE_FOR_ONE),
        ((sells(CONDOR.long_put), sells(strike(Right.PUT, 5))), ONE_FOR_ONE),
        ((sells(CONDOR.long_put, 2), buys(strike(Right.PUT, 5))), ONE_FOR_ONE),
        (
            (
                sells(CONDOR.long_put),
                buys(strike(Right.PUT, 5)),
                sells(CONDOR.long_call),
                buys(strike(Right.CALL, 5)),
            ),
            ONE_FOR_ONE,
        ),
        ((sells(CONDOR.long_put), buys(strike(Right.CALL, 5))), STAYS),
        (
            (
                sells(CONDOR.long_put),
                buys(an_option(6300, CONDOR.settlement, trading_class="SPX", right=Right.PUT)),
            ),
            STAYS,
        ),
        (
            (
                sells(CONDOR.long_put),
                buys(an_option(6300, CONDOR.settlement + timedelta(days=7), trading_class="SPXW", right=Right.PUT)),
            ),
            STAYS,
        ),
        ((sells(strike(Right.PUT, 5)), buys(CONDOR.long_put)), FARTHER),
        ((sells(strike(Right.CALL, 5)), buys(CONDOR.long_call)), FARTHER),
        ((sells(strike(Right.PUT, 5)), buys(strike(Right.PUT, 10))), "0 condors hold the wing that is sold"),
        ((sells(CONDOR.short_put), buys(CONDOR.long_put)), "0 condors hold the wing that is sold"),
    ],
)
def test_a_roll_has_one_shape(legs: Sequence[Leg], words: str) -> None:
    """One long wing sold, one of the same class, settlement and right bought farther out, one for one."""
    checked = checked_by(Rule.WELL_FORMED, _legs(*legs), leaning())
    assert (checked.passed, checked.note) == (False, words)


def test_no_more_wings_are_rolled_than_condors_hold() -> None:
    """Ten condors hold ten wings of each side."""
    assert checked_by(Rule.WELL_FORMED, a_roll(10), leaning()).passed
    assert checked_by(Rule.WELL_FORMED, a_roll(10, right=Right.CALL), leaning()).passed
    assert checked_by(Rule.WELL_FORMED, a_roll(11), leaning()).note == "10 condors hold the wing that is sold"


@pytest.mark.parametrize("wing", [CONDOR.long_put, CONDOR.long_call])
@pytest.mark.parametrize(("points", "fault"), [(-1, FARTHER), (0, FARTHER), (1, "")])
def test_a_roll_goes_out_by_a_strike_at_least(wing: Instrument, points: int, fault: str) -> None:
    """To stay at the same strike is no roll, and nearer to the money is the wrong way."""
    outward = -points if wing.right is Right.PUT else points
    bought = replace(wing, strike=(wing.strike or 0) + outward)
    assert roll_fault((sells(wing), buys(bought))) == fault


def test_a_roll_belongs_to_the_cohort_of_its_first_leg() -> None:
    """Its cost is taken from the condors whose wing it sells, also where what it buys is another week's."""
    other = replace(strike(Right.PUT, 5), settlement=CONDOR.settlement + timedelta(days=7))
    (cohort,) = leaning().book.cohorts
    assert group_of(_legs(sells(CONDOR.long_put), buys(other))) == group_of(a_roll()) == cohort.name


@pytest.mark.control("C14")
def test_index_options_are_permitted_for_a_roll_alone() -> None:
    """The same legs for any other purpose are denied, and VIX calls are no roll."""
    assert checked_by(Rule.PERMISSION, a_roll(), leaning()).passed
    for purpose in set(Purpose) - {Purpose.WING_ROLL}:
        assert not checked_by(Rule.PERMISSION, replace(a_roll(), purpose=purpose), leaning()).passed
    assert not checked_by(Rule.PERMISSION, _legs(sells(vix_call(21)), buys(vix_call(26)))).passed
    without = replace(LIMITS, permitted_classes=frozenset({"VIX"}))
    assert not checked_by(Rule.PERMISSION, a_roll(), leaning(), limits=without).passed
    other = replace(strike(Right.PUT, 5), symbol="XSP")
    assert not checked_by(Rule.PERMISSION, _legs(sells(CONDOR.long_put), buys(other)), leaning()).passed
    small = [replace(one, multiplier=10) for one in (CONDOR.long_put, strike(Right.PUT, 5))]
    assert not checked_by(Rule.PERMISSION, _legs(sells(small[0]), buys(small[1])), leaning()).passed


# cover ------------------------------------------------------------------------------------------------------------


def test_a_short_leg_keeps_its_wing_at_every_fill() -> None:
    """Selling the wing alone leaves a short put or call uncovered; a roll leaves none, on its own and on its way."""
    for right, wing in ((Right.PUT, CONDOR.long_put), (Right.CALL, CONDOR.long_call)):
        alone = checked_by(Rule.SHORT_CALLS, _legs(sells(wing)), leaning())
        assert (alone.passed, alone.found) == (False, 1)
        assert checked_by(Rule.SHORT_CALLS, a_roll(10, right=right), leaning()).found == 0
        on_its_way = with_book(leaning(), orders={a_roll().intent_id: an_order(a_roll(5, right=right))})
        assert checked_by(Rule.SHORT_CALLS, a_roll(5, right=right, intent_id="next"), on_its_way).found == 0


def test_a_wing_nearer_to_the_money_than_the_short_leg_covers_nothing() -> None:
    """A put above the short put bounds no loss of a condor, however many are held."""
    inside = an_option(
        str((CONDOR.short_put.strike or 0) + 5), CONDOR.settlement, trading_class="SPXW", right=Right.PUT
    )
    checked = checked_by(Rule.SHORT_CALLS, _legs(sells(CONDOR.long_put), buys(inside)), leaning())
    assert (checked.passed, checked.found) == (False, 1)


def test_condors_are_no_matter_of_a_vix_order() -> None:
    """Short SPX calls with wings above them do not stand against a VIX spread, whose rule is the other way round."""
    assert checked_by(Rule.SHORT_CALLS, a_build(), calm_noon()).passed


# how far ----------------------------------------------------------------------------------------------------------


def test_an_order_that_moves_no_wing_has_no_wing_limit() -> None:
    """The overlay's purchase passes, and the record says why."""
    assert checked_by(Rule.WING_LIMITS, a_build(), leaning()).found == "no wing is moved"


@pytest.mark.parametrize(("points", "passes"), [(5, True), (10, False)])
@pytest.mark.parametrize("right", Right)
@pytest.mark.control("C31")
def test_a_wing_grows_by_a_fifth_of_its_entry_width(right: Right, points: int, *, passes: bool) -> None:
    """Of 25 points five are a fifth; ten are refused with width and limit."""
    checked = checked_by(Rule.WING_LIMITS, a_roll(right=right, points=points), leaning())
    assert checked.passed is passes
    if not passes:
        assert (checked.found, checked.limit, checked.note) == (35, 30, "width of the wing in points")


def test_the_maximum_loss_grows_by_a_fifth_of_that_at_entry() -> None:
    """18,350 USD at entry leave room for 3,670: seven wings of 500 and their fees, not eight."""
    seven, eight = (checked_by(Rule.WING_LIMITS, a_roll(count), leaning()) for count in (7, 8))
    assert (seven.passed, seven.found, seven.limit) == (True, 18_350 + 7 * (500 + FEE), Decimal("22020.000"))
    assert (eight.passed, eight.size_can_cure) == (False, True)
    verdict = verdict_on(a_roll(8), leaning(), NARROW)
    assert isinstance(verdict, Refused)
    assert verdict.largest_quantity == 7


def test_a_debit_counts_as_loss() -> None:
    """Thirty cents paid for each of five wings are 150 USD more to lose."""
    free, paid = (checked_by(Rule.WING_LIMITS, a_roll(5, limit=limit), leaning()) for limit in ("-0.35", "0.30"))
    assert Decimal(str(paid.found)) - Decimal(str(free.found)) == 150


def test_tighter_limits_bind() -> None:
    """Configuration may lower both fractions."""
    width = checked_by(Rule.WING_LIMITS, a_roll(), leaning(), limits=narrow(max_wing_rise_frac=0.1))
    loss = checked_by(Rule.WING_LIMITS, a_roll(5), leaning(), limits=narrow(max_loss_rise_frac=0.1))
    assert (width.passed, loss.passed, loss.limit) == (False, False, Decimal("20185.00"))


def test_what_was_rolled_before_counts() -> None:
    """The second roll of the same wings is measured against the entry, not against the first."""
    (cohort,) = leaning().book.cohorts
    entry = replace(cohort, put_wing_points=Decimal(20))
    checked = checked_by(Rule.WING_LIMITS, a_roll(), with_book(leaning(), cohorts=(entry,)))
    assert (checked.passed, checked.found, checked.limit) == (False, 30, 24)


def test_each_wing_is_measured_against_its_own_entry() -> None:
    """Calls that were opened wider than puts may go farther."""
    (cohort,) = leaning().book.cohorts
    entry = replace(cohort, put_wing_points=Decimal(25), call_wing_points=Decimal(40))
    condors = leaning().book.condors
    widest = max(one.call_wing_points for one in condors)
    assert wing_width(entry, condors, is_put=False) == (widest, 40)
    assert wing_width(entry, condors, is_put=True) == (max(one.put_wing_points for one in condors), 25)


def test_two_rolls_of_a_cohort_lower_its_credit_by_both() -> None:
    """Whether one at a time is allowed or not: what is on its way costs."""
    model = CostModel(fees=FEES, max_cost_frac=Decimal("0.40"))
    first, second = a_roll(1, limit="1.00"), replace(a_roll(2, limit="0.50"), intent_id="roll-2")
    left = [model.report(leaning().book, TODAY, rolls).book.credit_usd for rolls in ([], [first], [second])]
    both = model.report(leaning().book, TODAY, [first, second]).book.credit_usd
    assert left[0] - both == (left[0] - left[1]) + (left[0] - left[2])


@pytest.mark.parametrize("changes", [{"put_wing_points": Decimal(0)}, {"call_wing_points": Decimal(0)}, None])
def test_an_unknown_entry_refuses(changes: dict[str, Decimal] | None) -> None:
    """Fail closed: without a cohort or the wings at entry nothing says how far a wing may go."""
    (cohort,) = leaning().book.cohorts
    cohorts = () if changes is None else (replace(cohort, **changes),)
    checked = checked_by(Rule.WING_LIMITS, a_roll(), with_book(leaning(), cohorts=cohorts))
    assert checked.note == "how wide the condors were opened is not known"


def test_one_roll_at_a_time() -> None:
    """A roll on its way, or one approved earlier in the same plan, refuses the next."""
    on_its_way = with_book(leaning(), orders={a_roll().intent_id: an_order(a_roll())})
    second = a_roll(right=Right.CALL, intent_id="second")
    assert checked_by(Rule.WING_LIMITS, second, on_its_way).note == "another roll of a wing is on its way"
    assert not checked_by(Rule.WING_LIMITS, second, leaning(), earlier=(a_roll(),)).passed
    assert checked_by(Rule.WING_LIMITS, second, leaning(), earlier=(a_build(),)).passed


def test_a_roll_after_which_legs_fit_no_condor_is_refused() -> None:
    """More sold than the condors hold: a short leg would be left alone."""
    checked = checked_by(Rule.WING_LIMITS, a_roll(11), leaning())
    assert checked.note == "after the roll SPX option positions would fit no condor"


@given(quantity=st.integers(1, 10), right=st.sampled_from(list(Right)), points=st.sampled_from([5, 10]))
@settings(deadline=None, max_examples=30)
def test_whatever_passes_keeps_a_book_of_condors_within_its_limits(quantity: int, right: Right, points: int) -> None:
    """Every fill from none to all leaves condors alone, at most a fifth wider and a fifth more to lose."""
    roll = a_roll(quantity, right=right, points=points)
    if not checked_by(Rule.WING_LIMITS, roll, leaning()).passed:
        return
    (cohort,) = leaning().book.cohorts
    for filled in range(quantity + 1):
        after = condors_after(leaning().book, [(roll, filled)])
        assert after.unmatched == ()
        assert sum(condor.count for condor in after.condors) == 10
        assert max(condor.widest_wing_points for condor in after.condors) <= 30
        cost = roll_cost_usd(roll, filled, FEES)
        assert largest_loss_usd(after.condors, cohort.credit_usd - cost) <= Decimal("1.2") * cohort.maximum_loss_usd


# neutrality and stress --------------------------------------------------------------------------------------------


def test_a_roll_ends_inside_the_band_or_nearer() -> None:
    """A long put leans the book back; a long call leans it further out, and neither grace nor de minimis helps it."""
    assert checked_by(Rule.NEUTRALITY, a_roll(), leaning(), limits=NARROW).note == "nearer"
    assert checked_by(Rule.NEUTRALITY, a_roll(), leaning()).note == "inside"
    out = a_roll(right=Right.CALL, limit="0.10")
    generous = narrow(neutrality_de_minimis_frac=1.0)
    assert not checked_by(Rule.NEUTRALITY, out, leaning(), limits=generous).passed
    assert not checked_by(Rule.NEUTRALITY, out, leaning(), limits=generous, later=(a_roll(),)).passed


def test_a_roll_on_its_way_is_no_part_of_the_overlays_delta() -> None:
    """De minimis judges the overlay's own delta: wings that lean the other way make it no larger."""
    limits = narrow(neutrality_de_minimis_frac=0.05)
    beside = with_book(leaning(), orders={a_roll().intent_id: an_order(a_roll(3))})
    alone, both = (checked_by(Rule.NEUTRALITY, a_build(), moment, limits=limits) for moment in (leaning(), beside))
    assert (alone.note, both.note) == ("de minimis", "de minimis")
    assert both.passed


def test_what_a_roll_worsens_is_limited_and_its_debit_is_no_excuse() -> None:
    """A crash loses more with wider wings: refused where the book then loses too much, however dear the roll."""
    crash = checked_by(Rule.WORST_LOSS, a_roll(5), leaning())
    assert (crash.passed, "crash" in crash.note) == (True, True)
    tight = narrow(max_worst_loss_frac=Decimal("0.02"))
    for limit in ("-0.35", "20.00"):
        assert not checked_by(Rule.WORST_LOSS, a_roll(5, limit=limit), leaning(), limits=tight).passed


# the cost cap -----------------------------------------------------------------------------------------------------


def test_a_rolls_debit_and_fees_lower_the_credit_before_the_cap_is_judged() -> None:
    """Five wings for 0.30 each: 150 and 14 USD off the credit; a roll that brings money costs its fees all the same."""
    (cohort,) = leaning().book.cohorts
    for limit, cost in (("0.30", Decimal(150) + 5 * FEE), ("-0.35", 5 * FEE)):
        checked = checked_by(Rule.HEDGE_COST_CAP_BOOK, a_roll(5, limit=limit), leaning())
        assert checked.limit == Decimal("0.40") * (cohort.credit_usd - cost)
    same = [checked_by(rule, a_roll(5), leaning()).found for rule in (Rule.HEDGE_COST_CAP_BOOK,)]
    assert same == [checked_by(Rule.HEDGE_COST_CAP_BOOK, a_roll(1), leaning()).found]  # no cost of the hedge itself


def test_what_a_roll_states_counts_where_it_is_more() -> None:
    """The plan's own figure of its worst cost is never understated by the gate's."""
    assert roll_cost_usd(a_roll(5, cost="99.99"), 5, FEES) == Decimal("99.99")
    assert roll_cost_usd(a_roll(5, cost="99.99"), 1, FEES) == Decimal("20.00")


def test_a_roll_that_pushes_the_ratio_over_the_cap_is_refused() -> None:
    """The hedge is charged 1,172.22 USD: a credit of 2,931 bears it, and not the fees of a roll on top."""
    assert checked_by(Rule.HEDGE_COST_CAP_COHORT, a_roll(), with_credit("2940")).passed
    assert not checked_by(Rule.HEDGE_COST_CAP_COHORT, a_roll(), with_credit("2931")).passed
    breached = with_credit("2900")
    assert not checked_by(Rule.HEDGE_COST_CAP_BOOK, a_roll(), breached).passed


def test_a_roll_on_its_way_lowers_the_credit_for_everybody() -> None:
    """A purchase is judged against the credit that is left at worst; what has filled is the book's own matter."""
    roll = a_roll(5, limit="0.30")
    beside = with_book(leaning(), orders={roll.intent_id: an_order(roll, filled=2)})
    alone, both = (checked_by(Rule.HEDGE_COST_CAP_BOOK, a_build(), moment) for moment in (leaning(), beside))
    assert Decimal(str(alone.limit)) - Decimal(str(both.limit)) == Decimal("0.40") * 3 * (30 + FEE)
    assert alone.found == both.found
    done = with_book(leaning(), orders={roll.intent_id: an_order(roll, filled=5)})
    assert checked_by(Rule.HEDGE_COST_CAP_BOOK, a_build(), done).limit == alone.limit


def test_what_the_credit_cannot_bear_is_charged() -> None:
    """A roll dearer than the whole credit leaves none, and the rest is cost; without its cohort all of it is."""
    model = CostModel(fees=FEES, max_cost_frac=Decimal("0.40"))
    roll = a_roll(1, limit="1.00")
    book = with_credit("2.80").book
    before, after = model.report(book, TODAY).book, model.report(book, TODAY, [roll]).book
    assert (after.credit_usd, after.charge_usd - before.charge_usd) == (0, Decimal("100.00"))
    assert model.report(a_book(), TODAY, [roll]).book.charge_usd == Decimal("102.80")


def test_recognition_after_a_roll_is_that_of_the_positions() -> None:
    """Two of ten condors rolled: two kinds of condor, none left over."""
    after = condors_after(leaning().book, [(a_roll(2), 2)])
    assert sorted(condor.count for condor in after.condors) == [2, 8]
    assert recognise_condors(leaning().book.positions.values()).condors == leaning().book.condors
