"""Schools as the rules see them, read from storage and kept as long as their revision stands."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from safety.calendar import SchoolCalendar, TermSpan
from safety.database import current_engine, fetch_tuples
from safety.errors import NotFound
from safety.facts import ClassFacts, SchoolFacts, labelled

SCHOOLS = """select id, revision, code, name, name_en, stage, has_canteen, meals, bureau, made_up, enrolment
from school where id in ({ids}) order by id"""
TERMS = "select school, name, starts, ends from term where school in ({ids}) order by school, starts"
CLOSURES = "select school, day, kind from closure where school in ({ids})"
CLASSES = """select school, id, name, first_day, last_day, pupils from school_class
where school in ({ids}) order by school, id"""
HEADCOUNTS = """select school, school_class, recorded_at, pupils from headcount
where school in ({ids}) order by recorded_at, id"""

ZONES = """select z.school, z.id, c.name, z.name from zone z join campus c on c.id = z.campus
where z.school in ({ids}) order by z.school, z.id"""
CHUNK = 500
_EPOCH = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
_kept: dict[tuple[int, int], tuple[int, SchoolFacts]] = {}


async def school_facts(school_id: int) -> SchoolFacts:
    """The facts of one school. Raises NotFound if there is no such school."""
    found = await facts_of([school_id])
    if school_id not in found:
        raise NotFound
    return found[school_id]


async def facts_of(school_ids: Sequence[int]) -> dict[int, SchoolFacts]:
    """The facts of many schools by id; unknown ids are left out. Unchanged schools cost one row each."""
    found: dict[int, SchoolFacts] = {}
    for start in range(0, len(school_ids), CHUNK):
        found.update(await _chunk(school_ids[start : start + CHUNK]))
    return found


async def _chunk(ids: Sequence[int]) -> dict[int, SchoolFacts]:
    engine = id(current_engine())
    rows = await _fetch(SCHOOLS, ids)
    stale = [row for row in rows if _kept.get((engine, row[0]), (None,))[0] != row[1]]
    if stale:
        for facts, row in zip(await _read(stale), stale, strict=True):
            _kept[engine, row[0]] = row[1], facts
    return {row[0]: _kept[engine, row[0]][1] for row in rows}


async def _fetch(sql: str, ids: Sequence[int]) -> list[tuple[Any, ...]]:
    places = ", ".join(f"${n + 1}" for n in range(len(ids)))
    return await fetch_tuples(None, sql.format(ids=places), list(ids)) if ids else []


async def _read(rows: Sequence[tuple[Any, ...]]) -> list[SchoolFacts]:
    ids = [row[0] for row in rows]
    terms = _grouped(await _fetch(TERMS, ids))
    closures = _grouped(await _fetch(CLOSURES, ids))
    classes = _grouped(await _fetch(CLASSES, ids))
    counts = _grouped(await _fetch(HEADCOUNTS, ids))
    zones = _grouped(await _fetch(ZONES, ids))
    parts = (terms, closures, classes, counts, zones)
    return [_facts(row, *(part[row[0]] for part in parts)) for row in rows]


def _grouped(rows: Iterable[tuple[Any, ...]]) -> dict[int, list[tuple[Any, ...]]]:
    found: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for school, *rest in rows:
        found[school].append(tuple(rest))
    return found


Tuples = list[tuple[Any, ...]]


def _facts(
    row: tuple[Any, ...], terms: Tuples, closures: Tuples, classes: Tuples, counts: Tuples, zones: Tuples
) -> SchoolFacts:
    school, _, code, name, name_en, stage, has_canteen, meals, bureau, made_up, enrolment = row
    sizes: dict[int | None, list[tuple[datetime, int]]] = defaultdict(list)
    for school_class, recorded_at, pupils in counts:
        sizes[school_class].append((recorded_at, pupils))
    return SchoolFacts(
        id=school,
        code=code,
        name=name,
        name_en=name_en,
        stage=stage,
        has_canteen=bool(has_canteen),
        meals=tuple(meal for meal in meals.split("+") if meal),
        enrolments=tuple(sizes[None]) or ((_EPOCH, enrolment),),
        calendar=_calendar(terms, closures),
        classes=tuple(
            ClassFacts(id_, label, first, last, tuple(sizes[id_]) or ((_EPOCH, pupils),))
            for id_, label, first, last, pupils in classes
        ),
        bureau=bureau,
        made_up=bool(made_up),
        zones=labelled([(id_, campus, name) for id_, campus, name in zones]),
    )


def _calendar(terms: Tuples, closures: Tuples) -> SchoolCalendar:
    return SchoolCalendar(
        terms=tuple(TermSpan(name, starts, ends) for name, starts, ends in terms),
        closed=frozenset(day for day, kind in closures if kind == "closed"),
        extra=frozenset(day for day, kind in closures if kind == "extra"),
    )
