"""What a recompute asks SQLite for is answered from an index alone, in its order: figures cannot fail, so this does."""

from typing import Any

import pytest

from config.ledgers import REGISTRY
from safety.database import fetch_tuples
from safety.ledger.evidence import gather_sql
from safety.ledger.feeds import Gather

GATHERS: dict[str, tuple[str, Gather]] = {
    f"{ledger.name}: {gather.columns}": (ledger.table_name, gather)
    for home in REGISTRY
    for feed in home.feeds
    for ledger, gather in (
        (home, feed.gather),
        *((REGISTRY[need.ledger], need.gather) for need in feed.needs),
    )
    if gather is not None
}
SPAN = ["2026-04-01", "2026-06-30", 1, 2, 3]


async def _plan(sql: str) -> list[str]:
    return [row[3] for row in await fetch_tuples(None, f"explain query plan {sql}", SPAN)]


@pytest.mark.parametrize("name", GATHERS)
async def test_what_stands_is_read_from_an_index_alone(sqlite_database: Any, name: str) -> None:
    table, gather = GATHERS[name]
    plan = await _plan(gather_sql(table, gather, 3))
    assert any(
        f"SEARCH e USING COVERING INDEX {table}_current (school=? AND happened_on>?" in s for s in plan
    )
    assert not [step for step in plan if step.startswith("SCAN e") or "FOR GROUP BY" in step]


@pytest.mark.parametrize("name", [name for name, (_, gather) in GATHERS.items() if gather.apart])
async def test_rows_kept_apart_are_found_without_reading_the_others(sqlite_database: Any, name: str) -> None:
    table, gather = GATHERS[name]
    sql = (
        f"select e.school, e.id from {table} e where e.happened_on between $1 and $2 and e.school in ($3, $4, $5)"
        f" and ({gather.apart}) and e.superseded_by is null and e.voided_at is null"
    )
    assert [f"{table}_apart" in step for step in await _plan(sql)] == [True]
