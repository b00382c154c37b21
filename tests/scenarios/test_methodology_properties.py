"""What holds for every decision of planner, steward and gate, whatever the market, the signal and what fills."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from itertools import cycle
from math import ceil
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.decision import Approved, Rule
from bot.domain.events import BooksReconciled, CandidatesListed, SessionOpened
from bot.domain.evidence import Stance
from bot.domain.found import FoundSleeve
from bot.domain.instrument import RUT, RVX, SPX, VIX, Right
from bot.domain.layer import BASE_LAYERS, Layer
from bot.domain.market import Tick
from bot.domain.orders import OrderIntent, Purpose
from bot.domain.portfolio import Book, Cohort, Lot
from bot.domain.snapshot import Snapshot
from bot.hedging.universe import offered_settlements
from bot.signals.dispersion import DispersionTracker
from bot.signals.evidence.settings import EvidenceSettings
from bot.signals.reading import read_signal
from bot.signals.settings import DispersionSettings
from bot.state import BotState
from bot.valuation import Unvalued, ValuationSettings, Valuer
from simulator.world.levels import SessionPath
from simulator.world.scenarios import ScenarioSource
from tests.builders import CALENDAR, FEES, NOON, TODAY, an_account, ns
from tests.scenarios.walking import VIX_LEVELS, Decision, Step, decided, scenery, walked
from tests.told import told_at

ONE_DAY = timedelta(days=1)
HIGHEST_FRAC = Fraction(2, 5)
CONDORS = st.sampled_from((10, 20, 40, 60))
STEPS = st.lists(
    st.builds(
        Step,
        vix=st.sampled_from(VIX_LEVELS),
        is_calm=st.booleans(),
        peak_excess=st.floats(0.25, 1.5),
        stance=st.sampled_from(Stance),
        filled_frac=st.floats(0.0, 1.0),
    ),
    min_size=1,
    max_size=5,
)
GROWING = (Step(peak_excess=0.25), Step(peak_excess=0.8, filled_frac=0.5), Step(is_calm=True))


def test_the_walks_of_these_properties_trade() -> None:
    """A supported blowout buys, a wider one buys more, and calm sells: the properties below are about something."""
    purposes = [one.intent.purpose for decision in walked(40, GROWING) for one in decision.approved]
    assert purposes[:2] == [Purpose.OVERLAY_BUILD, Purpose.OVERLAY_BUILD]
    assert Purpose.OVERLAY_UNWIND in purposes


# the ceiling of a fifth -------------------------------------------------------------------------------------------


def exposure(lots: Sequence[Lot], snapshot: Snapshot) -> float:
    """What lots gain now per point of VIX, USD."""
    valuer = Valuer(snapshot, ValuationSettings())
    total = 0.0
    for lot in (lot for lot in lots if lot.units_open):
        unit = valuer.unit(lot.legs)
        assert not isinstance(unit, Unvalued), unit
        total += lot.units_open * unit.exposure_usd_per_point
    return total


@settings(max_examples=40, deadline=None)
@given(condors=CONDORS, steps=STEPS)
def test_the_overlay_is_at_most_a_fifth_of_the_base_after_every_purchase(condors: int, steps: list[Step]) -> None:
    """At today's values and at those of purchase alike, whatever was held before and however VIX has moved since."""
    for decision in walked(condors, steps):
        lots = decision.snapshot.book.lots
        base = exposure([lot for lot in lots if lot.layer in BASE_LAYERS], decision.snapshot)
        overlay = [lot for lot in lots if lot.layer is Layer.OVERLAY]
        nominal = sum(lot.units_open * lot.exposure_usd_per_point for lot in overlay)
        for verdict in decision.builds:
            added = verdict.intent.quantity * verdict.intent.exposure_usd_per_point
            assert added > 0.0
            assert max(nominal, exposure(overlay, decision.snapshot)) + added <= 0.20 * base * (1.0 + 1e-9)


# short calls -------------------------------------------------------------------------------------------------------


def uncovered(book: Book, orders: Sequence[tuple[OrderIntent, int]]) -> int:
    """The deepest shortfall of long VIX calls at or below a strike, over all settlements, after so many units."""
    calls: dict[tuple[str, date | None], dict[Decimal, int]] = defaultdict(lambda: defaultdict(int))
    held = [(position.instrument, position.quantity) for position in book.positions.values()]
    moved = [(leg.instrument, leg.signed_ratio * units) for intent, units in orders for leg in intent.legs]
    for instrument, quantity in (*held, *moved):
        if instrument.symbol == "VIX" and instrument.right is Right.CALL and instrument.strike is not None:
            calls[instrument.trading_class, instrument.settlement][instrument.strike] += quantity
    worst = 0
    for ladder in calls.values():
        running = 0
        for strike in sorted(ladder):
            running += ladder[strike]
            worst = max(worst, -running)
    return worst


@settings(max_examples=40, deadline=None)
@given(condors=CONDORS, steps=STEPS)
def test_no_short_call_is_ever_uncovered(condors: int, steps: list[Step]) -> None:
    """After every unit of every order, with the orders approved before it filled or not, long calls cover the short."""
    for decision in walked(condors, steps):
        book: Book = decision.snapshot.book
        earlier: list[tuple[OrderIntent, int]] = []
        for verdict in decision.approved:
            for units in range(verdict.intent.quantity + 1):
                assert uncovered(book, [(verdict.intent, units)]) == 0
                assert uncovered(book, [*earlier, (verdict.intent, units)]) == 0
            earlier.append((verdict.intent, verdict.intent.quantity))


# the cost cap ------------------------------------------------------------------------------------------------------

Span = tuple[Fraction, date, date]
"""An amount in USD, the first day that bears a share of it, and the first that does not."""


def spans_of(book: Book, intent: OrderIntent, snapshot: Snapshot) -> Iterator[Span]:
    """Everything that costs: what is left of each lot, what was sold of it, and the order at its worst."""
    valuer = Valuer(snapshot, ValuationSettings())
    for lot in book.lots:
        sold = Fraction(lot.units_bought - lot.units_open, lot.units_bought)
        cost = Fraction(lot.cost_usd)
        if sold:
            ended = max(lot.last_sold_on or TODAY, lot.bought_on + ONE_DAY)
            yield max(Fraction(0), cost * sold - Fraction(lot.recovered_usd)), lot.bought_on, ended
        if lot.units_open:
            reserve = Fraction(0)
            if lot.carries_reserve:
                each = valuer.future_reserve_usd(lot.legs[0].instrument, lot.entry_price)
                assert isinstance(each, Decimal)
                reserve = Fraction(each) * lot.units_open
            yield cost * (1 - sold) + reserve, lot.bought_on, lot.expires_on
    settlement = max(leg.instrument.settlement or TODAY for leg in intent.legs)
    premium = Decimal(0) if intent.is_future else intent.limit * intent.multiplier * intent.quantity
    worst = max(intent.worst_cost_usd, premium + FEES.of_intent(intent, intent.quantity))
    yield Fraction(worst), TODAY, settlement


def shares_of(spans: Sequence[Span], cohorts: Sequence[Cohort]) -> dict[str, Fraction]:
    """Each day's share of each span, given to the cohorts open that day in proportion to their credit; day by day."""
    charged = dict.fromkeys((cohort.name for cohort in cohorts), Fraction(0))
    for amount, first, end in spans:
        daily = amount / (end - first).days
        day = first
        while day < end:
            bearers = [cohort for cohort in cohorts if cohort.opened_on <= day <= cohort.settlement]
            if not bearers:
                opens = min((cohort.opened_on for cohort in cohorts if cohort.opened_on > day), default=None)
                bearers = [cohort for cohort in cohorts if cohort.opened_on == opens]
            credit = sum(Fraction(cohort.credit_usd) for cohort in bearers)
            for cohort in bearers:
                charged[cohort.name] += daily * Fraction(cohort.credit_usd) / credit
            day += ONE_DAY
    return charged


def found_by(verdict: Approved, rule: Rule) -> Fraction:
    """What a rule of the cap has found."""
    (checked,) = [one for one in verdict.checks if one.rule is rule]
    assert isinstance(checked.found, Decimal)
    assert isinstance(checked.limit, Decimal)
    assert checked.found <= checked.limit
    return Fraction(checked.found)


@settings(max_examples=30, deadline=None)
@given(
    condors=CONDORS,
    steps=STEPS,
    credit_frac=st.sampled_from((0.45, 0.5, 0.55, 0.7, 1.0)),
    second=st.sampled_from((0, 300, 2_000)),
)
def test_no_purchase_leaves_with_cost_above_two_fifths_of_the_credit(
    condors: int, steps: list[Step], credit_frac: float, second: int
) -> None:
    """By the verdict's own figures, and by a day-by-day account made from the book alone; for cohorts and book."""
    for decision in walked(condors, steps, credit_frac=credit_frac, second_cohort_usd=second):
        book = decision.snapshot.book
        for verdict in decision.builds:
            charged = shares_of([*spans_of(book, verdict.intent, decision.snapshot)], book.cohorts)
            cents = {name: Fraction(ceil(amount * 100), 100) for name, amount in charged.items()}
            credit = {cohort.name: Fraction(cohort.credit_usd) for cohort in book.cohorts}
            assert all(cents[name] <= HIGHEST_FRAC * credit[name] for name in cents)
            assert sum(cents.values()) <= HIGHEST_FRAC * sum(credit.values())
            assert found_by(verdict, Rule.HEDGE_COST_CAP_BOOK) == sum(cents.values())
            assert found_by(verdict, Rule.HEDGE_COST_CAP_COHORT) in cents.values()


# scale -------------------------------------------------------------------------------------------------------------


def wanted(decision: Decision) -> float:
    """What the planner asks for, USD per point of VIX."""
    return sum(intent.quantity * intent.exposure_usd_per_point for intent in decision.wished.intents)


@settings(max_examples=30, deadline=None)
@given(
    scale=st.integers(2, 6),
    vix=st.sampled_from(VIX_LEVELS),
    peak=st.floats(0.25, 1.5),
    stance=st.sampled_from((Stance.SUPPORTS, Stance.WEAK, Stance.UNKNOWN)),
)
def test_a_book_of_k_times_the_size_gets_k_times_the_plan(scale: int, vix: float, peak: float, stance: Stance) -> None:
    """Base and target scale exactly; what is asked for does, up to one contract in each of the two plans.

    That is the plan before the gate, some of whose limits are numbers of contracts or dollars, whatever the book.
    """
    step = Step(vix=vix, peak_excess=peak, stance=stance)
    one, many = (next(walked(10 * size, [step])) for size in (1, scale))
    assert many.wished.base_usd_per_point == pytest.approx(scale * one.wished.base_usd_per_point, rel=1e-9)
    assert many.wished.target_usd_per_point == pytest.approx(scale * one.wished.target_usd_per_point, rel=1e-9)
    assert many.wished.intents
    each = max(intent.exposure_usd_per_point for intent in (*one.wished.intents, *many.wished.intents))
    assert abs(wanted(many) - scale * wanted(one)) <= (scale + 1) * each


# ticks of the same time --------------------------------------------------------------------------------------------

INDICES = {"SPX": SPX, "RUT": RUT, "VIX": VIX, "RVX": RVX}
UNTIL_MINUTE = 160
ORDERS = st.lists(st.permutations(tuple(INDICES)), min_size=1, max_size=7)


@cache
def widening() -> tuple[ScenarioSource, SessionPath]:
    """The second session of the blowout, a level of each index every fifteen seconds."""
    source = ScenarioSource(name="blowout", calendar=CALENDAR, start=TODAY - ONE_DAY, count=2, seed=7)
    return source, source.path(1)


def baseline() -> tuple[tuple[int, float, float], ...]:
    """The common closes before the session."""
    source, _ = widening()
    prior = zip(source.prior["RVX"], source.prior["VIX"], strict=True)
    rows = [(small.day.toordinal(), small.close, large.close) for small, large in prior]
    first = source.path(0)
    return (*rows, (first.session.day.toordinal(), first.levels["RVX"][-1], first.levels["VIX"][-1]))


def decided_from(orders: Sequence[Sequence[str]], seed: int) -> tuple[list[object], Decision]:
    """The states after every moment, and the decision at the end, when each moment's ticks come in these orders."""
    _, path = widening()
    home = scenery(40)
    state = BotState(
        tracker=DispersionTracker(DispersionSettings()),
        sleeve=FoundSleeve(stated=home.base_lots(), layer_of=lambda _days: Layer.LONG),
        stated_credits=home.opening.credits,
        fees=FEES,
    )
    state.apply(SessionOpened(at=path.session.opens_at, session=path.session, baseline=baseline()))
    told: list[object] = []
    turns = cycle(orders)
    steps = UNTIL_MINUTE * 4
    for step in range(steps):
        at = ns(path.at(step))
        for symbol in next(turns):
            state.apply(Tick(INDICES[symbol].key, path.levels[symbol][step], at))
        reading = state.snapshot(path.at(step)).dispersion
        told.append((reading.state, reading.spread, reading.episode))
    return told, _decided_at_noon(state, path, steps, Random(seed))


def _decided_at_noon(state: BotState, path: SessionPath, steps: int, chance: Random) -> Decision:
    """Books and quotes arrive, in any order; then the policy decides."""
    home, now = scenery(40), path.at(steps - 1)
    held = tuple(home.snapshot().book.positions.values())
    account = an_account(2_000_000)
    state.apply(BooksReconciled(at=now, positions=held, account=account, orders=()))
    listed = home.candidates()
    state.apply(CandidatesListed(at=now, instruments=listed, offered=offered_settlements(home.listed())))
    watched = [*listed, *(position.instrument for position in held)]
    chance.shuffle(watched)
    for instrument in watched:
        state.apply(home.quote(instrument))
    for told in told_at(now, *watched):
        state.apply(told)
    snapshot = state.snapshot(now)
    return decided(snapshot, read_signal(snapshot, EvidenceSettings()))


@cache
def usual() -> tuple[list[object], Decision]:
    """As a source tells it: SPX, RUT, VIX, RVX."""
    return decided_from([tuple(INDICES)], seed=0)


def test_the_usual_order_of_ticks_leads_to_a_purchase() -> None:
    """The compared decision is one: in the blowout the gate lets an order through."""
    told, decision = usual()
    assert NOON.date() == TODAY
    assert len(decision.builds) == 1
    assert len(told) == UNTIL_MINUTE * 4


@settings(max_examples=10, deadline=None)
@given(orders=ORDERS, seed=st.integers(0, 1_000))
def test_the_order_of_ticks_of_one_time_decides_nothing(orders: list[tuple[str, ...]], seed: int) -> None:
    """Whatever comes first of what was published together, each moment ends in the same state, and so does the plan."""
    told, decision = decided_from(orders, seed)
    assert told == usual()[0]
    assert decision.plan == usual()[1].plan
    assert [one.checks for one in decision.verdicts] == [one.checks for one in usual()[1].verdicts]
