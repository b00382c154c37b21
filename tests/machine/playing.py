"""Plays worlds by chance: which steps each kind of world has, how often they come, and which world a seed is."""

from random import Random

from bot.hedging.condor.settings import WingMode
from bot.hedging.stewardship.settings import Autonomy
from tests.machine.market import MarketWorld
from tests.machine.wishing import WishingWorld
from tests.machine.world import World

SHARED = {
    "arrive": 12,
    "trade": 12,
    "end_order": 6,
    "correct": 3,
    "say_again": 4,
    "deliver": 24,
    "trade_by_hand": 1,
    "lose_link": 1,
    "restore_link": 6,
    "reconcile": 14,
    "crash": 2,
    "doom_next_frame": 3,
    "kill": 1,
    "reduce_only": 2,
    "restrain": 1,
    "command": 24,
    "change_feed": 2,
    "refresh": 16,
    "spoil_quote": 5,
    "spoil_account": 2,
    "pass_time": 12,
}
WISHING = {
    "want_spread": 12,
    "want_call": 5,
    "want_future": 2,
    "want_sale": 6,
    "want_roll": 3,
    "want_nonsense": 4,
    "want_two": 4,
}
MOVING = {
    "drift": 8,
    "look_on": 14,
    "widen": 2,
    "next_session": 6,
}
STEPS = {**WISHING, **SHARED}
"""Every step of a world that wishes and how often it comes, in shares."""
STEPS_OF_MARKET = {**MOVING, **SHARED, "deliver": 40, "trade": 20, "spoil_quote": 2}
"""Those of a world in which the real planner decides: what it wants comes seldom, and should get somewhere."""


def is_moving(seed: int) -> bool:
    """Every third world is one of the real planner."""
    return seed % 3 == 2


def world_of(seed: int) -> World:
    """Return the world of a seed: with one key or two, and where the planner is the real one, acting or asking."""
    keys = 1 + seed % 2
    if not is_moving(seed):
        return WishingWorld(keys_required=keys)
    number = seed // 3
    return MarketWorld(
        keys_required=keys,
        autonomy=Autonomy.APPROVE if number % 5 in (1, 3) else Autonomy.AUTO,
        wings=WingMode.AUTO if number % 4 < 2 else WingMode.PROPOSE,
        calls_each=1 + 2 * (number % 3 == 0),
    )


def played(seed: int, steps: int) -> World:
    """Play so many steps by chance and return the world; the same seed plays the same."""
    chance, world = Random(seed), world_of(seed)
    table = STEPS_OF_MARKET if is_moving(seed) else STEPS
    names, shares = tuple(table), tuple(table.values())
    for _ in range(steps):
        world.step(chance.choices(names, shares)[0], chance)
    world.disk.verify_all()
    return world
