"""What caps the hedge never moves without a word: credits are told when they change, across restarts as well (M8)."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from bot.app.credits import CreditTeller
from bot.domain.events import Restored, TimerElapsed
from bot.domain.snapshot import Snapshot
from tests.bot.app.app_parts import Bot, played
from tests.builders import NOON, Scenery

TEN = Scenery(condors=10)
(COHORT,) = TEN.book().cohorts


def _with_credit(usd: int) -> Snapshot:
    cohort = replace(COHORT, credit_usd=Decimal(usd), words=f"{usd} of credit")
    return TEN.snapshot(book=replace(TEN.book(), cohorts=(cohort,)))


def _told(*moments: int, remembered: Mapping[str, str] | None = None) -> list[Any]:
    """The facts of what is told when the timer beats at each of these credits."""

    async def story() -> list[Any]:
        bot = Bot()
        CreditTeller(bot.shell)
        bot.start()
        bot.pump(Restored(at=NOON, orders=(), fills=(), credits=remembered or {}))
        for usd in moments:
            bot.state.snapshot = lambda _now, usd=usd: _with_credit(usd)  # type: ignore[method-assign, misc]  # the test's moment
            bot.pump(TimerElapsed(at=bot.clock.now()))
            await bot.pass_s(1)
        await bot.end()
        return [row.payload for row in bot.journal.rows if row.kind == "credit_changed"]

    return played(story())


def test_a_credit_is_told_when_it_is_first_seen_and_when_it_changes() -> None:
    """Twice the same is told once; a change names what held before."""
    first, second = _told(6650, 6650, 6600)
    assert (first["cohort"], first["credit_usd"], first["before"]) == (COHORT.name, 6650, "")
    assert (second["credit_usd"], second["before"]) == (6600, "6650 of credit")


def test_what_an_earlier_run_has_told_is_not_told_again() -> None:
    """A new statement of the operator shows as a change against the journal."""
    assert _told(6650, remembered={COHORT.name: "6650 of credit"}) == []
    (changed,) = _told(7000, remembered={COHORT.name: "6650 of credit"})
    assert changed["before"] == "6650 of credit"
