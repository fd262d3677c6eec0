"""What decisions on a return come to, and what a clerk is told before deciding (PURE)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeVar

from safety.scoring import decimal

Key = TypeVar("Key")
Outcome = Literal["accepted", "returned", "withdrawn"]
ACCEPTED: Final = "accepted"
RETURNED: Final = "returned"
WITHDRAWN: Final = "withdrawn"
"""An acceptance made in error is taken back: the return waits for a decision again."""


def holding(said: Iterable[tuple[Key, str]]) -> dict[Key, str]:
    """What holds of the outcomes that were given, oldest first: the last by key; after a withdrawal nothing does."""
    return {key: outcome for key, outcome in dict(said).items() if outcome != WITHDRAWN}


def answered_by(version: int, outcomes: Mapping[int, str]) -> int | None:
    """The returned version that a version answers: the last one before it that was decided on. `outcomes`: what holds,
    by version.
    """
    before = max((number for number in outcomes if number < version), default=0)
    return before if outcomes.get(before) == RETURNED else None


# ---------------------------------------------------------------- what a clerk is told before deciding
FAIL: Final = "不合格"
NOTED_FALL = 500
"""From how many hundredths of a point below the quarter before a fall is noted. A default of this product."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to look at: `code` names its sentence, `values` fill it.

    `seen`: where it is seen, beneath the school's own address; empty where nothing of it is kept here. `holds`:
    somebody opens the return before it is accepted.
    """

    code: str
    values: Mapping[str, object] = field(default_factory=dict)
    seen: str = ""
    holds: bool = True


@dataclass(frozen=True, slots=True)
class Veto:
    """Why the sealed score is a fail whatever its total: `cause` by the incident of that id."""

    cause: str
    incident: str


@dataclass(frozen=True, slots=True)
class Live:
    """The score as the ledgers stand now: `total` in hundredths, how many occurrences were entered afterwards."""

    total: int | None
    backfilled: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a received return when a clerk decides on it; points in hundredths.

    `total`, `grade` and `veto` are the sealed ones. `status` and `live` are None for a return of another instance.
    `before`: the total of the quarter before; `queries`: inspectors' queries that wait for the school; `answers`: the
    returned version that this one answers.
    """

    period: str
    version: int
    status: str | None = None
    closed_late: bool = False
    total: int | None = None
    grade: str | None = None
    veto: Veto | None = None
    live: Live | None = None
    before: int | None = None
    queries: int = 0
    answers: int | None = None
    unchanged: bool = False


def remarks(found: Known) -> tuple[Remark, ...]:
    """What a clerk is told of a received return, what holds it back before the rest."""
    every = [*_of_version(found), *_of_return(found), *_of_now(found)]
    return tuple(sorted(every, key=lambda remark: not remark.holds))


def _of_version(found: Known) -> Iterator[Remark]:
    changes = f"returns/{found.period}/versions/{found.version}/changes" if found.status else ""
    if found.unchanged:
        yield Remark("unchanged-answer" if found.answers else "unchanged", {}, changes)
    if found.answers:
        yield Remark("answers", {"version": found.answers}, changes, holds=False)
    elif found.version > 1:
        yield Remark("corrected", {"version": found.version - 1}, changes)


def _of_return(found: Known) -> Iterator[Remark]:
    page = f"returns/{found.period}"
    if found.veto or found.grade == FAIL:
        yield _failed(found)
    if found.status in {"unsigned", "changed"}:
        yield Remark(found.status, {}, f"{page}#sign-off")
    if found.closed_late:
        yield Remark("closed-late", {}, f"{page}#standing")
    if found.total is not None and found.before is not None and found.before - found.total >= NOTED_FALL:
        values = {"points": decimal(found.before - found.total), "before": decimal(found.before)}
        yield Remark("fell", values, f"?period={found.period}#trend", holds=False)


def _failed(found: Known) -> Remark:
    if found.veto:
        seen = f"ledgers/incidents/{found.veto.incident}" if found.status else ""
        return Remark("veto", {"cause": found.veto.cause}, seen)
    total = "—" if found.total is None else decimal(found.total)
    return Remark("fail", {"total": total}, f"returns/{found.period}#score" if found.status else "")


def _of_now(found: Known) -> Iterator[Remark]:
    if found.live is not None and found.live.total != found.total:
        shown = {
            name: "—" if total is None else decimal(total)
            for name, total in (("sealed", found.total), ("live", found.live.total))
        }
        yield Remark("later", shown, f"returns/{found.period}#later")
    if found.queries:
        yield Remark("query", {"number": found.queries}, "notes")
    if found.live is not None and found.live.backfilled:
        yield Remark("backfilled", {"number": found.live.backfilled}, f"?period={found.period}", holds=False)
