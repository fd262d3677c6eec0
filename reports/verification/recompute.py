"""A return worked out again from what is attached to it: due dates, timeliness, incidents, score, exceptions (PURE).

`rebuild` makes of the attached inputs what was measured from the ledgers, with the rules of the kernel itself; compiled
like any other return it must come to the same document. What cannot follow from the inputs is taken as stated: that the
entries exist and were recorded when they say, which day an earlier version of a corrected entry gives, how many slots
were rostered, how many pupils were reached or passed, small counts, and the words of people.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from uuid import UUID, uuid5

from reports.compile import INCIDENTS, PRINTED_AS, Found
from reports.document import Fact, ReturnDocument
from reports.exceptions import parts_of
from reports.inputs import History, Known, Later, Profile
from safety.calendar import Period, SchoolCalendar, TermSpan
from safety.clock import day_start, local_day
from safety.duties import AWARENESS, DUTIES, ZERO, Window, base_expected, close_day, windows
from safety.facts import ClassFacts, SchoolFacts
from safety.incidents import rules
from safety.incidents.coverage import covered_days
from safety.measures import BACKFILLED, ON_TIME, Fill, Mark, Measured, Row, Setting, Version, timing_of
from safety.national import National
from safety.rulebook import Rulebook
from safety.scoring import Evidence, score
from safety.standards import Standards

EPOCH = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
MEASURED_AS = {printed: line for line, printed in PRINTED_AS.items()}
FEW = "<5"
NOBODY = UUID(int=0)


class Contradiction(Exception):
    """Inputs that no ledger can have given. `code` is stable; `values` say where."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


@dataclass(frozen=True)
class StatedDays(National):
    """The national calendar as a return states it, whatever is known of those years by now."""

    days_off: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()
    provisional: frozenset[int] = frozenset()

    def is_working_day(self, day: date) -> bool:
        return day in self.workdays if day.weekday() >= 5 else day not in self.days_off

    def is_provisional(self, year: int) -> bool:
        return year in self.provisional


def rebuild(document: ReturnDocument, standards: Standards) -> Found:
    """What was measured, as the attached inputs have it, scored by these standards.

    Raises Contradiction (`no-inputs` for a return that brings none), or NoStandard for a quarter before all standards.
    """
    if document.profile is None:
        raise Contradiction("no-inputs")
    try:
        return _rebuilt(document, document.profile, standards)
    except ValueError as error:
        raise Contradiction("inputs", why=str(error)) from error


def _rebuilt(document: ReturnDocument, profile: Profile, standards: Standards) -> Found:
    period = _period(document)
    at = document.score.as_of
    book = Rulebook.of(standards, period)
    facts = _school(document, profile)
    known = tuple(_incident(item.id, item.history) for item in document.incidents)
    setting = Setting(facts, period, book.duties, at)
    measured = _Rebuilding(document, setting).measured(known)
    costs = rules.consequences_of(known, period, at, book.incidents)
    found = score(facts, period, book, Evidence.of(measured, costs, at), at)
    return Found(facts, period, book, found, measured, known, at)


def _period(document: ReturnDocument) -> Period:
    try:
        return Period.parse(document.period.id)
    except ValueError as error:
        raise Contradiction("period", period=document.period.id) from error


# ---------------------------------------------------------------- the school
def _school(document: ReturnDocument, profile: Profile) -> SchoolFacts:
    return SchoolFacts(
        id=0,
        code=document.school.code,
        name=document.school.name.zh,
        name_en=document.school.name.en,
        stage=document.school.stage,
        has_canteen=profile.has_canteen,
        meals=profile.meals,
        enrolments=((EPOCH, document.school.enrolment),),
        calendar=_calendar(document, profile),
        classes=tuple(
            ClassFacts(number, item.name, item.since, item.until, ((EPOCH, item.pupils),))
            for number, item in enumerate(profile.classes, start=1)
        ),
        made_up=document.made_up,
    )


def _calendar(document: ReturnDocument, profile: Profile) -> SchoolCalendar:
    days = StatedDays(
        days_off=frozenset(profile.days_off),
        workdays=frozenset(profile.workdays),
        provisional=frozenset(document.provisional_years),
    )
    _check_days(days, profile)
    try:
        terms = tuple(TermSpan(term.name, term.starts, term.ends) for term in profile.terms)
        return SchoolCalendar(terms, frozenset(profile.closed), frozenset(profile.extra), days)
    except ValueError as error:
        raise Contradiction("profile", why=str(error)) from error


def _check_days(stated: StatedDays, profile: Profile) -> None:
    """Where the year's notice is known here, the country's days off are those that the return states."""
    ours = National()
    for number in range((profile.until - profile.since).days + 1):
        day = profile.since + timedelta(days=number)
        if stated.is_provisional(day.year) or ours.is_provisional(day.year):
            continue
        if stated.is_working_day(day) != ours.is_working_day(day):
            raise Contradiction("calendar", day=day)


# ---------------------------------------------------------------- incidents
def _incident(id_: str, history: History | None) -> rules.Incident:
    if history is None or not history.versions:
        raise Contradiction("no-inputs")
    versions = tuple(_state(version) for version in history.versions)
    return rules.Incident(_uuid(id_), versions, tuple(_event(event) for event in history.events))


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Contradiction("fact", id=text) from error


def _state(known: Known) -> rules.State:
    return rules.State(
        known_at=known.known_at,
        happened_at=day_start(known.happened_on),
        discovered_at=known.discovered_at,
        category=known.category,
        liability=known.liability,
        deaths=_number(known.deaths, known.as_if),
        serious_injuries=_number(known.serious_injuries),
        minor_injuries=_number(known.minor_injuries),
        affected=_number(known.affected),
        loss_yuan=known.loss_yuan,
        reported_at=known.reported_at,
        reported_by=known.reported_by,
        voided=known.voided,
    )


def _event(event: Later) -> rules.Event:
    value = event.value
    if event.kind in rules.EVENT_FIGURES:
        value = str(_number(value, event.as_if or 1))
    return rules.Event(event.kind, value, event.happened_at, event.recorded_at)


def _number(figure: int | str, as_if: int = 1) -> int:
    if figure == FEW:
        return as_if
    try:
        return int(figure)
    except ValueError as error:
        raise Contradiction("inputs", why=str(figure)) from error


# ---------------------------------------------------------------- the lines
@dataclass(frozen=True, slots=True)
class _Rebuilding:
    """Facts laid against what was due."""

    document: ReturnDocument
    setting: Setting

    def measured(self, known: tuple[rules.Incident, ...]) -> dict[str, Measured]:
        facts: dict[str, list[Fact]] = defaultdict(list)
        for fact in self.document.facts:
            if fact.line != INCIDENTS:
                line = MEASURED_AS.get(fact.line, fact.line)
                if line not in DUTIES:
                    raise Contradiction("fact", id=fact.id)
                facts[line].append(fact)
        found = {line: self._line(line, facts[line]) for line in DUTIES if line not in {ZERO, AWARENESS}}
        return found | {
            ZERO: self._zero(facts[ZERO], known),
            AWARENESS: self._awareness(facts[AWARENESS]),
        }

    def _windows(self, line: str) -> dict[str, Window]:
        setting = self.setting
        return {w.key: w for w in windows(line, setting.facts, setting.period, setting.rules)}

    # ---- a line of occurrences
    def _line(self, line: str, facts: Iterable[Fact]) -> Measured:
        spans, rows, fills, seen = self._windows(line), dict[str, Row](), list[Fill](), set[str]()
        for window, count in self._added(line, spans):
            rows[window.key] = Row(line, window.due, extra=count)
        for fact in facts:
            if fact.occurrence in seen:
                raise Contradiction("fact-twice", id=fact.id)
            seen.add(fact.occurrence)
            key, unit = parts_of(line, fact.occurrence)
            window = self._window(fact, spans.get(key))
            row = rows.setdefault(window.key, Row(line, window.due))
            fill = self._fill(line, fact, window, unit, row)
            row.add(fill.timing)
            fills.append(fill)
        self._check_units(line, spans, rows, fills)
        return Measured(list(rows.values()), fills)

    def _added(self, line: str, spans: Mapping[str, Window]) -> Iterator[tuple[Window, int]]:
        by_due = {window.due: window for window in spans.values()}
        for item in self.document.added:
            if item.line == line:
                if item.due_on not in by_due or DUTIES[line].units not in {"slots", "drills"}:
                    raise Contradiction("added", line=line, day=item.due_on)
                yield by_due[item.due_on], item.count

    def _window(self, fact: Fact, window: Window | None) -> Window:
        """The occurrence that the entry answers: there is one, on its day, and the entry had been made by then."""
        if window is None or not window.start <= fact.happened_on <= window.end:
            raise Contradiction("fact", id=fact.id)
        own = local_day(fact.recorded_at)
        if own < fact.happened_on or fact.recorded_at > self.setting.at:
            raise Contradiction("fact", id=fact.id)
        return window

    def _fill(self, line: str, fact: Fact, window: Window, unit: str, row: Row) -> Fill:
        timed = fact.timed_on or local_day(fact.recorded_at)
        timing = timing_of(timed, window.grace_until, self.setting.closes)
        key = fact.occurrence
        if DUTIES[line].units == "class":
            school_class = self._class(fact, unit, window.due)
            pupils = school_class.sizes[-1][1]
            key = f"{window.key}/{school_class.id}"
            if fact.reached > pupils:
                raise Contradiction("fact", id=fact.id)
            if line == "education.weekly":
                row.amount, row.whole = row.amount + fact.reached, row.whole + pupils
        entry = _uuid(fact.id)
        return Fill(entry, key, fact.happened_on, timing, fact.recorded_at, fact.timed_on, fact.reached)

    def _class(self, fact: Fact, name: str, day: date) -> ClassFacts:
        found = [item for item in self.setting.facts.classes_on(day) if item.name == name]
        if len(found) != 1:
            raise Contradiction("fact", id=fact.id)
        return found[0]

    def _check_units(
        self, line: str, spans: Mapping[str, Window], rows: Mapping[str, Row], fills: Iterable[Fill]
    ) -> None:
        """No more is answered than is due, and each by a unit that there is."""
        answers: dict[str, list[Fill]] = defaultdict(list)
        for fill in fills:
            answers[parts_of(line, fill.occurrence)[0]].append(fill)
        for key, found in answers.items():
            window = spans[key]
            due = base_expected(line, self.setting.facts, window, self.setting.rules) + rows[key].extra
            units = [parts_of(line, fill.occurrence)[1] for fill in found]
            if len(found) > due or not self._are_units(line, units, due, window):
                raise Contradiction("fact", id=found[-1].entry)
            if DUTIES[line].units == "slots" and len({fill.entry for fill in found}) < len(found):
                raise Contradiction("fact-twice", id=found[-1].entry)

    def _are_units(self, line: str, units: list[str], due: int, window: Window) -> bool:
        match DUTIES[line].units:
            case "meal":
                return set(units) <= set(self.setting.facts.meals)
            case "slots":
                return set(units) <= {str(number + 1) for number in range(due)}
            case "rounds":
                instants = sorted(datetime.fromisoformat(unit) for unit in units)
                gap = self.setting.rules.on(window.due).patrol_gap
                return all(later - before >= gap for before, later in pairwise(instants))
            case _:
                return True

    # ---- zero-reports and the reports of incidents, by the rule itself
    def _zero(self, facts: Iterable[Fact], known: tuple[rules.Incident, ...]) -> Measured:
        ids, spans = {item.id for item in known}, self._windows(ZERO)
        marks = [self._mark(fact, spans) for fact in facts if _uuid(fact.id) not in ids]
        marks += [
            Mark(
                uuid5(NOBODY, item.occurrence),
                item.due_on,
                None,
                local_day(item.recorded_at),
                item.recorded_at,
            )
            for item in self.document.exceptions
            if item.kind == "uncounted" and item.recorded_at is not None
        ]
        return covered_days(ZERO, list(spans.values()), marks, self.setting, known)

    def _mark(self, fact: Fact, spans: Mapping[str, Window]) -> Mark:
        window = self._window(fact, spans.get(fact.occurrence))
        own, before = local_day(fact.recorded_at), fact.timed_on
        first = Version(window.due, None, before, day_start(before)) if before else None
        history = (first,) if first else ()
        return Mark(_uuid(fact.id), fact.happened_on, None, own, fact.recorded_at, history=history)

    # ---- awareness checks
    def _awareness(self, facts: Iterable[Fact]) -> Measured:
        period, closes = self.setting.period, close_day(self.setting.period)
        window = Window(period.id, period.start, period.end, period.end, period.end)
        row, fills = Row(AWARENESS, period.end), list[Fill]()
        for fact in facts:
            self._window(fact, window)
            if fact.tested is None or fact.occurrence != f"{period.id}/{fact.id}":
                raise Contradiction("fact", id=fact.id)
            late = (fact.timed_on or local_day(fact.recorded_at)) > closes
            checked, passed = fact.tested.checked, fact.tested.passed
            if passed > checked or (late and checked):
                raise Contradiction("fact", id=fact.id)
            timing = BACKFILLED if late else ON_TIME
            row.add(timing)
            row.whole, row.amount = row.whole + checked, row.amount + passed
            entry = _uuid(fact.id)
            fills.append(
                Fill(
                    entry,
                    fact.occurrence,
                    fact.happened_on,
                    timing,
                    fact.recorded_at,
                    fact.timed_on,
                    passed,
                    checked,
                )
            )
        stated = self.document.tested_as_closed
        if stated is not None:
            row.whole, row.amount = stated.checked, stated.passed
        return Measured([] if row.is_empty() else [row], fills)
