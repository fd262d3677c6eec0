"""Incidents: grade, reporting clocks, and what they cost a quarter (PURE).

Grades: State Council Decree 493, art. 3. Deadlines and penalties: see the standards data. "School" and "superior" are
who reported. After a quarter's close nothing but a finding of no liability raises its points, so an incident then
counts as the worst of what was known of it from the close on.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

from safety.calendar import Period
from safety.clock import local_day
from safety.duties import before_close, close_at
from safety.limits import Dated, IncidentRules
from safety.sheet import Penalties

GRADES = ("ordinary", "larger", "major", "extraordinary")
"""一般, 较大, 重大, 特别重大."""


@dataclass(frozen=True, slots=True)
class IncidentBook:
    """The numbers for incidents: those of an incident's discovery grade it and limit its pending, those of the day on
    which a clock starts limit the clock, and the quarter's own penalties price what was missed.
    """

    rules: Dated[IncidentRules]
    penalties: Penalties

    def price(self, cause: "Cause") -> int:
        """What a cause costs, in hundredths of a point."""
        prices = {"late": self.penalties.late, "very-late": self.penalties.very_late}
        return prices.get(cause, self.penalties.concealed)

    def of(self, state: "State") -> IncidentRules:
        """The numbers in force when an incident was discovered."""
        return self.rules.on(local_day(state.discovered_at))

    def clock(self, started_at: datetime, state: "State", report: "Report") -> "Clock":
        """The clock that such an incident starts at an instant, and the report that stopped it."""
        rules = self.rules.on(local_day(started_at))
        limit = rules.deadline(state.category, grade(state, self), state.deaths)
        return Clock(started_at, limit, rules.multiple, *report)


@dataclass(frozen=True, slots=True)
class State:
    """An incident as it was known from `known_at` on."""

    known_at: datetime
    happened_at: datetime
    discovered_at: datetime
    category: str
    liability: str = "pending"
    deaths: int = 0
    serious_injuries: int = 0
    minor_injuries: int = 0
    affected: int = 0
    loss_yuan: int = 0
    reported_at: datetime | None = None
    reported_by: str | None = None
    voided: bool = False

    @property
    def day(self) -> date:
        return local_day(self.happened_at)

    @property
    def injured(self) -> int:
        return self.deaths + self.serious_injuries + self.minor_injuries


@dataclass(frozen=True, slots=True)
class Event:
    """A later fact: a casualty figure, the loss, a finding on liability, or a report made (`school`/`superior`)."""

    kind: str
    value: str
    happened_at: datetime
    recorded_at: datetime


EVENT_FIGURES = ("deaths", "serious_injuries", "minor_injuries", "affected", "loss_yuan")


@dataclass(frozen=True, slots=True)
class Clock:
    """A deadline for reporting: of the incident itself, or of a later death or higher grade. Silence for `times` such
    limits counts as concealment.
    """

    started_at: datetime
    limit: timedelta
    times: int
    reported_at: datetime | None
    reported_by: str | None

    @property
    def deadline(self) -> datetime:
        return self.started_at + self.limit


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident's whole history: its states in order of becoming known, the versions' base facts, its events."""

    id: UUID
    versions: tuple[State, ...]
    events: tuple[Event, ...]

    @property
    def first_known_at(self) -> datetime:
        return self.versions[0].known_at

    def changes(self) -> tuple[datetime, ...]:
        """The instants at which something about it became known."""
        known = {v.known_at for v in self.versions} | {e.recorded_at for e in self.events}
        return tuple(sorted(known))

    def base_at(self, at: datetime) -> State | None:
        """What its last version said at an instant, later facts left out; None if it was not known yet."""
        known = [v for v in self.versions if v.known_at <= at]
        return known[-1] if known else None

    def state_at(self, at: datetime) -> State | None:
        """All that was known at an instant: later facts always stand over what a corrected version repeats."""
        state = self.base_at(at)
        if state is None:
            return None
        for event in self.events:
            if event.recorded_at <= at:
                state = _applied(state, event)
        return state


def _applied(state: State, event: Event) -> State:
    if event.kind == "liability":
        return replace(state, liability=event.value)
    if event.kind == "reported":
        if state.reported_at is not None and state.reported_at <= event.happened_at:
            return state
        return replace(state, reported_at=event.happened_at, reported_by=event.value)
    if event.kind in EVENT_FIGURES:
        return replace(state, **{event.kind: int(event.value)})  # type: ignore[arg-type]
    return state


def grade(state: State, book: IncidentBook) -> str:
    """Grade by Decree 493 art. 3: the criteria are joined by "or", so the highest that any of them gives."""
    return book.of(state).grade(state.deaths, state.serious_injuries, state.loss_yuan)


def is_grave(state: State, book: IncidentBook) -> bool:
    """较大 or above, or any death."""
    return state.deaths > 0 or grade(state, book) != GRADES[0]


def clocks(incident: Incident, at: datetime, book: IncidentBook) -> tuple[Clock, ...]:
    """The reporting clocks that run or ran at an instant.

    The first follows from the facts at discovery. Each later death or higher grade starts one of its own, which the
    next report made after it stops; recording the later fact here is itself a report of it.
    """
    base, full = incident.base_at(at), incident.state_at(at)
    if base is None or full is None:
        return ()
    found = [book.clock(base.discovered_at, base, (full.reported_at, full.reported_by))]
    state = base
    for event in sorted((e for e in incident.events if e.recorded_at <= at), key=lambda e: e.happened_at):
        after = _applied(state, event)
        worse = GRADES.index(grade(after, book)) > GRADES.index(grade(state, book))
        if after.deaths > state.deaths or worse:
            found.append(_later_clock(incident, event, base, after, at, book))
        state = after
    return tuple(found)


def _later_clock(
    incident: Incident, event: Event, base: State, after: State, at: datetime, book: IncidentBook
) -> Clock:
    # Nobody can report what they have not discovered, so no clock starts earlier.
    started_at = max(event.happened_at, base.discovered_at)
    reports = [
        (e.happened_at, e.value) for e in incident.events if e.kind == "reported" and e.recorded_at <= at
    ]
    if base.reported_at is not None and base.reported_by is not None:
        reports.append((base.reported_at, base.reported_by))
    later = [report for report in reports if report[0] >= started_at]
    first = min([*later, (event.recorded_at, "school")])
    return book.clock(started_at, after, first)


Report = tuple[datetime | None, str | None]
"""When a clock was stopped, and by whom; nothing while it runs."""
Cause = Literal["late", "very-late", "concealed"]


def cause_of(clock: Clock, at: datetime) -> Cause | None:
    """How a clock was missed by an instant, or None. Without a report it runs to that instant."""
    far = clock.started_at + clock.limit * clock.times
    reported_at = clock.reported_at if clock.reported_at is not None and clock.reported_at <= at else None
    if (reported_at or at) <= clock.deadline:
        return None
    if reported_at is None:
        return "concealed" if at > far else "late"
    if clock.reported_by == "superior":
        return "concealed"
    return "very-late" if reported_at > far else "late"


@dataclass(frozen=True, slots=True)
class Consequence:
    """What an incident costs a quarter: causes of penalties, of a veto, the target lines it misses or leaves open.

    `pending_since_close`: it was so by the quarter's close already, or the quarter is not closed yet.
    """

    incident: UUID
    penalties: tuple[Cause, ...] = ()
    veto: tuple[str, ...] = ()
    missed: frozenset[str] = frozenset()
    pending: bool = False
    pending_since_close: bool = False


def _cost(causes: Iterable[Cause], book: IncidentBook) -> int:
    return sum(book.price(cause) for cause in causes)


def instants(incident: Incident, period: Period, at: datetime) -> list[datetime]:
    """The ends of all states in force from a quarter's close to `at`: nothing known later undoes what they cost.

    Before the close that is `at` alone.
    """
    since = before_close(period, at)
    ends = [change - timedelta(microseconds=1) for change in incident.changes() if since < change <= at]
    return [*ends, at]


def _causes(incident: Incident, instant: datetime, book: IncidentBook) -> tuple[Cause, ...]:
    state = incident.state_at(instant)
    if state is None or state.voided:
        return ()
    found = (cause_of(clock, instant) for clock in clocks(incident, instant, book))
    return tuple(cause for cause in found if cause)


def liability(incident: Incident, period: Period, at: datetime) -> str:
    """The finding as known at an instant. After the close only “no” takes back what was found before."""
    state = incident.state_at(at)
    if state is None:
        return "pending"
    if state.liability == "no":
        return "no"
    known = {
        s.liability for i in instants(incident, period, at) if (s := incident.state_at(i)) and not s.voided
    }
    return next((finding for finding in ("yes", "pending", "no") if finding in known), "pending")


def _lines_missed(state: State, book: IncidentBook) -> set[str]:
    missed = set()
    if state.category == "traffic" and grade(state, book) != GRADES[0]:
        missed.add("T4")
    if state.category == "food_poisoning":
        missed.add("T5")
    if state.category == "mental_health" and state.injured > 0:
        missed.add("T6")
    return missed


def consequence(incident: Incident, period: Period, at: datetime, book: IncidentBook) -> Consequence | None:
    """What an incident costs a quarter as of an instant; None if it does not concern the quarter."""
    states = [(i, s) for i in instants(incident, period, at) if (s := incident.state_at(i)) and not s.voided]
    if not states:
        return None
    own = any(state.day in period for _, state in states)
    known_here = _known_later(incident.first_known_at, states[-1][1], period)
    found = _liable_since(incident, at)
    liable_here = found is not None and _known_later(found, states[-1][1], period)
    if not (own or known_here or liable_here):
        return None
    return _consequence(incident, states, period, at, book, own=own, known=known_here, liable=liable_here)


def _known_later(known_at: datetime, state: State, period: Period) -> bool:
    """Whether something became known within the quarter, after the close of the incident's own."""
    return known_at >= close_at(Period.of(state.day)) and local_day(known_at) in period


def _liable_since(incident: Incident, at: datetime) -> datetime | None:
    for instant in incident.changes():
        state = incident.state_at(instant)
        if instant <= at and state is not None and state.liability == "yes":
            return instant
    return None


def _consequence(
    incident: Incident,
    states: Sequence[tuple[datetime, State]],
    period: Period,
    at: datetime,
    book: IncidentBook,
    *,
    own: bool,
    known: bool,
    liable: bool,
) -> Consequence:
    finding = liability(incident, period, at)
    causes = max(
        (_causes(incident, i, book) for i, _ in states), key=lambda c: (_cost(c, book), "concealed" in c)
    )
    every = {cause for i, _ in states for cause in _causes(incident, i, book)}
    veto = ["concealed"] if (own or known) and "concealed" in every else []
    if finding == "yes" and (own or liable) and any(is_grave(s, book) for _, s in states):
        veto.append("liable")
    missed: set[str] = set()
    pending = False
    if own:
        missed = set().union(*(_lines_missed(s, book) for _, s in states if s.day in period))
        pending = finding == "pending"
        earliest = min((s for _, s in states), key=lambda s: s.discovered_at)
        overdue = at > earliest.discovered_at + timedelta(days=book.of(earliest).pending_days)
        if finding == "yes" or (pending and overdue):
            missed.add("T2")
    return Consequence(
        incident=incident.id,
        penalties=causes if own or known else (),
        veto=tuple(veto),
        missed=frozenset(missed),
        pending=pending,
        pending_since_close=pending and _pending_at_close(incident, period, at),
    )


def _pending_at_close(incident: Incident, period: Period, at: datetime) -> bool:
    state = incident.state_at(instants(incident, period, at)[0])
    return state is not None and not state.voided and state.day in period and state.liability == "pending"


def consequences_of(
    incidents: Iterable[Incident], period: Period, at: datetime, book: IncidentBook
) -> tuple[Consequence, ...]:
    """What incidents cost a quarter; those that do not concern it left out."""
    found = (consequence(incident, period, at, book) for incident in incidents)
    return tuple(item for item in found if item is not None)
