"""How many calls a base layer should hold, and where they are bought (M4)."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import InvalidValueError
from bot.domain.expiries import vix_monthlies
from bot.domain.layer import BASE_LAYERS, Layer
from bot.domain.readings import SignalState
from bot.domain.shifts import Offered
from bot.hedging.base.settings import BaseSettings, MaintainBase
from bot.hedging.base.targets import (
    base_is_frozen,
    call_usd_per_point,
    layer_settlement,
    needs_of,
    target_calls,
    wanted_settlements,
)
from bot.hedging.settings import HedgeSettings, LayerSettings
from bot.hedging.temporal.rolling import roll_day
from tests.bot.hedging.base_books import (
    AUTO,
    DECEMBER,
    ROLL_DAY,
    base_lot,
    base_order,
    days_after,
    moment_of,
    on_day,
    with_lots,
)
from tests.builders import CALENDAR, NOVEMBER, TODAY, a_reading

RATE = 0.04
TEN = on_day()


def a_layer(calls: int = 4, exposure: float = 0.0, days: int = 30) -> LayerSettings:
    """A layer of some size."""
    return LayerSettings(days=days, calls_per_ten_condors=calls, longest_days=70, exposure_usd_per_point=exposure)


@pytest.mark.parametrize(
    ("calls", "condors", "target"),
    [(4, 10, 4), (4, 40, 16), (2, 40, 8), (4, 1, 0), (4, 2, 1), (5, 1, 1), (5, 3, 2), (4, 0, 0), (1, 4, 0), (1, 5, 1)],
)
def test_a_layer_holds_its_calls_for_every_ten_condors(calls: int, condors: int, target: int) -> None:
    """To the nearest whole call, half a call up; none without condors."""
    assert target_calls(a_layer(calls), condors, RATE) == target


@given(calls=st.integers(1, 30), condors=st.integers(1, 500))
def test_a_target_is_the_nearest_whole_number(calls: int, condors: int) -> None:
    """No other number of calls is nearer to the share of the condors, and more condors never want fewer."""
    target, exact = target_calls(a_layer(calls), condors, RATE), Fraction(calls * condors, 10)
    assert abs(target - exact) <= Fraction(1, 2)
    assert target_calls(a_layer(calls), condors + 1, RATE) >= target


@given(exposure=st.floats(1.0, 5_000.0), condors=st.integers(1, 100))
def test_an_exposure_is_met_by_the_calls_that_come_nearest(exposure: float, condors: int) -> None:
    """It counts instead of the calls for ten condors, whatever their number; within half a call."""
    layer = a_layer(calls=30, exposure=exposure)
    each = call_usd_per_point(layer, RATE)
    assert abs(target_calls(layer, condors, RATE) * each - exposure) <= each / 2 + 1e-6
    assert target_calls(layer, 0, RATE) == 0


def test_the_reference_layers_make_the_reference_base() -> None:
    """Four, four and two calls of 0.50 forward delta are about 170 USD per point of VIX (M2)."""
    layers = HedgeSettings().layers
    total = sum(target_calls(one, 10, RATE) * call_usd_per_point(one, RATE) for one in layers.values())
    assert total == pytest.approx(170.0, rel=0.05)


@pytest.mark.parametrize(
    ("layer", "days", "chosen"),
    [
        (Layer.SHORT, (15, 29, 57), 29),
        (Layer.SHORT, (24, 36), 24),
        (Layer.SHORT, (10, 57), 57),
        (Layer.MEDIUM, (29, 92, 121), 121),
        (Layer.MEDIUM, (99, 121), 99),
        (Layer.LONG, (156, 184, 211, 239), 211),
        (Layer.LONG, (29, 120), None),
        (Layer.SHORT, (), None),
    ],
)
def test_a_layer_is_bought_at_the_monthly_nearest_to_its_days(
    layer: Layer, days: tuple[int, ...], chosen: int | None
) -> None:
    """Of two as near the earlier; weeklies never, and none that would be due for its roll at once."""
    offered = [Offered(day=days_after(each), is_monthly=True) for each in days]
    weeklies = [Offered(day=days_after(each), is_monthly=False) for each in (30, 110, 220)]
    found = layer_settlement(layer, [*weeklies, *offered], TODAY, AUTO, CALENDAR)
    assert found == (None if chosen is None else days_after(chosen))


@given(today=st.dates(date(2026, 1, 5), date(2027, 3, 1)), layer=st.sampled_from(BASE_LAYERS))
def test_what_is_bought_is_never_due_at_once(today: date, layer: Layer) -> None:
    """On any day of any year a purchase goes to a settlement whose roll lies ahead: nothing is bought in a circle."""
    offered = [Offered(day=day, is_monthly=True) for day in vix_monthlies(today, today + timedelta(days=300), CALENDAR)]
    found = layer_settlement(layer, offered, today, AUTO, CALENDAR)
    assert found is not None
    assert today < roll_day(layer, found, AUTO.temporal, CALENDAR)


@pytest.mark.parametrize(
    ("state", "in_episode", "frozen"),
    [
        (SignalState.BLOWOUT, True, True),
        (SignalState.UNDEFINED, True, True),
        (SignalState.UNDEFINED, False, False),
        (SignalState.CALM, False, False),
    ],
)
def test_the_base_is_frozen_while_an_episode_lasts(state: SignalState, in_episode: bool, frozen: bool) -> None:  # noqa: FBT001
    """In a blowout, and where an undefined signal interrupts one."""
    assert base_is_frozen(state, in_episode=in_episode) is frozen


# what the shell looks up ------------------------------------------------------------------------------------------


def test_only_layers_that_need_a_purchase_are_looked_up() -> None:
    """The reference book needs nothing; without its short layer the settlement of November is wanted, or nothing."""
    whole = TEN.snapshot(state=SignalState.CALM)
    assert wanted_settlements(whole, TODAY, AUTO, CALENDAR) == {}
    lots = [lot for lot in TEN.base_lots() if lot.layer is not Layer.SHORT]
    bare = moment_of(TEN, with_lots(TEN, *lots))
    assert wanted_settlements(bare, TODAY, AUTO, CALENDAR) == {NOVEMBER: Layer.SHORT}
    off = HedgeSettings(base=BaseSettings(maintain_base=MaintainBase.OFF))
    assert wanted_settlements(bare, TODAY, off, CALENDAR) == {}


def test_a_frozen_base_looks_up_rolls_alone() -> None:
    """In a blowout a layer below its target is not looked up, one that is due is."""
    calm = moment_of(TEN, with_lots(TEN, base_lot(1)))
    wide = moment_of(TEN, with_lots(TEN, base_lot(1)), dispersion=a_reading())
    assert set(wanted_settlements(calm, TODAY, AUTO, CALENDAR).values()) == set(BASE_LAYERS)
    assert wanted_settlements(wide, TODAY, AUTO, CALENDAR) == {}
    late = on_day(ROLL_DAY)
    due = moment_of(late, with_lots(late, base_lot(1)), dispersion=a_reading())
    assert wanted_settlements(due, ROLL_DAY, AUTO, CALENDAR) == {DECEMBER: Layer.SHORT}


def test_an_order_on_its_way_counts_as_bought() -> None:
    """Three of four calls may still fill: one is missing."""
    book = with_lots(TEN, orders=[base_order(4, filled=1)])
    needs = needs_of(book, TEN.snapshot().offered, TODAY, AUTO, CALENDAR, frozen=False)
    assert {need.layer: need.missing for need in needs} == {Layer.SHORT: 1, Layer.MEDIUM: 4, Layer.LONG: 2}


# settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("changes", [{"max_delta_gap": 0.5}, {"max_delta_gap": 0.0}, {"strikes_watched": 0}])
def test_a_base_that_could_not_be_bought_is_refused(changes: dict[str, float]) -> None:
    """A delta that any call has, or none, and no strike at all."""
    with pytest.raises(InvalidValueError, match=next(iter(changes))):
        BaseSettings(**changes)  # type: ignore[arg-type]  # wrong values on purpose


@pytest.mark.parametrize("changes", [{"exposure_usd_per_point": -1.0}, {"forward_delta": 1.0}])
def test_a_layer_without_a_meaning_is_refused(changes: dict[str, float]) -> None:
    """An exposure below zero, and a delta that no call has."""
    with pytest.raises(InvalidValueError, match=next(iter(changes))):
        LayerSettings(days=30, calls_per_ten_condors=4, longest_days=70, **changes)  # type: ignore[arg-type]


def test_a_layer_is_bought_farther_out_than_it_is_rolled() -> None:
    """A layer bought at ten days would be due at once."""
    layers = {**HedgeSettings().layers, Layer.SHORT: a_layer(days=10)}
    with pytest.raises(InvalidValueError, match="days of the short layer lie above its roll at 10"):
        HedgeSettings(layers=layers)
