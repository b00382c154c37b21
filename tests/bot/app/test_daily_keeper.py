"""The daily keeper: the last good counts and the closes of a session are written, and nothing of it stops the bot."""

from collections.abc import Coroutine, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.history.daily_store import DailyStore
from bot.app.daily import KEPT, LOOKS_BEFORE_CLOSE_S, DailyKeeper
from bot.domain.errors import ConnectivityError
from bot.domain.events import SessionClosed, SessionOpened
from bot.domain.instrument import AD_NYSE, SPX, InstrumentKey
from bot.domain.market import DataType, Quote
from bot.ports import DailyClose, DailyRecord
from tests.bot.app.app_parts import Bot, played
from tests.builders import NOON, TODAY, a_session
from tests.fakes import FakeMarketData

Shown = Mapping[InstrumentKey, Quote]
MONDAY = TODAY - timedelta(days=1)
CLOSES = a_session().closes_at


def counts(advances: float | None = 1523, declines: float | None = 1204, data_type: DataType = DataType.LIVE) -> Shown:
    """What the broker shows of breadth."""
    quote = Quote(key=AD_NYSE.key, bid=advances, ask=declines, bid_size=87, ask_size=0, at_ns=0, data_type=data_type)
    return {AD_NYSE.key: quote}


def closes(*levels: tuple[date, float]) -> dict[InstrumentKey, Sequence[DailyClose]]:
    """The same closes of every symbol that is kept."""
    rows = [DailyClose(day=day, close=close) for day, close in levels]
    return {one.key: rows for one in KEPT}


class FullDisk:
    """A record that takes nothing."""

    def record_close(self, symbol: str, day: date, close: float) -> bool:
        """Fail."""
        raise OSError(28, f"no space for {symbol} {day} {close}")

    def record_breadth(self, day: date, advances: int, declines: int) -> bool:
        """Fail."""
        raise OSError(28, f"no space for {day} {advances} {declines}")


class Kept:
    """A bot in an open session with a keeper."""

    def __init__(self, record: DailyRecord, shown: Sequence[Shown | Exception]) -> None:
        """The link comes up at once."""
        self.bot = Bot(up=False, adopted=False)
        self.data = FakeMarketData(closes((MONDAY, 6790.0), (TODAY, 6800.5)))
        self.data.shown = list(shown)
        self.keeper = DailyKeeper(shell=self.bot.shell, data=self.data, link=self.bot.keeper, record=record)
        self.bot.start(self.bot.keeper.run(), self.keeper.run())

    async def over(self, day: date = TODAY) -> None:
        """Let a session pass to its end."""
        session = a_session(day)
        now = self.bot.clock.now()
        self.bot.pump(SessionOpened(at=now, session=session, baseline=()))
        await self.bot.pass_s((session.closes_at - now).total_seconds() + 2.0)
        self.bot.pump(SessionClosed(at=self.bot.clock.now(), session=session))
        await self.bot.pass_s(60)

    def rows(self, kind: str) -> list[dict[str, Any]]:
        """The facts of the journal's rows of a kind."""
        return self.bot.journal.of_kind(kind)


def run(story: Coroutine[Any, Any, None], start: datetime = NOON) -> None:
    """Play a story."""
    played(story, start=start)


def test_the_counts_and_closes_of_a_session_are_written_after_its_close(tmp_path: Path) -> None:
    """Breadth of the day, closes of the day and of the days before that the store lacks, and one row that says so."""

    async def story() -> None:
        kept = Kept(DailyStore(tmp_path), [counts()])
        await kept.over()
        assert (tmp_path / "AD-NYSE.csv").read_text() == "DATE,ADVANCES,DECLINES\n2026-10-20,1523,1204\n"
        assert (tmp_path / "IWM.csv").read_text() == "DATE,IWM\n2026-10-19,6790.0\n2026-10-20,6800.5\n"
        [facts] = kept.rows("daily_recorded")
        assert (facts["day"], facts["advances"], facts["declines"]) == (TODAY, 1523, 1204)
        assert facts["closes"] == {one.symbol: 6800.5 for one in KEPT}
        assert kept.rows("daily_missing") == []
        assert kept.data.snapshots == len(LOOKS_BEFORE_CLOSE_S)
        await kept.bot.end()

    run(story())


@pytest.mark.parametrize(
    "shown",
    [
        [counts(1000, 1700), counts(), {}],
        [counts(), ConnectivityError("slow"), counts(1523, -1)],
        [{}, {}, counts()],
    ],
)
def test_the_last_good_counts_hold(tmp_path: Path, shown: list[Shown | Exception]) -> None:
    """A later look that shows nothing does not undo an earlier one, and a later one that does replaces it."""

    async def story() -> None:
        kept = Kept(DailyStore(tmp_path), shown)
        await kept.over()
        breadth = DailyStore(tmp_path).breadth()
        assert breadth is not None
        assert breadth.rows == ((TODAY, 1523, 1204),)
        await kept.bot.end()

    run(story())


@pytest.mark.parametrize(
    ("shown", "why"),
    [
        ({}, "the broker shows no counts: not subscribed"),
        (counts(declines=None), "declines are not shown"),
        (counts(advances=None), "advances are not shown"),
        (counts(advances=0), "advances must be a whole number above 0, were 0"),
        (counts(declines=-1), "declines must be a whole number above 0, were -1"),
        (counts(declines=float("nan")), "declines must be a whole number above 0, were nan"),
        (counts(advances=1523.5), "advances must be a whole number above 0, were 1523.5"),
        (counts(data_type=DataType.FROZEN), "the counts are frozen and not live"),
        (ConnectivityError("no answer in time"), "no answer in time"),
    ],
)
def test_what_is_no_count_is_not_written_and_said_once(tmp_path: Path, shown: Shown | Exception, why: str) -> None:
    """One line a session with the reason; the closes are kept all the same."""

    async def story() -> None:
        kept = Kept(DailyStore(tmp_path), [shown])
        await kept.over()
        [facts] = kept.rows("daily_missing")
        assert (facts["day"], facts["what"]) == (TODAY, "AD-NYSE")
        assert why in facts["why"]
        assert not (tmp_path / "AD-NYSE.csv").exists()
        assert [facts["advances"] for facts in kept.rows("daily_recorded")] == [None]
        await kept.bot.end()

    run(story())


def test_a_disk_that_takes_nothing_is_complained_about_and_stops_nothing(tmp_path: Path) -> None:
    """Five complaints on the day of the full disk; a bot with room again goes on with the next session."""

    async def story() -> None:
        kept = Kept(FullDisk(), [counts()])
        await kept.over()
        assert {facts["what"] for facts in kept.rows("daily_missing")} == {"AD-NYSE", *(one.symbol for one in KEPT)}
        assert all("no space for" in facts["why"] for facts in kept.rows("daily_missing"))
        assert kept.rows("daily_recorded") == []
        kept.keeper._record = DailyStore(tmp_path)
        await kept.over(TODAY + timedelta(days=1))
        breadth = DailyStore(tmp_path).breadth()
        assert breadth is not None
        assert [row[0] for row in breadth.rows] == [TODAY + timedelta(days=1)]
        await kept.bot.end()

    run(story())


def test_a_close_that_contradicts_the_store_is_told_and_the_others_are_kept(tmp_path: Path) -> None:
    """The store holds another close of SPX for the Monday: its line says so, the day's own close is written."""

    async def story() -> None:
        DailyStore(tmp_path).record_close("SPX", MONDAY, 6789.0)
        kept = Kept(DailyStore(tmp_path), [counts()])
        await kept.over()
        [facts] = kept.rows("daily_missing")
        assert facts["what"] == "SPX"
        assert "holds 6789.0 for 2026-10-19, was given 6790.0" in facts["why"]
        series = DailyStore(tmp_path).closes("SPX")
        assert series is not None
        assert series.rows[-1] == (TODAY, 6800.5)
        await kept.bot.end()

    run(story())


def test_closes_that_cannot_be_had_are_told(tmp_path: Path) -> None:
    """The broker has no history of SPX today: the other three are written."""

    async def story() -> None:
        kept = Kept(DailyStore(tmp_path), [counts()])
        kept.data.closes = {key: rows for key, rows in closes((TODAY, 6800.5)).items() if key != SPX.key}
        await kept.over()
        assert [facts["what"] for facts in kept.rows("daily_missing")] == ["SPX"]
        assert set(kept.rows("daily_recorded")[0]["closes"]) == {"RUT", "SPY", "IWM"}
        await kept.bot.end()

    run(story())


def test_a_restart_between_sessions_keeps_the_store(tmp_path: Path) -> None:
    """The second bot adds its day behind that of the first; the same session closed again adds nothing."""

    async def story(day: date, expected: list[date]) -> None:
        kept = Kept(DailyStore(tmp_path), [counts()])
        kept.data.closes = closes((day, 6800.5))
        await kept.over(day)
        breadth = DailyStore(tmp_path).breadth()
        assert breadth is not None
        assert [row[0] for row in breadth.rows] == expected
        assert kept.rows("daily_missing") == []
        await kept.bot.end()

    tomorrow = TODAY + timedelta(days=1)
    run(story(TODAY, [TODAY]))
    run(story(TODAY, [TODAY]))
    run(story(tomorrow, [TODAY, tomorrow]), start=NOON + timedelta(days=1))


def test_a_start_after_the_last_look_says_that_nobody_looked(tmp_path: Path) -> None:
    """A bot that comes up half a minute before the close has seen no counts and asks for none."""

    async def story() -> None:
        kept = Kept(DailyStore(tmp_path), [counts()])
        await kept.over()
        [facts] = kept.rows("daily_missing")
        assert "was not there to look" in facts["why"]
        assert kept.data.snapshots == 0
        await kept.bot.end()

    run(story(), start=CLOSES.astimezone(UTC) - timedelta(seconds=30))


def test_without_a_link_nothing_is_asked(tmp_path: Path) -> None:
    """The reason is the link."""

    async def story() -> None:
        kept = Kept(DailyStore(tmp_path), [counts()])
        kept.bot.broker.connect_errors = [ConnectivityError("down")] * 5000
        await kept.bot.pass_s(1)
        kept.bot.broker.break_link()
        await kept.over()
        [facts] = kept.rows("daily_missing")
        assert facts["why"] == "there was no link to the broker"
        assert kept.data.snapshots == 0
        await kept.bot.end()

    run(story())
