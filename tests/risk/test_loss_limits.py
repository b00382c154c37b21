"""Losses of the day, the week and since the highest; the day's slippage; repeats: a table of edges for each."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.domain.decision import Rule
from bot.domain.executed import pattern_of
from bot.domain.mode import DemandSource, TradingMode
from bot.domain.portfolio import Executed
from bot.domain.snapshot import Snapshot
from bot.domain.worth import Worth
from risk.checks.day_slippage import slippage_pending_usd
from risk.restraining import breaches_in
from risk.scene import CLOSES_ONLY
from tests.builders import NOON, an_order
from tests.risk.scenes import (
    LIMITS,
    a_build,
    a_mini,
    an_unwind,
    calm_noon,
    checked_by,
    holding,
    rules_against,
    scene_of,
    scenery,
    verdict_on,
    with_book,
)

CENT = Decimal("0.01")
BEGAN = Decimal(500_000)
LOSS_LIMITS = [
    (Rule.DAY_LOSS, "day_usd", Decimal(10_000)),
    (Rule.WEEK_LOSS, "week_usd", Decimal(20_000)),
    (Rule.DRAWDOWN, "peak_usd", Decimal(50_000)),
]


def after_losing(amount: Decimal, measure: str, snapshot: Snapshot | None = None) -> Snapshot:
    """A moment in which one measure stands at 500,000 USD and the account so much lower."""
    now = BEGAN - amount
    worth = replace(Worth.begun(now, NOON), **{measure: BEGAN})
    return replace(calm_noon() if snapshot is None else snapshot, worth=worth)


def with_executed(snapshot: Snapshot, **changes: object) -> Snapshot:
    """A moment after these executions."""
    return with_book(snapshot, executed=Executed(**changes))  # type: ignore[arg-type]  # test shorthand


@pytest.mark.control("C31")
@pytest.mark.parametrize(("rule", "measure", "limit"), LOSS_LIMITS)
@pytest.mark.parametrize("beyond", [-CENT, Decimal(0), CENT])
def test_a_loss_may_reach_its_limit_and_no_cent_more(rule: Rule, measure: str, limit: Decimal, beyond: Decimal) -> None:
    """2 % of the day's beginning, 4 % of the week's, 10 % of the highest, for what adds to the risk."""
    checked = checked_by(rule, a_mini(), after_losing(limit + beyond, measure))
    assert (checked.passed, checked.found, checked.limit) == (beyond <= 0, limit + beyond, limit)
    assert checked.size_can_cure is False


@pytest.mark.control("C31")
@pytest.mark.parametrize(("rule", "measure", "limit"), LOSS_LIMITS)
def test_beyond_a_loss_limit_protection_is_bought_and_what_is_held_is_closed(
    rule: Rule, measure: str, limit: Decimal
) -> None:
    """Spreads within the cap and sales of what the lots hold pass; a future, whose loss nothing bounds, does not."""
    lost = after_losing(2 * limit, measure)
    assert checked_by(rule, a_build(), lost).passed
    closing = checked_by(rule, an_unwind(), after_losing(2 * limit, measure, holding()))
    assert (closing.passed, closing.note) == (True, "closes only")
    assert rule in rules_against(verdict_on(a_mini(), lost))


@pytest.mark.parametrize("rule", [Rule.DAY_LOSS, Rule.WEEK_LOSS, Rule.DRAWDOWN, Rule.DAY_SLIPPAGE])
def test_without_a_figure_of_before_nothing_is_added(rule: Rule) -> None:
    """What the account was worth must be known, and a beginning of nothing or less is impossible."""
    checked = checked_by(rule, a_mini(), replace(calm_noon(), worth=None))
    assert (checked.passed, checked.note) == (False, "what the account was worth before is not known")


@pytest.mark.parametrize(
    ("rule", "measure", "since"),
    [
        (Rule.DAY_LOSS, "day_usd", "as the day began"),
        (Rule.WEEK_LOSS, "week_usd", "as the week began"),
        (Rule.DRAWDOWN, "peak_usd", "at the highest"),
    ],
)
def test_a_beginning_of_nothing_is_named_as_impossible(rule: Rule, measure: str, since: str) -> None:
    """An account that began with nothing has no fraction to lose, and the finding says which figure it was."""
    worth = replace(Worth.begun(BEGAN, NOON), **{measure: Decimal(0)})
    checked = checked_by(rule, a_mini(), replace(calm_noon(), worth=worth))
    assert (checked.passed, checked.note) == (False, f"0 USD {since} is impossible")


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-1", "0"])
@pytest.mark.parametrize(("rule", "measure", "limit"), LOSS_LIMITS)
def test_an_impossible_beginning_is_refused(rule: Rule, measure: str, limit: Decimal, value: str) -> None:
    """A measure that slipped past its own class is refused before anything is compared."""
    del limit
    lost = after_losing(Decimal(0), measure)
    assert lost.worth is not None
    worth = replace(lost.worth)
    object.__setattr__(worth, measure, Decimal(value))
    assert rule in rules_against(verdict_on(a_mini(), replace(lost, worth=worth)))


# slippage ---------------------------------------------------------------------------------------------------------


def middle() -> Decimal:
    """Of the reference spread."""
    long, short = (scenery().quote(leg.instrument) for leg in a_build().legs)
    return (
        sum((Decimal(repr(long.bid)), Decimal(repr(long.ask)), -Decimal(repr(short.bid)), -Decimal(repr(short.ask))))
        / 2
    )


@pytest.mark.control("C7")
@pytest.mark.parametrize("beyond", [-CENT, Decimal(0), CENT])
def test_the_days_slippage_may_reach_its_limit_and_no_cent_more(beyond: Decimal) -> None:
    """Half a per cent of 500,000 USD, this order at its limit included; a future's middle is its own quote's."""
    mini = a_mini()
    quote = scenery().quote(mini.legs[0].instrument)
    own = (mini.limit - (Decimal(repr(quote.bid)) + Decimal(repr(quote.ask))) / 2) * 100
    assert own > 0
    snapshot = with_executed(calm_noon(), slippage_usd=Decimal(2_500) - own + beyond)
    checked = checked_by(Rule.DAY_SLIPPAGE, mini, snapshot)
    assert (checked.passed, checked.found, checked.limit) == (beyond <= 0, 2_500 + beyond, 2_500)
    assert checked.size_can_cure


@pytest.mark.control("C7")
def test_slippage_counts_what_is_on_its_way_at_its_limit() -> None:
    """A working order at two points beyond its middle counts with all that is left of it."""
    waiting = replace(a_build(5, intent_id="w"), limit=Decimal(3), middle_points=Decimal(1))
    snapshot = with_book(calm_noon(), orders={waiting.intent_id: an_order(waiting, filled=2)})
    alone = checked_by(Rule.DAY_SLIPPAGE, a_mini(), calm_noon())
    beside = checked_by(Rule.DAY_SLIPPAGE, a_mini(), snapshot)
    assert isinstance(alone.found, Decimal)
    assert beside.found == alone.found + 3 * 200


def test_nothing_on_its_way_slips_by_nothing() -> None:
    """It is an amount of money like any other, and no bare number."""
    pending = slippage_pending_usd(scene_of(calm_noon()))
    assert isinstance(pending, Decimal)
    assert pending == 0


def test_a_limit_inside_the_middle_slips_by_nothing() -> None:
    """A better price than the middle takes nothing off the day's sum."""
    snapshot = with_executed(calm_noon(), slippage_usd=Decimal(7))
    assert checked_by(Rule.DAY_SLIPPAGE, a_build(limit=middle() - CENT), snapshot).found == 7


@pytest.mark.control("C7")
def test_beyond_the_days_slippage_protection_is_bought_and_what_is_held_is_closed() -> None:
    """As in REDUCE_ONLY: the spread and the sale pass, the future does not."""
    beyond = Decimal(10_000)
    assert checked_by(Rule.DAY_SLIPPAGE, a_build(), with_executed(calm_noon(), slippage_usd=beyond)).passed
    assert checked_by(Rule.DAY_SLIPPAGE, an_unwind(), with_executed(holding(), slippage_usd=beyond)).passed
    assert not checked_by(Rule.DAY_SLIPPAGE, a_mini(), with_executed(calm_noon(), slippage_usd=beyond)).passed


def test_without_quotes_there_is_no_middle_and_no_leave() -> None:
    """Nobody knows how far beyond the middle an order would pay."""
    mini = a_mini()
    key = mini.legs[0].instrument.key
    blind = replace(calm_noon(), quotes={one: quote for one, quote in calm_noon().quotes.items() if one != key})
    checked = checked_by(Rule.DAY_SLIPPAGE, mini, blind)
    assert (checked.passed, checked.note.startswith("no middle")) == (False, True)


# repeats ----------------------------------------------------------------------------------------------------------


@pytest.mark.control("C12")
@pytest.mark.parametrize("executed", [3, 4, 5])
@pytest.mark.control("C12")
def test_a_pattern_executes_so_often_and_no_more(executed: int) -> None:
    """The fifth execution of a day is the last; another pattern has its own count."""
    snapshot = with_executed(calm_noon(), times={pattern_of(a_build()): executed})
    checked = checked_by(Rule.REPEATS, a_build(), snapshot)
    assert (checked.passed, checked.found, checked.limit) == (executed < 5, executed + 1, 5)
    assert checked_by(Rule.REPEATS, a_mini(), snapshot).found == 1


@pytest.mark.control("C12")
def test_orders_of_the_pattern_on_their_way_and_of_the_same_plan_count_as_executed() -> None:
    """Four executed leave room for one more; it is not there where one is working or approved already."""
    snapshot = with_executed(calm_noon(), times={pattern_of(a_build()): 4})
    waiting = a_build(intent_id="w")
    working = with_book(snapshot, orders={waiting.intent_id: an_order(waiting)})
    assert checked_by(Rule.REPEATS, a_build(), snapshot).passed
    assert not checked_by(Rule.REPEATS, a_build(), working).passed
    assert not checked_by(Rule.REPEATS, a_build(), snapshot, earlier=(waiting,)).passed


@pytest.mark.control("C12")
def test_repeats_bind_what_closes_as_well() -> None:
    """A loop that sells is a loop."""
    snapshot = with_executed(holding(), times={pattern_of(an_unwind()): 5})
    assert Rule.REPEATS in rules_against(verdict_on(an_unwind(), snapshot))


# what the bot asks of itself --------------------------------------------------------------------------------------


def test_a_calm_account_asks_for_nothing() -> None:
    """Exactly the limits are no breach, and what is not known is none either."""
    for rule, measure, limit in LOSS_LIMITS:
        assert breaches_in(after_losing(limit, measure), LIMITS) == (), rule
    times = {pattern_of(a_build()): 4}
    at_the_edge = with_executed(calm_noon(), slippage_usd=Decimal(2_500), times=times)
    assert breaches_in(at_the_edge, LIMITS) == ()
    assert breaches_in(replace(calm_noon(), worth=None), LIMITS) == ()


@pytest.mark.control("C31")
@pytest.mark.parametrize(("rule", "measure", "limit"), LOSS_LIMITS)
def test_a_loss_beyond_its_limit_asks_for_reduce_only(rule: Rule, measure: str, limit: Decimal) -> None:
    """One breach of the losses, in words with both figures."""
    (breach,) = breaches_in(after_losing(limit + CENT, measure), LIMITS)
    assert (breach.source, breach.mode) == (DemandSource.LOSSES, TradingMode.REDUCE_ONLY)
    assert (breach.found, breach.limit) == (limit + CENT, limit)
    since = {Rule.DAY_LOSS: "as the day began", Rule.WEEK_LOSS: "as the week began", Rule.DRAWDOWN: "at the highest"}
    assert breach.cause == (
        f"{rule}: {limit + CENT} USD lost from 500000 USD {since[rule]}, limit {limit.quantize(CENT)} USD"
    )


@pytest.mark.control("C7")
def test_slippage_beyond_its_limit_asks_for_reduce_only() -> None:
    """A cent above half a per cent of the account."""
    (breach,) = breaches_in(with_executed(calm_noon(), slippage_usd=Decimal("2500.01")), LIMITS)
    assert (breach.source, breach.mode) == (DemandSource.SLIPPAGE, TradingMode.REDUCE_ONLY)
    assert (breach.found, breach.limit) == (Decimal("2500.01"), Decimal(2_500))
    assert breach.cause == "executions paid 2500.01 USD beyond the middle today, limit 2500.000 USD"


@pytest.mark.control("C12")
def test_the_last_execution_that_a_pattern_may_have_asks_for_halt() -> None:
    """The fifth disables the strategy, and its words name the pattern."""
    (breach,) = breaches_in(with_executed(calm_noon(), times={"a": 1, pattern_of(a_build()): 5}), LIMITS)
    assert (breach.source, breach.mode) == (DemandSource.REPEATS, TradingMode.HALT)
    assert (breach.found, breach.limit) == (5, 5)
    assert breach.cause == f"executed 5 times today, and 5 disable: {pattern_of(a_build())}"


@pytest.mark.parametrize("rule", [Rule.DAY_LOSS, Rule.WEEK_LOSS, Rule.DRAWDOWN, Rule.DAY_SLIPPAGE])
def test_what_reduces_passes_only_where_the_use_is_known(rule: Rule) -> None:
    """Nobody has told what the account was worth: what closes alone still passes, and says so; protection does not."""
    closing = checked_by(rule, an_unwind(), replace(holding(), worth=None))
    protecting = checked_by(rule, a_build(), replace(calm_noon(), worth=None))
    assert (closing.passed, closing.found, closing.limit) == (True, CLOSES_ONLY, CLOSES_ONLY)
    assert (protecting.passed, protecting.found) == (False, None)
