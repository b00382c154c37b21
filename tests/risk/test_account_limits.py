"""Margin use and gross leverage: a table of edges for each, what orders bind, and what is on its way (C31, M11)."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.decision import Approved, Checked, Refused, Rule
from bot.domain.instrument import Instrument, Kind, Right
from bot.domain.orders import Leg, Purpose
from bot.domain.portfolio import AccountValues, Position
from bot.domain.snapshot import Snapshot
from bot.domain.worth import LARGEST_ACCOUNT_USD
from bot.valuation import Unvalued
from risk.checks.leverage import gross_held_usd
from risk.checks.margin_use import bound_now
from risk.margin import bound_usd, futures_held_usd, gross_added_usd, loss_at_expiry_points
from tests.builders import (
    DECEMBER,
    FEES,
    a_future,
    a_quote,
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
    LONG,
    SHORT,
    a_build,
    an_unwind,
    calm_noon,
    checked_by,
    holding,
    natural_limit,
    scene_of,
    scenery,
    verdict_on,
    with_book,
)

HALF = Decimal("0.50")
CENT = Decimal("0.01")
WORTH = Decimal(500_000)
FUTURE = a_future("VX")
ES = Instrument(
    kind=Kind.FUTURE,
    symbol="ES",
    trading_class="ES",
    exchange="CME",
    multiplier=50,
    settlement=date(2026, 12, 18),
    last_trade=date(2026, 12, 18),
)
"""A future that no model here prices."""
WING = (
    buys(an_option(6400, trading_class="SPXW", right=Right.PUT)),
    sells(an_option(6425, trading_class="SPXW", right=Right.PUT)),
)
"""A long put that moves 25 points farther out."""


def an_account_with(**figures: Decimal | None) -> Snapshot:
    """The reference book in an account of 500,000 USD with these figures."""
    return with_book(calm_noon(), account=replace(an_account(WORTH), **figures))  # type: ignore[arg-type]  # by name


def bound_to(initial: Decimal) -> Snapshot:
    """An account of which so much is bound as initial margin, and nothing else is."""
    return an_account_with(
        initial_margin_usd=initial, maintenance_margin_usd=Decimal(0), excess_liquidity_usd=WORTH - CENT
    )


def own_margin(quantity: int = 1) -> Decimal:
    """What reference spreads bind: premium and fees."""
    return (natural_limit() * 100 + FEES.of_legs(spread_legs())) * quantity


# what an order binds --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("legs", "limit", "bound"),
    [
        (spread_legs(21, 26), "0.90", "92.60"),  # a debit spread: premium and two fees
        ((buys(vix_call(20)),), "1.50", "151.30"),  # a call: premium and its fee
        ((buys(an_option(18, right=Right.PUT)),), "1.50", "151.30"),
        (WING, "-1.30", "2502.80"),  # the widening; the credit frees nothing
        (WING, "0.20", "2522.80"),
        (mirrored(spread_legs(21, 26)), "-0.90", "502.60"),  # a credit spread: its width
        ((buys(FUTURE),), "18.50", "9252.50"),  # half of 18,500
        ((sells(FUTURE),), "18.50", "9252.50"),
    ],
)
def test_an_order_binds_what_it_pays_and_what_its_legs_can_lose(legs: tuple[Leg, ...], limit: str, bound: str) -> None:
    """Premium, loss at expiry and fees of options; half the value of a future, bought or sold."""
    assert bound_usd(an_intent(legs, limit=limit), 1, FEES, HALF) == Decimal(bound)


@pytest.mark.parametrize(
    ("legs", "why"),
    [
        ((sells(vix_call(21)),), "calls that the order does not cover have no worst loss"),
        ((buys(vix_call(21)), sells(vix_call(26), 2)), "calls that the order does not cover have no worst loss"),
        ((buys(vix_call(21)), sells(vix_call(26, DECEMBER))), "legs of different settlements have no loss at expiry"),
    ],
)
def test_a_loss_without_bound_is_unknown(legs: tuple[Leg, ...], why: str) -> None:
    """Sold calls that no leg covers, and legs that end on different days, have no figure."""
    assert loss_at_expiry_points(legs) == Unvalued(reason=why)
    assert bound_usd(an_intent(legs), 1, FEES, HALF) == Unvalued(reason=why)


@given(low=st.integers(10, 40), width=st.integers(1, 20), level=st.integers(0, 80))
def test_no_level_loses_more_than_the_loss_at_expiry(low: int, width: int, level: int) -> None:
    """Of spreads bought and sold, of calls and of puts, at every level of the underlying."""
    for right in Right:
        for legs in _verticals(low, low + width, right):
            payoff = sum(leg.signed_ratio * _worth(leg.instrument, level) for leg in legs)
            loss = loss_at_expiry_points(legs)
            assert isinstance(loss, Decimal)
            assert 0 <= loss <= width
            assert payoff >= -loss


@given(
    strikes=st.lists(st.integers(1, 60), min_size=2, max_size=2, unique=True),
    ratios=st.tuples(st.integers(-3, 3).filter(bool), st.integers(-3, 3).filter(bool)),
    rights=st.tuples(st.sampled_from(Right), st.sampled_from(Right)),
)
def test_the_loss_at_expiry_is_that_of_the_worst_level(
    strikes: list[int], ratios: tuple[int, int], rights: tuple[Right, Right]
) -> None:
    """Of any two legs it is what the worst of all levels takes; where it never ends, unknown."""
    legs = tuple(
        (buys if ratio > 0 else sells)(an_option(strike, right=right), abs(ratio))
        for strike, ratio, right in zip(strikes, ratios, rights, strict=True)
    )
    payoffs = [sum(leg.signed_ratio * _worth(leg.instrument, level) for leg in legs) for level in range(82)]
    loss = loss_at_expiry_points(legs)
    if payoffs[-1] < payoffs[-2]:  # beyond every strike it still falls
        assert isinstance(loss, Unvalued)
    else:
        assert loss == max(Decimal(0), -min(payoffs))


def _verticals(low: int, high: int, right: Right) -> tuple[tuple[Leg, Leg], tuple[Leg, Leg]]:
    first, second = (an_option(strike, right=right) for strike in (low, high))
    return (buys(first), sells(second)), (sells(first), buys(second))


def _worth(option: Instrument, level: int) -> Decimal:
    distance = level - (option.strike or 0)
    return max(Decimal(0), Decimal(distance if option.right is Right.CALL else -distance))


# margin use -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("over", "passed"), [(-CENT, True), (Decimal(0), True), (CENT, False)])
@pytest.mark.control("C31")
def test_margin_use_is_exact_to_the_cent(over: Decimal, passed: bool) -> None:  # noqa: FBT001 - a table of edges
    """Half of net liquidation passes, a cent more does not; a smaller order would help."""
    checked = checked_by(Rule.MARGIN_USE, a_build(), bound_to(HALF * WORTH - own_margin() + over))
    assert (checked.passed, checked.found, checked.limit) == (passed, HALF * WORTH + over, HALF * WORTH)
    assert checked.size_can_cure


@pytest.mark.parametrize(
    ("figures", "name"),
    [
        ({"initial_margin_usd": Decimal(250_000)}, "initial margin 250000"),
        ({"maintenance_margin_usd": Decimal(250_000)}, "maintenance margin 250000"),
        ({"excess_liquidity_usd": Decimal(250_000)}, "not excess liquidity 250000"),
        ({"excess_liquidity_usd": Decimal(-1)}, "not excess liquidity 500001"),
    ],
)
def test_the_largest_of_three_figures_binds(figures: dict[str, Decimal], name: str) -> None:
    """Initial margin, maintenance margin, or what is missing to excess liquidity: each alone can refuse."""
    checked = checked_by(Rule.MARGIN_USE, a_build(), an_account_with(**figures))
    assert not checked.passed
    assert checked.note.startswith(name)


def test_orders_on_their_way_bind_margin_as_if_they_had_filled() -> None:
    """A working purchase and one approved earlier in the plan add what they may bind; a sale of the hedge does not."""
    working = an_order(a_build(2, intent_id="w-1"), filled=1)
    selling = an_order(an_unwind(1, intent_id="w-2"))
    orders = {one.intent.intent_id: one for one in (working, selling)}
    snapshot = with_book(bound_to(Decimal(1000)), orders=orders)
    checked = checked_by(Rule.MARGIN_USE, a_build(2), snapshot, earlier=(a_build(3, intent_id="e-1"),))
    assert checked.found == 1000 + own_margin(1 + 3 + 2)


def test_margin_that_is_not_reported_refuses() -> None:
    """Without all three figures, or without an account, nobody knows how much is free."""
    for name in ("initial_margin_usd", "maintenance_margin_usd", "excess_liquidity_usd"):
        checked = checked_by(Rule.MARGIN_USE, a_build(), an_account_with(**{name: None}))
        words = name.removesuffix("_usd").replace("_", " ")
        assert (checked.passed, checked.note) == (
            False,
            f"the margin is unknown: the broker has not reported the {words}",
        )
    checked = checked_by(Rule.MARGIN_USE, a_build(), with_book(calm_noon(), account=None))
    assert checked.note == "the margin is unknown: the account's values are not known"


def test_an_order_without_a_worst_loss_has_no_margin() -> None:
    """A call sold for no stated cover is refused by this rule too, whatever it calls itself."""
    for purpose in (Purpose.OVERLAY_BUILD, Purpose.OVERLAY_UNWIND):
        intent = an_intent((sells(vix_call(30)),), limit="-0.50", purpose=purpose)
        checked = checked_by(Rule.MARGIN_USE, intent)
        assert checked.note == "the margin is unknown: calls that the order does not cover have no worst loss"


def _tampered(name: str, value: Decimal) -> AccountValues:
    account = an_account(WORTH)
    object.__setattr__(account, name, value)
    return account


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity", "1.797e308", "2147483647000"])
@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("initial_margin_usd", Rule.MARGIN_USE),
        ("maintenance_margin_usd", Rule.MARGIN_USE),
        ("excess_liquidity_usd", Rule.MARGIN_USE),
        ("gross_position_usd", Rule.GROSS_LEVERAGE),
    ],
)
def test_account_figures_that_are_none_refuse(name: str, rule: Rule, value: str) -> None:
    """A figure that is not finite, or larger than any account, lets no order through and raises nothing."""
    snapshot = with_book(calm_noon(), account=_tampered(name, Decimal(value)))
    verdict = verdict_on(a_build(), snapshot)
    assert isinstance(verdict, Refused)
    assert {checked.rule for checked in verdict.reasons} == {rule}


@pytest.mark.parametrize(
    ("name", "rule", "zero_passes"),
    [
        ("initial_margin_usd", Rule.MARGIN_USE, True),
        ("maintenance_margin_usd", Rule.MARGIN_USE, True),
        ("excess_liquidity_usd", Rule.MARGIN_USE, False),
        ("gross_position_usd", Rule.GROSS_LEVERAGE, True),
    ],
)
def test_figures_at_and_below_zero(name: str, rule: Rule, zero_passes: bool) -> None:  # noqa: FBT001 - likewise
    """Margin and gross value may be nothing, never less; excess liquidity of nothing leaves nothing to bind."""
    assert not checked_by(rule, a_build(), an_account_with(**{name: Decimal(-1)})).passed
    assert checked_by(rule, a_build(), an_account_with(**{name: Decimal(0)})).passed is zero_passes


def test_the_gate_offers_the_size_that_the_margin_leaves_room_for() -> None:
    """Room for two of three spreads: the refusal names two."""
    verdict = verdict_on(a_build(3), bound_to(HALF * WORTH - own_margin(2)))
    assert isinstance(verdict, Refused)
    assert ({one.rule for one in verdict.reasons}, verdict.largest_quantity) == ({Rule.MARGIN_USE}, 2)


@pytest.mark.parametrize("name", ["initial margin", "maintenance margin", "excess liquidity"])
def test_margin_figures_are_possible_up_to_the_largest_account(name: str) -> None:
    """The largest amount of an account is a figure, a cent more is none."""
    field = f"{name.replace(' ', '_')}_usd"
    most, more = (
        replace(an_account(WORTH), **{field: amount})  # type: ignore[arg-type]  # by name
        for amount in (LARGEST_ACCOUNT_USD, LARGEST_ACCOUNT_USD + CENT)
    )
    assert not isinstance(bound_now(most), str)
    assert bound_now(more) == f"the {name} is impossible"


# gross leverage -------------------------------------------------------------------------------------------------


def own_gross(quantity: int = 1) -> Decimal:
    """What reference spreads add: both legs at their asks."""
    asks = (Decimal(repr(scenery().quote(leg.instrument).ask)) for leg in spread_legs(LONG, SHORT))
    return sum(asks, Decimal(0)) * 100 * quantity


@pytest.mark.parametrize(("over", "passed"), [(-CENT, True), (Decimal(0), True), (CENT, False)])
@pytest.mark.control("C31")
def test_gross_leverage_is_exact_to_the_cent(over: Decimal, passed: bool) -> None:  # noqa: FBT001 - likewise
    """Twice net liquidation passes, a cent more does not; a smaller order would help."""
    limit = 2 * WORTH
    checked = checked_by(Rule.GROSS_LEVERAGE, a_build(), an_account_with(gross_position_usd=limit - own_gross() + over))
    assert (checked.passed, checked.found, checked.limit) == (passed, limit + over, limit)
    assert checked.size_can_cure


def test_orders_on_their_way_add_to_the_gross_value() -> None:
    """A working purchase and one approved earlier count whole, a sale of the hedge does not."""
    orders = {"w-1": an_order(a_build(2, intent_id="w-1"), filled=1), "w-2": an_order(an_unwind(intent_id="w-2"))}
    snapshot = with_book(an_account_with(gross_position_usd=Decimal(0)), orders=orders)
    checked = checked_by(Rule.GROSS_LEVERAGE, a_build(), snapshot, earlier=(a_build(3, intent_id="e-1"),))
    assert checked.found == own_gross(1 + 3 + 1)


def test_futures_count_with_their_whole_value() -> None:
    """The broker leaves them out: VX and VXM count at their middle, others at what the broker says they cost."""
    quotes = {one.key: a_quote(one, 18.0, 18.1) for one in (FUTURE, a_future("VXM"))}
    snapshot = replace(calm_noon(), quotes={**calm_noon().quotes, **quotes})
    valuer = scene_of(snapshot).valuer
    held = [
        Position(instrument=vix_call(20), quantity=7),
        Position(instrument=FUTURE, quantity=2),
        Position(instrument=a_future("VXM"), quantity=-3),
        Position(instrument=ES, quantity=-1, average_cost_usd=Decimal(340_000)),
    ]
    assert futures_held_usd(held, valuer) == 2 * 18_050 + 3 * 1_805 + 340_000


def test_a_future_held_takes_its_whole_value_from_the_room() -> None:
    """The gross value is what the broker reports and the futures on top: with 340,000 USD of them the limit is near."""
    held = Position(instrument=ES, quantity=-1, average_cost_usd=Decimal(340_000))
    snapshot = an_account_with(gross_position_usd=Decimal(660_000))
    snapshot = with_book(snapshot, positions={**snapshot.book.positions, ES.key: held})
    assert gross_held_usd(snapshot.book, scene_of(snapshot).valuer) == 1_000_000
    checked = checked_by(Rule.GROSS_LEVERAGE, a_build(), snapshot)
    assert (checked.passed, checked.found, checked.limit) == (False, 1_000_000 + own_gross(), 1_000_000)


@pytest.mark.parametrize("future", [a_future("VX", date(2026, 12, 30)), ES])
def test_a_future_without_a_value_makes_the_gross_value_unknown(future: Instrument) -> None:
    """A VX without a quote, or another future without a cost, refuses: its size is not known."""
    held = Position(instrument=future, quantity=1)
    snapshot = with_book(calm_noon(), positions={**calm_noon().book.positions, held.instrument.key: held})
    checked = checked_by(Rule.GROSS_LEVERAGE, a_build(), snapshot)
    assert checked.note.startswith(f"the gross value is unknown: {held.instrument.key}: ")


def test_a_leg_without_a_quote_has_no_gross_value() -> None:
    """What cannot be priced cannot be added."""
    quotes = {key: one for key, one in calm_noon().quotes.items() if key != vix_call(SHORT).key}
    snapshot = replace(calm_noon(), quotes=quotes)
    assert isinstance(gross_added_usd(spread_legs(LONG, SHORT), 1, scene_of(snapshot).valuer), Unvalued)
    checked = checked_by(Rule.GROSS_LEVERAGE, a_build(), snapshot)
    assert checked.note.startswith(f"the gross value is unknown: {vix_call(SHORT).key}: ")


def test_a_gross_value_that_is_not_reported_refuses() -> None:
    """Neither without the figure nor without the account does anybody know the size."""
    for snapshot in (an_account_with(gross_position_usd=None), with_book(calm_noon(), account=None)):
        checked = checked_by(Rule.GROSS_LEVERAGE, a_build(), snapshot)
        assert checked.note == "the gross value is unknown: the broker has not reported the gross position value"
        assert isinstance(gross_held_usd(snapshot.book, scene_of(snapshot).valuer), Unvalued)


@pytest.mark.parametrize(
    ("reported", "is_possible"),
    [(-CENT, False), (Decimal(0), True), (LARGEST_ACCOUNT_USD, True), (LARGEST_ACCOUNT_USD + CENT, False)],
)
def test_a_gross_value_is_possible_up_to_the_largest_account(reported: Decimal, *, is_possible: bool) -> None:
    """From nothing to the largest account it is a figure, beyond either it is none."""
    snapshot = an_account_with(gross_position_usd=reported)
    held = gross_held_usd(snapshot.book, scene_of(snapshot).valuer)
    assert held == (reported if is_possible else Unvalued(reason="the gross position value is impossible"))


# both -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", [Rule.MARGIN_USE, Rule.GROSS_LEVERAGE])
def test_closing_passes_whatever_the_account_says(rule: Rule) -> None:
    """An account without figures, or far beyond its limits, keeps nobody from selling what is held."""
    blind = replace(an_account(WORTH), initial_margin_usd=None, gross_position_usd=Decimal(10) ** 11)
    checked = checked_by(rule, an_unwind(2), with_book(holding(2), account=blind))
    assert (checked.passed, checked.note) == (True, "closes only")


@given(quantity=st.integers(1, 60), bound=st.integers(0, 300_000), gross=st.integers(0, 1_200_000))
def test_what_passes_ends_within_both_limits(quantity: int, bound: int, gross: int) -> None:
    """No order that both rules pass leaves more bound or held than is allowed, and a smaller one passes as well."""
    snapshot = an_account_with(
        initial_margin_usd=Decimal(bound),
        maintenance_margin_usd=Decimal(bound),
        excess_liquidity_usd=WORTH - bound,
        gross_position_usd=Decimal(gross),
    )
    for rule, limit in ((Rule.MARGIN_USE, HALF * WORTH), (Rule.GROSS_LEVERAGE, 2 * WORTH)):
        whole: Checked = checked_by(rule, a_build(quantity), snapshot)
        half: Checked = checked_by(rule, a_build(max(1, quantity // 2)), snapshot)
        assert isinstance(whole.found, Decimal)
        assert whole.passed == (whole.found <= limit)
        assert half.passed or not whole.passed


def test_the_reference_book_has_room() -> None:
    """The order of the other tests is approved: neither rule stands in its way."""
    verdict = verdict_on(a_build())
    assert isinstance(verdict, Approved)
    assert {Rule.MARGIN_USE, Rule.GROSS_LEVERAGE} <= {checked.rule for checked in verdict.checks}
