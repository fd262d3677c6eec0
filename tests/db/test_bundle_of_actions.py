"""What people entered, corrected, voided and added to comes out and goes in without loss."""

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from config.ledgers import REGISTRY
from config.rules import put_in_use
from safety.bundles.actions import import_bundle
from safety.bundles.export import export_bundle
from safety.calendar import Period
from safety.database import CampusEngine, fetch_tuples
from safety.ledger.actions import add_event, correct, record, void
from safety.places.actions import NewClass, NewTerm, save_class, save_term
from safety.scores import measured_score, tallied_score
from safety.scoring import as_json
from tests.bundles import read_back
from tests.cast import make_cast
from tests.conftest import opened

put_in_use()

NOW = datetime(2026, 10, 14, 2, 0, 0, 123, tzinfo=UTC)
PERIOD = Period.parse("2026Q4")


async def test_entries_made_by_people_are_carried_over_whole(
    database: CampusEngine, sqlite_template: Path, tmp_path: Path
) -> None:
    cast = await make_cast()
    school, officer = cast.school, cast["officer"]
    await save_term(cast["admin"], school, NewTerm("秋", date(2026, 10, 8), date(2027, 1, 20)), NOW)
    size = NewClass("2026-2027", "三年级", "三(1)班", 44)
    await save_class(None, school, size, datetime(2026, 9, 20, tzinfo=UTC), cast.school_class)
    sessions, drills = REGISTRY["class_sessions"], REGISTRY["drills"]
    values = {
        "class": cast.school_class, "happened_on": date(2026, 10, 13), "kind": "weekly", "topic": "防火，防电",
        "module": "injury", "present": 40, "made_up": 0,
    }  # fmt: skip
    made = await record(
        sessions, officer, school, values, "key-000001", NOW, on_behalf_of=cast["teacher"].account_id
    )
    better = await correct(
        sessions,
        officer,
        school,
        made.id,
        values | {"present": 41},
        "数错了",
        "key-000002",
        NOW + timedelta(hours=1),
    )
    await void(sessions, officer, school, better.id, "重复", NOW + timedelta(hours=2))
    await record(
        sessions, officer, school, values | {"topic": "“引号”"}, "key-000003", NOW + timedelta(hours=3)
    )
    drill = {
        "happened_on": date(2026, 10, 12), "kind": "fire", "participants": 800, "evacuation_seconds": None,
        "problems": "第一行\n第二行", "evaluated_on": None,
    }  # fmt: skip
    held = await record(drills, officer, school, drill, "key-000004", NOW)
    later = NOW + timedelta(days=1)
    await add_event(drills, officer, school, held.id, "evaluated", "", later, "key-000005", later)
    end = NOW + timedelta(days=2)
    kept = as_json(await tallied_score(school, PERIOD, end))
    await export_bundle(tmp_path / "out")
    shutil.copyfile(sqlite_template, tmp_path / "second.db")
    async with opened(f"sqlite:///{tmp_path}/second.db"):
        await import_bundle(None, tmp_path / "out", end)
        await export_bundle(tmp_path / "again")
        assert read_back(tmp_path / "again") == read_back(tmp_path / "out")
        moved = (await fetch_tuples(None, "select id from school where code = 'S001'"))[0][0]
        assert as_json(await tallied_score(moved, PERIOD, end)) == kept
        assert as_json((await measured_score(moved, PERIOD, end, now=True))[1]) == kept
