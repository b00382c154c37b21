"""Two blowouts in one week, and the way back in two steps: how often and how fast the overlay moves (M14, M17)."""

from functools import cache

from tests.scenarios.staging import Journal, Row, Scene, staged


@cache
def two_blowouts() -> Journal:
    """Monday widens, Tuesday narrows and widens again, Wednesday morning is still wide."""
    return staged(Scene(scenario="two_blowouts", first=0, from_minute=80, sessions=3, until_minute=30))


@cache
def way_back() -> Journal:
    """The last hour of the blowout's fourth session, still wide; the fifth, which narrows; the sixth's morning."""
    return staged(Scene(scenario="blowout", first=3, from_minute=340, sessions=6, until_minute=30))


def prepared(journal: Journal, purpose: str) -> list[Row]:
    """The prepared orders of a purpose."""
    return [row for row in journal.of("order_prepared") if row.facts["intent"]["purpose"] == purpose]


def test_a_week_has_two_increases_however_many_blowouts() -> None:
    """One on Monday, one on Tuesday morning; the second blowout is told that the week has had its own."""
    builds = prepared(two_blowouts(), "overlay_build")
    assert [f"{row.at:%a}" for row in builds] == ["Mon", "Tue"]
    paced = [row for row in two_blowouts().plans() if row.facts["withheld"] == "pacing"]
    assert any(row.facts["reason"].endswith("paced: this week has had its increases") for row in paced)
    assert {row.facts["action"] for row in paced} == {"hold"}


def test_pacing_says_what_it_held_back() -> None:
    """What would have been asked of the gate stands in the record beside the reason."""
    paced = [row.facts for row in two_blowouts().plans() if row.facts["withheld"] == "pacing"]
    assert all(facts["withheld_intents"][0]["purpose"] == "overlay_build" for facts in paced)


def test_no_session_has_a_second_increase() -> None:
    """On Monday f grows on through the afternoon; the rest of the target waits for Tuesday."""
    journal = two_blowouts()
    monday = [row.facts for row in journal.plans() if f"{row.at:%a}" == "Mon"]
    grown = [facts["increment_frac"] for facts in monday if facts["withheld"] == "pacing"]
    assert grown == sorted(grown)
    bought = next(facts["increment_frac"] for facts in monday if facts["action"] == "increase")
    tuesday = prepared(journal, "overlay_build")[1]
    assert grown[-1] > bought
    assert f"{tuesday.at:%H:%M}" == "09:40"


def test_a_new_blowout_cancels_the_rest_of_the_way_back() -> None:
    """Half of the overlay has gone on Tuesday; because the spread widens again, the other half stays on Wednesday."""
    journal = two_blowouts()
    (sale,) = prepared(journal, "overlay_unwind")
    bought = sum(journal.units("order_prepared", "overlay_build"))
    assert sale.facts["intent"]["quantity"] == -(-bought // 2)
    wednesday = [row.facts for row in journal.plans() if f"{row.at:%a}" == "Wed"]
    assert {facts["signal"]["state"] for facts in wednesday} == {"blowout"}
    assert all(facts["held_usd_per_point"] > 0 for facts in wednesday)


def test_the_overlay_returns_to_base_in_two_sessions() -> None:
    """Half of it, rounded up, when the fifth session has turned calm; the rest in the sixth, and nothing is left."""
    journal = way_back()
    first, second = prepared(journal, "overlay_unwind")
    bought = sum(journal.units("order_prepared", "overlay_build"))
    assert [f"{row.at:%m-%d}" for row in (first, second)] == ["10-23", "10-26"]
    assert first.facts["intent"]["quantity"] == -(-bought // 2)
    assert second.facts["intent"]["quantity"] == bought - first.facts["intent"]["quantity"]
    assert journal.plans()[-1].facts["reason"] == "calm: the sleeve stands at its base"
    assert journal.plans()[-1].facts["held_usd_per_point"] == 0.0


def test_the_increment_never_falls_within_an_episode() -> None:
    """It ratchets up with the widest excess; the second episode begins anew, below where the first one ended."""
    steps: dict[str, list[float]] = {}
    for row in two_blowouts().plans():
        if row.facts["signal"]["state"] == "blowout":
            episode = row.facts["signal"]["episode_began_on"]
            steps.setdefault(episode, []).append(row.facts["increment_frac"])
    first, second = steps.values()
    assert first == sorted(first)
    assert second == sorted(second)
    assert first[0] < first[-1] > second[0] < second[-1]
