"""Drills and their evaluation."""

from collections.abc import Sequence
from datetime import date, timedelta

from config.demo.acts import Add, DemoSchool, Values, Write
from config.demo.texts import DRILL_PROBLEMS

KINDS = {
    1: "evacuation", 2: "evacuation", 3: "fire", 4: "evacuation", 5: "earthquake", 6: "fire", 7: "other", 8: "other",
    9: "evacuation", 10: "earthquake", 11: "fire", 12: "other",
}  # fmt: skip
LITTLE_KINDS = {2: "earthquake", 5: "fire", 8: "evacuation", 9: "evacuation", 11: "fire"}
"""A kindergarten drills once a quarter: in the month that is named here."""
SECONDS = {
    "evacuation": (95, 175),
    "earthquake": (120, 200),
    "fire": (100, 190),
    "bus": (40, 70),
    "other": (90, 160),
}
MISSED = {(2, 5), (2, 10), (5, 4)}
"""School's number and month: nobody held the drill."""


def plan(school: DemoSchool, days: Sequence[date]) -> None:
    """The drill of the month, if one of these school days is the day for it."""
    for day in days:
        before = school.facts.calendar.school_days(day.replace(day=1), day)
        if len(before) == 6 + school.plan.number % 5:
            kind = _kind(school, day)
            done = school.plan.profile.habits.drills
            if kind and (school.plan.number, day.month) not in MISSED and school.chance(done):
                _drill(school, day, kind)


def _kind(school: DemoSchool, day: date) -> str | None:
    if school.plan.profile.stage == "kindergarten":
        return LITTLE_KINDS.get(day.month)
    if school.plan.profile.has_bus and day.month in {4, 10}:
        return "bus"
    return KINDS[day.month]


def _drill(school: DemoSchool, day: date, kind: str) -> None:
    habits, enrolment = school.plan.profile.habits, school.facts.enrolments[-1][1]
    least, most = SECONDS[kind]
    name = f"drill:{day}"
    values: Values = {
        "happened_on": day, "kind": kind,
        "participants": max(1, round(enrolment * (0.3 if kind == "bus" else school.random.uniform(0.94, 1.05)))),
        "evacuation_seconds": school.random.randint(least, most), "problems": school.random.choice(DRILL_PROBLEMS),
        "evaluated_on": None,
    }  # fmt: skip
    moment = school.late_or_never(school.some_time(day, 15), 1, least_days=9)
    assert moment is not None
    school.will(moment, Write(school.staff.officer, "drills", values, name))
    if school.chance(habits.evaluated):
        wait = (
            school.random.randint(16, 20) if school.chance(habits.late * 2) else school.random.randint(1, 6)
        )
        leader = school.staff.leaders[0]
        later = school.some_time(moment.date() + timedelta(days=wait), 16)
        school.will(later, Add(leader, "drills", name, "evaluated"))
