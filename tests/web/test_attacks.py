"""What somebody with an account, or with one no longer, may try: over HTTP, on both databases."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import date, timedelta

import pytest
from litestar import Litestar

from safety.access import actions, tokens
from safety.access.actions import NewPerson, NewRole
from safety.access.queries import scope_of_login
from safety.audit.queries import verify
from safety.clock import FixedClock
from safety.database import CampusEngine, fetch_tuples
from safety.errors import BadInput
from safety.places.tables import SchoolClass
from tests.cast import NOW, PASSWORD, Browser, Cast, make_cast

LEDGER = "/schools/S001/ledgers/class_sessions"
SESSION = {
    "class": "三(1)班",
    "happened_on": "2026-10-14",
    "kind": "weekly",
    "topic": "防溺水",
    "module": "natural",
    "present": "40",
    "made_up": "0",
}
Open = Callable[[str], Awaitable[Browser]]


@pytest.fixture
async def cast(database: CampusEngine) -> Cast:
    return await make_cast()


@pytest.fixture
async def visit(app: Litestar, cast: Cast) -> AsyncIterator[Open]:
    async with AsyncExitStack() as stack:

        async def open_browser(name: str) -> Browser:
            scope = await scope_of_login(name, NOW)
            assert scope is not None
            browser = await stack.enter_async_context(Browser(app))
            return await browser.as_(scope)

        yield open_browser


async def bearer(login: str) -> dict[str, str]:
    token = await actions.issue_token(None, login, "test", NOW)
    return {"authorization": f"Bearer {token}", "idempotency-key": str(uuid.uuid4())}


async def entries() -> int:
    return int((await fetch_tuples(None, "select count(*) from class_session"))[0][0])


# ---------------------------------------------------------------- many at once
async def test_fifty_posts_at_once_with_one_key_make_one_entry(visit: Open) -> None:
    browsers = [await visit("officer") for _ in range(5)]
    key = str(uuid.uuid4())
    answers = await asyncio.gather(
        *(browsers[n % 5].send_form(f"{LEDGER}/new", submission_key=key, **SESSION) for n in range(50))
    )
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert await entries() == 1
    told = await fetch_tuples(None, "select count(*) from audit_line where action = 'entry.record'")
    assert told == [(1,)]
    assert await verify() == []


async def test_of_a_correction_and_a_voiding_at_once_one_holds(visit: Open) -> None:
    browser = await visit("officer")
    made = await browser.send_form(f"{LEDGER}/new", submission_key=str(uuid.uuid4()), **SESSION)
    here = made.headers["location"].partition("?")[0]
    mended = SESSION | {"topic": "防火", "why": "写错了", "submission_key": str(uuid.uuid4())}
    answers = await asyncio.gather(
        browser.send_form(f"{here}/correct", **mended), browser.send_form(f"{here}/void", why="重复")
    )
    assert sorted(answer.status_code for answer in answers)[0] == 303
    marks = await fetch_tuples(
        None, "select count(*) from class_session where superseded_by is not null and voided_at is not null"
    )
    assert marks == [(0,)]
    stands = "select count(*) from class_session where superseded_by is not null or voided_at is not null"
    assert await fetch_tuples(None, stands) == [(1,)]
    assert await verify() == []


# ---------------------------------------------------------------- those who may no longer
async def test_who_was_disabled_is_nobody_at_once_in_the_browser_and_as_a_program(visit: Open) -> None:
    browser, program = await visit("officer"), await bearer("officer")
    api = f"/api/v1{LEDGER}"
    assert (await browser.get(api, headers=program)).status_code == 200
    await actions.disable(None, "officer", NOW)
    assert (await browser.get(LEDGER)).headers["location"].startswith("/login")
    refused = await browser.send_form(f"{LEDGER}/new", submission_key=str(uuid.uuid4()), **SESSION)
    assert refused.status_code in {303, 403}
    assert (await browser.get(api, headers=program)).status_code == 401
    assert (await browser.post(api, headers=program, json=SESSION)).status_code == 401
    await actions.enable(None, "officer", NOW)
    assert (await browser.get(LEDGER)).status_code == 303, "an old session does not come back to life"
    assert (await browser.get(api, headers=program)).status_code == 401, "nor does an old token"
    assert await entries() == 0


async def test_a_role_that_ended_yesterday_opens_nothing(visit: Open, cast: Cast, clock: FixedClock) -> None:
    role = NewRole("officer", school=cast.school, until_day=date(2026, 10, 14))
    await actions.create_account(None, NewPerson("leaving", "走了", (role,), one_time=False), NOW)
    browser, program = await visit("leaving"), await bearer("leaving")
    assert (await browser.get(LEDGER)).status_code == 200
    clock.set(NOW + timedelta(hours=14))
    assert (await browser.get(LEDGER)).status_code == 404
    assert (await browser.get(f"/api/v1{LEDGER}", headers=program)).status_code == 404


async def test_a_program_of_somebody_with_a_one_time_password_is_kept_out(visit: Open, cast: Cast) -> None:
    program = await bearer("officer")
    await actions.reset_password(None, "officer", NOW)
    answer = await (await visit("guard")).get(f"/api/v1{LEDGER}", headers=program)
    assert (answer.status_code, answer.json()["code"]) == (403, "password-change-needed")


@pytest.mark.parametrize("meanwhile", ["reset", "disable"])
async def test_a_password_reset_while_it_is_checked_opens_no_session(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    check = tokens.password_matches

    async def slow(stored: str | None, password: str) -> bool:
        matches = await check(stored, password)
        await (actions.reset_password if meanwhile == "reset" else actions.disable)(None, "officer", NOW)
        return matches

    monkeypatch.setattr(tokens, "password_matches", slow)
    with pytest.raises(BadInput, match="sign-in-failed"):
        await actions.sign_in("officer", PASSWORD, NOW)
    assert await fetch_tuples(None, "select 1 from web_session") == []


# ---------------------------------------------------------------- what belongs to others
async def test_ids_of_another_school_are_refused_in_every_field(visit: Open, cast: Cast) -> None:
    officer, outsider = await visit("officer"), await visit("outsider")
    theirs = SchoolClass(
        school=cast.other_school,
        school_year="2026-2027",
        grade="一年级",
        name="别校班",
        pupils=30,
        first_day=date(2026, 9, 1),
        last_day=date(2027, 8, 31),
    )
    await theirs.save()
    for changed in ({"class": str(theirs.id)}, {"class": "别校班"}, {"on_behalf_of": "outsider"}):
        sent = SESSION | changed | {"submission_key": str(uuid.uuid4())}
        assert (await officer.send_form(f"{LEDGER}/new", **sent)).status_code == 400, changed
    made = await officer.send_form(f"{LEDGER}/new", submission_key=str(uuid.uuid4()), **SESSION)
    number = made.headers["location"].partition("?")[0].rpartition("/")[2]
    mine = f"/schools/S002/ledgers/class_sessions/{number}"
    for path in (mine, f"{mine}/correct", f"{mine}/void"):
        assert (await outsider.get(path)).status_code == 404
        assert (await outsider.send_form(path, why="x", submission_key="x" * 8)).status_code in {404, 405}
    answer = await outsider.get(f"/api/v1{mine}", headers=await bearer("outsider"))
    assert answer.status_code == 404
    assert await entries() == 1


async def test_only_an_administrator_states_when_something_was_recorded(visit: Open) -> None:
    browser = await visit("guard")
    body = SESSION | {"recorded_at": "2026-10-14T08:00"}
    for login, status in (("officer", 403), ("admin", 201)):
        answer = await browser.post(f"/api/v1{LEDGER}", headers=await bearer(login), json=body)
        assert answer.status_code == status
    sent = body | {"submission_key": str(uuid.uuid4())}
    made = await (await visit("officer")).send_form(f"{LEDGER}/new", **sent)
    assert made.status_code == 303
    times = await fetch_tuples(None, "select recorded_at from class_session where recorded_at = $1", [NOW])
    assert len(times) == 1, "a form has no such field"


async def test_a_teacher_writes_for_their_own_class_only(visit: Open, cast: Cast) -> None:
    teacher, officer = await visit("teacher"), await visit("officer")
    other = SchoolClass(
        school=cast.school,
        school_year="2026-2027",
        grade="三年级",
        name="三(2)班",
        pupils=41,
        first_day=date(2026, 9, 1),
        last_day=date(2027, 8, 31),
    )
    await other.save()
    await fetch_tuples(None, "update school set revision = 99 where id = $1", [cast.school])
    sent = SESSION | {"class": "三(2)班", "submission_key": str(uuid.uuid4())}
    assert (await teacher.send_form(f"{LEDGER}/new", **sent)).status_code == 400
    made = await officer.send_form(f"{LEDGER}/new", **sent)
    assert made.status_code == 303
    here = made.headers["location"].partition("?")[0]
    mended = SESSION | {"why": "抢过来", "submission_key": str(uuid.uuid4())}
    assert (await teacher.send_form(f"{here}/correct", **mended)).status_code == 400
    assert (await teacher.send_form(f"{here}/void", why="x")).status_code == 400
    assert await entries() == 1


async def test_a_school_cannot_take_back_an_incident_that_it_was_found_liable_for(visit: Open) -> None:
    officer, clerk, admin = [await visit(name) for name in ("officer", "clerk", "admin")]
    incident = dict.fromkeys(("serious_injuries", "minor_injuries", "affected", "loss_yuan"), "0") | {
        "happened_at": "2026-10-14T08:00",
        "discovered_at": "2026-10-14T08:10",
        "reported_at": "2026-10-14T08:20",
        "reported_by": "school",
        "category": "traffic",
        "deaths": "1",
    }
    made = await officer.send_form(
        "/schools/S001/ledgers/incidents/new", submission_key=str(uuid.uuid4()), **incident
    )
    here = made.headers["location"].partition("?")[0]
    mended = incident | {"deaths": "0", "why": "写错了", "submission_key": str(uuid.uuid4())}
    assert (await officer.get(f"{here}/correct")).status_code == 200
    finding = {"value": "yes", "happened_at": "2026-10-14T09:00", "submission_key": str(uuid.uuid4())}
    assert (await clerk.send_form(f"{here}/events/liability", **finding)).status_code == 303
    for answer in (
        await officer.send_form(f"{here}/void", why="重复"),
        await officer.send_form(f"{here}/correct", **mended),
        await officer.post(f"/api/v1{here}/void", headers=await bearer("officer"), json={"why": "重复"}),
    ):
        assert answer.status_code == 403
    later = {"value": "2", "happened_at": "2026-10-14T09:30", "submission_key": str(uuid.uuid4())}
    assert (await officer.send_form(f"{here}/events/deaths", **later)).status_code == 303
    assert (await admin.send_form(f"{here}/void", why="两校重报")).status_code == 303
