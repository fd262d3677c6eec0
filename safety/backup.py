"""Backup and restore: one file holding the whole database and the folders of files that belong to it.

The file is a ZIP: `manifest.json` (format, kind of database, migrations, rows per table, SHA-256 and size of
every member), the database, and `files/<folder>/…`. The ZIP's comment ends with the SHA-256 of all bytes
before it, so a file that was cut short or changed anywhere is refused before anything is touched.
"""

import asyncio
import datetime as dt
import hashlib
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from safety import dumps
from safety.database import CampusEngine
from safety.dumps import BackupRefused
from safety.errors import BadInput
from safety.migrations import Step, applied, known

FORMAT = "safe-campus.backup.v1"
_SEAL = b"safe-campus backup sha256:"
_COMMENT = len(_SEAL) + 64
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Manifest:
    """What a backup says of itself. `rows`: table → number of rows; `members`: name → (SHA-256, bytes)."""

    taken_at: dt.datetime
    database: str
    migrations: list[Step]
    rows: dict[str, int]
    members: dict[str, tuple[str, int]]


async def backup(
    file: Path,
    engine: CampusEngine,
    now: dt.datetime,
    folders: Mapping[str, Path] | None = None,
    *,
    replace: bool = False,
) -> Manifest:
    """Write a consistent copy of the open database and of `folders` (name → folder) to `file`, and check it.

    Others may go on reading and writing. `file` appears only when it is complete; an existing one is kept,
    or with `replace` replaced. Raises BadInput for one that is kept, OSError, or the database's error.
    """
    _refuse_existing(file, replace)
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{file.name}.", dir=file.parent) as scratch:
        dumped = Path(scratch) / dumps.MEMBER[engine.engine_type]
        rows = await dumps.dump(engine, dumped)
        # Files after the database: everything the database speaks of is then among them.
        sources = {dumped.name: dumped, **_files(folders or {})}
        head: dict[str, Any] = {
            "format": FORMAT,
            "taken_at": now.isoformat(),
            "database": engine.engine_type,
            "rows": rows,
        }
        head["migrations"] = [[step.app, step.id] for step in await applied(engine)]
        unfinished = Path(scratch) / "backup"
        await asyncio.to_thread(_pack, unfinished, head, sources)
        manifest = await asyncio.to_thread(check, unfinished)
        _refuse_existing(file, replace)
        unfinished.replace(file)
        await asyncio.to_thread(_sync_folder, file.parent)
    return manifest


def _refuse_existing(file: Path, replace: bool) -> None:
    if not replace and os.path.lexists(file):
        raise BadInput.one("FILE", "file-exists", path=str(file))
    if file.exists() and not file.is_file():
        # As root even a device could be replaced by a file.
        raise BadInput.one("FILE", "file-not-regular", path=str(file))


def check(file: Path) -> Manifest:
    """Read a backup through and compare every byte with what it promises. Raises BackupRefused."""
    _check_seal(file)
    try:
        with zipfile.ZipFile(file) as archive:
            manifest = _manifest(archive)
            names = set(archive.namelist()) - {"manifest.json"}
            if names != manifest.members.keys() or len(archive.namelist()) != len(names) + 1:
                raise BackupRefused.one(None, "backup-other-files")
            for name, (digest, size) in manifest.members.items():
                _check_member(archive, name, digest, size)
            return manifest
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError) as error:
        raise BackupRefused.one(None, "backup-unreadable", detail=str(error)) from error


async def restore(file: Path, engine: CampusEngine, folders: Mapping[str, Path] | None = None) -> Manifest:
    """Put the database and the folders back as they were. The engine must be closed, and nobody else connected.

    All or nothing: the backup is checked and unpacked first, files are added (never removed), and the database
    is exchanged last, in one step; the SQLite file of before stays beside it as `….before-restore`.
    Run `migrate()` afterwards if the backup is older than the program. Raises BackupRefused.
    """
    manifest = await asyncio.to_thread(check, file)
    _check_fits(manifest, engine, folders or {})
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=dumps.room_for(engine)) as scratch:
        await asyncio.to_thread(_unpack, file, Path(scratch))
        dumped = Path(scratch) / dumps.MEMBER[manifest.database]
        async with dumps.exchange(engine, dumped, manifest.rows):
            for name, folder in (folders or {}).items():
                await asyncio.to_thread(_add_files, Path(scratch) / "files" / name, folder)
    return manifest


def _check_fits(manifest: Manifest, engine: CampusEngine, folders: Mapping[str, Path]) -> None:
    if manifest.database != engine.engine_type:
        raise BackupRefused.one(
            None, "backup-other-database", theirs=manifest.database, ours=engine.engine_type
        )
    if newer := set(manifest.migrations) - set(known()):
        raise BackupRefused.one(None, "backup-newer", migration=f"{min(newer).app} {min(newer).id}")
    there = {name.split("/")[1] for name in manifest.members if name.startswith("files/")}
    if missing := there - folders.keys():
        raise BackupRefused.one(None, "backup-folder-missing", names=", ".join(sorted(missing)))


def _files(folders: Mapping[str, Path]) -> dict[str, Path]:
    return {
        f"files/{name}/{path.relative_to(folder).as_posix()}": path
        for name, folder in sorted(folders.items())
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def _pack(file: Path, head: dict[str, Any], sources: Mapping[str, Path]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        members = {name: _add_member(archive, name, source) for name, source in sources.items()}
        archive.writestr(
            "manifest.json", json.dumps({**head, "members": members}, ensure_ascii=False, indent=1)
        )
        archive.comment = _SEAL + b"0" * 64
    with file.open("r+b") as stream:
        digest = _digest(stream, file.stat().st_size - 64)
        stream.seek(-64, os.SEEK_END)
        stream.write(digest.encode())
        stream.flush()
        os.fsync(stream.fileno())


def _add_member(archive: zipfile.ZipFile, name: str, source: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as stream, archive.open(name, "w", force_zip64=True) as member:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            member.write(chunk)
    return digest.hexdigest(), size


def _digest(stream: IO[bytes], count: int) -> str:
    """SHA-256 of the first `count` bytes."""
    digest = hashlib.sha256()
    while count > 0 and (chunk := stream.read(min(_CHUNK, count))):
        digest.update(chunk)
        count -= len(chunk)
    return digest.hexdigest()


def _check_seal(file: Path) -> None:
    size = file.stat().st_size
    with file.open("rb") as stream:
        digest = _digest(stream, size - 64)
        stream.seek(max(0, size - _COMMENT))
        if stream.read() != _SEAL + digest.encode():
            raise BackupRefused.one(None, "backup-altered")


def _check_member(archive: zipfile.ZipFile, name: str, digest: str, size: int) -> None:
    path = PurePosixPath(name)
    inside = not path.is_absolute() and ".." not in path.parts and str(path) == name and "\\" not in name
    with archive.open(name) as stream:
        if not inside or archive.getinfo(name).file_size != size or _digest(stream, size + 1) != digest:
            raise BackupRefused.one(None, "backup-altered-file", name=name)


def _manifest(archive: zipfile.ZipFile) -> Manifest:
    raw = json.loads(archive.read("manifest.json"))
    if raw["format"] != FORMAT:
        raise BackupRefused.one(None, "backup-format", format=raw["format"])
    return Manifest(
        taken_at=dt.datetime.fromisoformat(raw["taken_at"]),
        database=raw["database"],
        migrations=[Step(app, step) for app, step in raw["migrations"]],
        rows=dict(raw["rows"]),
        members={name: (digest, size) for name, (digest, size) in raw["members"].items()},
    )


def _unpack(file: Path, folder: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        archive.extractall(folder)  # names were checked: none leads outside


def _add_files(source: Path, target: Path) -> None:
    """Copy files that are missing or different; each appears whole or not at all."""
    for path in sorted(source.rglob("*")):
        if path.is_file():
            final = target / path.relative_to(source)
            final.parent.mkdir(parents=True, exist_ok=True)
            unfinished = final.with_name(f".{final.name}.restoring")
            shutil.copyfile(path, unfinished)
            unfinished.replace(final)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
