"""What no form of ours sends, but somebody may: a clear answer below 500, and nothing written."""

from collections.abc import AsyncIterator

import pytest
from litestar import Litestar

from safety.access.actions import issue_token
from safety.audit.queries import verify
from safety.database import CampusEngine, fetch_tuples
from tests.cast import NOW, PASSWORD, Browser, Cast, make_cast

SCHOOL = "/schools/S001"
CHANGED = (
    "select (select count(*) from audit_line), (select count(*) from term), (select count(*) from closure)"
)


@pytest.fixture
async def county(database: CampusEngine) -> Cast:
    """On both databases: they refuse different things."""
    return await make_cast()


@pytest.fixture
async def officer(app: Litestar, county: Cast) -> AsyncIterator[Browser]:
    async with Browser(app) as browser:
        yield await browser.as_(county["officer"])


@pytest.fixture
async def admin(app: Litestar, county: Cast) -> AsyncIterator[Browser]:
    async with Browser(app) as browser:
        yield await browser.as_(county["admin"])


@pytest.mark.parametrize(
    "path",
    [
        f"{SCHOOL}/settings?quarter=9999Q4",
        f"{SCHOOL}/settings?quarter=2199Q4",
        f"{SCHOOL}/settings?quarter=2000Q1",
        f"{SCHOOL}/settings/classes?year=9998-9999",
        f"{SCHOOL}/roster?week=9999-12-31",
        f"{SCHOOL}/roster?week=0001-01-01",
        f"{SCHOOL}?period=0001Q1",
        f"{SCHOOL}?period=xx",
        f"{SCHOOL}/ledgers/class_sessions?page=-1&since=0001-01-01&until=9999-12-31&q=%00&timing=x&state=x&order=x",
        f"{SCHOOL}/ledgers/class_sessions?page={'9' * 5000}",
        f"{SCHOOL}/ledgers/class_sessions?page=%C2%B2",
        "/admin/accounts?q=%00&page=-1",
        "/?lang=xx&notice=%FF",
    ],
)
async def test_odd_addresses_are_answered(officer: Browser, admin: Browser, path: str) -> None:
    answer = await (admin if path.startswith("/admin") else officer).get(path)
    assert answer.status_code in {200, 400}, answer.text


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/settings/days", {"since": "9999-12-31", "until": "9999-12-31", "kind": "closed"}),
        ("/settings/days", {"since": "0001-01-01", "kind": "closed"}),
        ("/settings/days", {"since": "2026-W44-3", "kind": "closed"}),
        ("/settings/terms", {"name": "长", "starts": "2027-02-10", "ends": "2198-12-31"}),
        ("/settings/terms", {"name": "长", "starts": "2027-02-10", "ends": "9999-12-31"}),
        ("/settings/classes", {"year": "9998-9999", "classes": "三年级,,x"}),
        ("/roster", {"copy": "0001-01-01"}),
        ("/roster", {"copy": "9999-12-31"}),
        ("/roster", {"post": "gate", "person": "officer", "from": "00:00", "to": "00:30", "days": "0001-01-01"}),
        ("/ledgers/duty_slots/new",
         {"post": "gate", "person": "officer", "starts_at": "2199-12-31T23:00", "ends_at": "2199-12-31T23:59"}),
    ],
)  # fmt: skip
async def test_impossible_days_are_named_and_nothing_is_written(
    officer: Browser, path: str, fields: dict[str, str]
) -> None:
    before = await fetch_tuples(None, CHANGED)
    answer = await officer.send_form(SCHOOL + path, submission_key="odd-days-1", **fields)
    assert answer.status_code == 400
    assert await fetch_tuples(None, CHANGED) == before


@pytest.mark.parametrize("number", [2**31, 2**63, 10**30])
async def test_a_number_larger_than_any_row_is_not_found(officer: Browser, number: int) -> None:
    assert (await officer.send_form(f"{SCHOOL}/settings/term/{number}/remove")).status_code == 404


async def test_nul_reaches_no_database(app: Litestar, officer: Browser, admin: Browser) -> None:
    async with Browser(app) as nobody:
        await nobody.get("/login")
        assert (await nobody.send_form("/login", login="a\0b", password="x\0")).status_code == 400
    assert (await admin.send_form("/admin/accounts/x%00y/reset")).status_code == 400
    made = await admin.send_form("/admin/accounts/new", people="zero,零\0零,guard,S001")
    assert made.status_code == 200
    assert await fetch_tuples(None, "select name from account where login = 'zero'") == [("零零",)]
    client = {
        "authorization": f"Bearer {await issue_token(None, 'officer', 'test', NOW)}",
        "idempotency-key": "nul-nul-nul",
    }
    body = {"happened_on": "2026-10-14", "person": "a\0b"}
    answer = await officer.post(f"/api/v1{SCHOOL}/ledgers/zero_reports", json=body, headers=client)
    assert answer.status_code == 400
    assert await verify() == []


async def test_names_that_cannot_be_printed_make_no_account(admin: Browser) -> None:
    for name, said in (("n" * 81, "最多 80 个字符"), ("\a名", "无法打印"), ("\u202e名", "无法打印")):
        answer = await admin.send_form("/admin/accounts/new", people=f"odd,{name},guard,S001")
        assert answer.status_code == 400
        assert said in answer.text
    assert await fetch_tuples(None, "select 1 from account where login = 'odd'") == []


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b"[]", b"", b"{", b"null", b'{"why": "\\ud800"}', b'{"present": %s}' % (b"9" * 5000)],
)
async def test_broken_json_is_a_problem_of_whoever_sent_it(officer: Browser, body: bytes) -> None:
    headers = {
        "authorization": f"Bearer {await issue_token(None, 'officer', 'test', NOW)}",
        "idempotency-key": "broken-json",
        "content-type": "application/json",
    }
    answer = await officer.post(f"/api/v1{SCHOOL}/ledgers/class_sessions", content=body, headers=headers)
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("application/problem+json")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded", b"_csrf_token=CSRF&topic=%ff%fe&class=%ED%A0%80"),
        ("multipart/form-data; boundary=b", b"garbage"),
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b",
         b'--b\r\nContent-Disposition: form-data; name="t"\r\nContent-Type: text/plain; charset=no\r\n\r\nx\r\n--b--'),
        ("multipart/form-data; boundary=b",
         b'--b\r\nContent-Disposition: form-data; name="_csrf_token"\r\n\r\nCSRF\xff\xed\xa0\x80\r\n--b--\r\n'),
        ("nonsense", b"x"),
    ],
)  # fmt: skip
async def test_bodies_that_cannot_be_read_are_refused(officer: Browser, kind: str, body: bytes) -> None:
    sent = body.replace(b"CSRF", officer.csrf.encode())
    path = f"{SCHOOL}/ledgers/class_sessions/new"
    answer = await officer.post(path, content=sent, headers={"content-type": kind})
    assert answer.status_code in {400, 403}


async def test_a_stranger_keeps_nobody_waiting_with_a_large_form(app: Litestar, county: Cast) -> None:
    async with Browser(app) as browser:
        await browser.get("/login")
        answer = await browser.send_form("/login", login="officer", password="x" * 70_000)
        assert answer.status_code == 413


async def test_signing_in_leads_on_to_an_address_with_chinese_in_it(app: Litestar, county: Cast) -> None:
    async with Browser(app) as browser:
        await browser.get("/login")
        answer = await browser.send_form("/login", login="officer", password=PASSWORD, next="/?class=三(1)班")
        assert (answer.status_code, answer.headers["location"]) == (303, "/?class=%E4%B8%89(1)%E7%8F%AD")
