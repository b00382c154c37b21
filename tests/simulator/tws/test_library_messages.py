"""Every request as the client library writes it, and every answer as it reads it, at both ends of the versions."""

import dataclasses
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import ib_async
import pytest
from ib_async.client import Client
from ib_async.decoder import Decoder

from simulator.listing import ContractQuery
from simulator.tws import layout
from simulator.tws.answers.orders import Execution
from simulator.tws.answers.prices import TickByTick
from simulator.tws.answers.table import ANSWERS
from simulator.tws.fields import Cursor
from simulator.tws.framing import fields_of
from simulator.tws.layout import Codec, Counted, Field, Record, decode, encode, plan_of
from simulator.tws.requests.contract import ShortLeg
from simulator.tws.requests.table import REQUESTS

VERSIONS = (157, 176)
CONTRACT = ib_async.Contract(
    secType="OPT",
    conId=1001,
    symbol="symbol",
    lastTradeDateOrContractMonth="20261118",
    strike=20.5,
    right="C",
    multiplier="100",
    exchange="exchange",
    primaryExchange="primary",
    currency="currency",
    localSymbol="local",
    tradingClass="class",
    includeExpired=True,
    secIdType="ISIN",
    secId="security",
    issuerId="issuer",
)
QUERY = ContractQuery(
    con_id=1001,
    symbol="symbol",
    sec_type="OPT",
    expiry="20261118",
    strike=20.5,
    right="C",
    multiplier="100",
    exchange="exchange",
    primary_exchange="primary",
    currency="currency",
    local_symbol="local",
    trading_class="class",
)
BAG = ib_async.Bag(
    symbol="symbol",
    exchange="exchange",
    currency="currency",
    comboLegs=[ib_async.ComboLeg(conId=7, ratio=2, action="SELL", exchange="leg")],
    deltaNeutralContract=ib_async.DeltaNeutralContract(8, 0.5, 20.5),
)
LEGS = (ShortLeg(con_id=7, ratio=2, action="SELL", exchange="leg"),)
FILTER = ib_async.ExecutionFilter(3, "account", "20261019 10:00:00", "symbol", "OPT", "exchange", "BUY")

ASKED: list[tuple[int, Callable[[Client], None], dict[str, Any]]] = [
    (71, lambda client: client.startApi(), {"client_id": 5, "capabilities": ""}),
    (8, lambda client: client.reqIds(3), {"count": 3}),
    (49, lambda client: client.reqCurrentTime(), {}),
    (61, lambda client: client.reqPositions(), {}),
    (64, lambda client: client.cancelPositions(), {}),
    (5, lambda client: client.reqOpenOrders(), {}),
    (16, lambda client: client.reqAllOpenOrders(), {}),
    (15, lambda client: client.reqAutoOpenOrders(True), {"auto_bind": True}),
    (99, lambda client: client.reqCompletedOrders(True), {"api_only": True}),
    (17, lambda client: client.reqManagedAccts(), {}),
    (14, lambda client: client.setServerLogLevel(4), {"level": 4}),
    (6, lambda client: client.reqAccountUpdates(True, "account"), {"subscribe": True, "account": "account"}),
    (
        76,
        lambda client: client.reqAccountUpdatesMulti(9, "account", "model", True),
        {"req_id": 9, "account": "account", "model": "model", "ledger_only": True},
    ),
    (77, lambda client: client.cancelAccountUpdatesMulti(9), {"req_id": 9}),
    (
        74,
        lambda client: client.reqPositionsMulti(9, "account", "model"),
        {"req_id": 9, "account": "account", "model": "model"},
    ),
    (75, lambda client: client.cancelPositionsMulti(9), {"req_id": 9}),
    (62, lambda client: client.reqAccountSummary(9, "All", "tags"), {"req_id": 9, "group": "All", "tags": "tags"}),
    (63, lambda client: client.cancelAccountSummary(9), {"req_id": 9}),
    (92, lambda client: client.reqPnL(9, "account", "model"), {"req_id": 9, "account": "account", "model": "model"}),
    (93, lambda client: client.cancelPnL(9), {"req_id": 9}),
    (
        94,
        lambda client: client.reqPnLSingle(9, "account", "model", 1001),
        {"req_id": 9, "account": "account", "model": "model", "con_id": 1001},
    ),
    (95, lambda client: client.cancelPnLSingle(9), {"req_id": 9}),
    (
        7,
        lambda client: client.reqExecutions(9, FILTER),
        {
            "req_id": 9,
            "client_id": 3,
            "account": "account",
            "time": "20261019 10:00:00",
            "symbol": "symbol",
            "sec_type": "OPT",
            "exchange": "exchange",
            "side": "BUY",
        },
    ),
    (4, lambda client: client.cancelOrder(9, "time"), {"order_id": 9, "manual_time": "time"}),
    (58, lambda client: client.reqGlobalCancel(), {}),
    (
        9,
        lambda client: client.reqContractDetails(9, CONTRACT),
        {
            "req_id": 9,
            "contract": QUERY,
            "include_expired": True,
            "sec_id_type": "ISIN",
            "sec_id": "security",
            "issuer_id": "issuer",
        },
    ),
    (
        78,
        lambda client: client.reqSecDefOptParams(9, "symbol", "exchange", "IND", 1001),
        {"req_id": 9, "symbol": "symbol", "fut_fop_exchange": "exchange", "sec_type": "IND", "con_id": 1001},
    ),
    (81, lambda client: client.reqMatchingSymbols(9, "pattern"), {"req_id": 9, "pattern": "pattern"}),
    (91, lambda client: client.reqMarketRule(9), {"rule_id": 9}),
    (59, lambda client: client.reqMarketDataType(3), {"data_type": 3}),
    (
        1,
        lambda client: client.reqMktData(9, CONTRACT, "100,101", True, True, []),
        {"req_id": 9, "contract": QUERY, "generic_ticks": "100,101", "snapshot": True, "regulatory": True},
    ),
    (
        1,
        lambda client: client.reqMktData(9, BAG, "", False, False, []),
        {
            "req_id": 9,
            "contract": ContractQuery(symbol="symbol", sec_type="BAG", exchange="exchange", currency="currency"),
            "legs": LEGS,
            "delta_neutral": ("8", "0.5", "20.5"),
            "generic_ticks": "",
            "snapshot": False,
        },
    ),
    (2, lambda client: client.cancelMktData(9), {"req_id": 9}),
    (
        97,
        lambda client: client.reqTickByTickData(9, CONTRACT, "BidAsk", 7, True),
        {"req_id": 9, "contract": QUERY, "kind": "BidAsk", "count": 7, "ignore_size": True},
    ),
    (98, lambda client: client.cancelTickByTickData(9), {"req_id": 9}),
    (
        50,
        lambda client: client.reqRealTimeBars(9, CONTRACT, 5, "TRADES", True, []),
        {"req_id": 9, "contract": QUERY, "width_s": 5, "what": "TRADES", "regular_hours": True},
    ),
    (51, lambda client: client.cancelRealTimeBars(9), {"req_id": 9}),
    (
        10,
        lambda client: client.reqMktDepth(9, CONTRACT, 5, True, []),
        {"req_id": 9, "contract": QUERY, "rows": 5, "is_smart": True},
    ),
    (11, lambda client: client.cancelMktDepth(9, True), {"req_id": 9, "is_smart": True}),
    (
        20,
        lambda client: client.reqHistoricalData(9, CONTRACT, "end", "2 D", "1 min", "TRADES", True, 2, True, []),
        {
            "req_id": 9,
            "contract": QUERY,
            "include_expired": True,
            "end": "end",
            "bar_size": "1 min",
            "duration": "2 D",
            "regular_hours": True,
            "what": "TRADES",
            "format_date": 2,
            "keep_up_to_date": True,
        },
    ),
    (25, lambda client: client.cancelHistoricalData(9), {"req_id": 9}),
    (
        87,
        lambda client: client.reqHeadTimeStamp(9, CONTRACT, "TRADES", True, 2),
        {
            "req_id": 9,
            "contract": QUERY,
            "include_expired": True,
            "regular_hours": True,
            "what": "TRADES",
            "format_date": 2,
        },
    ),
    (90, lambda client: client.cancelHeadTimeStamp(9), {"req_id": 9}),
    (
        96,
        lambda client: client.reqHistoricalTicks(9, CONTRACT, "start", "end", 7, "TRADES", True, True, []),
        {
            "req_id": 9,
            "contract": QUERY,
            "include_expired": True,
            "start": "start",
            "end": "end",
            "count": 7,
            "what": "TRADES",
            "regular_hours": True,
            "ignore_size": True,
        },
    ),
    (
        54,
        lambda client: client.calculateImpliedVolatility(9, CONTRACT, 1.5, 20.5, []),
        {"req_id": 9, "contract": QUERY, "price": 1.5, "underlying": 20.5, "option_count": "0"},
    ),
    (
        55,
        lambda client: client.calculateOptionPrice(9, CONTRACT, 0.5, 20.5, []),
        {"req_id": 9, "contract": QUERY, "volatility": 0.5, "underlying": 20.5, "option_count": "0"},
    ),
    (56, lambda client: client.cancelCalculateImpliedVolatility(9), {"req_id": 9}),
    (57, lambda client: client.cancelCalculateOptionPrice(9), {"req_id": 9}),
    (79, lambda client: client.reqSoftDollarTiers(9), {"req_id": 9}),
    (80, lambda client: client.reqFamilyCodes(), {}),
    (82, lambda client: client.reqMktDepthExchanges(), {}),
    (85, lambda client: client.reqNewsProviders(), {}),
    (104, lambda client: client.reqUserInfo(9), {"req_id": 9}),
    (24, lambda client: client.reqScannerParameters(), {}),
]
"""What the library is told to ask, and what the simulator is to read."""


class Recorder:
    """Stands where the library's wrapper stands and keeps every call."""

    defaultTimezone = UTC  # noqa: N815 - the library's name

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *given: self.calls.append((name, given))


def written(ask: Callable[[Client], None], version: int) -> tuple[str, ...]:
    """Return the fields that the library writes."""
    sent: list[bytes] = []
    client = Client(Recorder())
    client.clientId = 5
    client.isConnected = lambda: True
    client.serverVersion = lambda: version
    client.sendMsg = lambda message: sent.append(message.encode())
    ask(client)
    return fields_of(sent[0])


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("number", "ask", "expected"), ASKED, ids=[str(number) for number, _, _ in ASKED])
def test_every_request_of_the_library_is_read(
    number: int, ask: Callable[[Client], None], expected: dict[str, Any], version: int
) -> None:
    """Every field arrives under its name, and none is left over."""
    kind = REQUESTS[number]
    fields = written(ask, version)
    cursor = Cursor(fields, 1)

    found = decode(kind, cursor, version)

    gates = {field.name: field.gate for field in plan_of(kind)}
    carried = {name: value for name, value in expected.items() if gates[name].since <= version}
    assert (fields[0], cursor.left) == (str(number), 0)
    assert found == kind(**carried)


def test_no_request_is_left_out() -> None:
    """The table above has every request but placeOrder, which has tests of its own."""
    assert {number for number, _, _ in ASKED} == set(REQUESTS)


# Answers

FIXED: dict[str, Any] = {
    "last_trade": "20261118",
    "expiry": "20261118",
    "real_expiration": "20261118",
    "time_zone": "US/Central",
    "right": "C",
    "side": "BOT",
    "yield_redemption": "20261118",
    "mask": 1,
    "side_mask": 1,
    "unused": 1,
}
"""Values with a form of their own."""
EXECUTED_AT = "20261019 10:00:00 UTC"
UNREAD = {"ContractDetails": {"lot"}, "TickPrice": {"mask"}, "TickByTick": {"kind"}, "Execution": {"at"}}
"""What the library throws away, or turns into something else: a method's name, a moment."""


def a_sample(message: Any, numbers: Iterator[int], given: dict[str, Any]) -> Any:
    """Return a message with a distinct value in every field but the ``given`` ones, two rows in every list."""
    return message(**{field.name: given.get(field.name, _value(field, numbers)) for field in plan_of(message)})


def _value(field: Field, numbers: Iterator[int]) -> Any:
    fixed = FIXED.get(field.name)
    is_fitting = fixed is not None and isinstance(fixed, str) == (field.codec is layout.TEXT)
    return fixed if is_fitting else _of(field.codec, numbers)


def _of(codec: Codec, numbers: Iterator[int]) -> Any:
    if isinstance(codec, Counted):
        return (_of(codec.row, numbers), _of(codec.row, numbers))
    if isinstance(codec, Record):
        return a_sample(codec.kind, numbers, {})
    number = next(numbers)
    if codec is layout.TEXT:
        return f"text {number}"
    if codec is layout.FLAG:
        return True
    if codec in {layout.INTEGER, layout.SIZE}:
        return number
    return number + 0.25 if codec in {layout.REAL, layout.OPTIONAL_REAL} else Decimal(number) + Decimal("0.25")


def leaves(value: Any) -> Iterator[object]:
    """Yield all texts and numbers in what the library made of a message; a moment by its seconds."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        yield from leaves([getattr(value, field.name) for field in dataclasses.fields(value)])
    elif isinstance(value, dict):
        yield from leaves(list(value.items()))
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from leaves(each)
    elif isinstance(value, datetime):
        yield value.timestamp()
    else:
        yield _plain(value)


def _plain(value: object) -> object:
    """Return a number, or a text that is one, as a float."""
    try:
        return float(value)  # type: ignore[arg-type]  # the other kinds raise
    except (TypeError, ValueError):
        return value


def carried(message: Any, version: int) -> dict[str, object]:
    """Return the fields of a message that a version's layout has."""
    values = {field.name: getattr(message, field.name) for field in plan_of(type(message))}
    return {field.name: values[field.name] for field in plan_of(type(message)) if field.exists(values, version)}


def told(value: Any, version: int) -> Iterator[object]:
    """Yield all texts and numbers of a field of ours that a version's layout has."""
    if dataclasses.is_dataclass(value):
        for each in carried(value, version).values():
            yield from told(each, version)
    elif isinstance(value, tuple):
        for each in value:
            yield from told(each, version)
    else:
        yield _plain(value)


SAMPLES = [
    *((kind, {}) for kind in ANSWERS.values() if kind not in {TickByTick, Execution}),
    *((TickByTick, {"kind": kind}) for kind in (1, 2, 3, 4)),
    (Execution, {"at": EXECUTED_AT}),
]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("kind", "given"), SAMPLES, ids=lambda value: getattr(value, "__name__", str(value)))
def test_every_answer_is_read_by_the_library(
    kind: Any, given: dict[str, Any], version: int, caplog: pytest.LogCaptureFixture
) -> None:
    """It makes one call of it, without a complaint, and the call holds the value of every field."""
    message = a_sample(kind, iter(range(1001, 2000)), given)
    recorder = Recorder()

    with caplog.at_level(logging.ERROR):
        Decoder(recorder, version).interpret(list(fields_of(encode(message, version)[4:])))

    assert [record.getMessage() for record in caplog.records] == []
    assert len(recorder.calls) >= 1
    heard = set(leaves([given for _, given in recorder.calls]))
    lost = {name for name, value in carried(message, version).items() if not set(told(value, version)) <= heard}
    assert lost <= UNREAD.get(kind.__name__, set())
