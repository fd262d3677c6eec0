"""A form sent twice is one note or one sample; a school's notes are read in order."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T06:02:49:000001"
VERSION = "1.38.0"
DESCRIPTION = "indexes of notes and samples"

INDEXES = (
    "create unique index inspection_note_key on inspection_note (school, submission_key)",
    "create index inspection_note_order on inspection_note (school, written_at)",
    "create unique index inspection_sample_key on inspection_sample (school, submission_key)",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="reports", description=DESCRIPTION)

    async def add_indexes() -> None:
        engine = engine_finder()
        assert engine is not None
        for statement in INDEXES:
            await engine.run_ddl(statement)

    manager.add_raw(add_indexes)
    return manager
