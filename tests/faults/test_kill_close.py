"""`kill -9` in the middle of a close, two closes at once, a service that was off: always exactly one return each."""

import asyncio
import json
import random
import shutil
import signal
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from safety.database import fetch_tuples
from tests.conftest import Templates, opened
from tests.faults.conftest import CLOSE, Campus, fill

CLOSING = ("return", "close", "2026Q3", "--at", CLOSE.isoformat())
PATIENCE_SECONDS = 90
At = Callable[[str], Campus]


@pytest.fixture
async def filled(sqlite_url: str) -> Path:
    """A SQLite file to copy."""
    await fill(sqlite_url)
    return Path(sqlite_url.removeprefix("sqlite:///"))


def copy_of(filled: Path, number: int) -> str:
    target = filled.with_name(f"copy{number}.db")
    shutil.copyfile(filled, target)
    return f"sqlite:///{target}"


async def undisturbed(campus: Campus) -> tuple[list[tuple[str, int, str, bool]], float]:
    """What a close comes to when nobody disturbs it, and how many seconds it takes."""
    begun = time.monotonic()
    campus.run(*CLOSING)
    seconds = time.monotonic() - begun
    found = await campus.received()
    assert [(code, count, bool(kept)) for code, count, _, kept in found] == [
        (code, 1, True) for code in ("S001", "S002", "S003")
    ]
    return found, seconds


async def kill_once_and_run_again(campus: Campus, after: float, expected: object) -> None:
    process = campus.start(*CLOSING)
    await asyncio.sleep(after)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    campus.run(*CLOSING)
    assert await campus.received() == expected, f"killed after {after:.3f} s"
    assert await campus.ask("select count(*) from school_return") == [(3,)]
    assert await campus.ask("select message from outbox where state <> 'delivered'") == []
    assert json.loads(campus.run("audit", "verify", "--json"))["good"]


async def kill_often(filled: Path, at: At, times: int, seed: int) -> None:
    expected, seconds = await undisturbed(at(copy_of(filled, 0)))
    moments = random.Random(seed)
    for number in range(1, times + 1):
        await kill_once_and_run_again(at(copy_of(filled, number)), moments.uniform(0.05, seconds), expected)


async def test_killed_at_three_moments_and_run_again(filled: Path, campus_at: At) -> None:
    await kill_often(filled, campus_at, 3, seed=3)


@pytest.mark.soak
async def test_killed_at_twenty_moments_and_run_again(filled: Path, campus_at: At) -> None:
    await kill_often(filled, campus_at, 20, seed=int(time.monotonic()))


@pytest.mark.soak
async def test_killed_again_and_again_on_postgres(postgres_template: Templates, campus_at: At) -> None:
    async with postgres_template.fresh() as url:
        await fill(url)
        expected, seconds = await undisturbed(campus_at(url))
    moments = random.Random(int(time.monotonic()))
    async with postgres_template.fresh() as url:
        await fill(url)
        campus = campus_at(url)
        for _ in range(6):
            process = campus.start(*CLOSING)
            await asyncio.sleep(moments.uniform(0.05, seconds))
            process.kill()
            process.communicate()
        campus.run(*CLOSING)
        found = await campus.received()
        # The two databases were filled apart, so their entries have other ids: only the counts can be compared.
        assert [(code, count, kept) for code, count, _, kept in found] == [
            (code, count, kept) for code, count, _, kept in expected
        ]


async def test_two_processes_at_once_close_once(filled: Path, campus_at: At) -> None:
    campus = campus_at(copy_of(filled, 1))
    both = [campus.start(*CLOSING, "--json") for _ in range(2)]
    answers = [json.loads((await asyncio.to_thread(process.communicate))[0]) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum(answer["sealed"] for answer in answers) == 3
    assert [count for _, count, _, _ in await campus.received()] == [1, 1, 1]
    assert await campus.ask("select count(*) from audit_line where action = 'return.sealed'") == [(3,)]


async def until(campus: Campus, sql: str, expected: object) -> None:
    """Wait until the database says so."""
    async with opened(campus.url):
        for _ in range(PATIENCE_SECONDS * 5):
            if (found := await fetch_tuples(None, sql)) == expected:
                return
            await asyncio.sleep(0.2)
    raise AssertionError(f"after {PATIENCE_SECONDS} s: {found}, not {expected}")


def set_clock(campus: Campus, at: datetime) -> None:
    campus.clock = campus.clock or campus.data / "clock"
    aside = campus.data / "clock.new"
    aside.write_text(at.isoformat())
    aside.replace(campus.clock)


DELIVERED = "select count(*) from receipt"
LATE = "select distinct closed_late, test_clock from school_return"


async def test_a_service_that_was_off_over_the_deadline_closes_at_its_start_and_says_so(
    filled: Path, campus_at: At
) -> None:
    campus = campus_at(copy_of(filled, 1))
    set_clock(campus, CLOSE + timedelta(hours=9))
    service = campus.start("work")
    await until(campus, DELIVERED, [(3,)])
    await until(campus, "select state from job_slot where name = 'quarter-close'", [("done",)])
    service.terminate()
    await asyncio.to_thread(service.communicate)
    assert service.returncode == 0
    assert [(bool(late), bool(test)) for late, test in await campus.ask(LATE)] == [(True, True)]


async def test_a_service_lives_through_the_end_of_a_quarter(filled: Path, campus_at: At) -> None:
    campus = campus_at(copy_of(filled, 1))
    set_clock(campus, CLOSE - timedelta(minutes=1))
    service = campus.start("work")
    await until(campus, "select count(*) from job_slot where name = 'tallies' and state = 'done'", [(1,)])
    assert await campus.ask("select count(*) from school_return") == [(0,)]
    set_clock(campus, CLOSE)
    await until(campus, DELIVERED, [(3,)])
    set_clock(campus, CLOSE + timedelta(days=1))
    await until(campus, "select count(*) from job_slot where name = 'tallies' and state = 'done'", [(2,)])
    service.send_signal(signal.SIGINT)
    await asyncio.to_thread(service.communicate)
    assert [bool(late) for late, _ in await campus.ask(LATE)] == [False]
    slots = json.loads(campus.run("jobs", "list", "--json"))["slots"]
    assert {"quarter-close", "tallies", "purge"} <= {
        slot["name"] for slot in slots if slot["state"] == "done"
    }
