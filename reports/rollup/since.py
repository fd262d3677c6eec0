"""What came after a roll-up was sealed and is not in it yet, told without making it anew."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from reports.bureau import adjustments
from reports.rollup import queries as rollup_queries
from reports.rollup.compile import points_of
from reports.rollup.document import Matter, Member, RollupDocument, RollupSchool
from safety.calendar import Period
from safety.database import fetch_tuples

Kind = Literal["arrived", "version", "adjusted", "matter", "rollup"]
SCHOOLS = "select id, code, name, name_en, bureau from school order by code"
ROLLUPS = "select sender, version, document from received_rollup where period = $1 order by sender, version"


@dataclass(frozen=True, slots=True)
class Since:
    """One change of a school or of a bureau below. `kind`: arrived (a return that had been missing), version (a newer
    one of a return), adjusted, matter (sent back, appealed or answered), rollup (a bureau below sent a newer one).
    """

    name: str
    name_en: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class _Now:
    """A school as things stand."""

    version: int | None
    adjusted: int | None
    matters: frozenset[Matter]


async def changes_since(bureau_id: int, period: Period, sealed: RollupDocument) -> tuple[Since, ...]:
    """What a further version of a bureau's roll-up would say otherwise of its schools and of the bureaus below."""
    near, far = await rollup_queries.own_and_remote(bureau_id)
    schools = [row for row in await fetch_tuples(None, SCHOOLS) if row[4] in near]
    codes = {row[0]: row[1] for row in schools}
    newest = dict(await fetch_tuples(None, rollup_queries.NEWEST, [period.id]))
    adjusted = await adjustments.adjusted_totals(list(codes), period)
    before, matters = _by_school(sealed.matters), _by_school(await rollup_queries.matters_of(codes, period))
    kept = {school.code: school for school in sealed.schools}
    found: list[Since] = []
    for id_, code, name, name_en, _ in schools:
        now = _Now(newest.get(code), adjusted.get(id_), frozenset(matters[code]))
        kinds = _kinds(kept.get(code), frozenset(before[code]), now)
        found += [Since(name, name_en, kind) for kind in kinds]
    members = {member.code: member for member in sealed.members}
    return (*found, *await _rollups(members, far, period))


def _by_school(matters: Iterable[Matter]) -> defaultdict[str, set[Matter]]:
    found: defaultdict[str, set[Matter]] = defaultdict(set)
    for matter in matters:
        found[matter.school].add(matter)
    return found


def _kinds(kept: RollupSchool | None, before: frozenset[Matter], now: _Now) -> list[Kind]:
    version = kept.version if kept else None
    found: list[Kind] = []
    if now.version != version:
        found.append("version" if version else "arrived")
    # A score is adjusted beside a return; without one there is nothing that a roll-up would show.
    if now.version and points_of(now.adjusted) != (kept.adjusted if kept else None):
        found.append("adjusted")
    # A matter that moves with a new version or with an adjustment is the same change.
    return found or (["matter"] if now.matters != before else [])


async def _rollups(kept: Mapping[str, Member], far: Mapping[str, str], period: Period) -> list[Since]:
    newer = {
        sender: text
        for sender, version, text in await fetch_tuples(None, ROLLUPS, [period.id])
        if sender in far and version > ((kept[sender].version or 0) if sender in kept else 0)
    }
    # One that cannot be read would not be in a further version either.
    return [
        Since(far[sender], "", "rollup")
        for sender, text in newer.items()
        if rollup_queries.read_received(text) is not None
    ]
