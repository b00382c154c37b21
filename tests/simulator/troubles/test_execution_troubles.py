"""What befalls executions, seen at the port: told live, and shown to who asks."""

from decimal import Decimal

from scenes import Scene

from simulator.troubles.fills import LARGEST
from simulator.troubles.kinds import trouble
from simulator.venue import Charged, Executed, PositionChanged


def test_each_execution_is_told_twice() -> None:
    """F36: the same execution and commission, once more; who asks sees one."""
    scene = Scene("duplicate_fill")

    scene.buy()

    first, second = scene.heard.of(Executed)
    assert first == second
    assert len(scene.heard.of(Charged)) == 2
    assert len(scene.floor.executions()) == 1


def test_executions_come_backwards() -> None:
    """F37: after two seconds, the commission before its execution."""
    scene = Scene("reorder_fills", seconds=2)

    scene.buy()
    before = scene.heard.of(Executed)
    scene.wait(3)

    assert before == []
    assert [kind for kind in scene.kinds() if kind != "OrderChanged"] == ["Charged", "Executed"]


def test_a_correction_repeats_the_execution_with_a_higher_suffix() -> None:
    """F38: same root, another price; who asks sees the correction alone."""
    scene = Scene("correct_fill", points=0.25, seconds=5)

    scene.buy()
    scene.wait(6)

    first, second = scene.heard.of(Executed)
    assert (first.exec_id[:-1], first.exec_id[-1], second.exec_id[-1]) == (second.exec_id[:-1], "1", "2")
    assert second.price - first.price == Decimal("0.25")
    assert [each.exec_id for each, _ in scene.floor.executions()] == [second.exec_id]


def test_ids_of_five_segments_stay_joined_to_their_commissions() -> None:
    """F39: the longer id is that of the execution, the commission and the answer to who asks."""
    scene = Scene("five_segments")

    scene.buy_spread()

    ids = [event.exec_id for event in scene.heard.of(Executed)]
    assert {exec_id.count(".") for exec_id in ids} == {4}
    assert sorted(event.exec_id for event in scene.heard.of(Charged)) == sorted(ids)
    assert [(each.exec_id, charged.exec_id) for each, charged in scene.floor.executions()] == list(
        zip(ids, ids, strict=True)
    )


def test_a_bust_takes_the_fill_and_the_position_back() -> None:
    """F40: gone when asked for, and the position is told as it was before."""
    scene = Scene("bust", seconds=5)

    scene.buy()
    held = [each.quantity for each in scene.floor.positions() if each.instrument == scene.future]
    scene.wait(6)

    assert held == [1]
    assert scene.floor.executions() == ()
    assert [each for each in scene.floor.positions() if each.instrument == scene.future] == []
    assert scene.heard.of(PositionChanged)[-1].quantity == 0


def test_a_replay_tells_the_day_again() -> None:
    """F41: the same executions and commissions, at once."""
    scene = Scene()
    scene.buy()
    told = [event for event in scene.heard if isinstance(event, (Executed, Charged))]

    scene.floor.inject(trouble("replay"))

    assert [event for event in scene.heard if isinstance(event, (Executed, Charged))] == told + told


def test_commissions_come_late_or_never() -> None:
    """F42: a minute later; with 0 only who asks learns them."""
    late, never = Scene("late_commission", seconds=60), Scene("late_commission", seconds=0)
    for scene in (late, never):
        scene.buy()
    before = late.heard.of(Charged)
    for scene in (late, never):
        scene.wait(61)

    assert before == []
    assert len(late.heard.of(Charged)) == 1
    assert never.heard.of(Charged) == []
    assert len(never.floor.executions()) == 1


def test_commissions_without_numbers() -> None:
    """F42: the largest double stands for what is not set."""
    scene = Scene("unset_commission")

    scene.buy()

    assert [(each.commission_usd, each.realized_usd) for each in scene.heard.of(Charged)] == [(LARGEST, LARGEST)]
