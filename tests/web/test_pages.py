"""The pages that people live in, as each of the cast sees them."""

import re
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from litestar import Litestar

from reports.bureau import boards, lateness
from safety.access.actions import NewPerson, NewRole, create_accounts
from safety.access.queries import scope_of_login
from safety.calendar import Period
from safety.clock import FixedClock
from safety.database import CampusEngine, fetch_tuples, read_only_door
from safety.errors import NotFound
from tests.cast import NOW, Browser, Cast, make_cast
from tests.county import make_county
from tests.web.conftest import Visit

FIGURES = ("deaths", "serious_injuries", "minor_injuries", "affected", "loss_yuan")
Q3, Q4 = Period.parse("2026Q3"), Period.parse("2026Q4")
SUNDAY = datetime(2026, 10, 18, 2, 0, tzinfo=UTC)


@pytest.fixture
async def county(cast: Cast) -> Cast:
    await make_county(cast)
    return cast


def key() -> str:
    return str(uuid4())


# ---------------------------------------------------------------- home
async def test_a_teacher_is_led_to_the_own_class_with_the_form_filled_in(visit: Visit, county: Cast) -> None:
    drawn = (await (await visit("teacher")).get("/")).text
    assert "/schools/S001/ledgers/daily_reminders/new?happened_on=2026-10-14&amp;class=" in drawn
    assert "登记 三(1)班" in drawn
    assert "二(3)班" not in drawn
    assert "食品留样" not in drawn
    assert "为什么" in drawn
    assert "每班每个教学日放学时由班主任作安全提示" in drawn


async def test_a_link_of_the_first_page_opens_the_form_filled_in(visit: Visit, county: Cast) -> None:
    teacher = await visit("teacher")
    found = re.search(r'href="([^"]*daily_reminders/new[^"]*)"', (await teacher.get("/")).text)
    assert found is not None
    form = (await teacher.get(found[1].replace("&amp;", "&"))).text
    assert 'value="2026-10-14"' in form
    assert re.search(r"<option[^>]*selected[^>]*>三\(1\)班", form)


async def test_done_items_are_ticked_and_leave_the_list(visit: Visit, county: Cast) -> None:
    canteen = await visit("canteen")
    before = (await canteen.get("/")).text
    assert "登记 午餐" in before
    answer = await canteen.send_form(
        "/schools/S001/ledgers/food_samples/new",
        happened_on="2026-10-14", meal="lunch", dish="番茄炒蛋", grams="130", stored_at="2026-10-14T09:50",
        person="canteen", submission_key=key(),
    )  # fmt: skip
    assert answer.status_code == 303, answer.text
    after = (await canteen.get("/")).text
    assert "food_samples/new?happened_on=2026-10-14" not in after
    assert "已完成" in after


async def test_a_guard_checks_in_to_own_slots_only_once_they_are_near(
    visit: Visit, county: Cast, clock: FixedClock
) -> None:
    clock.set(datetime(2026, 10, 13, 22, 30, tzinfo=UTC))  # 06:30
    assert "未到时间" in (await (await visit("guard")).get("/")).text
    clock.set(datetime(2026, 10, 13, 23, 10, tzinfo=UTC))  # 07:10, within the quarter of an hour before 07:20
    drawn = (await (await visit("guard")).get("/")).text
    assert 'href="/schools/S001/ledgers/duty_checkins/new?post=gate"' in drawn


async def test_a_slot_that_is_over_fills_in_its_own_time_and_person(visit: Visit, county: Cast) -> None:
    drawn = (await (await visit("officer")).get("/")).text
    assert "post=gate&amp;happened_at=2026-10-14T07%3A20&amp;person=guard" in drawn


async def test_a_past_days_rounds_open_with_that_days_time(visit: Visit, county: Cast) -> None:
    drawn = (await (await visit("officer")).get("/")).text
    found = re.findall(r"post=(leader|patrol)&amp;happened_at=(2026-10-\d\dT\d\d%3A\d\d)", drawn)
    assert {post for post, _ in found} == {"leader", "patrol"}
    assert all(when < "2026-10-14" for _, when in found)


async def test_a_drill_is_led_to_its_evaluation(visit: Visit, county: Cast) -> None:
    officer = await visit("officer")
    values = {"happened_on": "2026-10-13", "kind": "evacuation", "participants": "800"}
    path = "/schools/S001/ledgers/drills"
    made = await officer.send_form(f"{path}/new", **values, submission_key=key())
    number = made.headers["location"].partition("?")[0].rpartition("/")[2]
    form = f"{path}/{number}/events/evaluated"
    assert f'href="{form}"' in (await officer.get("/")).text
    assert (await officer.get(form)).status_code == 200
    answer = await officer.send_form(form, happened_at="2026-10-14T09:00", submission_key=key())
    assert answer.status_code == 303
    assert f'href="{form}"' not in (await officer.get("/")).text


async def test_what_is_done_late_is_marked_so(visit: Visit, county: Cast) -> None:
    officer = await visit("officer")
    found = re.search(
        r'href="([^"]*zero_reports/new\?happened_on=2026-10-(?!14)\d\d)"', (await officer.get("/")).text
    )
    assert found is not None
    day = found[1][-10:]
    answer = await officer.send_form(
        "/schools/S001/ledgers/zero_reports/new", happened_on=day, person="officer", submission_key=key()
    )
    assert answer.status_code == 303
    assert "已完成，迟报" in (await officer.get("/")).text


@pytest.mark.parametrize("name", ["officer", "principal"])
async def test_who_answers_for_the_school_sees_everything_overdue_first(
    visit: Visit, county: Cast, name: str
) -> None:
    drawn = (await (await visit(name)).get("/")).text
    assert drawn.index("已逾期") < drawn.index("今天要做") < drawn.index("近期要做")
    assert "三(4)班" in drawn
    assert "暂定（未发布）" in drawn
    assert "/schools/S001/roster" in drawn


async def test_a_leader_sees_the_zero_report(visit: Visit, county: Cast) -> None:
    drawn = (await (await visit("leader")).get("/")).text
    assert "/schools/S001/ledgers/zero_reports/new?happened_on=2026-10-14" in drawn
    assert "/schools/S001/settings" not in drawn


async def test_on_a_day_off_the_next_school_day_is_named(
    visit: Visit, county: Cast, clock: FixedClock
) -> None:
    clock.set(SUNDAY)
    drawn = (await (await (await visit()).as_(county["canteen"], SUNDAY)).get("/")).text
    assert "今天不是教学日" in drawn
    assert "2026年10月19日 周一" in drawn
    english = (await (await (await visit(None, "en")).as_(county["canteen"], SUNDAY)).get("/")).text
    assert "No school today. The next school day is 19 Oct 2026 Mon." in english


async def test_a_school_without_terms_is_told_so(visit: Visit, cast: Cast) -> None:
    drawn = (await (await visit("officer")).get("/")).text
    assert "还没有设置学期" in drawn
    assert "/schools/S001/settings" in drawn


async def test_somebody_with_several_roles_has_a_section_for_each_place(visit: Visit, county: Cast) -> None:
    roles = (
        NewRole("teacher", school=county.school, school_class=county.school_class),
        NewRole("officer", school=county.other_school),
        NewRole("clerk", bureau=county.river),
    )
    await create_accounts(None, [NewPerson("busy", "多面手", roles, one_time=False)], NOW)
    scope = await scope_of_login("busy", NOW)
    assert scope is not None
    drawn = (await (await (await visit()).as_(scope)).get("/")).text
    assert drawn.index("青山县实验学校") < drawn.index("青山县第二小学") < drawn.index("清江县教育局")
    assert "登记 三(1)班" in drawn
    assert "/schools/S002/roster" in drawn
    assert "/schools/S001/roster" not in drawn


@pytest.mark.parametrize(
    ("name", "path"),
    [("clerk", "/bureaus/HILL"), ("inspector", "/inspect/bureaus/HILL"), ("admin", "/bureaus/CITY")],
)
async def test_a_bureaus_people_are_led_to_their_boards(
    visit: Visit, county: Cast, name: str, path: str
) -> None:
    browser = await visit(name)
    assert f'href="{path}"' in (await browser.get("/")).text
    assert (await browser.get(path)).status_code == 200


# ---------------------------------------------------------------- the score
async def test_the_board_shows_total_both_rates_and_what_is_missing(visit: Visit, county: Cast) -> None:
    drawn = (await (await visit("officer")).get("/schools/S001?period=2026Q3")).text
    for said in ("完成率", "按时率", "未做", "迟报", "历季得分", "尚无台账", "/schools/S001/score/2026Q3/T2"):
        assert said in drawn, said
    english = (await (await visit("principal", "en")).get("/schools/S001?period=2026Q3")).text
    assert "On time" in english
    assert "Q3 2026" in english


async def test_a_line_opens_down_to_entries_law_and_sum(visit: Visit, county: Cast) -> None:
    officer = await visit("officer")
    drawn = (await officer.get("/schools/S001/score/2026Q3/education.daily")).text
    for said in ("规则和依据", "得分怎么算", "÷ 应做", "逐次查看", "未做：", "据二手资料", "本系统默认值"):
        assert said in drawn, said
    entry = re.search(r'href="(/schools/S001/ledgers/daily_reminders/[0-9a-f-]{36})"', drawn)
    assert entry is not None
    assert (await officer.get(entry[1])).status_code == 200


LINES = (
    "T1", "T2", "T3", "T4", "T5", "T6", "duty.gate", "duty.patrol", "food.samples", "food.purchases",
    "drills.monthly", "drills.evaluated", "drills.fire", "education.monthly", "education.legal", "governance.plans",
)  # fmt: skip


async def test_a_zero_report_made_after_that_days_incident_is_shown_as_not_counted(
    visit: Visit, county: Cast
) -> None:
    officer = await visit("officer")
    incident = {"category": "other", "liability": "pending"} | dict.fromkeys(FIGURES, "0")
    told = {"happened_at": "2026-10-14T08:30", "discovered_at": "2026-10-14T08:40"}
    answer = await officer.send_form(
        "/schools/S001/ledgers/incidents/new", **incident, **told, submission_key=key()
    )
    assert answer.status_code == 303
    answer = await officer.send_form(
        "/schools/S001/ledgers/zero_reports/new",
        happened_on="2026-10-14", person="officer", submission_key=key(),
    )  # fmt: skip
    number = answer.headers["location"].partition("?")[0]
    for line in ("T2", "T4", "T5", "T6"):
        drawn = (await officer.get(f"/schools/S001/score/2026Q4/{line}?show=uncounted")).text
        assert f'href="{number}"' in drawn
        assert "零报告登记于当日事故发现之后，不算数" in drawn
        assert "不计 1" in drawn


async def test_every_line_has_its_page_in_both_languages(visit: Visit, county: Cast) -> None:
    for language in ("zh-CN", "en"):
        officer = await visit("officer", language)
        for path in (
            f"/schools/S001/score/{period}/{line}" for period in ("2026Q3", "2026Q4") for line in LINES
        ):
            assert (await officer.get(path)).status_code == 200, (path, language)


@pytest.mark.parametrize("text", ["2026Q5", "x", "2027Q1", "", "２０２６Q3"])
async def test_a_quarter_that_cannot_be_shown_is_named(visit: Visit, county: Cast, text: str) -> None:
    answer = await (await visit("officer")).get("/schools/S001", params={"period": text})
    assert answer.status_code == (400 if text else 200)
    assert text in answer.text
    line = await (await visit("officer")).get("/schools/S001/score/2026Q3/no.such")
    assert line.status_code == 404


@pytest.mark.parametrize(("name", "status"), [("teacher", 403), ("guard", 403), ("canteen", 403), ("outsider", 404),
    ("inspector", 403), ("clerk", 200), ("principal", 200), ("leader", 200)])  # fmt: skip
async def test_who_sees_a_schools_score(visit: Visit, county: Cast, name: str, status: int) -> None:
    assert (await (await visit(name)).get("/schools/S001")).status_code == status


# ---------------------------------------------------------------- the bureau
async def test_a_missing_school_is_missing_and_counts_as_zero(
    visit: Visit, county: Cast, clock: FixedClock
) -> None:
    drawn = (await (await visit("clerk")).get("/bureaus/HILL?period=2026Q3")).text
    assert "未报送" in drawn
    assert "未报，计零分" in drawn
    assert "不含未报学校" in drawn
    # Incidents and entries that came late are two figures, each with what it counts.
    cards = re.findall(r'<div class="figure .*?</div>', drawn)
    incidents = next(card for card in cards if ">事故<" in card)
    assert "迟报" not in incidents
    assert any("迟报/补录" in card and "应做次数" in card for card in cards)


async def test_the_board_is_sorted_and_searched(visit: Visit, county: Cast) -> None:
    clerk = await visit("clerk")
    for sort in ("name", "total", "state", "missing", "late", "incidents", "nonsense"):
        drawn = (await clerk.get("/bureaus/HILL", params={"sort": sort, "q": "实验"})).text
        assert "青山县实验学校" in drawn
        assert "青山县第二小学" not in drawn


# ---------------------------------------------------------------- inspection
async def test_an_inspector_walks_from_the_board_down_to_an_entry(visit: Visit, county: Cast) -> None:
    inspector = await visit("inspector")
    assert (await inspector.get("/inspect")).headers["location"] == "/inspect/bureaus/HILL"
    path = "/inspect/bureaus/HILL?period=2026Q3"
    for wanted in (
        r'href="(/inspect/schools/S001[^"]*)"',
        r'href="(/inspect/schools/S001/score/2026Q3/T2)"',
        r'href="(/inspect/schools/S001/ledgers/incidents/[0-9a-f-]{36})"',
    ):
        found = re.search(wanted, (await inspector.get(path)).text)
        assert found is not None, (path, wanted)
        path = found[1]
    entry = (await inspector.get(path)).text
    assert "设施设备" in entry
    assert 'method="post" class="form"' not in entry
    assert "/correct" not in entry


@pytest.mark.parametrize("page", ["incidents", "late"])
async def test_incidents_and_late_entries_across_schools(visit: Visit, county: Cast, page: str) -> None:
    for name, base in (("inspector", "/inspect/bureaus/HILL"), ("clerk", "/bureaus/HILL")):
        for language in ("zh-CN", "en"):
            drawn = await (await visit(name, language)).get(f"{base}/{page}?period=2026Q3")
            assert drawn.status_code == 200
            assert "S001/ledgers/" in drawn.text


async def test_the_trail_of_a_school_names_who_did_what(visit: Visit, county: Cast) -> None:
    officer = await visit("officer")
    await officer.send_form(
        "/schools/S001/ledgers/zero_reports/new",
        happened_on="2026-10-14",
        person="officer",
        submission_key=key(),
    )
    drawn = (await (await visit("inspector")).get("/inspect/schools/S001/trail")).text
    assert "entry.record" in drawn
    assert "/inspect/schools/S001/ledgers/zero_reports/" in drawn


async def test_inspection_runs_behind_the_read_only_door_whoever_asks(
    visit: Visit, county: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def write(*_: object) -> None:
        await fetch_tuples(None, "update school set name = 'x'")

    monkeypatch.setattr("reports.bureau.boards.board", write)
    for name in ("inspector", "clerk", "admin"):
        assert (await (await visit(name)).get("/inspect/bureaus/HILL")).status_code == 500
    assert await fetch_tuples(None, "select count(*) from school where name = 'x'") == [(0,)]


async def test_small_counts_of_a_sensitive_kind_are_not_shown(visit: Visit, county: Cast) -> None:
    await fetch_tuples(None, "update incident set category = 'mental_health', affected = 0")
    drawn = (await (await visit("inspector")).get("/inspect/bureaus/HILL/incidents?period=2026Q3")).text
    assert "死亡 0，重伤 0，轻伤 &lt;5，涉及 0" in drawn


# ---------------------------------------------------------------- both databases
@pytest.fixture
async def both(database: CampusEngine) -> Cast:
    cast = await make_cast()
    await make_county(cast)
    return cast


async def test_boards_hold_on_both_databases_behind_the_door(both: Cast) -> None:
    clerk, outsider = both["clerk"], both["outsider"]
    async with read_only_door():
        found = await boards.board(clerk, both.county, Q3, NOW)
        assert [row.facts.code for row in found.rows] == ["S001", "S002"]
        assert [row.state for row in found.rows] == ["missing", "missing"]
        assert (found.mean, found.mean_without) == (0, None)
        assert len(await boards.incidents(clerk, both.county, Q3, NOW)) == 2
        ids = await boards.schools_below(clerk, both.county)
        late = await lateness.late_ones(ids, Q3, "late", 0, 50, NOW)
        assert {item.answer.timing for item in late} == {"late"}
        assert await boards.schools_below(outsider, both.county) == [both.other_school]
        running = await boards.board(clerk, both.county, Q4, NOW)
        assert {row.state for row in running.rows} == {"running"}
        assert running.mean == running.mean_without
        with pytest.raises(Exception, match=r"(?i)read.?only"):
            await fetch_tuples(None, "update school set name = 'x'")


async def test_pages_open_on_both_databases(both: Cast, app: Litestar) -> None:
    async with AsyncExitStack() as stack:
        officer = await (await stack.enter_async_context(Browser(app))).as_(both["officer"])
        inspector = await (await stack.enter_async_context(Browser(app))).as_(both["inspector"])
        for path in (
            "/",
            "/schools/S001",
            "/schools/S001/score/2026Q3/T1",
            "/schools/S001/settings",
            "/schools/S001/roster",
        ):
            assert (await officer.get(path)).status_code == 200, path
        for path in ("/inspect/bureaus/HILL", "/inspect/bureaus/HILL/late", "/inspect/schools/S001/trail"):
            assert (await inspector.get(path)).status_code == 200, path


async def test_the_trail_of_another_bureaus_school_is_not_there(cast: Cast) -> None:
    from safety.audit.queries import page_of

    with pytest.raises(NotFound):
        await page_of(cast["inspector"], cast.far_school, 1, 10)
