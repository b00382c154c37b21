"""A tape that may end: where the disk fails, the recording stops with one line in the log, and who records goes on."""

import logging
from collections.abc import Mapping
from datetime import datetime

from adapters.recordings.writer import RecordingWriter
from bot.domain.recording import RecordedDay, RecordedQuote

_LOG = logging.getLogger("alvh.recording")


class Tape:
    """A `RecordingWriter` whose failures end the recording and nothing else."""

    def __init__(self, writer: RecordingWriter) -> None:
        """Write to an open recording."""
        self._writer = writer
        self._has_failed = False

    def __repr__(self) -> str:
        """What is written to, for logs and failing tests."""
        return f"Tape({self._writer!r}{', failed' if self._has_failed else ''})"

    @property
    def moments(self) -> int:
        """How many moments are complete."""
        return self._writer.moments

    def day(self, row: RecordedDay) -> None:
        """Write a finished session before the recording."""
        if not self._has_failed:
            self._writer.day(row)

    def quote(self, row: RecordedQuote) -> None:
        """Write a quote of the present moment or of the last one."""
        if not self._has_failed:
            self._writer.quote(row)

    def moment(self, at: datetime, levels: Mapping[str, float], *, is_halted: bool = False) -> None:
        """Complete a moment."""
        if self._has_failed:
            return
        try:
            self._writer.moment(at, levels, is_halted=is_halted)
        except OSError as error:
            self._failed(error)

    def close(self) -> None:
        """Finish the files as far as that can be done."""
        try:
            self._writer.close()
        except OSError as error:
            self._failed(error)

    def _failed(self, error: OSError) -> None:
        if not self._has_failed:
            self._has_failed = True
            _LOG.error("recording ended at %s: %s; what was written before can be played", self._writer, error)
