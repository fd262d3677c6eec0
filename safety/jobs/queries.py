"""Reading slots. Jobs are the machine's own: these take no viewer."""

from dataclasses import dataclass
from datetime import datetime

from safety.database import fetch_tuples
from safety.jobs.rules import DONE, SlotState

INSTALLED = """select min(l.at) as "at [timestamptz]" from audit_head h
join audit_line l on l.chain = h.chain and l.position = 1"""
ONE = """select state, claimed_by, lease_until, next_at, attempts from job_slot
where name = $1 and slot = $2 for update"""
ALL = """select name, slot, due_at, state, claimed_by, attempts, started_at, finished_at, next_at, handled, error
from job_slot order by due_at, name"""


@dataclass(frozen=True, slots=True)
class SlotLine:
    """A slot in the list of slots."""

    name: str
    slot: str
    due_at: datetime
    state: str
    claimed_by: str
    attempts: int
    started_at: datetime | None
    finished_at: datetime | None
    next_at: datetime | None
    handled: int | None
    error: str


async def installed_at() -> datetime | None:
    """When anything was first done here: no slot before it was ever missed. None for an empty database."""
    rows = await fetch_tuples(None, INSTALLED)
    at: datetime | None = rows[0][0]
    return at


async def done_slots(name: str) -> frozenset[str]:
    """The slots of a job that are finished."""
    rows = await fetch_tuples(None, "select slot from job_slot where name = $1 and state = $2", [name, DONE])
    return frozenset(str(slot) for (slot,) in rows)


async def slot_state(name: str, slot: str) -> SlotState | None:
    """One slot as it stands, locked if a transaction is open; None if nobody ever took it up."""
    rows = await fetch_tuples(None, ONE, [name, slot])
    return SlotState(*rows[0]) if rows else None


async def list_slots() -> list[SlotLine]:
    """Every slot that was ever taken up, in the order in which they were due."""
    return [SlotLine(*row) for row in await fetch_tuples(None, ALL)]
