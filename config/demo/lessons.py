"""What teachers and officers write of safety education: lessons, reminders, campaigns, awareness checks."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from config.demo.acts import DemoSchool, Mend, Values, Void, Write
from config.demo.people import Person
from config.demo.texts import (
    CORRECTIONS,
    LEGAL_TOPICS,
    LITTLE_REMINDERS,
    LITTLE_TOPICS,
    MONTHLY_TOPICS,
    REMINDERS,
    TOPICS,
    VOIDS,
    season_of,
)
from safety.calendar import Period
from safety.facts import ClassFacts, size_at

LEGAL_MONTHS = (11, 5)
LEAST_DAYS = 15
CHECK_BEFORE = timedelta(days=12)
"""How long before a quarter's last school day classes are first asked what they know."""


def plan(school: DemoSchool, days: Sequence[date]) -> None:
    """Everything that these school days, a week's at most, ask for."""
    for day in days:
        _reminders(school, day)
        _checks(school, day)
        _campaigns(school, day)
    if days:
        _lessons(school, days)


def _little(school: DemoSchool) -> bool:
    return school.plan.profile.stage in {"kindergarten", "special"}


# ---------------------------------------------------------------- reminders
def _reminders(school: DemoSchool, day: date) -> None:
    for item, teacher in school.classes_on(day):
        moment = school.late_or_never(
            school.some_time(day, 16, 50), school.plan.profile.habits.reminders, least_days=4
        )
        if moment is not None:
            text = _reminder(school, day)
            by = _writer(school, teacher, day, moment)
            values = {"class": item.id, "happened_on": day, "text": text}
            school.will(moment, Write(by, "daily_reminders", values))


def _reminder(school: DemoSchool, day: date) -> str:
    if _little(school):
        return school.random.choice(LITTLE_REMINDERS)
    season = "any" if school.chance(0.6) else season_of(day)
    return school.random.choice(REMINDERS[season])


def _writer(school: DemoSchool, teacher: Person, day: date, moment: datetime) -> Person:
    """The teacher; the officer for a class that the teacher no longer has."""
    turned = (day.year, day.month >= 9) != (moment.year, moment.month >= 9) and day.month < 9 <= moment.month
    return school.staff.officer if turned else teacher


# ---------------------------------------------------------------- weekly lessons
def _lessons(school: DemoSchool, days: Sequence[date]) -> None:
    # The week's lesson is on Friday at some schools, on Wednesday at others, or on the last day before.
    wanted = 4 if school.plan.number % 2 else 2
    day = max((d for d in days if d.weekday() <= wanted), default=days[0])
    module, topic = _topic(school, day)
    for item, teacher in school.classes_on(day):
        moment = school.late_or_never(
            school.some_time(day, 15, 55), school.plan.profile.habits.sessions, least_days=5
        )
        if moment is not None:
            _lesson(school, item, _writer(school, teacher, day, moment), day, moment, module, topic)


def _topic(school: DemoSchool, day: date) -> tuple[str, str]:
    pool = LITTLE_TOPICS if _little(school) else TOPICS[season_of(day)]
    # Week by week through the season's topics, each school from another place.
    return pool[(day.isocalendar().week + 3 * school.plan.number) % len(pool)]


def _lesson(
    school: DemoSchool,
    item: ClassFacts,
    teacher: Person,
    day: date,
    moment: datetime,
    module: str,
    topic: str,
) -> None:
    pupils = size_at(item.sizes, moment)
    away = min(pupils - 1, school.random.choice((0, 0, 0, 1, 1, 2)))
    values: Values = {
        "class": item.id, "happened_on": day, "kind": "weekly", "topic": topic, "module": module,
        "present": pupils - away, "made_up": away if school.chance(0.85) else 0,
    }  # fmt: skip
    name = f"lesson:{item.id}:{day}"
    if school.chance(school.plan.profile.habits.typos * 4):
        _mistyped(school, teacher, moment, name, values)
    else:
        school.will(moment, Write(teacher, "class_sessions", values, name))
        if school.chance(school.plan.profile.habits.typos):
            _twice(school, teacher, moment, values)


def _mistyped(school: DemoSchool, teacher: Person, moment: datetime, name: str, values: Values) -> None:
    wrong = values | {"present": max(1, values["present"] // 10)}
    school.will(moment, Write(teacher, "class_sessions", wrong, name))
    later = moment + timedelta(minutes=school.random.randint(2, 1500))
    if (moment.month, later.month) != (8, 9):
        why = school.random.choice(CORRECTIONS)
        school.will(later, Mend(teacher, "class_sessions", name, values, why))


def _twice(school: DemoSchool, teacher: Person, moment: datetime, values: Values) -> None:
    name = f"twice:{values['class']}:{values['happened_on']}"
    school.will(moment + timedelta(seconds=40), Write(teacher, "class_sessions", dict(values), name))
    why = school.random.choice(VOIDS)
    school.will(moment + timedelta(minutes=6), Void(teacher, "class_sessions", name, why))


# ---------------------------------------------------------------- monthly and termly
def _campaigns(school: DemoSchool, day: date) -> None:
    facts, habits = school.facts, school.plan.profile.habits
    month_days = facts.calendar.school_days(day.replace(day=1), day)
    if len(month_days) == 7 + school.plan.number % 3:
        moment = school.late_or_never(school.some_time(day, 10), habits.sessions, least_days=30)
        if moment is not None:
            module, topic = MONTHLY_TOPICS[day.month]
            _gathering(school, "monthly", day, moment, topic, module)
    if day.month in LEGAL_MONTHS and len(month_days) == 11 and school.chance(habits.sessions):
        topic = LEGAL_TOPICS[(day.year + school.plan.number) % len(LEGAL_TOPICS)]
        _gathering(school, "legal", day, school.some_time(day, 15), topic, "social")


def _gathering(school: DemoSchool, kind: str, day: date, moment: datetime, topic: str, module: str) -> None:
    everybody = sum(size_at(item.sizes, moment) for item in school.facts.classes_on(day))
    values = {
        "class": None, "happened_on": day, "kind": kind, "topic": topic, "module": module,
        "present": max(1, everybody - school.random.randrange(5)), "made_up": 0,
    }  # fmt: skip
    school.will(moment, Write(school.staff.officer, "class_sessions", values))


# ---------------------------------------------------------------- awareness
def _checks(school: DemoSchool, day: date) -> None:
    """Once a quarter, some days before its last school day, classes are asked; in the running quarter half-way."""
    period = Period.of(day)
    days = school.facts.calendar.school_days(period.start, period.end)
    if len(days) < LEAST_DAYS:  # the coming school year's terms have not been entered yet
        return
    early = days[len(days) // 2]
    last = max((d for d in days if d <= days[-1] - CHECK_BEFORE), default=days[0])
    share = {early: 0.5, last: 1.0}.get(day)
    if share is None:
        return
    for item, teacher in school.classes_on(day):
        if school.chance(school.plan.profile.habits.awareness * share):
            _check(school, item, teacher, day)


def _check(school: DemoSchool, item: ClassFacts, teacher: Person, day: date) -> None:
    moment = school.some_time(day, 15)
    pupils = size_at(item.sizes, moment)
    checked = max(1, round(pupils * school.random.uniform(0.6, 1)))
    good = min(1, school.random.uniform(0.9, 1.04) if school.plan.profile.habits.late < 0.1 else 0.9)
    values = {"class": item.id, "happened_on": day, "checked": checked, "passed": int(checked * good)}
    school.will(moment, Write(teacher, "awareness_checks", values))
