"""The own index: it is the published one where the chain is whole, and says why there is none where it is not."""

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import InvalidValueError
from bot.domain.instrument import Instrument, InstrumentKey, Right
from bot.domain.market import DataType, Quote
from bot.domain.schedule import NEW_YORK
from bot.domain.snapshot import Snapshot
from bot.pricing import black76_price
from bot.signals.own.index import CLASSES, NoIndex, OwnIndex, chosen_terms, own_index
from bot.signals.own.settings import OwnIndexSettings
from tests.builders import CALENDAR, NOON, TODAY, Scenery, an_option, ns
from tests.simulator.floors import a_floor

SETTINGS = OwnIndexSettings()
NEAR, FAR = date(2026, 11, 13), date(2026, 11, 20)
"""Two Fridays around thirty days from the noon of the tests; the second one is a third Friday."""
FORWARD = 5003.0

Quotes = dict[InstrumentKey, Quote]


@dataclass(frozen=True, kw_only=True)
class Chain:
    """Options of both terms at one volatility, with their quotes, and how to ask for the index of them."""

    options: tuple[Instrument, ...]
    quotes: Mapping[InstrumentKey, Quote]
    now: datetime = NOON

    def index(self, settings: OwnIndexSettings = SETTINGS, symbol: str = "VIX") -> OwnIndex | NoIndex:
        """The index of this chain."""
        return own_index(symbol, self.snapshot(), self.options, calendar=CALENDAR, settings=settings)

    def level(self, settings: OwnIndexSettings = SETTINGS) -> float:
        """The index's level, where there must be one."""
        found = self.index(settings)
        assert isinstance(found, OwnIndex), found
        return found.level

    def why(self, settings: OwnIndexSettings = SETTINGS) -> str:
        """The reason, where there must be none."""
        found = self.index(settings)
        assert isinstance(found, NoIndex), found
        return found.why

    def snapshot(self) -> Snapshot:
        """The moment with nothing but these quotes."""
        return replace(EMPTY, now=self.now, quotes=self.quotes)

    def changed(self, change: Callable[[Instrument, Quote], Quote | None]) -> "Chain":
        """The same chain with other quotes; None takes one away."""
        changed = ((one, change(one, self.quotes[one.key])) for one in self.options)
        return replace(self, quotes={one.key: quote for one, quote in changed if quote is not None})


EMPTY = Scenery(condors=1).snapshot()


@cache
def a_chain(vol: float = 0.2, *, step: int = 10, low: int = 3900, high: int = 6500) -> Chain:
    """A weekly term on the near Friday and a morning term on the far one; bids below 0.05 are none."""
    options, quotes = [], {}
    for day, trading_class, hours in ((NEAR, "SPXW", 24 * 24 + 4), (FAR, "SPX", 31 * 24 - 2.5)):
        for strike in range(low, high, step):
            for right in Right:
                option = an_option(strike, day, trading_class=trading_class, right=right, symbol="SPX")
                price = black76_price(
                    forward=FORWARD, strike=strike, years=hours / 8760, vol=vol, rate=SETTINGS.rate, right=right
                )
                options.append(option)
                quotes[option.key] = a_quote(option, price)
    return Chain(options=tuple(options), quotes=quotes)


def a_quote(option: Instrument, price: float) -> Quote:
    """Five cents wide around a price, nobody bids below five cents."""
    bid = price - 0.025
    return Quote(
        key=option.key,
        bid=bid if bid >= 0.05 else None,
        ask=price + 0.025,
        bid_size=10,
        ask_size=10,
        at_ns=ns(NOON),
    )


# whole chains ---------------------------------------------------------------------------------------------------

MOMENTS = [
    ("calm", 0, 1),
    ("crash", 2, 240),
    ("halt", 1, 166),
    ("early_close", 1, 200),
]


@pytest.mark.parametrize(("scenario", "session", "minute"), MOMENTS)
def test_the_index_of_the_simulated_chain_is_the_simulated_one(scenario: str, session: int, minute: int) -> None:
    """From the quotes alone VIX and RVX come out within 0.3 points, in calm and in panic."""
    opened = a_floor(scenario=scenario, sessions=5, tick_s=60)
    opened.floor.advance(opened.source.sessions[session].opens_at + timedelta(minutes=minute))
    now, levels = opened.floor.now(), opened.floor.market.levels
    for symbol, published in (("VIX", levels.vix), ("RVX", levels.small_cap_vol)):
        options = [
            option
            for trading_class in CLASSES[symbol]
            for day in opened.universe.settlements(trading_class)
            if 20 <= (day - now.date()).days <= 40
            for option in opened.universe.options(trading_class, day)
        ]
        quotes = {option.key: shown(opened.floor.quote(option), now) for option in options}

        found = Chain(options=tuple(options), quotes=quotes, now=now).index(symbol=symbol)

        assert isinstance(found, OwnIndex), found
        assert found.level == pytest.approx(published, abs=0.3)
        assert (found.symbol, found.at) == (symbol, now)


def shown(quote: object, now: datetime) -> Quote:
    """A quote of the simulated exchange as the bot receives it."""
    bid, ask = quote.bid, quote.ask  # type: ignore[attr-defined] - the simulator's own kind
    return Quote(
        key=quote.instrument.key,  # type: ignore[attr-defined] - likewise
        bid=None if bid is None else float(bid),
        ask=None if ask is None else float(ask),
        bid_size=1,
        ask_size=1,
        at_ns=ns(now),
    )


@pytest.mark.parametrize("vol", [0.10, 0.2, 0.45])
def test_a_chain_of_one_volatility_has_that_index(vol: float) -> None:
    """Where every option is priced at one volatility, the index is that volatility."""
    assert a_chain(vol, low=500, high=15_000).level() == pytest.approx(100 * vol, abs=0.1)


def test_an_index_tells_its_terms_and_its_source() -> None:
    """Both settlements with class, minutes and forward, and words that say that nobody published it."""
    found = a_chain().index()

    assert isinstance(found, OwnIndex)
    near, far = found.terms
    assert [(term.trading_class, term.settlement) for term in found.terms] == [("SPXW", NEAR), ("SPX", FAR)]
    assert [term.variance.minutes for term in found.terms] == [24 * 1440 + 4 * 60, 31 * 1440 - 2.5 * 60]
    assert [term.variance.forward for term in found.terms] == pytest.approx([FORWARD] * 2, abs=0.01)
    assert (near.listed, near.oldest_age_s) == (260, pytest.approx(0.0, abs=1e-3))
    assert found.words == (
        f"VIX of our own, from {near.variance.strikes} options of SPXW 2026-11-13 "
        f"and {far.variance.strikes} options of SPX 2026-11-20"
    )


@given(st.integers(0, 2**32), st.floats(0.0, 0.08))
def test_late_quotes_hardly_move_the_index(seed: int, share: float) -> None:
    """While fewer than one quote in ten is missing, and never more than that, the level stays within 0.1 points."""
    chance = random.Random(seed)
    thinned = a_chain().changed(lambda _, quote: None if chance.random() < share else quote).index()

    if isinstance(thinned, OwnIndex):
        assert thinned.level == pytest.approx(a_chain().level(), abs=0.1)
    else:
        assert "chain is cut off" in thinned.why or "a quote that counts" in thinned.why or "no option" in thinned.why


@given(st.floats(0.5, 2.0))
def test_dearer_options_never_make_a_lower_index(factor: float) -> None:
    """Prices of options out of the money, all raised or lowered together, take the index with them."""

    def scaled(option: Instrument, quote: Quote) -> Quote:
        is_out = (float(option.strike or 0) > FORWARD + 60) == (option.right is Right.CALL)
        is_far = abs(float(option.strike or 0) - FORWARD) > 60
        if not (is_out and is_far) or quote.bid is None or quote.ask is None:
            return quote
        return replace(quote, bid=quote.bid * factor, ask=quote.ask * factor)

    level = a_chain().changed(scaled).level(OwnIndexSettings(max_end_price_frac=1.0))
    assert (level >= a_chain().level()) == (factor >= 1.0)


def test_options_in_the_money_need_no_quotes() -> None:
    """Far from the forward only the option out of the money is looked at: half the chain gives the same index."""

    def out_of_the_money(option: Instrument, quote: Quote) -> Quote | None:
        strike = float(option.strike or 0)
        is_out = (strike > FORWARD) == (option.right is Right.CALL)
        return quote if is_out or abs(strike - FORWARD) <= 0.02 * FORWARD else None

    assert a_chain().changed(out_of_the_money).level() == a_chain().level()


def test_an_option_that_nobody_bids_for_ends_a_wing_and_a_missing_one_does_not() -> None:
    """Two puts in a row without a bid hide the dear ones beyond; two without a quote leave a gap and no more."""
    strikes = (4600, 4610)

    def unbid(option: Instrument, quote: Quote) -> Quote:
        return replace(quote, bid=None) if option.strike in strikes and option.right is Right.PUT else quote

    def missing(option: Instrument, quote: Quote) -> Quote | None:
        return None if option.strike in strikes and option.right is Right.PUT else quote

    whole = a_chain().level()
    assert a_chain().changed(unbid).level() < whole - 0.05
    assert a_chain().changed(missing).level() == pytest.approx(whole, abs=0.02)


# what is no index -----------------------------------------------------------------------------------------------


def on_both_sides(**changes: object) -> Callable[[Instrument, Quote], Quote]:
    """A change of every quote."""
    return lambda _, quote: replace(quote, **changes)  # type: ignore[arg-type] - by name


@pytest.mark.parametrize(
    "change",
    [
        on_both_sides(at_ns=ns(NOON - timedelta(seconds=301))),
        on_both_sides(at_ns=ns(NOON + timedelta(seconds=2))),
        on_both_sides(data_type=DataType.DELAYED),
        on_both_sides(data_type=DataType.FROZEN),
        on_both_sides(ask=None),
        on_both_sides(bid=None),
        on_both_sides(ask=float("nan")),
        on_both_sides(ask=float("inf")),
        on_both_sides(bid=-1.0),
        on_both_sides(bid=float("nan")),
        lambda _, quote: replace(quote, bid=quote.ask, ask=quote.bid),
        lambda *_: None,
    ],
)
def test_quotes_that_do_not_count_make_no_index(change: Callable[[Instrument, Quote], Quote | None]) -> None:
    """Old, not live, one-sided, impossible or missing: the reason says that no strike is left."""
    why = a_chain().changed(change).why()
    assert why == "SPXW 2026-11-13: none of 260 strikes has a live and fresh bid for both call and put"


def test_quotes_up_to_five_minutes_old_count() -> None:
    """The edge belongs to what is fresh, and the age is told."""
    found = a_chain().changed(on_both_sides(at_ns=ns(NOON - timedelta(seconds=300)))).index()
    assert isinstance(found, OwnIndex)
    assert found.terms[0].oldest_age_s == pytest.approx(300.0)


def kept(is_kept: Callable[[float], bool]) -> Callable[[Instrument, Quote], Quote | None]:
    """Quotes of some strikes alone."""
    return lambda option, quote: quote if is_kept(float(option.strike or 0)) else None


@pytest.mark.parametrize(
    ("is_kept", "told"),
    [
        (lambda strike: strike > 5003, "no strike at or below the forward of 5003.00 is quoted"),
        (lambda strike: strike > 4900, "the puts end at 4910 where they still cost"),
        (lambda strike: strike < 5100, "the calls end at 5090 where they still cost"),
        (lambda strike: abs(strike - 5000) < 95, "19 options enter, at least 20 are needed"),
        (lambda strike: not 4700 < strike < 4750.5, "no option enters for 60 points above 4700"),
        (lambda strike: strike % 60 or 4700 < strike < 5300, "a quote that counts"),
    ],
)
def test_a_chain_with_holes_is_not_believed(is_kept: Callable[[float], bool], told: str) -> None:
    """Cut off, too few, a hole near the money, too many gaps: each says which."""
    assert told in a_chain().changed(kept(is_kept)).why()


def test_a_hole_around_the_forward_is_found_however_wide() -> None:
    """Also where it reaches beyond the range that is looked at, and though enough of the listed strikes count."""
    chain = a_chain().changed(kept(lambda strike: strike < 4850 or strike > 5600))
    why = chain.why(OwnIndexSettings(least_counted_frac=0.1))
    assert "near the forward of 5003.00 no option enters for 770 points above 4840" in why


def test_a_chain_that_ends_far_below_the_forward_is_cut_off() -> None:
    """Nothing near the forward to have a gap: its last strike is where the calls end."""
    why = a_chain().changed(kept(lambda strike: strike < 4400)).why(OwnIndexSettings(least_options=2))
    assert "the calls end at 4390 where they still cost" in why


def test_a_gap_of_one_percent_is_still_believed() -> None:
    """Fifty points near 5003 are within, sixty beyond."""
    chain = a_chain().changed(kept(lambda strike: not 4700 < strike < 4750))
    assert isinstance(chain.index(), OwnIndex)


def test_cheap_ends_need_no_zero_bids() -> None:
    """A chain that stops where options cost next to nothing is whole, though nobody's silence ends it."""
    ends = a_chain(low=4200, high=5900)
    assert ends.level() == pytest.approx(a_chain().level(), abs=0.1)
    assert "the puts end at" in ends.why(OwnIndexSettings(max_end_price_frac=1e-6))


def test_a_level_beyond_belief_is_none() -> None:
    """Above the highest index that is believed there is none."""
    chain = a_chain(0.2)
    assert "above 19, no believable level" in chain.why(OwnIndexSettings(max_level=19.0))


def test_outside_the_session_there_is_no_index() -> None:
    """Quotes of the night are none of the day."""
    chain = a_chain()
    snapshot = replace(chain.snapshot(), session=None)
    found = own_index("VIX", snapshot, chain.options, calendar=CALENDAR, settings=SETTINGS)
    assert found == NoIndex(symbol="VIX", why="no session is open: the options have no quotes of the day")


def test_an_unknown_index_is_a_callers_error() -> None:
    """Only VIX and RVX have option classes."""
    with pytest.raises(InvalidValueError, match="expected one of VIX, RVX, found 'VVIX'"):
        a_chain().index(symbol="VVIX")


# the two terms --------------------------------------------------------------------------------------------------


def contracts(*settlements: tuple[str, date]) -> list[Instrument]:
    """One option of each class and settlement."""
    return [an_option(5000, day, trading_class=name, symbol=name[:3]) for name, day in settlements]


def chosen(options: Iterable[Instrument], now: datetime, symbol: str = "VIX") -> list[tuple[str, date, float]] | str:
    """Classes, settlements and days of the chosen terms, or why there are none."""
    found = chosen_terms(symbol, options, now, calendar=CALENDAR, settings=SETTINGS)
    if isinstance(found, NoIndex):
        return found.why
    return [(term.trading_class, term.settlement, round(term.minutes / 1440, 3)) for term in found]


ALL = contracts(
    *(("SPXW", TODAY + timedelta(days=days)) for days in range(60) if CALENDAR.session(TODAY + timedelta(days=days))),
    *(("SPX", day) for day in (FAR, date(2026, 12, 18))),
    *(("RUTW", day) for day in (NEAR, FAR)),
)


def at(day: int, hour: int, minute: int = 0, month: int = 10) -> datetime:
    """A moment of New York in the autumn of 2026; summer time ends on 1 November."""
    return datetime(2026, month, day, hour, minute, tzinfo=NEW_YORK)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        # a Tuesday: 24 and 31 days by the calendar; the third Friday's morning class takes its day
        (at(20, 12), [("SPXW", NEAR, 24.167), ("SPX", FAR, 30.896)]),
        # a Wednesday morning: the third Friday is less than thirty days away already, the next one 37.25
        (at(21, 12), [("SPX", FAR, 29.896), ("SPXW", date(2026, 11, 27), 37.042)]),
        # a Wednesday of plain Fridays: 23.25 and 30.25 until four in the afternoon, 30 exactly belongs to the far one
        (at(28, 10, month=10), [("SPX", FAR, 22.979), ("SPXW", date(2026, 11, 27), 30.125)]),
        (at(28, 13, month=10), [("SPX", FAR, 22.854), ("SPXW", date(2026, 11, 27), 30.0)]),
        (at(28, 13, 1, month=10), [("SPXW", date(2026, 11, 27), 29.999), ("SPXW", date(2026, 12, 4), 37.124)]),
    ],
)
def test_the_fridays_around_thirty_days_are_taken(now: datetime, expected: list[tuple[str, date, float]]) -> None:
    """Minutes count as the method has them: whole days of 1,440, no hour more where summer time ends between."""
    assert chosen(ALL, now) == expected


def test_other_days_and_other_classes_are_no_terms() -> None:
    """Daily settlements nearer to thirty days, options on RUT and options on VIX are left out."""
    daily = contracts(("SPXW", date(2026, 11, 18)), ("SPXW", date(2026, 11, 19)), ("VIX", date(2026, 11, 18)))
    fridays = contracts(("SPXW", NEAR), ("SPXW", FAR))
    assert chosen([*daily, *fridays], NOON) == [("SPXW", NEAR, 24.167), ("SPXW", FAR, 31.167)]
    assert chosen(ALL, NOON, "RVX") == [("RUTW", NEAR, 24.167), ("RUTW", FAR, 31.167)]


def test_a_friday_that_is_a_holiday_settles_on_the_session_before_it() -> None:
    """Good Friday 2027 is on 26 March: the Thursday is that week's term, and its Wednesday is none."""
    now = datetime(2027, 2, 26, 12, tzinfo=NEW_YORK)
    week = contracts(("SPXW", date(2027, 3, 24)), ("SPXW", date(2027, 3, 25)), ("SPXW", date(2027, 4, 2)))
    assert chosen(week, now) == [("SPXW", date(2027, 3, 25), 27.167), ("SPXW", date(2027, 4, 2), 35.167)]


def test_a_half_day_settles_at_one() -> None:
    """The day after Thanksgiving ends three hours early."""
    (_, far) = chosen(contracts(("SPXW", FAR), ("SPXW", date(2026, 11, 27))), at(28, 12))
    assert far == ("SPXW", date(2026, 11, 27), 30.042)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), "SPX/SPXW: no Friday settlement 22.5 to 30 days away"),
        ((("SPXW", NEAR),), "no Friday settlement 30 to 37.5 days away"),
        ((("SPXW", FAR),), "no Friday settlement 22.5 to 30 days away"),
        ((("SPXW", date(2026, 11, 6)), ("SPXW", FAR)), "no Friday settlement 22.5 to 30 days away"),
        ((("SPXW", NEAR), ("SPXW", date(2026, 11, 27))), "no Friday settlement 30 to 37.5 days away"),
    ],
)
def test_without_two_terms_there_is_no_index(options: tuple[tuple[str, date], ...], told: str) -> None:
    """The reason says on which side of thirty days a settlement is missing."""
    assert told in chosen(contracts(*options), NOON)


# settings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"least_days": 30.0},
        {"most_days": 30.0},
        {"most_days": float("nan")},
        {"rate": float("inf")},
        {"max_quote_age_s": 0.0},
        {"least_options": 1},
        {"least_counted_frac": 0.0},
        {"least_counted_frac": 1.01},
        {"max_core_gap_frac": -0.01},
        {"max_end_price_frac": 0.0},
        {"max_level": float("nan")},
    ],
)
def test_settings_that_would_believe_everything_or_nothing_are_refused(wrong: dict[str, float]) -> None:
    """Terms enclose thirty days, shares lie within 0 to 1, the rest is positive and finite."""
    with pytest.raises(InvalidValueError):
        OwnIndexSettings(**wrong)  # type: ignore[arg-type] - by name
