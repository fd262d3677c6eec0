"""What rosters and check-ins answer (PURE)."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from itertools import compress
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
from safety.ledger.packed import days, instants, instants_or_none, ints, packed, texts
from safety.measures import Mark, Measured, Setting

SLOT_COLUMNS = ("post", "starts_at", "ends_at", "person")
CHECKIN_COLUMNS = ("post", "person", "substitute_for", "happened_at")
ROSTER = "duty_slots"

Rostered = Mapping[date, list[Slot]]
Roster = Callable[[str, Sequence[Window], Sequence[Mark], Setting, Rostered], Measured]


def _as_it_stood(rows: Rows) -> Iterable[Slot]:
    """The slots as each day's roster stood when the day began, however the rows were read."""
    for row in rows.stored:
        if row.stands_at(day_start(row.day)):
            post, starts_at, ends_at, person = row.values
            yield Slot(post, row.day, person, starts_at, ends_at)
    new = tuple.__new__
    for _, day, posts, starts, ends, people, *history in rows.gathered:
        stood = _stood(day, *history)
        values = zip(texts(posts), instants(starts), instants(ends), ints(people), strict=True)
        for post, starts_at, ends_at, person in values if stood is None else compress(values, stood):
            yield new(Slot, (post, day, person, starts_at, ends_at))


def _stood(day: date, recorded: str, superseded: str, voided: str) -> list[bool] | None:
    """Which of a day's slots, packed, stood when the day began; None for all of them, as nearly always."""
    begins, known = day_start(day), list(instants(recorded))
    if max(known) <= begins and not superseded.strip(",") and not voided.strip(","):
        return None
    gone = zip(instants_or_none(superseded), instants_or_none(voided), strict=True)
    return [
        recorded_at <= begins and all(at is None or at > begins for at in ended)
        for recorded_at, ended in zip(known, gone, strict=True)
    ]


def rostered(rows: Rows, post: str) -> dict[date, list[Slot]]:
    """The slots of a post, by day, as each day's roster stood when the day began."""
    if "rosters" not in rows.memo:
        rows.memo["rosters"] = _rosters(rows)
    found: dict[date, list[Slot]] = rows.memo["rosters"].get(post, {})
    return found


def _rosters(rows: Rows) -> dict[str, dict[date, list[Slot]]]:
    found: dict[str, dict[date, list[Slot]]] = defaultdict(lambda: defaultdict(list))
    for slot in _as_it_stood(rows):
        found[slot.post][slot.day].append(slot)
    in_order = attrgetter("starts_at", "ends_at", "person")
    for rosters in found.values():
        for todays in rosters.values():
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
        new(Mark, (None, day, serves, timed, None, 0, 0, (), new(Checkin, (serves, at, instead > 0)), post))
        for _, day, posts, people, replaced, instants_at, all_timed in rows
        for post, person, instead, at, timed in zip(
            texts(posts), ints(people), ints(replaced), instants(instants_at), days(all_timed), strict=True
        )
        for serves in (instead or person,)
    ]


SLIM_ROSTER = Gather(
    (
        "e.happened_on",
        *(packed(f"e.{name}") for name in (*SLOT_COLUMNS, "recorded_at")),
        *(packed(f"coalesce(cast(e.{name} as text), '')") for name in ("superseded_at", "voided_at")),
    ),
    group=("e.happened_on",),
    whole_history=True,
)
SLIM_CHECKINS = Gather(
    (
        "e.happened_on",
        packed("e.post"),
        packed("e.person"),
        packed("coalesce(e.substitute_for, 0)"),
        packed("e.happened_at"),
        packed("e.timed_on"),
    ),
    _checkin_marks,
    group=("e.happened_on",),
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
