"""Whether a sealed return's pages say what its data say: drawn again from the data, and compared."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pikepdf

from reports.document import ReturnDocument
from reports.drawing.edition import mark
from reports.kinds import RenderJob, ReturnJob, RollupJob
from reports.pdf import Renderer, RenderError
from reports.rollup.document import RollupDocument
from reports.sealing.sealed_pdf import Content
from reports.verification.page_text import words_of

PAGE_MARK = re.compile("—[0-9]{1,3}—")
"""The number of a page; how pages break may differ where fonts do."""


@dataclass(frozen=True, slots=True)
class PageCheck:
    """How the pages were compared (see `Verdict.page`), and the codes of what is wrong with them."""

    how: Literal["same", "words", "figures"]
    reasons: tuple[str, ...] = ()


async def check_pages(content: Content, drawn: bytes, renderer: Renderer) -> PageCheck:
    """Compare the pages with the data.

    Drawn again by the same edition, the file is the same to the byte; with other fonts at least its words are. Of a
    file that another edition drew, the figures of the data must be on its pages.
    """
    try:
        if content.generator != mark():
            said = _figures_are_on(words_of(drawn), content.document, content.lang)
            return PageCheck("figures", () if said else ("page",))
        again = await renderer.render(_job(content))
        if again == drawn:
            return PageCheck("same")
        return PageCheck("words", () if _words(again) == _words(drawn) else ("page",))
    except RenderError:
        return PageCheck("words", ("page-not-drawn",))
    except (pikepdf.PdfError, ValueError, KeyError, AttributeError, IndexError, TypeError):
        return PageCheck("words", ("page",))


def _job(content: Content) -> RenderJob:
    lang: Literal["zh", "en"] = "en" if content.lang == "en" else "zh"
    if isinstance(content.document, RollupDocument):
        return RollupJob(content.document, lang)
    return ReturnJob(content.document, lang, _verify_url(content))


def _words(pdf: bytes) -> str:
    return PAGE_MARK.sub("", words_of(pdf))


def _verify_url(content: Content) -> str:
    """Where the QR code leads, as its alternative words say."""
    place = re.compile(r"https?://[^\s/]+/verify\?d=" + content.document.facts_digest)
    found = (place.search(text) for text in content.links)
    return next((match.group() for match in found if match), "")


def _figures_are_on(words: str, document: ReturnDocument | RollupDocument, lang: str) -> bool:
    if isinstance(document, RollupDocument):
        means = document.figures.means
        scores = [text for school in document.schools for text in (school.own, school.adjusted)]
        figures = [means.own, means.own_without, means.adjusted, means.adjusted_without, *scores]
        return _as_often(words, [document.facts_digest, *filter(None, figures)])
    score = document.score
    if score.grade and lang == "zh" and not re.search(f"(?<!不){score.grade}", words):
        return False
    wanted = [document.facts_digest, document.period.id[:4], score.total or ""]
    wanted += [document.chain_head.digest] if document.chain_head else []
    for group in score.groups:
        scored = [line for line in group.lines if line.applies]
        wanted += [text for line in scored for text in (line.points, line.max)]
        wanted += [group.points, group.max] if scored else []
    return _as_often(words, wanted)


def _as_often(words: str, wanted: Sequence[str]) -> bool:
    """Whether each text is there at least as often as in all that is wanted: an altered figure leaves one too few,
    even if another line has the same, or one that contains it.
    """
    together = "\n".join(wanted)
    return all(words.count(text) >= together.count(text) for text in set(wanted))
