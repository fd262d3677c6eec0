"""After the close, at the bureau: what came, what a clerk is told of it, and what is decided."""

import re
from datetime import date
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from reports import files
from reports.canonical import canonical
from reports.document import Incident, Veto, parse
from reports.jobs import deliver_due
from reports.press import Press
from reports.rollup.actions import seal_first
from safety.clock import FixedClock
from safety.database import fetch_tuples
from safety.ids import new_id
from safety.jobs.owner import me
from tests.cast import Cast
from tests.small_pdf import small_pdf
from tests.web.after_close import (
    ACCEPT,
    CLOSE,
    INBOX,
    MORNING,
    PAGE,
    Q3,
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


# ---------------------------------------------------------------- the inbox
async def test_a_clerk_accepts_one_and_returns_another(enter) -> None:
    clerk = await enter("clerk")
    listed = (await clerk.get(f"{INBOX}?period=2026Q3")).text
    assert listed.count("已送达，待受理</span>") == 2
    assert "未经校长签批" in listed
    first, second = await item_of(), await item_of("S002")
    accepted = await clerk.send_form(f"{INBOX}/{second}", **ACCEPT)
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
    assert re.search(r"封存后的登记使得分由\d+\.\d\d变为", listed)
    assert f'name="item" value="{await item_of("S002")}"' in listed
    sent = {"item": await item_of("S002"), "submission_key": "many-00001"}
    asked = (await clerk.send_form(f"{INBOX}?period=2026Q3", **sent)).text
    for said in ("确认受理", "以下1份报告将被受理", "S002", "第1版", " autofocus>"):
        assert said in asked, said
    form = asked[asked.index('id="confirm"') :]
    assert {name: hidden(form, name) for name in sent} == sent
    assert await fetch_tuples(None, "select id from return_decision") == []
    sent["confirmed"] = "true"
    done = await clerk.send_form(f"{INBOX}?period=2026Q3", **sent)
    assert done.headers["location"] == f"{INBOX}?period=2026Q3&notice=returns-accepted"
    await send_back(clerk)
    again = {"item": await item_of(), "submission_key": "many-00002", "confirmed": "true"}
    left = await clerk.send_form(f"{INBOX}?period=2026Q3", **again)
    assert left.status_code == 409
    assert "未受理：S001" in left.text
    assert (await clerk.send_form(f"{INBOX}?period=2026Q3", item="x", submission_key="m")).status_code == 404


async def test_who_is_no_clerk_decides_nothing(enter) -> None:
    item = await item_of()
    for who, status in (("inspector", 403), ("officer", 404), ("outsider", 404), ("admin", 403)):
        browser = await enter(who)
        answer = await browser.send_form(f"{INBOX}/{item}", **ACCEPT)
        assert answer.status_code == status, who
    clerk = await enter("clerk")
    bare = await clerk.post(f"{INBOX}/{item}", data=ACCEPT)
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
    early = await clerk.send_form(f"{INBOX}/{old}", **(ACCEPT | {"confirmed": ""}))
    assert "第2版已封存，正在送来" in early.text
    assert "确认受理" not in early.text
    late = await clerk.send_form(f"{INBOX}/{old}", **ACCEPT)
    assert late.status_code == 409
    assert "学校已有更新的版本" in late.text
    await deliver_due(press, MORNING)
    for confirmed in ("", "true"):
        sent = {"item": old, "submission_key": "many-00001", "confirmed": confirmed}
        left = await clerk.send_form(f"{INBOX}?period=2026Q3", **sent)
        assert left.status_code == 409
        assert "未受理：S001" in left.text
    moved = await clerk.get(f"{INBOX}/{old}")
    assert moved.headers["location"] == f"{INBOX}/{await item_of()}?notice=newer-version"


async def test_a_refused_press_says_why_and_keeps_what_was_written(enter, county: Cast, press: Press) -> None:
    clerk, principal, old = await enter("clerk"), await enter("principal"), await item_of()
    withdrawal = {"outcome": "withdrawn", "withdrawal": "点错了学校", "submission_key": "withdraw-01"}
    refused = await clerk.send_form(f"{INBOX}/{old}", **withdrawal)
    assert refused.status_code == 409
    for said in ("没有可撤回的受理", "点错了学校"):
        assert refused.text.count(said) == 1, said
    await send_back(clerk)
    await make_version(principal)
    sent = {"outcome": "returned", "reasons": "缺三月的", "submission_key": "return-0002"}
    for _ in ("on its way", "there"):
        refused = await clerk.send_form(f"{INBOX}/{old}", **sent)
        assert refused.status_code == 409
        for said in ("学校已有更新的版本", "缺三月的"):
            assert refused.text.count(said) == 1, said
        await deliver_due(press, MORNING)
    assert f'action="{INBOX}/{await item_of()}"' in refused.text
    late = await clerk.send_form(f"{INBOX}/{old}", **(sent | {"reasons": ""}))
    assert late.status_code == 400
    assert "学校已有更新的版本" in late.text


@pytest.mark.parametrize("file", ["gone", "altered", "newer"])
async def test_a_return_that_cannot_be_read_here_is_decided_on_all_the_same(
    enter, county: Cast, tmp_path: Path, file: str
) -> None:
    received, place = await elsewhere(county, tmp_path, b'{"schema":"safe-campus.return.v9","score":{}}')
    if file == "gone":
        place.unlink()
    elif file == "altered":
        place.write_bytes(b"altered")
    clerk, item = await enter("clerk"), f"{INBOX}/{received}"
    drawn = await clerk.get(item)
    assert drawn.status_code == 200
    for said in ("内容无法在此显示", 'id="accept"', 'name="reasons"'):
        assert said in drawn.text, said
    english = await (await enter("clerk", "en")).get(item)
    assert "cannot be shown here" in english.text
    sent = {"outcome": "returned", "submission_key": "return-0001"}
    assert (await clerk.send_form(item, **sent)).status_code == 400
    assert (await clerk.send_form(item, **sent, reasons="文件打不开")).status_code == 303


async def elsewhere(county: Cast, data: Path, said: bytes) -> tuple[UUID, Path]:
    """A return whose records another instance keeps: its receipt's number, and where its file is."""
    item, digest = new_id(), files.store(data, small_pdf("elsewhere", said))
    sql = (
        "insert into inbox_item (id, bureau, message, school_code, period, version, facts_digest, bytes_digest, "
        "size, received_at) values ($1, $2, $1, 'S002', '2026Q2', 1, $3, $3, 9, $4)"
    )
    await fetch_tuples(None, sql, [item, county.county, digest, MORNING])
    return item, files.path_of(data, digest)


async def test_what_is_accepted_is_said_before_it_is_done(enter) -> None:
    clerk, item = await enter("clerk"), await item_of("S002")
    asked = (await clerk.send_form(f"{INBOX}/{item}", **(ACCEPT | {"confirmed": ""}))).text
    for said in (
        "确认受理",
        "S002",
        "第1版",
        f'action="{INBOX}/{item}"',
        f'href="{INBOX}/{item}"',
    ):
        assert said in asked, said
    assert hidden(asked[asked.index('id="confirm"') :], "submission_key") == ACCEPT["submission_key"]
    assert await fetch_tuples(None, "select id from return_decision") == []
    assert (await clerk.send_form(f"{INBOX}/{item}", **ACCEPT)).status_code == 303
    assert len(await fetch_tuples(None, "select id from return_decision")) == 1


async def test_an_acceptance_is_withdrawn_with_a_reason_that_the_school_sees(enter, press: Press) -> None:
    clerk, officer = await enter("clerk"), await enter("officer")
    item = f"{INBOX}/{await item_of()}"
    await clerk.send_form(item, **ACCEPT)
    assert 'id="withdraw"' in (await clerk.get(item)).text
    bare = {"outcome": "withdrawn", "submission_key": "withdraw-01"}
    refused = await clerk.send_form(item, **bare)
    assert refused.status_code == 400
    assert 'id="e-withdrawal"' in refused.text
    assert 'id="e-reasons"' not in refused.text
    done = await clerk.send_form(item, **bare, withdrawal="点错了学校")
    assert done.headers["location"] == f"{INBOX}?period=2026Q3&notice=acceptance-withdrawn"
    shown = (await officer.get(PAGE)).text
    for said in ("已撤回受理", "点错了学校", "待教育局受理"):
        assert said in shown, said
    assert "教育局已受理" not in (await officer.get("/schools/S001/returns")).text
    await clerk.send_form(item, **(ACCEPT | {"submission_key": "accept-0002"}))
    bureau = (await fetch_tuples(None, "select id from bureau where code = 'HILL'"))[0][0]
    assert await seal_first(bureau, Q3, press.data, MORNING)
    assert 'name="withdrawal"' in (await clerk.get(item)).text, "the roll-up says nothing of this acceptance"
    spoken = (
        '"matters":[{"at":"2026-10-01T02:00:00Z","kind":"correction","outcome":"accepted","school":"S001"}]'
    )
    await fetch_tuples(None, "update rollup set document = replace(document, '\"matters\":[]', $1)", [spoken])
    late = (await clerk.get(item)).text
    assert "已写明本报告补正后受理" in late
    assert 'name="withdrawal"' not in late
    assert (
        await clerk.send_form(item, **(bare | {"submission_key": "withdraw-02"}), withdrawal="晚了")
    ).status_code == 409


async def test_a_clerk_can_decide_without_the_file(enter) -> None:
    clerk = await enter("clerk")
    listed = (await clerk.get(f"{INBOX}?period=2026Q3")).text
    assert f'href="{PAGE}#sign-off"><svg' in listed
    incident = Incident(
        id=str(UUID(int=7)), category="traffic", happened_on=date(2026, 9, 3), discovered_at=CLOSE, recorded_at=CLOSE,
        liability="yes",
    )  # fmt: skip
    await vetoed(incident)
    drawn = (await clerk.get(f"{INBOX}/{await item_of()}")).text
    for said in (
        "一票否决：2026年9月3日交通，瞒报",
        f"/schools/S001/ledgers/incidents/{UUID(int=7)}",
        "完成率",
        "按时率",
    ):
        assert said in drawn, said
    assert re.search(r"未做\d+次", drawn)
    assert 'id="exceptions"' in drawn


async def vetoed(incident: Incident) -> None:
    """The sealed document, as if this incident had decided its grade."""
    rows = await fetch_tuples(None, "select id, document from school_return")
    for id_, text in rows:
        found = parse(text.encode())
        score = msgspec.structs.replace(found.score, veto=(Veto(incident=incident.id, cause="concealed"),))
        changed = msgspec.structs.replace(found, incidents=(incident,), score=score)
        await fetch_tuples(
            None, "update school_return set document = $1 where id = $2", [canonical(changed).decode(), id_]
        )
