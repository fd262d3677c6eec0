"""What the printed roll-up shows, worked out from the document before any template sees it (PURE)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from markupsafe import Markup

from reports.layout import charts
from reports.layout.wording import Text, Writer
from reports.rollup.document import (
    IncidentRow,
    Matter,
    Means,
    Member,
    RollupDocument,
    RollupSchool,
    Share,
    Trend,
)
from reports.rollup.incidents import PEOPLE, SEVERITIES
from reports.rollup.suppression import SENSITIVE, total
from safety.clock import ZONE

CHART_WIDTH = 156
PANEL_WIDTH = 78
BAND_PANEL = charts.Panel(left=0, names=17, bars=42)
TREND_PANEL = charts.Panel(left=80, names=16, bars=40)
DIGEST_SHOWN = 8
"""How much of a return's digest stands in its row; the whole of it is in the attachment."""
MATTERS_SHOWN = 40


@dataclass(frozen=True, slots=True)
class SchoolRow:
    """A school's row: its number and code, its name, then the cells; or (`kind` bureau) the head of a group."""

    kind: str
    name: str
    cells: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TableRow:
    name: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class View:
    """Everything the templates print, in reading order. `panels` is the chart in parts, for screens."""

    lang: str
    meta: dict[str, str]
    flags: tuple[str, ...]
    notes: tuple[str, ...]
    bureau: str
    number: str
    title: tuple[str, ...]
    addressee: str
    cover: tuple[str, ...]
    headings: dict[str, str]
    chart: Markup
    panels: tuple[Markup, ...]
    grades: tuple[TableRow, ...]
    members: tuple[TableRow, ...]
    schools: tuple[SchoolRow, ...]
    incidents: tuple[TableRow, ...]
    matters: tuple[str, ...]
    closing: tuple[str, ...]
    evidence: tuple[tuple[str, str, bool], ...]


def view(document: RollupDocument, lang: str, text: Text) -> View:
    """The document in one language (`zh` or `en`). Pure: the same document gives the same view."""
    write = Writer(lang, text)
    bureau = write.word(document.bureau.name)
    return View(
        lang="zh-CN" if lang == "zh" else "en",
        meta=_meta(document, write),
        flags=_flags(document, write),
        notes=_notes(document, write),
        bureau=bureau,
        number=text("rollup.number", version=document.version, **_quarter(document, write, plain=True)),
        title=tuple(text("rollup.title", **_quarter(document, write)).split("|")),
        addressee=text("return.addressee", bureau=write.word(document.above.name)) if document.above else "",
        cover=_cover(document, write),
        headings=_headings(document, write),
        chart=_chart(document, write),
        panels=_panels(document, write),
        grades=tuple(_grade_row(share, document, write) for share in document.figures.grades),
        members=tuple(_member_row(member, write) for member in document.members),
        schools=tuple(_school_rows(document, write)),
        incidents=tuple(_incident_rows(document.incidents, write)),
        matters=_matters(document, write),
        closing=(bureau, write.day(document.made_at.astimezone(ZONE).date())),
        evidence=_evidence(document, write),
    )


# ---------------------------------------------------------------- head and cover
def _quarter(document: RollupDocument, write: Writer, *, plain: bool = False) -> dict[str, str]:
    year, _, quarter = document.period.id.partition("Q")
    return {"year": year, "quarter": quarter if plain else write.text(f"return.quarter.{quarter}")}


def _meta(document: RollupDocument, write: Writer) -> dict[str, str]:
    bureau = write.word(document.bureau.name)
    description = write.text(
        "rollup.description", bureau=bureau, version=document.version, digest=document.facts_digest
    )
    date = f"{document.made_at:%Y-%m-%dT%H:%M:%S}+00:00"
    return {"author": bureau, "description": description, "date": date}


def _flags(document: RollupDocument, write: Writer) -> tuple[str, ...]:
    on = {"draft": document.draft, "test": document.test_clock, "made_up": document.made_up}
    return tuple(write.text(f"return.flag.{name}") for name, shown in on.items() if shown)


def _notes(document: RollupDocument, write: Writer) -> tuple[str, ...]:
    found: list[str] = []
    if document.draft:
        found.append(write.text("rollup.note.draft", at=write.moment(document.made_at)))
    if document.test_clock:
        found.append(write.text("return.note.test"))
    if document.made_up:
        found.append(write.text("return.note.made_up"))
    if document.reason:
        found.append(write.text("return.note.reason", reason=document.reason))
    unknown = [
        write.word(m.name) for m in document.members if m.source == "missing" and not m.figures.schools
    ]
    if unknown:
        found.append(write.text("rollup.note.unknown", names=write.text("return.comma").join(unknown)))
    return tuple(found)


def _cover(document: RollupDocument, write: Writer) -> tuple[str, ...]:
    figures, period = document.figures, document.period
    opening = write.text(
        "rollup.cover",
        starts=write.day(period.starts),
        ends=write.day(period.ends),
        **_quarter(document, write),
    )
    counts = write.text(
        "rollup.cover.schools",
        schools=figures.schools,
        pupils=figures.enrolment,
        came=figures.returned + figures.unsigned,
        unsigned=figures.unsigned,
        missing=figures.missing,
    )
    sentences = [counts, *_changed(document, write), *_absent(document, write)]
    sentences += _mean_sentences(figures.means, write)
    sentences.append(write.text("return.cover.late", late=figures.late, backfilled=figures.backfilled))
    return opening, (" " if write.lang == "en" else "").join(sentences)


def _changed(document: RollupDocument, write: Writer) -> list[str]:
    """How many of the schools listed here changed something after the signature."""
    count = sum(school.signing == "changed" for school in document.schools)
    return [write.text("rollup.cover.changed", count=count)] if count else []


def _absent(document: RollupDocument, write: Writer) -> list[str]:
    """The bureaus below whose roll-up has not come."""
    names = [write.word(member.name) for member in document.members if member.source == "missing"]
    if not names:
        return []
    return [write.text("rollup.cover.absent", names=write.text("return.comma").join(names))]


def _mean_sentences(means: Means, write: Writer) -> list[str]:
    if means.own is None:
        return [write.text("rollup.cover.no_mean")]
    dash = write.text("return.dash")
    return [
        write.text("rollup.cover.mean", mean=means.own, without=means.own_without or dash),
        write.text("rollup.cover.adjusted", mean=means.adjusted, without=means.adjusted_without or dash),
    ]


def _headings(document: RollupDocument, write: Writer) -> dict[str, str]:
    there = {
        "figures": True,
        "members": bool(document.members),
        "schools": bool(document.schools),
        "incidents": True,
        "matters": True,
    }
    names = [name for name, shown in there.items() if shown]
    return {
        name: write.text(f"rollup.heading.{name}", number=write.numeral(at))
        for at, name in enumerate(names, 1)
    }


# ---------------------------------------------------------------- figures
def _chart(document: RollupDocument, write: Writer) -> Markup:
    """Both panels side by side, as paper has room for them."""
    bands, trend = _bands(document, write), _trends(document, write)
    parts = (
        charts.pairs(bands, write.text("rollup.chart.bands"), BAND_PANEL),
        charts.pairs(trend, write.text("rollup.chart.trend"), TREND_PANEL),
    )
    return charts.drawing(CHART_WIDTH, max(len(bands), len(trend)), parts)


def _panels(document: RollupDocument, write: Writer) -> tuple[Markup, ...]:
    """Each panel alone, as wide as a phone can show."""
    found = (
        (_bands(document, write), "bands", BAND_PANEL),
        (_trends(document, write), "trend", replace(TREND_PANEL, left=0)),
    )
    return tuple(
        charts.drawing(
            PANEL_WIDTH, len(rows), [charts.pairs(rows, write.text(f"rollup.chart.{name}"), panel)]
        )
        for rows, name, panel in found
    )


def _bands(document: RollupDocument, write: Writer) -> list[charts.Pair]:
    most = max((max(share.own, share.adjusted) for share in document.figures.bands), default=0) or 1
    return [_band(share, most, write) for share in reversed(document.figures.bands)]


def _trends(document: RollupDocument, write: Writer) -> list[charts.Pair]:
    return [_trend(item, write) for item in document.trend]


def _band(share: Share, most: int, write: Writer) -> charts.Pair:
    last = share.least + (10 if share.least == 90 else 9)
    name = write.text("rollup.band", least=share.least, most=last)
    own = charts.Bar(name, share.own / most, str(share.own))
    return charts.Pair(name, own, charts.Bar(name, share.adjusted / most, str(share.adjusted)))


def _trend(item: Trend, write: Writer) -> charts.Pair:
    dash = write.text("return.dash")
    shares = [
        charts.Bar(item.period, None if mean is None else float(mean) / 100, mean or dash)
        for mean in (item.means.own, item.means.own_without)
    ]
    return charts.Pair(item.period, *shares)


def _grade(grade: str | None, write: Writer) -> str:
    return write.known(f"return.grade.{grade}", grade) if grade else write.text("return.dash")


def _grade_row(share: Share, document: RollupDocument, write: Writer) -> TableRow:
    scored = sum(each.own for each in document.figures.grades)
    cells = (
        str(share.own),
        write.share(share.own, scored),
        str(share.adjusted),
        write.share(share.adjusted, scored),
    )
    return TableRow(_grade(share.grade, write), cells)


def _member_row(member: Member, write: Writer) -> TableRow:
    figures, means, dash = member.figures, member.figures.means, write.text("return.dash")
    return TableRow(
        write.word(member.name),
        (
            write.text(f"rollup.source.{member.source}"),
            str(figures.schools) if figures.schools or member.source != "missing" else dash,
            str(figures.missing) if figures.schools or member.source != "missing" else dash,
            str(figures.enrolment) if figures.schools or member.source != "missing" else dash,
            means.own or dash,
            means.own_without or dash,
            means.adjusted or dash,
            str(member.version) if member.version else dash,
            (member.document_digest or dash)[:DIGEST_SHOWN],
        ),
    )


# ---------------------------------------------------------------- schools
def _school_rows(document: RollupDocument, write: Writer) -> Iterable[SchoolRow]:
    names = {member.code: write.word(member.name) for member in document.members}
    names[document.bureau.code] = write.word(document.bureau.name)
    number = 0
    for code, schools in groupby(document.schools, key=lambda school: school.bureau):
        if document.members:
            yield SchoolRow("bureau", names[code])
        for school in schools:
            number += 1
            cells = (str(number), school.code, *_school_cells(school, write))
            yield SchoolRow("school", write.word(school.name), cells)


def _school_cells(school: RollupSchool, write: Writer) -> tuple[str, ...]:
    dash = write.text("return.dash")
    grade = _grade(school.grade, write) + (write.text("rollup.veto") if school.veto else "")
    late = f"{school.late} / {school.backfilled}" if school.version else dash
    return (
        str(school.enrolment),
        school.own or ("0" if school.state == "missing" else dash),
        grade,
        school.adjusted or dash,
        _grade(school.adjusted_grade, write),
        late,
        write.text(f"rollup.signing.{school.signing}"),
        str(school.version) if school.version else dash,
        (school.document_digest or dash)[:DIGEST_SHOWN],
    )


# ---------------------------------------------------------------- incidents and matters
def _incident_rows(rows: Sequence[IncidentRow], write: Writer) -> Iterable[TableRow]:
    for row in rows:
        yield TableRow(write.text(f"return.category.{row.category}"), _incident_cells(row, write))
    # Without the sensitive ones: a sum that held them would give them away.
    open_ = [row for row in rows if row.category not in SENSITIVE]
    severities = [
        str(total(item.count for row in open_ for item in row.severities or () if item.severity == name))
        for name in SEVERITIES
    ]
    people = [str(total(getattr(row, name) or 0 for row in open_)) for name in PEOPLE]
    yield TableRow(
        write.text("rollup.incidents.total"), (str(total(row.count for row in open_)), *severities, *people)
    )


def _incident_cells(row: IncidentRow, write: Writer) -> tuple[str, ...]:
    withheld = write.text("rollup.withheld")
    counts = {item.severity: str(item.count) for item in row.severities or ()}
    severities = [counts.get(name, withheld) for name in SEVERITIES]
    people = [getattr(row, name) for name in PEOPLE]
    return (str(row.count), *severities, *(withheld if found is None else str(found) for found in people))


def _matters(document: RollupDocument, write: Writer) -> tuple[str, ...]:
    names = {school.code: write.word(school.name) for school in document.schools}
    shown = [_matter(item, names, write) for item in document.matters[:MATTERS_SHOWN]]
    hidden = len(document.matters) - len(shown)
    if hidden:
        shown.append(write.text("rollup.matters.more", count=hidden))
    return tuple(shown)


def _matter(item: Matter, names: dict[str, str], write: Writer) -> str:
    said = {"school": names.get(item.school, item.school), "date": write.short_moment(item.at)}
    outcome = write.text(f"rollup.outcome.{item.outcome}")
    return write.text(f"rollup.matter.{item.kind}", outcome=outcome, **said)


def _evidence(document: RollupDocument, write: Writer) -> tuple[tuple[str, str, bool], ...]:
    """(label, value, whether it is a digest)."""
    previous = document.previous_digest
    values: tuple[tuple[str, str, bool], ...] = (
        ("facts_digest", document.facts_digest, True),
        ("previous", previous or write.text("return.evidence.first"), bool(previous)),
        ("standards", document.standards, False),
        ("made_at", write.moment(document.made_at), False),
        ("file", write.text("rollup.evidence.file_note", schema=document.schema), False),
    )
    return tuple((write.text(f"return.evidence.{name}"), value, digest) for name, value, digest in values)
