"""Weekly sessions and awareness checks laid against classes (PURE)."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import date

from safety.clock import local_day
from safety.duties import Window, class_ids
from safety.facts import size_at
from safety.measures import (
    BACKFILLED,
    LATE,
    ON_TIME,
    Fill,
    Mark,
    Measured,
    Row,
    Setting,
    Version,
    awareness_ratio,
    by_day,
    collect,
    note,
    timed_on,
    timing_of,
    within,
)


# ---------------------------------------------------------------- weekly class sessions, which T1 reads too
def sessions(line: str, spans: Sequence[Window], marks: Sequence[Mark], setting: Setting) -> Measured:
    """As `per_unit`, for the classes that exist on the due date; `amount` = pupils reached, `whole` = their pupils.

    Reached is the best session's present + made up, at most the class; what was raised after the close does not count.
    """
    days = by_day(marks)
    sizes = _class_sizes(setting)
    closes = setting.closes

    def work(window: Window, row: Row, fills: list[Fill]) -> None:
        usual, held = _parted(within(days, window), closes)
        for unit in class_ids(setting.facts, window.due) if usual or held else ():
            if unit in usual:
                only, pupils = usual[unit], sizes[unit]
                timing = ON_TIME if only.recorded_on <= window.grace_until else LATE
                row.add(timing)
                row.whole += pupils
                reached = only.amount if only.amount < pupils else pupils
                row.amount += reached
                if only.id is not None:
                    note(fills, only, window, timing, unit, amount=reached)
            elif unit in held:
                _class_week(row, fills, window, unit, held[unit], sizes[unit], setting)

    return collect(line, spans, work) if days else Measured([], [])


def _parted(marks: Iterable[Mark], closes: date) -> tuple[dict[Hashable, Mark], dict[Hashable, list[Mark]]]:
    """The only entry of each unit, where it was never corrected and recorded before the close, and the entries of the
    others: the usual ones, by far the most, come to what they would in the long way, several times as fast.
    """
    usual: dict[Hashable, Mark] = {}
    held: dict[Hashable, list[Mark]] = {}
    for mark in marks:
        unit = mark.unit
        if unit in usual:
            held[unit] = [usual.pop(unit), mark]
        elif unit in held:
            held[unit].append(mark)
        elif mark.history or mark.recorded_on > closes:
            held[unit] = [mark]
        else:
            usual[unit] = mark
    return usual, held


def _class_week(
    row: Row, fills: list[Fill], window: Window, unit: int, held: list[Mark], pupils: int, setting: Setting
) -> None:
    def timing(mark: Mark) -> int:
        return timing_of(timed_on(mark, window, unit, setting.closes), window.grace_until, setting.closes)

    best = min(held, key=timing)
    reached = max(min(_before_close(mark, window, setting.closes), pupils) for mark in held)
    row.add(timing(best))
    row.whole += pupils
    row.amount += reached
    note(
        fills, best, window, timing(best), unit, timed_on(best, window, unit, setting.closes), amount=reached
    )


def _before_close(mark: Mark, window: Window, closes: date) -> int:
    """An entry's amount, but no more than its last version before the close said for the same occurrence."""
    if mark.recorded_on <= closes and not mark.history:
        return mark.amount
    own = Version(
        mark.day,
        mark.unit,
        local_day(mark.recorded_at) if mark.recorded_at else mark.recorded_on,
        None,
        mark.amount,
    )
    known = [v for v in (*mark.history, own) if v.recorded_on <= closes]
    if not known:
        return 0
    last = known[-1]
    same = last.valid and last.unit == mark.unit and window.start <= last.day <= window.end
    return min(mark.amount, last.amount) if same else 0


# ---------------------------------------------------------------- awareness checks (T3)
def awareness(
    line: str,
    spans: Sequence[Window],
    marks: Sequence[Mark],
    setting: Setting,
    closed: Sequence[Mark] | None = None,
) -> Measured:
    """`whole` = pupils checked, `amount` = pupils who passed, over the checks recorded before the close; each at most
    the class. The rows' on-time count is the number of such checks, kept on the quarter's last day.

    `closed`: the checks as they stood at the close (or stand now). Taking back a bad check, or shrinking it, would
    raise the ratio, so the worse of those figures and today's counts.
    """
    del spans
    period = setting.period
    window = Window(period.id, period.start, period.end, period.end, period.end)
    row = Row(line, period.end)
    fills: list[Fill] = []
    now: list[tuple[int, int]] = []
    most = _class_sizes(setting)
    for mark in (m for m in marks if m.day in period):
        own = timed_on(mark, window, mark.unit, setting.closes)
        timing = BACKFILLED if own > setting.closes else ON_TIME
        checked, passed = _checked(mark, window, setting, most) if timing == ON_TIME else (0, 0)
        row.add(timing)
        note(fills, mark, window, timing, mark.id, own, passed, checked)
        if timing == ON_TIME:
            now.append((checked, passed))
    then = [
        _checked(mark, window, setting, most)
        for mark in (marks if closed is None else closed)
        if mark.day in period
    ]
    need = setting.rules.on(period.end).awareness_share * size_at(setting.facts.enrolments, setting.frozen_at)
    totals = [(sum(c for c, _ in found), sum(p for _, p in found)) for found in (now, then)]
    row.whole, row.amount = min(totals, key=lambda total: awareness_ratio(total[1], total[0], need))
    return Measured([] if row.is_empty() else [row], fills)


def _class_sizes(setting: Setting) -> dict[Hashable, int]:
    return {item.id: size_at(item.sizes, setting.frozen_at) for item in setting.facts.classes}


def _checked(mark: Mark, window: Window, setting: Setting, sizes: Mapping[Hashable, int]) -> tuple[int, int]:
    most = sizes.get(mark.unit)
    if most is None:
        most = size_at(setting.facts.enrolments, setting.frozen_at)
    if not mark.history and mark.recorded_on <= setting.closes:  # the usual case, without copying the mark
        checked = min(mark.amount, most)
        return checked, min(int(mark.extra or 0), checked)  # type: ignore[call-overload]
    checked = min(_before_close(mark, window, setting.closes), most)
    passed = mark._replace(
        amount=int(mark.extra or 0),  # type: ignore[call-overload]
        history=tuple(v._replace(amount=int(v.extra or 0)) for v in mark.history),  # type: ignore[call-overload]
    )
    return checked, min(_before_close(passed, window, setting.closes), checked)
