"""A blowout that its confirmations support, and one that they contradict: the size of M2 in the light of M3."""

from functools import cache

from simulator.books import BookPlan
from tests.scenarios.staging import ROOMY_DELTA, Journal, Scene, staged


@cache
def supported() -> Journal:
    """The second session of `blowout` up to noon: the spread widens from ten to twelve, small caps are weak.

    The condors are struck so far out that their break-evens have room for the hedge.
    """
    return staged(Scene(scenario="blowout", from_minute=80, until_minute=155, book=BookPlan(short_delta=ROOMY_DELTA)))


@cache
def on_the_edge() -> Journal:
    """The same morning with the reference condors, whose lower break-even SPX has come near to."""
    return staged(Scene(scenario="blowout", from_minute=80, until_minute=155))


@cache
def contradicted() -> Journal:
    """The second session of `contradicted` up to one o'clock: the spread widens while small caps rise most."""
    return staged(Scene(scenario="contradicted", from_minute=80, until_minute=210))


def test_a_supported_blowout_is_sized_by_its_excess() -> None:
    """The first increase asks for more than the least share of the base, because the confirmations support it."""
    first = supported().plans("increase")[0].facts
    signal = first["signal"]
    assert (signal["state"], signal["conviction"]["stance"]) == ("blowout", "supports")
    assert 0.10 < first["increment_frac"] <= 0.20
    assert first["target_usd_per_point"] == first["increment_frac"] * first["base_usd_per_point"]


def test_a_conviction_names_every_confirmation_behind_it() -> None:
    """Each is on record with its evidence and its words, or with the reason for which it abstains."""
    readings = supported().plans("increase")[0].facts["signal"]["conviction"]["readings"]
    told = [one for one in readings if "evidence" in one]
    assert {"relative_strength", "momentum_divergence"} <= {one["name"] for one in told}
    assert all(-1.0 <= one["evidence"] <= 1.0 and one["words"] for one in told)
    assert all(one["why"] for one in readings if one not in told)


def test_a_supported_blowout_is_bought_within_a_fifth_of_the_base() -> None:
    """One order for call spreads fills whole, and brings the overlay as near to its target as contracts allow."""
    journal = supported()
    (prepared,) = journal.facts("order_prepared")
    intent, plan = prepared["intent"], journal.plans("increase")[0].facts
    added = intent["quantity"] * intent["exposure_usd_per_point"]
    assert [(leg["side"], leg["instrument"]["right"]) for leg in intent["legs"]] == [("BUY", "C"), ("SELL", "C")]
    assert abs(added - plan["target_usd_per_point"]) <= intent["exposure_usd_per_point"]
    assert added <= 0.20 * plan["base_usd_per_point"]
    assert [facts["filled"] for facts in journal.facts("order_completed")] == [intent["quantity"]]


def test_an_increase_stops_where_it_would_bring_a_break_even_inside() -> None:
    """The overlay grows by what leaves the lower break-even outside the expected move, and by no more (M8)."""
    journal = on_the_edge()
    (prepared,) = journal.facts("order_prepared")
    plan = journal.plans("increase")[0].facts
    intent = prepared["intent"]
    assert plan["reason"].endswith("in the largest size that every limit allows")
    assert intent["quantity"] * intent["exposure_usd_per_point"] < plan["target_usd_per_point"] / 2
    (kept,) = [check for check in prepared["checks"] if check["rule"] == "break_evens"]
    assert (kept["passed"], kept["found"]) == (True, "no break-even is brought inside")
    before = journal.facts("sample_taken")[:2]
    assert all("outside the expected move" in facts["break_evens"][0] for facts in before)


def test_a_contradicted_blowout_sends_nothing() -> None:
    """The signal is the same, the confirmations are against it: no order is even put before the gate."""
    journal = contradicted()
    stances = [(row.facts["signal"].get("conviction") or {}).get("stance") for row in journal.plans()]
    assert "contradicts" in stances
    assert journal.plans("increase") == []
    assert journal.of("order_prepared", "order_refused") == []


def test_a_contradicted_blowout_is_proposed_at_the_least_size() -> None:
    """A person is asked for a tenth of the base, and is told why the bot does not decide it."""
    journal = contradicted()
    asked = journal.facts("proposal_made")[0]["proposal"]
    planned = next(row.facts for row in journal.plans() if row.facts["withheld"] == "proposal")
    assert asked["because"].endswith("the confirmations contradict the blowout")
    assert planned["increment_frac"] == 0.10
    assert [order["quantity"] for order in asked["orders"]] == [planned["withheld_intents"][0]["quantity"]]
