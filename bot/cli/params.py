"""Option types that several commands share."""

import math
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import click

FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)


class Day(click.ParamType[date]):
    """A calendar date."""

    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return the date, or fail with what was expected."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no date, expected YYYY-MM-DD, for example 2015-04-24", param, ctx)


class Moment(click.ParamType[tuple[date, time | None]]):
    """A calendar date, perhaps with a time of the day."""

    name = "YYYY-MM-DD[THH:MM]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[date, time | None]:
        """Return date and time, or fail with what was expected."""
        if isinstance(value, tuple):
            return value
        text = str(value)
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is not None:
            self.fail(f"{text!r} is no moment, expected YYYY-MM-DD or YYYY-MM-DDTHH:MM in New York", param, ctx)
        return moment.date(), None if len(text) <= len("YYYY-MM-DD") else moment.time()


class Speed(click.FloatRange):
    """How many times faster than real time; NaN, which no comparison refuses, is refused by name."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number, or fail with the range."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not in the range {self._describe_range()}.", param, ctx)
        return number


DAY = Day()
MOMENT = Moment()
SPEED = Speed(0.1, 1000.0)
