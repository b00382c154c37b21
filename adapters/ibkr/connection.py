"""The link: connect under the fixed client id, synchronise or fail, and tell its loss and return."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from adapters.ibkr.books import Books
from adapters.ibkr.errors import LinkMeaning
from adapters.ibkr.market_data import Streams
from adapters.ibkr.orders import Orders
from adapters.ibkr.settings import BrokerSettings
from adapters.ibkr.tap import TappedIB
from bot.domain.errors import ClientIdInUseError, ConnectivityError, RefusedStartError
from bot.domain.events import AccountMismatched, LinkLost, LinkRestored
from bot.ports import Clock, Sink
from bot.tasks import end_all

CLIENT_ID_IN_USE: Final = 326

_log = logging.getLogger(__name__)


class Link:
    """One connection at a time; the caller decides when to try again."""

    def __init__(
        self,
        *,
        settings: BrokerSettings,
        ib: TappedIB,
        books: Books,
        orders: Orders,
        clock: Clock,
        sink: Sink,
        streams: Streams,
    ) -> None:
        """Take the parts.

        Args:
            settings: Where to connect and as whom.
            ib: The session.
            books: Read while connecting, so that nothing is traded on an unsynchronised book.
            orders: Whose order ids must stay above the broker's.
            clock: Times of events.
            sink: Where loss and return go.
            streams: The lines that a fresh connection opens again.
        """
        self._settings = settings
        self._ib = ib
        self._books = books
        self._orders = orders
        self._clock = clock
        self._sink = sink
        self._streams = streams
        self._is_up = False
        self._was_up = False  # synchronised once: from now on another account is no refused start
        self._mismatch = ""  # as told
        self._id_in_use = False
        self._id_in_use_since: datetime | None = None
        ib.client.apiEnd += self._api_ended

    def is_open(self) -> bool:
        """The transport takes bytes right now."""
        transport = self._ib.client.conn.transport
        return self._ib.client.isReady() and transport is not None and not transport.is_closing()

    async def connect(self) -> None:
        """Connect and synchronise; a part of the start-up answers that does not come is a failed connect.

        Raises:
            ClientIdInUseError: The broker says the id is taken.
            ConnectivityError: No connection, or an incomplete synchronisation.
            RefusedStartError: The gateway does not manage the account of the settings, and never did in this run.
        """
        if self.is_open():
            return
        self._id_in_use = False
        self._ib.TimezoneTWS = self._settings.gateway_zone
        self._ib.wrapper.clientId = self._settings.client_id
        await self._close_old()
        await self._open()
        self._id_in_use_since = None
        try:
            await self._synchronise()
        except ConnectionError as error:
            self.disconnect()
            raise ConnectivityError("the connection broke while connecting") from error
        except BaseException:
            self.disconnect()
            raise
        self._is_up = self._was_up = True
        self._sink(LinkRestored(at=self._clock.now(), why="connected"))
        self._streams.link_up()

    def disconnect(self) -> None:
        """Close the link; questions under way end by an error."""
        self._down("disconnected")
        if self._ib.client.isConnected():
            self._ib.wrapper.connectionClosed()
        self._ib.client.disconnect()

    def told(self, meaning: LinkMeaning, code: int, text: str) -> None:
        """Take what a code says of the link."""
        why = f"{code}: {text}"[:300]
        match meaning:
            case LinkMeaning.LOST:
                if self._is_up:
                    self._is_up = False
                    self._sink(LinkLost(at=self._clock.now(), why=why))
            case LinkMeaning.RESTORED_EMPTY:
                self._restored(why)
                self._streams.resubscribe()
            case LinkMeaning.RESTORED:
                self._restored(why)
            case LinkMeaning.NOTHING:
                pass

    def accounts_told(self, accounts: tuple[str, ...]) -> None:
        """Take which accounts the gateway manages; without ours, in a run that had it, trading is over."""
        why = self._without_ours(accounts)
        if why and self._was_up and why != self._mismatch:
            self._sink(AccountMismatched(at=self._clock.now(), why=why))
        self._mismatch = why

    def doubt(self, why: str) -> None:
        """Ask for a reconciliation: something on the way was lost, and nobody knows what."""
        if self._is_up:
            self._sink(LinkLost(at=self._clock.now(), why=why))
            self._sink(LinkRestored(at=self._clock.now(), why=why))

    def fell_silent(self) -> None:
        """Close a connection behind which nobody answers; while the broker's own line is down, silence is normal."""
        if self._is_up:
            _log.error("the gateway answers nothing although the connection is open: closing it")
            self.disconnect()

    def client_id_refused(self) -> None:
        """Take that the client id is in use."""
        self._id_in_use = True

    async def _synchronise(self) -> None:
        """Check the account, then read everything that trading relies on."""
        self._require_account()
        self._ib.client.reqMarketDataType(self._settings.market_data_type.value)
        self._orders.raise_ids_above(0)
        await self._books.subscribe()
        if not self.is_open():
            raise ConnectivityError("the connection broke while connecting")

    async def _close_old(self) -> None:
        """Wait until the connection before is gone: its end would be taken for that of the new one.

        Raises:
            ConnectivityError: It does not end in time.
        """
        connection = self._ib.client.conn
        if connection.transport is None:
            return
        gone = asyncio.get_running_loop().create_future()

        def on_gone(_message: str) -> None:
            if not gone.done():
                gone.set_result(None)

        connection.disconnected += on_gone
        connection.transport.abort()
        try:
            await asyncio.wait_for(gone, self._settings.connect_timeout_s)
        except TimeoutError as error:
            raise ConnectivityError("the connection before does not end") from error
        finally:
            connection.disconnected -= on_gone

    async def _open(self) -> None:
        """Open the connection; the library would wait out its time-out when the peer closes, so both are watched."""
        settings, client = self._settings, self._ib.client
        closed = asyncio.get_running_loop().create_future()

        def on_closed(_message: str) -> None:
            if not closed.done():
                closed.set_result(None)

        client.conn.disconnected += on_closed
        attempt = asyncio.ensure_future(
            client.connectAsync(settings.host, settings.port, settings.client_id, settings.connect_timeout_s)
        )
        try:
            await asyncio.wait({attempt, closed}, return_when=asyncio.FIRST_COMPLETED)
            if not attempt.done():
                raise self._refused("the gateway closed the connection")
            attempt.result()
        except (OSError, TimeoutError) as error:
            raise self._refused(f"{type(error).__name__}: {error}") from error
        finally:
            client.conn.disconnected -= on_closed
            await end_all((attempt,))

    def _refused(self, why: str) -> ConnectivityError:
        where = f"{self._settings.host}:{self._settings.port}"
        if not self._id_in_use:
            return ConnectivityError(f"no connection to {where}: {why}")
        now = self._clock.now()
        since = self._id_in_use_since = self._id_in_use_since or now
        held_s = (now - since).total_seconds()
        message = f"client id {self._settings.client_id} is in use at {where}, for {held_s:.0f} s now"
        if held_s >= self._settings.id_in_use_alert_s:
            _log.error("%s: end the other session, or restart the gateway", message)
        return ClientIdInUseError(message)

    def _require_account(self) -> None:
        why = self._without_ours(self._ib.client.getAccounts())
        if why:
            raise ConnectivityError(why) if self._was_up else RefusedStartError(why)

    def _without_ours(self, managed: Sequence[str]) -> str:
        """What is wrong with the accounts that the gateway manages, empty where ours is among them."""
        if self._settings.account in managed:
            return ""
        return (
            f"the gateway manages {', '.join(managed)}, expected account {self._settings.account}: "
            "log in with the right user, or correct broker.account"
        )

    def _restored(self, why: str) -> None:
        if self._ib.client.isReady():
            self._is_up = True
            self._sink(LinkRestored(at=self._clock.now(), why=why))

    def _api_ended(self) -> None:
        self._down("the connection broke")

    def _down(self, why: str) -> None:
        self._streams.link_lost()
        if self._is_up:
            self._is_up = False
            self._sink(LinkLost(at=self._clock.now(), why=why))
