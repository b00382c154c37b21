"""Orders as a trader says them: buy 9 x VIX 2026-11-18 22/27 call spread at 0.59 points or better."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from bot.domain.condors import CONDOR_CLASSES
from bot.domain.errors import InvalidValueError
from bot.domain.instrument import Kind, Right, Side
from bot.domain.orders import Purpose
from bot.domain.proposal import Asked
from bot.report.explaining.figures import number_of, plain, text_of

Facts = Mapping[str, Any]
RIGHTS: Final = {Right.CALL.value: "call", Right.PUT.value: "put"}


def key_of(instrument: Facts) -> str:
    """Return the contract's canonical name, as `bot.domain.instrument` builds it."""
    parts = [instrument.get(name) for name in ("kind", "trading_class", "settlement", "strike", "right")]
    return ":".join(text_of(part) for part in parts if part is not None)


def legs_of(order: Facts) -> tuple[Facts, ...]:
    """Return the legs of an intent or a candidate."""
    return tuple(order.get("legs") or ())


def signed_legs(order: Facts) -> tuple[tuple[str, int], ...]:
    """Return contracts with their signed ratios, sorted: what makes two orders the same trade."""
    return tuple(sorted((key_of(leg.get("instrument") or {}), _signed_ratio(leg)) for leg in legs_of(order)))


def with_legs(asked: Facts) -> Facts:
    """Return an order of a proposal, which names its contracts only, with legs as an intent has them."""
    return {"legs": [_leg_of(text_of(key), int(number_of(ratio) or 0)) for key, ratio in asked.get("legs") or ()]}


def asked_of(intent: Facts) -> Asked | None:
    """Return what a proposal would say of an intent, None where its facts do not name an order."""
    quantity = number_of(intent.get("quantity"))
    try:
        return Asked(purpose=text_of(intent.get("purpose")), legs=signed_legs(intent), quantity=int(quantity or 0))
    except InvalidValueError:
        return None


def is_of_the_base(order: Facts) -> bool:
    """Return whether an order is for a layer of the base sleeve and not for the overlay."""
    return order.get("purpose") in {Purpose.BASE_BUILD, Purpose.BASE_EXIT}


def verb_of(order: Facts) -> str:
    """Return whether the order buys, sells, or rolls a wing; of a spread the leg with the lower strike tells."""
    if moves_wing(order):
        return "roll"
    legs = sorted(legs_of(order), key=_strike)
    return "trade" if not legs else "buy" if legs[0].get("side") == Side.BUY else "sell"


def name_of(order: Facts) -> str:
    """Return the contracts of an order: a spread, a future, an option, or every leg by itself."""
    legs = sorted(legs_of(order), key=_strike)
    if moves_wing(order):
        old, new = sorted(legs, key=lambda leg: leg.get("side") == Side.BUY)
        kind = RIGHTS.get(str(old["instrument"].get("right")), "")
        return f"{_series(old['instrument'])} long {kind} from {_strike_text(old['instrument'])} to " + _strike_text(
            new["instrument"]
        )
    if _is_vertical(legs):
        low, high = (leg["instrument"] for leg in legs)
        kind = RIGHTS.get(str(low.get("right")), "")
        return f"{_series(low)} {_strike_text(low)}/{_strike_text(high)} {kind} spread"
    if len(legs) == 1:
        return contract_name(legs[0].get("instrument") or {})
    return " / ".join(
        f"{text_of(leg.get('side'))} {plain(leg.get('ratio'), 0)} {contract_name(leg.get('instrument') or {})}"
        for leg in legs
    )


def contract_name(instrument: Facts) -> str:
    """Return one contract in words."""
    if instrument.get("right") is None:
        kind = "shares" if instrument.get("kind") == Kind.STOCK else "future" if instrument.get("settlement") else ""
        return f"{_series(instrument)} {kind}".strip()
    return f"{_series(instrument)} {_strike_text(instrument)} {RIGHTS.get(str(instrument['right']), '')}"


def order_words(intent: Facts) -> str:
    """Return the order with its size and limit."""
    quantity = plain(intent.get("quantity"), 0)
    return f"{verb_of(intent)} {quantity} x {name_of(intent)} at {limit_words(intent)} or better"


def limit_words(intent: Facts) -> str:
    """Return the limit as the price that is paid or received, points per unit; a roll may do either, and says which."""
    limit = number_of(intent.get("limit"))
    told = plain(None if limit is None else abs(limit))
    if limit is None or not moves_wing(intent):
        return told
    return f"{told} {'paid' if limit > 0 else 'received'}"


def moves_wing(order: Facts) -> bool:
    """Return whether an order rolls a wing: index options are traded for nothing else."""
    legs = legs_of(order)
    classes = {(leg.get("instrument") or {}).get("trading_class") for leg in legs}
    return _is_vertical(legs) and classes <= CONDOR_CLASSES


def paid_points(side: object, price: object) -> Decimal | None:
    """Return what one unit costs by an execution, in points: positive paid, negative received."""
    number = number_of(price)
    if number is None or side not in {Side.BUY, Side.SELL}:
        return None
    return Side(str(side)).sign * number


def _signed_ratio(leg: Facts) -> int:
    """Contracts gained per unit; 0, which no order has, where the journal does not say."""
    sign = 1 if leg.get("side") == Side.BUY else -1
    return sign * int(number_of(leg.get("ratio")) or 0)


def _leg_of(key: str, ratio: int) -> Facts:
    names = ("kind", "trading_class", "settlement", "strike", "right")
    instrument = dict(zip(names, key.split(":"), strict=False))
    return {"side": Side.BUY if ratio > 0 else Side.SELL, "ratio": abs(ratio), "instrument": instrument}


def _is_vertical(legs: Sequence[Facts]) -> bool:
    """Two options of one settlement and right, one bought and one sold, one for one."""
    if len(legs) != 2 or {_signed_ratio(leg) for leg in legs} != {1, -1}:
        return False
    first, second = (leg.get("instrument") or {} for leg in legs)
    same = ("trading_class", "settlement", "right")
    return first.get("right") is not None and all(first.get(name) == second.get(name) for name in same)


def _strike(leg: Facts) -> Decimal:
    return number_of((leg.get("instrument") or {}).get("strike")) or Decimal(0)


def _series(instrument: Facts) -> str:
    parts = (instrument.get("trading_class"), instrument.get("settlement"))
    return " ".join(text_of(part) for part in parts if part)


def _strike_text(instrument: Facts) -> str:
    return text_of(instrument.get("strike"))
