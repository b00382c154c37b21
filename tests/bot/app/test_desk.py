"""The operator's desk: a kill waits for nobody, a resume needs everything, and nothing loosens by itself."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.command import AckStage, CommandName, Proof
from bot.domain.errors import LatchError
from bot.domain.events import LinkLost, OrderReported, SessionOpened
from bot.domain.instrument import VIX
from bot.domain.market import Tick
from bot.domain.mode import DemandSource, TradingMode
from bot.domain.orders import BrokerStatus, Unknown, Working
from tests.bot.app.app_parts import Bot, a_halted_bot, played
from tests.bot.engine_parts import books_agree, call_order, order_in
from tests.builders import NOON, a_session, ns
from tests.fakes import a_row

KILL, PAUSE, REDUCE, RESUME = CommandName.KILL, CommandName.PAUSE, CommandName.REDUCE_ONLY, CommandName.RESUME
LATCHED, SENT, DONE, ESCALATED, REFUSED = (
    AckStage.LATCHED,
    AckStage.CANCELS_SENT,
    AckStage.DONE,
    AckStage.ESCALATED,
    AckStage.REFUSED,
)


def a_working_bot(**options: Any) -> Bot:
    """A bot at peace with one order working."""
    bot = Bot(**options).with_order(call_order(1, Working()))
    bot.broker.hold_order("i-1")
    bot.desk.open()
    return bot.start()


def die(bot: Bot) -> None:
    """The broker confirms that the order is dead."""
    bot.broker.rows.clear()
    bot.pump(OrderReported(at=bot.clock.now(), report=a_row("i-1", BrokerStatus.CANCELLED)))


def test_a_kill_latches_halts_and_writes_its_cancels_in_one_step() -> None:
    """Nothing is awaited between the command and the cancel frames; the acks follow the disk."""

    async def story() -> None:
        bot = a_working_bot()
        bot.latch.disk = asyncio.Event()
        bot.desk.receive(bot.command(KILL))
        assert (bot.latch.mode, bot.state.mode, bot.broker.cancelled) == (TradingMode.HALT, TradingMode.HALT, ["i-1"])
        await bot.pass_s(5)
        assert bot.link.stages("c-1") == []  # the disk has not answered
        bot.latch.disk.set()
        await bot.pass_s(1)
        assert bot.link.stages("c-1") == [LATCHED, SENT]
        die(bot)
        await bot.pass_s(1)
        assert bot.link.stages("c-1") == [LATCHED, SENT, DONE]
        assert bot.latch.on_disk is TradingMode.HALT
        await bot.end()

    played(story())


def test_orders_that_do_not_die_are_escalated_after_half_a_minute() -> None:
    """The last ack names what is left."""

    async def story() -> None:
        bot = a_working_bot()
        bot.desk.receive(bot.command(KILL))
        await bot.pass_s(29)
        assert bot.link.stages("c-1") == [LATCHED, SENT]
        await bot.pass_s(2)
        assert bot.link.stages("c-1")[-1] is ESCALATED
        assert bot.link.acks[-1].detail["left"] == ["i-1"]
        await bot.end()

    played(story())


def test_a_pause_halts_and_leaves_orders_alone() -> None:
    """HALT without the cancelling."""

    async def story() -> None:
        bot = a_working_bot()
        bot.desk.receive(bot.command(PAUSE))
        await bot.pass_s(1)
        assert (bot.latch.mode, bot.broker.cancelled, bot.link.stages("c-1")) == (TradingMode.HALT, [], [LATCHED, DONE])
        await bot.end()

    played(story())


def test_a_kill_without_a_link_is_not_done_and_cancels_when_the_books_are_back() -> None:
    """No frame can leave: the ack says what is left, and the cancel leaves with the first agreement."""

    async def story() -> None:
        bot = a_working_bot()
        bot.broker.break_link()
        bot.desk.receive(bot.command(KILL))
        await bot.pass_s(31)
        assert (bot.link.stages("c-1"), bot.broker.cancelled) == ([LATCHED, ESCALATED], [])
        bot.start(bot.keeper.run())
        await bot.pass_s(10)
        assert bot.broker.cancelled == ["i-1"]
        await bot.end()

    played(story())


def test_an_automatic_halt_without_a_link_cancels_when_the_books_are_back() -> None:
    """A guard's kill owes its cancels like an operator's."""

    async def story() -> None:
        bot = a_working_bot()
        bot.broker.break_link()
        bot.desk.halt("test")
        bot.start(bot.keeper.run())
        await bot.pass_s(10)
        assert (bot.latch.mode, bot.broker.cancelled) == (TradingMode.HALT, ["i-1"])
        await bot.end()

    played(story())


def test_a_strangers_kill_reduces_alerts_once_and_never_moves_the_epoch() -> None:
    """A flood of unproved kills costs REDUCE_ONLY, one cancel and one row; the challenge of a halted bot survives."""

    async def story() -> None:
        bot = a_working_bot()
        for _ in range(50):
            bot.desk.receive(bot.command(KILL, "", proof=Proof.UNPROVED))
            await bot.pass_s(1)
        assert (bot.latch.mode, bot.latch.epoch, bot.broker.cancelled) == (TradingMode.REDUCE_ONLY, 0, ["i-1"])
        assert bot.journal.kinds().count("command_unproved") == 1
        assert len(bot.journal.rows) < 15
        await bot.end()
        halted = await a_halted_bot()
        challenge, epoch = halted.challenge(), halted.latch.epoch
        halted.desk.receive(halted.command(KILL, "", proof=Proof.UNPROVED))
        await halted.pass_s(1)
        assert (halted.challenge(), halted.latch.epoch) == (challenge, epoch)
        await halted.end()

    played(story())


def test_a_resume_with_everything_right_is_granted_once() -> None:
    """Latch, engine and disk are loosened; the same command again finds its challenge used up."""

    async def story() -> None:
        bot = await a_halted_bot()
        command = bot.command(RESUME, "r-1")
        bot.desk.receive(command)
        bot.desk.receive(bot.command(RESUME, "r-2", challenge=command.challenge))
        await bot.pass_s(1)
        assert (bot.state.mode, bot.latch.on_disk) == (TradingMode.NORMAL, TradingMode.NORMAL)
        assert (bot.link.stages("r-1"), bot.link.stages("r-2")) == ([DONE], [REFUSED])
        await bot.end()

    played(story())


def test_a_resume_names_its_target() -> None:
    """REDUCE_ONLY is looser than HALT."""

    async def story() -> None:
        bot = await a_halted_bot()
        bot.desk.receive(bot.command(RESUME, args={"mode": "REDUCE_ONLY"}))
        await bot.pass_s(1)
        assert (bot.state.mode, bot.latch.mode) == (TradingMode.REDUCE_ONLY, TradingMode.REDUCE_ONLY)
        await bot.end()

    played(story())


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"proof": Proof.LOCAL}, "not_proved"),
        ({"roles": frozenset()}, "role_missing"),
        ({"retained": True}, "retained"),
        ({"seq_is_fresh": False}, "sequence"),
        ({"issued_at": NOON - timedelta(seconds=40)}, "not_fresh"),
        ({"kill_epoch": 2}, "epoch"),
        ({"challenge": "0" * 32}, "challenge"),
        ({"reason": " "}, "reason_missing"),
        ({"args": {"mode": "HALT"}}, "target_mode"),
    ],
)
def test_a_resume_that_lacks_one_thing_is_refused_and_uses_up_the_challenge(changes: dict[str, Any], code: str) -> None:
    """Every missing part has its code; a good signature spends the challenge, a bad one does not."""

    async def story() -> None:
        bot = await a_halted_bot()
        before = bot.challenge()
        bot.desk.receive(bot.command(RESUME, **changes))
        await bot.pass_s(1)
        assert (bot.state.mode, [(ack.stage, ack.code) for ack in bot.link.acks]) == (
            TradingMode.HALT,
            [(REFUSED, code)],
        )
        assert (bot.challenge() == before) == (changes.get("proof") is Proof.LOCAL)
        await bot.end()

    played(story())


def test_doubts_and_differences_forbid_a_resume() -> None:
    """An order in doubt, or books that differ, have their own codes."""

    async def story() -> None:
        bot = await a_halted_bot()
        bot.with_order(call_order(1, Unknown(why="x")))
        bot.desk.receive(bot.command(RESUME, "r-1"))
        await bot.pass_s(1)
        bot.with_order()
        bot.pump(books_agree(differences={"x": "y"}, at=bot.clock.now()))
        bot.desk.receive(bot.command(RESUME, "r-2"))
        await bot.pass_s(1)
        assert [ack.code for ack in bot.link.acks] == ["unknown_orders", "books_differ"]
        await bot.end()

    played(story())


def test_a_resume_after_an_old_comparison_is_compared_first() -> None:
    """The books are asked before the judgement; a broker that does not answer means a refusal."""

    async def story() -> None:
        bot = await a_halted_bot()
        await bot.pass_s(120)
        asked = bot.broker.asked
        bot.desk.receive(bot.command(RESUME, "r-1"))
        await bot.pass_s(2)
        assert (bot.broker.asked, bot.link.stages("r-1")) == (asked + 1, [DONE])
        bot.desk.receive(bot.command(KILL, "k-1"))
        await bot.pass_s(120)
        bot.broker.tell(LinkLost(at=bot.clock.now(), why="1100"))
        bot.desk.receive(bot.command(RESUME, "r-2"))
        await bot.pass_s(20)
        assert bot.link.acks[-1].code == "not_reconciled"
        await bot.end()

    played(story())


@pytest.mark.parametrize("order", [(RESUME, KILL), (KILL, RESUME)])
def test_a_kill_that_races_a_resume_wins(order: tuple[CommandName, CommandName]) -> None:
    """In either order and in the same instant: HALT at the latch, in the engine and on disk."""

    async def story() -> None:
        bot = await a_halted_bot()
        commands = {RESUME: bot.command(RESUME, "r-1"), KILL: bot.command(KILL, "k-1")}
        for name in order:
            bot.desk.receive(commands[name])
        await bot.pass_s(2)
        assert (bot.latch.mode, bot.state.mode, bot.latch.on_disk) == (TradingMode.HALT,) * 3
        assert bot.link.stages("r-1") == [REFUSED]
        assert "mode_resumed" not in bot.journal.kinds()
        await bot.end()

    played(story())


@pytest.mark.parametrize(("name", "mode"), [(KILL, TradingMode.HALT), (REDUCE, TradingMode.REDUCE_ONLY)])
def test_what_tightens_while_a_resume_is_written_to_disk_stands(name: CommandName, mode: TradingMode) -> None:
    """The engine's mode is never looser than the latch's."""

    async def story() -> None:
        bot = await a_halted_bot()
        bot.latch.disk = asyncio.Event()
        bot.desk.receive(bot.command(RESUME, "r-1"))
        await bot.pass_s(1)
        bot.desk.receive(bot.command(name, "t-1"))
        bot.latch.disk.set()
        await bot.pass_s(1)
        assert (bot.latch.mode, bot.state.mode) == (mode, mode)
        assert bot.link.stages("r-1") == [REFUSED if name is KILL else DONE]
        await bot.end()

    played(story())


def test_the_challenge_is_renewed_after_use_and_after_five_minutes() -> None:
    """It never stands longer than its life."""

    async def story() -> None:
        bot = await a_halted_bot()
        first = bot.challenge()
        await bot.pass_s(280)
        assert bot.challenge() == first
        await bot.pass_s(30)
        assert bot.challenge() != first
        await bot.end()

    played(story())


def test_a_lost_command_link_reduces_after_a_minute_and_halts_only_where_it_is_required() -> None:
    """REDUCE_ONLY beyond 60 s, which cancels what nobody can judge; HALT beyond 15 min in live; a short gap nothing."""

    async def story(*, required: bool) -> None:
        bot = a_working_bot(requires_link=required)
        bot.start(bot.desk.run())
        bot.desk.channel_changed(up=False)
        await bot.pass_s(59)
        assert (bot.state.mode, bot.broker.cancelled) == (TradingMode.NORMAL, [])
        await bot.pass_s(12)
        assert (bot.state.mode, bot.broker.cancelled) == (TradingMode.REDUCE_ONLY, ["i-1"])
        await bot.pass_s(830)
        assert bot.latch.mode is TradingMode.NORMAL
        await bot.pass_s(15)
        halted = bot.latch.mode is TradingMode.HALT
        assert (halted, bot.broker.cancelled) == (required, ["i-1", "i-1"] if required else ["i-1"])
        await bot.end()

    for required in (False, True):
        played(story(required=required))


def test_the_demand_of_a_lost_command_link_ends_after_a_good_minute_and_a_comparison() -> None:
    """Back for a minute without a gap, and the books found equal since: only then NORMAL."""

    async def story() -> None:
        bot = Bot(up=False)
        bot.start(bot.keeper.run(), bot.desk.run())
        await bot.pass_s(1)
        bot.desk.channel_changed(up=False)
        await bot.pass_s(90)
        bot.desk.channel_changed(up=True)
        await bot.pass_s(50)
        assert bot.state.demand(DemandSource.COMMAND_LINK) is TradingMode.REDUCE_ONLY
        await bot.pass_s(40)
        assert bot.state.mode is TradingMode.NORMAL
        await bot.end()

    played(story())


def test_a_latch_that_cannot_be_written_ends_the_bot_with_its_orders_cancelled() -> None:
    """The flag is set, the cancels have left, no ack says that it is latched, the supervisor hears of it."""

    async def story() -> None:
        bot = a_working_bot()
        bot.latch.broken = True
        bot.desk.receive(bot.command(KILL))
        await bot.pass_s(1)
        assert (bot.latch.mode, bot.broker.cancelled, bot.link.acks) == (TradingMode.HALT, ["i-1"], [])
        assert isinstance(bot.desk.failed.exception(), LatchError)
        await bot.end()

    played(story())


def test_status_answers_and_a_stranger_is_refused() -> None:
    """What is asked of the bot is answered also while it reconciles; without proof it is not."""

    async def story() -> None:
        bot = a_working_bot()
        bot.pump(LinkLost(at=NOON, why="cut"))
        bot.desk.receive(bot.command(CommandName.STATUS, "s-1"))
        bot.desk.receive(bot.command(CommandName.STATUS, "s-2", proof=Proof.UNPROVED))
        first, second = bot.link.acks
        assert (first.stage, first.detail["reconciling"], first.detail["working_orders"]) == (DONE, True, 1)
        assert (second.stage, second.code) == (REFUSED, "not_proved")
        await bot.end()

    played(story())


def test_a_repeated_kill_is_answered_without_a_new_epoch() -> None:
    """The operator's tool repeats until it is answered."""

    async def story() -> None:
        bot = a_working_bot()
        command = bot.command(KILL)
        bot.desk.receive(command)
        bot.desk.receive(command)
        await bot.pass_s(1)
        assert (bot.latch.epoch, bot.link.stages("c-1").count(LATCHED)) == (1, 2)
        assert order_in(bot.state).cancel_requested_at is not None
        await bot.end()

    played(story())


def test_the_status_tells_the_regime_of_vix() -> None:
    """Nothing while no level is known; below 15 condors of all tiers, for information alone (M8)."""

    async def story() -> None:
        bot, session = a_working_bot(), a_session()
        assert bot.desk.state_facts()["vix_regime"] == ""
        bot.pump(SessionOpened(at=NOON, session=session, baseline=((1, 20.0, 14.0),)))
        for _ in range(2):
            bot.pump(Tick(VIX.key, 14.0, ns(NOON)))
        assert bot.desk.state_facts()["vix_regime"] == "all tiers"
        await bot.end()

    played(story())


@pytest.mark.control("C36")
def test_every_beat_says_which_bot_it_is() -> None:
    """Ten seconds apart at most: time, mode, version and the hash of the configuration, the same as in `state`."""

    async def story() -> None:
        bot = Bot()
        bot.start(bot.desk.run())
        await bot.pass_s(61)
        beats = [payload for topic, payload in bot.link.published if topic == "heartbeat"]
        state = bot.desk.state_facts()
        assert len(beats) >= 6
        for beat in beats:
            assert {name: beat[name] for name in ("mode", "version", "config_hash")} == {
                name: state[name] for name in ("mode", "version", "config_hash")
            }
            assert set(beat) == {"at", "mode", "version", "config_hash"}
        await bot.end()

    played(story())
