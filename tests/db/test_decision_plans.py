"""A school's own pages look up its decisions by an index: figures cannot fail, so this does."""

import pytest

from reports.life.standing import OF_SCHOOL, OUTCOMES
from safety.database import CampusEngine, fetch_tuples


@pytest.mark.parametrize(("sql", "values"), [(OUTCOMES, [1]), (OF_SCHOOL, ["2026Q3", 1])])
async def test_no_other_schools_decision_is_read(
    sqlite_database: CampusEngine, sql: str, values: list[object]
) -> None:
    plan = [row[3] for row in await fetch_tuples(None, f"explain query plan {sql}", values)]
    assert [step for step in plan if step.startswith("SCAN")] == []
    assert len([step for step in plan if step.startswith("SEARCH d USING INDEX")]) == 2
