"""What runs by itself, and how often somebody looks whether it is due: the only module that knows APScheduler.

APScheduler only ticks. Which slots of a job are due is worked out from the injected clock and the database at every
tick, so that a jump of the clock, a missed night or a second scheduler makes no difference.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, time
from functools import partial

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from config.crew import differing_by_crew
from config.sealing import key_of
from config.settings import Settings
from config.upstream import way_of
from reports.bureau.reminders import REMINDERS
from reports.delivery.inquiries import ask_due
from reports.jobs import deliver_due, quarter_close
from reports.pdf import Renderer
from reports.press import Press
from reports.rollup.jobs import rollups
from reports.rollup.press import print_missing
from safety.access.jobs import purge
from safety.clock import ZONE, Clock
from safety.jobs.actions import Outcome, walk
from safety.jobs.owner import me
from safety.jobs.rules import Job, Slot, nightly
from safety.ledger.jobs import Differing, compare_tallies

log = logging.getLogger(__name__)

TALLIES_AT = time(2, 30)
PURGE_AT = time(3, 30)
FASTER_UNDER_TEST = 20
"""A test clock jumps by days: looking must not take minutes then."""

Tick = Callable[[Clock], Awaitable[object]]


@dataclass(frozen=True)
class Entry:
    """One line of the table: a name, every how many seconds it is looked at, and either a job or a plain tick."""

    name: str
    trigger: IntervalTrigger
    job: Job | None
    tick: Tick


def table(press: Press, among: Differing | None = None) -> tuple[Entry, ...]:
    """Everything that runs by itself. `among`: who looks through the tallies, if not this process alone."""
    pace = FASTER_UNDER_TEST if press.test_clock else 1
    rows: tuple[tuple[Job | Tick, str, float], ...] = (
        (quarter_close(press), "", 20),
        (REMINDERS, "", 60),
        (rollups(press), "", 60),
        (Job("tallies", nightly(TALLIES_AT), _by_now(partial(compare_tallies, among=among))), "", 60),
        (Job("purge", nightly(PURGE_AT), _by_now(purge)), "", 60),
        (lambda clock: deliver_due(press, clock.now()), "deliver", 20),
        (lambda clock: ask_due(press, clock.now()), "decisions", 20),
        (lambda clock: print_missing(press, clock.now()), "rollup-files", 60),
    )
    return tuple(_entry(press, job, name, seconds / pace) for job, name, seconds in rows)


def _entry(press: Press, what: Job | Tick, name: str, seconds: float) -> Entry:
    trigger = IntervalTrigger(seconds=seconds, timezone=ZONE)
    if isinstance(what, Job):
        job = what
        return Entry(job.name, trigger, job, lambda clock: walk(job, clock, press.owner))
    return Entry(name, trigger, None, what)


def _by_now(work: Callable[[datetime], Awaitable[int]]) -> Callable[[Slot, datetime], Awaitable[int]]:
    """Work that does not care which night it is done for."""

    async def of_slot(slot: Slot, now: datetime) -> int:
        del slot
        return await work(now)

    return of_slot


async def run_once(
    press: Press, name: str, clock: Clock, among: Differing | None = None
) -> dict[str, Outcome] | None:
    """What `jobs run` does: the due slots of a job now, also after a failure; a plain tick gives None.

    Raises KeyError for an unknown name.
    """
    entry = {entry.name: entry for entry in table(press, among)}[name]
    if entry.job is None:
        await entry.tick(clock)
        return None
    return await walk(entry.job, clock, press.owner, forced=True)


class Scheduler:
    """Ticks of one process. `start` in its event loop, `stop` before the database is closed."""

    def __init__(self, press: Press, clock: Clock, among: Differing | None = None) -> None:
        # It tells of every tick, and warns of each that comes while the last one is still at work, which is meant.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self._clock = clock
        self._running: set[asyncio.Task[object]] = set()
        # The memory store: the database alone knows what was done, and a store of its own would run things twice.
        self._ticks = AsyncIOScheduler(
            timezone=ZONE, job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        )
        for entry in table(press, among):
            self._ticks.add_job(self._tick, entry.trigger, args=[entry], id=entry.name, next_run_time=_soon())

    def start(self) -> None:
        """Look at once at what was missed, and from then on at every tick."""
        self._ticks.start()

    async def stop(self) -> None:
        """End ticking; what is under way is cut off at its next wait and gives its claim back."""
        self._ticks.shutdown(wait=False)
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _tick(self, entry: Entry) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        try:
            await entry.tick(self._clock)
        except Exception:
            log.exception("%s failed", entry.name)
        finally:
            self._running.discard(task)


def _soon() -> datetime:
    # Only APScheduler's own ticks go by the wall clock; what is due goes by the injected one.
    from safety.clock import SystemClock

    return SystemClock().now()


@contextlib.asynccontextmanager
async def open_press(settings: Settings) -> AsyncIterator[Press]:
    """What draws and seals returns in this process; its workers end with the block."""
    renderer = Renderer(settings.data, base_url=settings.base_url)
    try:
        key = await asyncio.to_thread(key_of, settings)
        upward = way_of(settings.upstream) if settings.upstream else None
        test = settings.test_clock is not None
        yield Press(settings.data, renderer, me(), test, key, upward, settings.operator)
    finally:
        await renderer.close()


@contextlib.asynccontextmanager
async def running(settings: Settings, clock: Clock) -> AsyncIterator[None]:
    """Jobs run inside the block. The database must be open until after it."""
    async with open_press(settings) as press:
        scheduler = Scheduler(press, clock, partial(differing_by_crew, settings.database_url))
        scheduler.start()
        try:
            yield
        finally:
            await scheduler.stop()
