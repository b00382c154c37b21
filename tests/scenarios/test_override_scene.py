"""An override through the whole engine (C15): the order leaves after all of it is written down, once, and is told."""

from functools import cache

import pytest

from bot.domain.decision import Rule
from tests.scenarios.staging import Act, Journal, Scene, staged, wide_morning

TIGHT = {"ALVH_RISK__MAX_VIX_DELTA_FRAC": "0.0003"}
"""The base sleeve alone is above it, so that no size of any overlay would pass."""
OVERRIDE_MINUTE = 19
"""The blowout is known, and the overlay refused, 17 minutes after the open."""


@cache
def overridden() -> Journal:
    """A wide morning on which a person overrides the limit for the order that was refused."""
    acts = (Act(minute=OVERRIDE_MINUTE, doing=lambda hands: hands.override(Rule.VIX_DELTA)),)
    return staged(Scene(history=wide_morning(), until_minute=24, settings=TIGHT, acts=acts))


@pytest.mark.control("C15")
def test_the_refused_order_leaves_under_its_own_id_after_everything_is_written() -> None:
    """Refused, granted, used, prepared, sent: one order, the same id, nothing else."""
    story = ("override_granted", "override_used", "order_prepared", "order_sent")
    rows = overridden().of(*story)
    assert [row.kind for row in rows] == list(story)
    ids = {row.facts["intent_id"] for row in rows if "intent_id" in row.facts}
    assert ids == {rows[2].facts["intent"]["intent_id"]}
    refused = overridden().of("order_refused")
    assert refused
    assert all(row.facts["intent"]["intent_id"] not in ids or row.at < rows[0].at for row in refused)


@pytest.mark.control("C15")
def test_the_record_keeps_the_failure_beside_what_allowed_it() -> None:
    """The waived rule stands as failed and overridden with its figures; every other rule has passed."""
    (prepared,) = overridden().facts("order_prepared")
    over = [check for check in prepared["checks"] if check["overridden"]]
    assert [(check["rule"], check["passed"]) for check in over] == [("vix_delta", False)]
    assert float(over[0]["found"]) > float(over[0]["limit"])
    assert all(check["passed"] for check in prepared["checks"] if not check["overridden"])
    (used,) = overridden().facts("override_used")
    assert (used["approved"], used["waived"], used["key_id"]) == (True, ["vix_delta"], "k")
