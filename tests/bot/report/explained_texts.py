"""Explanations as text, and two decisions that were carried out."""

from collections.abc import Sequence
from dataclasses import replace

from bot.domain.orders import Filled, Partial, Purpose, Sent, Working
from bot.domain.plan import PlanAction
from bot.report.explain import explained
from bot.report.explaining.parts import Part
from bot.report.explaining.terminal import as_text
from bot.report.explaining.trail import Trail, trail_of
from bot.report.story import Told
from tests.bot.report.explaining_rows import (
    FIRST,
    SECOND,
    a_row,
    an_order_for,
    approved,
    calm,
    commission,
    decided,
    filled_at,
    plan_of,
    step,
)
from tests.builders import mirrored, spread_legs

ORDER = an_order_for()
SAMPLE = a_row("sample_taken", -5, rvx=24.31, vix=17.62, spx=6771.06, rut=2468.97)


def trail(rows: Sequence[Told], decision: str = FIRST) -> Trail:
    """The rows of one decision."""
    found = trail_of(rows, decision)
    assert found is not None
    return found


def text(rows: Sequence[Told], decision: str = FIRST) -> str:
    """The explanation as a terminal shows it, on one line: where it breaks is another matter."""
    return " ".join(as_text(explained(trail(rows, decision)), 400).split())


def part(rows: Sequence[Told], name: str, decision: str = FIRST) -> Part:
    """One part of the explanation."""
    return next(one for one in explained(trail(rows, decision)).parts if one.name == name)


def bought() -> list[Told]:
    """An increase that was sent and filled whole, a cent and a half better than its limit, over two executions."""
    return [
        SAMPLE,
        *decided(plan_of(ORDER), approved(ORDER)),
        *step(ORDER, Sent()),
        *step(ORDER, Working(), 1),
        *filled_at("0.58", ORDER, units=6, minutes=2),
        *step(ORDER, Partial(), 2, filled=6),
        *filled_at("0.57", ORDER, units=3, minutes=3, exec_id="e-2"),
        *step(ORDER, Filled(), 3, filled=9),
        *commission("10.13", minutes=3),
        *commission("8.51", "e-2", minutes=3),
    ]


SALE = replace(
    an_order_for(intent_id="dddd4444-0000", limit="-0.51", quantity=7, purpose=Purpose.OVERLAY_UNWIND, exposure=-9.1),
    legs=mirrored(spread_legs(22, 27)),
)


def sold(price: str) -> list[Told]:
    """An unwind that filled at a net price."""
    plan = plan_of(
        SALE, action=PlanAction.UNWIND, reason="calm: half of the overlay returns to base", target_usd_per_point=0.0,
        held_usd_per_point=122.5, increment_frac=0.0, candidates=(), shift=None,
    )  # fmt: skip
    return [*decided(plan, approved(SALE), signal=calm()), *step(SALE, Sent()), *filled_at(price, SALE)]


def later_order(minutes: float = 6, quantity: int = 9) -> list[Told]:
    """Another decision whose order is what was asked for."""
    order = an_order_for(SECOND, "eeee5555-0000", quantity=quantity)
    return decided(plan_of(order), approved(order), decision=SECOND, minutes=minutes)
