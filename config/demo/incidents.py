"""What goes wrong in the demo, and the daily word that nothing did."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from config.demo.acts import Add, DemoSchool, Values, Write, at
from config.demo.people import Person
from safety.calendar import Period


@dataclass(frozen=True, slots=True)
class Story:
    """An incident: on which school day of the quarter, what, and how it was reported and judged.

    `reported_after`: hours from discovery. `decided`: the bureau's finding and after how many days; None: pending.
    """

    nth: int
    hour: int
    category: str
    reported_after: float
    reported_by: str = "school"
    minor: int = 1
    loss: int = 0
    decided: tuple[str, int] | None = None


IN_TIME = Story(14, 10, "facility", 1.4, loss=260, decided=("no", 12))
LATE = Story(9, 15, "other", 58, decided=("yes", 26))
CONCEALED = Story(11, 16, "traffic", 97, "superior", loss=1200, decided=("no", 30))
RUNNING = Story(17, 7, "traffic", 0.6, loss=800)
UNHURT = Story(20, 12, "facility", 3.5, minor=0, loss=4300, decided=("no", 9))

STORIES: dict[int, dict[int, Story]] = {
    0: {3: RUNNING, 9: UNHURT},
    1: {0: IN_TIME, 2: CONCEALED, 5: LATE},
    2: {6: LATE, 10: IN_TIME},
}
"""By how many quarters ago, then by the school's number."""


def plan_stories(school: DemoSchool, days: Sequence[date], ago: int, total: int) -> None:
    """What goes wrong on one of these school days; in a smaller county the stories fall to those who are there."""
    for number, story in STORIES.get(ago, {}).items():
        if number % total == school.plan.number and (number < total or ago == 1):
            day = _nth_school_day(school, days, story.nth)
            if day is not None:
                _happen(school, day, story)


def _nth_school_day(school: DemoSchool, days: Sequence[date], nth: int) -> date | None:
    """The quarter's school day of that number, if it is one of these."""
    for day in days:
        if len(school.facts.calendar.school_days(Period.of(day).start, day)) == nth:
            return day
    return None


def _happen(school: DemoSchool, day: date, story: Story) -> None:
    happened = at(day, story.hour, school.random.randrange(60))
    discovered = happened + timedelta(minutes=school.random.randint(2, 9))
    reported = discovered + timedelta(hours=story.reported_after)
    values: Values = {
        "happened_at": happened, "discovered_at": discovered, "reported_at": reported, "reported_by": story.reported_by,
        "category": story.category, "liability": "pending", "deaths": 0, "serious_injuries": 0,
        "minor_injuries": story.minor, "affected": story.minor, "loss_yuan": story.loss,
    }  # fmt: skip
    name = f"incident:{happened.date()}"
    by_school = story.reported_by == "school"
    # What a superior reports, the administrator enters: the school had kept silent, and its zero-report stands.
    by = school.staff.officer if by_school else school.town.people["admin"]
    school.will(reported + timedelta(minutes=12), Write(by, "incidents", values, name))
    if by_school and story.reported_after < 24:
        school.troubled.add(happened.date())
    if story.decided is not None:
        finding, after = story.decided
        clerk = school.town.people["clerk"]
        school.will(
            discovered + timedelta(days=after, hours=1), Add(clerk, "incidents", name, "liability", finding)
        )


# ---------------------------------------------------------------- the zero-report
def plan(school: DemoSchool, days: Sequence[date]) -> None:
    """Each school day's word, from the officer or a leader; not on a day of which an incident was reported."""
    for day in days:
        if day in school.troubled:
            continue
        moment = school.late_or_never(
            school.some_time(day, 17, 150), school.plan.profile.habits.zero_reports, least_days=4
        )
        if moment is not None:
            by = _attester(school)
            school.will(moment, Write(by, "zero_reports", {"happened_on": day, "person": by.id}))


def _attester(school: DemoSchool) -> Person:
    return school.staff.officer if school.chance(0.8) else school.random.choice(school.staff.leaders)
