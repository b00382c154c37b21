"""Our own wing rolls in the books: condors stay condors on the way, the credit follows, the entry stays what it was."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import permutations

import pytest

from bot.domain.events import BooksReconciled, FillReported, SessionClosed, WingStrikesListed
from bot.domain.instrument import Side
from bot.domain.orders import Fill, FillPart, OrderIntent
from bot.domain.portfolio import Book, Position, Provenance, StatedCredit
from bot.signals.dispersion import DispersionTracker
from bot.signals.settings import DispersionSettings
from bot.state import BotState
from tests.bot.engine_parts import restored
from tests.builders import (
    ACCOUNT,
    FEES,
    NOON,
    TODAY,
    a_session,
    an_account,
    an_intent,
    an_order,
)
from tests.wing_rolls import BOUGHT, CONDOR, NEW, SOLD, TEN, UNITS, WHOLE, a_roll, told_of

(STATED,) = TEN.opening.credits
FEES_USD = Decimal("2.80") * UNITS


def _state(intent: OrderIntent, stated: Sequence[StatedCredit] = (STATED,)) -> BotState:
    """Ten condors that were adopted, and a roll of four of their wings at the broker."""
    state = BotState(tracker=DispersionTracker(DispersionSettings()), stated_credits=stated, fees=FEES)
    order = an_order(intent)
    state.apply(restored(order))
    signs = (1, -1, -1, 1)
    held = tuple(Position(instrument=leg, quantity=sign * 10) for leg, sign in zip(CONDOR.legs, signs, strict=True))
    state.apply(BooksReconciled(at=NOON, positions=held, account=an_account(), orders=(order,)))
    return state


def _book(state: BotState) -> Book:
    return state.snapshot(NOON).book


@pytest.mark.parametrize("told", list(permutations((WHOLE, SOLD, BOUGHT))))
def test_a_roll_never_looks_half_done(told: tuple[Fill, ...]) -> None:
    """After each of its executions, whichever comes first, all legs fit condors and the entry is the old one."""
    state = _state(a_roll())
    entry = _book(state).cohorts[0]
    for fill in told:
        state.apply(FillReported(at=NOON, fill=fill))
        book = _book(state)
        assert book.unmatched == ()
        assert sorted(condor.count for condor in book.condors) == [UNITS, 10 - UNITS]
        (cohort,) = book.cohorts
        assert cohort.maximum_loss_usd == entry.maximum_loss_usd
        assert (cohort.put_wing_points, cohort.call_wing_points) == (25, 25)
        assert cohort.credit_usd == STATED.credit_usd - FEES_USD
    assert _book(state).quantity(NEW.key) == UNITS


@pytest.mark.parametrize(("limit", "bought", "debit"), [("0.30", "20.30", 120), ("-0.35", "19.60", 0)])
def test_a_debit_lowers_a_stated_credit_and_a_credit_does_not_raise_it(limit: str, bought: str, debit: int) -> None:
    """The statement is about the old strikes; debit and fees come off it, and it stays the operator's word."""
    state = _state(a_roll(limit))
    net = str(Decimal(bought) - Decimal(20))
    for fill in (
        told_of(FillPart.COMBO, Side.BUY, net),
        SOLD,
        told_of(FillPart.LEG, Side.BUY, bought),
    ):
        state.apply(FillReported(at=NOON, fill=fill))
    (cohort,) = _book(state).cohorts
    assert cohort.credit_usd == STATED.credit_usd - debit - FEES_USD
    assert (cohort.provenance, cohort.opened_on) == (Provenance.OPERATOR, STATED.opened_on)
    assert f"{debit}.00 paid" in cohort.words or not debit


def test_what_is_not_told_yet_counts_at_the_limit() -> None:
    """The net alone was told, better than the limit: until the legs are there the limit is what it cost."""
    state = _state(a_roll("0.30"))
    state.apply(FillReported(at=NOON, fill=told_of(FillPart.COMBO, Side.BUY, "0.10")))
    assert _book(state).cohorts[0].credit_usd == STATED.credit_usd - Decimal("0.30") * 100 * UNITS - FEES_USD


def test_condors_that_nobody_states_count_for_nothing() -> None:
    """Found in the account, without a statement: estimated, no credit, and the wings of the entry are known."""
    (cohort,) = _book(_state(a_roll(), stated=())).cohorts
    assert (cohort.credit_usd, cohort.provenance, cohort.opened_on) == (0, Provenance.ESTIMATED, TODAY)
    assert cohort.put_wing_points == 25


def test_condors_opened_by_executions_alone_need_no_statement() -> None:
    """A person opened them at a terminal: what the four legs brought, less their fees."""
    state = BotState(tracker=DispersionTracker(DispersionSettings()), fees=FEES)
    state.apply(BooksReconciled(at=NOON, positions=(), account=an_account(), orders=()))
    for leg, price in zip(CONDOR.legs, ("20.00", "22.00", "9.00", "7.20"), strict=True):
        side = Side.BUY if leg in (CONDOR.long_put, CONDOR.long_call) else Side.SELL
        fill = Fill(
            exec_id=leg.key,
            order_ref="",
            perm_id=9,
            account=ACCOUNT,
            part=FillPart.LEG,
            instrument=leg,
            side=side,
            quantity=10,
            price=Decimal(price),
            at=NOON,
        )
        state.apply(FillReported(at=NOON, fill=fill))
    (cohort,) = _book(state).cohorts
    assert (cohort.credit_usd, cohort.provenance) == (Decimal(3800) - 40 * Decimal("1.40"), Provenance.OWN_FILLS)
    assert cohort.maximum_loss_usd == 25_000 - 3_800


def test_the_last_roll_is_remembered_filled_or_not() -> None:
    """Its moment bounds the next one; without any there is none."""
    assert _book(_state(a_roll())).last_roll_at == NOON
    hedge = an_intent(intent_id="hedge")
    assert _book(_state(hedge)).last_roll_at is None


def test_the_strikes_to_watch_replace_those_before_and_ask_for_no_plan() -> None:
    """Their quotes come first, and the timer plans."""
    state = _state(a_roll())
    assert state.apply(WingStrikesListed(at=NOON, instruments=(NEW,))) is False
    assert list(state.snapshot(NOON).wing_strikes) == [NEW.key]
    state.apply(WingStrikesListed(at=NOON, instruments=()))
    assert state.snapshot(NOON).wing_strikes == {}


def test_the_strikes_to_watch_do_not_outlive_their_session() -> None:
    """The next session is looked at anew."""
    state = _state(a_roll())
    state.apply(WingStrikesListed(at=NOON, instruments=(NEW,)))
    state.apply(SessionClosed(at=NOON, session=a_session()))
    assert state.snapshot(NOON).wing_strikes == {}
