"""What the gate writes down of orders and tells of limits: ``python -m tests.risk.gate_records`` writes both files.

They hold what an operator reads in journal, log and status. A change of them is a change of what people see: read it
line by line before it is committed.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Final

from bot.domain.decision import Refused, Verdict
from bot.domain.instrument import VXX, Right
from bot.domain.mode import TradingMode
from bot.domain.orders import Purpose
from bot.domain.portfolio import Executed
from bot.domain.snapshot import Snapshot
from risk.headroom import rooms
from tests.builders import a_future, an_account, an_intent, an_order, buys, sells, vix_call
from tests.risk.scenes import LIMITS, a_build, a_mini, an_unwind, calm_noon, holding, scene_of, verdict_on, with_book
from tests.risk.share_scenes import a_share_build, a_share_sale, with_overlay, with_shares
from tests.risk.wing_scenes import NARROW, a_roll, leaning

FILE: Final = Path(__file__).with_name("gate_records.txt")
ROOMS_FILE: Final = Path(__file__).with_name("headroom_records.txt")

CASES: Final[Mapping[str, Callable[[], Verdict]]] = {
    "a call spread for the overlay": lambda: verdict_on(a_build()),
    "the same beside another that works": lambda: verdict_on(
        a_build(2), with_book(calm_noon(), orders={"o": an_order(a_build(intent_id="o"))})
    ),
    "far too many of them": lambda: verdict_on(a_build(900)),
    "a sale of what is held": lambda: verdict_on(an_unwind(), holding()),
    "a future": lambda: verdict_on(a_mini()),
    "a future that the broker was not asked about": lambda: verdict_on(
        a_mini(), limits=replace(LIMITS, require_preview=True)
    ),
    "the roll of a wing": lambda: verdict_on(a_roll(right=Right.CALL), leaning(), NARROW),
    "shares for the overlay": lambda: verdict_on(
        a_share_build(), with_shares({VXX: 0}), replace(LIMITS, permit_vxx_shares=True)
    ),
    "a sale of shares": lambda: verdict_on(a_share_sale(), with_overlay()),
    "a naked call": lambda: verdict_on(
        an_intent((sells(vix_call(21)),), limit="-1.20", purpose=Purpose.OVERLAY_UNWIND)
    ),
    "a call nobody lists": lambda: verdict_on(an_intent((buys(vix_call(90)),), limit="0.05")),
    "a VX for an account that is too small": lambda: verdict_on(
        an_intent((buys(a_future("VX")),), limit="19.00"), with_book(calm_noon(), account=an_account(20_000))
    ),
    "nothing is known": lambda: verdict_on(
        a_build(),
        replace(with_book(calm_noon(), account=None), quotes={}, levels={}, worth=None, session=None, terms={}),
    ),
    "REDUCE_ONLY": lambda: verdict_on(a_mini(), replace(calm_noon(), mode=TradingMode.REDUCE_ONLY)),
    "a bad day": lambda: verdict_on(
        a_build(),
        replace(
            with_book(
                calm_noon(),
                executed=Executed(slippage_usd=Decimal(9_999)),
                locks={a_build().legs[0].instrument.key: "held 3, booked 2"},
                orders_sent_today=80,
            ),
            reconciling=True,
            mode=TradingMode.HALT,
        ),
        LIMITS,
    ),
}


MOMENTS: Final[Mapping[str, Callable[[], Snapshot]]] = {
    "the reference book at noon": calm_noon,
    "with an overlay and an order that works": lambda: with_book(
        holding(), orders={"o": an_order(a_build(3, intent_id="o"))}
    ),
    "with shares and a future on its way": lambda: with_book(with_overlay(), orders={"m": an_order(a_mini(2))}),
    "with a wing on its way": lambda: with_book(leaning(), orders={"r": an_order(a_roll(2))}),
    "before the open": lambda: replace(calm_noon(), session=None),
    "nothing is known": lambda: replace(
        with_book(calm_noon(), account=None), quotes={}, levels={}, worth=None, session=None, terms={}
    ),
    "without condors": lambda: with_book(calm_noon(), positions={}, condors=(), cohorts=(), lots=()),
}


def told() -> str:
    """Return what status tells of every limit, at some moments, as it stands in its file."""
    return "\n".join(_rooms(name, moment()) for name, moment in MOMENTS.items())


def _rooms(name: str, snapshot: Snapshot) -> str:
    lines = [
        " | ".join(
            (
                f"{one.name} {one.control} {'' if one.rule is None else one.rule.value}",
                one.scope,
                one.applies.value,
                one.stated,
                f"{'at least' if one.is_least else 'at most'} {one.limit} {one.unit}",
                f"used {one.use}",
                f"left {one.headroom}{' near' if one.is_near else ''}",
                one.note,
                one.unknown,
            )
        )
        for one in rooms(scene_of(snapshot))
    ]
    return "\n".join([f"== {name}", *lines, ""])


def written() -> str:
    """Return all records as they stand in the file."""
    return "\n".join(_record(name, case()) for name, case in CASES.items())


def _record(name: str, verdict: Verdict) -> str:
    size = f"refused, largest size {verdict.largest_quantity}" if isinstance(verdict, Refused) else "approved"
    lines = [
        " | ".join(
            (
                f"{'pass' if one.passed else 'FAIL'} {one.rule}",
                f"found {one.found}",
                f"limit {one.limit}",
                f"room {one.headroom}",
                f"{'a smaller size may pass' if one.size_can_cure else ''}",
                one.note,
            )
        )
        for one in verdict.checks
    ]
    return "\n".join([f"== {name}: {size}", *lines, ""])


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
    ROOMS_FILE.write_text(told(), encoding="utf-8")
