"""What another instance decided is read by the version that it is about."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T08:50:28:000001"
VERSION = "1.38.0"
DESCRIPTION = "told decisions by version"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="reports", description=DESCRIPTION)

    async def add_index() -> None:
        engine = engine_finder()
        assert engine is not None
        await engine.run_ddl("create index told_decision_last on told_decision (sealed, decided_at)")

    manager.add_raw(add_index)
    return manager
