"""What education entries answer (PURE)."""

from collections.abc import Sequence

from safety.ledger.feeds import Feed, Gather, Read, Reading, Stored, StoredEvent, alone
from safety.measures import Setting, awareness, per_unit, sessions

SESSION_COLUMNS = ("school_class", "kind", "present", "made_up")
REMINDER_COLUMNS = ("school_class",)
CHECK_COLUMNS = ("school_class", "checked", "passed")


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


SESSION_FEEDS = (
    Feed("education.weekly", alone(sessions), _weekly),
    Feed("education.monthly", alone(per_unit), _of_kind("monthly")),
    Feed("education.legal", alone(per_unit), _of_kind("legal")),
)
REMINDER_FEEDS = (
    Feed(
        "education.daily",
        alone(per_unit),
        _reminder,
        gather=Gather(unit="school_class", counted=True, by_class=True),
    ),
)
CHECK_FEEDS = (Feed("T3", alone(awareness), _check),)
