"""The candidates as a table: what each would have cost and paid, which was chosen, and why the others were not."""

from collections.abc import Sequence
from typing import Final

from bot.domain.instrument import Kind
from bot.domain.plan import PlanAction
from bot.report.explaining.figures import MISSING, number_of, plain, text_of
from bot.report.explaining.parts import Grid, Part
from bot.report.explaining.size import wanted_orders
from bot.report.explaining.trades import is_of_the_base, legs_of, moves_wing, name_of, signed_legs
from bot.report.explaining.trail import Facts, Trail

COLUMNS: Final = ("candidate", "units", "limit", "cost", "exposure", "payoff", "cost/payoff", "verdict")
NUMERIC: Final = frozenset({"units", "limit", "cost", "exposure", "payoff", "cost/payoff"})
CHOSEN: Final = "chosen"
OF_WINGS: Final = (
    "A unit is one condor's wing; limit in points (negative is received), cost in USD as it lowers the credit of the "
    "cohort."
)
KINDS: Final = {Kind.FUTURE.value: "futures", Kind.STOCK.value: "shares"}
UNITS: Final = (
    "A unit is one spread, call, future or share; limit in points, cost as the cap counts it and payoff (VIX up by "
    "half) in USD, exposure in USD per point of spot VIX."
)


def candidates_part(trail: Trail) -> Part:
    """Return every candidate of the decision.

    Source: docs/methodology.md, M5.
    """
    candidates = tuple(trail.facts.get("candidates") or ())
    if not candidates:
        return Part(name="candidates", title="Candidates", words=(_none_words(trail),))
    chosen = {signed_legs(intent) for intent in wanted_orders(trail)}
    rows = tuple(_row(candidate, is_chosen=signed_legs(candidate) in chosen) for candidate in candidates)
    passed = sum(not one.get("rejected") for one in candidates)
    words = (f"{len(candidates)} were looked at, {passed} passed. {_units(candidates)}", *_choice_words(trail))
    grid = Grid(columns=COLUMNS, rows=rows, numeric=NUMERIC)
    return Part(name="candidates", title="Candidates", words=words, grids=(grid,), figures={"count": len(candidates)})


def _units(candidates: Sequence[Facts]) -> str:
    return OF_WINGS if any(moves_wing(candidate) for candidate in candidates) else UNITS


def _choice_words(trail: Trail) -> tuple[str, ...]:
    """Why the chosen one and not a cheaper one of another kind: the setting decides."""
    if any(moves_wing(intent) for intent in wanted_orders(trail)):
        least = "the least loss among the rolls that reach the band, else the roll that comes nearest to it"
        return (f"Chosen: what a person has approved, else {least}; puts before calls.",)
    legs = [leg for intent in wanted_orders(trail) for leg in legs_of(intent)]
    if not legs:
        return ()
    if any(is_of_the_base(intent) for intent in wanted_orders(trail)):
        return ("Chosen: the call whose forward delta is nearest to the layer's, or one that a person had approved.",)
    kind = KINDS.get(text_of((legs[0].get("instrument") or {}).get("kind")), "call spreads")
    prefer = text_of((trail.facts.get("sizing") or {}).get("prefer")) or MISSING
    words = f"Chosen: the least cost per payoff among the {kind} that passed (which kind comes first is the setting"
    return (f"{words} `prefer`: {prefer}).",)


def _none_words(trail: Trail) -> str:
    if "candidates" not in trail.facts:
        return "The journal holds no candidates."
    if trail.facts.get("action") in {PlanAction.UNWIND, PlanAction.EXIT, PlanAction.FLATTEN}:
        return "None were looked at: a sale goes back the way it came."
    return "None were looked at: nothing was to be bought."


def _row(candidate: Facts, *, is_chosen: bool) -> tuple[str, ...]:
    rejected = text_of(candidate.get("rejected"))
    return (
        name_of(candidate) or text_of(candidate.get("name")),
        plain(candidate.get("quantity"), 0),
        plain(candidate.get("limit")),
        plain(candidate.get("cost_usd")),
        plain(candidate.get("exposure_usd_per_point"), 1),
        plain(candidate.get("stress_payoff_usd"), 0),
        _cost_per_payoff(candidate),
        rejected or (CHOSEN if is_chosen else "passed"),
    )


def _cost_per_payoff(candidate: Facts) -> str:
    cost, payoff = number_of(candidate.get("cost_usd")), number_of(candidate.get("stress_payoff_usd"))
    if cost is None or payoff is None:
        return plain(None)
    return plain(cost / payoff) if payoff > 0 else "no payoff"
