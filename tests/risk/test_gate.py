"""The gate as a whole: approval, refusal, sizes, order within a plan, faults inside a rule."""

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.decision import Approved, Checked, Refused, Rule
from bot.domain.mode import TradingMode
from bot.domain.orders import OrderIntent
from bot.domain.plan import PlanAction
from bot.domain.portfolio import Position
from bot.domain.snapshot import Snapshot
from risk.gate import CHECKS, Gate
from risk.limits import RiskLimits
from risk.scene import Scene
from tests.builders import ACCOUNT, FEES, NOON, a_plan, an_account, an_option, an_order, spread_legs
from tests.risk.scenes import (
    LIMITS,
    a_build,
    a_mini,
    an_unwind,
    calm_noon,
    checked_by,
    holding,
    rules_against,
    verdict_on,
    with_book,
)


def test_an_order_within_every_limit_is_approved() -> None:
    """Approval names book version, kill epoch, every check, and how long it holds."""
    verdict = verdict_on(a_build(2))
    assert isinstance(verdict, Approved)
    assert (verdict.book_version, verdict.kill_epoch) == (1, 3)
    assert verdict.valid_until - verdict.given_at == timedelta(seconds=5)
    assert [checked.rule for checked in verdict.checks] == [check.rule for check in CHECKS]


def test_every_rule_has_exactly_one_check() -> None:
    """No rule is listed that nobody checks, and none is checked twice."""
    assert sorted(check.rule for check in CHECKS) == sorted(Rule)


def test_mode_and_locks_are_judged_last() -> None:
    """The order of the rules is fixed: shape first, standing last."""
    rules = [check.rule for check in CHECKS]
    assert rules[0] is Rule.WELL_FORMED
    assert rules[-3:] == [Rule.LOCKS, Rule.RECONCILED, Rule.TRADING_MODE]


def test_a_plan_without_orders_has_no_verdicts() -> None:
    """Holding needs no leave."""
    assert Gate(LIMITS, FEES).review(a_plan(action=PlanAction.HOLD), calm_noon()) == ()


def test_without_an_allowlist_everything_is_refused() -> None:
    """The default limits name no account, so nothing leaves."""
    assert rules_against(verdict_on(a_build(), limits=RiskLimits())) == {Rule.ACCOUNT}


@pytest.mark.parametrize(
    ("mode", "intent"),
    [(TradingMode.HALT, a_build()), (TradingMode.REDUCE_ONLY, a_mini()), (TradingMode.REDUCE_ONLY, an_unwind(2))],
)
def test_stricter_modes_refuse_what_adds(mode: TradingMode, intent: OrderIntent) -> None:
    """HALT lets no purchase through, REDUCE_ONLY no future and no sale; all other rules are still recorded."""
    verdict = verdict_on(intent, replace(holding(2), mode=mode))
    assert rules_against(verdict) == {Rule.TRADING_MODE}
    assert len(verdict.checks) == len(CHECKS)


def test_an_approved_order_counts_for_the_next_of_its_plan() -> None:
    """The same order twice in a plan: the second is refused as a duplicate, although nothing is at the broker."""
    first, second = Gate(LIMITS, FEES).review(a_plan(a_build(), a_build(intent_id="i-2")), calm_noon())
    assert isinstance(first, Approved)
    assert rules_against(second) == {Rule.DUPLICATES}


def test_the_rest_of_a_plan_is_judged_with_its_first_order() -> None:
    """A harmless first order is refused where the order after it would carry the book out of its band."""
    second = replace(a_build(90, intent_id="i-2"), legs=spread_legs(22, 27))
    first, _ = Gate(LIMITS, FEES).review(a_plan(a_build(1), second), calm_noon())
    assert rules_against(first) == {Rule.NEUTRALITY}


def test_a_refused_order_does_not_count_for_the_next() -> None:
    """A refused first order leaves the second as if it had never been asked for."""
    bad = a_build(limit="9.99")
    first, second = Gate(LIMITS, FEES).review(a_plan(bad, a_build(intent_id="i-2")), calm_noon())
    assert isinstance(first, Refused)
    assert isinstance(second, Approved)


def test_an_order_that_is_too_large_is_told_the_size_that_passes() -> None:
    """Twelve spreads where ten contracts per leg are allowed: refused, and ten would pass."""
    limits = replace(LIMITS, max_contracts_per_leg=10)
    verdict = verdict_on(a_build(12), limits=limits)
    assert isinstance(verdict, Refused)
    assert verdict.largest_quantity == 10
    assert isinstance(verdict_on(a_build(10), limits=limits), Approved)


def test_size_is_no_cure_where_something_else_is_wrong() -> None:
    """Too large and at a wrong price: no smaller order is offered."""
    limits = replace(LIMITS, max_contracts_per_leg=10)
    verdict = verdict_on(a_build(12, limit="9.99"), limits=limits)
    assert isinstance(verdict, Refused)
    assert verdict.largest_quantity == 0


def test_no_size_fits_where_even_one_is_too_much() -> None:
    """A cap that is spent refuses every size."""
    limits = replace(LIMITS, max_order_value_usd=Decimal(1))
    verdict = verdict_on(a_build(3), limits=limits)
    assert isinstance(verdict, Refused)
    assert verdict.largest_quantity == 0


@settings(max_examples=12, deadline=None)
@given(
    quantity=st.integers(1, 40),
    cap=st.decimals("0.05", "0.40", places=3),
    contracts=st.integers(1, 50),
    value=st.integers(50, 4000),
)
def test_the_largest_size_is_what_trying_all_of_them_finds(
    quantity: int, cap: Decimal, contracts: int, value: int
) -> None:
    """The offered size equals the largest smaller one that the gate approves, found by asking for each."""
    limits = replace(
        LIMITS, max_hedge_cost_frac=cap, max_contracts_per_leg=contracts, max_order_value_usd=Decimal(value)
    )
    verdict = verdict_on(a_build(quantity), limits=limits)
    smaller = range(1, quantity)
    passing = [size for size in smaller if isinstance(verdict_on(a_build(size), limits=limits), Approved)]
    if isinstance(verdict, Refused):
        assert verdict.largest_quantity == max(passing, default=0)


@dataclass(frozen=True, slots=True)
class _Exploding:
    rule: Rule = Rule.NEUTRALITY

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        raise ZeroDivisionError(f"{intent.intent_id} at {scene.today}")


@pytest.mark.control("C19")
def test_a_fault_inside_a_rule_refuses() -> None:
    """Whatever a rule raises is a refusal by that rule, with the error in its note."""
    verdict = Gate(LIMITS, FEES, checks=(_Exploding(),)).review(a_plan(a_build()), calm_noon())[0]
    assert isinstance(verdict, Refused)
    assert (verdict.reasons[0].rule, verdict.reasons[0].note) == (
        Rule.NEUTRALITY,
        "ZeroDivisionError: i-1 at 2026-10-20",
    )


# closing must stay possible ---------------------------------------------------------------------------------------


def test_an_unwind_passes() -> None:
    """Selling what the overlay holds is approved."""
    assert isinstance(verdict_on(an_unwind(2), holding(2)), Approved)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("the cap is breached", {"cohorts": ()}),
        ("the day's orders are used up", {"orders_sent_today": 40}),
    ],
)
def test_an_unwind_is_not_trapped(name: str, changes: dict[str, object]) -> None:
    """What refuses an addition does not refuse the way back."""
    snapshot = with_book(holding(2), **changes)
    assert isinstance(verdict_on(an_unwind(2), snapshot), Approved), name
    assert rules_against(verdict_on(a_build(), with_book(calm_noon(), **changes)))


def test_an_unwind_passes_with_a_condor_that_cannot_be_valued() -> None:
    """A condor leg without a quote makes the delta unknown; that refuses additions and lets closing through."""
    snapshot = holding(2)
    leg = snapshot.book.condors[0].long_put
    blind = replace(snapshot, quotes={key: quote for key, quote in snapshot.quotes.items() if key != leg.key})
    assert isinstance(verdict_on(an_unwind(2), blind), Approved)
    assert checked_by(Rule.NEUTRALITY, a_build(), blind).note == f"the delta is unknown: {leg.key}: no quote"


def test_an_unwind_passes_while_unmatched_legs_lock_the_sizing() -> None:
    """A leg that fits no condor locks additions alone."""
    stray = Position(instrument=an_option(7000, trading_class="SPXW"), quantity=1)
    snapshot = with_book(holding(2), unmatched=(stray,))
    assert isinstance(verdict_on(an_unwind(2), snapshot), Approved)
    assert Rule.LOCKS in rules_against(verdict_on(a_build(), snapshot))


# nothing impossible passes ----------------------------------------------------------------------------------------

ODD_NUMBERS = [None, float("nan"), float("inf"), float("-inf"), -1, 0, 1e308, 1.797e308, "", "x"]


def _with_quote_field(snapshot: Snapshot, key: str, field: str, value: object) -> Snapshot:
    quotes = dict(snapshot.quotes)
    quotes[key] = replace(quotes[key], **{field: value})  # type: ignore[index]  # a key as text
    return replace(snapshot, quotes=quotes)


@pytest.mark.parametrize("value", ODD_NUMBERS, ids=repr)
@pytest.mark.parametrize("leg", [0, 1])
@pytest.mark.parametrize("field", ["bid", "ask", "at_ns", "data_type", "ask_size", "bid_size"])
@pytest.mark.control("C22")
def test_an_impossible_quote_is_refused_by_a_rule(field: str, leg: int, value: object) -> None:
    """Whatever stands in a field of a leg's quote, the answer is a refusal with a code and no exception."""
    intent = a_build(1)
    spare = {(0, "bid_size"), (1, "ask_size")}  # the side that this order does not take
    snapshot = _with_quote_field(calm_noon(), intent.legs[leg].instrument.key, field, value)
    verdict = verdict_on(intent, snapshot)
    if (leg, field) in spare or (field.endswith("size") and isinstance(value, float) and value > 1e300):
        assert verdict.checks
        return
    assert rules_against(verdict), verdict


@pytest.mark.parametrize("value", ODD_NUMBERS, ids=repr)
@pytest.mark.parametrize("index", ["IND:VIX", "IND:SPX"])
def test_an_impossible_level_is_refused_by_a_rule(index: str, value: object) -> None:
    """Neither VIX nor SPX may be missing, zero, negative, infinite or absurd."""
    snapshot = calm_noon()
    levels = {**snapshot.levels, index: value}
    assert Rule.QUOTE_QUALITY in rules_against(verdict_on(a_build(), replace(snapshot, levels=levels)))


NOTHING_IS_LEFT = {Rule.MEAN_REVERSION_LOSS, Rule.MARGIN_USE, Rule.GROSS_LEVERAGE, Rule.VEGA, Rule.VIX_DELTA}
"""What may be lost, bound or held of an account that is worth nothing."""


@pytest.mark.parametrize(
    ("value", "others"),
    [
        ("-1", NOTHING_IS_LEFT),
        ("0", NOTHING_IS_LEFT),
        ("1e308", {Rule.MARGIN_USE}),  # so much excess liquidity is impossible as well
        ("2147483647000", {Rule.MARGIN_USE}),
        ("1000000000001", set()),
    ],
)
@pytest.mark.control("C23")
def test_an_impossible_account_is_refused(value: str, others: set[Rule]) -> None:
    """A net liquidation of zero, below zero, or beyond any account is refused; nothing may be lost of nothing."""
    snapshot = with_book(calm_noon(), account=an_account(value))
    assert rules_against(verdict_on(a_build(), snapshot)) == {Rule.ACCOUNT} | others


@pytest.mark.parametrize("field", ["cash_usd", "net_liquidation_usd"])
@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e308"])
def test_account_values_that_are_no_numbers_are_refused(field: str, value: str) -> None:
    """Values that slipped past their own class are refused by the gate all the same."""
    account = an_account()
    object.__setattr__(account, field, Decimal(value))
    others: set[Rule] = set()
    if field == "net_liquidation_usd":
        others = {Rule.MARGIN_USE}
        if not Decimal(value).is_finite():
            others |= {Rule.MEAN_REVERSION_LOSS, Rule.WORST_LOSS, Rule.GROSS_LEVERAGE, Rule.VEGA, Rule.VIX_DELTA}
    assert rules_against(verdict_on(a_build(), with_book(calm_noon(), account=account))) == {Rule.ACCOUNT} | others


@settings(max_examples=60, deadline=None)
@given(
    bid=st.floats(allow_nan=True, allow_infinity=True) | st.none(),
    ask=st.floats(allow_nan=True, allow_infinity=True) | st.none(),
    data=st.data(),
)
@pytest.mark.control("C19")
def test_no_quote_of_any_contract_makes_the_gate_raise(
    bid: float | None, ask: float | None, data: st.DataObject
) -> None:
    """Any two sides in any contract give a verdict; for a leg of the order only good ones are approved."""
    snapshot = calm_noon()
    key = data.draw(st.sampled_from(sorted(snapshot.quotes)))
    quotes = {**snapshot.quotes, key: replace(snapshot.quotes[key], bid=bid, ask=ask)}
    verdict = verdict_on(a_build(), replace(snapshot, quotes=quotes))
    keys = {leg.instrument.key for leg in a_build().legs}
    if key in keys and (bid is None or ask is None or not 0 < bid <= ask < 100):
        assert rules_against(verdict)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("quantity", 2147483647),
        ("quantity", 10**15),
        ("quantity", 1.5),
        ("quantity", float("nan")),
        ("limit", Decimal("NaN")),
        ("limit", Decimal("Infinity")),
        ("limit", Decimal("1e300")),
        ("limit", Decimal(0)),
        ("limit", Decimal("-0.90")),
        ("limit", None),
        ("worst_cost_usd", Decimal("NaN")),
        ("worst_cost_usd", Decimal("1e300")),
        ("legs", ()),
        ("purpose", "else"),
    ],
)
def test_an_impossible_order_is_refused(field: str, value: object) -> None:
    """An intent that was tampered with after it was made is refused, without an exception."""
    intent = a_build(1)
    object.__setattr__(intent, field, value)
    verdict = Gate(LIMITS, FEES).review(a_plan(intent), calm_noon())[0]
    assert rules_against(verdict)


@pytest.mark.control("C11")
def test_orders_on_their_way_use_up_every_limit_at_once() -> None:
    """What is working counts from the moment of commit: the cap is spent although nothing has filled."""
    working = an_order(a_build(1, intent_id="w-1"))
    snapshot = with_book(calm_noon(), orders={working.intent.intent_id: working})
    assert rules_against(verdict_on(a_build(), snapshot)) == {Rule.DUPLICATES}


def test_verdicts_carry_the_snapshots_time() -> None:
    """The gate has no clock: the moment of the snapshot is the moment of the verdict."""
    verdict = verdict_on(a_build())
    assert isinstance(verdict, Approved)
    assert verdict.given_at == NOON


def test_the_account_name_is_matched_whole() -> None:
    """An allowlisted prefix is not enough."""
    snapshot = with_book(calm_noon(), account=an_account(account=ACCOUNT + "8"))
    assert rules_against(verdict_on(a_build(), snapshot)) == {Rule.ACCOUNT}
