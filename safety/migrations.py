"""Bring the schema forward: all apps' migrations, in one transaction, one process at a time.

Piccolo's own runner imports migration files by bare name (two apps with the same file name run one of them
twice), leaves a half-migrated database when one fails, and lets two processes run the same one. Here all
that is missing runs inside one transaction, taken under a lock: it all happens or none of it.
"""

import contextlib
import importlib.util
import io
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.apps.migrations.tables import Migration
from piccolo.conf.apps import AppConfig, Finder
from piccolo.engine.base import Engine

from safety.database import CampusEngine, current_engine, engine_in_use, fetch_tuples, transaction
from safety.postgres import CampusPostgresEngine

_LOCK = 0x5AFE_CA05  # any number that nothing else on the same PostgreSQL database uses


@dataclass(frozen=True, order=True)
class Step:
    """One migration: the app's name and the migration's ID."""

    app: str
    id: str


async def migrate(engine: CampusEngine | None = None) -> list[Step]:
    """Run what has not run yet and return it, in order; an empty list when the schema is current.

    Idempotent, and safe in two processes at once: the second waits and then finds nothing to do.
    Raises what the failing migration raises, with nothing changed.
    """
    quiet = contextlib.redirect_stdout(io.StringIO())  # Piccolo narrates each step
    with engine_in_use(engine or current_engine()) as in_use, quiet:
        async with transaction(in_use):
            await _lock(in_use)
            done = set(await applied())
            ran = []
            for app in Finder().get_app_configs():
                for step, module in _modules(app):
                    if step not in done:
                        await _run(step, module)
                        ran.append(step)
            return ran


def known() -> list[Step]:
    """All migrations of this program, in the order in which they run."""
    return [step for app in Finder().get_app_configs() for step, _ in _modules(app)]


async def pending() -> list[Step]:
    """The migrations that `migrate()` would run, without running them."""
    done = set(await applied())
    return [step for step in known() if step not in done]


async def applied(engine: CampusEngine | None = None) -> list[Step]:
    """The migrations that have run on `engine` (the one in use by default), in the order they ran."""
    with engine_in_use(engine or current_engine()):
        if not await Migration.table_exists():
            return []
        rows = await fetch_tuples(None, "SELECT app_name, name FROM migration ORDER BY id")
        return [Step(app, name) for app, name in rows]


async def _lock(engine: Engine[Any]) -> None:
    """Wait for other processes. On SQLite the writing transaction, IMMEDIATE, is that lock already."""
    if isinstance(engine, CampusPostgresEngine):
        await fetch_tuples(engine, "SELECT pg_advisory_xact_lock($1)", [_LOCK])
    if not await Migration.table_exists():
        await Migration.create_table()


async def _run(step: Step, module: ModuleType) -> None:
    manager = await module.forwards()
    if isinstance(manager, MigrationManager):
        await manager.run()
    await Migration.insert(Migration(name=step.id, app_name=step.app))


def _modules(app: AppConfig) -> list[tuple[Step, ModuleType]]:
    """An app's migrations in order of their IDs. ValueError if two share an ID."""
    folder = Path(app.resolved_migrations_folder_path)
    found = [_load(app.app_name, file) for file in sorted(folder.glob("*.py")) if file.name != "__init__.py"]
    steps = [(Step(app.app_name, module.ID), module) for module in found if hasattr(module, "ID")]
    if len({step for step, _ in steps}) != len(steps):
        raise ValueError(f"two migrations of {app.app_name} have the same ID")
    return sorted(steps, key=lambda pair: pair[0])


def _load(app: str, file: Path) -> ModuleType:
    """The module in `file`, under a name that no other app's file has."""
    spec = importlib.util.spec_from_file_location(f"migrations_of_{app}.{file.stem}", file)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load the migration {file}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
