"""Which contracts are watched for the overlay."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.instrument import Kind, Right
from bot.domain.layer import BASE_LAYERS, Layer
from bot.domain.readings import SignalState
from bot.domain.releases import Confidence, Coverage, Release, ReleaseKind, ReleaseTable
from bot.domain.schedule import NEW_YORK
from bot.domain.snapshot import Snapshot
from bot.hedging.base.settings import BaseSettings, MaintainBase
from bot.hedging.planning import NO_RELEASES
from bot.hedging.settings import HedgeSettings
from bot.hedging.universe import Candidates, base_watches, candidate_universe, looked_up, offered_settlements
from bot.valuation import ValuationSettings, Valued, Valuer
from tests.bot.hedging.base_books import with_lots
from tests.builders import CALENDAR, NOVEMBER, Scenery, a_future

SCENERY = Scenery(condors=10)
VALUATION = ValuationSettings()
HELD = frozenset(lot.expires_on for lot in SCENERY.base_lots())


@cache
def _priced(vix: float) -> Scenery:
    return Scenery(condors=10, vix=vix)


def _watched(vix: float = 18.0, rules: HedgeSettings | None = None) -> tuple[list[str], list[float]]:
    found = candidate_universe(SCENERY.listed(), NOVEMBER, HELD, vix_level=vix, settings=rules or HedgeSettings())
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
    futures, strikes = _watched(rules=HedgeSettings(max_watched=10))
    assert len(futures) + len(strikes) == 10
    assert len(futures) == 4


def test_without_a_settlement_only_forwards_are_watched() -> None:
    """Where no settlement is allowed, the futures of what is held remain."""
    found = candidate_universe(SCENERY.listed(), None, {NOVEMBER}, vix_level=18.0, settings=HedgeSettings())
    assert [str(one.key) for one in found] == ["FUT:VX:2026-11-18"]


def test_only_monthly_settlements_are_offered() -> None:
    """Ascending, each once; weeklies are not bought."""
    offered = offered_settlements(SCENERY.listed())
    assert [one.day for one in offered] == sorted(SCENERY.universe.vix_settlements)
    assert all(one.is_monthly for one in offered)


def _looked_up(snapshot: Snapshot, releases: ReleaseTable = NO_RELEASES) -> Candidates | None:
    return looked_up(SCENERY.listed(), snapshot, releases, HedgeSettings(), CALENDAR)


def test_the_shell_looks_up_the_contracts_that_a_plan_would_buy() -> None:
    """Without a release the November calls; with an FOMC decision two days after it settles, those of December."""
    snapshot = SCENERY.snapshot()
    fomc = Release(
        kind=ReleaseKind.FOMC,
        at=datetime.combine(NOVEMBER + timedelta(days=2), time(14), tzinfo=NEW_YORK),
        source="a test",
        confidence=Confidence.MEMORY,
    )
    year = Coverage(kind=ReleaseKind.FOMC, covered_from=date(2026, 1, 1), covered_to=date(2026, 12, 31))
    plain, shifted = _looked_up(snapshot), _looked_up(snapshot, ReleaseTable.of([fomc], [year]))
    assert plain is not None
    assert shifted is not None
    assert _calls(plain) == {NOVEMBER}
    assert _calls(shifted) == {date(2026, 12, 16)}
    assert plain.offered == shifted.offered


def test_a_layer_that_needs_a_purchase_is_watched_around_its_strike() -> None:
    """First the future of its settlement alone; with a quote of it a handful of calls around a delta of 0.50."""
    lots = [lot for lot in SCENERY.base_lots() if lot.layer is not Layer.MEDIUM]
    february = next(lot.expires_on for lot in SCENERY.base_lots() if lot.layer is Layer.MEDIUM)
    bare = replace(SCENERY.snapshot(state=SignalState.CALM), book=with_lots(SCENERY, *lots))
    future = a_future("VX", february)
    known = replace(bare, quotes={**bare.quotes, future.key: SCENERY.quote(future)})
    unknown = replace(bare, quotes={key: one for key, one in bare.quotes.items() if key != future.key})
    first, then = _looked_up(unknown), _looked_up(known)
    assert first is not None
    assert then is not None
    assert future in first.instruments
    assert february not in _calls(first)
    calls = [one for one in then.instruments if one.settlement == february and one.kind is Kind.OPTION]
    assert len(calls) == HedgeSettings().base.strikes_watched
    valuer = Valuer(replace(known, quotes={**known.quotes, **{c.key: SCENERY.quote(c) for c in calls}}), VALUATION)
    deltas = [valued.named_delta for call in calls if isinstance(valued := valuer.value(call), Valued)]
    assert min(deltas) < 0.5 < max(deltas)


@given(delta=st.floats(0.2, 0.8), vix=st.sampled_from([12.0, 18.0, 30.0, 45.0]), layer=st.sampled_from(BASE_LAYERS))
@settings(max_examples=25, deadline=None)
def test_the_watched_calls_reach_the_wanted_delta(delta: float, vix: float, layer: Layer) -> None:
    """At any VIX, for every layer: after three looks one of the calls is within the gap that a purchase allows."""
    scenery = _priced(vix)
    rules = HedgeSettings()
    layers = {**rules.layers, layer: replace(rules.layers[layer], forward_delta=delta)}
    rules = replace(rules, layers=layers)
    day = next(lot.expires_on for lot in SCENERY.base_lots() if lot.layer is layer)
    future = a_future("VX", day)
    moment = replace(scenery.snapshot(), quotes={future.key: scenery.quote(future)}, universe={})
    for _ in range(3):
        watches = base_watches({day: layer}, Valuer(moment, VALUATION), rules)
        found = candidate_universe(scenery.listed(), None, (), vix_level=vix, settings=rules, base=watches)
        shown = {one.key: scenery.quote(one) for one in found}
        moment = replace(moment, quotes=shown, universe={one.key: one for one in found})
    valuer = Valuer(moment, VALUATION)
    calls = [one for one in moment.universe.values() if one.kind is Kind.OPTION]
    away = [abs(valued.named_delta - delta) for call in calls if isinstance(valued := valuer.value(call), Valued)]
    assert min(away) <= rules.base.max_delta_gap


def test_a_base_that_stands_or_is_the_operators_takes_no_lines() -> None:
    """Nothing of the other layers' settlements is watched but their futures."""
    lots = [lot for lot in SCENERY.base_lots() if lot.layer is not Layer.MEDIUM]
    bare = replace(SCENERY.snapshot(state=SignalState.CALM), book=with_lots(SCENERY, *lots))
    off = HedgeSettings(base=BaseSettings(maintain_base=MaintainBase.OFF))
    for snapshot, rules in ((SCENERY.snapshot(state=SignalState.CALM), HedgeSettings()), (bare, off)):
        found = looked_up(SCENERY.listed(), snapshot, NO_RELEASES, rules, CALENDAR)
        assert found is not None
        assert _calls(found) == {NOVEMBER}


def test_without_a_level_of_vix_nothing_is_looked_up() -> None:
    """No level and no close: which strikes are plausible is unknown."""
    assert _looked_up(replace(SCENERY.snapshot(), levels={}, previous_closes={})) is None
    assert _looked_up(replace(SCENERY.snapshot(), levels={})) is not None


def _calls(found: Candidates) -> set[date | None]:
    return {one.settlement for one in found.instruments if one.kind is Kind.OPTION}
