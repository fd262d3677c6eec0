"""Scoring many schools' quarter: from tallies and by recompute, against a bare scan of every ledger table."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any

from config.benchmarks.county import QUARTER, SUMMED, TABLES, make
from config.crew import Crew
from safety.database import fetch_tuples, transaction
from safety.ledger.tallies import rebuild
from safety.scores import recomputed_scores, scores
from safety.scoring import Score, as_json

NOW = datetime(2026, 7, 20, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Spent:
    """Medians of several runs: seconds by the clock, and of this process's own processor time.

    Where others use the machine, or storage is elsewhere, the two differ; a ratio of processor times is steadier.
    """

    seconds: float
    cpu: float


async def _timed(work: Callable[[], Awaitable[Any]], times: int) -> tuple[Spent, Any]:
    seconds, cpu, result = [], [], None
    for _ in range(times):
        start, busy = time.perf_counter(), time.process_time()
        result = await work()
        seconds.append(time.perf_counter() - start)
        cpu.append(time.process_time() - busy)
    return Spent(median(seconds), median(cpu)), result


async def bare_scan() -> None:
    """The least any scoring could do: read every row of every ledger once."""
    for table in TABLES:
        await fetch_tuples(None, f"select count(*), sum({SUMMED[table]}) from {table}")  # noqa: S608


async def by_recompute(ids: list[int]) -> dict[int, dict[str, Any]]:
    """Every school's score from its entries, in this process alone."""
    return _documents(await recomputed_scores(ids, QUARTER, NOW))


async def by_crew(crew: Crew, ids: list[int]) -> dict[int, dict[str, Any]]:
    """The same, by several processes."""
    return await crew.scores(ids, QUARTER, NOW)


def _documents(scores: Mapping[int, Score]) -> dict[int, dict[str, Any]]:
    return {id_: as_json(found) for id_, found in scores.items()}


async def from_tallies(ids: list[int]) -> dict[int, dict[str, Any]]:
    """Every school's score from its tallies."""
    return _documents(await scores(ids, QUARTER, NOW))


def _bare(scores: dict[int, dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """Without the ids of entries, which tallies do not name."""
    for found in scores.values():
        for group in found["groups"]:
            for line in group["lines"]:
                line.pop("entries", None)
    return scores


async def bench_score(schools: int, url: str, times: int, progress: Callable[[str], None]) -> dict[str, Any]:
    """Generate, tally, and time: seconds each, and the ratios to the bare scan. `url`: of the database in use."""
    progress(f"generating {schools} schools")
    made = await make(schools, lambda done: progress(f"{done} schools") if done % 50 == 0 else None)
    progress(f"{made.total} rows; tallying")
    ids = [row[0] for row in await fetch_tuples(None, "select id from school order by id")]
    start = time.perf_counter()
    for id_ in ids:
        async with transaction():
            await rebuild(id_, QUARTER, NOW)
    tallied = time.perf_counter() - start
    await fetch_tuples(None, "analyze")
    progress("timing")
    bare, _ = await _timed(bare_scan, times)
    fast, kept = await _timed(lambda: from_tallies(ids), times)
    alone, again = await _timed(lambda: by_recompute(ids), times)
    with Crew(url) as crew:
        # A recompute of a county is not the first thing that its processes do: they start before the clock does.
        await by_crew(crew, ids)
        shared, shared_out = await _timed(lambda: by_crew(crew, ids), times)
        processes = crew.size
    return {
        "schools": schools,
        "rows": made.total,
        "rebuild_seconds": round(tallied, 3),
        "bare_scan_seconds": round(bare.seconds, 3),
        "from_tallies_seconds": round(fast.seconds, 3),
        "recompute_seconds": round(shared.seconds, 3),
        "recompute_processes": processes,
        "recompute_alone_seconds": round(alone.seconds, 3),
        "from_tallies_ratio": round(fast.seconds / bare.seconds, 2),
        "recompute_ratio": round(shared.seconds / bare.seconds, 2),
        "recompute_alone_ratio": round(alone.seconds / bare.seconds, 2),
        "bare_scan_cpu": round(bare.cpu, 3),
        "from_tallies_cpu": round(fast.cpu, 3),
        "recompute_alone_cpu": round(alone.cpu, 3),
        "from_tallies_cpu_ratio": round(fast.cpu / bare.cpu, 2),
        "recompute_alone_cpu_ratio": round(alone.cpu / bare.cpu, 2),
        "agree": _bare(kept) == _bare(again) == _bare(shared_out),
    }
