"""Drills and their evaluation, measured (PURE)."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from safety.duties import EVALUATED, Window
from safety.measures import (
    Beside,
    Fill,
    Mark,
    Measured,
    Row,
    Setting,
    by_day,
    collect,
    note,
    timing_of,
    within,
)


class Evaluation(NamedTuple):
    """`Mark.extra` of a drill: when its evaluation was made (the later of its date and its recording), if it was.

    `asked` says whether the drill stood at the close (or stands now), and so asks for an evaluation.
    """

    made_on: date | None
    asked: bool = True


def evaluations(line: str, spans: Sequence[Window], marks: Sequence[Mark], setting: Setting) -> Measured:
    """One occurrence per drill, due some days after it (D): its evaluation, made up to 7 more days later."""
    assert line == EVALUATED
    days = by_day(marks)
    beside: list[Beside] = []

    def work(window: Window, row: Row, fills: list[Fill]) -> None:
        for mark in within(days, window):
            found = mark.extra
            assert isinstance(found, Evaluation)
            if not found.asked:
                continue
            row.extra += 1
            if found.made_on is not None:
                timing = timing_of(found.made_on, window.grace_until, setting.closes)
                row.add(timing)
                note(fills, mark, window, timing, mark.id, found.made_on)
            elif mark.id is not None:
                beside.append(Beside(mark.id, f"{window.key}/{mark.id}", mark.day, mark.recorded_at))

    measured = collect(line, spans, work)
    measured.beside = beside
    return measured
