"""The tape: prints fall on the same steps however they are looked for."""

from floors import SPY, a_call, a_floor, a_future
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.instrument import VIX
from simulator.world import tape

OPENED = a_floor()
CONTRACTS = (SPY, a_call(OPENED), a_future(OPENED), a_future(OPENED, "VX"))
STEPS = 1621


@given(
    st.sampled_from(CONTRACTS),
    st.integers(0, STEPS - 1),
    st.integers(0, 2**31),
    st.sampled_from([1.0, tape.NIGHT_PACE]),
)
def test_the_next_print_is_the_first_of_those_to_come(contract: object, step: int, seed: int, pace: float) -> None:
    """Looked for forward from any step or backward from the end, the prints are the same."""
    backward = sorted(tape.print_steps(contract, STEPS - 1, STEPS, seed=seed, pace=pace))
    first = next((at for at in backward if at >= step), None)

    found = tape.next_print(contract, step, STEPS, seed=seed, pace=pace)

    assert found == first if first is not None else found >= STEPS
    assert tape.prints_at(contract, step, STEPS, seed=seed, pace=pace) == (step in backward)


def test_what_has_no_tape_has_no_next_print() -> None:
    """An index is never traded."""
    assert tape.next_print(VIX, 3, STEPS, seed=1) == STEPS
    assert not tape.prints_at(VIX, 3, STEPS, seed=1)
