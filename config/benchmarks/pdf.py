"""Returns as PDF: one drawn by a warm worker, and the close of thirty schools from ledgers to stored receipts."""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from config.benchmarks.county import QUARTER, make
from config.benchmarks.office import private_database
from reports import queries
from reports.jobs import close
from reports.pdf import Renderer
from reports.press import Press
from safety.database import fetch_tuples
from safety.duties import close_at

SCHOOLS = 30
OWNER = "bench"

Say = Callable[[str], None]


async def bench_pdf(times: int, say: Say) -> dict[str, Any]:
    """Seconds of one return (the first with the worker's start, then the median of the rest) and of a whole close."""
    with TemporaryDirectory(prefix="safe-campus-bench-") as name:
        folder = Path(name)
        async with private_database(folder):
            say(f"generating {SCHOOLS} schools")
            await make(SCHOOLS)
            renderer = Renderer(folder)
            try:
                return {
                    "one": await _one(renderer, times, say),
                    "close": await _close(folder, renderer, say),
                }
            finally:
                await renderer.close()


async def _one(renderer: Renderer, times: int, say: Say) -> dict[str, Any]:
    say("drawing one return")
    school = int((await fetch_tuples(None, "select min(id) from school"))[0][0])
    document = await queries.current(school, QUARTER, close_at(QUARTER), test_clock=False)
    spent, pdf = [], b""
    for _ in range(times + 1):
        start = time.perf_counter()
        pdf = await renderer.render_return(document)
        spent.append(round(time.perf_counter() - start, 3))
    return {"first_seconds": spent[0], "seconds": round(median(spent[1:]), 3), "kilobytes": len(pdf) // 1024}


async def _close(folder: Path, renderer: Renderer, say: Say) -> dict[str, Any]:
    say("closing the quarter")
    start = time.perf_counter()
    closed = await close(Press(folder, renderer, OWNER), QUARTER, close_at(QUARTER) + timedelta(seconds=1))
    spent = time.perf_counter() - start
    return {
        "schools": SCHOOLS,
        "delivered": closed.delivered,
        "failed": len(closed.failed),
        "seconds": round(spent, 2),
        "seconds_each": round(spent / SCHOOLS, 3),
    }
