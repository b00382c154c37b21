"""What planning reads of a moment: the dispersion, and the conviction that goes with an episode."""

from collections.abc import Mapping
from dataclasses import replace

from bot.domain.evidence import Conviction, EvidenceInputs
from bot.domain.instrument import RUT, SPX, InstrumentKey
from bot.domain.ledger import trade_date
from bot.domain.readings import DispersionReading, Signal, SignalState
from bot.domain.snapshot import Snapshot
from bot.signals.evidence.conviction import read_conviction
from bot.signals.evidence.settings import EvidenceSettings


def read_signal(snapshot: Snapshot, settings: EvidenceSettings) -> Signal:
    """Return the signal of a moment; an episode that an UNDEFINED state interrupts keeps its peak and its first day.

    Conviction is read at the onset of an episode and after that once a day, with the present levels of SPX and RUT as
    the day's last; in between it stays what it was. Outside a blowout, and without anything to read, there is none.

    Source: docs/methodology.md, M1 and M3.
    """
    return _signal(snapshot.dispersion, _conviction(snapshot, settings))


def _signal(reading: DispersionReading, conviction: Conviction | None) -> Signal:
    episode = reading.episode
    return Signal(
        state=reading.state,
        why=reading.why,
        spread=reading.spread,
        baseline=reading.baseline,
        excess=reading.excess,
        peak_excess=0.0 if episode is None else episode.peak_excess,
        episode_began_on=None if episode is None else episode.began_on,
        own=reading.own,
        conviction=None if episode is None else conviction,
    )


def _conviction(snapshot: Snapshot, settings: EvidenceSettings) -> Conviction | None:
    today, known = trade_date(snapshot.now), snapshot.conviction
    is_fresh = known is not None and known.read_on == today
    if is_fresh or snapshot.evidence is None or snapshot.dispersion.state is not SignalState.BLOWOUT:
        return known
    return read_conviction(_with_levels(snapshot.evidence, snapshot.levels, snapshot), settings, today)


def _with_levels(inputs: EvidenceInputs, levels: Mapping[InstrumentKey, float], snapshot: Snapshot) -> EvidenceInputs:
    """Return the inputs with the indices' last levels as the closes so far of today."""
    live = {one.symbol: levels[one.key] for one in (SPX, RUT) if one.key in levels}
    return replace(inputs, live=live, live_on=trade_date(snapshot.now)) if live else inputs
