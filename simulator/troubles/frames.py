"""Changes of single frames on their way to a client: other values in the places that the wire gives them.

Source of the places: docs/ib/wire.md, section 4.
"""

from collections.abc import Iterator
from typing import Final

from simulator.troubles.kinds import Trouble
from simulator.tws.framing import fields_of, frame_of

_HEAD: Final = 4
_PRICE, _SIZE, _ACCOUNT_VALUE, _NEXT_ID, _GREEKS, _STRING, _DATA_TYPE = "1", "2", "6", "9", "21", "46", "58"
_ACCOUNT_SUMMARY: Final = "63"
_DELAYED_TYPE: Final = "3"
_DELAYED: Final = {
    "1": "66",
    "2": "67",
    "4": "68",
    "0": "69",
    "3": "70",
    "5": "71",
    "6": "72",
    "7": "73",
    "8": "74",
    "9": "75",
    "14": "76",
    "10": "80",
    "11": "81",
    "12": "82",
    "13": "83",
    "45": "88",
}
"""Tick types of live data, and the types under which the same is told when it is delayed."""


def frames_in(data: bytes) -> Iterator[list[str]]:
    """Yield the fields of each whole frame."""
    at = 0
    while at + _HEAD <= len(data):
        end = at + _HEAD + int.from_bytes(data[at : at + _HEAD], "big")
        yield list(fields_of(data[at + _HEAD : end]))
        at = end


def rewritten(data: bytes, trouble: Trouble) -> bytes:
    """Return whole frames with what a trouble says in them."""
    return b"".join(frame_of(_changed(fields, trouble)) for fields in frames_in(data))


def _changed(fields: list[str], trouble: Trouble) -> list[str]:
    match trouble.kind.name:
        case "account_not_ready":
            return _not_ready(fields)
        case "id_rollback" if fields[0] == _NEXT_ID and len(fields) > 2:
            return [*fields[:2], str(max(1, int(fields[2]) - trouble.whole("by"))), *fields[3:]]
        case "delayed":
            return _delayed(fields)
    return fields


def _not_ready(fields: list[str]) -> list[str]:
    """Say that the account is not ready, and zero in place of its amounts."""
    place = {_ACCOUNT_VALUE: 2, _ACCOUNT_SUMMARY: 4}.get(fields[0])
    if place is None or len(fields) < place + 2:
        return fields
    key, value = fields[place], fields[place + 1]
    if key == "AccountReady":
        value = "false"
    elif value.removeprefix("-").replace(".", "", 1).isdigit():
        value = "0.00"
    return [*fields[: place + 1], value, *fields[place + 2 :]]


def _delayed(fields: list[str]) -> list[str]:
    """Turn live tick types into delayed ones; a type without one stays."""
    place = {_PRICE: 3, _SIZE: 3, _GREEKS: 2, _STRING: 3}.get(fields[0])
    if fields[0] == _DATA_TYPE:
        return [*fields[:3], _DELAYED_TYPE]
    if place is None or len(fields) <= place:
        return fields
    return [*fields[:place], _DELAYED.get(fields[place], fields[place]), *fields[place + 1 :]]
