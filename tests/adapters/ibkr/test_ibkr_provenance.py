"""The last look at the socket (C33): the frame that leaves is the approved one in every field, or none leaves."""

import dataclasses
import random
from collections.abc import Iterator
from typing import Any

import pytest
from ibkr_harness import ACCOUNT, Bench, a_call, a_vxm, an_intent, an_order, bought, on_bench, sold

from adapters.ibkr.contracts import BAG
from adapters.ibkr.library import NAME, ComboLeg, Contract, Order
from adapters.ibkr.orders import order_from
from adapters.ibkr.pacing import FrameBudget
from adapters.ibkr.provenance import Frame, Route, cancel_frame, global_cancel_frame, order_frame
from adapters.ibkr.tap import TappedIB
from bot.domain.errors import ProvenanceError
from bot.domain.instrument import VXX
from bot.domain.orders import BrokerStatus, OrderIntent

SPREAD = an_intent((bought(a_call("21")), sold(a_call("26"))), "0.60", quantity=3)
SALE = an_intent((sold(a_vxm()),), "-18.95", quantity=2)
SHARES = an_intent((bought(VXX),), "30.01", quantity=94)
SHARES_SOLD = an_intent((sold(VXX),), "-29.99", quantity=47)
ROUTES = {
    a_call("21").key: Route(con_id=101, exchange="SMART"),
    a_call("26").key: Route(con_id=102, exchange="SMART"),
    a_vxm().key: Route(con_id=7, exchange="CFE"),
    VXX.key: Route(con_id=8, exchange="SMART"),
}
VERSIONS = (157, 158, 160, 162, 166, 169, 170, 176, *((178,) if NAME == "ib_async" else ()))
"""The layouts that the installed library can negotiate."""


class Kept:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.frames: list[str] = []

    def sendMsg(self, frame: bytes) -> None:  # noqa: N802 - the library's name
        """Keep one frame without its length."""
        self.frames.append(frame[4:].decode())

    def disconnect(self) -> None:
        """Have nothing to close."""


def a_session(version: int = 176) -> tuple[TappedIB, Kept]:
    """A session of the client library that believes to be connected."""
    ib, kept = TappedIB(FrameBudget(lambda: 0.0)), Kept()
    client: Any = ib.client
    client._serverVersion, client.connState, client.conn = version, client.CONNECTED, kept
    return ib, kept


def library_order(intent: OrderIntent) -> tuple[Contract, Order]:
    """Contract and order as the adapter hands them to the library."""
    if not intent.is_combo:
        route = ROUTES[intent.legs[0].instrument.key]
        return Contract(conId=route.con_id, exchange=route.exchange), order_from(intent, account=ACCOUNT)
    bag = Contract(secType=BAG, symbol="VIX", exchange="SMART", currency="USD")
    bag.comboLegs = [
        ComboLeg(conId=ROUTES[leg.instrument.key].con_id, ratio=leg.ratio, action=leg.side.value, exchange="SMART")
        for leg in intent.legs
    ]
    return bag, order_from(intent, account=ACCOUNT)


def stated(intent: OrderIntent, version: int = 176) -> Frame:
    """The frame that the intent means."""
    return order_frame(intent, order_id=9, account=ACCOUNT, routes=ROUTES, version=version)


@pytest.mark.control("C33")
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("intent", [SPREAD, SALE, SHARES, SHARES_SOLD], ids=["combo", "future", "shares", "sold"])
async def test_the_librarys_frame_is_the_approved_one_on_every_layout(intent: OrderIntent, version: int) -> None:
    """Built twice and apart, from the intent and by the client library: the same bytes."""
    ib, kept = a_session(version)
    contract, order = library_order(intent)
    with ib.provenance.stating(stated(intent, version)):
        ib.client.placeOrder(9, contract, order)
    with ib.provenance.stating(cancel_frame(9, version=version)):
        ib.client.cancelOrder(9, "")
    assert kept.frames == [stated(intent, version).text, cancel_frame(9, version=version).text]


def test_a_layout_without_advisor_profiles_has_one_field_less() -> None:
    """From 177 on the profile of an advisor is not written any more."""
    names = [[name for name, _ in stated(SPREAD, version).fields] for version in (176, 177)]
    assert [name for name in names[0] if name not in names[1]] == ["faProfile"]


def _corrupted(rng: random.Random, value: object) -> object:
    """Another value of the same kind, or of one that a careless assignment would leave."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return rng.choice([value + 1, -value - 1, 2147483647, 1_000_000])
    if isinstance(value, float):
        return rng.choice([value + 0.05, -value - 1.0, 1.797e308, float("nan"), 0.01])
    if isinstance(value, str):
        return rng.choice([value + "X", "SELL" if value == "BUY" else "MKT", "U7654321", "\0"])
    return rng.choice(["X", 1, 0.5])


def _fields(contract: Contract, order: Order) -> Iterator[tuple[Any, str]]:
    for owner in (order, contract, *(contract.comboLegs or ())):
        for field in dataclasses.fields(owner):
            if not isinstance(getattr(owner, field.name), list | tuple | dict):
                yield owner, field.name


@pytest.mark.control("C33")
async def test_a_thousand_corruptions_of_one_field_never_leave() -> None:
    """Any field of order, contract or leg is changed behind the gate's back: only the approved frame ever leaves."""
    rng, stopped = random.Random(33), set()
    for number in range(1000):
        intent = (SPREAD, SALE, SHARES)[number % 3]
        ib, kept = a_session()
        contract, order = library_order(intent)
        owner, name = rng.choice(list(_fields(contract, order)))
        setattr(owner, name, _corrupted(rng, getattr(owner, name)))
        try:
            with ib.provenance.stating(stated(intent)):
                ib.client.placeOrder(9, contract, order)
        except ProvenanceError:
            stopped.add((type(owner).__name__, name))
        except Exception:  # noqa: BLE001 - the library cannot write such a value at all
            stopped.add((type(owner).__name__, name))
        assert kept.frames in ([], [stated(intent).text]), name
    vital = {"action", "totalQuantity", "orderType", "lmtPrice", "tif", "account", "orderRef", "transmit", "whatIf"}
    assert {("Order", name) for name in vital} <= stopped
    assert {("Contract", "conId"), ("ComboLeg", "conId"), ("ComboLeg", "ratio"), ("ComboLeg", "action")} <= stopped


@pytest.mark.control("C33")
async def test_nothing_that_changes_orders_leaves_unless_it_is_stated() -> None:
    """An order, a cancel, an exercise and a global cancel of nobody are dropped; what only asks goes through."""
    ib, kept = a_session()
    contract, order = library_order(SALE)
    for write in (
        lambda: ib.client.placeOrder(9, contract, order),
        lambda: ib.client.cancelOrder(9, ""),
        ib.client.reqGlobalCancel,
        lambda: ib.client.exerciseOptions(1, contract, 1, 1, ACCOUNT, 0),
    ):
        with pytest.raises(ProvenanceError, match="nothing approved stands behind"):
            write()
    assert kept.frames == []
    ib.client.reqCurrentTime()
    assert kept.frames == ["49\x001\x00"]


@pytest.mark.control("C33")
@pytest.mark.parametrize("version", VERSIONS)
async def test_a_commanded_global_cancel_lets_exactly_that_frame_through(version: int) -> None:
    """Stated, it leaves once on every layout; while it is stated no order and no single cancel leaves."""
    ib, kept = a_session(version)
    with ib.provenance.stating(global_cancel_frame()):
        ib.client.reqGlobalCancel()
        with pytest.raises(ProvenanceError):
            ib.client.reqGlobalCancel()
    assert kept.frames == [global_cancel_frame().text]
    contract, order = library_order(SALE)
    for write in (lambda: ib.client.placeOrder(9, contract, order), lambda: ib.client.cancelOrder(9, "")):
        with ib.provenance.stating(global_cancel_frame()), pytest.raises(ProvenanceError, match="differs"):
            write()
    assert len(kept.frames) == 1


@pytest.mark.control("C33")
async def test_an_approval_lets_one_frame_through() -> None:
    """The second, equal one is dropped; and after the block nothing is stated any more."""
    ib, kept = a_session()
    contract, order = library_order(SALE)
    with ib.provenance.stating(stated(SALE)):
        ib.client.placeOrder(9, contract, order)
        with pytest.raises(ProvenanceError):
            ib.client.placeOrder(9, contract, order)
    with pytest.raises(ProvenanceError):
        ib.client.placeOrder(9, contract, order)
    assert len(kept.frames) == 1


def question(intent: OrderIntent, version: int = 176) -> Frame:
    """The frame that asks what the intent would bind."""
    return order_frame(intent, order_id=9, account=ACCOUNT, routes=ROUTES, version=version, what_if=True)


@pytest.mark.control("C33")
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("intent", [SALE, SHARES], ids=["future", "shares"])
async def test_a_question_is_the_orders_frame_with_one_flag_on_every_layout(intent: OrderIntent, version: int) -> None:
    """Built twice and apart: the same bytes, which differ from the order's in the flag alone."""
    ib, kept = a_session(version)
    contract, order = library_order(intent)
    order.whatIf = True
    with ib.provenance.stating(question(intent, version)):
        ib.client.placeOrder(9, contract, order)
    assert kept.frames == [question(intent, version).text]
    pairs = zip(question(intent, version).fields, stated(intent, version).fields, strict=True)
    assert [(one, other) for one, other in pairs if one != other] == [(("whatIf", "1"), ("whatIf", "0"))]


@pytest.mark.control("C33")
async def test_a_question_cannot_leave_as_an_order_nor_an_order_as_a_question() -> None:
    """Whichever of the two is stated, the other is dropped, and names the flag."""
    for what_if, frame in ((False, question(SALE)), (True, stated(SALE))):
        ib, kept = a_session()
        contract, order = library_order(SALE)
        order.whatIf = what_if
        with ib.provenance.stating(frame), pytest.raises(ProvenanceError, match="whatIf"):
            ib.client.placeOrder(9, contract, order)
        assert kept.frames == []


@pytest.mark.control("C33")
async def test_a_question_with_one_corrupted_field_never_leaves() -> None:
    """A thousand times another field, the flag among them: only the question that was stated ever leaves."""
    rng, stopped = random.Random(34), set()
    for number in range(1000):
        intent = (SALE, SHARES)[number % 2]
        ib, kept = a_session()
        contract, order = library_order(intent)
        order.whatIf = True
        owner, name = rng.choice(list(_fields(contract, order)))
        setattr(owner, name, _corrupted(rng, getattr(owner, name)))
        try:
            with ib.provenance.stating(question(intent)):
                ib.client.placeOrder(9, contract, order)
        except Exception:  # noqa: BLE001 - dropped, or the library cannot write such a value at all
            stopped.add(name)
        assert kept.frames in ([], [question(intent).text]), name
    assert {"whatIf", "transmit", "totalQuantity", "lmtPrice", "account", "action", "conId"} <= stopped


def test_a_difference_names_its_field() -> None:
    """Which field, what was approved and what was found; a field too many, and a broken end."""
    frame = stated(SALE)
    assert frame.difference(frame.text) == ""
    assert frame.difference(frame.text.replace("18.95", "28.95")) == "lmtPrice: approved '18.95', found '28.95'"
    assert (
        frame.difference(frame.text + "0\0")
        == f"{len(frame.fields)} fields were approved, found {len(frame.fields) + 1}"
    )
    assert frame.difference(frame.text + "0") == "it does not end as a frame does"


@pytest.mark.control("C33")
def test_over_the_wire_a_corrupted_order_is_dropped_and_an_honest_one_can_be_cancelled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The whole adapter: one order is changed between intent and library, and no frame of it reaches the gateway."""
    honest, changed = (an_intent((bought(a_vxm()),), "5.05", intent_id=name) for name in ("honest", "changed"))

    def ten_times_the_changed(intent: OrderIntent, *, account: str) -> Order:
        order = order_from(intent, account=account)
        order.totalQuantity *= 10 if intent.intent_id == "changed" else 1
        return order

    async def play(bench: Bench) -> None:
        await bench.market_open()
        await bench.send(honest)
        with pytest.raises(ProvenanceError, match="totalQuantity: approved '1', found '10'"):
            await bench.send(changed)
        bench.broker.cancel(an_order(honest, bench.clock.now()))
        await bench.until(lambda: BrokerStatus.CANCELLED in bench.statuses("honest"))
        assert [fields[26] for fields in bench.wire.frames(3)] == ["honest"]
        assert len(bench.wire.frames(4)) == 1

    monkeypatch.setattr("adapters.ibkr.orders.order_from", ten_times_the_changed)
    on_bench(play)
