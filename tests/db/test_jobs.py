"""Slots of jobs: each done once, whoever ticks, however often, whatever dies in between."""

import asyncio
import subprocess
import sys
from datetime import UTC, datetime, time, timedelta

import pytest

from safety.audit.actions import append
from safety.clock import ZONE, FixedClock
from safety.database import CampusEngine, fetch_tuples, transaction
from safety.jobs.actions import claim, finish, renew, run_slot, walk
from safety.jobs.owner import is_gone, me
from safety.jobs.queries import list_slots
from safety.jobs.rules import Job, Slot, backoff, nightly, quarter_closes

INSTALLED = datetime(2026, 5, 4, 2, 0, tzinfo=UTC)
Q2 = datetime(2026, 6, 30, 16, 0, tzinfo=UTC)
Q3 = datetime(2026, 9, 30, 16, 0, tzinfo=UTC)
OTHER = "another-machine/7/12345"


class Work:
    """A job that counts what it was asked to do; `fails` says how often it breaks first."""

    def __init__(self, name: str = "quarter-close", fails: int = 0, slots=quarter_closes) -> None:
        self.done: list[str] = []
        self.fails = fails
        self.job = Job(name, slots, self)

    async def __call__(self, slot: Slot, now: datetime) -> int:
        if self.fails:
            self.fails -= 1
            raise RuntimeError("the printer is on fire")
        self.done.append(slot.key)
        return 7


@pytest.fixture
async def installed(database: CampusEngine) -> CampusEngine:
    """A database in which something was first done on a day in May."""
    async with transaction():
        await append(None, None, "test.begun", "", {}, INSTALLED)
    return database


# ---------------------------------------------------------------- which slots there are (pure)
def test_a_quarter_closes_at_midnight_in_shanghai_after_its_last_day() -> None:
    assert quarter_closes(INSTALLED, Q3) == [Slot(Q2, "2026Q2"), Slot(Q3, "2026Q3")]
    assert quarter_closes(Q2, Q3 - timedelta(microseconds=1)) == []
    assert quarter_closes(Q2 - timedelta(microseconds=1), Q2) == [Slot(Q2, "2026Q2")]


def test_of_a_week_of_missed_nights_only_the_last_is_caught_up() -> None:
    slots = nightly(time(2, 30))
    before, after = datetime(2026, 9, 9, 2, 29, tzinfo=ZONE), datetime(2026, 9, 9, 2, 30, tzinfo=ZONE)
    assert [slot.key for slot in slots(INSTALLED, before)] == ["2026-09-08"]
    assert [slot.key for slot in slots(INSTALLED, after)] == ["2026-09-09"]
    assert slots(after, after + timedelta(hours=3)) == []


def test_waits_double_up_to_an_hour() -> None:
    assert [backoff(n).total_seconds() for n in (1, 2, 5, 11, 12, 40)] == [2, 4, 32, 2048, 3600, 3600]


# ---------------------------------------------------------------- claiming
async def test_every_missed_slot_since_the_installation_is_caught_up_once(installed: CampusEngine) -> None:
    work = Work()
    clock = FixedClock(Q3 + timedelta(days=3))
    assert await walk(work.job, clock, me()) == {"2026Q2": "done", "2026Q3": "done"}
    assert await walk(work.job, clock, me()) == {}
    assert work.done == ["2026Q2", "2026Q3"]
    assert [(line.slot, line.state, line.handled, line.attempts) for line in await list_slots()] == [
        ("2026Q2", "done", 7, 1),
        ("2026Q3", "done", 7, 1),
    ]


async def test_an_empty_database_has_missed_nothing(database: CampusEngine) -> None:
    work = Work()
    assert await walk(work.job, FixedClock(Q3), me()) == {}


async def test_ten_schedulers_at_once_do_a_slot_once(installed: CampusEngine) -> None:
    work = Work()
    clock = FixedClock(Q2)
    outcomes = await asyncio.gather(*(walk(work.job, clock, f"{OTHER}{n}") for n in range(10)))
    assert work.done == ["2026Q2"]
    assert sorted(outcome.get("2026Q2", "done before") for outcome in outcomes).count("done") == 1


async def test_a_claim_of_another_machine_holds_until_its_lease_ends(installed: CampusEngine) -> None:
    work = Work()
    slot = Slot(Q2, "2026Q2")
    theirs = await claim(work.job, slot, OTHER, Q2)
    assert theirs is not None
    assert await run_slot(work.job, slot, FixedClock(Q2 + timedelta(minutes=9)), me()) == "held"
    assert await renew(theirs, Q2 + timedelta(minutes=9))
    assert await run_slot(work.job, slot, FixedClock(Q2 + timedelta(minutes=18)), me()) == "held"
    assert await run_slot(work.job, slot, FixedClock(Q2 + timedelta(minutes=19)), me()) == "done"
    # The first comes back from the dead: its claim is lost, and what it says changes nothing.
    assert not await renew(theirs, Q2 + timedelta(minutes=20))
    assert not await finish(theirs, 0, Q2 + timedelta(minutes=20))
    assert [line.handled for line in await list_slots()] == [7]


def ended_process() -> str:
    """The name of a process of this machine that is no more."""
    command = [sys.executable, "-c", "from safety.jobs.owner import me; print(me())"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


async def test_a_claim_of_a_dead_process_of_this_machine_is_free_at_once(installed: CampusEngine) -> None:
    dead = ended_process()
    assert is_gone(dead)
    assert not is_gone(me())
    assert not is_gone(OTHER)
    work = Work()
    slot = Slot(Q2, "2026Q2")
    assert await claim(work.job, slot, dead, Q2)
    assert await run_slot(work.job, slot, FixedClock(Q2), me()) == "done"
    assert [line.attempts for line in await list_slots()] == [2]


async def test_a_failure_is_kept_and_tried_again_after_a_while(
    installed: CampusEngine, caplog: pytest.LogCaptureFixture
) -> None:
    work = Work(fails=1)
    clock = FixedClock(Q2)
    assert await walk(work.job, clock, me()) == {"2026Q2": "failed"}
    assert [(line.state, line.error) for line in await list_slots()] == [
        ("failed", "RuntimeError: the printer is on fire")
    ]
    clock.set(Q2 + timedelta(seconds=1))
    assert await walk(work.job, clock, me()) == {"2026Q2": "held"}
    clock.set(Q2 + timedelta(seconds=2))
    assert await walk(work.job, clock, me()) == {"2026Q2": "done"}
    assert work.done == ["2026Q2"]


async def test_run_by_hand_does_not_wait_after_a_failure(installed: CampusEngine) -> None:
    work = Work(fails=1)
    clock = FixedClock(Q2)
    await walk(work.job, clock, me())
    assert await walk(work.job, clock, me(), forced=True) == {"2026Q2": "done"}


async def test_a_job_that_is_cut_off_gives_its_slot_back(installed: CampusEngine) -> None:
    started = asyncio.Event()

    async def endless(slot: Slot, now: datetime) -> int:
        started.set()
        await asyncio.sleep(3600)
        return 0

    job = Job("quarter-close", quarter_closes, endless)
    task = asyncio.create_task(walk(job, FixedClock(Q2), me()))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    work = Work()
    assert await walk(work.job, FixedClock(Q2), OTHER) == {"2026Q2": "done"}


async def test_a_long_job_keeps_its_claim(installed: CampusEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FixedClock(Q2)
    monkeypatch.setattr("safety.jobs.actions.RENEWALS", 60_000)  # every hundredth of a second

    async def long(slot: Slot, now: datetime) -> int:
        for minute in range(30):
            clock.set(Q2 + timedelta(minutes=minute))
            await asyncio.sleep(0.02)
        rows = await fetch_tuples(None, "select lease_until from job_slot")
        assert rows[0][0] > Q2 + timedelta(minutes=20)
        return 0

    job = Job("quarter-close", quarter_closes, long)
    assert await run_slot(job, Slot(Q2, "2026Q2"), clock, me()) == "done"
