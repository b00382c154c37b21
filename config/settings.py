"""All settings of a run, joined; each section's class lives beside the code that uses it."""

from dataclasses import dataclass, field
from enum import StrEnum

from adapters.alerts.settings import AlertSettings
from adapters.calendar.settings import EventSettings
from adapters.control.settings import ControlSettings
from adapters.fundamentals.settings import SourceSettings
from adapters.ibkr.settings import BrokerSettings
from adapters.mqtt.settings import MqttSettings
from adapters.watchdog.settings import WatchdogSettings
from bot.app.settings import AppSettings
from bot.domain.checks import require_text
from bot.domain.portfolio import Lot, StatedCredit
from bot.domain.worth import Transfer
from bot.hedging.condor.settings import CondorSettings
from bot.hedging.flatten.settings import FlattenSettings
from bot.hedging.settings import HedgeSettings
from bot.hedging.stewardship.settings import StewardSettings
from bot.signals.evidence.settings import EvidenceSettings
from bot.signals.own.settings import OwnIndexSettings
from bot.signals.settings import DispersionSettings
from risk.authority import AuthorityRules
from risk.limits import RiskLimits


class Profile(StrEnum):
    """Where a run trades; only ``sim`` builds simulated parts."""

    SIM = "sim"
    PAPER = "paper"
    LIVE = "live"


class Method(StrEnum):
    """Which numbers of the methodology a run begins with: ``config/methods/NAME.toml``."""

    CONSERVATIVE = "conservative"
    BALANCED = "balanced"
    LITERAL = "literal"


@dataclass(frozen=True, slots=True, kw_only=True)
class CondorBook:
    """``[[condor.credit]]``: the credit taken in, stated by the operator, cohort by cohort."""

    credit: tuple[StatedCredit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """``[[account.transfer]]``: money paid in and taken out, stated by the operator; no result of the bot's."""

    transfer: tuple[Transfer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sleeve:
    """``[[sleeve.lot]]``: hedge lots bought outside the bot, with layer and cost, stated by the operator."""

    lot: tuple[Lot, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One run. Units stand in the names of the sections' keys; see docs/configuration.md."""

    profile: Profile
    broker: BrokerSettings
    bot: str = "main"  # part of every MQTT topic and of the state folder
    method: Method = Method.BALANCED
    app: AppSettings = field(default_factory=AppSettings)
    signal: DispersionSettings = field(default_factory=DispersionSettings)
    own_index: OwnIndexSettings = field(default_factory=OwnIndexSettings)
    hedge: HedgeSettings = field(default_factory=HedgeSettings)
    wings: CondorSettings = field(default_factory=CondorSettings)
    flatten: FlattenSettings = field(default_factory=FlattenSettings)
    steward: StewardSettings = field(default_factory=StewardSettings)
    evidence: EvidenceSettings = field(default_factory=EvidenceSettings)
    events: EventSettings = field(default_factory=EventSettings)
    sources: SourceSettings = field(default_factory=SourceSettings)
    risk: RiskLimits = field(default_factory=RiskLimits)
    authority: AuthorityRules = field(default_factory=AuthorityRules)
    mqtt: MqttSettings = field(default_factory=MqttSettings)
    alerts: AlertSettings = field(default_factory=AlertSettings)
    watchdog: WatchdogSettings = field(default_factory=WatchdogSettings)
    control: ControlSettings = field(default_factory=ControlSettings)
    condor: CondorBook = field(default_factory=CondorBook)
    account: Account = field(default_factory=Account)
    sleeve: Sleeve = field(default_factory=Sleeve)

    def __post_init__(self) -> None:
        """Reject a bot without a name."""
        require_text(bot=self.bot)
