"""A backup loses nothing; one that was cut, changed or does not fit is refused before anything is touched."""

import asyncio
import datetime as dt
import sqlite3
import uuid
import zipfile
from pathlib import Path

import pytest

from safety.backup import BackupRefused, backup, check, restore
from safety.database import CampusEngine, close_engine, fetch_tuples, open_engine, transaction
from tests.db.notes import StorageNote, StorageShelf, create_tables

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
MANY = 500


@pytest.fixture
async def shelf(database: CampusEngine) -> StorageShelf:
    shelf = await create_tables()
    await add_notes(shelf, range(MANY))
    return shelf


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    folder = tmp_path / "evidence"
    for name, content in {
        "ab/photo": b"\xff\x00" * 5000,
        "cd/empty": b"",
        "文件.txt": "证据".encode(),
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


async def add_notes(shelf: StorageShelf, numbers: range) -> None:
    rows = [
        StorageNote(id=uuid.uuid4(), shelf=shelf.id, number=n, at=NOON, text=f"第{n}条 \\ \t'\n")
        for n in numbers
    ]
    await StorageNote.insert(*rows)


async def everything() -> list[dict[str, object]]:
    return await StorageNote.select().order_by(StorageNote.number)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def restored(file: Path, engine: CampusEngine, folders: dict[str, Path]) -> None:
    await close_engine(engine)
    try:
        await restore(file, engine, folders)
    finally:
        await open_engine(engine)


async def test_what_was_saved_comes_back(
    shelf: StorageShelf, database: CampusEngine, evidence: Path, tmp_path: Path
) -> None:
    file = tmp_path / "backups" / "one.zip"
    before, files = await everything(), tree(evidence)
    manifest = await backup(file, database, NOON, {"evidence": evidence})
    assert manifest == check(file)
    assert manifest.rows["storage_note"] == MANY
    assert manifest.taken_at == NOON
    assert [path.name for path in file.parent.iterdir()] == ["one.zip"]

    await StorageNote.delete().where(StorageNote.number < 250)
    await add_notes(shelf, range(1000, 1010))
    await fetch_tuples(None, "CREATE TABLE storage_later (id integer)")
    (evidence / "ab/photo").write_bytes(b"changed")
    (evidence / "cd/empty").unlink()
    (evidence / "later").write_bytes(b"stays")
    await restored(file, database, {"evidence": evidence})

    assert await everything() == before
    assert tree(evidence) == {**files, "later": b"stays"}
    with pytest.raises(Exception, match="storage_later"):
        await fetch_tuples(None, "SELECT * FROM storage_later")
    await add_notes(shelf, range(2000, 2001))
    other = StorageShelf(name="B")
    await other.save()  # the sequence of ids goes on where it was
    assert other.id == shelf.id + 1


async def test_a_new_machine_can_be_filled_from_a_backup(
    sqlite_url: str, shelf: StorageShelf, database: CampusEngine, tmp_path: Path
) -> None:
    before = await everything()
    await backup(tmp_path / "one.zip", database, NOON)
    if database.engine_type == "sqlite":
        await close_engine(database)
        Path(database.path).unlink()  # noqa: ASYNC240
        await open_engine(database)
    else:
        await fetch_tuples(None, "DROP SCHEMA public CASCADE")
    await restored(tmp_path / "one.zip", database, {})
    assert await everything() == before


async def test_a_backup_under_writing_is_of_one_moment(
    shelf: StorageShelf, database: CampusEngine, tmp_path: Path
) -> None:
    stop = asyncio.Event()

    async def keep_writing_pairs() -> None:
        number = 10_000
        while not stop.is_set():
            async with transaction():
                await add_notes(shelf, range(number, number + 1))
                await asyncio.sleep(0)
                await add_notes(shelf, range(number, number + 1))
            number += 1

    writer = asyncio.create_task(keep_writing_pairs())
    await asyncio.sleep(0.05)
    manifest = await backup(tmp_path / "one.zip", database, NOON)
    stop.set()
    await writer
    await restored(tmp_path / "one.zip", database, {})
    pairs = await fetch_tuples(
        None, "SELECT count(*) FROM storage_note WHERE number >= 10000 GROUP BY number"
    )
    assert set(pairs) == {(2,)}
    assert await StorageNote.count() == manifest.rows["storage_note"]


async def test_a_damaged_file_is_refused_and_nothing_is_touched(
    shelf: StorageShelf, database: CampusEngine, evidence: Path, tmp_path: Path
) -> None:
    good = tmp_path / "good.zip"
    await backup(good, database, NOON, {"evidence": evidence})
    whole = good.read_bytes()
    await add_notes(shelf, range(5000, 5001))
    before, files = await everything(), tree(evidence)
    damaged = [whole[:size] for size in (0, 1, 100, len(whole) // 2, len(whole) - 1)]
    damaged.append(whole + b"\0")
    places = range(0, len(whole), max(1, len(whole) // 60))
    damaged += [whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :] for place in places]
    bad = tmp_path / "bad.zip"
    for content in damaged:
        bad.write_bytes(content)
        with pytest.raises(BackupRefused):
            check(bad)
    with pytest.raises(BackupRefused):
        await restored(bad, database, {"evidence": evidence})
    assert await everything() == before
    assert tree(evidence) == files


async def test_a_database_in_use_is_not_restored_over(
    shelf: StorageShelf, database: CampusEngine, tmp_path: Path
) -> None:
    await backup(tmp_path / "one.zip", database, NOON)
    await add_notes(shelf, range(5000, 5001))
    with pytest.raises(BackupRefused, match="backup-in-use"):
        await restore(tmp_path / "one.zip", database)
    assert await StorageNote.count() == MANY + 1


async def test_a_restore_that_fails_late_changes_nothing(
    shelf: StorageShelf, database: CampusEngine, evidence: Path, tmp_path: Path
) -> None:
    file = tmp_path / "one.zip"
    await backup(file, database, NOON, {"evidence": evidence})
    await add_notes(shelf, range(5000, 5001))
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder should be")
    with pytest.raises(OSError, match="blocked"):
        await restored(file, database, {"evidence": blocked})
    assert await StorageNote.count() == MANY + 1


async def test_rows_that_are_not_as_listed_are_refused(
    shelf: StorageShelf, database: CampusEngine, tmp_path: Path
) -> None:
    from safety import dumps

    await dumps.dump(database, tmp_path / "dump")
    await close_engine(database)
    with pytest.raises(BackupRefused):
        async with dumps.exchange(
            database, tmp_path / "dump", {"storage_note": MANY + 1, "storage_shelf": 1}
        ):
            pass
    await open_engine(database)
    assert await StorageNote.count() == MANY


async def test_a_backup_of_another_kind_or_a_newer_program_is_refused(
    sqlite_url: str, postgres_database: CampusEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safety.database import engine_from_url

    await backup(tmp_path / "one.zip", postgres_database, NOON)
    with pytest.raises(BackupRefused, match="backup-other-database"):
        await restore(tmp_path / "one.zip", engine_from_url(sqlite_url))
    monkeypatch.setattr("safety.backup.known", list)
    with pytest.raises(BackupRefused, match="backup-newer"):
        await restored(tmp_path / "one.zip", postgres_database, {})


async def test_files_without_a_folder_to_go_to_are_refused(
    sqlite_database: CampusEngine, evidence: Path, tmp_path: Path
) -> None:
    await backup(tmp_path / "one.zip", sqlite_database, NOON, {"evidence": evidence})
    with pytest.raises(BackupRefused, match="backup-folder-missing"):
        await restored(tmp_path / "one.zip", sqlite_database, {})


async def test_a_damaged_database_is_not_passed_off_as_a_backup(
    sqlite_database: CampusEngine, tmp_path: Path
) -> None:
    shelf = await create_tables()
    await add_notes(shelf, range(MANY))
    await close_engine(sqlite_database)
    with sqlite3.connect(sqlite_database.path) as raw:
        raw.execute("PRAGMA foreign_keys = OFF")
        raw.execute("DELETE FROM storage_shelf")
    raw.close()
    await open_engine(sqlite_database)
    with pytest.raises(BackupRefused, match="backup-broken-links"):
        await backup(tmp_path / "one.zip", sqlite_database, NOON)
    assert not (tmp_path / "one.zip").exists()


async def test_the_sqlite_file_of_before_is_kept(sqlite_database: CampusEngine, tmp_path: Path) -> None:
    shelf = await create_tables()
    await backup(tmp_path / "one.zip", sqlite_database, NOON)
    await add_notes(shelf, range(3))
    await restored(tmp_path / "one.zip", sqlite_database, {})
    assert await StorageNote.count() == 0
    with sqlite3.connect(f"{sqlite_database.path}.before-restore") as before:
        assert before.execute("SELECT count(*) FROM storage_note").fetchone() == (3,)
    before.close()


async def test_the_archive_is_a_plain_zip(sqlite_database: CampusEngine, tmp_path: Path) -> None:
    await backup(tmp_path / "one.zip", sqlite_database, NOON)
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) == {"manifest.json", "database.sqlite"}
