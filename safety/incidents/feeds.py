"""What zero-reports and incidents answer, and how an incident's rows become its history (PURE)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from safety.duties import ZERO, Window
from safety.incidents.coverage import covered_days
from safety.incidents.rules import Event, Incident, State
from safety.ledger.feeds import CORRECTED, Feed, Gather, Need, Reading, Rows, Side, Stored, StoredEvent
from safety.measures import Mark, Measured, Setting

INCIDENT_COLUMNS = (
    "happened_at",
    "discovered_at",
    "reported_at",
    "reported_by",
    "category",
    "liability",
    "deaths",
    "serious_injuries",
    "minor_injuries",
    "affected",
    "loss_yuan",
)
LEDGER = "incidents"


def _state(row: Stored) -> State:
    happened_at, discovered_at, reported_at, reported_by, category, liability, *figures = row.values
    deaths, serious, minor, affected, loss = figures
    return State(
        known_at=row.recorded_at,
        happened_at=happened_at,
        discovered_at=discovered_at,
        category=category,
        liability=liability,
        deaths=deaths,
        serious_injuries=serious,
        minor_injuries=minor,
        affected=affected,
        loss_yuan=loss,
        reported_at=reported_at,
        reported_by=reported_by,
    )


def incidents_of(rows: Rows) -> tuple[Incident, ...]:
    """Every incident among the rows with all its versions and events, oldest first."""
    superseded = {row.supersedes for row in rows.stored if row.supersedes is not None}
    last = [row for row in rows.stored if row.id not in superseded]
    return tuple(sorted((_incident(rows, row) for row in last), key=lambda i: (i.first_known_at, i.id)))


def _incident(rows: Rows, last: Stored) -> Incident:
    versions = [_state(row) for row in (*rows.earlier(last), last)]
    if last.voided_at is not None:
        gone = versions[-1]
        versions.append(_voided(gone, last))
    events = tuple(Event(e.kind, e.value, e.happened_at, e.recorded_at) for e in rows.all_events_of(last))
    return Incident(last.id, tuple(versions), events)


def _voided(state: State, row: Stored) -> State:
    assert row.voided_at is not None
    return replace(state, known_at=row.voided_at, voided=True)


def _zero_report(row: Stored, events: Sequence[StoredEvent], setting: Setting) -> Reading:
    del row, events, setting
    return Reading()


def _covered(
    line: str, spans: Sequence[Window], marks: Sequence[Mark], setting: Setting, side: Side
) -> Measured:
    return covered_days(line, spans, marks, setting, incidents_of(side[LEDGER]))


def _zero_marks(rows: Sequence[tuple[Any, ...]], setting: Setting) -> list[Mark]:
    del setting
    return [Mark(None, day, None, timed, recorded_at) for _, day, timed, recorded_at in rows]


# Their instants are weighed against the incidents', so that they come one by one, but without their ids.
SLIM_ZERO = Gather(("e.happened_on", "e.timed_on", "e.recorded_at"), _zero_marks, apart=CORRECTED)
ZERO_FEEDS = (Feed(ZERO, _covered, _zero_report, needs=(Need(LEDGER),), gather=SLIM_ZERO),)
