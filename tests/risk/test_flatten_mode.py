"""The gate in HALT: nothing passes but the orders of a signed plan, and those pass every other rule as well."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.decision import Approved, Rule
from bot.domain.flattening import FlatPart, FlattenPlan, Mandate
from bot.domain.mode import TradingMode
from bot.domain.orders import OrderIntent, Purpose
from bot.domain.snapshot import Snapshot
from tests.builders import NOON
from tests.risk.scenes import an_unwind, holding, rules_against, verdict_on, with_book

EPOCH = 3


def a_sale(quantity: int = 2, **changes: Any) -> OrderIntent:
    """An order of the plan."""
    return replace(an_unwind(quantity), purpose=Purpose.FLATTEN, **changes)


def signed(**changes: Any) -> Mandate:
    """A plan for two spreads of the overlay, signed."""
    sale = a_sale()
    part = FlatPart(layer=sale.layer, legs=sale.legs, units=2, worst_limit=sale.limit, cost_usd=sale.worst_cost_usd)
    end = NOON + timedelta(minutes=30)
    plan = FlattenPlan(plan_id="p", epoch=EPOCH, made_at=NOON, expires_at=end, parts=(part,))
    return replace(Mandate(plan=plan, key_id="anna", signed_at=NOON, until=end, most_tries=3), **changes)


def halted(**changes: Any) -> Snapshot:
    """The overlay held, the bot halted, the plan signed."""
    whole: dict[str, Any] = {"mode": TradingMode.HALT, "kill_epoch": EPOCH, "mandate": signed()}
    return replace(holding(2), **{**whole, **changes})


@pytest.mark.control("C3")
def test_a_signed_order_passes_every_rule_in_a_halt() -> None:
    """All other checks are asked and passed; the record says under what it leaves."""
    verdict = verdict_on(a_sale(), halted())
    assert isinstance(verdict, Approved)
    (mode,) = [checked for checked in verdict.checks if checked.rule is Rule.TRADING_MODE]
    assert (mode.found, mode.limit, mode.note) == ("HALT", "HALT, under a signed plan", "")


@pytest.mark.control("C3")
@pytest.mark.parametrize(
    ("intent", "snapshot"),
    [
        (a_sale(), halted(mandate=None)),
        (a_sale(), halted(kill_epoch=EPOCH + 1)),
        (a_sale(), halted(mode=TradingMode.NORMAL)),
        (a_sale(), halted(mode=TradingMode.REDUCE_ONLY)),
        (a_sale(), halted(mandate=signed(until=NOON - timedelta(seconds=1)))),
        (replace(a_sale(), purpose=Purpose.OVERLAY_EXIT), halted()),
    ],
)
def test_what_nobody_signed_for_this_halt_is_refused(intent: OrderIntent, snapshot: Snapshot) -> None:
    """No mandate, another halt, no halt, too late, or another purpose: refused by the mode."""
    assert Rule.TRADING_MODE in rules_against(verdict_on(intent, snapshot))


@pytest.mark.control("C3")
@pytest.mark.parametrize(
    ("snapshot", "note"),
    [
        (halted(mandate=None), "no signed plan to flatten covers this order"),
        (halted(mode=TradingMode.NORMAL), ""),
    ],
)
def test_a_refusal_says_whether_the_signature_or_the_halt_is_missing(snapshot: Snapshot, note: str) -> None:
    """Without a signature it says so; with one it shows the mode that is not HALT."""
    verdict = verdict_on(a_sale(), snapshot)
    (mode,) = [checked for checked in verdict.checks if checked.rule is Rule.TRADING_MODE]
    assert (mode.passed, mode.found, mode.limit, mode.note) == (
        False,
        snapshot.mode.name,
        "HALT, under a signed plan",
        note,
    )


@pytest.mark.control("C3")
def test_a_signature_lifts_no_other_rule() -> None:
    """A lock, books under comparison, more than is held: the signed order is refused all the same."""
    key = a_sale().legs[0].instrument.key
    assert rules_against(verdict_on(a_sale(), with_book(halted(), locks={key: "foreign fill"}))) == {Rule.LOCKS}
    assert rules_against(verdict_on(a_sale(), halted(reconciling=True))) == {Rule.RECONCILED}
    fewer = replace(holding(1), mode=TradingMode.HALT, kill_epoch=EPOCH, mandate=signed())
    assert Rule.WELL_FORMED in rules_against(verdict_on(a_sale(), fewer))
