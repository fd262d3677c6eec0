"""The reminder on the first page, and the clerk's button that sends one."""

from datetime import UTC, datetime, timedelta

import pytest

from reports.bureau.reminders import remind_by_itself, slots
from safety.clock import FixedClock
from tests.cast import Browser, Cast
from tests.county import make_county
from tests.web.conftest import Visit

NOON = datetime(2026, 9, 29, 4, 0, tzinfo=UTC)
BOARD = "/bureaus/HILL"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture
async def enter(visit: Visit, cast: Cast):
    await make_county(cast, NOON)

    async def open_browser(name: str, language: str = "zh-CN") -> Browser:
        return await (await visit(language=language)).as_(cast[name], NOON)

    return open_browser


async def test_officer_and_principal_see_the_reminder_and_others_do_not(enter) -> None:
    assert "明天关账" not in (await (await enter("principal")).get("/")).text
    await remind_by_itself(slots(NOON - timedelta(days=1), NOON)[0], NOON)
    for who in ("officer", "principal"):
        seen = (await (await enter(who)).get("/")).text
        assert "明天关账：2026Q3报告草稿仍未签批，2026年9月30日24时自动报送。" in seen
        assert 'href="/schools/S001/returns/2026Q3"' in seen
    assert "30 Sep 2026" in (await (await enter("principal", "en")).get("/")).text
    assert "明天关账" not in (await (await enter("teacher")).get("/")).text


async def test_a_clerk_s_button_reminds_once_a_day(enter) -> None:
    clerk = await enter("clerk")
    assert "提醒未签批的学校（2所）" in (await clerk.get(BOARD)).text
    done = await clerk.send_form(f"{BOARD}/reminders")
    assert (done.status_code, done.headers["location"]) == (303, f"{BOARD}?notice=reminded")
    assert "今天已提醒" in (await clerk.get(BOARD)).text
    assert (await clerk.send_form(f"{BOARD}/reminders")).status_code == 409
    assert "教育局经办人孙经办提醒" in (await (await enter("officer")).get("/")).text
    read = (await (await enter("inspector")).get(f"/inspect{BOARD}")).text
    assert "/reminders" not in read
