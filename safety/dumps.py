"""A database as one file, and back: SQLite by its backup API, PostgreSQL by pg_dump and psql."""

import asyncio
import os
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg  # type: ignore[import-untyped]

from safety.database import CampusEngine
from safety.errors import BadInput
from safety.postgres import CampusPostgresEngine

MEMBER = {"sqlite": "database.sqlite", "postgres": "database.sql"}
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"


class BackupRefused(BadInput):
    """The database cannot be backed up or a backup not be used, here and now; nothing has been changed."""


async def dump(engine: CampusEngine, file: Path) -> dict[str, int]:
    """Write the database as it is at one moment to `file`; returns the rows of each table at that moment."""
    if isinstance(engine, CampusPostgresEngine):
        return await _dump_postgres(engine, file)
    return await asyncio.to_thread(_dump_sqlite, Path(engine.path), file)


@asynccontextmanager
async def exchange(engine: CampusEngine, dumped: Path, rows: Mapping[str, int]) -> AsyncIterator[None]:
    """Replace the database by `dumped`, at the end of the block, if the block succeeds.

    Before the block: sees that nobody is connected and that the dump is whole. Raises BackupRefused.
    """
    if isinstance(engine, CampusPostgresEngine):
        await _check_alone(engine)
        yield
        await _load_postgres(engine, dumped, rows)
        return
    await asyncio.to_thread(_prepare_sqlite, Path(engine.path), dumped, rows)
    yield
    await asyncio.to_thread(_swap_sqlite, Path(engine.path), dumped)


def room_for(engine: CampusEngine) -> Path:
    """Where to unpack: beside a SQLite file, since only there it can be renamed into place in one step."""
    if isinstance(engine, CampusPostgresEngine):
        return Path(tempfile.gettempdir())
    folder = Path(engine.path).absolute().parent
    folder.mkdir(parents=True, exist_ok=True)
    return folder


# -- SQLite


def _dump_sqlite(source: Path, file: Path) -> dict[str, int]:
    with (
        closing(sqlite3.connect(f"file:{quote(str(source))}?mode=ro", uri=True)) as live,
        closing(sqlite3.connect(file)) as copy,
    ):
        live.backup(copy)  # all pages in one step: one moment, and nobody is kept waiting in WAL mode
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        return _check_sqlite(copy)


def _check_sqlite(copy: sqlite3.Connection) -> dict[str, int]:
    """The rows of each table. Raises BackupRefused if the file is damaged."""
    if (verdict := copy.execute("PRAGMA integrity_check").fetchall()) != [("ok",)]:
        raise BackupRefused.one(None, "backup-damaged-database", detail=verdict[0][0])
    if broken := copy.execute("PRAGMA foreign_key_check").fetchall():
        raise BackupRefused.one(None, "backup-broken-links", count=len(broken), table=broken[0][0])
    names = copy.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return {name: _count(copy, name) for (name,) in sorted(names.fetchall())}


def _count(copy: sqlite3.Connection, table: str) -> int:
    (count,) = copy.execute(f'SELECT count(*) FROM "{table}"').fetchone()  # noqa: S608 - a name of our own schema
    return int(count)


def _prepare_sqlite(live: Path, dumped: Path, rows: Mapping[str, int]) -> None:
    with closing(sqlite3.connect(dumped)) as copy:
        if _check_sqlite(copy) != rows:
            raise BackupRefused.one(None, "backup-other-rows")
        copy.execute("PRAGMA journal_mode = WAL")
    if live.exists():
        _check_unused(live)


def _check_unused(live: Path) -> None:
    """Leaving WAL mode needs the file to itself, and folds the log into it: so nothing is left beside it."""
    with closing(sqlite3.connect(live, timeout=1)) as connection:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
        except sqlite3.OperationalError as error:
            raise BackupRefused.one(None, "backup-in-use") from error
        if mode != "delete":
            raise BackupRefused.one(None, "backup-in-use")


def _swap_sqlite(live: Path, dumped: Path) -> None:
    if live.exists():
        _check_unused(live)
        kept = live.with_name(f"{live.name}.before-restore")
        kept.unlink(missing_ok=True)
        os.link(live, kept)
        before = live.stat()
        dumped.chmod(before.st_mode & 0o7777)
        if os.geteuid() == 0:  # whoever restores, the service must still be able to open it
            os.chown(dumped, before.st_uid, before.st_gid)
    with dumped.open("rb") as stream:
        os.fsync(stream.fileno())
    dumped.replace(live)
    handle = os.open(live.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# -- PostgreSQL


async def _dump_postgres(engine: CampusPostgresEngine, file: Path) -> dict[str, int]:
    """pg_dump of the very snapshot in which the rows are counted."""
    async with (
        _connected(engine) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        snapshot = await connection.fetchval("SELECT pg_export_snapshot()")
        counts = await _counts(connection)
        await _run_tool(
            engine,
            "pg_dump",
            ["--no-owner", "--no-privileges", "--schema=public", f"--snapshot={snapshot}", f"--file={file}"],
        )
    return counts


async def _counts(connection: Any) -> dict[str, int]:
    return {
        name: await connection.fetchval(f'SELECT count(*) FROM "{name}"')  # noqa: S608 - a name of our own schema
        for (name,) in await connection.fetch(_TABLES)
    }


@asynccontextmanager
async def _connected(engine: CampusPostgresEngine) -> AsyncIterator[Any]:
    """A connection outside the pool, which may be closed just now."""
    connection = await asyncpg.connect(**engine.config)
    try:
        yield connection
    finally:
        await connection.close()


async def _check_alone(engine: CampusPostgresEngine) -> None:
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    async with _connected(engine) as connection:
        if await connection.fetchval(others):
            raise BackupRefused.one(None, "backup-in-use")


async def _load_postgres(engine: CampusPostgresEngine, dumped: Path, rows: Mapping[str, int]) -> None:
    """Replace everything in one transaction, which fails unless every table ends with the rows listed."""
    script = [
        "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", "--output=/dev/null",
        "--command=SET client_min_messages = warning", "--command=DROP SCHEMA IF EXISTS public CASCADE",
        *_creating_public(dumped), f"--file={dumped}",
        *(f"--command={_demand(name, count)}" for name, count in rows.items()),
    ]  # fmt: skip
    await _run_tool(engine, "psql", script)


def _creating_public(dumped: Path) -> list[str]:
    """pg_dump leaves out `CREATE SCHEMA public` when the schema has its usual owner."""
    with dumped.open(encoding="utf-8") as lines:
        creates = any(line.startswith("CREATE SCHEMA public") for line in lines)
    return [] if creates else ["--command=CREATE SCHEMA public"]


def _demand(table: str, count: int) -> str:
    """SQL that divides by zero unless the table has `count` rows."""
    return f'SELECT 1 / (count(*) = {int(count)})::int FROM public."{table}"'  # noqa: S608 - names were just dumped


async def _run_tool(engine: CampusPostgresEngine, tool: str, arguments: Iterable[str]) -> None:
    """Run one of PostgreSQL's programs; the password goes by the environment, where others cannot see it."""
    try:
        process = await asyncio.create_subprocess_exec(
            tool, *arguments, env=os.environ | _environment(engine),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise BackupRefused.one(None, "backup-tool-missing", tool=tool) from error
    _, complaint = await process.communicate()
    if process.returncode:
        said = complaint.decode(errors="replace").strip()[-2000:]
        raise BackupRefused.one(None, "backup-tool-failed", tool=tool, detail=said)


def _environment(engine: CampusPostgresEngine) -> dict[str, str]:
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD",
             "database": "PGDATABASE", "ssl": "PGSSLMODE"}  # fmt: skip
    return {names[key]: str(value) for key, value in engine.config.items() if key in names}
