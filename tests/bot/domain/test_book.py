"""The ledger, condors, cohorts and lots."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.cohorts import cohorts_of, past_cohorts_of
from bot.domain.condor_fills import Executions
from bot.domain.condors import recognise_condors
from bot.domain.errors import InvalidValueError
from bot.domain.fees import FeeSchedule
from bot.domain.instrument import Instrument, Right, Side
from bot.domain.layer import Layer
from bot.domain.ledger import NEW_YORK, lots_of, positions_after, positions_before, trade_date, units_filled
from bot.domain.orders import Fill, FillPart, IntentId, Leg, Order, Purpose
from bot.domain.portfolio import Cohort, Condor, Lot, Position, Provenance, StatedCredit
from tests.builders import (
    FEES,
    NOON,
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
    mirrored,
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


# the ledger -------------------------------------------------------------------------------------------------------


def a_fill(
    exec_id: str = "x-1",
    *,
    ref: str = "i-1",
    part: FillPart = FillPart.WHOLE,
    instrument: Instrument | None = None,
    side: Side = Side.BUY,
    quantity: int = 1,
    price: str = "1.00",
    minute: int = 0,
) -> Fill:
    """An execution after noon."""
    return Fill(
        exec_id=exec_id,
        order_ref=ref,
        perm_id=7,
        account="DU1234567",
        part=part,
        instrument=None if part is FillPart.COMBO else instrument or vix_call(20),
        side=side,
        quantity=quantity,
        price=Decimal(price),
        at=NOON + timedelta(minutes=minute),
    )


def spread_fills(
    ref: str, quantity: int, net: str, *, legs: tuple[Leg, ...] | None = None, side: Side = Side.BUY, minute: int = 0
) -> list[Fill]:
    """The net fill of a combo and its two legs."""
    made = [a_fill(f"{ref}-n", ref=ref, part=FillPart.COMBO, side=side, quantity=quantity, price=net, minute=minute)]
    for leg in legs or spread_legs():
        own = leg.side if side is Side.BUY else leg.side.opposite
        made.append(
            a_fill(
                f"{ref}-{leg.instrument.strike}",
                ref=ref,
                part=FillPart.LEG,
                instrument=leg.instrument,
                side=own,
                quantity=quantity,
                minute=minute,
            )
        )
    return made


def an_own_order(ref: str, *, quantity: int, purpose: Purpose = Purpose.OVERLAY_BUILD, legs: tuple[Leg, ...]) -> Order:
    """An order of ours, whose state does not matter here."""
    return an_order(an_intent(legs, quantity=quantity, intent_id=ref, purpose=purpose, exposure=12.5))


def test_a_trade_belongs_to_its_day_in_new_york() -> None:
    """Half past one in the morning in Greenwich is the evening before."""
    assert trade_date(datetime(2026, 10, 21, 1, 30, tzinfo=UTC)) == TODAY


def test_positions_follow_from_executions() -> None:
    """Legs move positions, the net of a combo none; flat ones are left out; costs of the broker are kept."""
    start = [
        Position(instrument=vix_call(21), quantity=1, average_cost_usd=Decimal(150)),
        Position(instrument=vix_call(30), quantity=2),
    ]
    fills = [*spread_fills("i-1", 2, "0.80"), a_fill(instrument=vix_call(30), side=Side.SELL, quantity=2)]
    after = positions_after(start, fills)
    assert {key: position.quantity for key, position in after.items()} == {
        vix_call(21).key: 3,
        vix_call(26).key: -2,
    }
    assert after[vix_call(21).key].average_cost_usd == 150
    before = {position.instrument.key: position.quantity for position in positions_before(after.values(), fills)}
    assert before == {vix_call(21).key: 1, vix_call(30).key: 2}


@given(st.permutations(spread_fills("i-1", 2, "0.80") + spread_fills("i-2", 1, "0.90", minute=1)))
def test_the_order_of_arrival_does_not_matter(fills: list[Fill]) -> None:
    """Positions and lots are functions of the set of executions."""
    legs = spread_legs()
    orders = [an_own_order("i-1", quantity=2, legs=legs), an_own_order("i-2", quantity=1, legs=legs)]
    lots = lots_of(orders, fills, {}, FEES)
    assert [(lot.lot_id, lot.units_open, lot.cost_usd) for lot in lots] == [
        ("i-1", 2, Decimal("165.20")),
        ("i-2", 1, Decimal("92.60")),
    ]
    assert units_filled(IntentId("i-1"), fills) == 2


def test_a_lot_remembers_what_it_was_bought_for() -> None:
    """Average price, exposure when planned, expiry, and fees as reported where they are."""
    fills = [
        *spread_fills("i-1", 1, "0.80"),
        a_fill("i-1-more", ref="i-1", part=FillPart.COMBO, price="0.90", minute=1),
    ]
    order = an_own_order("i-1", quantity=2, legs=spread_legs())
    known = {"i-1-21": Decimal("0.70"), "i-1-26": Decimal("0.71")}
    (lot,) = lots_of([order], fills, known, FEES)
    assert (lot.entry_price, lot.exposure_usd_per_point, lot.expires_on) == (Decimal("0.85"), 12.5, NOVEMBER)
    assert lot.cost_usd == Decimal(170) + Decimal("1.41")


def test_a_combo_whose_legs_are_under_way_is_charged_by_the_schedule() -> None:
    """The net fill came first: the fees of both legs are expected."""
    order = an_own_order("i-1", quantity=1, legs=spread_legs())
    (lot,) = lots_of([order], spread_fills("i-1", 1, "0.80")[:1], {}, FEES)
    assert lot.cost_usd == Decimal("82.60")


def test_legs_without_their_net_make_no_lot_yet() -> None:
    """The order moves by its net alone; the same holds for a sale."""
    order = an_own_order("i-1", quantity=1, legs=spread_legs())
    sale = an_own_order("i-2", quantity=1, legs=mirrored(spread_legs()), purpose=Purpose.OVERLAY_UNWIND)
    assert lots_of([order], spread_fills("i-1", 1, "0.80")[1:], {}, FEES) == ()
    fills = [
        *spread_fills("i-1", 1, "0.80"),
        *spread_fills("i-2", 1, "-0.70", legs=mirrored(spread_legs()), minute=1)[1:],
    ]
    assert lots_of([order, sale], fills, {}, FEES)[0].units_open == 1


def test_a_lot_stays_in_the_layer_it_was_bought_for_and_is_sold_from_there() -> None:
    """The same contracts in two layers: a sale for one leaves the other alone, and the roll of a wing makes no lot."""
    overlay = an_own_order("i-1", quantity=2, legs=spread_legs())
    base = an_own_order("i-2", quantity=3, legs=spread_legs(), purpose=Purpose.BASE_BUILD)
    base = replace(base, intent=replace(base.intent, layer=Layer.MEDIUM))
    sale = an_own_order("i-3", quantity=1, legs=mirrored(spread_legs()), purpose=Purpose.BASE_EXIT)
    sale = replace(sale, intent=replace(sale.intent, layer=Layer.MEDIUM))
    roll = an_own_order("i-4", quantity=1, legs=spread_legs(), purpose=Purpose.WING_ROLL)
    fills = [
        *spread_fills("i-1", 2, "0.80"),
        *spread_fills("i-2", 3, "0.80", minute=1),
        *spread_fills("i-3", 1, "-0.70", legs=mirrored(spread_legs()), minute=2),
        *spread_fills("i-4", 1, "0.80", minute=3),
    ]
    lots = lots_of([overlay, base, sale, roll], fills, {}, FEES)
    assert [(lot.layer, lot.units_open) for lot in lots] == [(Layer.OVERLAY, 2), (Layer.MEDIUM, 2)]


def test_foreign_executions_make_no_lot() -> None:
    """A fill whose order is not ours is no hedge purchase."""
    assert lots_of([], [a_fill()], {}, FEES) == ()


def _sold(units: int, price: str, legs: tuple[Leg, ...] | None = None) -> tuple[Lot, ...]:
    """Two lots of two spreads at 0.80 and 0.90, then a sale."""
    own, sold = spread_legs(), legs or spread_legs()
    orders = [
        an_own_order("i-1", quantity=2, legs=own),
        an_own_order("i-2", quantity=2, legs=own),
        an_own_order("u-1", quantity=units, legs=mirrored(sold), purpose=Purpose.OVERLAY_UNWIND),
    ]
    fills = [
        *spread_fills("i-1", 2, "0.80"),
        *spread_fills("i-2", 2, "0.90", minute=1),
        *spread_fills("u-1", units, price, legs=mirrored(sold), minute=2),
    ]
    return lots_of(orders, fills, {}, FEES)


def test_a_sale_takes_the_oldest_lots_first() -> None:
    """Three of four sold at 1.00: the first lot whole, one unit of the second; proceeds less fees are recovered."""
    first, second = _sold(3, "-1.00")
    assert (first.units_open, second.units_open) == (0, 1)
    assert first.recovered_usd == 2 * (Decimal(100) - Decimal("2.60"))
    assert second.recovered_usd == Decimal(100) - Decimal("2.60")
    assert (first.closed_on, second.last_sold_on) == (TODAY, TODAY)


def test_a_sale_is_booked_against_an_overlay_that_was_found() -> None:
    """Two of three stated spreads are sold: one is left; a base lot with the same contracts is nobody's to sell."""
    stated = a_lot(spread_legs(), units=3, layer=Layer.OVERLAY, lot_id="stated")
    base = a_lot(spread_legs(), units=3, layer=Layer.SHORT, lot_id="base")
    order = an_own_order("u-1", quantity=2, legs=mirrored(spread_legs()), purpose=Purpose.OVERLAY_UNWIND)
    fills = spread_fills("u-1", 2, "-1.00", legs=mirrored(spread_legs()))
    lots = lots_of([order], fills, {}, FEES, (base, stated))
    assert {lot.lot_id: lot.units_open for lot in lots} == {"base": 3, "stated": 1}


def test_a_sale_of_other_contracts_touches_no_lot() -> None:
    """A lot is only reduced by its own mirrored legs."""
    assert [lot.units_open for lot in _sold(2, "-1.00", spread_legs(22, 27))] == [2, 2]


def test_a_future_recovers_its_price_change() -> None:
    """Bought at 19.00, sold at 18.50: fees as cost, the loss as negative recovery."""
    mini = a_future("VXM")
    buy = an_own_order("i-1", quantity=1, legs=(buys(mini),))
    sale = an_own_order("u-1", quantity=1, legs=mirrored((buys(mini),)), purpose=Purpose.OVERLAY_UNWIND)
    fills = [
        a_fill("a", ref="i-1", instrument=mini, price="19.00"),
        a_fill("b", ref="u-1", instrument=mini, side=Side.SELL, price="18.50", minute=1),
    ]
    (lot,) = lots_of([buy, sale], fills, {}, FeeSchedule())
    assert (lot.cost_usd, lot.recovered_usd) == (Decimal("1.20"), Decimal("-51.20"))
    assert lot.net_cost_usd == Decimal("52.40")
