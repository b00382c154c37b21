"""What is used now of the limits that run up: read from the checks' own arithmetic, one function for each limit.

Each takes what is said of the limit and the scene of a moment, without any order under judgement, and yields its rows.
What is held counts, and everything on its way at its worst, exactly as the rule would count it before its order.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final

from bot.domain.condors import largest_loss_usd
from bot.domain.decision import Checked, Rule
from bot.domain.expiries import has_settled
from bot.domain.fees import up_to_cent
from bot.domain.instrument import Kind
from bot.domain.portfolio import Cohort, Condor
from bot.valuation import Unvalued
from risk.checks.account import values_fault
from risk.checks.break_evens import nearest_break_evens
from risk.checks.day_slippage import slippage_limit_usd, slippage_pending_usd
from risk.checks.hedge_cost import cost_report
from risk.checks.instruments import instruments_now
from risk.checks.leverage import gross_held_usd, gross_on_the_way_usd
from risk.checks.loss_limits import losses_of
from risk.checks.margin_use import bound_now, margin_added_usd
from risk.checks.message_rate import orders_today, orders_working
from risk.checks.neutrality import band_of, farthest_deltas
from risk.checks.repeats import repeats_now
from risk.checks.stress_loss import stress_before, worth_frac_usd
from risk.checks.wing_limits import loss_rise_limit_usd, wing_rise_limit, wing_width
from risk.cost import CohortCost
from risk.positions import contracts_reach, is_of_sleeve, sensitivity_reach
from risk.room import Applies, Head, Room
from risk.scene import Scene
from risk.wings import condors_after, group_of, is_roll, roll_cost_usd

Read = Callable[[Head, Scene], Iterable[Room]]
"""Yields the rows of one limit."""

NOTHING: Final = Decimal(0)
USD: Final = "USD"
PER_SPX: Final = "USD per +1 % SPX"
OF_WORTH: Final = "of net liquidation"


def percent(frac: Decimal | float) -> str:
    """Return a fraction in percent, with as many digits as it has.

    >>> percent(Decimal("0.005")), percent(0.2), percent(Decimal("0.40"))
    ('0.5 %', '20 %', '40 %')
    """
    number = frac if isinstance(frac, Decimal) else Decimal(repr(frac))
    return f"{(number * 100).normalize():f} %"


# cost -------------------------------------------------------------------------------------------------------------


def hedge_cost(head: Head, scene: Scene) -> Iterator[Room]:
    """The charge of each cohort and of the book against the cap, exact to the cent; the whole figure beside it."""
    stated = f"{percent(scene.limits.max_hedge_cost_frac)} of the condor credit"
    method = scene.limits.amortise.value.replace("_", " ")
    for cost in _costs(scene):
        note = f"{method}; whole figure {up_to_cent(cost.whole_usd)} USD, credit {up_to_cent(cost.credit_usd)} USD"
        yield head.now(
            stated=stated,
            unit=USD,
            limit=cost.cap_usd,
            use=up_to_cent(cost.charge_usd),
            scope=_scope(cost, scene),
            note=note,
        )


def spreading(head: Head, scene: Scene) -> Iterator[Room]:
    """How cost is spread over time, and the whole figures that the cap would bind if nothing were."""
    told = [f"{_scope(one, scene)} {up_to_cent(one.whole_usd)} of {one.cap_usd:.2f} USD" for one in _costs(scene)]
    note = f"whole figures against the same caps: {'; '.join(told)}"
    yield head.per(Applies.PER_MOMENT, stated=scene.limits.amortise.value.replace("_", " "), note=note)


def _costs(scene: Scene) -> tuple[CohortCost, ...]:
    report = cost_report(scene)
    return (*report.cohorts, report.book)


def _scope(cost: CohortCost, scene: Scene) -> str:
    is_cohort = any(cost.cohort == cohort.name for cohort in scene.snapshot.book.cohorts)
    return f"cohort {cost.cohort}" if is_cohort else "book"


# the account ------------------------------------------------------------------------------------------------------


def margin(head: Head, scene: Scene) -> Iterator[Room]:
    """What binds the account."""
    frac = scene.limits.max_margin_frac
    account = scene.snapshot.book.account
    bound, added = bound_now(account), margin_added_usd(None, scene)
    if isinstance(bound, str):
        yield head.unknown(bound, stated=f"{percent(frac)} {OF_WORTH}", unit=USD)
    elif isinstance(added, Unvalued):
        yield head.unknown(added.reason, stated=f"{percent(frac)} {OF_WORTH}", unit=USD)
    else:
        name, amount = bound
        note = f"{name} {amount} USD, on their way {added} USD"
        yield _of_worth(head, scene, frac, amount + added, USD, note=note)


def leverage(head: Head, scene: Scene) -> Iterator[Room]:
    """Everything that is held and on its way, long and short."""
    times = scene.limits.max_gross_leverage
    held = gross_held_usd(scene.snapshot.book, scene.valuer)
    added = gross_on_the_way_usd(None, scene)
    stated = f"{times.normalize():f} times net liquidation"
    if isinstance(held, Unvalued):
        yield head.unknown(held.reason, stated=stated, unit=USD)
    elif isinstance(added, Unvalued):
        yield head.unknown(added.reason, stated=stated, unit=USD)
    else:
        note = f"{held} USD held, on their way {added} USD"
        yield _of_worth(head, scene, times, held + added, USD, note=note, stated=stated)


def mean_reversion(head: Head, scene: Scene) -> Iterator[Room]:
    """What the sleeve loses in mean reversion."""
    frac, stress = scene.limits.max_mean_reversion_loss_frac, stress_before(scene)
    if isinstance(stress, Unvalued):
        yield head.unknown(stress.reason, stated=f"{percent(frac)} {OF_WORTH}", unit=USD)
        return
    outcome = stress.mean_reversion
    yield _of_worth(head, scene, frac, _cents(-outcome.sleeve_usd), USD, scope=outcome.scenario.name)


def worst_loss(head: Head, scene: Scene) -> Iterator[Room]:
    """What the book loses in its worst scenario."""
    frac, stress = scene.limits.max_worst_loss_frac, stress_before(scene)
    if isinstance(stress, Unvalued):
        yield head.unknown(stress.reason, stated=f"{percent(frac)} {OF_WORTH}", unit=USD)
        return
    worst = stress.worst
    yield _of_worth(head, scene, frac, _cents(-worst.book_usd), USD, scope=worst.scenario.name)


def vega(head: Head, scene: Scene) -> Iterator[Room]:
    """What the sleeve may gain or lose per volatility point."""
    yield _sensitivity(head, scene, scene.limits.max_vega_frac, "USD per volatility point", 0)


def vix_delta(head: Head, scene: Scene) -> Iterator[Room]:
    """What the sleeve may gain or lose per point of VIX."""
    yield _sensitivity(head, scene, scene.limits.max_vix_delta_frac, "USD per point of VIX", 1)


def _sensitivity(head: Head, scene: Scene, frac: Decimal, unit: str, which: int) -> Room:
    reaches = sensitivity_reach(None, scene)
    if isinstance(reaches, Unvalued):
        return head.unknown(reaches.reason, stated=f"{percent(frac)} {OF_WORTH}", unit=unit)
    reach = reaches[which]
    side = "long" if reach.long >= reach.short else "short"
    return _of_worth(head, scene, frac, max(NOTHING, reach.most), unit, scope=side)


def _of_worth(
    head: Head,
    scene: Scene,
    frac: Decimal,
    use: Decimal,
    unit: str,
    *,
    scope: str = "",
    note: str = "",
    stated: str = "",
) -> Room:
    """A use against a fraction of net liquidation."""
    stated = stated or f"{percent(frac)} {OF_WORTH}"
    limit = worth_frac_usd(scene, frac)
    fault = values_fault(scene.snapshot.book.account)
    if fault or limit is None:
        return head.unknown(fault, stated=stated, unit=unit)
    return head.now(stated=stated, unit=unit, limit=limit, use=use, scope=scope, note=note)


# losses and executions ----------------------------------------------------------------------------------------------


def day_loss(head: Head, scene: Scene) -> Iterator[Room]:
    """What the account has lost today."""
    yield _lost(head, scene, Rule.DAY_LOSS, scene.limits.max_day_loss_frac, "as the day began")


def week_loss(head: Head, scene: Scene) -> Iterator[Room]:
    """What it has lost this week."""
    yield _lost(head, scene, Rule.WEEK_LOSS, scene.limits.max_week_loss_frac, "as the week began")


def drawdown(head: Head, scene: Scene) -> Iterator[Room]:
    """How far it stands below its highest."""
    yield _lost(head, scene, Rule.DRAWDOWN, scene.limits.max_drawdown_frac, "at its highest")


def _lost(head: Head, scene: Scene, rule: Rule, frac: Decimal, since: str) -> Room:
    stated = f"{percent(frac)} {OF_WORTH} {since}"
    found: Checked = next(one for one in losses_of(scene.snapshot.worth, scene.limits) if one.rule is rule)
    if not isinstance(found.found, Decimal) or not isinstance(found.limit, Decimal):
        return head.unknown(found.note, stated=stated, unit=USD)
    note = f"{found.note}; below zero is a gain"
    return head.now(stated=stated, unit=USD, limit=found.limit, use=found.found, note=note)


def slippage(head: Head, scene: Scene) -> Iterator[Room]:
    """What the day's executions paid beyond the middle, and what is on its way would at its limit."""
    stated = f"{percent(scene.limits.max_day_slippage_frac)} {OF_WORTH} as the day began"
    limit = slippage_limit_usd(scene.snapshot.worth, scene.limits)
    paid, pending = scene.snapshot.book.executed.slippage_usd, slippage_pending_usd(scene)
    if limit is None:
        yield head.unknown("what the account was worth before is not known", stated=stated, unit=USD)
        return
    note = f"{paid} USD paid today, {pending} USD on their way"
    yield head.now(stated=stated, unit=USD, limit=limit, use=paid + pending, note=note)


def repeats(head: Head, scene: Scene) -> Iterator[Room]:
    """The pattern that executed most often today."""
    limit, times = scene.limits.max_repeats_per_day, repeats_now(scene)
    pattern = max(sorted(times), key=lambda name: times[name], default="")
    yield head.now(
        stated=f"{limit} executions of one pattern",
        unit="executions a day",
        limit=Decimal(limit),
        use=Decimal(times.get(pattern, 0)),
        scope=pattern,
    )


def daily_orders(head: Head, scene: Scene) -> Iterator[Room]:
    """Orders sent today."""
    limit = scene.limits.max_orders_per_day
    yield head.now(
        stated=f"{limit} orders", unit="orders a day", limit=Decimal(limit), use=Decimal(orders_today(scene))
    )


def closing_orders(head: Head, scene: Scene) -> Iterator[Room]:
    """The same with the reserve of orders that only close."""
    limits = scene.limits
    yield head.now(
        stated=f"{limits.closing_orders_reserve} orders more for what only closes",
        unit="orders a day",
        limit=Decimal(limits.max_orders_per_day + limits.closing_orders_reserve),
        use=Decimal(orders_today(scene)),
    )


def working_orders(head: Head, scene: Scene) -> Iterator[Room]:
    """Orders at work, unanswered and in doubt."""
    limit = scene.limits.max_working_orders
    yield head.now(
        stated=f"{limit} orders at once", unit="orders", limit=Decimal(limit), use=Decimal(orders_working(scene))
    )


# what is held -------------------------------------------------------------------------------------------------------


def options_per_settlement(head: Head, scene: Scene) -> Iterator[Room]:
    """Options of the settlement that has most of them."""
    yield _contracts_of_one(head, scene, Kind.OPTION, scene.limits.max_options_per_settlement)


def futures_per_settlement(head: Head, scene: Scene) -> Iterator[Room]:
    """Futures likewise."""
    yield _contracts_of_one(head, scene, Kind.FUTURE, scene.limits.max_futures_per_settlement)


def options(head: Head, scene: Scene) -> Iterator[Room]:
    """Options of all settlements."""
    yield _contracts(head, scene, Kind.OPTION, scene.limits.max_options)


def futures(head: Head, scene: Scene) -> Iterator[Room]:
    """Futures of all settlements."""
    yield _contracts(head, scene, Kind.FUTURE, scene.limits.max_futures)


def instruments(head: Head, scene: Scene) -> Iterator[Room]:
    """Different contracts of the sleeve."""
    most = scene.limits.max_instruments
    stated, unit = f"{most} different contracts of the sleeve", "contracts"
    yield head.now(stated=stated, unit=unit, limit=Decimal(most), use=Decimal(len(instruments_now(scene))))


def _contracts(head: Head, scene: Scene, kind: Kind, limit: int) -> Room:
    use = contracts_reach(None, scene, kind, None).most
    stated = f"{limit} of all settlements"
    return head.now(stated=stated, unit=_unit(kind), limit=Decimal(limit), use=use)


def _contracts_of_one(head: Head, scene: Scene, kind: Kind, limit: int) -> Room:
    held = [position.instrument for position in scene.snapshot.book.positions.values()]
    ordered = [leg.instrument for one, _ in scene.pending() for leg in one.legs]
    settlements = {
        one.settlement
        for one in (*held, *ordered)
        if one.kind is kind and is_of_sleeve(one) and not has_settled(one, scene.snapshot.now)
    }
    found = [(contracts_reach(None, scene, kind, day).most, str(day)) for day in settlements if day is not None]
    use, day = max(found, default=(NOTHING, ""))
    return head.now(stated=f"{limit} of one settlement", unit=_unit(kind), limit=Decimal(limit), use=use, scope=day)


def _unit(kind: Kind) -> str:
    return "contracts" if kind is Kind.OPTION else "VX contracts"


def band(head: Head, scene: Scene) -> Iterator[Room]:
    """The delta of the whole book."""
    stated = f"{percent(scene.limits.neutrality_band_frac)} of the condors' maximum loss"
    limit, deltas = _cents(band_of(scene).half_width), farthest_deltas(scene)
    if isinstance(deltas, Unvalued):
        yield head.unknown(deltas.reason, stated=stated, unit=PER_SPX, limit=limit)
        return
    signed, _ = deltas
    yield head.now(stated=stated, unit=PER_SPX, limit=limit, use=_cents(abs(signed)), note=f"signed {signed:.2f}")


def band_on_the_way(head: Head, scene: Scene) -> Iterator[Room]:
    """How wide the band is for a step that is not the last of its plan; an allowance, of which nothing runs up."""
    stated = f"{percent(scene.limits.neutrality_step_frac)} of the band more, for a step on the way"
    yield _allowance(head, scene, stated, band_of(scene).widest_on_the_way, 0)


def overlay_band(head: Head, scene: Scene) -> Iterator[Room]:
    """Up to which delta of its own the overlay may be added to whatever the book's is; likewise an allowance."""
    stated = f"{percent(scene.limits.neutrality_de_minimis_frac)} of the band, for the overlay alone"
    yield _allowance(head, scene, stated, band_of(scene).de_minimis, 1)


def _allowance(head: Head, scene: Scene, stated: str, most: float, which: int) -> Room:
    deltas = farthest_deltas(scene)
    now = f"unknown: {deltas.reason}" if isinstance(deltas, Unvalued) else f"{deltas[which]:.2f}"
    note = f"up to {most:.2f} {PER_SPX}; {'overlay' if which else 'book'} now {now}"
    return head.per(Applies.PER_ORDER, stated=stated, note=note, unit=PER_SPX)


def wing_rise(head: Head, scene: Scene) -> Iterator[Room]:
    """By how much each cohort's wing with the least room has grown since entry."""
    frac = scene.limits.max_wing_rise_frac
    stated = f"{percent(frac)} wider than at entry"
    for cohort, condors in _cohorts(scene):
        scope = f"cohort {cohort.name}"
        if not condors or not cohort.put_wing_points or not cohort.call_wing_points:
            why = "how wide the condors were opened is not known"
            yield head.unknown(why, stated=stated, unit="index points", scope=scope)
            continue
        sides = []
        for name, is_put in (("put", True), ("call", False)):
            width, entry = wing_width(cohort, condors, is_put=is_put)
            sides.append((wing_rise_limit(entry, scene.limits), width - entry, f"{name} wing, {width} points wide"))
        limit, use, note = min(sides, key=lambda side: side[0] - side[1])
        yield head.now(stated=stated, unit="index points", limit=limit, use=use, scope=scope, note=note)


def loss_rise(head: Head, scene: Scene) -> Iterator[Room]:
    """By how much more than at entry the condors of each cohort may lose, rolls on their way paid for."""
    stated = f"{percent(scene.limits.max_loss_rise_frac)} above the maximum loss at entry"
    for cohort, condors in _cohorts(scene):
        costs = (
            roll_cost_usd(one, units, scene.fees)
            for one, units in scene.pending()
            if is_roll(one) and group_of(one) == cohort.name
        )
        loss = largest_loss_usd(condors, cohort.credit_usd - sum(costs, NOTHING))
        yield head.now(
            stated=stated,
            unit=USD,
            limit=loss_rise_limit_usd(cohort, scene.limits),
            use=loss - cohort.maximum_loss_usd,
            scope=f"cohort {cohort.name}",
            note=f"maximum loss {loss} USD",
        )


def _cohorts(scene: Scene) -> list[tuple[Cohort, Sequence[Condor]]]:
    """The cohorts that are open, each with its condors once the rolls on their way have filled."""
    rolls = [(one, units) for one, units in scene.pending() if is_roll(one)]
    after = condors_after(scene.snapshot.book, rolls).condors
    return [
        (cohort, [condor for condor in after if condor.cohort == cohort.name])
        for cohort in scene.snapshot.book.cohorts
        if cohort.settlement >= scene.today
    ]


def break_evens(head: Head, scene: Scene) -> Iterator[Room]:
    """How many expected moves the nearest break-even of each cohort is away."""
    moves = scene.limits.break_even_moves
    stated, unit = f"{moves:g} expected moves away", "expected moves"
    for cohort, found in nearest_break_evens(scene).items():
        scope = f"cohort {cohort}"
        if isinstance(found, Unvalued):
            yield head.unknown(found.reason, stated=stated, unit=unit, scope=scope)
            continue
        nearest, words = found
        if math.isinf(nearest):
            yield head.unknown("no side can lose the credit", stated=stated, unit=unit, scope=scope)
            continue
        limit, use = Decimal(repr(moves)), Decimal(repr(round(nearest, 4)))
        yield head.now(stated=stated, unit=unit, limit=limit, use=use, scope=scope, note=words, is_least=True)


def _cents(amount: float) -> Decimal:
    return Decimal(repr(round(amount, 2)))
