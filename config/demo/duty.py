"""Rosters entered the week before, and people checking in at their posts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from config.demo.acts import DemoSchool, Write, at
from config.demo.people import Person

POSTS = (
    ("gate", 7, 10, 70, 0), ("gate", 16, 0, 60, 0),
    ("marshal", 7, 20, 50, 1), ("marshal", 16, 10, 40, 1),
    ("leader", 7, 30, 570, 2),
)  # fmt: skip
"""Post, hour and minute of its start, minutes, and how far the turn of people is shifted."""
ROUNDS = ((9, 20), (10, 40), (12, 50), (14, 30), (17, 10), (20, 30))


@dataclass(frozen=True, slots=True)
class Turn:
    """A slot of a day."""

    post: str
    starts_at: datetime
    ends_at: datetime
    person: Person


def turns(school: DemoSchool, day: date) -> list[Turn]:
    """Who stands where on a school day: guards at the gate, teachers with the traffic, by days."""
    found = []
    for post, hour, minute, minutes, shift in POSTS:
        start = at(day, hour, minute)
        people = _people(school, post, day)
        person = people[(day.toordinal() + shift) % len(people)]
        found.append(Turn(post, start, start + timedelta(minutes=minutes), person))
    return found


def _people(school: DemoSchool, post: str, day: date) -> Sequence[Person]:
    staff = school.staff
    if post == "gate":
        return staff.guards
    if post == "leader":
        return [*staff.leaders, staff.principal]
    # Teachers of whom the roster may speak on that day, as the plan of the year has them.
    year = day.year if day.month >= 9 else day.year - 1
    cohorts = [group.cohort for group in school.plan.groups(year)]
    return [staff.teachers[cohort] for cohort in cohorts if cohort in staff.teachers] or staff.leaders


# ---------------------------------------------------------------- rosters
def plan_roster(school: DemoSchool, days: Sequence[date], moment: datetime) -> None:
    """The roster of a week's school days, entered at that moment; some weeks it comes too late."""
    if not school.chance(school.plan.profile.habits.ahead):
        moment = school.some_time(days[0] + timedelta(days=1), 9)
    for n, day in enumerate(days):
        for m, turn in enumerate(turns(school, day)):
            values = {
                "post": turn.post, "starts_at": turn.starts_at, "ends_at": turn.ends_at, "person": turn.person.id,
            }  # fmt: skip
            later = timedelta(seconds=25 * (n * len(POSTS) + m))
            school.will(moment + later, Write(school.staff.officer, "duty_slots", values))


# ---------------------------------------------------------------- check-ins
def plan(school: DemoSchool, days: Sequence[date]) -> None:
    """People at their posts, and the rounds of the day."""
    for day in days:
        for turn in turns(school, day):
            _check_in(school, turn)
        _rounds(school, day)


def _check_in(school: DemoSchool, turn: Turn) -> None:
    habits = school.plan.profile.habits
    if not school.chance(habits.checkins):
        return
    moment = turn.starts_at + timedelta(seconds=school.random.randint(-600, 240))
    others = [person for person in [*school.staff.leaders, *school.staff.guards] if person is not turn.person]
    if others and school.chance(0.02):
        _write(school, moment, turn.post, school.random.choice(others), turn.person)
    else:
        _write(school, moment, turn.post, turn.person, None)


def _rounds(school: DemoSchool, day: date) -> None:
    habits, profile = school.plan.profile.habits, school.plan.profile
    rounds = ROUNDS if profile.boarding else ROUNDS[:5]
    guard = school.staff.guards[day.toordinal() % len(school.staff.guards)]
    for n, (hour, minute) in enumerate(rounds):
        if n < habits.rounds + profile.boarding and school.chance(habits.checkins):
            moment = at(day, hour, minute) + timedelta(seconds=school.random.randint(-240, 420))
            _write(school, moment, "patrol", guard, None, zone=_zone(school, n))


def _zone(school: DemoSchool, round_: int) -> int | None:
    """Where a round leads, at a school that has zones: each in turn."""
    zones = school.facts.zones
    return zones[round_ % len(zones)].id if zones else None


def _write(
    school: DemoSchool,
    moment: datetime,
    post: str,
    person: Person,
    replaced: Person | None,
    zone: int | None = None,
) -> None:
    values = {
        "post": post, "person": person.id, "substitute_for": replaced.id if replaced else None, "happened_at": moment,
        "zone": zone,
    }  # fmt: skip
    written_at, by = moment, person
    habits = school.plan.profile.habits
    if school.chance(habits.late):
        # From the paper at the gatehouse, by the officer, for the person who stood there.
        written_at = school.some_time(moment.date() + timedelta(days=school.random.randint(0, 5)), 18)
        by = school.staff.officer
    for_ = person if by is not person else None
    school.will(max(written_at, moment), Write(by, "duty_checkins", values, for_=for_))
