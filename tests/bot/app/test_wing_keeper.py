"""The wing keeper: it looks beyond the wings when the sleeve has carried the book out of its band (M8)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from bot.app.wings import WingKeeper
from bot.domain.errors import ConnectivityError
from bot.domain.events import WingStrikesListed
from bot.domain.instrument import Instrument, InstrumentKey
from bot.domain.market import Quote
from bot.domain.snapshot import Snapshot
from bot.hedging.condor.settings import WingMode
from bot.hedging.condor.wings import WingBounds
from bot.hedging.settings import HedgeSettings
from tests.bot.app.app_parts import Bot, played
from tests.builders import FEES, WING_BOUNDS, Scenery, a_lot, spread_legs

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


class Kept:
    """A bot whose moments the test gives."""

    def __init__(self, *, mode: WingMode = WingMode.ADVISE, bounds: WingBounds = WING_BOUNDS) -> None:
        """Nothing is held yet."""
        self.bot = Bot()
        self.data: Any = Listed()
        self.listed: list[WingStrikesListed] = []
        self._strikes: dict[InstrumentKey, Instrument] = {}
        self.bot.pump.hear(WingStrikesListed, self._hear)
        keeper = WingKeeper(
            shell=self.bot.shell,
            data=self.data,
            link=self.bot.keeper,
            mode=mode,
            bounds=lambda: bounds,
            hedge=HedgeSettings(),
            fees=FEES,
        )
        self.bot.start(keeper.run())
        self.bot.keeper.ready.set()

    def _hear(self, event: Any) -> None:
        self.listed.append(event)
        self._strikes = {one.key: one for one in event.instruments}

    def stand_at(self, snapshot: Snapshot) -> None:
        """Let every look show this moment, with the strikes that were listed last."""
        self.bot.state.snapshot = lambda now: replace(  # type: ignore[method-assign]  # the test's moment
            snapshot, now=min(now, snapshot.now), wing_strikes=self._strikes
        )

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
        scene = Kept(**options)
        await story(scene)
        assert scene.bot.rig.sent() == []
        await scene.bot.end()

    played(all_of_it())


def test_a_book_inside_its_band_is_left_alone() -> None:
    """The reference book leans, and stays within: nothing is looked up, and nothing is watched."""

    async def story(scene: Kept) -> None:
        scene.stand_at(TEN.snapshot())
        await scene.looks(3)
        assert (scene.data.asked, scene.rows("wings_advised"), scene.listed) == ([], [], [])

    told(story, mode=WingMode.AUTO)


def test_a_book_that_the_sleeve_carried_out_is_advised_once() -> None:
    """The roll of long puts is told with its figures, not again within a quarter of an hour, and nothing is watched."""

    async def story(scene: Kept) -> None:
        scene.stand_at(_leaning())
        await scene.looks()
        [facts] = scene.rows("wings_advised")
        assert "SELL" in facts["words"]
        assert "band" in facts["words"]
        assert facts["considered"]
        assert scene.data.asked == [2 * WING_BOUNDS.most_strikes_out]
        assert scene.listed == []

    told(story)


def test_where_a_roll_may_be_made_its_strikes_are_watched_while_the_book_leans() -> None:
    """Three beyond each wing, listed once; none of them any more once the book is back."""

    async def story(scene: Kept) -> None:
        scene.stand_at(_leaning())
        await scene.looks(2)
        assert [len(event.instruments) for event in scene.listed] == [2 * WING_BOUNDS.most_strikes_out]
        assert scene.rows("wings_advised") == []
        scene.stand_at(TEN.snapshot())
        await scene.looks(2)
        assert [len(event.instruments) for event in scene.listed] == [2 * WING_BOUNDS.most_strikes_out, 0]

    told(story, mode=WingMode.PROPOSE)


def test_condors_that_lean_alone_are_no_matter_of_their_wings() -> None:
    """With a band that the condors themselves leave, the reason is told instead."""

    async def story(scene: Kept) -> None:
        scene.stand_at(TEN.snapshot())
        await scene.looks()
        assert (scene.rows("wings_advised"), scene.listed) == ([], [])
        assert "condors alone" in scene.rows("wings_stay")[0]["why"]

    told(story, bounds=replace(WING_BOUNDS, band_frac=0.001))


def test_a_chain_that_cannot_be_had_is_told() -> None:
    """No answer of the broker, no advice, and the bot goes on."""

    async def story(scene: Kept) -> None:
        scene.stand_at(_leaning())
        scene.data.error = ConnectivityError("no answer")
        await scene.looks()
        assert scene.rows("wings_unknown") == [{"why": "no answer"}]

    told(story)


def test_what_cannot_be_measured_is_not_looked_at() -> None:
    """Without a level of SPX, outside a session or without a link nothing is asked."""

    async def story(scene: Kept) -> None:
        for moment in (replace(_leaning(), levels={}), replace(_leaning(), session=None)):
            scene.stand_at(moment)
            await scene.looks()
        scene.bot.keeper.ready.clear()
        scene.stand_at(_leaning())
        await scene.looks()
        assert scene.data.asked == []

    told(story)
