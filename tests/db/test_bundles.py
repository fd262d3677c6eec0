"""Bundles in and out, on both databases: all or nothing, every bad cell named, nothing lost."""

import io
import shutil
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from config.rules import put_in_use
from safety.access.queries import scope_of_login
from safety.audit.queries import verify
from safety.bundles.actions import Imported, import_bundle
from safety.bundles.export import export_bundle
from safety.calendar import Period
from safety.database import CampusEngine, fetch_tuples
from safety.due import for_person
from safety.dues import dues
from safety.errors import BadInput, NotAllowed
from safety.scores import measured_score, tallied_score
from safety.scoring import as_json
from tests.bundles import NOW, SMALL, reminders, write
from tests.conftest import opened

put_in_use()

TABLES = (
    "bureau", "school", "school_class", "term", "closure", "headcount", "account", "role_grant", "class_session",
    "daily_reminder", "zero_report", "duty_slot", "duty_checkin", "food_sample", "purchase_batch", "drill",
    "incident", "awareness_check", "entry_event", "tally", "audit_line",
)  # fmt: skip


async def take(folder: Path, files: Mapping[str, str | bytes], **options: Any) -> Imported:
    return await import_bundle(None, write(folder / "bundle", files), NOW, **options)


async def refused(folder: Path, files: Mapping[str, str | bytes]) -> list[tuple[str, str]]:
    """(place, code) of every problem; nothing was written."""
    before = await counts()
    with pytest.raises(BadInput) as caught:
        await take(folder, files)
    assert await counts() == before
    return [(found.field or "", found.code) for found in caught.value.problems]


async def counts() -> dict[str, int]:
    return {table: (await fetch_tuples(None, f"select count(*) from {table}"))[0][0] for table in TABLES}


async def exported(folder: Path, school: str | None = None) -> dict[str, str]:
    await export_bundle(folder, school)
    return read_back(folder)


def read_back(folder: Path) -> dict[str, str]:
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.iterdir())}


def small(**changed: str) -> dict[str, str | bytes]:
    return {**SMALL, **changed}


# ---------------------------------------------------------------- in
async def test_every_file_is_taken_in_and_a_second_time_changes_nothing(
    database: CampusEngine, tmp_path: Path
) -> None:
    first = await take(tmp_path, SMALL)
    assert {name: count.new for name, count in first.files.items()} == {
        name: text.count("\n") - 1 for name, text in SMALL.items()
    }
    before = await counts()
    revisions = await fetch_tuples(None, "select id, revision from school order by id")
    second = await take(tmp_path, SMALL)
    assert (second.new, second.changed) == (0, 0)
    assert second.unchanged == first.new
    assert await counts() == before
    assert await fetch_tuples(None, "select id, revision from school order by id") == revisions
    assert await verify() == []


async def test_a_dry_run_writes_nothing(database: CampusEngine, tmp_path: Path) -> None:
    before = await counts()
    done = await take(tmp_path, SMALL, dry_run=True)
    assert done.new == sum(text.count("\n") - 1 for text in SMALL.values())
    assert await counts() == before


async def test_imported_people_have_no_password_and_their_roles(
    database: CampusEngine, tmp_path: Path
) -> None:
    await take(tmp_path, SMALL)
    rows = await fetch_tuples(None, "select login, password_hash from account order by login")
    assert rows == [("an", None), ("gao", None), ("lin", None), ("sun", None), ("zhou", None)]
    sql = "select c.name from role_grant g join school_class c on c.id = g.school_class"
    assert await fetch_tuples(None, sql) == [("一(1)班",)]


async def test_what_is_known_is_brought_up_to_date(database: CampusEngine, tmp_path: Path) -> None:
    await take(tmp_path / "a", SMALL)
    changed = {
        "schools": SMALL["schools"].replace(",80,", ",82,"),
        "classes": SMALL["classes"].replace("一(2)班,40", "一(2)班,42"),
        "closures": SMALL["closures"].replace("closed,台风", "extra,改期"),
        "people": SMALL["people"].replace("安书远", "安远书"),
    }
    done = await take(tmp_path / "b", changed)
    assert (done.new, done.changed) == (0, 4)
    sql = "select pupils, school_class is null from headcount order by id"
    assert [tuple(map(int, row)) for row in await fetch_tuples(None, sql)][-2:] == [(82, 1), (42, 0)]
    score = await tallied_score(1, Period.parse("2026Q3"), NOW)
    measured = (await measured_score(1, Period.parse("2026Q3"), NOW, now=True))[1]
    assert as_json(score) == as_json(measured)


async def test_gb18030_a_byte_order_mark_and_crlf_are_read(database: CampusEngine, tmp_path: Path) -> None:
    files: dict[str, str | bytes] = dict(SMALL)
    files["schools"] = SMALL["schools"].encode("gb18030")
    files["people"] = b"\xef\xbb\xbf" + SMALL["people"].encode()
    files["terms"] = SMALL["terms"].replace("\n", "\r\n")
    await take(tmp_path, files)
    assert (await fetch_tuples(None, "select name from school order by id"))[0] == ("青山小学",)


def workbook(sheets: Mapping[str, list[list[Any]]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


async def test_excel_is_read_with_its_own_dates_numbers_and_booleans(
    database: CampusEngine, tmp_path: Path
) -> None:
    await take(
        tmp_path / "a", {name: SMALL[name] for name in ("bureaus", "schools", "terms", "classes", "people")}
    )
    rows: list[list[Any]] = [SMALL["class_sessions"].split("\n")[0].split(",")]
    day = datetime(2026, 9, 3)  # noqa: DTZ001 - Excel knows no zones
    rows.append(["S001", "一(1)班", day, "weekly", "交通", "injury", 40, 0.0, day.replace(hour=10)])
    drills = [SMALL["drills"].split("\n")[0].split(",")]
    drills.append(["S001", day, "fire", 80, None, None, None, day.replace(hour=11)])
    data = workbook({"class_sessions": rows, "drills": drills, "notes": [["anything"]]})
    done = await take(tmp_path / "b", {"book.xlsx": data})
    assert done.new == 2
    assert await fetch_tuples(None, "select present, made_up from class_session") == [(40, 0)]


# ---------------------------------------------------------------- refused: files
FORM = [
    ({"schools": b"PK\x03\x04 not a workbook"}, [("schools.csv:1:code", "column-missing")]),
    ({"drills.xlsx": b"PK\x03\x04 not a workbook"}, [("drills.xlsx:0:", "excel-unreadable")]),
    ({"drills.xlsx": b"plain text"}, [("drills.xlsx:0:", "excel-unreadable")]),
    ({"visitors": "a,b\n"}, [("visitors.csv:0:", "file-unknown")]),
    ({"notes.txt": "hello"}, [("notes.txt:0:", "file-unknown")]),
    ({"bureaus": "code,name,parent\nA,市局\n"}, [("bureaus.csv:2:", "row-short")]),
    ({"bureaus": "code,name,parent\nA,市局,,B\n"}, [("bureaus.csv:2:", "row-long")]),
    ({"bureaus": 'code,name,parent\nA,"市局,\n'}, [("bureaus.csv:2:", "csv-broken")]),
    ({"bureaus": "code,name,parent,colour\nA,市局,,red\n"}, [("bureaus.csv:1:colour", "column-unknown")]),
    ({"bureaus": "code,name\nA,市局\n"}, [("bureaus.csv:1:parent", "column-missing")]),
    ({"bureaus": "code,name,parent,name\nA,市局,,x\n"}, [("bureaus.csv:1:name", "column-twice")]),
    (
        {"bureaus": b"code,name,parent\nA,\xe5\xb8\x82\xe5\xb1\xe6\x95\x99\xe8\x82\xb2,\n"},
        [("bureaus.csv:2:", "encoding")],
    ),
    ({"bureaus": b"code,name,parent\nA,\x00,\n"}, [("bureaus.csv:2:", "encoding")]),
]


@pytest.mark.parametrize(
    ("files", "expected"), [pytest.param(*case, id=str(n)) for n, case in enumerate(FORM)]
)
async def test_a_file_that_cannot_be_read_is_named(
    sqlite_database: CampusEngine,
    tmp_path: Path,
    files: dict[str, str | bytes],
    expected: list[tuple[str, str]],
) -> None:
    found = await refused(tmp_path, files)
    assert set(expected) <= set(found)


# ---------------------------------------------------------------- refused: cells
CELLS = [
    ("bureaus", "code,name,parent\n??,市局,\n", [("bureaus.csv:2:code", "code-form")]),
    ("bureaus", "code,name,parent\nA,甲,B\nB,乙,A\nHILL,县,\n", [("bureaus.csv:2:parent", "parent-circle")]),
    ("bureaus", "code,name,parent\nHILL,县,NONE\n", [("bureaus.csv:2:parent", "place-unknown")]),
    ("schools", (",primary,80,", ",academy,80,"), [("schools.csv:2:stage", "choice-unknown")]),
    ("schools", (",80,true,", ",80,yes,"), [("schools.csv:2:has_canteen", "choice-unknown")]),
    ("schools", (",80,true,lunch", ",80,true,brunch"), [("schools.csv:2:meals", "choice-unknown")]),
    ("schools", (",80,", ",-1,"), [("schools.csv:2:enrolment", "too-small")]),
    ("schools", ("HILL\nS002", "NONE\nS002"), [("schools.csv:2:bureau", "place-unknown")]),
    ("schools", ("S002,", "S001,"), [("schools.csv:3:", "row-twice")]),
    ("terms", ("S001,第一学期,2026-09-01,2027-01-20", "S001,第一学期,2027-01-20,2026-09-01"), [("terms.csv:2:ends", "ends-before-start")]),  # noqa: E501
    ("terms", ("S002,第一学期", "S001,加学期"), [("terms.csv:3:starts", "terms-overlap")]),
    ("closures", ("2026-09-12,extra", "2026-09-09,extra"), [("closures.csv:3:date", "day-twice")]),
    ("closures", ("2026-09-09", "2026-02-30"), [("closures.csv:2:date", "day-impossible")]),
    ("classes", ("2026-2027,一年级,一(1)班", "2026-2028,一年级,一(1)班"), [("classes.csv:2:school_year", "school-year-form")]),  # noqa: E501
    ("classes", (",,2027-06-30", ",,2028-06-30"), [("classes.csv:3:until", "class-outside-year")]),
    ("classes", ("一(2)班", "一(1)班"), [("classes.csv:3:", "row-twice")]),
    ("classes", (",lin,", ",nobody,"), [("classes.csv:2:teacher", "person-unknown")]),
    ("people", ("an,安书远,officer", "an,安书远,boss"), [("people.csv:2:role", "choice-unknown")]),
    ("people", ("gao,高守门,guard,S001", "gao,高守门,guard,"), [("people.csv:3:role", "role-needs-school")]),
    ("people", ("sun,孙经办,clerk,,HILL", "sun,孙经办,clerk,S001,"), [("people.csv:5:role", "role-needs-bureau")]),
    ("people", ("gao,高守门", "高 门,高守门"), [("people.csv:3:login", "login-form")]),
    ("people", (",,一(1)班", ",,九(9)班"), [("people.csv:4:class", "class-unknown")]),
    ("people", ("gao,高守门,guard", "an,高守门,guard"), [("people.csv:3:name", "name-differs")]),
    ("class_sessions", ("S001,一(1)班", "S009,一(1)班"), [("class_sessions.csv:2:school", "place-unknown")]),
    ("class_sessions", ("一(1)班,2026-09-03", "二(1)班,2026-09-03"), [("class_sessions.csv:2:class", "class-unknown")]),
    ("class_sessions", ("2026-09-03,weekly", "03/09/2026,weekly"), [("class_sessions.csv:2:happened_on", "day-form")]),
    ("class_sessions", ("weekly,交通安全,injury,40", "often,交通安全,injury,40"), [("class_sessions.csv:2:kind", "choice-unknown")]),  # noqa: E501
    ("class_sessions", ("weekly,交通安全", "weekly,"), [("class_sessions.csv:2:topic", "required")]),
    ("class_sessions", ("injury,40", "injury,many"), [("class_sessions.csv:2:present", "integer-form")]),
    ("class_sessions", ("2026-09-03T10:00\nS001,一(2)班", "2026-09-02T10:00\nS001,一(2)班"), [("class_sessions.csv:2:recorded_at", "recorded-before-happened")]),  # noqa: E501
    ("class_sessions", ("2026-09-03T10:00\nS001,一(2)班", "2027-09-03T10:00\nS001,一(2)班"), [("class_sessions.csv:2:recorded_at", "recorded-in-future")]),  # noqa: E501
    ("class_sessions", ("2026-09-03T10:00\nS001,一(2)班", "2026-09-03\nS001,一(2)班"), [("class_sessions.csv:2:recorded_at", "instant-form")]),  # noqa: E501
    ("zero_reports", ("2026-09-01,an", "2026-09-01,sun"), [("zero_reports.csv:2:person", "person-unknown")]),
    ("duty_slots", ("2026-09-02T08:00", "2026-09-02T07:00"), [("duty_slots.csv:2:ends_at", "ends-before-start")]),
    ("duty_checkins", ("gao,,", "gao,gao,"), [("duty_checkins.csv:2:substitute_for", "substitute-self")]),
    ("food_samples", ("130", "0"), [("food_samples.csv:2:grams", "too-small")]),
    ("food_samples", ("S001,2026-09-02", "S002,2026-09-02"), [("food_samples.csv:2:person", "person-unknown")]),
    ("purchase_batches", ("北大仓", ""), [("purchase_batches.csv:2:maker", "required")]),
    ("purchase_batches", ("25.5", "25.5555"), [("purchase_batches.csv:2:quantity", "decimal-places")]),
    ("drills", ("2026-09-11,2026-09-11T", "2026-09-09,2026-09-11T"), [("drills.csv:2:evaluated_on", "evaluated-before-drill")]),  # noqa: E501
    ("incidents", ("11:00,school", "11:00,"), [("incidents.csv:2:reported_by", "report-half-given")]),
    ("awareness_checks", ("30,27", "30,31"), [("awareness_checks.csv:2:passed", "passed-over-checked")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "change", "expected"),
    [pytest.param(*case, id=f"{n}-{case[2][0][1]}") for n, case in enumerate(CELLS)],
)
async def test_a_bad_cell_is_named_by_file_row_and_column(
    sqlite_database: CampusEngine,
    tmp_path: Path,
    file: str,
    change: str | tuple[str, str],
    expected: list[tuple[str, str]],
) -> None:
    text = change if isinstance(change, str) else SMALL[file].replace(*change, 1)
    assert text != SMALL[file]
    assert (await refused(tmp_path, small(**{file: text})))[: len(expected)] == expected


async def test_problems_of_many_files_come_together_without_those_that_follow_from_others(
    database: CampusEngine, tmp_path: Path
) -> None:
    files = small(
        schools=SMALL["schools"].replace(",80,", ",many,"),
        drills=SMALL["drills"].replace(",80,", ",few,").replace("S001", "S009"),
    )
    assert await refused(tmp_path, files) == [
        ("schools.csv:2:enrolment", "integer-form"),
        ("drills.csv:2:school", "place-unknown"),
        ("drills.csv:2:participants", "integer-form"),
    ]


async def test_identical_rows_in_one_file_are_an_error(database: CampusEngine, tmp_path: Path) -> None:
    row = SMALL["zero_reports"].split("\n")[1]
    found = await refused(tmp_path, small(zero_reports=SMALL["zero_reports"] + row + "\n"))
    assert found == [("zero_reports.csv:4:", "row-twice")]


async def test_ten_thousand_rows_with_one_bad_cell_write_nothing(
    database: CampusEngine, tmp_path: Path
) -> None:
    files = reminders(10_000)
    lines = files["daily_reminders"].split("\n")
    cells = lines[6000].split(",")
    lines[6000] = ",".join([cells[0], cells[1], "2026-13-01", *cells[3:]])
    found = await refused(tmp_path, {**files, "daily_reminders": "\n".join(lines)})
    assert found == [("daily_reminders.csv:6001:happened_on", "day-impossible")]


# ---------------------------------------------------------------- versions, voidings, later facts
ID = "018f0000-0000-7000-8000-0000000000{:02x}"
CHAIN = (
    "school,class,happened_on,text,recorded_at,id,supersedes,voided_at,why,recorded_by,void_why\n"
    # The last version stands before the others; only the first two speak of one day.
    f"S001,一(1)班,2026-09-08,改三,2026-09-20T10:00,{ID.format(3)},{ID.format(2)},,日期不对,an,\n"
    f"S001,一(1)班,2026-09-07,原,2026-09-07T16:00,{ID.format(1)},,,,lin,\n"
    f"S001,一(1)班,2026-09-07,改二,2026-09-18T10:00,{ID.format(2)},{ID.format(1)},,错字,an,\n"
    f"S001,一(2)班,2026-09-07,误填,2026-09-07T16:00,{ID.format(4)},,2026-09-08T09:00,,lin,不是本班\n"
)
EVENTS = (
    "entry,kind,value,happened_at,recorded_at\n"
    f"{ID.format(9)},liability,no,2026-09-20T10:00,2026-09-20T11:00\n"
)
INCIDENT = (
    SMALL["incidents"]
    .replace("recorded_at\n", "recorded_at,id\n")
    .replace("12:00\n", f"12:00,{ID.format(9)}\n")
)


async def test_versions_may_stand_in_any_order_and_are_timed_by_the_first_alike(
    database: CampusEngine, tmp_path: Path
) -> None:
    await take(tmp_path, small(daily_reminders=CHAIN))
    rows = await fetch_tuples(
        None,
        "select text, timed_on, superseded_by, superseded_at, voided_at, void_why from daily_reminder order by id",
    )
    assert [(row[0], row[1].isoformat()) for row in rows] == [
        ("原", "2026-09-07"),
        ("改二", "2026-09-07"),
        ("改三", "2026-09-20"),
        ("误填", "2026-09-07"),
    ]
    assert [str(row[2])[-1] if row[2] else "" for row in rows] == ["2", "3", "", ""]
    assert rows[0][3] == datetime(2026, 9, 18, 2, 0, tzinfo=UTC)
    assert rows[3][5] == "不是本班"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ((f"{ID.format(1)},,,,lin", f"{ID.format(1)},{ID.format(3)},,,lin"), "correction-before"),
        ((f"{ID.format(3)},{ID.format(2)}", f"{ID.format(3)},{ID.format(1)}"), "supersedes-twice"),
        ((f"{ID.format(3)},{ID.format(2)}", f"{ID.format(3)},{ID.format(4)}"), "supersedes-void"),
        ((f"{ID.format(3)},{ID.format(2)}", f"{ID.format(3)},{ID.format(7)}"), "supersedes-unknown"),
        ((f"16:00,{ID.format(4)}", f"16:00,{ID.format(1)}"), "row-twice"),
        ((ID.format(4), "not-an-id"), "id-form"),
        (("2026-09-08T09:00", "2026-09-06T09:00"), "voided-before-recorded"),
        (("错字,an", "错字,nobody"), "account-unknown"),
    ],
)
async def test_versions_that_cannot_be_are_refused(
    sqlite_database: CampusEngine, tmp_path: Path, change: tuple[str, str], expected: str
) -> None:
    text = CHAIN.replace(*change)
    assert text != CHAIN
    assert expected in [code for _, code in await refused(tmp_path, small(daily_reminders=text))]


async def test_later_facts_belong_to_the_first_version(database: CampusEngine, tmp_path: Path) -> None:
    await take(tmp_path, small(incidents=INCIDENT, events=EVENTS))
    assert await fetch_tuples(None, "select ledger, kind, value from entry_event") == [
        ("incidents", "liability", "no")
    ]
    again = await take(tmp_path, small(incidents=INCIDENT, events=EVENTS))
    assert (again.new, again.changed) == (0, 0)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ((ID.format(9), ID.format(8)), ("events.csv:2:entry", "entry-unknown")),
        (("liability,no", "colour,no"), ("events.csv:2:kind", "choice-unknown")),
        (("liability,no", "liability,perhaps"), ("events.csv:2:value", "choice-unknown")),
        (("2026-09-20T10:00", "2026-09-20T12:00"), ("events.csv:2:happened_at", "event-in-future")),
        (("2026-09-20T10:00", "2026-09-01T12:00"), ("events.csv:2:happened_at", "event-before-entry")),
        (("2026-09-20T11:00", "2027-09-20T11:00"), ("events.csv:2:recorded_at", "recorded-in-future")),
    ],
)
async def test_a_bad_event_is_named(
    sqlite_database: CampusEngine, tmp_path: Path, change: tuple[str, str], expected: tuple[str, str]
) -> None:
    found = await refused(tmp_path, small(incidents=INCIDENT, events=EVENTS.replace(*change, 1)))
    assert found == [expected]


# ---------------------------------------------------------------- and out again
async def test_what_went_in_comes_out_and_goes_in_again_the_same(
    database: CampusEngine, database_url: str, sqlite_template: Path, tmp_path: Path
) -> None:
    await take(tmp_path / "in", small(daily_reminders=CHAIN, incidents=INCIDENT, events=EVENTS))
    await take(tmp_path / "more", {"classes": SMALL["classes"].replace("一(2)班,40", "一(2)班,42")})
    first = await exported(tmp_path / "out")
    for name in ("bureaus", "schools", "terms", "closures", "people"):
        assert first[name] == SMALL[name]
    shutil.copyfile(sqlite_template, tmp_path / "second.db")
    async with opened(f"sqlite:///{tmp_path}/second.db"):
        await import_bundle(None, tmp_path / "out", NOW)
        assert await exported(tmp_path / "again") == first
        again = await import_bundle(None, tmp_path / "out", NOW)
        assert (again.new, again.changed) == (0, 0)


async def test_one_school_comes_out_alone(
    database: CampusEngine, sqlite_template: Path, tmp_path: Path
) -> None:
    # The clerk's correction names somebody who has no role at the school.
    await take(tmp_path / "in", small(daily_reminders=CHAIN.replace("错字,an", "错字,sun")))
    found = await exported(tmp_path / "out", "S002")
    assert sorted(found) == ["bureaus", "schools", "terms"]
    assert "S001" not in found["schools"]
    first = await exported(tmp_path / "one", "S001")
    assert "sun,孙经办,,,,\n" in first["people"]
    shutil.copyfile(sqlite_template, tmp_path / "second.db")
    async with opened(f"sqlite:///{tmp_path}/second.db"):
        await import_bundle(None, tmp_path / "one", NOW)
        assert await exported(tmp_path / "again", "S001") == first


# ---------------------------------------------------------------- who may
async def test_an_officer_fills_own_ledgers_and_states_nothing_that_only_administrators_may(
    database: CampusEngine, tmp_path: Path
) -> None:
    await take(tmp_path / "in", SMALL)
    officer = await scope_of_login("an", NOW)
    plain = "school,class,happened_on,text\nS001,一(1)班,2026-11-19,路上小心\nS002,x,2026-11-19,x\n"
    with pytest.raises(BadInput) as caught:
        await import_bundle(officer, write(tmp_path / "own", {"daily_reminders": plain}), NOW)
    assert [found.code for found in caught.value.problems] == ["place-unknown"]
    plain = plain.replace("S002,x,2026-11-19,x\n", "")
    done = await import_bundle(officer, write(tmp_path / "own", {"daily_reminders": plain}), NOW)
    assert done.new == 1
    assert await fetch_tuples(
        None, "select recorded_by is null from daily_reminder order by id desc limit 1"
    ) in (
        [(0,)],
        [(False,)],
    )
    with pytest.raises(BadInput) as caught:
        await import_bundle(officer, write(tmp_path / "when", {"zero_reports": SMALL["zero_reports"]}), NOW)
    assert {found.code for found in caught.value.problems} == {"administrators-only"}
    with pytest.raises(NotAllowed):
        await import_bundle(officer, write(tmp_path / "places", {"schools": SMALL["schools"]}), NOW)
    guard = await scope_of_login("gao", NOW)
    with pytest.raises(NotAllowed):
        await import_bundle(guard, tmp_path / "own", NOW)


async def test_a_known_entry_that_is_void_by_now_becomes_void(database: CampusEngine, tmp_path: Path) -> None:
    await take(
        tmp_path / "a", small(daily_reminders=CHAIN.replace("2026-09-08T09:00", "").replace("不是本班", ""))
    )
    again = await take(tmp_path / "b", {"daily_reminders": CHAIN})
    assert (again.new, again.changed, again.unchanged) == (0, 1, 3)
    assert await fetch_tuples(None, "select void_why from daily_reminder where voided_at is not null") == [
        ("不是本班",)
    ]
    differing = CHAIN.replace("误填", "另写")
    assert await refused(tmp_path / "c", {"daily_reminders": differing}) == [
        ("daily_reminders.csv:5:id", "entry-differs")
    ]


# ---------------------------------------------------------------- the chain from file to score
async def test_a_score_worked_by_hand(database: CampusEngine, tmp_path: Path) -> None:
    """S001 in 2026Q3: two classes, one meal, 22 school days. September has 22 weekdays; the 25th is a holiday and the
    9th closed; Sunday the 20th is worked nationally and Saturday the 12th is an extra day.
    """
    await take(tmp_path, SMALL)
    school = (await fetch_tuples(None, "select id from school where code = 'S001'"))[0][0]
    document = as_json(await tallied_score(school, Period.parse("2026Q3"), NOW))
    lines = {line["id"]: line for group in document["groups"] for line in group["lines"]}

    def said(line: str) -> tuple[int, int, int, int]:
        return tuple(lines[line][name] for name in ("expected", "on_time", "late", "backfilled"))  # type: ignore[return-value]

    days = 22
    assert said("education.daily") == (2 * days, 1, 0, 0)
    # Five weeks of two classes; 40 and 38 of 40 pupils reached in one of them: 78 of 400.
    assert said("education.weekly") == (10, 2, 0, 0)
    assert lines["T1"]["points"] == "1.95"
    assert said("education.monthly") == (1, 1, 0, 0)
    # The report of the 2nd came after the next school day; the incident of the 15th covers its day.
    assert said("T2") == (days, 2, 1, 0)
    assert said("duty.gate") == (2 * days, 1, 0, 0)
    assert said("food.samples") == (days, 1, 0, 0)
    assert said("food.purchases") == (5, 1, 0, 0)
    assert said("drills.monthly") == (1, 1, 0, 0)
    assert said("drills.evaluated") == (1, 1, 0, 0)
    # 30 checked of the 24 needed, 27 knew: 8 × 0.9.
    assert lines["T3"]["points"] == "7.20"
    assert said("T3") == (24, 24, 0, 0)
    # Three covered days of 22 verify nothing, and the incident's liability is pending: T2, T4, T5 and T6 give nothing.
    groups = {group["id"]: group["points"] for group in document["groups"]}
    assert groups["targets"] == "9.15"
    # The half's 50 points go to education, duty, food and drills as 10 : 8 : 12 : 8: 13.16, 10.53, 15.79, 10.52.
    # Education shares 13.16 as 4 : 3 : 1: 6.58, 4.94, 1.64, of which 1/5, 1/44 and all: 1.32 + 0.11 + 1.64.
    assert groups["education"] == "3.07"
    # Gate 1/44 of 2.64; the others nothing.
    assert groups["duty"] == "0.06"
    # Samples 1/22 of 7.90, purchases 1/5 of 7.89: 0.36 + 1.58.
    assert groups["food"] == "1.94"
    # Monthly and evaluated 5 : 2; the fire drill falls due in the fourth quarter: all of it.
    assert groups["drills"] == "10.52"
    assert (document["total"], document["grade"]) == ("24.74", "不合格")
    measured = (await measured_score(school, Period.parse("2026Q3"), NOW, now=True))[1]
    assert as_json(measured) == document


async def test_what_is_due_after_an_import(database: CampusEngine, tmp_path: Path) -> None:
    await take(tmp_path, SMALL)
    school = (await fetch_tuples(None, "select id from school where code = 'S001'"))[0][0]
    owed = await dues(school, date(2026, 9, 2), NOW)
    gate = [
        (item.state, item.person is not None)
        for item in owed
        if item.line == "duty.gate" and item.due.day == 2
    ]
    assert sorted(gate) == [("done", True), ("open", False)]
    reminders_due = [
        (item.unit_name, item.state) for item in owed if item.line == "education.daily" and item.due.day == 2
    ]
    assert sorted(reminders_due) == [("一(1)班", "done"), ("一(2)班", "open")]
    teacher = await scope_of_login("lin", NOW)
    assert teacher is not None
    assert {item.unit_name for item in for_person(owed, teacher, school)} == {"一(1)班"}
    cook = await scope_of_login("zhou", NOW)
    assert cook is not None
    assert {item.line.split(".")[0] for item in for_person(owed, cook, school)} == {"food"}
