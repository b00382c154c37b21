"""How much the sleeve may hold: contracts by settlement and in all, vega, USD per VIX point (C31, C13)."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from bot.domain.decision import Checked, Rule
from bot.domain.instrument import Kind
from bot.domain.orders import OrderIntent
from bot.valuation import Unvalued
from risk.positions import Span, contracts_reach, order_sensitivity, sensitivity_reach, sleeve_legs
from risk.scene import CLOSES_ONLY, Scene

NO_SLEEVE: Final = "no sleeve contract is traded"


@dataclass(frozen=True, slots=True)
class ContractsPerSettlement:
    """C31: fails when more contracts of one settlement may be held, long or short, than are allowed.

    Options and futures are counted apart; a future counts its multiplier over that of VX (VX 1, VXM 0.1). Held, on
    their way at worst, and this order. Exactly the limit passes, a smaller order can cure it, one that only closes
    passes.

    Source: docs/risk-controls.md, section 1.4.

    Control: C31.
    Standard: RTS 6 17(4).
    Unit: contracts of a settlement.
    Limits: max_options_per_settlement, max_futures_per_settlement.
    """

    rule: Rule = Rule.CONTRACTS_PER_SETTLEMENT

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Judge the tightest of the settlements that the order touches."""
        limits = scene.limits
        most = {
            Kind.OPTION: limits.max_options_per_settlement,
            Kind.FUTURE: limits.max_futures_per_settlement,
        }
        found = []
        for kind, settlement in scene.kept(_touched, intent):
            if kind in most:
                held = contracts_reach(intent, scene, kind, settlement).most
                found.append((f"{kind} of {settlement!s}", held, Decimal(most[kind])))
        return _tightest(self.rule, intent, scene, found)


@dataclass(frozen=True, slots=True)
class ContractsInAll:
    """C31: fails when more contracts of all settlements may be held, long or short, than are allowed.

    As `ContractsPerSettlement`, over all of them.

    Source: docs/risk-controls.md, section 1.4.

    Control: C31.
    Standard: RTS 6 17(4).
    Unit: contracts.
    Limits: max_options, max_futures.
    """

    rule: Rule = Rule.CONTRACTS_IN_ALL

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Judge the kinds that the order touches."""
        limits = scene.limits
        most = {Kind.OPTION: limits.max_options, Kind.FUTURE: limits.max_futures}
        found = []
        for kind in dict.fromkeys(kind for kind, _ in scene.kept(_touched, intent)):
            if kind in most:
                held = contracts_reach(intent, scene, kind, None).most
                found.append((f"{kind} of all settlements", held, Decimal(most[kind])))
        return _tightest(self.rule, intent, scene, found)


@dataclass(frozen=True, slots=True)
class Vega:
    """C31: fails when the sleeve may gain or lose too much per volatility point of VIX options.

    USD per +1 volatility point against a fraction of net liquidation, so that the limit follows the account's own
    capital (C13); 100 USD per point of an option. Held, on their way at worst, and this order; only the direction in
    which the order goes is judged. Exactly the limit passes, a smaller order can cure it, one that only closes passes.

    Source: docs/risk-controls.md, section 1.4.

    Control: C13, C31.
    Standard: RTS 6 15(4), 17(4).
    Unit: USD per volatility point.
    Limits: max_vega_frac.
    """

    rule: Rule = Rule.VEGA

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Judge the side to which the order moves the sleeve."""
        return _sensitivity(self.rule, intent, scene)


@dataclass(frozen=True, slots=True)
class VixDelta:
    """C31: fails when the sleeve may gain or lose too much per point of spot VIX.

    USD per +1.00 point of VIX (M2's exposure: options 100, VXM 100, VX 1000 USD per point of their own) against a
    fraction of net liquidation. As `Vega`.

    Source: docs/risk-controls.md, section 1.4.

    Control: C13, C31.
    Standard: RTS 6 15(4), 17(4).
    Unit: USD per point of VIX.
    Limits: max_vix_delta_frac.
    """

    rule: Rule = Rule.VIX_DELTA

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Judge the side to which the order moves the sleeve."""
        return _sensitivity(self.rule, intent, scene)


def _touched(intent: OrderIntent, scene: Scene) -> list[tuple[Kind, date | None]]:
    """Kinds and settlements of the sleeve that an order touches, each once, in the order of its legs."""
    found: list[tuple[Kind, date | None]] = []
    for leg in sleeve_legs(intent, scene):
        one = (leg.instrument.kind, leg.instrument.settlement)
        if one not in found:
            found.append(one)
    return found


def _tightest(rule: Rule, intent: OrderIntent, scene: Scene, found: list[tuple[str, Decimal, Decimal]]) -> Checked:
    if not found:
        return Checked.holds(rule=rule, passed=True, found=NO_SLEEVE, limit=NO_SLEEVE)
    if scene.closes_only(intent):
        return Checked.holds(rule=rule, passed=True, found=CLOSES_ONLY, limit=CLOSES_ONLY, note=CLOSES_ONLY)
    name, held, most = max(found, key=_used_frac)
    return Checked.at_most(rule=rule, found=held, limit=most, note=name, size_can_cure=True)


def _used_frac(row: tuple[str, Decimal, Decimal]) -> Decimal:
    _, held, most = row
    return held / most


def _sensitivity(rule: Rule, intent: OrderIntent, scene: Scene) -> Checked:
    if not sleeve_legs(intent, scene):
        return Checked.holds(rule=rule, passed=True, found=NO_SLEEVE, limit=NO_SLEEVE)
    if scene.closes_only(intent):
        return Checked.holds(rule=rule, passed=True, found=CLOSES_ONLY, limit=CLOSES_ONLY, note=CLOSES_ONLY)
    reach, own = sensitivity_reach(intent, scene), order_sensitivity(intent, scene)
    account = scene.snapshot.book.account
    if isinstance(reach, Unvalued) or isinstance(own, Unvalued) or account is None:
        why = reach.reason if isinstance(reach, Unvalued) else "net liquidation was not reported"
        return Checked.failed(rule=rule, note=f"what the sleeve may hold is unknown: {why}")
    is_vega = rule is Rule.VEGA
    side = _moved_side(reach[0] if is_vega else reach[1], own.vega_usd if is_vega else own.delta_usd)
    frac = scene.limits.max_vega_frac if is_vega else scene.limits.max_vix_delta_frac
    limit = frac * account.net_liquidation_usd
    note = "USD per volatility point" if is_vega else "USD per point of VIX"
    return Checked.at_most(rule=rule, found=side, limit=limit, note=note, size_can_cure=True)


def _moved_side(reach: Span, own: float) -> Decimal:
    """An order that takes the sleeve back from one side is judged on the other, where it goes."""
    return reach.long if own >= 0.0 else reach.short
