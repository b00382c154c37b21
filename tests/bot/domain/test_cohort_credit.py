"""What condors brought in: openings, closings, wing rolls, fees, whose word it is, and the import's changes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.condor_fills import Executions, condors_at_entry
from bot.domain.credits import CohortCredit, cohort_credit
from bot.domain.errors import InvalidValueError
from bot.domain.instrument import Instrument, Right, Side
from bot.domain.orders import Fill, FillPart
from bot.domain.portfolio import Condor, Position, Provenance, StatedCredit
from tests.builders import ACCOUNT, FEES, NOON, TODAY, an_option, vix_call

EXPIRY = date(2026, 12, 4)
STRIKES = (6375, 6400, 7100, 7125)
RIGHTS = (Right.PUT, Right.PUT, Right.CALL, Right.CALL)
PRICES = ("20.00", "22.00", "9.00", "7.20")
"""Of the four legs when they were opened: 3.80 points of credit."""


def _leg(place: int, strike: int | None = None) -> Instrument:
    strike = STRIKES[place] if strike is None else strike
    return an_option(strike, EXPIRY, trading_class="SPXW", right=RIGHTS[place])


def _condor(count: int = 10, long_put: int = 6375) -> Condor:
    legs = [_leg(0, long_put), _leg(1), _leg(2), _leg(3)]
    return Condor(long_put=legs[0], short_put=legs[1], short_call=legs[2], long_call=legs[3], count=count)


def _fill(
    instrument: Instrument | None, quantity: int, price: str, *, order: str = "open", day: int = 0, part: str = ""
) -> Fill:
    """A leg that was bought (positive) or sold, days after noon."""
    name = "combo" if instrument is None else instrument.key
    return Fill(
        exec_id=f"{order}-{name}-{part}",
        order_ref=order,
        perm_id=0,
        account=ACCOUNT,
        part=FillPart.COMBO if instrument is None else FillPart.LEG,
        instrument=instrument,
        side=Side.BUY if quantity > 0 else Side.SELL,
        quantity=abs(quantity),
        price=Decimal(price),
        at=_day(day),
    )


def _day(number: int) -> datetime:
    return NOON + timedelta(days=number)


def _opening(count: int = 10, *, order: str = "open", day: int = 0, prices: Sequence[str] = PRICES) -> tuple[Fill, ...]:
    signs = (1, -1, -1, 1)
    legs = tuple(_fill(_leg(place), signs[place] * count, prices[place], order=order, day=day) for place in range(4))
    return (*legs, _fill(None, count, "-3.80", order=order, day=day))


def _closing(count: int, *, prices: Sequence[str], day: int = 5) -> tuple[Fill, ...]:
    signs = (-1, 1, 1, -1)
    return tuple(_fill(_leg(place), signs[place] * count, prices[place], order="close", day=day) for place in range(4))


def _roll(count: int = 10, *, sold: str, bought: str, strike: int = 6370) -> tuple[Fill, ...]:
    """The long put moved out."""
    return (
        _fill(_leg(0), -count, sold, order="roll", day=3),
        _fill(_leg(0, strike), count, bought, order="roll", day=3),
    )


def _held(count: int) -> list[Position]:
    """Condors as they were held before anything was executed here."""
    return [Position(instrument=_leg(place), quantity=sign * count) for place, sign in enumerate((1, -1, -1, 1))]


def _executions(*fills: Fill, before: Sequence[Position] = (), fee: str | None = None) -> Executions:
    known = {} if fee is None else {fill.exec_id: Decimal(fee) for fill in fills if fill.instrument is not None}
    return Executions(fills=fills, commissions_usd=known, fees=FEES, before=tuple(before))


def _statement(count: int = 10, credit: str = "6800", long_put: int = 6375) -> StatedCredit:
    strikes = (Decimal(long_put), *(Decimal(strike) for strike in STRIKES[1:]))
    return StatedCredit(
        trading_class="SPXW",
        settlement=EXPIRY,
        strikes=strikes,  # type: ignore[arg-type]  # four of them
        count=count,
        credit_usd=Decimal(credit),
        opened_on=TODAY,
    )


def _credit(
    *fills: Fill,
    condors: Sequence[Condor] = (_condor(),),
    stated: Sequence[StatedCredit] = (),
    before: Sequence[Position] = (),
    fee: str | None = "0",
) -> CohortCredit:
    return cohort_credit(condors, _executions(*fills, before=before, fee=fee), stated)


# own executions ---------------------------------------------------------------------------------------------------


def test_an_opening_of_our_own_counts_less_its_fees() -> None:
    """Ten condors at 3.80 are 3,800 USD; forty contracts at the broker's 1.10 take 44 of it."""
    credit = _credit(*_opening(), fee="11")
    assert (credit.opening_usd, credit.fees_usd, credit.credit_usd) == (Decimal("3800.00"), 44, Decimal("3756.00"))
    assert credit.provenance is Provenance.OWN_FILLS
    assert credit.words == (
        "SPXW:2026-12-04: 3800.00 USD taken in, 0 paid for closings and wings, "
        "44 in fees: 3756.00 of credit (own_fills)"
    )


def test_fees_that_the_broker_has_not_told_are_the_schedules() -> None:
    """Forty contracts at the schedule's 1.40; a rebate is no fee."""
    assert _credit(*_opening(), fee=None).fees_usd == Decimal("56.00")
    assert _credit(*_opening(), fee="-5").fees_usd == 0


def test_a_closing_that_costs_takes_from_the_credit() -> None:
    """Four of ten bought back for 1.00 each: 400 USD less."""
    credit = _credit(*_opening(), *_closing(4, prices=("9.00", "9.50", "2.00", "1.50")), condors=(_condor(6),))
    assert (credit.debits_usd, credit.credit_usd) == (Decimal("400.00"), Decimal("3400.00"))
    assert credit.provenance is Provenance.OWN_FILLS


def test_a_closing_that_brings_money_never_raises_the_credit() -> None:
    """A put wing that was worth more than what was bought back adds nothing."""
    credit = _credit(*_opening(), *_closing(4, prices=("30.00", "9.50", "2.00", "1.50")), condors=(_condor(6),))
    assert (credit.debits_usd, credit.credit_usd) == (0, Decimal("3800.00"))


@pytest.mark.parametrize(("sold", "bought", "left"), [("20.00", "20.30", "3500.00"), ("20.00", "19.60", "3800.00")])
def test_a_wing_rolls_debit_lowers_the_credit_and_its_credit_does_not_raise_it(
    sold: str, bought: str, left: str
) -> None:
    """Thirty cents paid on ten wings cost 300 USD, forty cents received bring nothing (M8)."""
    credit = _credit(*_opening(), *_roll(sold=sold, bought=bought), condors=(_condor(long_put=6370),))
    assert credit.credit_usd == Decimal(left)
    assert credit.provenance is Provenance.OWN_FILLS


def test_what_is_closed_dearly_leaves_no_credit_below_zero() -> None:
    """A loss larger than the opening is no negative credit."""
    credit = _credit(*_opening(), *_closing(9, prices=("1.00", "24.00", "2.00", "1.50")), condors=(_condor(1),))
    assert credit.debits_usd == Decimal("21150.00")
    assert credit.credit_usd == 0


def test_condors_built_leg_by_leg_count_as_built_at_once() -> None:
    """Put spreads in the morning and call spreads the day after: two openings, one credit."""
    puts = (_fill(_leg(0), 10, PRICES[0], order="puts"), _fill(_leg(1), -10, PRICES[1], order="puts"))
    calls = (
        _fill(_leg(2), -10, PRICES[2], order="calls", day=1),
        _fill(_leg(3), 10, PRICES[3], order="calls", day=1),
    )
    assert _credit(*puts, *calls).credit_usd == _credit(*_opening()).credit_usd


def test_a_wing_bought_on_its_own_is_a_debit() -> None:
    """Short strangles first, wings later: what the wings cost lowers what the strangles brought."""
    shorts = (_fill(_leg(1), -10, PRICES[1], order="short"), _fill(_leg(2), -10, PRICES[2], order="short"))
    wings = (
        _fill(_leg(0), 10, PRICES[0], order="wings", day=1),
        _fill(_leg(3), 10, PRICES[3], order="wings", day=1),
    )
    credit = _credit(*shorts, *wings)
    assert (credit.opening_usd, credit.debits_usd) == (Decimal("31000.00"), Decimal("27200.00"))
    assert credit.credit_usd == Decimal("3800.00")


def test_other_contracts_are_passed_over() -> None:
    """A VIX call, and the same strikes in another class, are no part of the cohort."""
    others = (
        _fill(vix_call(20), 5, "1.00", order="x"),
        _fill(an_option(6400, EXPIRY, trading_class="SPX", right=Right.PUT), -10, "22.00", order="y"),
    )
    assert _credit(*_opening(), *others) == _credit(*_opening())


# the operator's word ----------------------------------------------------------------------------------------------


def test_a_statement_counts_where_executions_do_not_explain_the_condors() -> None:
    """Nothing executed here: the operator's figure, and whose word it is."""
    credit = _credit(stated=(_statement(),))
    assert (credit.credit_usd, credit.provenance) == (Decimal("6800.00"), Provenance.OPERATOR)


def test_a_statement_counts_in_proportion() -> None:
    """Seven of ten held: seven tenths, rounded down to a cent."""
    assert _credit(condors=(_condor(7),), stated=(_statement(credit="1000.01"),)).credit_usd == Decimal("700.00")


def test_own_executions_come_before_a_statement() -> None:
    """What the account executed itself is believed first."""
    assert _credit(*_opening(), stated=(_statement(),)).provenance is Provenance.OWN_FILLS


def test_a_wing_that_we_rolled_keeps_the_statement_and_costs_its_debit() -> None:
    """The strikes held are not the stated ones any more, because our own order moved the long put."""
    roll = _roll(sold="20.00", bought="20.30")
    credit = _credit(*roll, condors=(_condor(long_put=6370),), stated=(_statement(),), before=_held(10))
    assert (credit.credit_usd, credit.provenance) == (Decimal("6500.00"), Provenance.OPERATOR)


def test_a_wing_rolled_on_some_condors_alone_keeps_one_statement() -> None:
    """Six old and four new condors are the ten stated ones; six and five would be one too many."""
    roll = _roll(4, sold="20.00", bought="20.30")
    mixed = (_condor(6), _condor(4, long_put=6370))
    credit = _credit(*roll, condors=mixed, stated=(_statement(),), before=_held(10))
    assert (credit.credit_usd, credit.provenance) == (Decimal("6680.00"), Provenance.OPERATOR)
    many = _credit(*roll, condors=(_condor(6), _condor(5, long_put=6370)), stated=(_statement(),), before=_held(11))
    assert many.provenance is Provenance.ESTIMATED


def test_a_closing_never_leaves_more_than_the_proportion_or_than_what_is_left() -> None:
    """Five of ten bought back: cheaply, half the statement stays; dearly, what the loss has left of the whole."""
    cheap = _closing(5, prices=("9.00", "9.50", "2.00", "1.50"))
    dear = _closing(5, prices=("9.00", "19.50", "2.00", "1.50"))
    held = _held(10)
    assert _credit(*cheap, condors=(_condor(5),), stated=(_statement(),), before=held).credit_usd == 3400
    assert _credit(*dear, condors=(_condor(5),), stated=(_statement(),), before=held).credit_usd == 1300


@pytest.mark.parametrize(
    ("condors", "stated"),
    [
        ((_condor(),), ()),
        ((_condor(long_put=6370),), (_statement(),)),
        ((_condor(),), (replace(_statement(), trading_class="SPX"),)),
    ],
)
def test_condors_that_nobody_vouches_for_count_for_nothing(
    condors: Sequence[Condor], stated: Sequence[StatedCredit]
) -> None:
    """Without a statement, or with one about other strikes or another class: estimated, zero (M8)."""
    credit = _credit(condors=condors, stated=stated)
    assert (credit.credit_usd, credit.estimated_usd, credit.provenance) == (0, None, Provenance.ESTIMATED)
    assert "say nothing, which counts for nothing until it is confirmed" in credit.words


@pytest.mark.parametrize("condors", [(_condor(11),), (_condor(), _condor(2, long_put=6350))])
def test_more_condors_than_stated_add_nothing_to_the_statement(condors: Sequence[Condor]) -> None:
    """What is stated counts, the rest does not, and the whole is marked as estimated."""
    credit = _credit(condors=condors, stated=(_statement(),))
    assert (credit.credit_usd, credit.provenance) == (Decimal("6800.00"), Provenance.ESTIMATED)
    assert "6800.00 of credit (estimated), for some of the condors alone" in credit.words


def test_the_brokers_average_cost_is_shown_and_not_counted() -> None:
    """What the legs cost on average tells 3,800 USD; the cap sees none of it."""
    held = [
        Position(instrument=_leg(place), quantity=sign * 10, average_cost_usd=100 * Decimal(PRICES[place]))
        for place, sign in enumerate((1, -1, -1, 1))
    ]
    credit = _credit(before=held)
    assert (credit.credit_usd, credit.estimated_usd) == (0, Decimal("3800.00"))
    assert "say 3800.00 USD" in credit.words
    assert _credit(before=[replace(one, average_cost_usd=None) for one in held]).estimated_usd is None


def test_openings_on_top_of_what_was_held_before_are_no_full_explanation() -> None:
    """Five of our own beside five found: executions explain half, so the operator's word is needed for all."""
    held = _held(5)
    assert _credit(*_opening(5), before=held).provenance is Provenance.ESTIMATED
    assert _credit(*_opening(5), before=held, stated=(_statement(),)).provenance is Provenance.OPERATOR


def _of_another_class(condor: Condor) -> Condor:
    legs = [replace(leg, trading_class="SPX") for leg in condor.legs]
    return Condor(long_put=legs[0], short_put=legs[1], short_call=legs[2], long_call=legs[3], count=condor.count)


@pytest.mark.parametrize("condors", [(), (_condor(), _of_another_class(_condor()))], ids=["none", "two classes"])
def test_a_credit_is_that_of_one_cohort(condors: Sequence[Condor]) -> None:
    """No condor, or condors of two classes, have no credit together."""
    with pytest.raises(InvalidValueError, match="one class and expiry, one at least"):
        _credit(condors=condors)


# the entry --------------------------------------------------------------------------------------------------------


def _wings_at_entry(*fills: Fill, condors: Sequence[Condor], before: Sequence[Position] = ()) -> list[tuple[int, int]]:
    """Count and long put of the condors as they were opened."""
    found = condors_at_entry(condors, _executions(*fills, before=before))
    return [(one.count, int(one.long_put.strike or 0)) for one in found]


def test_condors_at_entry_have_the_wings_with_which_they_were_opened() -> None:
    """Without a roll those held; after one, and after a second, those of the beginning."""
    held = _held(10)
    first = _roll(sold="20.00", bought="19.60")
    second = (
        _fill(_leg(0, 6370), -10, "19.60", order="again", day=4),
        _fill(_leg(0, 6365), 10, "19.30", order="again", day=4),
    )
    assert _wings_at_entry(condors=(_condor(),), before=held) == [(10, 6375)]
    assert _wings_at_entry(*first, condors=(_condor(long_put=6370),), before=held) == [(10, 6375)]
    assert _wings_at_entry(*first, *second, condors=(_condor(long_put=6365),), before=held) == [(10, 6375)]


def test_condors_that_were_rolled_and_closed_are_no_part_of_the_entry() -> None:
    """Ten rolled, four of them closed: the six that are left were opened with the old wing."""
    closing = (
        _fill(_leg(0, 6370), -4, "19.00", order="close", day=5),
        _fill(_leg(1), 4, "21.00", order="close", day=5),
        _fill(_leg(2), 4, "2.00", order="close", day=5),
        _fill(_leg(3), -4, "1.50", order="close", day=5),
    )
    fills = (*_roll(sold="20.00", bought="19.60"), *closing)
    assert _wings_at_entry(*fills, condors=(_condor(6, long_put=6370),), before=_held(10)) == [(6, 6375)]


def test_a_wing_bought_on_its_own_belongs_to_the_entry() -> None:
    """Short first, wings later: the wings were not moved from anywhere."""
    shorts = (_fill(_leg(1), -10, PRICES[1], order="short"), _fill(_leg(2), -10, PRICES[2], order="short"))
    wings = (
        _fill(_leg(0), 10, PRICES[0], order="wings", day=1),
        _fill(_leg(3), 10, PRICES[3], order="wings", day=1),
    )
    assert _wings_at_entry(*shorts, *wings, condors=(_condor(),)) == [(10, 6375)]


def test_a_roll_that_leads_to_no_condor_leaves_the_entry_unknown() -> None:
    """A wing moved from inside the short strike: what was held before was no condor."""
    inside = (
        _fill(_leg(0, 6450), -10, "25.00", order="roll", day=3),
        _fill(_leg(0), 10, "20.00", order="roll", day=3),
    )
    held = [Position(instrument=_leg(0, 6450), quantity=10), *_held(10)[1:]]
    assert _wings_at_entry(*inside, condors=(_condor(),), before=held) == []


def test_the_entry_share_of_an_opening_follows_the_condors_that_are_left() -> None:
    """Six of ten are left: six tenths of 3,800 USD, whatever closing the others has cost."""
    credit = _credit(*_opening(), *_closing(4, prices=("9.00", "9.50", "2.00", "1.50")), condors=(_condor(6),))
    assert (credit.entry_usd, credit.opened_on) == (Decimal("2280.00"), TODAY)


# properties -------------------------------------------------------------------------------------------------------

CENTS = st.integers(5, 4000).map(lambda cents: f"{cents / 100:.2f}")


@given(
    prices=st.tuples(CENTS, CENTS, CENTS, CENTS),
    closed=st.integers(0, 9),
    at=st.tuples(CENTS, CENTS, CENTS, CENTS),
    fee=st.integers(0, 30),
    order=st.randoms(use_true_random=False),
)
def test_credit_is_never_above_the_opening_nor_below_zero_and_order_does_not_matter(
    prices: tuple[str, ...], closed: int, at: tuple[str, ...], fee: int, order: object
) -> None:
    """Whatever was paid, received and charged; told in any order, and twice."""
    fills = [*_opening(prices=prices), *(_closing(closed, prices=at) if closed else ())]
    condors = (_condor(10 - closed),)
    credit = _credit(*fills, condors=condors, fee=str(fee))
    assert 0 <= credit.credit_usd <= max(Decimal(0), credit.opening_usd)
    assert credit.provenance is Provenance.OWN_FILLS
    shuffled = [*fills, *fills]
    order.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis' own random
    assert _credit(*shuffled, condors=condors, fee=str(fee)) == credit
