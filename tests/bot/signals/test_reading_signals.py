"""What planning reads of a moment: conviction is read at the onset of an episode and once a day after that."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.evidence import DailySeries, EvidenceInputs, Stance, WeakConviction
from bot.domain.instrument import RUT, SPX
from bot.domain.readings import SignalState
from bot.domain.snapshot import Snapshot
from bot.hedging.settings import HedgeSettings
from bot.hedging.sizing import Wish, wish_of
from bot.signals.evidence.settings import EvidenceSettings
from bot.signals.reading import read_signal
from tests.builders import CALENDAR, TODAY, Scenery, a_conviction, a_signal

RULES = EvidenceSettings()
DAYS = [each.day for each in CALENDAR.sessions(TODAY - timedelta(days=800), TODAY - timedelta(days=1))][-420:]


def _series(symbol: str, drift: float) -> DailySeries:
    """A wander with a swing of its own, that ends with thirty sessions of a drift."""
    closes, level = [], 100.0
    for place, day in enumerate(DAYS):
        swing = 0.004 * ((place * 7919) % 11 - 5) / 5
        level *= 1.0 + swing + (drift if place >= len(DAYS) - 30 else 0.0)
        closes.append((day, level))
    return DailySeries(symbol=symbol, rows=tuple(closes))


def _evidence(large: float, small: float) -> EvidenceInputs:
    drifts = {"SPX": large, "SPY": large, "RUT": small, "IWM": small}
    return EvidenceInputs(histories={symbol: _series(symbol, drift) for symbol, drift in drifts.items()})


def _snapshot(state: SignalState = SignalState.BLOWOUT, **changes: object) -> Snapshot:
    return replace(Scenery(condors=10).snapshot(state=state, levels={}), **changes)  # type: ignore[arg-type]


def test_the_onset_of_an_episode_reads_the_confirmations() -> None:
    """Small caps fell while large ones rose: the conviction supports, and says from what."""
    conviction = read_signal(_snapshot(evidence=_evidence(0.002, -0.006)), RULES).conviction
    assert conviction is not None
    assert (conviction.stance, conviction.read_on) == (Stance.SUPPORTS, TODAY)
    assert len(conviction.readings) == 6


def test_the_other_way_round_they_contradict() -> None:
    """Small caps rose while large ones fell."""
    conviction = read_signal(_snapshot(evidence=_evidence(-0.006, 0.002)), RULES).conviction
    assert conviction is not None
    assert conviction.stance is Stance.CONTRADICTS


def test_a_conviction_of_today_stays_what_it_was() -> None:
    """Read once a day: other evidence in the same session changes nothing."""
    known = a_conviction(Stance.WEAK)
    snapshot = _snapshot(evidence=_evidence(0.002, -0.006), conviction=known)
    assert read_signal(snapshot, RULES).conviction is known


def test_a_conviction_of_yesterday_is_read_anew() -> None:
    """The next session's first plan reads again."""
    old = a_conviction(Stance.WEAK, TODAY - timedelta(days=1))
    conviction = read_signal(_snapshot(evidence=_evidence(0.002, -0.006), conviction=old), RULES).conviction
    assert conviction is not None
    assert conviction.stance is Stance.SUPPORTS


def test_without_evidence_yesterdays_conviction_holds() -> None:
    """Nothing was delivered yet: what was read last stays, and without anything there is none."""
    old = a_conviction(Stance.WEAK, TODAY - timedelta(days=1))
    assert read_signal(_snapshot(conviction=old), RULES).conviction is old
    assert read_signal(_snapshot(), RULES).conviction is None


@pytest.mark.parametrize("state", [SignalState.CALM, SignalState.UNDEFINED])
def test_outside_a_blowout_nothing_is_read(state: SignalState) -> None:
    """CALM has no conviction; an interruption reads none either."""
    assert read_signal(_snapshot(state, evidence=_evidence(0.002, -0.006)), RULES).conviction is None


def test_todays_levels_count_as_todays_closes() -> None:
    """A fall of RUT in this very session is in the reading."""
    calm = _evidence(0.0, 0.0005)
    spx, rut = (calm.histories[symbol].rows[-1][1] for symbol in ("SPX", "RUT"))
    before = read_signal(_snapshot(evidence=calm, levels={SPX.key: spx, RUT.key: rut}), RULES).conviction
    after = read_signal(_snapshot(evidence=calm, levels={SPX.key: spx, RUT.key: 0.95 * rut}), RULES).conviction
    assert before is not None
    assert after is not None
    assert (after.value or 0.0) > (before.value or 0.0) + 0.1


# what it does to the size -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stance", "weak", "wish"),
    [
        (Stance.SUPPORTS, WeakConviction.MINIMUM, Wish(frac=0.20)),
        (Stance.WEAK, WeakConviction.MINIMUM, Wish(frac=0.10)),
        (Stance.UNKNOWN, WeakConviction.MINIMUM, Wish(frac=0.10)),
        (None, WeakConviction.MINIMUM, Wish(frac=0.10)),
        (Stance.WEAK, WeakConviction.PROPOSE, Wish(frac=0.10, asks="the conviction is weak")),
        (Stance.UNKNOWN, WeakConviction.PROPOSE, Wish(frac=0.10, asks="the conviction is unknown")),
        (Stance.SUPPORTS, WeakConviction.PROPOSE, Wish(frac=0.20)),
        (Stance.CONTRADICTS, WeakConviction.MINIMUM, Wish(frac=0.10, asks="the confirmations contradict the blowout")),
    ],
)
def test_conviction_decides_between_full_least_and_asking(
    stance: Stance | None, weak: WeakConviction, wish: Wish
) -> None:
    """Supported it is f, weak or unknown the least or a question, contradicted always a question."""
    assert wish_of(a_signal(peak_excess=0.9, stance=stance), weak, HedgeSettings()) == wish
