"""The kinds of document that the workers draw: what of each goes to a worker, and what its page is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec

from reports.canonical import canonical
from reports.document import ReturnDocument
from reports.layout.return_book import return_book
from reports.layout.view import view
from reports.layout.wording import Text
from reports.rollup import view as rollup_view
from reports.rollup.document import RollupDocument

Language = Literal["zh", "en"]
Texts = Callable[[Language], Text]
"""The catalogue in a language."""

ATTACHMENT = "return.json"
ROLLUP = "rollup.json"
WORKBOOK = "return.xlsx"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class ReturnJob(msgspec.Struct, frozen=True, tag="return"):
    """A return to be drawn. `verify_url`: where its QR code leads; empty where it has none."""

    document: ReturnDocument
    lang: Language = "zh"
    verify_url: str = ""


class RollupJob(msgspec.Struct, frozen=True, tag="rollup"):
    """A roll-up to be drawn."""

    document: RollupDocument
    lang: Language = "zh"


RenderJob = ReturnJob | RollupJob
"""Every kind, told apart by its tag. A further kind joins here with `|`, and has its case in `sheet`."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A file inside the PDF. `relationship` is PDF's AFRelationship."""

    name: str
    media_type: str
    content: bytes
    description: str
    relationship: Literal["Data", "Supplement"]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A document ready for its template. `template` names the HTML, `styles` the CSS; `view` is what it prints."""

    template: str
    view: Any
    made_at: datetime
    attached: tuple[Attached, ...]
    styles: tuple[str, ...] = ("return",)


def sheet(job: RenderJob, texts: Texts) -> Sheet:
    """What the page of a job is made of, in the job's language."""
    match job:
        case ReturnJob(document=document):
            shown = view(document, job.lang, texts(job.lang), job.verify_url)
            data = Attached(ATTACHMENT, "application/json", canonical(document), document.schema, "Data")
            book = return_book(document, texts("zh"), texts("en"))
            details = Attached(WORKBOOK, XLSX, book, shown.workbook, "Supplement")
            return Sheet("return", shown, document.made_at, (data, details))
        case RollupJob(document=document):
            rolled = rollup_view.view(document, job.lang, texts(job.lang))
            data = Attached(ROLLUP, "application/json", canonical(document), document.schema, "Data")
            return Sheet("rollup", rolled, document.made_at, (data,), ("return", "rollup"))
