"""What education entries answer (PURE)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from operator import itemgetter
from typing import Any

from safety.duties import Window
from safety.education.measures import awareness, sessions
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
from safety.ledger.packed import days, ints, packed, texts
from safety.measures import Mark, Measured, Setting, per_unit

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
    return Reading(school_class, valid=school_class in setting.facts.class_ids_on(row.day))


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
        for _, day, units, all_reached, all_timed in rows
        for unit, reached, timed in zip(ints(units), ints(all_reached), days(all_timed), strict=True)
    ]


def _kind_marks(rows: Sequence[tuple[Any, ...]], setting: Setting) -> list[Mark]:
    del setting
    return [Mark(None, day, None, timed) for _, day, timed in rows]


def _reminder_marks(rows: Sequence[tuple[Any, ...]], setting: Setting) -> list[Mark]:
    """How many classes that exist were reminded on the day itself, and how many of the others on which later day."""
    classes_on = setting.facts.class_ids_on
    found = []
    for _, day, on_the_day, afterwards in rows:
        existing = _as_texts(classes_on(day))
        reminded = existing.intersection(texts(on_the_day))
        if reminded:
            found.append(Mark(None, day, None, day, many=len(reminded)))
        if afterwards:
            first, missing = _first_days(afterwards), existing - reminded
            later = Counter(timed for unit, timed in first.items() if unit in missing)
            found += [Mark(None, day, None, timed, many=many) for timed, many in later.items()]
    return found


def _first_days(pairs: str) -> dict[str, date]:
    """Of `class day` pairs, each class's first day."""
    parted = sorted((pair.split() for pair in texts(pairs)), key=itemgetter(1), reverse=True)
    return {unit: date.fromisoformat(timed) for unit, timed in parted}


@lru_cache(maxsize=256)
def _as_texts(ids: tuple[int, ...]) -> frozenset[str]:
    return frozenset(map(str, ids))


def _gather_kind(kind: str) -> Gather:
    return Gather(("e.happened_on", "e.timed_on"), _kind_marks, where=f"e.kind = '{kind}'", apart=CORRECTED)


DAY_BY_DAY = ("e.happened_on",)
WEEKLY = Gather(
    ("e.happened_on", packed("e.school_class"), packed("e.present + e.made_up"), packed("e.timed_on")),
    _weekly_marks,
    group=DAY_BY_DAY,
    where="e.kind = 'weekly' and e.school_class is not null",
    apart=CORRECTED,
)
DAILY = Gather(
    (
        "e.happened_on",
        packed("e.school_class", "e.timed_on <= e.happened_on"),
        packed("e.school_class || ' ' || cast(e.timed_on as text)", "e.timed_on > e.happened_on"),
    ),
    _reminder_marks,
    group=DAY_BY_DAY,
)

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
