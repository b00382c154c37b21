"""No hedge, base, base and overlay: arithmetic by hand, and that the variants add up whatever happens (M15)."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.domain.errors import InvalidValueError
from bot.report.evidence.settings import ComparisonSettings
from bot.report.evidence.variants import Comparison, Drawdown, NoComparison, Outcome, Variant, compare, worst_drawdown
from bot.report.evidence.words import facts_of, grounds_of, summary_rows, table_of
from bot.report.irr import DatedFlow, Irr, NoIrr, xirr
from tests.bot.report.compared_rows import (
    BASE_CALL,
    CONDOR,
    MAXIMUM_LOSS_USD,
    OVERLAY_CALL,
    Rows,
    session_day,
    two_sessions,
)

SETTINGS = ComparisonSettings()
BARE, BASE, ALL = Variant


def compared(rows: Rows) -> Comparison:
    """The comparison, which must be one."""
    comparison = compare(rows.results(), SETTINGS)
    assert isinstance(comparison, Comparison), comparison
    return comparison


def outcomes(rows: Rows) -> dict[Variant, Outcome]:
    """The variants of some rows."""
    return dict(compared(rows).outcomes)


def test_the_curves_are_profit_and_loss_by_session_of_the_parts_together() -> None:
    """Condors +500 and -2,500; the base adds 40 and 160, the overlay -7 and +41."""
    found = outcomes(two_sessions())
    assert found[BARE].curve_usd == (0.0, 500.0, -2000.0)
    assert found[BASE].curve_usd == (0.0, 540.0, -1800.0)
    assert found[ALL].curve_usd == (0.0, 533.0, -1766.0)


def test_what_the_hedge_brought_is_the_difference_to_no_hedge() -> None:
    """200 by the base, 234 with the overlay, of which 34 are the overlay's, after six of fees."""
    comparison = compared(two_sessions())
    found = comparison.outcomes
    assert [found[variant].hedge_usd for variant in Variant] == [0.0, 200.0, 234.0]
    assert [found[variant].fees_usd for variant in Variant] == [0.0, 0.0, 6.0]
    assert comparison.overlay_usd == 34.0


def test_the_worst_drawdown_has_its_days() -> None:
    """From the first session's height to the second session's bottom, in USD and as a part of the maximum loss."""
    comparison = compared(two_sessions())
    drawdown = comparison.outcomes[BARE].drawdown
    assert drawdown == Drawdown(usd=2500.0, since=session_day(0), until=session_day(1))
    assert comparison.frac_of_capital(drawdown.usd) == 2500.0 / MAXIMUM_LOSS_USD


@pytest.mark.parametrize(
    ("curve", "worst"),
    [
        ((0.0,), (0.0, 1, 1)),
        ((0.0, 5.0, 9.0), (0.0, 1, 1)),
        ((0.0, -3.0, 2.0, -1.0), (3.0, 1, 2)),  # a fall as large later on changes nothing
        ((0.0, 8.0, 4.0, 9.0, 3.0, 12.0), (6.0, 4, 5)),
        ((0.0, -1.0, -7.0), (7.0, 1, 3)),
    ],
)
def test_the_worst_fall_is_from_an_earlier_height(curve: tuple[float, ...], worst: tuple[float, int, int]) -> None:
    """The height may be the beginning; the first of several falls of one size is told."""
    days = [date(2026, 10, number) for number in range(1, len(curve) + 1)]
    usd, since, until = worst
    assert worst_drawdown(curve, days) == Drawdown(usd=usd, since=days[since - 1], until=days[until - 1])


def test_tail_days_are_the_same_for_every_variant() -> None:
    """SPX fell by exactly 3 % on the first session alone: its profits and losses are the tail's."""
    comparison = compared(two_sessions())
    assert comparison.tail_days == (session_day(0),)
    assert [comparison.outcomes[variant].tail_usd for variant in Variant] == [500.0, 540.0, 533.0]


@pytest.mark.parametrize(("spx", "is_tail"), [(6664.0, True), (6664.01, False), (6936.0, False)])
def test_a_tail_begins_at_its_threshold(spx: float, *, is_tail: bool) -> None:
    """-2 % of 6,800 is 136 points: exactly that counts, a cent less does not, nor does a rise."""
    rows = Rows().sample(base={BASE_CALL: (1, 100.0)}).on(1).sample(base={BASE_CALL: (1, 100.0)}, spx=spx)
    assert (compared(rows).tail_days == (session_day(1),)) is is_tail


def test_what_the_parts_leave_of_the_account_is_told() -> None:
    """The account changed by -1,761 and the parts by -1,766: five are unexplained; an untold account is None."""
    comparison = compared(two_sessions())
    assert (comparison.account_usd, comparison.unexplained_usd) == (-1761.0, 5.0)
    rows = Rows().sample(base={BASE_CALL: (1, 100.0)})
    assert (compared(rows).account_usd, compared(rows).unexplained_usd) == (None, None)


# the rate of return ----------------------------------------------------------------------------------------------

LONG = 32
"""Sessions: enough for a rate."""


def a_cycle(*, last_condor: float = 900.0, hedge_on: int | None = None) -> Rows:
    """Ten condors at 1,000 for one cycle, at the end at another figure; two overlay calls bought on one session."""
    rows = Rows().sample(condors={CONDOR: (-10, 1000.0)})
    for number in range(LONG):
        rows.on(number)
        if number == hedge_on:
            rows.trade(OVERLAY_CALL, 2, "1.00", fee="3.00")
        overlay = {OVERLAY_CALL: (2, 80.0)} if hedge_on is not None and number >= hedge_on else None
        each = last_condor if number == LONG - 1 else 1000.0
        rows.sample(condors={CONDOR: (-10, each)}, overlay=overlay)
    return rows


def test_the_rate_is_on_the_maximum_loss_of_the_condors() -> None:
    """1,000 earned on 18,000 at the end of 43 days: (1 + 1/18)^(365/43) - 1."""
    irr = outcomes(a_cycle())[BARE].irr
    assert isinstance(irr, Irr)
    days = (session_day(LONG - 1) - session_day(0)).days
    assert irr.rate == pytest.approx((1.0 + 1000.0 / MAXIMUM_LOSS_USD) ** (365.0 / days) - 1.0)


def test_premiums_and_fees_flow_on_their_day_and_what_is_left_comes_back_at_the_end() -> None:
    """203 go out on the eighth session and 160 come back with the capital and the condors' 1,000."""
    irr = outcomes(a_cycle(hedge_on=7))[ALL].irr
    flows = [(0, -18_000), (7, -203), (LONG - 1, 18_000 + 1000 + 160)]
    expected = xirr(DatedFlow(day=session_day(number), usd=Decimal(usd)) for number, usd in flows)
    assert isinstance(irr, Irr)
    assert isinstance(expected, Irr)
    assert irr.rate == pytest.approx(expected.rate)


def test_what_the_hedge_is_worth_at_the_beginning_is_paid_in() -> None:
    """Four base calls at 150 that end at 200: 18,600 in, 18,800 out, the condors unchanged."""
    rows = Rows().sample(condors={CONDOR: (-10, 1000.0)}, base={BASE_CALL: (4, 150.0)})
    for number in range(LONG):
        each = 200.0 if number == LONG - 1 else 150.0
        rows.on(number).sample(condors={CONDOR: (-10, 1000.0)}, base={BASE_CALL: (4, each)})
    irr = outcomes(rows)[BASE].irr
    days = (session_day(LONG - 1) - session_day(0)).days
    assert isinstance(irr, Irr)
    assert irr.rate == pytest.approx((18_800 / 18_600) ** (365.0 / days) - 1.0)


def test_a_short_history_has_no_yearly_rate() -> None:
    """Two sessions say nothing of a year, and the reason is the figure."""
    irr = outcomes(two_sessions())[BARE].irr
    assert irr == NoIrr(why="not meaningful below 30 sessions, there are 2")


def test_without_condors_there_is_no_capital() -> None:
    """A sleeve alone has no maximum loss of condors to be measured on."""
    rows = Rows().sample(base={BASE_CALL: (1, 100.0)})
    for number in range(LONG):
        rows.on(number).sample(base={BASE_CALL: (1, 100.0)})
    comparison = compared(rows)
    irr = comparison.outcomes[BASE].irr
    assert isinstance(irr, NoIrr)
    assert "no condors were held" in irr.why
    assert comparison.frac_of_capital(1.0) is None


# what always holds -----------------------------------------------------------------------------------------------

CENTS = st.integers(min_value=1, max_value=900)
STEPS = st.lists(st.tuples(CENTS, CENTS, CENTS, st.integers(min_value=-3, max_value=3)), min_size=1, max_size=8)


@given(STEPS)
@example([(450, 160, 1, 0), (700, 90, 1, 0)])
@settings(max_examples=60, deadline=None)
def test_the_variants_differ_by_the_overlay_and_nothing_else(steps: list[tuple[int, int, int, int]]) -> None:
    """Base and overlay less base is the cash of the overlay's trades and what is left of it, session by session."""
    rows = Rows().sample(condors={CONDOR: (-10, 500.0)}, base={BASE_CALL: (4, 150.0)})
    held, cash, own = 0, 0, [0.0]
    for number, (condor, base, overlay, change) in enumerate(steps):
        rows.on(number)
        if change:
            rows.trade(OVERLAY_CALL, change, str(Decimal(overlay) / 100), fee="1.50")
            held, cash = held + change, cash - change * overlay - 1.5
        left = {OVERLAY_CALL: (held, float(overlay))} if held else {}
        rows.sample(condors={CONDOR: (-10, float(condor))}, base={BASE_CALL: (4, float(base))}, overlay=left)
        own.append(cash + held * overlay)
    found = outcomes(rows)
    gaps = [both - base for both, base in zip(found[ALL].curve_usd, found[BASE].curve_usd, strict=True)]
    assert gaps == pytest.approx(own)
    if not any(change for *_, change in steps):
        assert found[ALL] == found[BASE]


# words -----------------------------------------------------------------------------------------------------------


def test_the_table_says_each_figure_once_per_variant() -> None:
    """Signs before profit and loss, dates and part of the capital behind a drawdown."""
    table = {row[0]: row[1:] for row in table_of(compared(two_sessions()), SETTINGS)}
    assert table["profit or loss, USD"] == ("-2,000.00", "-1,800.00", "-1,766.00")
    assert table["of it the hedge: brought (+) or cost (-), USD"] == ("-", "+200.00", "+234.00")
    assert table["of that the overlay alone, USD"] == ("-", "-", "+34.00")
    assert table["worst drawdown, USD"][0] == "2,500.00, 13.9% of the capital, 2026-10-19 to 2026-10-20"
    assert table["sessions with SPX at -2% or lower (1), USD together"] == ("+500.00", "+540.00", "+533.00")
    assert table["as part of the capital, not per year"] == ("-11.1%", "-10.0%", "-9.8%")
    assert table["rate of return, per year (XIRR)"][0] == "not meaningful below 30 sessions, there are 2"


def test_the_grounds_state_capital_beginning_and_rest() -> None:
    """Which sessions and samples, from when on and at which prices, on which capital, and what stays unexplained."""
    rows = two_sessions()
    told = " ".join(grounds_of(rows.results(), compared(rows)))
    for words in (
        "2 sessions from 2026-10-19 to 2026-10-20",
        "3 samples counted, 0 left out",
        "(2026-10-19 10:00:01 New York)",
        "18,000.00 USD, the largest maximum loss of the condors as frozen at entry",
        "Not margin",
        "changed by -1,761.00 USD; the three parts leave +5.00",
    ):
        assert words in told
    assert "without an execution" not in told
    rows.on(2).sample()
    assert "without an execution (2)" in " ".join(grounds_of(rows.results(), compared(rows)))


def test_programs_get_the_same_figures() -> None:
    """Amounts as numbers, days as text, a rate or the reason why there is none."""
    rows = two_sessions()
    facts = facts_of(rows.results(), compared(rows), SETTINGS)
    assert facts["capital_base"] == "maximum loss"
    assert facts["tail_days"] == ["2026-10-19"]
    overlay = facts["variants"]["base_and_overlay"]
    assert overlay["result_frac"] == -1766.0 / MAXIMUM_LOSS_USD
    assert (overlay["result_usd"], overlay["irr"], overlay["curve_usd"]) == (-1766.0, None, [0.0, 533.0, -1766.0])
    assert facts["overlay_usd"] == 34.0


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (Rows(), "no sample was taken"),
        (Rows().add("sample_taken", spx=6800.0), "1 samples do not say what was held, as in journals of earlier"),
        (Rows().sample(base={BASE_CALL: (1, None)}), "1 lack a quote of something held"),
    ],
)
def test_a_journal_that_cannot_be_compared_says_why(rows: Rows, why: str) -> None:
    """Without a counted sample there are no figures, and the reason takes their place everywhere."""
    comparison = compare(rows.results(), SETTINGS)
    assert isinstance(comparison, NoComparison)
    assert why in comparison.why
    assert summary_rows(comparison) == [("variants compared", comparison.why)]
    assert facts_of(rows.results(), comparison, SETTINGS)["why_none"] == comparison.why


@pytest.mark.parametrize("wrong", [{"tail_move_frac": 0.0}, {"tail_move_frac": -1.0}, {"least_sessions": 0}])
def test_a_tail_without_an_end_is_refused(wrong: dict[str, float]) -> None:
    """Every day, or none that could be, is no tail."""
    with pytest.raises(InvalidValueError):
        ComparisonSettings(**wrong)  # type: ignore[arg-type]  # one field at a time
