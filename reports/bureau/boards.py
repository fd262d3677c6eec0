"""What a bureau sees of its schools: one row each, from tallies or from the sealed return; means; incidents.

Every query takes the viewer's scope first and answers only for schools that it opens. A board of 500 schools costs as
many statements as one of five.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from reports.bureau import adjustments
from reports.bureau.elsewhere import received_elsewhere
from reports.compile import concerned
from reports.figures import COLUMNS, Figures, parted
from reports.life.rules import holding
from reports.rollup import document as rollup
from reports.rollup.suppression import SENSITIVE, suppressed
from safety import in_use
from safety.access.scope import Scope
from safety.calendar import Period
from safety.database import fetch_tuples
from safety.duties import before_close, close_at
from safety.facts import SchoolFacts, size_at
from safety.incidents.rules import Clock, Incident, State, cause_of, clocks, grade
from safety.places.facts import facts_of
from safety.rulebook import Rulebook
from safety.scores import incidents_by_school, scores
from safety.scoring import Score
from safety.sheet import GradeStep, ScoringSheet
from safety.web.score_view import totals_of

TREE = """with recursive tree (id) as (
 select id from bureau where id = $1 union select b.id from bureau b join tree on b.parent = tree.id)"""
BUREAUS = f"{TREE} select b.id, b.code, b.name, b.parent from tree join bureau b on b.id = tree.id"  # noqa: S608
SCHOOLS = f"{TREE} select s.id from tree join school s on s.bureau = tree.id order by s.id"  # noqa: S608
RETURNS = f"""select r.school, r.version, r.total, r.sealed_at, r.sign_off, r.closed_late, i.id,
{", ".join(f"r.{name}" for name in COLUMNS)} from school_return r
join school s on s.id = r.school
left join inbox_item i on i.school_code = s.code and i.period = r.period and i.version = r.version
where r.period = $1 and r.school between $2 and $3 order by r.version"""  # noqa: S608
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
    """The current version of a school's return of a quarter. `total` in hundredths; `received`: it is in the inbox;
    `figures` are those that it says itself; `here`: of a school that keeps its records on this instance.
    """

    version: int
    total: int | None
    sealed_at: datetime
    signed: bool
    closed_late: bool
    received: bool
    figures: Figures
    here: bool = True


@dataclass(frozen=True, slots=True)
class Since:
    """What the ledgers come to now, where that is not what was sealed. `total` in hundredths; `backfilled`: how many
    occurrences were done since the sealing, which raises nothing.
    """

    total: int | None
    backfilled: int


@dataclass(frozen=True, slots=True)
class SchoolRow:
    """One school on the board. `state`: running (the quarter is not over), returned, underway (sealed, not yet
    received), missing.

    `total` (hundredths), `grade` and `figures` are the sealed return's once there is one, else what the ledgers come to
    now; a missing school has no total. `since` is what has moved after the sealing, None for nothing. `adjusted` is the
    bureau's score beside it, if there is one. `signed`: the principal has signed the quarter; `decision` is what the
    bureau said of the version received: accepted, returned, or empty; `appealed`: an appeal waits for an answer.
    """

    facts: SchoolFacts
    bureau: BureauLine
    state: str
    total: int | None
    adjusted: int | None
    since: Since | None
    grade: GradeStep | None
    figures: Figures
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
        return suppressed(sum(row.figures.sensitive for row in self.rows))

    @property
    def backfilled_since(self) -> int:
        """How many occurrences were done after the returns were sealed."""
        return sum(row.since.backfilled for row in self.rows if row.since)


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
        school: Sealed(
            version,
            total,
            sealed_at,
            sign_off is not None,
            bool(late),
            item is not None,
            Figures.of_columns(*kept),
        )
        for school, version, total, sealed_at, sign_off, late, item, *kept in rows
        if school in wanted
    }


async def _from_elsewhere(facts: Mapping[int, SchoolFacts], period: Period, data: Path) -> dict[int, Sealed]:
    ids = {each.code: id_ for id_, each in facts.items()}
    return {
        ids[code]: Sealed(
            found.version, found.said.total, found.received_at, found.said.signed, found.said.closed_late,
            received=True, figures=found.said.figures, here=False,
        )
        for code, found in (await received_elsewhere(data, period, ids)).items()
    }  # fmt: skip


async def board(
    scope: Scope, bureau_id: int, period: Period, now: datetime, data: Path | None = None
) -> Board:
    """The board of a bureau. A row's figures come from the sealed return, or all of them from the tallies.

    `data`: the folder in which files are kept, for returns that came from other instances.
    """
    below = await bureaus_below(scope, bureau_id)
    named = {item.id: item for item in below}
    ids = await schools_below(scope, bureau_id)
    book = Rulebook.of(in_use.standards(), period)
    facts, found = await facts_of(ids), await scores(ids, period, now)
    incidents, bureaus = await incidents_by_school(ids), await _from_bureaus(facts, period, data)
    closed = now >= close_at(period)
    live = {id_: _live(facts[id_], found[id_], incidents[id_], period, now, book) for id_ in ids}
    rows = [_row(facts[id_], named, found[id_], live[id_], bureaus, book.sheet, closed) for id_ in ids]
    came = [row for row in rows if row.state != "missing"]
    return Board(named[bureau_id], below, rows, book.sheet, mean(rows), mean(came), mean(rows, adjusted=True))


@dataclass(frozen=True, slots=True)
class _Returned:
    """What became of the schools' returns, by school; decisions by code and version."""

    sealed: Mapping[int, Sealed]
    adjusted: Mapping[int, int]
    signed: frozenset[int]
    appealed: frozenset[int]
    decisions: Mapping[tuple[str, int], str]


async def _from_bureaus(facts: Mapping[int, SchoolFacts], period: Period, data: Path | None) -> _Returned:
    ids, rows = list(facts), await fetch_tuples(None, DECISIONS, [period.id])
    far = await _from_elsewhere(facts, period, data) if data else {}
    return _Returned(
        far | await sealed_returns(ids, period),
        await adjustments.adjusted_totals(ids, period),
        frozenset(school for (school,) in await fetch_tuples(None, SIGNED, [period.id])),
        frozenset(school for school, _, outcome in await adjustments.appeals(ids, period) if outcome is None),
        holding(((code, version), outcome) for code, version, outcome in rows),
    )


def _row(
    facts: SchoolFacts,
    named: Mapping[int, BureauLine],
    score: Score,
    live: Figures,
    returned: _Returned,
    sheet: ScoringSheet,
    closed: bool,
) -> SchoolRow:
    sealed = returned.sealed.get(facts.id)
    figures = sealed.figures if sealed else live
    total = sealed.total if sealed else None if closed else score.total
    return SchoolRow(
        facts=facts,
        bureau=named[facts.bureau],
        state=_state(sealed, closed),
        total=total,
        adjusted=returned.adjusted.get(facts.id) if sealed else None,
        since=_since(sealed, score.total, live) if sealed and sealed.here else None,
        grade=None if total is None else sheet.grade(total, vetoed=figures.vetoed),
        figures=figures,
        sealed=sealed,
        signed=facts.id in returned.signed,
        appealed=facts.id in returned.appealed,
        decision=returned.decisions.get((facts.code, sealed.version), "") if sealed else "",
        provisional=score.provisional,
    )


def _since(sealed: Sealed, total: int | None, live: Figures) -> Since | None:
    if (sealed.total, sealed.figures) == (total, live):
        return None
    return Since(total, max(0, live.totals.backfilled - sealed.figures.totals.backfilled))


def _live(
    facts: SchoolFacts,
    score: Score,
    incidents: Iterable[Incident],
    period: Period,
    now: datetime,
    book: Rulebook,
) -> Figures:
    """What the ledgers come to now, counted as the return of the quarter counts it."""
    enrolled = size_at(facts.enrolments, before_close(period, now))
    known = concerned(incidents, period, now, book)
    # By the category that it has now: so the return says it, whose figures the row shows once it is sealed.
    counts = parted(state.category for _, state in known)
    return Figures(enrolled, bool(score.veto), totals_of(score), *counts)


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
    points = sum(((row.effective if adjusted else row.total) or 0) * row.figures.enrolment for row in counted)
    return rollup.mean(points, sum(row.figures.enrolment for row in counted))


def sorted_rows(rows: Sequence[SchoolRow], by: str) -> list[SchoolRow]:
    """By name (code), or with what wants attention first; totals from the best, missing schools at the end."""
    keys: dict[str, Any] = {
        "total": lambda r: (r.total is None, -(r.total or 0)),
        "state": lambda r: ("missing", "underway", "running", "returned").index(r.state),
        "missing": lambda r: -r.figures.totals.missing,
        "late": lambda r: -(r.figures.totals.late + r.figures.totals.backfilled),
        "incidents": lambda r: -r.figures.incidents,
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
    """The incidents that weigh on a quarter at the schools under a bureau, newest first; voided ones left out."""
    ids, rules = await schools_below(scope, bureau_id), Rulebook.of(in_use.standards(), period)
    facts, by_school = await facts_of(ids), await incidents_by_school(ids)
    found = [
        _incident_line(facts[school], incident, state, rules, now)
        for school, several in by_school.items()
        for incident, state in concerned(several, period, now, rules)
        if state == incident.state_at(now)
    ]
    return sorted(found, key=lambda item: item.state.happened_at, reverse=True)


def _incident_line(
    facts: SchoolFacts, incident: Incident, state: State, rules: Rulebook, now: datetime
) -> IncidentLine:
    book = rules.incidents
    ran = tuple(ClockLine(c, _outcome(c, now)) for c in clocks(incident, now, book))
    least = rules.sheet.suppress_below if state.category in SENSITIVE else 0
    return IncidentLine(facts, incident.id, state, grade(state, book), ran, least)


def _outcome(clock: Clock, now: datetime) -> str:
    cause = cause_of(clock, now)
    if cause is None:
        return "in-time" if clock.reported_at is not None else "running"
    return str(cause)
