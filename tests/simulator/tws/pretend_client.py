"""A client of our own for the session without I/O: writes raw frames, reads raw frames, counts every field."""

import struct
from collections.abc import Iterable

from bot.domain.instrument import Instrument
from simulator.opening import OpenedFloor
from simulator.tws.desk import Desk
from simulator.tws.line import Close, Note, Write
from simulator.tws.session import Session

CONTRACT_FIELDS = 12
UNSET = "1.7976931348623157E308"


def packed(*fields: object) -> bytes:
    """Return one frame as a client writes it, independent of the simulator's own framing."""
    payload = "".join(f"{field}\0" for field in fields).encode()
    return struct.pack(">I", len(payload)) + payload


def unpacked(data: bytes) -> list[list[str]]:
    """Return the frames in a stream of bytes, each field of each frame; the stream must end with a frame."""
    frames = []
    while data:
        (size,) = struct.unpack_from(">I", data)
        payload, data = data[4 : 4 + size], data[4 + size :]
        assert len(payload) == size
        assert payload.endswith(b"\0")
        frames.append(payload.decode("ascii").split("\0")[:-1])
    return frames


class PretendClient:
    """One session with its effects sorted."""

    def __init__(self, desk: Desk) -> None:
        """Open a session that has not greeted."""
        self.session = Session(desk)
        self.writes: list[bytes] = []
        self.notes: list[str] = []
        self.closed: list[str] = []

    def push(self, data: bytes) -> None:
        """Send raw bytes and take what comes back."""
        self.session.receive(data)
        self.take()

    def ask(self, *fields: object) -> list[list[str]]:
        """Send one message and return the frames that answer it."""
        seen = len(self.writes)
        self.push(packed(*fields))
        return unpacked(b"".join(self.writes[seen:]))

    def take(self) -> None:
        """Sort the effects that wait."""
        for effect in self.session.take():
            match effect:
                case Write():
                    self.writes.append(effect.data)
                case Note():
                    self.notes.append(effect.text)
                case Close():
                    self.closed.append(effect.why)

    def heard(self) -> list[list[str]]:
        """Return the frames that came since the last call, without asking for anything."""
        self.take()
        frames = unpacked(b"".join(self.writes))
        self.writes.clear()
        return frames


def a_client(desk: Desk, client_id: int = 1, version: int = 178) -> PretendClient:
    """Return a client that is connected and has read its greeting; ``version`` is its highest."""
    client = PretendClient(desk)
    client.push(b"API\0" + packed(f"v100..{version}"))
    client.push(packed(71, 2, client_id, ""))
    client.writes.clear()
    return client


def contract(opened: OpenedFloor, instrument: Instrument) -> list[object]:
    """Return the twelve contract fields as a client sends a contract that it has looked up."""
    listing = opened.floor.listing(instrument)
    kind, exchange = instrument.kind.value, instrument.exchange
    return [listing.con_id, instrument.symbol, kind, "", "0.0", "", "", exchange, "", "USD", "", ""]


def bag(symbol: str = "VIX") -> list[object]:
    """Return the contract fields of a combo."""
    return [0, symbol, "BAG", "", "0.0", "", "", "SMART", "", "USD", "", ""]


def place_order(  # noqa: PLR0913 - an order has many parts, and each test states those that matter
    order_id: int,
    contract_fields: Iterable[object],
    *,
    action: str = "BUY",
    quantity: object = 1,
    order_type: str = "LMT",
    limit: object = "1.0",
    ref: str = "ref",
    legs: Iterable[tuple[int, int, str]] = (),
    what_if: int = 0,
    transmit: int = 1,
    unset: str = "",
) -> list[object]:
    """Return placeOrder at 176: 115 fields for a plain order; ``unset`` is how this client spells no number."""
    fields: list[object] = [3, order_id, *contract_fields, "", ""]
    fields += [action, quantity, order_type, limit, unset, "DAY", "", "", "", 0, ref, transmit, 0, 0, 0, 0, 0, 0, 0]
    rows = list(legs)
    if fields[4] == "BAG":
        fields.append(len(rows))
        for con_id, ratio, side in rows:
            fields += [con_id, ratio, side, "SMART", 0, 0, "", -1]
        fields += [0, 0]
    fields += ["", "0.0", "", "", "", "", "", ""]
    fields += ["", 0, "", -1, 0, "", "", 0, unset, unset, 0, 0, unset, 0, unset, unset, unset, unset, unset, 0]
    fields += [unset, unset, "", unset]
    fields += [0, unset, unset, unset, unset, unset, unset]
    fields += ["", "", "", ""]
    fields += [0, "", "", 0]
    fields += [0, ""]
    fields += ["", what_if, "", 0, 0, 0]
    fields += [0]
    fields += ["", unset, unset, unset, unset, unset, 0, "", "", "", unset, "", "", "", "", 0, 0, 0, ""]
    fields += [unset, unset, 0, "", ""]
    return fields
