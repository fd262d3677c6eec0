"""What a bureau sees of its schools: one row each, from tallies and sealed returns; means; incidents; what came late.

Every query takes the viewer's scope first and answers only for schools that it opens. A board of 500 schools costs as
many statements as one of five.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from reports.bureau import adjustments
from reports.life.rules import holding
from reports.rollup import document as rollup
from reports.rollup.suppression import SENSITIVE, suppressed
from safety import in_use
from safety.access.scope import Scope
from safety.calendar import Period
from safety.database import fetch_tuples
from safety.duties import close_at
from safety.facts import SchoolFacts, size_at
from safety.incidents.rules import Clock, Incident, State, cause_of, clocks, grade
from safety.ledger.declare import Ledger
from safety.ledger.rows import EntryRow, shape_of
from safety.ledger.timing import Timing, timing_of_row
from safety.places.facts import facts_of
from safety.rulebook import Rulebook
from safety.scores import incidents_by_school, scores
from safety.scoring import Score
from safety.sheet import GradeStep, ScoringSheet
from safety.web.score_view import Totals, totals_of

TREE = """with recursive tree (id) as (
 select id from bureau where id = $1 union select b.id from bureau b join tree on b.parent = tree.id)"""
BUREAUS = f"{TREE} select b.id, b.code, b.name, b.parent from tree join bureau b on b.id = tree.id"  # noqa: S608
SCHOOLS = f"{TREE} select s.id from tree join school s on s.bureau = tree.id order by s.id"  # noqa: S608
RETURNS = """select r.school, r.version, r.total, r.sealed_at, r.sign_off, r.closed_late, i.id from school_return r
join school s on s.id = r.school
left join inbox_item i on i.school_code = s.code and i.period = r.period and i.version = r.version
where r.period = $1 and r.school between $2 and $3 order by r.version"""
CANDIDATES = 1000
"""How many entries recorded after their day are looked at, per ledger, newest first."""
DECISIONS = """select i.school_code, i.version, d.outcome from return_decision d join inbox_item i on i.id = d.item
where i.period = $1 order by d.decided_at, d.id"""
SIGNED = "select distinct school from sign_off where period = $1"
SORTS = ("name", "total", "state", "missing", "late", "incidents")


@dataclass(frozen=True, slots=True)
class BureauLine:
    """A bureau; `parent` is the id of the one above it."""

    id: int
    code: str
    name: str
    parent: int | None


@dataclass(frozen=True, slots=True)
class Sealed:
    """The current version of a school's return of a quarter. `total` in hundredths; `received`: it is in the inbox."""

    version: int
    total: int | None
    sealed_at: datetime
    signed: bool
    closed_late: bool
    received: bool


@dataclass(frozen=True, slots=True)
class SchoolRow:
    """One school on the board. `state`: running (the quarter is not over), returned, underway (sealed, not yet
    received), missing.

    `total` (hundredths) is the sealed return's once there is one, None for a missing school; `adjusted` the bureau's
    score beside it, if there is one; `live` is what the ledgers come to now. `signed`: the principal has signed the
    quarter; `decision` is what the bureau said of the version received: accepted, returned, or empty; `appealed`: an
    appeal waits for an answer. `sensitive` are the incidents of kinds whose small counts are not shown; `incidents` the
    others.
    """

    facts: SchoolFacts
    bureau: BureauLine
    state: str
    total: int | None
    adjusted: int | None
    live: int | None
    grade: GradeStep | None
    veto: bool
    totals: Totals
    incidents: int
    sensitive: int
    enrolment: int
    sealed: Sealed | None
    signed: bool
    decision: str
    appealed: bool
    provisional: bool

    @property
    def effective(self) -> int | None:
        """The adjusted score where there is one."""
        return self.total if self.adjusted is None else self.adjusted


@dataclass(frozen=True, slots=True)
class Board:
    """All schools below a bureau. The means are weighted by enrolment, in hundredths: missing schools as zero, and
    without them; and as zero with the bureau's adjustments.
    """

    bureau: BureauLine
    below: Sequence[BureauLine]
    rows: Sequence[SchoolRow]
    sheet: ScoringSheet
    mean: int | None
    mean_without: int | None
    mean_adjusted: int | None

    def count(self, state: str) -> int:
        return sum(row.state == state for row in self.rows)

    @property
    def sensitive(self) -> int | str:
        """How many incidents of sensitive kinds, as it may be printed."""
        return suppressed(sum(row.sensitive for row in self.rows))


async def bureaus_below(scope: Scope, bureau_id: int) -> list[BureauLine]:
    """The bureau itself and those under it that the viewer's roles open, by code."""
    rows = [BureauLine(*row) for row in await fetch_tuples(None, BUREAUS, [bureau_id])]
    return sorted((row for row in rows if scope.may_bureau(row.id)), key=lambda row: row.code)


async def schools_below(scope: Scope, bureau_id: int) -> list[int]:
    """The ids of the schools under a bureau that the viewer's roles open."""
    return [row[0] for row in await fetch_tuples(None, SCHOOLS, [bureau_id]) if scope.may(row[0])]


async def sealed_returns(school_ids: Sequence[int], period: Period) -> dict[int, Sealed]:
    """The current version of each school's return of a quarter, by school."""
    if not school_ids:
        return {}
    rows = await fetch_tuples(None, RETURNS, [period.id, min(school_ids), max(school_ids)])
    wanted = set(school_ids)
    return {
        school: Sealed(version, total, sealed_at, sign_off is not None, bool(late), item is not None)
        for school, version, total, sealed_at, sign_off, late, item in rows
        if school in wanted
    }


async def board(scope: Scope, bureau_id: int, period: Period, now: datetime) -> Board:
    """The board of a bureau. Figures come from tallies and sealed returns alone."""
    below = await bureaus_below(scope, bureau_id)
    named = {item.id: item for item in below}
    ids = await schools_below(scope, bureau_id)
    sheet = Rulebook.of(in_use.standards(), period).sheet
    facts, found = await facts_of(ids), await scores(ids, period, now)
    incidents, bureaus = await incidents_by_school(ids), await _from_bureaus(ids, period)
    closed = now >= close_at(period)
    rows = [
        _row(
            facts[school], named, found[school], sheet, _of_quarter(incidents[school], period, now),
            bureaus, closed, min(now, close_at(period)),
        )
        for school in ids
    ]  # fmt: skip
    came = [row for row in rows if row.state != "missing"]
    return Board(named[bureau_id], below, rows, sheet, mean(rows), mean(came), mean(rows, adjusted=True))


@dataclass(frozen=True, slots=True)
class _Returned:
    """What became of the schools' returns, by school; decisions by code and version."""

    sealed: Mapping[int, Sealed]
    adjusted: Mapping[int, int]
    signed: frozenset[int]
    appealed: frozenset[int]
    decisions: Mapping[tuple[str, int], str]


async def _from_bureaus(ids: Sequence[int], period: Period) -> _Returned:
    rows = await fetch_tuples(None, DECISIONS, [period.id])
    return _Returned(
        await sealed_returns(ids, period),
        await adjustments.adjusted_totals(ids, period),
        frozenset(school for (school,) in await fetch_tuples(None, SIGNED, [period.id])),
        frozenset(school for school, _, outcome in await adjustments.appeals(ids, period) if outcome is None),
        holding(((code, version), outcome) for code, version, outcome in rows),
    )


def _row(
    facts: SchoolFacts,
    named: Mapping[int, BureauLine],
    score: Score,
    sheet: ScoringSheet,
    incidents: Sequence[tuple[Incident, State]],
    returned: _Returned,
    closed: bool,
    counted_at: datetime,
) -> SchoolRow:
    sealed = returned.sealed.get(facts.id)
    state = _state(sealed, closed)
    total = sealed.total if sealed else None if closed else score.total
    return SchoolRow(
        facts=facts,
        bureau=named[facts.bureau],
        state=state,
        total=total,
        adjusted=returned.adjusted.get(facts.id) if sealed else None,
        live=score.total,
        grade=None if total is None else sheet.grade(total, vetoed=bool(score.veto)),
        veto=bool(score.veto),
        totals=totals_of(score),
        incidents=sum(known.category not in SENSITIVE for _, known in incidents),
        sensitive=sum(known.category in SENSITIVE for _, known in incidents),
        enrolment=size_at(facts.enrolments, counted_at),
        sealed=sealed,
        signed=facts.id in returned.signed,
        appealed=facts.id in returned.appealed,
        decision=returned.decisions.get((facts.code, sealed.version), "") if sealed else "",
        provisional=score.provisional,
    )


def _state(sealed: Sealed | None, closed: bool) -> str:
    if sealed is None:
        return "missing" if closed else "running"
    return "returned" if sealed.received else "underway"


def mean(rows: Iterable[SchoolRow], *, adjusted: bool = False) -> int | None:
    """The enrolment-weighted mean of totals, rounded half up; a missing school counts as zero. `adjusted`: of the
    bureau's scores where there are any.

    A school that returned, but has no total since no line applies to it, has no weight. None without any pupils.
    """
    counted = [row for row in rows if row.total is not None or row.state == "missing"]
    points = sum(((row.effective if adjusted else row.total) or 0) * row.enrolment for row in counted)
    return rollup.mean(points, sum(row.enrolment for row in counted))


def sorted_rows(rows: Sequence[SchoolRow], by: str) -> list[SchoolRow]:
    """By name (code), or with what wants attention first; totals from the best, missing schools at the end."""
    keys: dict[str, Any] = {
        "total": lambda r: (r.total is None, -(r.total or 0)),
        "state": lambda r: ("missing", "underway", "running", "returned").index(r.state),
        "missing": lambda r: -r.totals.missing,
        "late": lambda r: -(r.totals.late + r.totals.backfilled),
        "incidents": lambda r: -r.incidents,
    }
    rows = sorted(rows, key=lambda r: r.facts.code)
    return sorted(rows, key=keys[by]) if by in keys else rows


# ---------------------------------------------------------------- incidents
@dataclass(frozen=True, slots=True)
class ClockLine:
    """A reporting clock and how it ended: in-time, late, very-late, concealed, or running."""

    clock: Clock
    outcome: str


@dataclass(frozen=True, slots=True)
class IncidentLine:
    """An incident as it is known now. `least`: smaller counts of a sensitive kind are not shown (0: all are)."""

    facts: SchoolFacts
    id: UUID
    state: State
    grade: str
    clocks: tuple[ClockLine, ...]
    least: int = 0

    def shown(self, figure: str) -> str:
        """A figure as it may be printed: 1 to 4 of a sensitive kind as “<5”, zero as zero."""
        count = int(getattr(self.state, figure))
        return f"<{self.least}" if 0 < count < self.least else str(count)


async def incidents(scope: Scope, bureau_id: int, period: Period, now: datetime) -> list[IncidentLine]:
    """The incidents of a quarter at the schools under a bureau, newest first; voided ones left out."""
    return await incidents_at(await schools_below(scope, bureau_id), period, now)


async def incidents_at(ids: Sequence[int], period: Period, now: datetime) -> list[IncidentLine]:
    """The same at schools that the viewer was already let in to."""
    facts, by_school = await facts_of(ids), await incidents_by_school(ids)
    found = [
        _incident_line(facts[school], incident, state, period, now)
        for school, several in by_school.items()
        for incident, state in _of_quarter(several, period, now)
    ]
    return sorted(found, key=lambda item: item.state.happened_at, reverse=True)


def _of_quarter(several: Iterable[Incident], period: Period, now: datetime) -> list[tuple[Incident, State]]:
    known = ((incident, incident.state_at(now)) for incident in several)
    return [(i, s) for i, s in known if s is not None and not s.voided and s.day in period]


def _incident_line(
    facts: SchoolFacts, incident: Incident, state: State, period: Period, now: datetime
) -> IncidentLine:
    rules = Rulebook.of(in_use.standards(), period)
    book = rules.incidents
    ran = tuple(ClockLine(c, _outcome(c, now)) for c in clocks(incident, now, book))
    least = rules.sheet.suppress_below if state.category in SENSITIVE else 0
    return IncidentLine(facts, incident.id, state, grade(state, book), ran, least)


def _outcome(clock: Clock, now: datetime) -> str:
    cause = cause_of(clock, now)
    if cause is None:
        return "in-time" if clock.reported_at is not None else "running"
    return str(cause)


# ---------------------------------------------------------------- what came late
@dataclass(frozen=True, slots=True)
class LateLine:
    """An entry that stands and was late or backfilled."""

    facts: SchoolFacts
    ledger: Ledger
    entry: EntryRow
    timing: Timing


@dataclass(frozen=True, slots=True)
class LateList:
    """`cut`: of some ledger only the entries recorded last were looked at."""

    lines: Sequence[LateLine]
    cut: bool


async def late_entries(scope: Scope, bureau_id: int, period: Period) -> LateList:
    """Late and backfilled entries of a quarter's days at the schools under a bureau, last recorded first."""
    return await late_entries_of(await schools_below(scope, bureau_id), period.start, period.end)


async def late_entries_of(ids: Sequence[int], since: date, until: date) -> LateList:
    """The same for schools that the viewer was already let in to."""
    if not ids:
        return LateList([], cut=False)
    facts = await facts_of(ids)
    found: list[LateLine] = []
    cut = False
    for ledger in in_use.registry():
        if not ledger.feeds:
            continue
        rows = await _recorded_after(ledger, ids, since, until)
        cut = cut or len(rows) >= CANDIDATES
        for row in rows:
            timing = timing_of_row(ledger, facts[row.school], row) if row.school in facts else None
            if timing is not None and timing.name != "on-time":
                found.append(LateLine(facts[row.school], ledger, row, timing))
    return LateList(sorted(found, key=lambda item: item.entry.recorded_at, reverse=True), cut)


async def _recorded_after(ledger: Ledger, ids: Sequence[int], since: date, until: date) -> list[EntryRow]:
    """Entries that stand and were recorded after their day. Whatever is late is among them."""
    shape = shape_of(ledger)
    sql = (
        f"select {shape.columns} from {shape.table} e where e.school between $1 and $2 "  # noqa: S608
        "and e.happened_on between $3 and $4 and e.timed_on > e.happened_on "
        f"and e.superseded_by is null and e.voided_at is null order by e.recorded_at desc limit {CANDIDATES}"
    )
    rows = await fetch_tuples(None, sql, [min(ids), max(ids), since, until])
    return [shape.read(row) for row in rows]
