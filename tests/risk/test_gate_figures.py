"""A gate that keeps the figures of a moment answers as one that has never seen it."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.decision import Rule, Verdict
from bot.domain.mode import TradingMode
from bot.domain.orders import OrderIntent, Purpose
from bot.domain.snapshot import Snapshot
from risk.gate import Gate
from tests.builders import FEES, NOVEMBER, a_plan, an_intent, an_order, buys, spread_legs, vix_call
from tests.risk.scenes import (
    LIMITS,
    SHORT,
    a_build,
    a_mini,
    an_unwind,
    calm_noon,
    holding,
    rules_against,
    scenery,
    verdict_on,
    with_book,
)
from tests.risk.wing_scenes import a_roll, leaning

STRIKES = (19, 20, 21, 22, 24, 26, 28)


def verdicts(gate: Gate, orders: list[OrderIntent], moment: Snapshot) -> tuple[Verdict, ...]:
    """What a gate says of a plan."""
    return gate.review(a_plan(*orders), moment)


orders = st.one_of(
    st.builds(a_build, st.integers(1, 40)),
    st.builds(a_mini, st.integers(1, 3)),
    st.builds(an_unwind, st.integers(1, 3)),
    st.builds(a_roll),
    st.builds(
        lambda strikes, quantity, cents: an_intent(
            spread_legs(*sorted(strikes), NOVEMBER), quantity=quantity, limit=str(Decimal(cents) / 100)
        ),
        st.lists(st.sampled_from(STRIKES), min_size=2, max_size=2, unique=True),
        st.integers(1, 5),
        st.integers(1, 300),
    ),
)
moments = st.sampled_from(
    (
        calm_noon(),
        holding(),
        leaning(),
        with_book(holding(), orders={"w-1": an_order(a_build(2, intent_id="w-1"))}),
        with_book(holding(), orders={"w-1": an_order(a_roll())}),
        with_book(calm_noon(), cohorts=()),
        with_book(calm_noon(), account=None),
        scenery().snapshot(mode=TradingMode.REDUCE_ONLY),
    )
)


@settings(max_examples=60, deadline=None)
@given(plans=st.lists(st.lists(orders, min_size=1, max_size=2), min_size=1, max_size=3), moment=moments)
def test_what_was_judged_before_changes_no_verdict(plans: list[list[OrderIntent]], moment: Snapshot) -> None:
    """Plans judged one after the other on one moment get the verdicts that each gets from a gate of its own."""
    kept = Gate(LIMITS, FEES)
    assert [verdicts(kept, plan, moment) for plan in plans] == [
        verdicts(Gate(LIMITS, FEES), plan, moment) for plan in plans
    ]


def test_another_moment_has_figures_of_its_own() -> None:
    """The same order on a book that has grown meanwhile is judged on that book."""
    kept, order = Gate(LIMITS, FEES), a_build()
    first = verdicts(kept, [order], calm_noon())
    second = verdicts(kept, [order], holding(units=20))
    assert second == verdicts(Gate(LIMITS, FEES), [order], holding(units=20))
    assert first != second


def test_a_purchase_for_the_hedge_is_no_buy_back() -> None:
    """The overlay is short a call that the base buys: it makes a lot of its own, and every limit holds for it."""
    call = (buys(vix_call(SHORT)),)
    quote = scenery().quote(call[0].instrument)
    poor = with_book(holding(), cohorts=tuple(replace(one, credit_usd=Decimal(1)) for one in holding().book.cohorts))
    for purpose in (Purpose.BASE_BUILD, Purpose.OVERLAY_BUILD):
        build = an_intent(call, limit=str(quote.ask), purpose=purpose)
        against = rules_against(verdict_on(build, poor))
        assert {Rule.HEDGE_COST_CAP_COHORT, Rule.HEDGE_COST_CAP_BOOK} <= against
    bought_back = an_intent(call, limit=str(quote.ask), purpose=Purpose.OVERLAY_UNWIND)
    assert rules_against(verdict_on(bought_back, poor)) == set()
