"""Forms saved per second by fifty officers at once, beside a bare Django application with the same form.

Both servers are one process on loopback with a SQLite database of their own (WAL, synchronous=FULL); the same load
generator posts the same reminders to both, one after the other, each with a submission key of its own. Ours does all
that it always does: session, CSRF, validation, digest, audit line, tallies. Django: session, CSRF, form, insert.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from config.benchmarks.load import Outcome, Plan
from config.benchmarks.office import NOW, Place, database_url, make_office, private_database
from config.benchmarks.servers import PROGRAM, free_port, put_load, serve
from safety.audit.queries import verify
from safety.database import fetch_tuples

OFFICERS = 50
WARM_UP = 2.0
DJANGO = "config.benchmarks.django_app"
WRITTEN = """select (select count(*) from daily_reminder),
(select count(*) from audit_line where action = 'entry.record'),
(select count(*) from (select distinct school_class, happened_on from daily_reminder) x),
(select sum(on_time + late + backfilled) from tally where line = 'education.daily')"""

Say = Callable[[str], None]


async def bench_saves(
    seconds: float, say: Say, *, officers: int = OFFICERS, beside: bool = True
) -> dict[str, Any]:
    """Saves per second and times of both servers, their ratio, and the memory of ours after the run.

    `beside`: with Django, which has to be installed. `checked` says whether everything that was taken lies in the
    database, once each, with its line in the trail and its place in the tallies.
    """
    with TemporaryDirectory(prefix="safe-campus-bench-") as name:
        folder = Path(name)
        async with private_database(folder):
            places = await make_office(officers)
        say("saving through safe-campus serve")
        ours, memory = _ours(folder, places, seconds)
        found = {"officers": officers, "ours": msgspec.to_builtins(ours), "memory": memory}
        found["checked"] = await _checked(folder, ours)
        if beside:
            say("saving through Django")
            django, its_memory = _django(folder, places, seconds)
            found["django"] = {**msgspec.to_builtins(django), "server": DJANGO_SERVER, "memory": its_memory}
            found["ratio"] = round(ours.per_second / django.per_second, 2) if django.per_second else None
    return found


def _ours(folder: Path, places: list[Place], seconds: float) -> tuple[Outcome, dict[str, float] | None]:
    port, clock = free_port(), folder / "clock"
    clock.write_text(NOW.isoformat(), encoding="ascii")
    environ = {
        "SAFE_CAMPUS_DATABASE": database_url(folder),
        "SAFE_CAMPUS_DATA": str(folder),
        "SAFE_CAMPUS_TEST_CLOCK": str(clock),
        "SAFE_CAMPUS_BASE_URL": f"http://127.0.0.1:{port}",
    }
    officers = [place.officer() for place in places]
    with serve(
        ["-c", PROGRAM, "serve", "--no-jobs", "--port", str(port)], environ, port, "/healthz"
    ) as server:
        plan = Plan(
            port, server.process.pid, seconds, WARM_UP, officers, "/login", "login", "_csrf_token", 303
        )
        return put_load(plan), server.memory()


async def _checked(folder: Path, ours: Outcome) -> dict[str, Any]:
    """What lies in the database afterwards: as many entries and audit lines as were taken, and an unbroken trail."""
    async with private_database(folder):
        entries, lines, occurrences, tallied = (await fetch_tuples(None, WRITTEN))[0]
        bad = await verify()
    return {
        "entries": entries,
        "as_taken": entries == lines == ours.taken,
        "tallies_right": occurrences == tallied,
        "trail_whole": not bad,
    }


# ---------------------------------------------------------------- Django
DJANGO_SERVER = "uvicorn, WSGI in its pool of ten threads, each with a database connection that it keeps"
"""The fastest of those tried: also its ASGI handler (0.6×) and the threaded server that comes with it (0.8×)."""


def _django(folder: Path, places: list[Place], seconds: float) -> tuple[Outcome, dict[str, float] | None]:
    port = free_port()
    environ = {"BENCH_DATABASE": str(folder / "django.db")}
    schools = [asdict(place) for place in places]
    subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", f"{DJANGO}.prepare", str(folder / "django.db")],
        input=json.dumps(schools, default=str).encode(),
        check=True,
    )
    officers = [place.officer("/schools/{code}/reminders/new") for place in places]
    with serve(["-m", f"{DJANGO}.serve", str(port)], environ, port, "/login") as server:
        pid = server.process.pid
        plan = Plan(port, pid, seconds, WARM_UP, officers, "/login", "username", "csrfmiddlewaretoken", 302)
        return put_load(plan), server.memory()
