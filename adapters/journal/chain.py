"""The hash chain of the journal: each row's hash covers the hash before it, its number and all its fields.

What always holds: the judgement looks at what stands on disk, character by character, and not at what it could mean:
another spelling of the same moment is a changed row.
"""

import hashlib
from collections.abc import Iterable

GENESIS = "0" * 64
"""The hash before the first row."""

StoredRow = tuple[object, ...]
"""seq, at, kind, decision_id, payload, hash, as the file holds them: of the right types only if nobody touched them."""


def chained(before: str, *, seq: int, at: str, kind: str, decision_id: str, payload: str) -> str:
    """Return a row's hash: SHA-256 over the hash before it and the row's fields, each on a line of its own."""
    text = "\n".join((before, str(seq), at, kind, decision_id, payload))
    return hashlib.sha256(text.encode()).hexdigest()


def head_of(seq: int, digest: str) -> str:
    """Return how the journal writes down its last row beside the rows, so that a lost end is found as well."""
    return f"{seq} {digest}"


def fault_in(rows: Iterable[StoredRow], head: object) -> str | None:
    """Return what is wrong with the first row that breaks the chain, None when all rows up to the head are whole.

    Args:
        rows: As stored, ascending by number.
        head: What `head_of` gave for the last row that was committed; `head_of(0, GENESIS)` for an empty journal.
    """
    before, expected = GENESIS, 1
    for seq, at, kind, decision_id, payload, digest in rows:
        if seq != expected:
            return f"row {expected} is missing, found row {seq}"
        if not (
            isinstance(at, str)
            and isinstance(kind, str)
            and isinstance(decision_id, str)
            and isinstance(payload, str)
            and isinstance(digest, str)
        ):
            return f"row {expected} was changed after it was written: a field is no text"
        if chained(before, seq=expected, at=at, kind=kind, decision_id=decision_id, payload=payload) != digest:
            return f"row {expected} ({kind!r} at {at!r}) was changed after it was written"
        before, expected = digest, expected + 1
    return _fault_at_end(expected - 1, before, head)


def _fault_at_end(last: int, digest: str, head: object) -> str | None:
    if head == head_of(last, digest):
        return None
    committed = str(head).partition(" ")[0] if isinstance(head, str) else ""
    if not committed.isdigit():
        return "the record of the last row is missing or unreadable"
    if int(committed) > last:
        return f"row {last + 1} is missing: {committed} rows were committed, found {last}"
    if int(committed) < last:
        return f"row {int(committed) + 1} was added by another hand: {committed} rows were committed, found {last}"
    return f"row {last} was changed after it was written"
