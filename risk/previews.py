"""What the broker has said of an order's margin beside our own estimate: whether it must be asked, and its figure.

How it works: an order of one contract that adds to the account waits for the broker's what-if; the larger of its figure
and our own estimate counts. A combo is estimated alone, because the broker answers no what-if for one. What always
holds: the broker's word never lowers what our own estimate says.

Source: docs/methodology.md, M11.
"""

from decimal import Decimal

from bot.domain.orders import OrderIntent
from bot.valuation import Unvalued
from risk.margin import bound_usd
from risk.scene import Scene


def spared(intent: OrderIntent, scene: Scene) -> str:
    """Return why the broker need not be asked about an order, empty where it must be."""
    if not scene.limits.require_preview:
        return "the broker need not be asked"
    if intent.is_combo:
        return "the broker answers no what-if for a combo"
    return "closes only" if scene.closes_only(intent) else ""


def preview_fault(intent: OrderIntent, quantity: int, scene: Scene) -> str:
    """Return why the broker's word on so many units of an order does not count now, empty where it does."""
    preview = scene.snapshot.previews.of(intent)
    if preview is None:
        return "the broker has not been asked what it binds"
    return preview.fault(
        quantity,
        now=scene.snapshot.now,
        book_version=scene.snapshot.book.version,
        life_s=scene.limits.preview_life_s,
    )


def told_usd(intent: OrderIntent, quantity: int, scene: Scene) -> Decimal | None:
    """Return what the broker last said that some units bind, USD, whatever its age; None where it said nothing of them.

    Of an order on its way it was said before that order left: it counts until the broker's account values hold it.
    """
    previews = scene.snapshot.previews
    if not previews.latest:  # nothing was asked: no need to look up what this order trades
        return None
    preview = previews.of(intent)
    return None if preview is None or quantity > preview.quantity else preview.bound_usd(quantity)


def binds_usd(intent: OrderIntent, quantity: int, scene: Scene) -> Decimal | Unvalued:
    """Return what some units of an order may bind at worst, USD: the larger of our estimate and the broker's word."""
    own = bound_usd(intent, quantity, scene.fees, scene.limits.future_margin_frac)
    told = told_usd(intent, quantity, scene)
    return own if isinstance(own, Unvalued) or told is None else max(own, told)
