"""When a lot is rolled, stopped or harvested: the edges of each, over weekends and holidays."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.expiries import vix_monthlies
from bot.domain.instrument import Right
from bot.domain.layer import Layer
from bot.domain.orders import Leg
from bot.domain.portfolio import Lot
from bot.domain.snapshot import Snapshot
from bot.hedging.temporal.rolling import Due, DueKind, harvest_due, roll_due, spread_width_points, stop_day, stop_due
from bot.hedging.temporal.settings import TemporalSettings
from bot.valuation import Unvalued, ValuationSettings, Valuer
from tests.builders import (
    CALENDAR,
    DECEMBER,
    NOVEMBER,
    TODAY,
    Scenery,
    a_future,
    a_lot,
    a_quote,
    an_option,
    buys,
    mirrored,
    sells,
    spread_legs,
    vix_call,
)

SETTINGS = TemporalSettings()
SCENERY = Scenery(condors=10)
MONTHLIES = tuple(vix_monthlies(date(2025, 6, 1), date(2027, 12, 31), CALENDAR))


def _lot(layer: Layer = Layer.OVERLAY, settlement: date = NOVEMBER, **changes: object) -> Lot:
    lot = a_lot(spread_legs(21, 26, settlement), layer=layer, expires_on=settlement)
    return replace(lot, **changes)  # type: ignore[arg-type]  # test shorthand: names are checked by the class


# rolling ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "today", "due"),
    [
        (Layer.SHORT, date(2026, 11, 5), False),  # 13 days: a Thursday
        (Layer.SHORT, date(2026, 11, 6), True),  # ten days before settlement is Sunday: the Friday before it
        (Layer.OVERLAY, date(2026, 11, 6), True),
        (Layer.MEDIUM, date(2026, 9, 11), False),
        (Layer.MEDIUM, date(2026, 9, 14), True),  # 65 days, a Monday
        (Layer.LONG, date(2026, 6, 4), False),
        (Layer.LONG, date(2026, 6, 5), True),  # 165 days before is Saturday: the Friday before it
    ],
)
def test_a_layer_is_rolled_at_its_days(layer: Layer, today: date, due: bool) -> None:  # noqa: FBT001 - a table
    """Ten, 65 and 165 days before settlement, from the session on or before that day."""
    settlement = date(2026, 11, 18)
    found = roll_due(_lot(layer, settlement, bought_on=today), today, SETTINGS, CALENDAR)
    assert (found is not None) is due
    if found is not None:
        assert (found.kind, found.lot_id) == (DueKind.ROLL, "lot-1")
        assert f"the {layer} layer is rolled at {SETTINGS.roll_days(layer)}" in found.words


@pytest.mark.parametrize("changes", [{"units_open": 0}, {"expires_on": TODAY}])
def test_what_is_gone_is_due_for_nothing(changes: dict[str, object]) -> None:
    """A lot that is sold out or settles today is neither rolled nor stopped nor harvested."""
    lot = _lot(**changes)
    late = NOVEMBER if "units_open" in changes else TODAY
    valuer = Valuer(_worth(5.0), ValuationSettings())
    assert roll_due(lot, late, SETTINGS, CALENDAR) is None
    assert stop_due(lot, late, SETTINGS, CALENDAR) is None
    assert harvest_due(lot, valuer, SETTINGS, late) is None


@given(
    settlement=st.sampled_from(MONTHLIES),
    layer=st.sampled_from(Layer),
    before=st.integers(1, 250),
)
def test_once_due_a_roll_stays_due_and_is_never_late(settlement: date, layer: Layer, before: int) -> None:
    """It begins on a session with the layer's days left or a few more, and every day after it until settlement."""
    today = settlement - timedelta(days=before)
    found = roll_due(_lot(layer, settlement, bought_on=today), today, SETTINGS, CALENDAR)
    days = SETTINGS.roll_days(layer)
    assert (found is not None) or before > days
    if found is not None:
        assert CALENDAR.session(found.since) is not None
        assert days <= (settlement - found.since).days <= days + 4
        assert found.since <= today


# stopping ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settlement", "stop"),
    [
        (date(2026, 11, 18), date(2026, 11, 13)),  # last trade Tuesday 17, then Monday 16, then Friday 13
        (date(2026, 12, 16), date(2026, 12, 11)),
        (date(2027, 1, 20), date(2027, 1, 14)),  # Monday 18 is a holiday: last trade 19, then 15, then 14
    ],
)
def test_a_lot_stops_two_sessions_before_its_last_trading_day(settlement: date, stop: date) -> None:
    """Weekends and holidays are no sessions."""
    lot = _lot(settlement=settlement)
    assert stop_day(lot, SETTINGS, CALENDAR) == stop
    assert stop_due(lot, stop - timedelta(days=1), SETTINGS, CALENDAR) is None
    found = stop_due(lot, stop, SETTINGS, CALENDAR)
    assert found is not None
    assert (found.kind, found.since) == (DueKind.STOP, stop)
    assert found.words == "the last trading day is 2 sessions away or nearer: nothing is held into its end"


def test_the_earliest_leg_stops_a_lot() -> None:
    """A calendar of two expiries ends with the nearer one; a lot whose legs say nothing ends with its expiry."""
    calendar = a_lot((buys(vix_call(21, DECEMBER)), sells(vix_call(21, NOVEMBER))), expires_on=DECEMBER)
    assert stop_day(calendar, SETTINGS, CALENDAR) == date(2026, 11, 13)
    future = a_lot((buys(a_future("VX")),))
    assert stop_day(future, SETTINGS, CALENDAR) == date(2026, 11, 16)


@given(settlement=st.sampled_from(MONTHLIES), sessions=st.integers(1, 5))
def test_a_stop_leaves_as_many_sessions_as_it_says(settlement: date, sessions: int) -> None:
    """From the stop day to the last trading day there are just so many sessions more."""
    day = stop_day(_lot(settlement=settlement), TemporalSettings(stop_sessions=sessions), CALENDAR)
    last = CALENDAR.previous_session(settlement).day
    assert len(list(CALENDAR.sessions(day, last))) == sessions + 1


# harvesting -------------------------------------------------------------------------------------------------------


def _worth(price: float) -> Snapshot:
    """A market in which the 21/26 spread is worth so much: the short call at 6 points, the long one above it."""
    long, short = vix_call(21), vix_call(26)
    snapshot = SCENERY.snapshot()
    legs = {
        long.key: a_quote(long, 6.0 + price - 0.001, 6.0 + price + 0.001),
        short.key: a_quote(short, 5.999, 6.001),
    }
    return replace(snapshot, quotes={**snapshot.quotes, **legs})


def _harvest(snapshot: Snapshot, lot: Lot | None = None, frac: float = 0.70) -> Due | Unvalued | None:
    valuer = Valuer(snapshot, ValuationSettings())
    return harvest_due(lot or _lot(), valuer, TemporalSettings(harvest_frac=frac), TODAY)


@pytest.mark.parametrize(("price", "due"), [(3.49, False), (3.50, True), (4.95, True)])
def test_a_spread_is_harvested_at_seventy_percent_of_its_width(price: float, due: bool) -> None:  # noqa: FBT001 - a table
    """Five points wide, worth 3.50 and more."""
    found = _harvest(_worth(price))
    assert isinstance(found, Due) is due
    if isinstance(found, Due):
        assert (found.kind, found.since) == (DueKind.HARVEST, TODAY)
        assert found.words.startswith(f"worth {price:.2f} of 5 points")


@given(price=st.floats(0.5, 4.99), frac=st.floats(0.70, 0.99))
@settings(deadline=None)
def test_nothing_is_harvested_below_its_share_of_the_width(price: float, frac: float) -> None:
    """Never below 70 % of the width, whatever is configured; always at the configured share."""
    found = _harvest(_worth(price), frac=frac)
    if isinstance(found, Due):
        assert price >= max(0.70, frac) * 5.0 - 1e-6
    elif found is None:
        assert price <= frac * 5.0 + 1e-6


def test_a_worth_that_is_unknown_says_why() -> None:
    """Without a quote of a leg nothing is harvested, and nothing is said to be worth too little."""
    snapshot = SCENERY.snapshot()
    long = vix_call(21)
    quotes = {key: quote for key, quote in snapshot.quotes.items() if key != long.key}
    assert _harvest(replace(snapshot, quotes=quotes)) == Unvalued(reason=f"{long.key}: no quote")


@pytest.mark.parametrize(
    ("legs", "width"),
    [
        (spread_legs(21, 26), 5.0),
        (tuple(reversed(spread_legs(21, 23.5))), 2.5),
        (mirrored(spread_legs(21, 26)), None),
        ((buys(vix_call(21)),), None),
        ((buys(vix_call(21)), buys(vix_call(26))), None),
        ((buys(vix_call(21), 2), sells(vix_call(26), 2)), None),
        ((buys(vix_call(21)), sells(vix_call(26, DECEMBER))), None),
        ((buys(vix_call(21)), sells(vix_call(26, trading_class="VIXW"))), None),
        ((buys(an_option(21, right=Right.PUT)), sells(vix_call(26))), None),
        ((buys(a_future("VX")), sells(vix_call(26))), None),
    ],
)
def test_only_a_debit_call_spread_has_a_width(legs: tuple[Leg, ...], width: float | None) -> None:
    """Same class and settlement, one bought below one sold."""
    assert spread_width_points(legs) == width


def test_what_is_no_spread_is_never_harvested() -> None:
    """A single call of the base has no width to be near."""
    lot = a_lot((buys(vix_call(21)),), layer=Layer.SHORT)
    assert _harvest(SCENERY.snapshot(), lot) is None
