"""The confirmations in their own words, the conviction, and what it did to the size."""

from typing import Final

from bot.domain.evidence import Stance
from bot.domain.plan import PlanAction
from bot.domain.readings import SignalState
from bot.report.explaining.figures import MISSING, named, number_of, percent, sentence, text_of
from bot.report.explaining.parts import Grid, Part
from bot.report.explaining.trail import Facts, Trail

COLUMNS: Final = ("confirmation", "evidence", "as of", "in its words")


def confirmations_part(trail: Trail) -> Part:
    """Return every reading and abstention, and the effect on the size.

    Source: docs/methodology.md, M3.
    """
    conviction = trail.signal.get("conviction")
    if conviction is None:
        return Part(
            name="confirmations", title="Confirmations", words=(_why_none(trail),), figures={"conviction": None}
        )
    words = (sentence(_conviction_words(conviction)), _effect(trail, text_of(conviction.get("stance"))))
    rows = tuple(_row(reading) for reading in conviction.get("readings") or ())
    return Part(
        name="confirmations",
        title="Confirmations",
        words=words,
        grids=(Grid(columns=COLUMNS, rows=rows, numeric=frozenset({"evidence"})),) if rows else (),
        figures={"conviction": conviction.get("value"), "stance": conviction.get("stance")},
    )


def _why_none(trail: Trail) -> str:
    if not trail.signal.get("episode_began_on"):
        return "None were read: there is a conviction only while an episode lasts."
    if trail.signal.get("state") == SignalState.BLOWOUT:
        return "None were read: nothing had been delivered to read them from, so the conviction counts as unknown."
    return "The journal holds no conviction of this episode."


def _conviction_words(conviction: Facts) -> str:
    words = text_of(conviction.get("words")) or f"conviction {MISSING}"
    for name in {text_of(reading.get("name")) for reading in conviction.get("readings") or ()}:
        words = words.replace(name, named(name))
    return f"{words} (read on {text_of(conviction.get('read_on')) or MISSING})"


def _row(reading: Facts) -> tuple[str, str, str, str]:
    name = named(reading.get("name"))
    evidence = number_of(reading.get("evidence"))
    if evidence is None:
        return name, "abstains", "", text_of(reading.get("why")) or MISSING
    return name, f"{evidence:+.2f}", text_of(reading.get("as_of")), text_of(reading.get("words"))


def _effect(trail: Trail, stance: str) -> str:
    frac = percent(trail.facts.get("increment_frac"))
    if trail.signal.get("state") != SignalState.BLOWOUT:
        return "It changed nothing here: only a blowout adds to the overlay."
    if trail.facts.get("action") == PlanAction.EXIT:
        return "It changed nothing here: what nears its end is sold whatever it says."
    if trail.facts.get("action") == PlanAction.FLATTEN:
        return "It changed nothing here: what a person has signed is sold whatever it says."
    if trail.facts.get("action") == PlanAction.MAINTAIN:
        return "It changed nothing here: the base is kept whatever it says."
    if stance == Stance.SUPPORTS:
        return f"It supports the blowout, so the full increment counts: f = {frac} of the base."
    least = f"the least increment, {frac} of the base"
    if stance == Stance.CONTRADICTS:
        return f"It contradicts the blowout: nothing without a person, who is asked for {least}."
    asks = "conviction is" in _because(trail)
    return f"It is {stance}: {'a person is asked for ' if asks else ''}{least}{'' if asks else ', is wanted'}."


def _because(trail: Trail) -> str:
    asking = trail.asked or (trail.asked_before if trail.facts.get("withheld") else None)
    return "" if asking is None else text_of(asking.facts.get("because"))
