"""Returns that were sealed before get their figures from their documents, a few at a time: these are long.

The columns and the reading of a document are written out here, as they were on that day: what a later release counts
beside them has no column yet when this runs.
"""

import json
from typing import Any

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from safety.database import execute_many, fetch_tuples

ID = "2026-11-22T09:10:01:000001"
VERSION = "1.38.0"
DESCRIPTION = "figures of returns sealed before"

CHUNK = 50
COUNTS = ("expected", "on_time", "late", "backfilled", "missing")
COLUMNS = ("enrolment", "vetoed", *COUNTS, "incidents", "sensitive")
PLACES = ", ".join(f"{name} = ${at}" for at, name in enumerate(COLUMNS, 2))
KEEP = f"update school_return set {PLACES} where id = $1"  # noqa: S608


async def fill() -> None:
    """Repeatable: what a document says does not change."""
    ids = [row[0] for row in await fetch_tuples(None, "select id from school_return order by id")]
    for start in range(0, len(ids), CHUNK):
        some = ids[start : start + CHUNK]
        places = ", ".join(f"${n + 1}" for n in range(len(some)))
        sql = f"select id, document from school_return where id in ({places})"  # noqa: S608
        rows = await fetch_tuples(None, sql, some)
        await execute_many(None, KEEP, [[id_, *figures(json.loads(text))] for id_, text in rows])


def figures(document: dict[str, Any]) -> list[int | bool]:
    """In the order of `COLUMNS`; counts are of the duty lines that apply, not of the targets."""
    score = document["score"]
    groups = [group for group in score["groups"] if group["id"] != "targets"]
    lines = [line for group in groups for line in group["lines"] if line["applies"]]
    incidents = document.get("incidents", ())
    sensitive = sum(incident["category"] == "mental_health" for incident in incidents)
    return [
        document["school"]["enrolment"],
        bool(score.get("veto")),
        *(sum(line[name] for line in lines) for name in COUNTS),
        len(incidents) - sensitive,
        sensitive,
    ]


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="reports", description=DESCRIPTION)
    manager.add_raw(fill)
    return manager
