"""The same submission is the same entry; what stands is read by school and day, chains by what they replace."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T02:40:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "indexes"

INDEXES = (
    "create unique index drill_key on drill (school, submission_key)",
    "create index drill_current on drill (school, happened_on) "
    "where superseded_by is null and voided_at is null",
    "create index drill_past on drill (school, happened_on) "
    "where superseded_by is not null or voided_at is not null",
    "create index drill_chain on drill (supersedes) where supersedes is not null",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="drills", description=DESCRIPTION)

    async def add_indexes() -> None:
        engine = engine_finder()
        assert engine is not None
        for statement in INDEXES:
            await engine.run_ddl(statement)

    manager.add_raw(add_indexes)
    return manager
