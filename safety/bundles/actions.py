"""Taking a bundle in: one transaction, all of it or nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from safety import in_use
from safety.access.scope import Scope
from safety.audit.actions import append
from safety.bundles import places_in
from safety.bundles.entries_in import Entries
from safety.bundles.events_in import Events
from safety.bundles.files import EVENTS, PLACE_FILES, specs
from safety.bundles.people_in import People
from safety.bundles.reading import Sheet, read_folder
from safety.bundles.work import Count, Progress, Work, quarters_of, quiet
from safety.database import execute_many, fetch_tuples, transaction
from safety.errors import BadInput, NotAllowed, Problem
from safety.ledger.tallies import LONGEST, rebuild, rebuild_all
from safety.places.rows import new_revision

TAKERS: dict[str, Callable[[Work, Sheet], Awaitable[None]]] = {
    "bureaus": places_in.take_bureaus,
    "schools": places_in.take_schools,
    "campuses": places_in.take_campuses,
    "zones": places_in.take_zones,
    "terms": places_in.take_terms,
    "closures": places_in.take_closures,
    "headcounts": places_in.take_headcounts,
    "classes": places_in.take_classes,
}
RENEW = "update school set revision = $2 where id = $1"
# Head-counts are read before the schools and classes whose history they are.
ORDER = ("headcounts", "bureaus", "schools", "campuses", "zones", "terms", "closures", "classes")


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did (or, with `dry_run`, would have done), by file."""

    files: Mapping[str, Count]
    dry_run: bool

    @property
    def new(self) -> int:
        return sum(count.new for count in self.files.values())

    @property
    def changed(self) -> int:
        return sum(count.changed for count in self.files.values())

    @property
    def unchanged(self) -> int:
        return sum(count.unchanged for count in self.files.values())


class _DryRun(Exception):
    """Leaves the transaction with everything done, so that nothing of it stays."""


async def import_bundle(
    actor: Scope | None,
    folder: Path,
    now: datetime,
    *,
    dry_run: bool = False,
    progress: Progress = quiet,
) -> Imported:
    """Take in a folder (or one file) of tables. `actor` None is the shell, which may do what an administrator may.

    Raises BadInput with every bad cell as a problem whose field is `file:row:column` (the header is row 1; row 0 and
    an empty column mean the file or the row as a whole), rows of a school whose ledger the person may not write
    among them; NotAllowed for places and people.
    """
    sheets, problems = await asyncio.to_thread(read_folder, folder, specs(in_use.registry()))
    if not sheets and not problems:
        raise BadInput.one(str(folder), "bundle-empty")
    return await import_sheets(actor, sheets, now, problems=problems, dry_run=dry_run, progress=progress)


async def import_sheets(
    actor: Scope | None,
    sheets: Mapping[str, Sheet],
    now: datetime,
    *,
    problems: Sequence[Problem] = (),
    dry_run: bool = False,
    progress: Progress = quiet,
) -> Imported:
    """Take in tables that are read already. Raises as `import_bundle`."""
    if any(_stem(found) in PLACE_FILES for found in problems):
        # What refers to the rows of a file that cannot be read is not wrong for that.
        raise BadInput(_in_order(problems, sheets))
    work = Work(actor, now, progress, list(problems))
    if not work.may_all and sheets.keys() & {*PLACE_FILES, EVENTS.name}:
        raise NotAllowed
    try:
        async with transaction():
            await _take(work, sheets)
            if work.problems:
                raise BadInput(_in_order(work.problems, sheets))
            await _count_anew(work)
            await _write_trail(work)
            if dry_run:
                raise _DryRun
    except _DryRun:
        pass
    return Imported(
        {name: work.counts.get(name, Count()) for name in specs(in_use.registry()) if name in sheets}, dry_run
    )


async def _take(work: Work, sheets: Mapping[str, Sheet]) -> None:
    await places_in.load_places(work)
    for name in ORDER:
        if name in sheets:
            await TAKERS[name](work, sheets[name])
    await places_in.finish_headcounts(work)
    await _renew(work)
    if "people" in sheets or work.teachers:
        people = People(work)
        await people.load()
        if "people" in sheets:
            await people.take(sheets["people"])
        await people.take_teachers()
    await _take_ledgers(work, sheets)


async def _take_ledgers(work: Work, sheets: Mapping[str, Sheet]) -> None:
    registry = in_use.registry()
    logins = dict(await fetch_tuples(None, "select login, id from account"))
    for ledger in registry:
        if ledger.name in sheets:
            await Entries(work, sheets[ledger.name], ledger, logins).take()
    # Events name entries of this bundle, which are not there once anything was wrong.
    if EVENTS.name in sheets and not work.problems:
        await Events(work, sheets[EVENTS.name], registry, logins).take()


async def _renew(work: Work) -> None:
    await execute_many(None, RENEW, [[id_, new_revision()] for id_ in sorted(work.renewed)])


async def _count_anew(work: Work) -> None:
    """The tallies of every quarter that the bundle bears on, once."""
    schools = sorted({*work.touched, *(work.renewed - work.new_schools)})
    for done, school in enumerate(schools):
        work.progress("tallies", done, len(schools))
        for period in quarters_of(work.touched.get(school, ()), LONGEST):
            await rebuild(school, period, work.now)
        if school in work.renewed and school not in work.new_schools:
            await rebuild_all(school, work.now)


async def _write_trail(work: Work) -> None:
    for (file, school), told in sorted(work.chains.items(), key=lambda item: (item[0][0], item[0][1] or 0)):
        facts = {"new": told.new, "changed": told.changed, "sha256": told.hash.hexdigest()}
        await append(school, work.actor, "bundle.import", f"file:{file}", facts, work.now)


def _stem(found: Problem) -> str:
    return (found.field or "").partition(":")[0].partition(".")[0]


def _in_order(problems: Sequence[Problem], sheets: Mapping[str, Sheet]) -> list[Problem]:
    """By file in the order of taking in, then by row, then by column as they stand in the file."""
    order = {name: place for place, name in enumerate(specs(in_use.registry()))}
    files = {sheet.file: (order[name], sheet.columns) for name, sheet in sheets.items()}

    def key(found: Problem) -> tuple[int, str, int, int]:
        file, _, rest = (found.field or "").partition(":")
        row, _, column = rest.partition(":")
        place, columns = files.get(file, (order.get(_stem(found), -1), ()))
        across = columns.index(column) if column in columns else -1
        return place, file, int(row) if row.isdecimal() else 0, across

    return sorted(problems, key=key)
