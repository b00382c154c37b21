"""Values to text and back: the same value, whatever its digits; what has no written form is refused."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.journal.codec import plain, text_of, value_of
from bot.domain.decision import Checked, Rule
from bot.domain.errors import JournalError
from bot.domain.instrument import RVX, Instrument, Side
from bot.domain.mode import TradingMode
from bot.domain.orders import DecisionId, Fill, FillPart, IntentId, Leg, OrderIntent, Purpose
from bot.domain.plan import Candidate
from bot.domain.portfolio import Position
from bot.domain.readings import Signal, SignalState
from tests.builders import DECEMBER, NOVEMBER, a_future, buys, sells, vix_call

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
prices = st.decimals(-1000, 1000, places=4, allow_nan=False, allow_infinity=False)
money = st.decimals(0, 10**9, places=2, allow_nan=False, allow_infinity=False)
floats = st.floats(allow_nan=False, allow_infinity=False)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - zone beside
strikes = st.decimals(5, 90, places=1).filter(lambda strike: strike > 0)
calls = st.builds(vix_call, strikes.map(str), st.sampled_from([NOVEMBER, DECEMBER]))
contracts: st.SearchStrategy[Instrument] = st.one_of(calls, st.builds(a_future, st.sampled_from(["VX", "VXM"])))
legs: st.SearchStrategy[tuple[Leg, ...]] = st.one_of(
    st.builds(lambda one, ratio: (buys(one, ratio),), contracts, st.integers(1, 5)),
    st.lists(calls, min_size=2, max_size=2, unique_by=lambda one: one.key).map(
        lambda two: (buys(two[0]), sells(two[1]))
    ),
)
intents = st.builds(
    OrderIntent,
    intent_id=texts.map(IntentId),
    decision_id=texts.map(DecisionId),
    legs=legs,
    quantity=st.integers(1, 10**6),
    limit=prices,
    worst_cost_usd=money,
    purpose=st.sampled_from(Purpose),
    reason=texts,
    exposure_usd_per_point=floats,
)
whole_fills = st.builds(
    Fill,
    exec_id=texts,
    order_ref=st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    perm_id=st.integers(0, 2**62),
    account=texts,
    part=st.sampled_from([FillPart.WHOLE, FillPart.LEG]),
    instrument=contracts,
    side=st.sampled_from(Side),
    quantity=st.integers(1, 10**6),
    price=prices,
    at=moments,
)
fills = st.one_of(whole_fills, whole_fills.map(lambda one: replace(one, part=FillPart.COMBO, instrument=None)))
optional = st.none() | floats
signals = st.builds(
    Signal,
    state=st.sampled_from(SignalState),
    why=texts,
    spread=optional,
    baseline=optional,
    excess=optional,
    peak_excess=floats,
    episode_began_on=st.none() | st.dates(date(2000, 1, 1), date(2035, 1, 1)),
)
positions = st.builds(Position, instrument=contracts, quantity=st.integers(-99, -1) | st.integers(1, 99))
candidates = st.builds(
    Candidate,
    name=texts,
    legs=legs,
    limit=prices,
    exposure_usd_per_point=floats,
    cost_usd=money,
    stress_payoff_usd=floats,
    quantity=st.integers(0, 999),
    rejected=st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)
found = st.one_of(prices, floats, st.integers(-(2**60), 2**60), texts, st.none())
checks = st.builds(
    Checked, rule=st.sampled_from(Rule), passed=st.booleans(), found=found, limit=found, headroom=found, note=texts
)
VALUES = {OrderIntent: intents, Fill: fills, Signal: signals, Position: positions, Candidate: candidates}


def there_and_back(value: Any) -> Any:
    """The value as the journal's text gives it back."""
    return value_of(type(value), json.loads(text_of({"it": value}))["it"])


@pytest.mark.parametrize("values", VALUES.values(), ids=[kind.__name__ for kind in VALUES])
def test_a_value_comes_back_as_it_was(values: st.SearchStrategy[Any]) -> None:
    """Every field of every value that rows hold: the same after text and back, and the same text again."""

    @given(value=values)
    def holds(value: Any) -> None:
        back = there_and_back(value)
        assert back == value
        assert plain(back) == plain(value)

    holds()


@given(check=checks)
def test_a_check_comes_back_with_its_digits(check: Checked) -> None:
    """A found Decimal is read back as its text, because the field may hold text; nothing else changes."""

    def as_read(one: object) -> object:
        return f"{one:f}" if isinstance(one, Decimal) else one

    back = there_and_back(check)
    assert (back.rule, back.passed, back.note) == (check.rule, check.passed, check.note)
    assert (back.found, back.limit, back.headroom) == tuple(map(as_read, (check.found, check.limit, check.headroom)))
    assert plain(back) == plain(check)


def test_moments_are_written_in_utc_and_indices_keep_their_name() -> None:
    """The same moment has one text, whatever its zone; a derived key is not written."""
    eastern = datetime(2026, 10, 20, 9, 30, tzinfo=timezone(timedelta(hours=-4)))
    assert plain(eastern) == "2026-10-20T13:30:00+00:00"
    assert "key" not in json.loads(text_of({"it": RVX}))["it"]
    assert there_and_back(RVX).key == "IND:RVX"


def test_the_same_facts_have_one_text() -> None:
    """Order of keys and of sets does not show."""
    first = text_of({"b": 1, "a": frozenset({"VX", "VIX", "VXM"}), TradingMode.HALT.name: TradingMode.HALT})
    assert first == '{"HALT":2,"a":["VIX","VX","VXM"],"b":1}'


NO_FORM: list[tuple[object, str]] = [
    (float("nan"), "finite numbers only"),
    (float("-inf"), "finite numbers only"),
    (Decimal("NaN"), "finite numbers only"),
    (Decimal("sNaN"), "finite numbers only"),
    (Decimal("Infinity"), "finite numbers only"),
    ([{"deep": (float("nan"),)}], "finite numbers only"),
    (datetime(2026, 1, 1), "with a time zone only"),  # noqa: DTZ001 - that is the point
    (b"bytes", "cannot write a bytes"),
    (object(), "cannot write a object"),
    (Position, "cannot write a type"),
]


@pytest.mark.parametrize(("value", "why"), NO_FORM)
def test_what_has_no_written_form_is_refused(value: object, why: str) -> None:
    """NaN, naive time, bytes and strangers raise JournalError, at any depth."""
    with pytest.raises(JournalError, match=why):
        plain({"x": value})


def test_half_a_character_is_written_as_its_escape() -> None:
    """A lone surrogate, which no file can hold, cannot stop a commit."""
    assert text_of({"a\ud800": "b\udfff"}).encode() == b'{"a\\\\ud800":"b\\\\udfff"}'


UNREADABLE: list[Callable[[dict[str, Any]], object]] = [
    lambda written: written.pop("limit"),
    lambda written: written.update(quantity=0),
    lambda written: written.update(legs=[]),
    lambda written: written.update(limit="NaN"),
]


@pytest.mark.parametrize("spoil", UNREADABLE)
def test_what_describes_no_value_is_refused(spoil: Callable[[dict[str, Any]], object]) -> None:
    """A written object that is incomplete or impossible raises JournalError and names the kind."""
    written: Any = json.loads(text_of({"it": intents_example()}))["it"]
    spoil(written)
    with pytest.raises(JournalError, match="no readable OrderIntent"):
        value_of(OrderIntent, written)


def intents_example() -> OrderIntent:
    """One intent."""
    return OrderIntent(
        intent_id=IntentId("i"),
        decision_id=DecisionId("d"),
        legs=(buys(vix_call(20)),),
        quantity=1,
        limit=Decimal("1.5"),
        worst_cost_usd=Decimal(150),
        purpose=Purpose.OVERLAY_BUILD,
        reason="r",
    )
