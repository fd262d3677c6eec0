"""The trail of one entry is found by its subject."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T02:40:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "lines by subject"

INDEXES = ("create index audit_line_subject on audit_line (chain, subject)",)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="audit", description=DESCRIPTION)

    async def add_indexes() -> None:
        engine = engine_finder()
        assert engine is not None
        for statement in INDEXES:
            await engine.run_ddl(statement)

    manager.add_raw(add_indexes)
    return manager
