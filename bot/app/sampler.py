"""Takes a picture of the whole every few minutes of a session: signal, sleeve, cost, delta; the report draws them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from bot.app.shell import Shell
from bot.break_evens import NoBreakEvens, break_evens, expected_move
from bot.deltas import band_half_width_usd, book_delta
from bot.domain.errors import InvalidValueError
from bot.domain.events import CommissionReported, SessionOpened
from bot.domain.fees import FeeSchedule
from bot.domain.instrument import RUT, RVX, SPX, VIX
from bot.domain.portfolio import Book
from bot.domain.schedule import Session, SessionCalendar
from bot.domain.snapshot import Snapshot
from bot.hedging.condor.regime import Regime, regime_of
from bot.hedging.condor.settings import CondorSettings
from bot.hedging.holdings import holdings_of
from bot.hedging.settings import HedgeSettings
from bot.hedging.sleeve import read_sleeve
from bot.valuation import Unvalued, Valuer
from risk.checks.hedge_cost import cost_report
from risk.checks.leverage import gross_held_usd
from risk.cost import CostReport
from risk.scene import Scene
from risk.stress import StressReport, StressSettings, book_stress

Facts = Mapping[str, object]
SAMPLE_PHASE_S = 7.0
"""After the open, so that samples fall together neither with published indices nor with the timer."""
CLOSING_LEAD = timedelta(seconds=60.0 - SAMPLE_PHASE_S)
"""Before the close: in the last minute everything held is still quoted, and as long after the whole minute as ever."""
THRESHOLD = 1.25
"""M1: the spread stands out above this multiple of its baseline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """What the figures are measured with beside the limits in force: the planner's own settings."""

    hedge: HedgeSettings
    fees: FeeSchedule
    calendar: SessionCalendar
    wings: CondorSettings = field(default_factory=CondorSettings)


class Sampler:
    """One task that looks and writes down; it decides nothing."""

    def __init__(self, shell: Shell, measures: Measures) -> None:
        """Take what figures are measured with."""
        self._shell = shell
        self._measures = measures
        self._breached = False
        self._is_stressed = False
        self._opened = asyncio.Event()
        shell.pump.hear(SessionOpened, lambda _event: self._opened.set())
        shell.pump.hear(CommissionReported, lambda _event: self._watch_cap())

    async def run(self) -> None:
        """Sample while a session is open and once more at its end, for ever."""
        while True:
            await self._opened.wait()
            session = self._shell.engine.state.session
            if session is None:
                self._opened.clear()
                continue
            await self._shell.clock.sleep(self._until_next_s(session))
            if self._shell.engine.state.session is not None:
                self._sample()

    def _until_next_s(self, session: Session) -> float:
        """Seconds to the next beat, or to the last moment of the session where that comes first."""
        now, every = self._shell.clock.now(), self._shell.settings.sample_every_s
        beat = every - ((now - session.opens_at).total_seconds() - SAMPLE_PHASE_S) % every
        to_close = (session.closes_at - CLOSING_LEAD - now).total_seconds()
        return min(beat, to_close) if to_close > 0.0 else beat

    def _sample(self) -> None:
        figures = self.figures(self._snapshot())
        self._shell.tell("sample_taken", figures)
        self._watch_stress(figures)
        self._watch_cap()

    def _snapshot(self) -> Snapshot:
        return self._shell.engine.state.snapshot(self._shell.clock.now())

    def figures(self, snapshot: Snapshot) -> Facts:
        """Return every figure of a moment; None where it is unknown."""
        valuer = Valuer(snapshot, self._measures.hedge.valuation)
        reading = snapshot.dispersion
        sleeve = read_sleeve(snapshot, valuer, self._measures.hedge.temporal, self._measures.calendar)
        plan = self._shell.engine.last_plan
        delta = book_delta(snapshot.book.positions, valuer)
        cost = self._cost(snapshot, valuer)
        return {
            "spx": snapshot.levels.get(SPX.key),
            "rut": snapshot.levels.get(RUT.key),
            "vix": snapshot.levels.get(VIX.key),
            "rvx": snapshot.levels.get(RVX.key),
            "state": reading.state,
            "spread": reading.spread,
            "baseline": reading.baseline,
            "threshold": None if reading.baseline is None else THRESHOLD * reading.baseline,
            "base_usd_per_point": sleeve.base,
            "overlay_usd_per_point": sleeve.held_nominal,
            "products_usd_per_point": sleeve.products,
            "target_usd_per_point": 0.0 if plan is None else plan.target_usd_per_point,
            "delta_usd_per_spx_percent": None if isinstance(delta, Unvalued) else delta,
            "band_usd_per_spx_percent": band_half_width_usd(
                snapshot.book.cohorts, self._shell.engine.limits.neutrality_band_frac
            ),
            **self._account_figures(snapshot.book, valuer),
            "maximum_loss_usd": sum((cohort.maximum_loss_usd for cohort in snapshot.book.cohorts), Decimal(0)),
            "holdings": holdings_of(snapshot, valuer),
            "mode": snapshot.mode.name,
            **self._cost_figures(cost),
            "vix_regime": self._regime(snapshot),
            "break_evens": [] if cost is None else self._break_evens(snapshot, valuer, cost),
            **self._stress_figures(book_stress(snapshot.book.positions, valuer, StressSettings())),
        }

    def _break_evens(self, snapshot: Snapshot, valuer: Valuer, cost: CostReport) -> list[str]:
        """Each cohort's break-evens net of its hedge, and whether they stand inside the expected move (M8)."""
        told, spot, limits = [], snapshot.levels.get(SPX.key), self._shell.engine.limits
        for one in cost.cohorts:
            condors = [condor for condor in snapshot.book.condors if condor.cohort == one.cohort]
            found = break_evens(condors, one.credit_usd, one.charge_usd)
            if isinstance(found, NoBreakEvens) or spot is None:
                told.append(f"{one.cohort}: {found.why if isinstance(found, NoBreakEvens) else found.words}")
                continue
            move = expected_move(condors[0], valuer, limits.straddle_reach_frac)
            if isinstance(move, Unvalued):
                told.append(f"{one.cohort}: {found.words}")
                continue
            reach = limits.break_even_moves * move.points
            inside = [side for side in (found.lower, found.upper) if side is not None and abs(spot - side) < reach]
            where = "inside" if inside else "outside"
            told.append(f"{one.cohort}: {found.words}, {where} the expected move of {reach:.0f} points")
        return told

    def _account_figures(self, book: Book, valuer: Valuer) -> Facts:
        """What the broker reports of the account beside what margin and gross value may be (M11)."""
        account, limits = book.account, self._shell.engine.limits
        gross = gross_held_usd(book, valuer)
        return {
            "net_liquidation_usd": None if account is None else account.net_liquidation_usd,
            "initial_margin_usd": None if account is None else account.initial_margin_usd,
            "maintenance_margin_usd": None if account is None else account.maintenance_margin_usd,
            "excess_liquidity_usd": None if account is None else account.excess_liquidity_usd,
            "margin_limit_usd": None if account is None else limits.max_margin_frac * account.net_liquidation_usd,
            "gross_usd": None if isinstance(gross, Unvalued) else gross,
            "gross_limit_usd": None if account is None else limits.max_gross_leverage * account.net_liquidation_usd,
        }

    def _regime(self, snapshot: Snapshot) -> Regime | None:
        vix = snapshot.levels.get(VIX.key)
        return None if vix is None else regime_of(vix, self._measures.wings)

    @staticmethod
    def _stress_figures(report: StressReport | Unvalued) -> Facts:
        if isinstance(report, Unvalued):
            return {"stress_worst_usd": None, "stress_worst": None, "stress_mean_reversion_usd": None}
        return {
            "stress_worst_usd": report.worst.book_usd,
            "stress_worst": report.worst.scenario.name,
            "stress_mean_reversion_usd": report.mean_reversion.sleeve_usd,
        }

    def _cost(self, snapshot: Snapshot, valuer: Valuer) -> CostReport | None:
        measures = self._measures
        scene = Scene(
            snapshot=snapshot,
            valuer=valuer,
            limits=self._shell.engine.limits,
            fees=measures.fees,
            calendar=measures.calendar,
        )
        try:
            return cost_report(scene)
        except InvalidValueError:
            return None  # a future that cannot be valued now: the gate refuses for the same reason

    @staticmethod
    def _cost_figures(report: CostReport | None) -> Facts:
        if report is None:
            return {"cost_usd": None, "cost_whole_usd": None, "cap_usd": None, "credit_usd": None}
        return {
            "cost_usd": report.book.charge_usd,
            "cost_whole_usd": report.book.whole_usd,
            "cap_usd": report.book.cap_usd,
            "credit_usd": report.book.credit_usd,
        }

    def _watch_stress(self, figures: Facts) -> None:
        """The worst scenario of M11 is told once when it passes its limit and once when it is back within it.

        Source: docs/methodology.md, M11: an alert for the book as it is, whoever made it so.
        """
        worst, worth = figures["stress_worst_usd"], figures["net_liquidation_usd"]
        if worst is None or worth is None:
            return
        limit = -float(str(worth)) * float(self._shell.engine.limits.max_worst_loss_frac)
        is_beyond = float(str(worst)) < limit
        if is_beyond is self._is_stressed:
            return
        self._is_stressed = is_beyond
        facts = {"worst_usd": worst, "scenario": figures["stress_worst"], "limit_usd": limit}
        self._shell.tell("stress_breached" if is_beyond else "stress_respected", facts)

    def _watch_cap(self) -> None:
        """CAP_BREACHED is told once when it begins and once when it ends, whatever pushed the ratio there."""
        snapshot = self._snapshot()
        report = self._cost(snapshot, Valuer(snapshot, self._measures.hedge.valuation))
        if report is None or report.is_breached == self._breached:
            return
        self._breached = report.is_breached
        kind = "cap_breached" if self._breached else "cap_respected"
        self._shell.tell(kind, {"cost_usd": report.book.charge_usd, "cap_usd": report.book.cap_usd})
