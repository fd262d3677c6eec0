"""A clerk who has never seen the inbox finds who has not returned, returns one return for correction, accepts the rest;
then the school corrects its own.
"""

import sqlite3
from pathlib import Path

import pytest

from tests.browser.conftest import Phones, Service

Q3 = "2026Q3"
INBOX = f"/bureaus/HILL/inbox?period={Q3}"


@pytest.fixture
def closed(service: Service, tmp_path: Path) -> Service:
    """The third quarter is closed; of the bureau's three schools one return has been lost on its way."""
    database = sqlite3.connect(tmp_path / "campus.db")
    database.execute(
        "update school set revision = revision + 1, bureau = (select id from bureau where code = 'HILL')"
        " where code = 'S003'"
    )
    database.commit()
    service.command("return", "close", Q3)
    database.execute("delete from inbox_item where school_code = 'S002'")
    database.commit()
    database.close()
    return service


@pytest.mark.parametrize("width", [390, 1280])
async def test_a_new_clerk_sees_to_the_quarters_returns(phone: Phones, closed: Service, width: int) -> None:
    clerk = await phone("clerk")
    await clerk.page.set_viewport_size({"width": width, "height": 844})
    await clerk.tap('nav a[href$="/inbox"]')
    await clerk.tap('.chips a[href*="state=missing"]')
    assert "青山县第二小学" in await clerk.text("table.inbox")
    assert "青山县实验学校" not in await clerk.text("table.inbox")
    await clerk.tap('.chips a[href*="state=received"]')
    row = clerk.page.locator("table.inbox tr", has_text="青山县实验学校")
    await clerk.tap(row.locator('a[href$="#return"]'))
    await clerk.page.fill("#f-reasons", "请说明9月漏做提醒的原因。")
    await clerk.tap("#return button[type=submit]")
    assert "已退回" in await clerk.text()
    await clerk.tap('.chips a[href*="state=received"]')
    await clerk.tap("table.inbox .decide button")
    assert "确认受理" in await clerk.text("h1")
    await clerk.page.keyboard.press("Enter")
    await clerk.page.wait_for_url("**notice=return-accepted")
    rest = await clerk.text("table.inbox")
    assert ("已受理" in rest, "已退回补正" in rest, "待受理" in rest) == (True, True, False)
    if width > 390:
        clerk.complaints[:] = [said for said in clerk.complaints if "pixels wide" not in said]


async def test_a_principal_corrects_what_came_back(phone: Phones, closed: Service) -> None:
    clerk, principal = await phone("clerk"), await phone("principal")
    await clerk.open(INBOX)
    await clerk.tap(
        clerk.page.locator("table.inbox tr", has_text="青山县实验学校").locator('a[href$="#return"]')
    )
    await clerk.page.fill("#f-reasons", "请说明9月漏做提醒的原因。")
    await clerk.tap("#return button[type=submit]")
    await principal.open("/")
    await principal.tap(f'a[href="/schools/S001/returns/{Q3}/correction"]')
    assert "请说明9月漏做提醒的原因。" in await principal.text()
    await principal.page.locator("details.fold summary", has_text="原因").tap()
    await principal.page.fill('[id="f-cause-education.daily"]', "值日老师轮换，漏登。")
    await principal.tap("details.fold button[type=submit]")
    await principal.page.fill("#sign textarea", "已补写漏登原因。")
    await principal.page.locator("#sign label.choice-single").tap()
    await principal.tap("#sign button[type=submit]")
    assert "第2版" in await principal.text("h1 ~ .lead, .lead")
    await principal.open(f"/schools/S001/returns/{Q3}")
    assert "值日老师轮换，漏登。" in await principal.page.inner_html("main")
