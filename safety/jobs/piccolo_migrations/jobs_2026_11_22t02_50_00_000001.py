"""A slot of a job exists once: the database decides who claims it."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T02:50:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "indexes"

INDEXES = ("create unique index job_slot_name on job_slot (name, slot)",)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="jobs", description=DESCRIPTION)

    async def add_indexes() -> None:
        engine = engine_finder()
        assert engine is not None
        for statement in INDEXES:
            await engine.run_ddl(statement)

    manager.add_raw(add_indexes)
    return manager
