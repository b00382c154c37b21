"""Quotes, collar and size: each rule at its edge, and what is missing refuses."""

from dataclasses import replace
from datetime import timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import pytest

from bot.domain.decision import Checked, Rule
from bot.domain.instrument import Kind, Right
from bot.domain.market import DataType
from risk.checks.price_collar import middle_points
from tests.builders import (
    NOON,
    a_future,
    a_quote,
    an_intent,
    an_option,
    buys,
    mirrored,
    spread_legs,
    vix_call,
)
from tests.risk.scenes import (
    LIMITS,
    LONG,
    SHORT,
    a_build,
    an_unwind,
    calm_noon,
    checked_by,
    holding,
    natural_limit,
    scene_of,
    scenery,
)

PUT = an_option(18, right=Right.PUT)


# quotes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bid", "ask", "age_s", "kind", "fault"),
    [
        (1.60, 1.66, 0, DataType.LIVE, ""),
        (1.60, 1.66, 900, DataType.LIVE, ""),
        (1.60, 1.66, 901, DataType.LIVE, "stale"),
        (1.60, 1.66, -1, DataType.LIVE, ""),
        (1.60, 1.66, -2, DataType.LIVE, "stale"),
        (1.60, 1.66, 0, DataType.DELAYED, "data type <DataType.DELAYED: 3> instead of live"),
        (1.60, 1.66, 0, DataType.FROZEN, "data type <DataType.FROZEN: 2> instead of live"),
        (None, 1.66, 0, DataType.LIVE, "not two-sided"),
        (1.60, None, 0, DataType.LIVE, "not two-sided"),
        (0.0, 0.05, 0, DataType.LIVE, "not two-sided"),
        (1.66, 1.60, 0, DataType.LIVE, "crossed"),
        (1.60, 1.60, 0, DataType.LIVE, ""),
        (1.40, 1.80, 0, DataType.LIVE, ""),
        (1.39, 1.80, 0, DataType.LIVE, "too wide"),
        (0.01, 0.03, 0, DataType.LIVE, ""),
        (0.01, 0.04, 0, DataType.LIVE, "too wide"),
    ],
)
@pytest.mark.parametrize("leg", [0, 1])
def test_every_leg_needs_a_good_quote(
    leg: int, bid: float | None, ask: float | None, age_s: int, kind: DataType, fault: str
) -> None:
    """Type, age, sides and width of each leg, one by one."""
    intent = a_build()
    instrument = intent.legs[leg].instrument
    quote = a_quote(instrument, bid, ask, at=NOON - timedelta(seconds=age_s), data_type=kind)
    snapshot = replace(calm_noon(), quotes={**calm_noon().quotes, instrument.key: quote})
    checked = checked_by(Rule.QUOTE_QUALITY, intent, snapshot)
    assert (checked.passed, checked.found) == (not fault, f"{instrument.key}: {fault}" if fault else "4 good")


def test_a_leg_without_a_quote_is_refused() -> None:
    """No quote at all is a reason of its own."""
    snapshot = replace(calm_noon(), quotes={})
    checked = checked_by(Rule.QUOTE_QUALITY, a_build(), snapshot)
    assert str(checked.found).startswith("OPT:VIX:2026-11-18:21:C: no quote")


def test_a_worthless_short_leg_is_bought_back_without_a_bid() -> None:
    """An overlay whose short leg nobody bids for can be sold; a purchase of the same leg cannot be made."""
    short = vix_call(SHORT)
    unbid = {short.key: a_quote(short, None, 0.05)}
    snapshot = replace(holding(2), quotes={**holding(2).quotes, **unbid})
    long = scenery().quote(vix_call(LONG))
    unwind = an_unwind(2, limit=Decimal("0.05") - Decimal(repr(long.bid)))
    for rule in (Rule.QUOTE_QUALITY, Rule.PRICE_COLLAR, Rule.ORDER_SIZE):
        assert checked_by(rule, unwind, snapshot).passed, rule
    sold = {vix_call(LONG).key: a_quote(vix_call(LONG), None, 0.05)}
    assert not checked_by(Rule.QUOTE_QUALITY, unwind, replace(snapshot, quotes={**snapshot.quotes, **sold})).passed
    assert not checked_by(Rule.QUOTE_QUALITY, a_build(), snapshot).passed


def test_an_unwind_needs_no_index_level() -> None:
    """A sale is priced by its own quotes: a missing index level does not stand in its way."""
    snapshot = replace(holding(2), levels={})
    assert checked_by(Rule.QUOTE_QUALITY, an_unwind(2), snapshot).passed
    assert not checked_by(Rule.QUOTE_QUALITY, a_build(), snapshot).passed


# collar ---------------------------------------------------------------------------------------------------------


def _middle() -> Decimal:
    quotes = [scenery().quote(leg.instrument) for leg in spread_legs(LONG, SHORT)]
    long, short = ((Decimal(repr(q.bid)) + Decimal(repr(q.ask))) / 2 for q in quotes)
    return long - short


def _collared(limit: Decimal, **changes: object) -> Checked:
    limits = replace(LIMITS, **changes)  # type: ignore[arg-type]  # test shorthand
    return checked_by(Rule.PRICE_COLLAR, a_build(limit=limit), limits=limits)


@pytest.mark.control("C7")
def test_the_collar_passes_its_edge_and_not_one_tick_more() -> None:
    """With five ticks allowed, the last limit inside passes and the next tick fails, on both sides."""
    tick, wide = Decimal("0.01"), {"collar_frac": Decimal("0.001"), "collar_ticks": 5}
    middle = _middle()
    highest = ((middle + 5 * tick) / tick).to_integral_value(ROUND_FLOOR) * tick
    lowest = ((middle - 5 * tick) / tick).to_integral_value(ROUND_CEILING) * tick
    assert _collared(highest, **wide).passed
    assert not _collared(highest + tick, **wide).passed
    assert _collared(lowest, **wide).passed
    assert not _collared(lowest - tick, **wide).passed


def test_the_collar_is_a_fraction_of_the_middle_where_that_is_more() -> None:
    """A fifth of the middle is allowed by default."""
    checked = _collared(natural_limit())
    assert (checked.passed, checked.limit) == (True, Decimal("0.20") * _middle())


@pytest.mark.parametrize(
    ("limit", "note"),
    [
        ("0.735", "the limit is off the tick grid"),
        ("-0.70", "the limit's sign disagrees with the middle"),
        ("0.00", "the limit's sign disagrees with the middle"),
    ],
)
def test_off_the_grid_or_of_the_wrong_sign_is_refused(limit: str, note: str) -> None:
    """The grid and the sign are judged before the distance."""
    assert _collared(Decimal(limit)).note == note


def test_a_middle_of_nothing_has_no_sign() -> None:
    """Two legs worth the same: no limit agrees with it, and the record says why."""
    long, short = (leg.instrument for leg in spread_legs(LONG, SHORT))
    same = {one.key: replace(scenery().quote(long), key=one.key) for one in (long, short)}
    checked = checked_by(Rule.PRICE_COLLAR, a_build(), replace(calm_noon(), quotes={**calm_noon().quotes, **same}))
    assert (checked.passed, checked.note) == (False, "the limit's sign disagrees with the middle")


def test_the_middle_counts_each_leg_as_often_as_its_ratio() -> None:
    """Two calls bought and one sold: twice the one middle less the other."""
    long, short = spread_legs(LONG, SHORT)
    intent = an_intent((replace(long, ratio=2), short), limit="2.00")
    each = [middle_points(an_intent((buys(leg.instrument),)), scene_of()) for leg in (long, short)]
    assert middle_points(intent, scene_of()) == 2 * each[0] - each[1]


def test_a_future_has_a_tighter_collar() -> None:
    """Two percent of a future's middle, not twenty."""
    vx = a_future("VX")
    quote = scenery().quote(vx)
    middle = (Decimal(repr(quote.bid)) + Decimal(repr(quote.ask))) / 2
    near = (middle * Decimal("1.01") // Decimal("0.05")) * Decimal("0.05")
    assert checked_by(Rule.PRICE_COLLAR, an_intent((buys(vx),), limit=str(near))).passed
    assert not checked_by(Rule.PRICE_COLLAR, an_intent((buys(vx),), limit=str(near + 1))).passed


def test_without_a_quote_there_is_no_middle() -> None:
    """A missing leg is a refusal, not a middle of the others."""
    checked = checked_by(Rule.PRICE_COLLAR, a_build(), replace(calm_noon(), quotes={}))
    assert (checked.passed, checked.note) == (False, "no middle: OPT:VIX:2026-11-18:21:C: no quote")


def test_a_class_without_a_tick_cannot_be_priced() -> None:
    """Without a known grid the quote itself is no ground: the width in ticks is unknown."""
    stranger = an_option(20, trading_class="VIXM", symbol="VIX")
    quotes = {**calm_noon().quotes, stranger.key: a_quote(stranger, 1.0, 1.02)}
    checked = checked_by(Rule.PRICE_COLLAR, an_intent((buys(stranger),)), replace(calm_noon(), quotes=quotes))
    assert checked.note == f"no middle: {stranger.key}: no tick is known for its class"


# size -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quantity", "changes", "passed", "note"),
    [
        (10, {"max_contracts_per_leg": 10}, True, "contracts per leg"),
        (11, {"max_contracts_per_leg": 10}, False, "contracts per leg"),
        (2, {"max_order_value_usd": natural_limit() * 200}, True, "value in USD"),
        (2, {"max_order_value_usd": natural_limit() * 200 - Decimal("0.01")}, False, "value in USD"),
        (3, {"max_order_value_usd": natural_limit() * 200}, False, "value in USD"),
    ],
)
@pytest.mark.control("C8")
@pytest.mark.control("C9")
def test_size_limits_pass_at_their_edge(
    quantity: int,
    changes: dict[str, object],
    passed: bool,  # noqa: FBT001 - a table
    note: str,
) -> None:
    """Exactly the limit passes, one more fails, and the record names the tightest."""
    limits = replace(LIMITS, **changes)  # type: ignore[arg-type]  # test shorthand
    checked = checked_by(Rule.ORDER_SIZE, a_build(quantity), limits=limits)
    assert (checked.passed, checked.note, checked.size_can_cure) == (passed, note, True)


@pytest.mark.parametrize(
    ("shown", "share", "passed"), [(4, 1.0, True), (3, 1.0, False), (8, 0.5, True), (7, 0.5, False)]
)
@pytest.mark.parametrize("leg", [0, 1])
def test_no_more_is_asked_than_is_shown(leg: int, shown: int, share: float, passed: bool) -> None:  # noqa: FBT001 - a table
    """Four units need four contracts on the side that each leg takes, or their share of it."""
    instrument = a_build().legs[leg].instrument
    quotes = dict(calm_noon().quotes)
    side = "ask_size" if leg == 0 else "bid_size"
    quotes[instrument.key] = replace(quotes[instrument.key], **{side: shown})
    limits = replace(LIMITS, max_displayed_frac=share)
    checked = checked_by(Rule.ORDER_SIZE, a_build(4), replace(calm_noon(), quotes=quotes), limits=limits)
    assert checked.passed is passed


def test_ratios_count_in_contracts() -> None:
    """Three units of a leg with ratio two are six contracts."""
    intent = an_intent((buys(vix_call(LONG), 2),), quantity=3)
    limits = replace(LIMITS, max_contracts_per_leg=5)
    checked = checked_by(Rule.ORDER_SIZE, intent, limits=limits)
    assert (checked.passed, checked.found) == (False, Decimal(6))


def test_the_value_of_a_future_is_its_notional() -> None:
    """One VX at 19 is worth 19,000 USD."""
    limits = replace(LIMITS, max_order_value_usd=Decimal("18999.99"))
    checked = checked_by(Rule.ORDER_SIZE, an_intent((buys(a_future("VX")),), limit="19.00"), limits=limits)
    assert (checked.passed, checked.found) == (False, Decimal(19000))


def test_size_without_a_quote_is_unknown() -> None:
    """Where nothing is shown nothing may be asked."""
    assert not checked_by(Rule.ORDER_SIZE, a_build(), replace(calm_noon(), quotes={})).passed


def test_the_tests_use_both_kinds_of_contract() -> None:
    """The reference spread is made of options."""
    assert {leg.instrument.kind for leg in (*a_build().legs, *mirrored(a_build().legs))} == {Kind.OPTION}
