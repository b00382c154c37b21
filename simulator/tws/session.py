"""One client's session, without I/O: bytes in, effects out; what is told when is a table.

How it works. A session walks along `STEPS`: AWAIT_HELLO until the client has offered its versions, AWAIT_START until
it has named itself, READY until it is gone, CLOSED for good. `receive` takes bytes, `tell` takes what happened on the
floor, and `take` returns what is to be written. What always holds: nothing is written between the handshake and
startApi; one bad request is answered and ends nothing; after CLOSED nothing is written and the client id is free.
Source: docs/ib/wire.md, sections 1 and 5.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final

from bot.domain.errors import InvalidValueError
from bot.domain.instrument import Instrument
from simulator.ports import Heard
from simulator.tws.accounting import AccountDesk
from simulator.tws.answers.login import CurrentTime, NextValidId
from simulator.tws.answers.prices import MarketDataType
from simulator.tws.calculators import CalculatorDesk
from simulator.tws.desk import Desk, DoorRules
from simulator.tws.fields import BadFieldError, Cursor
from simulator.tws.framing import FrameReader, FramingError, frame
from simulator.tws.handlers import (
    Handlers,
    account_handlers,
    calculator_handlers,
    contract_handlers,
    history_handlers,
    order_handlers,
    profit_handlers,
    quote_handlers,
    tape_handlers,
)
from simulator.tws.history import HistoryDesk
from simulator.tws.layout import decode
from simulator.tws.line import Effect, Line
from simulator.tws.looking_up import ContractDesk
from simulator.tws.order_in import PLACE_ORDER_ID, read_order
from simulator.tws.profit import ProfitDesk
from simulator.tws.requests.login import ReqCurrentTime, SetServerLogLevel, StartApi
from simulator.tws.requests.table import REQUESTS, UNSERVED, VALIDATION, id_of
from simulator.tws.tape import TapeDesk
from simulator.tws.trading import OrderDesk
from simulator.tws.watching import QuoteDesk
from simulator.venue import (
    AccountChanged,
    CancelRefused,
    Charged,
    Executed,
    OrderChanged,
    PositionChanged,
    StepPlayed,
)

SERVER_VERSION: Final = 176
"""The highest layout served; it is the highest that all text clients share."""
LOWEST_VERSION: Final = 157
"""The oldest layout served, for the broker's client 9.81."""
_START_API: Final = 71
_FARM_NOTICES: Final = (
    (2104, "Market data farm connection is OK:usfarm"),
    (2106, "HMDS data farm connection is OK:ushmds"),
    (2158, "Sec-def data farm connection is OK:secdefil"),
)
_UNKNOWN_MESSAGE: Final = 505
_MOST_ECHO: Final = 80
_NEVER_AN_ID: Final = -1
_TOO_FAST: Final = 100
_CANCEL_ORDER: Final = 4
_ABOUT_ORDERS: Final = frozenset({PLACE_ORDER_ID, _CANCEL_ORDER})


class Step(Enum):
    """How far a session has come."""

    AWAIT_HELLO = "await hello"
    AWAIT_START = "await start"
    READY = "ready"
    CLOSED = "closed"


STEPS: Final = {
    Step.AWAIT_HELLO: (Step.AWAIT_START, Step.CLOSED),
    Step.AWAIT_START: (Step.READY, Step.CLOSED),
    Step.READY: (Step.CLOSED,),
    Step.CLOSED: (),
}


class Session:
    """The server's end of one connection."""

    def __init__(self, desk: Desk) -> None:
        """Wait for the client's hello."""
        self._desk = desk
        self._line = Line()
        self._reader = FrameReader()
        self._orders = OrderDesk(self._line, desk)
        self._account = AccountDesk(self._line, desk)
        self._contracts = ContractDesk(self._line, desk)
        self._calculators = CalculatorDesk(self._line, desk)
        self._quotes = QuoteDesk(self._line, desk)
        self._tape = TapeDesk(self._line, desk)
        self._history = HistoryDesk(self._line, desk)
        self._profit = ProfitDesk(self._line, desk)
        self._handlers = self._handler_table()
        self._listeners = self._listener_table()
        self.step = Step.AWAIT_HELLO

    def __repr__(self) -> str:
        """Step and client, for logs and failing tests."""
        return f"Session(client {self._line.client_id}, {self.step.value}, version {self._line.version})"

    @property
    def client_id(self) -> int:
        """The client's id once it has named itself, 0 before."""
        return self._line.client_id

    # In and out

    def receive(self, data: bytes) -> None:
        """Take bytes from the client; never raises, whatever they are."""
        if self.step is Step.CLOSED:
            return
        self._reader.feed(data)
        pace = _Pace(self._desk.rules, self._line.sent_bytes)
        try:
            while not self._line.is_closed and (fields := self._reader.take()) is not None:
                if pace.allows(self._line.sent_bytes):
                    self._accept(fields)
                else:
                    self._slow_down(fields, is_first=pace.refused == 1)
        except FramingError as error:
            self._line.note(f"client {self.client_id}: {error}")
            self.close(str(error))

    def tell(self, event: Heard) -> None:
        """Take what happened on the floor."""
        if self.step is Step.READY:
            for listener in self._listeners[type(event)]:
                listener(event)

    @property
    def is_waiting(self) -> bool:
        """Whether `take` would return something."""
        return self._line.is_waiting

    def take(self) -> tuple[Effect, ...]:
        """Return what is to be done now, in order."""
        return self._line.take()

    def close(self, why: str) -> None:
        """End the session from this side, or because the client is gone."""
        if self.step is Step.CLOSED:
            return
        was_ready = self.step is Step.READY
        self._move(Step.CLOSED)
        self.end_streams()
        if was_ready:
            self._desk.free_id(self.client_id, self)
        self._line.close(why)

    def tell_code(self, req_id: int, code: int, text: str) -> None:
        """Tell a code; -1 for the connection, a request's id otherwise."""
        if self.step is Step.READY:
            self._line.error(req_id, code, text)

    def streams(self) -> Mapping[int, Instrument]:
        """Return the streams of market data that go on, by request."""
        return self._quotes.streams()

    def end_streams(self) -> None:
        """End every stream, as a line does that was lost with its data; the client is not told."""
        self._quotes.end_all()
        self._tape.end_all()
        self._history.end_all()

    def tell_data_type(self, req_id: int, data_type: int) -> None:
        """Tell that a stream is live (1), frozen (2) or delayed (3) from now on."""
        self._line.tell(MarketDataType(req_id=req_id, kind=data_type))

    # Steps

    def _move(self, step: Step) -> None:
        if step not in STEPS[self.step]:
            raise InvalidValueError(f"{self!r}: no step from {self.step.value} to {step.value}")
        self.step = step

    def _accept(self, fields: tuple[str, ...]) -> None:
        if self.step is Step.AWAIT_HELLO:
            self._hello(fields)
        elif self.step is Step.AWAIT_START:
            self._await_start(fields)
        else:
            self._dispatch(fields)

    def _hello(self, fields: tuple[str, ...]) -> None:
        """Agree on the highest version that both sides know, or close."""
        lowest, highest = versions_of(fields[0] if fields else "")
        version = min(highest, SERVER_VERSION)
        if version < max(LOWEST_VERSION, lowest):
            self._line.note(
                f"client offers versions {lowest}..{highest}, served are {LOWEST_VERSION}..{SERVER_VERSION}: refused"
            )
            self.close("no common version")
            return
        self._line.version = version
        self._line.send(frame(version, f"{self._desk.floor.now():%Y%m%d %H:%M:%S} UTC"))
        self._move(Step.AWAIT_START)

    def _await_start(self, fields: tuple[str, ...]) -> None:
        """Take startApi; anything else before it is noted and dropped, for nothing may be answered yet."""
        try:
            cursor = Cursor(fields, 1)
            if Cursor(fields).integer("message id") != _START_API:
                self._line.note(f"message {fields[0][:_MOST_ECHO]!r} before startApi: dropped")
                return
            self._start(decode(StartApi, cursor, self._line.version))
        except BadFieldError as error:
            self._line.note(f"startApi: {error}")
            self.close("startApi cannot be read")

    def _start(self, request: StartApi) -> None:
        """Take the client's id, or refuse one that is in use."""
        self._line.client_id = request.client_id
        if not self._desk.take_id(request.client_id, self):
            self._line.error(-1, 326, "Unable to connect as the client id is already in use.")
            self._line.note(f"client id {request.client_id} is already in use: refused")
            self.close("client id in use")
            return
        self._move(Step.READY)
        self._account.managed_accounts()
        self._line.tell(NextValidId(order_id=self._desk.next_order_id(request.client_id)))
        for code, text in _FARM_NOTICES:
            self._line.error(-1, code, text)

    def _dispatch(self, fields: tuple[str, ...]) -> None:
        """Read one message and answer it; what cannot be read is error 321 to its own id."""
        try:
            number = Cursor(fields).integer("message id")
        except BadFieldError as error:
            self._refuse(_NEVER_AN_ID, _UNKNOWN_MESSAGE, f"Fatal Error: Unknown message id. {error}")
            return
        try:
            if number == PLACE_ORDER_ID:
                self._place(Cursor(fields, 1))
            elif number in REQUESTS:
                self._answer(REQUESTS[number], Cursor(fields, 1))
            elif number in UNSERVED:
                unserved = UNSERVED[number]
                self._refuse(id_of(number, fields), unserved.code, f"{unserved.what} are not served here".capitalize())
            else:
                self._refuse(_NEVER_AN_ID, _UNKNOWN_MESSAGE, f"Fatal Error: Unknown message id. {number}")
        except (BadFieldError, InvalidValueError) as error:
            if number == PLACE_ORDER_ID:
                self._orders.unreadable(id_of(number, fields), str(error))
            self._refuse(id_of(number, fields), VALIDATION, f"Error validating request: {error}")

    def _answer(self, kind: type[Any], cursor: Cursor) -> None:
        message = decode(kind, cursor, self._line.version)
        if cursor.left:
            self._line.note(f"client {self.client_id}: {kind.__name__}: {cursor.left} fields left over")
        self._handlers[kind](message)

    def _slow_down(self, fields: tuple[str, ...], *, is_first: bool) -> None:
        """Drop a message of a client that sends faster than it is served; an order is told so by its own id."""
        number = fields[0] if fields else ""
        text = "Max rate of messages per second has been exceeded"
        about_order = next((each for each in _ABOUT_ORDERS if number == str(each)), None)
        if is_first:
            self._refuse(_NEVER_AN_ID, _TOO_FAST, text)
        if about_order is not None:
            self._line.error(id_of(about_order, fields), _TOO_FAST, text)

    def _place(self, cursor: Cursor) -> None:
        sent = read_order(cursor, self._line.version)
        self._orders.place(sent)
        if sent.surplus:
            self._line.note(f"order {sent.order_id}: {sent.surplus} fields left over, an earlier block was misread")

    def _refuse(self, req_id: int, code: int, text: str) -> None:
        self._line.note(f"client {self.client_id}: {text}")
        self._line.error(req_id, code, text)

    # Single answers

    def _current_time(self, _request: ReqCurrentTime) -> None:
        self._line.tell(CurrentTime(at=int(self._desk.floor.now().timestamp())))

    def _log_level(self, _request: SetServerLogLevel) -> None:
        """There is one log only, and it is the operator's."""

    def _started_already(self, _request: StartApi) -> None:
        self._refuse(_NEVER_AN_ID, VALIDATION, "Error validating request: the API is started already")

    # Tables

    def _handler_table(self) -> Handlers:
        return {
            StartApi: self._started_already,
            ReqCurrentTime: self._current_time,
            SetServerLogLevel: self._log_level,
            **order_handlers(self._orders),
            **account_handlers(self._account),
            **profit_handlers(self._profit),
            **contract_handlers(self._contracts),
            **calculator_handlers(self._calculators),
            **quote_handlers(self._quotes),
            **tape_handlers(self._tape),
            **history_handlers(self._history),
        }

    def _listener_table(self) -> dict[type[Any], tuple[Callable[[Any], None], ...]]:
        return {
            OrderChanged: (self._orders.order_changed,),
            Executed: (self._orders.executed,),
            Charged: (self._orders.charged,),
            CancelRefused: (self._orders.cancel_refused,),
            PositionChanged: (self._account.position_changed,),
            AccountChanged: (self._account.account_changed,),
            StepPlayed: (self._tape.step_played, self._history.step_played, self._profit.step_played),
        }


class _Pace:
    """How much of one piece of bytes is served: so many requests, and so many bytes of answers."""

    def __init__(self, rules: DoorRules, sent_bytes: int) -> None:
        self._requests = rules.most_requests_at_once
        self._until_bytes = sent_bytes + rules.most_bytes_at_once
        self.refused = 0

    def allows(self, sent_bytes: int) -> bool:
        """Count one request and return whether it is served."""
        self._requests -= 1
        if self._requests >= 0 and sent_bytes <= self._until_bytes:
            return True
        self.refused += 1
        return False


def versions_of(hello: str) -> tuple[int, int]:
    """Return the lowest and highest version that a client offers; (0, 0) when it cannot be read.

    >>> versions_of("v157..178 +PACEAPI"), versions_of("v176"), versions_of("?")
    ((157, 178), (176, 176), (0, 0))
    """
    offered = hello.split(" ", 1)[0]
    lowest, dots, highest = offered.removeprefix("v").partition("..")
    texts = (lowest, highest if dots else lowest)
    if not offered.startswith("v") or not all(text.isdecimal() and text.isascii() and len(text) < 6 for text in texts):
        return 0, 0
    return int(texts[0]), int(texts[1])
