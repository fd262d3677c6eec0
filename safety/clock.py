"""What time it is: the only module that reads the wall clock.

Everything else takes `now` as an argument; a request or a job asks its clock once. Instants are aware and
in UTC; which *day* it is is always decided in Asia/Shanghai, whatever zone the machine is set to.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    """Anything that can say what time it is."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still until it is set, for tests and for `--at`."""

    def __init__(self, at: datetime) -> None:
        self._at = _in_utc(at)

    def now(self) -> datetime:
        return self._at

    def set(self, at: datetime) -> None:
        """Move to another instant, forward or back. Raises ValueError for a naive one."""
        self._at = _in_utc(at)


class FileClock:
    """A clock driven by a file that holds one ISO 8601 instant: several processes live through one quarter.

    The file is read at every `now()`. While somebody is replacing it (missing, empty or half written) the
    last instant read holds; only a clock that has never read one raises ValueError, naming the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last: datetime | None = None

    def now(self) -> datetime:
        try:
            self._last = parse_instant(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            if self._last is None:
                raise ValueError(f"{self._path}: holds no instant such as 2026-09-30T15:59:00Z") from error
        return self._last


def parse_instant(text: str) -> datetime:
    """One ISO 8601 date *and* time as an aware instant in UTC; without a zone it is Asia/Shanghai.

    Raises ValueError for anything else, a date alone included: half a time stamp must not pass for midnight.
    """
    stripped = text.strip()
    if len(stripped) < len("2026-09-30T15:59"):
        raise ValueError(f"not a date and time: {stripped!r}")
    at = datetime.fromisoformat(stripped)
    return (at if at.tzinfo else at.replace(tzinfo=ZONE)).astimezone(UTC)


def local_day(at: datetime) -> date:
    """The calendar day of an aware instant in Asia/Shanghai. Raises ValueError for a naive one."""
    if at.tzinfo is None:
        return _in_utc(at).date()  # which raises
    return at.astimezone(ZONE).date()


def day_start(day: date) -> datetime:
    """00:00 of a day in Asia/Shanghai, as an aware instant in UTC."""
    return datetime.combine(day, time.min, tzinfo=ZONE).astimezone(UTC)


def _in_utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError(f"an instant needs a zone: {at.isoformat()}")
    return at.astimezone(UTC)
