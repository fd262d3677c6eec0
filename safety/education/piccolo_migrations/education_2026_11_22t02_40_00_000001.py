"""The same submission is the same entry; what stands is read by school and day, chains by what they replace."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T02:40:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "indexes"

INDEXES = (
    "create unique index class_session_key on class_session (school, submission_key)",
    "create index class_session_current on class_session "
    "(school, happened_on, kind, school_class, timed_on, present, made_up, supersedes, superseded_by, voided_at) "
    "where superseded_by is null and voided_at is null",
    "create index class_session_past on class_session (school, happened_on) "
    "where superseded_by is not null or voided_at is not null",
    "create index class_session_apart on class_session (school, happened_on) where supersedes is not null",
    "create index class_session_chain on class_session (supersedes) where supersedes is not null",
    "create unique index daily_reminder_key on daily_reminder (school, submission_key)",
    "create index daily_reminder_current on daily_reminder "
    "(school, happened_on, school_class, timed_on, superseded_by, voided_at) "
    "where superseded_by is null and voided_at is null",
    "create index daily_reminder_past on daily_reminder (school, happened_on) "
    "where superseded_by is not null or voided_at is not null",
    "create index daily_reminder_chain on daily_reminder (supersedes) where supersedes is not null",
    "create unique index awareness_check_key on awareness_check (school, submission_key)",
    "create index awareness_check_current on awareness_check (school, happened_on) "
    "where superseded_by is null and voided_at is null",
    "create index awareness_check_past on awareness_check (school, happened_on) "
    "where superseded_by is not null or voided_at is not null",
    "create index awareness_check_chain on awareness_check (supersedes) where supersedes is not null",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="education", description=DESCRIPTION)

    async def add_indexes() -> None:
        engine = engine_finder()
        assert engine is not None
        for statement in INDEXES:
            await engine.run_ddl(statement)

    manager.add_raw(add_indexes)
    return manager
