"""The sleeve as it stands, and the settlement that the overlay goes to."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from bot.domain.instrument import share
from bot.domain.layer import Layer
from bot.domain.orders import Cancelled, Purpose
from bot.domain.portfolio import Lot, Position
from bot.domain.products import ProductBeta
from bot.domain.snapshot import Snapshot
from bot.hedging.settings import HedgeSettings
from bot.hedging.sleeve import Sleeve, layer_of, read_sleeve
from bot.valuation import ValuationSettings, Valuer
from tests.builders import CALENDAR, TODAY, Scenery, a_lot, a_quote, an_intent, an_order, buys, spread_legs, vix_call

SCENERY = Scenery(condors=10)
SETTINGS = HedgeSettings()
DAY = timedelta(days=1)


def _sleeve(snapshot: Snapshot) -> Sleeve:
    return read_sleeve(snapshot, Valuer(snapshot, ValuationSettings()), SETTINGS.temporal, CALENDAR)


def test_the_base_of_the_reference_book() -> None:
    """Ten condors carry a base of about 170 USD per point (M2)."""
    assert _sleeve(SCENERY.snapshot()).base == pytest.approx(170.0, rel=0.15)


def test_a_frozen_base_stands_for_the_live_one() -> None:
    """While an episode lasts, the figure of its first decision is the base, also where nothing can be valued."""
    book = SCENERY.book(frozen_base_usd_per_point=155.0)
    assert _sleeve(SCENERY.snapshot(book=book)).base == 155.0
    assert _sleeve(replace(SCENERY.snapshot(book=book), quotes={})).base == 155.0


def test_a_base_that_cannot_be_valued_is_unknown() -> None:
    """Without quotes the base is None, with the reason, and 0 for the record."""
    sleeve = _sleeve(replace(SCENERY.snapshot(), quotes={}))
    assert (sleeve.base, sleeve.known_base) == (None, 0.0)
    assert sleeve.why_unknown == f"{SCENERY.opening.base[0].instrument.key}: no quote"


def test_without_base_lots_the_base_is_nothing() -> None:
    """No lots, no base."""
    assert _sleeve(SCENERY.snapshot(book=SCENERY.book(lots=()), quotes={})).known_base > 0
    bare = replace(SCENERY.book(), lots=())
    assert _sleeve(SCENERY.snapshot(book=bare)).base == 0.0


def test_the_overlay_counts_as_it_was_bought_and_as_it_is_now() -> None:
    """Nominal exposure is that of the purchase, whatever the market did since; the ceiling looks at today's."""
    lot = a_lot(spread_legs(21, 26), units=3, exposure=13.0)
    sleeve = _sleeve(SCENERY.snapshot(book=SCENERY.book(lots=(lot,))))
    assert sleeve.held_nominal == 39.0
    assert sleeve.held_now == pytest.approx(3 * 10.96, rel=0.02)


def test_an_overlay_lot_without_a_figure_counts_as_it_is() -> None:
    """A lot that was found counts at today's exposure, or not at all where that is unknown."""
    lot = a_lot(spread_legs(21, 26), exposure=0.0)
    snapshot = SCENERY.snapshot(book=SCENERY.book(lots=(lot,)))
    sleeve = _sleeve(snapshot)
    assert sleeve.held_nominal == sleeve.held_now
    blind = _sleeve(replace(snapshot, quotes={}))
    assert (blind.held_nominal, blind.held_now) == (0.0, None)


@pytest.mark.parametrize(
    "lot",
    [
        a_lot(open_units=0, last_sold_on=TODAY),
        a_lot(expires_on=TODAY),
    ],
)
def test_what_is_sold_or_settled_is_no_overlay(lot: Lot) -> None:
    """Sold out, or settling this morning: it counts no more and needs no quote."""
    sleeve = _sleeve(SCENERY.snapshot(book=replace(SCENERY.book(), lots=(*SCENERY.base_lots(), lot))))
    assert (sleeve.held_nominal, sleeve.held_now) == (0.0, 0.0)


def test_orders_that_may_still_fill_are_working_exposure() -> None:
    """Three of five units left of a build count; a dead build and an unwind do not."""
    orders = (
        an_order(an_intent(quantity=5, exposure=13.0, intent_id="a"), filled=2),
        an_order(an_intent(quantity=5, intent_id="b"), state=Cancelled(reason="test")),
        an_order(an_intent(quantity=1, intent_id="c", purpose=Purpose.OVERLAY_UNWIND)),
    )
    assert _sleeve(SCENERY.snapshot(book=SCENERY.book(orders=orders))).working == 39.0


def _short(days: int) -> Lot:
    settlement = TODAY + days * DAY
    return a_lot((buys(vix_call(20, settlement)),), layer=Layer.SHORT, expires_on=settlement)


def _days(*days: int) -> tuple[date, ...]:
    return tuple(TODAY + number * DAY for number in days)


@pytest.mark.parametrize(
    ("days", "layer"),
    [
        (1, Layer.SHORT),
        (70, Layer.SHORT),
        (71, Layer.MEDIUM),
        (165, Layer.MEDIUM),
        (166, Layer.LONG),
        (1001, Layer.LONG),
    ],
)
def test_found_positions_belong_to_a_layer_by_their_days(days: int, layer: Layer) -> None:
    """Short up to 70 days, medium up to 165, long beyond (M4)."""
    assert layer_of(days, SETTINGS) is layer


def _with_shares(symbol: str, quantity: int, *, is_measured: bool = True, **book: object) -> Sleeve:
    """The reference book with shares at 30 USD that move by 4 % per point of VIX, SVXY by half as much against it."""
    product = share(symbol, "BATS")
    held = Position(instrument=product, quantity=quantity)
    whole = SCENERY.book(**book)
    slope = -0.02 if symbol == "SVXY" else 0.04
    beta = ProductBeta(symbol=symbol, per_vix_point=slope, per_spx_percent=-slope, moves=252, fit=0.8)
    snapshot = SCENERY.snapshot(
        book=replace(whole, positions={**whole.positions, product.key: held}),
        quotes={product.key: a_quote(product, 29.99, 30.01)},
        products={symbol: beta} if is_measured else {},
    )
    return _sleeve(snapshot)


def test_products_that_gain_with_vix_never_enlarge_the_base() -> None:
    """A hundred VXX stand in the record with 120 USD per point, and no overlay is sized on them."""
    plain, held = _sleeve(SCENERY.snapshot()), _with_shares("VXX", 100)
    assert held.products == pytest.approx(120.0)
    assert (plain.products, held.base) == (0.0, plain.base)


def test_products_that_lose_with_vix_reduce_the_base() -> None:
    """A hundred SVXY take 60 USD per point off the base; so do VXX that were sold short, twice as much."""
    plain = _sleeve(SCENERY.snapshot()).base
    assert plain is not None
    assert _with_shares("SVXY", 100).base == pytest.approx(plain - 60.0)
    assert _with_shares("VXX", -100).base == pytest.approx(plain - 120.0)


def test_a_product_that_is_not_measured_makes_the_base_unknown() -> None:
    """Whether it adds or takes away is not known: the sleeve cannot be valued, and the reason names it."""
    sleeve = _with_shares("VXX", 1, is_measured=False)
    assert (sleeve.base, sleeve.products) == (None, None)
    assert sleeve.why_unknown == "STK:VXX: its answer to VIX has not been measured"


def test_a_frozen_base_outlives_a_product_that_is_not_measured() -> None:
    """While an episode lasts the base is that of its first decision, whatever is held beside it since."""
    sleeve = _with_shares("VXX", 1, is_measured=False, frozen_base_usd_per_point=155.0)
    assert (sleeve.base, sleeve.why_unknown) == (155.0, "")
