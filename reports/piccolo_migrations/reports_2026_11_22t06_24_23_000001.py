"""A sealed roll-up has one file."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T06:24:23:000001"
VERSION = "1.38.0"
DESCRIPTION = "one file for a roll-up"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="reports", description=DESCRIPTION)

    async def add_index() -> None:
        engine = engine_finder()
        assert engine is not None
        await engine.run_ddl("create unique index rollup_file_once on rollup_file (rollup)")

    manager.add_raw(add_index)
    return manager
