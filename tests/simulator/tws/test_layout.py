"""Every message there and back from its one description, at the oldest and the newest layout, with counted fields."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.errors import InvalidValueError
from simulator.listing import ContractQuery
from simulator.tws import layout
from simulator.tws.answers.account import AccountValue, Position, PositionMulti
from simulator.tws.answers.contract import ContractText
from simulator.tws.answers.login import ErrorText, ManagedAccounts, NextValidId
from simulator.tws.answers.orders import Commission, Execution
from simulator.tws.answers.prices import TickByTick, TickPrice, TickSize
from simulator.tws.answers.table import ANSWERS
from simulator.tws.fields import Cursor
from simulator.tws.framing import fields_of
from simulator.tws.layout import (
    Counted,
    Field,
    Flagged,
    Plan,
    Record,
    Texts,
    block,
    decode,
    encode,
    plan_of,
    read_plan,
    texts_of,
    write_plan,
)
from simulator.tws.order_fields import COMPLETED_ORDER, CONDITION_LENGTHS, OPEN_ORDER, PLACE_ORDER, ConditionCodec
from simulator.tws.order_in import order_texts, read_order
from simulator.tws.requests.contract import ContractCodec, ShortLeg
from simulator.tws.requests.lookup import ReqContractDetails
from simulator.tws.requests.orders import CancelOrder, ReqExecutions
from simulator.tws.requests.prices import ReqDepth, ReqMarketData, ReqTickByTick
from simulator.tws.requests.table import REQUESTS

VERSIONS = tuple(range(157, 177))
MESSAGES = [*REQUESTS.values(), *ANSWERS.values()]

WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)
WHOLE = st.integers(-(10**9), 10**9)
REAL = st.floats(-1e9, 1e9, allow_nan=False)
EXACT = st.decimals(-(10**6), 10**6, places=4, allow_nan=False)
SCALARS = {
    layout.TEXT: WORDS,
    layout.INTEGER: WHOLE,
    layout.REAL: REAL,
    layout.FLAG: st.booleans(),
    layout.DECIMAL: EXACT,
    layout.OPTIONAL_REAL: st.none() | REAL,
    layout.OPTIONAL_DECIMAL: st.none() | EXACT,
    layout.UNSET_DECIMAL: st.none() | EXACT,
    layout.NUMBER_TEXT: st.sampled_from(["", "0", "-1.5", "7", "19.25"]),
    layout.FLAG_TEXT: st.sampled_from(["0", "1"]),
    layout.SIZE: st.integers(0, 10**9).map(float),
}
CONTRACTS = st.builds(
    ContractQuery,
    con_id=WHOLE,
    symbol=WORDS,
    sec_type=st.sampled_from(["BAG", "OPT", "STK", ""]),
    expiry=st.text("0123456789", max_size=8),
    strike=REAL,
    right=st.sampled_from(["", "C", "P"]),
    exchange=st.sampled_from(["SMART", "IBKRATS", ""]),
    local_symbol=WORDS,
)
SAMPLES = {
    "kind": st.sampled_from([1, 2, 3, 4]),
    "orderType": st.sampled_from(["LMT", "PEG BENCH", "PEG BEST", "PEG MID"]),
    "competeAgainstBestOffset": st.sampled_from(["", "0.02", "Infinity"]),
    "deltaNeutralOrderType": st.sampled_from(["", "None", "MKT"]),
}


def values_of(codec: Any) -> st.SearchStrategy[Any]:
    """Return what a codec can carry."""
    if codec in SCALARS:
        return SCALARS[codec]
    if isinstance(codec, Counted):
        return st.lists(values_of(codec.row), max_size=3).map(tuple)
    if isinstance(codec, Texts):
        return st.tuples(*[WORDS] * len(codec.names))
    if isinstance(codec, Flagged):
        return st.just(()) | values_of(codec.inner)
    if isinstance(codec, ContractCodec):
        return CONTRACTS
    if isinstance(codec, ConditionCodec):
        return st.sampled_from(sorted(CONDITION_LENGTHS)).flatmap(
            lambda kind: st.tuples(st.just(str(kind)), *[WORDS] * CONDITION_LENGTHS[kind])
        )
    assert isinstance(codec, Record)
    return messages_of(codec.kind)


def messages_of(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Return objects of a message class or of one of its rows."""
    chosen = {field.name: SAMPLES["kind"] if _is_kind(field) else values_of(field.codec) for field in plan_of(kind)}
    return st.builds(kind, **chosen)


def _is_kind(field: Field) -> bool:
    return field.name == "kind" and field.codec is layout.INTEGER


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(MESSAGES).flatmap(messages_of), st.sampled_from(VERSIONS))
def test_every_message_comes_back_as_it_was_written(message: Any, version: int) -> None:
    """Decoding what was encoded leaves no field over, and each field that the layout carries has its value."""
    fields = fields_of(encode(message, version)[4:])
    cursor = Cursor(fields, 1)

    back = decode(type(message), cursor, version)

    assert cursor.left == 0
    assert texts_of(back, version) == list(fields)
    carried = {field.name: getattr(message, field.name) for field in plan_of(type(message))}
    for field in plan_of(type(message)):
        if field.exists(carried, version) and field.name not in {"legs", "contract", "delta_neutral", "rows"}:
            assert getattr(back, field.name) == getattr(message, field.name), field.name


@pytest.mark.parametrize("plan", [PLACE_ORDER, OPEN_ORDER, COMPLETED_ORDER], ids=["place", "open", "completed"])
@settings(max_examples=100, deadline=None)
@given(data=st.data(), version=st.sampled_from((*VERSIONS, 177)))
def test_every_order_comes_back_as_it_was_written(plan: Plan, data: st.DataObject, version: int) -> None:
    """All conditional blocks, in any mixture, are read to the end by the plan that wrote them."""
    values = drawn(plan, data, version)
    texts: list[str] = []
    write_plan(plan, values, texts, version)
    cursor = Cursor(texts)

    back = read_plan(plan, cursor, version)

    assert cursor.left == 0
    assert back == values


def drawn(plan: Plan, data: st.DataObject, version: int) -> dict[str, Any]:
    """Return values for exactly the fields that a message of a version carries."""
    values: dict[str, Any] = {}
    for field in plan:
        if field.exists(values, version) and field.name not in values:
            sample = SAMPLES[field.name] if field.name in SAMPLES else values_of(field.codec)
            values[field.name] = data.draw(sample, field.name)
    return values


@settings(max_examples=100, deadline=None)
@given(data=st.data(), version=st.sampled_from(VERSIONS))
def test_an_order_survives_its_own_value(data: st.DataObject, version: int) -> None:
    """The order that is read from a frame writes that frame again."""
    texts: list[str] = []
    write_plan(PLACE_ORDER, drawn(PLACE_ORDER, data, version), texts, version)

    sent = read_order(Cursor(texts), version)

    assert sent.surplus == 0
    assert order_texts(sent, version)[1:] == texts


CONTRACT = ContractText(con_id=1, symbol="VIX", sec_type="OPT")
EXECUTION = Execution(
    req_id=1,
    order_id=1,
    contract=CONTRACT,
    exec_id="x",
    at="",
    account="",
    exchange="",
    side="BOT",
    quantity=1,
    price=Decimal(1),
    perm_id=1,
    client_id=1,
    liquidation=0,
    cumulative=1,
    average_price=Decimal(1),
    order_ref="",
)
QUERY = ContractQuery(symbol="VIX", sec_type="OPT")


@pytest.mark.parametrize(
    ("message", "at_176", "at_157"),
    [
        (ManagedAccounts(accounts="a"), 3, 3),
        (NextValidId(order_id=1), 3, 3),
        (ErrorText(req_id=1, code=1, text=""), 6, 5),
        (AccountValue(key="", value="", currency="", account=""), 6, 6),
        (EXECUTION, 31, 31),
        (Commission(exec_id="", commission=Decimal(1), currency="", realized=None), 8, 8),
        (Position(account="", contract=CONTRACT, quantity=1, average_cost=Decimal(1)), 16, 16),
        (PositionMulti(req_id=1, account="", contract=CONTRACT, quantity=1, average_cost=Decimal(1)), 18, 18),
        (TickPrice(req_id=1, kind=1, price=1.0, size=1), 7, 7),
        (TickByTick(req_id=1, kind=1, at=1), 9, 9),
        (TickByTick(req_id=1, kind=3, at=1), 9, 9),
        (TickByTick(req_id=1, kind=4, at=1), 5, 5),
        (ReqContractDetails(req_id=1, contract=QUERY), 19, 18),
        (CancelOrder(order_id=1), 4, 3),
        (ReqMarketData(req_id=1, contract=QUERY, generic_ticks="", snapshot=False), 20, 20),
        (
            ReqMarketData(
                req_id=1,
                contract=replace(QUERY, sec_type="BAG"),
                legs=(ShortLeg(con_id=1, ratio=1, action="BUY", exchange="SMART"),) * 2,
                generic_ticks="",
                snapshot=False,
            ),
            29,
            29,
        ),
        (ReqTickByTick(req_id=1, contract=QUERY, kind="Last"), 17, 17),
        (ReqDepth(req_id=1, contract=QUERY, rows=5), 18, 18),
        (ReqExecutions(req_id=1), 10, 10),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_message_has_its_exact_number_of_fields(message: Any, at_176: int, at_157: int) -> None:
    """The libraries forgive surplus fields; these counts do not."""
    assert (len(texts_of(message, 176)), len(texts_of(message, 157))) == (at_176, at_157)


def test_sizes_are_whole_below_163() -> None:
    """A fraction of a share is rounded away where an old client would choke on it."""
    tick = TickSize(req_id=1, kind=0, size=12.5)

    assert [texts_of(tick, version)[-1] for version in (157, 162, 163, 176)] == ["12", "12", "12.5", "12.5"]


def test_every_number_stands_for_one_message() -> None:
    """No message id of a request or of an answer is given twice."""
    for table in (REQUESTS, ANSWERS):
        assert [kind.HEAD.number for kind in table.values()] == list(table)


def test_a_field_without_a_form_on_the_wire_is_refused() -> None:
    """A message class that could not be written is found when its plan is made."""

    @layout.dataclass(frozen=True)
    class Wrong:
        moment: complex

    with pytest.raises(InvalidValueError, match="moment"):
        plan_of(Wrong)


def test_a_block_names_kind_and_versions() -> None:
    """The short form of a plan says what each field is and which layouts carry it."""
    number, old, new = block("a:n b<177 c>=158")

    assert (number.codec, old.gate.until, new.gate.since) == (layout.NUMBER_TEXT, 177, 158)
