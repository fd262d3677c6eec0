"""A school's return as its pages show it: the draft, the sealed versions, what changed between them, the correction."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from litestar import Response

from reports import actions
from reports.compile import INCIDENTS, PRINTED_AS
from reports.delivery import tracking
from reports.delivery.tracking import Track
from reports.document import Fact, ReturnDocument
from reports.life import actions as life
from reports.life import causes, checking, scans, standing
from reports.life.diff import FactDiff, causes_between, facts_between, lines_between
from reports.life.rules import answered_by
from reports.life.standing import Opened, Version
from reports.page_parts import grade_names, view_of
from reports.press import file_of
from safety import in_use
from safety.calendar import Period
from safety.duties import ZERO, close_at
from safety.errors import NotFound
from safety.ledger.declare import Ledger
from safety.ledger.feeds import feeds_by_line
from safety.places.facts import school_facts
from safety.web.forms import FormState
from safety.web.pages import page
from safety.web.visit import WebRequest, visit_of

Page = Response[str]
MENDERS = frozenset({"officer", "principal", "leader"})
"""Whom the findings of a draft lead to the forms; others only read them."""
FACTS_SHOWN = 60
"""How many changed facts of a ledger a page lists; the rest is counted."""


# ---------------------------------------------------------------- the draft, or the newest version
async def show_return(
    request: WebRequest, base: str, period: Period, form: FormState, status: int = 200
) -> Page:
    """The newest sealed version of a quarter; before its close the draft."""
    visit = visit_of(request)
    versions = await standing.versions(visit.viewer, visit.school, period)
    if versions:
        return await show_version(request, base, period, versions[0].sent.version, form, status)
    given = await _given(base, period, visit.school, form)
    if not actions.may_be_drafted(period, visit.now):
        closed = visit.now >= close_at(period)
        return page(request, "return_none.html", status, **given, closed=closed, days=actions.DRAFT_DAYS)
    draft, findings = await checking.checked(visit.viewer, visit.school, period, visit.now)
    return page(
        request,
        "return_draft.html",
        status,
        **given,
        **_causes(request, draft),
        document=draft,
        view=view_of(request, draft),
        findings=findings,
        may_sign="principal" in visit.viewer.roles_at(visit.school),
        may_mend=bool(visit.viewer.roles_at(visit.school) & MENDERS),
    )


async def _given(base: str, period: Period, school: int, form: FormState) -> dict[str, Any]:
    facts = await school_facts(school)
    return {"facts": facts, "base": base, "period": period, "form": form, "closes_at": close_at(period)}


def _causes(request: WebRequest, document: ReturnDocument) -> dict[str, Any]:
    """What the form of causes is drawn from."""
    visit = visit_of(request)
    return {
        "cause_lines": causes.lines_asking(document),
        "causes": {cause.line: cause.text for cause in document.causes},
        "cause_length": causes.LENGTH,
        "may_explain": bool(visit.viewer.roles_at(visit.school) & causes.WRITERS),
    }


# ---------------------------------------------------------------- one version
async def show_version(
    request: WebRequest, base: str, period: Period, number: int, form: FormState, status: int = 200
) -> Page:
    """A sealed version, its receipt, the bureau's word; of the newest also what later entries would change."""
    visit = visit_of(request)
    versions = await standing.versions(visit.viewer, visit.school, period)
    version = _version(versions, number)
    document = await standing.document(version)
    newest = version is versions[0]
    kept = await scans.of_return(visit.viewer, visit.school, period)
    return page(
        request,
        "return_sealed.html",
        status,
        **await _given(base, period, visit.school, form),
        document=document,
        view=view_of(request, document),
        sent=version.sent,
        answers=answered_by(
            number, {each.sent.version: each.ruling.outcome for each in versions if each.ruling}
        ),
        printing=await _printing(request, period, version),
        version=version,
        versions=versions,
        newest=newest,
        later=await life.later_entries(document, visit.school, period, visit.now) if newest else None,
        opened=await standing.correction_of(version) if newest else None,
        scans=[scan for scan in kept if scan.version == number],
        scan_mib=scans.LARGEST // 1024**2,
        may_correct=bool(visit.viewer.roles_at(visit.school) & life.CORRECTORS),
        grade=grade_names(request),
    )


async def _printing(request: WebRequest, period: Period, version: Version) -> Track | None:
    """The message whose turn makes the version's file; None once there is one."""
    if await file_of(version.id) is not None:
        return None
    visit = visit_of(request)
    tracks = await tracking.of_return(visit.viewer, visit.school, period, request.app.state.upward)
    return next(track for track in tracks if track.version == version.sent.version)


def _version(versions: list[Version], number: int) -> Version:
    found = next((version for version in versions if version.sent.version == number), None)
    if found is None:
        raise NotFound
    return found


# ---------------------------------------------------------------- what changed
@dataclass(frozen=True, slots=True)
class LedgerDiff:
    """The changed facts of one ledger (None: its line has none here any more); `hidden` are counted and not listed."""

    ledger: Ledger | None
    facts: tuple[FactDiff, ...]
    hidden: int


async def show_changes(request: WebRequest, base: str, period: Period, number: int) -> Page:
    """What a version changed of the one before: line by line, fact by fact, cause by cause."""
    visit = visit_of(request)
    versions = await standing.versions(visit.viewer, visit.school, period)
    version = _version(versions, number)
    after = await standing.document(version)
    before = await standing.document(_version(versions, number - 1)) if number > 1 else None
    return page(
        request,
        "return_changes.html",
        **await _given(base, period, visit.school, FormState()),
        version=version,
        document=after,
        **_changes(before, after),
    )


def _changes(before: ReturnDocument | None, after: ReturnDocument) -> dict[str, Any]:
    if before is None:
        return {"before": None, "lines": (), "ledgers": (), "reworded": ()}
    return {
        "before": before,
        "lines": lines_between(before.score, after.score),
        "ledgers": _by_ledger(facts_between(before.facts, after.facts)),
        "reworded": causes_between(before, after),
    }


def _by_ledger(found: Iterable[FactDiff]) -> tuple[LedgerDiff, ...]:
    parts = []
    for ledger, several in groupby(
        sorted(found, key=lambda d: _ledger_name(d.fact)), key=lambda d: _ledger_name(d.fact)
    ):
        facts = list(several)
        parts.append(
            LedgerDiff(in_use.registry().get(ledger), tuple(facts[:FACTS_SHOWN]), len(facts[FACTS_SHOWN:]))
        )
    return tuple(parts)


def _ledger_name(fact: Fact) -> str:
    """The ledger that a fact's entry lies in."""
    if fact.line == INCIDENTS:
        return INCIDENTS
    feeds = feeds_by_line(in_use.registry())
    found = feeds.get(ZERO if fact.line == PRINTED_AS[ZERO] else fact.line)
    return found[0].name if found else ""


# ---------------------------------------------------------------- the correction
async def show_correction(
    request: WebRequest, base: str, period: Period, form: FormState, status: int = 200
) -> Page:
    """What the bureau asked for, what the next version would change, and the form that makes it."""
    visit = visit_of(request)
    versions = await standing.versions(visit.viewer, visit.school, period)
    if not versions:
        raise NotFound
    opened = await standing.correction_of(versions[0])
    roles = visit.viewer.roles_at(visit.school)
    return page(
        request,
        "return_correction.html",
        status,
        **await _given(base, period, visit.school, form),
        version=versions[0],
        opened=opened,
        may_prepare=bool(roles & life.CORRECTORS),
        may_sign="principal" in roles,
        reason_length=life.REASON_LENGTH,
        **(await _next(request, period, opened) if opened else {"draft": None}),
    )


async def _next(request: WebRequest, period: Period, opened: Opened) -> dict[str, Any]:
    visit = visit_of(request)
    draft = await life.next_draft(visit.viewer, visit.school, period, opened, visit.now)
    before = await standing.document(opened.corrects)
    return {"draft": draft, **_causes(request, draft), **_changes(before, draft)}
