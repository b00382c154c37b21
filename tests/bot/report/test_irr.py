"""The return of dated flows: one rate that solves them, or why there is not one."""

import json
import math
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import pyxirr
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import InvalidValueError
from bot.report.irr import CapitalBase, DatedFlow, Irr, NoIrr, flows_on_capital, xirr

VECTORS = Path(__file__).parents[3] / ".." / "shared" / "data" / "vectors.json"
FIRST = date(2020, 1, 1)


def a_flow(usd: float | str, days: int = 0) -> DatedFlow:
    """An amount so many days after the first one."""
    return DatedFlow(day=FIRST + timedelta(days=days), usd=Decimal(str(usd)))


def rate_of(*flows: DatedFlow) -> float:
    """The rate of flows that have one."""
    found = xirr(flows)
    assert isinstance(found, Irr), found
    return found.rate


def why_not(*flows: DatedFlow) -> str:
    """Why flows have none."""
    found = xirr(flows)
    assert isinstance(found, NoIrr), found
    return found.why


def worth(flows: Sequence[DatedFlow], rate: float) -> float:
    """Present value of flows at a rate, USD of the first day."""
    start = min(flow.day for flow in flows)
    return math.fsum(float(flow.usd) / (1.0 + rate) ** ((flow.day - start).days / 365.0) for flow in flows)


# one rate -------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not VECTORS.exists(), reason="the shared data folder with vectors.json is not on this machine")
def test_the_spreadsheets_example_comes_out() -> None:
    """Within 1e-8 of the independent vector."""
    case = json.loads(VECTORS.read_text())["xirr"]
    flows = [DatedFlow(day=date.fromisoformat(day), usd=Decimal(str(usd))) for usd, day in case["flows"]]
    assert rate_of(*flows) == pytest.approx(case["xirr"], abs=case["tolerance"])


@pytest.mark.parametrize(
    ("flows", "rate"),
    [
        ((a_flow(-100), a_flow(110, 365)), 0.10),
        ((a_flow(-100), a_flow(121, 730)), 0.10),
        ((a_flow(100), a_flow(-110, 365)), 0.10),
        ((a_flow(-100), a_flow(100, 365)), 0.0),
        ((a_flow(-100), a_flow(50, 365)), -0.5),
        ((a_flow(-100), a_flow(1, 365)), -0.99),
        ((a_flow(-100), a_flow(101, 1)), 1.01**365 - 1.0),
        ((a_flow(-100), a_flow(10_000_00, 365)), 9_999.0),
    ],
)
def test_a_year_has_365_days(flows: tuple[DatedFlow, ...], rate: float) -> None:
    """A tenth after 365 days is 10 %, lent or borrowed; losses are negative, a day compounds over a year."""
    assert rate_of(*flows) == pytest.approx(rate, rel=1e-8, abs=1e-10)


AMOUNTS = st.decimals(Decimal("0.01"), Decimal(1_000_000), places=2)
PAYBACKS = st.lists(st.tuples(st.integers(1, 4000), AMOUNTS), min_size=1, max_size=8)


@given(AMOUNTS, PAYBACKS, st.booleans())
def test_the_rate_solves_its_flows(paid: Decimal, paybacks: list[tuple[int, Decimal]], borrowed: bool) -> None:  # noqa: FBT001 - drawn
    """Where money changes direction once and a rate exists, the flows are worth nothing at it, lent or borrowed."""
    sign = -1 if borrowed else 1
    flows = [a_flow(str(-sign * paid)), *(a_flow(str(sign * usd), day) for day, usd in paybacks)]
    found = xirr(flows)
    if isinstance(found, NoIrr):
        assert worth(flows, -0.9999) * worth(flows, 99_999.0) > 0.0
        return
    assert worth(flows, found.rate) == pytest.approx(0.0, abs=1e-9 * float(paid))


@given(st.decimals(100, 10_000, places=2), st.lists(st.tuples(st.integers(30, 2000), AMOUNTS), min_size=1, max_size=8))
def test_a_foreign_solver_finds_the_same_rate(paid: Decimal, paybacks: list[tuple[int, Decimal]]) -> None:
    """pyxirr, begun near our rate, ends at it; far from any return that a book has it is the less exact one."""
    flows = [a_flow(str(-paid)), *(a_flow(str(usd), day) for day, usd in paybacks)]
    found = xirr(flows)
    if isinstance(found, NoIrr) or not -0.9 < found.rate < 9.0:
        return
    days, amounts = [flow.day for flow in flows], [float(flow.usd) for flow in flows]
    assert pyxirr.xirr(days, amounts, guess=found.rate + 0.01) == pytest.approx(found.rate, abs=1e-8)


@given(PAYBACKS, st.permutations(range(8)))
def test_neither_order_nor_parts_of_a_day_matter(paybacks: list[tuple[int, Decimal]], order: list[int]) -> None:
    """Flows may come in any order, halves of one day are one flow, and zeros are nothing."""
    flows = [a_flow("-5000.00"), *(a_flow(str(usd), day) for day, usd in paybacks)]
    halves = [DatedFlow(day=flow.day, usd=flow.usd / 2) for flow in flows for _ in range(2)]
    mixed = [halves[place] for place in order if place < len(halves)]
    mixed += [half for place, half in enumerate(halves) if place not in order]
    assert xirr([*mixed, a_flow(0, 5000)]) == xirr(flows)


@given(st.integers(120, 1000), st.floats(1.001, 3.0))
def test_more_money_back_is_a_higher_return(days: int, more: float) -> None:
    """The same flows with larger paybacks have a larger rate."""
    flows = a_flow(-100), a_flow(40, days), a_flow(70, 2 * days)
    larger = a_flow(-100), a_flow(40 * more, days), a_flow(70 * more, 2 * days)
    assert rate_of(*larger) > rate_of(*flows)


def test_flows_that_turn_several_times_may_still_have_one_rate() -> None:
    """What counts is how many rates solve them: paying in twice has one, and the words say that they turn."""
    found = xirr([a_flow(-100), a_flow(30, 200), a_flow(-50, 300), a_flow(150, 700)])
    assert isinstance(found, Irr)
    assert found.words == "4 flows from 2020-01-01 to 2021-12-01, which change direction 3 times"
    once = xirr([a_flow(-100), a_flow(110, 365)])
    assert isinstance(once, Irr)
    assert once.words == "2 flows from 2020-01-01 to 2020-12-31, which change direction once"


# none, or several -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flows", "told"),
    [
        ((), "no flow differs from zero"),
        ((a_flow(0), a_flow(0, 30)), "no flow differs from zero"),
        ((a_flow(-100, 5), a_flow(100, 5)), "no flow differs from zero"),
        ((a_flow(100), a_flow(10, 30)), "money is only received and nothing paid in"),
        ((a_flow(-100), a_flow(-10, 30)), "money is only paid in and nothing received"),
        ((a_flow(-100),), "money is only paid in"),
        ((a_flow(-100, 5), a_flow(120, 5)), "money is only received"),
        ((a_flow(-100), a_flow("0.0000001", 365)), "no rate from -99.99 % to 100,000-fold a year solves 2 flows"),
        ((a_flow(-100), a_flow(200, 1)), "no rate from -99.99 % to 100,000-fold a year solves 2 flows"),
        ((a_flow(100), a_flow(-150, 365), a_flow(100, 730)), "which change direction 2 times"),
    ],
)
def test_flows_without_a_rate_say_why(flows: tuple[DatedFlow, ...], told: str) -> None:
    """Nothing moved, all one way, beyond every believable rate, or a turn that nothing solves."""
    assert told in why_not(*flows)


def test_flows_with_two_rates_name_both_and_choose_none() -> None:
    """-1000, +2500, -1540 is solved by 10 % and by 40 %: no guess decides."""
    why = why_not(a_flow(-1000), a_flow(2500, 365), a_flow(-1540, 730))
    assert why == (
        "2 rates solve 3 flows from 2020-01-01 to 2021-12-31, which change direction 2 times: "
        "10.00 %, 40.00 %; none of them is the return"
    )


# on capital -----------------------------------------------------------------------------------------------------


def test_results_become_flows_on_the_capital_they_needed() -> None:
    """Paid in on the first day, back on the last; the sentence states how much of what."""
    flows, words = flows_on_capital(
        [a_flow(40, 200), a_flow(-10, 100)],
        capital_usd=Decimal(18_200),
        base=CapitalBase.MAXIMUM_LOSS,
        first=FIRST,
        last=FIRST + timedelta(days=365),
    )
    assert flows == (a_flow(-18_200), a_flow(-10, 100), a_flow(40, 200), a_flow(18_200, 365))
    assert words == "on 18,200.00 USD of maximum loss from 2020-01-01 to 2020-12-31"


def test_a_result_at_the_end_is_its_share_of_the_capital() -> None:
    """1,820 USD on 18,200 after a year are 10 %, without any result 0 %."""
    for usd, rate in ((1820, 0.10), (0, 0.0), (-1820, -0.10)):
        flows, _ = flows_on_capital(
            [a_flow(usd, 365)],
            capital_usd=Decimal(18_200),
            base=CapitalBase.MARGIN,
            first=FIRST,
            last=FIRST + timedelta(days=365),
        )
        assert rate_of(*flows) == pytest.approx(rate, abs=1e-9)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"capital_usd": Decimal(0)}, "capital_usd must be positive"),
        ({"capital_usd": Decimal("NaN")}, "capital_usd must be finite"),
        ({"last": FIRST}, "a return needs time"),
        ({"results": [a_flow(5, -1)]}, "results must lie from 2020-01-01 to 2020-12-31"),
        ({"results": [a_flow(5, 366)]}, "results must lie from 2020-01-01 to 2020-12-31"),
    ],
)
def test_capital_without_sum_or_time_is_refused(changes: dict[str, object], told: str) -> None:
    """No capital, no span, or a result outside of it."""
    usual: dict[str, object] = {"results": [], "capital_usd": Decimal(1), "base": CapitalBase.MARGIN}
    usual |= {"first": FIRST, "last": FIRST + timedelta(days=365)}
    with pytest.raises(InvalidValueError, match=told):
        flows_on_capital(**(usual | changes))  # type: ignore[arg-type] - by name


def test_an_amount_that_is_no_number_is_refused() -> None:
    """NaN and infinity are no money."""
    for wrong in ("NaN", "Infinity"):
        with pytest.raises(InvalidValueError, match="usd must be finite"):
            DatedFlow(day=FIRST, usd=Decimal(wrong))
