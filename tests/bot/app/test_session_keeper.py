"""The session keeper: the right moments, the joined baseline, the listed candidates, the watched contracts."""

from collections.abc import Coroutine, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bot.app.sessions import INDICES, Market, SessionKeeper
from bot.app.weeklies import WeeklyScout
from bot.domain.errors import BrokerRejectedError, ConnectivityError
from bot.domain.events import LinkRestored, SessionClosed, SessionOpened, TimerElapsed, WingStrikesListed
from bot.domain.evidence import DailySeries, EvidenceInputs
from bot.domain.instrument import IWM, RVX, SPX, VIX, Instrument, Right, share
from bot.domain.snapshot import Snapshot
from bot.hedging.settings import HedgeSettings
from bot.hedging.universe import Candidates, Listed
from bot.ports import DailyClose
from tests.bot.app.app_parts import Bot, played
from tests.bot.engine_parts import CALL, a_fill, filled, held
from tests.builders import CALENDAR, TODAY, a_plan, an_option, vix_call
from tests.fakes import FakeMarketData

OPENS = datetime(2026, 10, 20, 13, 30, tzinfo=UTC)
CLOSES = datetime(2026, 10, 20, 20, 15, tzinfo=UTC)
EARLY = date(2026, 11, 27)
"""The day after Thanksgiving closes at 13:15."""


def closes(*days: tuple[int, float]) -> tuple[DailyClose, ...]:
    """Closes by day of October 2026."""
    return tuple(DailyClose(day=date(2026, 10, day), close=close) for day, close in days)


RVX_CLOSES = closes((15, 24.0), (16, 25.0), (17, 99.0), (19, 26.0), (20, 77.0))
VIX_CLOSES = closes((14, 16.0), (15, 17.0), (17, 98.0), (19, 19.0), (20, 66.0))


def every_option(listed: Listed, _moment: Snapshot) -> Candidates:
    """Watch every option there is."""
    return Candidates(instruments=tuple(listed.options), offered=())


class Kept:
    """A bot with a session keeper and a list of what it pumped."""

    def __init__(self, chain: tuple[Instrument, ...] = (), renewal: str | None = None) -> None:
        """Connected a second after the start."""
        self.bot = Bot(up=False, adopted=False)
        self.data = FakeMarketData({RVX.key: RVX_CLOSES, VIX.key: VIX_CLOSES})
        self.data.chain = chain
        self.sources: tuple[EvidenceInputs, dict[str, str]] = (EvidenceInputs(), {})
        self.keeper = SessionKeeper(
            shell=self.bot.shell,
            market=Market(
                data=self.data,
                choose=self._choose,
                weeklies=WeeklyScout(shell=self.bot.shell, data=self.data, settings=HedgeSettings()),
                sources=lambda: self.sources,
                renewal=lambda _day: renewal,
                learn=self._learn,
            ),
            link=self.bot.keeper,
            calendar=CALENDAR,
        )
        self.choices = 0
        self.learned: list[tuple[tuple[Instrument, ...], int]] = []  # what, and how much was listed already
        self.opened: list[SessionOpened] = []
        self.closed: list[SessionClosed] = []
        self.beats: list[datetime] = []
        self.bot.pump.hear(SessionOpened, self.opened.append)
        self.bot.pump.hear(SessionClosed, self.closed.append)
        self.bot.pump.hear(TimerElapsed, lambda event: self.beats.append(event.at))
        self.bot.start(self.bot.keeper.run(), self.keeper.run())

    def _choose(self, listed: Listed, moment: Snapshot) -> Candidates:
        self.choices += 1
        return every_option(listed, moment)

    async def _learn(self, instruments: Sequence[Instrument]) -> None:
        listed = self.bot.state.snapshot(self.bot.clock.now()).universe
        self.learned.append((tuple(instruments), len(listed)))

    async def until(self, moment: datetime) -> None:
        """Let time pass up to a moment."""
        await self.bot.pass_s((moment - self.bot.clock.now()).total_seconds())

    def watched(self) -> set[str]:
        """The contracts that are streamed."""
        return {instrument.key for instrument in self.data.watched[-1]}


def run(story: Coroutine[Any, Any, None], start: datetime) -> None:
    """Play a story from a moment on."""
    played(story, start=start)


def test_sessions_open_and_close_on_time_with_their_joined_baseline() -> None:
    """At the open, and two seconds after the close; only earlier sessions on which both indices closed count."""

    async def story() -> None:
        kept = Kept()
        await kept.until(OPENS + timedelta(days=1, seconds=1))
        first, second = kept.opened
        assert (first.at, second.at) == (OPENS, OPENS + timedelta(days=1))
        assert first.baseline == (
            (date(2026, 10, 15).toordinal(), 24.0, 17.0),
            (date(2026, 10, 19).toordinal(), 26.0, 19.0),  # the 16th lacks VIX, the 17th is a Saturday
        )
        assert [event.at for event in kept.closed] == [CLOSES + timedelta(seconds=2)]
        await kept.bot.end()

    run(story(), OPENS - timedelta(minutes=30))


def test_an_early_close_is_kept_and_the_weekend_skipped() -> None:
    """13:15 in New York on the day after Thanksgiving; the next session is Monday's."""

    async def story() -> None:
        kept = Kept()
        session = CALENDAR.session(EARLY)
        assert session is not None
        await kept.until(session.closes_at + timedelta(days=3))
        assert kept.closed[0].at == session.closes_at + timedelta(seconds=2)
        assert max(beat for beat in kept.beats if beat.date() == EARLY) <= session.closes_at
        assert [event.session.day for event in kept.opened] == [EARLY, date(2026, 11, 30)]
        await kept.bot.end()

    run(story(), datetime(2026, 11, 27, 14, 0, tzinfo=UTC))


def test_a_start_in_mid_session_opens_it_at_once_and_one_after_the_close_waits() -> None:
    """The session that is open is today's; after the close it is tomorrow's."""

    async def story(expected: date) -> None:
        kept = Kept()
        await kept.bot.pass_s(17 * 3600 + 1800)
        assert kept.opened[0].session.day == expected
        await kept.bot.end()

    run(story(TODAY), OPENS + timedelta(hours=2))
    run(story(TODAY + timedelta(days=1)), CLOSES + timedelta(seconds=3))


def test_a_missing_baseline_is_asked_for_again_and_told_sparingly() -> None:
    """The session opens late with its baseline; half an hour of the same refusal is a row or two."""

    async def story() -> None:
        kept = Kept()
        kept.data.errors = [BrokerRejectedError("162: no data")] * 60
        await kept.until(OPENS + timedelta(minutes=40))
        (opened,) = kept.opened
        assert opened.at == OPENS + timedelta(minutes=30)
        assert len(opened.baseline) == 2
        assert 1 <= kept.bot.journal.kinds().count("baseline_missing") <= 3
        await kept.bot.end()

    run(story(), OPENS - timedelta(minutes=1))


def test_a_session_that_passed_without_a_link_is_not_opened_afterwards() -> None:
    """The link comes back at night: the next session is the next one."""

    async def story() -> None:
        kept = Kept()
        await kept.until(OPENS - timedelta(seconds=30))
        kept.bot.broker.connect_errors = [ConnectivityError("down")] * 500
        kept.bot.broker.break_link()
        await kept.until(CLOSES + timedelta(hours=1))
        kept.bot.broker.connect_errors.clear()
        await kept.until(OPENS + timedelta(days=1, seconds=1))
        assert [event.session.day for event in kept.opened] == [TODAY + timedelta(days=1)]
        await kept.bot.end()

    run(story(), OPENS - timedelta(minutes=1))


def test_the_timer_beats_every_half_minute_beside_the_publications() -> None:
    """Five seconds past each half minute."""

    async def story() -> None:
        kept = Kept()
        await kept.until(OPENS + timedelta(minutes=3))
        beats = [(beat - OPENS).total_seconds() for beat in kept.beats]
        assert beats[1:] == [5.0 + 30.0 * number for number in range(6)]
        await kept.bot.end()

    run(story(), OPENS - timedelta(minutes=1))


def test_candidates_are_listed_relisted_and_watched() -> None:
    """At the open, after a comparison and every two hours; what is held and listed is streamed with the indices."""

    async def story() -> None:
        kept = Kept((CALL,))
        other = vix_call(30)
        kept.bot.broker.positions = (held(other),)
        await kept.until(OPENS + timedelta(minutes=1))
        assert kept.data.listings == 1
        assert kept.learned == [((CALL,), 0)]  # what the broker says of a contract is known before it is listed
        assert kept.watched() == {one.key for one in (*INDICES, CALL, other)}
        kept.bot.broker.tell(_restored_line(kept))
        await kept.until(OPENS + timedelta(minutes=2))
        assert kept.data.listings == 2
        await kept.until(OPENS + timedelta(hours=2, minutes=3))
        assert kept.data.listings == 3
        calls = len(kept.data.watched)
        kept.data.errors = [ConnectivityError("slow")] * 200
        await kept.until(OPENS + timedelta(hours=4, minutes=30))
        assert len(kept.data.watched) == calls  # the adapter opens lines again by itself
        assert 1 <= kept.bot.journal.kinds().count("candidates_missing") <= 4
        await kept.bot.end()

    run(story(), OPENS - timedelta(minutes=1))


def rows(kept: Kept, kind: str) -> list[Any]:
    """The facts of the journal's rows of a kind."""
    return [row.payload for row in kept.bot.journal.rows if row.kind == kind]


def test_the_evidence_of_a_session_is_delivered_with_what_is_missing() -> None:
    """Closes before today of what the confirmations read; a history that cannot be had is named, and nobody waits."""

    async def story() -> None:
        kept = Kept()
        kept.data.closes |= {SPX.key: VIX_CLOSES, IWM.key: RVX_CLOSES}
        await kept.until(OPENS + timedelta(minutes=1))
        [facts] = rows(kept, "evidence_delivered")
        assert facts["closes"] == {"SPX": 4, "IWM": 4}
        assert set(facts["missing"]) == {"RUT", "SPY"}
        evidence = kept.bot.state.snapshot(kept.bot.clock.now()).evidence
        assert evidence is not None
        assert [day for day, _ in evidence.histories["SPX"].rows][-1] == date(2026, 10, 19)
        await kept.bot.end()

    run(story(), OPENS - timedelta(minutes=1))


def _long(symbol_moves: float) -> tuple[DailyClose, ...]:
    """Three hundred sessions in which SPX swings by a percent and VIX answers with so many points."""
    days = [each.day for each in CALENDAR.sessions(TODAY - timedelta(days=600), TODAY - timedelta(days=1))][-300:]
    return tuple(
        DailyClose(
            day=day, close=100.0 * 1.01 ** (place % 2) if not symbol_moves else 18.0 + symbol_moves * (place % 2)
        )
        for place, day in enumerate(days)
    )


def test_the_answer_of_vix_to_spx_is_measured_at_the_open() -> None:
    """Two points down for every percent up: 1.45 times the long run, in the snapshot that everybody reads."""

    async def story() -> None:
        kept = Kept()
        kept.data.closes |= {SPX.key: _long(0.0), VIX.key: _long(-2.0)}
        await kept.until(OPENS + timedelta(minutes=1))
        [facts] = rows(kept, "sensitivity_measured")
        assert facts["scale"] == pytest.approx(2.0 / 1.38, rel=0.02)
        assert kept.bot.state.snapshot(kept.bot.clock.now()).sensitivity_scale == facts["scale"]
        await kept.bot.end()

    run(story(), OPENS - timedelta(minutes=1))


def test_without_a_year_of_closes_nothing_is_measured() -> None:
    """The reason is told, and what is configured holds."""

    async def story() -> None:
        kept = Kept()
        await kept.until(OPENS + timedelta(minutes=1))
        assert rows(kept, "sensitivity_measured") == []
        assert "252" in rows(kept, "sensitivity_missing")[0]["why"]
        assert kept.bot.state.snapshot(kept.bot.clock.now()).sensitivity_scale is None
        await kept.bot.end()

    run(story(), OPENS - timedelta(minutes=1))


def test_the_operators_files_and_the_shares_held_are_delivered_too() -> None:
    """What the files say stands beside the closes, what could not be read is named, and funds are no companies."""

    async def story() -> None:
        kept = Kept()
        filed = EvidenceInputs(histories={"ABC": DailySeries(symbol="ABC", rows=((date(2026, 10, 16), 21.5),))})
        kept.sources = filed, {"breadth": "ad.csv: no such file"}
        kept.bot.broker.positions = (held(share("ABC", "NYSE")), held(share("SPY", "ARCA")))
        await kept.until(OPENS + timedelta(minutes=1))
        [facts] = rows(kept, "evidence_delivered")
        assert facts["closes"]["ABC"] == 1
        assert facts["missing"]["breadth"] == "ad.csv: no such file"
        evidence = kept.bot.state.snapshot(kept.bot.clock.now()).evidence
        assert evidence is not None
        assert evidence.satellite_names == {"ABC"}
        await kept.bot.end()

    run(story(), OPENS - timedelta(minutes=1))


@pytest.mark.parametrize(("renewal", "told"), [("CPI ends soon", [{"why": "CPI ends soon"}]), (None, [])])
def test_a_schedule_that_runs_out_is_told_once_a_session(renewal: str | None, told: list[Any]) -> None:
    """Without a table of releases nothing is shifted, and the operator hears of it every day."""

    async def story() -> None:
        kept = Kept(renewal=renewal)
        await kept.until(OPENS + timedelta(hours=1))
        assert rows(kept, "releases_run_out") == told
        await kept.bot.end()

    run(story(), OPENS - timedelta(minutes=1))


def test_contracts_that_a_plan_waits_for_are_chosen_among_what_is_listed() -> None:
    """The last plan waits for a settlement that nobody watches: the next beat chooses anew, without asking again."""

    async def story() -> None:
        kept = Kept((CALL,))
        await kept.until(OPENS + timedelta(minutes=1))
        assert (kept.data.listings, kept.choices) == (1, 1)
        kept.bot.rig.engine.last_plan = replace(a_plan(), awaits=date(2026, 12, 16))
        await kept.until(OPENS + timedelta(minutes=1, seconds=20))
        assert (kept.data.listings, kept.choices) == (1, 2)
        await kept.bot.end()

    run(story(), OPENS - timedelta(minutes=1))


def _restored_line(kept: Kept) -> LinkRestored:
    return LinkRestored(at=kept.bot.clock.now(), why="1102")


def test_the_watched_contracts_follow_fills() -> None:
    """A contract that comes into the book is streamed at once."""

    async def story() -> None:
        kept = Kept()
        await kept.until(OPENS + timedelta(minutes=1))
        other = vix_call(31)
        assert other.key not in kept.watched()
        kept.bot.pump(filled(a_fill("e-5", "manual", instrument=other, at=kept.bot.clock.now())))
        assert other.key in kept.watched()
        await kept.bot.end()

    run(story(), OPENS - timedelta(minutes=1))


def test_strikes_outside_the_wings_are_watched_as_long_as_they_are_listed() -> None:
    """Beside the candidates, from the moment they are listed until none are."""

    async def story() -> None:
        kept = Kept()
        await kept.until(OPENS + timedelta(seconds=1))
        strike = an_option(6380, date(2026, 12, 4), trading_class="SPXW", right=Right.PUT)
        for strikes, is_watched in (((strike,), True), ((), False)):
            kept.bot.pump(WingStrikesListed(at=kept.bot.clock.now(), instruments=strikes))
            assert (strike.key in kept.watched()) is is_watched
        await kept.bot.end()

    run(story(), OPENS - timedelta(minutes=30))
