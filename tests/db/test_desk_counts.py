"""The figures on a bureau's first page are those of its inbox, whatever became of the returns; on both databases."""

from collections import Counter

import pytest

from reports.bureau.desk import first_page
from reports.life import standing
from reports.life.decisions import Ruling, decide
from reports.life.rules import ACCEPTED, WITHDRAWN
from reports.press import Press
from safety.database import CampusEngine, fetch_tuples
from safety.errors import NotFound
from safety.jobs.owner import me
from tests.cast import Cast
from tests.db.after_close import BACK, LATER, NEXT_DAY, Q3, closed_county, item_of, newest
from tests.db.test_returns import QuickRenderer


@pytest.fixture
async def county(database: CampusEngine, tmp_path) -> Cast:
    return await closed_county(Press(tmp_path, QuickRenderer(tmp_path), me()))


async def shown(county: Cast) -> dict[str, int]:
    """The figures of the county's first page, which are those of its inbox."""
    desk = await first_page(True, county["clerk"], county.county, False, LATER)
    figures = {figure.path.rpartition("=")[2]: figure.number for figure in desk.figures}
    inbox = Counter(line.state for line in await standing.desk(county["clerk"], county.county, Q3, LATER))
    assert figures == {state: inbox[state] for state in figures}
    return figures


async def test_every_state_is_counted_as_the_inbox_has_it(county: Cast) -> None:
    assert await shown(county) == {"received": 2, "missing": 0, "returned": 0}
    item = await item_of(county)
    await decide(county["clerk"], item, Ruling(ACCEPTED), NEXT_DAY, key="decide-0001")
    assert await shown(county) == {"received": 1, "missing": 0, "returned": 0}
    await decide(county["clerk"], item, Ruling(WITHDRAWN, "点错了学校"), NEXT_DAY, key="decide-0002")
    assert await shown(county) == {"received": 2, "missing": 0, "returned": 0}
    await decide(county["clerk"], item, BACK, NEXT_DAY, key="decide-0003")
    assert await shown(county) == {"received": 1, "missing": 0, "returned": 1}
    await fetch_tuples(None, "delete from inbox_item where school_code = 'S002'")
    assert await shown(county) == {"received": 0, "missing": 1, "returned": 1}


async def test_a_newer_version_on_its_way_asks_for_nothing(county: Cast) -> None:
    await decide(county["clerk"], await item_of(county), BACK, NEXT_DAY, key="decide-0001")
    corrected = await newest(county)
    await fetch_tuples(None, "update school_return set version = 2 where id = $1", [corrected.id])
    assert await shown(county) == {"received": 1, "missing": 0, "returned": 0}


async def test_a_desk_out_of_scope_is_not_found(county: Cast) -> None:
    with pytest.raises(NotFound):
        await first_page(True, county["clerk"], county.city, False, LATER)
