"""Complaints that repeat themselves: told once per cause, then at most every so often, so that nothing is flooded."""

from datetime import datetime, timedelta

from bot.domain.checks import require_positive


class Sparing:
    """Remembers what was told and when; forgets it once it may be told again."""

    def __init__(self, every_s: float) -> None:
        """Let the same thing through once in ``every_s`` seconds."""
        require_positive(every_s=every_s)
        self._every = timedelta(seconds=every_s)
        self._told: dict[tuple[str, str], datetime] = {}

    def lets(self, kind: str, cause: str, now: datetime) -> bool:
        """Return whether this is to be told now; a yes counts as told."""
        self._told = {what: at for what, at in self._told.items() if now - at < self._every}
        if (kind, cause) in self._told:
            return False
        self._told[kind, cause] = now
        return True
