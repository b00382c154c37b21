"""Widening a condor's wings: when it is asked for, how far it may go, and what it says of every way it left out."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.errors import InvalidValueError
from bot.domain.instrument import Instrument, Right, Side
from bot.domain.portfolio import Book, Position
from bot.domain.snapshot import Snapshot
from bot.hedging.condor.settings import CondorSettings, WingMode
from bot.hedging.condor.wings import CycleStart, Lean, NoWidening, Widening, WingRoll, Wings, cycle_starts
from bot.hedging.settings import HedgeSettings
from bot.valuation import Unvalued, ValuationSettings, Valuer
from tests.builders import Scenery, an_option

SCENERY = Scenery(condors=10)
CONDOR = SCENERY.opening.condors[0]
SETTINGS = CondorSettings()
STARTS = cycle_starts(SCENERY.book().condors, SCENERY.book().cohorts)


@cache
def _listed() -> tuple[Instrument, ...]:
    """Four strikes beyond each wing."""
    options = SCENERY.universe.options("SPXW", CONDOR.settlement)
    puts = [one for one in options if one.right is Right.PUT and (one.strike or 0) < (CONDOR.long_put.strike or 0)]
    calls = [one for one in options if one.right is Right.CALL and (one.strike or 0) > (CONDOR.long_call.strike or 0)]
    return (
        *sorted(puts, key=lambda one: -(one.strike or 0))[:4],
        *sorted(calls, key=lambda one: one.strike or 0)[:4],
    )


@cache
def _noon() -> Snapshot:
    """The reference moment with the strikes beyond the wings quoted."""
    snapshot = SCENERY.snapshot()
    return replace(snapshot, quotes={**snapshot.quotes, **{one.key: SCENERY.quote(one) for one in _listed()}})


def _swapped(one: Instrument, other: Instrument) -> Snapshot:
    """The reference moment with the quotes of two contracts exchanged."""
    quotes = _noon().quotes
    exchanged = {one.key: replace(quotes[other.key], key=one.key), other.key: replace(quotes[one.key], key=other.key)}
    return replace(_noon(), quotes={**quotes, **exchanged})


def _wings(
    *,
    book: Book | None = None,
    snapshot: Snapshot | None = None,
    starts: Sequence[CycleStart] = STARTS,
    settings: CondorSettings = SETTINGS,
    listed: Sequence[Instrument] | None = None,
) -> Wings:
    return Wings(
        book=SCENERY.book() if book is None else book,
        valuer=Valuer(_noon() if snapshot is None else snapshot, ValuationSettings()),
        listed=tuple(_listed() if listed is None else listed),
        starts=tuple(starts),
        settings=settings,
        pricing=HedgeSettings(),
    )


def _lean(missing: float, *, sleeve: float = -400.0) -> Lean:
    """A book beyond a band of 900 by so much, because of its sleeve."""
    return Lean(book=-900.0 - missing, sleeve=sleeve, half_width=900.0)


def _widening(missing: float, wings: Wings | None = None) -> Widening:
    found = (wings or _wings()).widening(_lean(missing))
    assert isinstance(found, Widening), found
    return found


def _each() -> float:
    """What one put wing gains when it is moved to the next strike."""
    unit = _wings().valuer.unit(_widening(1.0).roll.legs)
    assert not isinstance(unit, Unvalued)
    return unit.usd_per_spx_percent


# when -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("book", "sleeve", "why"),
    [
        (-900.0, -400.0, "inside its band"),
        (2000.0, -400.0, "or leans long"),
        (-1000.0, -50.0, "the condors alone lean short"),
        (-1000.0, 0.0, "the condors alone lean short"),
        (-1000.0, 200.0, "the condors alone lean short"),
    ],
)
def test_nothing_is_widened_unless_the_sleeve_carried_the_book_out(book: float, sleeve: float, why: str) -> None:
    """At the edge of the band, on the long side, or where the condors lean by themselves: no widening, and why."""
    found = _wings().widening(Lean(book=book, sleeve=sleeve, half_width=900.0))
    assert isinstance(found, NoWidening)
    assert why in found.why


def test_without_condors_or_with_unmatched_legs_nothing_is_widened() -> None:
    """What fits no condor locks this as well as the sizing."""
    stray = Position(instrument=an_option(7000, CONDOR.settlement, trading_class="SPXW"), quantity=1)
    unmatched = _wings(book=replace(SCENERY.book(), unmatched=(stray,))).widening(_lean(10.0))
    none = _wings(book=replace(SCENERY.book(), condors=())).widening(_lean(10.0))
    assert isinstance(unmatched, NoWidening)
    assert isinstance(none, NoWidening)
    assert unmatched.why == "SPX option positions fit no condor: nothing is widened until they do"
    assert none.why == "no condors are held"


# how --------------------------------------------------------------------------------------------------------------


def test_the_long_put_is_rolled_to_the_next_strike_in_one_order() -> None:
    """A small lean takes one condor: its long put is sold, the next listed put below it bought, its shorts stay."""
    found = _widening(1.0)
    sold, bought = found.roll.legs
    assert (sold.instrument, sold.side, bought.side) == (CONDOR.long_put, Side.SELL, Side.BUY)
    assert bought.instrument.strike == (CONDOR.long_put.strike or 0) - 5
    assert (found.roll.units, found.mode) == (1, WingMode.ADVISE)
    assert found.roll.gain_usd_per_spx_percent >= 1.0
    assert found.roll.loss_rise_usd == 500
    assert found.roll.limit < 0  # farther out is cheaper: the roll brings money
    assert "inside the band of 900; maximum loss rises by 500 USD" in found.words


def test_as_many_wings_are_moved_as_the_lean_asks_for() -> None:
    """Four and a half wings' worth of delta takes five of the ten."""
    found = _widening(4.5 * _each())
    assert found.roll.units == 5
    assert found.roll.gain_usd_per_spx_percent == pytest.approx(5 * _each())


def test_the_maximum_loss_bounds_the_wings_that_are_moved() -> None:
    """Twenty percent of 18,200 USD are seven wings of 500; the rest of the lean stays, and the words say so."""
    most = 0.20 * float(STARTS[0].maximum_loss_usd)
    found = _widening(10 * _each())
    assert found.roll.units == int(most // 500) == 7
    assert "still outside the band" in found.words


def test_a_wing_grows_by_a_fifth_at_most() -> None:
    """Of 25 points five are a fifth: the second and third strike out are refused, with the reason in the record."""
    found = _widening(1.0)
    assert [roll.rejected for roll in found.considered] == [
        "",
        "the put wing would grow beyond its share of this cycle",
        "the put wing would grow beyond its share of this cycle",
    ]


def test_at_most_three_strikes_are_looked_at() -> None:
    """The fourth listed strike is never considered, and a lower setting looks at fewer."""
    assert len(_widening(1.0).considered) == 3
    assert len(_widening(1.0, _wings(settings=CondorSettings(most_strikes_out=1))).considered) == 1


def test_a_long_call_further_out_is_measured_and_refused() -> None:
    """Where the puts are not enough the call is tried on top; it leans the book shorter, and the record says so."""
    found = _widening(20 * _each())
    calls = [roll for roll in found.considered if len(roll.legs) == 4]
    assert len(calls) == 3
    assert {roll.rejected for roll in calls} == {"a long call further out leans the book shorter still"}
    assert all(roll.gain_usd_per_spx_percent < 0.0 for roll in calls)
    assert len(found.roll.legs) == 2


def test_a_call_roll_that_helped_would_be_taken() -> None:
    """Quotes under which the outer call has the larger delta decide otherwise: one BAG of four legs."""
    far = next(one for one in _listed() if one.right is Right.CALL)
    snapshot = _swapped(CONDOR.long_call, far)
    found = _widening(20 * _each(), _wings(snapshot=snapshot))
    assert len(found.roll.legs) == 4
    assert found.roll.legs[3].instrument == far


def test_an_outer_call_without_a_quote_says_so() -> None:
    """A call that cannot be valued is refused with its reason."""
    far = next(one for one in _listed() if one.right is Right.CALL)
    quotes = {key: quote for key, quote in _noon().quotes.items() if key != far.key}
    found = _widening(20 * _each(), _wings(snapshot=replace(_noon(), quotes=quotes)))
    assert f"{far.key}: no quote" in [roll.rejected for roll in found.considered]


# the cycle --------------------------------------------------------------------------------------------------------


def test_what_was_rolled_before_counts_against_the_cycle() -> None:
    """A put wing that is 30 points wide and began at 25 is at its end."""
    wide = Scenery(condors=10, wing_points=30)
    condors, cohorts = wide.book().condors, wide.book().cohorts
    book = replace(SCENERY.book(), condors=condors, cohorts=cohorts)
    options = [
        one
        for one in SCENERY.universe.options("SPXW", CONDOR.settlement)
        if one.right is Right.PUT and (one.strike or 0) < (condors[0].long_put.strike or 0)
    ]
    nearest = sorted(options, key=lambda one: -(one.strike or 0))[:3]
    legs = (*condors[0].legs, *nearest)
    snapshot = replace(_noon(), quotes={**_noon().quotes, **{one.key: SCENERY.quote(one) for one in legs}})
    found = _wings(book=book, snapshot=snapshot, listed=nearest).widening(_lean(10.0))
    assert isinstance(found, NoWidening)
    assert found.why == "the put wing would grow beyond its share of this cycle"
    fresh = _wings(book=book, snapshot=snapshot, listed=nearest, starts=cycle_starts(condors, cohorts))
    assert isinstance(fresh.widening(_lean(10.0)), Widening)


def test_a_maximum_loss_that_has_grown_leaves_fewer_wings() -> None:
    """A cohort that risks a tenth more than it began with has half the room; one that risks a fifth more has none."""
    start = STARTS[0]
    tenth = replace(start, maximum_loss_usd=start.maximum_loss_usd / Decimal("1.1"))
    fifth = replace(start, maximum_loss_usd=start.maximum_loss_usd / Decimal("1.2"))
    assert _widening(10 * _each(), _wings(starts=[tenth])).roll.units == 3
    found = _wings(starts=[fifth]).widening(_lean(10.0))
    assert isinstance(found, NoWidening)
    assert found.why == "even one would take the maximum loss too far for this cycle"


def test_a_narrower_wing_grows_without_a_larger_loss() -> None:
    """Where the call wing is the wider one, all put wings may follow it: the maximum loss does not rise."""
    narrow = replace(CONDOR, long_call=a_call_further(10))
    book = replace(SCENERY.book(), condors=(narrow,))
    snapshot = replace(_noon(), quotes={**_noon().quotes, narrow.long_call.key: SCENERY.quote(narrow.long_call)})
    found = _widening(20 * _each(), _wings(book=book, snapshot=snapshot))
    assert (found.roll.units, found.roll.loss_rise_usd) == (10, 0)


def test_the_roll_that_adds_the_least_loss_is_taken() -> None:
    """Of two condors whose wings both reach the band, the one whose maximum loss does not rise is widened."""
    wider = replace(CONDOR, long_call=a_call_further(10), count=5)
    book = replace(SCENERY.book(), condors=(replace(CONDOR, count=5), wider))
    quotes = {**_noon().quotes, wider.long_call.key: SCENERY.quote(wider.long_call)}
    found = _widening(1.0, _wings(book=book, snapshot=replace(_noon(), quotes=quotes)))
    assert (found.roll.condor, found.roll.loss_rise_usd) == (wider, 0)


def a_call_further(points: int) -> Instrument:
    """The long call so many points further out."""
    strike = (CONDOR.long_call.strike or 0) + points
    return next(
        one
        for one in SCENERY.universe.options("SPXW", CONDOR.settlement)
        if one.right is Right.CALL and one.strike == strike
    )


def test_a_call_wing_grows_by_a_fifth_at_most() -> None:
    """A call roll that helped is still bound by the width of its own wing at the start of the cycle."""
    far = next(one for one in _listed() if one.right is Right.CALL)
    snapshot = _swapped(CONDOR.long_call, far)
    start = replace(STARTS[0], call_wing_points=Decimal(20))
    found = _widening(20 * _each(), _wings(snapshot=snapshot, starts=[start]))
    assert "the call wing would grow beyond its share of this cycle" in [roll.rejected for roll in found.considered]
    assert len(found.roll.legs) == 2


@pytest.mark.parametrize("part", ["start", "cohort"])
def test_condors_whose_beginning_is_unknown_are_not_widened(part: str) -> None:
    """Without the start of the cycle, or the cohort's present loss, nothing says how far a wing may go."""
    wings = _wings(starts=()) if part == "start" else _wings(book=replace(SCENERY.book(), cohorts=()))
    found = wings.widening(_lean(10.0))
    assert isinstance(found, NoWidening)
    assert found.why == "how wide the condors were opened is not known"
    assert len(found.considered) == 3


def test_no_strike_beyond_the_wings_says_so() -> None:
    """Nothing listed, nothing considered."""
    assert _wings(listed=()).widening(_lean(10.0)) == NoWidening(why="no strike is listed beyond the wings")


def test_strikes_without_a_quote_fall_out_with_their_reason() -> None:
    """A put that cannot be valued is no way to widen; the next one is looked at."""
    nearest = _listed()[0]
    quotes = {key: quote for key, quote in _noon().quotes.items() if key != nearest.key}
    found = _wings(snapshot=replace(_noon(), quotes=quotes)).widening(_lean(10.0))
    assert isinstance(found, NoWidening)
    assert found.why == f"{nearest.key}: no quote"


def test_a_put_that_leans_the_book_no_less_falls_out() -> None:
    """Quotes under which the outer put has the larger delta leave nothing to gain."""
    nearest = _listed()[0]
    found = _wings(snapshot=_swapped(CONDOR.long_put, nearest), listed=[nearest]).widening(_lean(10.0))
    assert isinstance(found, NoWidening)
    assert found.why == "it leans the book no less"


def test_the_start_of_a_cycle_is_the_widest_wing_and_the_loss() -> None:
    """Ten condors 25 wide; a cohort without condors or without a loss has no start."""
    (start,) = STARTS
    (cohort,) = SCENERY.book().cohorts
    assert (start.put_wing_points, start.call_wing_points) == (25, 25)
    assert start.maximum_loss_usd == cohort.maximum_loss_usd
    assert cycle_starts((), SCENERY.book().cohorts) == ()
    assert cycle_starts(SCENERY.book().condors, [replace(cohort, maximum_loss_usd=Decimal(0))]) == ()


# properties and values --------------------------------------------------------------------------------------------


@given(missing=st.floats(0.1, 3000.0), mode=st.sampled_from(WingMode), count=st.integers(1, 60))
@settings(deadline=None, max_examples=40)
def test_whatever_is_widened_keeps_every_limit(missing: float, mode: WingMode, count: int) -> None:
    """Units held, a fifth of width, a fifth of loss, a gain, and no more than is needed."""
    condor = replace(CONDOR, count=count)
    (cohort,) = SCENERY.book().cohorts
    loss = cohort.maximum_loss_usd * count / 10
    book = replace(SCENERY.book(), condors=(condor,), cohorts=(replace(cohort, maximum_loss_usd=loss),))
    start = replace(STARTS[0], maximum_loss_usd=loss)
    found = _wings(book=book, starts=[start], settings=CondorSettings(wings=mode)).widening(
        _lean(missing, sleeve=-missing - 100.0)
    )
    if isinstance(found, NoWidening):
        assert loss * Decimal("0.2") < 500
        return
    roll = found.roll
    assert found.mode is mode
    assert 1 <= roll.units <= count
    assert roll.loss_rise_usd <= Decimal("0.2") * loss
    assert _width_after(roll) <= 30
    assert roll.gain_usd_per_spx_percent > 0.0
    assert roll.units == 1 or (roll.units - 1) / roll.units * roll.gain_usd_per_spx_percent < missing


def _width_after(roll: WingRoll) -> Decimal:
    return (roll.condor.short_put.strike or Decimal(0)) - (roll.legs[1].instrument.strike or Decimal(0))


def test_values_refuse_what_cannot_be() -> None:
    """A lean without a band, a cycle that risked nothing, an absence without a reason."""
    with pytest.raises(InvalidValueError, match="half_width"):
        Lean(book=0.0, sleeve=0.0, half_width=0.0)
    with pytest.raises(InvalidValueError, match="sleeve"):
        Lean(book=0.0, sleeve=float("nan"), half_width=900.0)
    with pytest.raises(InvalidValueError, match="maximum_loss_usd"):
        replace(STARTS[0], maximum_loss_usd=Decimal(0))
    with pytest.raises(InvalidValueError, match="why"):
        NoWidening(why="")


def test_a_roll_is_named_by_what_it_sells_and_buys() -> None:
    """Class, expiry, strikes and rights."""
    roll = _widening(1.0).roll
    sold, bought = (leg.instrument.strike for leg in roll.legs)
    assert roll.name == f"SPXW {CONDOR.settlement} SELL {sold} P, BUY {bought} P"
