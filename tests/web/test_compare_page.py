"""The comparison of standards: who may open it, what it says, and that it keeps nothing."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from config.ledgers import REGISTRY
from config.rules import put_in_use
from safety import in_use
from safety.database import fetch_tuples
from tests.cast import Cast
from tests.county import make_county
from tests.unit.law import changed
from tests.web.conftest import Visit

PATH = "/schools/S001/score/2026Q3/compare"
ONLY = "仅供比较，不替代原成绩"


@pytest.fixture
async def county(cast: Cast) -> Cast:
    await make_county(cast)
    return cast


@pytest.fixture
def changing(county: Cast, visit: Visit) -> Iterator[None]:
    """Heavier samples within the quarter, and two leaders a day after it."""
    law = changed(
        [
            {"id": "food.samples.least_grams", "from": date(2026, 8, 15), "value": 200},
            {"id": "duty.leader.least_slots", "from": date(2026, 10, 1), "value": 2},
            {"id": "factor.late", "from": date(2026, 10, 1), "value": "0"},
        ]
    )
    in_use.use(law, REGISTRY)
    yield
    put_in_use()


async def _stored() -> Any:
    tables = ("tally", "school_return", "audit_line")
    return [await fetch_tuples(None, f"select count(*) from {table}") for table in tables]


async def test_a_day_of_the_same_standards_gives_the_same_score(visit: Visit, county: Cast) -> None:
    page = await (await visit("officer")).get(f"{PATH}?day=2026-07-01")
    assert page.status_code == 200
    assert ONLY in page.text
    assert "两者的标准没有不同" in page.text


@pytest.mark.usefixtures("changing")
async def test_what_differs_is_named_line_by_line_and_nothing_is_kept(visit: Visit, county: Cast) -> None:
    before = await _stored()
    page = (await (await visit("officer")).get(f"{PATH}?day=2026-10-01")).text
    assert ONLY in page
    assert "两者的标准没有不同" not in page
    assert "food.samples.least_grams" in page
    assert "125 → 200" in page
    assert "factor.late" in page
    assert "+0." not in page
    board = (await (await visit("officer")).get("/schools/S001?period=2026Q3")).text
    assert "+2026-08-15" in board
    assert f'href="{PATH}"' in board
    line = (await (await visit("officer")).get("/schools/S001/score/2026Q3/food.samples")).text
    assert "不少于125克" in line
    assert "不少于200克" in line
    assert await _stored() == before


async def test_the_bureau_and_its_inspector_may_compare_and_others_may_not(
    visit: Visit, county: Cast
) -> None:
    assert (await (await visit("clerk")).get(PATH)).status_code == 200
    inspected = await (await visit("inspector")).get(f"/inspect{PATH}")
    assert inspected.status_code == 200
    assert 'href="/inspect/schools/S001/score/2026Q3/T1"' in inspected.text
    for who in ("teacher", "guard"):
        assert (await (await visit(who)).get(PATH)).status_code == 403


@pytest.mark.parametrize("day", ["soon", "2026-13-01", "2019-01-01"])
async def test_a_day_that_cannot_be_compared_with_is_refused(visit: Visit, county: Cast, day: str) -> None:
    assert (await (await visit("officer")).get(f"{PATH}?day={day}")).status_code == 400
