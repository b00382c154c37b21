"""The slow confirmations: cost of capital, price to cash flow, acid test; figures, signs and silences."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.evidence import (
    CapitalRates,
    CashFlowMeasure,
    CashFlowPerShare,
    DailySeries,
    EvidenceInputs,
    Fundamentals,
    MissingFigure,
    QuickRatio,
    QuickRatioForm,
)
from bot.signals.evidence.acid_test import read_acid_test
from bot.signals.evidence.capital import read_capital
from bot.signals.evidence.cash_flow import read_cash_flow
from bot.signals.evidence.settings import CapitalSettings, CashFlowSettings, EvidenceSettings
from tests.bot.signals.evidence_builders import (
    NAMES,
    SESSIONS,
    SETTINGS,
    TODAY,
    a_delivery,
    a_flow,
    a_ratio,
    evidence_of,
    rates,
    some_rates,
    why_of,
    with_history,
    without_history,
)

JUNE, SEPTEMBER = date(2016, 6, 30), date(2016, 9, 30)
A_YEAR_BEFORE = date(2015, 9, 30)
SIXTY_DAYS_AGO = TODAY - timedelta(days=60)


# cost of capital --------------------------------------------------------------------------------------------------


def of_capital(capital: CapitalRates | None, today: date = TODAY) -> float:
    """Return the evidence of the cost of capital from some rates."""
    return evidence_of(read_capital(EvidenceInputs(capital=capital), SETTINGS, today))


def why_no_capital(capital: CapitalRates | None, today: date = TODAY) -> str:
    """Return why the cost of capital abstains."""
    return why_of(read_capital(EvidenceInputs(capital=capital), SETTINGS, today))


@pytest.mark.parametrize(
    ("risk_free", "spread", "expected"),
    [
        ((4.0, 4.0), (3.0, 3.0), 0.0),
        ((4.0, 4.5), (3.0, 3.0), 0.9265),  # 0.65 of it in equity, 0.35 x 0.79 in debt
        ((4.0, 4.0), (3.0, 4.0), 0.553),  # 0.2765 of a hundred basis points in fifty
        ((4.0, 3.5), (3.0, 3.0), -0.9265),
        ((4.0, 4.6), (3.0, 3.0), 1.0),  # clipped
        ((-0.5, 0.0), (3.0, 3.0), 0.9265),  # negative rates are rates
    ],
)
def test_dearer_capital_confirms(risk_free: tuple[float, float], spread: tuple[float, float], expected: float) -> None:
    """+50 basis points of weighted cost within twenty sessions make +1."""
    assert of_capital(some_rates(risk_free, spread)) == pytest.approx(expected)


def test_the_change_is_over_twenty_sessions() -> None:
    """A jump twenty sessions ago no longer counts, one nineteen ago does."""
    for age, expected in [(20, 0.0), (19, 0.9265)]:
        jumped = rates("DGS10", [4.0] * (40 - age) + [4.5] * (age + 1))
        assert of_capital(replace(some_rates(), risk_free=jumped)) == pytest.approx(expected)


def test_an_own_series_replaces_the_constant_premium() -> None:
    """Its change counts with the beta and the weight of equity: 0.65 x 1.2 x 0.5 percent."""
    premium = rates("premium", [5.0] * 20 + [5.5])
    assert of_capital(replace(some_rates(), equity_risk_premium=premium)) == pytest.approx(0.78)


def test_the_weights_of_the_settings_count() -> None:
    """All equity: the risk-free rate passes through whole, the spread not at all."""
    settings = EvidenceSettings(capital=CapitalSettings(equity_weight=1.0))
    found = read_capital(EvidenceInputs(capital=some_rates((4.0, 4.2), (3.0, 9.0))), settings, TODAY)
    assert evidence_of(found) == pytest.approx(0.4)
    assert "weighted cost of capital 10.20 %, +20 basis points since" in repr(found)


@given(before=st.floats(-1.0, 20.0), after=st.floats(-1.0, 20.0))
def test_turning_the_change_around_flips_the_sign(before: float, after: float) -> None:
    """What makes capital dearer one way makes it cheaper the other."""
    forward, backward = of_capital(some_rates((before, after))), of_capital(some_rates((after, before)))
    assert forward == pytest.approx(-backward)


def test_rates_are_joined_by_date() -> None:
    """A day on which one rate was not published counts for neither; rows of the future count for nothing."""
    bonds = some_rates((4.0, 4.5))
    longer = [*zip(SESSIONS[-25:], [3.0] * 25, strict=True)]
    del longer[10]
    spread = replace(bonds.credit_spread, rows=tuple(longer))
    risk_free = rates("DGS10", [4.0] * 24 + [4.5])
    joined = CapitalRates(risk_free=risk_free, credit_spread=spread)
    assert of_capital(joined) == pytest.approx(0.9265)
    assert of_capital(joined, SESSIONS[-2]) == 0.0


@pytest.mark.parametrize(
    ("capital", "today", "told"),
    [
        (None, TODAY, "no interest rates are delivered"),
        (some_rates(), SESSIONS[-22], "no risk-free rate (DGS10) up to"),
        (some_rates(), TODAY + timedelta(days=8), "8 days before"),
        (some_rates(), SESSIONS[-2], "have 20 common sessions up to"),
        (replace(some_rates(), credit_spread=rates("BAA10Y", [3.0] * 20)), TODAY, "have 20 common sessions"),
        (replace(some_rates(), equity_risk_premium=rates("ERP", [])), TODAY, "no equity risk premium (ERP) up to"),
    ],
)
def test_rates_that_are_missing_old_or_short_abstain(capital: CapitalRates | None, today: date, told: str) -> None:
    """Never a silent zero: the reason names series and day."""
    assert told in why_no_capital(capital, today)


def test_old_rates_are_told_within_a_week() -> None:
    """Seven days pass, as FRED publishes late and bonds have holidays of their own."""
    assert of_capital(some_rates(), TODAY + timedelta(days=7)) == 0.0


# price to cash flow -----------------------------------------------------------------------------------------------


def priced(then: float, now: float, *flows: CashFlowPerShare, names: tuple[str, ...] = NAMES) -> EvidenceInputs:
    """Return inputs with one price of every name sixty days ago and one today."""
    histories = {name: DailySeries(symbol=name, rows=((SIXTY_DAYS_AGO, then), (TODAY, now))) for name in names}
    return EvidenceInputs(histories=histories, fundamentals=Fundamentals(cash_flows=flows))


def same_flows(usd: float = 5.0) -> tuple[CashFlowPerShare, ...]:
    """Return the cash of each name for two quarters."""
    return tuple(a_flow(name, usd, end) for name in NAMES for end in (JUNE, SEPTEMBER))


@pytest.mark.parametrize(
    ("then", "now", "expected"),
    [(50.0, 50.0, 0.0), (50.0, 47.5, 0.5), (50.0, 45.0, 1.0), (50.0, 40.0, 1.0), (50.0, 52.5, -0.5)],
)
def test_a_falling_price_to_cash_flow_confirms(then: float, now: float, expected: float) -> None:
    """-10 % within sixty days makes +1."""
    found = read_cash_flow(priced(then, now, *same_flows()), SETTINGS, TODAY)
    assert evidence_of(found) == pytest.approx(expected)


def test_growing_cash_contracts_the_ratio_as_well() -> None:
    """Cash of 5 USD was known sixty days ago, of 5.5 USD today: the same price is 9.1 % cheaper."""
    flows = [a_flow(name, usd, end) for name in NAMES for usd, end in [(5.0, JUNE), (5.5, SEPTEMBER)]]
    found = read_cash_flow(priced(50.0, 50.0, *flows), SETTINGS, TODAY)
    assert evidence_of(found) == pytest.approx(0.9090909)
    assert "median price to cash flow of 3 names 9.09, -9.1% against 10.00 60 days before" in repr(found)


def test_a_restatement_counts_from_the_day_on_which_it_is_known() -> None:
    """Published a week ago or today it changes today's ratio, not that of sixty days ago; tomorrow's changes none."""
    for days, expected in [(-7, 0.9090909), (0, 0.9090909), (1, 0.0)]:
        known_on = TODAY + timedelta(days=days)
        restated = [replace(a_flow(name, 5.5, SEPTEMBER), known_on=known_on) for name in NAMES]
        found = read_cash_flow(priced(50.0, 50.0, *same_flows(), *restated), SETTINGS, TODAY)
        assert evidence_of(found) == pytest.approx(expected)


def test_the_median_is_over_the_same_names_on_both_days() -> None:
    """A name without a price sixty days ago is left out of both, and told."""
    inputs = priced(50.0, 47.5, *same_flows(), a_flow("EQR", 0.1, JUNE), names=(*NAMES, "EQR"))
    young = with_history(inputs, DailySeries(symbol="EQR", rows=((TODAY, 10.0),)))
    settings = EvidenceSettings(cash_flow=CashFlowSettings(names=(*NAMES, "EQR")))
    found = read_cash_flow(young, settings, TODAY)
    assert evidence_of(found) == pytest.approx(0.5)
    assert "left out: no close of EQR up to 2016-10-31" in repr(found)


def test_the_middle_name_decides() -> None:
    """One name that halves and one that doubles move nothing."""
    inputs = with_history(
        priced(50.0, 50.0, *same_flows()),
        DailySeries(symbol="O", rows=((SIXTY_DAYS_AGO, 50.0), (TODAY, 25.0))),
        DailySeries(symbol="WPC", rows=((SIXTY_DAYS_AGO, 50.0), (TODAY, 100.0))),
    )
    assert evidence_of(read_cash_flow(inputs, SETTINGS, TODAY)) == 0.0


def test_funds_from_operations_come_first_where_both_days_have_them() -> None:
    """A REIT's own measure; known for one of the days only, operating cash stands for both."""
    ffo = [
        replace(a_flow(name, usd, end), measure=CashFlowMeasure.FUNDS_FROM_OPERATIONS)
        for name in NAMES
        for usd, end in [(4.0, JUNE), (4.4, SEPTEMBER)]
    ]
    both = priced(50.0, 50.0, *same_flows(), *ffo)
    assert evidence_of(read_cash_flow(both, SETTINGS, TODAY)) == pytest.approx(0.9090909)
    one_day = priced(50.0, 50.0, *same_flows(), *(flow for flow in ffo if flow.period_end == SEPTEMBER))
    assert evidence_of(read_cash_flow(one_day, SETTINGS, TODAY)) == 0.0


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        (priced(50.0, 50.0), "0 of 3 names have a price to cash flow, expected 3: O has no cash flow of the last 200"),
        (priced(50.0, 50.0, *same_flows()[2:]), "2 of 3 names"),
        (priced(50.0, 50.0, *same_flows(-1.0)), "O lost cash: -1.00 then, -1.00 USD a share now"),
        (priced(50.0, 50.0, *same_flows(0.0)), "O lost cash: 0.00 then"),
        (priced(50.0, 50.0, *(a_flow(name, 5.0, date(2016, 4, 15)) for name in NAMES)), "has no cash flow of the last"),
        (without_history(priced(50.0, 50.0, *same_flows()), "O"), "no close of O up to"),
        (
            with_history(priced(50.0, 50.0, *same_flows()), DailySeries(symbol="O", rows=((SIXTY_DAYS_AGO, 50.0),))),
            "the last close of O before 2016-12-30 is of 2016-10-31",
        ),
        (
            replace(
                priced(50.0, 50.0, *same_flows()[2:]),
                fundamentals=Fundamentals(
                    cash_flows=same_flows()[2:], missing=(MissingFigure(symbol="O", why="O files in CAD"),)
                ),
            ),
            "O files in CAD",
        ),
    ],
)
def test_names_without_figures_are_told(inputs: EvidenceInputs, told: str) -> None:
    """Too few names abstain, each with its reason; losses have no ratio."""
    assert told in why_of(read_cash_flow(inputs, SETTINGS, TODAY))


def test_without_configured_names_there_is_no_price_to_cash_flow() -> None:
    """The default: which names speak for small caps is the operator's choice."""
    assert "no names are configured" in why_of(read_cash_flow(a_delivery(), EvidenceSettings(), TODAY))


def test_a_cash_flow_is_as_old_as_its_period() -> None:
    """200 days are the most: the report after it is overdue."""
    for age, is_read in [(200, True), (201, False)]:
        flows = [a_flow(name, 5.0, TODAY - timedelta(days=age)) for name in NAMES]
        found = read_cash_flow(priced(50.0, 50.0, *flows), SETTINGS, TODAY)
        if is_read:
            assert evidence_of(found) == 0.0
        else:
            assert "O has no cash flow of the last 200 days" in why_of(found)


# acid test --------------------------------------------------------------------------------------------------------


def held(*ratios: QuickRatio, names: tuple[str, ...] = ("O",)) -> EvidenceInputs:
    """Return inputs of an account that holds some names."""
    return EvidenceInputs(fundamentals=Fundamentals(quick_ratios=ratios), satellite_names=frozenset(names))


@pytest.mark.parametrize(
    ("then", "now", "expected"),
    [(1.0, 1.0, 0.0), (1.0, 0.95, 0.5), (2.0, 1.8, 1.0), (1.0, 0.2, 1.0), (1.0, 1.05, -0.5)],
)
def test_a_falling_quick_ratio_confirms(then: float, now: float, expected: float) -> None:
    """-10 % within a year makes +1."""
    found = read_acid_test(held(a_ratio("O", then, A_YEAR_BEFORE), a_ratio("O", now, SEPTEMBER)), SETTINGS, TODAY)
    assert evidence_of(found) == pytest.approx(expected)


def test_the_median_of_the_held_names_decides() -> None:
    """Changes of -50 %, -5 % and +100 %."""
    ratios = [
        a_ratio(name, ratio, end)
        for name, now in zip(NAMES, (0.5, 0.95, 2.0), strict=True)
        for ratio, end in [(1.0, A_YEAR_BEFORE), (now, SEPTEMBER)]
    ]
    found = read_acid_test(held(*ratios, names=NAMES), SETTINGS, TODAY)
    assert evidence_of(found) == pytest.approx(0.5)
    assert "median quick ratio of 3 held names changed by -5.0% within a year" in repr(found)


@pytest.mark.parametrize(("shift", "is_read"), [(-20, True), (20, True), (-21, False), (21, False), (91, False)])
def test_a_fiscal_year_may_end_some_days_apart(shift: int, is_read: bool) -> None:  # noqa: FBT001 - a table
    """52 or 53 weeks; a neighbouring quarter is another season."""
    before = SEPTEMBER - timedelta(days=365) + timedelta(days=shift)
    found = read_acid_test(held(a_ratio("O", 1.0, before), a_ratio("O", 0.9, SEPTEMBER)), SETTINGS, TODAY)
    if is_read:
        assert evidence_of(found) == pytest.approx(1.0)
    else:
        assert "no balance sheet of the last 200 days with one of a year before" in why_of(found)


def test_a_balance_sheet_is_at_most_200_days_old() -> None:
    """An older one says nothing of today, whatever stood a year before it."""
    for age, is_read in [(200, True), (201, False)]:
        newest = TODAY - timedelta(days=age)
        ratios = (a_ratio("O", 1.0, newest - timedelta(days=365)), a_ratio("O", 0.9, newest))
        found = read_acid_test(held(*ratios), SETTINGS, TODAY)
        if is_read:
            assert evidence_of(found) == pytest.approx(1.0)
        else:
            assert "no balance sheet of the last 200 days" in why_of(found)


def test_both_balance_sheets_are_told_in_one_form() -> None:
    """Less inventory where both have it, else cash and receivables for both."""
    cash = QuickRatioForm.CASH_AND_RECEIVABLES
    other = [replace(a_ratio("O", 1.0, A_YEAR_BEFORE), form=cash), replace(a_ratio("O", 0.95, SEPTEMBER), form=cash)]
    usual = [a_ratio("O", 1.0, A_YEAR_BEFORE), a_ratio("O", 0.9, SEPTEMBER)]
    assert evidence_of(read_acid_test(held(*usual, *other), SETTINGS, TODAY)) == pytest.approx(1.0)
    assert evidence_of(read_acid_test(held(*usual[1:], *other), SETTINGS, TODAY)) == pytest.approx(0.5)


def test_of_restated_balance_sheets_the_last_known_one_holds() -> None:
    """In whatever order they are delivered; one that is published tomorrow does not count yet."""
    first = [a_ratio("O", 1.0, A_YEAR_BEFORE), a_ratio("O", 1.0, SEPTEMBER)]
    restated = replace(first[1], ratio=0.95, known_on=TODAY)
    tomorrow = replace(first[1], ratio=0.5, known_on=TODAY + timedelta(days=1))
    for order in ([*first, restated, tomorrow], [tomorrow, restated, *first]):
        assert evidence_of(read_acid_test(held(*order), SETTINGS, TODAY)) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        (EvidenceInputs(), "no satellite equity is held"),
        (held(), "0 of 1 held names have quick ratios of two years, expected 50% of them: O has no balance sheet"),
        (held(a_ratio("O", 1.0, A_YEAR_BEFORE)), "no balance sheet of the last 200 days"),
        (held(a_ratio("O", 1.0, SEPTEMBER)), "with one of a year before"),
        (held(a_ratio("O", 0.0, A_YEAR_BEFORE), a_ratio("O", 1.0, SEPTEMBER)), "nothing liquid at 2015-09-30"),
        (
            held(a_ratio("O", 1.0, A_YEAR_BEFORE), a_ratio("O", 1.0, SEPTEMBER), names=NAMES),
            "1 of 3 held names",
        ),
        (
            replace(held(), fundamentals=Fundamentals(missing=(MissingFigure(symbol="O", why="O has no tag"),))),
            "O has no tag",
        ),
    ],
)
def test_names_without_balance_sheets_are_told(inputs: EvidenceInputs, told: str) -> None:
    """A minority does not speak for the rest, and a base of nothing has no change."""
    assert told in why_of(read_acid_test(inputs, SETTINGS, TODAY))


def test_half_of_the_held_names_are_enough() -> None:
    """The other half is told."""
    ratios = (a_ratio("O", 1.0, A_YEAR_BEFORE), a_ratio("O", 0.95, SEPTEMBER))
    found = read_acid_test(held(*ratios, names=("O", "SLG")), SETTINGS, TODAY)
    assert evidence_of(found) == pytest.approx(0.5)
    assert "left out: SLG has no balance sheet" in repr(found)


@given(then=st.floats(0.01, 100.0), now=st.floats(0.01, 100.0), scale=st.floats(0.01, 100.0))
def test_only_the_change_of_a_ratio_counts(then: float, now: float, scale: float) -> None:
    """Companies with ten times the liquidity that lose as large a share of it say the same."""
    plain, scaled = (
        evidence_of(
            read_acid_test(
                held(a_ratio("O", then * by, A_YEAR_BEFORE), a_ratio("O", now * by, SEPTEMBER)), SETTINGS, TODAY
            )
        )
        for by in (1.0, scale)
    )
    assert scaled == pytest.approx(plain, abs=1e-9)
