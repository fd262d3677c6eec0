"""After the close, on screen: decisions, the next version, causes, the stamped copy; and who may do what."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from reports.jobs import close_quarter, deliver_due
from reports.pdf import Renderer
from reports.press import Press
from safety.calendar import Period
from safety.clock import FixedClock
from safety.database import fetch_tuples
from safety.duties import close_at
from safety.education.ledgers import LEDGERS
from safety.jobs.owner import me
from safety.ledger.actions import void
from tests.cast import Browser, Cast
from tests.county import make_county
from tests.web.conftest import Visit

Q3 = Period.parse("2026Q3")
CLOSE = close_at(Q3)
EVENING = CLOSE - timedelta(hours=5)
MORNING = CLOSE + timedelta(hours=10)
PAGE, INBOX = "/schools/S001/returns/2026Q3", "/bureaus/HILL/inbox"
CORRECTION = f"{PAGE}/correction"
REMINDERS = next(item for item in LEDGERS if item.name == "daily_reminders")
PNG = b"\x89PNG\r\n\x1a\n" + b"a stamped page" * 10


class QuickRenderer(Renderer):
    """A file of its own for each return and version, without drawing it."""

    async def render_return(self, document, lang="zh", verify_url="") -> bytes:
        return f"%PDF-1.7 {document.school.code} v{document.version}".encode()


@pytest.fixture
def clock() -> FixedClock:
    """The morning after the close."""
    return FixedClock(MORNING)


@pytest.fixture
async def press(tmp_path: Path) -> Press:
    return Press(tmp_path, QuickRenderer(tmp_path), me())


@pytest.fixture
async def county(cast: Cast, press: Press) -> Cast:
    await make_county(cast, EVENING)
    await close_quarter(press, Q3, FixedClock(CLOSE))
    return cast


@pytest.fixture
async def enter(visit: Visit, county: Cast) -> AsyncIterator[object]:
    async def open_browser(name: str, language: str = "zh-CN") -> Browser:
        return await (await visit(language=language)).as_(county[name], MORNING)

    return open_browser


async def item_of(code: str = "S001") -> str:
    sql = "select id from inbox_item where school_code = $1 order by version desc"
    return str((await fetch_tuples(None, sql, [code]))[0][0])


async def send_back(clerk: Browser, key: str = "return-0001", **more: str):
    fields = {"outcome": "returned", "reasons": "请说明第三周缺课原因", "submission_key": key, **more}
    return await clerk.send_form(f"{INBOX}/{await item_of()}", **fields)


async def take_back_an_entry(county: Cast) -> None:
    sql = "select id from daily_reminder where school = $1 and happened_on <= $2 order by happened_on limit 1"
    entry = (await fetch_tuples(None, sql, [county.school, Q3.end]))[0][0]
    await void(REMINDERS, county["officer"], county.school, entry, "记错了班级", MORNING)


def hidden(text: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', text)
    assert found is not None, name
    return found[1]


# ---------------------------------------------------------------- the inbox
async def test_a_clerk_accepts_one_and_returns_another(enter) -> None:
    clerk = await enter("clerk")
    listed = (await clerk.get(f"{INBOX}?period=2026Q3")).text
    assert listed.count("已送达，待受理</span>") == 2
    assert "未经校长签批" in listed
    first, second = await item_of(), await item_of("S002")
    accepted = await clerk.send_form(f"{INBOX}/{second}", outcome="accepted", submission_key="accept-0001")
    assert accepted.headers["location"] == f"{INBOX}?period=2026Q3&notice=return-accepted"
    assert (await send_back(clerk, **{"line-education.weekly": "缺二年级"})).status_code == 303
    listed = (await clerk.get(f"{INBOX}?period=2026Q3&notice=return-returned")).text
    assert (listed.count("已受理</span>"), listed.count("已退回补正</span>")) == (1, 1)
    assert "待受理</span>" not in listed
    only = (await clerk.get(f"{INBOX}?period=2026Q3&state=returned")).text
    assert first in only
    assert second not in only
    page = (await clerk.get(f"{INBOX}/{first}")).text
    for said in ("请说明第三周缺课原因", "缺二年级", "孙经办"):
        assert said in page


async def test_no_return_goes_back_without_a_reason_and_what_was_typed_stays(enter) -> None:
    clerk = await enter("clerk")
    refused = await send_back(clerk, reasons="", **{"line-education.weekly": "缺二年级"})
    assert refused.status_code == 400
    assert "请写明原因" in refused.text
    assert "缺二年级" in refused.text
    assert (await send_back(clerk, outcome="perhaps")).status_code == 400
    assert await fetch_tuples(None, "select id from return_decision") == []


async def test_only_what_needs_no_second_look_is_accepted_by_one_press(enter, county: Cast) -> None:
    clerk = await enter("clerk")
    assert "accept-many" not in (await clerk.get(f"{INBOX}?period=2026Q3")).text
    await fetch_tuples(None, "update school_return set status = 'signed', grade = '良好'")
    await take_back_an_entry(county)
    listed = (await clerk.get(f"{INBOX}?period=2026Q3")).text
    assert "受理其中1份" in listed
    assert "封存后登记影响得分" in listed
    assert f'name="item" value="{await item_of("S002")}"' in listed
    sent = {"item": await item_of("S002"), "submission_key": "many-00001"}
    done = await clerk.send_form(f"{INBOX}?period=2026Q3", **sent)
    assert done.headers["location"] == f"{INBOX}?period=2026Q3&notice=returns-accepted"
    await send_back(clerk)
    left = await clerk.send_form(f"{INBOX}?period=2026Q3", item=await item_of(), submission_key="many-00002")
    assert left.status_code == 409
    assert "未受理：S001" in left.text
    assert (await clerk.send_form(f"{INBOX}?period=2026Q3", item="x", submission_key="m")).status_code == 404


async def test_who_is_no_clerk_decides_nothing(enter) -> None:
    item = await item_of()
    for who, status in (("inspector", 403), ("officer", 404), ("outsider", 404), ("admin", 403)):
        browser = await enter(who)
        answer = await browser.send_form(f"{INBOX}/{item}", outcome="accepted", submission_key="accept-0001")
        assert answer.status_code == status, who
    clerk = await enter("clerk")
    bare = await clerk.post(f"{INBOX}/{item}", data={"outcome": "accepted", "submission_key": "accept-0001"})
    assert bare.status_code == 403
    shown = (await (await enter("inspector")).get(f"/inspect{INBOX}?period=2026Q3")).text
    assert "<form" not in shown.split("<main")[1].replace('<form method="get"', "")
    assert await fetch_tuples(None, "select id from return_decision") == []


async def test_a_stale_page_leads_to_the_newer_version(enter, county: Cast, press: Press) -> None:
    clerk, principal = await enter("clerk"), await enter("principal")
    old = await item_of()
    await send_back(clerk)
    await make_version(principal)
    assert "新版本在途" in (await clerk.get(f"{INBOX}?period=2026Q3")).text
    late = await clerk.send_form(f"{INBOX}/{old}", outcome="accepted", submission_key="accept-0001")
    assert late.status_code == 409
    assert "学校已有更新的版本" in late.text
    await deliver_due(press, MORNING)
    moved = await clerk.get(f"{INBOX}/{old}")
    assert moved.headers["location"] == f"{INBOX}/{await item_of()}?notice=newer-version"


# ---------------------------------------------------------------- the school answers
async def make_version(principal: Browser, **changes: str):
    drawn = (await principal.get(CORRECTION)).text
    form = drawn[drawn.index('id="sign"') :]
    fields = {name: hidden(form, name) for name in ("facts_digest", "submission_key", "step")}
    fields |= {"reason": "已核对并补充原因", "agreed": "true"}
    if 'name="unchanged"' in form:
        fields["unchanged"] = "true"
    return await principal.send_form(CORRECTION, **(fields | changes))


async def test_a_returned_return_is_corrected_signed_and_received_again(
    enter, county: Cast, press: Press
) -> None:
    clerk, officer, principal = await enter("clerk"), await enter("officer"), await enter("principal")
    await send_back(clerk, **{"line-education.daily": "与抽查不符"})
    shown = (await officer.get(PAGE)).text
    for said in ("教育局已退回补正", "请说明第三周缺课原因", "与抽查不符", "办理更正"):
        assert said in shown, said
    home = (await officer.get("/")).text
    assert "教育局退回了2026Q3报告" in home
    assert f'href="{CORRECTION}"' in home
    await take_back_an_entry(county)
    later = (await officer.get(PAGE)).text
    assert re.search(r"每日安全提醒将变动 −\d|将变动 −", later)
    prepared = await officer.send_form(CORRECTION, reason="更正一条提醒", submission_key="prepare-01")
    assert prepared.headers["location"] == f"{CORRECTION}?notice=correction-saved"
    assert "新版本待校长签批" in (await principal.get("/")).text
    drawn = (await principal.get(CORRECTION)).text
    assert "更正一条提醒" in drawn
    assert "第2版将有的变动" in drawn
    entry = (await fetch_tuples(None, "select id from daily_reminder where voided_at is not null"))[0][0]
    assert f"/schools/S001/ledgers/daily_reminders/{entry}" in drawn
    made = await make_version(principal)
    assert made.headers["location"] == f"{PAGE}?notice=version-made"
    await deliver_due(press, MORNING)
    now = (await principal.get(PAGE)).text
    for said in ("第2版", "已送达", "待教育局受理", "与上一版对比", "已核对并补充原因"):
        assert said in now, said
    assert (await principal.get(f"{PAGE}/pdf")).content == b"%PDF-1.7 S001 v2"
    assert (await principal.get(f"{PAGE}/versions/1/pdf")).content == b"%PDF-1.7 S001 v1"
    listed = (await principal.get("/schools/S001/returns")).text
    assert "教育局已退回补正" in listed
    assert "待教育局受理" in listed
    assert f'href="{PAGE}/versions/1"' in listed
    old = (await principal.get(f"{PAGE}/versions/1")).text
    assert "这是第1版，现行的是第2版" in old
    for door in ("", "/inspect"):
        reader = await enter("inspector" if door else "leader")
        changed = (await reader.get(f"{door}{PAGE}/versions/2/changes")).text
        assert "去除" in changed
        assert f"{door}/schools/S001/ledgers/daily_reminders/{entry}" in changed
        assert "第一版" in (await reader.get(f"{door}{PAGE}/versions/1/changes")).text
        assert (await reader.get(f"{door}{PAGE}/versions/3")).status_code == 404


async def test_a_version_without_any_change_is_told_and_explained(enter, county: Cast) -> None:
    clerk, principal = await enter("clerk"), await enter("principal")
    await send_back(clerk)
    drawn = (await principal.get(CORRECTION)).text
    assert "自上一版（第1版）以来没有任何变化" in drawn
    assert "按教育局意见补正" not in drawn
    untold = await make_version(principal, unchanged="")
    assert untold.status_code == 400
    assert "请写明为什么仍要报送新版本" in untold.text
    silent = await make_version(principal, reason=" ")
    assert silent.status_code == 400
    made = await make_version(principal, reason="第三周停课，记录无误")
    assert made.headers["location"] == f"{PAGE}?notice=version-made"
    changes = (await principal.get(f"{PAGE}/versions/2/changes")).text
    assert "自上一版（第1版）以来没有任何变化" in changes
    assert "第三周停课，记录无误" in changes


async def test_without_the_tick_or_on_a_changed_draft_no_version_is_made(enter, county: Cast) -> None:
    principal = await enter("principal")
    opened = await principal.send_form(CORRECTION, reason="更正", submission_key="reopen-001")
    assert opened.status_code == 303
    unticked = await make_version(principal, agreed="")
    assert unticked.status_code == 400
    assert "已核对并补充原因" in unticked.text
    drawn = (await principal.get(CORRECTION)).text
    digest = hidden(drawn[drawn.index('id="sign"') :], "facts_digest")
    await take_back_an_entry(county)
    stale = await make_version(principal, facts_digest=digest)
    assert stale.status_code == 409
    assert "台账有了变动" in stale.text
    officer = await enter("officer")
    fields = {"step": "sign", "facts_digest": digest, "reason": "x", "agreed": "true"}
    assert (await officer.send_form(CORRECTION, **fields, submission_key="version-02")).status_code == 403
    assert len(await fetch_tuples(None, "select id from school_return where version = 2")) == 0


async def test_causes_are_written_in_the_correction_and_kept(enter) -> None:
    officer = await enter("officer")
    frozen = await officer.send_form(
        f"{PAGE}/causes", **{"cause-education.daily": "停电", "submission_key": "causes-001"}
    )
    assert frozen.status_code == 409
    await officer.send_form(CORRECTION, reason="补写原因", submission_key="reopen-001")
    fields = {"cause-education.daily": "台风停课", "from": "correction", "submission_key": "causes-002"}
    kept = await officer.send_form(f"{PAGE}/causes", **fields)
    assert kept.headers["location"] == f"{CORRECTION}?notice=causes-saved"
    assert 'value="台风停课"' in (await officer.get(CORRECTION)).text
    long = await officer.send_form(f"{PAGE}/causes", **(fields | {"cause-education.daily": "长" * 201}))
    assert long.status_code == 400
    teacher = await enter("teacher")
    assert (await teacher.send_form(f"{PAGE}/causes", **fields)).status_code == 403


# ---------------------------------------------------------------- the stamped copy
async def attach(browser: Browser, content: bytes, name: str = "scan.png", version: str = "1"):
    return await browser.post(
        f"{PAGE}/scans",
        data={"_csrf_token": browser.csrf, "version": version, "submission_key": "scan-00001"},
        files={"file": (name, content, "application/octet-stream")},
    )


async def test_a_stamped_copy_is_attached_and_the_sealed_file_stays(enter, press: Press) -> None:
    officer = await enter("officer")
    before = (await officer.get(f"{PAGE}/pdf")).content
    for _ in range(2):
        assert (await attach(officer, PNG, "scan.pdf")).status_code == 303
    assert len(await fetch_tuples(None, "select id from return_scan")) == 1
    shown = (await officer.get(PAGE)).text
    assert "扫描件（PNG）" in shown
    path = re.search(rf'href="({PAGE}/scans/[^"]+)"', shown)
    assert path is not None
    for who, door in (("officer", ""), ("clerk", ""), ("leader", ""), ("inspector", "/inspect")):
        got = await (await enter(who)).get(door + path[1])
        assert (got.content, got.headers["content-type"]) == (PNG, "image/png")
    assert (await (await enter("outsider")).get(path[1])).status_code == 404
    assert (await (await enter("teacher")).get(path[1])).status_code == 403
    assert (await officer.get(f"{PAGE}/pdf")).content == before
    lines = await fetch_tuples(None, "select action from audit_line where action = 'return.scanned'")
    assert len(lines) == 1


async def test_what_is_no_scan_is_refused_by_its_content(enter) -> None:
    officer = await enter("officer")
    refused = await attach(officer, b"<html>not a scan</html>", "scan.pdf")
    assert refused.status_code == 400
    assert "不是 PDF、JPEG 或 PNG" in refused.text
    assert (await attach(officer, b"%PDF-" + b"0" * (10 * 1024 * 1024), "scan.pdf")).status_code == 400
    assert (await attach(officer, PNG, version="9")).status_code == 404
    assert (await attach(officer, PNG, version="x")).status_code == 404
    empty = await officer.post(f"{PAGE}/scans", data={"_csrf_token": officer.csrf, "version": "1"})
    assert empty.status_code == 400
    clerk = await enter("clerk")
    assert (await attach(clerk, PNG)).status_code == 403
    assert await fetch_tuples(None, "select id from return_scan") == []
