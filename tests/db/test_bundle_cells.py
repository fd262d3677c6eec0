"""Bad bundles: every file and cell that cannot be is named, and nothing is written."""

from pathlib import Path

import pytest

from config.rules import put_in_use
from safety.database import CampusEngine
from tests.bundles import SMALL, refused, reminders, small

put_in_use()

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


async def test_problems_come_by_file_row_and_column_as_they_stand(
    sqlite_database: CampusEngine, tmp_path: Path
) -> None:
    """What is wrong with a column may be found long before what is wrong with the one left of it."""
    bad = "school,happened_on,person,recorded_at\nS001,1 Sept,nobody,noon\nS001,2026-13-01,an,noon\n"
    turned = "recorded_at,person,happened_on,school\nnoon,an,1 Sept,S001\n"
    files = small(zero_reports=bad)
    files |= {"class_sessions": SMALL["class_sessions"].replace("40,0", "many,none")}
    assert [place for place, _ in await refused(tmp_path / "one", files)] == [
        "class_sessions.csv:2:present",
        "class_sessions.csv:2:made_up",
        "zero_reports.csv:2:happened_on",
        "zero_reports.csv:2:person",
        "zero_reports.csv:2:recorded_at",
        "zero_reports.csv:3:happened_on",
        "zero_reports.csv:3:recorded_at",
    ]
    assert [place for place, _ in await refused(tmp_path / "two", small(zero_reports=turned))] == [
        "zero_reports.csv:2:recorded_at",
        "zero_reports.csv:2:happened_on",
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
