"""Whether a roll-up's figures are what its own schools and members come to (PURE)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reports.rollup.compile import added, figures_of, hundredths
from reports.rollup.document import Figures, Member, RollupDocument, RollupSchool, Trend
from safety.sheet import ScoringSheet
from safety.standards import NoStandard, Standards


def disagreements(document: RollupDocument, standards: Standards) -> list[str]:
    """Stable codes of what does not agree: `rollup-figures`, `rollup-members`, `rollup-grades`, `rollup-trend`.

    `standards-unknown` in their place, where another version of the standards graded it and the grades differ.
    """
    try:
        sheet = ScoringSheet.from_standards(standards, document.period.ends)
    except NoStandard:
        return ["standards-unknown"]
    found = [*_figures(document, [step.name("zh") for step in sheet.grades])]
    if any(not _graded(school, sheet) for school in document.schools):
        found.append("rollup-grades" if document.standards == sheet.version else "standards-unknown")
    return found


def _figures(document: RollupDocument, grades: Sequence[str]) -> Iterator[str]:
    children: dict[str, list[Member]] = {member.parent: [] for member in document.members}
    for member in document.members:
        children[member.parent].append(member)
    known = {document.bureau.code, *(member.code for member in document.members)}
    if not set(children) <= known or {school.bureau for school in document.schools} - known:
        yield "rollup-members"
        return

    def comes_to(code: str) -> Figures:
        own = figures_of((school for school in document.schools if school.bureau == code), grades)
        return added([own, *(member.figures for member in children.get(code, []))], grades)

    if any(not _sound(member, comes_to(member.code)) for member in document.members):
        yield "rollup-members"
    if document.figures != comes_to(document.bureau.code):
        yield "rollup-figures"
    figures = document.figures
    last = Trend(
        period=document.period.id, schools=figures.schools, missing=figures.missing, means=figures.means
    )
    if document.trend[-1:] != (last,):
        yield "rollup-trend"


def _sound(member: Member, comes_to: Figures) -> bool:
    """One of this instance is the sum of its schools; of one that sent a roll-up the means follow from the sums."""
    return member.figures == (comes_to if member.source == "own" else added([member.figures]))


def _graded(school: RollupSchool, sheet: ScoringSheet) -> bool:
    scores = ((school.own, school.grade), (school.adjusted, school.adjusted_grade))
    return all(
        grade == (None if score is None else sheet.grade(hundredths(score), school.veto).name("zh"))
        for score, grade in scores
    )
