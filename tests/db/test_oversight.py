"""Inspectors' notes and samples, and the door through which they are written."""

import pytest

from config.rules import put_in_use
from reports.oversight import actions, queries
from reports.oversight.actions import About
from reports.oversight.tables import DOOR
from safety.access.tables import Account
from safety.audit.queries import verify
from safety.calendar import Period
from safety.database import CampusEngine, execute_many, fetch_tuples
from safety.doors import DoorError, writing_only
from safety.errors import BadInput, Conflict, NotAllowed, NotFound
from tests.cast import NOW, Cast, make_cast
from tests.county import make_county

Q3 = Period.parse("2026Q3")
LINE = About(period="2026Q3", line="education.weekly")


@pytest.fixture
async def county(database: CampusEngine) -> Cast:
    put_in_use()
    cast = await make_cast()
    await make_county(cast)
    return cast


# ---------------------------------------------------------------- the door
async def test_the_door_leads_to_its_own_tables_alone(county: Cast) -> None:
    with writing_only(*DOOR):
        await actions.begin(county["inspector"], county.school, LINE, "query", "为何缺课？", "note-0001", NOW)
        with pytest.raises(DoorError, match="account"):
            await Account.update({Account.name: "改名"}, force=True)
        for sql in (
            "update school set name = 'x'",
            "delete from drill",
            "insert into term (school) values (1)",
            "with gone as (select 1) delete from drill",
            "drop table drill",
        ):
            with pytest.raises(DoorError):
                await fetch_tuples(None, sql)
        with pytest.raises(DoorError):
            await execute_many(None, "update drill set problems = $1", [["x"]])
        assert await fetch_tuples(None, "select count(*) from drill")
    assert await verify() == []
    names = {name for (name,) in await fetch_tuples(None, "select name from account")}
    assert "改名" not in names


async def test_a_door_inside_a_door_is_the_narrower_one(database: CampusEngine) -> None:
    with writing_only("a", "b"), writing_only("b", "c"), pytest.raises(DoorError, match="c"):
        await fetch_tuples(None, "update c set x = 1")


# ---------------------------------------------------------------- notes
async def test_a_query_is_answered_and_settled(county: Cast) -> None:
    inspector, officer = county["inspector"], county["officer"]
    thread = await actions.begin(inspector, county.school, LINE, "query", "为何缺课？", "note-0001", NOW)
    assert (await queries.open_queries([county.school]))[county.school] == 1
    with pytest.raises(NotAllowed):
        await actions.follow(inspector, county.school, thread, "answer", "代答", "note-0002", NOW)
    with pytest.raises(NotAllowed):
        await actions.follow(officer, county.school, thread, "settled", "", "note-0003", NOW)
    await actions.follow(officer, county.school, thread, "answer", "台风停课一天", "note-0004", NOW)
    assert (await queries.open_queries([county.school]))[county.school] == 0
    await actions.follow(inspector, county.school, thread, "settled", "", "note-0005", NOW)
    with pytest.raises(Conflict, match="query-settled"):
        await actions.follow(officer, county.school, thread, "answer", "再答", "note-0006", NOW)
    found = (await queries.threads(inspector, county.school))[0]
    assert [note.kind for note in found.notes] == ["query", "answer", "settled"]
    assert not found.is_open
    actions_told = await fetch_tuples(
        None, "select action from audit_line where chain = $1 order by position", [county.school]
    )
    assert actions_told[-3:] == [("inspection.query",), ("inspection.answer",), ("inspection.settled",)]


async def test_the_same_form_is_one_note(county: Cast) -> None:
    inspector = county["inspector"]
    first = await actions.begin(inspector, county.school, LINE, "comment", "已核对", "note-0001", NOW)
    again = await actions.begin(inspector, county.school, LINE, "comment", "已核对", "note-0001", NOW)
    assert first == again
    with pytest.raises(Conflict, match="same-key-other-body"):
        await actions.begin(inspector, county.school, LINE, "comment", "另一句", "note-0001", NOW)
    assert len(await queries.threads(inspector, county.school)) == 1


async def test_bad_notes_are_refused(county: Cast) -> None:
    inspector, school = county["inspector"], county.school
    for text, code in (("  ", "required"), ("长" * 1001, "text-long")):
        with pytest.raises(BadInput) as said:
            await actions.begin(inspector, school, LINE, "query", text, "note-0001", NOW)
        assert said.value.problems[0].code == code
    for about in (About(period="2026Q3", line="no.such"), About(period="2026Q9", line="T1")):
        with pytest.raises(NotFound):
            await actions.begin(inspector, school, about, "query", "问", "note-0001", NOW)
    with pytest.raises(NotFound):
        await actions.begin(inspector, county.far_school, LINE, "query", "问", "note-0001", NOW)
    with pytest.raises(NotAllowed):
        await actions.begin(county["officer"], school, LINE, "query", "问", "note-0001", NOW)
    with pytest.raises(NotFound):
        await queries.threads(county["outsider"], school)


# ---------------------------------------------------------------- samples
async def test_a_sample_is_kept_with_what_repeats_it(county: Cast) -> None:
    inspector, school = county["inspector"], county.school
    drawn = await actions.draw_sample(inspector, school, Q3, "", 20, "draw-0001", NOW)
    assert await actions.draw_sample(inspector, school, Q3, "", 20, "draw-0001", NOW) == drawn
    found = await queries.sample(inspector, school, drawn)
    assert len(found.chosen) == 20 == len(set(found.chosen))
    assert found.population > 100
    assert await queries.drawn_again(school, found) is True
    assert [line.entry for line in await queries.looked(inspector, school, found)] == [
        entry for _, entry in found.chosen
    ]
    await fetch_tuples(None, "update daily_reminder set voided_at = recorded_at where school = $1", [school])
    assert await queries.drawn_again(school, found) is None


async def test_a_sample_of_another_list_does_not_pass(county: Cast) -> None:
    inspector, school = county["inspector"], county.school
    drawn = await actions.draw_sample(inspector, school, Q3, "drills", 1, "draw-0001", NOW)
    await fetch_tuples(None, "update inspection_sample set seed = 'chosen by hand', chosen = '[]'")
    found = await queries.sample(inspector, school, drawn)
    assert await queries.drawn_again(school, found) is False


async def test_bad_draws_are_refused(county: Cast) -> None:
    inspector, school = county["inspector"], county.school
    for ledger, size, code in (
        ("drills", 0, "too-small"),
        ("drills", 201, "too-large"),
        ("no_such", 5, "choice-unknown"),
    ):
        with pytest.raises(BadInput) as said:
            await actions.draw_sample(inspector, school, Q3, ledger, size, "draw-0001", NOW)
        assert said.value.problems[0].code == code
    with pytest.raises(BadInput, match="nothing-to-draw"):
        await actions.draw_sample(inspector, school, Period.parse("2020Q1"), "", 5, "draw-0001", NOW)
    with pytest.raises(NotAllowed):
        await actions.draw_sample(county["principal"], school, Q3, "", 5, "draw-0001", NOW)
