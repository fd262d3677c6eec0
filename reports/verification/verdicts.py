"""A verdict in words, and as JSON."""

from __future__ import annotations

from typing import Any

from reports.document import ReturnDocument
from reports.layout.wording import Text
from reports.rollup.document import RollupDocument
from reports.sealing.keys import in_groups
from reports.verification.verify import Reason, Verdict
from safety.clock import ZONE


def sentence(reason: Reason, text: Text) -> str:
    """One reason, in the language of `text`."""
    values = {name: str(value) for name, value in reason.values.items()}
    return text(f"verify.reason.{reason.code}", **values)


def rows(verdict: Verdict, text: Text) -> list[tuple[str, str]]:
    """What a file says of itself, label and value; empty where its signature does not hold."""
    if verdict.sealed_at is None:
        return []
    at = f"{verdict.sealed_at.astimezone(ZONE):%Y-%m-%d %H:%M}"
    found = [
        (text("verify.sealed"), text("verify.sealed-by", at=at, name=verdict.sealed_by)),
        (text("verify.fingerprint"), in_groups(verdict.fingerprint)),
    ]
    document = verdict.document
    if isinstance(document, RollupDocument):
        means = document.figures.means
        found += [
            (text("verify.bureau"), f"{document.bureau.name.zh} {document.bureau.code}"),
            (
                text("verify.period"),
                text("verify.version", period=document.period.id, version=document.version),
            ),
            (text("verify.mean"), f"{means.own or '—'} / {means.own_without or '—'}"),
            (text("verify.standards"), document.standards),
            (text("verify.facts"), document.facts_digest),
        ]
    elif document is not None:
        school, score = document.school, document.score
        version = text("verify.version", period=document.period.id, version=document.version)
        found += [
            (text("verify.school"), f"{school.name.zh} {school.code}"),
            (text("verify.period"), version),
            (text("verify.score"), f"{score.total or '—'} {score.grade or ''}".strip()),
            (text("verify.signed"), _signed(document, text)),
            *_marks(document, text),
            (text("verify.standards"), document.standards),
            (text("verify.facts"), document.facts_digest),
        ]
    if verdict.page:
        found.append((text("verify.pages"), text(f"verify.page.{verdict.page}")))
    return found


def _signed(document: ReturnDocument, text: Text) -> str:
    name = document.sign_off.signer if document.sign_off else ""
    return text(f"verify.signed.{document.status}", name=name)


def _marks(document: ReturnDocument, text: Text) -> list[tuple[str, str]]:
    """What is printed at its head: a test, made-up data, a late close."""
    marks = {"test": document.test_clock, "made_up": document.made_up, "closed_late": document.closed_late}
    said = [text(f"return.flag.{mark}") for mark, holds in marks.items() if holds]
    return [(text("verify.marks"), text("return.comma").join(said))] if said else []


def as_json(verdict: Verdict, text: Text) -> dict[str, Any]:
    """The verdict for programs: codes stay, messages may change."""
    document = verdict.document
    returned = None if isinstance(document, RollupDocument) else document
    return {
        "genuine": verdict.genuine,
        "reasons": [
            {
                "code": reason.code,
                **{name: str(value) for name, value in reason.values.items()},
                "message": sentence(reason, text),
            }
            for reason in verdict.reasons
        ],
        "sealed_by": verdict.sealed_by,
        "fingerprint": verdict.fingerprint,
        "sealed_at": verdict.sealed_at.isoformat() if verdict.sealed_at else None,
        "page": verdict.page,
        "school": returned.school.code if returned else None,
        "bureau": document.bureau.code if document else None,
        "period": document.period.id if document else None,
        "version": document.version if document else None,
        "status": returned.status if returned else None,
        "standards": document.standards if document else None,
        "total": returned.score.total if returned else None,
        "grade": returned.score.grade if returned else None,
        "facts_digest": document.facts_digest if document else None,
    }
