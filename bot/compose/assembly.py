"""Joins engine and shell from ports and settings; the same for every profile."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from adapters.history.daily_store import DailyStore
from bot.app.alerting import Alerting, Sounded
from bot.app.announced import AnnouncedJournal, Announcer
from bot.app.comparing import ComparisonKeeper
from bot.app.credits import CreditTeller
from bot.app.daily import DailyKeeper
from bot.app.desk import Desk
from bot.app.flattening import Flattener
from bot.app.freezing import FreezeKeeper
from bot.app.greeks import GreeksKeeper
from bot.app.link import LinkKeeper
from bot.app.own_index import OwnIndexKeeper
from bot.app.parity import ParityKeeper
from bot.app.previews import PreviewKeeper
from bot.app.products import ProductKeeper
from bot.app.pump import Pump
from bot.app.quiet import QuietKeeper
from bot.app.restraint import RestraintKeeper
from bot.app.sampler import Measures, Sampler
from bot.app.sessions import Market, SessionKeeper
from bot.app.shell import Shell
from bot.app.statement import Identity
from bot.app.supervisor import Parts, Supervisor
from bot.app.sweeping import Actions, Sweeper
from bot.app.terms import TermsKeeper
from bot.app.weeklies import WeeklyScout
from bot.app.wings import WingKeeper
from bot.compose.guard import version
from bot.compose.releases import releases_of
from bot.compose.sources import read_sources
from bot.domain.errors import InvariantError
from bot.domain.events import Event
from bot.domain.evidence import EvidenceInputs
from bot.domain.fees import FeeSchedule
from bot.domain.found import FoundSleeve
from bot.domain.instrument import VXX
from bot.domain.portfolio import Lot, StatedCredit
from bot.domain.releases import ReleaseTable, renewal_warning
from bot.domain.schedule import SessionCalendar
from bot.domain.snapshot import Snapshot
from bot.engine import Engine, Policy
from bot.execution import Execution
from bot.hedging.condor.wings import WingBounds
from bot.hedging.parity.settings import ParitySettings
from bot.hedging.planning import Planner
from bot.hedging.sleeve import layer_of
from bot.hedging.stewardship.steward import Steward
from bot.hedging.universe import Candidates, Listed, looked_up
from bot.ports import Broker, Clock, CommandLink, Connection, Ids, Journal, Latch, MarketData, Rng, Sink
from bot.signals.dispersion import DispersionTracker
from bot.state import BotState
from config.loader import Loaded
from config.settings import Settings
from risk.gate import Gate
from risk.limits import RiskLimits


class Junction:
    """The sink that adapters are built with, before the pump behind it exists."""

    def __init__(self) -> None:
        """Lead nowhere yet."""
        self._sink: Sink | None = None

    def join(self, sink: Sink) -> None:
        """Lead to a sink from now on."""
        self._sink = sink

    def __call__(self, event: Event) -> None:
        """Hand an event on."""
        if self._sink is None:
            raise InvariantError(f"{type(event).__name__} arrived before the bot was assembled")
        self._sink(event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Everything the core reaches the world by."""

    clock: Clock
    ids: Ids
    rng: Rng
    broker: Broker
    market_data: MarketData
    connection: Connection
    command_link: CommandLink
    journal: Journal
    latch: Latch
    junction: Junction


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What a run begins with beside its settings."""

    calendar: SessionCalendar
    adopted: bool  # the journal holds positions that were adopted before
    dry_run: bool = False
    requires_link: bool = False  # live: a long loss of the command link halts
    credits: tuple[StatedCredit, ...] = ()
    lots: tuple[Lot, ...] = ()
    announcers: tuple[Announcer, ...] = field(default=())
    sounded: tuple[Sounded, ...] = field(default=())  # hear of each alert that leaves
    connected: Callable[[], Awaitable[None]] | None = None  # awaited after each connect
    account_hash: str = ""  # what commands name instead of the account
    store: DailyStore | None = None  # the bot's own daily figures; without one none are kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembled:
    """A bot ready to run."""

    supervisor: Supervisor
    desk: Desk
    shell: Shell
    alerting: Alerting


def assemble(loaded: Loaded, ports: Ports, start: Start) -> Assembled:
    """Return the bot; must be called inside its event loop.

    Raises:
        ConfigError: The schedule of releases cannot be read.
    """
    settings, fees = loaded.settings, FeeSchedule()
    releases = releases_of(settings.events)
    gate = Gate(settings.risk, fees, valuation=settings.hedge.valuation, calendar=start.calendar)
    execution = Execution(
        broker=ports.broker,
        clock=ports.clock,
        latch=ports.latch,
        order_life_s=settings.app.order_life_s,
        ack_timeout_s=settings.app.ack_timeout_s,
        dry_run=start.dry_run,
    )
    journal = AnnouncedJournal(ports.journal, start.announcers)
    engine = Engine(
        state=BotState(
            tracker=DispersionTracker(settings.signal),
            sleeve=FoundSleeve(stated=start.lots, layer_of=lambda days: layer_of(days, settings.hedge)),
            stated_credits=start.credits,
            fees=fees,
            transfers=settings.account.transfer,
            account=settings.broker.account,
        ),
        policy=Policy(
            evidence=settings.evidence,
            planner=Planner(
                settings.hedge,
                fees,
                calendar=start.calendar,
                weak_conviction=settings.evidence.weak_conviction,
                releases=releases,
                wings=settings.wings.wings,
                bounds=lambda: _bounds(settings, gate.limits),
            ),
            steward=Steward(settings.steward, fees),
            gate=gate,
        ),
        execution=execution,
        journal=journal,
        clock=ports.clock,
        ids=ports.ids,
    )
    pump = Pump(engine)
    ports.junction.join(pump)
    shell = Shell(engine=engine, pump=pump, clock=ports.clock, rng=ports.rng, settings=settings.app)
    joined = _joined(loaded, ports, start, shell, releases)
    journal.also_tell(joined.desk.told)
    journal.also_tell(joined.alerting.told)
    return joined


def _bounds(settings: Settings, limits: RiskLimits) -> WingBounds:
    """How far wings may go: the gate's limits in force, and the strikes that are looked at."""
    return WingBounds(
        band_frac=limits.neutrality_band_frac,
        width_rise_frac=limits.max_wing_rise_frac,
        loss_rise_frac=limits.max_loss_rise_frac,
        most_strikes_out=settings.wings.most_strikes_out,
        least_minutes_between=settings.wings.least_minutes_between,
        edge_minutes=limits.session_edge_minutes,
    )


def _joined(loaded: Loaded, ports: Ports, start: Start, shell: Shell, releases: ReleaseTable) -> Assembled:
    settings = loaded.settings
    keeper = LinkKeeper(
        shell=shell,
        connection=ports.connection,
        broker=ports.broker,
        adopted=start.adopted,
        connected=start.connected,
    )

    def choose(listed: Listed, snapshot: Snapshot) -> Candidates | None:
        return looked_up(listed, snapshot, releases, settings.hedge, start.calendar)

    def sources() -> tuple[EvidenceInputs, Mapping[str, str]]:
        read = read_sources(settings.sources, start.store)
        return read.inputs, read.missing

    def renewal(day: date) -> str | None:
        return renewal_warning(releases, day)

    desk = Desk(
        shell=shell,
        latch=ports.latch,
        link=ports.command_link,
        keeper=keeper,
        actions=Actions(
            flattener=Flattener(
                shell=shell,
                link=ports.command_link,
                keeper=keeper,
                hedge=settings.hedge,
                settings=settings.flatten,
                fees=FeeSchedule(),
            ),
            sweeper=Sweeper(shell=shell, keeper=keeper, allowed=settings.control.global_cancel),
        ),
        rules=settings.authority,
        identity=Identity(
            bot=settings.bot,
            profile=settings.profile.value,
            version=version(),
            config_hash=loaded.config_hash,
            requires_link=start.requires_link,
            account_hash=start.account_hash,
        ),
        condors=settings.wings,
    )
    terms = TermsKeeper(
        shell=shell,
        data=ports.market_data,
        link=keeper,
        calendar=start.calendar,
        ticks=settings.hedge.valuation.ticks,
    )
    alerting = Alerting(shell=shell, link=ports.command_link, sounded=start.sounded)
    measures = Measures(hedge=settings.hedge, fees=FeeSchedule(), calendar=start.calendar, wings=settings.wings)
    parts = Parts(
        shell=shell,
        link=keeper,
        sessions=SessionKeeper(
            shell=shell,
            market=Market(
                data=ports.market_data,
                choose=choose,
                weeklies=WeeklyScout(shell=shell, data=ports.market_data, settings=settings.hedge),
                sources=sources,
                renewal=renewal,
                learn=terms.learn,
            ),
            link=keeper,
            calendar=start.calendar,
        ),
        own_index=OwnIndexKeeper(
            shell=shell,
            data=ports.market_data,
            link=keeper,
            calendar=start.calendar,
            settings=settings.own_index,
        ),
        parity=ParityKeeper(shell=shell, data=ports.market_data, link=keeper, settings=ParitySettings()),
        products=ProductKeeper(
            shell=shell,
            data=ports.market_data,
            link=keeper,
            buyable=(VXX,) if settings.hedge.allow_vxx_shares else (),
        ),
        quiet=QuietKeeper(shell=shell, data=ports.market_data, link=keeper),
        greeks=GreeksKeeper(shell=shell, data=ports.market_data, link=keeper, hedge=settings.hedge),
        wings=WingKeeper(
            shell=shell,
            data=ports.market_data,
            link=keeper,
            mode=settings.wings.wings,
            bounds=lambda: _bounds(settings, shell.engine.limits),
            hedge=settings.hedge,
            fees=FeeSchedule(),
        ),
        terms=terms,
        freeze=FreezeKeeper(shell=shell, link=keeper),
        previews=PreviewKeeper(shell=shell, link=keeper, guards=desk.guards),
        desk=desk,
        daily=None
        if start.store is None
        else DailyKeeper(shell=shell, data=ports.market_data, link=keeper, record=start.store),
        sampler=Sampler(shell, measures),
        comparing=ComparisonKeeper(shell, keeper),
        latch=ports.latch,
        connection=ports.connection,
        alerting=alerting,
    )
    CreditTeller(shell)
    RestraintKeeper(shell, desk.halt)
    return Assembled(supervisor=Supervisor(parts), desk=desk, shell=shell, alerting=alerting)
