"""Taking in bureaus, schools and what they consist of. A row that is known by its natural key is brought up to date."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from safety.bundles.files import FIELDS
from safety.bundles.reading import Sheet
from safety.bundles.work import Work
from safety.database import execute_many, fetch_tuples
from safety.places import rules
from safety.places.rows import HEADCOUNT, add_headcount, insert_row, new_revision, update_row

Values = dict[str, Any]
Row = tuple[int, Values]


def _rows(work: Work, sheet: Sheet) -> list[Row]:
    """The rows whose cells are all good, each with its number."""
    fields = FIELDS[sheet.name]
    found = ((number, work.read(sheet, number, raw, fields)) for number, raw in sheet.rows)
    return [(number, values) for number, values in found if values is not None]


def _once(work: Work, sheet: Sheet, seen: dict[Any, int], key: Any, row: int) -> bool:
    """Whether a key stands in this file for the first time; noted if not."""
    if key in seen:
        work.wrong(sheet, row, None, "row-twice", first=seen[key])
        return False
    seen[key] = row
    return True


def _spoil(work: Work, sheet: Sheet, kind: str, *columns: str) -> None:
    """Remember what every row of a file would have made, so that its absence is not held against other rows."""
    for _, raw in sheet.rows:
        work.spoiled.add((kind, *(raw.get(column, "").strip() for column in columns)))


async def _known(table: str, columns: Sequence[str]) -> list[tuple[Any, ...]]:
    return await fetch_tuples(None, f"select id, {', '.join(columns)} from {table}")  # noqa: S608


async def load_places(work: Work) -> None:
    """The codes that exist already."""
    work.bureaus = {code: id_ for id_, code in await _known("bureau", ["code"])}
    work.schools = {code: id_ for id_, code in await _known("school", ["code"])}


# ---------------------------------------------------------------- bureaus
BUREAU = ("code", "name", "parent", "made_up")


async def take_bureaus(work: Work, sheet: Sheet) -> None:
    """Bureaus, in whatever order parents and children stand."""
    _spoil(work, sheet, "bureau", "code")
    known = {row[1]: row for row in await _known("bureau", BUREAU)}
    codes = {row[0]: row[1] for row in known.values()}
    parents = {row[1]: codes.get(row[3]) for row in known.values()}
    seen: dict[Any, int] = {}
    good = []
    for number, values in _rows(work, sheet):
        work.all_wrong(sheet, number, rules.code_problem("code", values["code"]))
        if _once(work, sheet, seen, values["code"], number):
            parents[values["code"]] = values["parent"]
            good.append((number, values))
    for number, values in good:
        parent = values["parent"]
        if parent and parent not in parents and ("bureau", parent) not in work.spoiled:
            work.wrong(sheet, number, "parent", "place-unknown", place=parent)
        elif _circle(values["code"], parents):
            work.wrong(sheet, number, "parent", "parent-circle")
    if work.problems:
        return
    for _, values in sorted(good, key=lambda row: _depth(row[1]["code"], parents)):
        await _take_bureau(work, sheet, values, known.get(values["code"]))


async def _take_bureau(work: Work, sheet: Sheet, values: Values, row: tuple[Any, ...] | None) -> None:
    made_up = bool(row[4]) if row and values["made_up"] is None else values["made_up"] == "true"
    said = {
        "code": values["code"],
        "name": values["name"],
        "parent": work.bureaus.get(values["parent"]),
        "made_up": made_up,
    }
    if row is None:
        work.bureaus[values["code"]] = await insert_row("bureau", said)
    elif _same(row[1:], said):
        work.same(sheet.name)
        return
    else:
        await update_row("bureau", row[0], said)
    work.tell(sheet.name, None, list(values.values()), new=row is None)


def _same(row: Sequence[Any], said: Values) -> bool:
    return list(row) == list(said.values())


def _circle(code: str, parents: dict[str, str | None]) -> bool:
    seen, at = {code}, parents.get(code)
    while at is not None:
        if at in seen:
            return True
        seen.add(at)
        at = parents.get(at)
    return False


def _depth(code: str, parents: dict[str, str | None]) -> int:
    depth, at = 0, parents.get(code)
    while at is not None:
        depth, at = depth + 1, parents.get(at)
    return depth


# ---------------------------------------------------------------- schools
SCHOOL = (
    "code", "name", "name_en", "stage", "enrolment", "has_canteen", "meals", "boarding", "has_bus", "bureau", "made_up",
)  # fmt: skip


async def take_schools(work: Work, sheet: Sheet) -> None:
    _spoil(work, sheet, "school", "code")
    known = {row[1]: row for row in await _known("school", SCHOOL)}
    seen: dict[Any, int] = {}
    for number, values in _rows(work, sheet):
        meals, problems = rules.meals_of(values["meals"] or "")
        problems += rules.code_problem("code", values["code"])
        work.all_wrong(sheet, number, problems)
        bureau = work.bureaus.get(values["bureau"])
        if bureau is None and ("bureau", values["bureau"]) not in work.spoiled:
            work.wrong(sheet, number, "bureau", "place-unknown", place=values["bureau"])
        if _once(work, sheet, seen, values["code"], number) and not problems and bureau is not None:
            said = _school(values, "+".join(meals), bureau, known.get(values["code"]))
            await _take_school(work, sheet, said, known.get(values["code"]))


def _school(values: Values, meals: str, bureau: int, row: tuple[Any, ...] | None) -> Values:
    said = {name: values[name] for name in SCHOOL}
    for name in ("has_canteen", "boarding", "has_bus"):
        said[name] = values[name] == "true"
    said["made_up"] = bool(row[11]) if row and values["made_up"] is None else values["made_up"] == "true"
    return said | {"name_en": values["name_en"] or "", "meals": meals, "bureau": bureau}


async def _take_school(work: Work, sheet: Sheet, said: Values, row: tuple[Any, ...] | None) -> None:
    if row is None:
        id_ = work.schools[said["code"]] = await insert_row("school", said | {"revision": new_revision()})
        work.new_schools.add(id_)
        await _first_headcounts(work, (said["code"],), id_, None, said["enrolment"])
    elif _same(row[1:], said):
        work.same(sheet.name)
        return
    else:
        id_ = row[0]
        await update_row("school", id_, said)
        work.renewed.add(id_)
        if row[5] != said["enrolment"]:
            await add_headcount(id_, None, said["enrolment"], work.now)
    work.tell(sheet.name, id_, list(said.values())[:-2], new=row is None)


HEADCOUNT_COLUMNS = ("school", "school_class", "pupils", "recorded_at")


async def _first_headcounts(
    work: Work, key: tuple[str, ...], school: int, school_class: int | None, pupils: int
) -> None:
    """The head-counts of something new: its history where the bundle gives one, and what it has now."""
    history = sorted(work.headcounts.pop(key, []))
    rows = [[school, school_class, count, at] for at, count in history]
    if not history or history[-1][1] != pupils:
        rows.append([school, school_class, pupils, work.now])
    await execute_many(None, HEADCOUNT, rows)


async def take_headcounts(work: Work, sheet: Sheet) -> None:
    """Kept until schools and classes are made, whose history they are."""
    for number, values in _rows(work, sheet):
        if values["recorded_at"] > work.now:
            work.wrong(sheet, number, "recorded_at", "recorded-in-future")
        year, label = values["school_year"], values["class"]
        key = (values["school"], year or "", label) if label else (values["school"],)
        work.headcounts.setdefault(key, []).append((values["recorded_at"], values["pupils"]))


# ---------------------------------------------------------------- campuses and zones
async def take_campuses(work: Work, sheet: Sheet) -> None:
    known = {(row[1], row[2]): row[0] for row in await _known("campus", ("school", "name"))}
    for number, values in _rows(work, sheet):
        school = work.school(sheet, number, values["school"])
        if school is None:
            continue
        if (school, values["name"]) in known:
            work.same(sheet.name)
            continue
        said = {"school": school, "name": values["name"]}
        known[school, values["name"]] = await insert_row("campus", said)
        work.tell(sheet.name, school, list(values.values()))


async def take_zones(work: Work, sheet: Sheet) -> None:
    _spoil(work, sheet, "zone", "school", "name")
    campuses = {(row[1], row[2]): row[0] for row in await _known("campus", ("school", "name"))}
    known = {row[1:] for row in await _known("zone", ("school", "campus", "name"))}
    for number, values in _rows(work, sheet):
        school = work.school(sheet, number, values["school"])
        if school is None:
            continue
        campus = campuses.get((school, values["campus"]))
        if campus is None:
            work.wrong(sheet, number, "campus", "campus-unknown", name=values["campus"])
        elif (school, campus, values["name"]) in known:
            work.same(sheet.name)
        else:
            known.add((school, campus, values["name"]))
            await insert_row("zone", {"school": school, "campus": campus, "name": values["name"]})
            work.renewed.add(school)
            work.tell(sheet.name, school, list(values.values()))


# ---------------------------------------------------------------- terms and closures
async def take_terms(work: Work, sheet: Sheet) -> None:
    """Known by name within the school year of their start. No two terms of a school may share a day."""
    stored: dict[int, dict[int, rules.TermKey]] = defaultdict(dict)
    for id_, school, name, starts, ends in await _known("term", ("school", "name", "starts", "ends")):
        stored[school][id_] = (name, starts, ends)
    known = {(s, t[0], rules.term_year(t[1])): i for s, terms in stored.items() for i, t in terms.items()}
    seen: dict[Any, int] = {}
    lines: dict[tuple[int, rules.TermKey], int] = {}
    for number, values in _rows(work, sheet):
        problems = rules.span_problem("ends", values["starts"], values["ends"])
        work.all_wrong(sheet, number, problems)
        school = work.school(sheet, number, values["school"])
        if school is None or problems:
            continue
        term = (values["name"], values["starts"], values["ends"])
        key = (school, term[0], rules.term_year(term[1]))
        if _once(work, sheet, seen, key, number):
            lines[school, term] = number
            stored[school][await _take_term(work, sheet, school, term, known.get(key), stored[school])] = term
    for school, terms in stored.items():
        for pair in rules.overlapping(terms.values()):
            row = max(lines.get((school, term), 0) for term in pair)
            if row:
                work.wrong(sheet, row, "starts", "terms-overlap", first=pair[0][0], second=pair[1][0])


async def _take_term(
    work: Work,
    sheet: Sheet,
    school: int,
    term: rules.TermKey,
    id_: int | None,
    stored: dict[int, rules.TermKey],
) -> int:
    if id_ is not None and stored[id_] == term:
        work.same(sheet.name)
        return id_
    said = {"school": school, "name": term[0], "starts": term[1], "ends": term[2]}
    work.renewed.add(school)
    work.tell(sheet.name, school, list(said.values())[1:], new=id_ is None)
    if id_ is None:
        return await insert_row("term", said)
    await update_row("term", id_, said)
    return id_


async def take_closures(work: Work, sheet: Sheet) -> None:
    """One row per school and date: a date cannot be closed and extra at once."""
    known = {row[1:3]: row for row in await _known("closure", ("school", "day", "kind", "reason"))}
    seen: dict[Any, int] = {}
    for number, values in _rows(work, sheet):
        school = work.school(sheet, number, values["school"])
        if school is None:
            continue
        key = (school, values["date"])
        if key in seen:
            work.wrong(sheet, number, "date", "day-twice", first=seen[key])
            continue
        seen[key] = number
        said = {"school": school, "day": key[1], "kind": values["kind"], "reason": values["reason"] or ""}
        row = known.get(key)
        if row is not None and _same(row[1:], said):
            work.same(sheet.name)
            continue
        if row is None:
            await insert_row("closure", said)
        else:
            await update_row("closure", row[0], said)
        work.renewed.add(school)
        work.tell(sheet.name, school, list(said.values())[1:], new=row is None)


# ---------------------------------------------------------------- classes
CLASS = ("school", "school_year", "grade", "name", "pupils", "since", "until", "first_day", "last_day")


async def take_classes(work: Work, sheet: Sheet) -> None:
    """Known by name within school and school year. Teachers are noted: people come later."""
    _spoil(work, sheet, "class", "school", "class")
    known = {(row[1], row[2], row[4]): row for row in await _known("school_class", CLASS)}
    seen: dict[Any, int] = {}
    for number, values in _rows(work, sheet):
        days, problems = rules.class_days(values["school_year"], values["from"], values["until"])
        work.all_wrong(sheet, number, problems)
        school = work.school(sheet, number, values["school"])
        if school is None or days is None:
            continue
        key = (school, values["school_year"], values["class"])
        if not _once(work, sheet, seen, key, number):
            continue
        said = {
            "school": school, "school_year": key[1], "grade": values["grade"], "name": key[2],
            "pupils": values["pupils"], "since": values["from"], "until": values["until"],
            "first_day": days[0], "last_day": days[1],
        }  # fmt: skip
        id_ = await _take_class(work, sheet, values["school"], said, known.get(key))
        if values["teacher"]:
            work.teachers.append((sheet.place(number, "teacher"), school, id_, values["teacher"]))


async def _take_class(work: Work, sheet: Sheet, code: str, said: Values, row: tuple[Any, ...] | None) -> int:
    school = said["school"]
    if row is None:
        id_ = await insert_row("school_class", said)
        await _first_headcounts(work, (code, said["school_year"], said["name"]), school, id_, said["pupils"])
    elif _same(row[1:], said):
        work.same(sheet.name)
        return int(row[0])
    else:
        id_ = int(row[0])
        await update_row("school_class", id_, said)
        if row[5] != said["pupils"]:
            await add_headcount(school, id_, said["pupils"], work.now)
    work.renewed.add(school)
    work.tell(sheet.name, school, list(said.values())[1:], new=row is None)
    return id_


async def finish_headcounts(work: Work) -> None:
    """The histories of schools and classes that were there before: what is missing of them is added."""
    if not work.headcounts:
        return
    known = {(row[1], row[2], row[3], row[4]) for row in await _known("headcount", HEADCOUNT_COLUMNS)}
    classes = {(row[1], row[2], row[3]): row[0] for row in await _known("school_class", (*CLASS[:2], "name"))}
    for key, history in sorted(work.headcounts.items()):
        school = work.schools.get(key[0])
        if school is None:
            continue
        class_id = classes.get((school, key[1], key[2])) if len(key) > 1 else None
        if len(key) > 1 and class_id is None:
            continue
        for at, pupils in sorted(history):
            if (school, class_id, pupils, at) not in known:
                await add_headcount(school, class_id, pupils, at)
                work.renewed.add(school)
                work.tell("headcounts", school, [*key, pupils, at])
