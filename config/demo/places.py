"""The county's places as the tables of a bundle, so that they are taken in the way a bureau takes in its own."""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from config.demo.profiles import (
    CITY,
    COUNTY,
    MARK,
    PROFILES,
    Profile,
    class_label,
    school_code,
    school_name,
)
from config.demo.texts import CLOSURE_DAYS, EXTRA_DAY
from safety.bundles.files import place_spec
from safety.bundles.reading import Sheet

CAMPUS, ZONES = "主校区", ("教学楼", "食堂", "操场和校门")
ZONED = (0, 1)
"""The schools that keep watch by grid zones."""
ELSEWHERE, PUPILS_ELSEWHERE = ("青石小学", "Qingshi Primary School"), 312

Rows = Iterable[Mapping[str, str]]
NEW_CLASS = 3
"""The number of the school that opens one more class two weeks into a school year."""
CLOSED = (2, 9)
"""The schools that close for a day each autumn and spring, and make the day up on a Saturday."""


def sheet(name: str, rows: Rows) -> Sheet:
    """A table of a bundle, as if read from a file."""
    spec = place_spec(name)
    return Sheet(name, f"{name}.csv", (*spec.columns, *spec.optional), list(enumerate(rows, start=2)))


@dataclass(frozen=True, slots=True)
class Group:
    """A class as a group of children that keeps its teacher: `cohort` is the same from year to year."""

    label: str
    grade: str
    year: str
    cohort: tuple[int, int]
    pupils: int
    since: date | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A school to be: its number, code, names and profile."""

    number: int
    seed: str

    @property
    def profile(self) -> Profile:
        return PROFILES[self.number % len(PROFILES)]

    @property
    def code(self) -> str:
        return school_code(self.number)

    def groups(self, first_year: int) -> list[Group]:
        """The classes of the school year that begins in September of that year."""
        profile, year = self.profile, f"{first_year}-{first_year + 1}"
        found = []
        for grade, (name, count) in enumerate(zip(profile.grades, profile.sections, strict=True)):
            for section in range(count):
                cohort = (first_year - grade, section)
                found.append(
                    Group(class_label(profile, name, section), name, year, cohort, self._pupils(cohort))
                )
        if self.number == NEW_CLASS and len(profile.grades):
            found.append(self._new_class(first_year, year))
        return found

    def _new_class(self, first_year: int, year: str) -> Group:
        name, section = self.profile.grades[0], self.profile.sections[0]
        cohort = (first_year, section)
        since = date(first_year, 9, 14)
        label = class_label(self.profile, name, section)
        return Group(label, name, year, cohort, self._pupils(cohort) - 5, since)

    def _pupils(self, cohort: tuple[int, int]) -> int:
        return random.Random(f"{self.seed}:{self.code}:{cohort}").randint(*self.profile.pupils)  # noqa: S311


def plans(count: int, seed: str) -> list[Plan]:
    """The schools of a demo of that size."""
    return [Plan(number, seed) for number in range(count)]


# ---------------------------------------------------------------- tables
def bureaus() -> Sheet:
    """The county's bureau under the city's."""
    rows = [(*CITY, ""), (*COUNTY, CITY[0])]
    return sheet("bureaus", [{"code": c, "name": n, "parent": p, "made_up": "true"} for c, n, p in rows])


def schools(all_: Sequence[Plan], first_year: int) -> Sheet:
    """The schools with the enrolment of a school year."""
    return sheet("schools", [_school(plan, first_year) for plan in all_])


def _school(plan: Plan, first_year: int) -> dict[str, str]:
    profile, (name, name_en) = plan.profile, school_name(plan.number)
    enrolment = sum(group.pupils for group in plan.groups(first_year))
    return {
        "code": plan.code, "name": name, "name_en": name_en, "stage": profile.stage, "enrolment": str(enrolment),
        "has_canteen": _said(profile.has_canteen), "meals": "+".join(profile.meals),
        "boarding": _said(profile.boarding), "has_bus": _said(profile.has_bus), "bureau": COUNTY[0], "made_up": "true",
    }  # fmt: skip


def _said(value: bool) -> str:
    return "true" if value else "false"


def campuses(all_: Sequence[Plan]) -> Sheet:
    """The one campus of those schools that keep watch by grid zones."""
    return sheet("campuses", [{"school": plan.code, "name": CAMPUS} for plan in all_ if plan.number in ZONED])


def zones(all_: Sequence[Plan]) -> Sheet:
    """The grid zones of those schools."""
    rows = [(plan.code, name) for plan in all_ if plan.number in ZONED for name in ZONES]
    return sheet("zones", [{"school": code, "campus": CAMPUS, "name": name} for code, name in rows])


def elsewhere(number: int) -> Sheet:
    """A school, by number, that keeps its records on an instance of its own: here it is a name and its pupils."""
    name, name_en = ELSEWHERE
    return sheet("schools", [{
        "code": school_code(number), "name": f"澄溪县{name}{MARK}", "name_en": f"{name_en}, Chengxi (demo)",
        "stage": "primary", "enrolment": str(PUPILS_ELSEWHERE), "has_canteen": "false", "meals": "",
        "boarding": "false", "has_bus": "false", "bureau": COUNTY[0], "made_up": "true",
    }])  # fmt: skip


def classes(all_: Sequence[Plan], first_year: int) -> Sheet:
    """The classes of a school year; teachers are given their classes with their accounts."""
    return sheet("classes", (_class(plan, group) for plan in all_ for group in plan.groups(first_year)))


def _class(plan: Plan, group: Group) -> dict[str, str]:
    return {
        "school": plan.code, "school_year": group.year, "grade": group.grade, "class": group.label,
        "pupils": str(group.pupils), "teacher": "", "from": group.since.isoformat() if group.since else "", "until": "",
    }  # fmt: skip


def terms(all_: Sequence[Plan], first_year: int) -> Sheet:
    """Both terms of a school year."""
    spans = (autumn(first_year), spring(first_year + 1))
    label = f"{first_year}—{first_year + 1}学年"
    rows = [
        {
            "school": plan.code,
            "name": label + name,
            "starts": span[0].isoformat(),
            "ends": span[1].isoformat(),
        }
        for plan in all_
        for name, span in zip(("第一学期", "第二学期"), spans, strict=True)
    ]
    return sheet("terms", rows)


def autumn(year: int) -> tuple[date, date]:
    """From 1 September to the Friday on or after 18 January."""
    return date(year, 9, 1), _on_or_after(date(year + 1, 1, 18), 4)


def spring(year: int) -> tuple[date, date]:
    """From the Monday on or after 24 February to the Friday on or after 30 June."""
    return _on_or_after(date(year, 2, 24), 0), _on_or_after(date(year, 6, 30), 4)


def _on_or_after(day: date, weekday: int) -> date:
    return day + timedelta(days=(weekday - day.weekday()) % 7)


def closures(plan: Plan, first: date, last: date) -> Sheet | None:
    """The days off and made up that a school decides on in a span of days; None for none."""
    if plan.number not in CLOSED:
        return None
    found = [
        {"school": plan.code, "date": day.isoformat(), "kind": kind, "reason": reason}
        for year in range(first.year, last.year + 1)
        for month, why in zip((9, 5), CLOSURE_DAYS, strict=True)
        for day, kind, reason in _closure(date(year, month, 7), plan.number % 5, why)
        if first <= day <= last
    ]
    return sheet("closures", found) if found else None


def _closure(about: date, weekday: int, reason: str) -> tuple[tuple[date, str, str], ...]:
    closed = _on_or_after(about, weekday)
    return (closed, "closed", reason), (_on_or_after(closed + timedelta(days=8), 5), "extra", EXTRA_DAY)
