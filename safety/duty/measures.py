"""Check-ins laid against rosters, leaders and patrol rounds (PURE).

A slot counts as the roster stood when its day began; which check-in serves which slot, and which rounds of a day are
far enough apart, is chosen so that the school gets the most that its check-ins are worth.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from operator import itemgetter, sub
from typing import NamedTuple

from safety.duties import Window
from safety.measures import (
    Fill,
    Mark,
    Measured,
    Row,
    Setting,
    Version,
    by_day,
    collect,
    first_alike,
    note,
    timed_on,
    timing_of,
)


class Slot(NamedTuple):
    """A rostered slot as it stood at its day's start."""

    post: str
    day: date
    person: int
    starts_at: datetime
    ends_at: datetime


class Checkin(NamedTuple):
    """`Mark.extra` of a check-in: who is answered for, when, and whether by a substitute."""

    serves: int
    at: datetime
    substitute: bool


def _fits(slot: Slot, checkin: Checkin, lead: timedelta) -> bool:
    return (
        checkin.serves == slot.person and slot.starts_at <= checkin.at + lead and checkin.at <= slot.ends_at
    )


def _slot_timing(slot: Slot, mark: Mark, window: Window, setting: Setting) -> int | None:
    """How timely a check-in serves a slot; None if it does not."""
    own = _slot_timed_on(slot, mark, window, setting)
    return None if own is None else timing_of(own, window.grace_until, setting.closes)


def _slot_timed_on(slot: Slot, mark: Mark, window: Window, setting: Setting) -> date | None:
    """The day of its first version that would have served the slot; None if it does not itself."""
    lead = setting.rules.on(window.due).checkin_lead
    if not (isinstance(mark.extra, Checkin) and _fits(slot, mark.extra, lead)):
        return None

    def alike(version: Version) -> bool:
        return version.valid and isinstance(version.extra, Checkin) and _fits(slot, version.extra, lead)

    found = first_alike(mark.history, alike, mark.recorded_on, setting.closes)
    return found.recorded_on if found else mark.recorded_on


Options = list[tuple[int, int]]
"""The slots that a check-in could serve, by their places in the day's roster, and how timely it would."""


def _options(
    mark: Mark, todays: Sequence[Slot], window: Window, setting: Setting, lead: timedelta
) -> Options:
    if mark.history:
        timings = ((j, _slot_timing(slot, mark, window, setting)) for j, slot in enumerate(todays))
        return [(j, timing) for j, timing in timings if timing is not None]
    # Without earlier versions it times itself, whichever slot it serves.
    checkin = mark.extra
    assert isinstance(checkin, Checkin)
    serves, at, _ = checkin
    soon, options = at + lead, []
    for j, slot in enumerate(todays):
        if slot.person == serves and slot.starts_at <= soon and at <= slot.ends_at:
            options.append((j, timing_of(mark.recorded_on, window.grace_until, setting.closes)))
    return options


def slots(
    line: str,
    spans: Sequence[Window],
    marks: Sequence[Mark],
    setting: Setting,
    rostered: Mapping[date, list[Slot]],
) -> Measured:
    """The slots of each school day, at least two; one check-in serves one slot, and the best assignment counts."""
    days = by_day(marks)

    def work(window: Window, row: Row, fills: list[Fill]) -> None:
        todays, found = rostered.get(window.due), days.get(window.due)
        if not todays:
            return
        rules = setting.rules.on(window.due)
        row.extra = max(0, len(todays) - rules.slots_of(line))
        if found:
            edges = [_options(mark, todays, window, setting, rules.checkin_lead) for mark in found]
            for i, j, timing in assign(edges):
                row.add(timing)
                if found[i].id is not None:
                    timed = _slot_timed_on(todays[j], found[i], window, setting)
                    note(fills, found[i], window, timing, f"{j + 1}", timed)

    return collect(line, spans, work)


def worth(timing: int) -> int:
    """Twice what a timing is worth on a sheet, plus a little, so that even a backfilled entry is better than none."""
    return (201, 101, 1)[timing]


def assign(edges: Sequence[Sequence[tuple[int, int]]]) -> list[tuple[int, int, int]]:
    """The assignment of check-ins to slots that is worth most: (check-in, slot, timing) each.

    `edges[i]` lists the (slot, timing) that check-in i could serve. Where nobody competes, that is the answer.
    """
    alone = [(i, *options[0]) for i, options in enumerate(edges) if options]
    if len({slot for _, slot, _ in alone}) == len(alone) == sum(map(len, edges)):
        return alone
    best: dict[frozenset[int], tuple[int, tuple[tuple[int, int, int], ...]]] = {frozenset(): (0, ())}
    for i, options in enumerate(edges):
        for used, (value, chosen) in list(best.items()):
            for slot, timing in options:
                if slot in used:
                    continue
                key, total = used | {slot}, value + worth(timing)
                if key not in best or total > best[key][0]:
                    best[key] = total, (*chosen, (i, slot, timing))
    return list(max(best.values(), key=lambda item: item[0])[1])


def _served(marks: Sequence[Mark], todays: Sequence[Slot], lead: timedelta) -> Sequence[Mark]:
    """The check-ins that count without a slot of their own: a substitute's needs the replaced person's slot.

    They all answer the day, whoever checked in, so that mending the name does not make them late; an earlier version
    that would not have counted does not time them. A check-in without earlier versions keeps its unit.
    """

    if not any(mark.history or _of(mark).substitute for mark in marks):
        return marks

    def counts(extra: object) -> bool:
        return isinstance(extra, Checkin) and (
            not extra.substitute or any(_fits(slot, extra, lead) for slot in todays)
        )

    def answering(mark: Mark) -> Mark:
        history = (v._replace(unit=None, valid=v.valid and counts(v.extra)) for v in mark.history)
        return mark._replace(unit=None, history=tuple(history))

    return [answering(mark) if mark.history else mark for mark in marks if counts(mark.extra)]


def _of(mark: Mark) -> Checkin:
    assert isinstance(mark.extra, Checkin)
    return mark.extra


def _timing(mark: Mark, window: Window, closes: date) -> int:
    """How timely a check-in answers the day, whoever checked in."""
    own = timed_on(mark, window, None, closes) if mark.history else mark.recorded_on
    return timing_of(own, window.grace_until, closes)


def leader(
    line: str,
    spans: Sequence[Window],
    marks: Sequence[Mark],
    setting: Setting,
    rostered: Mapping[date, list[Slot]],
) -> Measured:
    """One leader on each school day."""
    days = by_day(marks)

    def work(window: Window, row: Row, fills: list[Fill]) -> None:
        lead = setting.rules.on(window.due).checkin_lead
        served = _served(days.get(window.due, ()), rostered.get(window.due, ()), lead)
        timed = [(_timing(mark, window, setting.closes), i) for i, mark in enumerate(served)]
        if timed:
            timing, i = min(timed)
            row.add(timing)
            note(fills, served[i], window, timing, timed=timed_on(served[i], window, None, setting.closes))

    return collect(line, spans, work)


def rounds(
    line: str,
    spans: Sequence[Window],
    marks: Sequence[Mark],
    setting: Setting,
    rostered: Mapping[date, list[Slot]],
) -> Measured:
    """Patrol rounds of each school day, some minutes apart: the set of at most five that is worth most."""
    days = by_day(marks)

    def work(window: Window, row: Row, fills: list[Fill]) -> None:
        found = days.get(window.due)
        if not found:
            return
        rules, closes = setting.rules.on(window.due), setting.closes
        served = _served(found, rostered.get(window.due, ()), rules.checkin_lead)
        timed = sorted([(_of(mark).at, _timing(mark, window, closes), i) for i, mark in enumerate(served)])
        for at, timing, i in best_rounds(timed, rules.patrol_gap, rules.patrol_rounds):
            row.add(timing)
            if served[i].id is not None:
                own = timed_on(served[i], window, None, closes)
                note(fills, served[i], window, timing, at.isoformat(), own)

    return collect(line, spans, work)


Round = tuple[datetime, int, int]


def best_rounds(timed: Sequence[Round], gap: timedelta, most: int) -> tuple[Round, ...]:
    """Of rounds in order of time, at most `most` that lie at least `gap` apart and are worth most together."""
    instants = [at for at, _, _ in timed]
    if min(map(sub, instants[1:], instants), default=gap) >= gap:
        # None excludes another: the most timely ones, the earlier of equals, as the search below would find.
        return tuple(sorted(sorted(timed, key=itemgetter(1))[:most])) if len(timed) > most else tuple(timed)
    none: tuple[int, tuple[Round, ...]] = (0, ())
    # best[i][n]: the best n rounds among the first i.
    best: list[list[tuple[int, tuple[Round, ...]]]] = [[none] * (most + 1)]
    for i, item in enumerate(timed):
        before = i
        while before and item[0] - timed[before - 1][0] < gap:
            before -= 1
        row = list(best[i])
        for n in range(1, most + 1):
            value, chosen = best[before][n - 1]
            if value + worth(item[1]) > row[n][0]:
                row[n] = value + worth(item[1]), (*chosen, item)
        best.append(row)
    return max(best[-1], key=lambda found: found[0])[1]
