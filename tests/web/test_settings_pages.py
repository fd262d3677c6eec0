"""A school's settings and its roster, as pages."""

import re
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest

from safety.calendar import Period
from safety.database import fetch_tuples
from tests.cast import Cast
from tests.county import make_county
from tests.web.conftest import Visit

Q3, Q4 = Period.parse("2026Q3"), Period.parse("2026Q4")
SUNDAY = datetime(2026, 10, 18, 2, 0, tzinfo=UTC)


@pytest.fixture
async def county(cast: Cast) -> Cast:
    await make_county(cast)
    return cast


def key() -> str:
    return str(uuid4())


# ---------------------------------------------------------------- settings
async def test_classes_are_pasted_and_a_bad_line_keeps_what_was_typed(visit: Visit, county: Cast) -> None:
    officer = await visit("officer")
    path = "/schools/S001/settings/classes"
    typed = "四年级,四(1)班,39\n四年级,四(2)班,many"
    bad = await officer.send_form(path, classes=typed, year="2026-2027", submission_key=key())
    assert bad.status_code == 400
    assert "第 2 行" in bad.text
    assert "四(2)班,many" in bad.text
    assert await fetch_tuples(None, "select 1 from school_class where name = '四(1)班'") == []
    good = await officer.send_form(
        path, classes=typed.replace("many", "40"), year="2027-2028", submission_key=key()
    )
    assert good.status_code == 303, good.text
    joined = "school_class c join headcount h on h.school_class = c.id"
    sizes = f"select c.pupils, h.pupils from {joined} where c.grade = '四年级'"
    assert sorted(await fetch_tuples(None, sizes)) == [(39, 39), (40, 40)]


async def test_a_closed_day_leaves_the_list_of_what_is_due(visit: Visit, county: Cast) -> None:
    officer = await visit("officer")
    assert "食品留样" in (await (await visit("canteen")).get("/")).text
    closed = await officer.send_form(
        "/schools/S001/settings/days", kind="closed", since="2026-10-14", reason="停电", submission_key=key()
    )
    assert closed.status_code == 303, closed.text
    drawn = (await officer.get("/schools/S001/settings")).text
    assert "停电" in drawn
    assert "今天不是教学日" in (await (await visit("canteen")).get("/")).text
    again = await officer.send_form(
        "/schools/S001/settings/days", kind="closed", since="2026-10-14", reason="停水", submission_key=key()
    )
    assert again.status_code == 400
    assert "停水" in again.text
    removal = re.search(r'action="(/schools/S001/settings/closure/\d+/remove)"', drawn)
    assert removal is not None
    assert (await officer.send_form(removal[1])).status_code == 303


async def test_days_of_a_closed_quarter_stay_what_they_are(visit: Visit, county: Cast) -> None:
    officer = await visit("officer")
    answer = await officer.send_form(
        "/schools/S001/settings/days", kind="closed", since="2026-09-10", submission_key=key()
    )
    assert answer.status_code == 400
    assert 'value="2026-09-10"' in answer.text


@pytest.mark.parametrize("fields", [
    {"name": "", "starts": "2027-03-01", "ends": "2027-07-01"},
    {"name": "春", "starts": "2027-07-01", "ends": "2027-03-01"},
    {"name": "春", "starts": "2027-13-01", "ends": "2027-07-01"},
    {"name": "春", "starts": "2027-01-01", "ends": "2027-07-01"},
])  # fmt: skip
async def test_a_term_that_cannot_be_is_refused(visit: Visit, county: Cast, fields: dict[str, str]) -> None:
    answer = await (await visit("officer")).send_form(
        "/schools/S001/settings/terms", **fields, submission_key=key()
    )
    assert answer.status_code == 400
    assert f'value="{fields["ends"]}"' in answer.text


async def test_only_an_administrator_adds_and_changes_schools(visit: Visit, county: Cast) -> None:
    fields = {
        "code": "S009",
        "name": "新建小学",
        "stage": "primary",
        "enrolment": "120",
        "has_canteen": "true",
    }
    assert (await (await visit("clerk")).get("/bureaus/HILL/schools/new")).status_code == 403
    admin = await visit("admin")
    taken = await admin.send_form(
        "/bureaus/HILL/schools/new", **(fields | {"code": "S001"}), submission_key=key()
    )
    assert taken.status_code == 400
    assert "新建小学" in taken.text
    bad = await admin.send_form(
        "/bureaus/HILL/schools/new", **(fields | {"enrolment": "x"}), submission_key=key()
    )
    assert bad.status_code == 400
    made = await admin.send_form("/bureaus/HILL/schools/new", **fields, submission_key=key())
    assert made.headers["location"].startswith("/schools/S009/settings")
    assert (await admin.get("/schools/S009/settings")).status_code == 200
    changed = await admin.send_form(
        "/schools/S009/settings/profile", **(fields | {"name": "新建中心小学"}), submission_key=key()
    )
    assert changed.status_code == 303
    assert "新建中心小学" in (await admin.get("/bureaus/HILL")).text


async def test_only_an_administrator_adds_and_changes_bureaus(visit: Visit, county: Cast) -> None:
    clerk, admin = await visit("clerk"), await visit("admin")
    new, profile = "/bureaus/HILL/bureaus/new", "/bureaus/HILL/profile"
    for path in (new, profile):
        assert (await clerk.get(path)).status_code == 403
        assert (await clerk.send_form(path, code="TOWN", name="x", submission_key=key())).status_code == 403
    assert "青山县教育局" in (await admin.get(new)).text
    taken = await admin.send_form(new, code="HILL", name="城关镇中心校", submission_key=key())
    assert taken.status_code == 400
    assert "城关镇中心校" in taken.text
    made = await admin.send_form(new, code="TOWN", name="城关镇中心校", submission_key=key())
    assert made.headers["location"].startswith("/bureaus/TOWN")
    assert (await admin.get("/bureaus/TOWN")).status_code == 200
    assert "城关镇中心校" in (await admin.get("/bureaus/HILL")).text
    circle = await admin.send_form(profile, name="青山县教育局", parent="TOWN", submission_key=key())
    assert circle.status_code == 400
    nowhere = await admin.send_form(profile, name="青山县教育局", parent="NOWHERE", submission_key=key())
    assert nowhere.status_code == 400
    changed = await admin.send_form(profile, name="青山县教育和体育局", parent="CITY", submission_key=key())
    assert changed.status_code == 303
    assert "青山县教育和体育局" in (await admin.get("/bureaus/HILL")).text


async def test_a_school_names_its_campuses_and_their_zones(visit: Visit, county: Cast) -> None:
    officer = await visit("officer")
    path = "/schools/S001/settings/places"
    assert (await officer.send_form(path, name="", submission_key=key())).status_code == 400
    assert (await officer.send_form(path, name="南校区", submission_key=key())).status_code == 303
    campus = (await fetch_tuples(None, "select id from campus"))[0][0]
    sent = {"name": "食堂片区", "campus": str(campus)}
    assert (await officer.send_form(path, **sent, submission_key=key())).status_code == 303
    assert (
        await officer.send_form(path, **(sent | {"campus": "999"}), submission_key=key())
    ).status_code == 400
    outsider = await visit("outsider")
    theirs = "/schools/S002/settings/places"
    assert (await outsider.send_form(theirs, **sent, submission_key=key())).status_code == 400
    drawn = (await officer.get(path)).text
    assert "南校区" in drawn
    assert "食堂片区" in drawn
    assert "南校区" in (await officer.get("/schools/S001/settings")).text
    assert await fetch_tuples(None, "select school, name from zone") == [(county.school, "食堂片区")]


# ---------------------------------------------------------------- the roster
async def test_a_weeks_roster_is_copied_and_added_to(visit: Visit, county: Cast) -> None:
    officer = await visit("officer")
    path = "/schools/S001/roster?week=2026-10-19"
    copied = await officer.send_form(path, copy="2026-10-19", submission_key=key())
    assert copied.status_code == 303, copied.text
    counted = "select count(*) from duty_slot where school = $1 and happened_on between $2 and $3"
    week = [county.school, date(2026, 10, 19), date(2026, 10, 25)]
    first = (await fetch_tuples(None, counted, week))[0][0]
    assert first == 10
    again = await officer.send_form(path, copy="2026-10-19", submission_key=key())
    assert again.status_code == 303
    assert (await fetch_tuples(None, counted, week))[0][0] == first
    sent = {"post": "marshal", "from": "07:30", "to": "08:00", "person": "teacher", "days": "2026-10-20"}
    added = await officer.send_form(path, **sent, submission_key=key())
    assert added.status_code == 303, added.text
    assert "林小禾" in (await officer.get(path)).text
    wrong = await officer.send_form(path, **(sent | {"to": "07:00"}), submission_key=key())
    assert wrong.status_code == 400
    assert 'value="07:00"' in wrong.text
    assert (
        await officer.send_form(path, **(sent | {"from": "25:00"}), submission_key=key())
    ).status_code == 400
