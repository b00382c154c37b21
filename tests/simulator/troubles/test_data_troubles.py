"""Bad market data, seen at the port: on the stream, and by who asks."""

import math
from decimal import Decimal

import pytest
from scenes import Scene

from bot.domain.errors import InvalidValueError
from bot.domain.instrument import RVX, VIX
from simulator.listing import ContractQuery
from simulator.troubles.kinds import trouble
from simulator.venue import Phase, VenueQuote


def watched(name: str, **settings: object) -> tuple[Scene, list[VenueQuote], VenueQuote]:
    """Return a scene that watches the future while a trouble begins, what was told then, and the true quote."""
    scene = Scene()
    true = scene.floor.watch(scene.future)
    scene.floor.inject(trouble(name, **settings))
    return scene, scene.heard.of(VenueQuote), true


@pytest.mark.parametrize("field", ["price", "size", "greek"])
def test_nan_in_the_place_of_a_number(field: str) -> None:
    """F43: the price, the size or the model's figures are none."""
    _, [quote], _ = watched("nan", field=field)

    found = {"price": quote.bid is not None and quote.bid.is_nan(), "size": quote.bid_size == 2**31 - 1}
    found["greek"] = quote.model_iv is not None and math.isnan(quote.model_iv)
    assert [name for name, is_bad in found.items() if is_bad] == [field]


def test_minus_one_and_zero() -> None:
    """F44 and F45: -1 without a size; 0 with the size that is asked for."""
    _, [minus], _ = watched("minus_one")
    _, [zero], _ = watched("zero", size=7)
    _, [nothing], _ = watched("zero", size=0)

    assert (minus.bid, minus.ask, minus.bid_size) == (Decimal(-1), Decimal(-1), 0)
    assert (zero.bid, zero.ask_size) == (Decimal(0), 7)
    assert (nothing.bid, nothing.ask_size) == (Decimal(0), 0)


def test_a_crossed_market() -> None:
    """F48: the bid stands above the ask by what is asked for."""
    _, [quote], true = watched("crossed", points=0.5)

    assert quote.bid is not None
    assert quote.ask is not None
    assert (quote.bid - quote.ask, quote.ask) == (Decimal("0.5"), true.ask)


@pytest.mark.parametrize("name", ["stale", "frozen"])
def test_ticks_stop_and_come_again(name: str) -> None:
    """F47 and F49: an hour without ticks, the last quote for who asks, and after the end the true one."""
    scene, told, true = watched(name, symbol="VIX")

    scene.wait(3600)
    silent, asked = scene.heard.of(VenueQuote), scene.floor.quote(scene.future)
    scene.floor.clear()

    assert (told, silent, asked) == ([], [], true)
    assert scene.heard.of(VenueQuote) == [scene.opened.floor.quote(scene.future)]


def test_a_halt_is_told_and_ends() -> None:
    """F50: the flag and the phase; other symbols trade on; the end is told."""
    scene, [quote], _ = watched("halt", symbol="VIX", seconds=60)
    phases = scene.floor.phase(scene.future)
    scene.wait(61)

    assert (quote.is_halted, phases) == (True, Phase.HALTED)
    assert not scene.heard.of(VenueQuote)[-1].is_halted
    assert scene.floor.phase(scene.future) is Phase.REGULAR


def test_an_outlier_is_one_quote() -> None:
    """F51: ten times the true one, once; the true one follows."""
    scene, [quote], true = watched("outlier", factor=10)
    scene.wait(2)

    assert true.bid is not None
    assert quote.bid == true.bid * 10
    assert scene.heard.of(VenueQuote)[-1].bid == scene.opened.floor.quote(scene.future).bid


def test_greeks_go_missing() -> None:
    """F52: the sides stay, every figure of the model is gone."""
    scene = Scene("no_greeks")
    call = next(each.instrument for each in scene.floor.positions())
    true, quote = scene.opened.floor.quote(call), scene.floor.quote(call)

    assert true.model_iv is not None
    assert (quote.model_iv, quote.model_delta, quote.model_price) == (None, None, None)
    assert (quote.bid, quote.ask) == (true.bid, true.ask)


def test_a_contract_changes_its_number() -> None:
    """F53: it is listed under another conId, found by both, and back to the old one at the end."""
    scene = Scene()
    old = scene.floor.listing(scene.future).con_id
    scene.floor.inject(trouble("new_con_id", symbol="VIX"))
    new = scene.floor.listing(scene.future).con_id
    by_both = [scene.floor.matching(ContractQuery(con_id=number)) for number in (old, new)]
    scene.floor.clear()

    assert 0 < new != old
    assert [[each.con_id for each in found] for found in by_both] == [[new], [new]]
    assert scene.floor.listing(scene.future).con_id == old


def test_a_stated_price_of_an_index_and_of_a_future() -> None:
    """The level is told at once; a future's sides keep their distance around it; other symbols keep theirs."""
    scene = Scene()
    vix = scene.floor.watch(VIX)
    scene.floor.watch(RVX)
    scene.floor.inject(trouble("price", symbol="RVX", level=45))
    _, [future], true = watched("price", symbol="VIX", level=30)

    assert [(each.instrument, each.last) for each in scene.heard.of(VenueQuote)] == [(RVX, 45.0)]
    assert scene.floor.quote(VIX) == vix
    assert None not in (future.bid, future.ask, true.bid, true.ask)
    assert future.ask - future.bid == true.ask - true.bid  # type: ignore[operator]  # asserted above
    assert abs((future.ask + future.bid) / 2 - Decimal(30)) < Decimal("0.01")  # type: ignore[operator]


def test_the_floor_refuses_what_belongs_to_the_link() -> None:
    """A trouble of the link has no meaning at the port."""
    with pytest.raises(InvalidValueError, match="disconnect is a trouble of the link"):
        Scene("disconnect")
