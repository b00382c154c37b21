"""STATUS (C30): every limit, exposure, demands, doubts and refusals, at once and in every fault state."""

from decimal import Decimal
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.control.acks import LARGEST_ACK_BYTES, ack_of, signed_ack
from adapters.mqtt.telemetry import LARGEST_EVENT_BYTES, payload_of
from bot.domain.command import Ack, AckStage, Channel, CommandName, Proof
from bot.domain.decision import Checked, Rule
from bot.domain.events import DataFeedChanged, LinkLost, ModeDemanded
from bot.domain.mode import DemandSource, TradingMode
from bot.domain.orders import OrderIntent, Unknown
from risk.headroom import TABLE
from risk.scene import Scene
from tests.bot.app.app_parts import Bot, a_halted_bot, played
from tests.bot.engine_parts import books_agree, call_order, restored
from tests.builders import NOON


class OverEverything:
    """A rule with a note as long as one can be."""

    rule = Rule.VEGA

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Refuse."""
        del intent, scene
        return Checked.at_most(rule=self.rule, found=Decimal(2), limit=Decimal(1), note="x" * 5000)


def status(bot: Bot, **changes: Any) -> dict[str, Any]:
    """What STATUS answers: it is there when `receive` returns."""
    before = len(bot.link.acks)
    bot.desk.receive(bot.command(CommandName.STATUS, "s-1", **changes))
    assert len(bot.link.acks) == before + 1
    ack = bot.link.acks[-1]
    assert (ack.command_id, ack.stage) == ("s-1", AckStage.DONE)
    return dict(ack.detail)


def uses(facts: dict[str, Any]) -> dict[str, str]:
    """The use of each limit."""
    return {row["limit"]: row["use"] for row in facts["limits"]}


def a_peaceful_bot(**options: Any) -> Bot:
    """A bot in NORMAL whose books agree."""
    bot = Bot(**options)
    bot.desk.open()
    bot.start()
    bot.pump(restored())
    bot.pump(books_agree(at=bot.clock.now()))
    return bot


@pytest.mark.control("C30")
def test_status_tells_every_limit_and_the_state_topic_none() -> None:
    """The retained state stays small enough for any packet; the answer holds a row for each limit."""

    async def story() -> None:
        bot = a_peaceful_bot()
        await bot.pass_s(30)
        facts = status(bot)
        assert set(uses(facts)) == {name for name, *_ in TABLE}
        assert (facts["mode"], facts["demands"], facts["orders_unknown"], facts["compared_s_ago"]) == (
            "NORMAL",
            [],
            [],
            30,
        )
        assert [row["name"] for row in facts["exposure"]] == ["SPX delta", "vega", "VIX delta", "margin used"]
        told = bot.link.last("state")
        assert not {"limits", "exposure", "refused", "demands"} & set(told)
        assert len(payload_of(told)) < LARGEST_EVENT_BYTES / 2
        await bot.end()

    played(story())


@pytest.mark.control("C30")
@pytest.mark.parametrize("fault", ["dead link", "never connected", "data lost", "halted", "stopped"])
def test_status_answers_in_every_fault_state_without_waiting(fault: str) -> None:
    """Nothing is awaited: the answer is there in the same step, whatever is broken."""

    async def story() -> None:
        bot = Bot(up=False) if fault == "never connected" else a_peaceful_bot()
        if fault == "dead link":
            bot.broker.break_link()
            bot.pump(LinkLost(at=bot.clock.now(), why="1100"))
        elif fault == "data lost":
            bot.pump(DataFeedChanged(at=bot.clock.now(), usable=False, why="2103"))
        elif fault == "halted":
            bot.desk.halt("test")
        elif fault == "stopped":
            bot.rig.engine.shut("stopping")
        asked_at = bot.clock.now()
        facts = status(bot)
        assert bot.clock.now() == asked_at
        assert set(uses(facts)) == {name for name, *_ in TABLE}
        await bot.end()

    played(story())


@pytest.mark.control("C30")
@pytest.mark.control("C19")
def test_where_nothing_is_valued_the_status_says_unknown_and_never_zero() -> None:
    """No account, no quotes, no levels: what follows from them is unknown with its reason."""

    async def story() -> None:
        bot = Bot(up=False)
        facts = status(bot)
        found = uses(facts)
        for name in ("max_margin_frac", "max_gross_leverage", "max_day_loss_frac", "max_vega_frac"):
            assert found[name].startswith("unknown: "), name
        rows = {row["limit"]: row for row in facts["limits"]}
        assert rows["max_margin_frac"]["headroom"] == ""
        assert next(row for row in facts["exposure"] if row["name"] == "margin used")["amount"].startswith("unknown: ")
        assert facts["compared_s_ago"] == -1
        await bot.end()

    played(story())


@pytest.mark.control("C30")
def test_a_valuation_that_throws_leaves_the_rest_of_the_status(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole of it fails: one row says so, and mode, cause and orders are told."""

    async def story() -> None:
        bot = a_peaceful_bot()

        def broken() -> None:
            raise ZeroDivisionError("test")

        monkeypatch.setattr(bot.rig.engine, "rooms", broken)
        facts = status(bot)
        assert facts["limits"] == [{"limit": "all", "use": "unknown: ZeroDivisionError: test"}]
        assert facts["exposure"] == [{"name": "all", "amount": "unknown: ZeroDivisionError: test"}]
        assert facts["mode"] == "NORMAL"
        await bot.end()

    played(story())


def test_status_says_who_demands_the_mode_and_who_may_end_it() -> None:
    """The latch by its cause, a guard by its name, each with what ends it."""

    async def story() -> None:
        bot = await a_halted_bot()
        bot.pump(DataFeedChanged(at=bot.clock.now(), usable=False, why="2103"))
        latch, data = status(bot)["demands"]
        assert latch.startswith("latch asks for HALT")
        assert latch.endswith("ends by a signed resume, role resume")
        assert data == "market_data asks for REDUCE_ONLY; ends by itself, when its cause is gone"
        await bot.end()

    played(story())


def test_status_names_what_the_bot_asked_of_itself() -> None:
    """A loss beyond its limit, and a pattern that executed too often."""

    async def story() -> None:
        bot = a_peaceful_bot()
        for source, mode in ((DemandSource.LOSSES, TradingMode.REDUCE_ONLY), (DemandSource.REPEATS, TradingMode.HALT)):
            bot.pump(ModeDemanded(at=bot.clock.now(), source=source, mode=mode, cause=f"{source} by a test"))
        losses, repeats = status(bot)["demands"]
        assert losses == (
            "losses asks for REDUCE_ONLY: losses by a test; ends by the session of a later day, or a signed resume, "
            "role resume"
        )
        assert repeats.endswith("ends by a signed resume, roles resume and risk")
        await bot.end()

    played(story())


def test_status_names_orders_in_doubt() -> None:
    """Each with why nobody knows."""

    async def story() -> None:
        bot = Bot().with_order(call_order(1, Unknown(why="no answer in time")))
        assert status(bot)["orders_unknown"] == ["i-1: no answer in time"]
        await bot.end()

    played(story())


def test_status_names_what_was_refused_last_and_why() -> None:
    """Id, order, age, and each rule with value, limit and headroom."""

    async def story() -> None:
        bot = a_peaceful_bot(checks=(OverEverything(),))
        bot.rig.planner.wants = 1
        bot.pump(books_agree(at=bot.clock.now()))
        await bot.pass_s(7)
        facts = status(bot)
        (row,), (reason,) = facts["refused"], facts["refused_by"]
        assert (row["age_s"], row["quantity"], row["overridable"]) == ("7", "1", "vega")
        assert row["legs"] == "+1 OPT:VIX:2026-11-18:21:C, -1 OPT:VIX:2026-11-18:26:C"
        assert (reason["rule"], reason["found"], reason["limit"], reason["headroom"]) == ("vega", "2", "1", "-1")
        assert reason["intent"] == row["intent"]
        await bot.end()

    played(story())


def test_the_longest_answer_fits_into_what_the_broker_of_messages_carries() -> None:
    """Every limit unknown for a very long reason, many orders refused for many: still below 64 KiB, and readable."""

    async def story() -> None:
        bot = a_peaceful_bot(checks=(OverEverything(),) * 32)
        for quantity in range(1, 12):
            bot.rig.planner.wants, bot.rig.planner.quantity = 1, quantity
            bot.pump(books_agree(at=bot.clock.now()))
            await bot.pass_s(1)
        facts = status(bot)
        for row in facts["limits"]:
            row |= {"scope": "s" * 160, "use": "u" * 160, "note": "n" * 160}
        key = Ed25519PrivateKey.generate()
        payload = signed_ack(Ack(command_id="s-1", stage=AckStage.DONE, detail=facts), key, NOON)
        assert len(facts["refused"]) == 8
        assert len(payload) < LARGEST_ACK_BYTES
        read = ack_of(payload, key.public_key())
        assert read is not None
        assert read.detail == facts
        await bot.end()

    played(story())


def test_a_question_over_the_local_socket_leaves_no_row() -> None:
    """A watchdog asks every few seconds: the journal is not filled with that; one over MQTT is written down."""

    async def story() -> None:
        bot = a_peaceful_bot()
        await bot.pass_s(1)
        status(bot, channel=Channel.LOCAL_SOCKET, proof=Proof.LOCAL, reason="")
        await bot.pass_s(1)
        assert "command_acknowledged" not in bot.journal.kinds()
        status(bot, channel=Channel.MQTT)
        await bot.pass_s(1)
        assert bot.journal.kinds().count("command_acknowledged") == 1
        await bot.end()

    played(story())
