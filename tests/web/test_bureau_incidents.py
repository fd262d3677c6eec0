"""An incident that the bureau records at a school of theirs, and its finding on liability: nobody else's to touch."""

import re
from uuid import uuid4

import pytest

from safety.access.actions import NewPerson, NewRole, create_accounts
from safety.access.queries import scope_of_login
from safety.database import fetch_tuples
from safety.incidents.ledgers import INCIDENTS
from safety.ledger.owners import of_bureau
from safety.ledger.queries import entry
from tests.cast import NOW, Browser, Cast
from tests.web.conftest import Visit

LIST = "/schools/S001/ledgers/incidents"
FIGURES = ("deaths", "serious_injuries", "minor_injuries", "affected", "loss_yuan")
KNOWN = {
    "happened_at": "2026-10-13T08:00", "discovered_at": "2026-10-13T08:10", "reported_at": "2026-10-14T09:00",
    "reported_by": "superior", "category": "traffic", **dict.fromkeys(FIGURES, "0"),
}  # fmt: skip


def key() -> dict[str, str]:
    return {"submission_key": str(uuid4())}


async def recorded(browser: Browser, **changed: str) -> str:
    answer = await browser.send_form(f"{LIST}/new", **(KNOWN | changed), **key())
    assert answer.status_code == 303, re.findall(r'class="error".*?</p>', answer.text)
    return answer.headers["location"].partition("?")[0]


@pytest.fixture
async def clerk(visit: Visit, cast: Cast) -> Browser:
    return await visit("clerk")


async def test_a_clerk_records_what_a_superior_reported_and_finds_on_liability(clerk: Browser) -> None:
    assert f'href="{LIST}/new"' in (await clerk.get(LIST)).text
    form = (await clerk.get(f"{LIST}/new")).text
    assert re.search(r'name="reported_by"[^>]*>(?:(?!</select>).)*value="superior" selected', form, re.DOTALL)
    page = await recorded(clerk)
    shown = (await clerk.get(page)).text
    assert f"{page}/events/liability" in shown
    assert f"{page}/correct" in shown
    found = await clerk.send_form(
        f"{page}/events/liability", value="yes", happened_at="2026-10-14T09:30", **key()
    )
    assert found.status_code == 303
    assert "有责任" in (await clerk.get(page)).text


async def test_the_bureau_does_not_report_in_the_schools_name(clerk: Browser) -> None:
    answer = await clerk.send_form(f"{LIST}/new", **(KNOWN | {"reported_by": "school"}), **key())
    assert answer.status_code == 400
    assert "此项不由您填写" in answer.text
    assert await fetch_tuples(None, "select id from incident") == []


async def test_a_school_cannot_take_back_or_reword_what_the_bureau_recorded(
    visit: Visit, clerk: Browser, cast: Cast
) -> None:
    page = await recorded(clerk)
    officer = await visit("officer")
    assert f"{page}/correct" not in (await officer.get(page)).text
    changed = KNOWN | {"category": "other", "why": "并非交通事故"}
    for path, fields in (("correct", changed), ("void", {"why": "没有此事"})):
        assert (await officer.get(f"{page}/{path}")).status_code == 403
        assert (await officer.send_form(f"{page}/{path}", **fields, **key())).status_code == 403
    assert (await clerk.send_form(f"{page}/void", why="重复登记", **key())).status_code == 303
    row = await entry(cast["clerk"], INCIDENTS, cast.school, page.rpartition("/")[2])
    assert await of_bureau(INCIDENTS, row)


async def test_the_bureau_does_not_reword_what_the_school_recorded(visit: Visit, clerk: Browser) -> None:
    officer = await visit("officer")
    page = await recorded(officer, reported_by="school")
    assert f"{page}/correct" not in (await clerk.get(page)).text
    assert (await clerk.send_form(f"{page}/void", why="不属实", **key())).status_code == 403
    assert (await clerk.get(f"{page}/events/liability")).status_code == 200
    assert (await officer.get(f"{page}/correct")).status_code == 200


async def test_nobody_else_finds_on_liability_or_states_it(visit: Visit, clerk: Browser) -> None:
    page = await recorded(clerk)
    finding = {"value": "no", "happened_at": "2026-10-14T09:30"}
    for name in ("officer", "principal", "leader", "teacher", "guard", "canteen", "inspector"):
        browser = await visit(name)
        assert (await browser.get(f"{page}/events/liability")).status_code == 403
        assert (await browser.send_form(f"{page}/events/liability", **finding, **key())).status_code == 403
    officer = await visit("officer")
    stated = await officer.send_form(f"{LIST}/new", **KNOWN, liability="no", **key())
    # A field that is not in the form is not read: it stays what it begins as.
    assert stated.status_code in {303, 400}
    rows = await fetch_tuples(None, "select liability from incident")
    assert {liability for (liability,) in rows} == {"pending"}
    assert await fetch_tuples(None, "select id from entry_event") == []


async def test_other_bureaus_and_other_roles_record_nothing_here(
    visit: Visit, clerk: Browser, cast: Cast
) -> None:
    page = await recorded(clerk)
    person = NewPerson("farclerk", "远经办", (NewRole("clerk", bureau=cast.river),), one_time=False)
    await create_accounts(None, [person], NOW)
    scope = await scope_of_login("farclerk", NOW)
    assert scope is not None
    far = await (await visit()).as_(scope)
    assert (await far.get(f"{LIST}/new")).status_code == 404
    assert (await far.send_form(f"{LIST}/new", **KNOWN, **key())).status_code == 404
    assert (await far.send_form(f"{page}/events/liability", value="no", **key())).status_code == 404
    for name in ("inspector", "guard", "teacher"):
        browser = await visit(name)
        assert (await browser.send_form(f"{LIST}/new", **KNOWN, **key())).status_code == 403
    elsewhere = "/schools/S001/ledgers/zero_reports/new"
    assert (await clerk.get(elsewhere)).status_code == 403
    assert len(await fetch_tuples(None, "select id from incident")) == 1
