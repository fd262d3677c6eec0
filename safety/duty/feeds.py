"""What rosters and check-ins answer (PURE)."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date

from safety.clock import day_start
from safety.duties import Window
from safety.duty.measures import Checkin, Slot, leader, rounds, slots
from safety.ledger.feeds import Feed, Measure, Read, Reading, Rows, Side, Stored, StoredEvent
from safety.measures import Mark, Measured, Setting

SLOT_COLUMNS = ("post", "starts_at", "ends_at", "person")
CHECKIN_COLUMNS = ("post", "person", "substitute_for", "happened_at")
ROSTER = "duty_slots"

Rostered = Mapping[date, list[Slot]]
Roster = Callable[[str, Sequence[Window], Sequence[Mark], Setting, Rostered], Measured]


def rostered(rows: Rows, post: str) -> dict[date, list[Slot]]:
    """The slots of a post as each day's roster stood when the day began."""
    found: dict[date, list[Slot]] = defaultdict(list)
    for row in rows.stored:
        if row.values[0] == post and row.stands_at(day_start(row.day)):
            _, starts_at, ends_at, person = row.values
            found[row.day].append(Slot(post, row.day, person, starts_at, ends_at))
    for todays in found.values():
        todays.sort(key=lambda slot: (slot.starts_at, slot.ends_at, slot.person))
    return found


def _checkin(post: str) -> Read:
    def read(row: Stored, events: Sequence[StoredEvent], setting: Setting) -> Reading:
        del events, setting
        at_post, person, substitute_for, happened_at = row.values
        serves = person if substitute_for is None else substitute_for
        extra = Checkin(serves, happened_at, substitute_for is not None)
        # Nobody checks in ahead of time: what was recorded before its own instant says nothing.
        valid = at_post == post and happened_at <= row.recorded_at
        return Reading(serves, valid=valid, extra=extra)

    return read


def _with_roster(post: str, measure: Roster) -> Measure:
    def work(
        line: str, spans: Sequence[Window], marks: Sequence[Mark], setting: Setting, side: Side
    ) -> Measured:
        return measure(line, spans, marks, setting, rostered(side[ROSTER], post))

    return work


def _feed(post: str, measure: Roster) -> Feed:
    return Feed(f"duty.{post}", _with_roster(post, measure), _checkin(post), needs=(ROSTER,))


CHECKIN_FEEDS = (
    _feed("gate", slots),
    _feed("marshal", slots),
    _feed("leader", leader),
    _feed("patrol", rounds),
)
