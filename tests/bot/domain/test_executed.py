"""What a day's executions add up to, and what the bot has asked of itself."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import InvalidValueError
from bot.domain.executed import Counted, executed_on, pattern_of, slippage_usd
from bot.domain.instrument import Side
from bot.domain.layer import Layer
from bot.domain.mode import DemandSource, TradingMode
from bot.domain.orders import Fill, FillPart, Order, OrderIntent, Purpose
from bot.domain.portfolio import Executed
from bot.domain.restraints import Restraint, Restraints
from tests.builders import ACCOUNT, NOON, TODAY, an_intent, an_order, mirrored, spread_legs

CENT = Decimal("0.01")
ALL = Counted()
LATER = NOON + timedelta(minutes=1)


def an_order_at(middle: str | None = "0.90", *, ref: str = "i-1", quantity: int = 3) -> Order:
    """An order for spreads, decided at a middle."""
    intent = an_intent(quantity=quantity, intent_id=ref)
    point = None if middle is None else Decimal(middle)
    return an_order(replace(intent, middle_points=point, half_width_points=Decimal("0.04")))


def a_part(price: str = "0.95", units: int = 1, *, ref: str = "i-1", side: Side = Side.BUY, number: int = 1) -> Fill:
    """The net execution of a combo."""
    return Fill(
        exec_id=f"{ref}.{number}",
        order_ref=ref,
        perm_id=1,
        account=ACCOUNT,
        part=FillPart.COMBO,
        instrument=None,
        side=side,
        quantity=units,
        price=Decimal(price),
        at=NOON,
    )


def test_a_pattern_is_purpose_layer_and_legs() -> None:
    """Size, price, id and the order of the legs are no part of it; purpose, layer, side and contract are."""
    spread = an_intent()
    same = replace(an_intent(quantity=7, limit="1.10", intent_id="other"), legs=tuple(reversed(spread.legs)))
    assert pattern_of(spread) == pattern_of(same)
    others: list[OrderIntent] = [
        replace(spread, purpose=Purpose.OVERLAY_EXIT),
        replace(spread, layer=Layer.SHORT),
        replace(spread, legs=mirrored(spread.legs)),
        replace(spread, legs=spread_legs(22, 27)),
    ]
    assert len({pattern_of(one) for one in [spread, *others]}) == 5


def test_an_order_counts_once_however_many_parts_it_filled_in() -> None:
    """Three parts of one order are one execution; a second order of the pattern makes two."""
    orders = [an_order_at(), an_order_at(ref="i-2")]
    parts = [a_part(number=1), a_part(number=2), a_part(number=3)]
    pattern = pattern_of(orders[0].intent)
    assert executed_on(TODAY, orders, parts, ALL).times == {pattern: 1}
    assert executed_on(TODAY, orders, [*parts, a_part(ref="i-2")], ALL).times == {pattern: 2}


def test_what_a_person_has_signed_to_sell_repeats_nothing() -> None:
    """An order to flatten is no loop of the bot's; what it pays beyond the middle is slippage all the same."""
    order = an_order_at()
    signed = replace(order, intent=replace(order.intent, purpose=Purpose.FLATTEN))
    found = executed_on(TODAY, [signed], [a_part()], ALL)
    assert (found.times, found.slippage_usd) == ({}, 5)


def test_only_the_days_own_executions_count() -> None:
    """Not another day's, not a foreign one, not the leg of a combo whose net counts."""
    leg = replace(a_part(), part=FillPart.LEG, instrument=an_intent().legs[0].instrument)
    fills = [replace(a_part(), at=NOON - timedelta(days=1)), a_part(ref="foreign"), leg]
    assert executed_on(TODAY, [an_order_at()], fills, ALL) == Executed()


def test_what_a_person_has_lifted_counts_anew() -> None:
    """Repeats and slippage begin after the moment in which each of them was lifted."""
    orders, fills = [an_order_at()], [a_part()]
    whole = executed_on(TODAY, orders, fills, ALL)
    repeats = executed_on(TODAY, orders, fills, Counted(repeats_after=NOON))
    slippage = executed_on(TODAY, orders, fills, Counted(slippage_after=NOON))
    assert (len(whole.times), whole.slippage_usd) == (1, 5)
    assert (len(repeats.times), repeats.slippage_usd) == (0, 5)
    assert (len(slippage.times), slippage.slippage_usd) == (1, 0)
    before = Counted(repeats_after=NOON - timedelta(seconds=1), slippage_after=NOON - timedelta(seconds=1))
    assert executed_on(TODAY, orders, fills, before) == whole


@pytest.mark.parametrize(
    ("middle", "paid", "units", "expected"),
    [
        ("0.90", "0.90", 2, 0),
        ("0.90", "0.91", 2, 2),
        ("0.90", "0.89", 2, 0),  # cheaper takes nothing off
        ("-0.90", "-0.85", 3, 15),  # received less
        ("-0.90", "-0.95", 3, 0),
        (None, "0.90", 2, 8),  # no middle: half the spread of 0.08
    ],
)
def test_slippage_is_what_was_paid_beyond_the_middle(middle: str | None, paid: str, units: int, expected: int) -> None:
    """USD: points times 100 a point times units; better prices take nothing off."""
    assert slippage_usd(an_order_at(middle).intent, Decimal(paid), units) == expected


def test_a_sale_slips_by_what_it_received_less() -> None:
    """The net of a sale comes with its side: 0.85 received where the middle was 0.90 is 5 USD a unit."""
    order = an_order_at("-0.90")
    sold = a_part("0.85", 2, side=Side.SELL)
    assert executed_on(TODAY, [order], [sold], ALL).slippage_usd == 10


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(80, 100)), max_size=12), st.randoms())
def test_the_order_in_which_executions_come_does_not_matter(parts: list[tuple[int, int]], chance: object) -> None:
    """Any order of the same executions adds up to the same, and no execution makes it less."""
    orders = [an_order_at(ref=f"i-{number}") for number in range(4)]
    fills = [a_part(str(cents * CENT), ref=f"i-{ref}", number=number) for number, (ref, cents) in enumerate(parts)]
    mixed = list(fills)
    chance.shuffle(mixed)  # type: ignore[attr-defined]  # hypothesis hands over a Random
    found = executed_on(TODAY, orders, mixed, ALL)
    assert found == executed_on(TODAY, orders, fills, ALL)
    assert sum(found.times.values()) == len({ref for ref, _ in parts})
    assert found.slippage_usd == sum(max(0, cents - 90) for _, cents in parts)


def test_values_of_a_day_and_of_an_order_are_checked() -> None:
    """No slippage below zero, no middle that is not finite."""
    with pytest.raises(InvalidValueError, match="slippage_usd"):
        Executed(slippage_usd=Decimal(-1))
    with pytest.raises(InvalidValueError, match="middle_points"):
        an_order_at("NaN")


def a_restraint(source: DemandSource = DemandSource.LOSSES, mode: TradingMode = TradingMode.REDUCE_ONLY) -> Restraint:
    """One demand at noon."""
    return Restraint(source=source, mode=mode, since=NOON, cause="test")


def test_each_source_holds_at_most_one_demand_and_the_strictest_holds() -> None:
    """A second demand of a source replaces the first, and NORMAL ends it without lowering another's."""
    held = Restraints().asked(a_restraint()).asked(a_restraint(DemandSource.REPEATS, TradingMode.HALT))
    assert (held.mode, len(held.asked(a_restraint()).held)) == (TradingMode.HALT, 2)
    ended = held.asked(a_restraint(DemandSource.REPEATS, TradingMode.NORMAL))
    assert (ended.mode, ended.of(DemandSource.REPEATS)) == (TradingMode.REDUCE_ONLY, None)
    assert ended.of(DemandSource.LOSSES) == a_restraint()
    assert Restraints().mode is TradingMode.NORMAL


def test_a_resume_lifts_what_is_stricter_than_its_mode() -> None:
    """To REDUCE_ONLY only the halt ends, to NORMAL all; what was lifted counts anew, and nothing else."""
    held = Restraints().asked(a_restraint()).asked(a_restraint(DemandSource.REPEATS, TradingMode.HALT))
    assert held.stricter_than(TradingMode.REDUCE_ONLY) == (DemandSource.REPEATS,)
    assert set(held.stricter_than(TradingMode.NORMAL)) == {DemandSource.LOSSES, DemandSource.REPEATS}
    lifted = held.lifted((DemandSource.REPEATS,), LATER)
    assert (lifted.held, lifted.counted) == ((a_restraint(),), Counted(repeats_after=LATER))
    both = lifted.lifted((DemandSource.LOSSES, DemandSource.SLIPPAGE), NOON)
    assert (both.held, both.counted) == ((), Counted(repeats_after=LATER, slippage_after=NOON))


def test_a_restraint_without_a_zone_is_refused() -> None:
    """Naive times never come into being."""
    with pytest.raises(InvalidValueError, match="since"):
        replace(a_restraint(), since=NOON.replace(tzinfo=None))
