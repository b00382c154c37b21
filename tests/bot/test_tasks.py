"""A task that swallows a cancel is ended all the same."""

import asyncio

from bot.tasks import end_all


async def test_a_task_that_swallows_its_first_cancels_is_ended() -> None:
    """Three lost cancels do not keep a task alive."""
    swallowed = 0

    async def stubborn() -> None:
        nonlocal swallowed
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if swallowed == 3:
                    raise
                swallowed += 1

    task = asyncio.ensure_future(stubborn())
    await asyncio.sleep(0)
    await end_all([task])
    assert (task.cancelled(), swallowed) == (True, 3)


async def test_what_a_task_raised_stays_with_it() -> None:
    """A failed and a finished task are no reason to wait or to raise."""

    async def fails() -> None:
        raise ValueError("its own affair")

    async def ends() -> None:
        return

    tasks = [asyncio.ensure_future(fails()), asyncio.ensure_future(ends())]
    await asyncio.sleep(0)
    await end_all(tasks)
    assert isinstance(tasks[0].exception(), ValueError)
