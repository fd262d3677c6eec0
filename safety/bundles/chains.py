"""Versions of one entry in a bundle: who replaces whom, and which version times which (PURE)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from safety.calendar import Period
from safety.clock import local_day
from safety.errors import Problem
from safety.ledger.declare import Ledger, Values
from safety.measures import Version, first_alike


@dataclass(slots=True)
class Draft:
    """One row of a ledger's file, read; `row` 0 stands in the database already. `stated`: the file gave its id."""

    row: int
    id: UUID
    school: int
    values: Values
    recorded_at: datetime
    key: str = ""
    digest: str = ""
    supersedes: UUID | None = None
    voided_at: datetime | None = None
    why: str | None = None
    recorded_by: int | None = None
    on_behalf_of: int | None = None
    void_why: str | None = None
    voided_by: int | None = None
    superseded_by: UUID | None = None
    superseded_at: datetime | None = None
    timed_on: date = date.min
    stated: bool = False

    @property
    def day(self) -> date:
        found: date = self.values["happened_on"]
        return found


Found = Iterator[tuple[Draft, Problem]]


def link(drafts: Sequence[Draft], known: Mapping[UUID, Draft]) -> Found:
    """Mark every draft that another replaces; what cannot be replaced so is yielded with the row that asks for it."""
    by_id = {**known, **{draft.id: draft for draft in drafts}}
    for draft in drafts:
        if draft.supersedes is None:
            continue
        old = by_id.get(draft.supersedes)
        if old is None or old.school != draft.school:
            yield draft, Problem("supersedes", "supersedes-unknown", {"id": str(draft.supersedes)})
        elif old.superseded_by is not None:
            yield draft, Problem("supersedes", "supersedes-twice", {"id": str(draft.supersedes)})
        elif old.voided_at is not None:
            yield draft, Problem("supersedes", "supersedes-void", {"id": str(draft.supersedes)})
        elif draft.recorded_at < old.recorded_at:
            yield draft, Problem("recorded_at", "correction-before", {"id": str(draft.supersedes)})
        else:
            old.superseded_by, old.superseded_at = draft.id, draft.recorded_at
    yield from _circles(drafts, by_id)


def _circles(drafts: Sequence[Draft], by_id: Mapping[UUID, Draft]) -> Found:
    good: set[UUID] = set()
    for draft in drafts:
        path: list[UUID] = []
        at: Draft | None = draft
        while at is not None and at.id not in good:
            if at.id in path:
                yield draft, Problem("supersedes", "supersedes-circle")
                break
            path.append(at.id)
            at = by_id.get(at.supersedes) if at.supersedes else None
        good.update(path)


def time(ledger: Ledger, drafts: Sequence[Draft], known: Mapping[UUID, Draft]) -> None:
    """Set `timed_on`: the day of recording of the first version that stood for the same occurrence."""
    by_id = {**known, **{draft.id: draft for draft in drafts}}
    for draft in drafts:
        draft.timed_on = _timed_on(ledger.natural, draft, by_id)


def _timed_on(natural: Callable[[Values], Any], draft: Draft, by_id: Mapping[UUID, Draft]) -> date:
    own, mine, versions, at = local_day(draft.recorded_at), natural(draft.values), [], draft
    while at.supersedes is not None and at.supersedes in by_id:
        at = by_id[at.supersedes]
        same = natural(at.values) == mine
        versions.append(Version(at.day, None, local_day(at.recorded_at), None, valid=same))
    found = first_alike(versions[::-1], lambda version: version.valid, own, Period.of(draft.day).end)
    return found.recorded_on if found else own
