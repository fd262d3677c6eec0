"""What rosters and check-ins answer (PURE)."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from operator import attrgetter
from typing import Any

from safety.clock import day_start
from safety.duties import Window
from safety.duty.measures import Checkin, Slot, leader, rounds, slots
from safety.ledger.feeds import (
    CORRECTED,
    Feed,
    Gather,
    Measure,
    Need,
    Read,
    Reading,
    Rows,
    Side,
    Stored,
    StoredEvent,
)
from safety.measures import Mark, Measured, Setting

SLOT_COLUMNS = ("post", "starts_at", "ends_at", "person")
CHECKIN_COLUMNS = ("post", "person", "substitute_for", "happened_at")
ROSTER = "duty_slots"

Rostered = Mapping[date, list[Slot]]
Roster = Callable[[str, Sequence[Window], Sequence[Mark], Setting, Rostered], Measured]


def _as_it_stood(rows: Rows) -> Iterable[tuple[Any, ...]]:
    """The slots' values as each day's roster stood when the day began, however the rows were read."""
    for row in rows.stored:
        if row.stands_at(day_start(row.day)):
            yield (row.day, *row.values)
    starts = {day: day_start(day) for day in {row[1] for row in rows.gathered}}
    for values in rows.gathered:
        _, day, post, starts_at, ends_at, person, recorded_at, superseded_at, voided_at = values
        begins = starts[day]
        if recorded_at > begins:
            continue
        if superseded_at is not None and superseded_at <= begins:
            continue
        if voided_at is None or voided_at > begins:
            yield day, post, starts_at, ends_at, person


def rostered(rows: Rows, post: str) -> dict[date, list[Slot]]:
    """The slots of a post, by day, as each day's roster stood when the day began."""
    if "rosters" not in rows.memo:
        rows.memo["rosters"] = _rosters(rows)
    found: dict[date, list[Slot]] = rows.memo["rosters"].get(post, {})
    return found


def _rosters(rows: Rows) -> dict[str, dict[date, list[Slot]]]:
    found: dict[str, dict[date, list[Slot]]] = defaultdict(lambda: defaultdict(list))
    new, in_order = tuple.__new__, attrgetter("starts_at", "ends_at", "person")
    for day, post, starts_at, ends_at, person in _as_it_stood(rows):
        found[post][day].append(new(Slot, (post, day, person, starts_at, ends_at)))
    for days in found.values():
        for todays in days.values():
            if len(todays) > 1:
                todays.sort(key=in_order)
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


def _checkin_marks(rows: Sequence[tuple[Any, ...]], setting: Setting) -> list[Mark]:
    del setting
    # By position and without the detour over a named tuple's own constructor, since these are many: id, day, unit,
    # recorded on, recorded at, many, amount, history, extra (serves, at, substitute), share.
    new = tuple.__new__
    return [
        new(Mark, (None, day, person, timed, None, 0, 0, (), new(Checkin, (person, at, False)), post))
        if instead is None
        else new(Mark, (None, day, instead, timed, None, 0, 0, (), new(Checkin, (instead, at, True)), post))
        for _, day, timed, post, person, instead, at in rows
    ]


SLIM_ROSTER = Gather(
    tuple(
        f"e.{name}" for name in ("happened_on", *SLOT_COLUMNS, "recorded_at", "superseded_at", "voided_at")
    ),
    whole_history=True,
)
SLIM_CHECKINS = Gather(
    ("e.happened_on", "e.timed_on", "e.post", "e.person", "e.substitute_for", "e.happened_at"),
    _checkin_marks,
    apart=CORRECTED,
)


def _feed(post: str, measure: Roster) -> Feed:
    return Feed(
        f"duty.{post}",
        _with_roster(post, measure),
        _checkin(post),
        needs=(Need(ROSTER, SLIM_ROSTER),),
        gather=SLIM_CHECKINS,
        share=post,
    )


CHECKIN_FEEDS = (
    _feed("gate", slots),
    _feed("marshal", slots),
    _feed("leader", leader),
    _feed("patrol", rounds),
)
