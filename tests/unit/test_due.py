"""What is due on a day, occurrence by occurrence, and whom it concerns."""

from datetime import date, datetime
from types import SimpleNamespace
from uuid import UUID

from safety.access.scope import Role, Scope
from safety.calendar import Period, SchoolCalendar, TermSpan
from safety.clock import ZONE
from safety.due import Due, Line, for_person, listed, unfinished
from safety.duties import windows
from safety.facts import ClassFacts, SchoolFacts
from safety.measures import LATE, ON_TIME, Beside, Fill, Measured, Row
from safety.rulebook import Rulebook
from tests.unit.test_standards import product

PERIOD = Period.parse("2026Q3")
RULES = Rulebook.of(product(), PERIOD).duties
CLASSES = tuple(ClassFacts(n, f"{n}班", date(2026, 9, 1), date(2027, 8, 31), ()) for n in (1, 2))
FACTS = SchoolFacts(
    id=7,
    code="S001",
    name="青山小学",
    stage="primary",
    has_canteen=True,
    meals=("lunch",),
    enrolments=((datetime(2026, 1, 1, tzinfo=ZONE), 80),),
    calendar=SchoolCalendar((TermSpan("秋", date(2026, 9, 1), date(2027, 1, 20)),)),
    classes=CLASSES,
)
WRITERS = frozenset({"officer", "principal", "teacher"})


def at(day: date, hour: int = 12) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=ZONE)


def fill(on: date, key: str, timing: int = ON_TIME, recorded: date | None = None, n: int = 0) -> Fill:
    return Fill(UUID(int=n), key, on, timing, at(recorded) if recorded else None)


def found(line: str, day: date, fills: dict[date, str] | None = None, **more: object) -> list[Due]:
    answered = [fill(on, key, n=n) for n, (on, key) in enumerate((fills or {}).items())]
    answered += more.pop("answered", [])  # type: ignore[operator]
    measured = Measured(more.pop("rows", []), answered, more.pop("beside", []))  # type: ignore[arg-type]
    known = Line(line, "ledger", more.pop("writers", WRITERS), measured, more.pop("roster", {}))  # type: ignore[arg-type]
    return list(listed(known, windows(line, FACTS, PERIOD, RULES), FACTS, PERIOD, RULES, day))


def states(dues: list[Due]) -> list[tuple[str, str, str]]:
    return [(item.due.isoformat()[5:], item.unit_name, item.state) for item in dues]


def test_each_class_owes_each_day_until_the_end_of_the_next_school_day() -> None:
    dues = found("education.daily", date(2026, 9, 2), {date(2026, 9, 1): "2026-09-01/1"})
    assert states(dues) == [
        ("09-01", "1班", "done"),
        ("09-01", "2班", "open"),
        ("09-02", "1班", "open"),
        ("09-02", "2班", "open"),
    ]
    assert {item.until for item in dues} == {date(2026, 9, 2), date(2026, 9, 3)}


def test_what_was_not_done_in_time_stays_on_the_list_until_the_close_and_what_was_done_leaves_it() -> None:
    dues = found("education.daily", date(2026, 9, 3), {date(2026, 9, 1): "2026-09-01/1"})
    assert states(dues)[0] == ("09-01", "2班", "overdue")
    assert ("09-01", "1班", "done") not in states(dues)
    assert found("education.daily", date(2026, 10, 1)) == []


def test_the_limit_never_lies_beyond_the_close() -> None:
    last = found("education.weekly", date(2026, 9, 30))[-1]
    assert (last.due, last.until) == (date(2026, 9, 30), date(2026, 9, 30))


def test_a_rostered_slot_names_its_person_and_an_empty_one_is_for_those_who_make_rosters() -> None:
    slot = SimpleNamespace(person=5, starts_at=datetime(2026, 9, 1, 7, tzinfo=ZONE), ends_at=None)
    dues = found(
        "duty.gate",
        date(2026, 9, 1),
        roster={date(2026, 9, 1): [slot]},
        writers=frozenset({"guard", "officer"}),
    )
    assert [(item.person, item.state) for item in dues] == [(5, "open"), (None, "open")]
    assert dues[1].roles == {"officer", "principal", "leader"}


def test_what_is_done_late_is_marked_on_the_day_it_is_done_and_leaves_the_list_then() -> None:
    second, third = date(2026, 9, 2), date(2026, 9, 3)
    late = fill(date(2026, 9, 1), "2026-09-01/1", LATE, recorded=third)
    soon = fill(second, "2026-09-02/1", recorded=second)
    timings = [(i.due, i.timing) for i in found("education.daily", third, answered=[late, soon]) if i.filled]
    assert timings == [(date(2026, 9, 1), "late"), (second, "on-time")]
    tomorrow = found("education.daily", date(2026, 9, 4), answered=[late, soon])
    assert [i for i in tomorrow if i.filled] == []


def test_what_came_late_is_read_again_for_a_fortnight() -> None:
    spans = windows("education.daily", FACTS, PERIOD, RULES)
    kept = {window.due: Row("education.daily", window.due, on_time=1, late=1) for window in spans}
    looked_at = unfinished("education.daily", spans, kept, FACTS, RULES, date(2026, 9, 24))
    assert (looked_at[0].due, looked_at[-1].due) == (date(2026, 9, 10), PERIOD.end)


def test_each_drill_that_is_not_evaluated_is_led_to_by_itself() -> None:
    day, drilled = date(2026, 9, 17), date(2026, 9, 10)
    one, two = (Beside(UUID(int=n), f"{day}/{UUID(int=n)}", drilled, at(drilled)) for n in (1, 2))
    done = fill(drilled, f"{day}/{UUID(int=3)}", recorded=drilled)
    rows = [Row("drills.evaluated", day, extra=3, on_time=1)]
    dues = found("drills.evaluated", day, rows=rows, beside=[one, two], answered=[done])
    assert [(item.unit_name, item.expected, item.done) for item in dues] == [
        ("2026-09-10", 1, 1),
        ("2026-09-10", 1, 0),
        ("2026-09-10", 1, 0),
    ]
    assert [item.entry for item in dues] == [None, one.entry, two.entry]


def test_the_next_round_is_the_rosters_first_that_nobody_answered() -> None:
    day = date(2026, 9, 1)
    slots = [SimpleNamespace(person=5, starts_at=at(day, hour), ends_at=None) for hour in (8, 10)]
    done = fill(day, f"{day}/{at(day, 8)}")
    (item,) = found("duty.patrol", day, answered=[done], roster={day: slots})
    assert (item.done, item.expected, item.rostered_at) == (1, 5, at(day, 10))
    (item,) = found("duty.leader", day, roster={day: slots})
    assert item.rostered_at == at(day, 8)


def test_thirty_percent_of_the_pupils_are_owed_a_check() -> None:
    dues = found("T3", date(2026, 9, 10), rows=[Row("T3", PERIOD.end, on_time=1, whole=30)])
    assert [(item.expected, item.done, item.state) for item in dues] == [(24, 24, "done")]


def person(role: str, school_class: int | None = None, account: int = 1) -> Scope:
    role_ = Role(role, frozenset({7}), school=7, school_class=school_class)
    return Scope(account, role, role, (role_,), frozenset({7}), frozenset())


def test_a_class_teacher_is_shown_the_own_class_only() -> None:
    dues = found("education.daily", date(2026, 9, 1))
    assert [item.unit_id for item in for_person(dues, person("teacher", 2), 7)] == [2]
    assert [item.unit_id for item in for_person(dues, person("officer"), 7)] == [1, 2]
    assert for_person(dues, person("guard"), 7) == []
    assert for_person(dues, person("officer"), 8) == []


def test_school_wide_duties_are_not_put_to_class_teachers() -> None:
    dues = found("education.monthly", date(2026, 9, 20))
    assert len(for_person(dues, person("officer"), 7)) == 1
    assert for_person(dues, person("teacher", 2), 7) == []


def test_a_guard_is_shown_the_own_slots_and_the_leader_all() -> None:
    slots = [SimpleNamespace(person=n, starts_at=None, ends_at=None) for n in (5, 6)]
    dues = found(
        "duty.gate",
        date(2026, 9, 1),
        roster={date(2026, 9, 1): slots},
        writers=frozenset({"guard", "leader"}),
    )
    assert [item.person for item in for_person(dues, person("guard", account=5), 7)] == [5]
    assert [item.person for item in for_person(dues, person("leader"), 7)] == [5, 6]
