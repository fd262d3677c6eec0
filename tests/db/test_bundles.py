"""Bundles in and out, on both databases: all or nothing, every bad cell named, nothing lost."""

import io
import shutil
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from config.rules import put_in_use
from safety.access.queries import scope_of_login
from safety.audit.queries import verify
from safety.bundles.actions import import_bundle
from safety.calendar import Period
from safety.database import CampusEngine, fetch_tuples
from safety.due import for_person
from safety.dues import dues
from safety.errors import BadInput, NotAllowed
from safety.scores import measured_score, tallied_score
from safety.scoring import as_json
from tests.bundles import (
    CHAIN,
    EVENTS,
    INCIDENT,
    NOW,
    SMALL,
    counts,
    exported,
    refused,
    small,
    take,
    write,
)
from tests.conftest import opened

put_in_use()


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


async def test_headers_may_be_the_names_that_the_screens_show(database: CampusEngine, tmp_path: Path) -> None:
    files: dict[str, str | bytes] = dict(SMALL)
    names = SMALL["drills"].split("\n")[0]
    assert names.startswith("school,happened_on,kind,participants,")
    shown = names.replace("school,happened_on,kind,participants", "学校,日期,演练类型,Participants")
    files["drills"] = SMALL["drills"].replace(names, shown)
    await take(tmp_path, files)
    assert (await fetch_tuples(None, "select count(*) from drill"))[0][0] > 0


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
    with pytest.raises(BadInput) as caught:
        await import_bundle(guard, tmp_path / "own", NOW)
    assert [(found.field, found.code) for found in caught.value.problems] == [
        ("daily_reminders.csv:2:school", "school-not-yours")
    ]


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
