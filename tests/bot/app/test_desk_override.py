"""The override at the desk (C15): one refused order is judged again under a signature, once, and written down."""

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.domain.command import AckStage, CommandName, Role
from bot.domain.decision import Checked, Rule
from bot.domain.events import DataFeedChanged, LinkLost, TimerElapsed
from bot.domain.mode import DemandSource, TradingMode
from bot.domain.orders import OrderIntent
from risk.scene import Scene
from tests.bot.app.app_parts import Bot, played
from tests.bot.engine_parts import books_agree, restored

OVERRIDE, KILL = CommandName.OVERRIDE, CommandName.KILL


@dataclass(slots=True)
class Over:
    """A rule by which every order is above a limit, or whose figure has become unknown."""

    rule: Rule = Rule.VEGA
    is_known: bool = True

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Refuse."""
        del intent, scene
        if not self.is_known:
            return Checked.failed(rule=self.rule, note="no quote")
        return Checked.at_most(rule=self.rule, found=Decimal(12), limit=Decimal(10))


async def a_refusing_bot(*checks: Over) -> Bot:
    """A bot that wants one order, which is above its vega limit."""
    bot = Bot(checks=checks or (Over(),))
    bot.desk.open()
    bot.start()
    bot.pump(restored())
    bot.rig.planner.wants = 1
    bot.pump(books_agree(at=bot.clock.now()))
    await bot.pass_s(1)
    return bot


def refused_row(bot: Bot) -> dict[str, str]:
    """The refused order as the status tells it."""
    bot.desk.receive(bot.command(CommandName.STATUS, "s"))
    rows = bot.link.acks[-1].detail["refused"]
    assert isinstance(rows, list)
    row = rows[0]
    assert isinstance(row, dict)
    return row


def override(bot: Bot, command_id: str = "o-1", rules: str = "vega", **changes: Any) -> None:
    """Have the operator override the refused order."""
    row = refused_row(bot)
    args = {"intent": row["intent"], "digest": row["digest"], "rules": rules}
    bot.desk.receive(bot.command(OVERRIDE, command_id, **{"args": args, **changes}))


def kinds(bot: Bot, *wanted: str) -> list[str]:
    """Rows about orders and overrides."""
    return [row.kind for row in bot.journal.rows if row.kind.startswith(wanted or ("override_", "order_"))]


@pytest.mark.control("C15")
def test_an_override_sends_the_refused_order_once_and_writes_all_of_it_down() -> None:
    """Granted, used, the same id prepared with the failure on record, sent; the next order is refused as before."""

    async def story() -> None:
        bot = await a_refusing_bot()
        row = refused_row(bot)
        override(bot, reason="the desk wants it")
        bot.rig.planner.wants = 0
        await bot.pass_s(1)
        assert bot.link.stages("o-1") == [AckStage.DONE]
        assert bot.link.acks[-1].detail["outcome"] == "let through"
        assert bot.rig.sent() == [row["intent"]]
        assert kinds(bot) == ["order_refused", "override_granted", "override_used", "order_prepared", "order_sent"]
        granted, used, prepared = (
            next(one for one in bot.journal.rows if one.kind == kind)
            for kind in ("override_granted", "override_used", "order_prepared")
        )
        named = {"intent_id": row["intent"], "digest": row["digest"], "rules": ["vega"], "key_id": "k"}
        for told in (granted, used):
            assert {name: told.payload[name] for name in named} == named
            assert told.payload["reason"] == "the desk wants it"
        assert (used.payload["approved"], used.payload["waived"]) == (True, ["vega"])
        assert used.decision_id == prepared.decision_id != granted.decision_id
        checks = prepared.payload["checks"]
        assert isinstance(checks, list)
        assert [(one.rule, one.passed) for one in checks if one.overridden] == [(Rule.VEGA, False)]
        assert bot.state.waivers.override is None
        await bot.end()

    played(story())


@pytest.mark.control("C15")
def test_the_same_signature_again_finds_nothing_to_override() -> None:
    """The challenge is used up; with a fresh one the order is at work, and its twin would be a duplicate."""

    async def story() -> None:
        bot = await a_refusing_bot()
        challenge = bot.challenge()
        override(bot)
        await bot.pass_s(1)
        override(bot, "o-2", challenge=challenge)
        await bot.pass_s(1)
        assert bot.link.acks[-1].code == "challenge"
        assert len(bot.rig.sent()) == 1
        await bot.end()

    played(story())


@pytest.mark.control("C15")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"roles": frozenset({Role.RESUME, Role.KILL})}, "role_missing"),
        ({"challenge": "0" * 32}, "challenge"),
        ({"reason": ""}, "reason_missing"),
        ({"args": {"intent": "i-x", "digest": "d", "rules": "vega"}}, "no_such_refusal"),
    ],
)
def test_what_is_not_right_is_refused_and_nothing_leaves(changes: dict[str, Any], code: str) -> None:
    """Role, challenge, reason and order."""

    async def story() -> None:
        bot = await a_refusing_bot()
        override(bot, **changes)
        await bot.pass_s(1)
        assert (bot.link.acks[-1].stage, bot.link.acks[-1].code) == (AckStage.REFUSED, code)
        assert (bot.rig.sent(), kinds(bot, "override_")) == ([], [])
        await bot.end()

    played(story())


@pytest.mark.control("C15")
def test_another_content_and_another_rule_are_refused() -> None:
    """A digest of another order, and a rule that did not refuse."""

    async def story() -> None:
        bot = await a_refusing_bot()
        row = refused_row(bot)
        args = {"intent": row["intent"], "digest": "0" * 64, "rules": "vega"}
        bot.desk.receive(bot.command(OVERRIDE, args=args))
        assert bot.link.acks[-1].code == "digest"
        override(bot, rules="vega,vix_delta")
        assert bot.link.acks[-1].code == "rule_not_overridable"
        await bot.pass_s(1)
        assert bot.rig.sent() == []
        await bot.end()

    played(story())


@pytest.mark.control("C15")
def test_after_a_quarter_of_an_hour_the_order_is_not_known_any_more() -> None:
    """Though the plan comes back with it every half minute, the id that was told is too old."""

    async def story() -> None:
        bot = await a_refusing_bot()
        first = refused_row(bot)
        bot.start(bot.desk.run())
        for _ in range(32):
            await bot.pass_s(29)
            bot.pump(TimerElapsed(at=bot.clock.now()))
        await bot.pass_s(1)
        args = {"intent": first["intent"], "digest": first["digest"], "rules": "vega"}
        bot.pump(books_agree(at=bot.clock.now()))
        assert refused_row(bot)["intent"] != first["intent"]
        bot.desk.receive(bot.command(OVERRIDE, args=args))
        assert bot.link.acks[-1].code == "no_such_refusal"
        await bot.end()

    played(story())


@pytest.mark.control("C15")
def test_the_first_judgement_uses_it_up_also_where_it_refuses() -> None:
    """What was above a limit is unknown now: refused all the same, and the override is gone."""

    async def story() -> None:
        check = Over()
        bot = await a_refusing_bot(check)
        row = refused_row(bot)
        check.is_known = False
        override(bot)
        await bot.pass_s(1)
        assert kinds(bot) == ["order_refused", "override_granted", "override_used", "order_refused"]
        used = next(one for one in bot.journal.rows if one.kind == "override_used")
        assert (used.payload["approved"], used.payload["waived"]) == (False, [])
        assert str(bot.link.acks[-1].detail["outcome"]).startswith("not let through")
        assert bot.state.waivers.override is None
        check.is_known = True
        await bot.pass_s(31)
        assert bot.rig.sent() == []
        assert row["intent"]
        await bot.end()

    played(story())


@pytest.mark.control("C15")
@pytest.mark.control("C1")
def test_a_kill_before_the_judgement_ends_it_for_good() -> None:
    """While a decision is being written an override waits; the kill comes first, and after a resume nothing leaves."""

    async def story() -> None:
        bot = await a_refusing_bot()
        override(bot)
        bot.desk.receive(bot.command(KILL, "k-1"))
        await bot.pass_s(1)
        assert kinds(bot, "override_") == ["override_granted", "override_expired"]
        ended = next(one for one in bot.journal.rows if one.kind == "override_expired")
        assert ended.payload["why"] == "a kill came after it"
        bot.pump(books_agree(at=bot.clock.now()))
        bot.desk.receive(bot.command(CommandName.RESUME, "r-1"))
        await bot.pass_s(40)
        assert bot.state.mode is TradingMode.NORMAL
        assert bot.rig.sent() == []
        await bot.end()

    played(story())


@pytest.mark.control("C15")
@pytest.mark.parametrize("breaks", ["link", "data"])
def test_a_lost_link_or_a_stricter_mode_ends_it(breaks: str) -> None:
    """Before the judgement; and in that state none is granted."""

    async def story() -> None:
        bot = await a_refusing_bot()
        at = bot.clock.now()
        broken = LinkLost(at=at, why="1100") if breaks == "link" else DataFeedChanged(at=at, usable=False, why="test")
        override(bot)
        bot.pump(broken)
        await bot.pass_s(1)
        assert kinds(bot, "override_") == ["override_granted", "override_expired"]
        override(bot, "o-2")
        await bot.pass_s(1)
        assert bot.link.acks[-1].code == "not_normal"
        assert bot.rig.sent() == []
        await bot.end()

    played(story())


@pytest.mark.control("C15")
def test_an_override_does_not_survive_a_restart() -> None:
    """Nothing of it is in what a start restores: a bot that starts anew knows neither refusal nor override."""

    async def story() -> None:
        bot = await a_refusing_bot()
        row = refused_row(bot)
        fresh = Bot(checks=(Over(),))
        fresh.desk.open()
        fresh.start()
        fresh.pump(restored())
        fresh.pump(books_agree(at=fresh.clock.now()))
        await fresh.pass_s(1)
        args = {"intent": row["intent"], "digest": row["digest"], "rules": "vega"}
        fresh.desk.receive(fresh.command(OVERRIDE, args=args, challenge="c" * 32))
        assert fresh.link.acks[-1].stage is AckStage.REFUSED
        assert (fresh.state.waivers.override, fresh.rig.sent()) == (None, [])
        await fresh.end()
        await bot.end()

    played(story())


def test_old_books_are_compared_before_an_override_is_judged() -> None:
    """As for a resume: the broker does not answer here, so that it is refused."""

    async def story() -> None:
        bot = await a_refusing_bot()
        await bot.pass_s(120)
        override(bot)
        await bot.pass_s(25)
        assert bot.link.acks[-1].code == "not_reconciled"
        await bot.end()

    played(story())


def test_a_refused_order_puts_the_challenge_before_the_operator() -> None:
    """In NORMAL as well, and again when it is renewed while the order may still be named."""

    async def story() -> None:
        bot = await a_refusing_bot()
        first = bot.challenge()
        bot.start(bot.desk.run())
        await bot.pass_s(330)
        assert bot.challenge() != first
        await bot.end()

    played(story())


def test_the_demand_of_a_kill_is_the_latchs() -> None:
    """The row of the mode stands before that of the override that it ended."""

    async def story() -> None:
        bot = await a_refusing_bot()
        override(bot)
        bot.desk.receive(bot.command(KILL, "k-1"))
        await bot.pass_s(1)
        rows = [row for row in bot.journal.rows if row.kind in {"mode_demanded", "override_expired"}]
        assert [row.kind for row in rows[-2:]] == ["mode_demanded", "override_expired"]
        assert rows[-2].payload["source"] is DemandSource.LATCH
        assert replace(rows[-1]).at - rows[-2].at == timedelta(0)
        await bot.end()

    played(story())


@pytest.mark.control("C15")
def test_a_rule_that_was_not_named_refuses_and_each_judgement_is_written_down() -> None:
    """Two rules refuse and one is waived: refused, twice in a row for two signatures, each with rows of its own."""

    async def story() -> None:
        bot = await a_refusing_bot(Over(), Over(rule=Rule.VIX_DELTA))
        for number in (1, 2):
            override(bot, f"o-{number}")
            await bot.pass_s(1)
            assert str(bot.link.acks[-1].detail["outcome"]).startswith("not let through")
        assert kinds(bot) == [
            "order_refused",
            *("override_granted", "override_used", "order_refused"),
            *("override_granted", "override_used", "order_refused"),
        ]
        last = bot.journal.rows[-2].payload["checks"]
        assert isinstance(last, list)
        assert [(one.rule, one.overridden) for one in last if not one.passed] == [
            (Rule.VEGA, True),
            (Rule.VIX_DELTA, False),
        ]
        override(bot, "o-3", rules="vega,vix_delta")
        await bot.pass_s(1)
        assert bot.link.acks[-1].detail["outcome"] == "let through"
        await bot.end()

    played(story())
