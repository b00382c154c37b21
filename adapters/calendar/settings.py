"""Where the schedule of releases comes from."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSettings:
    """Files of scheduled releases, paths as the operator writes them; empty means none of one's own."""

    table: str = ""
    """A table in the form of config/events.toml, which is read where this is empty."""
    ics: str = ""
    """A calendar file in the form of the Bureau of Labor Statistics' feed, laid over the table."""
