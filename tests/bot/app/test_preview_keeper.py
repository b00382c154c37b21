"""The preview keeper: an order that waits for a what-if is asked about once, and silence holds the bot back."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.app.previews import PreviewKeeper
from bot.domain.command import CommandName
from bot.domain.decision import Rule
from bot.domain.errors import BrokerRejectedError, ConnectivityError
from bot.domain.events import SessionClosed, SessionOpened, TimerElapsed
from bot.domain.mode import DemandSource, TradingMode
from bot.domain.plan import PlanAction
from bot.domain.previews import MarginFigures
from risk.checks.margin_preview import MarginPreviewed
from risk.scene import Check
from tests.bot.app.app_parts import Bot, played
from tests.bot.app.test_desk_override import Over
from tests.bot.engine_parts import CALL, a_fill, filled
from tests.builders import a_future, a_plan, an_intent, buys
from tests.simulator.floors import OPENS_AT, first_session

FIGURES = MarginFigures(initial_change_usd=Decimal(900), maintenance_change_usd=Decimal(800))
WISH = an_intent((buys(a_future("VXM")),), quantity=2)
SOURCE = DemandSource.MARGIN_PREVIEW
NORMAL, REDUCE_ONLY, HALT = TradingMode.NORMAL, TradingMode.REDUCE_ONLY, TradingMode.HALT


def told(story: Callable[[Bot], Awaitable[None]], *, wants: bool = True, above: tuple[Check, ...] = ()) -> None:
    """Play a story with an open session, a link, and an order of two VXM that is wanted and must be asked about."""

    async def all_of_it() -> None:
        bot = Bot(up=False, checks=(*above, MarginPreviewed()))
        limits = replace(bot.rig.engine.limits, require_preview=True)
        bot.rig.engine.take_limits(limits)
        keeper = PreviewKeeper(shell=bot.shell, link=bot.keeper, guards=bot.desk.guards)
        bot.start(bot.keeper.run(), judging(bot), keeper.run())
        await bot.pass_s(1)
        bot.pump(SessionOpened(at=bot.clock.now(), session=first_session(), baseline=()))
        if wants:
            bot.rig.planner.wishes = (a_plan(WISH, action=PlanAction.INCREASE),)
        await story(bot)
        await bot.end()

    played(all_of_it(), start=OPENS_AT + timedelta(minutes=30))


async def judging(bot: Bot) -> None:
    """Let the guards judge now and then; the inputs of a signal are no part of these stories."""
    while True:
        await bot.pass_s(5)
        bot.desk.guards.judge()


async def planned(bot: Bot, seconds: float = 1.0) -> None:
    """Plan now, and let so much time pass."""
    bot.pump(TimerElapsed(at=bot.clock.now()))
    await bot.pass_s(seconds)


def rows(bot: Bot, kind: str) -> list[dict[str, Any]]:
    """What was written of one kind."""
    return [dict(row.payload) for row in bot.journal.rows if row.kind == kind]


def test_the_order_is_asked_about_once_and_leaves_at_the_next_decision() -> None:
    """Refused, asked, approved, with the figures in the journal between the two."""

    async def story(bot: Bot) -> None:
        bot.broker.figures = [FIGURES]
        await planned(bot)
        assert [(one.legs, one.quantity) for one in bot.broker.questions] == [(WISH.legs, 2)]
        assert [one.intent.legs for one in bot.broker.submitted] == [WISH.legs]
        assert bot.broker.submitted[0].intent.intent_id != bot.broker.questions[0].intent_id
        kinds = [row.kind for row in bot.journal.rows]
        assert kinds.index("order_refused") < kinds.index("margin_previewed") < kinds.index("order_prepared")
        assert rows(bot, "margin_previewed") == [
            {
                "order": f"+1 {WISH.legs[0].instrument.key}",
                "quantity": 2,
                "initial_change_usd": Decimal(900),
                "maintenance_change_usd": Decimal(800),
                "least_commission_usd": None,
                "most_commission_usd": None,
            }
        ]

    told(story)


def test_nothing_is_asked_while_no_order_waits() -> None:
    """Plans that want nothing ask nothing."""

    async def story(bot: Bot) -> None:
        for _ in range(3):
            await planned(bot, 30)
        assert bot.broker.questions == []

    told(story, wants=False)


def test_one_question_at_a_time_however_often_it_is_planned() -> None:
    """While an answer is awaited, plans of the same wish put no second question."""

    async def story(bot: Bot) -> None:
        bot.broker.figures = [FIGURES]
        for _ in range(4):
            bot.pump(TimerElapsed(at=bot.clock.now()))
            await bot.pass_s(0.02)
        assert len(bot.broker.questions) == 1
        await bot.pass_s(60)
        assert (len(bot.broker.questions), len(bot.broker.submitted)) == (1, 1)

    told(story)


@pytest.mark.control("C31")
@pytest.mark.parametrize(
    "error", [ConnectivityError("no figures in time"), BrokerRejectedError("a what-if: the broker says 360: combo")]
)
def test_three_questions_without_an_answer_hold_the_bot_back_until_one_is_answered(error: Exception) -> None:
    """Asked every fifteen seconds; REDUCE_ONLY with the third, and by the guards' one rule normal after an answer."""

    async def story(bot: Bot) -> None:
        bot.broker.figures = [error] * 4
        await planned(bot, 29)
        assert (len(bot.broker.questions), bot.state.demand(SOURCE), bot.state.mode) == (2, NORMAL, NORMAL)
        await bot.pass_s(3)
        assert (len(bot.broker.questions), bot.state.demand(SOURCE), bot.state.mode) == (3, REDUCE_ONLY, REDUCE_ONLY)
        bot.broker.figures += [FIGURES]
        await bot.pass_s(33)
        assert len(bot.broker.questions) == 5  # the order is wanted no more in this mode, and asked about all the same
        assert (bot.state.mode, bot.broker.submitted) == (REDUCE_ONLY, [])
        bot.broker.figures = [FIGURES]
        await bot.pass_s(70)
        assert bot.state.mode is NORMAL
        await planned(bot)
        assert [one.intent.legs for one in bot.broker.submitted] == [WISH.legs]
        (told_once,) = rows(bot, "preview_missing")
        assert (told_once["quantity"], told_once["why"]) == (2, str(error))

    told(story)


def test_a_lost_answer_between_good_ones_holds_nothing_back() -> None:
    """What counts is how many in a row had none."""

    async def story(bot: Bot) -> None:
        bot.broker.figures = [ConnectivityError("lost"), ConnectivityError("lost"), FIGURES]
        await planned(bot, 40)
        assert (bot.state.mode, len(bot.broker.questions), len(bot.broker.submitted)) == (NORMAL, 3, 1)

    told(story)


@pytest.mark.control("C33")
def test_in_halt_nothing_is_asked_and_nothing_counts_as_a_failure() -> None:
    """The latch is looked at in the step of the write; a kill while the order waits ends its questions."""

    async def story(bot: Bot) -> None:
        bot.broker.figures = [ConnectivityError("lost")]
        await planned(bot)
        bot.latch.tighten(HALT, "a kill")
        await bot.pass_s(200)
        assert len(bot.broker.questions) == 1
        assert bot.state.demand(SOURCE) is NORMAL

    told(story)


def test_an_answer_about_another_book_is_asked_for_anew() -> None:
    """A fill between question and answer: what was said then says nothing now."""

    async def story(bot: Bot) -> None:
        bot.broker.figures = [FIGURES, FIGURES]
        bot.pump(TimerElapsed(at=bot.clock.now()))
        await bot.pass_s(0.05)
        bot.pump(filled(a_fill(ref="somebody", instrument=CALL, at=bot.clock.now())))
        await bot.pass_s(1)
        assert len(bot.broker.questions) == 2
        assert len(rows(bot, "margin_previewed")) == 2

    told(story)


def test_a_sessions_end_ends_its_questions() -> None:
    """Nothing is asked overnight, and the next session begins with the usual patience."""

    async def story(bot: Bot) -> None:
        bot.broker.figures = [ConnectivityError("lost")] * 9
        await planned(bot, 40)
        asked = len(bot.broker.questions)
        assert bot.state.demand(SOURCE) is REDUCE_ONLY
        bot.rig.planner.wishes = ()
        bot.pump(SessionClosed(at=bot.clock.now(), session=first_session()))
        await bot.pass_s(200)
        assert len(bot.broker.questions) == asked
        assert bot.state.demand(SOURCE) is NORMAL

    told(story)


def test_while_the_link_is_down_the_question_waits() -> None:
    """It leaves when the books have been compared after it."""

    async def story(bot: Bot) -> None:
        bot.broker.figures = [ConnectivityError("lost"), FIGURES]
        await planned(bot)
        bot.broker.break_link()
        assert len(bot.broker.questions) == 1
        await bot.pass_s(120)
        assert len(bot.broker.submitted) <= 1
        assert bot.state.demand(SOURCE) is NORMAL

    told(story)


@pytest.mark.control("C15")
def test_an_override_waits_with_its_order_for_the_answer() -> None:
    """Granted for a rule that refuses, it is not used up by the judgement that finds the broker unasked."""

    async def story(bot: Bot) -> None:
        bot.desk.open()
        await planned(bot)
        (first,) = rows(bot, "order_refused")
        assert {one.rule for one in first["checks"] if not one.passed} == {Rule.VEGA, Rule.MARGIN_PREVIEW}
        assert bot.broker.questions == []  # no answer would help
        bot.desk.receive(bot.command(CommandName.STATUS, "s"))
        (known,) = bot.link.acks[-1].detail["refused"]  # type: ignore[misc]  # a list of rows
        args = {"intent": known["intent"], "digest": known["digest"], "rules": "vega"}
        bot.broker.figures = [FIGURES]
        bot.desk.receive(bot.command(CommandName.OVERRIDE, "o-1", args=args))
        await bot.pass_s(2)
        assert bot.link.acks[-1].detail["outcome"] == "let through"
        assert [one.intent.intent_id for one in bot.broker.submitted] == [known["intent"]]
        kinds = [row.kind for row in bot.journal.rows if row.kind.startswith(("override", "margin", "order_prep"))]
        assert kinds == ["override_granted", "margin_previewed", "override_used", "order_prepared"]

    told(story, above=(Over(),))
