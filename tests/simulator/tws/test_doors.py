"""Both doors on equal floors: the same orders at the same moments lead to the same executions and account."""

import asyncio
from datetime import timedelta
from decimal import Decimal

from floors import OPENS_AT, a_call, a_future, an_open_floor
from intents import an_intent, approved, buys, sells
from pretend_client import a_client, bag, contract, place_order

from bot.domain.events import Event, FillReported
from bot.domain.instrument import Side
from bot.domain.orders import OrderIntent
from bot.domain.previews import MarginFigures
from simulator.broker import InProcessLink
from simulator.opening import OpenedFloor
from simulator.tws.desk import Desk

LATER = OPENS_AT + timedelta(minutes=30)
END = OPENS_AT + timedelta(minutes=60)


def traded_over_the_wire(opened: OpenedFloor) -> list[tuple[str, str, float, float]]:
    """Buy spreads and, twenty minutes later, sell futures; return the executions told."""
    client = a_client(Desk(opened.floor))
    numbers = [opened.floor.listing(a_call(opened, strike)).con_id for strike in (20, 25)]
    legs = [(numbers[0], 1, "BUY"), (numbers[1], 1, "SELL")]
    client.ask(*place_order(1, bag(), quantity=1500, limit="3.0", legs=legs))
    opened.floor.advance(LATER)
    client.ask(*place_order(2, contract(opened, a_future(opened)), action="SELL", quantity=200, limit="10.0"))
    opened.floor.advance(END)
    executions = [frame for frame in client.heard() if frame[0] == "11"]
    return [(frame[14], frame[18], float(frame[19]), float(frame[20])) for frame in executions]


def traded_in_process(opened: OpenedFloor) -> list[tuple[str, str, float, float]]:
    """Submit the same orders as intents; return the fills told."""
    told: list[Event] = []
    link = InProcessLink(opened.floor, told.append)
    asyncio.run(link.connect())
    spread = an_intent(buys(a_call(opened, 20)), sells(a_call(opened, 25)), limit="3.0", quantity=1500, name="ref")
    link.submit(approved(spread))
    opened.floor.advance(LATER)
    link.submit(approved(an_intent(sells(a_future(opened)), limit="-10.0", quantity=200, name="ref")))
    opened.floor.advance(END)
    fills = [event.fill for event in told if isinstance(event, FillReported)]
    return [
        (each.exec_id, "BOT" if each.side is Side.BUY else "SLD", float(each.quantity), float(each.price))
        for each in fills
    ]


def test_both_doors_lead_to_the_same_executions() -> None:
    """Ids, sides, sizes and prices of all fills agree, and so does the account to the cent."""
    wire, process = an_open_floor(), an_open_floor()

    over_the_wire, in_process = traded_over_the_wire(wire), traded_in_process(process)

    assert over_the_wire == in_process
    assert len(in_process) > 10
    assert wire.floor.account_state() == process.floor.account_state()
    assert wire.floor.positions() == process.floor.positions()


def test_both_doors_say_the_same_of_what_an_order_would_bind() -> None:
    """Both margins and the commission, of a purchase and of a sale, to the cent; nothing is placed."""
    wire, process = an_open_floor(), an_open_floor()
    client, link = a_client(Desk(wire.floor)), InProcessLink(process.floor, lambda _event: None)
    asyncio.run(link.connect())
    for order_id, (action, leg) in enumerate((("BUY", buys), ("SELL", sells)), start=1):
        what = contract(wire, a_future(wire))
        [told] = client.ask(*place_order(order_id, what, action=action, quantity=3, limit="18.0", what_if=1))
        margins = told[told.index("PreSubmitted") + 1 :]
        limit = "18.0" if action == "BUY" else "-18.0"
        figures = asyncio.run(_answered(link, an_intent(leg(a_future(process)), limit=limit, quantity=3)))
        assert (figures.initial_change_usd, figures.maintenance_change_usd) == (
            Decimal(margins[3]),
            Decimal(margins[4]),
        )
        assert figures.most_commission_usd == Decimal(margins[9])
    assert process.floor.open_orders() == wire.floor.open_orders() == ()


async def _answered(link: InProcessLink, intent: OrderIntent) -> MarginFigures:
    return await link.preview(intent)
