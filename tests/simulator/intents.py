"""Builders of intents and of the leave to send them."""

from decimal import Decimal

from floors import CLOSES_AT, OPENS_AT

from bot.domain.decision import Approved, Checked, Rule
from bot.domain.instrument import Instrument, Side
from bot.domain.orders import DecisionId, IntentId, Leg, OrderIntent, Purpose


def an_intent(*legs: Leg, limit: str, quantity: int = 1, name: str = "intent-1") -> OrderIntent:
    """Return an intent."""
    return OrderIntent(
        intent_id=IntentId(name),
        decision_id=DecisionId("decision"),
        legs=legs,
        quantity=quantity,
        limit=Decimal(limit),
        worst_cost_usd=Decimal(0),
        purpose=Purpose.OVERLAY_BUILD,
        reason="a test",
    )


def approved(intent: OrderIntent) -> Approved:
    """Return leave to send, as the gate would give it."""
    return Approved(
        intent=intent,
        checks=(Checked.holds(rule=Rule.WELL_FORMED, passed=True, found=None, limit=None),),
        book_version=1,
        kill_epoch=0,
        given_at=OPENS_AT,
        valid_until=CLOSES_AT,
    )


def buys(instrument: Instrument, ratio: int = 1) -> Leg:
    """Return a bought leg."""
    return Leg(instrument=instrument, side=Side.BUY, ratio=ratio)


def sells(instrument: Instrument) -> Leg:
    """Return a sold leg."""
    return Leg(instrument=instrument, side=Side.SELL)
