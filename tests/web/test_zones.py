"""Where in the school: every ledger's entries may name a grid zone, at schools that have some."""

import csv
import html
import io
import re
import uuid
from collections.abc import AsyncIterator

import openpyxl
import pytest
from litestar import Litestar

from safety.access.actions import issue_token
from safety.database import fetch_tuples
from safety.ledger.declare import Ledger
from safety.places import actions
from tests.cast import NOW, Browser, Cast
from tests.ledgers import LEDGERS, NAMES, create_test_table, ledgers_in_use, other, sample, writer_of
from tests.web.conftest import Visit

OPTION = re.compile(r'<option value="([^"]*)"')


@pytest.fixture(params=LEDGERS, ids=NAMES)
def ledger(request: pytest.FixtureRequest) -> Ledger:
    return request.param


@pytest.fixture(autouse=True)
async def zones(app: Litestar, cast: Cast) -> AsyncIterator[None]:
    """Two campuses, each with a gate, so that only the campus tells these apart; and a canteen."""
    with ledgers_in_use():
        await create_test_table()
        for name, parts in (("本部", ["校门", "食堂片区"]), ("东校区", ["校门"])):
            campus = await actions.create_campus(None, cast.school, name, NOW)
            for part in parts:
                await actions.create_zone(None, cast.school, campus, part, NOW)
        yield


def base(ledger: Ledger, school: str = "S001") -> str:
    return f"/schools/{school}/ledgers/{ledger.name}"


def typed_by(ledger: Ledger, raw: dict[str, str] | None = None) -> dict[str, str]:
    given = sample(ledger) if raw is None else raw
    return {item.name: given[item.name] for item in ledger.fields if item.by is None}


async def save(browser: Browser, ledger: Ledger, path: str = "/new", **said: str) -> str:
    sent = {**typed_by(ledger), **said, "submission_key": str(uuid.uuid4())}
    answer = await browser.send_form(f"{base(ledger)}{path}", **sent)
    assert answer.status_code == 303, re.findall(r'class="error".*?</p>', answer.text)
    return answer.headers["location"].partition("?")[0].rpartition("/")[2]


async def test_a_zone_is_chosen_shown_filtered_mended_and_kept(visit: Visit, ledger: Ledger) -> None:
    browser = await visit(writer_of(ledger))
    form = (await browser.get(f"{base(ledger)}/new")).text
    asked = form[form.index('name="zone"') :].partition("</select>")[0]
    assert OPTION.findall(asked) == ["", "本部/校门", "食堂片区", "东校区/校门"]
    number = await save(browser, ledger, zone="食堂片区")
    await save(browser, ledger, **typed_by(ledger, sample(ledger, 1)))
    assert "食堂片区" in (await browser.get(f"{base(ledger)}/{number}")).text
    listed = {
        zone: (await browser.get(f"{base(ledger)}?zone={zone}")).text for zone in ("食堂片区", "本部/校门")
    }
    assert number in listed["食堂片区"]
    assert 'data-label="网格"' in listed["食堂片区"]
    assert 'data-label="网格"' not in listed["本部/校门"]
    assert number not in listed["本部/校门"]
    # A form that was drawn before the school had zones does not speak of them.
    mended = typed_by(ledger, other(ledger, sample(ledger)))
    second = await save(browser, ledger, f"/{number}/correct", **mended, why="笔误")
    moved = await save(browser, ledger, f"/{second}/correct", **mended, zone="东校区/校门", why="走错了门")
    page = (await browser.get(f"{base(ledger)}/{moved}")).text
    assert "<del>食堂片区</del> → <ins>东校区/校门</ins>" in page
    gone = await save(browser, ledger, f"/{moved}/correct", **mended, zone="", why="不在任何网格")
    assert await fetch_tuples(
        None, f"select zone from {ledger.table_name} where id = $1", [uuid.UUID(gone)]
    ) == [(None,)]
    wrong = await browser.send_form(
        f"{base(ledger)}/new", **typed_by(ledger), zone="操场", submission_key=str(uuid.uuid4())
    )
    assert wrong.status_code == 400
    assert "本校没有网格“操场”" in html.unescape(wrong.text)


async def test_the_same_submission_with_another_zone_is_another_body(visit: Visit, ledger: Ledger) -> None:
    browser, key = await visit(writer_of(ledger)), str(uuid.uuid4())
    sent = {**typed_by(ledger), "submission_key": key}
    assert (await browser.send_form(f"{base(ledger)}/new", **sent)).status_code == 303
    assert (await browser.send_form(f"{base(ledger)}/new", **sent, zone="食堂片区")).status_code == 409


async def test_tables_have_the_zone_last_and_take_it_in_or_do_without(visit: Visit, ledger: Ledger) -> None:
    browser = await visit(writer_of(ledger))
    number = await save(browser, ledger, zone="食堂片区")
    exported = (await browser.get(f"{base(ledger)}/export.csv")).content.decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(exported))
    assert list(row)[-2:] == ["recorded_at", "zone"]
    assert row["zone"] == "食堂片区"
    assert (await browser.send_form(f"{base(ledger)}/{number}/void", why="重来")).status_code == 303

    template = openpyxl.load_workbook(
        io.BytesIO((await browser.get(f"{base(ledger)}/template.xlsx")).content)
    )
    sheet = template[ledger.name]
    header = [cell.value for cell in sheet[1]]
    assert header == ["school", *(item.name for item in ledger.fields), "zone"]
    for place, name in enumerate(header, 1):
        sheet.cell(2, place, {"school": "S001", "zone": "东校区/校门", **sample(ledger)}[name])
    out = io.BytesIO()
    template.save(out)
    without = ",".join(header[:-1]) + "\n" + ",".join(["S001", *sample(ledger, 1).values()]) + "\n"
    for name, data in (("x.xlsx", out.getvalue()), ("y.csv", without.encode())):
        done = await browser.post(
            f"{base(ledger)}/import", data={"_csrf_token": browser.csrf}, files={"file": (name, data)}
        )
        assert done.status_code == 200, re.findall(r"<tr>.*?</tr>", done.text)
    found = await fetch_tuples(
        None,
        f"select z.name from {ledger.table_name} e left join zone z on z.id = e.zone "
        "where e.voided_at is null order by z.name desc",
    )
    assert set(found) == {("校门",), (None,)}


async def test_a_school_without_zones_is_not_asked(visit: Visit, ledger: Ledger) -> None:
    browser = await visit("admin")
    assert 'name="zone"' not in (await browser.get(f"{base(ledger, 'S002')}/new")).text
    assert 'name="zone"' not in (await browser.get(base(ledger, "S002"))).text
    exported = (await browser.get(f"{base(ledger, 'S002')}/export.csv")).text
    assert exported.strip().endswith("recorded_at")


async def test_programs_name_zones(app: Litestar, cast: Cast, ledger: Ledger) -> None:
    client = Browser(app)
    client.headers["authorization"] = f"Bearer {await issue_token(None, writer_of(ledger), 'test', NOW)}"
    place, key = f"/api/v1{base(ledger)}", {"idempotency-key": str(uuid.uuid4())}
    made = await client.post(place, json={**typed_by(ledger), "zone": "食堂片区"}, headers=key)
    assert made.status_code == 201, made.text
    found = (await client.get(place, params={"zone": "食堂片区"})).json()
    assert [(entry["id"], entry["zone"]) for entry in found["entries"]] == [(made.json()["id"], "食堂片区")]
    assert (await client.get(place, params={"zone": "东校区/校门"})).json()["total"] == 0
    assert (await client.get(place, params={"zone": "操场"})).status_code == 400
    # A program that knows nothing of zones mends something else.
    mended = {**typed_by(ledger, other(ledger, sample(ledger))), "why": "笔误"}
    new = await client.post(
        f"{place}/{made.json()['id']}/correct", json=mended, headers={"idempotency-key": str(uuid.uuid4())}
    )
    assert new.status_code == 201, new.text
    assert (await client.get(f"{place}/{new.json()['id']}")).json()["entry"]["zone"] == "食堂片区"


async def test_a_campus_or_a_zone_of_a_campus_is_named_once(visit: Visit) -> None:
    browser = await visit("officer")
    page = "/schools/S001/settings/places"
    known = await fetch_tuples(None, "select id, name from campus order by id")
    assert (await browser.send_form(page, name="本部")).status_code == 400
    assert (await browser.send_form(page, name="校门", campus=str(known[0][0]))).status_code == 400
    assert (await browser.send_form(page, name="食堂片区", campus=str(known[1][0]))).status_code == 303
