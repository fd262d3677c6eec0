"""Taking up slots: claim, do, finish. A slot is finished only after its work's effect is durable."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from safety.clock import Clock
from safety.database import fetch_tuples, transaction
from safety.jobs.owner import is_gone
from safety.jobs.queries import done_slots, installed_at, slot_state
from safety.jobs.rules import DONE, FAILED, RUNNING, Job, Slot, backoff, may_claim

log = logging.getLogger(__name__)

TAKE = """insert into job_slot (name, slot, due_at, state, claimed_by, lease_until, attempts, started_at, error)
values ($1, $2, $3, $4, $5, $6, 1, $7, '')
on conflict (name, slot) do update set state = excluded.state, claimed_by = excluded.claimed_by,
lease_until = excluded.lease_until, attempts = job_slot.attempts + 1, started_at = excluded.started_at, next_at = null,
error = '' returning attempts"""
_MINE = "where name = $1 and slot = $2 and claimed_by = $3 and attempts = $4 and state = 'running' returning attempts"
RENEW = f"update job_slot set lease_until = $5 {_MINE}"  # noqa: S608
FINISH = f"update job_slot set state = $5, finished_at = $6, handled = $7, lease_until = null {_MINE}"  # noqa: S608
FAIL = f"update job_slot set state = $5, next_at = $6, error = $7, lease_until = null {_MINE}"  # noqa: S608
PLACE = """insert into job_slot (name, slot, due_at, state, claimed_by, attempts, error)
values ($1, $2, $3, 'running', '', 0, '') on conflict (name, slot) do nothing returning attempts"""
RENEWALS = 3
"""How often a claim is renewed within its lease."""

Outcome = Literal["done", "failed", "held"]


@dataclass(frozen=True, slots=True)
class Claim:
    """A slot that this process holds. `attempts` tells this claim from an earlier one of the same process."""

    job: Job
    slot: Slot
    owner: str
    attempts: int

    @property
    def key(self) -> list[object]:
        return [self.job.name, self.slot.key, self.owner, self.attempts]


async def claim(job: Job, slot: Slot, owner: str, now: datetime, *, forced: bool = False) -> Claim | None:
    """Take up a slot, or None if it is done or somebody else's. `forced` does not wait after a failure."""
    async with transaction():
        found = await slot_state(job.name, slot.key)
        gone = found is not None and is_gone(found.claimed_by)
        if not may_claim(found, now, owner_gone=gone, forced=forced):
            return None
        if found is None and not await _first(job, slot):
            return None
        values = [job.name, slot.key, slot.due_at, RUNNING, owner, now + job.lease, now]
        rows = await fetch_tuples(None, TAKE, values)
        return Claim(job, slot, owner, int(rows[0][0]))


async def _first(job: Job, slot: Slot) -> bool:
    """Whether a slot without a row is still without one, now that this process has its place."""
    rows = await fetch_tuples(None, PLACE, [job.name, slot.key, slot.due_at])
    return bool(rows)


async def renew(held: Claim, now: datetime) -> bool:
    """Hold on for another lease; False if the claim was lost."""
    return bool(await fetch_tuples(None, RENEW, [*held.key, now + held.job.lease]))


async def finish(held: Claim, count: int, now: datetime) -> bool:
    """Mark the slot done; False if the claim was lost meanwhile."""
    return bool(await fetch_tuples(None, FINISH, [*held.key, DONE, now, count]))


async def fail(held: Claim, error: str, now: datetime) -> None:
    """Leave the slot to be taken up again after a while."""
    await fetch_tuples(None, FAIL, [*held.key, FAILED, now + backoff(held.attempts), error[:2000]])


async def release(held: Claim, now: datetime) -> None:
    """Give an unfinished slot back at once, without a mark against it."""
    await fetch_tuples(None, FAIL, [*held.key, FAILED, now, ""])


async def run_slot(job: Job, slot: Slot, clock: Clock, owner: str, *, forced: bool = False) -> Outcome:
    """Claim a slot and do its work. `held`: it is done already, or another process has it."""
    held = await claim(job, slot, owner, clock.now(), forced=forced)
    if held is None:
        return "held"
    try:
        async with _renewing(held, clock):
            count = await job.work(slot, clock.now())
    except asyncio.CancelledError:
        await asyncio.shield(release(held, clock.now()))
        raise
    except Exception as error:
        log.exception("job %s, slot %s failed", job.name, slot.key)
        await fail(held, f"{type(error).__name__}: {error}", clock.now())
        return "failed"
    await finish(held, count, clock.now())
    return "done"


@contextlib.asynccontextmanager
async def _renewing(held: Claim, clock: Clock) -> AsyncIterator[None]:
    async def keep() -> None:
        while True:
            await asyncio.sleep(held.job.lease.total_seconds() / RENEWALS)
            await renew(held, clock.now())

    task = asyncio.create_task(keep())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def due_slots(job: Job, now: datetime) -> list[Slot]:
    """The slots of a job that are due and not finished, in order, from the first day of this installation on."""
    origin = await installed_at()
    if origin is None:
        return []
    done = await done_slots(job.name)
    return [slot for slot in job.slots(origin, now) if slot.key not in done]


async def walk(job: Job, clock: Clock, owner: str, *, forced: bool = False) -> dict[str, Outcome]:
    """Take up every slot that is due: at each tick, and at start for what was missed while nothing ran."""
    return {
        slot.key: await run_slot(job, slot, clock, owner, forced=forced)
        for slot in await due_slots(job, clock.now())
    }
