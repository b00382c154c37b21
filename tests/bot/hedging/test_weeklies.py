"""Which weekly settlements are offered: those within reach whose calls and puts are quoted well (M6)."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from bot.domain.instrument import Instrument, InstrumentKey, Kind, Right
from bot.domain.layer import Layer
from bot.domain.market import Quote
from bot.domain.releases import Confidence, Coverage, Release, ReleaseKind, ReleaseTable
from bot.domain.schedule import NEW_YORK
from bot.domain.shifts import Direction
from bot.hedging.construction import Wanted, candidates_for
from bot.hedging.settings import HedgeSettings
from bot.hedging.settlement import overlay_shift
from bot.hedging.shifting.settings import TimeShiftSettings
from bot.hedging.universe import Listed, candidate_universe, looked_up, offered_settlements
from bot.hedging.weeklies import WeeklySample, weeklies_found, weekly_samples
from bot.valuation import Valuer
from tests.bot.hedging.planned import TEN
from tests.builders import CALENDAR, FEES, NOON, NOVEMBER, TODAY, a_lot, a_quote, spread_legs

SETTINGS = HedgeSettings()
OPTIONS = [
    one
    for trading_class in ("VIX", "VIXW")
    for day in TEN.universe.settlements(trading_class)
    for one in TEN.universe.options(trading_class, day)
]
LISTED = Listed(options=OPTIONS, futures=TEN.universe.futures)
AFTER = date(2026, 11, 25)
"""The first weekly after the November monthly."""
SNAPSHOT = TEN.snapshot()


def quotes_of(samples: tuple[WeeklySample, ...], **odd: Quote) -> dict[InstrumentKey, Quote]:
    """What the simulated exchange shows of every sampled option; odd ones replace theirs."""
    shown = {one.key: TEN.quote(one) for sample in samples for one in sample.options}
    return {**shown, **{quote.key: quote for quote in odd.values()}}


def sampled(settings: HedgeSettings = SETTINGS) -> tuple[WeeklySample, ...]:
    """What is asked about."""
    return weekly_samples(LISTED, SNAPSHOT, settings)


def test_weeklies_within_reach_are_asked_about_at_the_money() -> None:
    """From 21 to 60 days, the nearest first; three strikes around VIX, call and put of each."""
    samples = sampled()
    days = [(sample.settlement - TODAY).days for sample in samples]
    assert days == [22, 36, 43, 50]
    for sample in samples:
        assert {one.trading_class for one in sample.options} == {"VIXW"}
        assert {float(one.strike or 0) for one in sample.options} == {17.5, 18.0, 18.5}
        assert {one.right for one in sample.options} == set(Right)


@pytest.mark.parametrize(("most", "asked"), [(0, 0), (2, 2), (9, 4)])
def test_no_more_are_asked_about_than_configured(most: int, asked: int) -> None:
    """Market data lines are scarce; with none the purchase stays with the monthlies."""
    settings = replace(SETTINGS, shifting=TimeShiftSettings(most_weeklies=most))
    assert len(sampled(settings)) == asked


def test_without_a_level_nothing_is_asked() -> None:
    """Where the money is, is unknown."""
    blind = replace(SNAPSHOT, levels={}, previous_closes={})
    assert weekly_samples(LISTED, blind, SETTINGS) == ()


def test_well_quoted_weeklies_are_liquid() -> None:
    """All that the simulated exchange quotes at noon."""
    found = weeklies_found(sampled(), quotes_of(sampled()), SNAPSHOT, SETTINGS)
    assert found.liquid == {sample.settlement for sample in sampled()}
    assert found.refused == {}


def _call(sample: WeeklySample) -> Instrument:
    return next(one for one in sample.options if one.right is Right.CALL)


@pytest.mark.parametrize(
    ("bid", "ask", "why"), [(1.0, 2.0, "too wide"), (None, 1.5, "not two-sided"), (2.0, 1.0, "crossed")]
)
def test_one_bad_quote_refuses_its_settlement(bid: float | None, ask: float, why: str) -> None:
    """The others stay liquid, and the reason names the contract."""
    first = _call(sampled()[0])
    found = weeklies_found(sampled(), quotes_of(sampled(), odd=a_quote(first, bid, ask)), SNAPSHOT, SETTINGS)
    assert found.refused == {sampled()[0].settlement: f"{first.key}: {why}"}
    assert len(found.liquid) == 3


def test_a_weekly_without_an_answer_is_not_offered() -> None:
    """No quotes at all: none is liquid, each with its reason."""
    found = weeklies_found(sampled(), {}, SNAPSHOT, SETTINGS)
    assert found.liquid == frozenset()
    assert all(why.endswith("no quote") for why in found.refused.values())


def test_a_weekly_that_parity_contradicts_is_not_offered() -> None:
    """Quotes that are good one by one but tell no forward above zero cannot be valued."""
    sample = sampled()[0]
    odd = {one.key: a_quote(one, *((0.5, 0.52) if one.right is Right.CALL else (40.0, 40.5))) for one in sample.options}
    found = weeklies_found((sample,), odd, SNAPSHOT, SETTINGS)
    assert "parity gives none" in found.refused[sample.settlement]


# what is offered and watched --------------------------------------------------------------------------------------


def test_only_liquid_weeklies_are_offered() -> None:
    """Monthlies always, weeklies where they were found liquid; which is which is said."""
    plain = offered_settlements(LISTED)
    some = offered_settlements(replace(LISTED, liquid_weeklies=frozenset({AFTER, date(2030, 1, 1)})))
    assert all(one.is_monthly for one in plain)
    assert [one for one in some if one not in plain] == [one for one in some if not one.is_monthly]
    assert [one.day for one in some if not one.is_monthly] == [AFTER]


def _shifted_to(liquid: frozenset[date]) -> tuple[Direction, date | None]:
    day = NOVEMBER + timedelta(days=2)
    fomc = Release(
        kind=ReleaseKind.FOMC,
        at=NOON.replace(year=day.year, month=day.month, day=day.day, hour=14, tzinfo=NEW_YORK),
        source="a test",
        confidence=Confidence.MEMORY,
    )
    year = Coverage(kind=ReleaseKind.FOMC, covered_from=date(2026, 1, 1), covered_to=date(2026, 12, 31))
    offered = offered_settlements(replace(LISTED, liquid_weeklies=liquid))
    table = ReleaseTable.of([fomc], [year])
    found = overlay_shift(replace(SNAPSHOT, offered=offered), table, SETTINGS.shifting, CALENDAR)
    return found.direction, found.settlement


def test_a_shift_forward_goes_to_a_liquid_weekly_and_past_an_illiquid_one() -> None:
    """A decision two days after November settles: the weekly of the 25th outlives it, else the next, else December."""
    week_later = date(2026, 12, 2)
    assert _shifted_to(frozenset({AFTER, week_later})) == (Direction.FORWARD, AFTER)
    assert _shifted_to(frozenset({week_later})) == (Direction.FORWARD, week_later)
    assert _shifted_to(frozenset()) == (Direction.FORWARD, date(2026, 12, 16))


def _watched(settlement: date | None, *held: date, **changes: object) -> list[Instrument]:
    listed = replace(LISTED, **changes)  # type: ignore[arg-type]  # test shorthand
    return list(candidate_universe(listed, settlement, set(held), vix_level=18.0, settings=SETTINGS))


def test_a_chosen_weekly_is_watched_with_the_puts_that_tell_its_forward() -> None:
    """Calls of its class and three puts; futures of no weekly, though the exchange lists some."""
    found = _watched(AFTER)
    options = [one for one in found if one.kind is Kind.OPTION]
    assert {one.trading_class for one in options} == {"VIXW"}
    assert sum(one.right is Right.PUT for one in options) == 3
    assert sum(one.right is Right.CALL for one in options) > 15
    assert [one for one in found if one.kind is Kind.FUTURE] == []


def test_a_weekly_can_be_valued_and_bought_from_what_is_watched() -> None:
    """Spreads of a fitting delta pass with a price, and no future is a candidate there."""
    watched = _watched(AFTER)
    moment = replace(
        SNAPSHOT,
        universe={one.key: one for one in watched},
        quotes={**SNAPSHOT.quotes, **{one.key: TEN.quote(one) for one in watched}},
    )
    wanted = Wanted(gap=30.0, room=34.0, settlement=AFTER)
    found = candidates_for(wanted, moment, Valuer(moment, SETTINGS.valuation), SETTINGS, FEES)
    passed = [one for one in found if not one.rejected]
    assert passed
    assert all(leg.instrument.trading_class == "VIXW" for one in found for leg in one.legs)


def test_a_held_weekly_keeps_its_pairs_in_sight() -> None:
    """Its forward must stay known after the purchase; a held monthly needs its future alone."""
    found = _watched(NOVEMBER, AFTER)
    pairs = [one for one in found if one.settlement == AFTER]
    assert len(pairs) == 6
    assert {one.right for one in pairs} == set(Right)
    assert [one for one in _watched(NOVEMBER, date(2026, 12, 16)) if one.right is Right.PUT] == []


def test_the_short_layer_is_joined_though_weeklies_are_offered() -> None:
    """The overlay goes where the short base layer is, not to a weekly that is nearer to thirty days (M4)."""
    lot = a_lot(spread_legs(21, 26, date(2026, 12, 16)), layer=Layer.SHORT, expires_on=date(2026, 12, 16))
    book = replace(SNAPSHOT.book, lots=(lot,))
    listed = replace(LISTED, liquid_weeklies=frozenset({AFTER}))
    found = looked_up(listed, replace(SNAPSHOT, book=book), ReleaseTable.of([], []), SETTINGS, CALENDAR)
    assert found is not None
    settlements = {one.settlement for one in found.instruments if one.kind is Kind.OPTION}
    assert settlements == {date(2026, 12, 16)}
