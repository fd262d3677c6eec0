"""What the printed return shows, worked out from the document before any template sees it (PURE).

Templates stay free of arithmetic and of sentences: every value here is finished text in one language.
"""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from reports.document import Change, LineChange, ReturnDocument
from reports.layout import charts, score_view
from reports.layout.exception_view import ExceptionRow, exception_rows
from reports.layout.incident_view import IncidentRow, deductions, incident_rows
from reports.layout.score_view import Row
from reports.layout.wording import Text, Writer, spans_of
from safety.clock import ZONE

CHANGES_SHOWN = 6
REASON_SHOWN = 40
"""Characters of the reason of a line's change that are printed."""
CHART_WIDTH = 156.0
TARGET_PANEL = charts.Panel(left=0, names=15, bars=34)
RATE_PANEL = charts.Panel(left=66, names=30, bars=34)


@dataclass(frozen=True, slots=True)
class View:
    """Everything the template prints, in reading order."""

    lang: str
    meta: dict[str, str]
    flags: tuple[str, ...]
    notes: tuple[str, ...]
    school: str
    number: str
    signer: tuple[str, str]
    title: tuple[str, ...]
    addressee: str
    cover: tuple[str, ...]
    headings: dict[str, str]
    chart: Markup
    rows: tuple[Row, ...]
    sums: tuple[tuple[str, str], ...]
    footnote: str
    unscored: str
    sources: str
    exceptions: tuple[ExceptionRow, ...]
    uncounted: str
    incidents: tuple[IncidentRow, ...]
    incidents_more: str
    deductions: tuple[str, ...]
    changes: tuple[str, ...]
    sign_off: tuple[str, ...]
    signed: bool
    closing: tuple[str, ...]
    evidence: tuple[tuple[str, str, bool], ...]
    workbook: str
    verify_url: str
    qr: Markup


def view(document: ReturnDocument, lang: str, text: Text, verify_url: str = "") -> View:
    """The document in one language (`zh` or `en`). Pure: the same document gives the same view."""
    write = Writer(lang, text)
    school = write.word(document.school.name)
    incidents, incidents_more = incident_rows(document, write)
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
        headings=_headings(document, write),
        chart=_chart(document, write),
        rows=score_view.rows(document, write),
        sums=score_view.sums(document, write),
        footnote=_footnote(document, write),
        unscored=score_view.unscored(document, write),
        sources=score_view.sources(document, write),
        exceptions=exception_rows(document, write),
        uncounted=_uncounted(document, write),
        incidents=incidents,
        incidents_more=incidents_more,
        deductions=deductions(document, write),
        changes=_since(document, write),
        sign_off=_sign_off(document, write),
        signed=document.status != "unsigned",
        closing=(school, write.day(document.made_at.astimezone(ZONE).date())),
        evidence=_evidence(document, write),
        workbook=text("return.book"),
        verify_url=verify_url,
        qr=charts.qr(verify_url, text("return.verify.code", url=verify_url)) if verify_url else Markup(),
    )


def _footnote(document: ReturnDocument, write: Writer) -> str:
    said = write.text("return.score.footnote", standards=document.standards)
    changed = [span.since for span in document.score.in_force if span.changed]
    if not changed:
        return said
    days = write.text("list.comma").join(write.day(day) for day in changed)
    return f"{said}{write.text('return.score.changed', days=days)}"


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


# ---------------------------------------------------------------- the head and the cover
def _flags(document: ReturnDocument, write: Writer) -> tuple[str, ...]:
    on = {
        "draft": document.draft,
        "translation": write.lang == "en",
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
        (write.lang == "en", "translation", {}),
        (document.test_clock, "test", {}),
        (document.made_up, "made_up", {}),
        (document.closed_late, "closed_late", {"due": due, "made": made}),
        (bool(years), "provisional", {"years": years}),
        (bool(document.reason) and not document.unchanged, "reason", {"reason": document.reason}),
    )
    return tuple(write.text(f"return.note.{name}", **values) for shown, name, values in notes if shown)


def _signer(document: ReturnDocument, write: Writer) -> tuple[str, str]:
    """What stands before the name, and the name: a name is set in a face of its own."""
    if document.sign_off is None:
        return write.text("return.unsigned"), ""
    return write.text("return.signer"), document.sign_off.signer


def _cover(document: ReturnDocument, write: Writer) -> tuple[str, ...]:
    period = document.period
    opening = write.text(
        "return.cover",
        starts=write.day(period.starts),
        ends=write.day(period.ends),
        **_quarter(document, write),
    )
    sentences = [_total_sentence(document, write), _rates_sentence(document, write)]
    counted = score_view.duties(document)
    sentences.append(write.text("return.cover.late", late=counted.late, backfilled=counted.backfilled))
    sentences.append(_zero_report_sentence(document, write))
    sentences.append(write.text("return.cover.incidents", count=len(document.incidents)))
    return opening, (" " if write.lang == "en" else "").join(sentences)


def _total_sentence(document: ReturnDocument, write: Writer) -> str:
    score = document.score
    if score.total is None or score.grade is None:
        return write.text("return.cover.no_total")
    grade = write.known(f"return.grade.{score.grade}", score.grade)
    return write.text("return.cover.total", total=score.total, grade=grade)


def _rates_sentence(document: ReturnDocument, write: Writer) -> str:
    found = score_view.duties(document)
    return write.text(
        "return.cover.rates",
        expected=found.expected,
        done=found.done,
        done_rate=write.share(found.done, found.expected),
        on_time=found.on_time,
        on_time_rate=write.share(found.on_time, found.expected),
    )


def _zero_report_sentence(document: ReturnDocument, write: Writer) -> str:
    found = score_view.zero_reports(document)
    rate = write.share(found.on_time, found.expected)
    return write.text(
        "return.cover.zero",
        expected=found.expected,
        covered=found.on_time,
        rate=rate,
        late=found.late,
        backfilled=found.backfilled,
    )


# ---------------------------------------------------------------- the parts
def _headings(document: ReturnDocument, write: Writer) -> dict[str, str]:
    """The headings that this return has, numbered."""
    parts = ["score", "exceptions", "incidents", "sign_off"]
    if document.version > 1:
        parts.insert(3, "changes")
    return {
        part: write.text(
            "return.heading", number=write.numeral(at), title=write.text(f"return.heading.{part}")
        )
        for at, part in enumerate(parts, 1)
    }


def _chart(document: ReturnDocument, write: Writer) -> Markup:
    targets = score_view.target_bars(document, write)
    rates = score_view.rate_pairs(document, write)
    parts = [
        charts.bars(targets, write.text("return.chart.targets"), TARGET_PANEL),
        charts.pairs(rates, write.text("return.chart.rates"), RATE_PANEL),
    ]
    return charts.drawing(CHART_WIDTH, max(len(targets), len(rates)), parts)


def _uncounted(document: ReturnDocument, write: Writer) -> str:
    """What it means that something does not count; empty where all does."""
    found = any(item.kind == "uncounted" for item in document.exceptions)
    return write.text("return.exceptions.uncounted") if found else ""


def _since(document: ReturnDocument, write: Writer) -> tuple[str, ...]:
    """What the version before said otherwise; empty for a first version."""
    if document.version == 1:
        return ()
    before = {"version": document.version - 1}
    if document.unchanged:
        return (write.text("return.since.unchanged", **before, why=document.reason),)
    if not document.changes_since:
        return (write.text("return.since.same", **before),)
    shown = document.changes_since[:CHANGES_SHOWN]
    items = [_line_change(change, write) for change in shown]
    hidden = len(document.changes_since) - len(shown)
    if hidden:
        items.append(write.text("return.change.more", count=hidden))
    return write.text("return.since.changed", **before), write.sentence(write.listed(items))


def _line_change(change: LineChange, write: Writer) -> str:
    dash = write.text("return.dash")
    values = {
        "line": write.line_name(change.line),
        "before": change.before or dash,
        "after": change.after or dash,
    }
    if not change.reason:
        return write.text("return.since.item", **values)
    return write.text("return.since.reasoned", **values, reason=write.cut(change.reason, REASON_SHOWN))


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
    """`门卫值守（9月28—29日）新增3条；…`: alike changes of a line are told together."""
    alike: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        alike.setdefault((change.line, change.kind), []).append(change)
    shown = list(alike.values())[:CHANGES_SHOWN]
    items = [_alike(same, write) for same in shown]
    hidden = len(changes) - sum(len(same) for same in shown)
    if hidden:
        items.append(write.text("return.change.more", count=hidden))
    return (" " if write.lang == "en" else "") + write.sentence(write.listed(items))


def _alike(changes: list[Change], write: Writer) -> str:
    first = changes[0]
    days = write.spans(spans_of(sorted({change.happened_on for change in changes})))
    kind = write.text(f"return.change.{first.kind}", count=len(changes))
    return write.text("return.change.item", kind=kind, line=write.fact_name(first.line), date=days)


def _evidence(document: ReturnDocument, write: Writer) -> tuple[tuple[str, str, bool], ...]:
    """(label, value, whether the value is a digest)."""
    head = document.chain_head
    chain = write.text("return.none")
    if head is not None:
        chain = f"{head.digest} {write.text('return.evidence.chain_lines', lines=head.lines)}"
    values: tuple[tuple[str, str, bool], ...] = (
        ("facts_digest", document.facts_digest, True),
        ("chain_head", chain, head is not None),
        (
            "previous",
            document.previous_digest or write.text("return.evidence.first"),
            bool(document.previous_digest),
        ),
        ("standards", document.standards, False),
        ("entries", str(len({fact.id for fact in document.facts})), False),
        ("made_at", write.moment(document.made_at), False),
        ("file", write.text("return.evidence.file_note", schema=document.schema), False),
    )
    return tuple((write.text(f"return.evidence.{name}"), value, digest) for name, value, digest in values)
