"""When jobs are due, who may take up a slot, and how long to wait after a failure (PURE)."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from safety.calendar import Period
from safety.clock import ZONE, local_day
from safety.duties import close_at

LEASE = timedelta(minutes=10)
LONGEST_WAIT = timedelta(hours=1)
DONE, RUNNING, FAILED = "done", "running", "failed"


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """One time at which a job is due; `key` names it for good (a quarter, a local day)."""

    due_at: datetime
    key: str


Slots = Callable[[datetime, datetime], Sequence[Slot]]
"""The slots due after the first instant, up to and including the second, in order."""
Work = Callable[[Slot, datetime], Awaitable[int]]
"""Does a slot's work as of an instant and returns how many things it did. To be repeatable at any point."""


@dataclass(frozen=True)
class Job:
    """A job: its name, its slots, its work, and for how long a claim holds unless it is renewed."""

    name: str
    slots: Slots
    work: Work = field(compare=False)
    lease: timedelta = LEASE


@dataclass(frozen=True, slots=True)
class SlotState:
    """A slot's row as it was read."""

    state: str
    claimed_by: str
    lease_until: datetime | None
    next_at: datetime | None
    attempts: int


# ---------------------------------------------------------------- which slots there are
def quarter_closes(since: datetime, until: datetime) -> list[Slot]:
    """The closes of quarters: 24:00 of each quarter's last day in Asia/Shanghai."""
    period, found = Period.of(local_day(since)), []
    while (due := close_at(period)) <= until:
        if due > since:
            found.append(Slot(due, period.id))
        period = period.next()
    return found


def nightly(at: time) -> Slots:
    """Every local day at a time of day. Only the last one counts: a week of missed nights is one night's work."""

    def slots(since: datetime, until: datetime) -> list[Slot]:
        day = local_day(until)
        for candidate in (day, day - timedelta(days=1)):
            due = _at(candidate, at)
            if since < due <= until:
                return [Slot(due, candidate.isoformat())]
        return []

    return slots


def _at(day: date, at: time) -> datetime:
    return datetime.combine(day, at, tzinfo=ZONE).astimezone(UTC)


# ---------------------------------------------------------------- who may take one up
def may_claim(found: SlotState | None, now: datetime, *, owner_gone: bool, forced: bool = False) -> bool:
    """Whether a slot is free: nobody has it, its holder is gone or silent, or its time after a failure has come."""
    if found is None:
        return True
    if found.state == DONE:
        return False
    if found.state == FAILED:
        return forced or found.next_at is None or found.next_at <= now
    return owner_gone or found.lease_until is None or found.lease_until <= now


def backoff(attempts: int) -> timedelta:
    """2ⁿ seconds after the n-th failure, an hour at most."""
    return min(timedelta(seconds=2 ** min(attempts, 12)), LONGEST_WAIT)
