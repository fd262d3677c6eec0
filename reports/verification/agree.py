"""Whether a return agrees with what its own inputs come to (PURE)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from reports.compile import Making, compile_return, named_once
from reports.document import ReturnDocument, Score, ScoreLine
from reports.verification.recompute import Contradiction, rebuild
from safety.standards import NoStandard, Standards

DERIVED = (
    "period",
    "school",
    "profile",
    "added",
    "tested_as_closed",
    "facts",
    "exceptions",
    "provisional_years",
)
"""Parts that must come out as they went in; score, incidents, counts and rules are compared on their own."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Something that a return says and its inputs do not: a stable code, and what goes into its sentence."""

    code: str
    values: dict[str, Any] = field(default_factory=dict)


def disagreements(document: ReturnDocument, standards: Standards) -> list[Disagreement]:
    """All that the attached inputs do not bear out, under these standards.

    Where the return names another version of the standards than this one, only the numbers are compared, and a
    difference is told as `standards-unknown`: that version's program has to decide.
    """
    try:
        again = _again(document, standards)
    except Contradiction as error:
        return [Disagreement(error.code, error.values)]
    except NoStandard:
        return [Disagreement("standards-unknown", {"standards": document.standards})]
    found = list(_differences(document, again))
    if found and again.standards != document.standards:
        return [Disagreement("standards-unknown", {"standards": document.standards})]
    return found


def _again(document: ReturnDocument, standards: Standards) -> ReturnDocument:
    """The return compiled from its own inputs; what only people can say is taken over."""
    made = Making(bureau=document.bureau, made_at=document.made_at)
    return compile_return(rebuild(document, standards), made)


def _differences(document: ReturnDocument, again: ReturnDocument) -> Iterator[Disagreement]:
    for name in DERIVED:
        if getattr(document, name) != getattr(again, name):
            yield Disagreement("part", {"part": name})
    same = document.standards == again.standards
    # Returns of earlier versions name entries in the score that are among the facts.
    yield from _lines(named_once(document.score, document.facts), again.score, same_standards=same)
    yield from _incidents(document, again)
    if (document.late, document.backfilled) != (again.late, again.backfilled):
        yield Disagreement("counts")
    if document.standards != document.score.standards:
        yield Disagreement("part", {"part": "standards"})
    if same and document.rules != again.rules:
        yield Disagreement("part", {"part": "rules"})


# ---------------------------------------------------------------- the score
def _lines(said: Score, found: Score, *, same_standards: bool) -> Iterator[Disagreement]:
    if (said.total, said.grade) != (found.total, found.grade):
        yield Disagreement("total", {"said": said.total or "—", "found": found.total or "—"})
    for before, after in zip(_all(said), _all(found), strict=False):
        if before != after and (same_standards or _figures(before) != _figures(after)):
            yield Disagreement("line", {"line": before.id, "said": before.points, "found": after.points})
    if (same_standards and _rest(said) != _rest(found)) or (said.veto, said.penalties) != (
        found.veto,
        found.penalties,
    ):
        yield Disagreement("part", {"part": "score"})


def _all(score: Score) -> list[ScoreLine]:
    return [line for group in score.groups for line in group.lines]


def _figures(line: ScoreLine) -> ScoreLine:
    return msgspec.structs.replace(line, source="")


def _rest(score: Score) -> Score:
    """The score less what is told by itself."""
    groups = tuple(
        msgspec.structs.replace(group, lines=tuple(_bare(line) for line in group.lines))
        for group in score.groups
    )
    return msgspec.structs.replace(score, groups=groups, total=None, grade=None)


def _bare(line: ScoreLine) -> ScoreLine:
    return msgspec.structs.replace(line, applies=True, expected=0, on_time=0, late=0, backfilled=0, missing=0, open=0,
                                   points="0.00", max="0.00", status="full", source="", entries=())  # fmt: skip


# ---------------------------------------------------------------- incidents
def _incidents(document: ReturnDocument, again: ReturnDocument) -> Iterator[Disagreement]:
    said = {item.id: item for item in document.incidents}
    found = {item.id: item for item in again.incidents}
    for id_ in sorted(said.keys() | found.keys()):
        before, after = said.get(id_), found.get(id_)
        if before is None or after is None or before != after:
            yield Disagreement("incident", {"incident": id_})
