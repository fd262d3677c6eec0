"""What the printed return shows, worked out from the document before any template sees it (PURE).

Templates stay free of arithmetic and of sentences: every value here is finished text in one language.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Literal

from reports.document import (
    Change,
    Exceptional,
    ReturnDocument,
    Rule,
    ScoreGroup,
    ScoreLine,
)
from reports.incident_view import IncidentRow, deductions, incident_row
from reports.wording import Text, Writer
from safety.clock import ZONE

DATES_SHOWN = 10
UNITS_SHOWN = 3
CHANGES_SHOWN = 12
ZERO_REPORT_LINE = "T2"
TARGETS = "targets"
NO_LEDGER = "no-ledger"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the score table. `cells`: a group's two shares, or a line's six counts and two shares."""

    kind: Literal["group", "line"]
    name: str
    cells: tuple[str, ...]
    max: str
    points: str
    status: str


@dataclass(frozen=True, slots=True)
class ExceptionRow:
    name: str
    kind: str
    count: int
    dates: str


@dataclass(frozen=True, slots=True)
class RuleRow:
    name: str
    rule: str
    source: str


@dataclass(frozen=True, slots=True)
class View:
    """Everything the template prints, in reading order."""

    lang: str
    meta: dict[str, str]
    flags: tuple[str, ...]
    notes: tuple[str, ...]
    school: str
    number: str
    signer: str
    title: tuple[str, ...]
    addressee: str
    cover: tuple[str, ...]
    rows: tuple[Row, ...]
    unscored: str
    sums: tuple[tuple[str, str], ...]
    footnote: str
    exceptions: tuple[ExceptionRow, ...]
    uncounted: str
    incidents: tuple[IncidentRow, ...]
    deductions: tuple[str, ...]
    sign_off: tuple[str, ...]
    signed: bool
    closing: tuple[str, ...]
    rules: tuple[RuleRow, ...]
    evidence: tuple[tuple[str, str, bool], ...]


def view(document: ReturnDocument, lang: str, text: Text) -> View:
    """The document in one language (`zh` or `en`). Pure: the same document gives the same view."""
    write = Writer(lang, text)
    school = write.word(document.school.name)
    return View(
        lang="zh-CN" if lang == "zh" else "en",
        meta=_meta(document, write),
        flags=_flags(document, write),
        notes=_notes(document, write),
        school=school,
        number=text("return.number", version=document.version, **_quarter(document, write, plain=True)),
        signer=_signer(document, write),
        title=tuple(text("return.title", **_quarter(document, write)).split("|")),
        addressee=text("return.addressee", bureau=write.word(document.bureau.name)),
        cover=_cover(document, write),
        rows=tuple(row for group in document.score.groups for row in _group_rows(group, write)),
        unscored=_unscored(document, write),
        sums=_sums(document, write),
        footnote=text("return.score.footnote", standards=document.standards),
        exceptions=tuple(_exception_rows(document, write)),
        uncounted=_uncounted(document, write),
        incidents=tuple(incident_row(incident, write) for incident in document.incidents),
        deductions=deductions(document, write),
        sign_off=_sign_off(document, write),
        signed=document.status != "unsigned",
        closing=(school, write.day(document.made_at.astimezone(ZONE).date())),
        rules=tuple(_rule_row(rule, write) for rule in _printed_rules(document)),
        evidence=_evidence(document, write),
    )


def _quarter(document: ReturnDocument, write: Writer, *, plain: bool = False) -> dict[str, str]:
    year, _, quarter = document.period.id.partition("Q")
    return {"year": year, "quarter": quarter if plain else write.text(f"return.quarter.{quarter}")}


def _meta(document: ReturnDocument, write: Writer) -> dict[str, str]:
    school, bureau = write.word(document.school.name), write.word(document.bureau.name)
    description = write.text(
        "return.description",
        school=school,
        bureau=bureau,
        version=document.version,
        digest=document.facts_digest,
    )
    return {
        "author": school,
        "description": description,
        "date": f"{document.made_at:%Y-%m-%dT%H:%M:%S}+00:00",
    }


def _flags(document: ReturnDocument, write: Writer) -> tuple[str, ...]:
    on = {
        "draft": document.draft,
        "test": document.test_clock,
        "made_up": document.made_up,
        "closed_late": document.closed_late,
        "provisional": bool(document.provisional_years),
    }
    return tuple(write.text(f"return.flag.{name}") for name, shown in on.items() if shown)


def _notes(document: ReturnDocument, write: Writer) -> tuple[str, ...]:
    made, due = write.moment(document.made_at), write.moment(document.period.closes_at)
    as_of = write.moment(document.score.as_of)
    years = write.text("return.comma").join(str(year) for year in document.provisional_years)
    notes: tuple[tuple[bool, str, dict[str, str]], ...] = (
        (document.draft, "draft", {"at": as_of}),
        (document.test_clock, "test", {}),
        (document.made_up, "made_up", {}),
        (document.closed_late, "closed_late", {"due": due, "made": made}),
        (bool(years), "provisional", {"years": years}),
        (bool(document.reason), "reason", {"reason": document.reason}),
    )
    return tuple(write.text(f"return.note.{name}", **values) for shown, name, values in notes if shown)


def _signer(document: ReturnDocument, write: Writer) -> str:
    if document.sign_off is None:
        return write.text("return.unsigned")
    return write.text("return.signer", name=document.sign_off.signer)


def _cover(document: ReturnDocument, write: Writer) -> tuple[str, ...]:
    period = document.period
    opening = write.text(
        "return.cover",
        starts=write.day(period.starts),
        ends=write.day(period.ends),
        **_quarter(document, write),
    )
    sentences = [_total_sentence(document, write), _rates_sentence(document, write)]
    sentences.append(write.text("return.cover.late", late=document.late, backfilled=document.backfilled))
    sentences.append(_zero_report_sentence(document, write))
    sentences.append(write.text("return.cover.incidents", count=len(document.incidents)))
    return opening, (" " if write.lang == "en" else "").join(sentences)


def _total_sentence(document: ReturnDocument, write: Writer) -> str:
    score = document.score
    if score.total is None or score.grade is None:
        return write.text("return.cover.no_total")
    grade = write.known(f"return.grade.{score.grade}", score.grade)
    return write.text("return.cover.total", total=score.total, grade=grade)


def _done(lines: Iterable[ScoreLine]) -> tuple[int, int, int]:
    """Over the lines that apply: (expected, done, on time). Late and backfilled work is done work."""
    applying = [line for line in lines if line.applies]
    done = sum(line.on_time + line.late + line.backfilled for line in applying)
    return sum(line.expected for line in applying), done, sum(line.on_time for line in applying)


def _rates_sentence(document: ReturnDocument, write: Writer) -> str:
    duties = (line for group in document.score.groups if group.id != TARGETS for line in group.lines)
    expected, done, on_time = _done(duties)
    return write.text(
        "return.cover.rates",
        expected=expected,
        done=done,
        done_rate=write.share(done, expected),
        on_time=on_time,
        on_time_rate=write.share(on_time, expected),
    )


def _zero_report_sentence(document: ReturnDocument, write: Writer) -> str:
    lines = (line for group in document.score.groups for line in group.lines)
    line = next((line for line in lines if line.id == ZERO_REPORT_LINE), None)
    expected, covered = (line.expected, line.on_time) if line else (0, 0)
    rate = write.share(covered, expected)
    return write.text("return.cover.zero", expected=expected, covered=covered, rate=rate)


def _group_rows(group: ScoreGroup, write: Writer) -> list[Row]:
    """The group and its lines that have a ledger; the others are named in one sentence below the table."""
    lines = [line for line in group.lines if line.status != NO_LEDGER]
    if not lines:
        return []
    shares = _shares(_done(lines), write) if group.id != TARGETS else ("", "")
    name = write.known(f"return.group.{group.id}", group.id)
    head = Row("group", name, shares, group.max, group.points, "")
    return [head, *(_line_row(line, write) for line in lines)]


def _unscored(document: ReturnDocument, write: Writer) -> str:
    names = [_line_name(line.id, write) for line in _all_lines(document) if line.status == NO_LEDGER]
    return write.text("return.score.unscored", lines=write.text("return.comma").join(names)) if names else ""


def _printed_rules(document: ReturnDocument) -> list[Rule]:
    unscored = {line.id for line in _all_lines(document) if line.status == NO_LEDGER}
    return [rule for rule in document.rules if rule.line not in unscored]


def _shares(done: tuple[int, int, int], write: Writer) -> tuple[str, str]:
    expected, finished, on_time = done
    return write.share(finished, expected), write.share(on_time, expected)


def _line_row(line: ScoreLine, write: Writer) -> Row:
    status = write.text(f"return.status.{line.status}")
    name = _line_name(line.id, write)
    dash = write.text("return.dash")
    if not line.applies:
        return Row("line", name, (dash,) * 8, dash, dash, status)
    counts = (line.expected, line.on_time, line.late, line.backfilled, line.missing, line.open)
    cells = (*map(str, counts), *_shares(_done([line]), write))
    return Row("line", name, cells, line.max, line.points, status)


def _line_name(line: str, write: Writer) -> str:
    return write.known(f"return.line.{line}", line)


def _fact_name(line: str, write: Writer) -> str:
    """What was written down, where the line's name would read as if the accident itself had happened."""
    return write.known(f"return.fact.{line}", _line_name(line, write))


def _sums(document: ReturnDocument, write: Writer) -> tuple[tuple[str, str], ...]:
    score = document.score
    if score.total is None:
        return ((write.text("return.score.total"), write.text("return.dash")),)
    total = (write.text("return.score.total"), score.total)
    if not score.penalties:
        return (total,)
    off = sum(_hundredths(penalty.points) for penalty in score.penalties)
    earned = sum(_hundredths(group.points) for group in score.groups)
    return (
        (write.text("return.score.sum"), _points(earned)),
        (write.text("return.score.penalties"), f"−{_points(off)}"),
        total,
    )


def _hundredths(points: str) -> int:
    """`"-2.00"` and `"2.00"` are both a deduction of 200."""
    return int(points.lstrip("-").replace(".", ""))


def _points(hundredths: int) -> str:
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def _exception_rows(document: ReturnDocument, write: Writer) -> Iterable[ExceptionRow]:
    order = {line.id: at for at, line in enumerate(_all_lines(document))}
    kinds = ("missed", "late", "backfilled", "uncounted")

    def place(item: Exceptional) -> tuple[int, str, int, date, str]:
        return order.get(item.line, len(order)), item.line, kinds.index(item.kind), item.due_on, item.unit

    ordered = sorted(document.exceptions, key=place)
    for (line, kind), items in groupby(ordered, key=lambda item: (item.line, item.kind)):
        members = list(items)
        dates = _dates(members, write)
        yield ExceptionRow(_fact_name(line, write), write.text(f"return.kind.{kind}"), len(members), dates)


def _uncounted(document: ReturnDocument, write: Writer) -> str:
    """What it means that something does not count; empty where all does."""
    found = any(item.kind == "uncounted" for item in document.exceptions)
    return write.text("return.exceptions.uncounted") if found else ""


def _all_lines(document: ReturnDocument) -> list[ScoreLine]:
    return [line for group in document.score.groups for line in group.lines]


def _dates(items: list[Exceptional], write: Writer) -> str:
    """`3月2日（一(1)班、一(2)班）、3月5日`; the rest is counted and lies in the attachment."""
    days = [(day, list(same)) for day, same in groupby(items, key=lambda item: item.due_on)]
    shown = [_dated(day, same, write) for day, same in days[:DATES_SHOWN]]
    hidden = sum(len(same) for _, same in days[DATES_SHOWN:])
    if hidden:
        shown.append(write.text("return.exceptions.more", count=hidden))
    return write.text("return.comma").join(shown)


def _dated(day: date, items: list[Exceptional], write: Writer) -> str:
    units = [item.unit for item in items if item.unit]
    if len(items) > UNITS_SHOWN or (len(items) > 1 and not units):
        inside = write.text("return.exceptions.units", count=len(items))
    else:
        inside = write.text("return.comma").join(units)
    if not inside:
        return write.short_day(day)
    return (
        f"{write.short_day(day)} ({inside})" if write.lang == "en" else f"{write.short_day(day)}（{inside}）"
    )


def _sign_off(document: ReturnDocument, write: Writer) -> tuple[str, ...]:
    sign_off = document.sign_off
    if sign_off is None:
        return (write.text("return.sign_off.unsigned"),)
    named = {"name": sign_off.signer, "at": write.moment(sign_off.signed_at)}
    digest = write.text("return.sign_off.digest", digest=sign_off.facts_digest)
    if not sign_off.changes:
        return write.text("return.sign_off.signed", **named), digest
    said = write.text("return.sign_off.changed", count=len(sign_off.changes), **named)
    return said + _changes(sign_off.changes, write), digest


def _changes(changes: tuple[Change, ...], write: Writer) -> str:
    items = [_change(change, write) for change in changes[:CHANGES_SHOWN]]
    listed = ("; " if write.lang == "en" else "；").join(items)
    hidden = len(changes) - len(items)
    if hidden:
        listed += (" " if write.lang == "en" else "") + write.text("return.change.more", count=hidden)
    return (" " if write.lang == "en" else "") + listed + ("." if write.lang == "en" else "。")


def _change(change: Change, write: Writer) -> str:
    kind = write.text(f"return.change.{change.kind}")
    line, day = _fact_name(change.line, write), write.short_day(change.happened_on)
    return write.text("return.change.item", kind=kind, line=line, date=day)


def _rule_row(rule: Rule, write: Writer) -> RuleRow:
    mark = write.text(f"return.mark.{rule.mark}")
    source = write.text("return.rules.marked", source=write.word(rule.source), mark=mark)
    if rule.mark == "D":
        # A default of ours has no source in law, and must not look as if it had one.
        source = mark
    return RuleRow(_line_name(rule.line, write), write.word(rule.text), source)


def _evidence(document: ReturnDocument, write: Writer) -> tuple[tuple[str, str, bool], ...]:
    """(label, value, whether it is a digest)."""
    head, previous = document.chain_head, document.previous_digest
    none = write.text("return.none")
    lines = write.text("return.evidence.chain_lines", lines=head.lines) if head else ""
    values: tuple[tuple[str, str, bool], ...] = (
        ("facts_digest", document.facts_digest, True),
        ("chain_head", f"{head.digest} {lines}" if head else none, bool(head)),
        ("previous", previous or write.text("return.evidence.first"), bool(previous)),
        ("standards", document.standards, False),
        ("entries", str(len({fact.id for fact in document.facts})), False),
        ("made_at", write.moment(document.made_at), False),
        ("file", write.text("return.evidence.file_note", schema=document.schema), False),
    )
    return tuple((write.text(f"return.evidence.{name}"), value, digest) for name, value, digest in values)
