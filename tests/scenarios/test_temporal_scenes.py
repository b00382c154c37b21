"""The end of a spread's time while a blowout goes on: rolled, harvested and stopped, and built anew (M7)."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache

from bot.domain.instrument import Right
from bot.domain.readings import Episode
from bot.domain.schedule import NEW_YORK
from simulator.opening import OpenedFloor
from tests.scenarios.staging import Bought, Day, Journal, Row, Scene, history_of, holding_spreads, staged

NOVEMBER = date(2026, 11, 18)
UNITS = 6
WIDE = (9.0, 9.0)
"""A spread far above its baseline of 5.5 points, at open and close."""
ONE_INCREASE = {"ALVH_STEWARD__INCREASES_PER_WEEK": "1"}
"""The purchase of the earlier run has used up the week's only increase."""
CAP_RULES = {"hedge_cost_cap_cohort", "hedge_cost_cap_book"}


def holding(long: int, short: int, at: datetime) -> Callable[[OpenedFloor], Bought]:
    """Six November spreads at 0.90 points, bought in an earlier run."""

    def bought(opened: OpenedFloor) -> Bought:
        low, high = (opened.universe.option("VIX", NOVEMBER, Decimal(strike), Right.CALL) for strike in (long, short))
        return Bought(units=UNITS, long=low, short=high, price=Decimal("0.90"), at=at)

    return bought


def under_way(since: date) -> Episode:
    """The blowout that the earlier run has seen begin."""
    return Episode(began_on=since, peak_excess=0.64)


@cache
def rolled() -> Journal:
    """Thursday afternoon and Friday morning, 2026-11-06: VIX rises to 25, and November is twelve days away."""
    days = (Day(vix=(20.0, 24.0), spread=WIDE), Day(vix=(24.0, 25.0), spread=WIDE))
    return staged(
        Scene(
            history=history_of(date(2026, 11, 5), *days),
            first=0,
            from_minute=330,
            until_minute=30,
            book=holding_spreads(UNITS, 24, 29, NOVEMBER),
            bought=holding(24, 29, datetime(2026, 11, 5, 11, tzinfo=NEW_YORK)),
            episode=under_way(date(2026, 11, 4)),
            settings=ONE_INCREASE,
        )
    )


@cache
def harvested() -> Journal:
    """A Wednesday, three weeks before the settlement, on which VIX rises from 18 to 38."""
    days = (Day(spread=WIDE), Day(vix=(18.0, 38.0), spread=WIDE))
    return staged(
        Scene(
            history=history_of(date(2026, 10, 27), *days),
            until_minute=300,
            book=holding_spreads(UNITS, 17, 22, NOVEMBER),
            bought=holding(17, 22, datetime(2026, 10, 27, 15, tzinfo=NEW_YORK)),
            episode=under_way(date(2026, 10, 26)),
        )
    )


@cache
def stopped() -> Journal:
    """Thursday afternoon and Friday morning, 2026-11-13, with the roll at ten days switched off."""
    return staged(
        Scene(
            history=history_of(date(2026, 11, 12), Day(spread=WIDE), Day(spread=WIDE)),
            first=0,
            from_minute=330,
            until_minute=30,
            book=holding_spreads(UNITS, 17, 22, NOVEMBER),
            bought=holding(17, 22, datetime(2026, 11, 12, 11, tzinfo=NEW_YORK)),
            episode=under_way(date(2026, 11, 11)),
            settings={**ONE_INCREASE, "ALVH_HEDGE__TEMPORAL__SHORT_ROLL_DAYS": "0"},
        )
    )


def prepared(journal: Journal) -> tuple[Row, Row]:
    """The two orders of each scene: what leaves, and what takes its place."""
    out, anew = journal.of("order_prepared")
    return out, anew


def strikes_and_settlements(row: Row) -> list[tuple[str, float, str]]:
    """Side, strike and settlement of each leg."""
    legs = row.facts["intent"]["legs"]
    return [(leg["side"], float(leg["instrument"]["strike"]), leg["instrument"]["settlement"]) for leg in legs]


def states(rows: Sequence[Row]) -> set[str]:
    """What the signal said when some plans were made."""
    return {row.facts["signal"]["state"] for row in rows}


def test_a_spread_at_its_roll_days_is_sold_while_the_blowout_goes_on() -> None:
    """On Thursday it stays; on Friday, the last session before ten days are left, all of it goes at 09:40."""
    out, _ = prepared(rolled())
    intent = out.facts["intent"]
    assert (intent["purpose"], intent["quantity"], f"{out.at:%a %H:%M}") == ("overlay_exit", UNITS, "Fri 09:40")
    thursday = [row for row in rolled().plans() if f"{row.at:%a}" == "Thu"]
    assert {row.facts["action"] for row in thursday} == {"hold"}
    assert "blowout" in states(thursday)
    assert rolled().plans("exit")[-1].facts["reason"] == "the overlay is rolled: it nears its settlement"


def test_what_was_rolled_is_built_anew_in_a_later_settlement() -> None:
    """The next decision buys spreads of December, up to the episode's target, and both orders fill whole."""
    out, anew = prepared(rolled())
    intent, plan = anew.facts["intent"], rolled().plans("increase")[-1].facts
    assert (anew.at - out.at).total_seconds() < 60
    assert intent["purpose"] == "overlay_build"
    assert {settlement for _, _, settlement in strikes_and_settlements(anew)} == {"2026-12-16"}
    added = intent["quantity"] * intent["exposure_usd_per_point"]
    assert abs(added - plan["target_usd_per_point"]) <= intent["exposure_usd_per_point"]
    assert [facts["remaining"] for facts in rolled().facts("order_completed")] == [0, 0]


def test_a_rebuild_is_no_increase_of_the_week() -> None:
    """The week's only increase was made on Thursday; pacing withholds nothing of what takes the place of a roll."""
    assert {row.facts["withheld"] for row in rolled().plans()} == {None}
    assert f"{prepared(rolled())[1].at:%a}" == "Fri"


def test_a_spread_worth_most_of_its_width_is_harvested() -> None:
    """Not before its middle is 70 % of five points, and then whole, for more than three and a quarter points each."""
    out, _ = prepared(harvested())
    intent, plan = out.facts["intent"], harvested().plans("exit")[-1].facts
    assert (intent["purpose"], intent["quantity"]) == ("overlay_exit", UNITS)
    assert plan["reason"] == "the overlay is harvested: it is worth most of its width"
    assert "of 5 points, 70% of its width; harvested at 70%" in plan["notes"][0]
    assert Decimal(intent["limit"]) < Decimal("-3.25")
    before = [row for row in harvested().plans() if row.at < out.at]
    assert {row.facts["action"] for row in before} == {"hold"}


def test_what_was_harvested_is_struck_anew_and_higher() -> None:
    """VIX has risen, and so does the strike of what takes the place of the spread that has earned its width."""
    _, anew = prepared(harvested())
    (side, strike, _), _ = strikes_and_settlements(anew)
    assert (side, anew.facts["intent"]["purpose"]) == ("BUY", "overlay_build")
    assert strike > 22
    assert states(harvested().plans("increase")) == {"blowout"}


def test_a_gain_never_enlarges_the_cap() -> None:
    """The spread cost 555.60 and brought more than 2,000: the cap stays, and the whole figure is base plus rebuild."""
    out, anew = prepared(harvested())
    samples = [row.facts for row in harvested().of("sample_taken")]
    assert {facts["cap_usd"] for facts in samples} == {samples[0]["cap_usd"]}
    (figure,) = {check["note"] for check in anew.facts["checks"] if check["rule"] == "hedge_cost_cap_book"}
    whole = Decimal(figure.partition("whole figure ")[2].partition(" of credit")[0])
    spread_usd = Decimal("555.60")
    base_usd = Decimal(samples[0]["cost_whole_usd"]) - spread_usd
    assert whole == base_usd + Decimal(anew.facts["intent"]["worst_cost_usd"])
    assert -Decimal(out.facts["intent"]["limit"]) * 100 * UNITS > 2000 > spread_usd


def test_the_cap_binds_the_rebuild_after_a_harvest() -> None:
    """What takes the place of a harvest is judged by both rules of the cap as any other purchase."""
    _, anew = prepared(harvested())
    figures = [check for check in anew.facts["checks"] if check["rule"] in CAP_RULES]
    assert {check["rule"] for check in figures} == CAP_RULES
    assert all(Decimal(check["found"]) <= Decimal(check["limit"]) for check in figures)


def test_a_spread_leaves_two_sessions_before_its_last_trading_day() -> None:
    """Contracts of 18 November trade last on Tuesday: on Thursday they stay, on Friday they go at 09:40."""
    out, _ = prepared(stopped())
    intent = out.facts["intent"]
    assert (intent["purpose"], intent["quantity"], f"{out.at:%a %H:%M}") == ("overlay_exit", UNITS, "Fri 09:40")
    assert stopped().plans("exit")[-1].facts["reason"] == "the overlay nears its last trading day"
    thursday = [row for row in stopped().plans() if f"{row.at:%a}" == "Thu"]
    assert {row.facts["action"] for row in thursday} == {"hold"}


def test_what_was_stopped_is_built_anew_in_a_later_settlement() -> None:
    """A stop in a blowout ends the contract, not the protection."""
    _, anew = prepared(stopped())
    assert {settlement for _, _, settlement in strikes_and_settlements(anew)} == {"2026-12-16"}
    assert anew.facts["intent"]["purpose"] == "overlay_build"
