"""The size in words: what was wanted, held and missing, and what the orders would make of it."""

from decimal import Decimal

from bot.domain.plan import PlanAction
from bot.domain.readings import SignalState
from bot.report.explaining.figures import MISSING, number_of, per_point, percent, plain, sentence, text_of
from bot.report.explaining.parts import Grid, Part
from bot.report.explaining.trades import is_of_the_base, moves_wing, name_of, verb_of
from bot.report.explaining.trail import Facts, Trail


def size_part(trail: Trail) -> Part:
    """Return target, holding and gap, and the contracts that were meant to close it.

    Source: docs/methodology.md, M2 and M16.
    """
    figures = _figures(trail.facts)
    words = [
        *_layer_words(trail),
        _target_words(trail, figures),
        *_band_words(trail, figures),
        *_contract_words(trail, figures),
    ]
    words += [sentence(text_of(note)) for note in trail.facts.get("notes") or ()]
    rows = (
        ("base", per_point(figures["base"])),
        ("f, the overlay wanted as a share of the base", percent(figures["f"])),
        ("target", per_point(figures["target"])),
        ("held", per_point(figures["held"])),
        ("on its way in working orders", per_point(figures["working"])),
        ("gap: target less held and working", per_point(figures["gap"])),
    )
    grid = Grid(columns=("overlay", "figure"), rows=rows, numeric=frozenset({"figure"}))
    shown = {name: None if value is None else float(value) for name, value in figures.items()}
    return Part(name="size", title="Size", words=tuple(words), grids=(grid,), figures=shown)


def wanted_orders(trail: Trail) -> tuple[Facts, ...]:
    """Return the orders that the decision wanted: judged by the gate, or held back before it."""
    judged = tuple(order.intent for order in trail.orders.values())
    return judged or tuple(trail.facts.get("withheld_intents") or ())


def _figures(facts: Facts) -> dict[str, Decimal | None]:
    base, target, held, working = (
        number_of(facts.get(f"{name}_usd_per_point")) for name in ("base", "target", "held", "working")
    )
    gap = None if target is None or held is None or working is None else target - held - working
    f = number_of(facts.get("increment_frac"))
    return {"base": base, "f": f, "target": target, "held": held, "working": working, "gap": gap}


def _layer_words(trail: Trail) -> list[str]:
    """An order for the base leaves the overlay as it is, and the figures below are the overlay's."""
    layers = {text_of(order.get("layer")) for order in wanted_orders(trail) if is_of_the_base(order)}
    return [
        f"This decision was about the {layer or MISSING} layer of the base sleeve; target, held and gap in the table "
        "are the overlay's."
        for layer in sorted(layers)
    ]


def _target_words(trail: Trail, figures: dict[str, Decimal | None]) -> str:
    base, gap = figures["base"], figures["gap"]
    if base is None or gap is None:
        return "The journal does not hold the figures of the size."
    if base <= 0 and any(is_of_the_base(order) for order in wanted_orders(trail)):
        return "There was no base sleeve with a value yet, so that no overlay was wanted."
    if base <= 0:
        return "There was no base sleeve with a value, and without one nothing is done automatically."
    if trail.signal.get("state") == SignalState.UNDEFINED:
        return (
            "While the signal is undefined the target is kept for the record only: nothing is added and nothing sold."
        )
    if gap > 0:
        return f"The overlay was {per_point(gap)} of spot VIX short of its target."
    if gap < 0:
        return f"The overlay stood {per_point(-gap)} of spot VIX above its target."
    return "The overlay stood at its target."


def _band_words(trail: Trail, figures: dict[str, Decimal | None]) -> list[str]:
    """What bounded an increase; nothing where none was worked out."""
    sizing, gap, base = trail.facts.get("sizing") or {}, figures["gap"], figures["base"]
    band, ceiling, room = (number_of(sizing.get(f"{name}_usd_per_point")) for name in ("band", "ceiling", "room"))
    if band is None or ceiling is None or room is None or gap is None:
        return []
    inside = "inside" if gap <= band else "outside"
    share = f" ({percent(ceiling / base)} of the base)" if base else ""
    return [
        f"No-trade band: {per_point(band)} or half a contract, whichever is more; the gap was {inside} the former.",
        f"Room: at most {per_point(room)}, up to the ceiling of {per_point(ceiling)}{share}.",
    ]


def _contract_words(trail: Trail, figures: dict[str, Decimal | None]) -> list[str]:
    words = []
    for intent in wanted_orders(trail):
        if moves_wing(intent):
            words.append(sentence(f"{name_of(intent)}: {plain(intent.get('quantity'), 0)} condors"))
            continue
        units, each = number_of(intent.get("quantity")), number_of(intent.get("exposure_usd_per_point"))
        if units is None or each is None:
            words.append(f"{name_of(intent)}: size {MISSING}.")
            continue
        move = units * each
        made = f"{plain(units, 0)} units of {per_point(abs(each))} each, {_sign(intent)}{per_point(abs(move))} in all"
        words.append(f"{sentence(f'{name_of(intent)}: {made}{_after(trail, figures, move)}')}")
    if not words and trail.facts.get("action") == PlanAction.HOLD:
        words.append("No contracts were wanted.")
    return words


def _sign(intent: Facts) -> str:
    return "+" if verb_of(intent) == "buy" else "-"


def _after(trail: Trail, figures: dict[str, Decimal | None], move: Decimal) -> str:
    base, held = figures["base"], figures["held"]
    orders = wanted_orders(trail)
    if base is None or held is None or base <= 0 or len(orders) != 1 or is_of_the_base(orders[0]):
        return ""
    after = max(Decimal(0), held + move)
    return f": the overlay would be {plain(after, 1)}, {percent(after / base)} of the base"
