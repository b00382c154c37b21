"""Proposals at the desk (M14): they go out with a challenge, and only a yes in time sends an order."""

from typing import Any

import pytest

from bot.domain.command import AckStage, CommandName, Proof
from bot.domain.events import SessionOpened, TimerElapsed
from bot.hedging.stewardship.settings import Autonomy, StewardSettings
from bot.hedging.stewardship.steward import Steward
from tests.bot.app.app_parts import Bot, played
from tests.bot.engine_parts import books_agree, restored
from tests.builders import FEES, a_session

APPROVE, VETO = CommandName.APPROVE, CommandName.VETO


async def an_asking_bot() -> Bot:
    """A bot that wants one order and has asked a person for it."""
    bot = Bot(steward=Steward(StewardSettings(autonomy=Autonomy.APPROVE), FEES))
    bot.desk.open()
    bot.start()
    bot.pump(restored())
    bot.pump(SessionOpened(at=bot.clock.now(), session=a_session(), baseline=()))
    bot.rig.planner.wants = 1
    bot.pump(books_agree(at=bot.clock.now()))
    await bot.pass_s(1)
    return bot


def proposal_of(bot: Bot) -> dict[str, Any]:
    """What was published of the last proposal."""
    return next(dict(payload) for name, payload in reversed(bot.link.published) if name.startswith("proposal/"))


def answer(bot: Bot, name: CommandName, command_id: str = "a-1", **changes: Any) -> None:
    """Have the operator answer the last proposal."""
    args = {"proposal": str(proposal_of(bot)["proposal"])}
    bot.desk.receive(bot.command(name, command_id, **{"args": args, **changes}))


def kinds(bot: Bot) -> list[str]:
    """The proposals' rows in the journal."""
    return [row.kind for row in bot.journal.rows if row.kind.startswith(("proposal_", "order_prepared"))]


def test_a_proposal_goes_out_with_what_an_answer_needs() -> None:
    """The trade, its reason, its end, the commands to answer, and a challenge although the bot is not halted."""

    async def story() -> None:
        bot = await an_asking_bot()
        facts = proposal_of(bot)
        assert facts["approve"] == f"alvh approve {facts['proposal']}"
        assert facts["orders"]
        assert "everything is put before a person" in str(facts["because"])
        assert bot.challenge()
        assert bot.desk.state_facts()["proposal"] == facts["proposal"]
        assert (kinds(bot), bot.rig.sent()) == (["proposal_made"], [])
        await bot.end()

    played(story())


def test_an_approval_sends_the_order_once() -> None:
    """The yes is answered and journalled, one order leaves, and the same yes again finds nothing to decide."""

    async def story() -> None:
        bot = await an_asking_bot()
        answer(bot, APPROVE)
        await bot.pass_s(1)
        assert bot.link.stages("a-1") == [AckStage.DONE]
        assert kinds(bot) == ["proposal_made", "proposal_approved", "order_prepared"]
        assert len(bot.rig.sent()) == 1
        answer(bot, APPROVE, "a-2")
        await bot.pass_s(1)
        assert bot.link.stages("a-2") == [AckStage.REFUSED]
        assert len(bot.rig.sent()) == 1
        await bot.end()

    played(story())


def test_a_veto_sends_nothing_and_asks_no_more() -> None:
    """The no is journalled; plans of the same session hold because of it."""

    async def story() -> None:
        bot = await an_asking_bot()
        answer(bot, VETO)
        await bot.pass_s(1)
        bot.pump(TimerElapsed(at=bot.clock.now()))
        await bot.pass_s(1)
        assert kinds(bot) == ["proposal_made", "proposal_vetoed"]
        assert "vetoed by a person" in bot.journal.rows[-1].payload["reason"]  # type: ignore[operator]
        assert bot.rig.sent() == []
        await bot.end()

    played(story())


def test_an_unanswered_proposal_expires_and_nothing_is_done() -> None:
    """A quarter of an hour later a yes is too late, and the plan says that nobody answered."""

    async def story() -> None:
        bot = await an_asking_bot()
        await bot.pass_s(901)
        answer(bot, APPROVE)
        answer(bot, VETO, "v-1")
        bot.pump(TimerElapsed(at=bot.clock.now()))
        await bot.pass_s(1)
        assert bot.link.stages("a-1") == [AckStage.REFUSED]
        assert bot.link.acks[-1].code == "no_such_proposal"
        assert kinds(bot) == ["proposal_made"]
        assert "asked no more in this session" in bot.journal.rows[-1].payload["reason"]  # type: ignore[operator]
        assert bot.rig.sent() == []
        await bot.end()

    played(story())


@pytest.mark.parametrize("changes", [{"challenge": "guessed"}, {"proof": Proof.UNPROVED}, {"kill_epoch": 77}])
def test_a_yes_without_proof_decides_nothing(changes: dict[str, Any]) -> None:
    """A wrong challenge, a stranger, another epoch: refused, and the proposal goes on waiting."""

    async def story() -> None:
        bot = await an_asking_bot()
        answer(bot, APPROVE, **changes)
        await bot.pass_s(1)
        assert bot.link.stages("a-1") == [AckStage.REFUSED]
        assert bot.rig.sent() == []
        assert bot.desk.state_facts()["proposal"]
        await bot.end()

    played(story())


def test_an_approved_trade_is_not_made_while_halted() -> None:
    """A pause between the question and the yes: the gate refuses what was approved."""

    async def story() -> None:
        bot = await an_asking_bot()
        bot.desk.receive(bot.command(CommandName.PAUSE, "p-1"))
        await bot.pass_s(1)
        answer(bot, APPROVE)
        await bot.pass_s(1)
        assert bot.link.stages("a-1") == [AckStage.DONE]
        assert bot.rig.sent() == []
        assert bot.journal.rows[-1].kind == "order_refused"
        await bot.end()

    played(story())
