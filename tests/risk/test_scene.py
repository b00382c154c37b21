"""What a scene remembers: figures of the moment, of a contract and of an order, and for whom each of them holds."""

from dataclasses import replace
from datetime import date, timedelta

from bot.domain.instrument import Instrument
from bot.domain.layer import Layer
from bot.domain.orders import Leg, OrderIntent, Purpose
from risk.scene import Scene
from tests.builders import an_intent, buys, mirrored, sells, spread_legs, vix_call
from tests.risk.scenes import LIMITS, SHORT, a_build, a_mini, an_unwind, holding, scene_of

ASKED: list[object] = []
"""What was worked out, in its order; each test begins with nothing."""


def _limit(scene: Scene) -> int:
    ASKED.append("limit")
    return scene.limits.max_options


def _times(number: int, scene: Scene) -> int:
    ASKED.append(number)
    return number * scene.limits.max_options


def _last_day(contract: Instrument, scene: Scene) -> tuple[date | None, int]:
    ASKED.append(contract)
    return contract.last_trade, scene.limits.max_options


def _size(intent: OrderIntent, scene: Scene) -> int:
    ASKED.append(intent)
    return intent.quantity + len(scene.earlier)


def _count(legs: tuple[Leg, ...], scene: Scene) -> int:
    ASKED.append(legs)
    return len(legs) + len(scene.earlier)


def test_a_figure_of_the_moment_is_worked_out_once_for_every_order_of_it() -> None:
    """The scenes of a plan share it, each figure and what it is asked of by itself."""
    ASKED.clear()
    moment = scene_of()
    for scene in (moment, moment.within(earlier=(), later=()), moment.within(earlier=(a_build(),), later=(a_mini(),))):
        assert scene.once(_limit) == LIMITS.max_options
        assert [scene.once(_times, number) for number in (2, 3)] == [2 * LIMITS.max_options, 3 * LIMITS.max_options]
    assert ASKED == ["limit", 2, 3]


def test_a_scene_of_another_moment_or_under_other_limits_begins_with_nothing() -> None:
    """Whatever is replaced in a scene: no figure of the old one is taken for it."""
    ASKED.clear()
    moment = scene_of()
    stricter = replace(moment, limits=replace(LIMITS, max_options=1))
    assert (moment.once(_limit), stricter.once(_limit)) == (LIMITS.max_options, 1)
    assert (moment.of_contract(_last_day, vix_call(21))[1], stricter.of_contract(_last_day, vix_call(21))[1]) == (
        LIMITS.max_options,
        1,
    )


def test_the_scene_of_an_order_knows_what_comes_before_and_after_it() -> None:
    """Everything else is the moment's own."""
    moment, earlier, later = scene_of(), (a_build(),), (a_mini(),)
    scene = moment.within(earlier=earlier, later=later)
    assert (scene.earlier, scene.later) == (earlier, later)
    assert replace(scene, earlier=(), later=()) == moment
    assert scene.pending() == ((earlier[0], 1),)
    assert scene.pending_with(None) == scene.pending()
    assert scene.pending_with(later[0]) == (*scene.pending(), (later[0], 1))


def test_a_figure_of_a_contract_is_worked_out_once_and_is_its_own() -> None:
    """One that is equal shares it; one of the same key with other terms is asked by itself, and never mistaken."""
    ASKED.clear()
    scene, call = scene_of(), vix_call(21)
    assert call.last_trade is not None
    twin = replace(call)
    odd = replace(call, last_trade=call.last_trade - timedelta(days=1))
    assert odd.key == call.key
    for contract in (call, call, twin, odd, odd, call):
        assert scene.of_contract(_last_day, contract)[0] == contract.last_trade
    assert [call, odd, call] == ASKED
    assert ASKED[0] is call


def test_a_figure_of_an_order_is_kept_for_that_very_order() -> None:
    """Asked again it is the same; an equal order, other legs, and another scene of the moment have their own."""
    ASKED.clear()
    moment, order = scene_of(), a_build(2)
    assert [moment.kept(_size, order) for _ in range(3)] == [2, 2, 2]
    assert len(ASKED) == 1
    assert moment.kept(_size, replace(order)) == 2
    assert len(ASKED) == 2
    assert moment.within(earlier=(order,), later=()).kept(_size, order) == 3
    assert (moment.kept(_count, order.legs), moment.kept(_count, a_mini().legs)) == (2, 1)


def test_what_raises_is_tried_again() -> None:
    """A figure that could not be worked out is not remembered."""
    tried = []

    def fragile(scene: Scene) -> int:
        tried.append(scene)
        if len(tried) == 1:
            raise ValueError("not yet")
        return 7

    scene = scene_of()
    try:
        scene.once(fragile)
    except ValueError:
        assert scene.once(fragile) == 7
    assert len(tried) == 2


def test_only_what_is_on_its_way_in_the_same_contract_and_direction_uses_up_what_can_be_closed() -> None:
    """Two are short: another contract bought and this one sold leave both, a unit of two of them bought leaves none."""
    short, other = vix_call(SHORT), vix_call(30)
    back = an_intent((buys(short),), quantity=2, limit="0.50", purpose=Purpose.OVERLAY_UNWIND, intent_id="b")
    for legs, leaves in (((buys(other),), True), ((sells(short),), True), ((buys(short, 2),), False)):
        scene = scene_of(holding(2), earlier=(an_intent(legs, intent_id="e"),))
        assert scene.closes_only(back) is leaves


def test_only_sales_of_the_same_layer_and_legs_use_up_its_units() -> None:
    """Two units are held: a sale for the base, a purchase, and a sale of other legs leave both of them."""
    sale = an_unwind(2)
    others = (
        replace(sale, purpose=Purpose.BASE_EXIT, layer=Layer.SHORT, intent_id="a"),
        replace(sale, purpose=Purpose.OVERLAY_BUILD, intent_id="b"),
        replace(sale, legs=mirrored(spread_legs(22, 27)), intent_id="c"),
    )
    for one in others:
        assert scene_of(holding(2), earlier=(one,)).layer_units(sale) == 2
    assert scene_of(holding(2), earlier=(replace(sale, quantity=1, intent_id="d"),)).layer_units(sale) == 1
