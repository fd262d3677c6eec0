"""Scoring many schools' quarter: from tallies and by recompute, against a bare scan of every ledger table."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any

from config.benchmarks.county import QUARTER, SUMMED, TABLES, make
from safety import in_use
from safety.database import fetch_tuples, transaction
from safety.ledger.tallies import rebuild, recompute
from safety.places.facts import facts_of
from safety.rulebook import Rulebook
from safety.scores import consequences_of, evidence_of, incidents_by_school, scores
from safety.scoring import as_json, score

NOW = datetime(2026, 7, 20, tzinfo=UTC)
CHUNK = 20


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
    """Every school's score from its entries."""
    book = Rulebook.of(in_use.standards(), QUARTER)
    facts, incidents = await facts_of(ids), await incidents_by_school(ids)
    found = {}
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        measured = await recompute([facts[id_] for id_ in chunk], QUARTER, NOW)
        for id_ in chunk:
            costs = consequences_of(incidents[id_], QUARTER, NOW, book)
            evidence = evidence_of(measured[id_], costs, NOW)
            found[id_] = as_json(score(facts[id_], QUARTER, book, evidence, NOW))
    return found


async def from_tallies(ids: list[int]) -> dict[int, dict[str, Any]]:
    """Every school's score from its tallies."""
    return {id_: as_json(found) for id_, found in (await scores(ids, QUARTER, NOW)).items()}


def _bare(scores: dict[int, dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """Without the ids of entries, which tallies do not name."""
    for found in scores.values():
        for group in found["groups"]:
            for line in group["lines"]:
                line.pop("entries", None)
    return scores


async def bench_score(schools: int, times: int, progress: Callable[[str], None]) -> dict[str, Any]:
    """Generate, tally, and time: seconds each, and the two ratios to the bare scan."""
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
    slow, again = await _timed(lambda: by_recompute(ids), times)
    return {
        "schools": schools,
        "rows": made.total,
        "rebuild_seconds": round(tallied, 3),
        "bare_scan_seconds": round(bare.seconds, 3),
        "from_tallies_seconds": round(fast.seconds, 3),
        "recompute_seconds": round(slow.seconds, 3),
        "from_tallies_ratio": round(fast.seconds / bare.seconds, 2),
        "recompute_ratio": round(slow.seconds / bare.seconds, 2),
        "bare_scan_cpu": round(bare.cpu, 3),
        "from_tallies_cpu": round(fast.cpu, 3),
        "recompute_cpu": round(slow.cpu, 3),
        "from_tallies_cpu_ratio": round(fast.cpu / bare.cpu, 2),
        "recompute_cpu_ratio": round(slow.cpu / bare.cpu, 2),
        "agree": _bare(kept) == _bare(again),
    }
