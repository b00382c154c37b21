"""How much the sleeve may hold: contracts by settlement and in all, vega, USD per VIX point; edges and multipliers."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.decision import Checked, Refused, Rule
from bot.domain.instrument import SPX, Instrument, Kind
from bot.domain.orders import OrderIntent
from bot.domain.portfolio import Position
from bot.domain.snapshot import Snapshot
from bot.pricing import black76_price
from bot.valuation import Unvalued
from risk.positions import (
    Reach,
    contract_units,
    contracts_reach,
    is_of_sleeve,
    order_sensitivity,
    sensitivity_of,
    sensitivity_reach,
)
from tests.builders import (
    DECEMBER,
    NOVEMBER,
    a_book,
    a_future,
    an_account,
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
    a_build,
    a_mini,
    an_unwind,
    calm_noon,
    checked_by,
    holding,
    scene_of,
    verdict_on,
    with_book,
)

pytestmark = pytest.mark.control("C31")
CALL = vix_call(21)
COUNTS = [
    (Rule.CONTRACTS_PER_SETTLEMENT, "max_options_per_settlement"),
    (Rule.CONTRACTS_IN_ALL, "max_options"),
]
SENSITIVITIES = [(Rule.VEGA, "max_vega_frac"), (Rule.VIX_DELTA, "max_vix_delta_frac")]


def with_positions(held: Mapping[Instrument, int], snapshot: Snapshot | None = None) -> Snapshot:
    """These contracts and no others."""
    positions = {one.key: Position(instrument=one, quantity=quantity) for one, quantity in held.items()}
    return with_book(calm_noon() if snapshot is None else snapshot, positions=positions)


def bare() -> Snapshot:
    """Nothing is held."""
    return with_positions({})


def bought(instrument: Instrument, quantity: int = 1, intent_id: str = "i-1") -> OrderIntent:
    """A purchase of one contract."""
    return an_intent((buys(instrument),), quantity=quantity, limit="1.00", intent_id=intent_id)


def judged(rule: Rule, intent: OrderIntent, snapshot: Snapshot | None = None, **limits: Any) -> Checked:
    """What one rule finds under some limits."""
    return checked_by(rule, intent, bare() if snapshot is None else snapshot, limits=replace(LIMITS, **limits))


# contracts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rule", "limit"), COUNTS)
@pytest.mark.parametrize("quantity", [9, 10, 11])
def test_options_may_reach_their_limit_and_not_one_more(rule: Rule, limit: str, quantity: int) -> None:
    """Ten may be held: three are, and a purchase of seven passes, one of eight does not."""
    checked = judged(rule, bought(CALL, quantity - 3), with_positions({CALL: 3}), **{limit: 10})
    assert (checked.passed, checked.found, checked.limit) == (quantity <= 10, quantity, 10)
    assert checked.size_can_cure


@pytest.mark.parametrize(
    ("rule", "limit"),
    [(Rule.CONTRACTS_PER_SETTLEMENT, "max_futures_per_settlement"), (Rule.CONTRACTS_IN_ALL, "max_futures")],
)
def test_ten_minis_count_as_one_future(rule: Rule, limit: str) -> None:
    """VX counts 1 and VXM 0.1 of the same limit: one of each is 1.1, and eleven minis are as much."""
    vx, vxm = a_future("VX"), a_future("VXM")
    assert judged(rule, bought(vxm), with_positions({vx: 1}), **{limit: 1}).found == Decimal("1.1")
    assert judged(rule, bought(vxm, 10), **{limit: 1}).passed
    assert not judged(rule, bought(vxm, 11), **{limit: 1}).passed


def test_settlements_are_counted_apart_and_together() -> None:
    """What December holds is nothing to a November order, but for the limit over all settlements."""
    far = vix_call(21, DECEMBER)
    snapshot = with_positions({far: 10})
    assert judged(Rule.CONTRACTS_PER_SETTLEMENT, bought(CALL), snapshot, max_options_per_settlement=10).found == 1
    assert judged(Rule.CONTRACTS_IN_ALL, bought(CALL), snapshot, max_options=10).found == 11


def test_of_several_settlements_the_fullest_is_told() -> None:
    """A combo over two months, the nearer of which holds more already; and the other way round."""
    near, far = vix_call(21), vix_call(26, DECEMBER)
    intent = an_intent((buys(near), sells(far)))
    for held, name, found in (({near: 5}, NOVEMBER, 6), ({far: -3}, DECEMBER, 4)):
        checked = judged(Rule.CONTRACTS_PER_SETTLEMENT, intent, with_positions(held), max_options_per_settlement=10)
        assert (checked.found, checked.note) == (found, f"OPT of {name}")


def test_long_and_short_contracts_are_not_netted() -> None:
    """A spread of ten is ten long and ten short; the larger side is what counts."""
    checked = judged(Rule.CONTRACTS_PER_SETTLEMENT, a_build(10), max_options_per_settlement=10)
    assert (checked.passed, checked.found) == (True, 10)
    short = contracts_reach(a_build(10), scene_of(bare()), Kind.OPTION, NOVEMBER)
    assert short == Reach(long=Decimal(10), short=Decimal(10))


@pytest.mark.parametrize(
    ("held", "ordered", "long", "short"),
    [
        (0, 2, 2, 0),
        (0, -2, 0, 2),
        (1, -1, 1, 0),
        (1, -2, 1, 1),
        (4, 2, 6, 0),
        (4, -2, 4, 0),
        (4, -6, 4, 2),
        (-1, 1, 0, 1),
        (-3, -1, 0, 4),
        (-3, 2, 0, 3),
        (-3, 5, 2, 3),
    ],
)
def test_an_order_reaches_as_far_as_it_may_fill_and_no_farther(held: int, ordered: int, long: int, short: int) -> None:
    """What closes makes no contract of the other side until what is held is gone; unfilled it takes nothing off."""
    legs = ((buys if ordered > 0 else sells)(CALL),)
    intent = an_intent(legs, quantity=abs(ordered), limit="1.00" if ordered > 0 else "-1.00")
    reach = contracts_reach(intent, scene_of(with_positions({CALL: held} if held else {})), Kind.OPTION, NOVEMBER)
    assert (reach.long, reach.short) == (long, short)


def test_a_leg_that_has_settled_hides_no_other() -> None:
    """Of a combo over two months, the nearer of which is cash, the farther still counts."""
    old = replace(CALL, settlement=date(2026, 9, 16), last_trade=date(2026, 9, 15))
    reach = contracts_reach(an_intent((buys(old), sells(vix_call(26)))), scene_of(bare()), Kind.OPTION, None)
    assert (reach.long, reach.short) == (0, 1)


def test_every_order_on_its_way_counts_at_its_worst() -> None:
    """A purchase that works counts whole, a sale that works takes nothing off; what filled is in the position."""
    buying, selling = bought(CALL, 5, "b"), an_intent((sells(CALL),), quantity=3, intent_id="s")
    orders = {"b": an_order(buying, filled=1), "s": an_order(selling)}
    snapshot = with_book(with_positions({CALL: 4}), orders=orders)
    assert contracts_reach(bought(CALL, 2), scene_of(snapshot), Kind.OPTION, NOVEMBER).long == 4 + 4 + 2
    earlier = scene_of(bare(), earlier=(bought(CALL, 6, "e"),))
    assert contracts_reach(bought(CALL, 2), earlier, Kind.OPTION, NOVEMBER).long == 8


def test_what_has_settled_counts_no_more() -> None:
    """A position of last month is cash."""
    old = replace(CALL, settlement=date(2026, 9, 16), last_trade=date(2026, 9, 15))
    snapshot = with_book(with_positions({old: 50}), orders={"o": an_order(bought(old, 5, "o"))})
    assert contracts_reach(bought(CALL), scene_of(snapshot), Kind.OPTION, None).long == 1
    found = sensitivity_reach(bought(CALL), scene_of(with_positions({old: 50})))
    assert found == sensitivity_reach(bought(CALL), scene_of(bare()))


# vega and delta ---------------------------------------------------------------------------------------------------


def test_an_options_vega_is_its_price_change_times_a_hundred() -> None:
    """One volatility point more moves the price by vega over the multiplier, as repricing says."""
    valuer = scene_of(bare()).valuer
    valued, found = valuer.value(CALL), sensitivity_of(CALL, valuer)
    assert not isinstance(valued, Unvalued)
    assert not isinstance(found, Unvalued)
    assert CALL.right is not None

    def price(vol: float) -> float:
        return black76_price(
            forward=valued.forward, strike=21.0, years=valued.days / 365.0, vol=vol, rate=0.04, right=CALL.right
        )

    change = (price(valued.vol + 0.005) - price(valued.vol - 0.005)) * 100
    assert found.vega_usd == pytest.approx(change, rel=1e-4)
    assert found.delta_usd == valued.exposure_usd_per_point


@pytest.mark.parametrize(("name", "multiplier"), [("VX", 1000), ("VXM", 100)])
def test_a_futures_delta_is_its_multiplier_times_beta_and_it_has_no_vega(name: str, multiplier: int) -> None:
    """VX moves 1000 USD and VXM 100 USD per point of its own price, by the same beta to spot."""
    valuer = scene_of(bare()).valuer
    found, unit = sensitivity_of(a_future(name), valuer), sensitivity_of(a_future("VXM"), valuer)
    assert not isinstance(found, Unvalued)
    assert not isinstance(unit, Unvalued)
    assert found.vega_usd == 0.0
    assert found.delta_usd == pytest.approx(unit.delta_usd * multiplier / 100)
    assert 0.0 < found.delta_usd < multiplier


def test_a_contract_counts_its_multiplier() -> None:
    """An option is one contract, a VX one, a VXM a tenth; SPX options are the condors' and none of the sleeve."""
    assert [contract_units(one) for one in (CALL, a_future("VX"), a_future("VXM"))] == [1, 1, Decimal("0.1")]
    assert [is_of_sleeve(one) for one in (CALL, a_future("VX"), an_option(6000, trading_class="SPXW"), SPX)] == [
        *(True, True, False, False)
    ]


@pytest.mark.parametrize(("rule", "limit"), SENSITIVITIES)
@pytest.mark.control("C13")
def test_a_sensitivity_may_reach_its_limit_and_no_cent_more(rule: Rule, limit: str) -> None:
    """The limit is a fraction of net liquidation; the very figure passes, a cent less of limit does not."""
    found = judged(rule, a_build(10)).found
    assert isinstance(found, Decimal)
    for beyond, passes in ((Decimal("-0.01"), False), (Decimal(0), True), (Decimal("0.01"), True)):
        worth = (found + beyond) / Decimal("0.01")
        snapshot = with_book(bare(), account=an_account(str(worth)))
        checked = judged(rule, a_build(10), snapshot, **{limit: Decimal("0.01")})
        assert (checked.passed, checked.found) == (passes, found)
        assert checked.size_can_cure


@pytest.mark.parametrize(("rule", "limit"), SENSITIVITIES)
def test_an_order_is_judged_on_the_side_to_which_it_goes(rule: Rule, limit: str) -> None:
    """A sleeve that is too long may buy nothing; what takes it back passes and is measured on the short side."""
    snapshot, tight = with_positions({CALL: 500}), {limit: Decimal("0.0001")}
    assert not judged(rule, bought(CALL), snapshot, **tight).passed
    back = judged(rule, an_intent((sells(CALL),)), snapshot, **tight)
    assert isinstance(back.found, Decimal)
    assert (back.passed, back.found < 0) == (True, True)


@pytest.mark.parametrize(("rule", "limit"), SENSITIVITIES)
def test_what_cannot_be_valued_or_measured_adds_nothing(rule: Rule, limit: str) -> None:
    """A held or a wanted contract without a quote, an order on its way without one, and an unknown account refuse."""
    del limit
    unknown = vix_call(99)
    waiting = with_book(calm_noon(), orders={"w": an_order(bought(unknown, intent_id="w"))})
    for intent, snapshot in (
        (a_build(), with_positions({unknown: 1})),
        (bought(unknown), calm_noon()),
        (a_build(), waiting),
        (a_build(), with_book(calm_noon(), account=None)),
    ):
        checked = checked_by(rule, intent, snapshot)
        assert (checked.passed, checked.found) == (False, None)
        assert checked.note.startswith("what the sleeve may hold is unknown")


@pytest.mark.parametrize("rule", [*(rule for rule, _ in (*COUNTS, *SENSITIVITIES))])
def test_an_order_that_only_closes_and_a_wing_pass(rule: Rule) -> None:
    """However much is held, what the lots hold may be sold, and the condors have limits of their own."""
    tight = {
        "max_options_per_settlement": 1,
        "max_options": 1,
        "max_vega_frac": Decimal("0.0000001"),
        "max_vix_delta_frac": Decimal("0.0000001"),
    }
    assert judged(rule, an_unwind(2), holding(2), **tight).note == "closes only"
    wing = an_intent((sells(an_option(6000, trading_class="SPXW")), buys(an_option(5900, trading_class="SPXW"))))
    assert judged(rule, wing, **tight).found == "no sleeve contract is traded"
    beside = checked_by(rule, a_build(), bare(), earlier=(wing,))
    assert (beside.found, beside.passed) == (judged(rule, a_build()).found, True)


def test_shares_of_volatility_products_have_no_contract_limit() -> None:
    """C14 permits none; a share counts in the delta, not among contracts."""
    share = replace(
        a_future("VX"),
        kind=Kind.STOCK,
        trading_class="VXX",
        symbol="VXX",
        settlement=None,
        last_trade=None,
        multiplier=1,
    )
    wanted = bought(share)
    for rule, _ in COUNTS:
        assert checked_by(rule, wanted).found == "no sleeve contract is traded"


@given(st.lists(st.tuples(st.integers(1, 20), st.booleans()), max_size=4), st.data())
def test_whatever_subset_fills_the_reach_holds(orders: list[tuple[int, bool]], data: st.DataObject) -> None:
    """No subset of the orders on their way, each filled in any part, holds more than the reach that was judged."""
    spreads = [
        an_intent(
            spread_legs(21, 26) if is_bought else mirrored(spread_legs(21, 26)), quantity=quantity, intent_id=f"o{n}"
        )
        for n, (quantity, is_bought) in enumerate(orders)
    ]
    scene = scene_of(with_positions({CALL: 5}), earlier=tuple(spreads))
    reach = contracts_reach(a_mini(), scene, Kind.OPTION, NOVEMBER)
    both = sensitivity_reach(a_mini(), scene)
    each = order_sensitivity(spreads[0] if spreads else a_build(), scene)
    held = sensitivity_of(CALL, scene.valuer)
    assert not any(isinstance(one, Unvalued) for one in (both, each, held))
    assert not isinstance(both, Unvalued)
    assert not isinstance(held, Unvalued)
    longs, shorts, vega = 5, 0, 5 * held.vega_usd
    for spread in spreads:
        filled = data.draw(st.integers(0, spread.quantity))
        sign = spread.legs[0].side.sign
        longs, shorts = longs + sign * filled, shorts + sign * filled
        moved = order_sensitivity(spread, scene)
        assert not isinstance(moved, Unvalued)
        vega += filled * moved.vega_usd
    assert max(0, longs) + max(0, -shorts) <= reach.long
    assert max(0, -longs) + max(0, shorts) <= reach.short
    assert -both[0].short - Decimal("0.01") <= Decimal(repr(round(vega, 2))) <= both[0].long + Decimal("0.01")


def test_a_smaller_order_is_what_the_gate_offers() -> None:
    """Of two spreads where one more may be held the gate says one."""
    held = contracts_reach(a_build(1), scene_of(), Kind.OPTION, NOVEMBER).most
    verdict = verdict_on(a_build(2), limits=replace(LIMITS, max_options_per_settlement=int(held)))
    assert isinstance(verdict, Refused)
    assert {checked.rule for checked in verdict.reasons} == {Rule.CONTRACTS_PER_SETTLEMENT}
    assert verdict.largest_quantity == 1


def test_what_is_held_short_in_several_contracts_is_added_up() -> None:
    """Two calls short at one strike and three at another are five."""
    held = {vix_call(24): -2, vix_call(28): -3, vix_call(20): 1}
    moment = with_book(calm_noon(), positions=a_book(positions=held).positions)
    reach = contracts_reach(None, scene_of(moment), Kind.OPTION, None)
    assert (reach.long, reach.short) == (1, 5)
