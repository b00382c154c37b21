"""What everybody but the state itself reads: one frozen moment of market, book, signal and standing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.evidence import Conviction, EvidenceInputs
from bot.domain.flattening import Mandate
from bot.domain.instrument import Instrument, InstrumentKey
from bot.domain.market import Quote
from bot.domain.mode import TradingMode
from bot.domain.overrides import Override
from bot.domain.portfolio import Book
from bot.domain.previews import MarginPreviews
from bot.domain.products import Products
from bot.domain.proposal import Proposals
from bot.domain.readings import DispersionReading
from bot.domain.schedule import Session
from bot.domain.shifts import Offered
from bot.domain.terms import ContractTerms, OpenInterest
from bot.domain.worth import Worth


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What `Execution.release` compares with a verdict in the same step as the write."""

    book_version: int
    mode: TradingMode
    reconciling: bool
    locks: Mapping[str, str]
    mandate: Mandate | None = None  # a signed plan to flatten, the one way out of HALT for an order


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One moment; ``levels`` in index points, ``quotes`` as last received, ``universe`` what may be bought."""

    now: datetime
    session: Session | None  # the session that is open right now
    levels: Mapping[InstrumentKey, float]
    quotes: Mapping[InstrumentKey, Quote]
    universe: Mapping[InstrumentKey, Instrument]
    dispersion: DispersionReading
    book: Book
    mode: TradingMode
    reconciling: bool
    kill_epoch: int
    previous_closes: Mapping[InstrumentKey, float]
    proposals: Proposals = field(default_factory=Proposals)  # what a person was asked about last, by matter
    evidence: EvidenceInputs | None = None  # as delivered at the open of this session
    conviction: Conviction | None = None  # as last read in the episode under way
    sensitivity_scale: float | None = None  # present over long-run answer of VIX to SPX (M10); None: not measured
    products: Products = field(default_factory=dict)  # VXX, UVXY and SVXY as far as held or to be bought (M4)
    wing_strikes: Mapping[InstrumentKey, Instrument] = field(default_factory=dict)  # outside the condors' wings (M8)
    offered: tuple[Offered, ...] = ()  # settlements of VIX options that are listed
    mandate: Mandate | None = None  # a signed plan to flatten that is being carried out
    override: Override | None = None  # what the next decision judges instead of planning (C15)
    worth: Worth | None = None  # what losses are measured from (C31); None until the account was reported
    is_frozen: bool = False  # the gateway is about to restart, or may have done so: reconciling
    terms: Mapping[InstrumentKey, ContractTerms] = field(default_factory=dict)  # hours and ticks in the broker's words
    open_interest: Mapping[InstrumentKey, OpenInterest] = field(default_factory=dict)  # of options and futures (C13)
    previews: MarginPreviews = field(default_factory=MarginPreviews)  # the broker's word on margin (M11)
    closing_spreads: tuple[float, ...] = ()  # RVX less VIX at the common closes before today, oldest first, points

    @property
    def standing(self) -> Standing:
        """The part that a release compares."""
        return Standing(
            book_version=self.book.version,
            mode=self.mode,
            reconciling=self.reconciling,
            locks=self.book.locks,
            mandate=self.mandate,
        )
