"""The smaller size that the gate offers for an order that is too large: which sizes are tried, and which is told."""

from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.decision import Checked, Refused, Rule
from bot.domain.orders import OrderIntent
from risk.gate import Gate
from risk.scene import Scene
from tests.builders import FEES, a_plan
from tests.risk.scenes import LIMITS, a_build, calm_noon
from tests.risk.share_scenes import a_share_build

CONTRACTS, SHARES = 100, 1000
"""The largest orders by default."""


@dataclass(slots=True)
class Sizes:
    """A rule that lets some sizes pass, and knows which orders it was asked about."""

    passing: frozenset[int]
    rule: Rule = Rule.ORDER_SIZE
    asked: list[OrderIntent] = field(default_factory=list)

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Let it pass or not."""
        self.asked.append(intent)
        passed, limit = intent.quantity in self.passing, f"some sizes on {scene.today}"
        return Checked(self.rule, passed=passed, found=intent.quantity, limit=limit, size_can_cure=True)


def offered(order: OrderIntent, sizes: Sizes) -> int:
    """The smaller size of which a refused order is told."""
    (verdict,) = Gate(LIMITS, FEES, checks=(sizes,)).review(a_plan(order), calm_noon())
    assert isinstance(verdict, Refused)
    return verdict.largest_quantity


def up_to(size: int) -> Sizes:
    """A rule that lets every size up to one pass."""
    return Sizes(passing=frozenset(range(1, size + 1)))


@given(quantity=st.integers(1, 130), passing=st.frozensets(st.integers(1, 132)))
@example(quantity=5, passing=frozenset({3, 6}))
@example(quantity=6, passing=frozenset({1, 4}))
@example(quantity=130, passing=frozenset({100, 101, 129}))
def test_of_contracts_the_largest_smaller_size_is_told_whichever_sizes_pass(
    quantity: int, passing: frozenset[int]
) -> None:
    """Never the size that was refused or a larger one, none beyond the limit per leg, 0 where none passes."""
    smaller = {size for size in passing if size < quantity and size <= CONTRACTS}
    assert offered(a_build(quantity), Sizes(passing=passing - {quantity})) == max(smaller, default=0)


@pytest.mark.parametrize("most", [0, 1, 2, 3, 9, 10, 11, 18, 19, 20, 500, 501, 998, 999, 1000, 1001, 1500])
@pytest.mark.parametrize("quantity", [2, 101, 150, 201, 1000, 1001, 2000])
def test_of_shares_the_largest_smaller_size_is_told_whatever_the_limit(most: int, quantity: int) -> None:
    """Every size up to some passes: the search in two passes ends at exactly that one, or at the most there may be."""
    passing = min(most, quantity - 1)
    assert offered(a_share_build(quantity), up_to(passing)) == min(passing, SHARES)


@pytest.mark.parametrize("most", [0, 1, 57, 99, 100])
def test_no_more_sizes_of_contracts_are_tried_than_an_order_may_have(most: int) -> None:
    """However large the order that was asked for, no size beyond the limit per leg is tried, and none twice."""
    sizes = up_to(most)
    offered(a_build(100_000), sizes)
    tried = [one.quantity for one in sizes.asked[1:]]
    assert tried == sorted(set(tried), reverse=True)
    assert max(tried) == CONTRACTS


@pytest.mark.parametrize("most", [0, 1, 57, 505, 999, 1000])
def test_of_many_shares_few_sizes_are_tried(most: int) -> None:
    """Ten times as many shares as contracts: no more tries than contracts and one step between two, and none twice."""
    sizes = up_to(most)
    offered(a_share_build(100_000), sizes)
    tried = [one.quantity for one in sizes.asked[1:]]
    assert len(tried) == len(set(tried))
    assert len(tried) <= CONTRACTS + SHARES // CONTRACTS
    assert max(tried) == SHARES


def test_every_smaller_size_is_judged_at_its_share_of_the_cost() -> None:
    """Twelve may cost 30 USD at worst, so that each of them is judged at 2.50 USD, and nothing else is changed."""
    order, sizes = replace(a_build(12), worst_cost_usd=Decimal(30)), up_to(2)
    assert offered(order, sizes) == 2
    smaller = sizes.asked[1:]
    assert [one.quantity for one in smaller] == list(range(11, 1, -1))
    for one in smaller:
        assert one == replace(order, quantity=one.quantity, worst_cost_usd=Decimal("2.50") * one.quantity)
