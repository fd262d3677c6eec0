"""`safe-campus recount`: every school from its entries, by processes of their own, beside what was kept."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from config.benchmarks.county import QUARTER, make
from config.benchmarks.score import NOW
from config.crew import Crew
from safety.database import CampusEngine, fetch_tuples
from safety.ledger.jobs import compare_tallies
from safety.ledger.tallies import rebuild
from safety.scores import recomputed_scores, scores
from safety.scoring import as_json
from tests.ledgers import ledgers_in_use

PROGRAM = [sys.executable, "-c", "from config.cli import main; main()", "--lang", "en", "recount", QUARTER.id]


async def _recount(url: str, folder: Path) -> tuple[int, Any]:
    clock = folder / "clock"
    clock.write_text(NOW.isoformat(), encoding="ascii")
    named = {"DATABASE": url, "DATA": str(folder), "TEST_CLOCK": str(clock)}
    environ = os.environ | {f"SAFE_CAMPUS_{name}": value for name, value in named.items()}
    done = await asyncio.to_thread(
        subprocess.run, [*PROGRAM, "--json"], env=environ, capture_output=True, check=False
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


async def test_a_tally_that_differs_from_the_entries_is_named(
    database: CampusEngine, database_url: str, tmp_path: Path
) -> None:
    with ledgers_in_use():
        await make(3)
        ids = [int(row[0]) for row in await fetch_tuples(None, "select id from school order by id")]
        for school in ids:
            await rebuild(school, QUARTER, NOW)
        kept, measured = await scores(ids, QUARTER, NOW), await recomputed_scores(ids, QUARTER, NOW)
    assert [as_json(kept[school])["total"] for school in ids] == [
        as_json(measured[school])["total"] for school in ids
    ]
    assert await _recount(database_url, tmp_path) == (0, {"schools": 3, "differ": {}})

    await fetch_tuples(
        None,
        "update tally set late = late + 1 where school = $1 and line = 'duty.gate' and late > 0",
        [ids[1]],
    )
    code, found = await _recount(database_url, tmp_path)
    assert code == 1
    assert found["schools"] == 3
    assert list(found["differ"]) == ["S0001"]
    assert found["differ"]["S0001"][0] == "duty.gate"


async def test_the_nights_job_finds_and_mends_what_differs_alone_and_by_several_processes(
    database: CampusEngine, database_url: str
) -> None:
    with ledgers_in_use(), Crew(database_url, size=2) as crew:
        await make(3)
        ids = [int(row[0]) for row in await fetch_tuples(None, "select id from school order by id")]
        assert await compare_tallies(NOW) == 6, "of two quarters nothing was tallied yet"
        for among in (None, crew.differing):
            assert await compare_tallies(NOW, among) == 0
            await fetch_tuples(
                None,
                "update tally set late = late + 1 where school = $1 and line = 'duty.gate' and late > 0",
                [ids[1]],
            )
            assert await crew.differing(ids, QUARTER, NOW) == [ids[1]]
            assert await compare_tallies(NOW, among) == 1
            assert await crew.differing(ids, QUARTER, NOW) == []
