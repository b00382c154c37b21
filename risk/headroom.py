"""Every limit of the gate with what is used of it and what is left, in the order of the gate; nothing is decided here.

How it works: a table names for every field of `RiskLimits` the rule that judges by it and what reads its use. What
always holds: each field has at least one row; whatever a reading raises is a row that says why it is unknown, never a
use of zero.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Final

from bot.domain.decision import Rule
from bot.domain.instrument import SPX, Instrument
from bot.valuation import Unvalued, good_level
from risk import usage
from risk.checks.account import account_fault
from risk.checks.session_hours import guard_day, last_trade_at, order_window
from risk.positions import is_of_sleeve
from risk.room import Applies, Head, Room
from risk.scene import Scene
from risk.usage import Read, percent

MINUTES_PER_DAY: Final = 24 * 60
MOMENT, ORDER = Applies.PER_MOMENT, Applies.PER_ORDER


def _accounts(head: Head, scene: Scene) -> Iterator[Room]:
    names = len(scene.limits.accounts)
    yield head.per(MOMENT, stated=f"{names} on the allowlist", note=account_fault(scene) or "allowed")


def _classes(head: Head, scene: Scene) -> Iterator[Room]:
    yield head.per(ORDER, stated=", ".join(sorted(scene.limits.permitted_classes)) or "none")


def _exchanges(head: Head, scene: Scene) -> Iterator[Room]:
    yield head.per(ORDER, stated=", ".join(sorted(scene.limits.permitted_exchanges)) or "none")


def _shares(head: Head, scene: Scene) -> Iterator[Room]:
    given = scene.limits.permit_vxx_shares
    yield head.per(ORDER, stated="shares of VXX may be bought" if given else "shares of VXX may not be bought")


def _asking(head: Head, scene: Scene) -> Iterator[Room]:
    must = scene.limits.require_preview
    yield head.per(
        ORDER,
        stated="the broker is asked what an order binds" if must else "the broker is not asked what an order binds",
    )


def _edge(head: Head, scene: Scene) -> Iterator[Room]:
    stated = f"{scene.limits.session_edge_minutes:g} minutes from the session's ends"
    yield head.per(MOMENT, stated=stated, note=_window_words(scene), unit="minutes")


def _window_words(scene: Scene) -> str:
    window = order_window(scene, is_share=False)
    if window is None:
        return "no session is open"
    first, last = window
    now = scene.snapshot.now
    if now < first:
        return f"closed for another {_minutes(first - now)} minutes"
    return f"open for another {_minutes(last - now)} minutes" if now < last else "over for this session"


def _cutoff(head: Head, scene: Scene) -> Iterator[Room]:
    stated = f"{scene.limits.last_trade_cutoff_minutes:g} minutes before a contract's last trade"
    cutoff = timedelta(minutes=scene.limits.last_trade_cutoff_minutes)
    ends = [(last_trade_at(one, day, scene) - cutoff, one.key) for one, day in _held(scene)]
    found = min(ends, default=None)
    note = "nothing of the sleeve is held"
    if found is not None:
        at, key = found
        left = _minutes(at - scene.snapshot.now)
        note = f"{key}: past the cut-off" if left <= 0 else f"{key}: in {_span(left)}"
    yield head.per(MOMENT, stated=stated, note=note, unit="minutes")


def _guard(head: Head, scene: Scene) -> Iterator[Room]:
    stated = f"{scene.limits.expiry_guard_sessions} sessions before the last trading day nothing is bought"
    found = min(((guard_day(day, scene), one.key) for one, day in _held(scene)), default=None)
    note = "nothing of the sleeve is held" if found is None else f"{found[1]}: bought before {found[0]} only"
    yield head.per(MOMENT, stated=stated, note=note, unit="sessions")


def _held(scene: Scene) -> Iterator[tuple[Instrument, date]]:
    for position in scene.snapshot.book.positions.values():
        one = position.instrument
        if is_of_sleeve(one) and one.last_trade is not None:
            yield one, one.last_trade


def _straddle(head: Head, scene: Scene) -> Iterator[Room]:
    frac, spot = scene.limits.straddle_reach_frac, good_level(scene.snapshot, SPX.key)
    note = spot.reason if isinstance(spot, Unvalued) else f"{frac * spot:.1f} index points now"
    yield head.per(MOMENT, stated=f"{percent(frac)} of the forward", note=note, unit="index points")


def _per_order(words: str, unit: str, head: Head, scene: Scene) -> Iterator[Room]:
    """A limit that is compared with each order alone; ``{}`` in its words stands for the figure."""
    value = getattr(scene.limits, head.name)
    told = f"{value:f}" if isinstance(value, Decimal) else f"{value:g}"
    yield head.per(ORDER, stated=words.format(told), unit=unit)


def _per_order_frac(words: str, unit: str, head: Head, scene: Scene) -> Iterator[Room]:
    yield head.per(ORDER, stated=words.format(percent(getattr(scene.limits, head.name))), unit=unit)


def _span(minutes: int) -> str:
    return f"{minutes} minutes" if minutes < MINUTES_PER_DAY else f"{minutes // MINUTES_PER_DAY} days"


def _minutes(left: timedelta) -> int:
    return left // timedelta(minutes=1)


TABLE: Final[tuple[tuple[str, Rule | None, str, Read], ...]] = (
    ("accounts", Rule.ACCOUNT, "C23", _accounts),
    ("permitted_classes", Rule.PERMISSION, "C14", _classes),
    ("permit_vxx_shares", Rule.PERMISSION, "C14", _shares),
    ("permitted_exchanges", Rule.PERMISSION, "C18", _exchanges),
    ("session_edge_minutes", Rule.SESSION_HOURS, "C24", _edge),
    ("last_trade_cutoff_minutes", Rule.SESSION_HOURS, "C24", _cutoff),
    ("expiry_guard_sessions", Rule.SESSION_HOURS, "C24", _guard),
    ("collar_frac", Rule.PRICE_COLLAR, "C7", partial(_per_order_frac, "{} from the middle of options", "points")),
    (
        *("future_collar_frac", Rule.PRICE_COLLAR, "C7"),
        partial(_per_order_frac, "{} from the middle of futures and shares", "points"),
    ),
    ("collar_ticks", Rule.PRICE_COLLAR, "C7", partial(_per_order, "or {} ticks from it, if that is more", "ticks")),
    ("max_day_slippage_frac", Rule.DAY_SLIPPAGE, "C7", usage.slippage),
    ("max_contracts_per_leg", Rule.ORDER_SIZE, "C9", partial(_per_order, "{} contracts of a leg", "contracts")),
    ("max_shares_per_order", Rule.ORDER_SIZE, "C9", partial(_per_order, "{} shares", "shares")),
    ("max_order_value_usd", Rule.ORDER_SIZE, "C8", partial(_per_order, "{} USD", "USD")),
    (
        *("max_displayed_frac", Rule.ORDER_SIZE, "C13"),
        partial(_per_order_frac, "{} of the displayed size of each leg", "contracts"),
    ),
    (
        *("max_open_interest_frac", Rule.ORDER_SIZE, "C13"),
        partial(_per_order_frac, "{} of the open interest of each leg", "contracts"),
    ),
    ("max_wing_rise_frac", Rule.WING_LIMITS, "M8", usage.wing_rise),
    ("max_loss_rise_frac", Rule.WING_LIMITS, "M8", usage.loss_rise),
    ("neutrality_band_frac", Rule.NEUTRALITY, "M10", usage.band),
    ("neutrality_step_frac", Rule.NEUTRALITY, "M10", usage.band_on_the_way),
    ("neutrality_de_minimis_frac", Rule.NEUTRALITY, "M10", usage.overlay_band),
    ("max_mean_reversion_loss_frac", Rule.MEAN_REVERSION_LOSS, "M11", usage.mean_reversion),
    ("max_worst_loss_frac", Rule.WORST_LOSS, "M11", usage.worst_loss),
    ("require_preview", Rule.MARGIN_PREVIEW, "C31", _asking),
    (
        *("preview_life_s", Rule.MARGIN_PREVIEW, "C31"),
        partial(_per_order, "a what-if {} seconds old is asked anew", "seconds"),
    ),
    ("max_margin_frac", Rule.MARGIN_USE, "C31", usage.margin),
    ("future_margin_frac", Rule.MARGIN_USE, "M11", partial(_per_order_frac, "{} of a future's value binds", "USD")),
    ("max_gross_leverage", Rule.GROSS_LEVERAGE, "C31", usage.leverage),
    ("max_options_per_settlement", Rule.CONTRACTS_PER_SETTLEMENT, "C31", usage.options_per_settlement),
    ("max_futures_per_settlement", Rule.CONTRACTS_PER_SETTLEMENT, "C31", usage.futures_per_settlement),
    ("max_options", Rule.CONTRACTS_IN_ALL, "C31", usage.options),
    ("max_futures", Rule.CONTRACTS_IN_ALL, "C31", usage.futures),
    ("max_instruments", Rule.INSTRUMENTS, "C18", usage.instruments),
    ("max_vega_frac", Rule.VEGA, "C31", usage.vega),
    ("max_vix_delta_frac", Rule.VIX_DELTA, "C31", usage.vix_delta),
    ("max_day_loss_frac", Rule.DAY_LOSS, "C31", usage.day_loss),
    ("max_week_loss_frac", Rule.WEEK_LOSS, "C31", usage.week_loss),
    ("max_drawdown_frac", Rule.DRAWDOWN, "C31", usage.drawdown),
    ("max_hedge_cost_frac", Rule.HEDGE_COST_CAP_COHORT, "C20", usage.hedge_cost),
    ("amortise", Rule.HEDGE_COST_CAP_BOOK, "C20", usage.spreading),
    ("break_even_moves", Rule.BREAK_EVENS, "M8", usage.break_evens),
    ("straddle_reach_frac", Rule.BREAK_EVENS, "M8", _straddle),
    ("max_repeats_per_day", Rule.REPEATS, "C12", usage.repeats),
    ("max_orders_per_day", Rule.DAILY_ORDERS, "C10", usage.daily_orders),
    ("closing_orders_reserve", Rule.DAILY_ORDERS, "C10", usage.closing_orders),
    ("max_working_orders", Rule.WORKING_ORDERS, "C10", usage.working_orders),
    (
        *("verdict_lifetime_s", None, "C11"),
        partial(_per_order, "a verdict {} seconds old is judged anew", "seconds"),
    ),
)
"""Every field of `RiskLimits`, in the gate's order: its rule, its control, and what reads its rows."""


def rooms(scene: Scene) -> tuple[Room, ...]:
    """Return at least one row for every limit, in the order of the gate; raises for nothing.

    Args:
        scene: A moment without an order under judgement; its limits are those of which the rows tell.

    Source: docs/risk-controls.md, C30.
    """
    found: list[Room] = []
    for name, rule, control, read in TABLE:
        found += _read(read, Head(name=name, rule=rule, control=control), scene)
    return tuple(found)


def _read(read: Read, head: Head, scene: Scene) -> Iterable[Room]:
    """Ask one reading; whatever it raises is the reason why the use is not known."""
    try:
        rows = list(read(head, scene))
    except Exception as error:  # noqa: BLE001 - fail closed: no fault may leave a limit out or show it as unused
        return (head.unknown(f"{type(error).__name__}: {error}", stated=_stated(head, scene)),)
    return rows or (head.per(MOMENT, stated=_stated(head, scene), note="no condors are held"),)


def _stated(head: Head, scene: Scene) -> str:
    return f"{getattr(scene.limits, head.name)}"
