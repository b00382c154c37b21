"""The wing adviser: it speaks when the sleeve has carried the book out of its band, and sends nothing (M8)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from bot.app.wings import WingAdviser
from bot.domain.errors import ConnectivityError
from bot.domain.instrument import Instrument, InstrumentKey
from bot.domain.market import Quote
from bot.domain.snapshot import Snapshot
from bot.hedging.condor.settings import CondorSettings
from bot.hedging.settings import HedgeSettings
from risk.limits import RiskLimits
from tests.bot.app.app_parts import Bot, played
from tests.builders import Scenery, a_lot, spread_legs

TEN = Scenery(condors=10)
HALF_HOURS = 1801.0


class Listed:
    """The scenery's chain of index options, with quotes of its market."""

    def __init__(self) -> None:
        """Answer at once until told otherwise."""
        self.error: Exception | None = None
        self.asked: list[int] = []

    async def option_chain(self, symbol: str, settlement_from: date, settlement_to: date) -> tuple[Instrument, ...]:  # noqa: ARG002 - port
        """Return the options of a settlement."""
        if self.error is not None:
            raise self.error
        return tuple(TEN.universe.options("SPXW", settlement_from))

    async def snapshot(self, instruments: Sequence[Instrument]) -> Mapping[InstrumentKey, Quote]:
        """Return the market's quotes."""
        self.asked.append(len(instruments))
        return {one.key: TEN.quote(one) for one in instruments}


class Advised:
    """A bot whose moments the test gives."""

    def __init__(self, *, limits: RiskLimits | None = None) -> None:
        """Nothing is held yet."""
        self.bot = Bot()
        self.data: Any = Listed()
        adviser = WingAdviser(
            shell=self.bot.shell,
            data=self.data,
            link=self.bot.keeper,
            settings=CondorSettings(),
            hedge=HedgeSettings(),
            limits=limits or RiskLimits(),
        )
        self.bot.start(adviser.run())
        self.bot.keeper.ready.set()

    def stand_at(self, snapshot: Snapshot) -> None:
        """Let every look show this moment."""
        self.bot.state.snapshot = lambda now: replace(snapshot, now=min(now, snapshot.now))  # type: ignore[method-assign]  # the test's moment

    async def looks(self, count: int = 1) -> None:
        """Let so many looks happen."""
        await self.bot.pass_s(HALF_HOURS * count)

    def rows(self, kind: str) -> list[Any]:
        """Facts of the rows of a kind."""
        return [row.payload for row in self.bot.journal.rows if row.kind == kind]


def _leaning() -> Snapshot:
    """A book with so much overlay that it leans out of its band."""
    return TEN.snapshot(book=TEN.book(lots=(a_lot(spread_legs(21, 26), units=60, cost=80 * 60, exposure=11.0),)))


def told(story: Any, **options: Any) -> None:
    """Play a story at noon."""

    async def all_of_it() -> None:
        scene = Advised(**options)
        await story(scene)
        assert scene.bot.rig.sent() == []
        await scene.bot.end()

    played(all_of_it())


def test_a_book_inside_its_band_is_left_alone() -> None:
    """The reference book leans, and stays within: nothing is looked up."""

    async def story(scene: Advised) -> None:
        scene.stand_at(TEN.snapshot())
        await scene.looks(3)
        assert (scene.data.asked, scene.rows("wings_advised")) == ([], [])

    told(story)


def test_a_book_that_the_sleeve_carried_out_is_advised_once() -> None:
    """The roll of long puts is told with its figures, and not again within a quarter of an hour."""

    async def story(scene: Advised) -> None:
        scene.stand_at(_leaning())
        await scene.looks()
        [facts] = scene.rows("wings_advised")
        assert "SELL" in facts["words"]
        assert "band" in facts["words"]
        assert facts["considered"]
        assert max(scene.data.asked) <= CondorSettings().most_strikes_out

    told(story)


def test_condors_that_lean_alone_are_no_matter_of_their_wings() -> None:
    """With a band that the condors themselves leave, the reason is told instead of an advice."""

    async def story(scene: Advised) -> None:
        scene.stand_at(TEN.snapshot())
        await scene.looks()
        assert scene.rows("wings_advised") == []
        assert "condors alone" in scene.rows("wings_stay")[0]["why"]

    told(story, limits=RiskLimits(neutrality_band_frac=0.001))


def test_a_chain_that_cannot_be_had_is_told() -> None:
    """No answer of the broker, no advice, and the bot goes on."""

    async def story(scene: Advised) -> None:
        scene.stand_at(_leaning())
        scene.data.error = ConnectivityError("no answer")
        await scene.looks()
        assert scene.rows("wings_unknown") == [{"why": "no answer"}]

    told(story)


def test_what_cannot_be_measured_is_not_advised_on() -> None:
    """Without a level of SPX, outside a session or without a link nothing is asked."""

    async def story(scene: Advised) -> None:
        for moment in (replace(_leaning(), levels={}), replace(_leaning(), session=None)):
            scene.stand_at(moment)
            await scene.looks()
        scene.bot.keeper.ready.clear()
        scene.stand_at(_leaning())
        await scene.looks()
        assert scene.data.asked == []

    told(story)
