"""The same submission is the same entry; what stands is read by school and day, chains by what they replace."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T02:40:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "indexes"

INDEXES = (
    "create unique index duty_slot_key on duty_slot (school, submission_key)",
    "create index duty_slot_current on duty_slot "
    "(school, happened_on, post, starts_at, ends_at, person, recorded_at, superseded_at, superseded_by, voided_at) "
    "where superseded_by is null and voided_at is null",
    "create index duty_slot_past on duty_slot (school, happened_on) "
    "where superseded_by is not null or voided_at is not null",
    "create index duty_slot_chain on duty_slot (supersedes) where supersedes is not null",
    "create unique index duty_checkin_key on duty_checkin (school, submission_key)",
    "create index duty_checkin_current on duty_checkin "
    "(school, happened_on, post, person, substitute_for, happened_at, timed_on, supersedes, superseded_by, voided_at) "
    "where superseded_by is null and voided_at is null",
    "create index duty_checkin_past on duty_checkin (school, happened_on) "
    "where superseded_by is not null or voided_at is not null",
    "create index duty_checkin_apart on duty_checkin (school, happened_on) where supersedes is not null",
    "create index duty_checkin_chain on duty_checkin (supersedes) where supersedes is not null",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="duty", description=DESCRIPTION)

    async def add_indexes() -> None:
        engine = engine_finder()
        assert engine is not None
        for statement in INDEXES:
            await engine.run_ddl(statement)

    manager.add_raw(add_indexes)
    return manager
