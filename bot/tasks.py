"""Ending tasks for good: on Python 3.11 a cancel is lost when what the task waits for arrives in the same instant."""

import asyncio
from collections.abc import Iterable
from typing import Any

ASK_AGAIN_S = 0.2


async def end_all(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Cancel tasks until every one of them has ended; what they raised stays with them.

    `asyncio.wait_for` of Python 3.11 swallows a cancel that comes together with the result; a task that loops would
    then go on, and whoever waits for its end would wait for ever. So it is asked again.
    """
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=ASK_AGAIN_S)
