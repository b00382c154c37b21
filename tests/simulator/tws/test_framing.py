"""Frames: how bytes become fields and back."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.tws.framing import MOST_FRAME_BYTES, FrameReader, FramingError, fields_of, frame, text_of

TEXTS = st.text(st.characters(blacklist_characters="\0\\", blacklist_categories=("Cs",)), max_size=20)


def all_frames(reader: FrameReader) -> list[tuple[str, ...]]:
    """Return every frame that can be taken now."""
    frames = []
    while (fields := reader.take()) is not None:
        frames.append(fields)
    return frames


@given(st.lists(st.lists(TEXTS, min_size=1, max_size=5), max_size=5), st.lists(st.integers(1, 40), max_size=30))
def test_any_division_of_the_bytes_gives_the_same_frames(messages: list[list[str]], sizes: list[int]) -> None:
    """However a stream is cut into chunks, the frames taken are those of the whole stream."""
    stream = b"API\0" + b"".join(frame(*message) for message in messages)
    whole, pieces = FrameReader(), FrameReader()
    whole.feed(stream)
    expected = all_frames(whole)

    found = []
    position = 0
    for size in [*sizes, len(stream)]:
        pieces.feed(stream[position : position + size])
        position += size
        found += all_frames(pieces)

    assert found == expected
    assert len(found) == len(messages)


@given(st.lists(TEXTS, min_size=1, max_size=6))
def test_what_is_written_is_ascii_and_reads_back_by_its_escapes(texts: list[str]) -> None:
    """A frame holds ASCII only, and a client that decodes escapes has every character back."""
    data = frame(*texts)

    payload = data[4:]
    assert payload.isascii()
    fields = payload.decode("ascii").split("\0")[:-1]
    assert [field.encode().decode("unicode-escape") for field in fields] == texts


@pytest.mark.parametrize("announced", [0, MOST_FRAME_BYTES + 1, 0x80000000, 0xFFFFFFFF])
def test_a_length_that_no_frame_has_is_refused(announced: int) -> None:
    """An empty frame, one that is too long, and a negative length end the reading."""
    reader = FrameReader()
    reader.feed(b"API\0" + struct.pack(">I", announced) + b"xx")

    with pytest.raises(FramingError, match=str(announced)):
        reader.take()


@pytest.mark.parametrize("start", [b"GET / HTTP/1.1", b"\0\0\0\5", b"APIX"])
def test_a_stream_that_does_not_begin_with_the_prefix_is_refused(start: bytes) -> None:
    """Whoever speaks something else is told apart at the first wrong byte."""
    reader = FrameReader()
    reader.feed(start)

    with pytest.raises(FramingError, match="expected"):
        reader.take()


def test_half_a_prefix_is_waited_for() -> None:
    """The prefix may come in pieces like everything else."""
    reader = FrameReader()
    reader.feed(b"AP")
    assert reader.take() is None

    reader.feed(b"I\0" + frame("71"))

    assert reader.take() == ("71",)


@given(st.binary(max_size=200))
def test_decoding_never_fails(payload: bytes) -> None:
    """Bytes that are no UTF-8 become replacement characters, whatever they are."""
    assert all("\0" not in field for field in fields_of(payload))


def test_a_last_field_without_its_zero_byte_is_kept() -> None:
    """The terminator of the last field may be missing."""
    assert fields_of(b"71\0002\0" + b"5") == ("71", "2", "5")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "1"),
        (False, "0"),
        (12, "12"),
        (0.0, "0.0"),
        (1e-05, "1e-05"),
        (float("inf"), ""),
        (None, ""),
        ("a\0b", "ab"),
    ],
)
def test_values_are_written_in_the_form_of_the_wire(value: object, text: str) -> None:
    """Booleans are digits, whole numbers carry no point, and what is not a number is empty."""
    assert text_of(value) == text
