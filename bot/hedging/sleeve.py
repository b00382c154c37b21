"""The VIX sleeve as it stands: exposure of the base layers, of the overlay and of its working orders."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from bot.domain.layer import Layer
from bot.domain.ledger import trade_date
from bot.domain.orders import Order, Purpose
from bot.domain.portfolio import Lot, Position
from bot.domain.products import found_products
from bot.domain.schedule import SessionCalendar
from bot.domain.snapshot import Snapshot
from bot.hedging.base.standing import counted, standings_of
from bot.hedging.settings import HedgeSettings
from bot.hedging.temporal.settings import TemporalSettings
from bot.valuation import Unvalued, Valuer


@dataclass(frozen=True, slots=True, kw_only=True)
class Sleeve:
    """Exposures in USD per +1.00 point of spot VIX (M2).

    Attributes:
        base: Of the base layers, less what volatility products take away; 0 without any, None where that is unknown.
        products: Of the shares of VXX, UVXY and SVXY that are in no lot of ours, 0 without any; None where one has not
            been measured.
        held_nominal: Of the overlay, each unit at the figure it had when it was bought: drift never forces a trade.
        held_now: Of the overlay now, the ceiling's measure; None where it cannot be valued.
        working: Of overlay orders that may still fill, at the figures they were planned with.
        why_unknown: Why ``base`` or ``held_now`` is None; empty otherwise.
    """

    base: float | None
    held_nominal: float
    held_now: float | None
    working: float
    why_unknown: str = ""
    products: float | None = 0.0

    @property
    def known_base(self) -> float:
        """The base for records: 0 where it is unknown."""
        return 0.0 if self.base is None else self.base


def read_sleeve(snapshot: Snapshot, valuer: Valuer, settings: TemporalSettings, calendar: SessionCalendar) -> Sleeve:
    """Return the sleeve of a snapshot.

    The base of M2 is "the nominal exposure of the configured layers at the last roll, frozen during an episode". What
    is read here is the exposure of the base lots that are **held**, by their forward deltas **now**: right after a
    roll both are the same, between rolls this one follows the market. While a roll is under way, what was bought and
    what it replaces count once. The part that matters for the rule is the freezing: while an episode lasts, the figure
    of its first decision is used (``book.frozen_base_usd_per_point``), so that a rising VIX does not enlarge the base
    and with it the overlay.

    Shares of volatility products that the bot did not buy belong to no layer. Those that gain with VIX never enlarge
    the base, so that no overlay is sized on them; those that lose with it (SVXY) reduce it. One that is not measured
    makes it unknown.

    Source: docs/methodology.md, M2 and M4.
    """
    book = snapshot.book
    today = trade_date(snapshot.now)
    overlay = [(lot, lot.units_open) for lot in open_overlay(book.lots, today)]
    standings = standings_of(book, today, settings, calendar)
    base, why_base = _exposure(counted(standings, book.lots, today), valuer)
    products, why_products = _product_exposure(found_products(book), valuer)
    if base is not None:
        base, why_base = (None, why_products) if products is None else (base + min(0.0, products), "")
    if book.frozen_base_usd_per_point is not None:
        base, why_base = book.frozen_base_usd_per_point, ""
    held_now, why_held = _exposure(overlay, valuer)
    return Sleeve(
        base=base,
        held_nominal=_nominal(overlay, valuer),
        held_now=held_now,
        working=sum(o.remaining * o.intent.exposure_usd_per_point for o in overlay_builds(book.orders.values())),
        why_unknown=why_base or why_held,
        products=products,
    )


def layer_of(days: int, settings: HedgeSettings) -> Layer:
    """Return the layer of a position that was found in the account, by its calendar days to settlement.

    >>> [layer_of(days, HedgeSettings()).value for days in (70, 71, 165, 166)]
    ['short', 'medium', 'medium', 'long']

    Source: docs/methodology.md, M4.
    """
    for layer, one in sorted(settings.layers.items(), key=lambda item: item[1].longest_days):
        if days <= one.longest_days:
            return layer
    return Layer.LONG


def open_overlay(lots: Iterable[Lot], today: date) -> tuple[Lot, ...]:
    """Return the overlay lots of which something is left and that have not settled, oldest first as in the book."""
    return tuple(lot for lot in lots if lot.layer is Layer.OVERLAY and lot.lives_on(today))


def overlay_builds(orders: Iterable[Order]) -> tuple[Order, ...]:
    """Return the orders that may still add to the overlay."""
    return tuple(order for order in orders if order.may_fill and order.intent.purpose is Purpose.OVERLAY_BUILD)


def _exposure(lots: Iterable[tuple[Lot, int]], valuer: Valuer) -> tuple[float | None, str]:
    total = 0.0
    for lot, units in lots:
        unit = valuer.unit(lot.legs)
        if isinstance(unit, Unvalued):
            return None, unit.reason
        total += units * unit.exposure_usd_per_point
    return total, ""


def _product_exposure(positions: Iterable[Position], valuer: Valuer) -> tuple[float | None, str]:
    total = 0.0
    for position in positions:
        valued = valuer.value(position.instrument)
        if isinstance(valued, Unvalued):
            return None, valued.reason
        total += position.quantity * valued.exposure_usd_per_point
    return total, ""


def _nominal(lots: Iterable[tuple[Lot, int]], valuer: Valuer) -> float:
    """Exposure at purchase; a lot whose figure nobody stated counts as it is now, or not at all when unvalued."""
    total = 0.0
    for lot, units in lots:
        each = lot.exposure_usd_per_point
        if each == 0.0:
            unit = valuer.unit(lot.legs)
            each = 0.0 if isinstance(unit, Unvalued) else unit.exposure_usd_per_point
        total += units * each
    return total
