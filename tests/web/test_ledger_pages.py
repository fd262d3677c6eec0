"""One suite for every ledger over HTTP: pages, files and API as they follow from a declaration."""

import asyncio
import csv
import html
import io
import re
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

import openpyxl
import pytest
from litestar import Litestar

from safety.clock import FixedClock
from safety.database import fetch_tuples
from safety.ledger.declare import Kind, Ledger
from tests.cast import BASE_URL, NOW, Browser, Cast
from tests.ledgers import (
    FRIDGE_READINGS,
    LEDGERS,
    NAMES,
    count,
    create_test_table,
    ledgers_in_use,
    other,
    sample,
    writer_of,
)
from tests.web.conftest import Visit
from tests.workbooks import OPPOSITE_CORNERS

ENTRY = re.compile(r"/ledgers/\w+/([0-9a-f-]{36})")
KEY = re.compile(r'name="submission_key" value="([^"]+)"')


@pytest.fixture(params=LEDGERS, ids=NAMES)
def ledger(request: pytest.FixtureRequest) -> Ledger:
    return request.param


@pytest.fixture(autouse=True)
async def in_use(app: Litestar, cast: Cast) -> AsyncIterator[None]:
    """After the application, which puts the product's own ledgers in use."""
    with ledgers_in_use():
        await create_test_table()
        yield


def base(ledger: Ledger) -> str:
    return f"/schools/S001/ledgers/{ledger.name}"


def key_of(page: str) -> str:
    """The submission key of the page's own form, the last on it (the first is that of signing out)."""
    return KEY.findall(page)[-1]


def typed_by(ledger: Ledger, raw: dict[str, str] | None = None) -> dict[str, str]:
    """What a form of an officer sends: fields that others state are not in it."""
    given = sample(ledger) if raw is None else raw
    return {item.name: given[item.name] for item in ledger.fields if item.by is None}


async def save(browser: Browser, ledger: Ledger, **changed: str) -> str:
    """Open the form, fill it in, send it; the entry's id."""
    page = await browser.get(f"{base(ledger)}/new")
    assert page.status_code == 200
    sent = {**typed_by(ledger), "submission_key": key_of(page.text), **changed}
    answer = await browser.send_form(f"{base(ledger)}/new", **sent)
    assert answer.status_code == 303, re.findall(r'class="error".*?</p>', answer.text)
    found = ENTRY.search(answer.headers["location"])
    assert found
    return found[1]


async def test_a_form_is_filled_in_saved_shown_listed_corrected_and_voided(
    visit: Visit, ledger: Ledger
) -> None:
    browser = await visit(writer_of(ledger))
    number = await save(browser, ledger)
    page = await browser.get(f"{base(ledger)}/{number}?notice=entry-saved")
    assert "已保存" in page.text
    listed = await browser.get(base(ledger))
    assert number in listed.text

    form = await browser.get(f"{base(ledger)}/{number}/correct")
    for text in typed_by(ledger).values():
        assert html.escape(text) in form.text
    mended = {**typed_by(ledger, other(ledger, sample(ledger))), "submission_key": key_of(form.text)}
    without = await browser.send_form(f"{base(ledger)}/{number}/correct", **mended)
    assert without.status_code == 400
    assert "请写明原因" in without.text
    done = await browser.send_form(f"{base(ledger)}/{number}/correct", **mended, why="笔误")
    assert done.status_code == 303
    new = ENTRY.search(done.headers["location"])
    assert new
    page = await browser.get(f"{base(ledger)}/{new[1]}")
    assert "第 2 版" in page.text
    assert "笔误" in page.text
    old = await browser.get(f"{base(ledger)}/{number}")
    assert "查看最新版本" in old.text

    assert (await browser.get(f"{base(ledger)}/{new[1]}/void")).status_code == 200
    unsaid = await browser.send_form(f"{base(ledger)}/{new[1]}/void", why="")
    assert unsaid.status_code == 400
    for _ in range(2):
        gone = await browser.send_form(f"{base(ledger)}/{new[1]}/void", why="重复")
        assert gone.status_code == 303
    assert "已作废" in (await browser.get(f"{base(ledger)}/{new[1]}")).text
    assert "还没有记录" in (await browser.get(base(ledger))).text


async def test_what_is_wrong_is_said_by_field_and_what_was_typed_is_kept(
    visit: Visit, ledger: Ledger
) -> None:
    browser = await visit(writer_of(ledger))
    key = str(uuid.uuid4())
    for item in ledger.fields:
        if item.by is not None:
            continue
        bad = {
            Kind.TEXT: "长" * (min(item.maximum or 0, 5000) + 1), Kind.INTEGER: "三", Kind.THOUSANDTHS: "1.2345",
            Kind.DAY: "2026-02-30", Kind.INSTANT: "2026-02-30T08:00", Kind.CHOICE: "nonsense",
            Kind.SCHOOL_CLASS: "九(9)班", Kind.PERSON: "outsider",
        }[item.kind]  # fmt: skip
        sent = {**typed_by(ledger), item.name: bad, "submission_key": key}
        answer = await browser.send_form(f"{base(ledger)}/new", **sent)
        assert answer.status_code == 400, item.name
        assert f'id="e-{item.name}"' in answer.text, item.name
        assert key_of(answer.text) == key
        if item.kind in {Kind.TEXT, Kind.INTEGER, Kind.THOUSANDTHS, Kind.DAY, Kind.INSTANT}:
            assert bad in answer.text
    assert await count(ledger) == 0


async def test_the_future_is_refused(visit: Visit, ledger: Ledger) -> None:
    if ledger.future:
        return
    browser = await visit(writer_of(ledger))
    lead = ledger.happened or "happened_on"
    later = (NOW + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M" if ledger.happened else "%Y-%m-%d")
    answer = await browser.send_form(
        f"{base(ledger)}/new", **{**typed_by(ledger), lead: later, "submission_key": str(uuid.uuid4())}
    )
    assert answer.status_code == 400
    assert "不能晚于记录时间" in answer.text
    assert await count(ledger) == 0


async def test_pressing_save_twice_makes_one_entry_and_reusing_the_form_is_told(
    visit: Visit, ledger: Ledger
) -> None:
    browser = await visit(writer_of(ledger))
    sent = {**typed_by(ledger), "submission_key": str(uuid.uuid4())}
    answers = await asyncio.gather(*(browser.send_form(f"{base(ledger)}/new", **sent) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["location"] for answer in answers}) == 1
    changed = {**sent, **typed_by(ledger, other(ledger, sample(ledger)))}
    clash = await browser.send_form(f"{base(ledger)}/new", **changed)
    assert clash.status_code == 409
    assert sent["submission_key"] not in clash.text
    assert await count(ledger) == 1


async def test_every_page_speaks_both_languages(visit: Visit, ledger: Ledger) -> None:
    browser = await visit(writer_of(ledger))
    number = await save(browser, ledger)
    for path in (
        "",
        "/new",
        f"/{number}",
        f"/{number}/correct",
        f"/{number}/void",
        "/import",
        "?q=x&state=voided",
    ):
        for lang, title in (("zh", ledger.title.zh), ("en", ledger.title.en)):
            joined = f"{base(ledger)}{path}{'&' if '?' in path else '?'}lang={lang}"
            page = await browser.get(joined)
            assert page.status_code == 200, joined
            assert title in page.text, joined
    index = await browser.get("/schools/S001/ledgers?lang=en")
    assert ledger.title.en in html.unescape(index.text)


async def test_outsiders_and_inspectors_are_shown_the_door(visit: Visit, ledger: Ledger) -> None:
    number = await save(await visit(writer_of(ledger)), ledger)
    gets = [
        "",
        "/new",
        f"/{number}",
        f"/{number}/correct",
        f"/{number}/void",
        "/export.csv",
        "/import",
        "/template.xlsx",
    ]
    posts = ["/new", f"/{number}/correct", f"/{number}/void", "/import"]
    for name, allowed in (("outsider", {404}), ("inspector", {403})):
        browser = await visit(name)
        for path in gets:
            assert (await browser.get(base(ledger) + path)).status_code in allowed, (name, path)
        for path in posts:
            answer = await browser.send_form(base(ledger) + path, **typed_by(ledger), why="x")
            assert answer.status_code in allowed, (name, path)
    # Through one's own school's address, another school's entry is not there either.
    browser = await visit("outsider")
    assert (await browser.get(f"/schools/S002/ledgers/{ledger.name}/{number}")).status_code in {403, 404}
    assert await count(ledger) == 1


async def test_a_reader_who_may_not_write_is_offered_nothing_to_write(visit: Visit, ledger: Ledger) -> None:
    number = await save(await visit(writer_of(ledger)), ledger)
    clerk = await visit("clerk")
    page = (await clerk.get(f"{base(ledger)}/{number}")).text
    assert "/correct" not in page
    clerk = await visit("leader" if "clerk" in ledger.recorders else "clerk")
    assert f"{base(ledger)}/new" not in (await clerk.get(base(ledger))).text
    assert (await clerk.get(f"{base(ledger)}/new")).status_code == 403
    assert (await clerk.send_form(f"{base(ledger)}/new", **typed_by(ledger))).status_code == 403


async def test_what_is_exported_is_known_when_it_is_imported(visit: Visit, ledger: Ledger) -> None:
    browser = await visit(writer_of(ledger))
    await save(browser, ledger)
    answer = await browser.get(f"{base(ledger)}/export.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    (row,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert {name: row[name] for name in typed_by(ledger)} == typed_by(ledger)
    assert row["school"] == "S001"


async def upload(browser: Browser, ledger: Ledger, name: str, data: bytes):
    return await browser.post(
        f"{base(ledger)}/import", data={"_csrf_token": browser.csrf}, files={"file": (name, data)}
    )


def as_csv(ledger: Ledger, *rows: dict[str, str]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, ["school", *(item.name for item in ledger.fields)])
    writer.writeheader()
    for row in rows:
        writer.writerow({"school": "S001", **row})
    return out.getvalue().encode()


async def test_the_template_filled_in_is_taken_in_once(visit: Visit, ledger: Ledger) -> None:
    browser = await visit(writer_of(ledger))
    answer = await browser.get(f"{base(ledger)}/template.xlsx")
    assert answer.status_code == 200
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    sheet = book[ledger.name]
    header = [cell.value for cell in sheet[1]]
    assert header == ["school", *(item.name for item in ledger.fields)]
    for place, name in enumerate(header, 1):
        sheet.cell(2, place, {"school": "S001", **sample(ledger)}[name])
    out = io.BytesIO()
    book.save(out)
    for _ in range(2):
        done = await upload(browser, ledger, "填好的.xlsx", out.getvalue())
        assert done.status_code == 200, re.findall(r"<tr>.*?</tr>", done.text)
    assert "已有 1 条未变" in done.text
    assert await count(ledger) == 1


async def test_one_bad_cell_and_nothing_is_taken_in(visit: Visit, ledger: Ledger) -> None:
    browser = await visit(writer_of(ledger))
    good, lead = sample(ledger), ledger.happened or "happened_on"
    answer = await upload(browser, ledger, "x.csv", as_csv(ledger, good, {**good, lead: "2026-02-30"}))
    assert answer.status_code == 400
    assert "第 3 行" in answer.text
    assert lead in answer.text
    assert await count(ledger) == 0
    for name, data in (
        ("x.csv", b"\xff\xfe\x00\x01"),
        ("x.xlsx", b"PK not really"),
        ("x.pdf", b"%PDF"),
        ("x.csv", b""),
    ):
        assert (await upload(browser, ledger, name, data)).status_code == 400
    unknown = as_csv(ledger, good).replace(b"school,", b"shcool,", 1)
    assert (await upload(browser, ledger, "x.csv", unknown)).status_code == 400
    assert (await browser.send_form(f"{base(ledger)}/import")).status_code == 400
    assert await count(ledger) == 0


async def test_a_workbook_that_means_harm_is_refused_with_its_cause(visit: Visit) -> None:
    browser = await visit("officer")
    sessions = next(ledger for ledger in LEDGERS if ledger.name == "class_sessions")
    answer = await upload(browser, sessions, "x.xlsx", OPPOSITE_CORNERS)
    assert answer.status_code == 400
    assert "展开后过大" in answer.text


async def test_later_facts_are_added_on_their_page(visit: Visit, ledger: Ledger) -> None:
    number = await save(await visit(writer_of(ledger)), ledger)
    for event in ledger.events:
        browser = await visit("clerk" if event.roles == {"clerk"} else writer_of(ledger))
        path = f"{base(ledger)}/{number}/events/{event.kind}"
        assert (await browser.get(path)).status_code == 200
        value = ""
        if event.value:
            value = event.value.choices[0].value if event.value.kind is Kind.CHOICE else "3"
            bad = await browser.send_form(
                path, value="x", happened_at="2026-10-14T10:00", submission_key=str(uuid.uuid4())
            )
            assert bad.status_code == 400
        wrong = await browser.send_form(
            path, value=value, happened_at="gestern", submission_key=str(uuid.uuid4())
        )
        assert wrong.status_code == 400
        done = await browser.send_form(
            path, value=value, happened_at="2026-10-14T10:00", submission_key=str(uuid.uuid4())
        )
        assert done.status_code == 303
        assert event.label.zh in (await browser.get(f"{base(ledger)}/{number}")).text
    browser = await visit(writer_of(ledger))
    assert (await browser.get(f"{base(ledger)}/{number}/events/nonsense")).status_code == 404


async def test_unknown_ledgers_and_entries_are_not_found(visit: Visit) -> None:
    browser = await visit("officer")
    for path in ("nonsense", f"class_sessions/{uuid.uuid4()}", "class_sessions/not-a-uuid", "nonsense/new"):
        assert (await browser.get(f"/schools/S001/ledgers/{path}")).status_code == 404, path


async def test_a_form_may_be_opened_with_fields_filled_in(visit: Visit) -> None:
    browser = await visit("officer")
    page = await browser.get(
        "/schools/S001/ledgers/class_sessions/new?class=三(1)班&topic=防溺水&kind=monthly"
    )
    assert 'value="三(1)班" selected' in page.text
    assert 'value="防溺水"' in page.text
    assert 'value="monthly" checked' in page.text


async def test_the_export_holds_no_formulas(visit: Visit) -> None:
    browser = await visit("officer")
    await save(browser, FRIDGE_READINGS, place='=HYPERLINK("http://x")')
    answer = await browser.get(f"{base(FRIDGE_READINGS)}/export.csv")
    (row,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert row["place"].startswith("'=")


async def test_an_upload_may_be_large_but_not_boundless(visit: Visit) -> None:
    browser = await visit("officer")
    header = as_csv(FRIDGE_READINGS)
    assert (
        await upload(browser, FRIDGE_READINGS, "x.csv", header + b"S001," + b"x" * (3 << 20))
    ).status_code == 400
    assert (await upload(browser, FRIDGE_READINGS, "x.csv", header + b"x" * (21 << 20))).status_code == 413
    assert await count(FRIDGE_READINGS) == 0


async def test_lateness_is_shown(visit: Visit, cast: Cast, clock: FixedClock) -> None:
    await fetch_tuples(
        None,
        "insert into term (school, name, starts, ends) values ($1, '一', '2026-09-01', '2027-01-20')",
        [cast.school],
    )
    browser = await visit("officer")
    ledger = next(item for item in LEDGERS if item.name == "daily_reminders")
    for day, said in (("2026-10-14", "按时"), ("2026-10-09", "迟报"), ("2026-09-09", "补录")):
        number = await save(browser, ledger, happened_on=day)
        assert said in (await browser.get(f"{base(ledger)}/{number}")).text, day
    shown = await browser.get(f"{base(ledger)}?timing=late")
    assert "共 1 条" in shown.text
    assert BASE_URL
    del clock


async def test_what_people_typed_never_becomes_a_formula(visit: Visit, cast: Cast) -> None:
    admin, officer = await visit("admin"), await visit("officer")
    pasted = await admin.send_form(
        "/schools/S001/settings/classes",
        classes="三年级,三(1)班,42\n三年级,=1+1,40,2026-10-01",
        year="2026-2027",
    )
    assert pasted.status_code == 303
    place = "/schools/S001/ledgers/daily_reminders"
    for text in ("=cmd|' /C calc'!A0", "＝1+1", "@sum(1)", "plain"):
        sent = {
            "class": "=1+1",
            "happened_on": "2026-10-14",
            "text": text,
            "submission_key": str(uuid.uuid4()),
        }
        assert (await officer.send_form(f"{place}/new", **sent)).status_code == 303
    exported = (await officer.get(f"{place}/export.csv")).content.decode("utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(exported)) for cell in row]
    assert "plain" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "＝", "@", "+", "-"))]
    book = openpyxl.load_workbook(io.BytesIO((await officer.get(f"{place}/template.xlsx")).content))
    typed = {cell.value: cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}
    assert typed["=1+1"] == "s"
    assert "f" not in typed.values()
