"""The kinds of document that the workers draw: what of each goes to a worker, and what its page is made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec

from reports.canonical import canonical
from reports.document import ReturnDocument
from reports.view import view
from reports.wording import Text

Language = Literal["zh", "en"]
ATTACHMENT = "return.json"


class ReturnJob(msgspec.Struct, frozen=True, tag="return"):
    """A return to be drawn. `verify_url`: where its QR code leads; empty where it has none."""

    document: ReturnDocument
    lang: Language = "zh"
    verify_url: str = ""


RenderJob = ReturnJob
"""Every kind, told apart by its tag. A further kind joins here with `|`, and has its case in `sheet`."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A file inside the PDF. `relationship` is PDF's AFRelationship."""

    name: str
    content: bytes
    description: str
    relationship: Literal["Data", "Supplement"]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A document ready for its template. `template` names the HTML and the CSS; `view` is what it prints."""

    template: str
    view: Any
    made_at: datetime
    attached: tuple[Attached, ...]


def sheet(job: RenderJob, text: Text) -> Sheet:
    """What the page of a job is made of, in the job's language."""
    match job:
        case ReturnJob(document=document):
            data = Attached(ATTACHMENT, canonical(document), document.schema, "Data")
            return Sheet("return", view(document, job.lang, text, job.verify_url), document.made_at, (data,))
