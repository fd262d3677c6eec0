"""What a bureau has of its schools, and of the bureaus below it, becomes the roll-up (PURE)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from msgspec import UNSET

from reports.document import Bureau, Period, Words
from reports.document import Incident as ReturnIncident
from reports.rollup.document import (
    BANDS,
    Figures,
    IncidentRow,
    Matter,
    Means,
    Member,
    RollupDocument,
    RollupSchool,
    Share,
    State,
    Sums,
    Trend,
    freeze,
    mean,
)
from reports.rollup.incidents import added_rows, incident_rows
from safety.calendar import Period as Quarter
from safety.duties import close_at
from safety.scoring import decimal
from safety.sheet import ScoringSheet


@dataclass(frozen=True, slots=True)
class SealedReturn:
    """What a roll-up takes from a school's return. `total` in hundredths; `signed`: by the principal; `changes`: how
    many facts moved after that.
    """

    version: int
    signed: bool
    total: int | None
    grade: str | None
    veto: bool
    late: int
    backfilled: int
    facts_digest: str
    document_digest: str
    incidents: Sequence[ReturnIncident] = ()
    changes: int = 0


@dataclass(frozen=True, slots=True)
class SchoolFound:
    """A school of this instance. `sealed` None: nothing came; `adjusted`: the bureau's score in hundredths."""

    code: str
    name: Words
    bureau: str
    enrolment: int
    sealed: SealedReturn | None = None
    adjusted: int | None = None


@dataclass(frozen=True, slots=True)
class BureauFound:
    """A bureau of the tree, `parent` by code.

    `remote`: it keeps an instance of its own, and `received` is its roll-up of the quarter; `before` is the last one
    that came of an earlier quarter, from which a missing one's pupils are known.
    """

    code: str
    name: str
    parent: str = ""
    remote: bool = False
    received: RollupDocument | None = None
    document_digest: str = ""
    before: RollupDocument | None = None


@dataclass(frozen=True, slots=True)
class Gathered:
    """All that a roll-up is made of. `below` is the tree without the bureau itself, parents before children."""

    bureau: BureauFound
    above: BureauFound | None
    below: Sequence[BureauFound]
    schools: Sequence[SchoolFound]
    period: Quarter
    sheet: ScoringSheet
    trend: Sequence[Trend] = ()
    matters: Sequence[Matter] = ()
    made_up: bool = False


@dataclass(frozen=True, slots=True)
class Making:
    """How and when a roll-up is made."""

    made_at: datetime
    version: int = 1
    draft: bool = False
    test_clock: bool = False
    previous_digest: str | None = None
    reason: str = ""


def compile_rollup(found: Gathered, making: Making) -> RollupDocument:
    """The frozen document. The same returns and roll-ups give the same facts digest, whenever it is made."""
    schools = tuple(_school(item, found.sheet) for item in sorted(found.schools, key=lambda s: s.code))
    grades = [step.record.name("zh") for step in found.sheet.grades]
    tree = _Tree(found.below, schools, grades)
    figures = tree.of(found.bureau.code)
    return freeze(
        RollupDocument(
            bureau=_bureau(found.bureau),
            above=_bureau(found.above) if found.above else None,
            period=_period(found.period),
            version=making.version,
            made_at=making.made_at,
            draft=making.draft,
            test_clock=making.test_clock,
            made_up=found.made_up,
            standards=found.sheet.version,
            figures=figures,
            members=tuple(tree.member(item) for item in found.below),
            schools=_grouped(schools, [found.bureau, *found.below]),
            trend=(*found.trend, _now(found.period, figures)),
            incidents=_all_incidents(found),
            matters=tuple(sorted(found.matters, key=lambda m: (m.at, m.school, m.kind))),
            previous_digest=making.previous_digest,
            reason=making.reason,
        )
    )


def _bureau(found: BureauFound) -> Bureau:
    return Bureau(code=found.code, name=Words(zh=found.name))


def _period(quarter: Quarter) -> Period:
    return Period(id=quarter.id, starts=quarter.start, ends=quarter.end, closes_at=close_at(quarter))


def _now(quarter: Quarter, figures: Figures) -> Trend:
    return Trend(period=quarter.id, schools=figures.schools, missing=figures.missing, means=figures.means)


def trend_of(period: str, schools: Sequence[SchoolFound], sheet: ScoringSheet) -> Trend:
    """What a quarter came to of which no roll-up was made."""
    figures = figures_of([_school(item, sheet) for item in schools], ())
    return Trend(period=period, schools=figures.schools, missing=figures.missing, means=figures.means)


def _grouped(schools: Iterable[RollupSchool], bureaus: Sequence[BureauFound]) -> tuple[RollupSchool, ...]:
    """By bureau, in the order of the tree; within one by code."""
    place = {item.code: n for n, item in enumerate(bureaus)}
    return tuple(sorted(schools, key=lambda s: (place[s.bureau], s.code)))


# ---------------------------------------------------------------- one school
def _school(found: SchoolFound, sheet: ScoringSheet) -> RollupSchool:
    sealed = found.sealed
    if sealed is None:
        return RollupSchool(
            code=found.code, name=found.name, bureau=found.bureau, enrolment=found.enrolment, state="missing"
        )
    state: State = "returned" if sealed.signed else "unsigned"
    grade = None if found.adjusted is None else sheet.grade(found.adjusted, sealed.veto).record.name("zh")
    return RollupSchool(
        code=found.code,
        name=found.name,
        bureau=found.bureau,
        enrolment=found.enrolment,
        state=state,
        version=sealed.version,
        own=points_of(sealed.total),
        adjusted=points_of(found.adjusted),
        grade=sealed.grade,
        adjusted_grade=grade,
        veto=sealed.veto,
        late=sealed.late,
        backfilled=sealed.backfilled,
        facts_digest=sealed.facts_digest,
        document_digest=sealed.document_digest,
        changes=sealed.changes or UNSET,
    )


def points_of(hundredths: int | None) -> str | None:
    """`6150` is "61.50"."""
    return None if hundredths is None else decimal(hundredths)


def hundredths(points: str) -> int:
    """`"61.50"` is 6150."""
    return int(points.replace(".", ""))


# ---------------------------------------------------------------- what several come to
def figures_of(schools: Iterable[RollupSchool], grades: Sequence[str]) -> Figures:
    """What these schools come to; `grades` from the best to the lowest."""
    return added([_figures(school) for school in schools], grades)


def _figures(school: RollupSchool) -> Figures:
    missing = school.state == "missing"
    own = None if school.own is None else hundredths(school.own)
    adjusted = own if school.adjusted is None else hundredths(school.adjusted)
    weight = school.enrolment if missing or own is not None else 0
    return Figures(
        schools=1,
        returned=int(school.state == "returned"),
        unsigned=int(school.state == "unsigned"),
        missing=int(missing),
        unscored=int(not missing and own is None),
        enrolment=school.enrolment,
        sums=Sums(
            pupils=weight,
            pupils_without=0 if missing else weight,
            own=(own or 0) * weight,
            adjusted=(adjusted or 0) * weight,
        ),
        grades=_one(school.grade, school.adjusted_grade or school.grade),
        bands=_one_band(own, adjusted),
        late=school.late,
        backfilled=school.backfilled,
    )


def _one(own: str | None, adjusted: str | None) -> tuple[Share, ...]:
    found = [Share(grade=own, own=1)] if own else []
    return (*found, Share(grade=adjusted, adjusted=1)) if adjusted else tuple(found)


def _one_band(own: int | None, adjusted: int | None) -> tuple[Share, ...]:
    if own is None or adjusted is None:
        return ()
    return Share(least=_band(own), own=1), Share(least=_band(adjusted), adjusted=1)


def _band(total_points: int) -> int:
    """The lowest score of the band of ten points; full marks belong to the highest band."""
    return min(total_points // 1000 * 10, BANDS[-1])


def added(parts: Sequence[Figures], grades: Sequence[str] = ()) -> Figures:
    """Several sets of schools as one. Grades keep the order given, then that in which they come."""
    sums = Sums(**{name: sum(getattr(item.sums, name) for item in parts) for name in Sums.__struct_fields__})
    counts = ("schools", "returned", "unsigned", "missing", "unscored", "enrolment", "late", "backfilled")
    found = [share.grade for item in parts for share in item.grades]
    names = dict.fromkeys([*grades, *found])
    return Figures(
        sums=sums,
        means=_means(sums),
        grades=tuple(_share(parts, "grades", Share(grade=name)) for name in names),
        bands=tuple(_share(parts, "bands", Share(least=least)) for least in BANDS),
        **{name: sum(getattr(item, name) for item in parts) for name in counts},
    )


def _share(parts: Sequence[Figures], name: str, like: Share) -> Share:
    same = [
        share
        for item in parts
        for share in getattr(item, name)
        if (share.grade, share.least) == (like.grade, like.least)
    ]
    return Share(
        grade=like.grade,
        least=like.least,
        own=sum(share.own for share in same),
        adjusted=sum(share.adjusted for share in same),
    )


def _means(sums: Sums) -> Means:
    return Means(
        own=points_of(mean(sums.own, sums.pupils)),
        own_without=points_of(mean(sums.own, sums.pupils_without)),
        adjusted=points_of(mean(sums.adjusted, sums.pupils)),
        adjusted_without=points_of(mean(sums.adjusted, sums.pupils_without)),
    )


# ---------------------------------------------------------------- the tree
@dataclass
class _Tree:
    """The figures of every bureau with all that lies below it."""

    below: Sequence[BureauFound]
    schools: Sequence[RollupSchool]
    grades: Sequence[str]
    known: dict[str, Figures] = field(default_factory=dict)

    def of(self, code: str) -> Figures:
        if code not in self.known:
            own = figures_of((s for s in self.schools if s.bureau == code), self.grades)
            beneath = [self._of_member(item) for item in self.below if item.parent == code]
            self.known[code] = added([own, *beneath], self.grades)
        return self.known[code]

    def _of_member(self, item: BureauFound) -> Figures:
        if not item.remote:
            return self.of(item.code)
        return item.received.figures if item.received else missing_figures(item.before)

    def member(self, item: BureauFound) -> Member:
        received = item.received
        return Member(
            code=item.code,
            name=Words(zh=item.name),
            parent=item.parent,
            source="own" if not item.remote else "received" if received else "missing",
            figures=self._of_member(item),
            version=received.version if received else None,
            facts_digest=(received.facts_digest or None) if received else None,
            document_digest=item.document_digest if received else None,
        )


def missing_figures(before: RollupDocument | None) -> Figures:
    """What a bureau whose roll-up has not come counts as: its schools and pupils as last known, all missing."""
    if before is None:
        return added([])
    schools, pupils = before.figures.schools, before.figures.enrolment
    return added([Figures(schools=schools, missing=schools, enrolment=pupils, sums=Sums(pupils=pupils))])


# ---------------------------------------------------------------- incidents
def _all_incidents(found: Gathered) -> tuple[IncidentRow, ...]:
    by_bureau: dict[str, list[ReturnIncident]] = {}
    for school in found.schools:
        by_bureau.setdefault(school.bureau, []).extend(school.sealed.incidents if school.sealed else ())
    own = [incident_rows(several) for several in by_bureau.values()]
    received = [item.received.incidents for item in found.below if item.remote and item.received]
    return added_rows([*own, *received])
