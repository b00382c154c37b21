"""The index computed from the simulated chain is the simulated index; what the smile is worth as a whole."""

import math
from datetime import timedelta
from itertools import pairwise

import pytest
from boards import index_of_board, lowest_bids_are_two_zeros
from floors import a_floor
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.instrument import Right
from simulator.world.scripts import SCENARIOS
from simulator.world.variance import (
    HIGHEST_DEVIATION,
    LOWEST_DEVIATION,
    at_the_money_total,
    smile_factor,
    swap_total,
)

_LEAST_TICK = 0.01
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
    "two_blowouts": ((1, 300),),
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
def test_a_smile_grows_outward_no_faster_than_the_root_of_the_distance(deviations: float) -> None:
    """Beyond its parabola the square of the factor is a straight line, so that wings stay free of arbitrage."""
    factor, further = smile_factor(deviations), smile_factor(deviations * 1.001)

    assert 0.85 <= factor <= math.sqrt(1.0 + abs(deviations)) * 1.2
    assert abs(further - factor) <= 0.001 * abs(deviations) * 0.35 + 1e-9


@pytest.mark.parametrize("bound", [LOWEST_DEVIATION, HIGHEST_DEVIATION])
def test_a_smile_has_no_kink_where_its_parabola_ends(bound: float) -> None:
    """Value and slope are the same from both sides."""
    step = 1e-5
    before, at, after = (smile_factor(bound + step * side) for side in (-1, 0, 1))

    assert after - at == pytest.approx(at - before, abs=1e-9)


@pytest.mark.parametrize(("name", "session", "minute"), [("calm", 0, 60), ("crash", 2, 240), ("halt", 1, 200)])
@pytest.mark.parametrize("trading_class", ["SPXW", "RUTW", "SPX", "VIX"])
def test_boards_are_free_of_arbitrage(name: str, session: int, minute: int, trading_class: str) -> None:
    """Puts rise and calls fall with the strike, by at most its distance; no butterfly has a negative worth."""
    opened = a_floor(scenario=name, sessions=session + 1, tick_s=60)
    opened.floor.advance(opened.source.sessions[session].opens_at + timedelta(minutes=minute))
    market = opened.floor.market
    for settlement in opened.universe.settlements(trading_class)[1::4]:
        for right, sign in ((Right.CALL, -1.0), (Right.PUT, 1.0)):
            board = [each for each in opened.universe.options(trading_class, settlement) if each.right is right]
            rows = [(float(each.strike or 0), market.fair(each).price) for each in board]
            for (low, first), (high, second) in pairwise(rows):
                assert -1e-9 <= sign * (second - first) <= high - low
            for (low, first), (middle, value), (high, last) in zip(rows, rows[1:], rows[2:], strict=False):
                share = (high - middle) / (high - low)
                assert value <= share * first + (1.0 - share) * last + _LEAST_TICK


def test_without_time_there_is_no_variance() -> None:
    """At settlement the whole is worth nothing."""
    assert swap_total(0.0) == 0.0
