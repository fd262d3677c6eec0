"""Before a draft is signed: what is wrong or worth a look, where it is mended, and what no longer can be (PURE)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from reports.compile import Found
from reports.document import Incident, ReturnDocument
from safety.clock import local_day
from safety.duties import AWARENESS, DUTIES, EVALUATED, ZERO
from safety.facts import size_at

Level = Literal["error", "warning", "hint"]
LEVELS: tuple[Level, ...] = ("error", "warning", "hint")
POSTS = {"duty.gate": "gate", "duty.marshal": "marshal"}
"""The lines that want a roster for every school day, and the post that it is for."""
SAMPLES_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Mend:
    """A way to where something is mended: the form filled in. `name` is a class or meal, empty for the school's own."""

    path: str
    day: date | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. `code` names its sentence, `values` fill it; `line` is the line of the sheet that it is about.

    Without `mends` there is nothing that the school can do about it any more.
    """

    level: Level
    code: str
    values: Mapping[str, Any] = field(default_factory=dict)
    line: str = ""
    mends: tuple[Mend, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, on one or several `days`. `unrostered`: a slot for which nobody had been put on the roster."""

    mend: Mend
    days: int
    done: int
    expected: int
    ready: bool = True
    unrostered: bool = False


@dataclass(frozen=True, slots=True)
class Open:
    """What of a line is equally urgent (overdue, now or later); `rule` is the line of the sheet that rules it."""

    line: str
    rule: str
    urgency: str
    until: date
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Around:
    """What a scan needs besides the draft: what is open, how many can sign, which days have which rosters."""

    open: Sequence[Open]
    principals: int
    rostered: Mapping[str, frozenset[date]]
    base: str


def preflight(found: Found, draft: ReturnDocument, around: Around) -> tuple[Finding, ...]:
    """Everything worth knowing before the principal signs, the gravest first."""
    every = [
        *_setting(found, draft, around),
        *_overdue(around),
        *_awareness(around),
        *_incidents(draft, around),
        *_rosters(found, around),
        *_spent(draft),
        *_waiting(around),
        *_words(draft),
    ]
    return tuple(sorted(every, key=lambda finding: LEVELS.index(finding.level)))


# ---------------------------------------------------------------- the school as it is set up
def _setting(found: Found, draft: ReturnDocument, around: Around) -> Iterable[Finding]:
    facts, period = found.facts, found.period
    if not around.principals:
        yield Finding("error", "no-principal")
    if facts.calendar.last_school_day(period.start, period.end) is None:
        yield Finding("error", "no-term", mends=(Mend(f"{around.base}/settings"),))
    empty = [item.name for item in facts.classes_on(local_day(found.at)) if not size_at(item.sizes, found.at)]
    if empty:
        mends = (Mend(f"{around.base}/settings/classes"),)
        yield Finding("warning", "empty-classes", {"number": len(empty), "names": empty}, mends=mends)
    if draft.provisional_years:
        yield Finding("warning", "provisional", {"years": list(draft.provisional_years)})


# ---------------------------------------------------------------- what is still to be entered
def _overdue(around: Around) -> Iterable[Finding]:
    for item in around.open:
        if item.line == AWARENESS or item.urgency != "overdue":
            continue
        open_ = [step for step in item.steps if not step.unrostered]
        lost = [step for step in item.steps if step.unrostered]
        if open_:
            yield Finding("error", _code(item.line), {"number": _days(open_)}, item.rule, _mends(open_))
        if lost:
            # A roster counts as it stood when its day began.
            yield Finding("warning", "unrostered", {"number": _days(lost)}, item.rule)


def _code(line: str) -> str:
    return {ZERO: "zero-missing", EVALUATED: "drill-unevaluated"}.get(line, "missing")


def _days(steps: Iterable[Step]) -> int:
    return sum(step.days for step in steps)


def _mends(steps: Sequence[Step]) -> tuple[Mend, ...]:
    return tuple(step.mend for step in steps[:SAMPLES_SHOWN])


def _awareness(around: Around) -> Iterable[Finding]:
    for item in around.open:
        if item.line == AWARENESS and item.urgency != "done":
            step = item.steps[0]
            values = {"done": step.done, "expected": step.expected}
            if step.done:
                yield Finding("warning", "awareness-short", values, AWARENESS, _mends(item.steps))
            else:
                yield Finding("error", "awareness-missing", values, AWARENESS, _mends(item.steps))


def _waiting(around: Around) -> Iterable[Finding]:
    for item in around.open:
        steps = [step for step in item.steps if step.ready]
        if item.urgency == "now" and item.line != AWARENESS and steps:
            code = "drill-open" if item.line == EVALUATED else "open"
            values = {"number": _days(steps), "until": item.until}
            yield Finding("hint", code, values, item.rule, _mends(steps))


def _rosters(found: Found, around: Around) -> Iterable[Finding]:
    calendar, today = found.facts.calendar, local_day(found.at)
    ahead = [day for day in calendar.school_days(today, found.period.end) if day > today]
    for line, post in POSTS.items():
        bare = [day for day in ahead if day not in around.rostered.get(post, frozenset())]
        if bare and line in DUTIES:
            values = {"number": len(bare), "first": bare[0]}
            mends = (Mend(f"{around.base}/roster?week={bare[0].isoformat()}", bare[0]),)
            yield Finding("warning", "no-roster", values, line, mends)


# ---------------------------------------------------------------- incidents
def _incidents(draft: ReturnDocument, around: Around) -> Iterable[Finding]:
    for incident in draft.incidents:
        mends = (Mend(f"{around.base}/ledgers/incidents/{incident.id}"),)
        yield from _clocks(incident, mends)
        if incident.liability == "pending":
            yield Finding("warning", "liability-pending", {"day": incident.happened_on}, mends=mends)


def _clocks(incident: Incident, mends: tuple[Mend, ...]) -> Iterable[Finding]:
    day = incident.happened_on
    for clock in incident.clocks:
        if clock.reported_at is not None:
            if clock.outcome != "in-time":
                yield Finding("warning", "reported-late", {"day": day})
        elif clock.outcome == "running":
            yield Finding("error", "clock-running", {"day": day, "due": clock.due_at}, mends=mends)
        else:
            yield Finding("error", "unreported", {"day": day, "due": clock.due_at}, mends=mends)


# ---------------------------------------------------------------- what cannot be mended any more
def _spent(draft: ReturnDocument) -> Iterable[Finding]:
    counts = Counter(item.kind for item in draft.exceptions)
    for kind in ("late", "backfilled", "uncounted"):
        if counts[kind]:
            yield Finding("warning", f"spent-{kind}", {"number": counts[kind]})


# ---------------------------------------------------------------- the words
def _words(draft: ReturnDocument) -> Iterable[Finding]:
    said = {cause.line for cause in draft.causes}
    silent = {item.line for item in draft.exceptions} - said
    if silent:
        yield Finding("hint", "no-causes", {"number": len(silent)}, mends=(Mend("#causes"),))
    if draft.status == "changed":
        assert draft.sign_off is not None
        number = len(draft.sign_off.changes)
        yield Finding("warning", "signed-before", {"number": number}, mends=(Mend("#sign"),))
