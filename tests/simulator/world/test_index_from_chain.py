"""The index computed from the simulated chain is the simulated index; what the smile is worth as a whole."""

from datetime import timedelta

import pytest
from boards import index_of_board, lowest_bids_are_two_zeros
from floors import a_floor
from hypothesis import given
from hypothesis import strategies as st

from simulator.world.scripts import SCENARIOS
from simulator.world.variance import at_the_money_total, smile_factor, swap_total

MOMENTS = {
    "calm": ((0, 1),),
    "blowout": ((1, 200),),
    "crash": ((1, 400), (2, 240), (3, 30)),
    "mean_reversion": ((2, 100),),
    "contradicted": ((1, 390),),
    "vix_without_rvx": ((1, 240),),
    "halt": ((1, 149), (1, 166)),
    "early_close": ((1, 200),),
    "vix_expiry_week": ((2, 5),),
    "opex_week": ((4, 370),),
}
"""Sessions and minutes after the open at which each scenario is looked at."""


def test_every_scenario_is_looked_at() -> None:
    """The table above leaves none out."""
    assert set(MOMENTS) == set(SCENARIOS)


@pytest.mark.parametrize(("name", "moments"), MOMENTS.items(), ids=lambda each: each if isinstance(each, str) else "")
def test_the_index_computed_from_the_chain_is_the_simulated_one(
    name: str, moments: tuple[tuple[int, int], ...]
) -> None:
    """From the quotes of SPXW and RUTW alone VIX and RVX come out within 0.3 points, in calm and in panic."""
    opened = a_floor(scenario=name, sessions=5, tick_s=60)
    floor, universe = opened.floor, opened.universe
    for session, minute in moments:
        floor.advance(opened.source.sessions[session].opens_at + timedelta(minutes=minute))
        levels = floor.market.levels

        assert index_of_board(floor, universe, "SPXW") == pytest.approx(levels.vix, abs=0.3)
        assert index_of_board(floor, universe, "RUTW") == pytest.approx(levels.small_cap_vol, abs=0.3)


def test_a_halted_board_has_no_quotes_to_compute_an_index_from() -> None:
    """In the halt both sides of every SPXW and RUTW option are gone, and VIX and RVX stand as they stood before it."""
    opened = a_floor(scenario="halt", sessions=2, tick_s=60)
    floor, universe = opened.floor, opened.universe
    floor.advance(opened.source.sessions[1].opens_at + timedelta(minutes=149))
    before = floor.market.levels

    floor.advance(opened.source.sessions[1].opens_at + timedelta(minutes=152))

    for name in ("SPXW", "RUTW"):
        board = [floor.quote(each) for each in universe.options(name, universe.spxw_fridays[4])]
        assert all(quote.is_halted and quote.bid is None and quote.ask is None for quote in board)
    assert (floor.market.levels.vix, floor.market.levels.rvx) == (before.vix, before.rvx)


def test_the_put_wing_ends_with_two_strikes_without_a_bid() -> None:
    """Strikes reach so far down that nobody bids for the last ones, even at a VIX of 60."""
    opened = a_floor(scenario="crash", sessions=3, tick_s=60)
    opened.floor.advance(opened.source.sessions[2].opens_at + timedelta(minutes=240))

    assert opened.floor.market.levels.vix > 60.0
    for name in ("SPXW", "RUTW"):
        assert lowest_bids_are_two_zeros(opened.floor, opened.universe, name, opened.universe.spxw_fridays[4])


@given(st.floats(0.003, 0.6))
def test_the_level_at_the_money_is_found_back(total: float) -> None:
    """A smile at that level is worth what was wanted, to a thousandth of it."""
    assert swap_total(at_the_money_total(total)) == pytest.approx(total, rel=1e-3)


@given(st.floats(-20.0, 20.0))
def test_a_smile_is_bounded(deviations: float) -> None:
    """No option is priced at less than half or at more than three times the volatility at the money."""
    assert 0.5 <= smile_factor(deviations) <= 3.0


def test_without_time_there_is_no_variance() -> None:
    """At settlement the whole is worth nothing."""
    assert swap_total(0.0) == 0.0
