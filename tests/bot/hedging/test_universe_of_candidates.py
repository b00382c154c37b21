"""Which contracts are watched for the overlay."""

from datetime import timedelta

import pytest

from bot.domain.instrument import Kind, Right
from bot.hedging.settings import HedgeSettings
from bot.hedging.universe import candidate_universe
from tests.builders import NOVEMBER, TODAY, Scenery, a_lot, buys, vix_call

SCENERY = Scenery(condors=10)
CHAIN = tuple(option for day in SCENERY.universe.vix_settlements for option in SCENERY.universe.options("VIX", day))


def _watched(vix: float = 18.0, settings: HedgeSettings | None = None) -> tuple[list[str], list[float]]:
    found = candidate_universe(
        CHAIN,
        SCENERY.universe.futures,
        vix_level=vix,
        today=TODAY,
        lots=SCENERY.base_lots(),
        settings=settings or HedgeSettings(),
    )
    futures = [str(one.key) for one in found if one.kind is Kind.FUTURE]
    strikes = [float(one.strike or 0) for one in found if one.kind is Kind.OPTION]
    assert all(one.right is Right.CALL and one.settlement == NOVEMBER for one in found if one.kind is Kind.OPTION)
    return futures, sorted(strikes)


def test_futures_of_every_held_settlement_are_watched() -> None:
    """VX of the three base layers for their forwards, and the mini of the overlay's own settlement."""
    futures, _ = _watched()
    assert futures == ["FUT:VX:2026-11-18", "FUT:VX:2027-02-17", "FUT:VX:2027-05-18", "FUT:VXM:2026-11-18"]


@pytest.mark.parametrize("vix", [11.0, 18.0, 28.0, 39.0])
def test_the_strikes_cover_the_deltas_that_are_wanted(vix: float) -> None:
    """At low and high VIX alike some watched call has a forward delta within 0.30-0.45, and its short leg is there."""
    scenery = Scenery(condors=10, vix=vix)
    _, strikes = _watched(vix)
    term = scenery.market.vix_term(NOVEMBER)
    wanted = [strike for strike in strikes if 1.07 * term.forward < strike < 1.22 * term.forward]
    assert wanted
    assert any(strike + 5.0 in strikes or strike + 2.5 in strikes for strike in wanted)


def test_the_list_is_bounded() -> None:
    """Market data lines are scarce: futures first, then the strikes nearest to the middle of the range."""
    futures, strikes = _watched(settings=HedgeSettings(max_watched=10))
    assert len(futures) + len(strikes) == 10
    assert len(futures) == 4


def test_without_a_settlement_only_forwards_are_watched() -> None:
    """Where no settlement is allowed, the futures of what is held remain."""
    lots = (a_lot((buys(vix_call(20)),)),)
    late = NOVEMBER - timedelta(days=5)
    chain = [one for one in CHAIN if one.settlement == NOVEMBER]
    found = candidate_universe(
        chain, SCENERY.universe.futures, vix_level=18.0, today=late, lots=lots, settings=HedgeSettings()
    )
    assert [str(one.key) for one in found] == ["FUT:VX:2026-11-18"]
