"""Condors, cohorts, and what the book is made of."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.cohorts import cohorts_of, past_cohorts_of
from bot.domain.condor_fills import Executions
from bot.domain.condors import recognise_condors
from bot.domain.errors import InvalidValueError
from bot.domain.instrument import Instrument, Right
from bot.domain.ledger import NEW_YORK
from bot.domain.portfolio import Cohort, Condor, Position, Provenance, StatedCredit
from tests.builders import (
    NOVEMBER,
    TODAY,
    a_book,
    a_future,
    a_lot,
    an_account,
    an_intent,
    an_option,
    an_order,
    buys,
    spread_legs,
    vix_call,
)

DAY = timedelta(days=1)
NONE = Executions()
"""Nothing was traded."""
NAIVE = datetime(2026, 10, 20, 12, 0)  # noqa: DTZ001 - a naive time is what these tests refuse


# condors ----------------------------------------------------------------------------------------------------------


def spx(strike: int, right: str, trading_class: str = "SPXW", settlement: date = NOVEMBER) -> Instrument:
    """An SPX option."""
    return an_option(strike, settlement, trading_class=trading_class, right=Right(right))


def held(**quantities: int) -> list[Position]:
    """Positions of one class by name: ``p6500=-2`` is two short puts at 6500."""
    return [
        Position(instrument=spx(int(name[1:]), name[0].upper()), quantity=quantity)
        for name, quantity in quantities.items()
    ]


def strikes_of(condor: Condor) -> tuple[int, ...]:
    """Four strikes and the count."""
    return (*(int(leg.strike or 0) for leg in condor.legs), condor.count)


@pytest.mark.parametrize(
    ("positions", "condors", "unmatched"),
    [
        (held(p6475=2, p6500=-2, c7100=-2, c7125=2), [(6475, 6500, 7100, 7125, 2)], {}),
        (held(), [], {}),
        (held(p6475=2, p6500=-2), [], {"6475P": 2, "6500P": -2}),
        (held(p6475=3, p6500=-2, c7100=-2, c7125=2), [(6475, 6500, 7100, 7125, 2)], {"6475P": 1}),
        (held(p6475=2, p6500=-3, c7100=-2, c7125=2), [(6475, 6500, 7100, 7125, 2)], {"6500P": -1}),
        (
            held(p6475=3, p6500=-3, c7100=-2, c7125=2),
            [(6475, 6500, 7100, 7125, 2)],
            {"6475P": 1, "6500P": -1},
        ),
        (
            held(p6450=1, p6475=1, p6500=-2, c7100=-2, c7125=2),
            [(6475, 6500, 7100, 7125, 1), (6450, 6500, 7100, 7125, 1)],
            {},
        ),
        (
            held(p6475=2, p6500=-2, c7100=-1, c7125=1, c7110=-1, c7150=1),
            [(6475, 6500, 7100, 7125, 1), (6475, 6500, 7110, 7150, 1)],
            {},
        ),
        (
            held(p6550=1, p6475=1, p6500=-1, c7100=-1, c7125=1),
            [(6475, 6500, 7100, 7125, 1)],
            {"6550P": 1},
        ),
        (held(p6475=1, p7200=-1, c7100=-1, c7125=1), [], {"6475P": 1, "7200P": -1, "7100C": -1, "7125C": 1}),
        (held(c7125=1), [], {"7125C": 1}),
    ],
)
def test_condors_are_recognised_from_the_inside_out(
    positions: list[Position], condors: list[tuple[int, ...]], unmatched: dict[str, int]
) -> None:
    """Equal counts of four ascending legs; what fits nowhere is left and named."""
    book = recognise_condors(positions)
    assert [strikes_of(condor) for condor in book.condors] == condors
    left: dict[str, int] = {}
    for position in book.unmatched:
        name = f"{position.instrument.strike}{position.instrument.right}"
        left[name] = left.get(name, 0) + position.quantity
    assert left == unmatched


def test_morning_and_afternoon_settlement_are_never_mixed() -> None:
    """Puts of SPX and calls of SPXW make no condor; VIX calls and futures are none of its business."""
    positions = [
        Position(instrument=spx(6475, "P", "SPX"), quantity=1),
        Position(instrument=spx(6500, "P", "SPX"), quantity=-1),
        Position(instrument=spx(7100, "C"), quantity=-1),
        Position(instrument=spx(7125, "C"), quantity=1),
        Position(instrument=vix_call(20), quantity=5),
        Position(instrument=a_future("VX"), quantity=1),
    ]
    book = recognise_condors(positions)
    assert book.condors == ()
    assert len(book.unmatched) == 4


@given(
    st.dictionaries(
        st.tuples(st.sampled_from([6400, 6500, 6600, 6700]), st.sampled_from(["P", "C"])),
        st.integers(-3, 3).filter(bool),
        max_size=8,
    )
)
def test_no_contract_is_lost_or_invented(quantities: dict[tuple[int, str], int]) -> None:
    """Condors and leftovers together are exactly the positions."""
    positions = [
        Position(instrument=spx(strike, right), quantity=count) for (strike, right), count in quantities.items()
    ]
    book = recognise_condors(positions)
    counted: dict[str, int] = {}
    for condor in book.condors:
        for leg, sign in zip(condor.legs, (1, -1, -1, 1), strict=True):
            counted[leg.key] = counted.get(leg.key, 0) + sign * condor.count
    for position in book.unmatched:
        counted[position.instrument.key] = counted.get(position.instrument.key, 0) + position.quantity
    expected = {position.instrument.key: position.quantity for position in positions}
    assert {key: count for key, count in counted.items() if count} == expected


def a_condor(count: int = 2) -> Condor:
    """A condor of SPXW."""
    return Condor(
        long_put=spx(6475, "P"),
        short_put=spx(6500, "P"),
        short_call=spx(7100, "C"),
        long_call=spx(7130, "C"),
        count=count,
    )


def a_statement(**changes: object) -> StatedCredit:
    """What the operator states of two such condors."""
    whole: dict[str, object] = {
        "trading_class": "SPXW",
        "settlement": NOVEMBER,
        "strikes": (Decimal(6475), Decimal(6500), Decimal(7100), Decimal(7130)),
        "count": 2,
        "credit_usd": Decimal("1000.01"),
        "opened_on": TODAY,
    }
    return StatedCredit(**(whole | changes))  # type: ignore[arg-type]  # test shorthand


def test_legs_that_do_not_ascend_make_no_condor() -> None:
    """Strikes ascend from long put to long call; a count of none is no condor; an index is no leg."""
    with pytest.raises(InvalidValueError, match="ascend"):
        replace(a_condor(), long_call=spx(7000, "C"))
    with pytest.raises(InvalidValueError, match="count"):
        a_condor(0)
    with pytest.raises(InvalidValueError, match="ascend"):
        replace(a_condor(), long_put=a_future("VX"))


def test_the_wider_wing_sets_the_loss() -> None:
    """25 below, 30 above: 30."""
    assert a_condor().widest_wing_points == 30


def _at(hour: int) -> datetime:
    """That hour of the settlement's day in New York."""
    return datetime.combine(NOVEMBER, time(hour), tzinfo=NEW_YORK)


def test_a_cohort_joins_condors_with_their_credit() -> None:
    """Credit as stated, maximum loss of the wider wing less the credit."""
    (cohort,) = cohorts_of([a_condor()], [a_statement()], NONE, TODAY)
    assert cohort == Cohort(
        trading_class="SPXW",
        settlement=NOVEMBER,
        opened_on=TODAY,
        credit_usd=Decimal("1000.01"),
        maximum_loss_usd=Decimal("4999.99"),
        provenance=Provenance.OPERATOR,
        put_wing_points=Decimal(25),
        call_wing_points=Decimal(30),
        words=cohort.words,
    )
    assert "1000.01 of credit (operator)" in cohort.words
    assert (cohort.name, a_condor().cohort) == ("SPXW:2026-11-18", "SPXW:2026-11-18")


def test_fewer_condors_than_stated_carry_their_share_rounded_down() -> None:
    """One of two stated condors is left: half the credit, to the cent below."""
    (cohort,) = cohorts_of([a_condor(1)], [a_statement()], NONE, TODAY)
    assert (cohort.credit_usd, cohort.provenance) == (Decimal("500.00"), Provenance.OPERATOR)


@pytest.mark.parametrize(
    "statement",
    [
        a_statement(count=1, credit_usd=Decimal(500)),
        a_statement(trading_class="SPX"),
        a_statement(strikes=(Decimal(6470), Decimal(6500), Decimal(7100), Decimal(7130))),
    ],
)
def test_a_credit_that_nobody_vouches_for_does_not_raise_the_cap(statement: StatedCredit) -> None:
    """More condors than stated, another class, other strikes: estimated, and only what is stated counts."""
    (cohort,) = cohorts_of([a_condor()], [statement], NONE, TODAY)
    assert cohort.provenance is Provenance.ESTIMATED
    assert cohort.credit_usd <= 500


def test_a_cohort_without_a_statement_opened_today() -> None:
    """Or when it settled, if that was before."""
    (cohort,) = cohorts_of([a_condor()], [], NONE, NOVEMBER + 3 * DAY)
    assert (cohort.credit_usd, cohort.opened_on) == (Decimal(0), NOVEMBER)


def test_settled_statements_are_past_cohorts() -> None:
    """Statements of one settlement are joined; those that have not settled are none of them."""
    earlier = a_statement(opened_on=TODAY - 9 * DAY, credit_usd=Decimal(100))
    past = past_cohorts_of([a_statement(), earlier, a_statement(settlement=date(2027, 1, 15))], _at(17))
    assert [(one.credit_usd, one.opened_on, one.settlement) for one in past] == [
        (Decimal("1100.01"), TODAY - 9 * DAY, NOVEMBER)
    ]
    assert past_cohorts_of([a_statement()], _at(15)) == ()
    morning = a_statement(trading_class="SPX")
    assert [one.name for one in past_cohorts_of([a_statement(), morning], _at(10))] == ["SPX:2026-11-18"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"trading_class": ""}, "trading_class"),
        ({"count": 0}, "count"),
        ({"credit_usd": Decimal(-1)}, "credit_usd"),
        ({"opened_on": NOVEMBER + DAY}, "after settlement"),
    ],
)
def test_a_credit_that_no_condor_brought_is_refused(changes: dict[str, object], words: str) -> None:
    """Each fault has its words."""
    with pytest.raises(InvalidValueError, match=words):
        a_statement(**changes)


def test_values_of_the_book_validate_themselves() -> None:
    """A position of none, negative cohorts, lots that sold more than they bought, naive or infinite accounts."""
    with pytest.raises(InvalidValueError, match="position of zero"):
        Position(instrument=vix_call(20), quantity=0)
    with pytest.raises(InvalidValueError, match="credit_usd"):
        replace(cohorts_of([a_condor()], [], NONE, TODAY)[0], credit_usd=Decimal(-1))
    with pytest.raises(InvalidValueError, match="open units 3 of 2"):
        a_lot(units=2, open_units=3)
    with pytest.raises(InvalidValueError, match="units_bought"):
        a_lot(units=0)
    with pytest.raises(InvalidValueError, match="exposure"):
        a_lot(exposure=float("nan"))
    with pytest.raises(InvalidValueError, match="at must"):
        replace(an_account(), at=NAIVE)
    with pytest.raises(InvalidValueError, match="net_liquidation_usd"):
        an_account("NaN")
    for name in ("initial_margin_usd", "maintenance_margin_usd", "excess_liquidity_usd", "gross_position_usd"):
        assert getattr(replace(an_account(), **{name: None}), name) is None
        with pytest.raises(InvalidValueError, match=name):
            replace(an_account(), **{name: Decimal("Infinity")})


def test_a_condor_leg_without_a_settlement_is_an_error() -> None:
    """A condor knows when it settles, or says that it does not."""
    condor = a_condor()
    object.__setattr__(condor.short_put, "settlement", None)
    with pytest.raises(InvalidValueError, match="without a settlement"):
        _ = condor.settlement


def test_what_a_lot_tells_of_itself() -> None:
    """Net cost never falls below zero; a lot is closed once nothing is left."""
    lot = a_lot(units=2, cost=100, recovered=150)
    assert (lot.net_cost_usd, lot.closed_on, lot.carries_reserve) == (Decimal(0), None, False)
    sold = a_lot(units=2, open_units=0, cost=100, recovered=40, last_sold_on=TODAY)
    assert (sold.net_cost_usd, sold.closed_on) == (Decimal(60), TODAY)
    assert a_lot((buys(a_future("VX")),)).carries_reserve


def test_a_book_counts_contracts() -> None:
    """Signed, and none where nothing is held."""
    book = a_book(positions={vix_call(20): -3})
    assert (book.quantity(vix_call(20).key), book.quantity(vix_call(21).key)) == (-3, 0)


def test_a_book_names_the_contracts_that_orders_work_in() -> None:
    """Every leg of every order, each once; a caller may add to the answer without changing the book."""
    spread, future = an_order(an_intent(intent_id="s")), an_order(an_intent((buys(a_future("VX")),), intent_id="f"))
    book = a_book(orders=(spread, future))
    expected = {leg.instrument.key for leg in (*spread_legs(), buys(a_future("VX")))}
    book.keys_at_work().clear()
    assert book.keys_at_work() == expected
    assert a_book().keys_at_work() == set()
