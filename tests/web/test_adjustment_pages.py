"""A clerk adjusts, the school sees it and appeals, the clerk answers; inspectors only read."""

from datetime import timedelta

import pytest

from reports.actions import seal
from safety.calendar import Period
from safety.clock import FixedClock
from safety.database import fetch_tuples
from safety.duties import close_at
from tests.cast import Browser, Cast
from tests.county import make_county
from tests.web.conftest import Visit

Q3 = Period.parse("2026Q3")
CLOSE = close_at(Q3)
LATER = CLOSE + timedelta(days=1)
PAGE = "/schools/S001/adjustments/2026Q3"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(LATER)


@pytest.fixture
async def enter(visit: Visit, cast: Cast):
    await make_county(cast, CLOSE)
    await seal(cast.school, Q3, CLOSE)

    async def open_browser(name: str) -> Browser:
        return await (await visit()).as_(cast[name], LATER)

    return open_browser


async def test_from_adjustment_to_answer(enter) -> None:
    clerk, officer = await enter("clerk"), await enter("officer")
    assert "未作核定调整" in (await officer.get(PAGE)).text
    sent = {"what": "adjust", "total": "61.50", "reason": "抽查发现台账不实", "submission_key": "adjust-0001"}
    for _ in range(2):
        done = await clerk.send_form(PAGE, **sent)
        assert (done.status_code, done.headers["location"]) == (303, f"{PAGE}?notice=adjustment-saved")
    told = (await officer.get("/")).text
    own = (await fetch_tuples(None, "select total from school_return"))[0][0]
    assert f"教育局核定了2026Q3得分：61.50分（学校得分{own // 100}.{own % 100:02}分）" in told
    assert "教育局核定了" not in (await (await enter("teacher")).get("/")).text
    seen = (await officer.get(PAGE)).text
    for said in ("61.50", "抽查发现台账不实", "孙经办", 'name="text"'):
        assert said in seen, said
    assert 'name="total"' not in seen
    appealed = {"what": "appeal", "text": "当天台账齐全", "submission_key": "appeal-0001"}
    assert (await officer.send_form(PAGE, **appealed)).status_code == 303
    assert "教育局核定了" not in (await officer.get("/")).text
    assert "申诉</span>" in (await clerk.get("/bureaus/HILL?period=2026Q3")).text
    asked = (await clerk.get(PAGE)).text
    assert "当天台账齐全" in asked
    assert 'name="outcome"' in asked
    given = {"what": "answer", "outcome": "upheld", "reason": "核实无误", "submission_key": "answer-0001"}
    assert (await clerk.send_form(PAGE, **given)).status_code == 303
    closed = (await officer.get(PAGE)).text
    for said in ("申诉成立", "核实无误", "核定已撤回"):
        assert said in closed, said
    assert len(await fetch_tuples(None, "select id from score_adjustment")) == 2


async def test_what_is_wrong_is_said_and_what_was_typed_is_kept(enter) -> None:
    clerk = await enter("clerk")
    bad = await clerk.send_form(
        PAGE, what="adjust", total="100.01", reason="台账不实", submission_key="adjust-0001"
    )
    assert bad.status_code == 400
    assert "不是 0 至 100 的得分" in bad.text
    assert "台账不实" in bad.text
    gone = await clerk.send_form(PAGE, what="withdraw", reason="误核", submission_key="adjust-0002")
    assert gone.status_code == 409
    assert "本季度没有现行核定" in gone.text
    assert (await clerk.send_form(PAGE, what="anything")).status_code == 400
    assert await fetch_tuples(None, "select id from score_adjustment") == []


async def test_nobody_does_what_is_not_theirs(enter) -> None:
    sent = {"what": "adjust", "total": "1", "reason": "x", "submission_key": "adjust-0001"}
    for who, status in (("officer", 403), ("teacher", 403), ("outsider", 404), ("inspector", 403)):
        assert (await (await enter(who)).send_form(PAGE, **sent)).status_code == status, who
    clerk = await enter("clerk")
    assert (await clerk.post(PAGE, data=sent)).status_code == 403
    assert (await clerk.send_form("/schools/S003/adjustments/2026Q3", **sent)).status_code == 404
    await clerk.send_form(PAGE, **sent)
    inspector = await enter("inspector")
    read = await inspector.get(f"/inspect{PAGE}")
    assert read.status_code == 200
    assert "1.00" in read.text
    assert "<textarea" not in read.text


async def test_each_row_of_a_closed_quarter_leads_a_clerk_to_its_adjustment(enter) -> None:
    clerk, inspector = await enter("clerk"), await enter("inspector")
    board = (await clerk.get("/bureaus/HILL?period=2026Q3")).text
    assert board.count("调整得分") == 1, "S002 has returned nothing that could be adjusted"
    links = [part.partition("</a>")[0] for part in board.split(f'href="{PAGE}"')[1:]]
    (link,) = [link for link in links if "调整得分" in link]
    assert "青山县实验学校" in link, "who hears the page hears which school"
    assert 'id="adjust"' in (await clerk.get(PAGE)).text
    assert "调整得分" not in (await clerk.get("/bureaus/HILL?period=2026Q4")).text
    looked_at = await inspector.get("/inspect/bureaus/HILL?period=2026Q3")
    assert looked_at.status_code == 200
    assert "调整得分" not in looked_at.text
