"""How the gate treats orders for the base sleeve: what they must be, what binds them, and what never does (M4)."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.domain.decision import Approved, Rule
from bot.domain.layer import BASE_LAYERS, Layer
from bot.domain.mode import TradingMode
from bot.domain.orders import OrderIntent, Purpose
from bot.domain.portfolio import Position
from bot.domain.snapshot import Snapshot
from risk.limits import Amortise
from tests.builders import a_future, an_account, an_intent, an_order, buys, sells, spread_legs
from tests.risk.scenes import (
    LIMITS,
    a_build,
    calm_noon,
    checked_by,
    rules_against,
    scene_of,
    scenery,
    verdict_on,
    with_book,
)

SHORT = next(held.instrument for held in scenery().opening.base if held.layer is Layer.SHORT)
CAP_RULES = {Rule.HEDGE_COST_CAP_COHORT, Rule.HEDGE_COST_CAP_BOOK}


def a_base_build(quantity: int = 1, layer: Layer = Layer.SHORT, intent_id: str = "b-1") -> OrderIntent:
    """A purchase of the short layer's calls at the ask."""
    ask = Decimal(repr(scenery().quote(SHORT).ask))
    intent = an_intent(
        (buys(SHORT),), quantity=quantity, limit=str(ask), purpose=Purpose.BASE_BUILD, intent_id=intent_id
    )
    return replace(intent, layer=layer)


def a_base_exit(quantity: int = 4, layer: Layer = Layer.SHORT, intent_id: str = "x-1") -> OrderIntent:
    """A sale of the short layer's calls at the bid."""
    bid = Decimal(repr(scenery().quote(SHORT).bid))
    intent = an_intent(
        (sells(SHORT),), quantity=quantity, limit=str(-bid), purpose=Purpose.BASE_EXIT, intent_id=intent_id
    )
    return replace(intent, layer=layer)


def rich(snapshot: Snapshot | None = None) -> Snapshot:
    """The reference book in an account whose stress limits it does not reach."""
    return with_book(calm_noon() if snapshot is None else snapshot, account=an_account(2_000_000))


# shape ------------------------------------------------------------------------------------------------------------


def test_a_purchase_and_a_sale_of_base_calls_pass() -> None:
    """One more call, and all four that the layer holds: every rule lets both go."""
    assert isinstance(verdict_on(a_base_build(), rich()), Approved)
    assert isinstance(verdict_on(a_base_exit(), rich()), Approved)


@pytest.mark.parametrize(("quantity", "passed"), [(1, True), (4, True), (5, False)])
def test_a_sale_is_of_what_its_layer_holds(quantity: int, passed: bool) -> None:  # noqa: FBT001 - a table
    """Four calls of the short layer: no fifth is sold."""
    assert checked_by(Rule.WELL_FORMED, a_base_exit(quantity)).passed is passed
    assert scene_of().closes_only(a_base_exit(quantity)) is passed


@pytest.mark.parametrize("layer", [Layer.MEDIUM, Layer.LONG, Layer.OVERLAY])
def test_a_sale_never_takes_another_layers_calls(layer: Layer) -> None:
    """The same contracts are held, by the short layer: nobody else's order sells them."""
    assert not checked_by(Rule.WELL_FORMED, a_base_exit(1, layer)).passed
    assert not scene_of().closes_only(a_base_exit(1, layer))


def test_what_is_being_sold_is_not_sold_again() -> None:
    """Three of four are on their way out: one is left to sell."""
    working = an_order(a_base_exit(3, intent_id="w-1"))
    snapshot = with_book(calm_noon(), orders={working.intent.intent_id: working})
    assert checked_by(Rule.WELL_FORMED, a_base_exit(1), snapshot).passed
    assert not checked_by(Rule.WELL_FORMED, a_base_exit(2), snapshot).passed


def test_a_purchase_is_no_closing_order() -> None:
    """It is bound by what binds every purchase."""
    assert not scene_of().closes_only(a_base_build())
    assert not checked_by(Rule.WELL_FORMED, replace(a_base_build(), limit=Decimal("-1.00"))).passed
    assert not checked_by(Rule.TRADING_MODE, a_base_build(), replace(calm_noon(), mode=TradingMode.HALT)).passed


def test_legs_that_fit_no_condor_lock_purchases_and_no_sale() -> None:
    """Sizing is locked; what nears its end may go."""
    stray = Position(instrument=scenery().book().condors[0].short_put, quantity=-1)
    snapshot = with_book(calm_noon(), unmatched=(stray,))
    assert not checked_by(Rule.LOCKS, a_base_build(), snapshot).passed
    assert checked_by(Rule.LOCKS, a_base_exit(), snapshot).passed


# cost -------------------------------------------------------------------------------------------------------------


def test_the_cap_binds_a_purchase_by_both_figures_and_no_sale() -> None:
    """Under a cap that the base itself fills, no further call fits; four may leave."""
    limits = replace(LIMITS, max_hedge_cost_frac=Decimal("0.19"), amortise=Amortise.STRAIGHT_LINE)
    assert rules_against(verdict_on(a_base_build(2), rich(), limits)) >= CAP_RULES
    assert isinstance(verdict_on(a_base_exit(), rich(), limits), Approved)


def test_a_purchase_on_its_way_is_counted_at_its_worst() -> None:
    """Calls that may still fill use up the cap for the next order, whatever layer they are for."""
    limits = replace(LIMITS, amortise=Amortise.NONE)
    working = an_order(a_base_build(3, Layer.LONG, intent_id="w-1"))
    snapshot = with_book(calm_noon(), orders={working.intent.intent_id: working})
    free, used = (
        Decimal(str(checked_by(Rule.HEDGE_COST_CAP_BOOK, a_build(1), each, limits=limits).found))
        for each in (calm_noon(), snapshot)
    )
    worst = working.intent.limit * 100 * 3 + Decimal("3.90")
    assert used - free == worst


# delta ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layer", BASE_LAYERS)
def test_the_bases_delta_is_none_of_the_overlays_doing(layer: Layer) -> None:
    """In a book that stands outside its band a call for the base passes: the overlay's own delta is what it was."""
    limits = replace(LIMITS, neutrality_band_frac=0.03)
    drifted = calm_noon()
    checked = checked_by(Rule.NEUTRALITY, a_base_build(3, layer), drifted, limits=limits)
    assert (checked.passed, checked.note) == (True, "de minimis")
    assert not checked_by(Rule.NEUTRALITY, a_build(12), drifted, limits=limits).passed


def test_what_is_ordered_for_the_base_uses_up_no_de_minimis() -> None:
    """Calls for the base on their way do not count as the overlay's own; overlay on its way does."""
    limits = replace(LIMITS, neutrality_band_frac=0.03)
    for working, passed in ((a_base_build(30, intent_id="w-1"), True), (a_build(12, intent_id="w-1"), False)):
        order = an_order(working)
        snapshot = with_book(calm_noon(), orders={order.intent.intent_id: order})
        assert checked_by(Rule.NEUTRALITY, a_build(1), snapshot, limits=limits).passed is passed


def test_an_overlay_beyond_its_part_binds_the_base_as_well() -> None:
    """Where the overlay alone is more than a tenth of the band, a call that leads farther out is refused."""
    limits = replace(LIMITS, neutrality_band_frac=0.03, neutrality_de_minimis_frac=0.0)
    working = an_order(a_build(12, intent_id="w-1"))
    snapshot = with_book(calm_noon(), orders={working.intent.intent_id: working})
    assert not checked_by(Rule.NEUTRALITY, a_base_build(3), snapshot, limits=limits).passed


def test_a_sale_of_the_base_is_never_trapped_by_delta_or_stress() -> None:
    """What only closes passes neutrality and both rules of M11, also in a book that breaks them."""
    limits = replace(
        LIMITS,
        neutrality_band_frac=0.0001,
        max_mean_reversion_loss_frac=Decimal("0.0001"),
        max_worst_loss_frac=Decimal("0.0001"),
    )
    for rule in (Rule.NEUTRALITY, Rule.MEAN_REVERSION_LOSS, Rule.WORST_LOSS):
        assert checked_by(rule, a_base_exit(), limits=limits).passed


# stress -----------------------------------------------------------------------------------------------------------


def test_mean_reversion_counts_the_whole_sleeve() -> None:
    """A call for the base adds to the loss of base and overlay together, and a smaller order may cure it."""
    one, ten = (checked_by(Rule.MEAN_REVERSION_LOSS, a_base_build(each)) for each in (1, 10))
    base_alone = Decimal(str(one.found)) - (Decimal(str(ten.found)) - Decimal(str(one.found))) / 9
    assert Decimal(str(ten.found)) > Decimal(str(one.found)) > base_alone > 0
    limits = replace(LIMITS, max_mean_reversion_loss_frac=(Decimal(str(one.found)) + 1) / Decimal(500_000))
    assert checked_by(Rule.MEAN_REVERSION_LOSS, a_base_build(1), limits=limits).passed
    refused = checked_by(Rule.MEAN_REVERSION_LOSS, a_base_build(10), limits=limits)
    assert (refused.passed, refused.size_can_cure) == (False, True)


def test_a_base_call_leaves_short_calls_of_the_overlay_covered() -> None:
    """Selling the base takes cover away only where the overlay leans on it."""
    strike = SHORT.strike or Decimal(0)
    short = next(leg.instrument for leg in spread_legs(strike, strike + 5, SHORT.settlement) if leg.side.sign < 0)
    snapshot = calm_noon()
    naked = {**snapshot.book.positions, short.key: Position(instrument=short, quantity=-4)}
    assert not checked_by(Rule.SHORT_CALLS, a_base_exit(4), with_book(snapshot, positions=naked)).passed
    assert checked_by(Rule.SHORT_CALLS, a_base_exit(4)).passed


def test_a_base_future_needs_its_position_to_be_sold() -> None:
    """A lot of futures in a layer closes only as far as the account holds them."""
    future = a_future("VXM")
    lots = (
        *scenery().base_lots(),
        replace(scenery().base_lots()[0], lot_id="f", legs=(buys(future),), units_open=2, units_bought=2),
    )
    sale = replace(an_intent((sells(future),), quantity=2, limit="-18", purpose=Purpose.BASE_EXIT), layer=Layer.SHORT)
    bare = with_book(calm_noon(), lots=lots)
    held = with_book(bare, positions={**bare.book.positions, future.key: Position(instrument=future, quantity=2)})
    assert not scene_of(bare).closes_only(sale)
    assert scene_of(held).closes_only(sale)
