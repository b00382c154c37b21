"""Stories of several clients, drawn: orders, changes, cancels, streams, rubbish, departures, in any order and number.

Everything is judged from outside, by what another client is told: whoever is connected is served, and cash and
positions are the opening ones and the sum of the executions and commissions.
"""

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Any

from floors import OPENS_AT, a_call, a_floor
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from pretend_client import PretendClient, a_client, bag, contract, packed, place_order, unpacked

from simulator.listing import ContractQuery
from simulator.opening import OpenedFloor
from simulator.tws.desk import Desk
from simulator.tws.session import Step

OBSERVER = 90
CLIENT_IDS = st.integers(0, 3)
ORDER_IDS = st.integers(-1, 12)
STRIKES = (18, 20, 25)
TERMS = st.fixed_dictionaries(
    {
        "action": st.sampled_from(["BUY", "SELL"]),
        "quantity": st.sampled_from([1, 1, 2, 5, 50, 0, -3, "1.5", "10.0", "1e30", ""]),
        "order_type": st.sampled_from(["LMT", "LMT", "MKT", "STP", "MOC", "TRAIL", "PEG BEST", ""]),
        "limit": st.sampled_from(["", "0.01", "0.05", "1.0", "2.0", "2.03", "30.0", "-5.0", "650.0", "1e308", "nan"]),
        "what_if": st.sampled_from([0, 0, 0, 1]),
        "transmit": st.sampled_from([1, 1, 1, 0]),
    }
)
LONG = "long"
"""Stands for a field of 100 kB, which no report of a failing story should hold."""
RUBBISH = st.lists(
    st.sampled_from(["", "1", "3", "4", "20", "-1", "7", "BAG", "nan", "1e308", str(10**30), "é", LONG]),
    min_size=1,
    max_size=30,
)


def spy(opened: OpenedFloor) -> list[object]:
    """Return the contract fields of a share."""
    [listing] = opened.floor.matching(ContractQuery(symbol="SPY", sec_type="STK"))
    return contract(opened, listing.instrument)


class Stories(RuleBasedStateMachine):
    """A gateway's sessions and up to four clients of it."""

    @initialize()
    def open(self) -> None:
        """Begin ten minutes into a session, with an observer that never trades."""
        opened = a_floor(tick_s=15)
        opened.floor.advance(OPENS_AT + timedelta(minutes=10))
        self.floor, self.desk = opened.floor, Desk(opened.floor)
        self.clients: dict[int, PretendClient] = {}
        self.good_ids = [100]
        self.observer = a_client(self.desk, client_id=OBSERVER)
        self.contracts = [*(contract(opened, a_call(opened, strike)) for strike in STRIKES), spy(opened)]
        self.legs = tuple((self.contracts[place][0], 1, side) for place, side in ((0, "BUY"), (2, "SELL")))
        self.opening_cash, self.opening_positions = self._cash(), self._positions()

    def teardown(self) -> None:
        """Leave nobody behind."""
        for client in (*getattr(self, "clients", {}).values(), *([self.observer] if hasattr(self, "observer") else [])):
            client.session.close("done")

    # What clients do

    @rule(client_id=CLIENT_IDS)
    def connect(self, client_id: int) -> None:
        """Come, or come again while connected: the second one is refused and the first stays."""
        fresh = a_client(self.desk, client_id=client_id)
        is_refused = fresh.session.step is Step.CLOSED
        assert is_refused == (client_id in self.clients)
        if not is_refused:
            self.clients[client_id] = fresh

    @precondition(lambda self: self.clients)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        """Go, perhaps in the middle of a frame."""
        client_id = data.draw(st.sampled_from(sorted(self.clients)))
        client = self.clients.pop(client_id)
        client.push(data.draw(st.sampled_from([b"", b"\0\0", packed(49, 1)[:-1]])))
        client.session.close("gone")

    @precondition(lambda self: self.clients)
    @rule(data=st.data(), terms=TERMS)
    def place(self, data: st.DataObject, terms: dict[str, Any]) -> None:
        """Place an order, change one, ask what if, or send one that cannot be."""
        wanted, order_id = data.draw(st.sampled_from([*self.contracts, bag()])), self._some_id(data)
        self._somebody(data).push(packed(*place_order(order_id, wanted, legs=self.legs, **terms)))

    @precondition(lambda self: self.clients)
    @rule(data=st.data(), action=st.sampled_from(["BUY", "SELL"]), quantity=st.integers(1, 5), rests=st.booleans())
    def trade(self, data: st.DataObject, action: str, quantity: int, rests: bool) -> None:  # noqa: FBT001 - drawn
        """Place a good order under a new number: one that fills, or one that rests far from the market."""
        wanted = data.draw(st.sampled_from([*self.contracts, bag()]))
        self.good_ids.append(self.good_ids[-1] + 1)
        terms = {"order_type": "LMT", "limit": "0.05"} if rests else {"order_type": "MKT", "limit": ""}
        if rests:
            action = "BUY"
        order = place_order(self.good_ids[-1], wanted, action=action, quantity=quantity, legs=self.legs, **terms)
        self._somebody(data).push(packed(*order))

    @precondition(lambda self: self.clients)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        """Cancel an order, known or not."""
        self._somebody(data).push(packed(4, 1, self._some_id(data), ""))

    @precondition(lambda self: self.clients)
    @rule(data=st.data())
    def cancel_all(self, data: st.DataObject) -> None:
        """Cancel everybody's orders."""
        self._somebody(data).push(packed(58, 1))

    @precondition(lambda self: self.clients)
    @rule(data=st.data(), req_id=st.integers(0, 3), snapshot=st.booleans())
    def watch(self, data: st.DataObject, req_id: int, snapshot: bool) -> None:  # noqa: FBT001 - drawn
        """Begin a stream, or end it."""
        wanted = data.draw(st.sampled_from(self.contracts))
        client = self._somebody(data)
        client.push(packed(1, 11, req_id, *wanted, 0, "100,233", int(snapshot), 0, ""))
        if data.draw(st.booleans()):
            client.push(packed(2, 2, req_id))

    @precondition(lambda self: self.clients)
    @rule(data=st.data(), request=st.sampled_from([(61, 1), (6, 2, 1, ""), (5, 1), (16, 1), (99, 0), (15, 1, 1)]))
    def ask(self, data: st.DataObject, request: tuple[object, ...]) -> None:
        """Ask for what goes on being told, or for what there is."""
        self._somebody(data).push(packed(*request))

    @precondition(lambda self: self.clients)
    @rule(data=st.data(), fields=RUBBISH)
    def send_rubbish(self, data: st.DataObject, fields: list[str]) -> None:
        """Send fields of no meaning behind a number that has one."""
        number = data.draw(st.sampled_from([1, 3, 4, 9, 20, 62, 97, 9999]))
        sent = ["x" * 100_000 if field == LONG else field for field in fields]
        self._somebody(data).push(packed(number, *sent))

    @rule(steps=st.integers(1, 40))
    def let_time_pass(self, steps: int) -> None:
        """Let the market move."""
        self.floor.advance(self.floor.now() + timedelta(seconds=15 * steps))

    # What always holds

    @invariant()
    def everybody_is_served(self) -> None:
        """Who is connected is told the time, in whole frames."""
        for client in (self.observer, *self.clients.values()):
            assert client.ask(49, 1)[-1][0] == "49"
            unpacked(b"".join(client.writes))
            client.writes.clear()

    @invariant()
    def the_account_is_the_sum_of_its_executions(self) -> None:
        """Positions and cash are the opening ones and what executions and commissions say, to the cent."""
        rows = self.observer.ask(7, 3, 5, 0, "", "", "", "", "", "")
        executed = [frame for frame in rows if frame[0] == "11" and frame[5] != "BAG"]
        positions, cash = Counter(self.opening_positions), self.opening_cash
        for frame in executed:
            quantity = Decimal(frame[19]) * (1 if frame[18] == "BOT" else -1)
            positions[frame[3]] += quantity
            cash -= quantity * Decimal(frame[20]) * Decimal(frame[9] or 1)
        cash -= sum(Decimal(frame[3]) for frame in rows if frame[0] == "59")

        assert {key: held for key, held in self._positions().items() if held} == {
            key: held for key, held in positions.items() if held
        }
        assert abs(self._cash() - cash) < Decimal("0.01")

    @invariant()
    def no_order_stands_twice(self) -> None:
        """A permanent id is open once, and not open and completed."""
        open_ids = [frame[6] for frame in self.observer.ask(16, 1) if frame[0] == "3"]
        done = {perm_id for frame in self.observer.ask(99, 0) if frame[0] == "101" for perm_id in [frame[23]]}
        assert len(open_ids) == len(set(open_ids))
        assert not done & set(open_ids)

    # Parts

    def _some_id(self, data: st.DataObject) -> int:
        """Return an order id: none, one of few that are tried again and again, or a good order's."""
        return data.draw(ORDER_IDS | st.sampled_from(self.good_ids))

    def _somebody(self, data: st.DataObject) -> PretendClient:
        return self.clients[data.draw(st.sampled_from(sorted(self.clients)))]

    def _positions(self) -> dict[str, Decimal]:
        frames = [frame for frame in self.observer.ask(61, 1) if frame[0] == "61"]
        self.observer.push(packed(64, 1))
        return {frame[3]: Decimal(frame[14]) for frame in frames}

    def _cash(self) -> Decimal:
        frames = self.observer.ask(62, 1, 6, "All", "TotalCashValue")
        self.observer.push(packed(63, 1, 6))
        [value] = [frame[5] for frame in frames if frame[0] == "63"]
        return Decimal(value)


TestStories = Stories.TestCase
TestStories.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
