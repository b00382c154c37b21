"""VXX shares as a way to build the overlay: watched, priced and chosen only where allowed, and sold like the rest."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from bot.domain.instrument import VXX, Kind, Side
from bot.domain.layer import Layer
from bot.domain.ledger import trade_date
from bot.domain.orders import Purpose
from bot.domain.plan import Candidate, PlanAction
from bot.domain.portfolio import Lot, Position
from bot.domain.products import ProductBeta, Products
from bot.domain.schedule import NEW_YORK
from bot.domain.snapshot import Snapshot
from bot.hedging.settings import HedgeSettings, Prefer
from bot.hedging.sleeve import read_sleeve
from bot.hedging.temporal.rolling import harvest_due, roll_due, stop_day, stop_due
from bot.hedging.temporal.settings import TemporalSettings
from bot.valuation import Valuer
from tests.bot.hedging.planned import CALM, FORTY, TEN, an_overlay, planned
from tests.builders import CALENDAR, FEES, NOON, TODAY, a_lot, a_quote, a_session, a_signal, buys

BETAS: Products = {"VXX": ProductBeta(symbol="VXX", per_vix_point=0.04, per_spx_percent=-0.05, moves=252, fit=0.8)}
"""A share at 30 USD gains 1.20 USD per point of VIX."""
ALLOWED = HedgeSettings(allow_vxx_shares=True)
BEST = HedgeSettings(allow_vxx_shares=True, prefer=Prefer.BEST)
WIDE = a_signal(peak_excess=0.5)


def a_share_lot(shares: int, exposure: float = 1.2) -> Lot:
    """Shares of the overlay, bought at 30."""
    lot = a_lot((buys(VXX),), units=shares, cost="1.00", entry_price="30", exposure=exposure, lot_id="v-1")
    return replace(lot, expires_on=None)


def market(*lots: Lot, condors: int = 40, found: int = 0, products: Products = BETAS, **changes: object) -> Snapshot:
    """A reference book with VXX quoted at 30, watched and measured."""
    scenery = FORTY if condors == 40 else TEN
    book = scenery.book(lots=lots)
    if found:
        held = book.quantity(VXX.key) + found
        book = replace(book, positions={**book.positions, VXX.key: Position(instrument=VXX, quantity=held)})
    snapshot = scenery.snapshot(book=book)
    snapshot = replace(
        snapshot,
        universe={**snapshot.universe, VXX.key: VXX},
        quotes={**snapshot.quotes, VXX.key: a_quote(VXX, 29.99, 30.01, size=4000)},
        products=products,
    )
    return replace(snapshot, **changes)  # type: ignore[arg-type]  # test shorthand: names are checked by the class


def shares_in(snapshot: Snapshot, settings: HedgeSettings = ALLOWED) -> Candidate:
    """The candidate of a plan that is shares."""
    (found,) = (one for one in planned(snapshot, WIDE, settings).candidates if one.name == "VXX shares")
    return found


def without_spreads(snapshot: Snapshot) -> Snapshot:
    """The same moment with nobody quoting an option of the overlay's settlement."""
    gone = {key for key, one in snapshot.universe.items() if one.kind is Kind.OPTION}
    held = snapshot.book.positions.keys()
    return replace(snapshot, quotes={key: one for key, one in snapshot.quotes.items() if key not in gone - held})


# candidate ------------------------------------------------------------------------------------------------------


def test_by_default_shares_are_neither_watched_nor_considered() -> None:
    """Whatever is quoted and measured: no candidate, and the same plan as without it."""
    assert VXX not in FORTY.candidates()
    assert VXX in FORTY.candidates(ALLOWED)
    assert len(FORTY.candidates(ALLOWED)) <= ALLOWED.max_watched
    plan = planned(market(), WIDE)
    assert plan == planned(FORTY.snapshot(), WIDE)
    assert not any(one.name == "VXX shares" for one in plan.candidates)


def test_the_figures_of_a_share() -> None:
    """Exposure by its measured answer, cost as the cap counts it, payoff with VIX up by half, whole shares."""
    plan = planned(market(), WIDE, ALLOWED)
    one = shares_in(market())
    assert (one.limit, one.rejected, one.half_width_points) == (Decimal("30.01"), "", Decimal("0.01"))
    assert one.exposure_usd_per_point == pytest.approx(1.20)
    assert one.quantity == round(plan.target_usd_per_point / 1.20)
    fee = FEES.of_order(one.legs, one.quantity) / one.quantity
    assert one.cost_usd == (Decimal("5.40") + fee).quantize(Decimal("0.01"), rounding="ROUND_CEILING")
    assert one.stress_payoff_usd == pytest.approx(9 * 1.20)


@pytest.mark.parametrize(
    ("snapshot", "reason"),
    [
        (market(products={}), "STK:VXX: its answer to VIX has not been measured"),
        (replace(market(), quotes=FORTY.snapshot().quotes), "STK:VXX: no quote"),
        (market(found=40), "the account does not hold exactly the shares that the bot has bought"),
        (market(a_share_lot(10), found=-5), "the account does not hold exactly the shares that the bot has bought"),
        (market(session=None), "shares do not trade now"),
        (market(now=datetime(2026, 10, 20, 16, 0, tzinfo=NEW_YORK)), "shares do not trade now"),
    ],
)
def test_shares_fall_out_with_their_reason(snapshot: Snapshot, reason: str) -> None:
    """Unmeasured, unquoted, mixed with those of others, or after four: rejected, and the rest of the plan goes on."""
    shown = {key: replace(quote, at_ns=int(snapshot.now.timestamp() * 1e9)) for key, quote in snapshot.quotes.items()}
    assert shares_in(replace(snapshot, quotes=shown)).rejected == reason


def test_until_four_shares_trade() -> None:
    """A second before the close they are a candidate."""
    now = datetime(2026, 10, 20, 15, 59, 59, tzinfo=NEW_YORK)
    shown = {key: replace(quote, at_ns=int(now.timestamp() * 1e9)) for key, quote in market().quotes.items()}
    assert shares_in(market(now=now, quotes=shown, session=a_session())).rejected == ""


def test_a_wide_market_in_shares_is_refused() -> None:
    """Half a percent is wider than a setting of a tenth; three percent is no quote at all."""
    strict = replace(ALLOWED, max_liquidity_width_frac=0.001)
    wider = replace(market(), quotes={**market().quotes, VXX.key: a_quote(VXX, 29.92, 30.08)})
    assert shares_in(wider, strict).rejected == "too illiquid: the two sides stand too far apart"
    assert shares_in(wider).rejected == ""
    none = replace(market(), quotes={**market().quotes, VXX.key: a_quote(VXX, 29.5, 30.5)})
    assert shares_in(none).rejected == "STK:VXX: too wide"


def test_the_collar_of_shares_is_a_futures() -> None:
    """Asked at 30.28, bought at 30.15 at most: half a percent above the middle, where that is the setting."""
    wider = replace(market(), quotes={**market().quotes, VXX.key: a_quote(VXX, 29.72, 30.28)})
    assert shares_in(wider).limit == Decimal("30.28")
    assert shares_in(wider, replace(ALLOWED, future_collar_frac=0.005)).limit == Decimal("30.15")


# choice ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prefer", "kind"), [(Prefer.SPREADS, Kind.OPTION), (Prefer.FUTURES, Kind.FUTURE), (Prefer.BEST, Kind.STOCK)]
)
def test_shares_are_of_no_preferred_kind(prefer: Prefer, kind: Kind) -> None:
    """Least cost per payoff of all three here, and yet taken only where nothing is preferred."""
    plan = planned(market(), WIDE, replace(ALLOWED, prefer=prefer))
    passed = [one for one in plan.candidates if not one.rejected]
    assert min(passed, key=lambda one: one.cost_per_payoff).name == "VXX shares"
    assert plan.intents[0].legs[0].instrument.kind is kind


@pytest.mark.parametrize("prefer", [Prefer.SPREADS, Prefer.FUTURES])
def test_shares_are_taken_where_the_preferred_kind_offers_nothing(prefer: Prefer) -> None:
    """Ten condors are too few for a mini, and nobody quotes an option: shares are left."""
    plan = planned(without_spreads(market(condors=10)), WIDE, replace(ALLOWED, prefer=prefer))
    (intent,) = plan.intents
    assert intent.legs == (buys(VXX),)
    assert (intent.purpose, intent.layer) == (Purpose.OVERLAY_BUILD, Layer.OVERLAY)
    assert abs(intent.quantity * 1.20 - plan.target_usd_per_point) <= 0.60 + 1e-9


def test_shares_fill_no_more_than_the_ceiling_leaves() -> None:
    """Those that are held have doubled their answer: what is missing is bought as far as there is room."""
    base = planned(market(), WIDE, BEST).base_usd_per_point
    held = a_share_lot(round(0.17 * base / 1.20), exposure=0.6)
    plan = planned(market(held), WIDE, BEST)
    (intent,) = plan.intents
    room = 0.20 * base - held.units_open * 1.20
    assert plan.target_usd_per_point - plan.held_usd_per_point > room
    assert 0 <= room - intent.quantity * intent.exposure_usd_per_point < 1.20


# held -----------------------------------------------------------------------------------------------------------


def test_shares_of_the_overlay_are_counted_once() -> None:
    """They are overlay, and no part of what products add to or take off the base; those of others still are."""
    plain, own, both = (
        read_sleeve(snapshot, Valuer(snapshot, ALLOWED.valuation), TemporalSettings(), CALENDAR)
        for snapshot in (market(), market(a_share_lot(50)), market(a_share_lot(50), found=-20))
    )
    assert (own.base, own.products) == (plain.base, 0.0)
    assert (own.held_nominal, own.held_now) == (pytest.approx(60.0), pytest.approx(60.0))
    assert both.products == pytest.approx(-24.0)
    assert both.base == pytest.approx((plain.base or 0.0) - 24.0)


def test_shares_are_never_rolled_stopped_or_harvested() -> None:
    """They have no settlement to come near to, however old they are."""
    lot, settings = a_share_lot(50), TemporalSettings()
    for day in (TODAY, TODAY + timedelta(days=1000)):
        assert roll_due(lot, day, settings, CALENDAR) is None
        assert stop_due(lot, day, settings, CALENDAR) is None
        assert harvest_due(lot, Valuer(market(), ALLOWED.valuation), settings, day) is None
    assert stop_day(lot, settings, CALENDAR) is None


def test_calm_sells_shares_like_the_rest_of_the_overlay() -> None:
    """Half of the units go first; the sale takes the bid, and its cost is the fee of the order."""
    plan = planned(market(a_share_lot(51), now=NOON), CALM)
    (sale,) = plan.intents
    assert (plan.action, sale.purpose) == (PlanAction.UNWIND, Purpose.OVERLAY_UNWIND)
    assert [(leg.instrument, leg.side) for leg in sale.legs] == [(VXX, Side.SELL)]
    assert (sale.quantity, sale.limit, sale.worst_cost_usd) == (26, Decimal("-29.99"), Decimal("1.00"))


def test_a_profitable_spread_is_sold_before_shares() -> None:
    """A unit is a unit: of two spreads and two shares both spreads go in the first session."""
    cheap = replace(an_overlay(2), entry_price=Decimal("0.10"))
    plan = planned(market(cheap, a_share_lot(2)), CALM)
    assert [len(intent.legs) for intent in plan.intents] == [2]
    assert plan.intents[0].quantity == 2
    assert trade_date(NOON) == TODAY
