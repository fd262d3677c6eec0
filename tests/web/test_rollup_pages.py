"""The roll-up's page, its files and its day; the board beside it; small counts stay hidden."""

import hashlib
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reports import files
from reports.actions import seal
from reports.bureau.adjustments import adjust
from reports.canonical import canonical
from reports.delivery.actions import deliver_waiting
from reports.pdf import Renderer
from reports.press import Press
from reports.rollup.actions import seal_due
from reports.verification import known
from safety.calendar import Period
from safety.clock import FixedClock
from safety.database import fetch_tuples
from safety.duties import close_at
from safety.ids import new_id
from safety.incidents.ledgers import INCIDENTS
from safety.jobs.owner import me
from safety.ledger.actions import record
from safety.places.tables import Bureau
from tests.cast import Browser, Cast
from tests.county import at, make_county
from tests.sample_rollup import sample_rollup
from tests.web.conftest import Visit

Q3 = Period.parse("2026Q3")
CLOSE = close_at(Q3)
THIRD = datetime(2026, 10, 3, 0, 0, tzinfo=UTC)
BOARD, PAGE = "/bureaus/HILL", "/bureaus/HILL/rollups"


class QuickRenderer(Renderer):
    """Small bytes for each document, without drawing it."""

    async def render(self, job) -> bytes:
        return b"%PDF " + hashlib.sha256(canonical(job.document)).hexdigest().encode()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(THIRD)


@pytest.fixture
async def press(tmp_path: Path) -> Press:
    return Press(tmp_path, QuickRenderer(tmp_path), me())


@pytest.fixture
async def enter(visit: Visit, cast: Cast, press: Press):
    """S001 has returned, S002 has not; at S001 there were two incidents of the kind that is not counted out loud."""
    await make_county(cast, CLOSE)
    for number, day in enumerate((Q3.end - timedelta(days=9), Q3.end - timedelta(days=8))):
        said = {"happened_at": at(day, 9), "discovered_at": at(day, 9, 30), "category": "mental_health"}
        said |= {"liability": "pending"} | dict.fromkeys(INCIDENTS.columns[6:], 0)
        await record(
            INCIDENTS, cast["officer"], cast.school, said, f"incident-{number}", CLOSE - timedelta(days=1)
        )
    await seal(cast.school, Q3, CLOSE)
    await deliver_waiting(press, CLOSE, everything=True)

    async def open_browser(name: str, language: str = "zh-CN") -> Browser:
        return await (await visit(language=language)).as_(cast[name], THIRD)

    return open_browser


async def test_before_the_day_it_is_a_draft_and_then_it_is_sealed(enter, press: Press, cast: Cast) -> None:
    clerk = await enter("clerk")
    drawn = (await clerk.get(PAGE)).text
    for said in ("将于2026年10月3日 08:00自动封存", "草稿", "未报送1所", "表示", "&lt;5"):
        assert said in drawn, said
    assert 'name="reason"' not in drawn
    await seal_due(press.data, THIRD)
    assert "报送中" in (await clerk.get(PAGE)).text
    await deliver_waiting(press, THIRD, everything=True)
    sealed = (await clerk.get(PAGE)).text
    for said in ("已送达上级", "第1版", 'name="reason"'):
        assert said in sealed, said
    assert "草稿" not in sealed
    path = re.search(rf'href="({PAGE}/[0-9a-f-]+/pdf)"', sealed)
    assert path is not None
    file = await clerk.get(path[1])
    assert (file.status_code, file.content[:5]) == (200, b"%PDF ")
    assert 'filename="rollup-HILL-2026Q3-v1.pdf"' in file.headers["content-disposition"]
    inspector = await enter("inspector", "en")
    read = await inspector.get(f"/inspect{PAGE}")
    assert read.status_code == 200
    assert "Roll-up of" in read.text
    assert 'name="reason"' not in read.text
    assert (await inspector.get(f"/inspect{path[1]}")).content == file.content
    # Whose it is not finds nothing, though the number is right.
    far = path[1].replace("HILL", "RIVER")
    assert (await clerk.get(far)).status_code == 404
    assert (await (await enter("officer")).get(path[1])).status_code == 404


async def test_a_roll_up_of_which_no_message_is_kept_is_drawn_all_the_same(enter, press: Press) -> None:
    await seal_due(press.data, THIRD)
    await fetch_tuples(None, "delete from outbox where kind = 'rollup'")
    drawn = await (await enter("clerk")).get(PAGE)
    assert drawn.status_code == 200
    assert "第1版" in drawn.text


async def test_a_page_with_a_form_does_not_load_itself_again_under_the_one_who_writes(
    enter, press: Press
) -> None:
    await seal_due(press.data, THIRD)
    for who, page, itself in (("clerk", PAGE, False), ("inspector", f"/inspect{PAGE}", True)):
        drawn = (await (await enter(who)).get(page)).text
        assert "正在生成 PDF" in drawn, who
        assert ('name="reason"' in drawn, 'http-equiv="refresh"' in drawn) == (not itself, itself), who
        assert (f'href="{page}?period=2026Q3">刷新查看' in drawn, "会自动刷新" in drawn) == (
            not itself,
            itself,
        ), who


async def test_a_further_version_needs_a_reason_and_a_change(enter, press: Press, cast: Cast) -> None:
    clerk = await enter("clerk")
    early = await clerk.send_form(f"{PAGE}?period=2026Q3", reason="补报", submission_key="again-00001")
    assert early.status_code == 409
    assert "尚未封存" in early.text
    await seal_due(press.data, THIRD)
    bare = await clerk.send_form(PAGE, reason="", submission_key="again-00001")
    assert bare.status_code == 400
    same = await clerk.send_form(PAGE, reason="再报一次", submission_key="again-00001")
    assert same.status_code == 409
    assert "没有变动" in same.text
    assert "再报一次" in same.text
    await adjust(cast["clerk"], cast.school, Q3, 4000, "台账不实", "adjust-0001", THIRD)
    for _ in range(2):
        done = await clerk.send_form(PAGE, reason="核定得分", submission_key="again-00002")
        assert (done.status_code, done.headers["location"]) == (
            303,
            f"{PAGE}?period=2026Q3&notice=rollup-sealed",
        )
    assert len(await fetch_tuples(None, "select id from rollup where bureau = $1", [cast.county])) == 2
    assert (await (await enter("inspector")).send_form(PAGE, reason="x")).status_code == 403
    assert (await clerk.post(PAGE, data={"reason": "x"})).status_code == 403
    assert (await clerk.send_form("/bureaus/RIVER/rollups", reason="x")).status_code == 404


async def test_what_the_sealed_roll_up_does_not_hold_is_told_where_it_can_be_mended(
    enter, press: Press, cast: Cast
) -> None:
    clerk, inspector = await enter("clerk"), await enter("inspector")
    pages = (f"{PAGE}?period=2026Q3", "/schools/S001/adjustments/2026Q3")
    await seal_due(press.data, THIRD)
    for path in pages:
        assert "尚未包含" not in (await clerk.get(path)).text
    await adjust(cast["clerk"], cast.school, Q3, 4000, "台账不实", "adjust-0001", THIRD)
    for path in pages:
        told = (await clerk.get(path)).text
        assert "已封存的汇总尚未包含 1 处更改" in told
        assert "#again" in told
    for path in (f"/inspect{pages[0]}", "/inspect/schools/S001/adjustments/2026Q3"):
        told = (await inspector.get(path)).text
        assert "已封存的汇总尚未包含 1 处更改" in told
        assert "#again" not in told
    # A school is not told of its bureau's papers.
    assert "尚未包含" not in (await (await enter("principal")).get(pages[1])).text
    await clerk.send_form(PAGE, reason="核定得分", submission_key="again-00001")
    assert "尚未包含" not in (await clerk.get(pages[0])).text


async def test_the_day_is_set_by_the_clerk(enter, cast: Cast) -> None:
    clerk = await enter("clerk")
    assert 'value="3"' in (await clerk.get(f"{PAGE}/day")).text
    for day in ("0", "29", "third", ""):
        assert (await clerk.send_form(f"{PAGE}/day", day=day)).status_code == 400
    done = await clerk.send_form(f"{PAGE}/day", day="5", next_working_day="true")
    assert done.status_code == 303
    # The holiday runs to the 7th.
    assert "将于2026年10月8日 08:00自动封存" in (await clerk.get(PAGE)).text
    inspector = await enter("inspector")
    assert (await inspector.get(f"{PAGE}/day")).status_code == 403
    assert (await inspector.send_form(f"{PAGE}/day", day="5")).status_code == 403


async def test_the_board_shows_both_scores_who_is_missing_and_what_was_decided(enter, cast: Cast) -> None:
    await adjust(cast["clerk"], cast.school, Q3, 4000, "台账不实", "adjust-0001", THIRD)
    item = (await fetch_tuples(None, "select id from inbox_item"))[0][0]
    await fetch_tuples(
        None,
        "insert into return_decision (id, item, outcome, reasons, lines, decided_by, decider, decided_at, "
        "submission_key) values ($1, $1, 'returned', 'x', '{}', $2, 'x', $3, 'decide-0001')",
        [item, cast["clerk"].account_id, THIRD],
    )
    for who, before in (("clerk", ""), ("inspector", "/inspect")):
        drawn = (await (await enter(who)).get(f"{before}{BOARD}?period=2026Q3")).text
        for said in ("40.00", "核定1所后为20.00", "未报送", "已退回", "另有心理健康类&lt;5", "＋心理&lt;5"):
            assert said in drawn, said
        assert f'href="{before}/schools/S001/adjustments/2026Q3"' in drawn
        assert "将于2026年10月3日自动封存" in drawn


async def test_what_is_known_of_a_roll_up_is_whether_it_is_the_newest(
    enter, press: Press, cast: Cast
) -> None:
    await seal_due(press.data, THIRD)
    ((digest,),) = await fetch_tuples(
        None, "select facts_digest from rollup where bureau = $1", [cast.county]
    )
    first = await known.rollup("HILL", "2026Q3", 1, digest)
    assert first is not None
    assert not first.superseded
    assert await known.rollup("HILL", "2026Q3", 1, "0" * 64) is None
    await adjust(cast["clerk"], cast.school, Q3, 4000, "台账不实", "adjust-0001", THIRD)
    clerk = await enter("clerk")
    assert (await clerk.send_form(PAGE, reason="核定", submission_key="again-00009")).status_code == 303
    found = await known.rollup("HILL", "2026Q3", 1, digest)
    assert found is not None
    assert (found.superseded, found.newest) == (True, 2)


async def test_counties_with_instances_of_their_own_stand_on_the_board(
    enter, press: Press, cast: Cast
) -> None:
    sent, content = sample_rollup(8), b"%PDF sent"
    names = {"330102": "江州县教育局", "330103": "清江区教育局"}
    for code, name in names.items():
        await Bureau(code=code, name=name, parent=cast.county).save()
        await fetch_tuples(
            None,
            "insert into peer (kind, code, name, bureau, token_digest, certificate, fingerprint, added_at) "
            "values ('rollup', $1, $2, $3, $4, '', '', $5)",
            [code, name, cast.county, code.rjust(64, "0"), THIRD],
        )
    message, text = new_id(), canonical(sent).decode()
    digest = files.store(press.data, content)
    await fetch_tuples(
        None,
        "insert into received_rollup (message, bureau, sender, period, version, document, document_digest, "
        "facts_digest, bytes_digest, received_at) values ($1, $2, '330102', '2026Q3', 1, $3, $4, $5, $6, $7)",
        [message, cast.county, text, "a" * 64, sent.facts_digest, digest, THIRD],
    )
    for who, before in (("clerk", ""), ("inspector", "/inspect")):
        browser = await enter(who)
        for path in (f"{before}{BOARD}?period=2026Q3", f"{before}{PAGE}"):
            drawn = (await browser.get(path)).text
            for said in ("江州县教育局", "清江区教育局", "已收到", "未收到", sent.figures.means.own):
                assert said in drawn, (path, said)
        answer = await browser.get(f"{before}{PAGE}/{message}/pdf")
        assert (answer.content, answer.status_code) == (content, 200)
    await fetch_tuples(None, "update received_rollup set document = '{}'")
    clerk = await enter("clerk")
    assert "已收到，无法读取" in (await clerk.get(f"{BOARD}?period=2026Q3")).text
    await fetch_tuples(None, "update received_rollup set bureau = $1", [cast.city])
    assert (await clerk.get(f"{PAGE}/{message}/pdf")).status_code == 404
