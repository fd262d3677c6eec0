"""What a school's settings must be, decided on plain values (PURE)."""

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from safety.calendar import Period
from safety.duties import close_at
from safety.errors import Problem
from safety.facts import MEALS, STAGES, school_year_of, school_year_span

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
CLOSURES = ("closed", "extra")
MOST_PUPILS = 1_000_000
MOST_TERM_DAYS = 366

TermKey = tuple[str, date, date]
"""Name, first day, last day."""


def code_problem(field: str, code: str) -> list[Problem]:
    """Codes stand in addresses: letters, digits and . _ - , up to 40."""
    return [] if CODE.fullmatch(code) else [Problem(field, "code-form", {"code": code})]


def stage_problem(stage: str) -> list[Problem]:
    allowed = ", ".join(STAGES)
    return (
        [] if stage in STAGES else [Problem("stage", "choice-unknown", {"text": stage, "allowed": allowed})]
    )


def meals_of(text: str) -> tuple[tuple[str, ...], list[Problem]]:
    """`lunch+breakfast` → the meals in the order of the day."""
    said = [part.strip() for part in text.split("+") if part.strip()]
    unknown = [part for part in said if part not in MEALS]
    problems = [
        Problem("meals", "choice-unknown", {"text": part, "allowed": ", ".join(MEALS)}) for part in unknown
    ]
    return tuple(meal for meal in MEALS if meal in said), problems


def span_problem(field: str, starts: date, ends: date) -> list[Problem]:
    """A term lasts a year at most: every one of its days is looked at whenever the school is scored."""
    if ends < starts:
        return [Problem(field, "ends-before-start")]
    return (
        [Problem(field, "term-long", {"most": MOST_TERM_DAYS})]
        if (ends - starts).days >= MOST_TERM_DAYS
        else []
    )


def term_year(starts: date) -> str:
    """Terms of one name are told apart by the school year in which they start."""
    return school_year_of(starts)


def overlapping(terms: Iterable[TermKey]) -> list[tuple[TermKey, TermKey]]:
    """Terms of one school that share a day, as pairs of (earlier, later)."""
    found: list[tuple[TermKey, TermKey]] = []
    latest: TermKey | None = None
    for term in sorted(terms, key=lambda term: (term[1], term[2], term[0])):
        if latest is not None and term[1] <= latest[2]:
            found.append((latest, term))
        if latest is None or term[2] > latest[2]:
            latest = term
    return found


def class_days(
    school_year: str, since: date | None, until: date | None
) -> tuple[tuple[date, date] | None, list[Problem]]:
    """The first and last day on which a class exists: its school year, narrowed by `since` and `until`."""
    try:
        first, last = school_year_span(school_year)
    except ValueError:
        return None, [Problem("school_year", "school-year-form", {"text": school_year})]
    values = {"first": first.isoformat(), "last": last.isoformat()}
    problems = [
        Problem(field, "class-outside-year", values)
        for field, day in (("from", since), ("until", until))
        if day is not None and not first <= day <= last
    ]
    days = since or first, until or last
    if not problems and days[1] < days[0]:
        problems = [Problem("until", "ends-before-start")]
    return (None if problems else days), problems


# ---------------------------------------------------------------- what is closed stays
def closed_problem(field: str | None, days: Sequence[date], now: datetime) -> list[Problem]:
    """A change that bears on these days (the earliest counts) is refused once their quarter is closed."""
    if not days or close_at(Period.of(min(days))) > now:
        return []
    return [Problem(field, "quarter-closed", {"period": Period.of(min(days)).id})]


def days_changed(before: tuple[date, date] | None, after: tuple[date, date] | None) -> list[date]:
    """The first day on which two spans differ, if any (None: there is no span)."""
    if before == after:
        return []
    if before is None or after is None:
        span = before or after
        assert span is not None
        return [span[0]]
    if before[0] != after[0]:
        return [min(before[0], after[0])]
    return [min(before[1], after[1])]
