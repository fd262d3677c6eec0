"""What waits at a bureau, on the first page of its people and above its board: every figure leads to its list."""

import hashlib
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reports.actions import seal
from reports.bureau.adjustments import adjust
from reports.canonical import canonical
from reports.delivery.actions import deliver_waiting
from reports.life.decisions import Ruling, decide
from reports.life.rules import RETURNED
from reports.oversight.actions import About, begin
from reports.pdf import Renderer
from reports.press import Press
from reports.rollup.actions import seal_due
from safety.access.actions import NewPerson, NewRole, create_accounts
from safety.access.queries import scope_of_login
from safety.calendar import Period
from safety.clock import FixedClock
from safety.database import fetch_tuples
from safety.duties import close_at
from safety.jobs.owner import me
from safety.places.tables import Bureau
from tests.cast import Browser, Cast
from tests.county import make_county
from tests.web.conftest import Visit

Q3 = Period.parse("2026Q3")
CLOSE = close_at(Q3)
THIRD = datetime(2026, 10, 3, 0, 0, tzinfo=UTC)
FIGURE = re.compile(
    r'href="([^"]+)"><span class="figure-value">(\d+)</span><span class="figure-label">([^<]+)'
)


class QuickRenderer(Renderer):
    """Small bytes for each document, without drawing it."""

    async def render(self, job) -> bytes:
        return b"%PDF " + hashlib.sha256(canonical(job.document)).hexdigest().encode()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(THIRD)


@pytest.fixture
async def press(tmp_path: Path) -> Press:
    return Press(tmp_path, QuickRenderer(tmp_path), me())


@pytest.fixture
async def county(visit: Visit, cast: Cast, press: Press) -> Cast:
    """S001 and S003 have returned, S002 has not; CITY has a clerk."""
    await make_county(cast, CLOSE)
    for school in (cast.school, cast.far_school):
        await seal(school, Q3, CLOSE)
    await deliver_waiting(press, CLOSE, everything=True)
    person = NewPerson("cityclerk", "市经办", (NewRole("clerk", bureau=cast.city),), one_time=False)
    await create_accounts(None, [person], CLOSE)
    return cast


@pytest.fixture
async def enter(visit: Visit, county: Cast):
    async def open_browser(login: str, language: str = "zh-CN") -> Browser:
        scope = await scope_of_login(login, THIRD)
        assert scope is not None
        return await (await visit(language=language)).as_(scope, THIRD)

    return open_browser


def figures(drawn: str) -> dict[str, tuple[int, str]]:
    """By name: how many, and where they are listed."""
    return {name: (int(number), path.replace("&amp;", "&")) for path, number, name in FIGURE.findall(drawn)}


async def test_a_clerk_is_told_what_waits_and_led_to_it(enter, county: Cast, press: Press) -> None:
    clerk = await enter("clerk")
    for page in ("/", "/bureaus/HILL"):
        drawn = (await clerk.get(page)).text
        inbox = "/bureaus/HILL/inbox?period=2026Q3&state="
        assert figures(drawn) == {
            "待受理": (1, inbox + "received"),
            "未报送": (1, inbox + "missing"),
            "已退回、学校未答复": (0, inbox + "returned"),
        }
        for said in ("2026年第3季度报告办理情况", "2026Q3汇总将于2026年10月3日自动封存并上报"):
            assert said in drawn, said
        for _, path in figures(drawn).values():
            assert (await clerk.get(path)).status_code == 200
    item = (await fetch_tuples(None, "select id from inbox_item where school_code = 'S001'"))[0][0]
    await decide(county["clerk"], item, Ruling(RETURNED, "请核实"), THIRD, key="decide-0001")
    found = figures((await clerk.get("/")).text)
    assert (found["待受理"][0], found["已退回、学校未答复"][0]) == (0, 1)


async def test_the_roll_up_is_told_from_due_to_outdated(enter, county: Cast, press: Press) -> None:
    clerk = await enter("clerk")
    await seal_due(press.data, THIRD)
    assert "汇总第1版已于2026年10月3日封存，正在报送" in (await clerk.get("/")).text
    await deliver_waiting(press, THIRD, everything=True)
    assert "已送达上级" in (await clerk.get("/")).text
    await adjust(county["clerk"], county.school, Q3, 4000, "台账不实", "adjust-0001", THIRD)
    for page in ("/", "/bureaus/HILL?period=2026Q3"):
        drawn = (await clerk.get(page)).text
        assert "已上报的汇总尚未包含 1 处更改" in drawn
        assert 'href="/bureaus/HILL/rollups?period=2026Q3#again"' in drawn


async def test_until_it_has_arrived_it_is_not_said_to_have_been_sent(
    enter, county: Cast, press: Press
) -> None:
    clerk = await enter("clerk")
    await seal_due(press.data, THIRD)
    await adjust(county["clerk"], county.school, Q3, 4000, "台账不实", "adjust-0001", THIRD)
    for page in ("/", "/bureaus/HILL/rollups"):
        assert "已封存的汇总尚未包含 1 处更改" in (await clerk.get(page)).text, page


async def test_without_a_level_above_nothing_is_said_to_be_sent(enter) -> None:
    drawn = (await (await enter("cityclerk")).get("/")).text
    assert "将于2026年10月3日自动封存，本级留存" in drawn


async def test_a_roll_up_that_was_not_sealed_on_its_day_is_told(enter, clock: FixedClock) -> None:
    clerk = await enter("clerk")
    clock.set(THIRD + timedelta(hours=2))
    assert "汇总应于2026年10月3日封存，尚未封存" in (await clerk.get("/")).text
    drawn = (await clerk.get("/bureaus/HILL/rollups?period=2026Q3")).text
    assert "应于2026年10月3日 08:00封存，尚未封存" in drawn


async def test_a_city_s_clerk_is_told_the_same_of_every_county(enter, county: Cast) -> None:
    await Bureau(code="330102", name="江州县教育局", parent=county.city).save()
    await fetch_tuples(
        None,
        "insert into peer (kind, code, name, bureau, token_digest, certificate, fingerprint, added_at) "
        "values ('rollup', '330102', 'x', $1, $2, '', '', $3)",
        [county.city, "0" * 64, THIRD],
    )
    drawn = (await (await enter("cityclerk")).get("/")).text
    assert figures(drawn)["待受理"] == (2, "/bureaus/CITY/inbox?period=2026Q3&state=received")
    for said in (
        'href="/bureaus/HILL/inbox?period=2026Q3&amp;state=missing">1<',
        'href="/bureaus/RIVER/inbox?period=2026Q3&amp;state=missing">0<',
        "江州县教育局",
        "还没有收到其汇总",
    ):
        assert said in drawn, said


async def test_an_inspector_reads_the_same_with_their_own_open_queries(enter, county: Cast) -> None:
    inspector = await enter("inspector", "en")
    assert "No open queries" in (await inspector.get("/inspect/queries")).text
    about = About(period="2026Q3", line="education.weekly")
    await begin(county["inspector"], county.school, about, "query", "为何缺课？", "query-00001", THIRD)
    await begin(county["clerk"], county.school, about, "query", "另一人问", "query-00002", THIRD)
    drawn = (await inspector.get("/")).text
    assert figures(drawn) == {
        "wait for a decision": (1, "/inspect/bureaus/HILL/inbox?period=2026Q3&state=received"),
        "schools not returned": (1, "/inspect/bureaus/HILL/inbox?period=2026Q3&state=missing"),
        "sent back, not answered": (0, "/inspect/bureaus/HILL/inbox?period=2026Q3&state=returned"),
        "your open queries": (1, "/inspect/queries"),
    }
    assert 'href="/bureaus/' not in drawn
    listed = (await inspector.get("/inspect/queries")).text
    assert "为何缺课？" in listed
    assert "另一人问" not in listed
    assert (await (await enter("officer")).get("/inspect/queries")).status_code == 403


async def test_a_bureau_without_schools_is_told_so(enter, county: Cast) -> None:
    made = Bureau(code="NEW", name="新区教育局", parent=county.city)
    await made.save()
    person = NewPerson("newclerk", "新经办", (NewRole("clerk", bureau=made.id),), one_time=False)
    await create_accounts(None, [person], CLOSE)
    drawn = (await (await enter("newclerk")).get("/")).text
    assert "所属还没有学校" in drawn
    assert figures(drawn) == {}
