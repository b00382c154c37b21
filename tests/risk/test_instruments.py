"""How many different contracts the sleeve may consist of: what counts once, what counts at all, what passes."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.decision import Checked, Refused, Rule
from bot.domain.instrument import Instrument
from bot.domain.orders import OrderIntent
from bot.domain.portfolio import Position
from bot.domain.snapshot import Snapshot
from tests.builders import a_future, an_intent, an_order, buys, sells, vix_call
from tests.risk.scenes import (
    LIMITS,
    a_build,
    an_unwind,
    calm_noon,
    checked_by,
    holding,
    rules_against,
    verdict_on,
    with_book,
)

pytestmark = pytest.mark.control("C18")


def held(*instruments: Instrument) -> Snapshot:
    """One of each of these and nothing else."""
    positions = {one.key: Position(instrument=one, quantity=1) for one in instruments}
    return with_book(calm_noon(), positions=positions)


def bought(instrument: Instrument, intent_id: str = "i-1") -> OrderIntent:
    """A purchase of three of a contract."""
    return an_intent((buys(instrument),), quantity=3, limit="1.00", intent_id=intent_id)


def judged(intent: OrderIntent, snapshot: Snapshot, most: int = 3, **scene: Any) -> Checked:
    """What the rule finds when so many contracts are allowed."""
    return checked_by(Rule.INSTRUMENTS, intent, snapshot, limits=replace(LIMITS, max_instruments=most), **scene)


@pytest.mark.parametrize("strikes", [1, 2, 3, 4])
def test_as_many_as_allowed_pass_and_not_one_more(strikes: int) -> None:
    """Of three, a third is bought beside two, and no fourth beside three; the size does not matter."""
    checked = judged(bought(vix_call(30)), held(*(vix_call(20 + one) for one in range(strikes))))
    assert (checked.passed, checked.found, checked.limit) == (strikes < 3, strikes + 1, 3)
    assert not checked.size_can_cure


def test_each_contract_counts_once_held_on_its_way_and_ordered() -> None:
    """Both legs of a spread; a future like an option; what is held and ordered at once is one."""
    snapshot = held(vix_call(21), a_future("VX"))
    assert judged(a_build(), snapshot).found == 3  # strikes 21 and 26
    buying = an_order(bought(vix_call(30), "b"))
    assert judged(a_build(), with_book(snapshot, orders={"b": buying})).found == 4
    assert judged(a_build(), snapshot, earlier=(bought(vix_call(30), "e"),)).found == 4


def test_what_has_settled_and_what_is_no_sleeve_counts_for_nothing() -> None:
    """The condors of the account, and contracts of last month."""
    condors = [one.instrument for one in calm_noon().book.positions.values() if one.instrument.symbol == "SPX"]
    assert len(condors) >= 4
    assert judged(a_build(), held(*condors)).found == 2
    old = vix_call(20)
    assert old.settlement is not None
    late = replace(held(old), now=calm_noon().now + timedelta(days=90))
    assert judged(bought(vix_call(21)), late).found == 1


def test_an_order_that_adds_none_passes_above_the_limit() -> None:
    """The limit was tightened below what is held: more of the same is no further contract, another one is refused."""
    full = held(*(vix_call(20 + one) for one in range(5)))
    assert judged(bought(vix_call(20)), full).note == "no contract is added"
    assert judged(an_intent((sells(vix_call(20)),)), full).passed
    assert not judged(bought(vix_call(30)), full).passed


def test_what_only_closes_passes_also_where_a_leg_is_hidden_in_the_account() -> None:
    """Lots say what is sold: the position of a leg may be netted away by another layer's."""
    snapshot = holding(units=2)
    hidden = {
        key: one for key, one in snapshot.book.positions.items() if one.instrument != a_build().legs[1].instrument
    }
    checked = judged(an_unwind(2), with_book(snapshot, positions=hidden), most=1)
    assert (checked.passed, checked.note) == (True, "closes only")


def test_the_gate_asks_the_rule() -> None:
    """A purchase that the reference book allows is refused when no further contract may be held."""
    verdict = verdict_on(a_build(), limits=replace(LIMITS, max_instruments=1))
    assert isinstance(verdict, Refused)
    assert rules_against(verdict) == {Rule.INSTRUMENTS}
