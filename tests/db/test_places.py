"""Changing places: audited, revisions renewed, tallies counted anew, closed quarters left alone."""

from datetime import UTC, date, datetime

import pytest

from config.rules import put_in_use
from safety.access.scope import Role, Scope
from safety.audit.queries import verify
from safety.calendar import Period
from safety.database import CampusEngine, fetch_tuples
from safety.errors import BadInput, NotAllowed, NotFound
from safety.places import actions, queries
from safety.places.actions import NewBureau, NewClass, NewClosure, NewSchool, NewTerm
from safety.places.facts import school_facts
from safety.scores import measured_score, tallied_score

put_in_use()

NOW = datetime(2026, 10, 14, 2, 0, tzinfo=UTC)
TERM = NewTerm("第一学期", date(2026, 9, 1), date(2027, 1, 20))


@pytest.fixture
async def school(database: CampusEngine) -> int:
    bureau = await actions.create_bureau(None, NewBureau("HILL", "青山县教育局"), NOW)
    made = NewSchool("S001", "青山小学", "primary", bureau, 80, has_canteen=True, meals=("lunch",))
    return await actions.create_school(None, made, NOW)


def officer(school: int) -> Scope:
    return Scope(
        1,
        "an",
        "安",
        (Role("officer", frozenset({school}), school=school),),
        frozenset({school}),
        frozenset(),
    )


def code_of(caught: pytest.ExceptionInfo[BadInput]) -> tuple[str | None, str]:
    return caught.value.problems[0].field, caught.value.problems[0].code


async def test_a_school_grows_its_calendar_and_classes(school: int) -> None:
    await actions.save_term(None, school, NewTerm("第二学期", date(2027, 2, 22), date(2027, 7, 9)), NOW)
    before = (await school_facts(school)).calendar
    day = await actions.save_closure(None, school, NewClosure(date(2027, 3, 2), "closed", "停电"), NOW)
    after = (await school_facts(school)).calendar
    assert before.is_school_day(date(2027, 3, 2))
    assert not after.is_school_day(date(2027, 3, 2))
    await actions.remove_closure(None, school, day, NOW)
    since = NewClass("2026-2027", "一年级", "一(1)班", 40, since=date(2026, 10, 12))
    class_id = await actions.save_class(None, school, since, NOW)
    await actions.save_class(
        None, school, NewClass("2026-2027", "一年级", "一(1)班", 41, date(2026, 10, 12)), NOW, class_id
    )
    facts = await school_facts(school)
    assert [pupils for _, pupils in facts.classes[0].sizes] == [40, 41]
    assert facts.calendar.is_school_day(date(2027, 3, 2))
    assert await verify() == []


async def test_tallies_follow_a_change(school: int) -> None:
    await actions.save_term(None, school, NewTerm("短", date(2026, 10, 8), date(2026, 11, 20)), NOW)
    period = Period.parse("2026Q4")
    await actions.save_closure(None, school, NewClosure(date(2026, 10, 10), "closed"), NOW)
    kept, measured = (
        await tallied_score(school, period, NOW),
        await measured_score(school, period, NOW, now=True),
    )
    assert kept == measured[1]


@pytest.mark.parametrize(
    ("new", "place"),
    [
        (TERM, ("starts", "quarter-closed")),
        (NewTerm("", date(2026, 10, 8), date(2026, 12, 1)), ("name", "required")),
        (NewTerm("x", date(2026, 12, 8), date(2026, 12, 1)), ("ends", "ends-before-start")),
        (NewTerm("x", date(2026, 12, 8), date(2027, 3, 1)), ("starts", "terms-overlap")),
    ],
)
async def test_a_term_that_cannot_be_is_refused(school: int, new: NewTerm, place: tuple[str, str]) -> None:
    await actions.save_term(None, school, NewTerm("冬", date(2026, 10, 20), date(2027, 1, 20)), NOW)
    with pytest.raises(BadInput) as caught:
        await actions.save_term(officer(school), school, new, NOW)
    assert code_of(caught) == place


async def test_what_bears_on_a_closed_quarter_is_refused(school: int) -> None:
    with pytest.raises(BadInput) as caught:
        await actions.save_closure(None, school, NewClosure(date(2026, 9, 30), "closed"), NOW)
    assert code_of(caught) == ("day", "quarter-closed")
    with pytest.raises(BadInput) as caught:
        await actions.save_class(None, school, NewClass("2026-2027", "一", "一(1)班", 40), NOW)
    assert code_of(caught) == ("since", "quarter-closed")


async def test_a_day_is_closed_or_extra_once(school: int) -> None:
    await actions.save_closure(None, school, NewClosure(date(2026, 11, 7), "extra"), NOW)
    with pytest.raises(BadInput) as caught:
        await actions.save_closure(None, school, NewClosure(date(2026, 11, 7), "closed"), NOW)
    assert code_of(caught) == ("day", "day-known")


async def test_codes_and_circles_are_refused(school: int) -> None:
    hill = (await fetch_tuples(None, "select id from bureau"))[0][0]
    low = await actions.create_bureau(None, NewBureau("LOW", "下级", hill), NOW)
    with pytest.raises(BadInput) as caught:
        await actions.change_bureau(None, hill, "青山县教育局", low, NOW)
    assert code_of(caught) == ("parent", "parent-circle")
    with pytest.raises(BadInput) as caught:
        await actions.create_school(None, NewSchool("S001", "又一所", "primary", hill), NOW)
    assert code_of(caught) == ("code", "code-taken")
    with pytest.raises(BadInput) as caught:
        await actions.create_school(None, NewSchool("S 2", "", "academy", hill, -1), NOW)
    assert {found.field for found in caught.value.problems} == {"code", "name", "stage", "enrolment"}


async def test_only_those_who_keep_a_school_change_it(school: int) -> None:
    stranger = officer(school + 1)
    with pytest.raises(NotFound):
        await actions.save_closure(stranger, school, NewClosure(date(2026, 11, 7), "extra"), NOW)
    teacher = Scope(2, "lin", "林", (Role("teacher", frozenset({school})),), frozenset({school}), frozenset())
    with pytest.raises(NotAllowed):
        await actions.save_closure(teacher, school, NewClosure(date(2026, 11, 7), "extra"), NOW)
    with pytest.raises(NotAllowed):
        await actions.create_bureau(officer(school), NewBureau("X", "x"), NOW)
    assert [row.code for row in await queries.schools(officer(school))] == ["S001"]
    assert await queries.schools(stranger) == []
