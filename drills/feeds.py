"""What drills answer: the month, the half-year's fire drill, and their own evaluation (PURE)."""

from collections.abc import Iterable, Sequence
from datetime import date

from drills.measures import Evaluation, evaluations
from safety.clock import local_day
from safety.duties import EVALUATED, Window
from safety.ledger.feeds import Feed, Need, Reading, Rows, Side, Stored, StoredEvent, alone
from safety.measures import Mark, Measured, Setting, per_unit

DRILL_COLUMNS = ("kind", "evaluated_on")
LEDGER = "drills"


def _any(row: Stored, events: Sequence[StoredEvent], setting: Setting) -> Reading:
    del row, events, setting
    return Reading()


def _fire(row: Stored, events: Sequence[StoredEvent], setting: Setting) -> Reading:
    del events, setting
    return Reading(valid=row.values[0] == "fire")


def _made_on(rows: Rows, row: Stored, setting: Setting) -> date | None:
    """When a drill's evaluation was made: the later of its date and its recording, of the first fact that gives it."""
    said = [
        (version.recorded_at, version.values[1])
        for version in (*rows.earlier(row), row)
        if version.values[1] is not None
    ]
    if row.values[1] is None:
        said = []
    said += [
        (e.recorded_at, local_day(e.happened_at))
        for e in rows.events_of(row, setting.at)
        if e.kind == "evaluated"
    ]
    return min((max(on, local_day(at)) for at, on in said if at <= setting.at), default=None)


def asked(rows: Rows, setting: Setting) -> Iterable[Mark]:
    """The drills that stood at the close (or stand now) and so ask for an evaluation."""
    for row in rows.stored:
        if row.stands_at(setting.frozen_at):
            yield Mark(
                row.id,
                row.day,
                row.id,
                local_day(row.recorded_at),
                row.recorded_at,
                extra=Evaluation(_made_on(rows, row, setting)),
            )


def _evaluations(
    line: str, spans: Sequence[Window], marks: Sequence[Mark], setting: Setting, side: Side
) -> Measured:
    del marks
    return evaluations(line, spans, list(asked(side[LEDGER], setting)), setting)


DRILL_FEEDS = (
    Feed("drills.monthly", alone(per_unit), _any),
    Feed(EVALUATED, _evaluations, needs=(Need(LEDGER),)),
    Feed("drills.fire", alone(per_unit), _fire),
)
