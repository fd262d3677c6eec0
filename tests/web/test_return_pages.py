"""The draft that a principal signs, the sealed return, and the bureau's inbox."""

import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from reports.jobs import close_quarter
from reports.pdf import Renderer
from reports.press import Press
from reports.queries import draft_of
from safety.calendar import Period
from safety.clock import FixedClock
from safety.database import fetch_tuples
from safety.duties import close_at
from safety.education.ledgers import LEDGERS
from safety.incidents.ledgers import INCIDENTS, ZERO_REPORTS
from safety.jobs.owner import me
from safety.ledger.actions import record
from tests.cast import Browser, Cast
from tests.county import at, make_county
from tests.web.conftest import Visit

Q3 = Period.parse("2026Q3")
CLOSE = close_at(Q3)
EVENING = CLOSE - timedelta(hours=5)
LIST, PAGE, INBOX = "/schools/S001/returns", "/schools/S001/returns/2026Q3", "/bureaus/HILL/inbox"
REMINDERS = next(item for item in LEDGERS if item.name == "daily_reminders")


class QuickRenderer(Renderer):
    """A file of its own for each return, without drawing it."""

    async def render_return(self, document, lang="zh") -> bytes:
        return b"%PDF-1.7 " + document.school.code.encode()


@pytest.fixture
def clock() -> FixedClock:
    """The evening of the quarter's last day."""
    return FixedClock(EVENING)


@pytest.fixture
async def county(cast: Cast) -> Cast:
    await make_county(cast, EVENING)
    return cast


@pytest.fixture
async def press(tmp_path: Path) -> Press:
    return Press(tmp_path, QuickRenderer(tmp_path), me())


@pytest.fixture
async def enter(visit: Visit, county: Cast) -> AsyncIterator[object]:
    """`await enter("principal")`: their browser, signed in on that evening (or at another instant)."""

    async def open_browser(name: str, at: datetime = EVENING, language: str = "zh-CN") -> Browser:
        return await (await visit(language=language)).as_(county[name], at)

    return open_browser


def hidden(text: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', text)
    assert found is not None, name
    return found[1]


async def send_sign_off(browser: Browser, page: str | None = None, **changes: str):
    """Fill in the draft's form as it was drawn (or as an older `page` was) and send it."""
    drawn = page or (await browser.get(PAGE)).text
    sign_form = drawn[drawn.index('name="facts_digest"') - 400 :]
    fields = {name: hidden(sign_form, name) for name in ("facts_digest", "submission_key")}
    return await browser.send_form(PAGE, **(fields | {"agreed": "true", "comment": "同意报送"} | changes))


async def remind(county: Cast, key: str) -> None:
    values = {"class": county.school_class, "happened_on": Q3.end, "text": "国庆出行安全"}
    await record(REMINDERS, county["officer"], county.school, values, key, EVENING)


async def test_the_draft_shows_what_will_be_sent_and_only_the_principal_may_sign(enter) -> None:
    principal, officer = await enter("principal"), await enter("officer")
    drawn = (await principal.get(PAGE)).text
    for said in ("草稿", "将要报送的内容", "未完成、迟报和补录", "设施", "未经校长签批", 'name="agreed"'):
        assert said in drawn, said
    # On a phone the tables would bury the form: it stands before them, and they are folded.
    assert drawn.index('name="agreed"') < drawn.index('<details class="card fold" id="score"')
    assert "签批前检查" in drawn
    assert 'href="/schools/S001/ledgers/daily_reminders/new?happened_on=2026-09-' in drawn
    inspected = (await (await enter("inspector")).get(f"/inspect{PAGE}")).text
    assert "签批前检查" in inspected
    assert "/new?" not in inspected
    theirs = await officer.get(PAGE)
    assert theirs.status_code == 200
    assert 'name="agreed"' not in theirs.text
    assert (await officer.send_form(PAGE, agreed="true")).status_code == 403
    assert PAGE in (await officer.get(LIST)).text


async def test_a_zero_report_that_does_not_count_is_among_the_exceptions(enter, county: Cast) -> None:
    incident = {"happened_at": at(Q3.end, 9), "discovered_at": at(Q3.end, 9, 30), "category": "facility"}
    incident |= {"liability": "pending"} | dict.fromkeys(INCIDENTS.columns[6:], 0)
    await record(INCIDENTS, county["officer"], county.school, incident, "incident-1", EVENING)
    zero = {"happened_on": Q3.end, "person": county["officer"].account_id}
    await record(ZERO_REPORTS, county["officer"], county.school, zero, "too-late-1", EVENING)
    drawn = (await (await enter("officer")).get(PAGE)).text
    assert re.search(r">不计</td>.*9月22、30日", drawn)
    assert "不计：零报告登记于当日事故发现之后，不算数。" in drawn
    document = await draft_of(county.school, Q3, EVENING)
    found = [item for item in document.exceptions if item.kind == "uncounted"]
    assert ("T2", Q3.end, EVENING) in [(item.line, item.due_on, item.recorded_at) for item in found]


async def test_the_principal_signs_what_they_saw(enter) -> None:
    principal = await enter("principal")
    drawn = (await principal.get(PAGE)).text
    for _ in range(2):
        answer = await send_sign_off(principal, drawn)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}?notice=return-signed")
    signed = (await principal.get(PAGE)).text
    assert "陈校明" in signed
    assert "已签批" in signed
    assert len(await fetch_tuples(None, "select id from sign_off")) == 1


async def test_without_the_tick_or_on_a_changed_draft_nothing_is_signed_and_the_words_are_kept(
    enter, county: Cast
) -> None:
    principal = await enter("principal")
    drawn = (await principal.get(PAGE)).text
    unticked = await send_sign_off(principal, drawn, agreed="")
    assert unticked.status_code == 400
    assert "请先勾选确认" in unticked.text
    assert "同意报送" in unticked.text
    await remind(county, "in-between-1")
    stale = await send_sign_off(principal, drawn)
    assert stale.status_code == 409
    assert "台账有了变动" in stale.text
    assert "同意报送" in stale.text
    assert hidden(stale.text[stale.text.index('id="sign"') :], "facts_digest") not in drawn
    assert await fetch_tuples(None, "select id from sign_off") == []
    again = await send_sign_off(principal, stale.text)
    assert again.status_code == 303


async def test_after_the_close_the_return_its_file_and_its_receipt_are_there(
    enter, county: Cast, press: Press, clock: FixedClock
) -> None:
    principal = await enter("principal")
    await send_sign_off(principal)
    await remind(county, "after-sign-1")
    clock.set(CLOSE + timedelta(minutes=5))
    await close_quarter(press, Q3, clock)
    shown = (await principal.get(PAGE)).text
    for said in ("签批后有变动", "其后变动1条", "回执编号", "平安校园季报〔2026〕3号"):
        assert said in shown, said
    assert 'name="agreed"' not in shown
    assert "报送内容" in shown
    assert "将要报送" not in shown
    file = await principal.get(f"{PAGE}/pdf")
    assert (file.status_code, file.content) == (200, b"%PDF-1.7 S001")
    assert file.headers["content-type"] == "application/pdf"
    assert 'filename="return-S001-2026Q3-v1.pdf"' in file.headers["content-disposition"]
    assert "已送达" in (await principal.get(LIST)).text
    late = await principal.send_form(PAGE, agreed="true", facts_digest="0" * 64, submission_key="too-late-1")
    assert late.status_code == 409


@pytest.mark.parametrize(("who", "before"), [("clerk", ""), ("inspector", "/inspect")])
async def test_the_inbox_shows_what_came_and_what_is_missing(
    enter, county: Cast, press: Press, clock: FixedClock, who: str, before: str
) -> None:
    clock.set(CLOSE)
    moved = "update school set bureau = $1, revision = revision + 1 where code = 'S003'"
    await fetch_tuples(None, moved, [county.county])
    await close_quarter(press, Q3, clock)
    await fetch_tuples(None, "delete from inbox_item where school_code = 'S002'")
    reader = await enter(who, CLOSE)
    drawn = await reader.get(before + INBOX)
    assert drawn.status_code == 200
    assert "3所学校，收到2份" in drawn.text
    assert drawn.text.count("未报送</span>") == 1
    board = (await reader.get(f"{before}/bureaus/HILL?period=2026Q3")).text
    assert "2/3" in board
    assert board.count("送达中") == 1
    path = re.search(rf'href="({before}{INBOX}/[^"]*/pdf)"', drawn.text)
    assert path is not None
    assert (await reader.get(path[1])).content == b"%PDF-1.7 S001"
    assert (await reader.get(before + PAGE)).status_code == 200
    english = await (await enter(who, CLOSE, "en")).get(before + PAGE)
    assert "Facts digest" in english.text


async def test_others_find_nothing(enter, county: Cast, press: Press, clock: FixedClock) -> None:
    clock.set(CLOSE)
    await close_quarter(press, Q3, clock)
    outsider, officer, clerk = (
        await enter("outsider", CLOSE),
        await enter("officer", CLOSE),
        await enter("clerk", CLOSE),
    )
    for path in (LIST, PAGE, f"{PAGE}/pdf"):
        assert (await outsider.get(path)).status_code == 404
    assert (await officer.get(INBOX)).status_code == 404
    assert (await clerk.get("/bureaus/RIVER/inbox")).status_code == 404
    far = (await fetch_tuples(None, "select id from inbox_item where school_code = 'S003'"))[0][0]
    assert (await clerk.get(f"{INBOX}/{far}/pdf")).status_code == 404
    teacher = await enter("teacher", CLOSE)
    assert (await teacher.get(PAGE)).status_code == 403


async def test_too_early_and_nonsense_are_answered_plainly(enter, clock: FixedClock) -> None:
    clock.set(CLOSE - timedelta(days=20))
    officer = await enter("officer", clock.now())
    early = await officer.get(PAGE)
    assert "草稿在季度结束前10日开放" in early.text
    assert (await officer.get(f"{LIST}/2026Q9")).status_code == 400
    assert (await officer.get(f"{LIST}/2027Q1")).status_code == 400
    assert (await officer.get(f"{PAGE}/pdf")).status_code == 404
    clock.set(CLOSE + timedelta(hours=1))
    officer = await enter("officer", clock.now())
    assert "报告尚未生成" in (await officer.get(PAGE)).text


async def test_a_file_that_was_altered_is_not_handed_out(
    enter, county: Cast, press: Press, clock: FixedClock
) -> None:
    clock.set(CLOSE)
    await close_quarter(press, Q3, clock)
    digest = (await fetch_tuples(None, "select bytes_digest from inbox_item where school_code = 'S001'"))[0][
        0
    ]
    (press.data / "evidence" / digest[:2] / digest).write_bytes(b"%PDF-1.7 forged")
    officer = await enter("officer", CLOSE)
    assert (await officer.get(f"{PAGE}/pdf")).status_code == 500
