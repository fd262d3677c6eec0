"""The same submission is the same entry; what stands is read by school and day, chains by what they replace."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T02:40:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "indexes"

INDEXES = (
    "create unique index food_sample_key on food_sample (school, submission_key)",
    "create index food_sample_current on food_sample "
    "(school, happened_on, meal, grams, timed_on, discarded_at, supersedes, superseded_by, voided_at) "
    "where superseded_by is null and voided_at is null",
    "create index food_sample_past on food_sample (school, happened_on) "
    "where superseded_by is not null or voided_at is not null",
    "create index food_sample_apart on food_sample (school, happened_on) "
    "where discarded_at is not null or supersedes is not null",
    "create index food_sample_chain on food_sample (supersedes) where supersedes is not null",
    "create unique index purchase_batch_key on purchase_batch (school, submission_key)",
    "create index purchase_batch_current on purchase_batch "
    "(school, happened_on, timed_on, supersedes, superseded_by, voided_at) "
    "where superseded_by is null and voided_at is null",
    "create index purchase_batch_past on purchase_batch (school, happened_on) "
    "where superseded_by is not null or voided_at is not null",
    "create index purchase_batch_apart on purchase_batch (school, happened_on) where supersedes is not null",
    "create index purchase_batch_chain on purchase_batch (supersedes) where supersedes is not null",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="checklists", description=DESCRIPTION)

    async def add_indexes() -> None:
        engine = engine_finder()
        assert engine is not None
        for statement in INDEXES:
            await engine.run_ddl(statement)

    manager.add_raw(add_indexes)
    return manager
