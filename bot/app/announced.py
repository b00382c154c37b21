"""A journal that tells others what it has written: logs, telemetry and progress hear of committed rows only."""

from collections.abc import Callable, Sequence

from bot.ports import Journal, JournalRow

Announcer = Callable[[JournalRow], None]


class AnnouncedJournal:
    """Commits first, then announces each row in order."""

    def __init__(self, journal: Journal, announcers: Sequence[Announcer]) -> None:
        """Wrap a journal."""
        self._journal = journal
        self._announcers = list(announcers)

    def also_tell(self, announcer: Announcer) -> None:
        """Add one that is made later than the journal."""
        self._announcers.append(announcer)

    async def commit(self, rows: Sequence[JournalRow]) -> None:
        """Write all rows durably, then announce them.

        Raises:
            JournalError: The rows are not on disk; nothing was announced.
        """
        await self._journal.commit(rows)
        for row in rows:
            for announce in self._announcers:
                announce(row)
