"""The condors' wings by the whole bot: advised, proposed, rolled in one BAG, within the limits of the cycle (M8)."""

from datetime import date, timedelta
from decimal import Decimal
from functools import cache

from bot.domain.command import CommandName
from simulator.fills import AdverseSelection, VenueFills
from simulator.venue_models import VenueModels
from tests.scenarios.staging import Act, Day, Journal, Row, Scene, history_of, staged

LEANING = {"ALVH_RISK__NEUTRALITY_BAND_FRAC": "0.033", "ALVH_APP__WINGS_EVERY_S": "305.0"}
"""A band that the reference book leaves under its sleeve alone, looked at every five minutes."""
APPROVE, VETO = CommandName.APPROVE, CommandName.VETO
QUIET = history_of(date(2026, 10, 19), Day(), Day())
"""Nothing happens on either day."""
WILLING = VenueModels(fills=VenueFills(selection=AdverseSelection(base=1.0)))
"""A combo inside the market is taken at the next look."""
ANSWERED_MINUTES = tuple(range(12, 75, 4))
"""A person looks every four minutes whether something is asked, half a minute before the exchange's next step."""


@cache
def leaning(mode: str, answer: CommandName | None = None, *, restart: float | None = None) -> Journal:
    """A quiet morning of 75 minutes on which the sleeve leans the book out of its band."""
    looks = () if answer is None else ANSWERED_MINUTES
    acts = tuple(
        Act(minute=minute + 0.5, doing=lambda hands: hands.answer_if_asked(answer or VETO)) for minute in looks
    )
    return staged(
        Scene(
            history=QUIET,
            until_minute=75,
            settings={**LEANING, "ALVH_WINGS__WINGS": mode},
            acts=acts,
            venue=WILLING,
            restart_minute=restart,
        )
    )


def _rolls(journal: Journal, kind: str = "order_prepared") -> list[Row]:
    return [row for row in journal.of(kind) if row.facts["intent"]["purpose"] == "wing_roll"]


def _strikes(row: Row) -> list[tuple[str, Decimal, str]]:
    """Side, strike and right of each leg of an order."""
    legs = row.facts["intent"]["legs"]
    return [(leg["side"], Decimal(leg["instrument"]["strike"]), leg["instrument"]["right"]) for leg in legs]


def _check(row: Row, rule: str) -> dict[str, object]:
    return next(check for check in row.facts["checks"] if check["rule"] == rule)


def _credits(journal: Journal) -> list[Decimal]:
    return [Decimal(facts["credit_usd"]) for facts in journal.facts("credit_changed")]


# automatically ----------------------------------------------------------------------------------------------------


def test_a_book_that_the_sleeve_leans_out_has_a_wing_rolled_in_one_order() -> None:
    """One BAG: the long put is sold and the next strike below it bought, with every check passed."""
    journal = leaning("auto")
    roll = _rolls(journal)[0]
    (sold_side, sold, right), (bought_side, bought, _) = _strikes(roll)
    assert (sold_side, bought_side, right, sold - bought) == ("SELL", "BUY", "P", 5)
    assert all(check["passed"] for check in roll.facts["checks"])
    planned = next(row for row in journal.plans("widen") if row.decision_id == roll.decision_id)
    assert planned.facts["reason"].startswith("the sleeve has carried the book out of its band")
    assert {one["rejected"] for one in planned.facts["candidates"]} >= {"", "it leans the book no less"}
    assert any("inside the band" in note or "still outside the band" in note for note in planned.facts["notes"])


def test_both_legs_of_a_roll_fill_at_the_exchange() -> None:
    """The net moves the order, each leg its position, all in the same units; nothing is ever unmatched."""
    journal = leaning("auto")
    roll = _rolls(journal)[0]
    units, intent_id = roll.facts["intent"]["quantity"], roll.facts["intent"]["intent_id"]
    fills = [facts["fill"] for facts in journal.facts("order_filled") if facts["fill"]["order_ref"] == intent_id]
    assert sorted(fill["part"] for fill in fills) == ["combo", "leg", "leg"]
    assert {fill["quantity"] for fill in fills} == {units}
    assert any(row.facts["intent_id"] == intent_id for row in journal.of("order_completed"))
    assert not any("fit no condor" in reason for reason in journal.reasons())


def test_a_roll_leaves_the_book_nearer_to_its_band() -> None:
    """What the gate found is nearer or inside, and the band is the one of the entry before and after."""
    journal = leaning("auto")
    assert {_check(row, "neutrality")["note"] for row in _rolls(journal)} <= {"inside", "inside; nearer", "nearer"}
    assert len({facts["band_usd_per_spx_percent"] for facts in journal.facts("sample_taken")}) == 1


def test_a_rolls_credit_raises_nothing_and_its_fees_lower_the_credit_and_the_cap() -> None:
    """Each roll brought money; the credit falls by the fees all the same, and the cap with it."""
    journal = leaning("auto")
    rolls = _rolls(journal)
    assert all(Decimal(row.facts["intent"]["limit"]) < 0 for row in rolls)
    credits_usd = _credits(journal)
    assert credits_usd == sorted(credits_usd, reverse=True)
    assert len(credits_usd) == len(rolls) + 1
    paid = sum((Decimal(facts["commission_usd"]) for facts in journal.facts("commission_booked")), Decimal(0))
    assert credits_usd[0] - credits_usd[-1] == paid
    samples = journal.facts("sample_taken")
    assert all(Decimal(facts["cap_usd"]) == Decimal("0.40") * Decimal(facts["credit_usd"]) for facts in samples)
    assert Decimal(samples[-1]["cap_usd"]) < Decimal(samples[0]["cap_usd"])
    assert {facts["provenance"] for facts in journal.facts("credit_changed")} == {"operator"}


def test_a_roll_beyond_the_limits_of_the_cycle_is_not_made() -> None:
    """Two rolls use up the room for losses; the next look finds the book leaning still, and says why it stays."""
    settings = {**LEANING, "ALVH_WINGS__WINGS": "auto", "ALVH_WINGS__LEAST_MINUTES_BETWEEN": "5.0"}
    scene = Scene(history=QUIET, until_minute=50, settings=settings, venue=WILLING)
    journal = staged(scene)
    limits = [_check(row, "wing_limits") for row in _rolls(journal)]
    assert len(limits) == 2
    assert len({check["limit"] for check in limits}) == 1
    last, limit = (Decimal(str(limits[-1][name])) for name in ("found", "limit"))
    assert limit - Decimal("502.80") < last <= limit
    assert journal.facts("wings_stay")[-1]["why"] == "even one would take the maximum loss too far for this cycle"


def test_after_a_roll_half_an_hour_passes_before_the_next() -> None:
    """What was done must show in the book first."""
    first, second = _rolls(leaning("auto"))
    assert second.at - first.at >= timedelta(minutes=30)


# by a person ------------------------------------------------------------------------------------------------------


def test_a_proposed_roll_waits_for_a_person_and_is_rolled_on_a_yes() -> None:
    """Question, answer, order, fill, in this order; no more is rolled than was asked for."""
    journal = leaning("propose", APPROVE)
    story = ("proposal_made", "proposal_approved", "order_prepared", "order_completed")
    assert [row.kind for row in journal.of(*story)][:4] == list(story)
    (asked,) = journal.facts("proposal_made")[0]["proposal"]["orders"]
    assert asked["purpose"] == "wing_roll"
    assert _rolls(journal)[0].facts["intent"]["quantity"] <= asked["quantity"]
    assert "the roll of a wing is put before a person" in journal.facts("proposal_made")[0]["proposal"]["because"]


def test_a_vetoed_roll_is_not_made() -> None:
    """The no is on record, no order leaves, and nobody is asked again in the session."""
    journal = leaning("propose", VETO)
    assert len(journal.of("proposal_vetoed")) == 1
    assert len(journal.of("proposal_made")) == 1
    assert _rolls(journal) == []


def test_advice_sends_nothing() -> None:
    """What would be rolled is written down with its figures; no plan, no question, no order."""
    journal = leaning("advise")
    assert "SELL" in journal.facts("wings_advised")[0]["words"]
    assert journal.of("proposal_made", "order_prepared", "order_refused") == []
    assert journal.plans("widen") == []


# later ------------------------------------------------------------------------------------------------------------


def test_a_restart_keeps_the_credit_and_the_entry() -> None:
    """Another bot goes on from the journal after the first roll: same credit, same band, same limits of the cycle."""
    whole, parted = leaning("auto"), leaning("auto", restart=30.0)
    assert len(parted.of("journal_restored")) == 2
    assert len({facts["band_usd_per_spx_percent"] for facts in parted.facts("sample_taken")}) == 1
    credits_usd = _credits(parted)
    assert credits_usd == sorted(set(credits_usd), reverse=True)  # what was told is not told again
    assert credits_usd[:2] == _credits(whole)[:2]
    first, second = _rolls(parted)
    assert second.at - first.at >= timedelta(minutes=30)
    limits = [_check(row, "wing_limits") for row in (first, second)]
    assert limits[0]["limit"] == limits[1]["limit"]
    assert Decimal(str(limits[0]["found"])) < Decimal(str(limits[1]["found"])) <= Decimal(str(limits[1]["limit"]))


def test_each_sample_tells_the_regime_of_vix() -> None:
    """VIX at 17: balanced; information alone."""
    regimes = {facts["vix_regime"] for facts in leaning("advise").facts("sample_taken") if facts["vix"] is not None}
    assert regimes == {"balanced"}
