"""Incidents, their reporting clocks and what they cost, as the printed return shows them (PURE)."""

from __future__ import annotations

from dataclasses import dataclass

from reports.document import Clock, Incident, ReturnDocument
from reports.layout.wording import Writer

ROWS_SHOWN = 6
"""Rows of the incidents' table, one for each clock; what goes beyond is in the files attached."""


@dataclass(frozen=True, slots=True)
class ClockRow:
    due: str
    reported: str
    outcome: str


@dataclass(frozen=True, slots=True)
class IncidentRow:
    date: str
    category: str
    casualties: str
    liability: str
    discovered: str
    clocks: tuple[ClockRow, ...]


def incident_rows(document: ReturnDocument, write: Writer) -> tuple[tuple[IncidentRow, ...], str]:
    """The incidents that the table has room for, and a sentence on the rest (empty where there is none)."""
    shown: list[IncidentRow] = []
    room = ROWS_SHOWN
    for incident in document.incidents:
        room -= max(len(incident.clocks), 1)
        if room < 0 and shown:
            break
        shown.append(incident_row(incident, write))
    hidden = len(document.incidents) - len(shown)
    return tuple(shown), write.text("return.incidents.more", count=hidden) if hidden else ""


def incident_row(incident: Incident, write: Writer) -> IncidentRow:
    """One incident and all its clocks."""
    category = write.text(f"return.category.{incident.category}")
    severity = write.text(f"return.severity.{incident.grade or 'none'}")
    counts = (incident.deaths, incident.serious_injuries, incident.minor_injuries, incident.affected)
    return IncidentRow(
        date=write.short_day(incident.happened_on),
        category=f"{category}\n{severity}",
        casualties=" / ".join(map(str, counts)),
        liability=write.text(f"return.liability.{incident.liability}"),
        discovered=write.short_moment(incident.discovered_at),
        clocks=tuple(_clock_row(clock, write) for clock in incident.clocks),
    )


def _clock_row(clock: Clock, write: Writer) -> ClockRow:
    reported = write.text("return.incidents.not_reported")
    if clock.reported_at is not None:
        reported = write.short_moment(clock.reported_at)
        if clock.reported_by:
            by = write.text(f"return.reported_by.{clock.reported_by}")
            reported += f" ({by})" if write.lang == "en" else f"（{by}）"
    outcome = write.text(f"return.outcome.{clock.outcome}")
    return ClockRow(write.short_moment(clock.due_at), reported, outcome)


def deductions(document: ReturnDocument, write: Writer) -> tuple[str, ...]:
    """Vetoes first, then penalties; an incident of another quarter is named by its id."""
    score = document.score
    named = {i.id: _incident_name(i, write) for i in document.incidents}

    def name(incident: str) -> str:
        return named.get(incident) or write.text("return.deductions.external", id=incident)

    vetoes = (
        write.text("return.deductions.veto", incident=name(v.incident), cause=_cause(v.cause, write))
        for v in score.veto
    )
    penalties = (
        write.text(
            "return.deductions.penalty",
            incident=name(p.incident),
            cause=_cause(p.cause, write),
            points=p.points.lstrip("-"),
        )
        for p in score.penalties
    )
    return (*vetoes, *penalties)


def _incident_name(incident: Incident, write: Writer) -> str:
    category = write.text(f"return.category.{incident.category}")
    day = write.short_day(incident.happened_on)
    return f"({day}, {category})" if write.lang == "en" else f"（{day}{category}）"


def _cause(cause: str, write: Writer) -> str:
    return write.known(f"return.cause.{cause}", cause)
