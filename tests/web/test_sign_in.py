"""Signing in, staying signed in, and being shown the door."""

import re
from datetime import timedelta

import pytest
from litestar import Litestar

from safety.access import actions, tokens
from safety.access.actions import NewPerson, NewRole
from safety.access.tables import Account, WebSession
from safety.clock import FixedClock
from safety.database import CampusEngine
from safety.errors import BadInput
from tests.cast import NOW, PASSWORD, Browser, Cast
from tests.web.conftest import Visit


async def sign_in(browser: Browser, login: str, password: str = PASSWORD):
    await browser.get("/login")
    return await browser.send_form("/login", login=login, password=password)


async def test_right_password_leads_home_and_wrong_one_says_so_keeping_the_login(visit: Visit) -> None:
    browser = await visit()
    wrong = await sign_in(browser, "officer", "not this one")
    assert wrong.status_code == 400
    assert "登录名或密码不正确" in wrong.text
    assert 'value="officer"' in wrong.text
    assert "not this one" not in wrong.text
    right = await sign_in(browser, "officer")
    assert (right.status_code, right.headers["location"]) == (303, "/")
    assert "安书远" in (await browser.get("/")).text


async def test_login_is_folded_and_leads_on_only_to_our_own_paths(visit: Visit) -> None:
    browser = await visit()
    await browser.get("/login")
    for target, expected in [
        ("/password", "/password"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/a\r\nset-cookie: x", "/"),
    ]:
        answer = await browser.send_form("/login", login=" ＯＦＦＩＣＥＲ ", password=PASSWORD, next=target)
        assert (answer.status_code, answer.headers["location"]) == (303, expected)
        browser.cookies.clear()
        await browser.get("/login")


async def test_five_failures_lock_for_fifteen_minutes_whether_or_not_the_login_exists(
    visit: Visit, clock: FixedClock
) -> None:
    browser = await visit()
    answers = {}
    for login in ("officer", "nobody-here"):
        for _ in range(5):
            answer = await sign_in(browser, login, "wrong wrong")
        answers[login] = re.sub(login, "LOGIN", re.sub(r"[0-9a-f-]{36,}", "", answer.text))
    assert answers["officer"] == answers["nobody-here"]
    assert (await sign_in(browser, "officer")).status_code == 400
    clock.set(NOW + timedelta(minutes=14))
    assert (await sign_in(browser, "officer")).status_code == 400
    clock.set(NOW + timedelta(minutes=15))
    assert (await sign_in(browser, "officer")).status_code == 303


async def test_success_forgets_earlier_failures(visit: Visit) -> None:
    browser = await visit()
    for _ in range(3):
        for _ in range(4):
            await sign_in(browser, "officer", "wrong wrong")
        assert (await sign_in(browser, "officer")).status_code == 303
        browser.cookies.clear()


async def test_a_session_id_sent_by_the_browser_is_never_adopted(visit: Visit, app: Litestar) -> None:
    browser = await visit()
    planted = tokens.new_token()
    name = app.state.kernel.session_cookie
    browser.cookies.set(name, planted, domain="localhost.local")
    page = await browser.get("/login")
    assert "Max-Age=0" in page.headers["set-cookie"]
    browser.cookies.set(name, planted, domain="localhost.local")
    await browser.get("/login")
    browser.cookies.set(name, planted, domain="localhost.local")
    kernel = app.state.kernel
    answer = await browser.post(
        "/login",
        data={
            "login": "officer",
            "password": PASSWORD,
            "_csrf_token": kernel.sign("csrf-anonymous", browser.cookies[kernel.anonymous_cookie]),
        },
    )
    assert answer.status_code == 303
    assert planted not in str(answer.headers)
    assert not await WebSession.exists().where(WebSession.token_hash == tokens.digest(planted))


async def test_signing_in_again_rotates_the_session_and_ends_the_old_one(visit: Visit, app: Litestar) -> None:
    browser = await visit("officer")
    name = app.state.kernel.session_cookie
    before = browser.cookies[name]
    answer = await browser.send_form("/login", login="officer", password=PASSWORD)
    assert answer.status_code == 303
    after = re.search(name + "=([^;]+)", answer.headers["set-cookie"])
    assert after is not None
    assert after[1] != before
    assert not await WebSession.exists().where(WebSession.token_hash == tokens.digest(before))


async def test_another_persons_form_token_is_refused(visit: Visit) -> None:
    officer, outsider = await visit("officer"), await visit("outsider")
    answer = await officer.post("/language", data={"language": "en", "_csrf_token": outsider.csrf})
    assert answer.status_code == 403
    assert "此页面已失效" in answer.text
    assert (await officer.post("/language", data={"language": "en"})).status_code == 403
    assert (await officer.send_form("/language", language="en")).status_code == 303


async def test_a_token_from_before_sign_in_is_refused_after_it(visit: Visit) -> None:
    browser = await visit()
    await browser.get("/login")
    before = browser.csrf
    await browser.send_form("/login", login="officer", password=PASSWORD)
    assert (await browser.post("/logout", data={"_csrf_token": before})).status_code == 403


async def test_disabling_an_account_ends_its_session_and_its_sign_in(visit: Visit, cast: Cast) -> None:
    officer, admin = await visit("officer"), await visit("admin")
    assert (await officer.get("/")).status_code == 200
    assert (await admin.send_form("/admin/accounts/officer/disable")).status_code == 303
    gone = await officer.get("/")
    assert (gone.status_code, gone.headers["location"]) == (303, "/login")
    officer.cookies.clear()
    assert (await sign_in(officer, "officer")).status_code == 400
    assert (await admin.send_form("/admin/accounts/officer/enable")).status_code == 303
    assert (await sign_in(officer, "officer")).status_code == 303


async def test_an_administrator_cannot_disable_their_own_account(visit: Visit) -> None:
    admin = await visit("admin")
    assert (await admin.send_form("/admin/accounts/admin/disable")).status_code == 409


async def test_logging_out_ends_the_session_on_the_server(visit: Visit, app: Litestar) -> None:
    browser = await visit("officer")
    kept = browser.cookies[app.state.kernel.session_cookie]
    assert (await browser.send_form("/logout")).headers["location"] == "/login?notice=signed-out"
    assert not await WebSession.exists().where(WebSession.token_hash == tokens.digest(kept))


async def test_an_idle_session_ends_and_a_used_one_lives_on_until_two_weeks(
    visit: Visit, clock: FixedClock
) -> None:
    busy, idle = await visit("officer"), await visit("guard")
    for hour in range(0, 14 * 24, 12):
        clock.set(NOW + timedelta(hours=hour))
        assert (await busy.get("/")).status_code == 200
    assert (await idle.get("/")).status_code == 303
    clock.set(NOW + timedelta(days=14))
    assert (await busy.get("/")).status_code == 303


async def test_last_seen_is_written_at_most_once_in_five_minutes(visit: Visit, clock: FixedClock) -> None:
    browser = await visit("officer")
    for minutes, seen in [(0, 0), (4, 0), (5, 5), (9, 5), (10, 10)]:
        clock.set(NOW + timedelta(minutes=minutes))
        await browser.get("/")
        rows = await WebSession.select(WebSession.seen_at)
        assert rows == [{"seen_at": NOW + timedelta(minutes=seen)}]


async def test_a_one_time_password_opens_nothing_but_its_replacement(visit: Visit, cast: Cast) -> None:
    person = NewPerson("newcomer", "新同事", (NewRole("officer", school=cast.school),))
    made = await actions.create_account(cast["admin"], person, NOW)
    assert made.one_time_password
    browser = await visit()
    assert (await sign_in(browser, "newcomer", made.one_time_password)).status_code == 303
    assert (await browser.get("/")).headers["location"] == "/password"
    refused = await browser.send_form(
        "/password", old=made.one_time_password, new="newcomer", again="newcomer"
    )
    assert "不能与登录名相同" in refused.text
    same = await browser.send_form(
        "/password", old=made.one_time_password, new="one two three", again="other"
    )
    assert "两次输入的密码不一致" in same.text
    changed = await browser.send_form(
        "/password", old=made.one_time_password, new="one two three", again="one two three"
    )
    assert (changed.status_code, changed.headers["location"]) == (303, "/?notice=password-changed")
    assert "密码已更换" in (await browser.get("/?notice=password-changed")).text


async def test_a_one_time_password_stops_working_after_two_weeks(cast: Cast, clock: FixedClock) -> None:
    made = await actions.create_account(cast["admin"], NewPerson("late", "来迟了"), NOW)
    with pytest.raises(BadInput) as caught:
        await actions.sign_in("late", made.one_time_password or "", NOW + timedelta(days=14))
    assert caught.value.problems[0].code == "one-time-expired"


async def test_resetting_a_password_ends_what_was_signed_in_with_the_old_one(visit: Visit) -> None:
    officer, admin = await visit("officer"), await visit("admin")
    slip = await admin.send_form("/admin/accounts/officer/reset")
    printed = re.search(r'slip-password">([^<]+)<', slip.text)
    assert printed is not None
    assert slip.headers["cache-control"] == "no-store"
    assert (await officer.get("/")).status_code == 303
    officer.cookies.clear()
    assert (await sign_in(officer, "officer", PASSWORD)).status_code == 400
    assert (await sign_in(officer, "officer", printed[1])).status_code == 303


async def test_first_set_up_makes_bureau_and_administrator_once(
    app: Litestar, sqlite_database: CampusEngine
) -> None:
    async with Browser(app) as browser:
        assert (await browser.get("/login")).headers["location"] == "/setup"
        await browser.get("/setup")
        asked = {
            "bureau_code": "330100",
            "bureau_name": "明州市教育局",
            "login": "root",
            "name": "第一人",
            "password": "12345678",
            "again": "12345678",
        }
        refused = await browser.send_form("/setup", **asked)
        assert refused.status_code == 400
        assert "太常见" in refused.text
        assert "明州市教育局" in refused.text
        good = asked | {"password": "quiet river stone", "again": "quiet river stone"}
        assert (await browser.send_form("/setup", **good)).status_code == 303
        assert "账号管理" in (await browser.get("/")).text
        assert (await browser.get("/setup")).status_code == 404
        assert (await browser.send_form("/setup", **good)).status_code == 404
        assert await Account.count() == 1


async def test_accounts_are_made_in_bulk_or_not_at_all(visit: Visit) -> None:
    admin = await visit("admin")
    bad = await admin.send_form(
        "/admin/accounts/new",
        people="zhang,张伟,teacher,S001,三(1)班\nli,李娜,headmaster,S001\nwang,王芳,clerk,NOWHERE\nofficer,又一个,guard,S001",
    )
    assert bad.status_code == 400
    assert "第 2 行" in bad.text
    assert "第 3 行" in bad.text
    assert "zhang,张伟" in bad.text
    taken = await admin.send_form(
        "/admin/accounts/new", people="zhang,张伟,guard,S001\nofficer,又,guard,S001"
    )
    assert "第 2 行" in taken.text
    assert await Account.count() == 10
    made = await admin.send_form(
        "/admin/accounts/new", people="zhang,张伟,teacher,S001,三(1)班\nli，李娜，clerk，HILL"
    )
    assert made.status_code == 200
    assert made.text.count("slip-password") == 2
    listed = await admin.get("/admin/accounts?q=张伟")
    assert "三(1)班" in listed.text


@pytest.mark.parametrize("name", ["officer", "inspector", "clerk", "principal"])
async def test_only_administrators_see_accounts(visit: Visit, name: str) -> None:
    browser = await visit(name)
    for path in ("/admin/accounts", "/admin/accounts/new"):
        assert (await browser.get(path)).status_code == 403
    assert (await browser.send_form("/admin/accounts/guard/disable")).status_code == 403


async def test_an_administrator_ends_a_token_and_not_its_account(visit: Visit) -> None:
    admin, program = await visit("admin"), await visit()
    token = await actions.issue_token(None, "officer", "考勤机", NOW)
    asked = {"authorization": f"Bearer {token}"}
    assert (await program.get("/api/v1/schools/S001/ledgers/zero_reports", headers=asked)).status_code == 200
    listed = (await admin.get("/admin/tokens")).text
    assert "考勤机" in listed
    assert token not in listed
    path = re.findall(r'action="(/admin/tokens/\d+/revoke)"', listed)[0]
    answer = await admin.send_form(path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/tokens?notice=token-revoked")
    assert (await program.get("/api/v1/schools/S001/ledgers/zero_reports", headers=asked)).status_code == 401
    assert "没有使用中的令牌" in (await admin.get("/admin/tokens")).text
    assert (await admin.send_form(path)).status_code == 404
    assert (await admin.send_form(f"/admin/tokens/{2**31}/revoke")).status_code == 404
    assert (await sign_in(await visit(), "officer")).status_code == 303
    officer = await visit("officer")
    assert (await officer.get("/admin/tokens")).status_code == 403


async def test_an_inspector_may_change_their_own_password(visit: Visit) -> None:
    inspector = await visit("inspector")
    answer = await inspector.send_form(
        "/password", old=PASSWORD, new="another long phrase", again="another long phrase"
    )
    assert answer.status_code == 303
