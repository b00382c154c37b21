"""Shares of volatility products at 30 USD: found in the account, or bought by the bot for its overlay."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from bot.domain.instrument import VXX, Instrument, share
from bot.domain.orders import Leg, OrderIntent, Purpose
from bot.domain.portfolio import Lot, Position
from bot.domain.products import ProductBeta, ProductReading
from bot.domain.snapshot import Snapshot
from tests.builders import TODAY, a_lot, a_quote, an_intent, buys, sells
from tests.risk.scenes import calm_noon
from tests.told import terms_at

SVXY = share("SVXY", "BATS")
BETAS: Mapping[str, ProductReading] = {
    "VXX": ProductBeta(symbol="VXX", per_vix_point=0.04, per_spx_percent=-0.05, moves=252, fit=0.8),
    "SVXY": ProductBeta(symbol="SVXY", per_vix_point=-0.02, per_spx_percent=0.025, moves=252, fit=0.8),
}
"""A share of VXX moves by 1.20 USD per point of VIX, one of SVXY by half as much against it."""
COST = Decimal(33)
TO_BUY: tuple[Leg, ...] = (buys(VXX),)


def with_shares(
    shares: Mapping[Instrument, int],
    *,
    snapshot: Snapshot | None = None,
    betas: Mapping[str, ProductReading] = BETAS,
    cost: Decimal | None = COST,
) -> Snapshot:
    """The reference book with shares at 30 USD, bought at 33; a quantity of 0 only has them quoted."""
    base = calm_noon() if snapshot is None else snapshot
    held = {
        one.key: Position(instrument=one, quantity=quantity, average_cost_usd=cost)
        for one, quantity in shares.items()
        if quantity
    }
    quotes = {one.key: a_quote(one, 29.99, 30.01, size=4000) for one in shares}
    book = replace(base.book, positions={**base.book.positions, **held})
    terms = {one.key: terms_at(one, TODAY) for one in shares}
    return replace(base, book=book, quotes={**base.quotes, **quotes}, products=betas, terms={**base.terms, **terms})


def a_share_lot(shares: int = 60, *, price: str = "33", **changes: object) -> Lot:
    """Shares of VXX that the bot has bought for its overlay."""
    lot = a_lot(TO_BUY, units=shares, cost="1.00", entry_price=price, exposure=1.2, lot_id="v-1")
    return replace(lot, expires_on=None, **changes)  # type: ignore[arg-type]  # test shorthand: checked by the class


def with_overlay(shares: int = 60, *, others: int = 0, price: str = "33", snapshot: Snapshot | None = None) -> Snapshot:
    """The reference book with shares of the overlay, and so many beside them that the bot did not buy."""
    whole = with_shares({VXX: shares + others}, snapshot=snapshot)
    return replace(whole, book=replace(whole.book, lots=(*whole.book.lots, a_share_lot(shares, price=price))))


def a_share_build(
    shares: int = 60, *, limit: str = "30.01", purpose: Purpose = Purpose.OVERLAY_BUILD, product: Instrument = VXX
) -> OrderIntent:
    """A purchase of shares at the price at which it fills at once."""
    return an_intent((buys(product),), quantity=shares, limit=limit, purpose=purpose, exposure=1.2)


def a_share_sale(shares: int = 60, *, limit: str = "-29.99", product: Instrument = VXX) -> OrderIntent:
    """A sale of shares of the overlay, likewise."""
    return an_intent((sells(product),), quantity=shares, limit=limit, purpose=Purpose.OVERLAY_UNWIND, exposure=-1.2)
