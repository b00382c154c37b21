"""A bot without wire and disk at an exchange that does what it likes; every step is judged by the oracle.

How it works: engine, state, gate, execution, reconciliation, journal and authority are the real ones; planner and
steward are the world's. A step is one method of `World`; whoever drives it chooses the step and gives it a source of
chance. What the exchange says waits on a wire, and is delivered late, in any order, twice, or never.
"""

import json
from collections import Counter
from collections.abc import Coroutine
from dataclasses import replace
from datetime import time, timedelta
from fractions import Fraction
from functools import cache
from itertools import count
from random import Random
from typing import Any

from adapters.journal.reader import Remembered, remembered_of
from bot.compose.confirming import limits_at_start
from bot.domain.decision import Approved, Verdict
from bot.domain.errors import ConnectivityError
from bot.domain.events import AccountReported, CandidatesListed, SessionOpened
from bot.domain.found import FoundSleeve
from bot.domain.instrument import RVX, SPX, VIX, Instrument, Right
from bot.domain.market import Quote, Tick
from bot.domain.mode import DemandSource, TradingMode
from bot.domain.orders import Order
from bot.domain.plan import HedgePlan
from bot.domain.portfolio import AccountValues
from bot.domain.snapshot import Snapshot
from bot.engine import Engine, Policy
from bot.execution import Execution
from bot.hedging.planning import Planner
from bot.hedging.settings import HedgeSettings
from bot.hedging.stewardship.steward import Steward
from bot.ports import JournalRow
from bot.reconcile import OwnBooks, reconcile
from bot.signals.dispersion import DispersionTracker
from bot.signals.evidence.settings import EvidenceSettings
from bot.signals.settings import DispersionSettings
from bot.state import BotState
from config.settings import Profile
from risk.authority import AuthorityRules
from risk.gate import Gate
from risk.limits import RiskLimits
from tests.bot.engine_parts import FreeHand
from tests.builders import (
    ACCOUNT,
    CALENDAR,
    FEES,
    NOON,
    TODAY,
    Scenery,
    a_future,
    an_option,
    ns,
    vix_call,
)
from tests.fakes import FakeClock, FakeIds, FakeLatch
from tests.machine.desk import Books, Desk
from tests.machine.disk import Disk
from tests.machine.operators import Operators
from tests.machine.oracle import Circumstances, Oracle
from tests.machine.strictness import Strictness
from tests.machine.venue import Venue
from tests.told import told_at

STRIKES = (19, 20, 21, 22, 24, 26, 28)
FLIGHT_S, SETTLE_S = 8.0, 30.0
"""A frame arrives within the first, or never; a comparison believes in its absence after the second."""
LATE, EVENING = time(15, 50, tzinfo=NOON.tzinfo), time(16, 6, tzinfo=NOON.tzinfo)
BASELINE = tuple((TODAY.toordinal() - back, 23.5, 18.0) for back in range(120, 0, -1))


@cache
def _scenery(condors: int) -> Scenery:
    return Scenery(condors=condors)


class ProcessDied(BaseException):
    """The bot's process ends here and now."""


class WatchedGate(Gate):
    """The real gate; what it says in REDUCE_ONLY is judged as well, both ways."""

    def __init__(self, ground: "Ground") -> None:
        """Take the ground whose oracle judges."""
        super().__init__(RiskLimits(accounts=frozenset({ACCOUNT})), FEES)
        self._ground = ground

    def review(self, plan: HedgePlan, snapshot: Snapshot) -> tuple[Verdict, ...]:
        """Have it judged, then judge it."""
        verdicts = super().review(plan, snapshot)
        if snapshot.mode is TradingMode.REDUCE_ONLY:
            ground = self._ground
            ground.counts["judged both ways"] += ground.oracle.after_review(snapshot, verdicts, ground.fair)
        return verdicts


class Ground:
    """Bot, exchange and oracle."""

    worth_usd = 500_000

    def __init__(self, condors: int = 6, *, keys_required: int = 1) -> None:
        """Open the market at noon with a few condors and no hedge; what loosens needs so many keys."""
        self.scenery, self.clock = _scenery(condors), FakeClock(NOON)
        self.people, self.challenges = Operators(keys_required), count(1)
        self.restrained: dict[DemandSource, TradingMode] = {}  # what the bot has asked of itself
        opening = self.scenery.opening
        held = self._held()
        self.spx = {one.key: one for one, _, _ in opening.positions if one.symbol == "SPX"}
        self.condors = condors
        wings = [self._wing(right, points) for right in Right for points in (5, 10)]
        sleeve = [vix_call(strike) for strike in STRIKES] + [a_future("VX"), a_future("VXM")]
        self.watched = {one.key: one for one in (*sleeve, *self.spx.values(), *wings)}
        self.sleeve = {one.key: one for one in sleeve}
        self.wings = {one.key: one for one in wings}
        self.levels = self.scenery.market.levels
        self.survey()
        self.venue = Venue(instruments=dict(self.watched), held=held, worth_usd=self.worth_usd)
        self.oracle = Oracle(self.venue, Fraction(opening.condor_credit_usd))
        self.ids, self.latch, self.disk = FakeIds(), FakeLatch(), Disk()
        self.strict, self.seen_rows = Strictness(), 0
        self.counts: Counter[str] = Counter()
        self.account: AccountValues | None = None
        self.feed_usable = True
        self.agreed = False
        self.locked: set[str] = set()
        self.foreign: set[str] = set()  # traded by others in the sleeve: nobody here ever unlocks
        self.unexplained: list[str] = []  # contracts that the account got without a trade
        self.told: dict[str, int] = {}
        self.counted: set[str] = set()
        self.versions: dict[str, tuple[int, int]] = {}  # of executions that the bot was told: number, contracts
        self.on_submit = ""
        self._boot()
        self.reconcile(Random(0))
        self._work()  # the first comparison is on disk: a crash that comes first forgets nothing

    def _held(self) -> dict[str, int]:
        """What the account holds at first: the condors."""
        return {one.key: quantity for one, quantity, _ in self.scenery.opening.positions if one.symbol == "SPX"}

    def survey(self) -> None:
        """Every contract that is watched has its fair quote: that of the opening, whatever the time."""
        self.fair = {key: self.scenery.quote(one) for key, one in self.watched.items()}

    def _wing(self, right: Right, points: int) -> Instrument:
        condor = self.scenery.opening.condors[0]
        wing, outward = (condor.long_put, -1) if right is Right.PUT else (condor.long_call, 1)
        return an_option((wing.strike or 0) + outward * points, condor.settlement, trading_class="SPXW", right=right)

    # the bot ---------------------------------------------------------------------------------------------------

    def _boot(self) -> None:
        """A new process: the state is what the journal remembers, the latch what its file says."""
        self.state = BotState(
            tracker=DispersionTracker(DispersionSettings()),
            sleeve=self._found_by(),
            stated_credits=self.scenery.opening.credits,
            fees=FEES,
            account=ACCOUNT,
        )
        self.execution = Execution(
            broker=self, clock=self.clock, latch=self.latch, order_life_s=60.0, ack_timeout_s=10.0
        )
        self.engine = Engine(
            state=self.state,
            policy=Policy(
                evidence=EvidenceSettings(),
                planner=self._planned_by(),
                steward=self._permitted_by(),
                gate=WatchedGate(self),
            ),
            execution=self.execution,
            journal=self.disk,
            clock=self.clock,
            ids=self.ids,
        )
        self.agreed, self.account = False, None
        written = {json.loads(row.payload)["lock"] for row in self.disk.rows if row.kind == "lock_taken"}
        self.foreign &= written  # a crash before the row forgets the fill as well, and a comparison finds both
        self.locked = set(self.foreign)
        self.quotes: dict[str, Quote] = {}
        self.feed_usable = True
        remembered = remembered_of(self.disk.rows, self.clock.now())
        restored = remembered.restored
        self.engine.receive(restored)
        self.counted, self.versions = {fill.exec_id for fill in restored.fills}, {}
        for fill in restored.fills:
            root, _, number = fill.exec_id.rpartition(".")
            self.versions[root] = max(self.versions.get(root, (0, 0)), (int(number), fill.signed_quantity))
        self._take_limits(remembered)
        self.desk = Desk(self, AuthorityRules(keys_required=self.people.keys_required), self.challenges)
        self.desk.demand()
        self._open()

    def _planned_by(self) -> Planner:
        """The planner of a process: one that holds; worlds have their own."""
        return Planner(HedgeSettings(), FEES)

    def _permitted_by(self) -> Steward:
        """The steward of a process: one that lets everything through; worlds may have their own."""
        return FreeHand()

    def _found_by(self) -> FoundSleeve | None:
        """How hedge positions are recognised that the bot did not buy: not at all."""
        return None

    def _take_limits(self, remembered: Remembered) -> None:
        """What was in force when the last process ended is in force again, as every start has it."""
        configured = self.engine.limits
        found = limits_at_start(
            configured, remembered.limits, remembered.configured, profile=Profile.PAPER, confirmed=None
        )
        self.engine.take_limits(found.limits)
        if found.facts is not None:
            self.engine.note((JournalRow(kind="limits_set", decision_id="", at=self.clock.now(), payload=found.facts),))

    def _open(self) -> None:
        session = CALENDAR.session(self.clock.now().date())
        if session is not None:
            self.engine.receive(SessionOpened(at=self.clock.now(), session=session, baseline=BASELINE))
        self.list_contracts()
        for told in told_at(self.clock.now(), *self.watched.values()):
            self.engine.receive(told)
        self.refresh(Random(0))
        self._report(self.venue.account())

    def list_contracts(self) -> None:
        """The shell tells which contracts are there to be bought."""
        self.engine.receive(CandidatesListed(at=self.clock.now(), instruments=tuple(self.sleeve.values())))

    def _report(self, values: AccountValues) -> None:
        self.account = values
        self.engine.receive(AccountReported(at=self.clock.now(), values=values))

    def _work(self) -> None:
        """Write and decide what is due; a process that dies in it is started again."""
        try:
            _drive(self.engine.work())
        except ProcessDied:
            self._restart()

    def _restart(self) -> None:
        self.disk.meanwhile.clear()
        self.disk.open()
        self.on_submit = ""
        self.venue.wire.clear()
        self._boot()

    # the broker's port ------------------------------------------------------------------------------------------

    def submit(self, approved: Approved) -> None:
        """Judge a frame, then let it leave, be lost, or be the last that this process did."""
        self.strict.before_send(approved, self.clock.now())
        self.oracle.before_send(
            approved,
            Circumstances(
                now=self.clock.now(),
                quotes=self.quotes,
                account=self.account,
                killed=self.latch.mode is TradingMode.HALT,
                reduce_only=not self.feed_usable
                or TradingMode.REDUCE_ONLY in (self.latch.mode, *self.restrained.values()),
                link_up=self.venue.is_up,
                agreed=self.agreed,
                locked=self.locked,
                written=self.disk.prepared,
                vix=self.levels.vix,
                cap=Fraction(self.engine.limits.max_hedge_cost_frac),
            ),
        )
        self.counts["frames sent"] += 1
        fate, self.on_submit = self.on_submit, ""
        if fate == "never left":
            raise ConnectivityError("the transport is closing")
        order = self.venue.take(approved, self.clock.now())
        if fate == "lost":
            order.live = False
        elif fate == "left in doubt":
            raise ConnectivityError("the transport broke")
        elif fate == "died":
            raise ProcessDied
        elif fate == "at once":
            self.venue.arrive(order, self.clock.now())

    def cancel(self, order: Order) -> None:
        """Take a cancel for an own order; the exchange confirms when it likes."""
        if order.broker_order_id <= 0:
            raise ConnectivityError("the broker's order id is not known")
        if order.intent.intent_id not in self.venue.orders:
            raise AssertionError(f"I15: a cancel of {order.intent.intent_id}, which is not ours")
        self.counts["cancels sent"] += 1

    def is_open(self) -> bool:
        """The transport takes bytes."""
        return self.venue.is_up

    async def books(self) -> Any:
        """The machine compares by itself."""
        return self.venue.books()

    # what both start and steps need --------------------------------------------------------------------------------

    def reconcile(self, chance: Random) -> None:
        """The books are compared as the link's keeper does it, some time after the link came up."""
        del chance
        if not self.venue.is_up:
            return
        now, books = self.clock.now(), self.venue.books()
        adopted = any(row.kind == "books_reconciled" for row in self.disk.rows)
        held = tuple(self.state.snapshot(now).book.positions.values())
        own = OwnBooks(orders=self.state.live_orders(), fills=self.state.fills(), positions=held if adopted else None)
        outcome = reconcile(own, books, now=now, settled_before=now - timedelta(seconds=SETTLE_S))
        if outcome.in_doubt:
            return
        for fill in outcome.missed_fills:
            self._count(fill)
            if adopted and not fill.order_ref and fill.key in self.sleeve:
                self.foreign.add(fill.key)
        if not adopted:
            self.told = {}
        truth = {one.instrument.key: one.quantity for one in books.positions}
        differing = set(outcome.differences)
        self.told = {key: truth.get(key, 0) for key in {*truth, *self.told} - differing} | {
            key: self.told.get(key, 0) for key in differing
        }
        self.engine.receive(outcome.as_event(books, now))
        self.account, self.agreed = books.account, True
        self.desk.books, self.strict.compared = Books(now, len(differing)), True
        self.locked = self.foreign | differing

    def _count(self, fill: Any) -> None:
        self.counted.add(fill.exec_id)
        root, _, number = fill.exec_id.rpartition(".")
        known, before = self.versions.get(root, (0, 0))
        if int(number) < known:
            return
        self.versions[root] = (int(number), fill.signed_quantity)
        self.venue.hear_of(fill)
        if fill.key is not None:
            self.told[fill.key] = self.told.get(fill.key, 0) + fill.signed_quantity - before

    def refresh(self, chance: Random) -> None:
        """Every contract is quoted as it stands, and the indices tick."""
        del chance
        at_ns = ns(self.clock.now())
        for key, quote in self.fair.items():
            self._quote(replace(quote, key=quote.key, at_ns=at_ns), key)
        self.tick()

    def tick(self) -> None:
        """The indices are published."""
        at_ns = ns(self.clock.now())
        for index, level in ((SPX, self.levels.spx), (VIX, self.levels.vix), (RVX, self.levels.rvx)):
            self.engine.receive(Tick(index.key, level, at_ns))

    def _quote(self, quote: Quote, key: str) -> None:
        self.quotes[key] = quote
        self.engine.receive(quote)


def die() -> None:
    """End the bot's process."""
    raise ProcessDied


def _drive(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that waits for nothing."""
    try:
        work.send(None)
    except StopIteration:
        return
    raise AssertionError("the engine waited for something that is not there")
