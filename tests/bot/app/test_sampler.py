"""The sampler: every figure of a moment, and what passes a limit by itself is told once (M9, M11)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.app.sampler import Measures, Sampler
from bot.domain.events import SessionClosed, SessionOpened
from bot.domain.snapshot import Snapshot
from bot.hedging.settings import HedgeSettings
from tests.bot.app.app_parts import Bot, played
from tests.builders import CALENDAR, FEES, Scenery, a_session, an_account

TEN = Scenery(condors=10)


class Sampled:
    """A bot whose snapshots the test gives."""

    def __init__(self) -> None:
        """Nothing has been sampled."""
        self.bot = Bot()
        measures = Measures(hedge=HedgeSettings(), fees=FEES, calendar=CALENDAR)
        self.sampler = Sampler(self.bot.shell, measures)
        self.bot.start(self.sampler.run())
        self.bot.pump(SessionOpened(at=self.bot.clock.now(), session=a_session(), baseline=()))

    async def at(self, snapshot: Snapshot) -> None:
        """Have the next sample fall on a moment."""
        self.bot.state.snapshot = lambda _now: snapshot  # type: ignore[method-assign]  # the moment of the test
        await self.bot.pass_s(self.bot.shell.settings.sample_every_s)

    def rows(self, *kinds: str) -> list[Any]:
        """Kinds and facts of the rows that were told."""
        return [(row.kind, row.payload) for row in self.bot.journal.rows if row.kind in kinds]


def _worth(usd: int) -> Snapshot:
    return TEN.snapshot(book=TEN.book(account=an_account(usd)))


def test_a_sample_holds_the_stress_of_the_book() -> None:
    """The worst scenario by name and amount, and what mean reversion takes from the sleeve: both losses."""

    async def story() -> None:
        scene = Sampled()
        await scene.at(_worth(2_000_000))
        [(_, facts)] = scene.rows("sample_taken")
        assert facts["stress_worst_usd"] < 0
        assert facts["stress_mean_reversion_usd"] < 0
        assert facts["stress_worst"]
        await scene.bot.end()

    played(story())


def test_a_sample_holds_the_account_beside_its_limits() -> None:
    """Margin, excess liquidity and gross value as the broker reports them, half and twice net liquidation beside."""

    async def story() -> None:
        scene = Sampled()
        await scene.at(_worth(1_000_000))
        await scene.at(TEN.snapshot(book=replace(TEN.book(), account=None)))
        known, unknown = (facts for _, facts in scene.rows("sample_taken"))
        assert (known["initial_margin_usd"], known["maintenance_margin_usd"]) == (30_000, 30_000)
        assert (known["excess_liquidity_usd"], known["margin_limit_usd"]) == (970_000, 500_000)
        assert (known["gross_usd"], known["gross_limit_usd"]) == (250_000, 2_000_000)
        names = ("initial_margin_usd", "excess_liquidity_usd", "margin_limit_usd", "gross_usd", "gross_limit_usd")
        assert [unknown[name] for name in names] == [None] * 5
        await scene.bot.end()

    played(story())


def test_a_sample_tells_the_break_evens_net_of_the_hedge() -> None:
    """Both levels, the credit that is left after the hedge, and where they stand against the expected move."""

    async def story() -> None:
        scene = Sampled()
        await scene.at(_worth(2_000_000))
        await scene.at(replace(_worth(2_000_000), levels={}))
        first, without_levels = (facts["break_evens"] for _, facts in scene.rows("sample_taken"))
        condor = TEN.book().condors[0]
        [words] = first
        assert words.startswith(f"{condor.trading_class}:{condor.settlement}: break-evens ")
        assert "outside the expected move of" in words
        assert "expected move" not in without_levels[0]
        assert [facts["vix_regime"] for _, facts in scene.rows("sample_taken")] == ["balanced", None]
        await scene.bot.end()

    played(story())


def test_a_book_beyond_its_stress_limit_is_told_once_and_so_is_its_return() -> None:
    """The same condors in a small account, twice, and in a large one again: one breach, one return."""

    async def story() -> None:
        scene = Sampled()
        for usd in (2_000_000, 100_000, 100_000, 2_000_000):
            await scene.at(_worth(usd))
        told = scene.rows("stress_breached", "stress_respected")
        assert [kind for kind, _ in told] == ["stress_breached", "stress_respected"]
        assert told[0][1]["worst_usd"] < told[0][1]["limit_usd"] == -5_000.0
        await scene.bot.end()

    played(story())


def test_what_cannot_be_valued_is_no_alarm() -> None:
    """Without a level of SPX, or without account values, the figure is missing and nothing is told."""

    async def story() -> None:
        scene = Sampled()
        await scene.at(replace(_worth(100_000), levels={}))
        await scene.at(TEN.snapshot(book=replace(TEN.book(), account=None)))
        assert scene.rows("stress_breached") == []
        assert scene.rows("sample_taken")[0][1]["stress_worst_usd"] is None
        assert scene.rows("stress_respected") == []
        await scene.bot.end()

    played(story())


def test_the_last_sample_of_a_session_is_taken_while_everything_is_quoted() -> None:
    """In the last minute the beat is not waited for; after the close nothing is sampled until the next open."""

    async def story() -> None:
        scene = Sampled()
        session, snapshot = a_session(), _worth(2_000_000)
        scene.bot.state.snapshot = lambda _now: snapshot  # type: ignore[method-assign]  # the moment of the test
        await scene.bot.pass_s((session.closes_at - scene.bot.clock.now()).total_seconds() + 2.0)
        scene.bot.pump(SessionClosed(at=scene.bot.clock.now(), session=session))
        await scene.bot.pass_s(3600)
        before = [session.closes_at - row.at for row in scene.bot.journal.rows if row.kind == "sample_taken"]
        assert before[-2:] == [timedelta(minutes=4, seconds=53), timedelta(seconds=53)]
        await scene.bot.end()

    played(story())


def test_a_sample_says_what_each_part_holds_and_what_one_contract_is_worth() -> None:
    """Four legs of condors, three base calls, no overlay, each with its middle, and the maximum loss beside them."""

    async def story() -> None:
        scene = Sampled()
        snapshot = _worth(2_000_000)
        await scene.at(snapshot)
        [(_, facts)] = scene.rows("sample_taken")
        held = {part.value: contracts for part, contracts in facts["holdings"].items()}
        assert {part: len(contracts) for part, contracts in held.items()} == {"condors": 4, "base": 3, "overlay": 0}
        [condor] = TEN.book().condors
        one = held["condors"][condor.short_put.key]
        quote = snapshot.quotes[condor.short_put.key]
        assert (one.quantity, one.each_usd) == (-10, round(100 * quote.mid, 2))
        assert facts["maximum_loss_usd"] == TEN.book().cohorts[0].maximum_loss_usd > 0
        await scene.bot.end()

    played(story())
