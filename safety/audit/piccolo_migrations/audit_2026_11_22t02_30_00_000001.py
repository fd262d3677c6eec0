"""One line per place in a chain; also what walks a chain in order."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T02:30:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "one line per place in a chain"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="audit", description=DESCRIPTION)

    async def add_index() -> None:
        engine = engine_finder()
        assert engine is not None
        await engine.run_ddl("create unique index audit_line_place on audit_line (chain, position)")

    manager.add_raw(add_index)
    return manager
