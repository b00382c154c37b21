"""The gate with all its checks on a book of sixty contracts: an order on a fresh moment, and each further one on it."""

import gc
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from bot.domain.decision import Checked
from bot.domain.instrument import Instrument, Right
from bot.domain.orders import OrderIntent
from bot.domain.portfolio import StatedCredit
from bot.domain.schedule import NEW_YORK
from bot.domain.snapshot import Snapshot
from risk.gate import CHECKS, Gate
from risk.limits import RiskLimits
from tests.benchmarks.measure import Figure, now_ns, percentile
from tests.builders import ACCOUNT, FEES, Scenery, a_book, a_lot, a_plan, an_account, an_intent, an_option, spread_legs

SETTLEMENTS = (date(2026, 11, 20), date(2026, 12, 4), date(2026, 12, 18))
CONDORS = (5, 5, 4)
"""How many condors stand beside one another in each settlement: 56 contracts; base and overlay make it sixty."""
SHORT_PUT, SHORT_CALL, STEP, WING = 6350, 7100, 40, 25
UNITS = 10
ROUNDS = 400


def sixty_legs() -> Snapshot:
    """Return the reference market at noon with a book of sixty contracts, all of them quoted."""
    scenery = Scenery(condors=10)
    held: dict[Instrument, int] = {}
    stated = []
    for day, count in zip(SETTLEMENTS, CONDORS, strict=True):
        for number in range(count):
            strikes = _strikes(number)
            held |= _condor(strikes, day)
            stated.append(_credit(strikes, day))
    overlay = a_lot(spread_legs(21, 26), units=2, cost="160")
    base = scenery.base_lots()[:2]
    for lot in (overlay, *base):
        for leg in lot.legs:
            held[leg.instrument] = held.get(leg.instrument, 0) + leg.signed_ratio * lot.units_open
    book = a_book(positions=held, stated=stated, lots=(*base, overlay), account=an_account(20_000_000))
    moment = scenery.snapshot(book=book)
    return replace(moment, now=moment.now.astimezone(UTC))  # in which the bot's clock tells the time


def _strikes(number: int) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    """A condor farther out for each number."""
    put, call = SHORT_PUT - number * STEP, SHORT_CALL + number * STEP
    return Decimal(put - WING), Decimal(put), Decimal(call), Decimal(call + WING)


def _condor(strikes: tuple[Decimal, ...], day: date) -> dict[Instrument, int]:
    rights, signs = (Right.PUT, Right.PUT, Right.CALL, Right.CALL), (1, -1, -1, 1)
    return {
        an_option(str(strike), day, trading_class="SPXW", right=right): sign * UNITS
        for strike, right, sign in zip(strikes, rights, signs, strict=True)
    }


def _credit(strikes: tuple[Decimal, Decimal, Decimal, Decimal], day: date) -> StatedCredit:
    return StatedCredit(
        trading_class="SPXW",
        settlement=day,
        strikes=strikes,
        count=UNITS,
        credit_usd=Decimal(6000),
        opened_on=datetime(2026, 10, 1, tzinfo=NEW_YORK).date(),
    )


def an_order(snapshot: Snapshot, number: int) -> OrderIntent:
    """Return a call spread of listed contracts at the price at which it fills at once, under its own id."""
    legs = tuple(replace(leg, instrument=snapshot.universe[leg.instrument.key]) for leg in spread_legs(22, 27))
    long, short = (snapshot.quotes[leg.instrument.key] for leg in legs)
    return an_intent(legs, limit=f"{(long.ask or 0) - (short.bid or 0):.2f}", intent_id=f"order-{number}")


def gate_figures() -> list[Figure]:
    """Measure orders that pass every check, one to a plan: each on a moment of its own, then all on the same."""
    moment = sixty_legs()
    gate = Gate(RiskLimits(accounts=frozenset({ACCOUNT})), FEES)
    fresh = _microseconds(gate, moment, lambda: replace(moment))
    same = _microseconds(gate, moment, lambda: moment)
    bare = percentile([_bare_findings() for _ in range(ROUNDS)], 0.5)
    what = f"gate, {len(CHECKS)} checks, {len(moment.book.positions)} contracts held, median of {ROUNDS}"
    return [
        Figure(
            name=f"{what}: {name}",
            measured=f"{percentile(found, 0.5):.0f} us (p99 {percentile(found, 0.99):.0f} us)",
            floor=f"{bare:.0f} us, the bare findings",
            ratio=percentile(found, 0.5) / bare,
            aim="<= 150 us",
        )
        for name, found in (("first order of a moment", fresh), ("each further one", same))
    ]


def _bare_findings() -> float:
    """Microseconds for writing down as many findings as there are checks."""
    began = now_ns()
    for check in CHECKS:
        Checked.at_most(rule=check.rule, found=Decimal(1), limit=Decimal(2))
    return (now_ns() - began) / 1e3


def _microseconds(gate: Gate, market: Snapshot, moment_of: Callable[[], Snapshot]) -> list[float]:
    """How long each order takes that comes straight from its making, as from the planner; nothing is collected then."""
    found = []
    gate.review(a_plan(an_order(market, ROUNDS)), moment_of())
    gc.disable()
    try:
        for number in range(ROUNDS):
            plan, moment = a_plan(an_order(market, number)), moment_of()
            began = now_ns()
            verdicts = gate.review(plan, moment)
            found.append((now_ns() - began) / 1e3)
            against = [checked for verdict in verdicts for checked in verdict.checks if not checked.passed]
            if against:
                raise RuntimeError(f"the order was refused, so that nothing was measured: {against}")
    finally:
        gc.enable()
    return found
