"""The worlds in which the real planner and the real steward decide, over a market that moves.

How it works: the dispersion is calm, blows out and comes back; SPX, VIX and the VX curve move with it, and sessions
pass. Every contract that is watched is priced anew whenever it is quoted, so that what is shown is fair at its moment.
The account holds the base layers from the start; contracts are looked up as the shell does it.
"""

from collections.abc import Sequence
from datetime import date
from random import Random

from adapters.calendar.toml_events import read_events
from bot.domain.decision import Approved
from bot.domain.events import CandidatesListed, TimerElapsed, WingStrikesListed
from bot.domain.found import FoundSleeve
from bot.domain.instrument import Instrument
from bot.domain.market import Quote
from bot.domain.orders import Purpose
from bot.hedging.condor.settings import CondorSettings, WingMode
from bot.hedging.condor.wings import WingBounds
from bot.hedging.planning import Planner
from bot.hedging.settings import HedgeSettings
from bot.hedging.sleeve import layer_of
from bot.hedging.stewardship.settings import Autonomy, StewardSettings
from bot.hedging.stewardship.steward import Steward
from bot.hedging.universe import looked_up
from config.loader import PROFILE_FOLDER
from simulator.numbering import number_of
from simulator.world.levels import Levels
from simulator.world.market import Market, WorldModel
from simulator.world.quotes import rule_of, two_sided
from tests.builders import CALENDAR, FEES, ns
from tests.machine.world import World
from tests.told import told_at

HEDGE = HedgeSettings()
CONDORS = 20
CALM, BLOWN_OUT = (5.0, 5.5, 5.8), (7.5, 8.5, 10.0)
"""RVX over VIX, points, where its average is 5.5."""
LOOK_S, LOOKS = 20, 45
"""A look at the market lasts a quarter of an hour: longer than a crossing must hold to count."""
WIDTHS = (1.0, 1.0, 1.0, 2.0, 5.0)
UNASKED = frozenset({Purpose.OVERLAY_EXIT, Purpose.BASE_EXIT, Purpose.FLATTEN})
"""What ends by itself soon is sold without a question."""
RELEASES = read_events(PROFILE_FOLDER / "events.toml")


class MarketWorld(World):
    """A bot with the real planner and steward."""

    last_day, worth_usd = date(2026, 11, 16), 2_000_000

    def __init__(self, *, keys_required: int, autonomy: Autonomy, wings: WingMode, calls_each: int = 1) -> None:
        """Open a calm market; the account holds condors and so many times the calls of their base."""
        self.autonomy, self.wing_mode, self.calls_each = autonomy, wings, calls_each
        self.widened, self.spread = 1.0, 5.5
        super().__init__(CONDORS, keys_required=keys_required)

    def _held(self) -> dict[str, int]:
        """Condors and base; calls that nobody has stated are no lots, and lean the book all the same."""
        times = {"SPX": 1, "VIX": self.calls_each}
        return {one.key: quantity * times[one.symbol] for one, quantity, _ in self.scenery.opening.positions}

    def survey(self) -> None:
        """Everything that is watched is priced at this moment."""
        own = {one.key: one for one, _, _ in self.scenery.opening.positions}
        today = self.clock.now().date()
        futures = [one for one in self.scenery.listed().futures if one.settlement and today < one.settlement]
        self.watched |= {**own, **{one.key: one for one in futures if one.trading_class in ("VX", "VXM")}}
        market = Market(at=self.clock.now(), levels=self.levels, model=WorldModel())
        self.fair = {key: self._priced(one, market) for key, one in self.watched.items()}

    def _priced(self, instrument: Instrument, market: Market) -> Quote:
        price, rule = market.fair(instrument).price, rule_of(instrument)
        sides = two_sided(rule, price, seed=number_of(instrument), step=0, widened=self.widened)
        return Quote(
            key=instrument.key,
            bid=sides.bid_cents / 100 if sides.bid_cents else None,
            ask=sides.ask_cents / 100,
            bid_size=sides.bid_size,
            ask_size=sides.ask_size,
            at_ns=ns(self.clock.now()),
        )

    # the bot ---------------------------------------------------------------------------------------------------

    def _planned_by(self) -> Planner:
        return Planner(HEDGE, FEES, calendar=CALENDAR, releases=RELEASES, wings=self.wing_mode, bounds=self._bounds)

    def _bounds(self) -> WingBounds:
        limits, condors = self.engine.limits, CondorSettings()
        return WingBounds(
            band_frac=limits.neutrality_band_frac,
            width_rise_frac=limits.max_wing_rise_frac,
            loss_rise_frac=limits.max_loss_rise_frac,
            most_strikes_out=condors.most_strikes_out,
            least_minutes_between=condors.least_minutes_between,
            edge_minutes=limits.session_edge_minutes,
        )

    def _permitted_by(self) -> Steward:
        return Steward(StewardSettings(autonomy=self.autonomy), FEES)

    def _found_by(self) -> FoundSleeve:
        return FoundSleeve(stated=self.scenery.base_lots(), layer_of=lambda days: layer_of(days, HEDGE))

    def list_contracts(self) -> None:
        """Contracts are looked up by the present levels; the wings beyond the condors' are watched as well."""
        now = self.clock.now()
        self.tick()
        found = looked_up(self.scenery.listed(), self.state.snapshot(now), RELEASES, HEDGE, CALENDAR)
        if found is None:
            return
        self._watch(found.instruments)
        self.engine.receive(CandidatesListed(at=now, instruments=found.instruments, offered=found.offered))
        self.engine.receive(WingStrikesListed(at=now, instruments=tuple(self.wings.values())))

    def _watch(self, instruments: Sequence[Instrument]) -> None:
        """These are quoted from now on, beside what is held."""
        self.watched |= {one.key: one for one in instruments}
        self.venue.instruments |= self.watched
        for told in told_at(self.clock.now(), *instruments):
            self.engine.receive(told)

    def refresh(self, chance: Random) -> None:
        """Every contract is priced and quoted, and the indices tick."""
        self.survey()
        super().refresh(chance)

    # steps -----------------------------------------------------------------------------------------------------

    def drift(self, chance: Random) -> None:
        """The market moves: the dispersion widens or narrows, volatility and stocks go their ways, mostly apart."""
        if chance.random() < 0.35:
            self.spread = chance.choice(CALM if self.spread > CALM[-1] else BLOWN_OUT)
        rise = chance.choice((-0.08, -0.03, 0.0, 0.03, 0.10, 0.25 if self.levels.vix < 20 else -0.2))
        vix = min(36.0, max(13.5, self.levels.vix * (1.0 + rise)))
        spx = min(7150.0, max(6450.0, self.levels.spx * (1.0 - 0.1 * rise + chance.choice((-0.004, 0.0, 0.004)))))
        self.levels = Levels(spx=round(spx, 2), rut=2500.0, vix=round(vix, 2), rvx=round(vix + self.spread, 2))
        self.refresh(chance)

    def command(self, chance: Random) -> None:
        """Somebody says something; while a question waits the market may move first."""
        if self.state.proposals.waiting(self.clock.now()) is not None and chance.random() < 0.4:
            self.drift(chance)
            self.list_contracts()
            self.refresh(chance)
        super().command(chance)

    def look_on(self, chance: Random) -> None:
        """A quarter of an hour in which the indices are published and little happens; contracts are looked up."""
        for number in range(LOOKS):
            self.clock.pass_s(LOOK_S)
            vix = round(self.levels.vix + (0.01 if number % 2 else -0.01), 2)
            self.levels = Levels(spx=self.levels.spx, rut=2500.0, vix=vix, rvx=round(vix + self.spread, 2))
            self.tick()
        self._land()
        self.list_contracts()
        self.refresh(chance)
        self.engine.tend_orders()
        self.engine.receive(TimerElapsed(at=self.clock.now()))

    def widen(self, chance: Random) -> None:
        """Spreads widen, or are as usual again."""
        self.widened = chance.choice(WIDTHS)
        self.refresh(chance)

    def next_session(self, chance: Random) -> None:
        """The night, perhaps some days of them."""
        for _ in range(chance.choice((1, 1, 1, 2))):
            self._land()
            self._night()
        self.drift(chance)
        self.look_on(chance)

    # what a person must have been asked ------------------------------------------------------------------------------

    def submit(self, approved: Approved) -> None:
        """An order leaves: where everything is put before a person, this one was, and the answer was a yes."""
        self.counts[f"sent: {approved.intent.purpose}"] += 1
        intent = approved.intent
        if self.autonomy is Autonomy.APPROVE and intent.purpose not in UNASKED:
            legs = sorted((str(leg.instrument.key), leg.signed_ratio) for leg in intent.legs)
            self.strict.require_yes(intent, legs, self.clock.now(), self.disk.rows)
        super().submit(approved)
