"""When a bureau's roll-up is sealed (PURE)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from safety.calendar import Period
from safety.clock import ZONE
from safety.national import National

AT = time(8)
MOST_DAYS = 28
"""The latest day that may be set: a month after the quarter the next one is well under way."""


@dataclass(frozen=True, slots=True)
class Setting:
    """The day of the month after the quarter, and whether a day off moves it to the next working day."""

    day: int
    next_working_day: bool = False


def due_at(period: Period, setting: Setting, calendar: National) -> datetime:
    """The instant (UTC) at which the roll-up of a quarter is sealed: eight in the morning of that day."""
    day = period.end + timedelta(days=setting.day)
    while setting.next_working_day and not calendar.is_working_day(day):
        day += timedelta(days=1)
    return datetime.combine(day, AT, tzinfo=ZONE).astimezone(UTC)
