"""What education entries answer (PURE)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from safety.duties import Window
from safety.ledger.feeds import (
    CORRECTED,
    Feed,
    Gather,
    Need,
    Read,
    Reading,
    Side,
    Stored,
    StoredEvent,
    alone,
    marks_of,
)
from safety.measures import Mark, Measured, Setting, awareness, per_unit, sessions

SESSION_COLUMNS = ("school_class", "kind", "present", "made_up")
REMINDER_COLUMNS = ("school_class",)
CHECK_COLUMNS = ("school_class", "checked", "passed")
CHECKS = "awareness_checks"


def _weekly(row: Stored, events: Sequence[StoredEvent], setting: Setting) -> Reading:
    del events, setting
    school_class, kind, present, made_up = row.values
    return Reading(school_class, present + made_up, valid=kind == "weekly" and school_class is not None)


def _of_kind(wanted: str) -> Read:
    def read(row: Stored, events: Sequence[StoredEvent], setting: Setting) -> Reading:
        del events, setting
        return Reading(valid=row.values[1] == wanted)

    return read


def _reminder(row: Stored, events: Sequence[StoredEvent], setting: Setting) -> Reading:
    del events
    school_class = row.values[0]
    exists = any(item.id == school_class and item.exists_on(row.day) for item in setting.facts.classes)
    return Reading(school_class, valid=exists)


def _check(row: Stored, events: Sequence[StoredEvent], setting: Setting) -> Reading:
    del events, setting
    school_class, checked, passed = row.values
    return Reading(school_class, checked, extra=passed)


def _weekly_marks(rows: Sequence[tuple[Any, ...]], setting: Setting) -> list[Mark]:
    del setting
    # By position and without the detour over a named tuple's own constructor, since these are many: id, day, unit,
    # recorded on, recorded at, many, amount, history, extra, share.
    new = tuple.__new__
    return [
        new(Mark, (None, day, unit, timed, None, 0, reached, (), None, None))
        for _, day, unit, timed, reached in rows
    ]


def _kind_marks(rows: Sequence[tuple[Any, ...]], setting: Setting) -> list[Mark]:
    del setting
    return [Mark(None, day, None, timed) for _, day, timed in rows]


def _counted_marks(rows: Sequence[tuple[Any, ...]], setting: Setting) -> list[Mark]:
    del setting
    return [Mark(None, day, None, timed, many=many) for _, day, timed, many in rows]


def _gather_kind(kind: str) -> Gather:
    return Gather(("e.happened_on", "e.timed_on"), _kind_marks, where=f"e.kind = '{kind}'", apart=CORRECTED)


WEEKLY = Gather(
    ("e.happened_on", "e.school_class", "e.timed_on", "e.present + e.made_up"),
    _weekly_marks,
    where="e.kind = 'weekly' and e.school_class is not null",
    apart=CORRECTED,
)
DAILY = Gather(marks=_counted_marks, counted="school_class", by_class=True)

SESSION_FEEDS = (
    Feed("education.weekly", alone(sessions), _weekly, gather=WEEKLY),
    Feed("education.monthly", alone(per_unit), _of_kind("monthly"), gather=_gather_kind("monthly")),
    Feed("education.legal", alone(per_unit), _of_kind("legal"), gather=_gather_kind("legal")),
)
REMINDER_FEEDS = (Feed("education.daily", alone(per_unit), _reminder, gather=DAILY),)


def _awareness(
    line: str, spans: Sequence[Window], marks: Sequence[Mark], setting: Setting, side: Side
) -> Measured:
    then = replace(setting, at=setting.frozen_at)
    return awareness(line, spans, marks, setting, marks_of(side[CHECKS], CHECKS_READ, then))


CHECKS_READ = Feed("T3", _awareness, _check, needs=(Need(CHECKS),))
CHECK_FEEDS = (CHECKS_READ,)
