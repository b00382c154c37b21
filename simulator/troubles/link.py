"""The link's troubles: what a gateway does to its connections, its port and its notices, now and later.

How it works. `Link.inject` carries out a trouble of the link at once and notes on the loop what follows of it. Troubles
that last are kept in `Link.lasting`; the server asks it at every write (`concerning`) and read (`is_deaf`).
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol

from simulator.troubles.floor import TroubledFloor
from simulator.troubles.kinds import ANY_CLIENT, Trouble
from simulator.troubles.passage import LASTING, REWRITING
from simulator.tws.desk import Desk
from simulator.tws.session import Session

LIVE, FROZEN, DELAYED = 1, 2, 3
NOTICES: Final[Mapping[int, str]] = {
    1100: "Connectivity between the broker and the gateway has been lost.",
    1101: "Connectivity has been restored - data lost.",
    1102: "Connectivity has been restored - data maintained.",
    2103: "Market data farm connection is broken:usfarm",
    2104: "Market data farm connection is OK:usfarm",
    2105: "HMDS data farm connection is broken:ushmds",
    2106: "HMDS data farm connection is OK:ushmds",
    2110: "Connectivity between the gateway and its server is broken. It will be restored automatically.",
    10197: "No market data during competing live session",
}
_FARMS: Final = {"market": (2103, 2104), "history": (2105, 2106)}
_STORM: Final = (1100, 1100, 1102)
_STORM_EVERY_S: Final = 0.1


class Cut(Protocol):
    """A connection as the link's troubles see it."""

    session: Session

    def reset(self) -> None:
        """End it in the middle of a frame, without a word."""
        ...


class Port(Protocol):
    """A server as the link's troubles see it."""

    def connections(self) -> Iterable[Cut]:
        """Everybody who is connected."""
        ...

    def close_port(self) -> None:
        """Refuse connections; who is connected stays."""
        ...

    def open_port(self) -> None:
        """Take connections again."""
        ...

    def flush(self) -> None:
        """Write what the sessions have to say."""
        ...


class Link:
    """Carries out the troubles of one gateway; those of orders, executions and data go on to its floor."""

    def __init__(self, desk: Desk, floor: TroubledFloor) -> None:
        """Begin without troubles; `serve` names the server."""
        self._desk = desk
        self._floor = floor
        self._port: Port | None = None
        self._versions: list[str] = []
        self._timers: set[asyncio.TimerHandle] = set()
        self._acts: Mapping[str, Callable[[Trouble], None]] = self._act_table()
        self.lasting: list[Trouble] = []

    def __repr__(self) -> str:
        """What lasts, for failing tests."""
        return f"Link({', '.join(map(str, self.lasting))}; {self._floor!r})"

    def serve(self, port: Port) -> None:
        """Act on a server's connections."""
        self._port = port

    # Asked by the server

    def concerning(self, client_id: int) -> tuple[Trouble, ...]:
        """Return the lasting troubles that what is written to a client goes through."""
        return tuple(each for each in self.lasting if each.concerns(client_id))

    def is_deaf(self, client_id: int) -> bool:
        """Whether nothing that a client sends arrives."""
        return any(
            each.kind.name in {"half_open", "login_needed"} and each.concerns(client_id) for each in self.lasting
        )

    def take_version(self) -> str | None:
        """Return and forget the version with which the next handshake is answered, or None for the true one."""
        return self._versions.pop(0) if self._versions else None

    # Troubles

    def inject(self, trouble: Trouble) -> None:
        """Let a trouble of any area happen or wait."""
        act = self._acts.get(trouble.kind.name)
        if act is not None:
            act(trouble)
        else:
            self._floor.inject(trouble)
        if trouble.kind.name == "frozen":
            self._tell_data_type(FROZEN, trouble)
            self._later(trouble.number("seconds"), lambda: self._tell_data_type(LIVE, trouble))
        self._flush()

    @property
    def active(self) -> tuple[Trouble, ...]:
        """What lasts or waits, of all areas."""
        return (*self.lasting, *self._floor.active)

    def clear(self) -> None:
        """End what lasts or waits: the port is open, no id is held, ticks flow."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._versions.clear()
        for trouble in tuple(self.lasting):
            self._end(trouble)
        self._desk.held_ids.clear()
        self._desk.second_sessions.clear()
        self._floor.resume()
        self._floor.clear()
        if self._port is not None:
            self._port.open_port()
        self._flush()

    # Acts

    def _act_table(self) -> dict[str, Callable[[Trouble], None]]:
        return {
            **dict.fromkeys((*LASTING, *REWRITING), self._begin),
            "refuse": self._refuse,
            "reset": self._reset,
            "disconnect": self._disconnect,
            "second_session": lambda trouble: self._desk.second_sessions.append(trouble.whole("client")),
            "hold_id": self._hold_id,
            "release_id": self._release_id,
            "wrong_version": lambda trouble: self._versions.append(trouble.text("version")),
            "data_lost": lambda trouble: self._outage(trouble, 1101),
            "data_kept": lambda trouble: self._outage(trouble, 1102),
            "storm": self._storm,
            "farm_down": self._farm_down,
            "competing": self._competing,
            "nightly_reset": self._nightly_reset,
            "login_needed": self._login_needed,
            "delayed": self._delayed,
            "code": lambda trouble: self._notify(trouble.whole("code"), trouble.text("text")),
        }

    def _begin(self, trouble: Trouble) -> None:
        self.lasting.append(trouble)
        lasts = dict(trouble.settings).get("seconds", 0.0)
        if trouble.kind.name not in {"delay", "drip", "split"}:  # their seconds are no length
            self._later(float(lasts), lambda: self._end(trouble))

    def _end(self, trouble: Trouble) -> None:
        if trouble in self.lasting:
            self.lasting.remove(trouble)
            if trouble.kind.name == "delayed":
                self._tell_data_type(LIVE, trouble)

    def _refuse(self, trouble: Trouble) -> None:
        if self._port is not None:
            self._port.close_port()
            self._later(trouble.number("seconds"), self._port.open_port)

    def _reset(self, trouble: Trouble) -> None:
        for connection in self._connections():
            if trouble.concerns(connection.session.client_id):
                connection.reset()

    def _disconnect(self, trouble: Trouble) -> None:
        for connection in self._connections():
            if trouble.concerns(connection.session.client_id):
                connection.session.close("disconnected by a fault")

    def _hold_id(self, trouble: Trouble) -> None:
        client_id = trouble.whole("client")
        self._desk.held_ids.add(client_id)
        self._disconnect(trouble)
        self._later(trouble.number("seconds"), lambda: self._desk.held_ids.discard(client_id))

    def _release_id(self, trouble: Trouble) -> None:
        client_id = trouble.whole("client")
        self._desk.held_ids.difference_update(tuple(self._desk.held_ids) if client_id == ANY_CLIENT else (client_id,))

    def _outage(self, trouble: Trouble, back: int) -> None:
        self._notify(1100)
        self._later(trouble.number("seconds"), lambda: self._notify(back), least=0.0)

    def _storm(self, trouble: Trouble) -> None:
        for number in range(trouble.whole("count")):
            code = _STORM[number % len(_STORM)]
            self._later(number * _STORM_EVERY_S, lambda code=code: self._notify(code), least=0.0)  # type: ignore[misc]  # bound for each notice

    def _farm_down(self, trouble: Trouble) -> None:
        broken, back = _FARMS[trouble.text("farm")]
        self._notify(broken)
        self._later(trouble.number("seconds"), lambda: self._notify(back))

    def _competing(self, trouble: Trouble) -> None:
        for session in self._sessions():
            for req_id in session.streams():
                session.tell_code(req_id, 10197, NOTICES[10197])
        self._floor.begin(trouble)

    def _nightly_reset(self, trouble: Trouble) -> None:
        self._notify(1100)
        self._flush()
        self._floor.pause()
        for session in self._sessions():
            session.close("nightly reset")
        self._refuse(trouble)
        self._later(trouble.number("seconds"), self._floor.resume)

    def _login_needed(self, trouble: Trouble) -> None:
        for session in self._sessions():
            session.close("login needed")
        self._flush()
        self._begin(trouble)

    def _delayed(self, trouble: Trouble) -> None:
        self._begin(trouble)
        self._tell_data_type(DELAYED, trouble)

    # Parts

    def _notify(self, code: int, text: str = "") -> None:
        """Tell all clients a code of the connection; after 1101 no stream goes on."""
        for session in self._sessions():
            if code == 1101:
                session.end_streams()
            session.tell_code(-1, code, text or NOTICES.get(code, "injected notice"))

    def _tell_data_type(self, data_type: int, trouble: Trouble) -> None:
        wanted = str(dict(trouble.settings).get("symbol", ""))
        for session in self._sessions():
            for req_id, instrument in session.streams().items():
                if wanted in {"", instrument.symbol}:
                    session.tell_data_type(req_id, data_type)

    def _later(self, seconds: float, act: Callable[[], None], *, least: float | None = None) -> None:
        """Act in so many seconds of the loop; 0 means never, unless ``least`` says how soon."""
        if seconds <= 0 and least is None:
            return
        loop = asyncio.get_running_loop()

        def now() -> None:
            self._timers.discard(timer)
            act()
            self._flush()

        timer = loop.call_later(seconds, now)
        self._timers.add(timer)

    def _connections(self) -> tuple[Cut, ...]:
        return () if self._port is None else tuple(self._port.connections())

    def _sessions(self) -> tuple[Session, ...]:
        return tuple(connection.session for connection in self._connections())

    def _flush(self) -> None:
        if self._port is not None:
            self._port.flush()
