"""Widening a condor's wings: when it is asked for, how far it may go, and what it says of every way it left out."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.errors import InvalidValueError
from bot.domain.instrument import SPX, Instrument, Right, Side
from bot.domain.orders import DecisionId, OrderIntent, Purpose
from bot.domain.portfolio import Book, Cohort, Position
from bot.domain.proposal import Proposal, Proposals, ProposalState, asked
from bot.domain.snapshot import Snapshot
from bot.hedging.condor.lean import Lean, lean_of
from bot.hedging.condor.wings import NoWidening, Widening, WingBounds, WingRoll, Wings
from bot.hedging.settings import HedgeSettings
from bot.valuation import Unvalued, ValuationSettings, Valuer
from tests.builders import (
    FEES,
    NOON,
    WING_BOUNDS,
    Scenery,
    a_future,
    an_intent,
    an_option,
    an_order,
    buys,
    ns,
    sells,
)

SCENERY = Scenery(condors=10)
CONDOR = SCENERY.opening.condors[0]
(COHORT,) = SCENERY.book().cohorts
MIXED = replace(COHORT, maximum_loss_usd=COHORT.maximum_loss_usd + 5_000)
"""Five of the condors were opened with a call wing ten points wider."""
FEE = Decimal("2.80")
"""Two SPXW contracts by the schedule."""


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
    cohort: Cohort | None = None,
    bounds: WingBounds = WING_BOUNDS,
    listed: Sequence[Instrument] | None = None,
) -> Wings:
    moment = _noon() if snapshot is None else snapshot
    held = moment.book if book is None else book
    if cohort is not None:
        held = replace(held, cohorts=(cohort,))
    return Wings(
        valuer=Valuer(replace(moment, book=held), ValuationSettings()),
        listed=tuple(_listed() if listed is None else listed),
        bounds=bounds,
        pricing=HedgeSettings(),
        fees=FEES,
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
    assert found.roll.units == 1
    assert found.roll.gain_usd_per_spx_percent >= 1.0
    assert (found.roll.loss_rise_usd, found.roll.cost_usd) == (500 + FEE, FEE)
    assert found.roll.limit < 0  # farther out is cheaper: the roll brings money
    assert "inside the band of 900; maximum loss rises by 502.80 USD" in found.words


def test_as_many_wings_are_moved_as_the_lean_asks_for() -> None:
    """Four and a half wings' worth of delta takes five of the ten."""
    found = _widening(4.5 * _each())
    assert found.roll.units == 5
    assert found.roll.gain_usd_per_spx_percent == pytest.approx(5 * _each())


def test_the_maximum_loss_bounds_the_wings_that_are_moved() -> None:
    """Twenty percent of 18,200 USD are seven wings of 502.80; the rest of the lean stays, and the words say so."""
    most = Decimal("0.20") * COHORT.maximum_loss_usd
    found = _widening(10 * _each())
    assert found.roll.units == int(most // (500 + FEE)) == 7
    assert "still outside the band" in found.words


def test_a_wing_grows_by_a_fifth_at_most() -> None:
    """Of 25 points five are a fifth: the second and third strike out are refused, with the reason in the record."""
    found = _widening(1.0)
    assert [roll.rejected for roll in found.considered[:3]] == [
        "",
        "the put wing would grow beyond its share of this cycle",
        "the put wing would grow beyond its share of this cycle",
    ]


def test_at_most_three_strikes_are_looked_at() -> None:
    """The fourth listed strike is never considered, and a lower setting looks at fewer."""
    assert len(_widening(1.0).considered) == 2 * 3
    assert len(_widening(1.0, _wings(bounds=replace(WING_BOUNDS, most_strikes_out=1))).considered) == 2


def test_a_long_call_further_out_is_measured_and_refused() -> None:
    """It leans the book shorter, and the record says so; a roll has two legs, never four."""
    found = _widening(20 * _each())
    calls = [roll for roll in found.considered if roll.legs[0].instrument.right is Right.CALL]
    assert len(calls) == 3
    assert {roll.rejected for roll in calls} == {"it leans the book no less"}
    assert {len(roll.legs) for roll in found.considered} == {2}


def test_a_call_roll_that_helped_is_taken_where_no_put_passes() -> None:
    """Quotes under which the outer call has the larger delta: no second choice while a long put can be rolled."""
    far = next(one for one in _listed() if one.right is Right.CALL)
    snapshot = _swapped(CONDOR.long_call, far)
    assert _widening(1.0, _wings(snapshot=snapshot)).roll.legs[1].instrument.right is Right.PUT
    alone = _widening(1.0, _wings(snapshot=snapshot, listed=[far]))
    assert (alone.roll.legs[1].instrument, alone.roll.limit > 0) == (far, True)


def test_an_outer_strike_without_a_quote_says_so() -> None:
    """A call that cannot be valued is refused with its reason."""
    far = next(one for one in _listed() if one.right is Right.CALL)
    quotes = {key: quote for key, quote in _noon().quotes.items() if key != far.key}
    found = _widening(20 * _each(), _wings(snapshot=replace(_noon(), quotes=quotes)))
    assert f"{far.key}: no quote" in [roll.rejected for roll in found.considered]


def test_a_roll_whose_price_has_no_sign_is_none() -> None:
    """Quotes so wide that a roll which should bring money would cost some: nobody knows what it is worth."""
    nearest, wing = _listed()[0], CONDOR.long_put
    middle = _noon().quotes[wing.key]
    near = replace(_noon().quotes[nearest.key], bid=(middle.bid or 0) - 1.0, ask=(middle.ask or 0) + 0.9)
    found = _wings(snapshot=replace(_noon(), quotes={**_noon().quotes, nearest.key: near}), listed=[nearest])
    why = found.widening(_lean(1.0))
    assert isinstance(why, NoWidening)
    assert why.why == "its quotes do not say whether it pays or brings money"


# one at a time ----------------------------------------------------------------------------------------------------


def _a_roll() -> OrderIntent:
    legs = (sells(CONDOR.long_put), buys(_listed()[0]))
    return an_intent(legs, limit="-0.35", purpose=Purpose.WING_ROLL, intent_id="roll")


def test_while_a_roll_works_no_other_is_made() -> None:
    """One roll at a time; the order of a hedge is none."""
    book = replace(_noon().book, orders={_a_roll().intent_id: an_order(_a_roll())})
    found = _wings(book=book).widening(_lean(10.0))
    assert isinstance(found, NoWidening)
    assert found.why == "the roll of a wing is still working"
    hedge = an_intent(intent_id="hedge")
    assert _widening(1.0, _wings(book=replace(_noon().book, orders={hedge.intent_id: an_order(hedge)})))


@pytest.mark.parametrize(("minutes", "kind"), [(29.9, NoWidening), (30.0, Widening)])
def test_after_a_roll_the_next_one_waits(minutes: float, kind: type) -> None:
    """Half an hour from the last one, filled or not."""
    book = replace(_noon().book, last_roll_at=NOON - timedelta(minutes=minutes))
    found = _wings(book=book).widening(_lean(10.0))
    assert isinstance(found, kind)
    if isinstance(found, NoWidening):
        assert found.why == "a wing was rolled, or tried to be, less than 30 minutes ago"


@pytest.mark.parametrize(
    ("minutes", "kind"), [(9.9, NoWidening), (10.0, Widening), (395 - 0.1, Widening), (395.0, NoWidening)]
)
def test_no_wing_is_moved_at_the_ends_of_a_session(minutes: float, kind: type) -> None:
    """In the first and the last ten minutes the gate lets no order through, so none is asked for."""
    session = _noon().session
    assert session is not None
    now = session.opens_at + timedelta(minutes=minutes)
    moved = replace(_noon(), now=now, quotes={key: replace(one, at_ns=ns(now)) for key, one in _noon().quotes.items()})
    found = _wings(snapshot=moved).widening(_lean(10.0))
    assert isinstance(found, kind)
    outside = _wings(snapshot=replace(_noon(), session=None)).widening(_lean(10.0))
    assert outside == NoWidening(why="the session begins or ends: no wing is moved")


def _approved(quantity: int, **changes: object) -> Snapshot:
    """A moment at which the roll to the second strike, which costs more, has been approved."""
    roll = an_intent(
        (sells(CONDOR.long_put), buys(_listed()[0])), quantity=quantity, purpose=Purpose.WING_ROLL, intent_id="r"
    )
    proposal = Proposal(
        proposal_id=DecisionId("asked"),
        orders=(asked(roll),),
        because="test",
        made_at=NOON,
        expires_at=NOON + timedelta(minutes=15),
        state=ProposalState.APPROVED,
    )
    return replace(_noon(), proposals=Proposals(last=(proposal,)), **changes)  # type: ignore[arg-type]  # test shorthand


def test_no_more_is_rolled_than_was_approved() -> None:
    """Two were asked for; five would help, two are rolled, with the figures of two."""
    found = _widening(4.5 * _each(), _wings(snapshot=_approved(2)))
    assert (found.roll.units, found.roll.loss_rise_usd) == (2, 2 * (500 + FEE))
    assert found.roll.gain_usd_per_spx_percent == pytest.approx(2 * _each())


def test_an_approved_roll_is_preferred_while_it_passes() -> None:
    """A person said yes to one of two condors; the other one would add less loss."""
    wider = replace(CONDOR, long_call=a_call_further(10), count=5)
    book = replace(_noon().book, condors=(replace(CONDOR, count=5), wider))
    quotes = {**_noon().quotes, wider.long_call.key: SCENERY.quote(wider.long_call)}
    found = _widening(1.0, _wings(snapshot=_approved(1, quotes=quotes), book=book, cohort=MIXED))
    assert (found.roll.condor.count, found.roll.condor.long_call) == (5, CONDOR.long_call)


# the cycle --------------------------------------------------------------------------------------------------------


def test_what_was_rolled_before_counts_against_the_cycle() -> None:
    """A put wing that is 30 points wide and began at 25 is at its end."""
    wide = Scenery(condors=10, wing_points=30)
    condors = wide.book().condors
    options = [
        one
        for one in SCENERY.universe.options("SPXW", CONDOR.settlement)
        if one.right is Right.PUT and (one.strike or 0) < (condors[0].long_put.strike or 0)
    ]
    nearest = sorted(options, key=lambda one: -(one.strike or 0))[:3]
    legs = (*condors[0].legs, *nearest)
    snapshot = replace(_noon(), quotes={**_noon().quotes, **{one.key: SCENERY.quote(one) for one in legs}})
    rolled = replace(SCENERY.book(), condors=condors)
    found = _wings(book=rolled, snapshot=snapshot, listed=nearest).widening(_lean(10.0))
    assert isinstance(found, NoWidening)
    assert found.why == "the put wing would grow beyond its share of this cycle"
    fresh = _wings(book=replace(rolled, cohorts=wide.book().cohorts), snapshot=snapshot, listed=nearest)
    assert isinstance(fresh.widening(_lean(10.0)), Widening)


def test_a_maximum_loss_that_has_grown_leaves_fewer_wings() -> None:
    """A cohort that risks a tenth more than it began with has half the room; one that risks a fifth more has none."""
    tenth = replace(COHORT, maximum_loss_usd=COHORT.maximum_loss_usd / Decimal("1.1"))
    fifth = replace(COHORT, maximum_loss_usd=COHORT.maximum_loss_usd / Decimal("1.2"))
    assert _widening(10 * _each(), _wings(cohort=tenth)).roll.units == 3
    found = _wings(cohort=fifth).widening(_lean(10.0))
    assert isinstance(found, NoWidening)
    assert found.why == "even one would take the maximum loss too far for this cycle"


def test_a_credit_that_has_fallen_leaves_fewer_wings() -> None:
    """What the condors can lose grows with every dollar of credit that is gone."""
    less = replace(COHORT, credit_usd=COHORT.credit_usd - 1500)
    assert _widening(10 * _each(), _wings(cohort=less)).roll.units == 4


def test_a_narrower_wing_grows_without_a_larger_loss() -> None:
    """Where the call wing is the wider one, the loss rises by the fees alone: all put wings may follow."""
    narrow = replace(CONDOR, long_call=a_call_further(10))
    book = replace(SCENERY.book(), condors=(narrow,))
    loss = COHORT.maximum_loss_usd + 10_000
    snapshot = replace(_noon(), quotes={**_noon().quotes, narrow.long_call.key: SCENERY.quote(narrow.long_call)})
    cohort = replace(COHORT, maximum_loss_usd=loss)
    found = _widening(20 * _each(), _wings(book=book, snapshot=snapshot, cohort=cohort))
    assert (found.roll.units, found.roll.loss_rise_usd) == (10, 10 * FEE)


def test_the_roll_that_adds_the_least_loss_is_taken() -> None:
    """Of two condors whose wings both reach the band, the one whose maximum loss does not rise is widened."""
    wider = replace(CONDOR, long_call=a_call_further(10), count=5)
    book = replace(SCENERY.book(), condors=(replace(CONDOR, count=5), wider))
    quotes = {**_noon().quotes, wider.long_call.key: SCENERY.quote(wider.long_call)}
    found = _widening(1.0, _wings(book=book, snapshot=replace(_noon(), quotes=quotes), cohort=MIXED))
    assert (found.roll.condor, found.roll.loss_rise_usd) == (wider, FEE)


def a_call_further(points: int) -> Instrument:
    """The long call so many points further out."""
    strike = (CONDOR.long_call.strike or 0) + points
    return next(
        one
        for one in SCENERY.universe.options("SPXW", CONDOR.settlement)
        if one.right is Right.CALL and one.strike == strike
    )


def test_a_call_wing_grows_by_a_fifth_at_most() -> None:
    """A call roll that helped is still bound by the width of its own wing at entry."""
    far = next(one for one in _listed() if one.right is Right.CALL)
    cohort = replace(COHORT, call_wing_points=Decimal(20))
    found = _wings(snapshot=_swapped(CONDOR.long_call, far), cohort=cohort, listed=[far]).widening(_lean(1.0))
    assert isinstance(found, NoWidening)
    assert found.why == "the call wing would grow beyond its share of this cycle"


@pytest.mark.parametrize(
    "book",
    [
        replace(SCENERY.book(), cohorts=()),
        replace(SCENERY.book(), cohorts=(replace(COHORT, put_wing_points=Decimal(0)),)),
        replace(SCENERY.book(), cohorts=(replace(COHORT, call_wing_points=Decimal(0)),)),
    ],
)
def test_condors_whose_entry_is_unknown_are_not_widened(book: Book) -> None:
    """Without the wings at entry nothing says how far one may go."""
    found = _wings(book=book).widening(_lean(10.0))
    assert isinstance(found, NoWidening)
    assert found.why == "how wide the condors were opened is not known"


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


# the lean ---------------------------------------------------------------------------------------------------------


def _leaning(**changes: object) -> Lean | Unvalued:
    snapshot = replace(_noon(), **changes)  # type: ignore[arg-type]  # test shorthand
    return lean_of(Valuer(snapshot, ValuationSettings()), 0.05)


def test_the_lean_is_the_whole_books_and_the_sleeves_part_of_it() -> None:
    """All that is no condor is the sleeve's; half the band is a twentieth of the maximum loss."""
    lean = _leaning()
    assert isinstance(lean, Lean)
    condors = {key: one for key, one in _noon().book.positions.items() if one.instrument.trading_class == "SPXW"}
    alone = _leaning(book=replace(_noon().book, positions=condors))
    assert isinstance(alone, Lean)
    assert alone.sleeve == 0.0
    assert lean.book == pytest.approx(alone.book + lean.sleeve)
    assert lean.half_width == pytest.approx(0.05 * float(COHORT.maximum_loss_usd))


def test_what_cannot_be_measured_has_no_lean() -> None:
    """No level of SPX, a hedge without a quote, or no condors: unknown, with the reason."""
    levels = {key: level for key, level in _noon().levels.items() if key != SPX.key}
    future = Position(instrument=a_future("VXM"), quantity=1)
    unquoted = {**_noon().book.positions, future.instrument.key: future}
    quotes = {key: quote for key, quote in _noon().quotes.items() if key != future.instrument.key}
    without = _leaning(book=replace(_noon().book, positions=unquoted), quotes=quotes)
    none = _leaning(book=replace(_noon().book, cohorts=()))
    assert [type(one) for one in (_leaning(levels=levels), without, none)] == [Unvalued] * 3
    assert none == Unvalued(reason="no condors, so the book has no band")


# properties and values --------------------------------------------------------------------------------------------


@given(missing=st.floats(0.1, 3000.0), count=st.integers(1, 60))
@settings(deadline=None, max_examples=40)
def test_whatever_is_widened_keeps_every_limit(missing: float, count: int) -> None:
    """Units held, a fifth of width, a fifth of loss, a gain, and no more than is needed."""
    loss, credit = COHORT.maximum_loss_usd * count / 10, COHORT.credit_usd * count / 10
    cohort = replace(COHORT, maximum_loss_usd=loss, credit_usd=credit)
    book = replace(SCENERY.book(), condors=(replace(CONDOR, count=count),))
    found = _wings(book=book, cohort=cohort).widening(_lean(missing, sleeve=-missing - 100.0))
    if isinstance(found, NoWidening):
        assert loss * Decimal("0.2") < 500 + FEE
        return
    roll = found.roll
    assert 1 <= roll.units <= count
    assert roll.loss_rise_usd <= Decimal("0.2") * loss
    assert _width_after(roll) <= 30
    assert roll.gain_usd_per_spx_percent > 0.0
    assert roll.units == 1 or (roll.units - 1) / roll.units * roll.gain_usd_per_spx_percent < missing


def _width_after(roll: WingRoll) -> Decimal:
    return (roll.condor.short_put.strike or Decimal(0)) - (roll.legs[1].instrument.strike or Decimal(0))


def test_values_refuse_what_cannot_be() -> None:
    """A lean without a band, bounds that are none, an absence without a reason."""
    with pytest.raises(InvalidValueError, match="half_width"):
        Lean(book=0.0, sleeve=0.0, half_width=0.0)
    with pytest.raises(InvalidValueError, match="sleeve"):
        Lean(book=0.0, sleeve=float("nan"), half_width=900.0)
    with pytest.raises(InvalidValueError, match="loss_rise_frac"):
        replace(WING_BOUNDS, loss_rise_frac=0.0)
    with pytest.raises(InvalidValueError, match="least_minutes_between"):
        replace(WING_BOUNDS, least_minutes_between=-1.0)
    with pytest.raises(InvalidValueError, match="edge_minutes"):
        replace(WING_BOUNDS, edge_minutes=-1.0)
    with pytest.raises(InvalidValueError, match="why"):
        NoWidening(why="")


def test_a_roll_is_named_by_what_it_sells_and_buys() -> None:
    """Class, expiry, strikes and rights."""
    roll = _widening(1.0).roll
    sold, bought = (leg.instrument.strike for leg in roll.legs)
    assert roll.name == f"SPXW {CONDOR.settlement} SELL {sold} P, BUY {bought} P"
