"""What the broker tells of a contract, in the gate: hours and last trades, increments, and open interest."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.decision import Approved, Checked, Refused, Rule
from bot.domain.hours import Hours, hours_told
from bot.domain.instrument import InstrumentKey
from bot.domain.orders import OrderIntent, Purpose
from bot.domain.schedule import NEW_YORK
from bot.domain.snapshot import Snapshot
from bot.domain.terms import ContractTerms, OpenInterest
from bot.domain.ticks import TickTable, increment_told
from tests.builders import NOVEMBER, TODAY, a_future, a_session, an_intent, buys, sells, vix_call
from tests.risk.scenes import (
    LIMITS,
    LONG,
    SHORT,
    a_build,
    a_mini,
    an_unwind,
    calm_noon,
    checked_by,
    holding,
    rules_against,
    scenery,
    verdict_on,
)
from tests.risk.share_scenes import with_overlay
from tests.told import as_told

LEG = vix_call(LONG)
VX = an_intent((buys(a_future("VX")),), limit="19.00")


def with_terms(snapshot: Snapshot, key: InstrumentKey = LEG.key, **changes: Any) -> Snapshot:
    """The moment with something else told of one contract."""
    return replace(snapshot, terms={**snapshot.terms, key: replace(snapshot.terms[key], **changes)})


def without(told: Mapping[InstrumentKey, Any], key: InstrumentKey) -> dict[InstrumentKey, Any]:
    """What was told of all others."""
    return {one: told[one] for one in told if one != key}


def hours(text: str) -> Hours | None:
    """Hours of New York on the day of the scene."""
    return hours_told(f"20261020:{text}".replace("-", "-20261020:") if "-" in text else text, "US/Eastern")


def judged(snapshot: Snapshot, intent: OrderIntent | None = None) -> Checked:
    """What the rule of hours finds."""
    return checked_by(Rule.SESSION_HOURS, intent or a_build(), snapshot)


def at(clock: str, snapshot: Snapshot | None = None) -> Snapshot:
    """The scene at another time of New York's day, told as on that day."""
    hour, minute = map(int, clock.split(":"))
    moment = datetime.combine(TODAY, time(hour, minute), tzinfo=NEW_YORK)
    return replace(snapshot or calm_noon(), now=moment)


DISAGREE = f"{LEG.key} is closed by the broker's hours and open by our calendar: they disagree"
UNKNOWN = f"the broker's hours of {LEG.key} are unknown"
NEAR = f"too near to the ends of the regular hours of {LEG.key}"
OPEN = {"liquid": hours("0930-1615"), "trading": hours("0930-1700")}


@pytest.mark.control("C24")
@pytest.mark.parametrize(
    ("told", "note"),
    [
        ({}, ""),
        ({"liquid": None}, UNKNOWN),
        ({"trading": None}, UNKNOWN),
        ({"liquid": hours("20261021:CLOSED")}, UNKNOWN),  # of another day alone
        ({"trading": hours("20261021:CLOSED")}, UNKNOWN),
        ({"liquid": hours("20261020:CLOSED")}, DISAGREE),
        ({"liquid": hours("0930-1200")}, DISAGREE),  # the closing does not belong to it
        ({"liquid": hours("1201-1615")}, DISAGREE),
        ({"trading": hours("1300-1700")}, DISAGREE),
        ({"liquid": hours("0930-1210")}, NEAR),
        ({"liquid": hours("0930-1211")}, ""),
        ({"liquid": hours("1151-1615")}, NEAR),
        ({"liquid": hours("1150-1615")}, ""),
        ({"told_on": TODAY - timedelta(days=1)}, f"the broker has not told the hours of {LEG.key} today"),
        ({"last_trade_day": date(2026, 11, 16)}, f"the broker's last trading day of {LEG.key} is not ours"),
        ({"last_trade_at": datetime(2026, 10, 20, 13, tzinfo=NEW_YORK)}, "past the cut-off before the last trade"),
        ({"last_trade_at": datetime(2026, 10, 20, 13, 1, tzinfo=NEW_YORK)}, ""),
        ({"last_trade_at": None}, ""),
    ],
)
def test_each_leg_is_open_in_the_brokers_words(told: dict[str, Any], note: str) -> None:
    """Noon lies inside our session: what the broker says of one leg decides, and nothing said is a refusal."""
    checked = judged(with_terms(calm_noon(), **(OPEN | told)))
    assert (checked.passed, checked.note.startswith(note)) == (not note, True)


@pytest.mark.control("C24")
def test_contracts_of_which_nothing_was_told_are_refused() -> None:
    """Neither leg may be unknown; what closes is no exception, since a closed market takes no order."""
    for key in (LEG.key, vix_call(SHORT).key):
        for intent, snapshot in ((a_build(), calm_noon()), (an_unwind(2), holding(2))):
            silent = replace(snapshot, terms=without(snapshot.terms, key))
            assert judged(silent, intent).note == f"the broker has not told the hours of {key} today"
            assert Rule.SESSION_HOURS in rules_against(verdict_on(intent, silent))


@pytest.mark.control("C24")
@pytest.mark.parametrize(
    ("clock", "note"),
    [("09:40", ""), ("15:49", ""), ("15:50", "too near to the ends"), ("16:00", "outside the regular hours")],
)
def test_a_future_ends_with_its_own_regular_hours(clock: str, note: str) -> None:
    """VX ends at 16:00, a quarter of an hour before the options of our session."""
    checked = judged(at(clock), VX)
    assert (checked.passed, checked.note.startswith(note)) == (not note, True)


def test_a_moment_without_a_session_asks_no_broker() -> None:
    """Outside our session the refusal is ours, whatever the broker says."""
    assert judged(replace(calm_noon(), session=None)).note == "no session is open"
    day = date(2026, 11, 27)  # closes early
    early = replace(calm_noon(), now=datetime(2026, 11, 27, 13, 20, tzinfo=NEW_YORK), session=a_session(day))
    assert judged(as_told(early), an_intent((buys(vix_call(20, date(2026, 12, 16))),))).note == "too near to the close"


MINUTES = st.integers(0, 24 * 60 - 1)


@given(MINUTES, st.tuples(MINUTES, MINUTES).filter(lambda pair: pair[0] < pair[1]))
def test_nothing_passes_outside_either_calendar(now: int, told: tuple[int, int]) -> None:
    """Whatever the broker's hours: an order passes only ten minutes inside of them and of ours."""
    begin, end = (f"{minute // 60:02}{minute % 60:02}" for minute in told)
    stretch = hours(f"{begin}-{end}")
    snapshot = at(f"{now // 60}:{now % 60}", with_terms(calm_noon(), liquid=stretch, trading=stretch))
    inside = max(told[0], 9 * 60 + 30) + 10 <= now < min(told[1], 16 * 60 + 15) - 10
    session = a_session()
    is_open = session.opens_at <= snapshot.now.astimezone(UTC) < session.closes_at
    assert judged(replace(snapshot, session=session if is_open else None)).passed == inside


# increments -----------------------------------------------------------------------------------------------------

NICKELS = ((Decimal(0), Decimal("0.05")), (Decimal(3), Decimal("0.10")))


def priced(intent: OrderIntent, snapshot: Snapshot) -> Checked:
    """What the rule of prices finds."""
    return checked_by(Rule.PRICE_COLLAR, intent, snapshot)


def a_call(limit: Decimal | str) -> OrderIntent:
    """A purchase of one call."""
    return an_intent((buys(LEG),), limit=str(limit))


@pytest.mark.control("C7")
def test_a_limit_needs_the_brokers_increment() -> None:
    """The rule that the broker tells must be ours at this limit; where it tells none, ours holds alone."""
    ask = Decimal(repr(scenery().quote(LEG).ask))
    words = "the broker's increment at the limit is not ours: they disagree"
    assert priced(a_call(ask), calm_noon()).passed
    assert priced(a_call(ask), with_terms(calm_noon(), ticks=())).passed
    assert priced(a_call(ask), replace(calm_noon(), terms={})).passed
    assert priced(a_call(ask), with_terms(calm_noon(), ticks=NICKELS)).note == words
    assert priced(a_call(ask), with_terms(calm_noon(), ticks=((Decimal(50), Decimal("0.01")),))).note == words
    assert isinstance(verdict_on(a_mini(), calm_noon()), Approved)
    mini = a_future("VXM").key
    assert Rule.PRICE_COLLAR in rules_against(verdict_on(a_mini(), with_terms(calm_noon(), mini, ticks=NICKELS)))


def test_a_combo_is_priced_on_our_grid_alone() -> None:
    """The broker tells no market rule of a combo: those of its legs say nothing of the net price."""
    assert priced(a_build(), with_terms(calm_noon(), ticks=NICKELS)).passed


EDGES = st.sampled_from([Decimal(1), Decimal(2), Decimal(3), Decimal(4), Decimal(5)])
STEPS = st.sampled_from([Decimal("0.01"), Decimal("0.05"), Decimal("0.10")])


@pytest.mark.control("C7")
@given(EDGES, STEPS, STEPS, st.integers(1, 600))
def test_only_prices_of_equal_increments_pass_the_grid(
    edge: Decimal, fine: Decimal, coarse: Decimal, cents: int
) -> None:
    """Around 3.00 and every other boundary of a rule: on our grid, and with the broker's increment ours."""
    rule, limit, ours = ((Decimal(0), fine), (edge, coarse)), Decimal(cents) / 100, TickTable()
    agree = increment_told(rule, limit) == ours.increment("VIX", limit)
    note = priced(a_call(limit), with_terms(calm_noon(), ticks=rule)).note
    on_grid = ours.is_on_tick((buys(LEG),), limit)
    assert (note == "the limit is off the tick grid") == (not on_grid)
    assert (note == "the broker's increment at the limit is not ours: they disagree") == (on_grid and not agree)


# open interest --------------------------------------------------------------------------------------------------


def with_interest(snapshot: Snapshot, contracts: int, key: InstrumentKey = LEG.key, told_on: date = TODAY) -> Snapshot:
    """The moment with so many contracts open in one leg."""
    told = OpenInterest(contracts=contracts, told_on=told_on)
    return replace(snapshot, open_interest={**snapshot.open_interest, key: told})


@pytest.mark.control("C13")
@pytest.mark.parametrize(("contracts", "passed"), [(30, True), (29, False), (0, False)])
@pytest.mark.parametrize("strike", [LONG, SHORT])
def test_an_order_is_a_tenth_of_what_is_open_in_each_leg(strike: str, contracts: int, passed: bool) -> None:  # noqa: FBT001 - a table
    """Three spreads need thirty open contracts in either leg; a smaller order can cure it."""
    snapshot = with_interest(calm_noon(), contracts, vix_call(strike).key)
    checked = checked_by(Rule.ORDER_SIZE, a_build(3), snapshot)
    assert (checked.passed, checked.size_can_cure) == (passed, True)
    if not passed:
        assert checked.note == f"open interest of {vix_call(strike).key}"
        assert checked.limit == contracts // 10


@pytest.mark.control("C13")
def test_the_gate_names_the_size_that_open_interest_bears() -> None:
    """Of three spreads two are left where twenty contracts are open."""
    verdict = verdict_on(a_build(3), with_interest(calm_noon(), 20))
    assert isinstance(verdict, Refused)
    assert verdict.largest_quantity == 2


@pytest.mark.control("C13")
def test_a_purchase_without_an_open_interest_of_today_is_refused() -> None:
    """Not told, or told on another day: nothing is bought, spreads and futures alike."""
    for intent in (a_build(), a_mini()):
        key = intent.legs[0].instrument.key
        silent = replace(calm_noon(), open_interest=without(calm_noon().open_interest, key))
        for snapshot in (silent, with_interest(calm_noon(), 10**6, key, TODAY - timedelta(days=1))):
            checked = checked_by(Rule.ORDER_SIZE, intent, snapshot)
            assert (checked.passed, checked.size_can_cure) == (False, False)
            assert checked.note == f"the broker has not told the open interest of {key} today"


@pytest.mark.control("C13")
def test_what_closes_alone_needs_no_open_interest() -> None:
    """The way out stays open: an unwind passes unknown and small figures alike, and a share has none."""
    silent = replace(holding(2), open_interest={})
    assert checked_by(Rule.ORDER_SIZE, an_unwind(2), silent).passed
    assert checked_by(Rule.ORDER_SIZE, an_unwind(2), with_interest(holding(2), 1)).passed
    shares = an_intent((sells(with_overlay(60).book.positions[InstrumentKey("STK:VXX")].instrument),), quantity=60)
    sale = replace(shares, limit=Decimal("-29.99"), purpose=Purpose.OVERLAY_UNWIND)
    assert checked_by(Rule.ORDER_SIZE, sale, replace(with_overlay(60), open_interest={})).passed


@given(st.integers(0, 5_000), st.integers(1, 100), st.integers(1, 100))
def test_the_limit_on_open_interest_is_exact(contracts: int, quantity: int, percent: int) -> None:
    """An order passes with at most that many hundredths of what is open, to the contract."""
    limits = replace(LIMITS, max_open_interest_frac=percent / 100, max_order_value_usd=Decimal(10**9))
    big = {key: replace(quote, bid_size=10**4, ask_size=10**4) for key, quote in calm_noon().quotes.items()}
    snapshot = replace(with_interest(calm_noon(), contracts), quotes=big)
    checked = checked_by(Rule.ORDER_SIZE, a_build(quantity), snapshot, limits=limits)
    assert checked.passed == (100 * quantity <= contracts * percent)


def test_terms_of_the_scene_are_those_of_november() -> None:
    """The scene tells what the simulated exchange tells: the last trade of the day before the settlement."""
    terms = calm_noon().terms[LEG.key]
    assert isinstance(terms, ContractTerms)
    assert (terms.last_trade_day, NOVEMBER) == (date(2026, 11, 17), date(2026, 11, 18))
    assert terms.last_trade_at == datetime(2026, 11, 17, 16, 15, tzinfo=NEW_YORK)


@pytest.mark.control("C24")
def test_a_freeze_is_told_as_what_it_is() -> None:
    """Around a restart the books count as not compared, in words of their own."""
    frozen = replace(calm_noon(), reconciling=True, is_frozen=True)
    checked = checked_by(Rule.RECONCILED, a_build(), frozen)
    assert (checked.passed, checked.found) == (False, "frozen around a restart of the gateway")
    assert checked_by(Rule.RECONCILED, a_build(), replace(frozen, is_frozen=False)).found == "reconciling"
    assert rules_against(verdict_on(an_unwind(2), replace(holding(2), reconciling=True, is_frozen=True))) == {
        Rule.RECONCILED
    }
