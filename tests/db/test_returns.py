"""A quarter closes: sealed, drawn, received once, on both databases."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from config.rules import put_in_use
from reports import actions, queries
from reports.delivery import Press
from reports.jobs import close, close_quarter
from reports.pdf import Renderer
from safety.calendar import Period
from safety.clock import FixedClock
from safety.database import CampusEngine, fetch_tuples
from safety.duties import close_at
from safety.jobs.owner import me
from tests.cast import Cast, make_cast
from tests.county import make_county

Q3 = Period.parse("2026Q3")
CLOSE = close_at(Q3)
EVENING = CLOSE - timedelta(hours=6)


@pytest.fixture
async def press(tmp_path: Path) -> AsyncIterator[Press]:
    renderer = Renderer(tmp_path)
    yield Press(tmp_path, renderer, me())
    await renderer.close()


@pytest.fixture
async def county(database: CampusEngine) -> Cast:
    put_in_use()
    cast = await make_cast(CLOSE - timedelta(days=40))
    await make_county(cast, CLOSE)
    return cast


async def test_a_close_seals_draws_and_delivers_every_school_once(county: Cast, press: Press) -> None:
    first = await close_quarter(press, Q3, FixedClock(CLOSE))
    again = await close_quarter(press, Q3, FixedClock(CLOSE + timedelta(hours=1)))
    assert (first.sealed, first.delivered, first.failed) == (3, 3, {})
    assert (again.sealed, again.delivered) == (0, 0)
    lines = await queries.inbox(county["clerk"], county.county, Q3)
    assert [line.item is not None for line in lines] == [True, True]
