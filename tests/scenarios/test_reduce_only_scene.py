"""The whole bot while only what reduces may leave: protection is still bought, and nothing of it is sold."""

from functools import cache

from bot.domain.command import CommandName
from tests.scenarios.staging import Act, Hands, Journal, Scene, staged, wide_morning


def _reduce_only(hands: Hands) -> None:
    hands.tighten(CommandName.REDUCE_ONLY)


@cache
def reduced() -> Journal:
    """A wide morning that begins in REDUCE_ONLY, for fifty minutes."""
    acts = (Act(minute=-2.0, doing=_reduce_only),)
    return staged(Scene(history=wide_morning(), until_minute=50, acts=acts))


def test_protection_is_bought_in_reduce_only() -> None:
    """The overlay's spreads leave and fill, and the record says that they reduce."""
    journal = reduced()
    assert [facts["mode"] for facts in journal.facts("mode_latched")] == ["REDUCE_ONLY"]
    bought = journal.of("order_prepared")
    assert bought
    assert {row.facts["intent"]["purpose"] for row in bought} == {"overlay_build"}
    assert sum(fill["fill"]["quantity"] for fill in journal.facts("order_filled") if fill["fill"]["part"] == "combo")
    for row in bought:
        (mode,) = [check for check in row.facts["checks"] if check["rule"] == "trading_mode"]
        assert (mode["found"], mode["passed"]) == ("REDUCE_ONLY", True)
        assert mode["note"].startswith("reduces")
