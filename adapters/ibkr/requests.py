"""Questions to the broker: each waits for the budget, has its own deadline, and ends by an error of its own.

The library's futures are used, but not its patience: after 321 it would wait for ever, and after a time-out it would
return an empty answer. What always holds: `ask` returns the complete answer or raises.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from adapters.ibkr.errors import request_error
from adapters.ibkr.pacing import FrameBudget
from adapters.ibkr.tap import TappedIB
from bot.domain.errors import ConnectivityError
from bot.ports import Clock


class Requests:
    """The questions under way."""

    def __init__(
        self,
        *,
        ib: TappedIB,
        budget: FrameBudget,
        clock: Clock,
        timeout_s: float,
        on_silence: Callable[[], None],
    ) -> None:
        """Start with none.

        Args:
            ib: The session.
            budget: The message budget.
            clock: Its sleep is used while the budget is used up.
            timeout_s: The deadline of each answer, in seconds.
            on_silence: Called when a vital question found no answer and nothing else was heard meanwhile either: the
                socket looks healthy, and nobody is behind it.
        """
        self._ib = ib
        self._budget = budget
        self._clock = clock
        self._timeout_s = timeout_s
        self._on_silence = on_silence
        self._heard = 0
        self._pending: dict[int, tuple[str, asyncio.Future[Any]]] = {}

    async def ask(
        self, what: str, send: Callable[[int], object], *, key: str = "", is_vital: bool = False
    ) -> list[Any]:
        """Return the rows of one answer.

        Args:
            what: The question, for messages.
            send: Writes the frame; takes the request id.
            key: The library's name of an answer that carries no request id ("positions"); such questions are asked
                one at a time by their caller.
            is_vital: The gateway answers this from its own memory: silence means that it is gone.

        Raises:
            ConnectivityError: Not connected, no answer in time, or a code after which asking again may help.
            BrokerRejectedError: The broker refuses.
        """
        await self._budget.room(self._clock.sleep)
        self._require_open(what)
        req_id = self._ib.client.getReqId()
        future = self._ib.wrapper.startReq(key or req_id)
        self._pending[req_id] = (what, future)
        heard = self._heard
        try:
            send(req_id)
            return list(await asyncio.wait_for(future, self._timeout_s))
        except TimeoutError as error:
            if is_vital and self._heard == heard and not await self._is_alive():
                self._on_silence()
            raise ConnectivityError(f"{what}: no answer within {self._timeout_s} s") from error
        except ConnectionError as error:
            raise ConnectivityError(f"{what}: the connection broke") from error
        finally:
            del self._pending[req_id]
            if key:
                self._drop(key)

    async def gateway_time(self) -> datetime:
        """Return the gateway's own time, aware UTC, to the second.

        Raises:
            ConnectivityError: Not connected, or no answer in time.
        """
        self._require_open("the current time")
        told = self._ib.wrapper.startReq("currentTime")
        try:
            self._ib.client.reqCurrentTime()
            moment: datetime = await asyncio.wait_for(told, self._timeout_s)
        except (TimeoutError, ConnectionError) as error:
            raise ConnectivityError(f"the current time: no answer within {self._timeout_s} s") from error
        return moment.astimezone(UTC)

    def failed(self, req_id: int, code: int, text: str) -> bool:
        """End the question that an error names; False when it names none."""
        if req_id not in self._pending:
            return False
        what, future = self._pending[req_id]
        error = request_error(what, code, text)
        if error is not None and not future.done():
            future.set_exception(error)
            self._drop(req_id)
        return True

    def heard(self) -> None:
        """Take that the gateway said something, whatever it was."""
        self._heard += 1

    async def _is_alive(self) -> bool:
        """Ask for the time; return whether anything at all was heard."""
        if not self._ib.client.isReady():
            return True  # the loss was noticed already
        heard = self._heard
        told = self._ib.wrapper.startReq("currentTime")
        try:
            self._ib.client.reqCurrentTime()
            await asyncio.wait_for(told, self._timeout_s)
        except (TimeoutError, ConnectionError):
            return self._heard != heard
        return True

    def _require_open(self, what: str) -> None:
        if not self._ib.client.isReady():
            raise ConnectivityError(f"{what}: not connected")

    def _drop(self, key: str | int) -> None:
        """Forget a question that ended without its end marker."""
        self._ib.wrapper._futures.pop(key, None)  # noqa: SLF001 - the library has no other way to give a request up
        self._ib.wrapper._results.pop(key, None)  # noqa: SLF001 - likewise
