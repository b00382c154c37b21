"""What the answer to STATUS tells beyond `state`: limits with their headroom, exposure, demands, doubts, refusals.

How it works: everything is read from the state in one synchronous step and told as text, because a signed message
carries no fractions. What always holds: a figure that cannot be worked out is told as unknown with its reason, whatever
was raised; nothing is awaited, and nothing changes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from bot.app.shell import Shell
from bot.domain.command import AckDetail
from bot.domain.decision import Checked
from bot.domain.mode import OF_THE_DAY, RESTRAINTS, DemandSource, TradingMode
from bot.domain.orders import Unknown
from bot.domain.overrides import Refusal, can_be_waived
from bot.hedging.condor.regime import regime_of
from bot.hedging.condor.settings import CondorSettings
from bot.ports import Latch
from bot.state import BotState
from risk.outstanding import Exposure
from risk.room import Applies, Room

Rows = list[dict[str, str]]

REFUSALS_TOLD = 8
"""The latest; any of them may be overridden."""
REASONS_TOLD = 30
"""Of the latest of these; the journal has all of them."""
LONGEST_NOTE = 160
"""Characters of one cell; 64 KiB is all that the broker of messages carries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the desk knows beside the state."""

    reconciled_at: datetime | None
    latch_cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What `state` and `heartbeat` say of this bot."""

    bot: str
    profile: str
    version: str
    config_hash: str
    requires_link: bool  # live: losing the command link for long halts
    account_hash: str = ""  # what envelopes name instead of the account


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskFacts:
    """What of `state` the desk alone knows."""

    differences: int
    awaits_key: str
    proposal: str


def state_facts(shell: Shell, identity: Identity, latch: Latch, condors: CondorSettings, desk: DeskFacts) -> AckDetail:
    """Return what `state` shows and STATUS begins with."""
    state = shell.engine.state
    return {
        "bot": identity.bot,
        "account_hash": identity.account_hash,
        "profile": identity.profile,
        "version": identity.version,
        "config_hash": identity.config_hash,
        "mode": state.mode.name,
        "latch": latch.mode.name,
        "cause": latch.cause,
        "epoch": latch.epoch,
        "restraints": [f"{one.source}: {one.cause}" for one in state.restraints.held],
        "reconciling": state.reconciling,
        "working_orders": len(state.live_orders()),
        "differences": desk.differences,
        "vix_regime": regime_words(state.vix, condors),
        "locks": [f"{lock}: {why}" for lock, why in sorted(state.standing().locks.items())],
        "awaits_key": desk.awaits_key,
        "proposal": desk.proposal,
    }


def heartbeat_facts(identity: Identity, at: datetime, mode: TradingMode) -> dict[str, str]:
    """Return what every beat says: that the bot lives, in which mode, and which bot it is (C36)."""
    return {
        "at": at.isoformat(),
        "mode": mode.name,
        "version": identity.version,
        "config_hash": identity.config_hash,
    }


def status_facts(shell: Shell, asked: Asked) -> AckDetail:
    """Return everything that STATUS adds to `state`; raises for nothing.

    Source: docs/risk-controls.md, C30; docs/operations.md names the keys.
    """
    state, now = shell.engine.state, shell.clock.now()
    limits, exposure = _figures(shell)
    refusals = state.waivers.refusals.known(now)[:REFUSALS_TOLD]
    compared = -1 if asked.reconciled_at is None else int((now - asked.reconciled_at).total_seconds())
    return {
        "limits": limits,
        "exposure": exposure,
        "demands": _demands(state, asked.latch_cause),
        "orders_unknown": _unknown_orders(state),
        "compared_s_ago": compared,
        "refused": [_refusal_row(one, now) for one in refusals],
        "refused_by": _reasons(refusals),
    }


def regime_words(vix: float | None, condors: CondorSettings) -> str:
    """Return what the level of VIX says of new condors; information for the operator alone (M8)."""
    return "" if vix is None else regime_of(vix, condors).value


def _figures(shell: Shell) -> tuple[Rows, Rows]:
    """Limits and exposure; a state of which no picture can be made leaves one row each that says so."""
    try:
        rooms, exposures = shell.engine.rooms()
        return [_room_row(one) for one in rooms], [_exposure_row(one) for one in exposures]
    except Exception as error:  # noqa: BLE001 - C30: STATUS answers in every fault state, and says what it cannot tell
        why = f"unknown: {type(error).__name__}: {error}"[:LONGEST_NOTE]
        return [{"limit": "all", "use": why}], [{"name": "all", "amount": why}]


def _room_row(room: Room) -> dict[str, str]:
    use = f"unknown: {room.unknown}" if room.unknown else room.applies.value
    return {
        "limit": room.name,
        "rule": "" if room.rule is None else room.rule.value,
        "control": room.control,
        "scope": room.scope[:LONGEST_NOTE],
        "stated": room.stated,
        "unit": room.unit,
        "bound": "least" if room.is_least else "most",
        "figure": _text(room.limit),
        "use": (use if room.applies is not Applies.NOW or room.unknown else _text(room.use))[:LONGEST_NOTE],
        "headroom": _text(room.headroom),
        "near": "near" if room.is_near else "",
        "note": room.note[:LONGEST_NOTE],
    }


def _exposure_row(one: Exposure) -> dict[str, str]:
    amount = f"unknown: {one.unknown}"[:LONGEST_NOTE] if one.amount is None else _text(one.amount)
    return {"name": one.name, "amount": amount, "unit": one.unit}


def _demands(state: BotState, latch_cause: str) -> list[str]:
    """Who asks for a mode that is not NORMAL, why, and who may end it."""
    told = []
    for source in DemandSource:
        held = state.restraints.of(source)
        mode = state.demand(source) if held is None else held.mode
        if mode is not TradingMode.NORMAL:
            cause = latch_cause if source is DemandSource.LATCH else "" if held is None else held.cause
            told.append(f"{source.value} asks for {mode.name}{f': {cause}' if cause else ''}; ends by {_ends(source)}")
    return told


def _ends(source: DemandSource) -> str:
    if source is DemandSource.LATCH:
        return "a signed resume, role resume"
    if source in OF_THE_DAY:
        return "the session of a later day, or a signed resume, role resume"
    if source in RESTRAINTS:
        return "a signed resume, roles resume and risk"
    return "itself, when its cause is gone"


def _unknown_orders(state: BotState) -> list[str]:
    doubted = (order for order in state.live_orders() if isinstance(order.state, Unknown))
    return [f"{order.intent.intent_id}: {getattr(order.state, 'why', '')}"[:LONGEST_NOTE] for order in doubted]


def _refusal_row(refusal: Refusal, now: datetime) -> dict[str, str]:
    intent = refusal.intent
    legs = (f"{leg.signed_ratio:+d} {leg.instrument.key}" for leg in intent.legs)
    return {
        "intent": intent.intent_id,
        "digest": refusal.digest,
        "at": refusal.at.isoformat(),
        "age_s": str(int((now - refusal.at).total_seconds())),
        "purpose": intent.purpose.value,
        "quantity": str(intent.quantity),
        "order_limit": _text(intent.limit),
        "legs": _listed(legs),
        "overridable": ",".join(rule.value for rule in refusal.waivable),
    }


def _reasons(refusals: Iterable[Refusal]) -> Rows:
    found = [_reason_row(one, checked) for one in refusals for checked in one.refused.reasons]
    return found[:REASONS_TOLD]


def _reason_row(refusal: Refusal, checked: Checked) -> dict[str, str]:
    return {
        "intent": refusal.intent.intent_id,
        "rule": checked.rule.value,
        "found": _text(checked.found),
        "limit": _text(checked.limit),
        "headroom": _text(checked.headroom),
        "note": checked.note[:LONGEST_NOTE],
        "overridable": "yes" if can_be_waived(checked) else "no",
    }


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(texts)


def _text(value: object) -> str:
    """A figure with all its digits, a text cut where it is very long, nothing where there is none."""
    if value is None:
        return ""
    return (f"{value:f}" if isinstance(value, Decimal) else str(value))[:LONGEST_NOTE]
