"""Nothing behind the gateway grows with steps: a week of sessions and nights leaves the memory of its first days."""

import gc
import tracemalloc

import pytest
from floors import DAY, SPY, a_call, a_floor_with_nights, a_future, an_order

from bot.domain.instrument import VIX
from simulator.opening import OpenedFloor
from simulator.venue import BarRequest, PriceKind, Span, SpanUnit, Tif
from simulator.world.quotes import points

_GROWTH_BYTES = 15_000
"""For two days with some 700 steps and 12 orders: about 20 bytes a step, where one kept quote has 500."""


def _play_day(opened: OpenedFloor, number: int) -> int:
    """Play a session and the evening after it as clients would see them; return the memory in use, bytes."""
    floor, session = opened.floor, opened.source.sessions[number]
    call = a_call(opened)
    reach = Span(count=3600, unit=SpanUnit.SECOND)
    for part in range(1, 4):
        floor.advance(session.opens_at + (session.closes_at - session.opens_at) * part / 4)
        order_id = floor.next_order_id(1)
        floor.place(an_order(call, limit=str(floor.quote(call).ask), order_id=order_id))
        floor.place(an_order(call, limit="0.05", order_id=order_id + 1, tif=Tif.GTC))
        floor.cancel(1, order_id + 1)
        minute = Span(count=60, unit=SpanUnit.SECOND)
        floor.bars(SPY, BarRequest(what=PriceKind.TRADES, width=minute, reach=reach, end=floor.now()))
        floor.past_quotes(VIX, PriceKind.TRADES, start=None, end=None, count=10)
    floor.advance(session.closes_at)
    for cached in (each for each in gc.get_objects() if isinstance(each, type(points))):
        cached.cache_clear()  # kept answers are bounded by their number; what they hold says nothing of growth
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


@pytest.mark.slow
def test_memory_does_not_grow_from_day_to_day() -> None:
    """With watchers, listeners, orders and questions the sixth day ends with the memory of the fourth."""
    opened = a_floor_with_nights(sessions=6, start=DAY, tick_s=300, night_step_s=300)
    for each in (SPY, a_future(opened, "VX"), VIX):
        opened.floor.watch(each)
    opened.floor.listen(lambda _event: None)
    tracemalloc.start()
    try:
        used = [_play_day(opened, number) for number in range(6)]
    finally:
        tracemalloc.stop()

    assert used[5] - used[3] < _GROWTH_BYTES
