"""Small bundles for tests: one school with everything in it, and a county of many rows."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from safety.bundles.actions import Imported, import_bundle
from safety.bundles.export import export_bundle
from safety.database import fetch_tuples
from safety.errors import BadInput

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)

SMALL: Mapping[str, str] = {
    "bureaus": "code,name,parent\nCITY,明州市教育局,\nHILL,青山县教育局,CITY\n",
    "schools": (
        "code,name,name_en,stage,enrolment,has_canteen,meals,boarding,has_bus,bureau\n"
        "S001,青山小学,Hill Primary School,primary,80,true,lunch,false,false,HILL\n"
        "S002,清江小学,,primary,40,false,,false,true,HILL\n"
    ),
    "terms": "school,name,starts,ends\nS001,第一学期,2026-09-01,2027-01-20\nS002,第一学期,2026-09-01,2027-01-20\n",
    "closures": "school,date,kind,reason\nS001,2026-09-09,closed,台风\nS001,2026-09-12,extra,补课\n",
    "classes": (
        "school,school_year,grade,class,pupils,teacher,from,until\n"
        "S001,2026-2027,一年级,一(1)班,40,lin,,\n"
        "S001,2026-2027,一年级,一(2)班,40,,,2027-06-30\n"
    ),
    "people": (
        "login,name,role,school,bureau,class\n"
        "an,安书远,officer,S001,,\n"
        "gao,高守门,guard,S001,,\n"
        "lin,林小禾,teacher,S001,,一(1)班\n"
        "sun,孙经办,clerk,,HILL,\n"
        "zhou,周大厨,canteen,S001,,\n"
    ),
    "class_sessions": (
        "school,class,happened_on,kind,topic,module,present,made_up,recorded_at\n"
        "S001,一(1)班,2026-09-03,weekly,交通安全,injury,40,0,2026-09-03T10:00\n"
        "S001,一(2)班,2026-09-03,weekly,交通安全,injury,36,2,2026-09-03T10:00\n"
        "S001,,2026-09-28,monthly,消防日,other,78,0,2026-09-28T10:00\n"
    ),
    "daily_reminders": (
        "school,class,happened_on,text,recorded_at\nS001,一(1)班,2026-09-02,路上小心,2026-09-02T16:00\n"
    ),
    "zero_reports": (
        "school,happened_on,person,recorded_at\n"
        "S001,2026-09-01,an,2026-09-01T17:00\n"
        "S001,2026-09-02,an,2026-09-05T17:00\n"
    ),
    "duty_slots": (
        "school,post,starts_at,ends_at,person,recorded_at\n"
        "S001,gate,2026-09-02T07:20,2026-09-02T08:00,gao,2026-08-30T09:00\n"
    ),
    "duty_checkins": (
        "school,post,person,substitute_for,happened_at,recorded_at\n"
        "S001,gate,gao,,2026-09-02T07:15,2026-09-02T07:15\n"
    ),
    "food_samples": (
        "school,happened_on,meal,dish,grams,stored_at,discarded_at,person,recorded_at\n"
        "S001,2026-09-02,lunch,红烧肉,130,2026-09-02T11:30,,zhou,2026-09-02T11:40\n"
    ),
    "purchase_batches": (
        "school,happened_on,item,quantity,unit,maker,produced_on,shelf_life_days,supplier,certificate_no,invoice_no,"
        "recorded_at\n"
        "S001,2026-09-02,大米,25.5,kg,北大仓,2026-08-01,180,供货商,C-1,F-1,2026-09-02T09:00\n"
    ),
    "drills": (
        "school,happened_on,kind,participants,evacuation_seconds,problems,evaluated_on,recorded_at\n"
        "S001,2026-09-10,fire,80,95,,2026-09-11,2026-09-11T09:00\n"
    ),
    "incidents": (
        "school,happened_at,discovered_at,reported_at,reported_by,category,liability,deaths,serious_injuries,"
        "minor_injuries,affected,loss_yuan,recorded_at\n"
        "S001,2026-09-15T10:00,2026-09-15T10:05,2026-09-15T11:00,school,facility,pending,0,0,1,1,0,"
        "2026-09-15T12:00\n"
    ),
    "awareness_checks": (
        "school,class,happened_on,checked,passed,recorded_at\nS001,一(1)班,2026-09-20,30,27,2026-09-20T15:00\n"
    ),
}
"""One file of each kind; S002 has nothing but itself."""


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """A bundle on disk: names without an ending are CSV."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        data = content if isinstance(content, bytes) else content.encode()
        (folder / (name if "." in name else f"{name}.csv")).write_bytes(data)
    return folder


def reminders(count: int) -> dict[str, str]:
    """A school with thirty classes and that many daily reminders from 1 September on."""
    from datetime import date, timedelta

    rows, day = [], date(2026, 9, 1)
    while len(rows) < count:
        rows += [f"R001,{n}班,{day},放学注意安全 {n},{day}T16:{n:02}" for n in range(30)]
        day += timedelta(days=1)
        if day > date(2026, 11, 19):
            day = date(2025, 9, 1)
    classes = [f"R001,{year},一年级,{n}班,40,,," for year in ("2025-2026", "2026-2027") for n in range(30)]
    return {
        "bureaus": "code,name,parent\nHILL,青山县教育局,\n",
        "schools": SMALL["schools"].split("\n")[0] + "\nR001,大校,,primary,1200,false,,false,false,HILL\n",
        "terms": "school,name,starts,ends\nR001,下,2026-09-01,2027-01-20\n",
        "classes": SMALL["classes"].split("\n")[0] + "\n" + "\n".join(classes) + "\n",
        "daily_reminders": "school,class,happened_on,text,recorded_at\n" + "\n".join(rows[:count]) + "\n",
    }


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
