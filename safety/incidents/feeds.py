"""What zero-reports and incidents answer, and how an incident's rows become its history (PURE)."""

from collections.abc import Sequence
from dataclasses import replace

from safety.duties import ZERO, Window
from safety.incidents.coverage import covered_days
from safety.incidents.rules import Event, Incident, State
from safety.ledger.feeds import Feed, Need, Reading, Rows, Side, Stored, StoredEvent
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


ZERO_FEEDS = (Feed(ZERO, _covered, _zero_report, needs=(Need(LEDGER),)),)
