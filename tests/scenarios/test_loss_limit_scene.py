"""The whole bot on a morning that loses more than the day may: it holds itself back, and still buys protection."""

from functools import cache

import pytest

from tests.scenarios.staging import Journal, Scene, staged, wide_morning


@cache
def losing() -> Journal:
    """A wide morning, for fifty minutes, on which six of two million dollars may be lost."""
    settings = {"ALVH_RISK__MAX_DAY_LOSS_FRAC": "0.000003", "ALVH_RISK__MAX_DAY_SLIPPAGE_FRAC": "0.02"}
    return staged(Scene(history=wide_morning(), until_minute=50, settings=settings))


@pytest.mark.control("C31")
def test_a_days_loss_holds_the_bot_back_and_is_told_once() -> None:
    """One alert with both figures and one demand of the bot's own, which holds to the end of the day."""
    journal = losing()
    (told,) = journal.facts("limit_breached")
    assert (told["source"], told["words"].split(":")[0]) == ("losses", "day_loss")
    asked = [facts for facts in journal.facts("mode_demanded") if facts["source"] == "losses"]
    assert [facts["mode"] for facts in asked] == ["REDUCE_ONLY"]


@pytest.mark.control("C31")
def test_after_the_loss_only_what_reduces_leaves() -> None:
    """Protection is bought all the same, and its record says beyond which limit and why it passed."""
    journal = losing()
    (told,) = journal.of("limit_breached")
    after = [row for row in journal.of("order_prepared") if row.at > told.at]
    assert after
    for row in after:
        (checked,) = [check for check in row.facts["checks"] if check["rule"] == "day_loss"]
        within = float(checked["found"]) <= float(checked["limit"])
        assert within or checked["note"].startswith(("reduces", "closes only"))


@pytest.mark.control("C7")
def test_an_order_says_the_middle_at_which_it_was_decided() -> None:
    """What it pays beyond that is slippage: no order of the plan leaves without its middle."""
    intents = [facts["intent"] for facts in losing().facts("order_prepared")]
    assert intents
    for intent in intents:
        assert intent["middle_points"] is not None
        assert abs(float(intent["limit"]) - float(intent["middle_points"])) <= float(intent["half_width_points"]) + 0.05
