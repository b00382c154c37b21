"""The order's life, fills, and what the gate answers."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest

from bot.domain.decision import Approved, Checked, Refused, Rule
from bot.domain.errors import IllegalTransitionError, InvalidValueError
from bot.domain.instrument import Instrument, Side
from bot.domain.orders import (
    TRANSITIONS,
    Cancelled,
    Fill,
    Filled,
    FillPart,
    IntentId,
    Leg,
    Order,
    OrderState,
    Partial,
    Prepared,
    Rejected,
    Sent,
    Unknown,
    Working,
)
from tests.builders import NOON, a_future, an_intent, an_option, an_order, buys, sells, spread_legs, vix_call

STATES: tuple[OrderState, ...] = (
    Prepared(),
    Sent(),
    Working(),
    Partial(),
    Filled(),
    Cancelled(reason="test"),
    Rejected(reason="test"),
    Unknown(why="test"),
)
NAIVE = datetime(2026, 10, 20, 12, 0)  # noqa: DTZ001 - a naive time is what these tests refuse


# intents ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"intent_id": ""}, "intent_id"),
        ({"reason": ""}, "reason"),
        ({"quantity": 0}, "quantity"),
        ({"limit": Decimal("NaN")}, "limit"),
        ({"worst_cost_usd": Decimal(-1)}, "worst_cost_usd"),
        ({"exposure_usd_per_point": float("inf")}, "exposure_usd_per_point"),
        ({"legs": ()}, "at least one leg"),
        ({"legs": (buys(vix_call(20)), sells(vix_call(20)))}, "each contract once"),
        ({"legs": (buys(vix_call(20)), buys(a_future("VX")))}, "share one multiplier"),
        ({"legs": (buys(vix_call(20)), buys(a_future("VXM")))}, "options only"),
    ],
)
def test_an_order_that_could_not_be_written_down_is_refused(changes: dict[str, object], words: str) -> None:
    """Each fault has its words."""
    with pytest.raises(InvalidValueError, match=words):
        replace(an_intent(), **changes)  # type: ignore[arg-type]  # wrong values on purpose


def test_what_an_intent_is() -> None:
    """A spread is a combo of options at 100 USD a point; a future is neither."""
    spread, future = an_intent(), an_intent((buys(a_future("VX")),))
    assert (spread.is_combo, spread.is_future, spread.multiplier) == (True, False, 100)
    assert (future.is_combo, future.is_future, future.multiplier) == (False, True, 1000)


def test_another_size_is_another_intent() -> None:
    """Quantity, cost and id change, the rest stays."""
    smaller = an_intent(quantity=3).resized(2, Decimal(9), IntentId("i-2"))
    assert (smaller.quantity, smaller.worst_cost_usd, smaller.intent_id) == (2, Decimal(9), "i-2")
    assert smaller.legs == an_intent().legs


def test_a_leg_has_a_ratio() -> None:
    """Two contracts per unit sold count as minus two; none is no leg."""
    assert sells(vix_call(20), 2).signed_ratio == -2
    with pytest.raises(InvalidValueError, match="ratio"):
        Leg(instrument=vix_call(20), side=Side.BUY, ratio=0)


# the order's life -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", STATES, ids=lambda state: type(state).__name__)
@pytest.mark.parametrize("after", STATES, ids=lambda state: type(state).__name__)
def test_only_listed_steps_are_taken(before: OrderState, after: OrderState) -> None:
    """A listed step leads to the new state, an unlisted one raises and changes nothing."""
    order = an_order(an_intent(quantity=2), state=before)
    if type(after) in TRANSITIONS[type(before)]:
        assert order.moved(after).state == after
        return
    with pytest.raises(IllegalTransitionError, match="no step"):
        order.moved(after)
    assert order.state == before


def test_only_a_report_leads_out_of_doubt() -> None:
    """UNKNOWN is left for any state that the broker can report, never back to SENT or PREPARED."""
    assert Sent not in TRANSITIONS[Unknown]
    assert Prepared not in TRANSITIONS[Unknown]
    assert TRANSITIONS[Filled] == ()


def test_the_filled_quantity_never_falls() -> None:
    """A smaller figure raises; ids once known are kept."""
    order = an_order(an_intent(quantity=5)).moved(Partial(), filled=3, perm_id=7, order_id=8)
    assert (order.filled, order.remaining, order.perm_id, order.broker_order_id) == (3, 2, 7, 8)
    with pytest.raises(IllegalTransitionError, match="cannot fall from 3 to 2"):
        order.moved(Partial(), filled=2)
    kept = order.moved(Partial())
    assert (kept.filled, kept.perm_id, kept.broker_order_id) == (3, 7, 8)


@pytest.mark.parametrize("filled", [-1, 3])
def test_impossible_fills_are_refused(filled: int) -> None:
    """Neither less than none nor more than was ordered."""
    with pytest.raises(InvalidValueError, match="filled must be"):
        an_order(an_intent(quantity=2), filled=filled)


def test_an_order_is_prepared_at_an_aware_time() -> None:
    """A naive time is refused."""
    with pytest.raises(InvalidValueError, match="prepared_at"):
        Order(intent=an_intent(), state=Prepared(), prepared_at=NAIVE)


@pytest.mark.parametrize("state", STATES, ids=lambda state: type(state).__name__)
def test_what_is_not_terminal_may_fill(state: OrderState) -> None:
    """Everything but filled, cancelled and rejected counts at its worst case."""
    order = an_order(an_intent(), state=state)
    assert order.may_fill is not order.is_terminal
    assert order.is_terminal is isinstance(state, Filled | Cancelled | Rejected)


def test_sending_and_cancelling_leave_their_marks() -> None:
    """The moment of the frame is kept."""
    order = an_order(an_intent(), state=Prepared()).with_sent_at(NOON).with_cancel_requested(NOON)
    assert (order.state, order.sent_at, order.cancel_requested_at) == (Sent(), NOON, NOON)


# fills ------------------------------------------------------------------------------------------------------------


def _fill(**changes: object) -> Fill:
    whole: dict[str, object] = {
        "exec_id": "x-1",
        "order_ref": "i-1",
        "perm_id": 7,
        "account": "DU1234567",
        "part": FillPart.WHOLE,
        "instrument": vix_call(20),
        "side": Side.SELL,
        "quantity": 3,
        "price": Decimal("1.20"),
        "at": NOON,
    }
    return Fill(**(whole | changes))  # type: ignore[arg-type]  # test shorthand


def test_a_fill_counts_signed() -> None:
    """Three sold are minus three of their contract; the net of a combo names none."""
    assert (_fill().signed_quantity, _fill().key) == (-3, vix_call(20).key)
    assert _fill(part=FillPart.COMBO, instrument=None).key is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"exec_id": ""}, "exec_id"),
        ({"quantity": 0}, "quantity"),
        ({"price": Decimal("Infinity")}, "price"),
        ({"at": NAIVE}, "at must"),
        ({"instrument": None}, "names no contract"),
        ({"part": FillPart.COMBO}, "names no contract"),
    ],
)
def test_an_execution_that_could_not_have_happened_is_refused(changes: dict[str, object], words: str) -> None:
    """Each fault has its words."""
    with pytest.raises(InvalidValueError, match=words):
        _fill(**changes)


# verdicts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "limit", "passed", "headroom"),
    [("10", "10", True, "0"), ("10.01", "10", False, "-0.01"), ("-5", "0", True, "5")],
)
def test_at_most_passes_its_edge(found: str, limit: str, passed: bool, headroom: str) -> None:  # noqa: FBT001 - a table
    """Exactly the limit passes, and the headroom is exact."""
    checked = Checked.at_most(rule=Rule.ORDER_SIZE, found=Decimal(found), limit=Decimal(limit))
    assert (checked.passed, checked.headroom) == (passed, Decimal(headroom))


@pytest.mark.parametrize(("found", "limit"), [("NaN", "1"), ("1", "NaN"), ("-Infinity", "1"), ("1", "Infinity")])
def test_what_is_not_finite_fails_before_it_is_compared(found: str, limit: str) -> None:
    """Neither side may be anything but a number, and no smaller order would cure it."""
    checked = Checked.at_most(rule=Rule.ORDER_SIZE, found=Decimal(found), limit=Decimal(limit), size_can_cure=True)
    assert (checked.passed, checked.size_can_cure) == (False, False)


def _approved(*checks: Checked, at: datetime = NOON) -> Approved:
    return Approved(  # the value's own validation is under test; orders never leave on it
        intent=an_intent(), checks=checks, book_version=1, kill_epoch=0, given_at=at, valid_until=at
    )


GOOD = Checked.holds(rule=Rule.LOCKS, passed=True, found="none", limit="none")
BAD = Checked.failed(rule=Rule.LOCKS, note="test")


@pytest.mark.parametrize("checks", [(), (BAD,), (GOOD, BAD)])
def test_an_approval_needs_checks_that_all_passed(checks: tuple[Checked, ...]) -> None:
    """Nobody can make one that a failed check contradicts."""
    with pytest.raises(InvalidValueError, match="all of them passed"):
        _approved(*checks)


def test_an_approval_is_given_at_an_aware_time() -> None:
    """A naive time is refused."""
    assert _approved(GOOD).checks == (GOOD,)
    with pytest.raises(InvalidValueError, match="given_at"):
        _approved(GOOD, at=NAIVE)


def test_a_refusal_lists_what_failed() -> None:
    """Checks that passed are recorded, but are no reasons."""
    assert Refused(intent=an_intent(), checks=(GOOD, BAD)).reasons == (BAD,)


def test_the_builders_make_contracts_of_every_class() -> None:
    """A guard for the tests themselves: classes get the symbol that the broker knows them by."""
    contracts: list[Instrument] = [vix_call(20, trading_class="VIXW"), an_option(6800, trading_class="SPXW")]
    assert [one.symbol for one in contracts] == ["VIX", "SPX"]
    assert spread_legs()[0].instrument.strike == 21
