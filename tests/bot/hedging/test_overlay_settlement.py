"""Where the overlay goes: with the short layer, else the nearest month, and one step around releases (M4, M6)."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from bot.domain.layer import Layer
from bot.domain.readings import Episode
from bot.domain.releases import Confidence, Coverage, Release, ReleaseKind, ReleaseTable
from bot.domain.schedule import NEW_YORK
from bot.domain.shifts import Direction, Offered
from bot.domain.snapshot import Snapshot
from bot.hedging.planning import NO_RELEASES
from bot.hedging.settlement import overlay_shift
from bot.hedging.shifting.settings import TimeShiftSettings
from tests.builders import CALENDAR, TODAY, Scenery, a_book, a_lot, a_reading, buys, vix_call

SETTINGS = TimeShiftSettings()
TEN = Scenery(condors=10)
DAY = timedelta(days=1)


def _snapshot(offered: tuple[int, ...], short: int | None = None, **changes: object) -> Snapshot:
    """A moment with monthly settlements so many days ahead, and a short layer that settles in so many."""
    lots = ()
    if short is not None:
        lot = a_lot((buys(vix_call(20)),), layer=Layer.SHORT)
        lots = (replace(lot, expires_on=TODAY + short * DAY),)
    days = tuple(Offered(day=TODAY + each * DAY, is_monthly=True) for each in offered)
    return replace(TEN.snapshot(book=a_book(lots=lots)), offered=days, **changes)  # type: ignore[arg-type]


def _settles_in(snapshot: Snapshot, releases: ReleaseTable = NO_RELEASES) -> int | None:
    found = overlay_shift(snapshot, releases, SETTINGS, CALENDAR).settlement
    return None if found is None else (found - TODAY).days


@pytest.mark.parametrize(
    ("offered", "short", "chosen"),
    [
        ((29, 57), 29, 29),
        ((29, 57), 57, 57),
        ((22, 50), 21, 22),
        ((29, 57), 20, 29),
        ((15, 43), None, 43),
        ((21, 45), None, 21),
        ((27, 33), None, 27),
        ((20, 46), None, 46),
        ((50, 57), None, 50),
        ((20, 61), None, None),
        ((29, 61), 61, 29),
        ((), None, None),
    ],
)
def test_the_overlay_joins_the_short_layer_or_the_nearest_month(
    offered: tuple[int, ...], short: int | None, chosen: int | None
) -> None:
    """The short layer's settlement within 21 to 60 days; else nearest 30 within 21-45, else within 46-60."""
    assert _settles_in(_snapshot(offered, short)) == chosen


def test_the_day_is_new_yorks() -> None:
    """Late in the evening of the day before, in London already today: days count from New York's date."""
    evening = datetime.combine(TODAY, time(1, 30), tzinfo=UTC)
    snapshot = _snapshot((21,), 21, now=evening)
    assert _settles_in(snapshot) == 21
    assert overlay_shift(snapshot, NO_RELEASES, SETTINGS, CALENDAR).because.find("22 days") > 0


def test_a_release_soon_after_shifts_the_overlay_one_step() -> None:
    """An FOMC decision three days after the short layer settles: the next month is bought, and the plan says why."""
    at = datetime.combine(TODAY + 32 * DAY, time(14), tzinfo=NEW_YORK)
    fomc = Release(kind=ReleaseKind.FOMC, at=at, source="a test", confidence=Confidence.MEMORY)
    year = Coverage(kind=ReleaseKind.FOMC, covered_from=date(2026, 1, 1), covered_to=date(2027, 12, 31))
    shift = overlay_shift(_snapshot((29, 57), 29), ReleaseTable.of([fomc], [year]), SETTINGS, CALENDAR)
    assert shift.direction is Direction.FORWARD
    assert (shift.settlement, shift.release) == (TODAY + 57 * DAY, fomc)
    assert shift.uncovered == (ReleaseKind.CPI,)


def test_a_spread_on_its_way_home_shifts_back() -> None:
    """Far below the peak of its episode and fast back to its mean: the earlier month, when no release lies between."""
    covered = [
        Coverage(kind=kind, covered_from=date(2026, 1, 1), covered_to=date(2027, 12, 31)) for kind in ReleaseKind
    ]
    spreads = tuple(5.0 + 2.0 * 0.5 ** (place % 6) for place in range(120))
    reading = replace(a_reading(), spread=6.6, baseline=5.0, episode=Episode(began_on=TODAY - 5 * DAY, peak_excess=0.9))
    snapshot = _snapshot((22, 29), None, dispersion=reading, closing_spreads=spreads)
    shift = overlay_shift(snapshot, ReleaseTable.of([], covered), SETTINGS, CALENDAR)
    assert (shift.direction, shift.settlement) == (Direction.BACKWARD, TODAY + 22 * DAY)
    young = replace(snapshot, dispersion=replace(reading, episode=Episode(began_on=TODAY, peak_excess=0.4)))
    assert overlay_shift(young, ReleaseTable.of([], covered), SETTINGS, CALENDAR).direction is Direction.NONE
    for unknown in ({"baseline": None}, {"episode": None}):
        other = replace(snapshot, dispersion=replace(reading, **unknown))  # type: ignore[arg-type]
        assert overlay_shift(other, ReleaseTable.of([], covered), SETTINGS, CALENDAR).direction is Direction.NONE
