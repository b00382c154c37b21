"""Plans and scenes for tests of the gate: the reference book with an overlay order that passes everything."""

from dataclasses import replace
from decimal import Decimal
from functools import cache

from bot.domain.decision import Checked, Refused, Rule, Verdict
from bot.domain.orders import OrderIntent, Purpose
from bot.domain.portfolio import Lot
from bot.domain.snapshot import Snapshot
from bot.valuation import ValuationSettings, Valuer
from risk.gate import CHECKS, Gate
from risk.limits import RiskLimits
from risk.scene import Check, Scene
from tests.builders import (
    ACCOUNT,
    CALENDAR,
    FEES,
    Scenery,
    a_future,
    a_lot,
    a_plan,
    an_intent,
    buys,
    mirrored,
    spread_legs,
)

LIMITS = RiskLimits(accounts=frozenset({ACCOUNT}))
CHECK_OF: dict[Rule, Check] = {check.rule: check for check in CHECKS}
"""Each rule's check."""
LONG, SHORT = "21", "26"
"""Strikes of the overlay in these tests."""


@cache
def scenery(condors: int = 10) -> Scenery:
    """The reference market, priced once."""
    return Scenery(condors=condors)


@cache
def calm_noon(condors: int = 10) -> Snapshot:
    """The reference book at noon, in a blowout, with everything quoted."""
    return scenery(condors).snapshot()


def natural_limit() -> Decimal:
    """What the reference spread costs at once."""
    long, short = (scenery().quote(leg.instrument) for leg in spread_legs(LONG, SHORT))
    return Decimal(repr(long.ask)) - Decimal(repr(short.bid))


def a_build(quantity: int = 1, *, limit: Decimal | str | None = None, intent_id: str = "i-1") -> OrderIntent:
    """A purchase of reference spreads at the price at which it fills at once."""
    price = natural_limit() if limit is None else Decimal(limit)
    return an_intent(spread_legs(LONG, SHORT), quantity=quantity, limit=str(price), intent_id=intent_id)


def an_unwind(quantity: int = 1, *, limit: Decimal | str | None = None, intent_id: str = "u-1") -> OrderIntent:
    """A sale of reference spreads at the price at which it fills at once."""
    long, short = (scenery().quote(leg.instrument) for leg in spread_legs(LONG, SHORT))
    price = Decimal(repr(short.ask)) - Decimal(repr(long.bid)) if limit is None else Decimal(limit)
    return an_intent(
        mirrored(spread_legs(LONG, SHORT)),
        quantity=quantity,
        limit=str(price),
        purpose=Purpose.OVERLAY_UNWIND,
        intent_id=intent_id,
    )


def a_mini(quantity: int = 1, *, intent_id: str = "m-1") -> OrderIntent:
    """A purchase of VXM at the price at which it fills at once."""
    mini = a_future("VXM")
    ask = scenery().quote(mini).ask
    return an_intent((buys(mini),), quantity=quantity, limit=str(ask), intent_id=intent_id)


def an_overlay(units: int = 2) -> Lot:
    """Reference spreads held."""
    return a_lot(spread_legs(LONG, SHORT), units=units, cost=str(80 * units))


def holding(units: int = 2, condors: int = 10, **changes: object) -> Snapshot:
    """The reference book with an overlay in it."""
    return scenery(condors).snapshot(book=scenery(condors).book(lots=(an_overlay(units),), **changes))


def with_book(snapshot: Snapshot, **changes: object) -> Snapshot:
    """The same moment with another book."""
    return replace(snapshot, book=replace(snapshot.book, **changes))  # type: ignore[arg-type]  # test shorthand


def verdict_on(intent: OrderIntent, snapshot: Snapshot | None = None, limits: RiskLimits = LIMITS) -> Verdict:
    """The gate's answer to one order; every finding of it can be read."""
    verdict = Gate(limits, FEES).review(a_plan(intent), calm_noon() if snapshot is None else snapshot)[0]
    for check, checked in zip(CHECKS, verdict.checks, strict=True):
        readable(checked, check.rule)
    return verdict


def readable(checked: Checked, rule: Rule) -> Checked:
    """Return a finding after seeing that it says whose it is, and what was found against what, or why it is unknown."""
    assert checked.rule is rule
    assert isinstance(checked.note, str)
    assert type(checked.passed) is bool
    assert type(checked.size_can_cure) is bool
    if checked.found is None or checked.limit is None:
        assert not checked.passed, f"{rule}: passed without saying on what"
        assert checked.note, f"{rule}: refused without a word"
    elif isinstance(checked.found, Decimal) and isinstance(checked.limit, Decimal) and checked.headroom is not None:
        assert checked.headroom == checked.limit - checked.found
        assert checked.passed is (checked.found <= checked.limit)
    return checked


def rules_against(verdict: Verdict) -> set[Rule]:
    """The rules that refused."""
    return {checked.rule for checked in verdict.reasons} if isinstance(verdict, Refused) else set()


def checked_by(
    rule: Rule,
    intent: OrderIntent,
    snapshot: Snapshot | None = None,
    *,
    limits: RiskLimits = LIMITS,
    earlier: tuple[OrderIntent, ...] = (),
    later: tuple[OrderIntent, ...] = (),
) -> Checked:
    """What one rule alone finds."""
    found = CHECK_OF[rule].check(intent, scene_of(snapshot, limits=limits, earlier=earlier, later=later))
    return readable(found, rule)


def scene_of(
    snapshot: Snapshot | None = None,
    *,
    limits: RiskLimits = LIMITS,
    earlier: tuple[OrderIntent, ...] = (),
    later: tuple[OrderIntent, ...] = (),
) -> Scene:
    """The scene of a judgement."""
    snapshot = calm_noon() if snapshot is None else snapshot
    return Scene(
        snapshot=snapshot,
        valuer=Valuer(snapshot, ValuationSettings()),
        limits=limits,
        fees=FEES,
        calendar=CALENDAR,
        earlier=earlier,
        later=later,
    )
