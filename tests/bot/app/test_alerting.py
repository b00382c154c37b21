"""Alerts in virtual time: soon enough, sparing, counted, and never lost with the journal."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.domain.alerts import ALERTS, Alert, Fault, Severity
from bot.domain.command import CommandName
from bot.domain.events import DataFeedChanged, LinkLost
from tests.bot.app.app_parts import Bot, played

LOUD: Mapping[str, Mapping[str, Any]] = {
    "bot_stopped": {"exit_code": 4},
    "limits_set": {"looser": ["max_orders_per_day"]},
    "books_reconciled": {"differences": {"VIX": "one more"}},
    "data_feed_changed": {"usable": False},
    "mode_demanded": {"mode": "HALT", "source": "journal"},
    "command_link_changed": {"up": False},
}
"""Facts with which a kind calls; the others always do."""
WITHIN = timedelta(seconds=5)


def alerts(bot: Bot) -> list[tuple[str, Mapping[str, object]]]:
    """What left on ``alert/``."""
    return [(topic, facts) for topic, facts in bot.link.published if topic.startswith("alert/")]


@pytest.mark.control("C26")
def test_every_class_of_alert_leaves_within_five_seconds() -> None:
    """Each kind of row that calls a person is on the operator's line five seconds after its moment at the latest."""

    async def story() -> None:
        bot = Bot().start()
        for kind in ALERTS:
            bot.shell.tell(kind, LOUD.get(kind, {}))
            await bot.pass_s(1)
        assert {topic for topic, _ in alerts(bot)} == {f"alert/{kind}" for kind in ALERTS}
        for _, facts in alerts(bot):
            at, raised = facts["at"], facts["raised"]
            assert isinstance(at, datetime)
            assert isinstance(raised, datetime)
            assert timedelta(0) <= raised - at <= WITHIN
        await bot.end()

    played(story())


@pytest.mark.control("C26")
def test_the_shells_own_troubles_call() -> None:
    """A lost link, unusable data and a kill are alerts although nobody told them by hand."""

    async def story() -> None:
        bot = Bot().start()
        bot.pump(LinkLost(at=bot.clock.now(), why="1100"))
        bot.pump(DataFeedChanged(at=bot.clock.now(), usable=False, why="10197"))
        bot.desk.receive(bot.command(CommandName.KILL))
        await bot.pass_s(1)
        assert {"alert/link_lost", "alert/data_feed_changed", "alert/kill_latched"} <= {name for name, _ in alerts(bot)}
        await bot.end()

    played(story())


@pytest.mark.control("C26")
def test_the_same_cause_calls_once_in_a_quarter_of_an_hour() -> None:
    """Repetitions are counted and told with the next one; another cause is not held back."""

    async def story() -> None:
        bot = Bot().start()
        for _ in range(4):
            bot.shell.tell("order_rejected", {"intent_id": "i-1"})
            await bot.pass_s(60)
        bot.shell.tell("order_rejected", {"intent_id": "i-2"})
        await bot.pass_s(12 * 60)
        bot.shell.tell("order_rejected", {"intent_id": "i-1"})
        await bot.pass_s(1)
        assert [(facts["cause"], facts["held_back"]) for _, facts in alerts(bot)] == [
            ("i-1", 0),
            ("i-2", 0),
            ("i-1", 3),
        ]
        await bot.end()

    played(story())


def test_a_fault_is_told_at_once_and_written_down_once() -> None:
    """An error line calls without waiting for the disk; its repetition neither calls nor fills the journal."""

    async def story() -> None:
        bot = Bot()
        fault = Fault(name="message_lost", severity=Severity.WARNING, words="a message was lost", text="message 5")
        bot.alerting.fault(fault)
        bot.alerting.fault(fault)
        assert [topic for topic, _ in alerts(bot)] == ["alert/message_lost"]
        bot.start()
        await bot.pass_s(1)
        assert [row.payload["text"] for row in bot.journal.rows if row.kind == "fault_logged"] == ["message 5"]
        assert len(alerts(bot)) == 1
        await bot.end()

    played(story())


def test_a_bot_that_breaks_calls_without_its_journal() -> None:
    """What ends the bot is an alert although no row can be written any more; channels hear the same."""

    async def story() -> None:
        bot = Bot()
        heard: list[Alert] = []
        bot.alerting._sounded = (heard.append,)
        bot.alerting.broke(OSError("no space left on device"))
        ((topic, facts),) = alerts(bot)
        assert (topic, facts["severity"]) == ("alert/internal_fault", Severity.CRITICAL)
        assert [alert.cause for alert in heard] == ["OSError: no space left on device"]

    played(story())
