"""The school days that somebody answered for: by a zero-report, or by reporting that day's incident (PURE)."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from safety.calendar import DAY
from safety.clock import local_day
from safety.duties import Window
from safety.incidents.rules import Incident, State, instants
from safety.measures import (
    Beside,
    Fill,
    Mark,
    Measured,
    Row,
    Setting,
    first_alike,
    timing_of,
)


def covered_days(
    line: str, spans: Sequence[Window], marks: Sequence[Mark], setting: Setting, incidents: Sequence[Incident]
) -> Measured:
    """School days covered by a zero-report, or by an incident of that day reported and recorded in time.

    A zero-report recorded after that day's incident was discovered does not count; it stands beside. A day not
    covered is worth the better of its zero-report and its incident (late or backfilled), for display.
    """
    rows: list[Row] = []
    fills: list[Fill] = []
    beside: list[Beside] = []
    by_day: dict[date, list[Mark]] = {}
    for mark in marks:
        by_day.setdefault(mark.day, []).append(mark)
    for window in spans:
        row = Row(line, window.due)
        todays = [(i, s) for i in incidents for s in _states_of_day(i, window.due, setting)]
        options, void = _zero_options(by_day.get(window.due, ()), window, todays, setting)
        beside += void
        if incidents:
            options += _incident_options(incidents, window, setting)
        if options:
            timing, fill = min(options, key=lambda option: option[0])
            row.add(timing)
            if fill is not None:  # what the database gathered has no id to name
                fills.append(fill)
            rows.append(row)
    return Measured(rows, fills, beside)


def _states_of_day(incident: Incident, day: date, setting: Setting) -> list[State]:
    states = (incident.state_at(instant) for instant in instants(incident, setting.period, setting.at))
    return [s for s in states if s is not None and not s.voided and s.day == day]


def _zero_options(
    marks: Iterable[Mark], window: Window, todays: Sequence[tuple[Incident, State]], setting: Setting
) -> tuple[list[tuple[int, Fill | None]], list[Beside]]:
    """What the day's zero-reports are worth, and those that do not count; without ids where they were gathered."""
    found: list[tuple[int, Fill | None]] = []
    void: list[Beside] = []
    for mark in marks:
        recorded_at = mark.recorded_at
        if mark.history:
            first = first_alike(
                mark.history, lambda v: v.valid and v.day == window.due, mark.recorded_on, setting.closes
            )
            recorded_at = first.recorded_at if first else recorded_at
        assert recorded_at is not None
        if any(state.discovered_at < recorded_at for _, state in todays):
            if mark.id:
                void.append(Beside(mark.id, window.key, mark.day, mark.recorded_at))
            continue
        own = local_day(recorded_at)
        timing = timing_of(own, window.grace_until, setting.closes)
        timed = own if mark.history else None
        fill = Fill(mark.id, window.key, mark.day, timing, mark.recorded_at, timed) if mark.id else None
        found.append((timing, fill))
    return found, void


def _incident_options(
    incidents: Iterable[Incident], window: Window, setting: Setting
) -> list[tuple[int, Fill]]:
    found = []
    for incident in incidents:
        now = incident.state_at(setting.at)
        if now is None or not _answers(now, window.due):
            continue
        answered = _answered_on(incident, window.due, setting.at)
        if answered is not None:
            if not _answers(incident.state_at(setting.frozen_at), window.due):
                # It answers since the close only, whatever was said of it once.
                answered = max(answered, setting.closes + DAY)
            timing = timing_of(answered, window.grace_until, setting.closes)
            known = incident.first_known_at
            found.append((timing, Fill(incident.id, window.key, now.day, timing, known, answered)))
    return found


def _answers(state: State | None, day: date) -> bool:
    """Whether an incident stands as reported, on that day."""
    return state is not None and not state.voided and state.day == day and state.reported_at is not None


def _answered_on(incident: Incident, day: date, at: datetime) -> date | None:
    """The local day by which an incident of that day was both reported and recorded as reported."""
    for instant in incident.changes():
        state = incident.state_at(instant) if instant <= at else None
        if state and state.reported_at is not None and _answers(state, day):
            return max(local_day(state.reported_at), local_day(instant))
    return None
