"""What was observed of the market: levels, quotes, the session, what may be bought, and what the broker says of it.

How it works: every method takes one event; `pictured` gives the part of a snapshot that follows from them. What always
holds: what belongs to a session goes with it.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TypedDict

from bot.domain.events import (
    CandidatesListed,
    EvidenceDelivered,
    OpenInterestTold,
    OwnIndexRead,
    ProductsMeasured,
    SensitivityMeasured,
    SessionClosed,
    SessionOpened,
    TermsRead,
    WingStrikesListed,
)
from bot.domain.evidence import EvidenceInputs
from bot.domain.instrument import RVX, VIX, Instrument, InstrumentKey
from bot.domain.market import Quote
from bot.domain.products import Products
from bot.domain.readings import DispersionReading
from bot.domain.schedule import Session
from bot.domain.shifts import Offered
from bot.domain.terms import ContractTerms, OpenInterest
from bot.domain.told import Told
from bot.signals.dispersion import DispersionTracker, nanoseconds_of


class Pictured(TypedDict):
    """The part of a `Snapshot` that follows from the market, field by field."""

    session: Session | None
    levels: Mapping[InstrumentKey, float]
    quotes: Mapping[InstrumentKey, Quote]
    universe: Mapping[InstrumentKey, Instrument]
    dispersion: DispersionReading
    previous_closes: Mapping[InstrumentKey, float]
    evidence: EvidenceInputs | None
    sensitivity_scale: float | None
    products: Products
    offered: tuple[Offered, ...]
    wing_strikes: Mapping[InstrumentKey, Instrument]
    closing_spreads: tuple[float, ...]
    terms: Mapping[InstrumentKey, ContractTerms]
    open_interest: Mapping[InstrumentKey, OpenInterest]


class Observed:
    """The market as the events have told it."""

    def __init__(self, tracker: DispersionTracker) -> None:
        """Take what follows the levels; nothing is known yet."""
        self.tracker = tracker
        self.session: Session | None = None
        self._quotes: dict[InstrumentKey, Quote] = {}
        self._universe: dict[InstrumentKey, Instrument] = {}
        self._previous_closes: dict[InstrumentKey, float] = {}
        self._evidence: EvidenceInputs | None = None
        self._scale: float | None = None
        self._products: Products = {}
        self._offered: tuple[Offered, ...] = ()
        self._wing_strikes: dict[InstrumentKey, Instrument] = {}
        self._told = Told()
        self._closing_spreads: tuple[float, ...] = ()

    def on_quote(self, event: Quote) -> bool:
        """A quote is the latest of its contract."""
        self._quotes[event.key] = event
        return False

    def on_session_opened(self, event: SessionOpened) -> bool:
        """A session begins with the closes before it."""
        self.session = event.session
        self.tracker.open_session(event.session, event.baseline)
        self._closing_spreads = tuple(rvx - vix for _, rvx, vix in event.baseline)
        if not self._previous_closes and event.baseline:
            _, rvx, vix = event.baseline[-1]
            self._previous_closes = {RVX.key: rvx, VIX.key: vix}
        return True

    def on_session_closed(self, event: SessionClosed) -> bool:
        """What belongs to the session goes with it."""
        self._previous_closes = dict(self.tracker.levels())
        self.tracker.close_session(event.session)
        self.session = None
        self._quotes.clear()
        self._wing_strikes = {}
        self._told = Told()
        return False

    def on_evidence(self, event: EvidenceDelivered) -> bool:
        """The confirmations of the session."""
        self._evidence = event.inputs
        return True

    def on_sensitivity(self, event: SensitivityMeasured) -> bool:
        """How strongly VIX answers SPX."""
        self._scale = event.scale
        return True

    def on_products(self, event: ProductsMeasured) -> bool:
        """What the volatility products answer."""
        self._products = MappingProxyType({one.symbol: one for one in event.readings})
        return True

    def on_own_index(self, event: OwnIndexRead) -> bool:
        """An index worked out from its options."""
        return self.tracker.on_own_level(event.key, event.level, nanoseconds_of(event.at))

    def on_candidates(self, event: CandidatesListed) -> bool:
        """What may be bought."""
        self._universe = {instrument.key: instrument for instrument in event.instruments}
        self._offered = event.offered
        return True

    def on_wing_strikes(self, event: WingStrikesListed) -> bool:
        """Their quotes come next: the timer plans."""
        self._wing_strikes = {instrument.key: instrument for instrument in event.instruments}
        return False

    def on_told(self, event: TermsRead | OpenInterestTold) -> bool:
        """What the broker says of contracts."""
        self._told = self._told.after(event)
        return False

    def pictured(self, now: datetime) -> Pictured:
        """Return what a snapshot tells of the market; ``now`` is aware."""
        session = self.session
        return Pictured(
            session=session if session is not None and session.opens_at <= now < session.closes_at else None,
            levels=MappingProxyType(dict(self.tracker.levels())),
            quotes=MappingProxyType(dict(self._quotes)),
            universe=MappingProxyType(self._universe),
            dispersion=self.tracker.reading(int(now.timestamp() * 1_000_000_000)),
            previous_closes=MappingProxyType(self._previous_closes),
            evidence=self._evidence,
            sensitivity_scale=self._scale,
            products=self._products,
            offered=self._offered,
            wing_strikes=MappingProxyType(self._wing_strikes),
            closing_spreads=self._closing_spreads,
            terms=self._told.terms,
            open_interest=self._told.open_interest,
        )
