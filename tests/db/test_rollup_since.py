"""What came after a roll-up was sealed is told until a further version holds it."""

from reports.actions import seal
from reports.bureau.adjustments import adjust, appeal
from reports.delivery.actions import deliver_waiting
from reports.life.decisions import Ruling, decide
from reports.life.rules import RETURNED
from reports.press import Press
from reports.rollup.actions import seal_again, seal_due, seal_first
from reports.rollup.since import changes_since
from safety.database import fetch_tuples
from safety.places.tables import Bureau
from tests.cast import Cast
from tests.db import test_rollups
from tests.db.test_rollups import Q3, THIRD, newest, take
from tests.sample_rollup import sample_rollup

press, county = test_rollups.press, test_rollups.county


async def since(bureau: int) -> list[tuple[str, str]]:
    return [(item.name, item.kind) for item in await changes_since(bureau, Q3, await newest(bureau))]


async def test_what_came_after_the_sealing_is_told_until_a_further_version_holds_it(
    county: Cast, press: Press
) -> None:
    await seal_due(press.data, THIRD)
    assert await since(county.county) == []
    await adjust(county["clerk"], county.school, Q3, 5000, "台账不实", "adjust-0001", THIRD)
    await appeal(county["officer"], county.school, Q3, "台账属实", "appeal-0001", THIRD)
    await seal(county.other_school, Q3, THIRD)
    # What is sealed and on its way has not come.
    assert await since(county.county) == [("青山县实验学校", "adjusted")]
    await deliver_waiting(press, THIRD, everything=True)
    both = [("青山县实验学校", "adjusted"), ("青山县第二小学", "arrived")]
    assert (await since(county.county), await since(county.city)) == (both, both)
    assert await since(county.river) == []
    assert await seal_again(
        county["clerk"], county.county, Q3, "补报和核定", "again-00001", press.data, THIRD
    )
    assert await since(county.county) == []
    item = (await fetch_tuples(None, "select id from inbox_item where school_code = 'S001'"))[0][0]
    await decide(county["clerk"], item, Ruling(RETURNED, "请核实"), THIRD, key="decide-0001")
    assert await since(county.county) == [("青山县实验学校", "matter")]


async def test_a_newer_roll_up_from_below_is_told_once_it_can_be_read(county: Cast, press: Press) -> None:
    await Bureau(code="330102", name="江州县教育局", parent=county.city).save()
    await seal_first(county.city, Q3, press.data, THIRD)
    await take(county.city, sample_rollup(8), version=1)
    assert await since(county.city) == [("江州县教育局", "rollup")]
    await fetch_tuples(None, 'update received_rollup set document = \'{"schema": "later"}\'')
    assert await since(county.city) == []
