"""After the close, at the school: the next version, causes, the stamped copy; and who may do what."""

import re
from pathlib import Path

import pytest

from reports.jobs import deliver_due
from reports.press import Press
from safety.clock import FixedClock
from safety.database import fetch_tuples
from safety.jobs.owner import me
from tests.cast import Browser, Cast
from tests.web.after_close import (
    CORRECTION,
    INBOX,
    MORNING,
    PAGE,
    Entering,
    QuickRenderer,
    closed_county,
    entering,
    hidden,
    item_of,
    make_version,
    send_back,
    take_back_an_entry,
)
from tests.web.conftest import Visit

PNG = b"\x89PNG\r\n\x1a\n" + b"a stamped page" * 10


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(MORNING)


@pytest.fixture
async def press(tmp_path: Path) -> Press:
    return Press(tmp_path, QuickRenderer(tmp_path), me())


@pytest.fixture
async def county(cast: Cast, press: Press) -> Cast:
    return await closed_county(cast, press)


@pytest.fixture
def enter(visit: Visit, county: Cast) -> Entering:
    return entering(visit, county)


# ---------------------------------------------------------------- the school answers
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


async def test_a_version_without_any_change_is_told_and_explained(enter, press: Press) -> None:
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
    await deliver_due(press, MORNING)
    shown = (await principal.get(PAGE)).text
    for said in ("答复退回，内容无变化", "答复第1版的退回"):
        assert said in shown, said
    listed = (await clerk.get(f"{INBOX}?period=2026Q3")).text
    for said in (
        "答复退回，内容无变化</span></a>",
        "答复第1版的退回</span></a>",
        f'href="{PAGE}/versions/2/changes"',
    ):
        assert said in listed, said
    opened = (await clerk.get(f"{INBOX}/{await item_of()}")).text
    assert "自第1版以来没有任何变化。学校说明：第三周停课，记录无误" in opened
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
    assert "<ins>台风停课</ins>" in (await officer.get(CORRECTION)).text, "a cause is a change, too"
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
