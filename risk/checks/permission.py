"""Only permitted instruments, on permitted exchanges (C14, C18)."""

from dataclasses import dataclass

from bot.domain.decision import Checked, Rule
from bot.domain.instrument import VXX, Instrument, Kind, Right, Side
from bot.domain.orders import OrderIntent, Purpose
from bot.valuation import SPX_OPTION_CLASSES, VIX_FUTURE_CLASSES, VIX_OPTION_CLASSES, VX_MULTIPLIERS
from risk.scene import Scene

OPTION_MULTIPLIER = 100


@dataclass(frozen=True, slots=True)
class Permission:
    """C14: fails unless each leg is a VIX call or future, for the roll of a wing an SPX option, or shares of VXX.

    Each of a permitted class, listed on a permitted exchange, in USD, with its known multiplier. Shares of VXX are
    bought for the overlay alone, and only where ``permit_vxx_shares`` says so; what its lots hold of them may be sold
    whatever it says. What else must be true of a roll is judged by well_formed and wing_limits.

    Control: C14, C18.
    Standard: RTS 6 8(d), 15(5); 15c3-5(c)(2).
    Unit: trading classes, exchanges.
    Limits: permitted_classes, permitted_exchanges, permit_vxx_shares.
    """

    rule: Rule = Rule.PERMISSION

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Judge what is traded."""
        if intent.is_share:
            return self._of_shares(intent, scene)
        permitted, exchanges = scene.limits.permitted_classes, scene.limits.permitted_exchanges
        fits = _fits_a_roll if intent.purpose is Purpose.WING_ROLL else _fits_the_sleeve
        denied = [
            f"{leg.instrument.key} on {leg.instrument.exchange}"
            for leg in intent.legs
            if leg.instrument.trading_class not in permitted
            or leg.instrument.exchange not in exchanges
            or leg.instrument.currency != "USD"
            or not fits(leg.instrument)
        ]
        return Checked.holds(
            rule=self.rule,
            passed=not denied,
            found=", ".join(denied) if denied else "permitted",
            limit=scene.once(_permitted),
        )

    def _of_shares(self, intent: OrderIntent, scene: Scene) -> Checked:
        is_listed = VXX.exchange in scene.limits.permitted_exchanges
        is_wanted = is_listed and scene.limits.permit_vxx_shares and intent.purpose is Purpose.OVERLAY_BUILD
        allowed = is_wanted or (intent.legs[0].side is Side.SELL and scene.closes_only(intent))
        is_vxx = all(leg.instrument == VXX for leg in intent.legs)
        return Checked.holds(
            rule=self.rule,
            passed=is_vxx and allowed,
            found="permitted" if is_vxx and allowed else ", ".join(leg.instrument.key for leg in intent.legs),
            limit="shares of VXX for the overlay, where they are permitted",
        )


def _permitted(scene: Scene) -> str:
    classes, exchanges = sorted(scene.limits.permitted_classes), sorted(scene.limits.permitted_exchanges)
    return f"{', '.join(classes)} on {', '.join(exchanges)}"


def _fits_the_sleeve(instrument: Instrument) -> bool:
    if instrument.symbol != "VIX":
        return False
    if instrument.kind is Kind.OPTION:
        is_call = instrument.right is Right.CALL
        known = instrument.trading_class in VIX_OPTION_CLASSES and instrument.multiplier == OPTION_MULTIPLIER
        return is_call and known
    if instrument.kind is Kind.FUTURE and instrument.trading_class in VIX_FUTURE_CLASSES:
        return instrument.multiplier == VX_MULTIPLIERS[instrument.trading_class]
    return False


def _fits_a_roll(instrument: Instrument) -> bool:
    is_index_option = instrument.kind is Kind.OPTION and instrument.symbol == "SPX"
    known = instrument.trading_class in SPX_OPTION_CLASSES and instrument.multiplier == OPTION_MULTIPLIER
    return is_index_option and known
